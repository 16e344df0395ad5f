"""Where the telescope looked during an exposure: its motion, asked of the mount as often as its path bends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from simulators.sky.rotation import unix_of
from simulators.sky.vectors import Floats, Vectors, unit_of

Boresight = Callable[[datetime], tuple[float, float]]

_FIRST_SPANS = 8
_LONGEST_SPAN_S = 2.0
_SHORTEST_SPAN_S = 0.001  # a jump is a jump: no samples without end are spent on finding its instant
_MOST_SAMPLES = 257


@dataclass(frozen=True, slots=True, eq=False)
class Pointing:
    """The boresight at some instants (seconds since 1970, unit vectors on ICRS axes), evenly turning between them."""

    unix_s: Floats
    units: Vectors

    @property
    def middle(self) -> Vectors:
        """The boresight halfway through the exposure."""
        return self.at(np.array([0.5 * (self.unix_s[0] + self.unix_s[-1])])).reshape(3)

    def at(self, unix_s: Floats) -> Vectors:
        """The boresight at instants within the exposure, shape (n, 3)."""
        drawn = np.stack([np.interp(unix_s, self.unix_s, axis) for axis in self.units.T], -1)
        return np.asarray(drawn / np.linalg.norm(drawn, axis=-1, keepdims=True), dtype=np.float64)

    def length_deg(self) -> float:
        """How far the boresight went, all bends counted."""
        return float(np.degrees(np.sum(np.linalg.norm(np.diff(self.units, axis=0), axis=-1))))

    def reach_deg(self) -> float:
        """How far from its middle the boresight ever was."""
        chords = np.linalg.norm(self.units - self.middle, axis=-1)
        return float(np.degrees(2.0 * np.arcsin(np.minimum(np.max(chords) / 2.0, 1.0))))


def followed(boresight: Boresight, started_at: datetime, exposure_s: float, tolerance_deg: float) -> Pointing:
    """The motion of the boresight through an exposure, straight between samples to within `tolerance_deg`.

    That holds for a path that bends evenly; the corner of a sudden change of speed is cut by up to four times as much.
    At least nine samples, at most two seconds apart, and more where the path bends; never more than 257, so that a
    mount gone wild costs accuracy and not time.
    """
    if exposure_s <= 0.0:
        instant = started_at
        return Pointing(np.array([unix_of(instant)]), unit_of(*map(np.array, boresight(instant)))[None, :])
    spans = max(_FIRST_SPANS, int(np.ceil(exposure_s / _LONGEST_SPAN_S)))
    seen = {share: _unit(boresight, started_at, exposure_s, share) for share in np.arange(spans + 1) / spans}
    while len(seen) < _MOST_SAMPLES:
        shares = np.array(sorted(seen))
        bent = _bent(shares, np.array([seen[share] for share in shares]), tolerance_deg, _SHORTEST_SPAN_S / exposure_s)
        if not len(bent):
            break
        seen |= {share: _unit(boresight, started_at, exposure_s, share) for share in bent[: _MOST_SAMPLES - len(seen)]}
    shares = np.array(sorted(seen))
    return Pointing(unix_of(started_at) + exposure_s * shares, np.array([seen[share] for share in shares]))


def _unit(boresight: Boresight, started_at: datetime, exposure_s: float, share: float) -> Vectors:
    ra_deg, dec_deg = boresight(started_at + timedelta(seconds=exposure_s * float(share)))
    return unit_of(ra_deg, dec_deg)


def _bent(shares: Floats, units: Vectors, tolerance_deg: float, shortest: float) -> Floats:
    """The middles of spans, if longer than `shortest`, beside a sample off the straight line between its neighbours.

    A parabola between two samples stays within a quarter of that distance of its chord, a corner within all of it. In
    the first span and the last, which one sample alone watches over, a corner is missed by up to twice of it.
    """
    before, after = np.diff(shares)[:-1], np.diff(shares)[1:]
    weight = (before / (before + after))[:, None]
    straight = units[:-2] * (1.0 - weight) + units[2:] * weight
    off_deg = np.degrees(np.linalg.norm(units[1:-1] - straight, axis=-1))
    bends = off_deg > 4.0 * tolerance_deg
    spans = np.append(bends, False) | np.insert(bends, 0, False)
    spans[[0, -1]] |= off_deg[[0, -1]] > 2.0 * tolerance_deg
    spans &= np.diff(shares) > shortest
    return np.asarray(0.5 * (shares[:-1] + shares[1:])[spans], dtype=np.float64)
