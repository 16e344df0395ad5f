"""A telescope mount as a function of time: what it may be told, and what it then does."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from drivers.values import EquatorialSystem, MountKind
from simulators.physics.building import built
from simulators.physics.mechanics import Mechanics, turned_within
from simulators.physics.mount_axes import MountAxes
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.earth import Ground
from simulators.sky.rotation import unix_of

_STARS_DEG_S = 15.041067 / 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MountSettings:
    """How a simulated mount is built. Its pointing error has a seeded direction, and is there until a sync.

    Left as it is nothing else is wrong with it. `periodic_error_arcsec`: by how much the worm of its primary axis
    leads and lags in `worm_period_s`. `backlash_arcsec`: the play of both axes when they turn round.
    `polar_misalignment_arcmin`: how far its pole (what an alt-azimuth mount holds for the zenith) is off, in a seeded
    direction. None of these shows in what it says of itself. `meridian_limit_deg`: so far past the meridian a German
    mount goes on tracking; `cable_wrap_limit_deg`: so far either way the primary axis of others turns. There it
    stands, and tracking is off.

    `command_latency_s`: what it is told to move or to stop, it begins to do so much later. It says at once that it was
    told (Slewing, Tracking), and what is read or synced is of the instant.
    """

    kind: MountKind = MountKind.GERMAN
    system: EquatorialSystem = EquatorialSystem.APPARENT
    top_speed_deg_s: float = 4.0
    acceleration_deg_s2: float = 2.0
    settle_s: float = 1.0
    pointing_error_arcmin: float = 0.0
    command_latency_s: float = 0.0
    periodic_error_arcsec: float = 0.0
    worm_period_s: float = 480.0
    backlash_arcsec: float = 0.0
    polar_misalignment_arcmin: float = 0.0
    meridian_limit_deg: float | None = None
    cable_wrap_limit_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """Where a mount says it looks: on its own system, and on the horizon (unrefracted)."""

    ra_deg: float
    dec_deg: float
    altitude_deg: float
    azimuth_deg: float
    flipped: bool


class Mount:
    """A mount with its rules. Positions are degrees on its own system, rates degrees of the coordinate a second.

    It has more than nine methods because a telescope has that many commands.
    """

    def __init__(
        self,
        settings: MountSettings,
        *,
        ground: Ground,
        now: Callable[[], datetime],
        seed: int = 0,
        quirks: Quirks | None = None,
    ) -> None:
        self.settings = settings
        self.settle_s = settings.settle_s
        mechanics = Mechanics(settings.kind, ground.latitude_deg)
        self.axes = MountAxes(mechanics, ground, settings.system, built(settings, mechanics, seed))
        self._now = now
        self._quirks = quirks or Quirks()
        self._tracking = False
        self._rates_deg_s = (0.0, 0.0)
        self._spins_deg_s = (0.0, 0.0)
        self._busy_until_s = -math.inf
        self._arrives_s = -math.inf
        self._parks_at_s: float | None = -math.inf
        self._homes_at_s: float | None = -math.inf
        self._park_deg = mechanics.home_deg

    @property
    def pointing(self) -> Pointing:
        """Where it says it looks now."""
        return self.pointing_at(self._at_s())

    def pointing_at(self, at_s: float) -> Pointing:
        """Where it says, now, that it looked at an instant of Unix time."""
        ra_deg, dec_deg = self.axes.place(at_s)
        off_ra_deg, off_dec_deg = self._quirks.off_by_deg()
        believed_deg = self.axes.believed_deg(at_s)
        altitude_deg, azimuth_deg = self.axes.mechanics.horizontal_of(*self.axes.mechanics.looks_at(*believed_deg))
        return Pointing(
            ra_deg=turned_within(ra_deg + off_ra_deg),
            dec_deg=max(-90.0, min(90.0, dec_deg + off_dec_deg)),
            altitude_deg=altitude_deg,
            azimuth_deg=azimuth_deg,
            flipped=self.axes.mechanics.is_flipped(believed_deg[1]),
        )

    @property
    def slewing(self) -> bool:
        """True from the command until it stands still and has settled, and while an axis is moved by rate."""
        self._notice_limit()
        if self._quirks.done_early("slew"):
            return False
        moved = self._spins_deg_s != (0.0, 0.0) or self._at_s() < self._busy_until_s
        return moved or self._quirks.never_done("slew")

    @property
    def tracking(self) -> bool:
        self._notice_limit()
        return self._tracking

    @property
    def rates_deg_s(self) -> tuple[float, float]:
        """The rates of right ascension and declination added to the stars'."""
        self._notice_limit()
        return self._rates_deg_s

    @property
    def parked(self) -> bool:
        there = self._parks_at_s is not None and self._at_s() >= self._parks_at_s
        return there and not self._quirks.never_done("park")

    @property
    def at_home(self) -> bool:
        return self._homes_at_s is not None and self._at_s() >= self._homes_at_s

    def slew(self, ra_deg: float, dec_deg: float) -> None:
        """Begin to turn to a place. Rates set before act again when it is reached.

        Raises:
            Refusal: parked, not tracking, or no such place.
        """
        refuse_unless(
            0.0 <= ra_deg < 360.0 and abs(dec_deg) <= 90.0, Reason.INVALID_VALUE, f"no place {ra_deg}° {dec_deg}°"
        )
        self._refuse_parked("slew")
        refuse_unless(
            self._tracking, Reason.INVALID_OPERATION, "slewing to right ascension and declination needs tracking on"
        )
        self._leave()
        self._spins_deg_s = (0.0, 0.0)
        miss_ra_deg, miss_dec_deg = self._quirks.misses_by_deg()
        place = turned_within(ra_deg + miss_ra_deg), max(-90.0, min(90.0, dec_deg + miss_dec_deg))
        self._arrives_s = self.axes.chase(place, at_s=self._acts_s())
        self._busy_until_s = self._arrives_s + self.settle_s
        self._take_up_rates()

    def sync(self, ra_deg: float, dec_deg: float) -> None:
        """Take this place as where it looks now."""
        refuse_unless(
            0.0 <= ra_deg < 360.0 and abs(dec_deg) <= 90.0, Reason.INVALID_VALUE, f"no place {ra_deg}° {dec_deg}°"
        )
        self._refuse_parked("sync")
        refuse_unless(self._tracking, Reason.INVALID_OPERATION, "a sync needs tracking on")
        self.axes.sync((ra_deg, dec_deg), at_s=self._at_s())

    def set_tracking(self, on: bool) -> None:
        """Begin to follow what it looks at, or stand still."""
        if on:
            self._refuse_parked("tracking")
        if on == self.tracking:
            return
        self._leave()
        self._tracking = on
        stands_s = self._cruise(self._acts_s())
        self._busy_until_s = min(self._busy_until_s, stands_s)

    def set_rates(self, ra_deg_s: float, dec_deg_s: float) -> None:
        """Let the place that is followed move; while slewing, from its arrival on.

        Raises:
            Refusal: not tracking, or faster than the axes.
        """
        fastest = self.settings.top_speed_deg_s
        hour_angle_deg_s = abs(_STARS_DEG_S - ra_deg_s)
        refuse_unless(
            hour_angle_deg_s <= fastest and abs(dec_deg_s) <= fastest,
            Reason.INVALID_VALUE,
            f"rates are limited to {fastest}°/s",
        )
        still = (ra_deg_s, dec_deg_s) == (0.0, 0.0)
        refuse_unless(self.tracking or still, Reason.INVALID_OPERATION, "rates need tracking on, at the sidereal rate")
        if (ra_deg_s, dec_deg_s) == self._rates_deg_s:
            return
        self._rates_deg_s = (ra_deg_s, dec_deg_s)
        if self._tracking:
            self._cruise(max(self._acts_s(), self._arrives_s))

    def move_axis(self, axis: int, speed_deg_s: float) -> None:
        """Turn axis 0 or 1 at this speed until told 0; then what was followed before is followed from there."""
        fastest = self.settings.top_speed_deg_s
        refuse_unless(axis in (0, 1), Reason.INVALID_VALUE, f"there is no axis {axis}")
        refuse_unless(abs(speed_deg_s) <= fastest, Reason.INVALID_VALUE, f"axes turn at {fastest}°/s at most")
        self._refuse_parked("moving an axis")
        self._leave()
        spins = list(self._spins_deg_s)
        spins[axis] = speed_deg_s
        self._spins_deg_s = (spins[0], spins[1])
        self._busy_until_s = self._cruise(self._acts_s())

    def abort(self) -> None:
        """End any motion; tracking stays as it was."""
        self._refuse_parked("abort")
        if not self.slewing:
            return
        self._leave()
        self._spins_deg_s = (0.0, 0.0)
        self._busy_until_s = self._cruise(self._acts_s())

    def park(self) -> None:
        """Begin to turn to the park position; tracking ends. Harmless when parked."""
        if self._parks_at_s is None:
            self._parks_at_s = self._stand_at(self._park_deg)

    def unpark(self) -> None:
        """Be free to move. Harmless when free."""
        if self._parks_at_s is not None and self._at_s() < self._parks_at_s:
            self._busy_until_s = self._acts_s()
            self.axes.cruise(None, (0.0, 0.0), at_s=self._busy_until_s)
        self._parks_at_s = None

    def find_home(self) -> None:
        """Begin to turn to the home position, and stand there."""
        self._refuse_parked("finding home")
        self._homes_at_s = self._stand_at(self.axes.mechanics.home_deg)

    def stand_silently(self) -> None:
        """Stop following, and go on saying that it does: a clutch slips, a motor has lost its power."""
        self.axes.cruise(None, (0.0, 0.0), at_s=self._at_s())

    def set_park(self) -> None:
        """Park here from now on."""
        self._park_deg = self.axes.believed_deg(self._at_s())

    def true_icrs(self, at: datetime) -> tuple[float, float]:
        """Where it really looks, at any instant past or planned: ICRS right ascension and declination."""
        hour_angle_deg, dec_deg = self.axes.sight(unix_of(at))
        ground = self.axes.ground
        return ground.icrs_of(ground.sidereal_time_deg(at) - hour_angle_deg, dec_deg, at)

    def _at_s(self) -> float:
        return unix_of(self._now())

    def _acts_s(self) -> float:
        """When what it is told now begins to act."""
        return self._at_s() + self.settings.command_latency_s

    def _notice_limit(self) -> None:
        """What it followed ended when it came to a limit."""
        if self._at_s() >= self.axes.stops_s:
            self._tracking, self._spins_deg_s, self._rates_deg_s = False, (0.0, 0.0), (0.0, 0.0)
            rests_s = self.axes.rests_s
            self._busy_until_s = max(rests_s, min(self._busy_until_s, rests_s + self.settle_s))

    def _refuse_parked(self, doing: str) -> None:
        self._notice_limit()
        refuse_unless(not self.parked, Reason.PARKED, f"{doing}: the mount is parked")

    def _leave(self) -> None:
        """Nothing said before of where it will arrive holds any more."""
        self._homes_at_s = None
        self._parks_at_s = None
        self._arrives_s = -math.inf

    def _cruise(self, at_s: float) -> float:
        rates = self._obeyed_rates_deg_s() if self._tracking else None
        return self.axes.cruise(rates, self._obeyed_spins_deg_s(), at_s=at_s)

    def _take_up_rates(self) -> None:
        """Where a slew arrives, unless it comes to a limit before that."""
        if self._rates_deg_s != (0.0, 0.0) and self._arrives_s < self.axes.stops_s:
            self.axes.cruise(self._obeyed_rates_deg_s(), self._spins_deg_s, at_s=self._arrives_s)

    def _obeyed_rates_deg_s(self) -> tuple[float, float]:
        """What it makes of the rates it was told, as far as its axes can."""
        ra_deg_s, dec_deg_s = self._rates_deg_s
        if ra_deg_s != 0.0:
            ra_deg_s *= self._quirks.times("RightAscensionRate")
        if dec_deg_s != 0.0:
            dec_deg_s *= self._quirks.times("DeclinationRate")
        return _STARS_DEG_S - self._at_most(_STARS_DEG_S - ra_deg_s), self._at_most(dec_deg_s)

    def _obeyed_spins_deg_s(self) -> tuple[float, float]:
        first, second = (
            spin_deg_s and self._at_most(spin_deg_s * self._quirks.times(axis))
            for axis, spin_deg_s in zip(("primary", "secondary"), self._spins_deg_s, strict=True)
        )
        return first, second

    def _at_most(self, speed_deg_s: float) -> float:
        fastest = self.settings.top_speed_deg_s
        return max(-fastest, min(fastest, speed_deg_s))

    def _stand_at(self, axes_deg: tuple[float, float]) -> float:
        self._leave()
        self._tracking, self._spins_deg_s, self._rates_deg_s = False, (0.0, 0.0), (0.0, 0.0)
        arrives_s = self.axes.turn_to(axes_deg, at_s=self._acts_s())
        self._busy_until_s = arrives_s + self.settle_s
        return self._busy_until_s
