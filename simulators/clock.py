"""Simulated time, the same in every process that is given the same three numbers."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedClock:
    """It was `starts_at` at the real instant `anchored_unix_s`, and time runs `rate` times as fast as life since.

    A rate of 1 anchored at its own start is the computer's clock. `now` may lie before `starts_at`.
    """

    starts_at: datetime
    anchored_unix_s: float
    rate: float

    def now(self) -> datetime:
        """This simulated instant, aware, UTC."""
        return self.starts_at + timedelta(seconds=(time.time() - self.anchored_unix_s) * self.rate)

    def real_s(self, simulated_s: float) -> float:
        """How long `simulated_s` lasts in life."""
        return simulated_s / self.rate


@dataclass(slots=True)
class HandClock:
    """A time that stands until it is set: for tests, and for the emulator's virtual clock."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


def real_time() -> SimulatedClock:
    """The computer's own time."""
    now_s = time.time()
    return SimulatedClock(starts_at=datetime.fromtimestamp(now_s, UTC), anchored_unix_s=now_s, rate=1.0)
