"""Sun, Moon, shadow and passes against skyfield with JPL's DE421, brute force where skyfield's own search may miss."""

import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy_iers_data import IERS_A_FILE
from skyfield.api import EarthSatellite, Loader, wgs84
from skyfield.data import iers
from skyfield_data import get_skyfield_data_path

from schedules.constraints import Constraint, MinAltitude, SunBelow, Sunlit
from schedules.elements import parse_elements, satellite_from_tle
from schedules.ephemeris import Ephemeris
from schedules.places import angle_deg
from schedules.site import Site
from schedules.targets import Satellite
from schedules.tle import checksum
from schedules.windows import AccessWindow, find_all_windows, find_darkness, find_windows

ARCSEC = 1.0 / 3600.0
TENERIFE = Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0)
TROMSO = Site(latitude_deg=69.65, longitude_deg=18.96, elevation_m=100.0)
BEGINS = datetime(2026, 8, 11, 18, 0, 0, tzinfo=UTC)
HOURS = 13
GRID_S = 10

# Synthetic orbits of the evening: inclination, node, eccentricity, perigee, anomaly, mean motion.
ORBITS = (
    (" 51.6000", "210.0000", "0008000", " 80.0000", "280.0000", "15.20000000"),
    (" 97.8000", "240.0000", "0012000", " 80.0000", " 70.0000", "14.60000000"),
    (" 97.8000", "  0.0000", "0012000", " 80.0000", "120.0000", "14.60000000"),
    (" 28.5000", " 40.0000", "0200000", " 80.0000", "120.0000", "13.10000000"),
    (" 86.4000", "100.0000", "0002000", " 80.0000", " 20.0000", "14.34000000"),
    (" 63.4000", "300.0000", "7200000", "270.0000", " 10.0000", " 2.00610000"),
    (" 27.0000", "200.0000", "7300000", "180.0000", "200.0000", " 2.26000000"),
    (" 55.0000", "120.0000", "0040000", " 80.0000", "280.0000", " 2.00563000"),
    ("  0.0500", " 80.0000", "0002000", "  0.0000", "125.0000", " 1.00273000"),
    ("  7.0000", "300.0000", "0010000", "  0.0000", "100.0000", " 1.00273000"),
)


def lines_of(number: int) -> tuple[str, str]:
    inclination, node, eccentricity, perigee, anomaly, motion = ORBITS[number]
    line_1 = f"1 9{number:04d}U 26001A   26223.75000000  .00001200  00000+0  30000-4 0  999"
    line_2 = f"2 9{number:04d} {inclination} {node} {eccentricity} {perigee} {anomaly} {motion}    1"
    return line_1 + str(checksum(line_1)), line_2 + str(checksum(line_2))


def satellite(number: int) -> Satellite:
    return satellite_from_tle(*lines_of(number), name=f"DEMOSAT {number}", source="test")


@dataclass(frozen=True, eq=False)
class Oracle:
    """Skyfield with the IERS tables and DE421."""

    timescale: Any
    solar_system: Any

    def time(self, instants: list[datetime]) -> Any:
        return self.timescale.from_datetimes(instants)

    def observer(self, site: Site) -> Any:
        return self.solar_system["earth"] + self.ground(site)

    def ground(self, site: Site) -> Any:
        return wgs84.latlon(site.latitude_deg, site.longitude_deg, elevation_m=site.elevation_m)

    @cache  # noqa: B019 (one oracle lives as long as the module)
    def grid(self) -> Any:
        """From BEGINS on, every GRID_S seconds; with the matrices that skyfield keeps beside its times."""
        return self.time([BEGINS + timedelta(seconds=second) for second in range(0, HOURS * 3600 + 1, GRID_S)])

    @cache  # noqa: B019
    def sun_altitude_deg(self, site: Site) -> np.ndarray:
        """On the grid."""
        return self.observer(site).at(self.grid()).observe(self.solar_system["sun"]).apparent().altaz()[0].degrees

    def orbit(self, lines: tuple[str, str]) -> Any:
        return EarthSatellite(*lines, ts=self.timescale)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    folder: Path = tmp_path_factory.mktemp("iers")
    shutil.copy(IERS_A_FILE, folder / "finals2000A.all")
    timescale = Loader(folder, verbose=False).timescale(builtin=False)
    with (folder / "finals2000A.all").open("rb") as file:
        iers.install_polar_motion_table(timescale, iers.parse_x_y_dut1_from_finals_all(file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package says that its IERS file is old; only its DE421 is used
        solar_system = Loader(get_skyfield_data_path(), verbose=False)("de421.bsp")
    yield Oracle(timescale=timescale, solar_system=solar_system)
    solar_system.close()


@pytest.fixture(scope="module")
def ephemeris() -> Ephemeris:
    return Ephemeris()


@pytest.mark.parametrize("site", [TENERIFE, TROMSO], ids=["Tenerife", "Tromsø"])
def test_the_sun_is_within_an_arcsecond(oracle: Oracle, ephemeris: Ephemeris, site: Site) -> None:
    instants = [datetime(2010, 1, 1, tzinfo=UTC) + timedelta(days=47.123 * number) for number in range(130)]
    altitude, azimuth, _ = (
        oracle.observer(site).at(oracle.time(instants)).observe(oracle.solar_system["sun"]).apparent().altaz()
    )
    ours = ephemeris.sun_track(site, instants)
    assert np.max(np.abs(ours.altitude_deg - altitude.degrees)) < 1.0 * ARCSEC
    for number in range(len(instants)):
        off = angle_deg(
            ours.azimuth_deg[number], ours.altitude_deg[number], azimuth.degrees[number], altitude.degrees[number]
        )
        assert off < 1.0 * ARCSEC


def test_the_moon_is_within_fifteen_arcseconds(oracle: Oracle, ephemeris: Ephemeris) -> None:
    instants = [datetime(2010, 1, 1, tzinfo=UTC) + timedelta(days=47.123 * number) for number in range(130)]
    moon = oracle.observer(TENERIFE).at(oracle.time(instants)).observe(oracle.solar_system["moon"]).apparent()
    ra, dec, _ = moon.radec("date")
    for number, at in enumerate(instants):
        ours = ephemeris.moon_of(TENERIFE, at)
        assert angle_deg(ours.ra_deg, ours.dec_deg, ra.hours[number] * 15.0, dec.degrees[number]) < 15.0 * ARCSEC


def test_places_are_skyfields_observed_ones(oracle: Oracle, ephemeris: Ephemeris) -> None:
    """The rigorous way of skyfield, light time, aberration and all, which the product does not use."""
    for number in range(len(ORBITS)):
        orbit = oracle.solar_system["earth"] + oracle.orbit(lines_of(number))
        for at in (BEGINS + timedelta(hours=1.7 * number), BEGINS + timedelta(hours=11.3)):
            time = oracle.timescale.from_datetime(at)
            astrometric = oracle.observer(TENERIFE).at(time).observe(orbit)
            place = ephemeris.place_of(satellite(number), TENERIFE, at)
            ra, dec, _ = astrometric.radec()
            assert angle_deg(ra.hours * 15.0, dec.degrees, place.icrs.ra_deg, place.icrs.dec_deg) < 0.02 * ARCSEC
            ra, dec, _ = astrometric.apparent().radec("date")
            assert (
                angle_deg(ra.hours * 15.0, dec.degrees, place.apparent.ra_deg, place.apparent.dec_deg) < 0.02 * ARCSEC
            )
            altitude, azimuth, _ = astrometric.apparent().altaz()
            horizontal = place.horizontal
            off = angle_deg(azimuth.degrees, altitude.degrees, horizontal.azimuth_deg, horizontal.altitude_deg)
            assert off < 0.02 * ARCSEC


def test_sunlit_means_what_skyfield_means(oracle: Oracle, ephemeris: Ephemeris) -> None:
    # In August satellites over the equator miss the shadow, in March they cross it.
    for begins, numbers in ((BEGINS, (0, 5, 6, 7)), (datetime(2026, 3, 15, 0, 0, tzinfo=UTC), (3, 8, 9))):
        instants = [begins + timedelta(seconds=30 * step) for step in range(24 * 120)]
        time = oracle.time(instants)
        for number in numbers:
            theirs = oracle.orbit(lines_of(number)).at(time).is_sunlit(oracle.solar_system)
            ours = ephemeris.track_of(satellite(number), TENERIFE, instants).sunlit
            assert 0.0 < theirs.mean() < 1.0
            assert np.array_equal(ours, theirs)


def looked_at(
    oracle: Oracle, lines: tuple[str, str], site: Site, constraints: list[Constraint]
) -> list[tuple[int, int]]:
    """First and last second of each stretch from BEGINS on in which all constraints hold: by skyfield, on a grid."""
    time = oracle.grid()
    seen = (oracle.orbit(lines) - oracle.ground(site)).at(time)
    altitude_deg = seen.altaz()[0].degrees
    admitted = np.ones(len(altitude_deg), bool)
    for constraint in constraints:
        match constraint:
            case MinAltitude():
                admitted &= altitude_deg >= constraint.altitude_deg
            case Sunlit():
                admitted &= seen.is_sunlit(oracle.solar_system)
            case SunBelow():
                admitted &= oracle.sun_altitude_deg(site) <= constraint.altitude_deg
    change = np.diff(np.concatenate([[False], admitted, [False]]).astype(int))
    firsts, lasts = np.flatnonzero(change == 1), np.flatnonzero(change == -1) - 1
    return [(first * GRID_S, last * GRID_S) for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]


def assert_same(windows: list[AccessWindow], stretches: list[tuple[int, int]]) -> None:
    """The windows are those of the grid. It looks at geometric places, 5″ off: seconds, where a satellite is slow."""
    found = [((one.rise - BEGINS).total_seconds(), (one.set - BEGINS).total_seconds()) for one in windows]
    # What lies between two looks cannot be seen by them.
    found = [(rise, sets) for rise, sets in found if sets // GRID_S * GRID_S >= rise]
    assert len(found) == len(stretches)
    for (rise, sets), (first, last) in zip(found, stretches, strict=True):
        assert first - GRID_S - 5.0 <= rise <= first + 5.0 if first else rise == 0.0
        assert last - 5.0 <= sets <= last + GRID_S + 5.0 if last < HOURS * 3600 else sets == HOURS * 3600


def holds(oracle: Oracle, lines: tuple[str, str], site: Site, constraints: list[Constraint], at: datetime) -> bool:
    """Whether all constraints hold at one instant: by skyfield, light time and aberration included."""
    time = oracle.timescale.from_datetime(at)
    orbit = oracle.orbit(lines)
    seen = oracle.observer(site).at(time).observe(oracle.solar_system["earth"] + orbit).apparent()
    sun = oracle.observer(site).at(time).observe(oracle.solar_system["sun"]).apparent()
    for constraint in constraints:
        match constraint:
            case MinAltitude() if seen.altaz()[0].degrees < constraint.altitude_deg:
                return False
            case Sunlit() if not orbit.at(time).is_sunlit(oracle.solar_system):
                return False
            case SunBelow() if sun.altaz()[0].degrees > constraint.altitude_deg:
                return False
    return True


def assert_edges(
    oracle: Oracle, lines: tuple[str, str], site: Site, constraints: list[Constraint], windows: list[AccessWindow]
) -> None:
    """Each edge is where a constraint breaks, to 0.3 s, or where the search was cut."""
    just = timedelta(seconds=0.3)
    for window in windows:
        if window.rise > BEGINS and window.set - window.rise > 2 * just:
            assert holds(oracle, lines, site, constraints, window.rise + just)
            assert not holds(oracle, lines, site, constraints, window.rise - just)
        if window.set < BEGINS + timedelta(hours=HOURS) and window.set - window.rise > 2 * just:
            assert holds(oracle, lines, site, constraints, window.set - just)
            assert not holds(oracle, lines, site, constraints, window.set + just)


@pytest.mark.parametrize("site", [TENERIFE, TROMSO], ids=["Tenerife", "Tromsø"])
@pytest.mark.parametrize("number", range(len(ORBITS)))
def test_windows_are_those_of_looking_all_the_time(
    oracle: Oracle, ephemeris: Ephemeris, number: int, site: Site
) -> None:
    wanted: list[list[Constraint]] = [
        [MinAltitude(altitude_deg=0.0)],
        [MinAltitude(altitude_deg=20.0), SunBelow(altitude_deg=-3.0), Sunlit()],
        [MinAltitude(altitude_deg=55.0)],
    ]
    closes = BEGINS + timedelta(hours=HOURS)
    for constraints in wanted:
        windows = find_windows(
            satellite(number), site, opens=BEGINS, closes=closes, constraints=constraints, ephemeris=ephemeris
        )
        assert_same(windows, looked_at(oracle, lines_of(number), site, constraints))
        assert_edges(oracle, lines_of(number), site, constraints, windows)


def test_passes_of_low_satellites_are_those_of_find_events(oracle: Oracle, ephemeris: Ephemeris) -> None:
    closes = BEGINS + timedelta(days=2)
    t0, t1 = oracle.timescale.from_datetime(BEGINS), oracle.timescale.from_datetime(closes)
    checked = 0
    for number in range(5):
        times, events = oracle.orbit(lines_of(number)).find_events(oracle.ground(TENERIFE), t0, t1, 15.0)
        theirs = {
            kind: [t.utc_datetime() for t, event in zip(times, events, strict=True) if event == kind]
            for kind in (0, 1, 2)
        }
        windows = find_windows(
            satellite(number),
            TENERIFE,
            opens=BEGINS,
            closes=closes,
            constraints=[MinAltitude(altitude_deg=15.0)],
            ephemeris=ephemeris,
        )
        ours = {
            0: [one.rise for one in windows],
            1: [one.culmination for one in windows],
            2: [one.set for one in windows],
        }
        for kind in (0, 1, 2):
            assert len(ours[kind]) == len(theirs[kind])
            for mine, other in zip(ours[kind], theirs[kind], strict=True):
                assert abs((mine - other).total_seconds()) < 0.5
        checked += len(windows)
    assert checked >= 20


def test_darkness_begins_and_ends_when_skyfields_sun_says(oracle: Oracle, ephemeris: Ephemeris) -> None:
    nights = find_darkness(
        TENERIFE, opens=BEGINS, closes=BEGINS + timedelta(days=3), sun_below_deg=-12.0, ephemeris=ephemeris
    )
    assert len(nights) == 3
    edges = [edge for night in nights for edge in night]
    sun = oracle.observer(TENERIFE).at(oracle.time(edges)).observe(oracle.solar_system["sun"]).apparent().altaz()[0]
    # 0.2″ of the Sun is 0.02 s.
    assert np.max(np.abs(sun.degrees + 12.0)) < 1.0 * ARCSEC


@pytest.mark.catalogue
def test_of_the_real_catalogue_no_window_is_missed_and_none_invented(
    oracle: Oracle, ephemeris: Ephemeris, real_elements: Path
) -> None:
    text = real_elements.read_bytes().decode()
    some = parse_elements(text, source=real_elements.name).satellites[7::331]
    lines = text.splitlines()
    constraints: list[Constraint] = [MinAltitude(altitude_deg=20.0), SunBelow(altitude_deg=-12.0), Sunlit()]
    found = find_all_windows(
        some,
        TENERIFE,
        opens=BEGINS,
        closes=BEGINS + timedelta(hours=HOURS),
        constraints=constraints,
        ephemeris=ephemeris,
    )
    assert found.failures == ()
    for one in some:
        at = int(one.elements.source.rpartition(" ")[2])
        windows = [window for satellite, window in found.windows if satellite == one]
        assert_same(windows, looked_at(oracle, (lines[at - 1], lines[at]), TENERIFE, constraints))
