"""Directions, one type per reference system, so that they cannot be mixed up.

*ICRS*: catalogue coordinates of the stars the target is seen among (astrometric: with light time, without aberration).
*Apparent*: topocentric, light time and aberration included, true equator and equinox of date. *Horizontal*: of the
apparent place, without refraction; azimuth from north through east.
"""

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ICRS:
    """A direction on the fixed axes of the catalogues."""

    ra_deg: float
    dec_deg: float

    def __post_init__(self) -> None:
        _check_equatorial(self.ra_deg, self.dec_deg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Apparent:
    """A topocentric direction on the true equator and equinox of date."""

    ra_deg: float
    dec_deg: float

    def __post_init__(self) -> None:
        _check_equatorial(self.ra_deg, self.dec_deg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizontal:
    """A topocentric direction, unrefracted; azimuth from north through east.

    Raises:
        ValueError: an altitude beyond ±90°, or an azimuth outside of 0° to below 360°.
    """

    altitude_deg: float
    azimuth_deg: float

    def __post_init__(self) -> None:
        if not -90.0 <= self.altitude_deg <= 90.0 or not 0.0 <= self.azimuth_deg < 360.0:
            raise ValueError(f"altitude {self.altitude_deg}°, azimuth {self.azimuth_deg}° is no direction")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a target is at one instant, and how fast it moves.

    Rates of right ascension are changes of the coordinate: no cos dec in them. `range_km` is infinite and
    `range_rate_km_s` zero for a star. `sunlit` is what skyfield's `is_sunlit` means; True for a star.
    """

    at: datetime
    icrs: ICRS
    apparent: Apparent
    horizontal: Horizontal
    range_km: float
    range_rate_km_s: float
    icrs_ra_rate_deg_s: float
    icrs_dec_rate_deg_s: float
    apparent_ra_rate_deg_s: float
    apparent_dec_rate_deg_s: float
    altitude_rate_deg_s: float
    azimuth_rate_deg_s: float
    sunlit: bool

    @property
    def angular_rate_deg_s(self) -> float:
        """How fast it moves among the stars."""
        across = self.icrs_ra_rate_deg_s * math.cos(math.radians(self.icrs.dec_deg))
        return math.hypot(across, self.icrs_dec_rate_deg_s)


def separation_deg(a: ICRS | Apparent, b: ICRS | Apparent) -> float:
    """The angle between two directions of one system, exact for small angles too.

    Raises:
        TypeError: the two are of different systems.
    """
    if type(a) is not type(b):
        raise TypeError(f"a separation needs one system, not {type(a).__name__} and {type(b).__name__}")
    return angle_deg(a.ra_deg, a.dec_deg, b.ra_deg, b.dec_deg)


def angle_deg(longitude_a_deg: float, latitude_a_deg: float, longitude_b_deg: float, latitude_b_deg: float) -> float:
    """The angle between two directions given as longitude and latitude (haversine form)."""
    latitude_a, latitude_b = math.radians(latitude_a_deg), math.radians(latitude_b_deg)
    half_latitude = math.sin((latitude_b - latitude_a) / 2.0)
    half_longitude = math.sin(math.radians(longitude_b_deg - longitude_a_deg) / 2.0)
    haversine = half_latitude**2 + math.cos(latitude_a) * math.cos(latitude_b) * half_longitude**2
    return math.degrees(2.0 * math.asin(math.sqrt(min(1.0, haversine))))


def _check_equatorial(ra_deg: float, dec_deg: float) -> None:
    if not 0.0 <= ra_deg < 360.0 or not -90.0 <= dec_deg <= 90.0:
        raise ValueError(f"right ascension {ra_deg}°, declination {dec_deg}° is no direction")
