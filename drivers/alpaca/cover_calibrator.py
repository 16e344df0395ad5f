"""A cover, a light panel, or both behind Alpaca (ICoverCalibrator)."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from drivers.accessories import CoverCalibratorCapabilities, CoverCalibratorStatus, CoverState, LightState
from drivers.alpaca.connecting import connected
from drivers.alpaca.link import Link, Role, optional
from drivers.config import AlpacaDevice
from drivers.errors import Malfunction, Refused
from drivers.motion import Standstill
from drivers.waiting import stopped_by, until

COVER_WITHIN_S = 120.0
LIGHT_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
EVERY_S = 0.25
STUCK_S = 5.0

ABSENT = 0
_COVER_STATES = {  # CoverStatus
    1: CoverState.CLOSED,
    2: CoverState.MOVING,
    3: CoverState.OPEN,
    4: CoverState.UNKNOWN,
    5: CoverState.ERROR,
}
_LIGHT_STATES = {  # CalibratorStatus
    1: LightState.OFF,
    2: LightState.SETTLING,
    3: LightState.READY,
    4: LightState.UNKNOWN,
    5: LightState.ERROR,
}


@asynccontextmanager
async def alpaca_cover_calibrator(
    settings: AlpacaDevice, *, now: Callable[[], datetime]
) -> AsyncGenerator["AlpacaCoverCalibrator", None]:
    """A connected cover and light panel."""
    async with connected(Role.COVER, settings) as link:
        has_light = await link.whole("CalibratorState") != ABSENT
        capabilities = CoverCalibratorCapabilities(
            has_cover=await link.whole("CoverState") != ABSENT,
            has_light=has_light,
            max_brightness=await link.whole("MaxBrightness") if has_light else 0,
        )
        yield AlpacaCoverCalibrator(link, capabilities, now=now)


class AlpacaCoverCalibrator:
    """A cover, a light panel, or both. Closing is only stopped when it is cancelled."""

    def __init__(self, link: Link, capabilities: CoverCalibratorCapabilities, *, now: Callable[[], datetime]) -> None:
        self._link = link
        self._now = now
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> CoverCalibratorStatus:
        has_light = self.capabilities.has_light
        return CoverCalibratorStatus(
            cover=await self._cover() if self.capabilities.has_cover else None,
            light=await self._light() if has_light else None,
            brightness=await self._link.whole("Brightness") if has_light else 0,
            read_at=self._now(),
        )

    async def open(self) -> None:
        async with stopped_by(self.abort, device=self.name):
            await self._move("OpenCover", CoverState.OPEN)

    async def close(self) -> None:
        async with stopped_by(self.abort, device=self.name, also_on_errors=False):
            await self._move("CloseCover", CoverState.CLOSED)

    async def light_on(self, brightness: int) -> None:
        doing = f"light at {brightness}"
        if not 1 <= brightness <= self.capabilities.max_brightness:
            raise Refused(self.name, doing, f"its light goes from 1 to {self.capabilities.max_brightness}")
        await self._link.invoke("CalibratorOn", brightness)
        await self._until_light(LightState.READY, doing)
        confirmed = await self._link.whole("Brightness")
        if confirmed != brightness:
            raise Malfunction(self.name, doing, f"said yes, and its brightness reads {confirmed}")

    async def light_off(self) -> None:
        if not self.capabilities.has_light:
            raise Refused(self.name, "light off", "it has no light")
        await self._link.invoke("CalibratorOff")
        await self._until_light(LightState.OFF, "light off")

    async def abort(self) -> None:
        if not self.capabilities.has_cover:
            return
        await optional(self._link.invoke("HaltCover"))  # one that cannot be halted is waited for

        async def standing() -> bool:
            return await self._cover() is not CoverState.MOVING

        await until(standing, device=self.name, doing="abort", within_s=STOP_WITHIN_S, every_s=EVERY_S)

    async def _move(self, method: str, wanted: CoverState) -> None:
        doing = "open" if wanted is CoverState.OPEN else "close"
        if not self.capabilities.has_cover:
            raise Refused(self.name, doing, "it has no cover")
        standstill = Standstill[CoverState](lambda one, other: float(one is not other), agree=0.0)

        async def there() -> bool:
            cover = await self._cover()
            stood_s = standstill.seconds(cover)
            if stood_s > STUCK_S and cover not in (wanted, CoverState.MOVING):
                raise Malfunction(self.name, doing, f"said yes, and its cover is in the state {cover}; look at it")
            return cover is wanted and stood_s > 0.0

        if await self._cover() is not wanted:
            await self._link.invoke(method)
        await until(there, device=self.name, doing=doing, within_s=COVER_WITHIN_S, every_s=EVERY_S)

    async def _until_light(self, wanted: LightState, doing: str) -> None:
        async def so() -> bool:
            light = await self._light()
            if light is LightState.ERROR:
                raise Malfunction(self.name, doing, "its light is in error")
            return light is wanted

        await until(so, device=self.name, doing=doing, within_s=LIGHT_WITHIN_S, every_s=EVERY_S)

    async def _cover(self) -> CoverState:
        return _COVER_STATES.get(await self._link.whole("CoverState"), CoverState.UNKNOWN)

    async def _light(self) -> LightState:
        return _LIGHT_STATES.get(await self._link.whole("CalibratorState"), LightState.UNKNOWN)
