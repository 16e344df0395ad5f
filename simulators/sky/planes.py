"""Which satellites can be in a field at all: by the planes they go round in, and how high, without propagating them.

A satellite in a field lies where its orbit's plane cuts the cone of sight, between its lowest and its highest. A dozen
products a satellite tell that of most of a catalogue it cannot be so; nobody who can is left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.sky.vectors import Floats, Vectors

VALID_S = 3.0 * 3600.0
"""How long before and after its instant a set of planes serves."""

_GM_KM3_S2 = 398_600.8  # WGS 72, as SGP4 has it
_DAY_S = 86_400.0

# What is allowed for, each at least twice what tens of thousands of real elements showed: the periodic part of the
# plane's tilt (0.1°), that of the heights (20 km in low orbits, more by the square of a / perigee in long ones), and
# how much faster than so far an orbit may sink.
_TILT_RAD = np.radians(0.3)
_PERIODIC_KM = 40.0
_SINKS_FASTER = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """The orbits of n satellites around one instant, on the axes of SGP4. NaN where an orbit has ended.

    Normals are unit vectors, shape (n, 3), that turn about the pole with `turns`, a second.
    """

    unix_s: float
    normals: Vectors
    turns: Vectors
    lowest_km: Floats
    highest_km: Floats

    def may_cross(
        self, observer_km: Vectors, sight: Vectors, reach_deg: float, unix_s: float, for_s: float
    ) -> NDArray[np.bool_]:
        """False for those that are never within `reach_deg` of a line of sight in `for_s` around an instant.

        Observer and sight are of that instant, and the reach includes what the sight moves meanwhile, among the stars.
        """
        since_s = unix_s - self.unix_s
        off_km = -(self.normals @ observer_km + since_s * (self.turns @ observer_km))
        sine = np.clip(self.normals @ sight + since_s * (self.turns @ sight), -1.0, 1.0)
        away_km = float(np.linalg.norm(observer_km))
        earth_turns_rad = 7.3e-5 * for_s / 2.0
        lean, reach_rad = np.arcsin(sine), np.radians(reach_deg) + earth_turns_rad
        least_sine = np.sin(np.maximum(lean - reach_rad, -np.pi / 2.0))
        most_sine = np.sin(np.minimum(lean + reach_rad, np.pi / 2.0))
        altitude = float(np.arcsin(np.clip(sight @ observer_km / away_km, -1.0, 1.0)))
        near_km = _distance_km(self.lowest_km, away_km, min(altitude + reach_rad, np.pi / 2.0))
        far_km = _distance_km(self.highest_km, away_km, max(altitude - reach_rad, -np.pi / 2.0))
        least_km = np.minimum(near_km * least_sine, far_km * least_sine)
        most_km = np.maximum(near_km * most_sine, far_km * most_sine)
        slack_km = self.highest_km * _TILT_RAD + away_km * earth_turns_rad
        return np.asarray(~((off_km < least_km - slack_km) | (off_km > most_km + slack_km)), dtype=np.bool_)


def planes_of(
    places_km: Vectors, speeds_km_s: Vectors, node_rates_rad_s: Floats, unix_s: float, epochs: tuple[Floats, Floats]
) -> Planes:
    """Of places and velocities (n, 3) at an instant. `epochs` are the elements' instants and semi-major axes (km)."""
    cross = np.cross(places_km, speeds_km_s)
    normals = cross / np.linalg.norm(cross, axis=-1, keepdims=True)
    distance_km = np.linalg.norm(places_km, axis=-1)
    axis_km = 1.0 / (2.0 / distance_km - np.sum(speeds_km_s**2, -1) / _GM_KM3_S2)
    stretch = 1.0 - np.sum(cross**2, -1) / (_GM_KM3_S2 * axis_km)
    eccentricity = np.sqrt(np.maximum(stretch, 0.0))
    perigee_km = axis_km * (1.0 - eccentricity)
    epoch_s, epoch_axis_km = epochs
    age_s = np.maximum(np.abs(unix_s - epoch_s), _DAY_S)
    sinks_km = _SINKS_FASTER * np.abs(axis_km - epoch_axis_km) * VALID_S / age_s
    slack_km = _PERIODIC_KM * (axis_km / perigee_km) ** 2 + sinks_km
    turns = node_rates_rad_s[:, None] * np.stack([-normals[:, 1], normals[:, 0], np.zeros(len(normals))], -1)
    return Planes(
        unix_s=unix_s,
        normals=normals,
        turns=turns,
        lowest_km=np.maximum(perigee_km - slack_km, 0.0),
        highest_km=axis_km * (1.0 + eccentricity) + slack_km,
    )


def _distance_km(height_km: Floats, away_km: float, altitude_rad: float) -> Floats:
    """From an observer `away_km` from the Earth's middle, at an altitude, to the sphere of this radius; at least 0."""
    across = away_km * np.cos(altitude_rad)
    along = np.sqrt(np.maximum(height_km**2 - across**2, 0.0)) - away_km * np.sin(altitude_rad)
    return np.asarray(np.maximum(along, 0.0), dtype=np.float64)
