"""Laws of the safety watch: whatever its sources say, hide or break, in any order."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import anyio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.clock import LoopClock
from bridge.config import SafetySettings
from bridge.events import Telemetry
from bridge.observing.safety import Watch, over_limits
from bridge.timekeeping import RehearsalTimekeeping
from drivers.errors import ConnectionLost, TimedOut
from drivers.values import Quantity

DUSK = datetime(2026, 11, 23, 0, 45, tzinfo=UTC)
STALE_S = 30.0
POLL_S = 5.0
HOLD_S = 120.0


class Mood(StrEnum):
    """How a source behaves for a while."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    NAN = "nan"
    LOST = "lost"
    LATE = "late"  # an error, after a while
    SLOW = "slow"  # safe, after a while
    HANGS = "hangs"  # no answer at all


@dataclass
class Fickle:
    """A source of changing moods, which keeps a record of its own: when it answered, and whether that was a clear yes.

    The record is what the watch is held against, and not the watch's own memory.
    """

    clock: LoopClock
    moods: Sequence[tuple[Mood, float]]
    record: list[tuple[datetime, bool]] = field(default_factory=list)

    async def __call__(self) -> tuple[str, ...]:
        mood = self._mood()
        await anyio.sleep({Mood.LATE: 12.0, Mood.SLOW: 12.0, Mood.HANGS: math.inf}.get(mood, 0.0))
        self.record.append((self.clock.now(), mood in (Mood.SAFE, Mood.SLOW)))
        if mood is Mood.LOST:
            raise ConnectionLost("it", "answer", "no connection")
        if mood is Mood.LATE:
            raise TimedOut("it", "answer", "not done within 12 s")
        wind_m_s = {Mood.NAN: math.nan, Mood.UNSAFE: 20.0}.get(mood, 3.0)
        return over_limits({Quantity.WIND_SPEED_M_S: wind_m_s}, {Quantity.WIND_SPEED_M_S: 12.0})

    def _mood(self) -> Mood:
        into_s = (self.clock.now() - self.began).total_seconds()
        for mood, lasts_s in self.moods:
            into_s -= lasts_s
            if into_s < 0.0:
                return mood
        return Mood.SAFE

    def __post_init__(self) -> None:
        self.began = self.clock.now()

    def is_fresh_and_safe(self, now: datetime) -> bool:
        return bool(self.record) and self.record[-1][1] and (now - self.record[-1][0]).total_seconds() <= STALE_S

    def was_always_safe(self, begins: datetime, now: datetime) -> bool:
        """All answers since then were a yes, and none of them was older than allowed when the next one came."""
        before = [answer for answer in self.record if answer[0] <= begins]
        since = [*before[-1:], *(answer for answer in self.record if answer[0] > begins), (now, True)]
        gaps_s = [(b[0] - a[0]).total_seconds() for a, b in pairwise(since)]
        return bool(before) and all(yes for _, yes in since) and all(gap_s <= STALE_S for gap_s in gaps_s)


MOODS = st.lists(
    st.tuples(st.sampled_from(Mood), st.floats(1.0, 150.0)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(moods=st.lists(MOODS, min_size=1, max_size=3))
@example([[(Mood.SAFE, 100.0), (Mood.HANGS, 29.0)], [(Mood.SLOW, 400.0)]])
@example([[(Mood.SAFE, 1.0), (Mood.UNSAFE, 1.0)] * 6])
async def test_it_is_never_safe_unless_every_source_was_heard_lately_and_said_so(
    moods: list[list[tuple[Mood, float]]],
) -> None:
    clock = LoopClock(DUSK)
    fickle = [Fickle(clock, one) for one in moods]
    watch = Watch(
        sources={f"source {number}": one for number, one in enumerate(fickle)},
        settings=SafetySettings(stale_s=STALE_S, poll_s=POLL_S),
        timekeeping=RehearsalTimekeeping(),
        clock=clock,
        telemetry=Telemetry(),
    )
    openings = _Openings(watch, fickle, clock)
    ends = clock.now() + timedelta(seconds=max(sum(lasts for _, lasts in one) for one in moods) + 2.0 * HOLD_S)
    async with anyio.create_task_group() as beside:
        beside.start_soon(watch.run)
        beside.start_soon(openings.after_each_hold)
        while clock.now() < ends:
            assert not watch.verdict().safe or all(one.is_fresh_and_safe(clock.now()) for one in fickle)
            await anyio.sleep(1.7)
        beside.cancel_scope.cancel()
    assert watch.verdict().safe, "all have been safe for minutes: a watch that never says so is of no use"
    assert openings.count


@dataclass
class _Openings:
    """Opens after each hold, and looks then at what the sources themselves remember of it."""

    watch: Watch
    fickle: Sequence[Fickle]
    clock: LoopClock
    count: int = 0

    async def after_each_hold(self) -> None:
        while True:
            await self.watch.until_safe(for_s=HOLD_S)
            now = self.clock.now()
            assert all(one.was_always_safe(now - timedelta(seconds=HOLD_S), now) for one in self.fickle)
            self.count += 1
            await anyio.sleep(17.0)
