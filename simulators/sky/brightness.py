"""How bright a satellite is: a sphere that scatters sunlight evenly, with a standard magnitude of its own."""

import numpy as np
from numpy.typing import NDArray

from simulators.sky.vectors import Floats, Vectors

STANDARD_RANGE_KM = 1000.0

_LOW_ORBIT_REV_PER_DAY = 11.25  # the usual border of low orbits
_LOW_MAGNITUDE, _HIGH_MAGNITUDE = 5.5, 4.0
_SPREAD = 1.5


def standard_magnitudes(norad_ids: NDArray[np.uint64], mean_motions_rev_per_day: Floats) -> Floats:
    """The magnitude of each at 1000 km and half phase (Sun, satellite and observer at a right angle).

    About 5.5 in low orbits and 4.0 above them, where satellites are larger, ± 1.5, always the same for the same number.
    """
    mixed = norad_ids * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    high, low = mixed >> np.uint64(40), (mixed >> np.uint64(16)) & np.uint64(0xFFFFFF)
    spread = (high.astype(np.float64) + low.astype(np.float64)) / 2.0**24 - 1.0  # two even draws make a triangular one
    mean = np.where(mean_motions_rev_per_day > _LOW_ORBIT_REV_PER_DAY, _LOW_MAGNITUDE, _HIGH_MAGNITUDE)
    return np.asarray(mean + _SPREAD * spread, dtype=np.float64)


def magnitudes_at(standard: Floats, geocentric_km: Vectors, sun_km: Vectors, from_observer_km: Vectors) -> Floats:
    """V magnitudes by distance d and phase angle φ (0 is fully lit), for sunlit satellites:

    m = m_standard + 5 log10(d / 1000 km) − 2.5 log10(sin φ + (π − φ) cos φ),

    the phase law of a Lambert sphere, scaled to 0 at φ = 90°. Infinite where nothing lit is seen.
    """
    to_sun = sun_km - geocentric_km
    cosine = -np.sum(to_sun * from_observer_km, -1) / np.sqrt(
        np.sum(to_sun * to_sun, -1) * np.sum(from_observer_km * from_observer_km, -1)
    )
    phase_rad = np.arccos(np.clip(cosine, -1.0, 1.0))
    lit = np.sin(phase_rad) + (np.pi - phase_rad) * np.cos(phase_rad)
    distance = np.sqrt(np.sum(from_observer_km * from_observer_km, -1)) / STANDARD_RANGE_KM
    with np.errstate(divide="ignore"):
        return np.asarray(standard + 5.0 * np.log10(distance) - 2.5 * np.log10(np.maximum(lit, 0.0)), dtype=np.float64)
