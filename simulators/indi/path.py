"""Where an INDI mount looks at any instant, from what it says of itself.

INDI's drivers send a position once per polling period, and only when it has changed. So a silence longer than a period
means that the mount kept its place among the stars, and between two updates a period apart it turned evenly. After the
last one it stands where it said, until there is another: who asks about the last period asks again.
"""

import math
from bisect import bisect_right
from collections import deque
from datetime import datetime
from threading import Lock

import numpy as np

from simulators.sky.earth import Ground
from simulators.sky.rotation import instant_of, unix_of
from simulators.sky.vectors import Vectors, angles_of, unit_of

# Some minutes of slewing and following at ten updates a second.
_KEPT = 20_000
# Updates farther apart than this many polling periods had a silence between them.
_SILENT_PERIODS = 1.6


class MountPath:
    """The places a mount has reported, on the equator of date; `true_icrs` is where that is among the stars.

    A mount that has said nothing yet looks at the pole. North is up: it is taken for an equatorial one without flips.
    Filled by one thread, asked by others.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._lock = Lock()
        self._instants_s: deque[float] = deque(maxlen=_KEPT)
        self._units: deque[Vectors] = deque(maxlen=_KEPT)
        self.period_s = 1.0
        self.changes = 0

    def heard(self, at: datetime, ra_deg: float, dec_deg: float) -> None:
        """The mount says that it looks there; said again it still does."""
        unit = unit_of(ra_deg, dec_deg)
        with self._lock:
            if len(self._units) > 1 and np.array_equal(self._units[-1], unit) and np.array_equal(self._units[-2], unit):
                self._instants_s[-1] = unix_of(at)
                return
            self._instants_s.append(unix_of(at))
            self._units.append(unit)
            self.changes += 1

    def true_icrs(self, at: datetime) -> tuple[float, float]:
        """Right ascension and declination (ICRS, deg) of the star it looks at.

        Equinox and aberration are those of the minute, which is right to 2 mas.
        """
        ra_deg, dec_deg = angles_of(self._apparent(unix_of(at)))
        return self._ground.icrs_of(float(ra_deg), float(dec_deg), at.replace(second=0, microsecond=0))

    def horizontal(self, at: datetime) -> tuple[float, float]:
        """Altitude and azimuth at which it looks."""
        ra_deg, dec_deg = angles_of(self._apparent(unix_of(at)))
        return self._ground.horizontal_of(float(ra_deg), float(dec_deg), at)

    def rotation_deg(self, at: datetime) -> float:
        """The position angle of the telescope's up."""
        return 0.0

    def changes_before(self, at: datetime) -> int:
        """The same number twice means that the path until then is still the same."""
        with self._lock:
            return self.changes - (len(self._instants_s) - bisect_right(self._instants_s, unix_of(at)))

    def drift_per_s(self, at: datetime) -> Vectors:
        """How its ICRS direction (a unit vector) changes in a second, as last seen; zero where it keeps its place."""
        with self._lock:
            if len(self._units) < 2 or self._is_silent(unix_of(at) - self._instants_s[-1]):
                return np.zeros(3)
            before_s, last_s = self._instants_s[-2], self._instants_s[-1]
        lasted_s = max(min(last_s - before_s, self.period_s), 1e-6)
        begins, ends = (unit_of(*self.true_icrs(instant_of(instant))) for instant in (last_s - lasted_s, last_s))
        return np.asarray((ends - begins) / lasted_s, dtype=np.float64)

    def _apparent(self, at_s: float) -> Vectors:
        with self._lock:
            after = bisect_right(self._instants_s, at_s)
            if not self._units:
                return unit_of(0.0, math.copysign(90.0, self._ground.latitude_deg))
            if after == 0:
                return self._units[0]
            if after == len(self._units):
                return self._units[-1]
            before_s, next_s = self._instants_s[after - 1], self._instants_s[after]
            if self._is_silent(next_s - before_s):
                before_s = next_s - self.period_s
            return _between(self._units[after - 1], self._units[after], (at_s - before_s) / (next_s - before_s))

    def _is_silent(self, for_s: float) -> bool:
        return for_s > _SILENT_PERIODS * self.period_s


def _between(begins: Vectors, ends: Vectors, share: float) -> Vectors:
    """On the way from one unit vector to another; at the beginning for a share below 0."""
    place = begins + (ends - begins) * max(share, 0.0)
    return np.asarray(place / np.linalg.norm(place), dtype=np.float64)
