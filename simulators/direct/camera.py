"""A simulated camera behind the Camera protocol, without a network."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import anyio

from drivers.errors import Refused
from drivers.values import CameraCapabilities, CameraState, CameraStatus, Exposure, Frame, FrameKind, TimeSource
from simulators.direct.line import Line
from simulators.faults import DeviceFaults
from simulators.physics.album import Album
from simulators.physics.camera import Camera, Setup, Shot

READOUT_WITHIN_S = 60.0


class DirectCamera(Line):
    """A camera; frames are of the full sensor.

    Pictures are made on the event loop, in no simulated time: a night on a jumping loop needs no threads.
    """

    def __init__(
        self, album: Album, index: int, camera: Camera, faults: DeviceFaults, now: Callable[[], datetime]
    ) -> None:
        super().__init__("simulated camera" + (f" {index + 1}" if index else ""), faults, now)
        self._album = album
        self._index = index
        self._camera = camera
        settings = camera.settings
        self.capabilities = CameraCapabilities(
            sensor_name=settings.sensor_name,
            width_px=settings.width_px,
            height_px=settings.height_px,
            pixel_size_um=settings.pixel_size_um,
            max_binning=settings.max_binning,
            min_exposure_s=settings.min_exposure_s,
            max_exposure_s=settings.max_exposure_s,
            can_abort=True,
            can_cool=True,
            electrons_per_adu=settings.electrons_per_adu,
            saturation_adu=65_535,
        )

    async def status(self) -> CameraStatus:
        state = await self._call("status", lambda: self._camera.state)
        cooler = self._camera.cooler
        return CameraStatus(
            state=state,
            sensor_temperature_c=cooler.temperature_c,
            cooler_on=cooler.on,
            cooler_power_percent=cooler.power_percent,
            read_at=self.now(),
        )

    async def expose(self, exposure: Exposure) -> Frame:
        asked = self._within_limits(exposure)
        doing = f"expose {asked.exposure_s:g} s"
        light = asked.kind in (FrameKind.LIGHT, FrameKind.FLAT)
        async with self._stopped_by(self.abort):
            await self._tell("setup", lambda: self._prepare(asked))
            shot = await self._call("expose", lambda: self._camera.start(asked.exposure_s, light=light))
            temperature_c = self._camera.cooler.temperature_c
            await anyio.sleep(asked.exposure_s)
            await self._until(self._ready, doing=doing, within_s=READOUT_WITHIN_S)
            return await self._call("picture", lambda: self._frame(asked, shot, temperature_c))

    async def cool_to(self, temperature_c: float) -> None:
        def cool() -> None:
            self._camera.cooler.set_to(temperature_c)
            self._camera.cooler.switch(on=True)

        await self._tell("cool", cool)

    async def warm_up(self) -> None:
        await self._tell("cool", lambda: self._camera.cooler.switch(on=False))

    async def abort(self) -> None:
        await self._tell("abort", self._camera.abort)

    def _within_limits(self, exposure: Exposure) -> Exposure:
        limits = self.capabilities
        if exposure.kind is FrameKind.BIAS:
            exposure = replace(exposure, exposure_s=limits.min_exposure_s)
        if not limits.min_exposure_s <= exposure.exposure_s <= limits.max_exposure_s:
            allowed = f"it can expose from {limits.min_exposure_s:g} s to {limits.max_exposure_s:g} s"
            raise Refused(self.name, f"expose {exposure.exposure_s:g} s", allowed)
        return exposure

    def _prepare(self, asked: Exposure) -> None:
        """Bin, and read the whole sensor."""
        self._camera.bin_by(asked.binning)
        before, settings = self._camera.setup, self._camera.settings
        self._camera.setup = Setup(
            binning_x=asked.binning,
            binning_y=asked.binning,
            start_x=0,
            start_y=0,
            num_x=settings.width_px // asked.binning,
            num_y=settings.height_px // asked.binning,
            gain=before.gain if asked.gain is None else asked.gain,
            offset=before.offset if asked.offset is None else asked.offset,
        )

    async def _ready(self) -> bool:
        return await self._call("status", lambda: self._camera.state is CameraState.IDLE and self._camera.image_ready)

    def _frame(self, asked: Exposure, shot: Shot, temperature_c: float) -> Frame:
        pixels = self._album.delivered(self._index, shot, self._camera.spoilt())
        if shot.light:
            self._album.truth_of(self._index, shot)
        return Frame(
            pixels=pixels[::-1],
            exposure=replace(asked, gain=shot.setup.gain, offset=shot.setup.offset),
            started_at=shot.said_at,
            time_source=TimeSource.DRIVER,
            sensor_temperature_c=temperature_c,
        )
