"""Directions beside skyfield's: one instant of a pass, and both rates with it."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from astropy_iers_data import IERS_A_FILE
from skyfield.api import EarthSatellite, Loader, wgs84
from skyfield.data import iers

from schedules.elements import satellite_from_tle
from schedules.ephemeris import Ephemeris
from schedules.instants import unix_s_of
from schedules.site import Site
from tests.bench.compared import Compared, cpu_s_of

_SITE = Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0)
_LINES = (
    "1 90001U 26001A   26223.75000000  .00001200  00000+0  30000-4 0  9995",
    "2 90001  51.6000 210.0000 0008000  80.0000 280.0000 15.20000000    12",
)
_OPENS = datetime(2026, 8, 11, 19, 40, tzinfo=UTC)
_PASS = timedelta(minutes=11)
_OURS, _THEIRS = 5000, 200


def measure() -> Iterator[Compared]:
    """A course asked again and again, beside `(satellite - site).at(t).radec("date")` with the same IERS tables."""
    course = Ephemeris().course_of(
        satellite_from_tle(*_LINES, name="DEMOSAT LOW", source="bench"), _SITE, opens=_OPENS, closes=_OPENS + _PASS
    )
    opens_s, step_s = unix_s_of(_OPENS), _PASS.total_seconds() / _OURS
    instants_s = [opens_s + step_s * number for number in range(_OURS)]
    timescale = _skyfield_time()
    away = EarthSatellite(*_LINES, ts=timescale) - wgs84.latlon(
        _SITE.latitude_deg, _SITE.longitude_deg, elevation_m=_SITE.elevation_m
    )
    instants = [_OPENS + _PASS * number / _THEIRS for number in range(_THEIRS)]

    def by_skyfield() -> None:
        for at in instants:  # a time of its own for each, as in a loop: skyfield keeps a time's matrices with it
            away.at(timescale.from_datetime(at)).radec("date")

    theirs_us = cpu_s_of(by_skyfield) / _THEIRS * 1e6
    apparent_us = cpu_s_of(lambda: list(map(course.apparent.at, instants_s))) / _OURS * 1e6
    all_us = cpu_s_of(lambda: list(map(course.at, instants_s))) / _OURS * 1e6
    peer = "skyfield radec('date'), no rates"
    yield Compared(
        what="right ascension, declination and both rates, one instant",
        ours=apparent_us,
        peer=peer,
        theirs=theirs_us,
        unit="µs",
        wanted_ratio=40.0,
    )
    yield Compared(what="the same with ICRS, altitude and azimuth", ours=all_us, peer=peer, theirs=theirs_us, unit="µs")


def _skyfield_time() -> Any:
    with tempfile.TemporaryDirectory(prefix="nightbridge-") as folder:
        tables = Path(folder) / "finals2000A.all"
        shutil.copy(IERS_A_FILE, tables)
        timescale = Loader(folder, verbose=False).timescale(builtin=False)
        with tables.open("rb") as file:
            iers.install_polar_motion_table(timescale, iers.parse_x_y_dut1_from_finals_all(file))
    return timescale
