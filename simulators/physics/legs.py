"""What the axes of a mount do between two commands: each moves on its own, or beside the place that is followed."""

import math
from dataclasses import dataclass, replace

from drivers.values import MountKind
from simulators.physics.axis import Motion
from simulators.physics.mechanics import Mechanics, wrapped
from simulators.sky.earth import Ground
from simulators.sky.rotation import instant_of

_STARS_DEG_S = 15.041067 / 3600.0
_LOOKED_AHEAD_S = 86_400.0
_STANDS_DEG_S = 1e-6
_STEP_S = 0.001
_AT_LIMIT_DEG = 1e-3
_WHILE_CHANGING_S = 0.25
_LONGEST_STEP_S = 600.0

HALF_STEP_S = 0.05
"""Of the difference quotients that give speeds."""


def sidereal_deg(ground: Ground, at_s: float) -> float:
    """Local apparent sidereal time, drawn evenly between whole minutes: good to a microarcsecond, and quick.

    A mount is asked more often than anything else, and the ground is quick only for instants it was asked for before.
    """
    minute_s = at_s // 60.0 * 60.0
    before_deg, after_deg = (ground.sidereal_time_deg(instant_of(second)) for second in (minute_s, minute_s + 60.0))
    return before_deg + wrapped(after_deg - before_deg) * (at_s - minute_s) / 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A place of date that moves evenly from `since_s` on, and where the axes stand to look at it.

    The place of a star changes by 0.02″ an hour (precession, aberration): real mounts do not follow that, nor this one.
    """

    ra_deg: float
    dec_deg: float
    ra_deg_s: float
    dec_deg_s: float
    since_s: float
    flipped: bool
    mechanics: Mechanics
    ground: Ground
    about_deg: float = 0.0
    """An angle, at `since_s`, from which the primary axis is never half a circle away; it goes on as hour angles do."""

    def axes_deg(self, at_s: float) -> tuple[float, float]:
        """Where the axes stand; the primary goes on beyond a full circle, as its cables do."""
        primary_deg, secondary_deg = self._axes_within_circle_deg(at_s)
        about_deg = self.about_deg
        if self.mechanics.kind is not MountKind.ALTAZ:
            about_deg += (_STARS_DEG_S - self.ra_deg_s) * (at_s - self.since_s)
        return about_deg + wrapped(primary_deg - about_deg), secondary_deg

    def speeds_deg_s(self, at_s: float) -> tuple[float, float]:
        before, after = self.axes_deg(at_s - HALF_STEP_S), self.axes_deg(at_s + HALF_STEP_S)
        step_s = 2.0 * HALF_STEP_S
        return wrapped(after[0] - before[0]) / step_s, wrapped(after[1] - before[1]) / step_s

    def _axes_within_circle_deg(self, at_s: float) -> tuple[float, float]:
        into_s = at_s - self.since_s
        ra_deg, dec_deg = self.ra_deg + self.ra_deg_s * into_s, self.dec_deg + self.dec_deg_s * into_s
        hour_angle_deg = sidereal_deg(self.ground, at_s) - ra_deg
        return self.mechanics.axes_of(hour_angle_deg, dec_deg, flipped=self.flipped)

    def counted_on(self) -> "Follow":
        """The same, counting from the circle in which it begins; azimuths of a star swing about its culmination's."""
        about_deg = self._axes_within_circle_deg(self.since_s)[0]
        if self.mechanics.kind is MountKind.ALTAZ and (self.ra_deg_s, self.dec_deg_s) == (0.0, 0.0):
            about_deg = 0.0 if self.dec_deg > self.mechanics.latitude_deg else 180.0
        return replace(self, about_deg=about_deg)


@dataclass(frozen=True, slots=True)
class Leg:
    """What both axes do until the next command: each moves on its own, or relative to the place that is followed."""

    motions: tuple[Motion, Motion]
    follow: Follow | None = None
    followed: tuple[bool, bool] = (False, False)
    since_s: float = -math.inf
    driven_deg: tuple[float, float] = (0.0, 0.0)
    """Where what the axes drive stood at `since_s` (see gears.py)."""

    @property
    def ends_s(self) -> float:
        return max(motion.ends_s for motion in self.motions)

    def axes_deg(self, at_s: float) -> tuple[float, float]:
        primary_deg, secondary_deg = (motion.position(at_s) for motion in self.motions)
        if self.follow is None:
            return primary_deg, secondary_deg
        base = self.follow.axes_deg(at_s)
        return primary_deg + self.followed[0] * base[0], secondary_deg + self.followed[1] * base[1]

    def speeds_deg_s(self, at_s: float) -> tuple[float, float]:
        primary_deg_s, secondary_deg_s = (motion.speed(at_s) for motion in self.motions)
        if self.follow is None:
            return primary_deg_s, secondary_deg_s
        base = self.follow.speeds_deg_s(at_s)
        return primary_deg_s + self.followed[0] * base[0], secondary_deg_s + self.followed[1] * base[1]


def limited_s(leg: Leg, reach_deg: tuple[float, float], acceleration_deg_s2: float) -> float:
    """When the primary axis, on this leg, must brake so as not to go beyond its lowest or highest angle; infinity: not
    within a day.

    An axis that would have to jump by a turn to stay on what it follows (its angle is counted within half a circle of
    where it began) stops there as well. Where its speed holds the search looks ahead by half of what is left of the
    way, at most ten minutes and a quarter turn.
    """
    if not all(map(math.isfinite, reach_deg)):
        return math.inf

    def must_brake(at_s: float, from_deg: float) -> bool:
        position_deg, speed_deg_s = leg.axes_deg(at_s)[0], leg.speeds_deg_s(at_s)[0]
        stops_deg = position_deg + speed_deg_s * abs(speed_deg_s) / (2.0 * acceleration_deg_s2)
        out_high = stops_deg > reach_deg[1] + _AT_LIMIT_DEG and speed_deg_s > _STANDS_DEG_S
        out_low = stops_deg < reach_deg[0] - _AT_LIMIT_DEG and speed_deg_s < -_STANDS_DEG_S
        return out_high or out_low or abs(position_deg - from_deg) > 180.0

    at_s = before_s = leg.since_s
    from_deg = leg.axes_deg(at_s)[0]
    while not must_brake(at_s, from_deg):
        if at_s >= leg.since_s + _LOOKED_AHEAD_S:
            return math.inf
        before_s, from_deg = at_s, leg.axes_deg(at_s)[0]
        at_s += _looked_ahead_s(leg, reach_deg, at_s)
    while at_s - before_s > _STEP_S:
        middle_s = (before_s + at_s) / 2.0
        before_s, at_s = (before_s, middle_s) if must_brake(middle_s, from_deg) else (middle_s, at_s)
    jumps = abs(leg.axes_deg(at_s)[0] - from_deg) > 180.0
    return before_s if jumps else at_s


def _looked_ahead_s(leg: Leg, reach_deg: tuple[float, float], at_s: float) -> float:
    if at_s < leg.ends_s:
        return min(leg.ends_s - at_s + _STEP_S, _WHILE_CHANGING_S)
    position_deg, speed_deg_s = leg.axes_deg(at_s)[0], leg.speeds_deg_s(at_s)[0]
    left_deg = reach_deg[1] - position_deg if speed_deg_s > 0.0 else position_deg - reach_deg[0]
    ahead_s = min(left_deg / 2.0, 90.0) / max(abs(speed_deg_s), _STANDS_DEG_S)
    if leg.follow is not None and leg.follow.mechanics.kind is MountKind.ALTAZ:
        # the nearer to the zenith, the sooner the azimuth may swing round
        sky_deg_s = abs(_STARS_DEG_S - leg.follow.ra_deg_s) + abs(leg.follow.dec_deg_s)
        ahead_s = min(ahead_s, (90.0 - abs(leg.axes_deg(at_s)[1])) / (2.0 * max(sky_deg_s, _STANDS_DEG_S)))
    return min(max(ahead_s, _WHILE_CHANGING_S), _LONGEST_STEP_S)
