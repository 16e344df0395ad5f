"""Looks after the clock while the station runs: who keeps it is asked again, and a clock that is set is seen."""

from dataclasses import dataclass, field
from datetime import datetime

import anyio

from bridge.clock import Clock
from bridge.events import ClockStepped, Telemetry
from bridge.timekeeping import Timekeeping

# More than this between two looks is no drift and no slow correction: the clock was set (reliability.md row 32).
STEP_S = 0.1
_LOOK_EACH_S = 0.5
_SAME_MOMENT_S = 0.01
_READINGS = 5
_ASK_EACH_LOOKS = 30


class Stopwatch:
    """How far the time of day ran away from the loop's own, which nobody sets, since it was started."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = _both(clock)

    def stepped_s(self) -> float:
        """What the clock was set by meanwhile; a drift, a slow correction and the reading itself are in it."""
        at, loop_s = _both(self._clock)
        return (at - self._began[0]).total_seconds() - (loop_s - self._began[1])


def _both(clock: Clock) -> tuple[datetime, float]:
    """The time of day and the loop's in the same moment: read again where the processor was elsewhere in between."""
    for _ in range(_READINGS):
        before_s, at, after_s = anyio.current_time(), clock.now(), anyio.current_time()
        if after_s - before_s < _SAME_MOMENT_S:
            break
    return at, (before_s + after_s) / 2.0


@dataclass(slots=True, kw_only=True)
class ClockWatch:
    """Runs beside the station."""

    timekeeping: Timekeeping
    clock: Clock
    telemetry: Telemetry
    _looks: int = field(default=0, init=False)

    async def run(self) -> None:
        """Look twice a second, and ask each quarter of a minute, until cancelled."""
        async with anyio.create_task_group() as asking:
            while True:
                stopwatch = Stopwatch(self.clock)
                if self._looks % _ASK_EACH_LOOKS == 0:
                    asking.start_soon(self.timekeeping.look)
                self._looks += 1
                await anyio.sleep(_LOOK_EACH_S)
                by_s = stopwatch.stepped_s()
                if abs(by_s) > STEP_S:
                    self.timekeeping.saw_step(by_s)
                    self.telemetry.publish(ClockStepped(at=self.clock.now(), by_s=by_s))
