"""Directions as unit vectors: the few turns of geometry that the whole simulated sky shares."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
Floats = NDArray[np.float64]

LIGHT_KM_S = 299_792.458


def unit_of(longitude_deg: Floats | float, latitude_deg: Floats | float) -> Vectors:
    """Unit vectors, shape (…, 3), of right ascension and declination (or azimuth-like and altitude-like angles)."""
    longitude, latitude = np.radians(longitude_deg), np.radians(latitude_deg)
    across = np.cos(latitude)
    return np.stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude) + 0.0 * longitude], -1)


def angles_of(vectors: Vectors) -> tuple[Floats, Floats]:
    """Longitude in [0, 360) and latitude in degrees of vectors of any length, exact at the poles too."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    longitude_deg = np.degrees(np.arctan2(y, x)) % 360.0
    latitude_deg = np.degrees(np.arctan2(z, np.hypot(x, y)))
    return np.where(longitude_deg >= 360.0, 0.0, longitude_deg), latitude_deg


def aberrated(units: Vectors, velocity_km_s: Vectors) -> Vectors:
    """Where light from `units` seems to come from for someone who moves at `velocity_km_s` (both of shape (…, 3)).

    The relativistic formula (Explanatory Supplement 2013, 7.38); with the velocity reversed it undoes itself exactly.
    """
    beta = velocity_km_s / LIGHT_KM_S
    gamma = 1.0 / np.sqrt(1.0 - np.sum(beta * beta, -1, keepdims=True))
    along = np.sum(units * beta, -1, keepdims=True)
    turned = units / gamma + beta * (1.0 + along / (1.0 + 1.0 / gamma))
    return np.asarray(turned / (1.0 + along), dtype=np.float64)


def turned_about_pole(angle_rad: Floats) -> Vectors:
    """Matrices, shape (…, 3, 3), that give coordinates on axes turned by `angle_rad` eastward about the third axis."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    matrices = np.zeros((*np.shape(angle_rad), 3, 3))
    matrices[..., 0, 0] = matrices[..., 1, 1] = cosine
    matrices[..., 0, 1], matrices[..., 1, 0] = sine, -sine
    matrices[..., 2, 2] = 1.0
    return matrices


def applied(matrices: Vectors, vectors: Vectors) -> Vectors:
    """Each matrix, shape (…, 3, 3), times its vector, shape (…, 3)."""
    return np.asarray(np.einsum("...ij,...j->...i", matrices, vectors), dtype=np.float64)
