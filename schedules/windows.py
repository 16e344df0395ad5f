"""When a target can be observed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sgp4.api import Satrec

from schedules.ages import MAX_ELEMENTS_AGE_DAYS, require_fresh
from schedules.constraints import Constraint, SunBelow
from schedules.ephemeris import Ephemeris
from schedules.errors import BadElements, ScheduleError
from schedules.glances import Ground
from schedules.instants import datetime_of
from schedules.orbits import Orbits
from schedules.propagation import propagator_of
from schedules.reasons import why_no_window
from schedules.search import Search, satellite_search, search_for, site_spans, span_between, swarm_search
from schedules.site import Site
from schedules.spans import Spans, highest
from schedules.swarms import swarms_of
from schedules.targets import Satellite, Target

__all__ = ["AccessWindow", "CatalogueWindows", "find_all_windows", "find_darkness", "find_windows", "why_no_window"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessWindow:
    """A stretch of time in which a target can be observed.

    `rise` and `set` are the first and the last instant at which all constraints hold, cut at the interval searched;
    `culmination` is the highest place between them. Angles are those of the apparent place, unrefracted.

    Raises:
        ValueError: the three instants are out of order, or an angle is none.
    """

    rise: datetime
    culmination: datetime
    set: datetime
    peak_altitude_deg: float
    rise_azimuth_deg: float
    culmination_azimuth_deg: float
    set_azimuth_deg: float

    def __post_init__(self) -> None:
        if not self.rise <= self.culmination <= self.set:
            raise ValueError(f"rise {self.rise}, culmination {self.culmination}, set {self.set} are out of order")
        azimuths_deg = (self.rise_azimuth_deg, self.culmination_azimuth_deg, self.set_azimuth_deg)
        rise, culmination, sets = azimuths_deg
        around = 0.0 <= rise < 360.0 and 0.0 <= culmination < 360.0 and 0.0 <= sets < 360.0
        if not (-90.0 <= self.peak_altitude_deg <= 90.0 and around):
            raise ValueError(f"peak {self.peak_altitude_deg}°, azimuths {azimuths_deg}° are no directions")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueWindows:
    """The windows of many satellites in order of rise, and why some satellites have no, or no further, prediction."""

    windows: tuple[tuple[Satellite, AccessWindow], ...]
    failures: tuple[tuple[Satellite, ScheduleError], ...]


def find_windows(  # noqa: PLR0913 (what to look for, where, when, and with what: all are needed)
    target: Target,
    site: Site,
    *,
    opens: datetime,
    closes: datetime,
    constraints: Sequence[Constraint],
    ephemeris: Ephemeris,
    max_age_days: float = MAX_ELEMENTS_AGE_DAYS,
    shortest_s: float = 0.0,
) -> list[AccessWindow]:
    """The stretches between `opens` and `closes` in which every constraint holds, in order of rise.

    One under way at `opens` begins there, one under way at `closes` ends there; without constraints all of the time is
    one window. A pass in which a constraint breaks and holds again gives two windows; those shorter than `shortest_s`
    are left out. Times are good to 0.01 s for what SGP4 says. An orbit that ends on the way has the windows before its
    end.

    Raises:
        ValueError: `closes` is not after `opens`.
        StaleElements: at `closes` the element set is more than `max_age_days` old, or its epoch that far ahead.
        DecayedOrbit: the orbit has ended, and no window comes before.
        BadElements: SGP4 cannot start from the elements.
    """
    require_fresh(target, closes, max_age_days=max_age_days)
    whole = span_between(opens, closes)
    search = search_for(target, site, ephemeris, whole)
    spans = site_spans(whole, constraints, site, ephemeris.earth)
    windows = [window for _, window in _windows(search, search.narrowed(spans, constraints).lasting(shortest_s))]
    if search.failures and not windows:
        raise search.failures[0]
    return windows


def find_all_windows(  # noqa: PLR0913 (as above)
    satellites: Sequence[Satellite],
    site: Site,
    *,
    opens: datetime,
    closes: datetime,
    constraints: Sequence[Constraint],
    ephemeris: Ephemeris,
    shortest_s: float = 0.0,
) -> CatalogueWindows:
    """As `find_windows`, for many satellites of any age together: those that fail are named, the rest goes on.

    Times are good to 0.1 s. Memory does not grow with the number of satellites but for the windows found.

    Raises:
        ValueError: `closes` is not after `opens`.
    """
    earth = ephemeris.earth
    spans = site_spans(span_between(opens, closes), constraints, site, earth)
    failures: dict[int, ScheduleError] = {}
    records = dict(_started(satellites, failures))
    elements = [satellites[index].elements for index in records]
    at, started = list(records), list(records.values())
    windows: list[tuple[Satellite, AccessWindow]] = []
    for swarm in swarms_of(elements, started, spans, constraints, (site, earth)):
        begins_s, ends_s = float(swarm.span.begins_s[0]), float(swarm.span.ends_s[0])
        orbits = Orbits([started[row] for row in swarm.rows], begins_s, ends_s, pieces=swarm.pieces, looks=swarm.looks)
        group = [satellites[at[row]] for row in swarm.rows]
        for lost in orbits.lost:
            search = satellite_search(group[lost], site, earth, swarm.span)
            found = _windows(search, search.narrowed(swarm.span, constraints).lasting(shortest_s))
            windows += [(group[lost], window) for _, window in found]
            failures.setdefault(at[swarm.rows[lost]], search.failures[0])
        search = swarm_search(group, orbits, Ground(site, earth, begins_s, ends_s))
        found = _windows(search, search.narrowed(swarm.span, constraints).lasting(shortest_s))
        windows += [(group[owner], window) for owner, window in found if owner not in orbits.lost]
    windows.sort(key=_rise_and_number)
    return CatalogueWindows(
        windows=tuple(windows), failures=tuple((satellites[index], failures[index]) for index in sorted(failures))
    )


def find_darkness(
    site: Site, *, opens: datetime, closes: datetime, sun_below_deg: float, ephemeris: Ephemeris
) -> list[tuple[datetime, datetime]]:
    """The stretches between `opens` and `closes` with the Sun's centre at `sun_below_deg` or lower.

    Raises:
        ValueError: `closes` is not after `opens`.
    """
    below = [SunBelow(altitude_deg=sun_below_deg)]
    spans = site_spans(span_between(opens, closes), below, site, ephemeris.earth)
    return [
        (datetime_of(begins_s), datetime_of(ends_s))
        for begins_s, ends_s in zip(spans.begins_s, spans.ends_s, strict=True)
    ]


def _rise_and_number(found: tuple[Satellite, AccessWindow]) -> tuple[datetime, int]:
    return found[1].rise, found[0].norad_id


def _started(satellites: Sequence[Satellite], failures: dict[int, ScheduleError]) -> Iterator[tuple[int, Satrec]]:
    for index, satellite in enumerate(satellites):
        try:
            yield index, propagator_of(satellite.elements)
        except BadElements as error:
            failures[index] = error


def _windows(search: Search, spans: Spans) -> Iterator[tuple[int, AccessWindow]]:
    """Access windows from stretches of time, each with the index of its target."""
    sine_of_altitude = search.margin(lambda seen: seen.sine_of_altitude)
    azimuth_deg = search.margin(lambda seen: seen.azimuth_deg)
    peaks_s = highest(spans, sine_of_altitude, search.orbit_step_s)
    if not len(spans):
        return
    peaks_s = np.clip(peaks_s, spans.begins_s, spans.ends_s)
    columns = (
        spans.owner,
        *(spans.begins_s, peaks_s, spans.ends_s),
        np.degrees(np.arcsin(np.clip(sine_of_altitude(spans.owner, peaks_s), -1.0, 1.0))),
        *(azimuth_deg(spans.owner, unix_s) for unix_s in (spans.begins_s, peaks_s, spans.ends_s)),
    )
    for owner, begins_s, peak_s, ends_s, *angles in zip(*(column.tolist() for column in columns), strict=True):
        yield (
            owner,
            AccessWindow(
                rise=datetime_of(begins_s),
                culmination=datetime_of(peak_s),
                set=datetime_of(ends_s),
                peak_altitude_deg=angles[0],
                rise_azimuth_deg=angles[1],
                culmination_azimuth_deg=angles[2],
                set_azimuth_deg=angles[3],
            ),
        )
