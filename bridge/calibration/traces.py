"""Readings of a position over time, and what they show: how fast it moved, since when, how often it was read anew."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Of what was read while it was driven, the end counts: by then the axes have come to their speed.
_STEADY_SHARE = 0.3
_FEWEST = 5
# Two halves of a steady motion are alike within this share and so many standard errors: positions are read coarsely,
# and not quite at the instant they are said to be of.
_STRAIGHT_WITHIN = 0.003
_STRAIGHT_WITHIN_DEG_S = 0.0005
ERRORS = 4.0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through readings; `speed_error` is the standard error of its slope, by how they scatter."""

    middle_s: float
    position: float
    speed: float
    speed_error: float

    def at(self, at_s: float) -> float:
        return self.position + self.speed * (at_s - self.middle_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One axis pair told one speed at `asked_s`: instants, and positions of both coordinates, before and since.

    Positions run on over 360°. Instants are seconds since 1970.
    """

    asked_s: float
    before_s: Sequence[float]
    before_deg: Sequence[tuple[float, float]]
    since_s: Sequence[float]
    since_deg: Sequence[tuple[float, float]]

    def resting(self, axis: int) -> Line:
        """What the coordinate did before."""
        return line_through(self.before_s, [one[axis] for one in self.before_deg])

    def steady(self, axis: int) -> Line:
        """What it did when the speed had been reached."""
        first = self._steady_from()
        return line_through(self.since_s[first:], [one[axis] for one in self.since_deg[first:]])

    def is_steady(self, axis: int) -> bool:
        """Whether the speed had been reached: the steady part is straight, whichever half of it is looked at."""
        first = self._steady_from()
        middle = (first + len(self.since_s)) // 2
        halves = (slice(first, middle + 1), slice(middle, None))
        one, other = (
            line_through(self.since_s[half], [place[axis] for place in self.since_deg[half]]) for half in halves
        )
        unsure = ERRORS * math.hypot(one.speed_error, other.speed_error)
        apart = abs(one.speed - other.speed)
        return apart <= _STRAIGHT_WITHIN * max(abs(one.speed), abs(other.speed)) + _STRAIGHT_WITHIN_DEG_S + unsure

    def late_s(self, axis: int) -> float:
        """From the command to where the steady motion, drawn back, left the place of rest; NaN where nothing moved.

        That is the latency, and half the time in which the speed was reached.
        """
        rest, moves = self.resting(axis), self.steady(axis)
        faster = moves.speed - rest.speed
        if faster == 0.0:
            return math.nan
        return (rest.at(self.asked_s) - moves.at(self.asked_s)) / faster

    def _steady_from(self) -> int:
        return min(int(len(self.since_s) * (1.0 - _STEADY_SHARE)), max(0, len(self.since_s) - _FEWEST))

    @property
    def update_interval_s(self) -> float:
        """How often the position is a new one while it moves steadily; 0 where it is at every reading."""
        first = self._steady_from()
        read_s, places = self.since_s[first:], self.since_deg[first:]
        changes_s = [at_s for at_s, now, before in zip(read_s[1:], places[1:], places, strict=False) if now != before]
        if len(changes_s) < 2 or len(changes_s) >= len(read_s) - 2:
            return 0.0
        return (changes_s[-1] - changes_s[0]) / (len(changes_s) - 1)


def line_through(at_s: Sequence[float], positions: Sequence[float]) -> Line:
    """The line of least squares.

    Raises:
        ValueError: fewer than two readings.
    """
    count = len(at_s)
    if count < 2:
        raise ValueError(f"{count} readings make no line")
    middle_s, position = sum(at_s) / count, sum(positions) / count
    spread = sum((one - middle_s) ** 2 for one in at_s)
    speed = sum((one - middle_s) * (place - position) for one, place in zip(at_s, positions, strict=True)) / spread
    off = [position + speed * (one - middle_s) - place for one, place in zip(at_s, positions, strict=True)]
    speed_error = math.sqrt(sum(one * one for one in off) / max(count - 2, 1) / spread)
    return Line(middle_s, position, speed, speed_error)


def running_on(angles_deg: Sequence[float]) -> list[float]:
    """The same angles without jumps at 360°."""
    ran: list[float] = []
    for angle in angles_deg:
        ran.append(angle if not ran else ran[-1] + (angle - ran[-1] + 180.0) % 360.0 - 180.0)
    return ran
