"""Orbits between their nodes, beside SGP4 at the same instants; and who may rise, beside who does."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schedules.element_checks import perigee_height_km
from schedules.elements import parse_elements
from schedules.ephemeris import Ephemeris
from schedules.glances import Glance, Ground
from schedules.instants import Instants
from schedules.orbits import Orbits, Paces
from schedules.places import angle_deg
from schedules.propagation import propagate, propagator_of
from schedules.sightlines import Observer, Sightline
from schedules.site import Site
from schedules.sun_moon import satellite_at
from schedules.targets import Satellite
from schedules.vectors import angles_deg, horizontal_angles_deg

BEGINS_S = datetime(2026, 8, 11, 20, 0, 0, tzinfo=UTC).timestamp()
HOURS = 9.0
ENDS_S = BEGINS_S + HOURS * 3600.0

Make = Callable[..., Satellite]

shapes = st.fixed_dictionaries(
    {
        "mean_motion_rev_per_day": st.one_of(st.floats(0.9, 4.0), st.floats(7.0, 16.2)),
        "eccentricity": st.one_of(st.floats(0.0, 0.02), st.floats(0.0, 0.8)),
        "inclination_deg": st.floats(0.0, 180.0),
        "raan_deg": st.floats(0.0, 360.0),
        "argument_of_perigee_deg": st.floats(0.0, 360.0),
        "mean_anomaly_deg": st.floats(0.0, 360.0),
    }
)


def orbits_of(*satellites: Satellite) -> Orbits:
    """With nodes as close as the most demanding of them needs."""
    paces = Paces.of([satellite.elements for satellite in satellites], ENDS_S - BEGINS_S)
    records = [propagator_of(satellite.elements) for satellite in satellites]
    return Orbits(records, BEGINS_S, ENDS_S, pieces=int(paces.pieces.max()), looks=int(paces.looks.max()))


@given(shape=shapes)
@settings(max_examples=60, deadline=None)
def test_between_nodes_an_orbit_is_where_sgp4_has_it(satellite_like: Make, shape: dict[str, float]) -> None:
    satellite = satellite_like(**shape)
    assume(perigee_height_km(satellite.elements) > 200.0)
    unix_s = np.linspace(BEGINS_S, ENDS_S, 500)
    along = orbits_of(satellite).along(np.zeros(len(unix_s), np.intp), unix_s)
    position, velocity, errors = propagate(propagator_of(satellite.elements), Instants.of_unix_s(unix_s))
    assert not errors.any()
    # A hundredth of a second's way at most; what is slow is farther off, because SGP4 adds Sun and Moon to its places
    # but not to its velocities.
    off_km = np.linalg.norm(along.position_km - position, axis=0)
    assert np.max(off_km / np.linalg.norm(velocity, axis=0)) < 0.15
    assert np.max(off_km / np.linalg.norm(position, axis=0)) < math.radians(20.0 / 3600.0)
    assert np.max(np.abs(along.velocity_km_s - velocity)) < 0.01


@pytest.mark.parametrize("orbit", ["low", "middle", "stationary", "eccentric"])
def test_a_glance_sees_what_a_sightline_sees(
    request: pytest.FixtureRequest, ephemeris: Ephemeris, site: Site, orbit: str
) -> None:
    satellite: Satellite = request.getfixturevalue(orbit)
    unix_s = np.linspace(BEGINS_S, ENDS_S, 200)
    along = orbits_of(satellite).along(np.zeros(len(unix_s), np.intp), unix_s)
    instants = Instants.of_unix_s(unix_s)
    attitude = ephemeris.earth.attitude_at(instants)
    position, velocity, _ = propagate(propagator_of(satellite.elements), instants)
    exact = Sightline(satellite_at(position, velocity, attitude), Observer(site, attitude))
    quick = Glance(along, unix_s, Ground(site, ephemeris.earth, BEGINS_S, ENDS_S))
    assert quick.range_km == pytest.approx(exact.range_km, abs=0.2)
    assert quick.shadow_clearance_km == pytest.approx(exact.shadow_clearance_km, abs=0.2)
    for name, within_arcsec in (("apparent", 15.0), ("sun", 1.0), ("moon", 1.0)):
        mine, theirs = (horizontal_angles_deg(one.east_north_up_of(getattr(one, name))) for one in (quick, exact))
        off = [angle_deg(*four) for four in zip(*mine, *theirs, strict=True)]
        assert max(off) < within_arcsec / 3600.0, name
    assert quick.sine_of_altitude == pytest.approx(exact.sine_of_altitude, abs=1e-4)
    turned = (quick.azimuth_deg - exact.azimuth_deg + 180.0) % 360.0 - 180.0
    assert np.max(np.abs(turned) * np.sqrt(1.0 - exact.sine_of_altitude**2)) < 0.005


def test_at_its_nodes_a_glance_is_right_to_a_hundredth_of_an_arcsecond(
    ephemeris: Ephemeris, site: Site, low: Satellite
) -> None:
    orbits = orbits_of(low)
    pieces = int(Paces.of([low.elements], ENDS_S - BEGINS_S).pieces[0])
    unix_s = np.linspace(BEGINS_S, ENDS_S, pieces + 1)
    quick = Glance(
        orbits.along(np.zeros(len(unix_s), np.intp), unix_s), unix_s, Ground(site, ephemeris.earth, BEGINS_S, ENDS_S)
    )
    azimuth_deg, altitude_deg = horizontal_angles_deg(quick.east_north_up_of(quick.apparent))
    track = ephemeris.track_of(low, site, [datetime.fromtimestamp(one, UTC) for one in unix_s.tolist()])
    off = [
        angle_deg(*four) for four in zip(azimuth_deg, altitude_deg, track.azimuth_deg, track.altitude_deg, strict=True)
    ]
    assert max(off) < 0.01 / 3600.0
    assert angles_deg(quick.apparent)[1].shape == unix_s.shape


@given(shape=shapes, altitude_deg=st.sampled_from([0.0, 20.0, 60.0, 80.0]), latitude_deg=st.floats(-85.0, 85.0))
@settings(max_examples=60, deadline=None)
def test_whoever_rises_was_thought_to(
    ephemeris: Ephemeris, satellite_like: Make, shape: dict[str, float], altitude_deg: float, latitude_deg: float
) -> None:
    satellite = satellite_like(**shape)
    assume(perigee_height_km(satellite.elements) > 200.0)
    site = Site(latitude_deg=latitude_deg, longitude_deg=10.0, elevation_m=0.0)
    orbits = orbits_of(satellite)
    looks_s = orbits.looks_s()
    ground = Ground(site, ephemeris.earth, BEGINS_S, ENDS_S)
    _, first, last = orbits.may_be_above(math.sin(math.radians(altitude_deg)), *ground.on_orbit_axes(looks_s))
    unix_s = np.arange(BEGINS_S, ENDS_S, 5.0)
    track = ephemeris.track_of(satellite, site, [datetime.fromtimestamp(one, UTC) for one in unix_s.tolist()])
    thought = np.zeros(len(unix_s), bool)
    for begin, end in zip(looks_s[first], looks_s[last], strict=True):
        thought |= (unix_s >= begin) & (unix_s <= end)
    assert not np.any((track.altitude_deg >= altitude_deg) & ~thought)


def test_satellites_do_not_disturb_each_other(low: Satellite, satellite_like: Make) -> None:
    others = [satellite_like(mean_anomaly_deg=40.0 * number) for number in range(5)]
    together, alone = orbits_of(*others, low), orbits_of(low)
    unix_s = np.linspace(BEGINS_S, ENDS_S, 77)
    mine = together.along(np.full(77, 5), unix_s).position_km
    assert np.array_equal(mine, alone.along(np.zeros(77, np.intp), unix_s).position_km)


def test_an_orbit_that_ends_is_lost_from_its_first_node_without_a_place(low: Satellite, satellite_like: Make) -> None:
    falling = satellite_like(
        mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.01, epoch=datetime(2026, 8, 11, 18, tzinfo=UTC)
    )
    orbits = orbits_of(falling, low)
    lost_s, error = orbits.lost[0]
    assert set(orbits.lost) == {0}
    assert error
    unix_s = np.array([BEGINS_S + 60.0, lost_s + 60.0])
    position = orbits.along(np.zeros(2, np.intp), unix_s).position_km
    assert np.isfinite(position[:, 0]).all()
    assert np.isnan(position[:, 1]).all()
    assert np.isfinite(orbits.along(np.ones(2, np.intp), unix_s).position_km).all()


def test_what_is_quick_has_more_nodes(
    low: Satellite, middle: Satellite, stationary: Satellite, eccentric: Satellite
) -> None:
    pieces = Paces.of([one.elements for one in (stationary, middle, low, eccentric)], ENDS_S - BEGINS_S).pieces.tolist()
    assert pieces == sorted(pieces)
    assert pieces[0] < 10
    assert pieces[-1] < 400


@pytest.mark.catalogue
def test_satellites_there_are_lie_off_by_what_they_move_in_a_tenth_of_a_second(real_elements: Path) -> None:
    everything = parse_elements(real_elements.read_bytes().decode(), source=real_elements.name).satellites
    high = [one for one in everything if one.elements.mean_motion_rev_per_day < 6.4][::5]
    unix_s = np.random.default_rng(5).uniform(BEGINS_S, ENDS_S, 60)
    late_s, off_rad = [], []
    for satellite in [*everything[3::150], *high]:
        along = orbits_of(satellite).along(np.zeros(len(unix_s), np.intp), unix_s)
        position, velocity, _ = propagate(propagator_of(satellite.elements), Instants.of_unix_s(unix_s))
        off_km = np.linalg.norm(along.position_km - position, axis=0)
        late_s += (off_km / np.linalg.norm(velocity, axis=0)).tolist()
        off_rad += (off_km / np.linalg.norm(position, axis=0)).tolist()
    assert np.percentile(late_s, 99) < 0.1
    assert max(late_s) < 0.5  # a few that go as far as the Moon, and creep
    assert math.degrees(max(off_rad)) < 10.0 / 3600.0
