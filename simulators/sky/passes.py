"""When satellites pass over a place: SGP4 at nodes, Hermite's cubic between them, edges by bisection.

Geometry alone: whether the satellite is lit and the sky dark is for others to ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sgp4.api import Satrec, SatrecArray

from simulators.sky.earth import Ground
from simulators.sky.rotation import TURN_RAD_S, instant_of, orientation_at, unix_of
from simulators.sky.vectors import Floats, Vectors, applied

_NODE_S = 120.0  # a low orbit turns 8° in it: the cubic errs by 5 m (ω⁴ r h⁴ / 384)
_SAMPLES = 6  # in each span between nodes
_NEAR_SINE = 0.05  # no orbit climbs more between two samples at its summit
_CHUNK = 256
_UNIX_JD = 2_440_587.5
_DAY_S = 86_400.0

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Pass:
    """One satellite above an altitude: from `rise` to `set`, highest at `culmination`."""

    rise: datetime
    index: int
    culmination: datetime
    set: datetime
    peak_altitude_deg: float


def find_passes(
    records: Mapping[int, Satrec], ground: Ground, *, opens: datetime, closes: datetime, min_altitude_deg: float
) -> list[Pass]:
    """Every pass of the records, each under its key, above `min_altitude_deg`, in order of rise; good to a second.

    A pass under way at `opens` begins there, and one under way at `closes` ends there.
    """
    if closes <= opens:
        return []
    indices = np.fromiter(records, dtype=np.intp)
    found: list[Pass] = []
    for start in range(0, len(indices), _CHUNK):
        chunk = indices[start : start + _CHUNK]
        paths = _paths([records[int(index)] for index in chunk], ground, unix_of(opens), unix_of(closes))
        found += _passes_on(paths, chunk, float(np.sin(np.radians(min_altitude_deg))))
    return sorted(found)


@dataclass(frozen=True, slots=True)
class _Paths:
    """Satellites on the horizon's axes (north, east, up), from the observer, at evenly spaced nodes."""

    starts_s: float
    spacing_s: float
    places_km: Vectors
    """Shape (satellites, nodes, 3)."""
    moves_km: Vectors
    """Velocity times the spacing, same shape."""

    @property
    def spans(self) -> int:
        return len(self.places_km[0]) - 1

    def samples_km(self) -> Vectors:
        """Places at even steps from the first node to the last, shape (satellites, steps + 1, 3)."""
        share = np.arange(_SAMPLES) / _SAMPLES
        between = np.einsum("fw,wkns->knfs", _hermite(share), self._corners(slice(None), np.arange(self.spans)))
        flat = between.reshape(len(self.places_km), -1, 3)
        return np.concatenate([flat, self.places_km[:, -1:]], axis=1)

    def at(self, rows: Indices, step: Floats) -> Vectors:
        """Places of satellites at fractional nodes, shape (rows, 3)."""
        span = np.clip(np.floor(step).astype(np.intp), 0, self.spans - 1)
        return np.asarray(np.einsum("kw,wks->ks", _hermite(step - span), self._corners(rows, span)), dtype=np.float64)

    def _corners(self, rows: Indices | slice, span: Indices) -> Vectors:
        places, moves = self.places_km, self.moves_km
        return np.stack([places[rows, span], places[rows, span + 1], moves[rows, span], moves[rows, span + 1]])


def _hermite(share: Floats) -> Floats:
    """Weights of both places and both moves at a share of the span, shape (…, 4)."""
    s = share
    return np.stack([(1 + 2 * s) * (1 - s) ** 2, s * s * (3 - 2 * s), s * (1 - s) ** 2, s * s * (s - 1)], -1)


def _paths(records: list[Satrec], ground: Ground, opens_s: float, closes_s: float) -> _Paths:
    spans = max(int(np.ceil((closes_s - opens_s) / _NODE_S)), 1)
    unix_s = np.linspace(opens_s, closes_s, spans + 1)
    days = np.floor(unix_s / _DAY_S)
    _, places_km, speeds_km_s = SatrecArray(records).sgp4(_UNIX_JD + days, unix_s / _DAY_S - days)
    earth = orientation_at(unix_s)
    turn = ground.horizon_of_itrs @ earth.itrs_of_gcrs @ earth.gcrs_of_teme
    places_km, speeds_km_s = applied(turn, places_km), applied(turn, speeds_km_s)
    latitude = np.radians(ground.latitude_deg)
    spin = TURN_RAD_S * np.array([np.cos(latitude), 0.0, np.sin(latitude)])
    spacing_s = (closes_s - opens_s) / spans
    return _Paths(
        starts_s=opens_s,
        spacing_s=spacing_s,
        places_km=places_km - ground.horizon_of_itrs @ ground.itrs_km,
        moves_km=(speeds_km_s + np.cross(spin, places_km)) * spacing_s,  # the axes are left-handed: minus turns to plus
    )


def _passes_on(paths: _Paths, indices: Indices, sine_limit: float) -> list[Pass]:
    sines = _sine_of(paths.samples_km())
    edges = np.diff((sines > sine_limit).astype(np.int8), axis=1, prepend=0, append=0)
    rows, first = np.nonzero(edges == 1)
    last = np.nonzero(edges == -1)[1] - 1
    highest = np.array([a + np.argmax(sines[row, a : b + 1]) for row, a, b in zip(rows, first, last, strict=True)])
    between_rows, between, peaks = _between_samples(paths, sines, sine_limit)
    rows = np.concatenate([rows, between_rows])
    if not len(rows):
        return []
    end = len(sines[0]) - 1
    before = np.maximum(np.concatenate([first, between]) - 1, 0) / _SAMPLES
    after = np.minimum(np.concatenate([last, between]) + 1, end) / _SAMPLES
    rise = _edge(paths, rows, before, np.concatenate([first / _SAMPLES, peaks]), sine_limit)
    sets = _edge(paths, rows, after, np.concatenate([last / _SAMPLES, peaks]), sine_limit)
    near_top = np.concatenate([highest, between])
    left, right = np.maximum((near_top - 1) / _SAMPLES, rise), np.minimum((near_top + 1) / _SAMPLES, sets)
    top = _summit(paths, rows, left, right)
    peak_deg = np.degrees(np.arcsin(_sine_of(paths.at(rows, top))))
    seconds = paths.starts_s + paths.spacing_s * np.stack([rise, top, sets], axis=1)
    return [
        Pass(
            index=int(index),
            rise=instant_of(times[0]),
            culmination=instant_of(times[1]),
            set=instant_of(times[2]),
            peak_altitude_deg=float(peak),
        )
        for index, times, peak in zip(indices[rows], seconds, peak_deg, strict=True)
    ]


def _between_samples(paths: _Paths, sines: Floats, sine_limit: float) -> tuple[Indices, Indices, Floats]:
    """Rows, nearest sample and fractional node of summits that rise above the limit while no sample does."""
    middle = sines[:, 1:-1]
    summits = (middle >= sines[:, :-2]) & (middle >= sines[:, 2:])
    rows, before = np.nonzero(summits & (middle <= sine_limit) & (middle > sine_limit - _NEAR_SINE))
    nearest = before + 1
    tops = _summit(paths, rows, (nearest - 1) / _SAMPLES, (nearest + 1) / _SAMPLES)
    risen = _sine_of(paths.at(rows, tops)) > sine_limit
    return rows[risen], nearest[risen], tops[risen]


def _edge(paths: _Paths, rows: Indices, below: Floats, above: Floats, sine_limit: float) -> Floats:
    """The fractional node, between one below and one above the limit, at which it is crossed (5 ms)."""
    for _ in range(12):
        middle = 0.5 * (below + above)
        is_above = _sine_of(paths.at(rows, middle)) > sine_limit
        below, above = np.where(is_above, below, middle), np.where(is_above, middle, above)
    return above


def _summit(paths: _Paths, rows: Indices, left: Floats, right: Floats) -> Floats:
    """The fractional node of the highest place between two, where there is but one height (10 ms)."""
    for _ in range(20):
        third = (right - left) / 3.0
        rises = _sine_of(paths.at(rows, left + third)) < _sine_of(paths.at(rows, right - third))
        left, right = np.where(rises, left + third, left), np.where(rises, right, right - third)
    return 0.5 * (left + right)


def _sine_of(places_km: Vectors) -> Floats:
    """Sine of the altitude."""
    lengths = np.sqrt(np.einsum("...i,...i->...", places_km, places_km))
    return np.asarray(places_km[..., 2] / lengths, dtype=np.float64)
