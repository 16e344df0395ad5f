"""From timed slews to speed, acceleration and settling time. Thinks only."""

import math
from collections.abc import Sequence
from itertools import pairwise

from bridge.calibration.measured import SlewsMeasured

_FEWEST = 3
# Accelerations that are tried, °/s².
# Rounding of what was timed may make a settling time of nothing a little less than that.
_IN_HAND_S = 0.1
_REFINED = 8
_SLOWEST_DEG_S2, _QUICKEST_DEG_S2, _TRIED = 0.05, 60.0, 600


def slews_from(timed: Sequence[tuple[float, float]]) -> SlewsMeasured | None:
    """From (way in degrees, duration in s), the shortest first; None where they are too few, or make no sense.

    A slew takes way / speed + speed / acceleration + settling, or 2 × √(way / acceleration) + settling where it never
    reaches the speed, as the shortest does not. Each acceleration gives the settling by the shortest slew and the speed
    by the longest one; the one that is right for those between is taken.
    """
    if len(timed) < _FEWEST or not all(after > before for (_, before), (_, after) in pairwise(timed)):
        return None
    fits = [fit for step in range(_TRIED) if (fit := _fit(timed, _acceleration(step))) is not None]
    if not fits:
        return None
    _, speed_deg_s, acceleration_deg_s2, settle_s = min(fits)
    return SlewsMeasured(
        speed_deg_s=round(speed_deg_s, 3),
        acceleration_deg_s2=round(acceleration_deg_s2, 3),
        settle_s=round(settle_s, 2),
    )


def _acceleration(step: int) -> float:
    return float(_SLOWEST_DEG_S2 * (_QUICKEST_DEG_S2 / _SLOWEST_DEG_S2) ** (step / (_TRIED - 1)))


def _fit(timed: Sequence[tuple[float, float]], acceleration_deg_s2: float) -> tuple[float, float, float, float] | None:
    """How far off the slews between are with this acceleration, and speed, acceleration, settling; None: impossible."""
    (short_deg, short_s), *between, (longest_deg, longest_s) = timed
    speed_deg_s = math.inf
    for _ in range(_REFINED):  # the shortest slew may reach the speed after all
        settle_s = short_s - _turn_s(short_deg, speed_deg_s, acceleration_deg_s2)
        turning_s = longest_s - settle_s
        squared = turning_s**2 - 4.0 * longest_deg / acceleration_deg_s2
        if settle_s < -_IN_HAND_S or turning_s <= 0.0 or squared < 0.0:
            return None
        speed_deg_s = acceleration_deg_s2 * (turning_s - math.sqrt(squared)) / 2.0
    off_s = sum(abs(_turn_s(way, speed_deg_s, acceleration_deg_s2) + settle_s - took_s) for way, took_s in between)
    return off_s, speed_deg_s, acceleration_deg_s2, max(0.0, settle_s)


def _turn_s(way_deg: float, speed_deg_s: float, acceleration_deg_s2: float) -> float:
    if way_deg * acceleration_deg_s2 <= speed_deg_s**2:
        return 2.0 * math.sqrt(way_deg / acceleration_deg_s2)
    return way_deg / speed_deg_s + speed_deg_s / acceleration_deg_s2
