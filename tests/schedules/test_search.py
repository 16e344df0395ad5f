"""The search over orbits of any shape: nothing that shows itself on a fine grid is missed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schedules.constraints import AboveHorizon, Constraint, MinAltitude, MoonApart, Sunlit
from schedules.element_checks import perigee_height_km
from schedules.ephemeris import Ephemeris
from schedules.errors import DecayedOrbit
from schedules.places import angle_deg
from schedules.search import search_for, span_between
from schedules.site import HorizonMask, Site
from schedules.targets import Satellite
from schedules.tracks import Track
from schedules.windows import AccessWindow, find_windows

OPENS = datetime(2026, 8, 11, 18, 0, 0, tzinfo=UTC)
HOURS = 8
GRID_S = 4
DAY = span_between(OPENS, OPENS + timedelta(days=1))

MASK = HorizonMask(
    points=((0.0, 15.0), (40.0, 12.0), (41.0, 35.0), (42.0, 12.0), (150.0, 45.0), (200.5, 60.0), (300.0, 25.0))
)

Make = Callable[..., Satellite]

orbits = st.fixed_dictionaries(
    {
        "mean_motion_rev_per_day": st.one_of(st.floats(0.9, 4.0), st.floats(11.0, 16.2)),
        "eccentricity": st.one_of(st.floats(0.0, 0.02), st.floats(0.0, 0.75)),
        "inclination_deg": st.floats(0.0, 180.0),
        "raan_deg": st.floats(0.0, 360.0),
        "argument_of_perigee_deg": st.floats(0.0, 360.0),
        "mean_anomaly_deg": st.floats(0.0, 360.0),
    }
)


def on_a_grid(track: Track, constraints: list[Constraint], ephemeris: Ephemeris, site: Site) -> np.ndarray:
    """Where on the grid all constraints hold."""
    admitted = np.ones(len(track.unix_s), bool)
    for constraint in constraints:
        match constraint:
            case MinAltitude():
                admitted &= track.altitude_deg >= constraint.altitude_deg
            case AboveHorizon():
                azimuths, altitudes = zip(*constraint.mask.points, strict=True)
                admitted &= track.altitude_deg >= np.interp(track.azimuth_deg, azimuths, altitudes, period=360.0)
            case Sunlit():
                admitted &= track.sunlit
            case MoonApart():
                for index in np.flatnonzero(admitted):
                    moon = ephemeris.moon_of(site, datetime.fromtimestamp(track.unix_s[index], UTC))
                    here = track.apparent_ra_deg[index], track.apparent_dec_deg[index]
                    admitted[index] = angle_deg(moon.ra_deg, moon.dec_deg, *here) >= constraint.separation_deg
    return admitted


@given(
    orbit=orbits,
    altitude_deg=st.sampled_from([0.0, 15.0, 40.0, 70.0]),
    latitude_deg=st.floats(-80.0, 80.0),
    more=st.sets(st.sampled_from(["mask", "sunlit", "moon"])),
)
@settings(max_examples=40, deadline=None)
def test_what_a_fine_grid_sees_lies_in_a_window_and_the_rest_outside(
    ephemeris: Ephemeris,
    satellite_like: Make,
    orbit: dict[str, float],
    altitude_deg: float,
    latitude_deg: float,
    more: set[str],
) -> None:
    satellite = satellite_like(**orbit, bstar_per_earth_radius=0.0)
    assume(perigee_height_km(satellite.elements) > 200.0)
    site = Site(latitude_deg=latitude_deg, longitude_deg=20.0, elevation_m=500.0)
    offered: dict[str, Constraint] = {
        "mask": AboveHorizon(mask=MASK),
        "sunlit": Sunlit(),
        "moon": MoonApart(separation_deg=30.0),
    }
    constraints = [MinAltitude(altitude_deg=altitude_deg), *(offered[name] for name in sorted(more))]
    closes = OPENS + timedelta(hours=HOURS)
    instants = [OPENS + timedelta(seconds=second) for second in range(0, HOURS * 3600 + 1, GRID_S)]
    seen = on_a_grid(ephemeris.track_of(satellite, site, instants), constraints, ephemeris, site)
    windows = find_windows(satellite, site, opens=OPENS, closes=closes, constraints=constraints, ephemeris=ephemeris)
    # A look within 2 ms of an edge may fall on either side of it.
    assert not np.any(within(windows, -0.002) & ~seen)
    assert not np.any(seen & ~within(windows, 0.002))


def within(windows: list[AccessWindow], wider_s: float) -> np.ndarray:
    """The looks that fall into windows made wider by so much at each end."""
    looks_s = np.arange(0, HOURS * 3600 + 1, GRID_S)
    inside = np.zeros(len(looks_s), bool)
    for window in windows:
        rise_s, set_s = ((edge - OPENS).total_seconds() for edge in (window.rise, window.set))
        inside |= (looks_s >= rise_s - wider_s) & (looks_s <= set_s + wider_s)
    return inside


@pytest.mark.parametrize(
    ("orbit", "orbit_step_s", "sky_step_s"),
    [
        ({"mean_motion_rev_per_day": 15.2}, 60.0, (3.0, 6.0)),
        ({"mean_motion_rev_per_day": 16.4}, 30.0, (1.0, 2.0)),
        ({"mean_motion_rev_per_day": 1.00273}, 600.0, (450.0, 600.0)),
        ({"mean_motion_rev_per_day": 2.0061, "eccentricity": 0.74}, 30.0, (1.0, 4.0)),
        ({"mean_motion_rev_per_day": 0.2, "eccentricity": 0.99}, 10.0, (1.0, 10.0)),
    ],
)
def test_samples_are_as_dense_as_the_perigee_needs(
    ephemeris: Ephemeris,
    site: Site,
    satellite_like: Make,
    orbit: dict[str, float],
    orbit_step_s: float,
    sky_step_s: tuple[float, float],
) -> None:
    search = search_for(satellite_like(**orbit), site, ephemeris, DAY)
    assert search.orbit_step_s.tolist() == [orbit_step_s]
    assert sky_step_s[0] <= search.sky_step_s[0] <= sky_step_s[1]


def test_a_long_row_of_instants_is_worked_on_in_pieces_that_fit_together(
    ephemeris: Ephemeris, site: Site, low: Satellite
) -> None:
    search = search_for(low, site, ephemeris, DAY)
    altitude = search.margin(lambda seen: seen.sine_of_altitude)
    unix_s = OPENS.timestamp() + np.arange(120_001) * 0.5
    together = altitude(np.zeros(len(unix_s), np.intp), unix_s)
    for index in (0, 7_999, 8_000, 16_000, 120_000):
        assert together[index] == altitude(np.zeros(1, np.intp), unix_s[index : index + 1])[0]


def test_the_first_instant_without_a_place_is_remembered(
    ephemeris: Ephemeris, site: Site, satellite_like: Make
) -> None:
    falling = satellite_like(mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.01)
    search = search_for(falling, site, ephemeris, DAY)
    unix_s = OPENS.timestamp() + np.arange(0.0, 86_400.0, 60.0)
    exists = search.margin(lambda seen: seen.exists)(np.zeros(len(unix_s), np.intp), unix_s)
    ended = np.flatnonzero(np.isnan(exists))
    assert 0 < ended[0] < len(unix_s) - 1
    first = datetime.fromtimestamp(unix_s[ended[0]], UTC)
    assert isinstance(search.failures[0], DecayedOrbit)
    said = str(search.failures[0])
    when = datetime.fromisoformat(said.partition("no place at ")[2][:20])
    assert abs((when - first).total_seconds()) <= 60.0
