"""A night of the real catalogue beside skyfield: how quickly its windows are found, and whether they are right.

Needs the real element sets of shared/data; without them there is nothing to measure.
"""

import random
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from astropy_iers_data import IERS_A_FILE
from skyfield.api import EarthSatellite, Loader, wgs84
from skyfield.constants import ERAD
from skyfield.data import iers
from skyfield.geometry import intersect_line_and_sphere
from skyfield_data import get_skyfield_data_path

from schedules.constraints import Constraint, MinAltitude, SunBelow, Sunlit
from schedules.elements import parse_elements
from schedules.ephemeris import Ephemeris
from schedules.site import Site
from schedules.targets import Satellite
from schedules.windows import CatalogueWindows, find_all_windows
from tests.bench.compared import Compared, cpu_s_of

ELEMENTS = Path(__file__).parents[3] / "shared" / "data" / "celestrak-active-2026-08-11.tle"
SITE = Site(latitude_deg=38.84, longitude_deg=-104.97, elevation_m=1900.0)
OPENS = datetime(2026, 8, 12, 2, 0, tzinfo=UTC)  # the evening of the 11th there
CLOSES = OPENS + timedelta(hours=10)
ABOVE_DEG, SUN_BELOW_DEG = 20.0, -12.0
CONSTRAINTS: list[Constraint] = [
    MinAltitude(altitude_deg=ABOVE_DEG),
    SunBelow(altitude_deg=SUN_BELOW_DEG),
    Sunlit(),
]
_CHOSEN = 300
_REPEATS = 6  # of what is over in less than a second, which one busy moment would spoil


def measure() -> Iterator[Compared]:
    """Processor time for a satellite, all of them at once beside skyfield one by one on 300 drawn by lot."""
    if not ELEMENTS.exists():
        return
    ephemeris = Ephemeris()
    text = ELEMENTS.read_text(encoding="ascii")
    satellites = parse_elements(text, source=ELEMENTS.name).satellites
    chosen = random.Random(11).sample(satellites, _CHOSEN)
    peer = Peer.of(text.splitlines(), chosen)
    ours_ms = cpu_s_of(lambda: windows_of(satellites, ephemeris), repeats=_REPEATS) / len(satellites) * 1000.0
    alone_ms = cpu_s_of(lambda: windows_of(chosen, ephemeris)) / _CHOSEN * 1000.0
    events_ms = cpu_s_of(peer.find_events) / _CHOSEN * 1000.0
    sunlit_ms = cpu_s_of(peer.find_sunlit_events) / _CHOSEN * 1000.0
    size = f"10 h, {len(satellites):,} satellites, dark and sunlit"
    for what, ours, theirs, name, wanted in (
        (f"windows, {size}", ours_ms, events_ms, "find_events, elevation only", 25.0),
        (f"windows, {size}", ours_ms, sunlit_ms, "find_events, is_sunlit every 10 s", 150.0),
        (f"windows, {_CHOSEN} satellites only", alone_ms, events_ms, "find_events, elevation only", None),
    ):
        yield Compared(
            what=what, ours=ours, peer=f"skyfield {name}", theirs=theirs, unit="ms a satellite", wanted_ratio=wanted
        )
    yield peer.compared(windows_of(satellites, ephemeris))


def windows_of(satellites: Sequence[Satellite], ephemeris: Ephemeris) -> CatalogueWindows:
    return find_all_windows(satellites, SITE, opens=OPENS, closes=CLOSES, constraints=CONSTRAINTS, ephemeris=ephemeris)


@dataclass(frozen=True)
class Peer:
    """Skyfield with the IERS tables and DE421, and the satellites drawn by lot."""

    timescale: Any
    solar_system: Any
    orbits: dict[int, Any]

    @classmethod
    def of(cls, lines: Sequence[str], chosen: Sequence[Satellite]) -> "Peer":
        with tempfile.TemporaryDirectory(prefix="nightbridge-") as folder:
            tables = Path(folder) / "finals2000A.all"
            shutil.copy(IERS_A_FILE, tables)
            timescale = Loader(folder, verbose=False).timescale(builtin=False)
            with tables.open("rb") as file:
                iers.install_polar_motion_table(timescale, iers.parse_x_y_dut1_from_finals_all(file))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package says that its IERS file is old; only its DE421 is used
            solar_system = Loader(get_skyfield_data_path(), verbose=False)("de421.bsp")
        orbits = {}
        for satellite in chosen:
            at = int(satellite.elements.source.rpartition(" ")[2])
            orbits[satellite.norad_id] = EarthSatellite(lines[at - 1], lines[at], ts=timescale)
        return cls(timescale=timescale, solar_system=solar_system, orbits=orbits)

    @property
    def ground(self) -> Any:
        return wgs84.latlon(SITE.latitude_deg, SITE.longitude_deg, elevation_m=SITE.elevation_m)

    def find_events(self) -> list[list[tuple[float, float]]]:
        """Rise and set as Julian dates (TT) of all passes of each satellite, those under way at the ends included."""
        opens, closes = self.timescale.from_datetime(OPENS), self.timescale.from_datetime(CLOSES)
        found = []
        for orbit in self.orbits.values():
            times, events = orbit.find_events(self.ground, opens, closes, ABOVE_DEG)
            is_up = (orbit - self.ground).at(opens).altaz()[0].degrees >= ABOVE_DEG
            rises = [opens.tt] * int(is_up) + [time for time, event in zip(times.tt, events, strict=True) if event == 0]
            sets = [time for time, event in zip(times.tt, events, strict=True) if event == 2]
            found.append(list(zip(rises, [*sets, closes.tt], strict=False)))
        return found

    def find_sunlit_events(self) -> int:
        """How many looks, ten seconds apart, at a sunlit satellite there are in all passes."""
        lit = 0
        for orbit, passes in zip(self.orbits.values(), self.find_events(), strict=True):
            for begins, ends in passes:
                time = self.timescale.tt_jd(np.arange(begins, ends, 10.0 / 86400.0))
                lit += int(np.count_nonzero(orbit.at(time).is_sunlit(self.solar_system)))
        return lit

    def looked_at(self) -> dict[int, list[tuple[float, float]]]:
        """The windows of each satellite by a look every second: their ends in s after OPENS, narrowed to 5 ms."""
        seconds = np.arange((CLOSES - OPENS).total_seconds() + 1.0)
        dark = np.flatnonzero(self.sun_deg(seconds) <= SUN_BELOW_DEG)
        sky = self.sky_at(seconds[dark])
        found = {}
        for number, orbit in self.orbits.items():
            admitted = np.zeros(len(seconds), bool)
            admitted[dark] = self.is_seen(orbit, *sky)
            change = np.diff(np.concatenate([[False], admitted, [False]]).astype(int))
            begins, after = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
            found[number] = [
                (self.edge_s(orbit, begin - 1.0, begin), self.edge_s(orbit, end, end - 1.0))
                for begin, end in zip(begins.tolist(), after.tolist(), strict=True)
            ]
        return found

    def edge_s(self, orbit: Any, outside_s: float, inside_s: float) -> float:
        """Where between two looks it begins to be seen, or ceases to, by looking every 5 ms."""
        seconds = np.linspace(inside_s, outside_s, 201)
        seen = self.is_seen(orbit, *self.sky_at(seconds)) & (self.sun_deg(seconds) <= SUN_BELOW_DEG)
        within = (seconds >= 0.0) & (seconds <= (CLOSES - OPENS).total_seconds())
        return float(seconds[np.flatnonzero(seen & within)[-1]])

    def time_at(self, seconds: Any) -> Any:
        return self.timescale.utc(OPENS.year, OPENS.month, OPENS.day, OPENS.hour, 0, seconds)

    def sun_deg(self, seconds: Any) -> Any:
        here = self.solar_system["earth"] + self.ground
        return here.at(self.time_at(seconds)).observe(self.solar_system["sun"]).apparent().altaz()[0].degrees

    def sky_at(self, seconds: Any) -> tuple[Any, Any]:
        time = self.time_at(seconds)
        return time, (self.solar_system["sun"] - self.solar_system["earth"]).at(time).position.m

    def is_seen(self, orbit: Any, time: Any, sun_m: Any) -> Any:
        """High enough and in the light, at each instant."""
        altitude = (orbit - self.ground).at(time).altaz()[0].degrees
        position_m = orbit.at(time).position.m
        _, far = intersect_line_and_sphere(sun_m - position_m, -position_m, ERAD)
        return (altitude >= ABOVE_DEG) & (np.nan_to_num(far) <= 0.0)

    def compared(self, ours: CatalogueWindows) -> Compared:
        """How far edges are from those that looking finds."""
        truth = self.looked_at()
        off_s: list[float] = []
        for number, looks in truth.items():
            windows = [
                ((window.rise - OPENS).total_seconds(), (window.set - OPENS).total_seconds())
                for satellite, window in ours.windows
                if satellite.norad_id == number
            ]
            windows = [one for one in windows if np.floor(one[1]) >= one[0]]  # the others hide between two looks
            if len(windows) != len(looks):
                raise AssertionError(f"{number}: {len(windows)} windows {windows} where looking finds {looks}")
            off_s += [
                abs(mine - seen) for pair in zip(windows, looks, strict=True) for mine, seen in zip(*pair, strict=True)
            ]
        return Compared(
            what=f"edges of {len(off_s) // 2} windows, none missed, none invented",
            ours=float(np.percentile(off_s, 99)),
            peer="looking, and what is asked",
            theirs=0.1,
            unit="s (99 %)",
            wanted_ratio=1.0,
        )
