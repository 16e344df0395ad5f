"""ICamera V4: every member of a camera."""

from dataclasses import replace

from drivers.values import CameraState
from simulators.alpaca.camera import Camera
from simulators.alpaca.device import Kind
from simulators.alpaca.members import (
    Begun,
    Call,
    Json,
    Member,
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
from simulators.physics.refusals import Reason, refuse_unless

_STATES = {CameraState.IDLE: 0, CameraState.EXPOSING: 2, CameraState.READING: 3, CameraState.ERROR: 5}
_MONOCHROME, _RGGB = 0, 2
# Where the cell of red, green, green and blue begins, by the colours of the upper left pixels.
_BAYER_OFFSETS = {"RGGB": (0, 0), "GRBG": (1, 0), "GBRG": (0, 1), "BGGR": (1, 1)}


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


def _bayer_offset(camera: Camera, axis: int) -> int:
    pattern = camera.camera.settings.bayer
    refuse_unless(bool(pattern), Reason.NOT_IMPLEMENTED, "its sensor sees no colours")
    return _BAYER_OFFSETS[pattern][axis]


def _always(value: Json) -> Call[Camera]:
    return reads(lambda _: value)


_CAN = {
    "AbortExposure": True,
    "GetCoolerPower": True,
    "PulseGuide": True,
    "SetCCDTemperature": True,
    "StopExposure": True,
}
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
        "IsPulseGuiding",
        "PercentCompleted",
    ),
    members=table(
        *(Member[Camera](f"Can{what}", get=_always(can)) for what, can in _CAN.items()),
        Member("CanAsymmetricBin", get=reads(lambda one: one.camera.settings.asymmetric_binning)),
        Member("BayerOffsetX", get=reads(lambda one: _bayer_offset(one, 0))),
        Member("BayerOffsetY", get=reads(lambda one: _bayer_offset(one, 1))),
        Member(
            "BinX",
            get=reads(lambda one: one.setup.binning_x),
            put=takes("setup", whole("BinX"), lambda one, by: one.camera.bin_by(by, only="x")),
        ),
        Member(
            "BinY",
            get=reads(lambda one: one.setup.binning_y),
            put=takes("setup", whole("BinY"), lambda one, by: one.camera.bin_by(by, only="y")),
        ),
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
        Member("CanFastReadout", get=reads(lambda one: one.camera.settings.fast_flag)),
        Member(
            "FastReadout",
            get=reads(lambda one: one.options.is_fast()),
            put=takes("setup", flag("FastReadout"), lambda one, fast: one.options.set_fast(fast)),
        ),
        Member("FullWellCapacity", get=reads(lambda one: one.camera.settings.full_well_e)),
        Member(
            "Gain",
            get=reads(lambda one: one.options.gains.told(one.setup.gain)),
            put=takes("setup", whole("Gain"), lambda one, gain: one.options.set_gain(gain)),
        ),
        Member("GainMax", get=reads(lambda one: one.options.gains.limit(one.options.gains.highest))),
        Member("GainMin", get=reads(lambda one: one.options.gains.limit(0))),
        Member("Gains", get=reads(lambda one: one.options.gains.listed())),
        Member("HasShutter", get=_always(True)),
        Member("HeatSinkTemperature", get=reads(Camera.warmth_of_sink_c)),
        Member("ImageArray", get=_PICTURE),
        Member("ImageArrayBase64", get=_PICTURE),
        Member("ImageArrayVariant", get=_PICTURE),
        Member("ImageReady", get=reads(lambda one: one.camera.image_ready)),
        Member("IsPulseGuiding", get=reads(Camera.is_guiding)),
        Member("LastExposureDuration", get=reads(lambda one: one.camera.taken().exposure_s)),
        Member("LastExposureStartTime", get=reads(Camera.started_at)),
        Member("MaxADU", get=_always(65_535)),
        Member("MaxBinX", get=reads(lambda one: one.camera.settings.max_binning)),
        Member("MaxBinY", get=reads(lambda one: one.camera.settings.max_binning)),
        Member("NumX", get=reads(lambda one: one.setup.num_x), put=takes("setup", whole("NumX"), _set_num_x)),
        Member("NumY", get=reads(lambda one: one.setup.num_y), put=takes("setup", whole("NumY"), _set_num_y)),
        Member(
            "Offset",
            get=reads(lambda one: one.options.offsets.told(one.setup.offset)),
            put=takes("setup", whole("Offset"), lambda one, offset: one.options.set_offset(offset)),
        ),
        Member("OffsetMax", get=reads(lambda one: one.options.offsets.limit(one.options.offsets.highest))),
        Member("OffsetMin", get=reads(lambda one: one.options.offsets.limit(0))),
        Member("Offsets", get=reads(lambda one: one.options.offsets.listed())),
        Member("PercentCompleted", get=reads(lambda one: one.camera.percent_completed)),
        Member("PixelSizeX", get=reads(lambda one: one.camera.settings.pixel_size_um)),
        Member("PixelSizeY", get=reads(lambda one: one.camera.settings.pixel_size_um)),
        Member(
            "ReadoutMode",
            get=reads(lambda one: one.options.readout_mode()),
            put=takes("setup", whole("ReadoutMode"), lambda one, mode: one.options.set_readout_mode(mode)),
        ),
        Member("ReadoutModes", get=reads(lambda one: one.options.readout_modes())),
        Member("SensorName", get=reads(lambda one: one.camera.settings.sensor_name)),
        Member("SensorType", get=reads(lambda one: _RGGB if one.camera.settings.bayer else _MONOCHROME)),
        Member(
            "SetCCDTemperature",
            get=reads(lambda one: one.camera.cooler.set_point_c),
            put=takes("cool", real("SetCCDTemperature"), lambda one, warmth_c: one.camera.cooler.set_to(warmth_c)),
        ),
        Member("StartX", get=reads(lambda one: one.setup.start_x), put=takes("setup", whole("StartX"), _set_start_x)),
        Member("StartY", get=reads(lambda one: one.setup.start_y), put=takes("setup", whole("StartY"), _set_start_y)),
        Member("SubExposureDuration", get=lacks(), put=lacks(real("SubExposureDuration"))),
        Member("AbortExposure", put=does("abort", lambda one: one.camera.abort())),
        Member(
            "PulseGuide",
            put=takes_two(
                "guide",
                whole("Direction"),
                whole("Duration"),
                lambda one, direction, duration_ms: one.guide(direction, duration_ms),
            ),
        ),
        Member("StartExposure", put=takes_two("expose", real("Duration"), flag("Light"), _start)),
        Member("StopExposure", put=does("stop", lambda one: one.camera.stop())),
    ),
)
