"""A course is the direct computation, only quicker: at every instant, in every system, overhead and at the pole too."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import erfa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyfield.api import wgs84

from schedules.courses import Bearing, Course
from schedules.ephemeris import Ephemeris
from schedules.errors import BadElements, DecayedOrbit
from schedules.instants import Floats, datetime_of
from schedules.places import ICRS, angle_deg
from schedules.site import Site
from schedules.targets import Satellite, Star, Target

EVENING = datetime(2026, 8, 11, 19, 40, 0, tzinfo=UTC)
ARCSEC = 1.0 / 3600.0
WITHIN_DEG = 0.01 * ARCSEC
RATE_WITHIN_DEG_S = 0.02 * ARCSEC

# Longitude, latitude and their rates, in each system: the fields of a bearing, and of a place.
SYSTEMS = (
    (slice(0, 4), "icrs", "icrs_ra", "icrs_dec"),
    (slice(4, 8), "apparent", "apparent_ra", "apparent_dec"),
    (slice(8, 12), "horizontal", "azimuth", "altitude"),
)


def some_instants(course: Course, count: int, seed: int = 7) -> list[datetime]:
    """Anywhere in the course, both ends among them."""
    inside = np.random.default_rng(seed).uniform(course.opens_s, course.closes_s, count - 2).tolist()
    return [datetime_of(unix_s) for unix_s in (course.opens_s, *inside, course.closes_s)]


def assert_places_agree(ephemeris: Ephemeris, target: Target, site: Site, course: Course, count: int = 60) -> None:
    """In all systems, to a hundredth of an arcsecond."""
    instants = some_instants(course, count)
    track = ephemeris.track_of(target, site, instants)
    for number, at in enumerate(instants):
        bearing = course.at(at.timestamp())
        assert all(math.isfinite(number) for number in bearing)
        exact = (
            ("icrs", bearing.icrs_ra_deg, bearing.icrs_dec_deg, track.icrs_ra_deg, track.icrs_dec_deg),
            (
                *("apparent", bearing.apparent_ra_deg, bearing.apparent_dec_deg),
                *(track.apparent_ra_deg, track.apparent_dec_deg),
            ),
            ("horizontal", bearing.azimuth_deg, bearing.altitude_deg, track.azimuth_deg, track.altitude_deg),
        )
        for system, longitude_deg, latitude_deg, longitudes_deg, latitudes_deg in exact:
            off_deg = angle_deg(longitude_deg, latitude_deg, longitudes_deg[number], latitudes_deg[number])
            assert off_deg < WITHIN_DEG, f"{system} at {at}: {off_deg / ARCSEC:.4f}″"


def assert_rates_agree(
    ephemeris: Ephemeris, target: Target, site: Site, course: Course, instants: list[datetime]
) -> None:
    """On the sky: near a pole a longitude alone may turn as fast as it likes."""
    for at in instants:
        bearing, place = course.at(at.timestamp()), ephemeris.place_of(target, site, at)
        for fields, system, longitude, latitude in SYSTEMS:
            _, latitude_deg, longitude_rate, latitude_rate = bearing[fields]
            across = math.cos(math.radians(latitude_deg))
            off_deg_s = math.hypot(
                (longitude_rate - getattr(place, f"{longitude}_rate_deg_s")) * across,
                latitude_rate - getattr(place, f"{latitude}_rate_deg_s"),
            )
            assert off_deg_s < RATE_WITHIN_DEG_S, f"{system} at {at}: {off_deg_s / ARCSEC:.4f}″/s"


@given(
    mean_motion=st.floats(0.5, 16.0),
    roundness=st.floats(0.0, 1.0),
    inclination=st.floats(0.0, 180.0),
    anomaly=st.floats(0.0, 360.0),
    perigee=st.floats(0.0, 360.0),
    latitude=st.floats(-90.0, 90.0),
    longitude=st.floats(-180.0, 180.0),
    hours=st.floats(0.02, 4.0),
)
@settings(max_examples=60, deadline=None)
def test_any_orbit_over_any_site_is_followed_to_a_hundredth_of_an_arcsecond(
    ephemeris: Ephemeris,
    satellite_like: Callable[..., Satellite],
    mean_motion: float,
    roundness: float,
    inclination: float,
    anomaly: float,
    perigee: float,
    latitude: float,
    longitude: float,
    hours: float,
) -> None:
    axis_km = 42241.0 / mean_motion ** (2.0 / 3.0)
    satellite = satellite_like(
        mean_motion_rev_per_day=mean_motion,
        eccentricity=max(0.0, 1.0 - 6600.0 / axis_km) * roundness,  # the perigee stays above the air
        inclination_deg=inclination,
        mean_anomaly_deg=anomaly,
        argument_of_perigee_deg=perigee,
    )
    site = Site(latitude_deg=latitude, longitude_deg=longitude, elevation_m=500.0)
    try:
        course = ephemeris.course_of(satellite, site, opens=EVENING, closes=EVENING + timedelta(hours=hours))
    except (DecayedOrbit, BadElements):
        return
    assert_places_agree(ephemeris, satellite, site, course)
    assert_rates_agree(ephemeris, satellite, site, course, some_instants(course, 6))


@pytest.mark.parametrize("orbit", ["low", "middle", "stationary", "eccentric"])
def test_each_kind_of_orbit_is_followed_over_midnight_and_through_its_perigee(
    request: pytest.FixtureRequest, ephemeris: Ephemeris, site: Site, orbit: str
) -> None:
    satellite: Satellite = request.getfixturevalue(orbit)
    course = ephemeris.course_of(satellite, site, opens=EVENING, closes=EVENING + timedelta(hours=13))
    assert_places_agree(ephemeris, satellite, site, course, count=2000)
    assert_rates_agree(ephemeris, satellite, site, course, some_instants(course, 40))


def crust_km(ephemeris: Ephemeris, satellite: Satellite, at: datetime) -> Floats:
    """Where the satellite is on the Earth's axes, from two places that the product gives."""
    site = Site(latitude_deg=0.0, longitude_deg=0.0, elevation_m=0.0)
    place = ephemeris.place_of(satellite, site, at)
    altitude, azimuth = math.radians(place.horizontal.altitude_deg), math.radians(place.horizontal.azimuth_deg)
    up, north, east = (
        math.sin(altitude),
        math.cos(altitude) * math.cos(azimuth),
        math.cos(altitude) * math.sin(azimuth),
    )
    ground: Floats = np.asarray(wgs84.latlon(0.0, 0.0).itrs_xyz.km)
    return ground + place.range_km * np.array([up, east, north])


def test_a_pass_through_the_zenith_is_followed_through_it(ephemeris: Ephemeris, low: Satellite) -> None:
    overhead_at = EVENING + timedelta(minutes=5, seconds=18)
    longitude, latitude, _ = erfa.gc2gd(1, crust_km(ephemeris, low, overhead_at) * 1000.0)
    site = Site(latitude_deg=math.degrees(latitude), longitude_deg=math.degrees(longitude), elevation_m=0.0)
    assert ephemeris.place_of(low, site, overhead_at).horizontal.altitude_deg > 89.9
    course = ephemeris.course_of(
        low, site, opens=overhead_at - timedelta(minutes=4), closes=overhead_at + timedelta(minutes=4)
    )
    assert_places_agree(ephemeris, low, site, course, count=2000)
    near = [overhead_at + timedelta(seconds=0.05 * step) for step in range(-40, 40)]
    assert_rates_agree(ephemeris, low, site, course, near)
    highest = max(near, key=lambda at: course.at(at.timestamp()).altitude_deg)
    overhead = course.at(highest.timestamp())
    assert overhead.altitude_deg > 89.9
    # The azimuth turns half round in seconds there, and its rate says so.
    assert abs(overhead.azimuth_rate_deg_s) > 5.0


def test_a_pass_by_the_celestial_pole_is_followed_round_it(
    ephemeris: Ephemeris, satellite_like: Callable[..., Satellite]
) -> None:
    polar = satellite_like(inclination_deg=89.9)
    # Seen in the direction of the axis from where the Earth is as thick as the orbit is there.
    for minutes in range(100):
        at = EVENING + timedelta(minutes=minutes)
        x, y, z = crust_km(ephemeris, polar, at)
        if z > 0.0 and math.hypot(x, y) < 5500.0:
            break
    low_deg, high_deg = 0.0, 90.0
    for _ in range(50):
        middle_deg = (low_deg + high_deg) / 2.0
        if wgs84.latlon(middle_deg, 0.0).itrs_xyz.km[0] > math.hypot(x, y):
            low_deg = middle_deg
        else:
            high_deg = middle_deg
    site = Site(latitude_deg=low_deg, longitude_deg=math.degrees(math.atan2(y, x)), elevation_m=0.0)
    assert ephemeris.place_of(polar, site, at).apparent.dec_deg > 89.9
    course = ephemeris.course_of(polar, site, opens=at - timedelta(minutes=3), closes=at + timedelta(minutes=3))
    assert_places_agree(ephemeris, polar, site, course, count=2000)
    assert_rates_agree(ephemeris, polar, site, course, [at + timedelta(seconds=0.1 * step) for step in range(-30, 30)])


@pytest.mark.parametrize(
    "icrs",
    [
        ICRS(ra_deg=279.2347, dec_deg=38.7837),
        ICRS(ra_deg=37.9546, dec_deg=89.2641),
        ICRS(ra_deg=0.0, dec_deg=90.0),
        ICRS(ra_deg=359.9999999, dec_deg=0.0),
    ],
    ids=["Vega", "Polaris", "the pole", "where right ascension begins"],
)
def test_a_star_has_a_course_as_well(ephemeris: Ephemeris, site: Site, icrs: ICRS) -> None:
    star = Star(name="a star", icrs=icrs)
    course = ephemeris.course_of(star, site, opens=EVENING, closes=EVENING + timedelta(hours=10))
    assert_places_agree(ephemeris, star, site, course, count=200)
    bearing = course.at(course.opens_s + 3600.0)
    assert angle_deg(bearing.icrs_ra_deg, bearing.icrs_dec_deg, icrs.ra_deg, icrs.dec_deg) < WITHIN_DEG
    across = math.cos(math.radians(bearing.altitude_deg))
    turning_deg_s = math.hypot(bearing.azimuth_rate_deg_s * across, bearing.altitude_rate_deg_s)
    sky_deg_s = 360.98564737 / 86400.0 * math.cos(math.radians(bearing.apparent_dec_deg))
    assert turning_deg_s == pytest.approx(sky_deg_s, rel=1e-3, abs=1e-8)


def test_one_system_alone_says_the_same(ephemeris: Ephemeris, site: Site, low: Satellite) -> None:
    course = ephemeris.course_of(low, site, opens=EVENING, closes=EVENING + timedelta(minutes=12))
    unix_s = course.opens_s + 301.7
    assert course.at(unix_s) == Bearing(
        *course.icrs.at(unix_s), *course.apparent.at(unix_s), *course.horizontal.at(unix_s)
    )


@pytest.mark.parametrize("seconds", [-0.001, 720.001, 86400.0, math.nan, math.inf])
def test_an_instant_outside_the_course_is_refused_in_words(
    ephemeris: Ephemeris, site: Site, low: Satellite, seconds: float
) -> None:
    course = ephemeris.course_of(low, site, opens=EVENING, closes=EVENING + timedelta(minutes=12))
    course.at(course.opens_s)
    course.at(course.closes_s)
    with pytest.raises(ValueError, match="not within this course, from 2026-08-11T19:40:00Z to 2026-08-11T19:52:00Z"):
        course.at(course.opens_s + seconds)


def test_a_course_that_ends_before_it_begins_is_refused(ephemeris: Ephemeris, site: Site, low: Satellite) -> None:
    with pytest.raises(ValueError, match="not after"):
        ephemeris.course_of(low, site, opens=EVENING, closes=EVENING)


def test_an_orbit_that_ends_on_the_way_has_no_course(
    ephemeris: Ephemeris, site: Site, satellite_like: Callable[..., Satellite]
) -> None:
    falling = satellite_like(mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.03)
    with pytest.raises(DecayedOrbit):
        ephemeris.course_of(falling, site, opens=EVENING, closes=EVENING + timedelta(days=1))
