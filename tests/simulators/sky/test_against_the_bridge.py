"""The simulated sky and the bridge's astronomy share nothing; here they are held against each other."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from schedules.constraints import MinAltitude
from schedules.elements import parse_elements
from schedules.ephemeris import Ephemeris
from schedules.places import ICRS, Apparent
from schedules.site import Site
from schedules.targets import Satellite
from schedules.windows import find_windows
from simulators.sky.earth import Ground
from simulators.sky.elements import read_elements
from simulators.sky.satellites import Swarm
from simulators.sky.vectors import unit_of

from .conftest import TONIGHT, arcsec_between
from .test_elements import ISS_OMM

HOURS = [-3.0, 0.0, 1.7, 6.01]


@pytest.fixture(scope="module")
def ephemeris() -> Ephemeris:
    return Ephemeris()


@pytest.fixture(scope="module")
def site(ground: Ground) -> Site:
    return Site(latitude_deg=ground.latitude_deg, longitude_deg=ground.longitude_deg, elevation_m=ground.elevation_m)


def _as_the_bridge_reads(swarm: Swarm) -> list[Satellite]:
    """The satellites as the bridge gets them: by way of the text of their lines."""
    text = "\n".join(
        line for name, lines in zip(swarm.names, swarm.lines, strict=True) for line in (name, *(lines or ()))
    )
    read = parse_elements(text, source="the simulators")
    assert not read.refused
    return list(read.satellites)


def test_both_read_the_same_satellites_from_the_same_lines(swarm: Swarm) -> None:
    satellites = _as_the_bridge_reads(swarm)
    assert [one.norad_id for one in satellites] == list(swarm.norad_ids)
    assert [one.name for one in satellites] == list(swarm.names)
    for ours, theirs in zip(swarm.elements, satellites, strict=True):
        assert abs(ours.epoch - theirs.elements.epoch) < timedelta(microseconds=2)
        assert ours.mean_motion_rev_per_day == theirs.elements.mean_motion_rev_per_day
        assert ours.bstar_per_earth_radius == pytest.approx(theirs.elements.bstar_per_earth_radius, rel=1e-12)


def test_both_read_a_nine_digit_number_from_a_message() -> None:
    text = json.dumps([ISS_OMM | {"NORAD_CAT_ID": 799_504_721}])
    (ours,), (theirs,) = read_elements(text), parse_elements(text, source="a file").satellites
    assert ours.norad_id == theirs.norad_id == 799_504_721
    assert ours.epoch == theirs.elements.epoch


@pytest.mark.parametrize("hours", HOURS)
def test_both_see_every_kind_of_satellite_in_one_place(
    hours: float, swarm: Swarm, ground: Ground, ephemeris: Ephemeris, site: Site
) -> None:
    at = TONIGHT + timedelta(hours=hours)
    seen = swarm.astrometric(None, ground, at)
    satellites = _as_the_bridge_reads(swarm)
    for index in range(0, len(swarm), 6):
        place = ephemeris.place_of(satellites[index], site, at)
        apparent = ground.apparent_of(float(seen.ra_deg[index]), float(seen.dec_deg[index]), at)
        theirs_horizontal = unit_of(place.horizontal.azimuth_deg, place.horizontal.altitude_deg)
        ours_horizontal = unit_of(float(seen.azimuth_deg[index]), float(seen.altitude_deg[index]))
        assert arcsec_between(seen.units[index], unit_of(place.icrs.ra_deg, place.icrs.dec_deg)) < 0.05
        assert arcsec_between(unit_of(*apparent), unit_of(place.apparent.ra_deg, place.apparent.dec_deg)) < 0.05
        assert arcsec_between(ours_horizontal, theirs_horizontal) < 0.05
        assert float(seen.range_km[index]) == pytest.approx(place.range_km, abs=0.1)
        assert float(seen.rate_deg_s[index]) == pytest.approx(place.angular_rate_deg_s, rel=1e-3, abs=1e-5)
        assert bool(seen.sunlit[index]) == place.sunlit


def test_both_see_real_satellites_in_one_place(
    real_elements: Path, ground: Ground, ephemeris: Ephemeris, site: Site
) -> None:
    every = Swarm(read_elements(real_elements.read_text(encoding="ascii"))[::200])
    at = max(one.epoch for one in every.elements) + timedelta(hours=2)
    seen = every.astrometric(None, ground, at)
    for index, satellite in enumerate(_as_the_bridge_reads(every)):
        place = ephemeris.place_of(satellite, site, at)
        assert arcsec_between(seen.units[index], unit_of(place.icrs.ra_deg, place.icrs.dec_deg)) < 0.05


@pytest.mark.parametrize("hours", HOURS)
@pytest.mark.parametrize(("ra_deg", "dec_deg"), [(10.0, 20.0), (200.0, -60.0), (350.0, 89.5), (0.0, 0.0)])
def test_both_mean_the_same_by_an_apparent_place(
    ra_deg: float, dec_deg: float, hours: float, ground: Ground, ephemeris: Ephemeris, site: Site
) -> None:
    at = TONIGHT + timedelta(hours=hours)
    apparent = ephemeris.apparent_of(ICRS(ra_deg=ra_deg, dec_deg=dec_deg), at)
    ours = unit_of(*ground.apparent_of(ra_deg, dec_deg, at))
    diurnal_aberration_arcsec = 0.33  # the simulated observer turns with the Earth; the bridge's stars are geocentric
    assert arcsec_between(ours, unit_of(apparent.ra_deg, apparent.dec_deg)) < diurnal_aberration_arcsec
    direction = Apparent(ra_deg=ra_deg, dec_deg=dec_deg)
    horizontal = ephemeris.horizontal_of(direction, site, at)
    altitude_deg, azimuth_deg = ground.horizontal_of(ra_deg, dec_deg, at)
    theirs = unit_of(horizontal.azimuth_deg, horizontal.altitude_deg)
    assert arcsec_between(unit_of(azimuth_deg, altitude_deg), theirs) < 0.05


@pytest.mark.parametrize("hours", HOURS)
def test_both_have_one_sun_and_one_sidereal_time(
    hours: float, ground: Ground, ephemeris: Ephemeris, site: Site
) -> None:
    at = TONIGHT + timedelta(hours=hours)
    assert ground.sun_altitude_deg(at) == pytest.approx(ephemeris.sun_altitude_deg(site, at), abs=1.0 / 3600.0)
    assert ground.sidereal_time_deg(at) == pytest.approx(ephemeris.sidereal_time_deg(site, at), abs=0.05 / 3600.0)


def test_the_emulated_apis_passes_are_the_bridges_windows(
    swarm: Swarm, ground: Ground, ephemeris: Ephemeris, site: Site
) -> None:
    opens, closes = TONIGHT, TONIGHT + timedelta(hours=4)
    satellites = _as_the_bridge_reads(swarm)
    for index in range(0, len(swarm), 25):
        ours = swarm.passes(ground, opens, closes, 20.0, index)
        theirs = find_windows(
            satellites[index],
            site,
            opens=opens,
            closes=closes,
            constraints=[MinAltitude(altitude_deg=20.0)],
            ephemeris=ephemeris,
        )
        assert len(ours) == len(theirs)
        for one, window in zip(ours, theirs, strict=True):
            edges = np.array([(one.rise - window.rise).total_seconds(), (one.set - window.set).total_seconds()])
            assert np.abs(edges).max() < 1.0
            assert one.peak_altitude_deg == pytest.approx(window.peak_altitude_deg, abs=0.01)
