"""Places against a chain of our own that shares nothing with the product but SGP4 and the IERS tables.

The rotations are ERFA's (IAU 2006/2000A, CIO based), UT1 and polar motion come through astropy, light time is followed
round the solar system's barycentre by iteration, velocities are differences. No skyfield.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import erfa
import numpy as np
import pytest
from astropy.time import Time, TimeDelta
from astropy.utils import iers
from sgp4.api import Satrec

from schedules.elements import satellite_from_tle
from schedules.ephemeris import Ephemeris
from schedules.places import ICRS, Place, angle_deg
from schedules.site import Site
from schedules.targets import Star
from schedules.tle import checksum

LIGHT_KM_S = 299_792.458
AU_KM = 149_597_870.7
ARCSEC = 1.0 / 3600.0
WITHIN_DEG = 0.02 * ARCSEC

SITES = (
    Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0),
    Site(latitude_deg=-70.0, longitude_deg=123.4, elevation_m=3200.0),
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
    """What the chain says, in degrees."""

    icrs: tuple[float, float]
    apparent: tuple[float, float]
    azimuth_altitude: tuple[float, float]
    range_km: float


@cache
def tables() -> iers.IERS_A:
    """UT1 and polar motion."""
    return iers.IERS_A.open(iers.IERS_A_FILE)


class Chain:
    """One site and one satellite by ERFA."""

    def __init__(self, site: Site, lines: tuple[str, str] | None = None) -> None:
        self.record = None if lines is None else Satrec.twoline2rv(*lines)
        self.table = tables()
        longitude, latitude = math.radians(site.longitude_deg), math.radians(site.latitude_deg)
        self.site_km = erfa.gd2gc(1, longitude, latitude, site.elevation_m) / 1000.0
        self.up = np.array(
            [math.cos(latitude) * math.cos(longitude), math.cos(latitude) * math.sin(longitude), math.sin(latitude)]
        )
        self.east = np.array([-math.sin(longitude), math.cos(longitude), 0.0])
        self.north = np.cross(self.up, self.east)

    def earth(self, at: Time) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """ITRS from GCRS, ITRS from TEME, barycentric position (km) and velocity (km/s) of the Earth."""
        ut1_minus_utc_s = self.table.ut1_utc(at).to_value("s")
        x, y = (angle.to_value("rad") for angle in self.table.pm_xy(at))
        tt = at.tt
        ut1_jd2 = at.jd2 + ut1_minus_utc_s / 86400.0
        from_gcrs = erfa.c2t06a(tt.jd1, tt.jd2, at.jd1, ut1_jd2, x, y)
        polar = erfa.pom00(x, y, erfa.sp00(tt.jd1, tt.jd2))
        from_teme = polar @ erfa.rz(erfa.gmst82(at.jd1, ut1_jd2), np.eye(3))
        _, barycentric = erfa.epv00(tt.jd1, tt.jd2)
        return from_gcrs, from_teme, barycentric["p"] * AU_KM, barycentric["v"] * AU_KM / 86400.0

    def satellite_gcrs_km(self, at: Time) -> np.ndarray:
        error, position, _ = self.record.sgp4(at.jd1, at.jd2)
        assert error == 0
        from_gcrs, from_teme, _, _ = self.earth(at)
        return from_gcrs.T @ from_teme @ np.array(position)

    def observer_gcrs_km(self, at: Time) -> np.ndarray:
        return self.earth(at)[0].T @ self.site_km

    def observer_velocity_km_s(self, at: Time) -> np.ndarray:
        before, after = (self.observer_gcrs_km(at + TimeDelta(seconds, format="sec")) for seconds in (-1.0, 1.0))
        return (after - before) / 2.0 + self.earth(at)[3]

    def look(self, when: datetime) -> Directions:
        at = Time(when)
        observer = self.observer_gcrs_km(at) + self.earth(at)[2]
        # Where the satellite was, round the barycentre, when the light left it.
        seen = self.satellite_gcrs_km(at) - self.observer_gcrs_km(at)
        geometric_km = float(np.linalg.norm(seen))
        for _ in range(4):
            then = at - TimeDelta(float(np.linalg.norm(seen)) / LIGHT_KM_S, format="sec")
            seen = self.satellite_gcrs_km(then) + self.earth(then)[2] - observer
        return self.directions(at, seen / np.linalg.norm(seen), geometric_km)

    def directions(self, at: Time, astrometric: np.ndarray, range_km: float) -> Directions:
        from_gcrs = self.earth(at)[0]
        beta = self.observer_velocity_km_s(at) / LIGHT_KM_S
        # The last but one argument is the Sun's distance; far away, the Sun bends nothing.
        apparent = erfa.ab(astrometric, beta, 1e9, math.sqrt(1.0 - beta @ beta))
        of_date = erfa.pnm06a(at.tt.jd1, at.tt.jd2) @ apparent
        crust = from_gcrs @ apparent
        horizontal = np.array([self.north @ crust, self.east @ crust, self.up @ crust])
        return Directions(
            icrs=angles_deg(astrometric),
            apparent=angles_deg(of_date),
            azimuth_altitude=angles_deg(horizontal),
            range_km=range_km,
        )


def angles_deg(vector: np.ndarray) -> tuple[float, float]:
    longitude, latitude = erfa.c2s(vector)
    return math.degrees(longitude) % 360.0, math.degrees(latitude)


@pytest.fixture(scope="module", autouse=True)
def tables_as_they_are() -> object:
    """Astropy takes the installed tables, however old."""
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        yield


@pytest.fixture(scope="module")
def ephemeris() -> Ephemeris:
    return Ephemeris()


def off_deg(place: Place, chain: Directions) -> dict[str, float]:
    """How far a place lies from the chain's directions."""
    horizontal = place.horizontal
    return {
        "icrs": angle_deg(place.icrs.ra_deg, place.icrs.dec_deg, *chain.icrs),
        "apparent": angle_deg(place.apparent.ra_deg, place.apparent.dec_deg, *chain.apparent),
        "horizontal": angle_deg(horizontal.azimuth_deg, horizontal.altitude_deg, *chain.azimuth_altitude),
    }


@pytest.mark.parametrize("orbit", ORBITS)
@pytest.mark.parametrize("site", SITES, ids=["Tenerife", "Antarctica"])
def test_satellites_agree_to_a_fiftieth_of_an_arcsecond(ephemeris: Ephemeris, orbit: str, site: Site) -> None:
    lines = lines_of(orbit)
    chain = Chain(site, lines)
    satellite = satellite_from_tle(*lines, name=orbit, source="test")
    for number in range(12):
        at = BEGINS + timedelta(minutes=67.3 * number, microseconds=123_457 * number)
        place, truth = ephemeris.place_of(satellite, site, at), chain.look(at)
        for which, off in off_deg(place, truth).items():
            assert off < WITHIN_DEG, f"{which} at {at}: {off / ARCSEC:.4f}″"
        assert place.range_km == pytest.approx(truth.range_km, abs=0.005)


@pytest.mark.parametrize("orbit", ["low", "eccentric"])
def test_rates_agree_with_the_chain_a_tenth_of_a_second_apart(ephemeris: Ephemeris, orbit: str) -> None:
    lines = lines_of(orbit)
    chain = Chain(SITES[0], lines)
    satellite = satellite_from_tle(*lines, name=orbit, source="test")
    for number in range(8):
        at = BEGINS + timedelta(minutes=97.7 * number)
        place = ephemeris.place_of(satellite, SITES[0], at)
        before, after = (chain.look(at + timedelta(seconds=seconds)) for seconds in (-0.1, 0.1))
        moved_deg = angle_deg(*before.icrs, *after.icrs)
        assert place.angular_rate_deg_s == pytest.approx(moved_deg / 0.2, abs=0.02 * ARCSEC)
        rising_deg = after.azimuth_altitude[1] - before.azimuth_altitude[1]
        assert place.altitude_rate_deg_s == pytest.approx(rising_deg / 0.2, abs=0.02 * ARCSEC)
        assert place.range_rate_km_s == pytest.approx((after.range_km - before.range_km) / 0.2, abs=1e-4)


def test_stars_agree_too_before_and_after_the_tables_of_today(ephemeris: Ephemeris) -> None:
    for number, year in enumerate((2012, 2020, 2026, 2027)):
        at = datetime(year, 1 + 3 * number, 17, 3, 20, 11, 500_000, tzinfo=UTC)
        for icrs in (ICRS(ra_deg=279.2347, dec_deg=38.7837), ICRS(ra_deg=37.9546, dec_deg=89.2641)):
            place = ephemeris.place_of(Star(name="a star", icrs=icrs), SITES[0], at)
            chain = Chain(SITES[0])
            truth = chain.directions(
                Time(at), erfa.s2c(math.radians(icrs.ra_deg), math.radians(icrs.dec_deg)), math.inf
            )
            for which, off in off_deg(place, truth).items():
                assert off < WITHIN_DEG, f"{which} in {year}: {off / ARCSEC:.4f}″"


def test_the_two_systems_are_as_far_apart_as_they_should_be(ephemeris: Ephemeris) -> None:
    """A third of a degree in 2026: a mount that is sent the wrong one misses."""
    satellite = satellite_from_tle(*lines_of("stationary"), name="stationary", source="test")
    place = ephemeris.place_of(satellite, SITES[0], BEGINS)
    apart_deg = angle_deg(place.icrs.ra_deg, place.icrs.dec_deg, place.apparent.ra_deg, place.apparent.dec_deg)
    assert 0.3 < apart_deg < 0.4
