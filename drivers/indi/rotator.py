"""A rotator behind INDI."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from drivers.accessories import RotatorCapabilities, RotatorStatus
from drivers.config import IndiDevice
from drivers.errors import Malfunction, Refused, TimedOut
from drivers.indi.driver import look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.motion import Standstill, turn_deg
from drivers.waiting import stopped_by, until

TURN_WITHIN_S: Final = 300.0
STOP_WITHIN_S: Final = 15.0
ANSWERS_WITHIN_S: Final = 10.0
EVERY_S: Final = 0.1
LOOK_EVERY_S: Final = 0.25
AGREE_DEG: Final = 0.05
STUCK_S: Final = 3.0
TOLERANCE_DEG: Final = 1.0

_ANGLE: Final = ("ABS_ROTATOR_ANGLE", "ANGLE")
_SYNC: Final = ("SYNC_ROTATOR_ANGLE", "ANGLE")
_ABORT: Final = "ROTATOR_ABORT_MOTION"


@asynccontextmanager
async def indi_rotator(settings: IndiDevice, *, now: Callable[[], datetime]) -> AsyncGenerator["IndiRotator", None]:
    """A connected rotator."""
    async with connected("rotator", settings, needs=(_ANGLE[0],)) as link:
        seen_s = 2.5 * await look_often(link, every_s=LOOK_EVERY_S)
        yield IndiRotator(link, RotatorCapabilities(can_sync=link.has(*_SYNC)), now=now, seen_s=seen_s)


class IndiRotator:
    """A camera rotator."""

    def __init__(
        self, link: Link, capabilities: RotatorCapabilities, *, now: Callable[[], datetime], seen_s: float
    ) -> None:
        self._link = link
        self._now = now
        self._seen_s = seen_s
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> RotatorStatus:
        return RotatorStatus(position_angle_deg=self._angle_deg(), moving=self._moving(), read_at=self._now())

    async def move_to(self, position_angle_deg: float) -> None:
        """Turn; it has arrived when it is busy no more, was seen twice at one angle, and that is within a degree."""
        doing = f"turn to {position_angle_deg:.2f}°"
        goal_deg = self._checked(position_angle_deg, doing)
        standstill = Standstill(turn_deg, agree=AGREE_DEG)
        here_deg = goal_deg

        async def ended() -> bool:
            nonlocal here_deg
            if self._moving():
                return False
            here_deg = self._angle_deg()
            stood_s = standstill.seconds(here_deg)
            near = turn_deg(here_deg, goal_deg) <= TOLERANCE_DEG
            return stood_s >= (self._seen_s if near else max(STUCK_S, self._seen_s))

        async with stopped_by(self.abort, device=self.name):
            await self._link.set_numbers(_ANGLE[0], {_ANGLE[1]: goal_deg}, within_s=ANSWERS_WITHIN_S, finished=False)
            await until(ended, device=self.name, doing=doing, within_s=TURN_WITHIN_S, every_s=EVERY_S)
            off_deg = turn_deg(here_deg, goal_deg)
            if off_deg > TOLERANCE_DEG:
                stands = f"stands at {here_deg:.2f}°, {off_deg:.2f}° away; does a cable hold it?"
                raise Malfunction(self.name, doing, stands)

    async def sync(self, position_angle_deg: float) -> None:
        doing = f"sync on {position_angle_deg:.2f}°"
        goal_deg = self._checked(position_angle_deg, doing)
        if not self.capabilities.can_sync:
            raise Refused(self.name, doing, "this rotator cannot be synced")

        async def taken() -> bool:
            return turn_deg(self._angle_deg(), goal_deg) <= AGREE_DEG

        await self._link.set_numbers(_SYNC[0], {_SYNC[1]: goal_deg}, within_s=ANSWERS_WITHIN_S)
        try:
            await until(taken, device=self.name, doing=doing, within_s=STUCK_S, every_s=EVERY_S)
        except TimedOut as error:
            raise Malfunction(self.name, doing, f"said yes, and its angle reads {self._angle_deg():.2f}°") from error

    async def abort(self) -> None:
        standstill = Standstill(turn_deg, agree=AGREE_DEG)

        async def standing() -> bool:
            return not self._moving() and standstill.seconds(self._angle_deg()) >= self._seen_s

        if self._moving() and self._link.has(_ABORT):
            await self._link.choose(_ABORT, "ABORT", within_s=ANSWERS_WITHIN_S, finished=False)
        await until(standing, device=self.name, doing="abort", within_s=STOP_WITHIN_S, every_s=EVERY_S)

    def _checked(self, angle_deg: float, doing: str) -> float:
        if not math.isfinite(angle_deg):
            raise Refused(self.name, doing, "this angle is no number")
        return angle_deg % 360.0

    def _moving(self) -> bool:
        return self._link.state(_ANGLE[0]) is PropertyState.BUSY

    def _angle_deg(self) -> float:
        angle_deg = self._link.number(*_ANGLE)
        if not 0.0 <= angle_deg <= 360.0:
            raise Malfunction(self.name, "read its angle", f"says {angle_deg}°, which is not within 0° to 360°")
        return angle_deg % 360.0
