"""Where satellites, stars, Sun and Moon are. No clock, no waiting, no network: every question names its instant."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from schedules.courses import Course, arcs_through
from schedules.instants import Floats, Instants, unix_s_of
from schedules.orientation import EarthOrientation, EarthTables
from schedules.places import ICRS, Apparent, Horizontal, Place
from schedules.propagation import propagate, propagator_of, require_places
from schedules.sightlines import Observer, Sightline, aberrated, unaberrated
from schedules.site import Site
from schedules.sun_moon import moon_at, satellite_at, star_at, sun_at
from schedules.targets import Star, Target
from schedules.tracks import HorizontalTrack, Track
from schedules.vectors import angles_deg, direction_of, from_date, horizontal_angles_deg, to_date

# Rates are differences over twice this time: short against the quickest pass (0.001″/s off), long against rounding.
_RATE_STEP_S = 0.1


class Ephemeris:
    """Answers where things are. Reads its tables once, when it is made; may be shared between threads.

    Places hold to 0.02″ for what SGP4 says, the Sun to 1″, the Moon to 15″. Refraction is never included.
    """

    def __init__(self, tables: Path | None = None) -> None:
        """`tables` is a finals2000A file of the IERS; None: the one of the package astropy-iers-data."""
        self.earth = EarthTables(tables)

    @property
    def earth_orientation(self) -> EarthOrientation:
        """How far the tables of UT1 and polar motion reach."""
        return self.earth.reach

    def place_of(self, target: Target, site: Site, at: datetime) -> Place:
        """The place of `target` and its rates at one instant.

        Raises:
            DecayedOrbit: SGP4 gives no place then.
            BadElements: SGP4 cannot start from the elements.
        """
        steps = np.array([0.0, -_RATE_STEP_S, _RATE_STEP_S])
        instants = Instants.of([at]).shifted(steps)
        return _place_from(self._sightline(target, site, instants), target, at)

    def track_of(self, target: Target, site: Site, instants: Sequence[datetime]) -> Track:
        """The places of `target` at many instants at once.

        Raises:
            DecayedOrbit: SGP4 gives no place at one of them.
            BadElements: SGP4 cannot start from the elements.
        """
        when = Instants.of(instants)
        sightline = self._sightline(target, site, when)
        ra_deg, dec_deg = angles_deg(sightline.apparent)
        icrs_ra_deg, icrs_dec_deg = angles_deg(sightline.icrs)
        horizontal = _horizontal_track(sightline)
        hour_angle_deg = np.degrees(sightline.observer.sidereal_time_rad) - ra_deg
        is_star = isinstance(target, Star)
        return Track(
            unix_s=when.unix_s,
            icrs_ra_deg=icrs_ra_deg,
            icrs_dec_deg=icrs_dec_deg,
            apparent_ra_deg=ra_deg,
            apparent_dec_deg=dec_deg,
            altitude_deg=horizontal.altitude_deg,
            azimuth_deg=horizontal.azimuth_deg,
            hour_angle_deg=(hour_angle_deg + 180.0) % 360.0 - 180.0,
            range_km=np.full(len(when), np.inf) if is_star else sightline.range_km,
            sunlit=np.full(len(when), True) if is_star else sightline.shadow_clearance_km >= 0.0,
        )

    def course_of(self, target: Target, site: Site, *, opens: datetime, closes: datetime) -> Course:
        """The way of `target` from `opens` to `closes`, ready to be asked for any instant between.

        Raises:
            ValueError: `closes` is not after `opens`.
            DecayedOrbit: SGP4 gives no place on the way.
            BadElements: SGP4 cannot start from the elements.
        """
        begins = Instants.of([opens])

        def directions(after_s: Floats) -> Floats:
            sightline = self._sightline(target, site, begins.shifted(after_s))
            east, north, up = sightline.east_north_up
            return np.stack([sightline.icrs, sightline.apparent, np.stack([north, east, up])])

        opens_s, closes_s = unix_s_of(opens), unix_s_of(closes)
        icrs, apparent, horizontal = arcs_through(directions, opens_s, closes_s)
        return Course(opens_s=opens_s, closes_s=closes_s, icrs=icrs, apparent=apparent, horizontal=horizontal)

    def sun_of(self, site: Site, at: datetime) -> Horizontal:
        """The apparent Sun's centre."""
        track = self.sun_track(site, [at])
        return Horizontal(altitude_deg=float(track.altitude_deg[0]), azimuth_deg=float(track.azimuth_deg[0]))

    def sun_altitude_deg(self, site: Site, at: datetime) -> float:
        """The altitude of the apparent Sun's centre."""
        return self.sun_of(site, at).altitude_deg

    def sun_track(self, site: Site, instants: Sequence[datetime]) -> HorizontalTrack:
        """The apparent Sun's centre at many instants."""
        attitude = self.earth.attitude_at(Instants.of(instants))
        return _horizontal_track(Sightline(sun_at(attitude), Observer(site, attitude)))

    def moon_of(self, site: Site, at: datetime) -> Apparent:
        """The Moon's centre as seen from `site`, to 15″."""
        attitude = self.earth.attitude_at(Instants.of([at]))
        return _apparent_from(Sightline(moon_at(attitude), Observer(site, attitude)).apparent)

    def sidereal_time_deg(self, site: Site, at: datetime) -> float:
        """Local apparent sidereal time, 0 <= time < 360."""
        observer = Observer(site, self.earth.attitude_at(Instants.of([at])))
        return float(np.degrees(observer.sidereal_time_rad[0])) % 360.0

    def horizontal_of(self, direction: ICRS | Apparent, site: Site, at: datetime) -> Horizontal:
        """Where a direction fixed among the stars stands; from ICRS with the aberration by the site's own motion."""
        attitude = self.earth.attitude_at(Instants.of([at]))
        observer = Observer(site, attitude)
        apparent = direction_of(direction.ra_deg, direction.dec_deg)
        if isinstance(direction, ICRS):
            apparent = aberrated(to_date(attitude, apparent), observer.barycentric_velocity_km_s)
        azimuth_deg, altitude_deg = horizontal_angles_deg(observer.east_north_up(apparent))
        return Horizontal(altitude_deg=float(altitude_deg[0]), azimuth_deg=float(azimuth_deg[0]))

    def apparent_of(self, icrs: ICRS, at: datetime) -> Apparent:
        """Precession, nutation and annual aberration; for the Earth's centre: up to 0.32″ from a site's own."""
        attitude = self.earth.attitude_at(Instants.of([at]))
        fixed = direction_of(icrs.ra_deg, icrs.dec_deg)
        return _apparent_from(aberrated(to_date(attitude, fixed), attitude.earth_velocity_km_s))

    def icrs_of(self, apparent: Apparent, at: datetime) -> ICRS:
        """The inverse of `apparent_of`."""
        attitude = self.earth.attitude_at(Instants.of([at]))
        seen = unaberrated(direction_of(apparent.ra_deg, apparent.dec_deg), attitude.earth_velocity_km_s)
        ra_deg, dec_deg = angles_deg(from_date(attitude, seen))
        return ICRS(ra_deg=float(ra_deg[0]), dec_deg=float(dec_deg[0]))

    def _sightline(self, target: Target, site: Site, instants: Instants) -> Sightline:
        attitude = self.earth.attitude_at(instants)
        observer = Observer(site, attitude)
        if isinstance(target, Star):
            return Sightline(star_at(target, attitude), observer)
        position, velocity, errors = propagate(propagator_of(target.elements), instants)
        require_places(target, instants, errors)
        return Sightline(satellite_at(position, velocity, attitude), observer)


def _horizontal_track(sightline: Sightline) -> HorizontalTrack:
    azimuth_deg, altitude_deg = horizontal_angles_deg(sightline.east_north_up)
    return HorizontalTrack(altitude_deg=altitude_deg, azimuth_deg=azimuth_deg)


def _apparent_from(direction: Floats) -> Apparent:
    ra_deg, dec_deg = angles_deg(direction)
    return Apparent(ra_deg=float(ra_deg[0]), dec_deg=float(dec_deg[0]))


def _place_from(sightline: Sightline, target: Target, at: datetime) -> Place:
    """A place from a sightline at the instant itself, a little before and a little after."""
    is_star = isinstance(target, Star)
    icrs_ra, icrs_dec, icrs_ra_rate, icrs_dec_rate = _angles_and_rates_deg(sightline.icrs)
    ra, dec, ra_rate, dec_rate = _angles_and_rates_deg(sightline.apparent)
    east, north, up = sightline.east_north_up
    azimuth, altitude, azimuth_rate, altitude_rate = _angles_and_rates_deg(np.stack([north, east, up]))
    range_km = sightline.range_km
    return Place(
        at=at,
        icrs=ICRS(ra_deg=icrs_ra, dec_deg=icrs_dec),
        apparent=Apparent(ra_deg=ra, dec_deg=dec),
        horizontal=Horizontal(altitude_deg=altitude, azimuth_deg=azimuth),
        range_km=float("inf") if is_star else float(range_km[0]),
        range_rate_km_s=0.0 if is_star else float(range_km[2] - range_km[1]) / (2.0 * _RATE_STEP_S),
        icrs_ra_rate_deg_s=icrs_ra_rate,
        icrs_dec_rate_deg_s=icrs_dec_rate,
        apparent_ra_rate_deg_s=ra_rate,
        apparent_dec_rate_deg_s=dec_rate,
        altitude_rate_deg_s=altitude_rate,
        azimuth_rate_deg_s=azimuth_rate,
        sunlit=is_star or bool(sightline.shadow_clearance_km[0] >= 0.0),
    )


def _angles_and_rates_deg(direction: Floats) -> tuple[float, float, float, float]:
    """Longitude, latitude and their rates, from unit vectors at the instant, before and after.

    The vector's own rate is taken and then laid along the two circles: a difference of the angles would be wrong where
    longitude jumps from 360° to 0°, and near the pole.
    """
    longitudes, latitudes = angles_deg(direction[:, :1])
    rate = (direction[:, 2] - direction[:, 1]) / (2.0 * _RATE_STEP_S)
    x, y, z = direction[:, 0]
    # At the pole itself longitude has no rate; half a micro-arcsecond away is as near as any target stands still.
    across = max(float(np.hypot(x, y)), 1e-12)
    longitude_rate = (x * rate[1] - y * rate[0]) / across**2
    latitude_rate = across * rate[2] - z * (x * rate[0] + y * rate[1]) / across
    return float(longitudes[0]), float(latitudes[0]), _degrees(longitude_rate), _degrees(latitude_rate)


def _degrees(radians: float) -> float:
    return float(np.degrees(radians))
