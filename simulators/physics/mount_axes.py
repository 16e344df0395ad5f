"""The two axes of a mount over time: turning, following a place on the sky, standing.

Encoders count where the axes are. The mount believes them less a zero error, which it learns of only by a sync; the
tube stands where gears and base have put it.
"""

import math
from dataclasses import replace

from drivers.values import EquatorialSystem, MountKind
from simulators.physics.axis import Limits, changed_speed, turned
from simulators.physics.building import Build
from simulators.physics.history import History
from simulators.physics.legs import HALF_STEP_S, Follow, Leg, limited_s, sidereal_deg
from simulators.physics.mechanics import Mechanics, folded, wrapped
from simulators.sky.earth import Ground
from simulators.sky.rotation import instant_of

_NEAR_POLE_DEG = 88.0
_NEVER = math.inf


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
        build: Build,
    ) -> None:
        self.mechanics = mechanics
        self.ground = ground
        self.system = system
        self._build = build
        self._limits = build.limits
        self._zero_deg = build.zero_deg
        home, zero, limits = mechanics.home_deg, build.zero_deg, build.limits
        first = Leg(
            (
                changed_speed(home[0] + zero[0], 0.0, 0.0, limits, at_s=0.0),
                changed_speed(home[1] + zero[1], 0.0, 0.0, limits, at_s=0.0),
            )
        )
        self._legs = History(first)
        self._stops_s = self._rests_s = _NEVER

    def reaches(self, place: tuple[float, float], *, at_s: float, flipped: bool) -> bool:
        """Whether the primary axis may turn to look there from that side."""
        ra_deg, dec_deg = self._of_date(place, at_s)
        hour_angle_deg = sidereal_deg(self.ground, at_s) - ra_deg
        lowest_deg, highest_deg = self._build.reach_deg(self.mechanics)
        return lowest_deg <= self.mechanics.axes_of(hour_angle_deg, dec_deg, flipped=flipped)[0] <= highest_deg

    def true_deg(self, at_s: float) -> tuple[float, float]:
        """Where the encoders are: from home, the primary beyond a full circle where its cables are wound up."""
        return self._legs.at(at_s).axes_deg(at_s)

    def sight(self, at_s: float) -> tuple[float, float]:
        """Hour angle and declination at which the telescope truly looks."""
        tube_deg = self._build.gears.tube_deg(self._legs.at(at_s), at_s)
        return self._build.base.sight(*self.mechanics.looks_at(*tube_deg))

    def rotation_deg(self, at_s: float) -> float:
        """The position angle, on the sky of date, of the upper edge of what is fixed upright to the telescope."""
        turned_over = self.mechanics.is_flipped(self.true_deg(at_s)[1])
        return wrapped(self._build.base.rotation_deg(*self.sight(at_s)) + 180.0 * turned_over)

    @property
    def stops_s(self) -> float:
        """When a limit of the primary axis ends the motion under way, or has ended the last one; else infinity."""
        return self._stops_s

    @property
    def rests_s(self) -> float:
        """When, having braked, it stands before its limit."""
        return self._rests_s

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
            goal_deg = self._reached(axis, base_deg[axis] + zero_deg, now_deg[axis]) - base_deg[axis]
            limits = self._limits_beside(base_deg_s[axis])
            relative_deg_s = now_deg_s[axis] - base_deg_s[axis]
            motions.append(turned(now_deg[axis] - base_deg[axis], relative_deg_s, goal_deg, limits, at_s=at_s))
        return self._begin(Leg((motions[0], motions[1]), follow, (True, True)), at_s)

    def turn_to(self, believed_deg: tuple[float, float], *, at_s: float) -> float:
        """Turn the axes to these angles and stand; says when they arrive."""
        now_deg, now_deg_s = self.true_deg(at_s), self.speeds_deg_s(at_s)
        motions = []
        for axis, zero_deg in enumerate(self._zero_deg):
            goal_deg = self._reached(axis, believed_deg[axis] + zero_deg, now_deg[axis])
            motions.append(turned(now_deg[axis], now_deg_s[axis], goal_deg, self._limits, at_s=at_s))
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

    def mistake(self, by_deg: tuple[float, float]) -> None:
        """Believe to stand so much further than it does."""
        self._zero_deg = self._zero_deg[0] - by_deg[0], self._zero_deg[1] - by_deg[1]

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
            for into_s in (-HALF_STEP_S, HALF_STEP_S)
        )
        step_s = 2.0 * HALF_STEP_S
        return wrapped(after[0] - before[0]) / step_s, (after[1] - before[1]) / step_s

    def _begin(self, leg: Leg, at_s: float) -> float:
        """Plan a leg, and a stop where it comes to a limit; says when its speeds no longer change."""
        driven_deg = self._build.gears.driven_deg(self._legs.at(at_s), at_s)
        leg = replace(leg, since_s=at_s, driven_deg=driven_deg)
        self._legs.begin(at_s, leg)
        self._stops_s = limited_s(leg, self._build.reach_deg(self.mechanics), self._limits.acceleration)
        if self._stops_s < _NEVER:
            self._rests_s = self._stand(self._stops_s)
        return leg.ends_s

    def _stand(self, at_s: float) -> float:
        now_deg, now_deg_s = self.true_deg(at_s), self.speeds_deg_s(at_s)
        first, second = (
            changed_speed(position_deg, speed_deg_s, 0.0, self._limits, at_s=at_s)
            for position_deg, speed_deg_s in zip(now_deg, now_deg_s, strict=True)
        )
        driven_deg = self._build.gears.driven_deg(self._legs.at(at_s), at_s)
        leg = Leg((first, second), since_s=at_s, driven_deg=driven_deg)
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
        ).counted_on()

    def _reached(self, axis: int, goal_deg: float, from_deg: float) -> float:
        """The same angle where the axis goes to: the short way, unless its cables are in the way.

        What lies out of reach both ways is gone to by the short one, as far as that goes.
        """
        if axis == 1 or not self.mechanics.turns_freely:
            return goal_deg
        lowest_deg, highest_deg = self._build.reach_deg(self.mechanics)
        goal_deg = from_deg + wrapped(goal_deg - from_deg)
        other_deg = goal_deg - math.copysign(360.0, goal_deg)
        beyond = not lowest_deg <= goal_deg <= highest_deg
        return other_deg if beyond and lowest_deg <= other_deg <= highest_deg else goal_deg

    def _limits_beside(self, base_deg_s: float) -> Limits:
        """What is left of the axis's speed while it follows the sky."""
        left_deg_s = max(self._limits.top_speed - abs(base_deg_s), self._limits.top_speed / 2.0)
        return Limits(top_speed=left_deg_s, acceleration=self._limits.acceleration)

    def _may_follow(self, spins_deg_s: tuple[float, float]) -> bool:
        return spins_deg_s == (0.0, 0.0) or self.mechanics.kind is not MountKind.ALTAZ
