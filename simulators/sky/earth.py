"""The ground under the simulated telescope: what its axes and its horizon mean among the stars."""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

import erfa
import numpy as np

from simulators.sky.rotation import TURN_RAD_S, Orientation, orientation_at, unix_of
from simulators.sky.vectors import Floats, Vectors, aberrated, angles_of, applied, turned_about_pole, unit_of

_WGS84 = 1


@dataclass(frozen=True)
class Ground:
    """A place on the WGS 84 ellipsoid, longitude positive to the east.

    ICRS stands for catalogue coordinates of stars without proper motion; *apparent* adds precession, nutation and the
    aberration of the observer's whole motion, the year's and the day's (0.3″): topocentric, true equator and equinox
    of date. There is no refraction in the simulated sky. An answer for an instant asked before comes from memory.
    """

    latitude_deg: float
    longitude_deg: float
    elevation_m: float

    def __post_init__(self) -> None:
        if not (
            abs(self.latitude_deg) <= 90.0 and abs(self.longitude_deg) <= 360.0 and math.isfinite(self.elevation_m)
        ):
            raise ValueError(
                f"no such place: latitude {self.latitude_deg}°, longitude {self.longitude_deg}°, {self.elevation_m} m"
            )

    def sidereal_time_deg(self, at: datetime) -> float:
        """Local apparent sidereal time, in [0, 360)."""
        return _view(self, at).sidereal_deg

    def apparent_of(self, ra_deg: float, dec_deg: float, at: datetime) -> tuple[float, float]:
        """Right ascension and declination of date at which a star of these ICRS coordinates stands."""
        view = _view(self, at)
        return _pair(view.date_of_gcrs @ aberrated(unit_of(ra_deg, dec_deg), view.velocity_km_s))

    def icrs_of(self, ra_deg: float, dec_deg: float, at: datetime) -> tuple[float, float]:
        """The ICRS coordinates of the star that stands at this apparent place; `apparent_of` undone."""
        view = _view(self, at)
        return _pair(aberrated(unit_of(ra_deg, dec_deg) @ view.date_of_gcrs, -view.velocity_km_s))

    def horizontal_of(self, ra_deg: float, dec_deg: float, at: datetime) -> tuple[float, float]:
        """Altitude and azimuth (from north through east) of an apparent place."""
        azimuth_deg, altitude_deg = _pair(_view(self, at).horizon_of_date @ unit_of(ra_deg, dec_deg))
        return altitude_deg, azimuth_deg

    def equatorial_of(self, altitude_deg: float, azimuth_deg: float, at: datetime) -> tuple[float, float]:
        """The apparent right ascension and declination of a place on the horizon's axes; `horizontal_of` undone."""
        return _pair(unit_of(azimuth_deg, altitude_deg) @ _view(self, at).horizon_of_date)

    def sun_altitude_deg(self, at: datetime) -> float:
        """Altitude of the Sun's centre, unrefracted."""
        return self.sun_horizontal(at)[0]

    def sun_horizontal(self, at: datetime) -> tuple[float, float]:
        """Altitude and azimuth of the Sun's centre, unrefracted."""
        view = _view(self, at)
        seen = aberrated(view.sun_km / np.linalg.norm(view.sun_km), view.velocity_km_s)
        azimuth_deg, altitude_deg = _pair(view.horizon_of_date @ view.date_of_gcrs @ seen)
        return altitude_deg, azimuth_deg

    @cached_property
    def itrs_km(self) -> Vectors:
        """Where the observer is on axes fixed in the Earth."""
        metres = erfa.gd2gc(_WGS84, math.radians(self.longitude_deg), math.radians(self.latitude_deg), self.elevation_m)
        return np.asarray(metres, dtype=np.float64) / 1000.0

    @cached_property
    def horizon_of_itrs(self) -> Vectors:
        """Turns axes fixed in the Earth to (north, east, up), so that longitude on them is azimuth."""
        longitude, latitude = math.radians(self.longitude_deg), math.radians(self.latitude_deg)
        south_lat, cos_lat = math.sin(latitude), math.cos(latitude)
        sin_lon, cos_lon = math.sin(longitude), math.cos(longitude)
        north = (-south_lat * cos_lon, -south_lat * sin_lon, cos_lat)
        return np.array([north, (-sin_lon, cos_lon, 0.0), (cos_lat * cos_lon, cos_lat * sin_lon, south_lat)])


def observer_of(ground: Ground, earth: Orientation) -> tuple[Vectors, Vectors]:
    """The observer's geocentric position (km) and velocity about the barycentre (km/s) on GCRS axes, shape (n, 3)."""
    gcrs_of_itrs = np.swapaxes(earth.itrs_of_gcrs, -1, -2)
    place_km = applied(gcrs_of_itrs, np.broadcast_to(ground.itrs_km, (len(earth.unix_s), 3)))
    pole = earth.date_of_gcrs[:, 2, :]
    return place_km, earth.velocity_km_s + TURN_RAD_S * np.cross(pole, place_km)


@dataclass(frozen=True, slots=True)
class _View:
    """Everything a ground needs at one instant."""

    sidereal_deg: float
    date_of_gcrs: Vectors
    horizon_of_date: Vectors
    velocity_km_s: Vectors
    sun_km: Vectors


@lru_cache(maxsize=8192)
def _view(ground: Ground, at: datetime) -> _View:
    earth = orientation_at(np.array([unix_of(at)]))
    place_km, velocity_km_s = observer_of(ground, earth)
    turned: Floats = turned_about_pole(earth.gast_rad[0])
    return _View(
        sidereal_deg=(math.degrees(float(earth.gast_rad[0])) + ground.longitude_deg) % 360.0,
        date_of_gcrs=earth.date_of_gcrs[0],
        horizon_of_date=ground.horizon_of_itrs @ earth.itrs_of_tirs[0] @ turned,
        velocity_km_s=velocity_km_s[0],
        sun_km=earth.sun_km[0] - place_km[0],
    )


def _pair(vector: Vectors) -> tuple[float, float]:
    longitude_deg, latitude_deg = angles_of(vector)
    return float(longitude_deg), float(latitude_deg)
