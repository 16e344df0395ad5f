"""A catalogue parted into swarms: nobody is left out, and nobody's light is cut off."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.constraints import Constraint, MinAltitude, SunBelow, Sunlit
from schedules.ephemeris import Ephemeris
from schedules.propagation import propagator_of
from schedules.search import site_spans, span_between
from schedules.sightlines import EARTH_RADIUS_KM, shadow_clearance_km
from schedules.site import Site
from schedules.swarms import Swarm, deepest_sun_deg, swarms_of
from schedules.targets import Satellite
from schedules.vectors import direction_of
from schedules.windows import find_all_windows, find_windows

DUSK = datetime(2026, 12, 21, 18, 0, tzinfo=UTC)
DAWN = DUSK + timedelta(hours=14)
ABOVE_20, DARK = MinAltitude(altitude_deg=20.0), SunBelow(altitude_deg=-12.0)

Make = Callable[..., Satellite]


@given(
    ceiling_km=st.floats(150.0, 1500.0),
    floor_deg=st.floats(0.0, 80.0),
    altitude_deg=st.floats(0.0, 90.0),
    azimuth_deg=st.floats(0.0, 360.0),
    sun_deg=st.floats(0.0, 90.0),
)
@settings(max_examples=200)
def test_nothing_so_low_is_sunlit_when_the_sun_is_deeper(
    ceiling_km: float, floor_deg: float, altitude_deg: float, azimuth_deg: float, sun_deg: float
) -> None:
    altitude_deg = max(altitude_deg, floor_deg)
    # The site stands where the third axis leaves a sphere, the Sun is beyond the first axis.
    away = direction_of(azimuth_deg, altitude_deg)
    up_km = EARTH_RADIUS_KM * math.sin(math.radians(altitude_deg))
    range_km = math.sqrt(up_km**2 + 2.0 * EARTH_RADIUS_KM * ceiling_km + ceiling_km**2) - up_km
    position = away * range_km + [[0.0], [0.0], [EARTH_RADIUS_KM]]
    is_lit = shadow_clearance_km(position, direction_of(0.0, -sun_deg) * 1.5e8)[0] > 0.0
    assert not (is_lit and sun_deg > deepest_sun_deg(ceiling_km, floor_deg))


@pytest.mark.parametrize(("ceiling_km", "floor_deg"), [(500.0, 20.0), (1300.0, 0.0)])
def test_towards_the_sun_there_is_light_until_just_before_that(ceiling_km: float, floor_deg: float) -> None:
    up_km = EARTH_RADIUS_KM * math.sin(math.radians(floor_deg))
    range_km = math.sqrt(up_km**2 + 2.0 * EARTH_RADIUS_KM * ceiling_km + ceiling_km**2) - up_km
    position = direction_of(0.0, floor_deg) * range_km + [[0.0], [0.0], [EARTH_RADIUS_KM]]
    deepest_deg = deepest_sun_deg(ceiling_km, floor_deg) - 1.0
    assert shadow_clearance_km(position, direction_of(0.0, -deepest_deg) * 1.5e8)[0] > 0.0


def swarms(satellites: list[Satellite], site: Site, ephemeris: Ephemeris, *constraints: Constraint) -> list[Swarm]:
    spans = site_spans(span_between(DUSK, DAWN), constraints, site, ephemeris.earth)
    elements = [satellite.elements for satellite in satellites]
    records = [propagator_of(one) for one in elements]
    return list(swarms_of(elements, records, spans, constraints, (site, ephemeris.earth)))


def test_everybody_is_in_one_swarm_of_the_whole_night(
    ephemeris: Ephemeris, site: Site, low: Satellite, middle: Satellite, stationary: Satellite, eccentric: Satellite
) -> None:
    everybody = [low, stationary, eccentric, low, middle]
    found = swarms(everybody, site, ephemeris, ABOVE_20, DARK)
    assert sorted(row for swarm in found for row in swarm.rows) == [0, 1, 2, 3, 4]
    assert len({(float(swarm.span.begins_s[0]), float(swarm.span.ends_s[0])) for swarm in found}) == 1


def test_a_low_satellite_is_not_looked_for_in_the_deep_of_the_night(
    ephemeris: Ephemeris, site: Site, low: Satellite, stationary: Satellite
) -> None:
    found = swarms([low, stationary], site, ephemeris, ABOVE_20, DARK, Sunlit())
    evening, morning = (swarm.span for swarm in found if 0 in swarm.rows)
    (whole,) = (swarm.span for swarm in found if 1 in swarm.rows)
    assert (evening.begins_s[0], morning.ends_s[0]) == (whole.begins_s[0], whole.ends_s[0])
    assert morning.begins_s[0] - evening.ends_s[0] > 0.5 * whole.total_s


def test_satellites_of_like_orbits_share_a_swarm_and_odd_ones_do_not_slow_it(
    ephemeris: Ephemeris, site: Site, satellite_like: Make
) -> None:
    many = [satellite_like(mean_motion_rev_per_day=motion) for motion in np.linspace(15.0, 15.3, 200)]
    odd = [satellite_like(mean_motion_rev_per_day=2.0061, eccentricity=e) for e in (0.70, 0.73, 0.76)]
    found = swarms([*many, *odd], site, ephemeris, ABOVE_20, DARK)
    assert sorted(len(swarm.rows) for swarm in found) == [3, 200]


def test_in_a_winter_night_together_is_as_alone_also_for_orbits_that_rise_or_fall(
    ephemeris: Ephemeris, site: Site, satellite_like: Make
) -> None:
    epoch = DUSK - timedelta(days=2)
    satellites = [
        satellite_like(
            norad_id=91000 + number,
            epoch=epoch + timedelta(days=4.0 * (number % 3)),
            mean_motion_rev_per_day=15.0 + 0.05 * number % 0.7,
            eccentricity=0.01 * (number % 5),
            raan_deg=37.0 * number % 360.0,
            mean_anomaly_deg=61.0 * number % 360.0,
            bstar_per_earth_radius=(3e-5, 0.002, -0.002)[number % 3],
        )
        for number in range(90)
    ]
    constraints = [MinAltitude(altitude_deg=10.0), SunBelow(altitude_deg=-6.0), Sunlit()]
    found = find_all_windows(satellites, site, opens=DUSK, closes=DAWN, constraints=constraints, ephemeris=ephemeris)
    assert len(found.windows) > 30
    assert found.failures == ()
    for satellite in satellites:
        alone = find_windows(satellite, site, opens=DUSK, closes=DAWN, constraints=constraints, ephemeris=ephemeris)
        together = [window for one, window in found.windows if one is satellite]
        assert len(together) == len(alone)
        for one, other in zip(together, alone, strict=True):
            assert one.rise.timestamp() == pytest.approx(other.rise.timestamp(), abs=0.05)
            assert one.set.timestamp() == pytest.approx(other.set.timestamp(), abs=0.05)
