"""The simulated ground against skyfield, which it shares nothing with, and against itself."""

from datetime import UTC, datetime, timedelta

import astropy_iers_data
import erfa
import numpy as np
import pytest
from astropy.utils.iers import IERS_A
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.sky.earth import Ground, observer_of
from simulators.sky.rotation import instant_of, orientation_at, tai_minus_utc_s, unix_of
from simulators.sky.vectors import aberrated, angles_of, unit_of

from .conftest import TONIGHT, Oracle, arcsec_between

INSTANTS = [
    TONIGHT,
    datetime(2026, 3, 1, 4, 17, 33, 250_000, tzinfo=UTC),
    datetime(2026, 8, 11, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2027, 6, 30, 0, 0, tzinfo=UTC),
]
right_ascensions = st.floats(0.0, 360.0, exclude_max=True)
declinations = st.floats(-90.0, 90.0)
instants = st.floats(-2e8, 2e8).map(lambda seconds: TONIGHT + timedelta(seconds=seconds))


@pytest.mark.parametrize("at", INSTANTS)
def test_sidereal_time_is_skyfields(at: datetime, ground: Ground, oracle: Oracle) -> None:
    expected_deg = oracle.site(ground).lst_hours_at(oracle.at(at)) * 15.0
    assert abs((ground.sidereal_time_deg(at) - expected_deg + 180.0) % 360.0 - 180.0) * 3600.0 < 0.002


@pytest.mark.parametrize("at", INSTANTS)
@pytest.mark.parametrize(
    ("ra_deg", "dec_deg"), [(10.0, 20.0), (200.0, -60.0), (350.0, 89.5), (83.0, -89.0), (0.0, 0.0)]
)
def test_the_apparent_place_of_a_star_is_skyfields(
    ra_deg: float, dec_deg: float, at: datetime, ground: Ground, oracle: Oracle
) -> None:
    seen = oracle.observer(ground).at(oracle.at(at)).observe(oracle.star(ra_deg, dec_deg)).apparent(deflectors=())
    ra, dec, _ = seen.radec("date")
    altitude, azimuth, _ = seen.altaz()
    apparent = ground.apparent_of(ra_deg, dec_deg, at)
    altitude_deg, azimuth_deg = ground.horizontal_of(*apparent, at)
    assert arcsec_between(unit_of(*apparent), unit_of(ra._degrees, dec.degrees)) < 0.005
    assert arcsec_between(unit_of(azimuth_deg, altitude_deg), unit_of(azimuth.degrees, altitude.degrees)) < 0.005


@pytest.mark.parametrize("at", INSTANTS)
@pytest.mark.parametrize("ground", [Ground(28.3, -16.5, 2390.0), Ground(-75.0, 123.3, 3233.0), Ground(0.0, 0.0, 0.0)])
def test_the_sun_stands_where_the_planetary_ephemeris_has_it(at: datetime, ground: Ground, oracle: Oracle) -> None:
    seen = oracle.observer(ground).at(oracle.at(at)).observe(oracle.planets["sun"]).apparent(deflectors=())
    altitude, azimuth, _ = seen.altaz()
    altitude_deg, azimuth_deg = ground.sun_horizontal(at)
    assert ground.sun_altitude_deg(at) == altitude_deg
    assert arcsec_between(unit_of(azimuth_deg, altitude_deg), unit_of(azimuth.degrees, altitude.degrees)) < 0.4


def test_the_observer_is_where_skyfield_has_him_and_moves_as_fast(ground: Ground, oracle: Oracle) -> None:
    place_km, velocity_km_s = observer_of(ground, orientation_at(np.array([unix_of(at) for at in INSTANTS])))
    for number, at in enumerate(INSTANTS):
        site = oracle.site(ground).at(oracle.at(at))
        moving = oracle.observer(ground).at(oracle.at(at))
        assert np.linalg.norm(place_km[number] - site.xyz.km) < 1e-5
        assert np.linalg.norm(velocity_km_s[number] - moving.velocity.km_per_s) < 1e-5


@given(right_ascensions, declinations, instants)
@settings(max_examples=60, deadline=None)
def test_catalogue_and_apparent_places_undo_each_other(ra_deg: float, dec_deg: float, at: datetime) -> None:
    ground = Ground(28.3, -16.5, 2390.0)
    back = ground.icrs_of(*ground.apparent_of(ra_deg, dec_deg, at), at)
    assert arcsec_between(unit_of(*back), unit_of(ra_deg, dec_deg)) < 1e-6


@given(right_ascensions, declinations, st.floats(-90.0, 90.0), st.floats(-180.0, 180.0))
@settings(max_examples=60, deadline=None)
def test_the_horizon_and_the_equator_undo_each_other_anywhere(
    ra_deg: float, dec_deg: float, latitude_deg: float, longitude_deg: float
) -> None:
    ground = Ground(latitude_deg, longitude_deg, 100.0)
    altitude_deg, azimuth_deg = ground.horizontal_of(ra_deg, dec_deg, TONIGHT)
    assert -90.0 <= altitude_deg <= 90.0
    assert 0.0 <= azimuth_deg < 360.0
    back = ground.equatorial_of(altitude_deg, azimuth_deg, TONIGHT)
    assert arcsec_between(unit_of(*back), unit_of(ra_deg, dec_deg)) < 1e-6


def test_what_is_on_the_meridian_stands_due_south_or_due_north(ground: Ground) -> None:
    meridian_deg = ground.sidereal_time_deg(TONIGHT)
    altitude_deg, azimuth_deg = ground.horizontal_of(meridian_deg, 0.0, TONIGHT)
    assert altitude_deg == pytest.approx(90.0 - ground.latitude_deg, abs=1e-3)
    assert azimuth_deg == pytest.approx(180.0, abs=1e-3)
    altitude_deg, azimuth_deg = ground.horizontal_of(meridian_deg, 80.0, TONIGHT)
    assert altitude_deg == pytest.approx(ground.latitude_deg + 10.0, abs=1e-3)
    assert azimuth_deg % 360.0 == pytest.approx(0.0, abs=2e-3) or azimuth_deg == pytest.approx(360.0, abs=2e-3)


def test_the_east_rises(ground: Ground) -> None:
    ra_deg, dec_deg = ground.equatorial_of(30.0, 90.0, TONIGHT)
    later_deg, _ = ground.horizontal_of(ra_deg, dec_deg, TONIGHT + timedelta(minutes=4))
    assert later_deg == pytest.approx(30.0 + np.cos(np.radians(ground.latitude_deg)), abs=0.02)


def test_precession_since_2000_is_what_every_observer_knows(ground: Ground) -> None:
    ra_deg, dec_deg = ground.apparent_of(0.0, 0.0, TONIGHT)
    assert ra_deg == pytest.approx(26.9 * 46.124 / 3600.0, abs=0.01)
    assert dec_deg == pytest.approx(26.9 * 20.043 / 3600.0, abs=0.01)


def test_what_is_drawn_between_full_hours_is_what_erfa_computes_there() -> None:
    unix_s = np.array([unix_of(TONIGHT) + offset for offset in (1.0, 900.0, 1800.0, 3599.0)])
    earth = orientation_at(unix_s)
    for number, at_s in enumerate(unix_s):
        tt = (at_s + 37.0 + 32.184) / 86_400.0
        matrix = erfa.pnm06a(2_440_587.5, tt)
        heliocentric, barycentric = erfa.epv00(2_440_587.5, tt)
        assert np.abs(earth.date_of_gcrs[number] - matrix).max() < np.radians(1e-4 / 3600.0)
        assert np.linalg.norm(earth.sun_km[number] + heliocentric["p"] * 149_597_870.7) < 20.0
        assert np.linalg.norm(earth.velocity_km_s[number] - barycentric["v"] * 149_597_870.7 / 86_400.0) < 1e-5


def test_universal_time_and_the_pole_are_astropys_own_reading_of_the_bulletin() -> None:
    table = IERS_A.open(astropy_iers_data.IERS_A_FILE)
    day = int(np.searchsorted(table["MJD"].value, 61_000.0))
    at_s = (float(table["MJD"][day].value) - 40_587.0) * 86_400.0
    earth = orientation_at(np.array([at_s]))
    ut1_jd = (at_s + float(table["UT1_UTC_A"][day].value)) / 86_400.0
    gast_rad = erfa.gst06a(2_440_587.5, ut1_jd, 2_440_587.5, (at_s + 69.184) / 86_400.0)
    assert earth.gast_rad[0] % (2 * np.pi) == pytest.approx(gast_rad, abs=np.radians(0.001 / 3600.0))
    x_rad, y_rad = (np.radians(float(table[column][day].value) / 3600.0) for column in ("PM_x_A", "PM_y_A"))
    assert earth.itrs_of_tirs[0, 0, 2] == pytest.approx(x_rad, abs=1e-12)
    assert earth.itrs_of_tirs[0, 1, 2] == pytest.approx(-y_rad, abs=1e-12)


def test_past_the_end_of_the_bulletin_the_last_prediction_holds(ground: Ground) -> None:
    late = datetime(2031, 1, 1, tzinfo=UTC)
    day_later = late + timedelta(seconds=86_164.0905)
    assert ground.sidereal_time_deg(day_later) == pytest.approx(ground.sidereal_time_deg(late), abs=0.001)


def test_leap_seconds_are_counted() -> None:
    days = [datetime(1999, 1, 1, tzinfo=UTC), datetime(2016, 12, 31, tzinfo=UTC), datetime(2017, 1, 1, tzinfo=UTC)]
    assert tai_minus_utc_s(np.array([unix_of(day) for day in days])).tolist() == [32.0, 36.0, 37.0]


@given(instants)
@settings(max_examples=50, deadline=None)
def test_an_instant_comes_back_from_seconds_to_the_microsecond(at: datetime) -> None:
    assert abs(instant_of(unix_of(at)) - at) <= timedelta(microseconds=1)


@given(right_ascensions, declinations, st.floats(0.0, 360.0), st.floats(-90.0, 90.0), st.floats(0.0, 3000.0))
@settings(max_examples=60, deadline=None)
def test_a_motion_reversed_takes_its_aberration_back(
    ra_deg: float, dec_deg: float, toward_ra_deg: float, toward_dec_deg: float, speed_km_s: float
) -> None:
    star, velocity = unit_of(ra_deg, dec_deg), unit_of(toward_ra_deg, toward_dec_deg) * speed_km_s
    seen = aberrated(star, velocity)
    assert np.linalg.norm(seen) == pytest.approx(1.0, abs=1e-12)
    assert np.linalg.norm(aberrated(seen, -velocity) - star) < 1e-12


def test_aberration_draws_a_star_toward_the_motion_by_twenty_arcseconds() -> None:
    seen = aberrated(unit_of(0.0, 0.0), 29.785 * unit_of(90.0, 0.0))
    assert angles_of(seen)[0] * 3600.0 == pytest.approx(20.49, abs=0.01)


@pytest.mark.parametrize(
    "place", [(91.0, 0.0, 0.0), (0.0, 400.0, 0.0), (0.0, 0.0, float("nan")), (float("nan"), 0.0, 0.0)]
)
def test_no_ground_off_the_earth(place: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="no such place"):
        Ground(*place)
