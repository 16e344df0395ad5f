"""How far the clock may be off, and who says so. Unknown is not good."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

# adjtimex(2): the return value and status bit of a clock that nobody disciplines (linux/timex.h)
_TIME_ERROR = 5
_STA_UNSYNC = 0x40

# The Date header of HTTP has whole seconds; evidence from it is no better than this, and not used when older.
_DATE_HEADER_STEP_S = 1.0
_DATE_HEADER_LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBound:
    """The clock is within `error_s` of UTC, says `source`. None: nobody knows."""

    error_s: float | None
    source: str


class Timekeeping(Protocol):
    """Says how good the clock is."""

    def bound(self) -> ClockBound: ...

    def saw_server_date(self, server_date: datetime, *, took_s: float) -> None:
        """Note the Date header of an answer that came `took_s` after its question: coarse evidence."""


class HostTimekeeping:
    """This computer's clock: bounded by the kernel, else by what the operator states, else by the API's own clock."""

    def __init__(self, now: Callable[[], datetime], *, stated_error_s: float | None) -> None:
        self._now = now
        self._stated_error_s = stated_error_s
        self._seen: tuple[datetime, float] | None = None

    def saw_server_date(self, server_date: datetime, *, took_s: float) -> None:
        """Keep the newest only."""
        at = self._now()
        self._seen = at, abs((at - server_date).total_seconds()) + _DATE_HEADER_STEP_S + took_s

    def bound(self) -> ClockBound:
        kernel_s = kernel_clock_error_s()
        if kernel_s is not None:
            return ClockBound(error_s=kernel_s, source="kernel")
        if self._stated_error_s is not None:
            return ClockBound(error_s=self._stated_error_s, source="stated")
        # Evidence from the future: this clock was set back since, and nothing is known of it.
        if self._seen is not None and timedelta(0) <= self._now() - self._seen[0] < _DATE_HEADER_LASTS:
            return ClockBound(error_s=self._seen[1], source="API date")
        return ClockBound(error_s=None, source="the kernel says that nothing disciplines this clock")


class RehearsalTimekeeping:
    """Bent time is right by definition."""

    def bound(self) -> ClockBound:
        return ClockBound(error_s=0.0, source="rehearsal")

    def saw_server_date(self, server_date: datetime, *, took_s: float) -> None:
        """A server's clock says nothing about bent time."""


def kernel_clock_error_s() -> float | None:
    """The kernel's own bound on the clock's error (adjtimex maxerror); None where the clock is not disciplined."""
    timex = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state in (-1, _TIME_ERROR) or timex.status & _STA_UNSYNC:
        return None
    return float(timex.maxerror) / 1e6


class _Timex(ctypes.Structure):
    """struct timex of linux/timex.h as far as it is read here, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )
