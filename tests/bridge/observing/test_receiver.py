"""A GPS receiver beside the station: what it is worth as a clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import LoopClock
from bridge.events import StationNote
from bridge.observing.receiver import Receiver
from bridge.timekeeping import ClockBound, ClockGrade, HostTimekeeping
from drivers.accessories import TimeAndPlace
from drivers.errors import Malfunction
from tests.bridge.observing.stations import DUSK, Listening


@dataclass
class FakeReceiver:
    """It tells whole seconds of a fix that is `old_s` old, by a clock that is right; ours is `ours_ahead_s` ahead."""

    clock: LoopClock
    old_s: float = 0.3
    ours_ahead_s: float = 0.0
    has_fix: bool = True
    has_clock: bool = True
    name: str = "GPS"

    async def read(self) -> TimeAndPlace:
        if not self.has_fix:
            raise Malfunction(self.name, "read time and place", "it has no fix")
        ours = self.clock.now()
        fixed_at = ours - timedelta(seconds=self.ours_ahead_s + self.old_s)
        return TimeAndPlace(
            utc=fixed_at.replace(microsecond=0) if self.has_clock else None,
            read_at=ours,
            latitude_deg=38.84,
            longitude_deg=-104.97,
            elevation_m=None,
        )


@dataclass
class Beside:
    """A receiver read by a station whose clock nobody disciplines."""

    starts_at: datetime = DUSK
    told: Listening = field(default_factory=Listening)

    def __post_init__(self) -> None:
        self.clock = LoopClock(self.starts_at)
        self.device = FakeReceiver(self.clock)
        self.keeping = HostTimekeeping(self.clock.now, steady_s=anyio.current_time, stated_error_s=None, chrony=None)
        self.receiver = Receiver(connect=self._connect, timekeeping=self.keeping, clock=self.clock, telemetry=self.told)

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[FakeReceiver]:
        yield self.device


@pytest.fixture(autouse=True)
def undisciplined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.timekeeping.kernel_clock_error_s", lambda: None)


@given(second=st.floats(0.0, 0.999), old_s=st.floats(0.0, 0.99), ahead_s=st.floats(-5.0, 5.0))
def test_the_bound_holds_and_is_never_said_to_be_better_than_a_second(
    second: float, old_s: float, ahead_s: float
) -> None:
    """Whatever the clock is truly off by, and whenever within its second the receiver was read."""

    async def read() -> ClockBound:
        beside = Beside(starts_at=DUSK + timedelta(seconds=second))
        beside.device.old_s, beside.device.ours_ahead_s = old_s, ahead_s
        assert await beside.receiver.read()
        return beside.keeping.bound()

    bound = anyio.run(read)
    assert bound.source == "GPS receiver"
    assert bound.error_s is not None
    assert abs(ahead_s) <= bound.error_s + 1e-5
    assert 1.0 <= bound.error_s <= abs(ahead_s) + 2.0 + 1e-5
    assert bound.grade is ClockGrade.BAD


async def test_without_a_fix_it_says_nothing_of_the_clock_and_that_is_said_once() -> None:
    beside = Beside()
    beside.device.has_fix = False
    for _ in range(3):
        assert not await beside.receiver.read()
    assert beside.keeping.bound().error_s is None
    (note,) = [event for event in beside.told.events if isinstance(event, StationNote)]
    assert "no fix" in note.what


async def test_one_that_keeps_no_clock_is_none() -> None:
    beside = Beside()
    beside.device.has_clock = False
    assert await beside.receiver.read()
    assert beside.keeping.bound().error_s is None


async def test_it_is_read_again_and_again_sooner_while_it_is_silent() -> None:
    beside = Beside()
    beside.device.has_fix = False
    with anyio.move_on_after(90.0):
        await beside.receiver.run()
    beside.device.has_fix = True
    with anyio.move_on_after(45.0):
        await beside.receiver.run()
    assert beside.keeping.bound().source == "GPS receiver"
