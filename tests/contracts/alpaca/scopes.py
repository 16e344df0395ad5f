"""A telescope that is ready to move, and how it is moved."""

import math
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contracts.alpaca.instruments import Instrument, Opening

ARCSEC_DEG = 1.0 / 3600.0


@dataclass(frozen=True)
class Place:
    """Hours and degrees."""

    ra_h: float
    dec_deg: float

    def off_arcsec(self, other: "Place") -> float:
        across_deg = turn(self.ra_h - other.ra_h, 24.0) * 15.0 * math.cos(math.radians(other.dec_deg))
        return math.hypot(across_deg, self.dec_deg - other.dec_deg) / ARCSEC_DEG


def turn(by: float, whole: float) -> float:
    """The short way round."""
    return (by + whole / 2.0) % whole - whole / 2.0


def ready(opened: Opening, **parts: Any) -> Instrument:
    """A telescope that is unparked and tracks."""
    scope = opened("Telescope", **parts)
    if scope.read("CanUnpark"):
        scope.call("Unpark")
    if scope.read("CanSetTracking"):
        scope.write("Tracking", True)
    return scope


def place(scope: Instrument) -> Place:
    return Place(scope.read("RightAscension"), scope.read("Declination"))


def at_hour_angle(scope: Instrument, hour_angle_h: float, dec_deg: float) -> Place:
    """A place that now stands there."""
    return Place((scope.read("SiderealTime") - hour_angle_h) % 24.0, dec_deg)


def up(scope: Instrument, hour_angle_h: float) -> Place:
    """A place at this hour angle that is above the horizon where the telescope stands."""
    latitude_deg = scope.read("SiteLatitude")
    dec_deg = 70.0 if abs(hour_angle_h) > 5.0 else 15.0
    return at_hour_angle(scope, hour_angle_h, math.copysign(dec_deg, latitude_deg))


def told(where: Place) -> dict[str, float]:
    return {"RightAscension": where.ra_h, "Declination": where.dec_deg}


def slew(scope: Instrument, where: Place) -> None:
    """There, and at rest."""
    scope.call("SlewToCoordinatesAsync", **told(where))
    scope.until("Slewing", False)


def require(scope: Instrument, *flags: str) -> None:
    """Skip where the telescope says that it cannot do this."""
    for flag in flags:
        if not scope.read(flag):
            pytest.skip(f"this telescope says {flag} is false")
