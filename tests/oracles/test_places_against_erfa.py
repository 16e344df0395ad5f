"""Places against a chain of our own that shares nothing with the product but SGP4 and the IERS tables.

The rotations are ERFA's (IAU 2006/2000A, CIO based), UT1 and polar motion come through astropy, light time is followed
round the solar system's barycentre by iteration, velocities are differences. No skyfield.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import erfa
import numpy as np
import pytest
from astropy.time import Time, TimeDelta
from astropy.utils import iers
from sgp4.api import Satrec

from schedules.directions import angles_deg as angles_between_deg
from schedules.elements import satellite_from_tle
from schedules.ephemeris import Ephemeris
from schedules.places import ICRS, angle_deg
from schedules.site import Site
from schedules.targets import Star
from schedules.tle import checksum
from schedules.tracks import Track

LIGHT_KM_S = 299_792.458
AU_KM = 149_597_870.7
ARCSEC = 1.0 / 3600.0
WITHIN_DEG = 0.02 * ARCSEC
RATE_WITHIN_DEG_S = 0.02 * ARCSEC

# Tenerife, Antarctica, both poles, where longitude turns over, the lowest shore and the highest mountain, and others.
SITES = tuple(
    Site(latitude_deg=latitude_deg, longitude_deg=longitude_deg, elevation_m=elevation_m)
    for latitude_deg, longitude_deg, elevation_m in (
        *((28.3, -16.5, 2390.0), (-70.0, 123.4, 3200.0), (90.0, 0.0, 0.0), (-90.0, 0.0, 2835.0)),
        *((-16.8, 180.0, 10.0), (-16.8, -179.9999, 10.0), (31.5, 35.5, -430.0), (27.99, 86.93, 8849.0)),
        *((0.0, 0.0, 0.0), (38.84, -104.97, 1900.0), (-30.24, -70.74, 2715.0), (-31.27, 149.06, 1165.0)),
        *((69.65, 18.96, 100.0), (19.82, -155.47, 4205.0), (78.2, 15.4, 50.0), (51.5, -0.1, 30.0)),
        *((-54.8, -68.3, 50.0), (1.35, 103.8, 15.0), (64.1, -51.7, 20.0), (35.0, 359.5, 100.0)),
    )
)
BEGINS = datetime(2026, 8, 11, 18, 0, 0, tzinfo=UTC)

# Synthetic, one of each kind: inclination, node, eccentricity, perigee, anomaly, mean motion, B*.
ORBITS = {
    "low": (" 51.6000", "210.0000", "0008000", " 80.0000", "280.0000", "15.20000000", " 30000-4"),
    "sun-synchronous": (" 97.8000", "300.0000", "0012000", "100.0000", " 10.0000", "14.60000000", " 10000-4"),
    "middle": (" 55.0000", "120.0000", "0040000", " 80.0000", "280.0000", " 2.00563000", " 00000-0"),
    "stationary": ("  0.0500", " 80.0000", "0002000", "  0.0000", "125.0000", " 1.00273000", " 00000-0"),
    "eccentric": (" 63.4000", "300.0000", "7200000", "270.0000", " 10.0000", " 2.00610000", " 10000-3"),
}


def lines_of(orbit: str) -> tuple[str, str]:
    inclination, node, eccentricity, perigee, anomaly, motion, bstar = ORBITS[orbit]
    line_1 = f"1 90001U 26001A   26223.75000000  .00001200  00000+0 {bstar} 0  999"
    line_2 = f"2 90001 {inclination} {node} {eccentricity} {perigee} {anomaly} {motion}    1"
    return line_1 + str(checksum(line_1)), line_2 + str(checksum(line_2))


@dataclass(frozen=True)
class Directions:
    """What the chain says at n instants: longitudes and latitudes in degrees, distances in km, shape (n,)."""

    icrs: tuple[np.ndarray, np.ndarray]
    apparent: tuple[np.ndarray, np.ndarray]
    azimuth_altitude: tuple[np.ndarray, np.ndarray]
    range_km: np.ndarray


@cache
def tables() -> iers.IERS_A:
    """UT1 and polar motion."""
    return iers.IERS_A.open(iers.IERS_A_FILE)


@dataclass(frozen=True)
class Earth:
    """ITRS from GCRS and ITRS from TEME, shape (n, 3, 3); the Earth's barycentric position (km) and velocity (km/s)."""

    from_gcrs: np.ndarray
    from_teme: np.ndarray
    position_km: np.ndarray
    velocity_km_s: np.ndarray


def earth_at(at: Time) -> Earth:
    table = tables()
    ut1_jd2 = at.jd2 + table.ut1_utc(at).to_value("s") / 86400.0
    x, y = (angle.to_value("rad") for angle in table.pm_xy(at))
    tt = at.tt
    polar = erfa.pom00(x, y, erfa.sp00(tt.jd1, tt.jd2))
    _, barycentric = erfa.epv00(tt.jd1, tt.jd2)
    return Earth(
        from_gcrs=erfa.c2t06a(tt.jd1, tt.jd2, at.jd1, ut1_jd2, x, y),
        from_teme=polar @ erfa.rz(erfa.gmst82(at.jd1, ut1_jd2), np.eye(3)),
        position_km=barycentric["p"] * AU_KM,
        velocity_km_s=barycentric["v"] * AU_KM / 86400.0,
    )


def turned(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.einsum("nij,nj->ni", matrices, np.broadcast_to(vectors, matrices.shape[:2]))


def turned_back(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return turned(np.swapaxes(matrices, 1, 2), vectors)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Chain:
    """One site and one satellite by ERFA."""

    def __init__(self, site: Site, lines: tuple[str, str] | None = None) -> None:
        self.record = None if lines is None else Satrec.twoline2rv(*lines)
        longitude, latitude = math.radians(site.longitude_deg), math.radians(site.latitude_deg)
        self.site_km = erfa.gd2gc(1, longitude, latitude, site.elevation_m) / 1000.0
        self.up = np.array(
            [math.cos(latitude) * math.cos(longitude), math.cos(latitude) * math.sin(longitude), math.sin(latitude)]
        )
        self.east = np.array([-math.sin(longitude), math.cos(longitude), 0.0])
        self.north = np.cross(self.up, self.east)

    def satellite_gcrs_km(self, at: Time, earth: Earth) -> np.ndarray:
        errors, position, _ = self.record.sgp4_array(at.jd1, at.jd2)
        assert not errors.any()
        return turned_back(earth.from_gcrs, turned(earth.from_teme, position))

    def observer_gcrs_km(self, earth: Earth) -> np.ndarray:
        return turned_back(earth.from_gcrs, self.site_km)

    def look(self, instants: Sequence[datetime]) -> Directions:
        at = Time(list(instants))
        earth = earth_at(at)
        here = self.observer_gcrs_km(earth)
        # Where the satellite was, round the barycentre, when the light left it.
        seen = self.satellite_gcrs_km(at, earth) - here
        geometric_km = np.linalg.norm(seen, axis=1)
        for _ in range(3):
            then = at - TimeDelta(np.linalg.norm(seen, axis=1) / LIGHT_KM_S, format="sec")
            earth_then = earth_at(then)
            seen = self.satellite_gcrs_km(then, earth_then) + earth_then.position_km - here - earth.position_km
        return self.directions(at, earth, unit(seen), geometric_km)

    def directions(self, at: Time, earth: Earth, astrometric: np.ndarray, range_km: np.ndarray) -> Directions:
        before, after = (
            self.observer_gcrs_km(earth_at(at + TimeDelta(seconds, format="sec"))) for seconds in (-1.0, 1.0)
        )
        beta = ((after - before) / 2.0 + earth.velocity_km_s) / LIGHT_KM_S
        # The last but one argument is the Sun's distance; far away, the Sun bends nothing.
        apparent = erfa.ab(astrometric, beta, 1e9, np.sqrt(1.0 - np.sum(beta * beta, axis=1)))
        crust = turned(earth.from_gcrs, apparent)
        return Directions(
            icrs=angles_deg(astrometric),
            apparent=angles_deg(turned(erfa.pnm06a(at.tt.jd1, at.tt.jd2), apparent)),
            azimuth_altitude=angles_deg(crust @ np.stack([self.north, self.east, self.up], axis=1)),
            range_km=range_km,
        )


def angles_deg(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    longitude, latitude = erfa.c2s(vectors)
    return np.degrees(longitude) % 360.0, np.degrees(latitude)


@pytest.fixture(scope="module", autouse=True)
def tables_as_they_are() -> object:
    """Astropy takes the installed tables, however old."""
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        yield


@pytest.fixture(scope="module")
def ephemeris() -> Ephemeris:
    return Ephemeris()


def random_instants(count: int, seed: int) -> list[datetime]:
    """Anywhere in the ten days round the elements' epoch, to the microsecond."""
    seconds = np.random.default_rng(seed).uniform(-5.0 * 86400.0, 5.0 * 86400.0, count).tolist()
    return [BEGINS + timedelta(seconds=second) for second in seconds]


def assert_directions_agree(track: Track, truth: Directions) -> None:
    for which, longitude_deg, latitude_deg, exact in (
        ("icrs", track.icrs_ra_deg, track.icrs_dec_deg, truth.icrs),
        ("apparent", track.apparent_ra_deg, track.apparent_dec_deg, truth.apparent),
        ("horizontal", track.azimuth_deg, track.altitude_deg, truth.azimuth_altitude),
    ):
        off = angles_between_deg(longitude_deg, latitude_deg, *exact).max()
        assert off < WITHIN_DEG, f"{which}: {off / ARCSEC:.4f}″"


@pytest.mark.parametrize("orbit", ORBITS)
def test_satellites_agree_to_a_fiftieth_of_an_arcsecond_anywhere_at_any_time(ephemeris: Ephemeris, orbit: str) -> None:
    """A thousand random instants at twenty sites."""
    lines = lines_of(orbit)
    satellite = satellite_from_tle(*lines, name=orbit, source="test")
    for number, site in enumerate(SITES):
        instants = random_instants(50, seed=number)
        track = ephemeris.track_of(satellite, site, instants)
        truth = Chain(site, lines).look(instants)
        assert_directions_agree(track, truth)
        assert np.max(np.abs(track.range_km - truth.range_km)) < 0.005


@pytest.mark.parametrize("orbit", ORBITS)
def test_rates_agree_with_the_chain_a_tenth_of_a_second_apart(ephemeris: Ephemeris, orbit: str) -> None:
    lines = lines_of(orbit)
    satellite = satellite_from_tle(*lines, name=orbit, source="test")
    for number, site in enumerate(SITES[::4]):
        instants = random_instants(20, seed=100 + number)
        chain = Chain(site, lines)
        before, after = (chain.look([at + timedelta(seconds=seconds) for at in instants]) for seconds in (-0.1, 0.1))
        places = [ephemeris.place_of(satellite, site, at) for at in instants]
        for system, longitude, latitude in (
            ("icrs", "icrs_ra", "icrs_dec"),
            ("apparent", "apparent_ra", "apparent_dec"),
            ("azimuth_altitude", "azimuth", "altitude"),
        ):
            (longitude_0, latitude_0), (longitude_1, latitude_1) = getattr(before, system), getattr(after, system)
            turned_deg = (longitude_1 - longitude_0 + 180.0) % 360.0 - 180.0
            ours = np.array([getattr(place, f"{longitude}_rate_deg_s") for place in places])
            across = np.cos(np.radians((latitude_0 + latitude_1) / 2.0))
            assert np.max(np.abs(ours - turned_deg / 0.2) * across) < RATE_WITHIN_DEG_S, longitude
            ours = np.array([getattr(place, f"{latitude}_rate_deg_s") for place in places])
            assert np.max(np.abs(ours - (latitude_1 - latitude_0) / 0.2)) < RATE_WITHIN_DEG_S, latitude
        moved_deg = angles_between_deg(*before.icrs, *after.icrs)
        assert [place.angular_rate_deg_s for place in places] == pytest.approx(moved_deg / 0.2, abs=RATE_WITHIN_DEG_S)
        approached_km = after.range_km - before.range_km
        assert [place.range_rate_km_s for place in places] == pytest.approx(approached_km / 0.2, abs=1e-4)


def test_stars_agree_too_before_and_after_the_tables_of_today(ephemeris: Ephemeris) -> None:
    instants = [
        datetime(year, 1 + 3 * number, 17, 3, 20, 11, 500_000, tzinfo=UTC)
        for number, year in enumerate((2012, 2020, 2026, 2027))
    ]
    at = Time(instants)
    for icrs in (ICRS(ra_deg=279.2347, dec_deg=38.7837), ICRS(ra_deg=37.9546, dec_deg=89.2641)):
        star = np.tile(erfa.s2c(math.radians(icrs.ra_deg), math.radians(icrs.dec_deg)), (len(instants), 1))
        truth = Chain(SITES[0]).directions(at, earth_at(at), star, np.full(len(instants), np.inf))
        assert_directions_agree(ephemeris.track_of(Star(name="a star", icrs=icrs), SITES[0], instants), truth)


def test_the_two_systems_are_as_far_apart_as_they_should_be(ephemeris: Ephemeris) -> None:
    """A third of a degree in 2026: a mount that is sent the wrong one misses."""
    satellite = satellite_from_tle(*lines_of("stationary"), name="stationary", source="test")
    place = ephemeris.place_of(satellite, SITES[0], BEGINS)
    apart_deg = angle_deg(place.icrs.ra_deg, place.icrs.dec_deg, place.apparent.ra_deg, place.apparent.dec_deg)
    assert 0.3 < apart_deg < 0.4
