"""The time of day. Only this file reads it; everything else is given a Clock. Waiting is plain anyio, on loop time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

import anyio


class Clock(Protocol):
    """Tells the time of day."""

    def now(self) -> datetime:
        """This instant, aware, UTC."""


class SystemClock:
    """The computer's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class LoopClock:
    """A time of day that runs with the event loop: it was `starts_at` when the loop's time was `loop_time_s`."""

    def __init__(self, starts_at: datetime, loop_time_s: float | None = None) -> None:
        """Without `loop_time_s` the clock starts now, inside a running loop."""
        self._starts_at = starts_at
        self._loop_time_s = asyncio.get_running_loop().time() if loop_time_s is None else loop_time_s

    def now(self) -> datetime:
        return self._starts_at + timedelta(seconds=asyncio.get_running_loop().time() - self._loop_time_s)


async def sleep_until(clock: Clock, instant: datetime) -> None:
    """Return when `clock` has reached `instant`; at once if it is past."""
    while (left_s := (instant - clock.now()).total_seconds()) > 0.0:
        await anyio.sleep(min(left_s, 60.0))


def steady_s() -> float:
    """Real seconds since some instant, counted by a clock that nobody sets."""
    return time.monotonic()


def unix_now_s() -> float:
    """Real seconds since 1970, for agreeing on one bent time among processes (rehearsal)."""
    return time.time()
