"""A dust cover, a light panel, or both behind INDI."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from drivers.accessories import CoverCalibratorCapabilities, CoverCalibratorStatus, CoverState, LightState
from drivers.config import IndiDevice
from drivers.errors import Malfunction, Refused
from drivers.indi.driver import look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.motion import Standstill
from drivers.waiting import stopped_by, until

COVER_WITHIN_S: Final = 120.0
LIGHT_WITHIN_S: Final = 60.0
STOP_WITHIN_S: Final = 15.0
ANSWERS_WITHIN_S: Final = 10.0
EVERY_S: Final = 0.1
LOOK_EVERY_S: Final = 0.25
SEEN_S: Final = 0.5
STUCK_S: Final = 5.0

_CAP: Final = "CAP_PARK"  # parked is closed
_ABORT: Final = "CAP_ABORT"
_LIGHT: Final = "FLAT_LIGHT_CONTROL"
_BRIGHTNESS: Final = ("FLAT_LIGHT_INTENSITY", "FLAT_LIGHT_INTENSITY_VALUE")


@asynccontextmanager
async def indi_cover_calibrator(
    settings: IndiDevice, *, now: Callable[[], datetime]
) -> AsyncGenerator["IndiCoverCalibrator", None]:
    """A connected cover and light panel.

    Raises:
        Refused: it has neither.
    """
    async with connected("cover", settings) as link:
        await look_often(link, every_s=LOOK_EVERY_S)
        if not (link.has(_CAP) or link.has(_LIGHT)):
            raise Refused(link.name, "connect", "it has neither a cover nor a light")
        has_light = link.has(_LIGHT, "FLAT_LIGHT_ON")
        steps = link.limits(*_BRIGHTNESS) if link.has(*_BRIGHTNESS) else None
        capabilities = CoverCalibratorCapabilities(
            has_cover=link.has(_CAP, "PARK"),
            has_light=has_light,
            max_brightness=int(has_light) if steps is None else round(steps.maximum),
        )
        yield IndiCoverCalibrator(link, capabilities, now=now)


class IndiCoverCalibrator:
    """A cover, a light panel, or both. Closing is only stopped when it is cancelled."""

    def __init__(self, link: Link, capabilities: CoverCalibratorCapabilities, *, now: Callable[[], datetime]) -> None:
        self._link = link
        self._now = now
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> CoverCalibratorStatus:
        lit = self.capabilities.has_light and self._link.switch(_LIGHT, "FLAT_LIGHT_ON")
        return CoverCalibratorStatus(
            cover=self._cover() if self.capabilities.has_cover else None,
            light=self._light() if self.capabilities.has_light else None,
            brightness=self._brightness() if lit else 0,
            read_at=self._now(),
        )

    async def open(self) -> None:
        async with stopped_by(self.abort, device=self.name):
            await self._move("UNPARK", CoverState.OPEN)

    async def close(self) -> None:
        async with stopped_by(self.abort, device=self.name, also_on_errors=False):
            await self._move("PARK", CoverState.CLOSED)

    async def light_on(self, brightness: int) -> None:
        doing = f"light at {brightness}"
        if not 1 <= brightness <= self.capabilities.max_brightness:
            raise Refused(self.name, doing, f"its light goes from 1 to {self.capabilities.max_brightness}")
        await self._switch_light("FLAT_LIGHT_ON")  # some drivers take no brightness while it is off
        if self._link.has(*_BRIGHTNESS):
            wanted = {_BRIGHTNESS[1]: float(brightness)}
            await self._link.set_numbers(_BRIGHTNESS[0], wanted, within_s=ANSWERS_WITHIN_S)
        await self._until_light(LightState.READY, doing)
        if self._brightness() != brightness:
            raise Malfunction(self.name, doing, f"said yes, and its brightness reads {self._brightness()}")

    async def light_off(self) -> None:
        if not self.capabilities.has_light:
            raise Refused(self.name, "light off", "it has no light")
        await self._switch_light("FLAT_LIGHT_OFF")
        await self._until_light(LightState.OFF, "light off")

    async def abort(self) -> None:
        """A cover that cannot be stopped is waited for."""
        if not self.capabilities.has_cover:
            return

        async def standing() -> bool:
            return self._cover() is not CoverState.MOVING

        if self._link.has(_ABORT) and not await standing():
            await self._link.choose(_ABORT, "ABORT", within_s=ANSWERS_WITHIN_S, finished=False)
        await until(standing, device=self.name, doing="abort", within_s=STOP_WITHIN_S, every_s=EVERY_S)

    async def _move(self, element: str, wanted: CoverState) -> None:
        doing = "open" if wanted is CoverState.OPEN else "close"
        if not self.capabilities.has_cover:
            raise Refused(self.name, doing, "it has no cover")
        standstill = Standstill[CoverState](lambda one, other: float(one is not other), agree=0.0)

        async def there() -> bool:
            cover = self._cover()
            stood_s = standstill.seconds(cover)
            if stood_s > STUCK_S and cover not in (wanted, CoverState.MOVING):
                raise Malfunction(self.name, doing, f"said yes, and its cover is in the state {cover}; look at it")
            return cover is wanted and stood_s >= SEEN_S

        if self._cover() is not wanted:
            await self._link.choose(_CAP, element, within_s=ANSWERS_WITHIN_S, finished=False)
        await until(there, device=self.name, doing=doing, within_s=COVER_WITHIN_S, every_s=EVERY_S)

    async def _switch_light(self, element: str) -> None:
        if not self._link.switch(_LIGHT, element):
            await self._link.choose(_LIGHT, element, within_s=ANSWERS_WITHIN_S, finished=False)

    async def _until_light(self, wanted: LightState, doing: str) -> None:
        async def so() -> bool:
            light = self._light()
            if light is LightState.ERROR:
                raise Malfunction(self.name, doing, "its light is in alert")
            return light is wanted

        await until(so, device=self.name, doing=doing, within_s=LIGHT_WITHIN_S, every_s=EVERY_S)

    def _cover(self) -> CoverState:
        state = self._link.state(_CAP)
        if state is PropertyState.BUSY:
            return CoverState.MOVING
        if state is PropertyState.ALERT:
            return CoverState.ERROR
        return {"PARK": CoverState.CLOSED, "UNPARK": CoverState.OPEN}.get(
            self._link.chosen(_CAP) or "", CoverState.UNKNOWN
        )

    def _light(self) -> LightState:
        """Lights tell no warming up: busy is settling, and on is ready."""
        states = [self._link.state(one) for one in (_LIGHT, _BRIGHTNESS[0]) if self._link.has(one)]
        if PropertyState.ALERT in states:
            return LightState.ERROR
        if PropertyState.BUSY in states:
            return LightState.SETTLING
        return LightState.READY if self._link.switch(_LIGHT, "FLAT_LIGHT_ON") else LightState.OFF

    def _brightness(self) -> int:
        return round(self._link.number(*_BRIGHTNESS)) if self._link.has(*_BRIGHTNESS) else 1
