"""How near the Sun and the horizon a telescope may come while it slews or tracks.

The gate before everything that moves asks here. What cannot be true is refused with ValueError and never answered: an
angle that is not finite, nothing to look at.
"""

import math

import numpy as np

from schedules.directions import (
    Directions,
    FloatArray,
    angles_deg,
    axis_angles,
    directions_from,
    steps_deg_between,
    unit_vectors,
)
from schedules.places import Horizontal
from schedules.site import HorizonMask
from schedules.slews import Axes
from schedules.ways import Path, slew_path

__all__ = [
    "Directions",
    "Path",
    "lowest_clearance_deg",
    "lowest_tracking_clearance_deg",
    "slew_path",
    "smallest_sun_separation_deg",
    "smallest_tracking_separation_deg",
    "sun_separations_deg",
]

# The view moves at most √2 times as much as an axis when both turn.
_VIEW_PER_AXIS = math.sqrt(2.0)
# How finely the horizon is looked at, in axis travel: the view moves at most 0.5° from one look to the next.
_LOOK_DEG = 0.35
# The separation from the Sun is searched to this, and this much is taken off.
_SUN_WITHIN_DEG = 0.1
_FIRST_SPLIT = 8
_SPLIT = 4
# Looks at once: what fits the cache of a small computer.
_LOOKS_AT_ONCE = 100_000


def smallest_sun_separation_deg(path: Path, sun: Horizontal | Directions) -> float:
    """How near to the Sun's centre any way of any slew comes; see `sun_separations_deg`."""
    return float(np.min(sun_separations_deg(path, sun)))


def sun_separations_deg(path: Path, sun: Horizontal | Directions) -> FloatArray:
    """How near to the Sun's centre each slew may come, on the worst of its ways; shape (n,).

    Never more than the truth, and 0.1° or less below it. `sun` is where the Sun stands while the slews last: one place,
    places in order of time for all slews (k,), or for each its own (n, k). Every part of a way is held against every
    place of the Sun, and half the Sun's longest step between two of them is taken off.

    Some of the ways look below the horizon. With the Sun well below it too, half of all slews of an EQUATORIAL mount
    come within 30° on their worst way and one in two hundred on the expected one: ask for `path.expected` then.

    Raises:
        ValueError: the Sun's places do not fit the slews, or an answer is not finite.
    """
    suns = directions_from(sun)
    slews = path.length_deg.shape[0]
    if suns.altitude_deg.ndim > 2 or (suns.altitude_deg.ndim == 2 and suns.altitude_deg.shape[0] != slews):
        raise ValueError(f"places of the Sun of shape {suns.altitude_deg.shape} do not fit {slews} slews")
    margin_deg = np.broadcast_to(_longest_step_deg(suns) / 2.0, (slews,))
    sun_angles = (np.atleast_2d(angle) for angle in axis_angles(suns, path.axes, path.latitude_deg))
    sun_first_deg, sun_second_deg = (np.broadcast_to(angle, (slews, angle.shape[-1])) for angle in sun_angles)
    answer = np.empty(slews)
    at_once = max(1, _LOOKS_AT_ONCE // (path.length_deg.shape[1] * (_FIRST_SPLIT + 1) * sun_first_deg.shape[1]))
    for begin in range(0, slews, at_once):
        part = slice(begin, begin + at_once)
        answer[part] = _nearest_deg(path.only(part), sun_first_deg[part], sun_second_deg[part])
    answer -= margin_deg
    if not bool(np.all(np.isfinite(answer))):
        raise ValueError("the separation from the Sun is not finite: this path cannot be judged")
    return answer


def lowest_clearance_deg(path: Path, mask: HorizonMask) -> float:
    """How far above the mask the lowest look of any way of any slew is, negative if below; a look every 0.5° or less.

    The ways a mount hardly takes may look at the ground; ask for `path.expected` where that does no harm.
    """
    slews, ways = path.length_deg.shape
    looks = int(np.ceil(np.max(path.length_deg) / _LOOK_DEG)) + 1
    at_once = max(1, _LOOKS_AT_ONCE // (ways * looks))
    return min(
        _lowest_look_deg(path.only(slice(begin, begin + at_once)), looks, mask) for begin in range(0, slews, at_once)
    )


def smallest_tracking_separation_deg(target: Directions, sun: Directions) -> float:
    """How near to the Sun's centre a tracked target comes; both at the same instants, in order, shape (n,).

    Never more than the truth: between two instants both may have moved towards each other.

    Raises:
        ValueError: unlike numbers of instants, or instants so far apart that the way between them is a guess.
    """
    if target.altitude_deg.ndim != 1 or target.altitude_deg.shape != sun.altitude_deg.shape:
        raise ValueError(
            f"{target.altitude_deg.shape} places of a target do not fit {sun.altitude_deg.shape} of the Sun"
        )
    apart_deg = angles_deg(target.azimuth_deg, target.altitude_deg, sun.azimuth_deg, sun.altitude_deg)
    nearest_deg = float(np.min(apart_deg))
    if apart_deg.size > 1:
        moved_deg = steps_deg_between(target) + steps_deg_between(sun)
        nearest_deg = min(nearest_deg, float(np.min(apart_deg[:-1] + apart_deg[1:] - moved_deg)) / 2.0)
    if not math.isfinite(nearest_deg):
        raise ValueError("the separation from the Sun is not finite: this track cannot be judged")
    return nearest_deg


def lowest_tracking_clearance_deg(target: Directions, mask: HorizonMask) -> float:
    """How far above the mask the lowest look of a tracked target is; straight between instants, a look every 0.5°.

    Raises:
        ValueError: instants so far apart that the way between them is a guess.
    """
    north, east, up = unit_vectors(target.azimuth_deg, target.altitude_deg)
    if target.altitude_deg.size > 1:
        looks = int(np.ceil(float(np.max(steps_deg_between(target))) / 0.5)) + 1
        parts = np.linspace(0.0, 1.0, looks + 1)
        north, east, up = (
            (axis[:-1, None] + np.diff(axis)[:, None] * parts[None, :]).ravel() for axis in (north, east, up)
        )
    return float(np.min(_clearance_deg(north, east, up, mask)))


def _nearest_deg(path: Path, sun_first_deg: FloatArray, sun_second_deg: FloatArray) -> FloatArray:
    """The separation along the worst way of each slew, from below; the Sun's angles have shape (slews, places).

    A separation changes no faster than the view moves. So a piece of a way comes no nearer than half of this: the sum
    of the separations at its two ends, less its length. Pieces that cannot come 0.1° nearer
    than what was found are left alone, the others are split.
    """
    nearest_deg = np.full(path.length_deg.shape[0], np.inf)
    slew, way = (index.ravel() for index in np.indices(path.length_deg.shape))
    begin_deg, piece_deg, split = np.zeros(slew.size), path.length_deg.ravel(), _FIRST_SPLIT
    while slew.size:
        looks_deg = begin_deg[:, None] + piece_deg[:, None] * np.linspace(0.0, 1.0, split + 1)
        apart_deg = _apart_deg(path.only(slew, way), looks_deg, sun_first_deg[slew], sun_second_deg[slew])
        np.minimum.at(nearest_deg, slew, np.min(apart_deg, axis=1))
        piece_deg = piece_deg / split
        bound_deg = (apart_deg[:, :-1] + apart_deg[:, 1:] - _VIEW_PER_AXIS * piece_deg[:, None]) / 2.0
        piece, part = np.nonzero(bound_deg < nearest_deg[slew][:, None] - _SUN_WITHIN_DEG)
        begin_deg = looks_deg[piece, part]
        slew, way, piece_deg, split = slew[piece], way[piece], piece_deg[piece], _SPLIT
    return nearest_deg - _SUN_WITHIN_DEG


def _apart_deg(path: Path, looks_deg: FloatArray, sun_first_deg: FloatArray, sun_second_deg: FloatArray) -> FloatArray:
    """The separation from the nearest place of the Sun at each look, shape (pieces, looks)."""
    first, second = np.radians(path.first.at(looks_deg)), np.radians(path.second.at(looks_deg))
    across, along = np.cos(second), np.sin(second)
    sun_first, sun_second = np.radians(sun_first_deg), np.radians(sun_second_deg)
    nearest = np.full(looks_deg.shape, -1.0)
    for place in range(sun_first.shape[1]):
        cosine = across * np.cos(first - sun_first[:, place, None]) * np.cos(sun_second[:, place, None])
        nearest = np.maximum(nearest, cosine + along * np.sin(sun_second[:, place, None]))
    apart_deg: FloatArray = np.degrees(np.arccos(np.clip(nearest, -1.0, 1.0)))
    return apart_deg


def _lowest_look_deg(path: Path, looks: int, mask: HorizonMask) -> float:
    travelled_deg = path.length_deg[..., None] * np.linspace(0.0, 1.0, looks)
    first_deg, second_deg = path.first.at(travelled_deg), path.second.at(travelled_deg)
    if path.axes is Axes.ALTAZ:
        return float(np.min(_clearance_deg(*unit_vectors(first_deg, second_deg), mask)))
    south, west, pole = unit_vectors(first_deg, second_deg)
    sine, cosine = math.sin(math.radians(path.latitude_deg)), math.cos(math.radians(path.latitude_deg))
    return float(np.min(_clearance_deg(pole * cosine - south * sine, -west, south * cosine + pole * sine, mask)))


def _clearance_deg(north: FloatArray, east: FloatArray, up: FloatArray, mask: HorizonMask) -> FloatArray:
    altitude_deg: FloatArray = np.degrees(np.arctan2(up, np.hypot(north, east)))
    if not bool(np.all(np.isfinite(altitude_deg))):
        raise ValueError("an altitude on the path is not finite: this path cannot be judged")
    if not mask.points:
        return altitude_deg
    azimuths_deg, clear_deg = zip(*mask.points, strict=True)
    azimuth_deg = np.degrees(np.arctan2(east, north))
    mask_deg: FloatArray = np.interp(azimuth_deg, azimuths_deg, clear_deg, period=360.0)
    return altitude_deg - mask_deg


def _longest_step_deg(suns: Directions) -> FloatArray:
    """The Sun's longest step for each slew, or for all; 0 for a single place."""
    if suns.altitude_deg.shape[-1] == 1:
        return np.zeros(suns.altitude_deg.shape[:-1])
    longest_deg: FloatArray = np.asarray(np.max(steps_deg_between(suns), axis=-1))
    return longest_deg
