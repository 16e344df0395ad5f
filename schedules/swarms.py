"""A catalogue parted into swarms: satellites that share their nodes, in the hours in which they can be seen at all."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sgp4.api import Satrec, SatrecArray

from schedules.constraints import Constraint, Sunlit
from schedules.instants import DAY_S, UNIX_EPOCH_JD, Floats, Instants
from schedules.orbits import GRAVITY_KM3_S2, Owners, Paces
from schedules.orientation import EarthTables
from schedules.search import lowest_altitude_deg, with_sun_above
from schedules.sightlines import EARTH_RADIUS_KM
from schedules.site import Site
from schedules.spans import Spans
from schedules.targets import ElementSet
from schedules.vectors import dot, length

# Pieces of orbits searched together: enough to share the work, few enough to stay small in memory.
_TOGETHER = 60_000
# A swarm of its own costs as much as this many pieces: fewer are rather added to orbits that do not need them.
_SPARE = 1_500

# Satellites that never rise higher than these above the equator are searched in the same hours (km).
_CEILINGS_KM = (540.0, 640.0, 840.0, 1340.0)
# An orbit's apogee as it is at one instant comes and goes by some 15 km each round; drag takes it one way.
_BREATHES_KM = 30.0
_LEAST_EARTH_KM = 6356.0  # to the pole: no site is nearer to the centre
# Allowed for: the vertical is not the line from the Earth's centre (0.2°), light time, aberration.
_SLACK_DEG = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Satellites searched together: their rows in a catalogue, how densely, and in which one stretch of time."""

    rows: list[int]
    pieces: int
    looks: int
    span: Spans


def swarms_of(
    elements: Sequence[ElementSet],
    records: Sequence[Satrec],
    spans: Spans,
    constraints: Sequence[Constraint],
    ground: tuple[Site, EarthTables],
) -> Iterator[Swarm]:
    """All satellites, `records` being SGP4 made ready for `elements`, wherever they may be seen within `spans`.

    `spans` are those which the constraints of the site admit, for all satellites.
    """
    for hours, rows in _by_ceiling(records, spans, constraints, ground):
        mine = [elements[row] for row in rows]
        for number in range(len(hours)):
            span = hours.only(number)
            paces = Paces.of(mine, float(span.ends_s[0] - span.begins_s[0]))
            for group in _alike(paces):
                pieces, looks = int(paces.pieces[group[0]]), int(paces.looks[group[0]])
                yield Swarm(rows=rows[group].tolist(), pieces=pieces, looks=looks, span=span)


def _by_ceiling(
    records: Sequence[Satrec], spans: Spans, constraints: Sequence[Constraint], ground: tuple[Site, EarthTables]
) -> Iterator[tuple[Spans, Owners]]:
    """Hours, and the rows of the satellites that may be seen in them: not those surely in the shadow."""
    left = np.arange(len(records), dtype=np.intp)
    floor_deg = lowest_altitude_deg(constraints)
    must_be_lit = any(isinstance(one, Sunlit) for one in constraints)
    if floor_deg is not None and must_be_lit and records and len(spans):
        highest_km = _highest_km(records, float(spans.begins_s[0]), float(spans.ends_s[-1]))
        for ceiling_km in _CEILINGS_KM:
            hours = with_sun_above(spans, -deepest_sun_deg(ceiling_km, floor_deg), *ground)
            if hours.total_s < spans.total_s:
                low = highest_km[left] <= ceiling_km
                yield hours, left[low]
                left = left[~low]  # with what has no height: NaN
    yield spans, left


def deepest_sun_deg(ceiling_km: float, floor_deg: float) -> float:
    """How far the Sun may be below a site's horizon (°) with its light still on something `floor_deg` high or higher.

    Nothing flies higher than `ceiling_km` above the equator. From the site to below the satellite is an angle at the
    Earth's centre, from there to the edge of the shadow another.
    """
    radius_km = EARTH_RADIUS_KM + ceiling_km
    floor_rad = math.radians(floor_deg)
    away_rad = math.acos(_LEAST_EARTH_KM / radius_km * math.cos(floor_rad)) - floor_rad
    return math.degrees(away_rad + math.acos(EARTH_RADIUS_KM / radius_km)) + _SLACK_DEG


def _highest_km(records: Sequence[Satrec], begins_s: float, ends_s: float) -> Floats:
    """How high above the equator each may come in that time: by its apogees at the ends."""
    instants = Instants.of_unix_s(np.array([begins_s, ends_s]))
    errors, position, velocity = SatrecArray(records).sgp4(UNIX_EPOCH_JD + instants.days, instants.seconds / DAY_S)
    position[errors != 0] = np.nan
    r, v = (np.ascontiguousarray(vectors.transpose(2, 0, 1)) for vectors in (position, velocity))
    distance, square, along = length(r), dot(v, v), dot(r, v)
    half_axis = 1.0 / (2.0 / distance - square / GRAVITY_KM3_S2)
    # The eccentricity has one part along the radius and one across it.
    eccentricity = np.hypot(distance * square / GRAVITY_KM3_S2 - 1.0, along / np.sqrt(half_axis * GRAVITY_KM3_S2))
    return np.asarray((half_axis * (1.0 + eccentricity)).max(axis=1)) + _BREATHES_KM - EARTH_RADIUS_KM


def _alike(paces: Paces) -> Iterator[Owners]:
    """Orbits that can share their nodes, from those that need most on, no more at a time than fit together."""
    for looks in np.unique(paces.looks):
        mine = np.flatnonzero(paces.looks == looks)
        order = mine[np.argsort(-paces.pieces[mine], kind="stable")]
        while order.size:
            pieces = int(paces.pieces[order[0]])
            spared = np.cumsum(pieces - paces.pieces[order])
            count = min(int(np.searchsorted(spared, _SPARE, side="right")), max(1, _TOGETHER // pieces))
            yield order[:count]
            order = order[count:]
