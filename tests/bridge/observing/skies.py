"""Where the tests of the night stand, and how to name a direction there: by altitude and azimuth, at an instant."""

import math
from datetime import UTC, datetime

from drivers.values import Equatorial, EquatorialSystem, MountStatus, PierSide
from schedules.ephemeris import Ephemeris
from schedules.site import Site

FRONT_RANGE = Site(latitude_deg=38.84, longitude_deg=-104.97, elevation_m=1900.0)
# The Sun stands 70° below the horizon then.
MIDNIGHT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def looking_at(
    ephemeris: Ephemeris, altitude_deg: float, azimuth_deg: float, at: datetime, site: Site = FRONT_RANGE
) -> Equatorial:
    """The direction on axes of date that stands there at that instant; right to an arcsecond (polar motion)."""
    altitude, azimuth, latitude = (math.radians(angle) for angle in (altitude_deg, azimuth_deg, site.latitude_deg))
    north, east, up = (
        math.cos(altitude) * math.cos(azimuth),
        math.cos(altitude) * math.sin(azimuth),
        math.sin(altitude),
    )
    towards_equator = up * math.cos(latitude) - north * math.sin(latitude)
    towards_pole = up * math.sin(latitude) + north * math.cos(latitude)
    hour_angle_deg = math.degrees(math.atan2(-east, towards_equator))
    dec_deg = math.degrees(math.asin(max(-1.0, min(1.0, towards_pole))))
    ra_deg = (ephemeris.sidereal_time_deg(site, at) - hour_angle_deg) % 360.0 % 360.0
    return Equatorial(ra_deg=ra_deg, dec_deg=dec_deg, system=EquatorialSystem.APPARENT)


def mount_at(pointing: Equatorial, at: datetime, *, parked: bool = False) -> MountStatus:
    """A reading of a mount that stands there."""
    return MountStatus(
        pointing=pointing, slewing=False, tracking=not parked, parked=parked, pier_side=PierSide.UNKNOWN, read_at=at
    )


def apart_deg(altitude_a_deg: float, azimuth_a_deg: float, altitude_b_deg: float, azimuth_b_deg: float) -> float:
    """The angle between two directions, by the dot product of their unit vectors."""
    a, b = (_unit(altitude_a_deg, azimuth_a_deg), _unit(altitude_b_deg, azimuth_b_deg))
    return math.degrees(math.acos(max(-1.0, min(1.0, sum(x * y for x, y in zip(a, b, strict=True))))))


def _unit(altitude_deg: float, azimuth_deg: float) -> tuple[float, float, float]:
    altitude, azimuth = math.radians(altitude_deg), math.radians(azimuth_deg)
    return (
        math.cos(altitude) * math.cos(azimuth),
        math.cos(altitude) * math.sin(azimuth),
        math.sin(altitude),
    )
