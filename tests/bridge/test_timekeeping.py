"""How far the clock may be off: the kernel's word, the operator's, the platform's; and what nobody knows is unknown."""

import ctypes
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from bridge import timekeeping
from bridge.api.client import open_api
from bridge.chrony import ChronySilent, Tracking
from bridge.timekeeping import ClockBound, ClockGrade, HostTimekeeping, RehearsalTimekeeping, kernel_clock_error_s
from simulators.clock import HandClock

EVENING = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)

# struct timex as linux/timex.h writes it down: modes, offset, freq, maxerror, esterror, status, constant, precision,
# tolerance, time (2), tick, ppsfreq, jitter, shift, stabil, jitcnt, calcnt, errcnt, stbcnt, tai, eleven ints of room
_TIMEX = "@IllllillllllllilllllI44x"


@pytest.fixture
def clock() -> HandClock:
    return HandClock(EVENING)


@pytest.fixture
def kernel_says(monkeypatch: pytest.MonkeyPatch) -> Callable[[float | None], None]:
    """What the kernel of this computer knows is not the same everywhere."""

    def say(error_s: float | None) -> None:
        monkeypatch.setattr(timekeeping, "kernel_clock_error_s", lambda: error_s)

    return say


def keeping_of(
    clock: HandClock, *, stated_error_s: float | None = None, chrony: "Chrony | None" = None
) -> HostTimekeeping:
    """Of a computer whose steady seconds are those of the clock: nobody sets it."""
    return HostTimekeeping(
        clock.now,
        steady_s=lambda: clock.now().timestamp(),
        stated_error_s=stated_error_s,
        chrony=chrony,
    )


def test_the_kernels_structure_is_read_where_its_fields_are() -> None:
    packed = struct.pack(_TIMEX, 1, 22, 333, 4444, 55_555, 0x2040, *range(101, 116))
    timex = timekeeping._Timex.from_buffer_copy(packed.ljust(ctypes.sizeof(timekeeping._Timex), b"\0"))
    assert (timex.modes, timex.offset, timex.freq) == (1, 22, 333)
    assert (timex.maxerror, timex.esterror, timex.status) == (4444, 55_555, 0x2040)


def test_there_is_room_for_all_the_kernel_writes() -> None:
    assert ctypes.sizeof(timekeeping._Timex) >= struct.calcsize(_TIMEX) == 208


def test_the_bound_is_the_one_the_kernel_gives_to_anybody_who_asks() -> None:
    room = ctypes.create_string_buffer(1024)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(room)
    fields = struct.unpack_from(_TIMEX, room.raw)
    maxerror_s, unsynchronised = fields[3] / 1e6, bool(fields[5] & 0x40)
    bound_s = kernel_clock_error_s()
    if state in (-1, 5) or unsynchronised:
        assert bound_s is None
    else:
        assert bound_s == pytest.approx(maxerror_s, abs=0.05)  # it grows by half a millisecond a second


@pytest.mark.parametrize(
    ("state", "status", "known"),
    [(0, 0x2001, True), (3, 0x2001, True), (5, 0x2001, False), (0, 0x2041, False), (-1, 0x2001, False)],
)
def test_a_clock_that_nobody_disciplines_has_no_bound(
    monkeypatch: pytest.MonkeyPatch, state: int, status: int, known: bool
) -> None:
    """A leap second under way (3) is no fault; the state of error, its flag, and a call that fails are."""

    class Library:
        def __init__(self, name: None, *, use_errno: bool) -> None:
            """The C library of a kernel that says what the test wants."""

        def adjtimex(self, timex: object) -> int:
            filled = timex._obj  # type: ignore[attr-defined]
            filled.maxerror, filled.status = 1_500, status
            return state

    monkeypatch.setattr(ctypes, "CDLL", Library)
    assert kernel_clock_error_s() == (0.0015 if known else None)


def test_the_kernel_is_asked_first(clock: HandClock, kernel_says: Callable[[float | None], None]) -> None:
    kernel_says(0.004)
    keeping = keeping_of(clock, stated_error_s=0.5)
    keeping.saw_date(EVENING, took_s=0.1)
    assert keeping.bound() == ClockBound(error_s=0.004, source="kernel")


def test_then_the_operator_then_the_platform(clock: HandClock, kernel_says: Callable[[float | None], None]) -> None:
    kernel_says(None)
    keeping = keeping_of(clock, stated_error_s=0.5)
    keeping.saw_date(EVENING, took_s=0.1)
    assert keeping.bound() == ClockBound(error_s=0.5, source="stated")
    alone = keeping_of(clock, stated_error_s=None)
    alone.saw_date(EVENING, took_s=0.1)
    assert alone.bound() == ClockBound(error_s=pytest.approx(1.1), source="API date")


def test_nobody_knows_is_no_number(clock: HandClock, kernel_says: Callable[[float | None], None]) -> None:
    kernel_says(None)
    bound = keeping_of(clock, stated_error_s=None).bound()
    assert bound.error_s is None
    assert "nothing disciplines this clock" in bound.source


@pytest.mark.parametrize(("off_s", "took_s"), [(0.0, 0.0), (7.0, 0.2), (-7.0, 0.2), (3600.0, 2.0)])
def test_the_platforms_clock_bounds_ours_by_the_difference_and_all_that_is_uncertain(
    clock: HandClock, kernel_says: Callable[[float | None], None], off_s: float, took_s: float
) -> None:
    """A Date header has whole seconds, and was written at some time while the answer was on its way."""
    kernel_says(None)
    keeping = keeping_of(clock, stated_error_s=None)
    keeping.saw_date(EVENING + timedelta(seconds=off_s), took_s=took_s)
    assert keeping.bound().error_s == pytest.approx(abs(off_s) + 1.0 + took_s)


def test_the_newest_evidence_counts_also_where_it_is_worse(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    kernel_says(None)
    keeping = keeping_of(clock, stated_error_s=None)
    keeping.saw_date(EVENING, took_s=0.1)
    clock.advance(60.0)
    keeping.saw_date(EVENING + timedelta(seconds=30.0), took_s=0.1)
    assert keeping.bound().error_s == pytest.approx(31.1)


def test_evidence_grows_old(clock: HandClock, kernel_says: Callable[[float | None], None]) -> None:
    kernel_says(None)
    keeping = keeping_of(clock, stated_error_s=None)
    keeping.saw_date(EVENING, took_s=0.1)
    clock.advance(29 * 60.0)
    assert keeping.bound().error_s is not None
    clock.advance(60.0)
    assert keeping.bound().error_s is None


def test_a_clock_that_was_set_back_makes_the_evidence_worthless(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    kernel_says(None)
    keeping = keeping_of(clock, stated_error_s=None)
    keeping.saw_date(EVENING, took_s=0.1)
    clock.advance(-3600.0)
    assert keeping.bound().error_s is None


def test_bent_time_is_right_by_definition() -> None:
    keeping = RehearsalTimekeeping()
    keeping.saw_date(EVENING, took_s=0.1)
    assert keeping.bound() == ClockBound(error_s=0.0, source="rehearsal")


@pytest.mark.parametrize(
    ("error_s", "grade"),
    [(0.0, "good"), (0.010, "good"), (0.0101, "coarse"), (0.5, "coarse"), (0.51, "bad"), (3.0, "bad")],
)
def test_a_clock_is_graded_by_its_bound(error_s: float, grade: str) -> None:
    assert ClockBound(error_s=error_s, source="a test").grade == grade


@pytest.mark.parametrize("error_s", [None, float("nan"), float("inf")])
def test_an_unknown_clock_is_a_bad_one(error_s: float | None) -> None:
    assert ClockBound(error_s=error_s, source="a test").grade is ClockGrade.BAD


def test_what_was_known_last_is_built_upon_for_half_an_hour_and_grows(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    """A clock runs away by 50 µs a second when nobody disciplines it."""
    kernel_says(0.004)
    keeping = keeping_of(clock)
    assert keeping.bound().grade is ClockGrade.GOOD
    kernel_says(None)
    clock.advance(100.0)
    assert keeping.bound() == ClockBound(error_s=pytest.approx(0.009), source="held over from kernel")
    clock.advance(1600.0)
    assert keeping.bound().error_s == pytest.approx(0.004 + 50e-6 * 1700.0)
    assert keeping.bound().grade is ClockGrade.COARSE
    clock.advance(101.0)
    assert keeping.bound().error_s is None
    kernel_says(0.001)
    assert keeping.bound() == ClockBound(error_s=0.001, source="kernel")


def test_after_half_an_hour_the_operators_word_counts_again(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    kernel_says(0.004)
    keeping = keeping_of(clock, stated_error_s=0.3)
    keeping.bound()
    kernel_says(None)
    clock.advance(1000.0)
    assert keeping.bound().source == "held over from kernel"
    clock.advance(1000.0)
    assert keeping.bound() == ClockBound(error_s=0.3, source="stated")


def test_a_clock_that_was_set_is_off_by_that_until_somebody_knows_better(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    kernel_says(0.004)
    keeping = keeping_of(clock)
    keeping.saw_date(EVENING, took_s=0.1)
    keeping.bound()
    kernel_says(None)
    keeping.saw_step(-3.0)
    assert keeping.bound().error_s == pytest.approx(3.004)
    clock.advance(1900.0)
    assert keeping.bound().error_s is None, "what the platform said was said to another clock"


@dataclass
class Chrony:
    """What chrony answers; None: nothing."""

    answer: Tracking | None

    async def __call__(self) -> Tracking:
        if self.answer is None:
            raise ChronySilent("506 Cannot talk to daemon")
        return self.answer


async def test_chronys_word_counts_before_the_kernels_for_a_minute(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    kernel_says(0.250)
    chrony = Chrony(Tracking(-0.0004, 0.0069))
    keeping = keeping_of(clock, chrony=chrony)
    assert keeping.bound().source == "kernel", "it was not asked yet"
    await keeping.look()
    assert keeping.bound() == ClockBound(error_s=pytest.approx(0.0069), source="chrony", correction_s=-0.0004)
    clock.advance(20.0)
    assert keeping.bound().error_s == pytest.approx(0.0079)
    chrony.answer = None
    clock.advance(41.0)
    await keeping.look()
    assert keeping.bound() == ClockBound(error_s=0.250, source="kernel")


async def test_where_chrony_follows_nothing_the_kernel_is_not_believed_either(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    kernel_says(0.0)
    keeping = keeping_of(clock, chrony=Chrony(Tracking(math.nan, math.nan)))
    await keeping.look()
    assert keeping.bound().error_s is None


@pytest.mark.parametrize("off_s", [3600.0, -3600.0])
async def test_a_platform_whose_clock_is_an_hour_off_is_evidence_and_no_more(
    platform: Any, kernel_says: Callable[[float | None], None], off_s: float
) -> None:
    platform.turn(faults=[{"kind": "date", "says": off_s}])
    clock = platform.clock
    keeping = HostTimekeeping(clock.now, steady_s=anyio.current_time, stated_error_s=None, chrony=None)
    asking = open_api(
        platform.settings,
        clock=clock,
        telemetry=platform.telemetry,
        transport=platform.wire,
        saw_date=keeping.saw_date,
    )
    async with asking as api:
        await api.station.telescope()
    kernel_says(None)  # and nobody else knows: no satellite is taken by such a clock
    assert (keeping.bound().source, keeping.bound().grade) == ("API date", ClockGrade.BAD)
    assert keeping.bound().error_s == pytest.approx(3601.0, abs=1.0)
    kernel_says(0.004)  # our own bound decides
    assert keeping.bound() == ClockBound(error_s=0.004, source="kernel")
