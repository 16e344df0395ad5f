"""The ways a mount may take from one direction to another.

Nobody outside a mount knows its way exactly, so several are looked at. An ALTAZ mount turns in azimuth the short way;
either way where the two are nearly alike. An EQUATORIAL mount may be a German one: it may keep its pointing state and
turn directly, over the meridian or under the pole; or flip, the declination axis through the elevated pole and the
hour-angle axis either way round. On each of these, four orders: both axes at equal speed from the start until each is
there, both arriving together, the first axis before the second, the second before the first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schedules.directions import Directions, FloatArray, axis_angles, directions_from
from schedules.places import Horizontal
from schedules.slews import Axes

# Turns this near to half a circle may go the other way round.
_AMBIGUOUS_DEG = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisTurn:
    """One axis on its way, arrays of one shape: it waits, then turns by `turn_deg` at `pace` until it is there.

    Wait and pace are per degree travelled by the quicker axis, so that no speed need be known.
    """

    from_deg: FloatArray
    turn_deg: FloatArray
    wait_deg: FloatArray
    pace: FloatArray

    def at(self, travelled_deg: FloatArray) -> FloatArray:
        """Where the axis stands after so much travel; `travelled_deg` has one dimension more, the last."""
        gone_deg = (travelled_deg - self.wait_deg[..., None]) * self.pace[..., None]
        way_deg = np.abs(self.turn_deg)[..., None]
        turned_deg: FloatArray = np.sign(self.turn_deg)[..., None] * np.clip(gone_deg, 0.0, way_deg)
        return self.from_deg[..., None] + turned_deg

    def only(self, *index: NDArray[np.intp] | slice) -> "AxisTurn":
        """Some of them."""
        return AxisTurn(
            from_deg=self.from_deg[index],
            turn_deg=self.turn_deg[index],
            wait_deg=self.wait_deg[index],
            pace=self.pace[index],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The ways n slews may take, w for each; arrays of shape (n, w). The first of the w is the expected one.

    `first` is azimuth or hour angle, `second` altitude or declination; past ±90° the second looks beyond the pole.
    """

    axes: Axes
    latitude_deg: float
    first: AxisTurn
    second: AxisTurn
    length_deg: FloatArray

    @property
    def expected(self) -> "Path":
        """Only the likeliest way: both axes at equal speed, flips where the hour angle changes its sign."""
        return self.only(slice(None), slice(0, 1))

    def only(self, *index: NDArray[np.intp] | slice) -> "Path":
        """Some of the slews, and of their ways."""
        return Path(
            axes=self.axes,
            latitude_deg=self.latitude_deg,
            first=self.first.only(*index),
            second=self.second.only(*index),
            length_deg=self.length_deg[index],
        )


def slew_path(from_: Horizontal | Directions, to: Horizontal | Directions, axes: Axes, latitude_deg: float) -> Path:
    """The ways from each direction to the one of the same place in `to`; arrays of shape (n,).

    Raises:
        ValueError: a latitude that is none, or unlike numbers of beginnings and ends.
    """
    if not -90.0 <= latitude_deg <= 90.0:
        raise ValueError(f"latitude {latitude_deg}° is not within -90° to 90°: this path cannot be judged")
    begins, ends = directions_from(from_), directions_from(to)
    if begins.altitude_deg.ndim != 1 or begins.altitude_deg.shape != ends.altitude_deg.shape:
        raise ValueError(f"{begins.altitude_deg.shape} beginnings and {ends.altitude_deg.shape} ends make no slews")
    first_deg, second_deg = axis_angles(begins, axes, latitude_deg)
    first_end_deg, second_end_deg = axis_angles(ends, axes, latitude_deg)
    if axes is Axes.ALTAZ:
        turns = _altaz_turns(first_end_deg - first_deg, second_end_deg - second_deg)
    else:
        turns = _equatorial_turns((first_deg, second_deg), (first_end_deg, second_end_deg), southern=latitude_deg < 0.0)
    first_turn_deg, second_turn_deg = (
        np.repeat(np.stack(turn, axis=1), 4, axis=1) for turn in zip(*turns, strict=True)
    )
    first_way_deg, second_way_deg = np.abs(first_turn_deg), np.abs(second_turn_deg)
    longer_deg = np.maximum(first_way_deg, second_way_deg)
    order = np.arange(first_turn_deg.shape[1]) % 4  # equal speed, arriving together, first axis first, second first
    even = np.where(longer_deg > 0.0, longer_deg, 1.0)
    return Path(
        axes=axes,
        latitude_deg=latitude_deg,
        first=AxisTurn(
            from_deg=np.broadcast_to(first_deg[:, None], first_turn_deg.shape),
            turn_deg=first_turn_deg,
            wait_deg=np.where(order == 3, second_way_deg, 0.0),
            pace=np.where(order == 1, first_way_deg / even, 1.0),
        ),
        second=AxisTurn(
            from_deg=np.broadcast_to(second_deg[:, None], first_turn_deg.shape),
            turn_deg=second_turn_deg,
            wait_deg=np.where(order == 2, first_way_deg, 0.0),
            pace=np.where(order == 1, second_way_deg / even, 1.0),
        ),
        length_deg=np.where(order >= 2, first_way_deg + second_way_deg, longer_deg),
    )


def _altaz_turns(azimuth_deg: FloatArray, altitude_deg: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    short_deg = _wrapped(azimuth_deg)
    other_deg = np.where(np.abs(short_deg) > 180.0 - _AMBIGUOUS_DEG, _other_way_round(short_deg), short_deg)
    return [(short_deg, altitude_deg), (other_deg, altitude_deg)]


def _equatorial_turns(
    begins: tuple[FloatArray, FloatArray], ends: tuple[FloatArray, FloatArray], *, southern: bool
) -> list[tuple[FloatArray, FloatArray]]:
    """The turns of both axes; the first pair is the expected one. Hour angles within -180° to 180°."""
    hours_deg, declinations_deg = ends[0] - begins[0], ends[1] - begins[1]
    flip_deg = _wrapped(hours_deg + 180.0)
    through_pole_deg = (-180.0 if southern else 180.0) - begins[1] - ends[1]
    stays = (begins[0] >= 0.0) == (ends[0] >= 0.0)
    return [
        (np.where(stays, hours_deg, flip_deg), np.where(stays, declinations_deg, through_pole_deg)),
        (np.where(stays, flip_deg, hours_deg), np.where(stays, through_pole_deg, declinations_deg)),
        (_wrapped(hours_deg), declinations_deg),
        (_other_way_round(flip_deg), through_pole_deg),
    ]


def _wrapped(angle_deg: FloatArray) -> FloatArray:
    return (angle_deg + 180.0) % 360.0 - 180.0


def _other_way_round(turn_deg: FloatArray) -> FloatArray:
    return turn_deg - np.where(turn_deg >= 0.0, 360.0, -360.0)
