"""The Earth's tables: what is interpolated is what skyfield says, and instants are exact."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from astropy_iers_data import IERS_A_FILE
from hypothesis import given, settings
from hypothesis import strategies as st
from skyfield.data import iers
from skyfield.timelib import Timescale

from schedules.instants import Instants, datetime_of, unix_s_of
from schedules.orientation import EarthTables
from schedules.sightlines import Observer, aberrated, unaberrated
from schedules.site import Site
from schedules.vectors import angles_deg, direction_of, dot, length

MILLIARCSECOND = np.radians(1.0 / 3.6e6)

instants = st.datetimes(datetime(1990, 1, 1), datetime(2056, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.fixture(scope="module")
def tables() -> EarthTables:
    return EarthTables()


@pytest.fixture(scope="module")
def timescale() -> Timescale:
    """Skyfield's own, on the same file."""
    with open(IERS_A_FILE, "rb") as file:
        finals = iers.parse_x_y_dut1_from_finals_all(file)
    timescale = Timescale(*_split(iers.build_timescale_arrays(finals["utc_mjd"], finals["dut1"])))
    iers.install_polar_motion_table(timescale, finals)
    return timescale


def _split(arrays: tuple[np.ndarray, ...]) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    daily_tt, daily_delta_t, leap_dates, leap_offsets = arrays
    return (daily_tt, daily_delta_t), leap_dates, leap_offsets


@given(at=instants)
@settings(max_examples=40, deadline=None)
def test_what_is_interpolated_is_what_skyfield_computes(
    tables: EarthTables, timescale: Timescale, at: datetime
) -> None:
    attitude = tables.attitude_at(Instants.of([at]))
    time = timescale.from_datetime(at)
    gast_rad = np.radians(time.gast * 15.0)
    assert abs(np.remainder(attitude.gast_rad[0] - gast_rad + np.pi, 2 * np.pi) - np.pi) < 0.1 * MILLIARCSECOND
    assert np.max(np.abs(attitude.to_date[..., 0] - time.M)) < 0.1 * MILLIARCSECOND
    assert np.max(np.abs(attitude.polar_motion[..., 0] - time.polar_motion_matrix())) < 0.1 * MILLIARCSECOND
    assert attitude.tt_days[0] + 2451545.0 == pytest.approx(time.tt, abs=1e-8)


@given(at=instants)
@settings(max_examples=40, deadline=None)
def test_matrices_between_the_hours_still_only_turn(tables: EarthTables, at: datetime) -> None:
    attitude = tables.attitude_at(Instants.of([at]))
    for matrix in (attitude.to_date[..., 0], attitude.polar_motion[..., 0]):
        assert np.max(np.abs(matrix @ matrix.T - np.eye(3))) < 1e-10


def test_many_instants_of_several_days_are_each_their_own(tables: EarthTables) -> None:
    begins = datetime(2026, 8, 11, 23, 59, 59, 999_999, tzinfo=UTC)
    asked = [begins + timedelta(days=day, microseconds=day) for day in (3, 0, 1, 0, 2)]
    together = tables.attitude_at(Instants.of(asked))
    for number, at in enumerate(asked):
        alone = tables.attitude_at(Instants.of([at]))
        assert together.gast_rad[number] == alone.gast_rad[0]
        assert np.array_equal(together.sun_km[:, number], alone.sun_km[:, 0])
        assert np.array_equal(together.to_date[..., number], alone.to_date[..., 0])


def test_the_tables_say_how_far_they_reach(tables: EarthTables) -> None:
    # A year of prediction follows the last measured day.
    assert date(2026, 1, 1) < tables.reach.last_measured
    assert timedelta(days=300) < tables.reach.last_predicted - tables.reach.last_measured < timedelta(days=400)


@given(at=instants)
@settings(max_examples=60, deadline=None)
def test_instants_keep_their_microseconds(at: datetime) -> None:
    exact = Instants.of([at])
    assert 0.0 <= exact.seconds[0] < 86_400.0
    assert (
        datetime(1970, 1, 1, tzinfo=UTC)
        + timedelta(days=float(exact.days[0]), microseconds=round(float(exact.seconds[0]) * 1e6))
        == at
    )
    assert abs(datetime_of(unix_s_of(at)) - at) <= timedelta(microseconds=1)


@given(at=instants, by_s=st.floats(-200_000.0, 200_000.0))
@settings(max_examples=60, deadline=None)
def test_shifted_instants_are_later_by_so_much(at: datetime, by_s: float) -> None:
    shifted = Instants.of([at]).shifted(np.array([0.0, by_s]))
    assert np.all((shifted.seconds >= 0.0) & (shifted.seconds <= 86_400.0))
    assert shifted.unix_s[1] - shifted.unix_s[0] == pytest.approx(by_s, abs=1e-6)
    again = Instants.of_unix_s(shifted.unix_s)
    assert again.unix_s == pytest.approx(shifted.unix_s, abs=1e-6)


@given(
    longitude=st.floats(0.0, 359.999),
    latitude=st.floats(-90.0, 90.0),
    towards=st.floats(0.0, 359.999),
    speed_km_s=st.floats(0.0, 100.0),
)
@settings(max_examples=60, deadline=None)
def test_aberration_moves_a_star_forward_and_back_again(
    longitude: float, latitude: float, towards: float, speed_km_s: float
) -> None:
    star = direction_of(longitude, latitude)
    velocity = direction_of(towards, 0.0) * speed_km_s
    seen = aberrated(star, velocity)
    assert length(seen)[0] == pytest.approx(1.0, abs=1e-14)
    assert dot(seen, velocity)[0] >= dot(star, velocity)[0] - 1e-12
    assert np.max(np.abs(unaberrated(seen, velocity) - star)) < 1e-14
    # v/c times the sine of the angle between them.
    sine = float(length(np.cross(star, direction_of(towards, 0.0), axis=0))[0])
    assert float(length(seen - star)[0]) == pytest.approx(speed_km_s / 299_792.458 * sine, abs=1e-7)


@given(longitude=st.floats(0.0, 359.999999), latitude=st.floats(-90.0, 90.0))
@settings(max_examples=60, deadline=None)
def test_angles_come_back_from_their_direction(longitude: float, latitude: float) -> None:
    longitudes, latitudes = angles_deg(direction_of(longitude, latitude))
    assert 0.0 <= longitudes[0] < 360.0
    assert latitudes[0] == pytest.approx(latitude, abs=1e-9)
    off = np.remainder(longitudes[0] - longitude + 180.0, 360.0) - 180.0
    assert off * np.cos(np.radians(latitude)) == pytest.approx(0.0, abs=1e-9)


@given(latitude=st.floats(-90.0, 90.0), longitude=st.floats(-180.0, 360.0), height=st.floats(-400.0, 8000.0))
@settings(max_examples=40, deadline=None)
def test_an_observer_stands_on_the_ellipsoid_and_moves_with_it(
    tables: EarthTables, latitude: float, longitude: float, height: float
) -> None:
    site = Site(latitude_deg=latitude, longitude_deg=longitude, elevation_m=height)
    observer = Observer(site, tables.attitude_at(Instants.of([datetime(2026, 8, 11, tzinfo=UTC)])))
    assert 6356.0 - 0.5 < length(observer.position_km)[0] < 6378.2 + 8.0
    assert length(observer.zenith)[0] == pytest.approx(1.0)
    assert observer.east_north_up(observer.zenith)[:, 0] == pytest.approx([0.0, 0.0, 1.0], abs=1e-12)
    assert dot(observer.velocity_km_s, observer.position_km)[0] == pytest.approx(0.0, abs=1e-9)
    assert length(observer.velocity_km_s)[0] == pytest.approx(0.4651 * np.cos(np.radians(latitude)), abs=0.003)
