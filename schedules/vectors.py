"""Vectors and the angles they make, many at once: arrays of shape (3, n), in km and km/s unless the name says else."""

from dataclasses import dataclass

import numpy as np

from schedules.instants import Floats
from schedules.orientation import Attitude


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Where something is, from the Earth's centre: `position_km` and `velocity_km_s`."""

    position_km: Floats
    velocity_km_s: Floats


def to_date(attitude: Attitude, vector: Floats) -> Floats:
    """Vectors on ICRS axes, turned to those of the true equator and equinox of date."""
    return np.asarray(np.einsum("ijn,jn->in", attitude.to_date, vector))


def from_date(attitude: Attitude, vector: Floats) -> Floats:
    """The inverse of `to_date`."""
    return np.asarray(np.einsum("jin,jn->in", attitude.to_date, vector))


def dot(a: Floats, b: Floats) -> Floats:
    """Products of vectors of shape (3, n)."""
    product: Floats = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def length(vector: Floats) -> Floats:
    """Lengths of vectors of shape (3, n)."""
    return np.sqrt(dot(vector, vector))


def angles_deg(direction: Floats) -> tuple[Floats, Floats]:
    """Longitude (0 <= longitude < 360) and latitude of unit vectors of shape (3, n)."""
    x, y, z = direction
    longitude = np.degrees(np.arctan2(y, x)) % 360.0
    longitude = np.where(longitude >= 360.0, 0.0, longitude)  # the remainder of a tiny negative angle rounds to 360
    return longitude, np.degrees(np.arctan2(z, np.hypot(x, y)))


def horizontal_angles_deg(east_north_up: Floats) -> tuple[Floats, Floats]:
    """Azimuth and altitude of unit vectors."""
    east, north, up = east_north_up
    return angles_deg(np.stack([north, east, up]))


def direction_of(longitude_deg: float, latitude_deg: float) -> Floats:
    """A unit vector of shape (3, 1)."""
    longitude, latitude = np.radians(longitude_deg), np.radians(latitude_deg)
    across = np.cos(latitude)
    return np.array([[across * np.cos(longitude)], [across * np.sin(longitude)], [np.sin(latitude)]])


def turned_about_pole(vector: Floats, angle_rad: Floats) -> Floats:
    """Vectors turned eastward about the third axis."""
    return turned_by(vector, np.cos(angle_rad), np.sin(angle_rad))


def turned_by(vector: Floats, cos: Floats, sin: Floats) -> Floats:
    """Vectors turned eastward about the third axis by angles of known cosine and sine."""
    x, y, z = vector
    turned: Floats = np.empty((3, len(x)))
    turned[0] = cos * x - sin * y
    turned[1] = sin * x + cos * y
    turned[2] = z
    return turned
