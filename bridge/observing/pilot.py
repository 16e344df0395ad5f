"""The controller of a followed target: what the course asks, and what is missing on it, within what the axes can do."""

import math
from collections import deque
from dataclasses import dataclass, field

from bridge.observing.steering import Pair

# What is missing is made up by so much of it a second, at most; and by less the longer it takes until the effect is
# seen: with more than this over the lag a loop begins to swing. Of a latency, which is reckoned with, this share may be
# wrong.
_GAIN_PER_S = 2.0
_GAIN_TIMES_LAG = 0.4
_DOUBT = 0.25
# The time constant of the integral, which takes up what is always missing (a rate that comes out a little wrong): at
# least so many times the lag. It acts near the target, or where nothing is being made up: while a mount is still
# catching up, it would carry it past.
_INTEGRAL_S = 1.5
_INTEGRAL_LAGS = 8.0
_INTEGRAL_WITHIN_DEG = 60.0 / 3600.0
_INTEGRAL_SHARE = 0.05
_REMEMBERED_S = 5.0


@dataclass(slots=True, kw_only=True)
class Pilot:
    """Proportional and integral on the error, over a feed-forward, for two axes. It starts at the rates `last`.

    What was told and has not yet been seen in a reading is taken off the error: it is under way.
    """

    fastest_deg_s: Pair
    acceleration_deg_s2: Pair
    last: Pair
    _integral_deg_s: list[float] = field(default_factory=lambda: [0.0, 0.0], init=False)
    _missing_deg: list[float] = field(default_factory=lambda: [0.0, 0.0], init=False)
    _told: deque[tuple[float, Pair]] = field(default_factory=deque, init=False)

    def steer(
        self, feed_forward: Pair, error: Pair, *, read_s: float, now_s: float, latency_s: float, tick_s: float
    ) -> Pair:
        """The rates from now on, for the time of a tick; `error` was so at `read_s`."""
        lag_s = tick_s + _DOUBT * latency_s
        gain_per_s = min(_GAIN_PER_S, _GAIN_TIMES_LAG / max(lag_s, 1e-3))
        grows = gain_per_s / max(_INTEGRAL_S, _INTEGRAL_LAGS * lag_s) * tick_s
        under_way = self._under_way(read_s - latency_s, now_s)
        always = feed_forward[0] + self._integral_deg_s[0], feed_forward[1] + self._integral_deg_s[1]
        first, second = (
            self._one(axis, feed_forward[axis], error[axis] - under_way[axis], (gain_per_s, grows, tick_s))
            for axis in range(2)
        )
        self.last = first, second
        self._told.append((now_s, (first - always[0], second - always[1])))
        while now_s - self._told[0][0] > _REMEMBERED_S:
            self._told.popleft()
        return self.last

    def _under_way(self, begins_s: float, ends_s: float) -> Pair:
        """How far what was told from then until now brings the axes nearer to the course."""
        first = second = 0.0
        until_s = ends_s
        for told_s, made_up in reversed(self._told):
            long_s = max(0.0, until_s - max(told_s, begins_s))
            first, second = first + made_up[0] * long_s, second + made_up[1] * long_s
            until_s = told_s
            if until_s <= begins_s:
                break
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
        stuck = abs(error_deg) >= (1.0 - gain_per_s * tick_s / 4.0) * abs(self._missing_deg[axis])
        self._missing_deg[axis] = error_deg
        if rate == wanted and (stuck or abs(error_deg) <= _INTEGRAL_WITHIN_DEG):  # else it would wind up
            most = _INTEGRAL_SHARE * fastest
            self._integral_deg_s[axis] = max(-most, min(most, self._integral_deg_s[axis] + grows * error_deg))
        return rate
