"""When a motion is over. A device's own flag is not enough: some drop it while they still move."""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

import anyio

from drivers.values import Equatorial

_T = TypeVar("_T")

SIDEREAL_DEG_PER_S = 360.0 / 86164.0905  # IERS Conventions (2010), table 1.1: the mean rotation of the Earth


class Standstill(Generic[_T]):
    """How long successive readings of a position have stayed the same.

    Two readings are the same if they lie no more than `agree` apart, and `drift_per_s` for each second between them: a
    mount that stands still sees its right ascension drift with the sky.
    """

    def __init__(self, apart: Callable[[_T, _T], float], *, agree: float, drift_per_s: float = 0.0) -> None:
        self._apart = apart
        self._agree = agree
        self._drift_per_s = drift_per_s
        self._since: tuple[float, _T] | None = None

    def seconds(self, reading: _T) -> float:
        """Take `reading` as of now; how long (loop time) the readings before it have agreed with it, 0 if none has."""
        now_s = anyio.current_time()
        if self._since is not None:
            began_s, first = self._since
            if self._apart(first, reading) <= self._agree + self._drift_per_s * (now_s - began_s):
                return now_s - began_s
        self._since = (now_s, reading)
        return 0.0


def separation_deg(one: Equatorial, other: Equatorial) -> float:
    """The angle between two directions on the same axes; exact for small ones too (haversine)."""
    dec1, dec2 = math.radians(one.dec_deg), math.radians(other.dec_deg)
    half_ra = math.radians(one.ra_deg - other.ra_deg) / 2.0
    haversine = math.sin((dec1 - dec2) / 2.0) ** 2 + math.cos(dec1) * math.cos(dec2) * math.sin(half_ra) ** 2
    return math.degrees(2.0 * math.asin(math.sqrt(min(haversine, 1.0))))


def turn_deg(one: float, other: float) -> float:
    """The angle between two azimuths, 0° to 180°."""
    return abs((one - other + 180.0) % 360.0 - 180.0)
