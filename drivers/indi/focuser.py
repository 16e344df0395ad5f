"""A focuser behind INDI."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from drivers.config import IndiDevice
from drivers.errors import Malfunction, Refused
from drivers.indi.driver import look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.motion import Standstill
from drivers.values import FocuserCapabilities, FocuserStatus
from drivers.waiting import stopped_by, until

MOVE_WITHIN_S: Final = 300.0
STOP_WITHIN_S: Final = 15.0
ANSWERS_WITHIN_S: Final = 10.0
EVERY_S: Final = 0.1
LOOK_EVERY_S: Final = 0.25
STUCK_S: Final = 3.0
TOLERANCE_STEPS: Final = 2

_PLACE: Final = ("ABS_FOCUS_POSITION", "FOCUS_ABSOLUTE_POSITION")
_ABORT: Final = "FOCUS_ABORT_MOTION"
_TEMPERATURE: Final = ("FOCUS_TEMPERATURE", "TEMPERATURE")


@asynccontextmanager
async def indi_focuser(settings: IndiDevice, *, now: Callable[[], datetime]) -> AsyncGenerator["IndiFocuser", None]:
    """A connected focuser.

    Raises:
        Refused: one that only moves by steps relative to where it is, or does not know how far.
    """
    async with connected("focuser", settings, needs=(_PLACE[0],)) as link:
        seen_s = 2.5 * await look_often(link, every_s=LOOK_EVERY_S)
        travel = link.limits(*_PLACE)
        if travel is None:
            raise Refused(link.name, "connect", "it does not say how far it can move")
        capabilities = FocuserCapabilities(max_position_steps=round(travel.maximum), step_size_um=None)
        yield IndiFocuser(link, capabilities, now=now, seen_s=seen_s)


class IndiFocuser:
    """An absolute focuser. One that cannot be stopped is waited for when a move is cancelled."""

    def __init__(
        self, link: Link, capabilities: FocuserCapabilities, *, now: Callable[[], datetime], seen_s: float
    ) -> None:
        self._link = link
        self._now = now
        self._seen_s = seen_s
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> FocuserStatus:
        return FocuserStatus(
            position_steps=round(self._link.number(*_PLACE)),
            moving=self._moving(),
            temperature_c=self._link.number(*_TEMPERATURE) if self._link.has(*_TEMPERATURE) else None,
            read_at=self._now(),
        )

    async def move_to(self, position_steps: int) -> None:
        """It has arrived when it is busy no more and within two steps of its goal."""
        doing = f"move to {position_steps}"
        last = self.capabilities.max_position_steps
        if not 0 <= position_steps <= last:
            raise Refused(self.name, doing, f"its travel is 0 to {last} steps")
        standstill = Standstill[float](lambda one, other: abs(one - other), agree=0.0)
        position = self._link.number(*_PLACE)

        async def ended() -> bool:
            nonlocal position
            if self._moving():
                return False
            position = self._link.number(*_PLACE)
            stood_s = standstill.seconds(position)
            near = abs(position - position_steps) <= TOLERANCE_STEPS
            return stood_s >= (0.0 if near else max(STUCK_S, self._seen_s))

        if position == position_steps and not self._moving():
            return
        async with stopped_by(self.abort, device=self.name):
            goal = {_PLACE[1]: float(position_steps)}
            # some drivers answer nothing until they are there
            await self._link.set_numbers(_PLACE[0], goal, within_s=MOVE_WITHIN_S, finished=False)
            await until(ended, device=self.name, doing=doing, within_s=MOVE_WITHIN_S, every_s=EVERY_S)
            if abs(position - position_steps) > TOLERANCE_STEPS:
                raise Malfunction(self.name, doing, f"stopped at {position:g}; is it blocked?")

    async def abort(self) -> None:
        standstill = Standstill[float](lambda one, other: abs(one - other), agree=0.0)

        async def standing() -> bool:
            return not self._moving() and standstill.seconds(self._link.number(*_PLACE)) >= self._seen_s

        if self._moving() and self._link.has(_ABORT):
            await self._link.choose(_ABORT, "ABORT", within_s=ANSWERS_WITHIN_S, finished=False)
        await until(standing, device=self.name, doing="abort", within_s=STOP_WITHIN_S, every_s=EVERY_S)

    def _moving(self) -> bool:
        return self._link.state(_PLACE[0]) is PropertyState.BUSY
