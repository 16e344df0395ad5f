"""What large mounts can do besides slewing and tracking: be guided by pulses, slew on the horizon, flip on demand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from drivers.values import EquatorialSystem, MountKind
from simulators.physics.legs import sidereal_deg
from simulators.physics.mount import Mount, MountSettings
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.earth import Ground
from simulators.sky.rotation import instant_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pulse:
    """A rate added to one coordinate (0: right ascension, 1: declination) for a while."""

    coordinate: int
    speed_deg_s: float
    ends_s: float


class FullMount(Mount):
    """A mount with these as well. Whatever else it is told ends the pulses that guide it."""

    def __init__(
        self,
        settings: MountSettings,
        *,
        ground: Ground,
        now: Callable[[], datetime],
        seed: int = 0,
        quirks: Quirks | None = None,
    ) -> None:
        super().__init__(settings, ground=ground, now=now, seed=seed, quirks=quirks)
        self._pulses: tuple[_Pulse, ...] = ()

    @property
    def guiding(self) -> bool:
        """True until the last pulse is over."""
        at_s = self._at_s()
        return any(at_s < pulse.ends_s for pulse in self._pulses) or self._quirks.never_done("guide")

    def pulse(self, coordinate: int, speed_deg_s: float, for_s: float) -> None:
        """Add a rate to right ascension (0) or declination (1) for so long; both may be guided at once.

        Raises:
            Refusal: parked, slewing, not tracking, or a pulse that ends before it begins.
        """
        self._refuse_parked("guiding")
        refuse_unless(for_s >= 0.0, Reason.INVALID_VALUE, f"a pulse of {for_s} s")
        refuse_unless(self._tracking and not self.slewing, Reason.INVALID_OPERATION, "it is guided only while tracking")
        begins_s = self._acts_s()
        others = (one for one in self._pulses if one.ends_s > begins_s and one.coordinate != coordinate)
        self._pulses = (*others, _Pulse(coordinate=coordinate, speed_deg_s=speed_deg_s, ends_s=begins_s + for_s))
        for at_s in sorted({begins_s, *(pulse.ends_s for pulse in self._pulses)}):
            if begins_s < self.axes.stops_s <= at_s:
                break  # at a limit a pulse is over, and nothing comes behind it
            rates_deg_s = list(self._obeyed_rates_deg_s())
            for pulse in self._pulses:
                if at_s < pulse.ends_s:
                    rates_deg_s[pulse.coordinate] += pulse.speed_deg_s
            self.axes.cruise((rates_deg_s[0], rates_deg_s[1]), (0.0, 0.0), at_s=at_s)

    def slew_horizontal(self, altitude_deg: float, azimuth_deg: float) -> None:
        """Begin to turn to a place on the horizon, and stand there.

        Raises:
            Refusal: parked, tracking, or no such place.
        """
        hour_angle_deg, dec_deg = self._from_horizon(altitude_deg, azimuth_deg)
        mechanics = self.axes.mechanics
        flipped = mechanics.wants_flip(hour_angle_deg)
        self._stand_at(mechanics.axes_of(hour_angle_deg, dec_deg, flipped=flipped))

    def sync_horizontal(self, altitude_deg: float, azimuth_deg: float) -> None:
        """Take this place on the horizon as where it looks.

        Raises:
            Refusal: parked, tracking, or no such place.
        """
        hour_angle_deg, dec_deg = self._from_horizon(altitude_deg, azimuth_deg)
        at_s, ground = self._at_s(), self.axes.ground
        place = sidereal_deg(ground, at_s) - hour_angle_deg, dec_deg
        if self.settings.system is EquatorialSystem.ICRS:
            place = ground.icrs_of(*place, instant_of(at_s))
        self.axes.sync(place, at_s=at_s)

    def flip(self, *, to_flipped: bool) -> None:
        """Begin to turn a German mount to the other way of looking where it looks. Harmless where it is so already.

        Raises:
            Refusal: parked, not tracking, a mount of another kind, or a place too far past the meridian for that side.
        """
        german = self.settings.kind is MountKind.GERMAN
        refuse_unless(german, Reason.NOT_IMPLEMENTED, "only a German mount has sides")
        self._refuse_parked("flipping")
        refuse_unless(self._tracking, Reason.INVALID_OPERATION, "it flips only while tracking")
        if self.pointing.flipped is to_flipped:
            return
        at_s = self._acts_s()
        place = self.axes.place(at_s)
        reached = self.axes.reaches(place, at_s=at_s, flipped=to_flipped)
        refuse_unless(reached, Reason.INVALID_OPERATION, "from that side it is too far past the meridian")
        self._leave()
        self._spins_deg_s = (0.0, 0.0)
        self._arrives_s = self.axes.chase(place, at_s=at_s, flipped=to_flipped)
        self._busy_until_s = self._arrives_s + self.settle_s
        self._take_up_rates()

    def _from_horizon(self, altitude_deg: float, azimuth_deg: float) -> tuple[float, float]:
        possible = abs(altitude_deg) <= 90.0 and 0.0 <= azimuth_deg < 360.0
        refuse_unless(possible, Reason.INVALID_VALUE, f"no place at altitude {altitude_deg}°, azimuth {azimuth_deg}°")
        self._refuse_parked("a place on the horizon")
        refuse_unless(not self._tracking, Reason.INVALID_OPERATION, "places on the horizon need tracking off")
        return self.axes.mechanics.equatorial_of(azimuth_deg, altitude_deg)

    def _leave(self) -> None:
        super()._leave()
        self._pulses = ()

    def _cruise(self, at_s: float) -> float:
        self._pulses = ()
        return super()._cruise(at_s)
