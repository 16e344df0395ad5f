"""Many orbits over one stretch of time, from few exact places: position and velocity at any instant, and who may rise.

SGP4 is asked at sparse nodes only, a radian or so of the orbit apart where it is quickest. Between runs the polynomial
of seventh degree that has SGP4's position and velocity at both ends, and the acceleration and jerk which the Earth's
mass and flattening give there. Between the nodes it is some metres off.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sgp4.api import Satrec, SatrecArray

from schedules.instants import DAY_S, UNIX_EPOCH_JD, Floats, Instants
from schedules.targets import ElementSet

Owners = NDArray[np.intp]
Singles = NDArray[np.float32]

# WGS72, as SGP4 has it: the Earth's mass in km³/s², its equator in km, its flattening.
GRAVITY_KM3_S2, _EQUATOR_KM, _J2 = 398600.8, 6378.135, 0.001082616

# Nodes lie this far apart on the orbit where it is quickest. With periods of 225 minutes and more SGP4 adds Sun and
# Moon to the position but not all of them to the velocity: nodes must be closer for the two to agree.
_NEAR_NODES_RAD = 1.5
_DEEP_NODES_RAD = 0.5
_DEEP_BELOW_REV_PER_DAY = 6.4
_SIZE = 1.06
# The scan looks this often between two nodes; a look every 0.15 rad sees every pass, or the bend of a hidden one.
_NEAR_LOOKS, _DEEP_LOOKS = 10, 4
# What a scan forgives: light time, aberration, numbers of single precision.
_SLACK_KM = 10.0

_ORDER = 8
_ENDS = 4
# From the first four terms of Taylor's series at the left end of a piece, and at its right end, to the eight powers of
# the polynomial that has them both.
_POWERS_OF_ENDS = np.linalg.inv(
    [
        [math.comb(power, order) * float(end ** (power - order)) if power >= order else 0.0 for power in range(_ORDER)]
        for end in (0, 1)
        for order in range(_ENDS)
    ]
).round()
# Pieces looked at together: products of larger matrices wake up the threads of the libraries, which only cost.
_AT_A_LOOK = 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """How densely each of n orbits is sampled: `pieces` from node to node, with `looks` of a scan in each."""

    pieces: NDArray[np.int64]
    looks: NDArray[np.int64]

    @classmethod
    def of(cls, orbits: Sequence[ElementSet], length_s: float) -> "Paces":
        """By the quickest motion on each. Pieces are rounded up to a few sizes, for orbits to share their nodes."""
        deep = np.array([elements.mean_motion_rev_per_day < _DEEP_BELOW_REV_PER_DAY for elements in orbits])
        nodes_s = np.where(deep, _DEEP_NODES_RAD, _NEAR_NODES_RAD) / perigee_motions_rad_s(orbits)
        sizes = np.ceil(np.log(np.maximum(1.0, length_s / nodes_s)) / math.log(_SIZE))
        return cls(pieces=np.ceil(_SIZE**sizes).astype(np.int64), looks=np.where(deep, _DEEP_LOOKS, _NEAR_LOOKS))


def perigee_motions_rad_s(orbits: Sequence[ElementSet]) -> Floats:
    """How fast satellites run round the Earth's centre at their perigees, by Kepler's second law."""
    eccentricity = np.array([elements.eccentricity for elements in orbits])
    motion_rad_s = np.array([elements.mean_motion_rev_per_day for elements in orbits]) * (2.0 * math.pi / DAY_S)
    return np.asarray(motion_rad_s * (1.0 + eccentricity) ** 2 / (1.0 - eccentricity**2) ** 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """Places on n orbits: `part` of the way from node to node, on polynomials of shape (8, 3, n)."""

    powers: Floats
    part: Floats
    per_s: float

    @property
    def position_km(self) -> Floats:
        """Shape (3, n)."""
        value: Floats = self.powers[-1] * self.part
        for power in self.powers[-2:0:-1]:
            value += power
            value *= self.part
        value += self.powers[0]
        return value

    @property
    def velocity_km_s(self) -> Floats:
        """Shape (3, n)."""
        value: Floats = self.powers[-1] * ((_ORDER - 1) * self.part)
        for order in range(_ORDER - 2, 1, -1):
            value += order * self.powers[order]
            value *= self.part
        value += self.powers[1]
        value *= self.per_s
        return value


class Orbits:
    """Satellites called by their index, from `begins_s` to `ends_s`, on SGP4's axes (TEME).

    `lost` has the first node without a place (seconds since 1970) and SGP4's code for each satellite that has one: the
    pieces beside it are NaN.
    """

    def __init__(self, records: Sequence[Satrec], begins_s: float, ends_s: float, *, pieces: int, looks: int) -> None:
        """`pieces` from node to node, the same for all satellites, and `looks` of a scan in each."""
        self._begins_s, self._ends_s = begins_s, ends_s
        self._pieces, self._looks = pieces, looks
        nodes_s = np.linspace(begins_s, ends_s, pieces + 1)
        instants = Instants.of_unix_s(nodes_s)
        errors, position, velocity = SatrecArray(records).sgp4(UNIX_EPOCH_JD + instants.days, instants.seconds / DAY_S)
        bad = (errors != 0) | ~np.isfinite(position[..., 0]) | ~np.isfinite(velocity[..., 0])
        position[bad] = np.nan
        firsts = [(row, int(bad[row].argmax())) for row in np.flatnonzero(bad.any(axis=1)).tolist()]
        self.lost = {row: (float(nodes_s[first]), int(errors[row, first])) for row, first in firsts}
        self._ends = _ends(_by_axis(position), _by_axis(velocity), (ends_s - begins_s) / pieces)
        # The polynomials that were asked for, and which of them belongs to each satellite and piece (-1: none yet).
        self._powers: Floats = np.empty((_ORDER * 3, 0))
        self._column_of = np.full(len(records) * pieces, -1, np.intp)

    def along(self, owner: Owners, unix_s: Floats) -> "Along":
        """A satellite each at an instant each."""
        per_s = self._pieces / (self._ends_s - self._begins_s)
        pieces = (unix_s - self._begins_s) * per_s
        piece = np.clip(pieces.astype(np.intp), 0, self._pieces - 1)
        powers = self._powers_of(owner * self._pieces + piece)
        return Along(powers=powers.reshape(_ORDER, 3, -1), part=pieces - piece, per_s=per_s)

    def _powers_of(self, wanted: Owners) -> Floats:
        """The polynomials of pieces of satellites, made when first asked for: most never are."""
        missing = wanted[self._column_of[wanted] < 0]
        if missing.size:
            asked = np.zeros(len(self._column_of), np.bool_)
            asked[missing] = True
            new = np.flatnonzero(asked)
            self._column_of[new] = np.arange(self._powers.shape[1], self._powers.shape[1] + len(new))
            nodes = new + new // self._pieces  # each satellite has a node more than pieces
            ends = self._ends.reshape(_ENDS, 3, -1)
            powers = np.tensordot(_POWERS_OF_ENDS, np.concatenate([ends[..., nodes], ends[..., nodes + 1]]), 1)
            self._powers = np.concatenate([self._powers, powers.reshape(_ORDER * 3, -1)], axis=1)
        return self._powers.take(self._column_of[wanted], axis=1)

    def looks_s(self) -> Floats:
        """The instants of the scan."""
        return np.linspace(self._begins_s, self._ends_s, self._pieces * self._looks + 1)

    def may_be_above(self, sine: float, site_km: Floats, zenith: Floats) -> tuple[Owners, Owners, Owners]:
        """Who may come higher than an altitude of that sine, and between which two looks: owners, firsts, lasts.

        `site_km` and `zenith` are those of the site at the looks, shape (3, n), on the axes of the orbits.
        """
        weights = (np.vander(np.arange(self._looks) / self._looks, _ORDER, increasing=True) @ _POWERS_OF_ENDS).astype(
            np.float32
        )
        ends = self._ends.astype(np.float32)
        count = ends.shape[2]
        margin = np.empty((count, site_km.shape[1]), np.float32)
        by_look = [self._by_look(vector[:, :-1])[:, :, None] for vector in (site_km, zenith)]
        step = max(1, _AT_A_LOOK // self._pieces)
        for start in range(0, count, step):
            few = slice(start, start + step)
            both = np.concatenate([ends[:, :, few, :-1], ends[:, :, few, 1:]]).transpose(1, 0, 2, 3)
            position = (weights @ both.reshape(3, _ORDER, -1)).reshape(3, self._looks, -1, self._pieces)
            heights = _heights(position, sine, *by_look)
            margin[few, :-1] = heights.transpose(1, 2, 0).reshape(-1, self._pieces * self._looks)
        margin[:, -1] = _heights(ends[0, ..., -1], sine, site_km[:, -1], zenith[:, -1])
        return _runs(_may_be_positive(margin))

    def _by_look(self, vector: Floats) -> Floats:
        """From looks in order of time to axes, looks within a piece, pieces."""
        return vector.reshape(3, self._pieces, self._looks).transpose(0, 2, 1)


def _heights(position: Singles, sine: float, site_km: Floats, zenith: Floats) -> Singles:
    """How far above a cone round the zenith positions are, km; the first dimension is x, y, z."""
    site, up = site_km.astype(np.float32), zenith.astype(np.float32)
    height = square = np.float32(0.0)
    for axis in range(3):
        away = position[axis] - site[axis]
        height = height + away * up[axis]
        square = square + away * away
    return np.asarray(height - np.float32(sine) * np.sqrt(square))


def _ends(position: Floats, velocity: Floats, step_s: float) -> Floats:
    """What Taylor's series at each node begins with, in pieces of `step_s`: shape (4, 3, satellites, nodes)."""
    acceleration = _acceleration(position)
    jerk = (_acceleration(position + velocity) - _acceleration(position - velocity)) / 2.0
    ends: Floats = np.empty((_ENDS, *position.shape))
    for order, derivative in enumerate((position, velocity, acceleration, jerk)):
        np.multiply(derivative, step_s**order / math.factorial(order), out=ends[order])
    return ends


def _acceleration(position: Floats) -> Floats:
    """By the Earth's mass and its flattening (J2), km/s²; the first dimension is x, y, z."""
    x, y, z = position
    square = x * x + y * y + z * z
    pull = -GRAVITY_KM3_S2 / (square * np.sqrt(square))
    flat = 1.5 * _J2 * _EQUATOR_KM**2 / square
    steep = 5.0 * z * z / square
    across = pull * (1.0 + flat * (1.0 - steep))
    return np.stack([across * x, across * y, pull * (1.0 + flat * (3.0 - steep)) * z])


def _may_be_positive(margin: Singles) -> NDArray[np.bool_]:
    """The looks, shape (satellites, looks), near which the margin may be positive, and the neighbours of each.

    Between two looks a margin peaks at most an eighth of its bend (the second difference) above the higher one where it
    is a parabola; four times that is allowed for.
    """
    bend = np.zeros_like(margin)
    if margin.shape[1] > 2:
        bend[:, 1:-1] = np.abs(np.diff(margin, 2, axis=1))
        bend[:, 0], bend[:, -1] = bend[:, 1], bend[:, -2]
    is_peak = np.ones(margin.shape, np.bool_)
    is_peak[:, 1:] &= margin[:, 1:] >= margin[:, :-1]
    is_peak[:, :-1] &= margin[:, :-1] >= margin[:, 1:]
    near = margin >= -np.float32(_SLACK_KM)
    row, look = np.nonzero(is_peak & ~near)
    last = margin.shape[1] - 1
    widest = np.maximum(
        bend[row, look], np.maximum(bend[row, np.maximum(look - 1, 0)], bend[row, np.minimum(look + 1, last)])
    )
    hidden = margin[row, look] + 0.5 * widest + _SLACK_KM >= 0.0
    near[row[hidden], look[hidden]] = True
    wide = near.copy()
    wide[:, 1:] |= near[:, :-1]
    wide[:, :-1] |= near[:, 1:]
    return wide


def _runs(chosen: NDArray[np.bool_]) -> tuple[Owners, Owners, Owners]:
    """The runs of True in each row: rows, first and last columns, in order."""
    fenced = np.zeros((chosen.shape[0], chosen.shape[1] + 2), np.int8)
    fenced[:, 1:-1] = chosen
    change = np.diff(fenced, axis=1)
    row, first = np.nonzero(change == 1)
    _, after = np.nonzero(change == -1)
    return row, first, after - 1


def _by_axis(vectors: Floats) -> Floats:
    """From shape (satellites, instants, 3) to (3, satellites, instants)."""
    return np.ascontiguousarray(vectors.transpose(2, 0, 1))
