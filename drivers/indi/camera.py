"""A camera behind INDI."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from drivers.config import IndiDevice
from drivers.errors import Malfunction, Refused
from drivers.indi.driver import driver_of, look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.indi.sensor import ANSWERS_WITHIN_S, BINNING, EXPOSURE, FRAME, PICTURE, SECONDS, Sensor, until_idle
from drivers.indi.stopping import StopLine, stop_line
from drivers.limits import within_limits
from drivers.stamps import opened_at
from drivers.values import CameraCapabilities, CameraStatus, Exposure, Frame
from drivers.waiting import stopped_by

LOOK_EVERY_S: Final = 0.25

SIZE: Final = "CCD_INFO"
_ABORT: Final = "CCD_ABORT_EXPOSURE"
_TEMPERATURE: Final = ("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE")
_COOLER: Final = "CCD_COOLER"
_POWER: Final = ("CCD_COOLER_POWER", "CCD_COOLER_VALUE")


@asynccontextmanager
async def indi_camera(settings: IndiDevice, *, now: Callable[[], datetime]) -> AsyncGenerator["IndiCamera", None]:
    """A connected camera, idle: an exposure somebody left behind is aborted. `now` stamps readings and frames.

    Raises:
        Malfunction: it does not say how many pixels it has.
    """
    async with connected("camera", settings, needs=(EXPOSURE, SIZE, FRAME, PICTURE)) as link:
        await look_often(link, every_s=LOOK_EVERY_S)
        capabilities = await _capabilities(link)
        sensor = Sensor(link, capabilities, now)
        async with stop_line(
            link, settings, needs=(EXPOSURE, _ABORT) if capabilities.can_abort else (EXPOSURE,)
        ) as line:
            device = IndiCamera(link, sensor, line, capabilities, now=now)
            await device.abort()
            await sensor.send_to_us()
            yield device


class IndiCamera:
    """A camera; frames are of the full sensor."""

    def __init__(
        self,
        link: Link,
        sensor: Sensor,
        line: StopLine,
        capabilities: CameraCapabilities,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._link = link
        self._sensor = sensor
        self._line = line
        self._now = now
        self._exposing = False  # told to, and neither has the picture come nor was it seen idle after an abort
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> CameraStatus:
        return CameraStatus(
            state=self._sensor.state(),
            sensor_temperature_c=self._optional(*_TEMPERATURE),
            cooler_on=self._link.has(_COOLER) and self._link.switch(_COOLER, "COOLER_ON"),
            cooler_power_percent=self._optional(*_POWER),
            read_at=self._now(),
        )

    async def expose(self, exposure: Exposure) -> Frame:
        """Take one frame. Its exposure time, gain and offset are what the camera says they were."""
        asked = within_limits(self.name, self.capabilities, exposure)
        doing = f"expose {asked.exposure_s:g} s"
        async with stopped_by(self.abort, device=self.name):
            await self._sensor.until_idle(doing)
            confirmed = await self._sensor.prepare(asked)
            temperature_c = self._optional(*_TEMPERATURE)
            self._exposing = True
            sent_at, came = await self._sensor.start(asked)
            picture = await self._sensor.picture(asked, came)
            self._exposing = False
            ready_at = self._now()
        exposure_s = picture.number("EXPTIME") or asked.exposure_s
        said = self._sensor.said_start(picture)
        began_at, source = opened_at(said, sent_at=sent_at, exposure_s=exposure_s, ready_at=ready_at)
        return Frame(
            pixels=picture.pixels,
            exposure=replace(confirmed, exposure_s=exposure_s),
            started_at=began_at,
            time_source=source,
            sensor_temperature_c=temperature_c,
        )

    async def cool_to(self, temperature_c: float) -> None:
        """The set point is confirmed by the driver's answer: INDI keeps no other record of it."""
        doing = f"cool to {temperature_c:g} °C"
        if not self.capabilities.can_cool:
            raise Refused(self.name, doing, "this camera has no regulated cooler")
        limits = self._link.limits(*_TEMPERATURE)
        if limits is not None and not limits.minimum <= temperature_c <= limits.maximum:
            raise Refused(self.name, doing, f"it cools to {limits.minimum:g} °C to {limits.maximum:g} °C")
        prop, element = _TEMPERATURE
        # what it reads is the temperature that is, so the answer is all that confirms it
        await self._link.set_numbers(prop, {element: temperature_c}, within_s=ANSWERS_WITHIN_S, finished=False)
        await self._switch_cooler(on=True)

    async def warm_up(self) -> None:
        if not self.capabilities.can_cool:
            raise Refused(self.name, "warm up", "this camera has no regulated cooler")
        await self._switch_cooler(on=False)

    async def abort(self) -> None:
        """Returns when the camera is idle; a camera that cannot abort is waited for.

        One that was told to expose is told to stop whatever it says: the command may still be on its way, and late
        words on the exposure before look like its answer.
        """
        if not _busy(self._line.link) and not self._exposing:
            return
        if self.capabilities.can_abort:
            await self._line.press(_ABORT)
        await until_idle(self._line.link, "abort")
        self._exposing = False
        await self._line.until_known(lambda: not _busy(self._link))

    async def _switch_cooler(self, *, on: bool) -> None:
        """The property stays busy while the cooler works."""
        await self._link.choose(_COOLER, "COOLER_ON" if on else "COOLER_OFF", within_s=ANSWERS_WITHIN_S, finished=False)
        if self._link.switch(_COOLER, "COOLER_ON") is not on:
            raise Malfunction(self.name, f"switch the cooler {'on' if on else 'off'}", "said yes, and it is not so")

    def _optional(self, prop: str, element: str) -> float | None:
        return self._link.number(prop, element) if self._link.has(prop, element) else None


def _busy(link: Link) -> bool:
    return link.state(EXPOSURE) is PropertyState.BUSY


async def _capabilities(link: Link) -> CameraCapabilities:
    await _until_sized(link)
    seconds = link.limits(EXPOSURE, SECONDS)
    binning = link.limits(BINNING, "HOR_BIN") if link.has(BINNING, "HOR_BIN") else None
    bits = round(link.number(SIZE, "CCD_BITSPERPIXEL"))
    return CameraCapabilities(
        sensor_name=driver_of(link).partition(";")[0],
        width_px=round(link.number(SIZE, "CCD_MAX_X")),
        height_px=round(link.number(SIZE, "CCD_MAX_Y")),
        pixel_size_um=link.number(SIZE, "CCD_PIXEL_SIZE"),
        max_binning=1 if binning is None else round(binning.maximum),
        min_exposure_s=0.0 if seconds is None else seconds.minimum,
        max_exposure_s=math.inf if seconds is None else seconds.maximum,
        can_abort=link.has(_ABORT),
        can_cool=link.has(_COOLER, "COOLER_ON") and link.has(*_TEMPERATURE) and link.vector(_TEMPERATURE[0]).writable,
        electrons_per_adu=None,
        saturation_adu=min(2**bits - 1, 65535) if bits > 0 else 65535,
    )


async def _until_sized(link: Link) -> None:
    """A driver defines the size of its sensor first, and says it when the camera was asked."""
    names = ("CCD_MAX_X", "CCD_MAX_Y", "CCD_PIXEL_SIZE", "CCD_BITSPERPIXEL")
    while not all(link.number(SIZE, name) > 0.0 for name in names):
        await link.changed(SIZE, within_s=ANSWERS_WITHIN_S)
