"""Places among themselves: the laws they obey. Numbers from outside are in tests/oracles."""

import math
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.ephemeris import Ephemeris
from schedules.errors import BadElements, DecayedOrbit
from schedules.places import ICRS, Apparent, Place, angle_deg, separation_deg
from schedules.site import Site
from schedules.targets import Satellite, Star

EVENING = datetime(2026, 8, 11, 21, 0, 0, tzinfo=UTC)
ARCSEC = 1.0 / 3600.0

directions = st.builds(ICRS, ra_deg=st.floats(0.0, 359.999999), dec_deg=st.floats(-90.0, 90.0))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(icrs=directions, at=instants)
@settings(max_examples=60, deadline=None)
def test_there_and_back_between_icrs_and_apparent_is_where_one_began(
    ephemeris: Ephemeris, icrs: ICRS, at: datetime
) -> None:
    assert separation_deg(ephemeris.icrs_of(ephemeris.apparent_of(icrs, at), at), icrs) < 1e-6 * ARCSEC


@given(icrs=directions, at=instants)
@settings(max_examples=40, deadline=None)
def test_a_star_stands_at_one_place_whichever_way_one_asks(
    ephemeris: Ephemeris, site: Site, icrs: ICRS, at: datetime
) -> None:
    place = ephemeris.place_of(Star(name="a star", icrs=icrs), site, at)
    asked = ephemeris.horizontal_of(icrs, site, at)
    from_apparent = ephemeris.horizontal_of(place.apparent, site, at)
    for other in (asked, from_apparent):
        off = angle_deg(
            place.horizontal.azimuth_deg, place.horizontal.altitude_deg, other.azimuth_deg, other.altitude_deg
        )
        assert off < 1e-5 * ARCSEC
    assert separation_deg(place.icrs, icrs) < 1e-5 * ARCSEC
    # The site's own motion is all that lies between the place and the direction for the Earth's centre.
    assert separation_deg(place.apparent, ephemeris.apparent_of(icrs, at)) < 0.33 * ARCSEC


def test_a_star_is_sunlit_and_endlessly_far_and_turns_with_the_sky(ephemeris: Ephemeris, site: Site) -> None:
    place = ephemeris.place_of(Star(name="a star", icrs=ICRS(ra_deg=279.2, dec_deg=38.8)), site, EVENING)
    assert place.sunlit
    assert place.range_km == math.inf
    assert place.range_rate_km_s == 0.0
    assert place.angular_rate_deg_s < 1e-9
    sky_turns_deg_s = math.hypot(
        place.altitude_rate_deg_s,
        place.azimuth_rate_deg_s * math.cos(math.radians(place.horizontal.altitude_deg)),
    )
    assert sky_turns_deg_s == pytest.approx(360.98564737 / 86400.0 * math.cos(math.radians(38.85)), rel=1e-3)


@pytest.mark.parametrize("orbit", ["low", "middle", "stationary", "eccentric"])
def test_a_track_is_its_places_one_by_one(
    request: pytest.FixtureRequest, ephemeris: Ephemeris, site: Site, orbit: str
) -> None:
    satellite: Satellite = request.getfixturevalue(orbit)
    # Over midnight, where the day's tables change.
    asked = [EVENING + timedelta(hours=2.0, minutes=13.7 * step) for step in range(10)]
    track = ephemeris.track_of(satellite, site, asked)
    for number, at in enumerate(asked):
        place = ephemeris.place_of(satellite, site, at)
        assert track.unix_s[number] == at.timestamp()
        assert track.icrs_ra_deg[number] == pytest.approx(place.icrs.ra_deg, abs=1e-9)
        assert track.icrs_dec_deg[number] == pytest.approx(place.icrs.dec_deg, abs=1e-9)
        assert track.apparent_ra_deg[number] == pytest.approx(place.apparent.ra_deg, abs=1e-9)
        assert track.apparent_dec_deg[number] == pytest.approx(place.apparent.dec_deg, abs=1e-9)
        assert track.altitude_deg[number] == pytest.approx(place.horizontal.altitude_deg, abs=1e-9)
        assert track.azimuth_deg[number] == pytest.approx(place.horizontal.azimuth_deg, abs=1e-9)
        assert track.range_km[number] == pytest.approx(place.range_km, abs=1e-6)
        assert track.sunlit[number] == place.sunlit
        hour_angle_deg = ephemeris.sidereal_time_deg(site, at) - place.apparent.ra_deg
        assert math.remainder(track.hour_angle_deg[number] - hour_angle_deg, 360.0) == pytest.approx(0.0, abs=1e-9)
    assert np.all((track.hour_angle_deg >= -180.0) & (track.hour_angle_deg < 180.0))


def test_a_star_has_a_track_too(ephemeris: Ephemeris, site: Site) -> None:
    star = Star(name="a star", icrs=ICRS(ra_deg=279.2, dec_deg=38.8))
    track = ephemeris.track_of(star, site, [EVENING, EVENING + timedelta(hours=1)])
    assert track.sunlit.all()
    assert np.isinf(track.range_km).all()
    assert track.altitude_deg[0] == pytest.approx(ephemeris.place_of(star, site, EVENING).horizontal.altitude_deg)


def change_deg_s(before: Place, after: Place, which: str) -> float:
    """How fast a coordinate such as "icrs.ra_deg" changed, the short way round, half a second being between them."""
    system, name = which.split(".")
    change_deg = getattr(getattr(after, system), name) - getattr(getattr(before, system), name)
    return math.remainder(change_deg, 360.0) / 0.5


@pytest.mark.parametrize("orbit", ["low", "middle", "stationary", "eccentric"])
def test_rates_are_what_the_places_do_in_a_second(
    request: pytest.FixtureRequest, ephemeris: Ephemeris, site: Site, orbit: str
) -> None:
    satellite: Satellite = request.getfixturevalue(orbit)
    for minutes in range(0, 1440, 37):
        at = EVENING + timedelta(minutes=minutes)
        place = ephemeris.place_of(satellite, site, at)
        before, after = (ephemeris.place_of(satellite, site, at + timedelta(seconds=s)) for s in (-0.25, 0.25))
        rates = {
            "icrs.ra_deg": (place.icrs_ra_rate_deg_s, place.icrs.dec_deg),
            "icrs.dec_deg": (place.icrs_dec_rate_deg_s, 0.0),
            "apparent.ra_deg": (place.apparent_ra_rate_deg_s, place.apparent.dec_deg),
            "apparent.dec_deg": (place.apparent_dec_rate_deg_s, 0.0),
            "horizontal.azimuth_deg": (place.azimuth_rate_deg_s, place.horizontal.altitude_deg),
            "horizontal.altitude_deg": (place.altitude_rate_deg_s, 0.0),
        }
        for which, (rate_deg_s, latitude_deg) in rates.items():
            # On the sky: near a pole a longitude alone may turn as fast as it likes.
            across = math.cos(math.radians(latitude_deg))
            off_deg_s = (rate_deg_s - change_deg_s(before, after, which)) * across
            assert abs(off_deg_s) < 0.02 * ARCSEC, which
        assert place.range_rate_km_s == pytest.approx((after.range_km - before.range_km) / 0.5, abs=1e-5)
        across_deg_s = place.icrs_ra_rate_deg_s * math.cos(math.radians(place.icrs.dec_deg))
        assert place.angular_rate_deg_s == pytest.approx(math.hypot(across_deg_s, place.icrs_dec_rate_deg_s))


def test_a_quick_pass_moves_like_one(ephemeris: Ephemeris, site: Site, low: Satellite) -> None:
    culminates = datetime(2026, 8, 11, 19, 45, 18, tzinfo=UTC)
    place = ephemeris.place_of(low, site, culminates)
    assert place.horizontal.altitude_deg == pytest.approx(51.303, abs=0.01)
    assert place.range_km == pytest.approx(600.0, rel=0.2)
    assert 0.4 < place.angular_rate_deg_s < 0.9
    assert abs(place.altitude_rate_deg_s) < 0.01
    assert abs(place.range_rate_km_s) < 0.5


def test_the_time_zone_of_an_instant_does_not_matter(ephemeris: Ephemeris, site: Site, low: Satellite) -> None:
    in_chile = EVENING.astimezone(timezone(timedelta(hours=-4)))
    assert ephemeris.place_of(low, site, in_chile).icrs == ephemeris.place_of(low, site, EVENING).icrs


def test_an_instant_without_a_time_zone_is_refused(ephemeris: Ephemeris, site: Site, low: Satellite) -> None:
    with pytest.raises(TypeError):
        ephemeris.place_of(low, site, EVENING.replace(tzinfo=None))


def test_an_orbit_that_has_ended_has_no_place(
    ephemeris: Ephemeris, site: Site, satellite_like: Callable[..., Satellite]
) -> None:
    falling = satellite_like(mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.03)
    ephemeris.place_of(falling, site, EVENING - timedelta(hours=2))
    with pytest.raises(
        DecayedOrbit, match=r"DEMOSAT LOW \(90001, synthetic\): SGP4 gives no place at 2026-08-12T21:00:00Z"
    ):
        ephemeris.place_of(falling, site, EVENING + timedelta(days=1))
    with pytest.raises(DecayedOrbit):
        ephemeris.track_of(falling, site, [EVENING - timedelta(hours=2), EVENING + timedelta(days=1)])


@given(
    mean_motion=st.floats(0.05, 17.5),
    eccentricity=st.floats(0.0, 0.9999999),
    inclination=st.floats(0.0, 180.0),
    bstar=st.floats(-1.0, 1.0),
    days=st.floats(-30.0, 30.0),
)
@settings(max_examples=150, deadline=None)
def test_there_is_a_finite_place_or_an_error_and_never_a_nan(
    ephemeris: Ephemeris,
    site: Site,
    satellite_like: Callable[..., Satellite],
    mean_motion: float,
    eccentricity: float,
    inclination: float,
    bstar: float,
    days: float,
) -> None:
    satellite = satellite_like(
        mean_motion_rev_per_day=mean_motion,
        eccentricity=eccentricity,
        inclination_deg=inclination,
        bstar_per_earth_radius=bstar,
    )
    try:
        place = ephemeris.place_of(satellite, site, EVENING + timedelta(days=days))
    except (DecayedOrbit, BadElements):
        return
    rates = (place.icrs_ra_rate_deg_s, place.apparent_dec_rate_deg_s, place.azimuth_rate_deg_s, place.range_rate_km_s)
    assert all(math.isfinite(number) for number in (*rates, place.range_km, place.horizontal.altitude_deg))


def test_elements_sgp4_cannot_start_from_are_refused(
    ephemeris: Ephemeris, site: Site, satellite_like: Callable[..., Satellite]
) -> None:
    with pytest.raises(BadElements, match="DEMOSAT LOW"):
        ephemeris.place_of(satellite_like(eccentricity=1.2), site, EVENING)


def test_numbers_of_nine_digits_go_through_the_propagator_unseen(
    ephemeris: Ephemeris, site: Site, satellite_like: Callable[..., Satellite], low: Satellite
) -> None:
    renumbered = satellite_like(norad_id=999_999_999)
    assert ephemeris.place_of(renumbered, site, EVENING).icrs == ephemeris.place_of(low, site, EVENING).icrs


def test_beyond_the_last_prediction_of_the_tables_places_go_on(ephemeris: Ephemeris, site: Site) -> None:
    reach = ephemeris.earth_orientation
    assert reach.last_measured < reach.last_predicted
    far = datetime(2055, 1, 1, 3, tzinfo=UTC)
    assert far.date() > reach.last_predicted
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        star = ephemeris.place_of(Star(name="Vega", icrs=ICRS(ra_deg=279.23, dec_deg=38.78)), site, far)
        assert math.isfinite(star.horizontal.altitude_deg)
        assert math.isfinite(ephemeris.sun_altitude_deg(site, far))
    # No jump either: what sidereal time gains in a day stays the same but for nutation (0.02 s).
    day = datetime(reach.last_predicted.year, reach.last_predicted.month, reach.last_predicted.day, tzinfo=UTC)
    times = [ephemeris.sidereal_time_deg(site, day + timedelta(days=number)) for number in range(-3, 6)]
    gains = [(after - before) % 360.0 for before, after in pairwise(times)]
    assert max(gains) - min(gains) < 0.03 * 15.0 / 3600.0


def test_a_leap_second_does_not_make_the_sky_jump(ephemeris: Ephemeris, site: Site) -> None:
    before = datetime(2016, 12, 31, 23, 59, 58, tzinfo=UTC)
    turned = ephemeris.sidereal_time_deg(site, before + timedelta(seconds=4)) - ephemeris.sidereal_time_deg(
        site, before
    )
    # Four seconds by the calendar were five in truth.
    assert turned % 360.0 == pytest.approx(5.0 * 360.98564737 / 86400.0, abs=1e-5)


def test_sidereal_time_is_the_right_ascension_on_the_meridian(ephemeris: Ephemeris, site: Site) -> None:
    overhead = Apparent(ra_deg=ephemeris.sidereal_time_deg(site, EVENING), dec_deg=site.latitude_deg)
    assert ephemeris.horizontal_of(overhead, site, EVENING).altitude_deg == pytest.approx(90.0, abs=0.001)
    south = Apparent(ra_deg=ephemeris.sidereal_time_deg(site, EVENING), dec_deg=0.0)
    assert ephemeris.horizontal_of(south, site, EVENING).azimuth_deg == pytest.approx(180.0, abs=0.001)


def test_the_sun_is_where_the_season_puts_it(ephemeris: Ephemeris) -> None:
    equator = Site(latitude_deg=0.0, longitude_deg=0.0, elevation_m=0.0)
    for at, noon_altitude_deg in (
        (datetime(2026, 6, 21, 12, tzinfo=UTC), 90.0 - 23.44),
        (datetime(2026, 3, 20, 12, tzinfo=UTC), 90.0),
    ):
        hours = [at + timedelta(minutes=minutes) for minutes in range(-40, 41)]
        track = ephemeris.sun_track(equator, hours)
        assert track.altitude_deg.max() == pytest.approx(noon_altitude_deg, abs=0.35)
        assert track.altitude_deg[0] == pytest.approx(ephemeris.sun_altitude_deg(equator, hours[0]), abs=1e-9)
        assert track.azimuth_deg[0] == pytest.approx(ephemeris.sun_of(equator, hours[0]).azimuth_deg, abs=1e-9)


def test_the_moon_seen_from_two_places_differs_by_its_parallax(ephemeris: Ephemeris, site: Site) -> None:
    far_side = Site(latitude_deg=site.latitude_deg, longitude_deg=site.longitude_deg + 120.0, elevation_m=0.0)
    apart_deg = separation_deg(ephemeris.moon_of(site, EVENING), ephemeris.moon_of(far_side, EVENING))
    assert 0.5 < apart_deg < 2.0


def test_one_ephemeris_may_be_asked_from_several_threads(ephemeris: Ephemeris, site: Site, low: Satellite) -> None:
    asked = [EVENING + timedelta(days=day, minutes=7 * day) for day in range(-20, 20)]
    alone = [Ephemeris().place_of(low, site, at).icrs for at in asked[:3]]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda at: ephemeris.place_of(low, site, at).icrs, asked))
    assert together[:3] == alone
    assert together == [ephemeris.place_of(low, site, at).icrs for at in asked]


def test_tables_that_are_missing_or_are_something_else_are_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="finals"):
        Ephemeris(tmp_path / "finals2000A.all")
    empty = tmp_path / "empty.all"
    empty.write_text("nothing\n", encoding="ascii")
    with pytest.raises(ValueError, match=r"empty\.all: no measured or no predicted day"):
        Ephemeris(empty)


@pytest.mark.parametrize("inclination_deg", [0.0, 5e-324, 1e-308, 1e-12, 1e-9])
def test_a_slow_orbit_may_lie_in_the_equator_however_nearly(
    ephemeris: Ephemeris, site: Site, stationary: Satellite, inclination_deg: float
) -> None:
    flat = replace(stationary, elements=replace(stationary.elements, inclination_deg=0.0))
    nearly = replace(stationary, elements=replace(stationary.elements, inclination_deg=inclination_deg))
    at = stationary.elements.epoch
    there, here = ephemeris.place_of(flat, site, at), ephemeris.place_of(nearly, site, at)
    assert separation_deg(there.apparent, here.apparent) * 3600.0 < 0.001
