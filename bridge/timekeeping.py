"""How far the clock may be off, and who says so. Unknown is not good."""

import ctypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bridge.chrony import ChronySilent, Tracking

# adjtimex(2): the return value and status bit of a clock that nobody disciplines (linux/timex.h)
_TIME_ERROR = 5
_STA_UNSYNC = 0x40

# The Date header of HTTP has whole seconds; evidence from it is no better than this, and not used when older.
_DATE_STEP_S = 1.0
_DATE_LASTS = timedelta(minutes=30)

# A low satellite moves 30″ in the first, half a degree in the second.
_GOOD_S = 0.010
_OF_USE_S = 0.5

# What a computer's clock may run away by when nobody disciplines it, and how long its last bound is built upon.
_DRIFT = 50e-6
_HOLD_OVER_S = 1800.0
_CHRONY_LASTS_S = 60.0


class ClockGrade(StrEnum):
    """What a clock is good for."""

    GOOD = "good"
    COARSE = "coarse"  # satellites are taken, and their frames say so
    BAD = "bad"  # no instant of it is worth a satellite's frame


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBound:
    """The clock is within `error_s` of UTC, says `source`. None: nobody knows.

    `correction_s` is what is to be added to it, where somebody knows that; it is in `error_s`, and no instant has it.
    """

    error_s: float | None
    source: str
    correction_s: float | None = None

    @property
    def grade(self) -> ClockGrade:
        if self.error_s is None or not self.error_s <= _OF_USE_S:
            return ClockGrade.BAD
        return ClockGrade.GOOD if self.error_s <= _GOOD_S else ClockGrade.COARSE

    @property
    def words(self) -> str:
        """As people read it."""
        return self.source if self.error_s is None else f"within {self.error_s:.3f} s ({self.source})"


class Timekeeping(Protocol):
    """Says how good the clock is."""

    def bound(self) -> ClockBound: ...

    def saw_date(self, date: datetime, *, took_s: float, source: str = "API date") -> None:
        """Note what another clock said, to the second, in an answer that came `took_s` after its question: coarse
        evidence, as a server's Date header is.
        """

    def saw_step(self, by_s: float) -> None:
        """Note that the clock was set by so much."""

    async def look(self) -> None:
        """Ask whoever is not asked in an instant."""


class HostTimekeeping:
    """This computer's clock: bounded by chrony or the kernel; for half an hour by what they said last; else by what the
    operator states; else by the API's own clock, or a GPS receiver's.

    What chrony says of itself holds for the kernel's word too, which is its own: where it follows nothing, neither is
    believed.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        steady_s: Callable[[], float],
        stated_error_s: float | None,
        chrony: Callable[[], Awaitable[Tracking]] | None,
    ) -> None:
        """`steady_s` counts seconds and is never set; `chrony` is asked where it is installed."""
        self._now = now
        self._steady_s = steady_s
        self._stated_error_s = stated_error_s
        self._ask_chrony = chrony
        self._chrony: tuple[float, Tracking] | None = None
        self._held: tuple[float, ClockBound] | None = None
        self._seen: tuple[datetime, ClockBound] | None = None

    def saw_date(self, date: datetime, *, took_s: float, source: str = "API date") -> None:
        """Keep the newest only."""
        at = self._now()
        error_s = abs((at - date).total_seconds()) + _DATE_STEP_S + took_s
        self._seen = at, ClockBound(error_s=error_s, source=source)

    def saw_step(self, by_s: float) -> None:
        """What was known of the clock before is worth less by that much, or nothing."""
        self._seen = self._chrony = None
        if self._held is not None:
            at_s, bound = self._held
            self._held = at_s, replace(bound, error_s=(bound.error_s or 0.0) + abs(by_s), correction_s=None)

    async def look(self) -> None:
        """Ask chrony; where it does not answer, what it said before counts for a minute."""
        if self._ask_chrony is None:
            return
        try:
            tracking = await self._ask_chrony()
        except ChronySilent:
            return
        self._chrony = self._steady_s(), tracking

    def bound(self) -> ClockBound:
        disciplined = self._disciplined()
        if disciplined is not None:
            self._held = self._steady_s(), disciplined
            return disciplined
        if self._held is not None and (gone_s := self._steady_s() - self._held[0]) < _HOLD_OVER_S:
            last = self._held[1]
            error_s = (last.error_s or 0.0) + _DRIFT * gone_s
            return ClockBound(error_s=error_s, source=f"held over from {last.source}")
        if self._stated_error_s is not None:
            return ClockBound(error_s=self._stated_error_s, source="stated")
        # Evidence from the future: this clock was set back since, and nothing is known of it.
        if self._seen is not None and timedelta(0) <= self._now() - self._seen[0] < _DATE_LASTS:
            return self._seen[1]
        return ClockBound(error_s=None, source="the kernel says that nothing disciplines this clock")

    def _disciplined(self) -> ClockBound | None:
        """By who keeps the clock, chrony before the kernel; None: nobody does."""
        if self._chrony is not None and (old_s := self._steady_s() - self._chrony[0]) < _CHRONY_LASTS_S:
            tracking = self._chrony[1]
            if not tracking.follows:
                return None
            error_s = tracking.error_s + _DRIFT * old_s
            return ClockBound(error_s=error_s, source="chrony", correction_s=tracking.correction_s)
        kernel_s = kernel_clock_error_s()
        return None if kernel_s is None else ClockBound(error_s=kernel_s, source="kernel")


class RehearsalTimekeeping:
    """Bent time is right by definition."""

    def bound(self) -> ClockBound:
        return ClockBound(error_s=0.0, source="rehearsal")

    def saw_date(self, date: datetime, *, took_s: float, source: str = "API date") -> None:
        """Another clock says nothing about bent time."""

    def saw_step(self, by_s: float) -> None:
        """Nobody sets bent time."""

    async def look(self) -> None:
        """There is nobody to ask."""


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
