"""The controller of a followed target: what the course asks, and what is missing on it, within what the axes can do."""

import math
from dataclasses import dataclass, field

from bridge.observing.steering import Pair

# What is missing is made up by so much of it a second, at most; and by less the later a command acts: with more than
# this over the lag a loop begins to swing.
_GAIN_PER_S = 2.0
_GAIN_TIMES_LAG = 0.4
# The time constant of the integral, which takes up what is always missing (a latency not quite known), and how near
# the target it acts: while a mount is still catching up, it would only carry it past.
_INTEGRAL_S = 1.5
_INTEGRAL_WITHIN_DEG = 60.0 / 3600.0
_INTEGRAL_SHARE = 0.05


@dataclass(slots=True, kw_only=True)
class Pilot:
    """Proportional and integral on the error, over a feed-forward, for two axes. It starts at the rates `last`."""

    fastest_deg_s: Pair
    acceleration_deg_s2: Pair
    last: Pair
    _integral_deg_s: list[float] = field(default_factory=lambda: [0.0, 0.0], init=False)

    def steer(self, feed_forward: Pair, error: Pair, *, since_s: float, lag_s: float) -> Pair:
        """The rates from now on. `since_s`: since they were last set; `lag_s`: from a reading until what follows from
        it acts.
        """
        gain_per_s = min(_GAIN_PER_S, _GAIN_TIMES_LAG / max(lag_s, 1e-3))
        first, second = (
            self._one(axis, feed_forward[axis], error[axis], since_s=since_s, gain_per_s=gain_per_s)
            for axis in range(2)
        )
        self.last = first, second
        return self.last

    def _one(self, axis: int, feed_forward: float, error_deg: float, *, since_s: float, gain_per_s: float) -> float:
        acceleration_deg_s2 = self.acceleration_deg_s2[axis]
        # No faster towards it than the axis can brake from.
        most_deg_s = math.sqrt(acceleration_deg_s2 * abs(error_deg))
        towards = max(-most_deg_s, min(most_deg_s, gain_per_s * error_deg))
        wanted = feed_forward + towards + self._integral_deg_s[axis]
        most_change = acceleration_deg_s2 * since_s
        fastest = self.fastest_deg_s[axis]
        rate = max(self.last[axis] - most_change, min(self.last[axis] + most_change, wanted))
        rate = max(-fastest, min(fastest, rate))
        if rate == wanted and abs(error_deg) <= _INTEGRAL_WITHIN_DEG:  # else it would wind up
            most = _INTEGRAL_SHARE * fastest
            grown = self._integral_deg_s[axis] + gain_per_s / _INTEGRAL_S * error_deg * since_s
            self._integral_deg_s[axis] = max(-most, min(most, grown))
        return rate
