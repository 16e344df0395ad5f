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
_GRAVITY, _EQUATOR_KM, _J2 = 398600.8, 6378.135, 0.001082616

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
        # Powers 0 to 7 of the time in pieces, axes, satellites, pieces.
        self._powers = _powers(_by_axis(position), _by_axis(velocity), (ends_s - begins_s) / pieces)
        # One row for each satellite and piece: its 24 numbers lie together in memory.
        self._rows = np.ascontiguousarray(self._powers.reshape(3 * _ORDER, -1).T)

    def along(self, owner: Owners, unix_s: Floats) -> "Along":
        """A satellite each at an instant each."""
        per_s = self._pieces / (self._ends_s - self._begins_s)
        pieces = (unix_s - self._begins_s) * per_s
        piece = np.clip(pieces.astype(np.intp), 0, self._pieces - 1)
        powers = self._rows[owner * self._pieces + piece].T.reshape(_ORDER, 3, -1)
        return Along(powers=powers, part=pieces - piece, per_s=per_s)

    def looks_s(self) -> Floats:
        """The instants of the scan."""
        return np.linspace(self._begins_s, self._ends_s, self._pieces * self._looks + 1)

    def may_be_above(self, sine: float, site_km: Floats, zenith: Floats) -> tuple[Owners, Owners, Owners]:
        """Who may come higher than an altitude of that sine, and between which two looks: owners, firsts, lasts.

        `site_km` and `zenith` are those of the site at the looks, shape (3, n), on the axes of the orbits.
        """
        count = self._powers.shape[2]
        looks = np.vander(np.arange(self._looks) / self._looks, _ORDER, increasing=True).astype(np.float32)
        # By satellite, so that each product of matrices is a small one: for large ones the libraries wake up threads.
        powers = np.ascontiguousarray(self._powers.transpose(1, 2, 0, 3), np.float32)
        margin = np.empty((count, site_km.shape[1]), np.float32)
        margin[:, :-1] = (
            _heights(looks @ powers, sine, *(self._by_look(vector[:, :-1]) for vector in (site_km, zenith)))
            .transpose(0, 2, 1)
            .reshape(count, -1)
        )
        end = slice(-1, None)
        margin[:, end] = _heights(powers[..., end].sum(axis=2), sine, *(v[:, None, end] for v in (site_km, zenith)))
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


def _powers(position: Floats, velocity: Floats, step_s: float) -> Floats:
    """The polynomials' coefficients, shape (8, 3, satellites, pieces)."""
    acceleration = _acceleration(position)
    jerk = (_acceleration(position + velocity) - _acceleration(position - velocity)) / 2.0
    ends = (position, velocity * step_s, acceleration * (step_s**2 / 2.0), jerk * (step_s**3 / 6.0))
    left = [one[..., :-1] for one in ends]
    right = [one[..., 1:] for one in ends]
    # What the left end alone makes of the right end, and what is missing there, in the value and each derivative.
    value = right[0] - (left[0] + left[1] + left[2] + left[3])
    first = right[1] - (left[1] + 2.0 * left[2] + 3.0 * left[3])
    second = right[2] - (left[2] + 3.0 * left[3])
    third = right[3] - left[3]
    return np.stack(
        [
            *left,
            35.0 * value - 15.0 * first + 5.0 * second - third,
            -84.0 * value + 39.0 * first - 14.0 * second + 3.0 * third,
            70.0 * value - 34.0 * first + 13.0 * second - 3.0 * third,
            -20.0 * value + 10.0 * first - 4.0 * second + third,
        ]
    )


def _acceleration(position: Floats) -> Floats:
    """By the Earth's mass and its flattening (J2), km/s²; the first dimension is x, y, z."""
    x, y, z = position
    square = x * x + y * y + z * z
    pull = -_GRAVITY / (square * np.sqrt(square))
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
