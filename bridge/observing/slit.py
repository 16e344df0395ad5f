"""Keeps the dome's slit before a telescope that follows a target: turned ahead of it, before it would leave."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from bridge.clock import Clock
from bridge.observing.pointing import turn_deg
from schedules.courses import Course
from schedules.instants import unix_s_of

# The slit is looked after so often; it begins to turn so long before the target would leave it; and is never turned
# further ahead than this. Seconds of the night.
_LOOK_EVERY_S = 0.5
_LEAD_S = 3.0
_AHEAD_S = 120.0
_STEP_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Slit:
    """A slit that is wide enough for what is within `tolerance_deg` of its azimuth; `turn` has it somewhere else."""

    tolerance_deg: float
    turn: Callable[[float], Awaitable[None]]
    clock: Clock

    async def keep_before(self, course: Course, stands_deg: float | None) -> None:
        """Until cancelled; `stands_deg` is its azimuth now.

        Raises:
            MotionRefused, DeviceError: as the gate and the dome say.
        """
        while True:
            now_s = unix_s_of(self.clock.now())
            leaves = self._azimuth_deg(course, now_s + _LEAD_S)
            if stands_deg is None or turn_deg(stands_deg, leaves) > self.tolerance_deg:
                stands_deg = self.ahead_deg(course, now_s)
                await self.turn(stands_deg)
            await anyio.sleep(_LOOK_EVERY_S)

    def ahead_deg(self, course: Course, now_s: float) -> float:
        """The furthest azimuth on the course that leaves the telescope within the tolerance when it gets there."""
        begins_s = now_s + _LEAD_S
        stands_deg = ahead_deg = self._azimuth_deg(course, begins_s)
        for step in range(1, int(_AHEAD_S / _STEP_S)):
            next_deg = self._azimuth_deg(course, begins_s + step * _STEP_S)
            if turn_deg(stands_deg, next_deg) > self.tolerance_deg:
                break
            ahead_deg = next_deg
        return ahead_deg

    def _azimuth_deg(self, course: Course, at_s: float) -> float:
        return course.at(min(at_s, course.closes_s)).azimuth_deg % 360.0
