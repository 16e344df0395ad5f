"""From a body's position to its place in a telescope: light time, aberration, and the axes of the site.

Everything is on the axes of the true equator and equinox of date, in km and km/s, arrays of shape (3, n), unless the
name says otherwise.
"""

from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from skyfield.api import wgs84
from skyfield.constants import ANGVEL, ERAD, C

from schedules.instants import Floats
from schedules.orientation import Attitude
from schedules.site import Site
from schedules.sun_moon import moon_at, sun_at
from schedules.vectors import Body, dot, from_date, horizontal_angles_deg, length

LIGHT_KM_S = float(C) / 1000.0
EARTH_RADIUS_KM = float(ERAD) / 1000.0  # of the shadow, as skyfield's `is_sunlit` has it


class Observer:
    """A site at n instants."""

    def __init__(self, site: Site, attitude: Attitude) -> None:
        self.attitude = attitude
        crust_km, self._east_north_up = on_the_crust(site)
        self._cos_sin = np.cos(attitude.gast_rad), np.sin(attitude.gast_rad)
        self.position_km = self._from_crust(crust_km)
        x, y, z = self.position_km
        self.velocity_km_s: Floats = float(ANGVEL) * np.stack([-y, x, np.zeros_like(z)])
        self.sidereal_time_rad = attitude.gast_rad + np.radians(site.longitude_deg)

    @property
    def barycentric_velocity_km_s(self) -> Floats:
        """Of the site, against the solar system."""
        return self.velocity_km_s + self.attitude.earth_velocity_km_s

    @cached_property
    def zenith(self) -> Floats:
        """Unit vector to the zenith (normal to the ellipsoid)."""
        return self._from_crust(self._east_north_up[2])

    def _from_crust(self, vector: NDArray[np.float64]) -> Floats:
        cos, sin = self._cos_sin
        x, y, z = np.einsum("jin,j->in", self.attitude.polar_motion, vector)
        return np.stack([cos * x - sin * y, sin * x + cos * y, z])

    def east_north_up(self, vector: Floats) -> Floats:
        """The same vector along east, north and the zenith."""
        cos, sin = self._cos_sin
        x, y, z = vector
        terrestrial = np.stack([cos * x + sin * y, cos * y - sin * x, z])
        crust = np.einsum("ijn,jn->in", self.attitude.polar_motion, terrestrial)
        return np.asarray(self._east_north_up @ crust)


class Sightline:
    """A body as an observer sees it."""

    def __init__(self, body: Body, observer: Observer) -> None:
        self.body = body
        self.observer = observer
        self.geometric_km = body.position_km - observer.position_km
        self.range_km = length(self.geometric_km)

    @cached_property
    def astrometric(self) -> Floats:
        """Unit vector to where the body was, among the stars, when the light left it. Date axes."""
        velocity = self.body.velocity_km_s + self.observer.attitude.earth_velocity_km_s
        seen = self.geometric_km - velocity * (self.range_km / LIGHT_KM_S)
        # Once more with the distance then: the first step is off by 0.002″.
        seen = self.geometric_km - velocity * (length(seen) / LIGHT_KM_S)
        return seen / length(seen)

    @cached_property
    def apparent(self) -> Floats:
        """Unit vector, aberration by the site's motion included. Date axes."""
        return aberrated(self.astrometric, self.observer.barycentric_velocity_km_s)

    @property
    def icrs(self) -> Floats:
        """The astrometric unit vector on ICRS axes."""
        return from_date(self.observer.attitude, self.astrometric)

    @property
    def east_north_up(self) -> Floats:
        """The apparent unit vector along east, north and the zenith."""
        return self.observer.east_north_up(self.apparent)

    def east_north_up_of(self, direction: Floats) -> Floats:
        """A vector on date axes, along east, north and the zenith."""
        return self.observer.east_north_up(direction)

    @property
    def exists(self) -> Floats:
        """1 where there is a place at all, NaN where there is none: a margin that only an ended orbit breaks."""
        return np.where(np.isfinite(self.range_km), 1.0, np.nan)

    @property
    def azimuth_deg(self) -> Floats:
        """Of the apparent place."""
        return horizontal_angles_deg(self.east_north_up)[0]

    @property
    def sine_of_altitude(self) -> Floats:
        """Of the apparent place."""
        return dot(self.apparent, self.observer.zenith)

    @property
    def shadow_clearance_km(self) -> Floats:
        """How far the straight line to the Sun's centre passes from the Earth's sphere; negative in its shadow.

        Where the Sun is on the near side, the height above the sphere: the value is continuous.
        """
        return shadow_clearance_km(self.body.position_km, self.observer.attitude.sun_km)

    @property
    def sun(self) -> Floats:
        """The apparent unit vector to the Sun's centre. Date axes."""
        return Sightline(sun_at(self.observer.attitude), self.observer).apparent

    @property
    def moon(self) -> Floats:
        """The apparent unit vector to the Moon's centre. Date axes."""
        return Sightline(moon_at(self.observer.attitude), self.observer).apparent


def shadow_clearance_km(position: Floats, sun: Floats) -> Floats:
    """As `Sightline.shadow_clearance_km`, from places on the same axes."""
    towards = sun - position
    (x, y, z), (u, v, w) = position, sun
    # The part across the line by a cross product: right for stars too, whose distance would drown a difference.
    aside = length(np.stack([y * w - z * v, z * u - x * w, x * v - y * u])) / length(towards)
    is_behind = dot(position, towards) < 0.0
    return np.where(is_behind, aside, length(position)) - EARTH_RADIUS_KM


def aberrated(direction: Floats, velocity_km_s: Floats) -> Floats:
    """Unit vectors as an observer sees them who moves at `velocity_km_s`.

    The relativistic formula of the Explanatory Supplement (3rd edition, 7.40), without the bending of light by the Sun,
    which is below 0.02″ farther than 20° from it.
    """
    beta = velocity_km_s / LIGHT_KM_S
    root = np.sqrt(1.0 - dot(beta, beta))
    forward = dot(direction, beta)
    seen = (root * direction + (1.0 + forward / (1.0 + root)) * beta) / (1.0 + forward)
    return seen / length(seen)


def unaberrated(direction: Floats, velocity_km_s: Floats) -> Floats:
    """The inverse of `aberrated`: the same formula with the opposite velocity."""
    return aberrated(direction, -velocity_km_s)


@lru_cache(maxsize=64)
def on_the_crust(site: Site) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The site on the axes of the crust (ITRS, km), and the matrix from there to east, north and up (WGS84)."""
    where = wgs84.latlon(site.latitude_deg, site.longitude_deg, elevation_m=site.elevation_m)
    latitude, longitude = np.radians(site.latitude_deg), np.radians(site.longitude_deg)
    east = [-np.sin(longitude), np.cos(longitude), 0.0]
    north = [-np.sin(latitude) * np.cos(longitude), -np.sin(latitude) * np.sin(longitude), np.cos(latitude)]
    up = [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    return np.asarray(where.itrs_xyz.km), np.array([east, north, up])
