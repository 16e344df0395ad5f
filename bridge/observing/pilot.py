"""The controller of a followed target: what the course asks, and what is missing on it, within what the axes can do."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.observing.belief import Belief
from bridge.observing.steering import Pair

# What is missing is made up by so much of it a second, at most; and by less the longer it takes until the effect is
# seen: with more than this over the lag a loop begins to swing. Of a latency, which is reckoned with, this share may be
# wrong.
_GAIN_PER_S = 2.0
_GAIN_TIMES_LAG = 0.4
_DOUBT = 0.25
# The time constant of the integral, which takes up what is always missing (a rate that comes out a little wrong): at
# least so many times the lag, and so many times that in which readings come to be believed. It acts near the target, or
# where nothing is being made up: while a mount is still catching up, it would carry it past.
_INTEGRAL_S = 1.5
_INTEGRAL_LAGS = 8.0
_INTEGRAL_BELIEFS = 2.0
_INTEGRAL_WITHIN_DEG = 60.0 / 3600.0
_INTEGRAL_SHARE = 0.05
_REMEMBERED_S = 5.0


# How far the target moves between two instants, on the coordinates steered by.
Moves = Callable[[float, float], Pair]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far the target was ahead at `at_s`, and how unsure that is (a standard deviation)."""

    ahead_deg: Pair
    at_s: float
    unsure_deg: Pair = (0.0, 0.0)


@dataclass(slots=True, kw_only=True)
class Pilot:
    """Proportional and integral on the error, over a feed-forward, for two axes. It starts at the rates `last`.

    It reckons from a reading to the instant at which a command acts: what the target moves until then, less what the
    mount was told and will have done by then. A reading counts for as much as it is sure. `missing_deg` is what is
    believed to be missing at that instant.
    """

    fastest_deg_s: Pair
    acceleration_deg_s2: Pair
    last: Pair
    missing_deg: Pair = field(default=(math.inf, math.inf), init=False)
    _integral_deg_s: list[float] = field(default_factory=lambda: [0.0, 0.0], init=False)
    _missed_deg: list[float] = field(default_factory=lambda: [0.0, 0.0], init=False)
    _beliefs: tuple[Belief, Belief] = field(default_factory=lambda: (Belief(), Belief()), init=False)
    _acted_s: float | None = field(default=None, init=False)
    _told: deque[tuple[float, Pair]] = field(default_factory=deque, init=False)

    def steer(self, moves: Moves, reading: Reading, *, now_s: float, latency_s: float, tick_s: float) -> Pair:
        """The rates from now on, for the time of a tick; they act after `latency_s`."""
        acts_s = now_s + latency_s
        counted = self._weigh(moves, reading, acts_s)
        lag_s = tick_s + _DOUBT * latency_s
        gain_per_s = min(_GAIN_PER_S, _GAIN_TIMES_LAG / max(lag_s, 1e-3))
        moved_deg = moves(acts_s, acts_s + tick_s)
        lost = self._integral_deg_s[0], self._integral_deg_s[1]
        slow_s = max(_INTEGRAL_S, _INTEGRAL_LAGS * lag_s)
        grows = [gain_per_s * min(tick_s / slow_s, share / _INTEGRAL_BELIEFS) for share in counted]
        first, second = (
            self._one(axis, moved_deg[axis] / tick_s, self.missing_deg[axis], (gain_per_s, grows[axis], tick_s))
            for axis in range(2)
        )
        self.last = first, second
        self._told.append((acts_s, (first - lost[0], second - lost[1])))
        self._acted_s = acts_s
        while len(self._told) > 1 and acts_s - self._told[1][0] > _REMEMBERED_S:
            self._told.popleft()
        return self.last

    def acts_later(self, late_s: float) -> None:
        """The last command took so much longer than such commands do."""
        acts_s, told = self._told.pop()
        self._told.append((acts_s + late_s, told))

    def _weigh(self, moves: Moves, reading: Reading, acts_s: float) -> Pair:
        """Take a reading into what is believed; gives how much it counted, for either axis."""
        ahead_deg = self._ahead(moves, reading.at_s, acts_s)
        since_s = acts_s if self._acted_s is None else self._acted_s
        foreseen_deg = self._ahead(moves, since_s, acts_s)
        weighed = []
        for axis, belief in enumerate(self._beliefs):
            belief.foresee(foreseen_deg[axis], self.last[axis], acts_s - since_s)
            weighed.append(belief.weigh(reading.ahead_deg[axis] + ahead_deg[axis], reading.unsure_deg[axis]))
        (first_deg, first), (second_deg, second) = weighed
        self.missing_deg = first_deg, second_deg
        return first, second

    def _ahead(self, moves: Moves, begins_s: float, ends_s: float) -> Pair:
        """How far the target gets ahead of the mount between two instants, by what the mount was told."""
        if ends_s <= begins_s or not self._told:
            return 0.0, 0.0
        first, second = moves(begins_s, ends_s)
        until_s = ends_s
        for index, (acts_s, told) in reversed(list(enumerate(self._told))):
            from_s = max(begins_s, acts_s if index else begins_s)
            if from_s < until_s:
                first, second = first - told[0] * (until_s - from_s), second - told[1] * (until_s - from_s)
                until_s = from_s
        return first, second

    def _one(self, axis: int, feed_forward: float, error_deg: float, pace: tuple[float, float, float]) -> float:
        gain_per_s, grows, tick_s = pace
        acceleration_deg_s2 = self.acceleration_deg_s2[axis]
        # No faster towards it than the axis can brake from.
        most_deg_s = math.sqrt(acceleration_deg_s2 * abs(error_deg))
        towards = max(-most_deg_s, min(most_deg_s, gain_per_s * error_deg))
        wanted = feed_forward + towards + self._integral_deg_s[axis]
        most_change = acceleration_deg_s2 * tick_s
        fastest = self.fastest_deg_s[axis]
        rate = max(self.last[axis] - most_change, min(self.last[axis] + most_change, wanted))
        rate = max(-fastest, min(fastest, rate))
        stuck = abs(error_deg) >= (1.0 - gain_per_s * tick_s / 4.0) * abs(self._missed_deg[axis])
        self._missed_deg[axis] = error_deg
        if rate == wanted and (stuck or abs(error_deg) <= _INTEGRAL_WITHIN_DEG):  # else it would wind up
            most = _INTEGRAL_SHARE * fastest
            self._integral_deg_s[axis] = max(-most, min(most, self._integral_deg_s[axis] + grows * error_deg))
        return rate
