"""What is believed to be missing on a target, from readings that are not all of the instant they are said to be of.

A reading whose call took longer than others was made at some instant of that call. At a satellite's speed a
hundredth of a second is half an arcminute, so it counts for as much as it is sure, and what was told goes on meanwhile.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median

# So many calls show how long one takes at least, and most often.
_CALLS = 20
# A reading is of the middle of its call, give or take this share of the least a call takes; and may lie anywhere in
# what it took beyond (the standard deviation of what is equally likely everywhere).
_SHARE = 0.05
_ANYWHERE = 1.0 / math.sqrt(12.0)
# Readings that took more than so many times the usual are none to judge a mount by.
_TOO_LATE = 2.0
_UNNOTICED_S = 1e-3
# What is missing grows by itself: winds and gears by so much a second, and by these shares of what an
# axis is told, and of what was foreseen.
_DRIFT_DEG_S = 1.0 / 3600.0
_DRIFT_OF_RATE = 0.0005
_DRIFT_OF_GROWTH = 0.05
_FINEST_DEG = 0.05 / 3600.0
# One reading that is off by much more than most were is waited for to be said again: some come late and do not show it.
_SURPRISES = 9
_SURPRISING = 4.0
_SURPRISING_DEG = 2.0 / 3600.0


@dataclass(slots=True)
class Calls:
    """How long the last readings took, in s."""

    _took_s: deque[float] = field(default_factory=lambda: deque(maxlen=_CALLS), init=False)

    def unsure_s(self, took_s: float) -> float:
        """How far from its instant a reading may be that took so long: a standard deviation."""
        late_s = self.late_s(took_s)
        return _SHARE * (took_s - late_s) + _ANYWHERE * late_s

    def late_s(self, took_s: float) -> float:
        """By how much one that took so long took longer than it must."""
        self._took_s.append(took_s)
        return took_s - min(self._took_s)

    def usual(self, took_s: float) -> bool:
        """Whether it took about as long as most; at least every other one does."""
        return took_s <= max(_TOO_LATE * median(self._took_s), _UNNOTICED_S) if self._took_s else True


@dataclass(slots=True)
class Belief:
    """What one axis is missing, and how sure that is: a Kalman filter of one state. Before the first reading, nothing
    is known.
    """

    _missing_deg: float = field(default=0.0, init=False)
    _unsure_deg: float = field(default=math.inf, init=False)
    _surprises_deg: deque[float] = field(default_factory=lambda: deque(maxlen=_SURPRISES), init=False)

    def foresee(self, grows_deg: float, rate_deg_s: float, for_s: float) -> None:
        """What was missing grows by so much in so long, as far as it is known, at that rate."""
        self._missing_deg += grows_deg
        self._unsure_deg += (_DRIFT_DEG_S + _DRIFT_OF_RATE * abs(rate_deg_s)) * for_s + _DRIFT_OF_GROWTH * abs(
            grows_deg
        )

    def weigh(self, missing_deg: float, unsure_deg: float) -> tuple[float, float]:
        """What is believed with one more reading, and how much that one counted: 0 not at all, 1 alone."""
        surprise_deg = missing_deg - self._missing_deg
        unsure_deg = math.hypot(unsure_deg, _FINEST_DEG, self._alone_deg(surprise_deg))
        self._surprises_deg.append(surprise_deg)
        share = 1.0 / (1.0 + (unsure_deg / self._unsure_deg) ** 2)
        self._missing_deg += share * surprise_deg
        self._unsure_deg = unsure_deg * math.sqrt(share)
        return self._missing_deg, share

    def _alone_deg(self, surprise_deg: float) -> float:
        """By how much a reading says what neither was foreseen nor was said by the one before, beyond the usual."""
        if not self._surprises_deg:
            return 0.0
        usual_deg = median(abs(one) for one in self._surprises_deg)
        alone_deg = min(abs(surprise_deg), abs(surprise_deg - self._surprises_deg[-1]))
        return max(0.0, alone_deg - _SURPRISING * usual_deg - _SURPRISING_DEG)
