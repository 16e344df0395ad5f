"""Satellites as they are seen: against skyfield, against SGP4's reference, and by the laws of light."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgp4.api import Satrec, jday

from simulators.sky.brightness import magnitudes_at, standard_magnitudes
from simulators.sky.earth import Ground
from simulators.sky.elements import read_elements
from simulators.sky.rotation import unix_of
from simulators.sky.satellites import Seen, Swarm
from simulators.sky.vectors import unit_of

from .conftest import TONIGHT, Oracle, arcsec_between
from .test_elements import ISS_OMM

SHARED = (Swarm.from_synthetic(TONIGHT, seed=1), Ground(28.3, -16.5, 2390.0))
MOMENTS = [TONIGHT - timedelta(hours=5), TONIGHT + timedelta(minutes=71, seconds=3.25), TONIGHT + timedelta(hours=9)]


def every(step: int, swarm: Swarm) -> range:
    return range(0, len(swarm), step)


@pytest.mark.parametrize("at", MOMENTS)
def test_satellites_of_every_orbit_are_where_skyfield_sees_them(
    at: datetime, swarm: Swarm, ground: Ground, oracle: Oracle
) -> None:
    observer, instant = oracle.observer(ground).at(oracle.at(at)), oracle.at(at)
    seen = swarm.astrometric(None, ground, at)
    for index in every(9, swarm):
        lines = swarm.lines[index]
        assert lines is not None
        satellite = oracle.satellite(lines)
        astrometric = observer.observe(oracle.planets["earth"] + satellite)
        altitude, azimuth, _ = astrometric.apparent(deflectors=()).altaz()
        direction = unit_of(seen.azimuth_deg[index], seen.altitude_deg[index])
        assert arcsec_between(seen.units[index], astrometric.xyz.km / astrometric.distance().km) < 0.01
        assert arcsec_between(direction, unit_of(azimuth.degrees, altitude.degrees)) < 0.01
        assert abs((satellite - oracle.site(ground)).at(instant).distance().km - seen.range_km[index]) < 1e-4
        assert seen.sunlit[index] == satellite.at(instant).is_sunlit(oracle.planets)


@pytest.mark.parametrize("at", MOMENTS)
def test_the_apparent_place_a_mount_is_sent_is_skyfields(
    at: datetime, swarm: Swarm, ground: Ground, oracle: Oracle
) -> None:
    for index in every(60, swarm):
        lines = swarm.lines[index]
        assert lines is not None
        target = oracle.planets["earth"] + oracle.satellite(lines)
        ra, dec, _ = oracle.observer(ground).at(oracle.at(at)).observe(target).apparent(deflectors=()).radec("date")
        seen = swarm.astrometric(index, ground, at)
        apparent = ground.apparent_of(float(seen.ra_deg), float(seen.dec_deg), at)
        assert arcsec_between(unit_of(*apparent), unit_of(ra._degrees, dec.degrees)) < 0.01


def test_real_satellites_are_where_skyfield_sees_them(real_elements: Path, ground: Ground, oracle: Oracle) -> None:
    sets = read_elements(real_elements.read_text(encoding="ascii"))[::400]
    at = max(one.epoch for one in sets) + timedelta(hours=3)
    seen = Swarm(sets).astrometric(None, ground, at)
    observer = oracle.observer(ground).at(oracle.at(at))
    for index, one in enumerate(sets):
        assert one.lines is not None
        astrometric = observer.observe(oracle.planets["earth"] + oracle.satellite(one.lines))
        expected = astrometric.xyz.km / astrometric.distance().km
        assert arcsec_between(seen.units[index], expected) < 0.05


def test_among_the_stars_a_satellite_stands_twenty_arcseconds_from_its_geometric_direction(
    swarm: Swarm, ground: Ground, oracle: Oracle
) -> None:
    geo = swarm.names.index("GEO 1")
    lines = swarm.lines[geo]
    assert lines is not None
    geometric = (oracle.satellite(lines) - oracle.site(ground)).at(oracle.at(TONIGHT))
    seen = swarm.astrometric(geo, ground, TONIGHT)
    apart = arcsec_between(seen.units, geometric.xyz.km / geometric.distance().km)
    assert 5.0 < apart < 23.0


def test_positions_are_those_of_the_reference_propagator(swarm: Swarm) -> None:
    for index in every(37, swarm):
        lines = swarm.lines[index]
        assert lines is not None
        at = TONIGHT + timedelta(hours=1)
        error, place_km, _ = Satrec.twoline2rv(*lines).sgp4(*jday(at.year, at.month, at.day, at.hour, at.minute, 0.0))
        assert error == 0
        assert np.linalg.norm(swarm.teme_km(index, at)[0] - place_km) < 2e-5


def test_an_omm_and_its_two_lines_are_one_satellite(ground: Ground) -> None:
    (omm,) = read_elements(json.dumps(ISS_OMM))
    assert omm.lines is not None
    (tle,) = read_elements("\n".join(omm.lines))
    places = Swarm([omm, tle]).teme_km(0, TONIGHT), Swarm([omm, tle]).teme_km(1, TONIGHT)
    assert np.linalg.norm(places[0] - places[1]) < 0.01  # the epoch on a line is rounded to 0.4 ms


def test_one_or_all_once_or_often_the_answer_is_the_same(swarm: Swarm, ground: Ground) -> None:
    instants = [TONIGHT + timedelta(seconds=seconds) for seconds in (0.0, 1.5, 4000.0)]
    some = np.array([3, 250, 400])
    table = swarm.astrometric(some, ground, instants)
    assert table.ra_deg.shape == (3, 3)
    assert table.units.shape == (3, 3, 3)
    everything = swarm.astrometric(None, ground, instants[1])
    assert everything.ra_deg.shape == (len(swarm),)
    by_seconds = swarm.astrometric(some, ground, np.array([unix_of(at) for at in instants]))
    for row, index in enumerate(some):
        track = swarm.astrometric(int(index), ground, instants)
        assert track.ra_deg.shape == (3,)
        for name in Seen.__slots__:
            np.testing.assert_allclose(getattr(track, name), getattr(table, name)[row], rtol=1e-12, atol=1e-9)
            np.testing.assert_allclose(getattr(by_seconds, name)[row], getattr(table, name)[row], rtol=1e-12, atol=1e-9)
            once = getattr(everything, name)[index]
            np.testing.assert_allclose(once, getattr(table, name)[row, 1], rtol=1e-12, atol=1e-9)
        assert float(swarm.astrometric(int(index), ground, instants[0]).range_km) == pytest.approx(track.range_km[0])


def test_no_satellites_are_no_trouble(ground: Ground, swarm: Swarm) -> None:
    assert Swarm([]).astrometric(None, ground, TONIGHT).ra_deg.shape == (0,)
    assert Swarm([]).passes(ground, TONIGHT, TONIGHT + timedelta(hours=1), 20.0) == []
    assert swarm.astrometric(np.array([], dtype=np.intp), ground, [TONIGHT, TONIGHT]).ra_deg.shape == (0, 2)


def test_a_satellite_that_came_down_is_nowhere(swarm: Swarm, ground: Ground) -> None:
    falling = replace(swarm.elements[0], bstar_per_earth_radius=0.9, mean_motion_rev_per_day=16.4)
    remains = Swarm([falling, swarm.elements[1]])
    seen = remains.astrometric(None, ground, TONIGHT + timedelta(days=20))
    assert np.isnan(seen.ra_deg[0])
    assert np.isnan(seen.altitude_deg[0])
    assert not seen.sunlit[0]
    assert seen.magnitude[0] == np.inf
    assert np.isfinite(seen.ra_deg[1])


@given(st.integers(0, 491), st.floats(-20_000.0, 20_000.0))
@settings(max_examples=40, deadline=None)
def test_the_rate_is_how_far_it_goes_in_a_second(index: int, offset_s: float) -> None:
    swarm, ground = SHARED
    around = [TONIGHT + timedelta(seconds=offset_s + step) for step in (-0.05, 0.0, 0.05)]
    seen = swarm.astrometric(index, ground, around)
    assert float(arcsec_between(seen.units[0], seen.units[2])) == pytest.approx(
        float(seen.rate_deg_s[1]) * 360.0, rel=1e-3, abs=0.01
    )


def test_rates_on_the_horizons_axes_carry_it_from_one_minute_to_the_next(swarm: Swarm, ground: Ground) -> None:
    index = swarm.names.index("LEO-1180 7")
    one = swarm.passes(ground, TONIGHT, TONIGHT + timedelta(hours=12), 15.0, index)[0]
    steps = np.arange(0.0, 60.0, 1.0)
    motions = [swarm.motion(index, ground, one.rise + timedelta(seconds=float(step))) for step in steps]
    last, first = motions[-1], motions[0]
    middle_sum = sum(motion.altitude_rate_deg_s for motion in motions[1:-1])
    gained = middle_sum + 0.5 * (first.altitude_rate_deg_s + last.altitude_rate_deg_s)
    assert last.altitude_deg - first.altitude_deg == pytest.approx(gained, abs=1e-3)
    assert first.altitude_rate_deg_s > 0.0
    assert first.range_rate_km_s < 0.0
    assert first.altitude_deg == pytest.approx(15.0, abs=0.02)


def test_azimuth_rates_do_not_jump_at_north(swarm: Swarm, ground: Ground) -> None:
    for index in every(4, swarm):
        motion = swarm.motion(index, ground, TONIGHT)
        if motion.altitude_deg > 0.0:
            assert abs(motion.azimuth_rate_deg_s) < 20.0


SUN_KM = np.array([[1.5e8, 0.0, 0.0]])
STANDARD = np.array([5.0])


def _magnitude(phase_deg: float, range_km: float) -> float:
    """A satellite in the Sun's light seen from a place at this phase angle and range."""
    satellite_km = np.array([[7000.0, 0.0, 0.0]])
    to_observer = np.array([[np.cos(np.radians(phase_deg)), np.sin(np.radians(phase_deg)), 0.0]])
    return float(magnitudes_at(STANDARD, satellite_km, SUN_KM, -range_km * to_observer)[0])


def test_the_standard_magnitude_is_that_of_half_phase_at_a_thousand_kilometres() -> None:
    assert _magnitude(90.0, 1000.0) == pytest.approx(5.0, abs=1e-6)


def test_ten_times_as_far_is_five_magnitudes_fainter() -> None:
    assert _magnitude(60.0, 5000.0) - _magnitude(60.0, 500.0) == pytest.approx(5.0)


def test_a_full_satellite_is_pi_times_as_bright_as_a_half_one() -> None:
    assert _magnitude(90.0, 1000.0) - _magnitude(0.0, 1000.0) == pytest.approx(2.5 * np.log10(np.pi), abs=1e-6)


@given(st.floats(0.0, 179.0), st.floats(0.1, 1.0))
@settings(max_examples=50, deadline=None)
def test_it_fades_as_its_night_side_turns_to_us(phase_deg: float, more_deg: float) -> None:
    assert _magnitude(phase_deg + more_deg, 800.0) > _magnitude(phase_deg, 800.0)


def test_the_dark_side_is_not_seen_at_all() -> None:
    assert _magnitude(180.0, 800.0) > 40.0


def test_each_satellite_has_its_own_brightness_for_ever() -> None:
    numbers = np.arange(1, 5001, dtype=np.uint64)
    low, high = (standard_magnitudes(numbers, np.full(5000, motion)) for motion in (15.0, 1.0))
    assert np.array_equal(low, standard_magnitudes(numbers, np.full(5000, 15.0)))
    assert low.mean() == pytest.approx(5.5, abs=0.05)
    assert high.mean() == pytest.approx(4.0, abs=0.05)
    assert 0.5 < low.std() < 0.7
    assert np.abs(low - 5.5).max() < 1.5


def test_nothing_in_the_shadow_shines(swarm: Swarm, ground: Ground) -> None:
    seen = swarm.astrometric(None, ground, [TONIGHT + timedelta(minutes=10 * step) for step in range(12)])
    assert np.all(np.isinf(seen.magnitude[~seen.sunlit]))
    assert np.all(seen.magnitude[seen.sunlit] < 40.0)
    assert 0.2 < seen.sunlit.mean() < 0.95


def test_tonights_satellites_are_as_bright_as_real_ones(swarm: Swarm, ground: Ground) -> None:
    seen = swarm.astrometric(None, ground, [TONIGHT + timedelta(minutes=5 * step) for step in range(60)])
    up = seen.sunlit & (seen.altitude_deg > 30.0)
    low = np.array([one.mean_motion_rev_per_day > 11.25 for one in swarm.elements])[:, None]
    geo = np.array([name.startswith("GEO") for name in swarm.names])[:, None]
    assert 4.5 < np.median(seen.magnitude[up & low]) < 8.0
    assert 10.5 < np.median(seen.magnitude[up & geo]) < 13.5
