"""How far the clock may be off: the kernel's word, the operator's, the platform's; and what nobody knows is unknown."""

import ctypes
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bridge import timekeeping
from bridge.timekeeping import ClockBound, HostTimekeeping, RehearsalTimekeeping, kernel_clock_error_s
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
    keeping = HostTimekeeping(clock.now, stated_error_s=0.5)
    keeping.saw_server_date(EVENING, took_s=0.1)
    assert keeping.bound() == ClockBound(error_s=0.004, source="kernel")


def test_then_the_operator_then_the_platform(clock: HandClock, kernel_says: Callable[[float | None], None]) -> None:
    kernel_says(None)
    keeping = HostTimekeeping(clock.now, stated_error_s=0.5)
    keeping.saw_server_date(EVENING, took_s=0.1)
    assert keeping.bound() == ClockBound(error_s=0.5, source="stated")
    alone = HostTimekeeping(clock.now, stated_error_s=None)
    alone.saw_server_date(EVENING, took_s=0.1)
    assert alone.bound() == ClockBound(error_s=pytest.approx(1.1), source="API date")


def test_nobody_knows_is_no_number(clock: HandClock, kernel_says: Callable[[float | None], None]) -> None:
    kernel_says(None)
    bound = HostTimekeeping(clock.now, stated_error_s=None).bound()
    assert bound.error_s is None
    assert "nothing disciplines this clock" in bound.source


@pytest.mark.parametrize(("off_s", "took_s"), [(0.0, 0.0), (7.0, 0.2), (-7.0, 0.2), (3600.0, 2.0)])
def test_the_platforms_clock_bounds_ours_by_the_difference_and_all_that_is_uncertain(
    clock: HandClock, kernel_says: Callable[[float | None], None], off_s: float, took_s: float
) -> None:
    """A Date header has whole seconds, and was written at some time while the answer was on its way."""
    kernel_says(None)
    keeping = HostTimekeeping(clock.now, stated_error_s=None)
    keeping.saw_server_date(EVENING + timedelta(seconds=off_s), took_s=took_s)
    assert keeping.bound().error_s == pytest.approx(abs(off_s) + 1.0 + took_s)


def test_the_newest_evidence_counts_also_where_it_is_worse(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    kernel_says(None)
    keeping = HostTimekeeping(clock.now, stated_error_s=None)
    keeping.saw_server_date(EVENING, took_s=0.1)
    clock.advance(60.0)
    keeping.saw_server_date(EVENING + timedelta(seconds=30.0), took_s=0.1)
    assert keeping.bound().error_s == pytest.approx(31.1)


def test_evidence_grows_old(clock: HandClock, kernel_says: Callable[[float | None], None]) -> None:
    kernel_says(None)
    keeping = HostTimekeeping(clock.now, stated_error_s=None)
    keeping.saw_server_date(EVENING, took_s=0.1)
    clock.advance(29 * 60.0)
    assert keeping.bound().error_s is not None
    clock.advance(60.0)
    assert keeping.bound().error_s is None


def test_a_clock_that_was_set_back_makes_the_evidence_worthless(
    clock: HandClock, kernel_says: Callable[[float | None], None]
) -> None:
    kernel_says(None)
    keeping = HostTimekeeping(clock.now, stated_error_s=None)
    keeping.saw_server_date(EVENING, took_s=0.1)
    clock.advance(-3600.0)
    assert keeping.bound().error_s is None


def test_bent_time_is_right_by_definition() -> None:
    keeping = RehearsalTimekeeping()
    keeping.saw_server_date(EVENING, took_s=0.1)
    assert keeping.bound() == ClockBound(error_s=0.0, source="rehearsal")
