"""Directions by the horizon, many at once, and the angles between them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schedules.places import Horizontal
from schedules.slews import Axes

FloatArray = NDArray[np.float64]

# Samples of a track further apart than this do not say where the target went between them.
_FARTHEST_APART_DEG = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Directions:
    """Directions by the horizon, arrays of one shape: altitude -90° to 90°, azimuth -180° to 360°, north through east.

    Raises:
        ValueError: an angle out of range or not finite, no angle at all, or unlike shapes.
    """

    altitude_deg: FloatArray
    azimuth_deg: FloatArray

    def __post_init__(self) -> None:
        if self.altitude_deg.shape != self.azimuth_deg.shape or self.altitude_deg.size == 0:
            raise ValueError(f"altitudes {self.altitude_deg.shape} and azimuths {self.azimuth_deg.shape} make no path")
        if not bool(np.all((self.altitude_deg >= -90.0) & (self.altitude_deg <= 90.0))):
            raise ValueError("an altitude is not within -90° to 90°: this path cannot be judged")
        if not bool(np.all((self.azimuth_deg >= -180.0) & (self.azimuth_deg <= 360.0))):
            raise ValueError("an azimuth is not within -180° to 360°: this path cannot be judged")

    @classmethod
    def of(cls, *places: Horizontal) -> "Directions":
        """Single directions, shape (n,)."""
        return cls(
            altitude_deg=np.array([place.altitude_deg for place in places]),
            azimuth_deg=np.array([place.azimuth_deg for place in places]),
        )


def directions_from(places: Horizontal | Directions) -> Directions:
    """One direction as an array of one."""
    return Directions.of(places) if isinstance(places, Horizontal) else places


def axis_angles(places: Directions, axes: Axes, latitude_deg: float) -> tuple[FloatArray, FloatArray]:
    """Azimuth and altitude, or hour angle (-180° to 180°, west positive) and declination."""
    if axes is Axes.ALTAZ:
        return places.azimuth_deg, places.altitude_deg
    north, east, up = unit_vectors(places.azimuth_deg, places.altitude_deg)
    sine, cosine = math.sin(math.radians(latitude_deg)), math.cos(math.radians(latitude_deg))
    south, pole = up * cosine - north * sine, up * sine + north * cosine
    return np.degrees(np.arctan2(-east, south)), np.degrees(np.arctan2(pole, np.hypot(south, east)))


def unit_vectors(longitude_deg: FloatArray, latitude_deg: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Towards longitude and latitude 0°, towards longitude 90°, towards the pole."""
    longitude, latitude = np.radians(longitude_deg), np.radians(latitude_deg)
    return np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)


def steps_deg_between(places: Directions) -> FloatArray:
    """How far it is from each place to the next along the last dimension.

    Raises:
        ValueError: so far that the way between is a guess.
    """
    azimuth_deg, altitude_deg = places.azimuth_deg, places.altitude_deg
    steps_deg = angles_deg(azimuth_deg[..., :-1], altitude_deg[..., :-1], azimuth_deg[..., 1:], altitude_deg[..., 1:])
    if not bool(np.all(steps_deg <= _FARTHEST_APART_DEG)):
        raise ValueError(f"places more than {_FARTHEST_APART_DEG:g}° apart do not say what lies between: give more")
    return steps_deg


def angles_deg(
    longitude_a_deg: FloatArray, latitude_a_deg: FloatArray, longitude_b_deg: FloatArray, latitude_b_deg: FloatArray
) -> FloatArray:
    """The angle between directions (haversine form), for arrays."""
    latitude_a, latitude_b = np.radians(latitude_a_deg), np.radians(latitude_b_deg)
    half_longitude = np.radians(longitude_b_deg - longitude_a_deg) / 2.0
    haversine = np.sin((latitude_b - latitude_a) / 2.0) ** 2
    haversine = haversine + np.cos(latitude_a) * np.cos(latitude_b) * np.sin(half_longitude) ** 2
    angle_deg: FloatArray = np.degrees(2.0 * np.arcsin(np.sqrt(np.clip(haversine, 0.0, 1.0))))
    return angle_deg
