"""Where a telescope looks, against where its mount counts that it does: worm, play, and how its base was set up."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from drivers.values import MountKind
from simulators.physics.legs import Leg
from simulators.physics.mechanics import Mechanics

_STARS_ARCSEC_S = 15.041067
_LOOKS_WHILE_CHANGING = 65
_LOOKS_AFTER = 9

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gears:
    """What lies between the encoders and the tube. All zero: nothing does.

    The worm of the primary axis leads and lags by `periodic_error_arcsec` once in `worm_period_s` of following the
    stars. An axis that turns round goes through `backlash_arcsec` before it takes along what it drives.
    """

    periodic_error_arcsec: float = 0.0
    worm_period_s: float = 480.0
    worm_phase_rad: float = 0.0
    backlash_arcsec: float = 0.0

    def driven_deg(self, leg: Leg, at_s: float) -> tuple[float, float]:
        """Where the driven sides of both axes stand at an instant of a leg."""
        if self.backlash_arcsec == 0.0:
            return leg.axes_deg(at_s)
        half_deg = self.backlash_arcsec / 7200.0
        if at_s < leg.ends_s:
            return _dragged(leg, half_deg, leg.driven_deg, leg.since_s, at_s, _LOOKS_WHILE_CHANGING)
        return _dragged(leg, half_deg, _driven_at_end_deg(leg, half_deg), leg.ends_s, at_s, _LOOKS_AFTER)

    def tube_deg(self, leg: Leg, at_s: float) -> tuple[float, float]:
        """Where the telescope's axes stand."""
        primary_deg, secondary_deg = self.driven_deg(leg, at_s)
        if self.periodic_error_arcsec == 0.0:
            return primary_deg, secondary_deg
        turn_deg = self.worm_period_s * _STARS_ARCSEC_S / 3600.0
        share = math.sin(2.0 * math.pi * leg.axes_deg(at_s)[0] / turn_deg + self.worm_phase_rad)
        return primary_deg + self.periodic_error_arcsec / 3600.0 * share, secondary_deg


@lru_cache(maxsize=16)
def _driven_at_end_deg(leg: Leg, half_deg: float) -> tuple[float, float]:
    return _dragged(leg, half_deg, leg.driven_deg, leg.since_s, leg.ends_s, _LOOKS_WHILE_CHANGING)


def _dragged(
    leg: Leg, half_deg: float, driven_deg: tuple[float, float], from_s: float, to_s: float, looks: int
) -> tuple[float, float]:
    """Two loose couplings dragged along a leg: each side follows only where the play is used up."""
    if not math.isfinite(from_s):
        return leg.axes_deg(to_s)
    primary_deg, secondary_deg = driven_deg
    for at_s in np.linspace(from_s, max(from_s, to_s), looks).tolist():
        axes_deg = leg.axes_deg(at_s)
        primary_deg = min(max(primary_deg, axes_deg[0] - half_deg), axes_deg[0] + half_deg)
        secondary_deg = min(max(secondary_deg, axes_deg[1] - half_deg), axes_deg[1] + half_deg)
    return primary_deg, secondary_deg


class Base:
    """How a mount was set up: the pole of its primary axis lies `off_deg` from where it believes it to be.

    Equatorial mounts miss the celestial pole towards `towards_rad` of hour angle, others the zenith.
    """

    def __init__(self, mechanics: Mechanics, off_deg: float, towards_rad: float) -> None:
        north, east, up = mechanics.horizon_axes
        if mechanics.kind is MountKind.ALTAZ:
            self._pole, across = up, _mixed(east, math.cos(towards_rad), north, -math.sin(towards_rad))
        else:
            self._pole = (0.0, 0.0, 1.0)
            across = math.sin(towards_rad), math.cos(towards_rad), 0.0
        self._matrix = _turn(across, math.radians(off_deg))
        self._set_up_well = off_deg == 0.0

    def sight(self, hour_angle_deg: float, dec_deg: float) -> tuple[float, float]:
        """Hour angle and declination at which it truly looks when it believes to look there."""
        if self._set_up_well:
            return hour_angle_deg, dec_deg
        x, y, z = _applied(self._matrix, _vector(hour_angle_deg, dec_deg))
        return math.degrees(math.atan2(-y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))

    def rotation_deg(self, hour_angle_deg: float, dec_deg: float) -> float:
        """The position angle, at a place where it truly looks, of the direction to the pole of its primary axis."""
        pole = _applied(self._matrix, self._pole)
        hour_angle, dec = math.radians(hour_angle_deg), math.radians(dec_deg)
        east = math.sin(hour_angle), math.cos(hour_angle), 0.0
        north = -math.sin(dec) * math.cos(hour_angle), math.sin(dec) * math.sin(hour_angle), math.cos(dec)
        return math.degrees(math.atan2(_dot(pole, east), _dot(pole, north)))


def _vector(hour_angle_deg: float, dec_deg: float) -> Vector:
    """Towards the meridian, towards east, towards the pole."""
    hour_angle, dec = math.radians(hour_angle_deg), math.radians(dec_deg)
    return math.cos(dec) * math.cos(hour_angle), -math.cos(dec) * math.sin(hour_angle), math.sin(dec)


def _turn(about: Vector, by_rad: float) -> tuple[Vector, Vector, Vector]:
    """The matrix of a turn about a unit vector (Rodrigues)."""
    x, y, z = about
    sine, cosine, rest = math.sin(by_rad), math.cos(by_rad), 1.0 - math.cos(by_rad)
    return (
        (cosine + x * x * rest, x * y * rest - z * sine, x * z * rest + y * sine),
        (y * x * rest + z * sine, cosine + y * y * rest, y * z * rest - x * sine),
        (z * x * rest - y * sine, z * y * rest + x * sine, cosine + z * z * rest),
    )


def _applied(matrix: tuple[Vector, Vector, Vector], vector: Vector) -> Vector:
    return _dot(matrix[0], vector), _dot(matrix[1], vector), _dot(matrix[2], vector)


def _dot(one: Vector, other: Vector) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def _mixed(one: Vector, a: float, other: Vector, b: float) -> Vector:
    return a * one[0] + b * other[0], a * one[1] + b * other[1], a * one[2] + b * other[2]
