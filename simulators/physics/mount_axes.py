"""The two axes of a mount over time: turning, following a place on the sky, standing.

True angles are where the axes are. The mount believes them less a zero error, which it learns of only by a sync.
"""

from dataclasses import dataclass

from drivers.values import EquatorialSystem, MountKind
from simulators.physics.axis import Limits, Motion, changed_speed, turned
from simulators.physics.history import History
from simulators.physics.mechanics import Mechanics, folded, wrapped
from simulators.sky.earth import Ground
from simulators.sky.rotation import instant_of

_HALF_STEP_S = 0.05  # of the difference quotients that give speeds
_NEAR_POLE_DEG = 88.0


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

    def axes_deg(self, at_s: float) -> tuple[float, float]:
        into_s = at_s - self.since_s
        ra_deg, dec_deg = self.ra_deg + self.ra_deg_s * into_s, self.dec_deg + self.dec_deg_s * into_s
        hour_angle_deg = sidereal_deg(self.ground, at_s) - ra_deg
        return self.mechanics.axes_of(hour_angle_deg, dec_deg, flipped=self.flipped)

    def speeds_deg_s(self, at_s: float) -> tuple[float, float]:
        before, after = self.axes_deg(at_s - _HALF_STEP_S), self.axes_deg(at_s + _HALF_STEP_S)
        step_s = 2.0 * _HALF_STEP_S
        return wrapped(after[0] - before[0]) / step_s, wrapped(after[1] - before[1]) / step_s


@dataclass(frozen=True, slots=True)
class Leg:
    """What both axes do until the next command: each moves on its own, or relative to the place that is followed."""

    motions: tuple[Motion, Motion]
    follow: Follow | None = None
    followed: tuple[bool, bool] = (False, False)

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


class MountAxes:
    """Both axes, their past, and what they mean on the sky.

    A followed place is held exactly, however fast an axis must turn for it: an alt-azimuth mount does not lose a target
    that passes the zenith, though a real one would.
    """

    def __init__(
        self,
        mechanics: Mechanics,
        ground: Ground,
        system: EquatorialSystem,
        limits: Limits,
        *,
        zero_deg: tuple[float, float],
    ) -> None:
        self.mechanics = mechanics
        self.ground = ground
        self.system = system
        self._limits = limits
        self._zero_deg = zero_deg
        home, zero = mechanics.home_deg, zero_deg
        first = Leg(
            (
                changed_speed(home[0] + zero[0], 0.0, 0.0, limits, at_s=0.0),
                changed_speed(home[1] + zero[1], 0.0, 0.0, limits, at_s=0.0),
            )
        )
        self._legs = History(first)

    def true_deg(self, at_s: float) -> tuple[float, float]:
        """Where the axes are."""
        return self._legs.at(at_s).axes_deg(at_s)

    def speeds_deg_s(self, at_s: float) -> tuple[float, float]:
        """How fast they turn."""
        return self._legs.at(at_s).speeds_deg_s(at_s)

    def believed_deg(self, at_s: float) -> tuple[float, float]:
        """Where the mount believes they are."""
        primary_deg, secondary_deg = self.true_deg(at_s)
        return primary_deg - self._zero_deg[0], secondary_deg - self._zero_deg[1]

    def place(self, at_s: float) -> tuple[float, float]:
        """Right ascension and declination where the mount believes to look, on its own system."""
        ra_deg, dec_deg = self._place_of_date(at_s)
        if self.system is EquatorialSystem.ICRS:
            ra_deg, dec_deg = self.ground.icrs_of(ra_deg, dec_deg, instant_of(at_s))
        return folded(ra_deg, dec_deg)

    def chase(self, place: tuple[float, float], *, at_s: float, flipped: bool | None = None) -> float:
        """Turn to a place on the mount's system and stay on it as the sky turns; says when the axes arrive.

        `flipped`: by that way, where a mount has two; None: by the one it would choose.
        """
        of_date = self._of_date(place, at_s)
        if flipped is None:
            flipped = self.mechanics.wants_flip(sidereal_deg(self.ground, at_s) - of_date[0])
        follow = self._following(of_date, (0.0, 0.0), at_s, flipped=flipped)
        now_deg, base_deg = self.true_deg(at_s), follow.axes_deg(at_s)
        now_deg_s, base_deg_s = self.speeds_deg_s(at_s), follow.speeds_deg_s(at_s)
        motions = []
        for axis, zero_deg in enumerate(self._zero_deg):
            away_deg = self._short_way(axis, now_deg[axis] - base_deg[axis] - zero_deg)
            limits = self._limits_beside(base_deg_s[axis])
            relative_deg_s = now_deg_s[axis] - base_deg_s[axis]
            motions.append(turned(zero_deg + away_deg, relative_deg_s, zero_deg, limits, at_s=at_s))
        return self._begin(Leg((motions[0], motions[1]), follow, (True, True)), at_s)

    def turn_to(self, believed_deg: tuple[float, float], *, at_s: float) -> float:
        """Turn the axes to these angles and stand; says when they arrive."""
        now_deg, now_deg_s = self.true_deg(at_s), self.speeds_deg_s(at_s)
        motions = []
        for axis, zero_deg in enumerate(self._zero_deg):
            away_deg = self._short_way(axis, believed_deg[axis] + zero_deg - now_deg[axis])
            motions.append(turned(now_deg[axis], now_deg_s[axis], now_deg[axis] + away_deg, self._limits, at_s=at_s))
        return self._begin(Leg((motions[0], motions[1])), at_s)

    def cruise(
        self, rates_deg_s: tuple[float, float] | None, spins_deg_s: tuple[float, float], *, at_s: float
    ) -> float:
        """From `at_s` on follow the place looked at then, moving by these rates of right ascension and declination.

        None: stand. An axis with a spin turns at that speed instead (an alt-azimuth mount then follows with neither).
        Speeds change at the mount's acceleration, and what is lost by it stays lost. Says when they have changed.
        """
        now_deg, now_deg_s = self.true_deg(at_s), self.speeds_deg_s(at_s)
        follow, followed = None, (False, False)
        base_deg, base_deg_s = (0.0, 0.0), (0.0, 0.0)
        if rates_deg_s is not None and self._may_follow(spins_deg_s):
            flipped = self.mechanics.is_flipped(self.believed_deg(at_s)[1])
            rates_of_date = self._rates_of_date(rates_deg_s, at_s)
            follow = self._following(self._place_of_date(at_s), rates_of_date, at_s, flipped=flipped)
            base_deg, base_deg_s = follow.axes_deg(at_s), follow.speeds_deg_s(at_s)
            followed = (spins_deg_s[0] == 0.0, spins_deg_s[1] == 0.0)
        motions = []
        for axis, spin_deg_s in enumerate(spins_deg_s):
            position_deg, speed_deg_s = now_deg[axis], now_deg_s[axis]
            if followed[axis]:
                position_deg, speed_deg_s = position_deg - base_deg[axis], speed_deg_s - base_deg_s[axis]
            motions.append(changed_speed(position_deg, speed_deg_s, spin_deg_s, self._limits, at_s=at_s))
        return self._begin(Leg((motions[0], motions[1]), follow, followed), at_s)

    def sync(self, place: tuple[float, float], *, at_s: float) -> None:
        """Believe to look at this place now. Nothing moves."""
        true_deg = self.true_deg(at_s)
        flipped = self.mechanics.is_flipped(self.believed_deg(at_s)[1])
        of_date = self._of_date(place, at_s)
        axes_deg = self._following(of_date, (0.0, 0.0), at_s, flipped=flipped).axes_deg(at_s)
        self._zero_deg = wrapped(true_deg[0] - axes_deg[0]), true_deg[1] - axes_deg[1]

    def changes_before(self, at_s: float) -> int:
        """Counts commands: the same number twice means the same path until then."""
        return self._legs.changes_before(at_s)

    def _place_of_date(self, at_s: float) -> tuple[float, float]:
        hour_angle_deg, dec_deg = self.mechanics.looks_at(*self.believed_deg(at_s))
        return sidereal_deg(self.ground, at_s) - hour_angle_deg, dec_deg

    def _of_date(self, place: tuple[float, float], at_s: float) -> tuple[float, float]:
        return self.ground.apparent_of(*place, instant_of(at_s)) if self.system is EquatorialSystem.ICRS else place

    def _rates_of_date(self, rates_deg_s: tuple[float, float], at_s: float) -> tuple[float, float]:
        """The rates on the axes of date, where they are kept: a mount turns its axes evenly.

        Near the pole they are taken as they are: right ascensions of two systems have little in common there.
        """
        ra_deg, dec_deg = self.place(at_s)
        if self.system is EquatorialSystem.APPARENT or abs(dec_deg) > _NEAR_POLE_DEG:
            return rates_deg_s
        before, after = (
            self._of_date((ra_deg + rates_deg_s[0] * into_s, dec_deg + rates_deg_s[1] * into_s), at_s)
            for into_s in (-_HALF_STEP_S, _HALF_STEP_S)
        )
        step_s = 2.0 * _HALF_STEP_S
        return wrapped(after[0] - before[0]) / step_s, (after[1] - before[1]) / step_s

    def _begin(self, leg: Leg, at_s: float) -> float:
        self._legs.begin(at_s, leg)
        return leg.ends_s

    def _following(
        self, place: tuple[float, float], rates_deg_s: tuple[float, float], at_s: float, *, flipped: bool
    ) -> Follow:
        return Follow(
            ra_deg=place[0],
            dec_deg=place[1],
            ra_deg_s=rates_deg_s[0],
            dec_deg_s=rates_deg_s[1],
            since_s=at_s,
            flipped=flipped,
            mechanics=self.mechanics,
            ground=self.ground,
        )

    def _short_way(self, axis: int, by_deg: float) -> float:
        return wrapped(by_deg) if axis == 0 and self.mechanics.turns_freely else by_deg

    def _limits_beside(self, base_deg_s: float) -> Limits:
        """What is left of the axis's speed while it follows the sky."""
        left_deg_s = max(self._limits.top_speed - abs(base_deg_s), self._limits.top_speed / 2.0)
        return Limits(top_speed=left_deg_s, acceleration=self._limits.acceleration)

    def _may_follow(self, spins_deg_s: tuple[float, float]) -> bool:
        return spins_deg_s == (0.0, 0.0) or self.mechanics.kind is not MountKind.ALTAZ
