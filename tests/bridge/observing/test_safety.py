"""Is it safe to be open? The worst of all that is heard; and what is not heard is unsafe."""

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from bridge.clock import LoopClock
from bridge.config import SafetySettings
from bridge.events import SafetyChanged, Telemetry
from bridge.observing.safety import Source, Verdict, Watch
from bridge.timekeeping import ClockBound
from drivers.errors import Malfunction

DUSK = datetime(2026, 11, 23, 0, 45, tzinfo=UTC)
SETTINGS = SafetySettings()  # asked every 5 s, stale after 30 s


@dataclass
class Told:
    """A clock of whose error somebody tells."""

    error_s: float | None = 0.0

    def bound(self) -> ClockBound:
        return ClockBound(error_s=self.error_s, source="a test")

    def saw_date(self, date: datetime, *, took_s: float, source: str = "API date") -> None:
        """It has its own word."""

    def saw_step(self, by_s: float) -> None:
        """It is not moved by that."""

    async def look(self) -> None:
        """There is nobody to ask."""


@dataclass
class Word:
    """A source that says what it is told to; asked, it may first hang. `asked_at` is every question."""

    clock: LoopClock
    reasons: tuple[str, ...] = ()
    error: Exception | None = None
    hangs_s: float = 0.0
    asked_at: list[datetime] = field(default_factory=list)

    async def __call__(self) -> tuple[str, ...]:
        self.asked_at.append(self.clock.now())
        await anyio.sleep(self.hangs_s)
        if self.error is not None:
            raise self.error
        return self.reasons


@dataclass
class Scene:
    """Two sources, a clock, and a watch over them."""

    clock: LoopClock
    monitor: Word
    weather: Word
    told: Told
    watch: Watch
    heard: list[SafetyChanged]

    async def after(self, seconds: float) -> Verdict:
        await anyio.sleep(seconds)
        return self.watch.verdict()


class _Listening(Telemetry):
    def __init__(self, heard: list[SafetyChanged]) -> None:
        super().__init__()
        self._heard = heard

    def publish(self, event: object) -> None:
        assert isinstance(event, SafetyChanged)
        self._heard.append(event)


@asynccontextmanager
async def watched(settings: SafetySettings = SETTINGS) -> AsyncIterator[Scene]:
    """A watch that runs while the block lasts; nothing has been asked yet when it begins."""
    clock, heard = LoopClock(DUSK), list[SafetyChanged]()
    monitor, weather, told = Word(clock), Word(clock), Told()
    sources: Mapping[str, Source] = {"safety monitor": monitor, "weather station": weather}
    watch = Watch(sources=sources, settings=settings, timekeeping=told, clock=clock, telemetry=_Listening(heard))
    async with anyio.create_task_group() as beside:
        beside.start_soon(watch.run)
        yield Scene(clock, monitor, weather, told, watch, heard)
        beside.cancel_scope.cancel()


async def test_before_anything_was_heard_it_is_unsafe_and_each_silent_source_is_named() -> None:
    async with watched() as scene:
        verdict = scene.watch.verdict()
        assert not verdict.safe
        assert verdict.reasons == ("safety monitor was not heard yet", "weather station was not heard yet")


async def test_when_all_say_so_it_is_safe() -> None:
    async with watched() as scene:
        assert (await scene.after(0.5)).safe


async def test_the_worst_word_counts() -> None:
    async with watched() as scene:
        scene.weather.reasons = ("wind is 13, more than 12",)
        assert (await scene.after(6.0)).reasons == ("wind is 13, more than 12",)
        scene.monitor.reasons = ("monitor says unsafe",)
        assert (await scene.after(5.0)).reasons == ("monitor says unsafe", "wind is 13, more than 12")
        scene.weather.reasons = ()
        assert (await scene.after(5.0)).reasons == ("monitor says unsafe",)


async def test_a_source_in_error_is_unsafe_in_its_own_words() -> None:
    async with watched() as scene:
        scene.monitor.error = Malfunction("AAG", "read", "no sensor")
        assert (await scene.after(6.0)).reasons == ("AAG: read: no sensor",)
        scene.monitor.error = None
        assert (await scene.after(5.0)).safe


async def test_a_source_that_hangs_is_stale_before_it_is_given_up_and_unsafe_after() -> None:
    async with watched() as scene:
        assert (await scene.after(4.0)).safe
        scene.monitor.hangs_s = math.inf
        asked = DUSK + timedelta(seconds=5.0)
        assert (await scene.after(25.9)).safe, "29.9 s after the last word"
        assert "was last heard 30 s ago" in (await scene.after(0.5)).reasons[0]
        verdict = await scene.after(5.0)
        assert scene.clock.now() - asked > timedelta(seconds=30.0)
        assert verdict.reasons == ("safety monitor did not answer within 30 s",)


async def test_one_that_hangs_does_not_keep_the_other_from_being_heard_as_unsafe() -> None:
    async with watched() as scene:
        assert (await scene.after(0.5)).safe
        scene.monitor.hangs_s = math.inf
        scene.weather.reasons = ("rain",)
        with anyio.fail_after(10.0):
            assert (await scene.watch.until_unsafe()).reasons == ("rain",)


async def test_a_word_from_the_future_is_as_stale_as_one_of_long_ago() -> None:
    """The clock was set back: nobody knows how old the last word is."""
    async with watched() as scene:
        await scene.after(0.5)
        scene.clock._starts_at -= timedelta(hours=1)
        assert not scene.watch.verdict().safe
        assert (await scene.after(5.0)).safe


@pytest.mark.parametrize(
    ("error_s", "said"),
    [
        (None, "nobody knows how far the clock is off: a test; run chrony"),
        (2.5, "the clock may be 2.500 s off by a test, more than 2.0 s"),
        (math.nan, "the clock may be nan s off"),
        (math.inf, "the clock may be inf s off"),
    ],
)
async def test_without_the_time_it_is_unsafe(error_s: float | None, said: str) -> None:
    async with watched() as scene:
        assert (await scene.after(0.5)).safe
        scene.told.error_s = error_s
        assert said in scene.watch.verdict().reasons[0]
        scene.told.error_s = 2.0
        assert scene.watch.verdict().safe


async def test_each_change_is_said_once_with_its_reasons_and_new_numbers_are_no_change() -> None:
    async with watched() as scene:
        await scene.after(60.0)
        scene.weather.reasons = ("wind is 12.5, more than 12",)
        await scene.after(60.0)
        scene.weather.reasons = ("wind is 13.1, more than 12",)
        await scene.after(60.0)
        scene.monitor.reasons = ("monitor says unsafe",)
        await scene.after(60.0)
        scene.monitor.reasons = ()
        await scene.after(60.0)
        scene.weather.reasons = ()
        await scene.after(60.0)
    assert [(one.safe, one.why) for one in scene.heard] == [
        (True, ""),
        (False, "wind is 12.5, more than 12"),
        (False, "monitor says unsafe; wind is 13.1, more than 12"),
        (False, "wind is 13.1, more than 12"),
        (True, ""),
    ]


async def test_a_source_that_stays_silent_is_said_once() -> None:
    async with watched() as scene:
        await scene.after(4.0)
        scene.monitor.hangs_s = math.inf
        await scene.after(600.0)
    assert [one.safe for one in scene.heard] == [True, False]


async def test_whoever_waits_for_danger_wakes_within_a_poll() -> None:
    async with watched() as scene:
        await scene.after(0.5)
        with anyio.move_on_after(3600.0) as waiting:
            await scene.watch.until_unsafe()
        assert waiting.cancelled_caught, "nothing happened for an hour"
        scene.monitor.reasons = ("unsafe",)
        turned = scene.clock.now()
        await scene.watch.until_unsafe()
        assert scene.clock.now() - turned <= timedelta(seconds=SETTINGS.poll_s + 0.1)


async def test_silence_too_wakes_whoever_waits_for_danger() -> None:
    async with watched() as scene:
        await scene.after(4.0)
        scene.monitor.hangs_s = scene.weather.hangs_s = math.inf
        began = scene.clock.now()
        await scene.watch.until_unsafe()
        assert timedelta(seconds=25.0) < scene.clock.now() - began <= timedelta(seconds=35.0)


async def test_it_is_safe_again_only_after_the_whole_hold() -> None:
    async with watched() as scene:
        scene.monitor.reasons = ("unsafe",)
        await scene.after(20.0)
        scene.monitor.reasons = ()
        cleared = scene.clock.now()
        await scene.watch.until_safe(for_s=600.0)
        assert timedelta(seconds=600.0) <= scene.clock.now() - cleared <= timedelta(seconds=615.0)


async def test_one_unsafe_moment_begins_the_hold_anew() -> None:
    async with watched() as scene:
        await scene.after(590.0)
        scene.weather.reasons = ("one gust",)
        await scene.after(5.0)
        scene.weather.reasons = ()
        gust = scene.clock.now()
        await scene.watch.until_safe(for_s=600.0)
        assert scene.clock.now() - gust >= timedelta(seconds=590.0)


async def test_a_monitor_that_flaps_for_hours_never_opens_the_dome() -> None:
    async with watched(SafetySettings(poll_s=1.0)) as scene:

        async def flap() -> None:
            while True:
                scene.monitor.reasons = () if scene.monitor.reasons else ("unsafe",)
                await anyio.sleep(1.0)

        async with anyio.create_task_group() as flapping:
            flapping.start_soon(flap)
            with anyio.move_on_after(2 * 3600.0) as waiting:
                await scene.watch.until_safe(for_s=600.0)
            flapping.cancel_scope.cancel()
    assert waiting.cancelled_caught
    assert len(scene.heard) > 7_000
