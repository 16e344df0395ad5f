"""A camera behind Alpaca (ICamera)."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import anyio

from drivers.alpaca.connecting import connected, stop_line
from drivers.alpaca.link import Link, Role, optional
from drivers.alpaca.sensor import STATES, Sensor, state_of
from drivers.config import AlpacaDevice
from drivers.errors import Malfunction, Refused
from drivers.limits import within_limits
from drivers.stamps import opened_at
from drivers.values import CameraCapabilities, CameraState, CameraStatus, Exposure, Frame
from drivers.waiting import stopped_by, until

READOUT_WITHIN_S = 60.0  # from the end of the exposure until the picture is ready
ABORT_WITHIN_S = 30.0
# Each look that comes late is dead time between two frames.
FIRST_LOOKS_S, LAST_LOOKS_S = 0.005, 0.1


@asynccontextmanager
async def alpaca_camera(settings: AlpacaDevice, *, now: Callable[[], datetime]) -> AsyncGenerator["AlpacaCamera", None]:
    """A connected camera, idle: an exposure somebody left behind is aborted. `now` stamps readings and frames."""
    async with connected(Role.CAMERA, settings) as link, stop_line(link) as stop:
        device = AlpacaCamera(link, stop, await _capabilities(link), now=now)
        await device.abort()
        yield device


class AlpacaCamera:
    """A camera; frames are of the full sensor."""

    def __init__(
        self, link: Link, stop: Link, capabilities: CameraCapabilities, *, now: Callable[[], datetime]
    ) -> None:
        """`stop` is the line of the abort alone."""
        self._link = link
        self._stop = stop
        self._now = now
        self._sensor = Sensor(link, capabilities, now)
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> CameraStatus:
        state = await self._link.whole("CameraState")
        return CameraStatus(
            state=STATES[state],
            sensor_temperature_c=await optional(self._link.number("CCDTemperature")),
            cooler_on=await optional(self._link.flag("CoolerOn")) or False,
            cooler_power_percent=await optional(self._link.number("CoolerPower")),
            read_at=self._now(),
        )

    async def expose(self, exposure: Exposure) -> Frame:
        """Take one frame. Its exposure time, gain and offset are what the camera says they were."""
        asked = within_limits(self.name, self.capabilities, exposure)
        doing = f"expose {asked.exposure_s:g} s"
        async with stopped_by(self.abort, device=self.name):
            confirmed = await self._sensor.prepare(asked)
            started_at, began_s = await self._sensor.start(asked)
            temperature_c = await optional(self._link.number("CCDTemperature"))
            await anyio.sleep_until(began_s + asked.exposure_s)
            await until(
                self._sensor.image_ready,
                device=self.name,
                doing=doing,
                within_s=READOUT_WITHIN_S,
                every_s=FIRST_LOOKS_S,
                at_most_every_s=LAST_LOOKS_S,
            )
            ready_at = self._now()
            pixels = await self._sensor.download(asked.binning)
            exposure_s = await self._sensor.confirmed_exposure_s(asked.exposure_s, doing)
            said = await self._sensor.said_start()
        began_at, source = opened_at(said, sent_at=started_at, exposure_s=exposure_s, ready_at=ready_at)
        return Frame(
            pixels=pixels,
            exposure=replace(confirmed, exposure_s=exposure_s),
            started_at=began_at,
            time_source=source,
            sensor_temperature_c=temperature_c,
        )

    async def cool_to(self, temperature_c: float) -> None:
        if not self.capabilities.can_cool:
            raise Refused(self.name, f"cool to {temperature_c:g} °C", "this camera has no regulated cooler")
        doing = f"cool to {temperature_c:g} °C"
        await self._link.write("SetCCDTemperature", temperature_c)
        set_point_c = await self._link.number("SetCCDTemperature")
        if abs(set_point_c - temperature_c) > 1.0:
            raise Malfunction(self.name, doing, f"said yes, and its set point reads {set_point_c:g} °C")
        await self._link.write("CoolerOn", True)
        await self._require_cooler(True)

    async def warm_up(self) -> None:
        if not self.capabilities.can_cool:
            raise Refused(self.name, "warm up", "this camera has no regulated cooler")
        await self._link.write("CoolerOn", False)
        await self._require_cooler(False)

    async def abort(self) -> None:
        """Returns when the camera is idle; a camera that cannot abort is waited for."""
        self._sensor.forget()

        async def idle() -> bool:
            return await state_of(self._stop) is CameraState.IDLE

        if await idle():
            return
        if self.capabilities.can_abort:
            try:
                await self._stop.invoke("AbortExposure")
            except Refused:
                if not await idle():  # else it ended by itself meanwhile
                    raise
        await until(idle, device=self.name, doing="abort", within_s=ABORT_WITHIN_S, every_s=LAST_LOOKS_S)

    async def _require_cooler(self, on: bool) -> None:
        if await self._link.flag("CoolerOn") is not on:
            raise Malfunction(self.name, f"switch the cooler {'on' if on else 'off'}", "said yes, and it is not so")


async def _capabilities(link: Link) -> CameraCapabilities:
    min_exposure_s = await optional(link.number("ExposureMin"))
    max_exposure_s = await optional(link.number("ExposureMax"))
    electrons_per_adu = await optional(link.number("ElectronsPerADU"))
    max_adu = await optional(link.whole("MaxADU"))
    return CameraCapabilities(
        sensor_name=await optional(link.text("SensorName")) or await link.text("Name"),
        width_px=await link.whole("CameraXSize"),
        height_px=await link.whole("CameraYSize"),
        pixel_size_um=await link.number("PixelSizeX"),
        max_binning=min(await link.whole("MaxBinX"), await link.whole("MaxBinY")),
        min_exposure_s=min_exposure_s or 0.0,
        max_exposure_s=math.inf if max_exposure_s is None else max_exposure_s,
        can_abort=await link.flag("CanAbortExposure"),
        can_cool=await link.flag("CanSetCCDTemperature"),
        electrons_per_adu=electrons_per_adu if electrons_per_adu else None,  # some drivers say 0 for unknown
        saturation_adu=65535 if max_adu is None else min(max_adu, 65535),
    )
