"""ICamera V4 over a simulated camera."""

from dataclasses import replace

from drivers.values import CameraState
from simulators.alpaca.device import Kind
from simulators.alpaca.members import (
    Begun,
    Call,
    Json,
    Member,
    Picture,
    Value,
    does,
    flag,
    lacks,
    reads,
    real,
    table,
    takes,
    takes_two,
    whole,
)
from simulators.observatory import Observatory
from simulators.physics.camera import Setup
from simulators.physics.refusals import Reason, refuse_unless

_STATES = {CameraState.IDLE: 0, CameraState.EXPOSING: 2, CameraState.READING: 3, CameraState.ERROR: 5}
_MONOCHROME = 0


class Camera:
    """One camera as ASCOM sees it."""

    def __init__(self, observatory: Observatory, index: int) -> None:
        self.camera = observatory.cameras[index]
        self.observatory = observatory
        self.index = index

    @property
    def setup(self) -> Setup:
        return self.camera.setup

    def picture(self) -> Value:
        return Picture(self.index, self.camera.last())

    def started_at(self) -> Value:
        """To the microsecond, without a zone, as ASCOM wants it."""
        return self.camera.last().started_at.strftime("%Y-%m-%dT%H:%M:%S.%f")

    def set_gain(self, gain: int) -> None:
        most = self.camera.settings.max_gain
        refuse_unless(0 <= gain <= most, Reason.INVALID_VALUE, f"gain {gain}: 0 to {most}")
        self.camera.setup = replace(self.setup, gain=gain)

    def set_offset(self, offset: int) -> None:
        most = self.camera.settings.max_offset
        refuse_unless(0 <= offset <= most, Reason.INVALID_VALUE, f"offset {offset}: 0 to {most}")
        self.camera.setup = replace(self.setup, offset=offset)

    def warmth_of_sink_c(self) -> float:
        """A cooler at full power heats its sink by five degrees."""
        ambient_c = self.observatory.ambient_c(self.observatory.clock.now())
        return ambient_c + 5.0 * self.camera.cooler.power_percent / 100.0


def _start(camera: Camera, exposure_s: float, light: bool) -> Value:
    return Begun(camera.index, camera.camera.start(exposure_s, light=light))


def _set_start_x(camera: Camera, pixel: int) -> None:
    camera.camera.setup = replace(camera.setup, start_x=pixel)


def _set_start_y(camera: Camera, pixel: int) -> None:
    camera.camera.setup = replace(camera.setup, start_y=pixel)


def _set_num_x(camera: Camera, pixels: int) -> None:
    camera.camera.setup = replace(camera.setup, num_x=pixels)


def _set_num_y(camera: Camera, pixels: int) -> None:
    camera.camera.setup = replace(camera.setup, num_y=pixels)


def _set_readout_mode(_: Camera, mode: int) -> None:
    refuse_unless(mode == 0, Reason.INVALID_VALUE, f"readout mode {mode}: there is one, 0")


def _always(value: Json) -> Call[Camera]:
    return reads(lambda _: value)


_CAN = {
    "AbortExposure": True,
    "AsymmetricBin": False,
    "FastReadout": False,
    "GetCoolerPower": True,
    "PulseGuide": False,
    "SetCCDTemperature": True,
    "StopExposure": False,
}
_BINNING: Call[Camera] = reads(lambda camera: camera.setup.binning)
_PICTURE = reads(Camera.picture)

CAMERA = Kind(
    name="Camera",
    interface_version=4,
    state=(
        "CameraState",
        "CCDTemperature",
        "CoolerPower",
        "HeatSinkTemperature",
        "ImageReady",
        "PercentCompleted",
    ),
    members=table(
        *(Member[Camera](f"Can{what}", get=_always(can)) for what, can in _CAN.items()),
        Member("BayerOffsetX", get=lacks()),
        Member("BayerOffsetY", get=lacks()),
        Member("BinX", get=_BINNING, put=takes("setup", whole("BinX"), lambda one, by: one.camera.bin_by(by))),
        Member("BinY", get=_BINNING, put=takes("setup", whole("BinY"), lambda one, by: one.camera.bin_by(by))),
        Member("CameraState", get=reads(lambda one: _STATES[one.camera.state])),
        Member("CameraXSize", get=reads(lambda one: one.camera.settings.width_px)),
        Member("CameraYSize", get=reads(lambda one: one.camera.settings.height_px)),
        Member("CCDTemperature", get=reads(lambda one: one.camera.cooler.temperature_c)),
        Member(
            "CoolerOn",
            get=reads(lambda one: one.camera.cooler.on),
            put=takes("cool", flag("CoolerOn"), lambda one, on: one.camera.cooler.switch(on=on)),
        ),
        Member("CoolerPower", get=reads(lambda one: one.camera.cooler.power_percent)),
        Member("ElectronsPerADU", get=reads(lambda one: one.camera.electrons_per_adu)),
        Member("ExposureMax", get=reads(lambda one: one.camera.settings.max_exposure_s)),
        Member("ExposureMin", get=reads(lambda one: one.camera.settings.min_exposure_s)),
        Member("ExposureResolution", get=_always(0.001)),
        Member("FastReadout", get=lacks(), put=lacks(flag("FastReadout"))),
        Member("FullWellCapacity", get=reads(lambda one: one.camera.settings.full_well_e)),
        Member("Gain", get=reads(lambda one: one.setup.gain), put=takes("setup", whole("Gain"), Camera.set_gain)),
        Member("GainMax", get=reads(lambda one: one.camera.settings.max_gain)),
        Member("GainMin", get=_always(0)),
        Member("Gains", get=lacks()),
        Member("HasShutter", get=_always(True)),
        Member("HeatSinkTemperature", get=reads(Camera.warmth_of_sink_c)),
        Member("ImageArray", get=_PICTURE),
        Member("ImageArrayVariant", get=_PICTURE),
        Member("ImageReady", get=reads(lambda one: one.camera.image_ready)),
        Member("IsPulseGuiding", get=lacks()),
        Member("LastExposureDuration", get=reads(lambda one: one.camera.last().exposure_s)),
        Member("LastExposureStartTime", get=reads(Camera.started_at)),
        Member("MaxADU", get=_always(65_535)),
        Member("MaxBinX", get=reads(lambda one: one.camera.settings.max_binning)),
        Member("MaxBinY", get=reads(lambda one: one.camera.settings.max_binning)),
        Member("NumX", get=reads(lambda one: one.setup.num_x), put=takes("setup", whole("NumX"), _set_num_x)),
        Member("NumY", get=reads(lambda one: one.setup.num_y), put=takes("setup", whole("NumY"), _set_num_y)),
        Member(
            "Offset", get=reads(lambda one: one.setup.offset), put=takes("setup", whole("Offset"), Camera.set_offset)
        ),
        Member("OffsetMax", get=reads(lambda one: one.camera.settings.max_offset)),
        Member("OffsetMin", get=_always(0)),
        Member("Offsets", get=lacks()),
        Member("PercentCompleted", get=reads(lambda one: one.camera.percent_completed)),
        Member("PixelSizeX", get=reads(lambda one: one.camera.settings.pixel_size_um)),
        Member("PixelSizeY", get=reads(lambda one: one.camera.settings.pixel_size_um)),
        Member("ReadoutMode", get=_always(0), put=takes("setup", whole("ReadoutMode"), _set_readout_mode)),
        Member("ReadoutModes", get=_always(["Normal"])),
        Member("SensorName", get=reads(lambda one: one.camera.settings.sensor_name)),
        Member("SensorType", get=_always(_MONOCHROME)),
        Member(
            "SetCCDTemperature",
            get=reads(lambda one: one.camera.cooler.set_point_c),
            put=takes("cool", real("SetCCDTemperature"), lambda one, warmth_c: one.camera.cooler.set_to(warmth_c)),
        ),
        Member("StartX", get=reads(lambda one: one.setup.start_x), put=takes("setup", whole("StartX"), _set_start_x)),
        Member("StartY", get=reads(lambda one: one.setup.start_y), put=takes("setup", whole("StartY"), _set_start_y)),
        Member("SubExposureDuration", get=lacks(), put=lacks(real("SubExposureDuration"))),
        Member("AbortExposure", put=does("abort", lambda one: one.camera.abort())),
        Member("PulseGuide", put=lacks(whole("Direction"), whole("Duration"))),
        Member("StartExposure", put=takes_two("expose", real("Duration"), flag("Light"), _start)),
        Member("StopExposure", put=lacks()),
    ),
)
