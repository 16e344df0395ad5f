"""A clock that is set while the station runs is seen within a second, and its keepers are asked again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from bridge.clock import Clock, LoopClock
from bridge.clock_watch import ClockWatch, Stopwatch
from bridge.events import ClockStepped, Event, Telemetry
from bridge.timekeeping import RehearsalTimekeeping

DUSK = datetime(2026, 11, 23, 0, 45, tzinfo=UTC)


@dataclass
class SetClock:
    """A clock that somebody sets."""

    clock: Clock
    set_by_s: float = 0.0

    def now(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self.set_by_s)


@dataclass
class Keeping(RehearsalTimekeeping):
    """Notes what it is told."""

    clock: SetClock
    steps_s: list[float] = field(default_factory=list)
    looked_at: list[datetime] = field(default_factory=list)

    def saw_step(self, by_s: float) -> None:
        self.steps_s.append(by_s)

    async def look(self) -> None:
        self.looked_at.append(self.clock.now())
        await anyio.sleep(2.0)


class Heard(Telemetry):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def publish(self, event: Event) -> None:
        self.events.append(event)


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[SetClock, Keeping, Heard]]:
    clock, heard = SetClock(LoopClock(DUSK)), Heard()
    keeping = Keeping(clock)
    async with anyio.create_task_group() as beside:
        beside.start_soon(ClockWatch(timekeeping=keeping, clock=clock, telemetry=heard).run)
        yield clock, keeping, heard
        beside.cancel_scope.cancel()


@pytest.mark.parametrize("by_s", [0.15, -0.15, 1.0, -1.0, 37.0, -3600.0, 50 * 365 * 86400.0])
async def test_a_step_is_seen_within_a_second_and_said_once(by_s: float) -> None:
    async with watched() as (clock, keeping, heard):
        await anyio.sleep(100.2)
        clock.set_by_s = by_s
        await anyio.sleep(1.0)
        (stepped,) = heard.events
        assert isinstance(stepped, ClockStepped)
        assert stepped.by_s == pytest.approx(by_s, abs=0.001)
        await anyio.sleep(600.0)
        assert heard.events == [stepped]
        assert keeping.steps_s == [stepped.by_s]


async def test_a_clock_that_is_corrected_slowly_is_not_set() -> None:
    async with watched() as (clock, _, heard):
        for _ in range(600):
            clock.set_by_s += 0.0005  # 500 µs each second: as fast as the kernel slews
            await anyio.sleep(1.0)
        assert heard.events == []


async def test_whoever_keeps_the_clock_is_asked_each_quarter_of_a_minute() -> None:
    async with watched() as (_, keeping, _heard):
        await anyio.sleep(60.0)
        gaps_s = [(at - DUSK).total_seconds() for at in keeping.looked_at]
        assert gaps_s == pytest.approx([0.0, 15.0, 30.0, 45.0, 60.0][: len(gaps_s)], abs=0.1)
        assert len(gaps_s) >= 4


async def test_a_stopwatch_counts_what_the_clock_was_set_by() -> None:
    clock = SetClock(LoopClock(DUSK))
    stopwatch = Stopwatch(clock)
    await anyio.sleep(1000.0)
    assert stopwatch.stepped_s() == pytest.approx(0.0, abs=1e-4)
    clock.set_by_s = -0.4
    assert stopwatch.stepped_s() == pytest.approx(-0.4, abs=1e-4)


async def test_a_busy_processor_between_two_readings_is_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of day is read, and 0.4 s later the loop's: that is read once more."""
    clock, began_s = LoopClock(DUSK), anyio.current_time()
    late_s = iter([0.0, 0.4])
    stopwatch = Stopwatch(clock)
    monkeypatch.setattr(anyio, "current_time", lambda: began_s + next(late_s, 0.0))
    assert stopwatch.stepped_s() == pytest.approx(0.0, abs=0.001)
