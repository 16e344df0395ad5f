"""Something that turns, or slides, with an acceleration and a top speed: where it is, as a function of time.

Positions are in whatever the axis counts (degrees, steps, open share), instants in Unix seconds.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from simulators.physics.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an axis can do, per second and per second squared."""

    top_speed: float
    acceleration: float

    def __post_init__(self) -> None:
        if not (0.0 < self.top_speed < math.inf and 0.0 < self.acceleration < math.inf):
            raise ValueError(f"an axis with speed {self.top_speed} and acceleration {self.acceleration} cannot move")


class Segment(Protocol):
    """A stretch of motion. After its end it goes on at its last speed; before its start it is not asked."""

    @property
    def starts_s(self) -> float: ...

    @property
    def ends_s(self) -> float: ...

    def position(self, at_s: float) -> float: ...

    def speed(self, at_s: float) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """From rest to rest, `by` so much: speed rises to the top, or as far as the way allows, and falls again."""

    starts_s: float
    from_position: float
    by: float
    limits: Limits

    @property
    def _peak_speed(self) -> float:
        return min(self.limits.top_speed, math.sqrt(self.limits.acceleration * abs(self.by)))

    @property
    def duration_s(self) -> float:
        if self.by == 0.0:
            return 0.0
        return abs(self.by) / self._peak_speed + self._peak_speed / self.limits.acceleration

    @property
    def ends_s(self) -> float:
        return self.starts_s + self.duration_s

    def position(self, at_s: float) -> float:
        into_s = min(max(at_s - self.starts_s, 0.0), self.duration_s)
        left_s = self.duration_s - into_s
        ramp_s = self._peak_speed / self.limits.acceleration
        if into_s < ramp_s and into_s <= left_s:
            turned = self.limits.acceleration * into_s**2 / 2.0
        elif left_s < ramp_s:
            turned = abs(self.by) - self.limits.acceleration * left_s**2 / 2.0
        else:
            turned = self._peak_speed * (into_s - ramp_s / 2.0)
        return self.from_position + math.copysign(turned, self.by)

    def speed(self, at_s: float) -> float:
        from_end_s = min(at_s - self.starts_s, self.ends_s - at_s)
        if from_end_s <= 0.0:
            return 0.0
        return math.copysign(min(self._peak_speed, self.limits.acceleration * from_end_s), self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A change of speed at a constant acceleration; afterwards the new speed holds."""

    starts_s: float
    from_position: float
    from_speed: float
    to_speed: float
    acceleration: float

    @property
    def duration_s(self) -> float:
        return abs(self.to_speed - self.from_speed) / self.acceleration

    @property
    def ends_s(self) -> float:
        return self.starts_s + self.duration_s

    def position(self, at_s: float) -> float:
        into_s = max(at_s - self.starts_s, 0.0)
        changing_s = min(into_s, self.duration_s)
        while_changing = (self.from_speed + self._speed_after(changing_s)) / 2.0 * changing_s
        return self.from_position + while_changing + self.to_speed * (into_s - changing_s)

    def speed(self, at_s: float) -> float:
        return self._speed_after(min(max(at_s - self.starts_s, 0.0), self.duration_s))

    def _speed_after(self, into_s: float) -> float:
        if into_s >= self.duration_s:
            return self.to_speed
        return self.from_speed + math.copysign(self.acceleration * into_s, self.to_speed - self.from_speed)


@dataclass(frozen=True, slots=True)
class Motion:
    """Segments one after the other, each beginning where the one before it has come to."""

    segments: tuple[Segment, ...]

    @property
    def ends_s(self) -> float:
        """When the last change of speed is over."""
        return self.segments[-1].ends_s

    def position(self, at_s: float) -> float:
        return self._segment(at_s).position(at_s)

    def speed(self, at_s: float) -> float:
        return self._segment(at_s).speed(at_s)

    def _segment(self, at_s: float) -> Segment:
        current = self.segments[0]
        for segment in self.segments[1:]:
            if segment.starts_s <= at_s:
                current = segment
        return current


def changed_speed(position: float, speed: float, to_speed: float, limits: Limits, *, at_s: float) -> Motion:
    """From this position and speed to another speed, which then holds."""
    return Motion(
        (
            Ramp(
                starts_s=at_s,
                from_position=position,
                from_speed=speed,
                to_speed=to_speed,
                acceleration=limits.acceleration,
            ),
        )
    )


def turned(position: float, speed: float, to: float, limits: Limits, *, at_s: float) -> Motion:
    """From this position and speed to rest at `to`: first slowed to rest, as mounts do, then turned."""
    slowed = changed_speed(position, speed, 0.0, limits, at_s=at_s)
    rests_at = slowed.position(slowed.ends_s)
    turn = Turn(starts_s=slowed.ends_s, from_position=rests_at, by=to - rests_at, limits=limits)
    return Motion((*slowed.segments, turn))


class Axis:
    """One axis on its own, with its past."""

    def __init__(self, position: float, limits: Limits) -> None:
        self._limits = limits
        self._motions = History(changed_speed(position, 0.0, 0.0, limits, at_s=0.0))

    def position(self, at_s: float) -> float:
        return self._motions.at(at_s).position(at_s)

    def speed(self, at_s: float) -> float:
        return self._motions.at(at_s).speed(at_s)

    def moving(self, at_s: float) -> bool:
        """True from the instant of the command until it rests."""
        return at_s < self._motions.at(at_s).ends_s

    def rests_at(self, at_s: float) -> float:
        """Where it comes, or has come, to rest by what it was told last."""
        motion = self._motions.at(at_s)
        return motion.position(motion.ends_s)

    def turn_to(self, position: float, *, at_s: float) -> None:
        """Go there and rest."""
        self._motions.begin(at_s, turned(self.position(at_s), self.speed(at_s), position, self._limits, at_s=at_s))

    def rest(self, position: float, *, at_s: float) -> None:
        """Stand there from now on, however it came there."""
        self._motions.begin(at_s, changed_speed(position, 0.0, 0.0, self._limits, at_s=at_s))

    def stop(self, *, at_s: float) -> None:
        """Come to rest as fast as the axis can."""
        here = changed_speed(self.position(at_s), self.speed(at_s), 0.0, self._limits, at_s=at_s)
        self._motions.begin(at_s, here)
