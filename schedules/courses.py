"""The way of one target through the sky over one pass: directions and rates at any instant, quick enough for a loop.

Exact directions are laid on a few instants of each piece of the pass, a polynomial goes through each component of their
unit vectors, and a piece in which it is off between them is halved. Angles come from the vector at the end, so that
nothing special happens in the zenith or at the pole.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from schedules.instants import Floats, datetime_of

# Unit vectors of shape (systems, 3, n) at so many seconds after the course begins.
Directions = Callable[[Floats], Floats]

_LONGEST_PIECE_S = 300.0
_SHORTEST_PIECE_S = 0.5
_OFF_BY_RAD = math.radians(0.002 / 3600.0)

_DEGREE = 5
# Chebyshev's points, the ends among them: neighbouring pieces meet there. Between them a polynomial is farthest off.
_NODES = -np.cos(np.pi * np.arange(_DEGREE + 1) / _DEGREE)
_TO_COEFFICIENTS = np.linalg.inv(np.vander(_NODES, increasing=True))
_BETWEEN = (_NODES[1:] + _NODES[:-1]) / 2.0

# At a pole itself longitude has no rate; half a micro-arcsecond away is as near as any target stands still.
_LEAST_ACROSS = 1e-12


class Motion(NamedTuple):
    """A direction on one system's axes and how it changes. The longitude's rate has no cos latitude in it."""

    longitude_deg: float
    latitude_deg: float
    longitude_rate_deg_s: float
    latitude_rate_deg_s: float


class Bearing(NamedTuple):
    """Where a target stands at one instant and how fast it moves, in the systems of `schedules.places`.

    Rates are changes of the coordinates in °/s: those of right ascension and azimuth have no cos dec or cos altitude in
    them, and grow without bound near the poles of their systems. Altitude is unrefracted.
    """

    icrs_ra_deg: float
    icrs_dec_deg: float
    icrs_ra_rate_deg_s: float
    icrs_dec_rate_deg_s: float
    apparent_ra_deg: float
    apparent_dec_deg: float
    apparent_ra_rate_deg_s: float
    apparent_dec_rate_deg_s: float
    azimuth_deg: float
    altitude_deg: float
    azimuth_rate_deg_s: float
    altitude_rate_deg_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One pass, from `opens_s` to `closes_s` (seconds since 1970): places to 0.01″ of the direct computation.

    `icrs`, `apparent` and `horizontal` answer for one system alone, at a third of the price.
    """

    opens_s: float
    closes_s: float
    icrs: "Arc"
    apparent: "Arc"
    horizontal: "Arc"

    def at(self, unix_s: float) -> Bearing:
        """The bearing at an instant, in seconds since 1970.

        Raises:
            ValueError: the instant is not within the course.
        """
        return Bearing(*self.icrs.at(unix_s), *self.apparent.at(unix_s), *self.horizontal.at(unix_s))


class Arc:
    """One system of a course: longitude and latitude of its axes (horizontal: azimuth and altitude)."""

    __slots__ = ("_closes_s", "_length_s", "_opens_s", "_pieces", "_starts_s")

    def __init__(self, opens_s: float, closes_s: float, pieces: list[tuple[float, ...]]) -> None:
        """`pieces` in order of time: start and half length in s after `opens_s`, then the coefficients of x, y, z."""
        self._opens_s = opens_s
        self._closes_s = closes_s
        self._length_s = closes_s - opens_s
        self._starts_s = [piece[0] for piece in pieces]
        self._pieces = pieces

    def at(self, unix_s: float) -> Motion:
        """Direction and rates at an instant, in seconds since 1970.

        Raises:
            ValueError: the instant is not within the course.
        """
        after_s = unix_s - self._opens_s
        if not 0.0 <= after_s <= self._length_s:  # NaN as well
            raise ValueError(self._not_within(unix_s))
        piece = self._pieces[bisect_right(self._starts_s, after_s) - 1]
        start_s, half_s, x0, x1, x2, x3, x4, x5, y0, y1, y2, y3, y4, y5, z0, z1, z2, z3, z4, z5 = piece
        u = (after_s - start_s) / half_s - 1.0
        x = x0 + u * (x1 + u * (x2 + u * (x3 + u * (x4 + u * x5))))
        y = y0 + u * (y1 + u * (y2 + u * (y3 + u * (y4 + u * y5))))
        z = z0 + u * (z1 + u * (z2 + u * (z3 + u * (z4 + u * z5))))
        x_rate = x1 + u * (2.0 * x2 + u * (3.0 * x3 + u * (4.0 * x4 + u * 5.0 * x5)))
        y_rate = y1 + u * (2.0 * y2 + u * (3.0 * y3 + u * (4.0 * y4 + u * 5.0 * y5)))
        z_rate = z1 + u * (2.0 * z2 + u * (3.0 * z3 + u * (4.0 * z4 + u * 5.0 * z5)))
        across = math.sqrt(x * x + y * y) or _LEAST_ACROSS
        deg_s = _DEG / half_s
        return Motion(
            math.atan2(y, x) * _DEG % 360.0 % 360.0,  # twice: the remainder of a tiny negative angle rounds to 360
            math.atan2(z, across) * _DEG,
            (x * y_rate - y * x_rate) / (across * across) * deg_s,
            (across * z_rate - z * (x * x_rate + y * y_rate) / across) * deg_s,
        )

    def _not_within(self, unix_s: float) -> str:
        when = f"{datetime_of(unix_s):%Y-%m-%dT%H:%M:%S.%fZ}" if math.isfinite(unix_s) else f"{unix_s}"
        opens, closes = datetime_of(self._opens_s), datetime_of(self._closes_s)
        return f"{when} is not within this course, from {opens:%Y-%m-%dT%H:%M:%SZ} to {closes:%Y-%m-%dT%H:%M:%SZ}"


_DEG = math.degrees(1.0)


def arcs_through(directions: Directions, opens_s: float, closes_s: float) -> list[Arc]:
    """An arc for each system of `directions`, true to 0.002″ wherever that was looked at.

    Raises:
        ValueError: `closes_s` is not after `opens_s`.
    """
    if not opens_s < closes_s:
        raise ValueError(f"closes {closes_s} is not after opens {opens_s}")
    count = math.ceil((closes_s - opens_s) / _LONGEST_PIECE_S)
    edges_s = np.linspace(0.0, closes_s - opens_s, count + 1)
    starts_s, halves_s = edges_s[:-1], np.diff(edges_s) / 2.0
    done: list[tuple[Floats, Floats, Floats]] = []
    while starts_s.size:
        coefficients, off_rad = _fitted(directions, starts_s, halves_s)
        fine = (off_rad <= _OFF_BY_RAD) | (halves_s <= _SHORTEST_PIECE_S)
        done.append((starts_s[fine], halves_s[fine], coefficients[fine]))
        quarters_s = halves_s[~fine] / 2.0
        starts_s = np.concatenate([starts_s[~fine], starts_s[~fine] + halves_s[~fine]])
        halves_s = np.concatenate([quarters_s, quarters_s])
    starts_s, halves_s, coefficients = (np.concatenate(column) for column in zip(*done, strict=True))
    order = np.argsort(starts_s)
    frames = np.stack([starts_s, halves_s], axis=1)[order]
    systems = np.moveaxis(coefficients[order], 1, 0).reshape(coefficients.shape[1], len(order), -1)
    return [
        Arc(opens_s, closes_s, list(map(tuple, np.concatenate([frames, system], axis=1).tolist())))
        for system in systems
    ]


def _fitted(directions: Directions, starts_s: Floats, halves_s: Floats) -> tuple[Floats, Floats]:
    """Polynomials, shape (pieces, systems, 3, coefficients), and how far each piece's are off between the nodes."""
    at = np.concatenate([_NODES, _BETWEEN])
    after_s = starts_s[:, None] + halves_s[:, None] * (at + 1.0)
    exact = directions(after_s.ravel())
    exact = np.moveaxis(exact.reshape(*exact.shape[:2], *after_s.shape), 2, 0)
    coefficients = exact[..., : len(_NODES)] @ _TO_COEFFICIENTS.T
    between = coefficients @ np.vander(_BETWEEN, _DEGREE + 1, increasing=True).T
    off = np.linalg.norm(between - exact[..., len(_NODES) :], axis=2)
    return coefficients, off.max(axis=(1, 2))
