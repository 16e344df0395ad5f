"""How long the telescope takes from one direction to another.

Both axes move at once, each from rest to rest: it speeds up steadily, runs at top speed if the way is long enough, and
slows down as steadily. The slew ends when the slower axis stands still, plus the time to settle.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Axes(StrEnum):
    """How the axes of the mount stand; it decides what the two angles of a direction are."""

    EQUATORIAL = "equatorial"  # (hour angle, declination), degrees
    ALTAZ = "altaz"  # (azimuth, altitude), degrees


@dataclass(frozen=True, slots=True, kw_only=True)
class SlewModel:
    """A mount's motion, the same on both axes.

    An EQUATORIAL mount is taken to be a German one that looks west of the meridian from one pointing state and east of
    it from the other, and changes state exactly when the sign of the hour angle does. The hour-angle axis then turns by
    180° less the difference, and the declination axis goes through the elevated pole (`southern`: the south one). A
    fork, which needs no flip, is charged too much rather than too little. The hour-angle axis never passes under the
    pole to save time. An ALTAZ mount turns in azimuth the short way and has no limit of turns.

    Raises:
        ValueError: a speed or an acceleration that is not above 0 and finite, or a settling time below 0.
    """

    axes: Axes
    speed_deg_s: float
    acceleration_deg_s2: float
    settle_s: float
    southern: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.speed_deg_s < math.inf:
            raise ValueError(f"a slew speed of {self.speed_deg_s}°/s moves no telescope")
        if not 0.0 < self.acceleration_deg_s2 < math.inf:
            raise ValueError(f"a slew acceleration of {self.acceleration_deg_s2}°/s² moves no telescope")
        if not 0.0 <= self.settle_s < math.inf:
            raise ValueError(f"a settling time of {self.settle_s} s cannot be waited for")

    def turn_s(self, angle_deg: float) -> float:
        """How long one axis takes over `angle_deg`, from rest to rest, without settling."""
        way_deg = abs(angle_deg)
        if way_deg * self.acceleration_deg_s2 <= self.speed_deg_s * self.speed_deg_s:
            return 2.0 * math.sqrt(way_deg / self.acceleration_deg_s2)
        return way_deg / self.speed_deg_s + self.speed_deg_s / self.acceleration_deg_s2

    def turned_to(self, first_deg: float, second_deg: float, side: float | None = None) -> tuple[float, float]:
        """How far the axes themselves are turned when the telescope looks at a direction.

        ALTAZ: azimuth and altitude as they are. EQUATORIAL: 0° on the first axis is counterweight down; the second
        counts from the elevated pole, positive when looking west. This is where a flip enters: None is the state in
        which a slew ends there; a telescope that followed a target over the meridian keeps the one it had (`side`: 1.0
        looks west, -1.0 east).
        """
        if self.axes is Axes.ALTAZ:
            return first_deg, second_deg
        if side is None:
            side = 1.0 if (first_deg + 180.0) % 360.0 >= 180.0 else -1.0
        from_pole_deg = 90.0 + second_deg if self.southern else 90.0 - second_deg
        return (first_deg - 90.0 * side + 180.0) % 360.0 - 180.0, side * from_pole_deg

    def between_s(self, from_: tuple[float, float], to: tuple[float, float]) -> float:
        """The slew between two positions of the axes as `turned_to` gives them, settling included."""
        first_deg, second_deg = to[0] - from_[0], abs(to[1] - from_[1])
        if self.axes is Axes.ALTAZ:
            first_deg = (first_deg + 180.0) % 360.0 - 180.0
        first_deg = abs(first_deg)
        return self.turn_s(first_deg if first_deg > second_deg else second_deg) + self.settle_s

    def duration_s(self, from_: tuple[float, float], to: tuple[float, float]) -> float:
        """The slew between two directions, settling included; a slew to where it stands already still settles.

        Each direction is (hour angle, declination) or (azimuth, altitude) by `axes`; the first is taken where the
        telescope is when it leaves, the second where the target will be when it arrives.
        """
        return self.between_s(self.turned_to(*from_), self.turned_to(*to))

    def durations_s(self, from_: tuple[float, float], to: tuple[FloatArray, FloatArray]) -> FloatArray:
        """`duration_s` to each of many directions at once; the two arrays have one shape, and so has the answer."""
        first_deg, second_deg = self._turned_to_each(*to)
        stands = self.turned_to(*from_)
        first_turn_deg = first_deg - stands[0]
        if self.axes is Axes.ALTAZ:
            first_turn_deg = (first_turn_deg + 180.0) % 360.0 - 180.0
        way_deg = np.maximum(np.abs(first_turn_deg), np.abs(second_deg - stands[1]))
        short = way_deg * self.acceleration_deg_s2 <= self.speed_deg_s**2
        hurried_s = 2.0 * np.sqrt(way_deg / self.acceleration_deg_s2)
        cruising_s = way_deg / self.speed_deg_s + self.speed_deg_s / self.acceleration_deg_s2
        return np.where(short, hurried_s, cruising_s) + self.settle_s

    def _turned_to_each(self, first_deg: FloatArray, second_deg: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.axes is Axes.ALTAZ:
            return first_deg, second_deg
        hour_angle_deg = (first_deg + 180.0) % 360.0 - 180.0
        side = np.where(hour_angle_deg >= 0.0, 1.0, -1.0)
        from_pole_deg = 90.0 + second_deg if self.southern else 90.0 - second_deg
        return hour_angle_deg - 90.0 * side, side * from_pole_deg
