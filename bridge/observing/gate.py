"""The one door that every motion passes: verdict, roof, horizon, and the Sun along the whole way.

Whatever is not known to be harmless is refused; limits are written so that no number (NaN) fails them too. Stopping is
never asked here, and closing only where the roof would strike the telescope: else they are always allowed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.clock import Clock
from bridge.observing.pointing import direction_of, turned_within
from bridge.observing.safety import Verdict
from drivers.values import DomeStatus, Equatorial, MountStatus, ShutterState
from schedules.courses import Course
from schedules.ephemeris import Ephemeris
from schedules.instants import unix_s_of
from schedules.paths import (
    Directions,
    lowest_tracking_clearance_deg,
    slew_path,
    smallest_sun_separation_deg,
    smallest_tracking_separation_deg,
)
from schedules.places import Horizontal, angle_deg
from schedules.site import HorizonMask, Site
from schedules.slews import Axes

# Deeper than this the Sun cannot harm a telescope (reliability.md row 7).
_SUN_HARMLESS_DEG = -12.0
# Deeper than this it shines on no site (3.5° are refraction and the dip of the horizon from 9,000 m): then the way the
# mount is expected to take is looked at, and no longer every way it might; half of those lead past a Sun underground.
_SUN_UNDERGROUND_DEG = -4.0
# How finely the way of a star is looked at; and in how many looks a way must be done.
_STARS_STEP_S = 20.0
_LOOKS_AT_MOST = 2000
# How finely a course is looked at, and how far beside it a mount may stand that begins to follow: no further than a
# slew may end from where it was sent, and what it loses while it speeds up.
_COURSE_STEP_S = 1.0
_BESIDE_COURSE_DEG = 3.0
# How long a slew may take at most, for the Sun's own motion meanwhile.
_SLEW_AT_MOST = timedelta(minutes=5)
# A way out of the Sun's cone may not lead deeper into it, but for rounding.
_NO_NEARER_DEG = 0.5


class MotionRefused(Exception):
    """The gate says no, and why."""


class NotNow(MotionRefused):
    """No for now, and later it may be yes: it is unsafe, the dome is not open, the mount is parked, or the way that was
    looked at is over because something took long.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """What the site allows, whatever anyone asks for.

    `roof_strikes`: it would hit a telescope that is not parked. Then it moves only over one that is, and the mount only
    under a roof that is open.
    """

    mask: HorizonMask
    min_altitude_deg: float
    sun_cone_deg: float
    stale_s: float
    has_dome: bool
    roof_strikes: bool


@dataclass(slots=True, kw_only=True)
class Gate:
    """Admits a motion by returning; refuses it by raising MotionRefused."""

    site: Site
    ephemeris: Ephemeris
    axes: Axes
    limits: GateLimits
    verdict: Callable[[], Verdict]
    clock: Clock
    _roof: DomeStatus | None = field(default=None, init=False)
    _parked_at: Horizontal | None = field(default=None, init=False)

    def saw_roof(self, status: DomeStatus) -> None:
        """Remember the last reading of the dome."""
        self._roof = status

    def saw_parked(self, status: MountStatus) -> None:
        """Remember where the mount stands when it is parked."""
        if status.parked:
            self._parked_at = self.horizontal_of(status.pointing, status.read_at)

    def horizontal_of(self, pointing: Equatorial, at: datetime) -> Horizontal:
        """Where a pointing of the mount is by the horizon."""
        return self.ephemeris.horizontal_of(direction_of(pointing), self.site, at)

    def admit_open(self) -> None:
        """Opening the dome."""
        self._require_safe("open the dome")

    def admit_roof(self, status: MountStatus) -> None:
        """Moving the roof, opening or closing, over the mount as it stands now; always allowed where it clears it."""
        if self.limits.roof_strikes and not status.parked:
            raise NotNow(
                "move the roof: it would strike the telescope, whose mount does not say that it is parked; park it by "
                "hand (or set [dome] only_over_parked = false, if the roof clears it however it stands)"
            )

    def admit_uncover(self) -> None:
        """Opening the cover before the telescope."""
        self._require_safe("open the cover")
        self._require_open("open the cover")

    def admit_unpark(self) -> None:
        """Waking the mount where it stands."""
        self._require_safe("unpark")
        self._require_open("unpark")

    def admit_dome_turn(self, azimuth_deg: float) -> None:
        """Turning the dome."""
        self._require_safe("turn the dome")
        if not 0.0 <= azimuth_deg < 360.0:
            raise MotionRefused(f"turn the dome: {azimuth_deg}° is no azimuth")

    def admit_slew(self, status: MountStatus, to: Equatorial, *, until: datetime) -> None:
        """Slewing to `to` and following the stars there until `until`."""
        doing = f"slew to {to.ra_deg:.3f}° {to.dec_deg:+.3f}°"
        self._require_ready(doing, status)
        now = self.clock.now()
        self._require_harmless(doing, to, until)
        self._require_sun_off_way(doing, self.horizontal_of(status.pointing, now), self.horizontal_of(to, now), now)

    def admit_course(self, status: MountStatus, course: Course, *, until: datetime) -> None:
        """Following a target on its course from now until `until`, all the way of it; the mount stands near it."""
        doing = f"follow a target until {until:%H:%M:%S}"
        self._require_ready(doing, status)
        instants = _instants(doing, self.clock.now(), until, step_s=_COURSE_STEP_S)
        motions = [course.horizontal.at(unix_s_of(at)) for at in instants]
        looks = (Horizontal(altitude_deg=one.latitude_deg, azimuth_deg=one.longitude_deg) for one in motions)
        ahead = Directions.of(*looks)
        stands = self.horizontal_of(status.pointing, status.read_at)
        off_deg = angle_deg(stands.azimuth_deg, stands.altitude_deg, motions[0].longitude_deg, motions[0].latitude_deg)
        if not off_deg <= _BESIDE_COURSE_DEG:
            raise MotionRefused(f"{doing}: the mount stands {off_deg:.1f}° off the course; slew to it first")
        self._require_clear(doing, ahead)
        self._require_sun_apart(doing, ahead, instants)

    def admit_around(self, status: MountStatus, *, within_deg: float, until: datetime) -> None:
        """Moving anywhere within so far of where the mount stands, for a driver whose rates are not known yet."""
        doing = f"move within {within_deg:g}° of where it stands"
        self._require_ready(doing, status)
        for at in (self.clock.now(), until):
            look, sun = self.horizontal_of(status.pointing, at), self._sun(at)
            self._require_clear(doing, _ring(look, within_deg))
            apart_deg = angle_deg(look.azimuth_deg, look.altitude_deg, sun.azimuth_deg, sun.altitude_deg)
            limit_deg = self.limits.sun_cone_deg + within_deg
            if sun.altitude_deg > _SUN_HARMLESS_DEG and not apart_deg >= limit_deg:
                raise MotionRefused(f"{doing}: {apart_deg:.1f}° from the Sun, the limit is {limit_deg:g}°")

    def admit_park(self, status: MountStatus) -> None:
        """Parking: allowed under any verdict, but not past the Sun with the dome open.

        Where the park position was never seen, the way there is unknown: then the Sun must be deep, or the dome closed.
        Under a roof that would strike it, it moves only while that is open.
        """
        if self.limits.roof_strikes:
            self._require_open("park")
        now = self.clock.now()
        if self._sun(now).altitude_deg <= _SUN_HARMLESS_DEG or self._roof_is(ShutterState.CLOSED):
            return
        if self._parked_at is None:
            raise MotionRefused("park: where the mount parks was never seen, and the Sun is up; close the dome first")
        self._require_sun_off_way("park", self.horizontal_of(status.pointing, now), self._parked_at, now)

    def _require_ready(self, doing: str, status: MountStatus) -> None:
        self._require_safe(doing)
        self._require_open(doing)
        if status.parked:
            raise NotNow(f"{doing}: the mount is parked")

    def _require_safe(self, doing: str) -> None:
        verdict = self.verdict()
        if not verdict.safe:
            raise NotNow(f"{doing}: unsafe, because {'; '.join(verdict.reasons)}")

    def _require_open(self, doing: str) -> None:
        if self.limits.has_dome and not self._roof_is(ShutterState.OPEN):
            said = "nothing yet" if self._roof is None else f"{self._roof.shutter} at {self._roof.read_at:%H:%M:%S}"
            raise NotNow(f"{doing}: the dome is not proven open (it said: {said})")

    def _roof_is(self, shutter: ShutterState) -> bool:
        if self._roof is None or self._roof.shutter is not shutter:
            return False
        return abs((self.clock.now() - self._roof.read_at).total_seconds()) <= self.limits.stale_s

    def _require_harmless(self, doing: str, to: Equatorial, until: datetime) -> None:
        """Following the stars there from now on leads neither down nor to the Sun."""
        instants = _instants(doing, self.clock.now(), until, step_s=_STARS_STEP_S)
        ahead = Directions.of(*(self.horizontal_of(to, at) for at in instants))
        self._require_clear(doing, ahead)
        self._require_sun_apart(doing, ahead, instants)

    def _require_clear(self, doing: str, ahead: Directions) -> None:
        lowest_deg = float(ahead.altitude_deg.min())
        if not lowest_deg >= self.limits.min_altitude_deg:
            limit_deg = self.limits.min_altitude_deg
            raise MotionRefused(f"{doing}: comes down to {lowest_deg:.1f}° altitude, the limit is {limit_deg:g}°")
        clearance_deg = lowest_tracking_clearance_deg(ahead, self.limits.mask)
        if not clearance_deg >= 0.0:
            raise MotionRefused(f"{doing}: {-clearance_deg:.1f}° below what the horizon mask leaves free")

    def _require_sun_apart(self, doing: str, ahead: Directions, instants: Sequence[datetime]) -> None:
        suns = [self._sun(at) for at in instants]
        if max(sun.altitude_deg for sun in suns) <= _SUN_HARMLESS_DEG:
            return
        apart_deg = smallest_tracking_separation_deg(ahead, Directions.of(*suns))
        if not apart_deg >= self.limits.sun_cone_deg:
            raise MotionRefused(f"{doing}: {apart_deg:.1f}° from the Sun, the limit is {self.limits.sun_cone_deg:g}°")

    def _require_sun_off_way(self, doing: str, start: Horizontal, end: Horizontal, now: datetime) -> None:
        """The Sun counts on the way; the ground does not: a flip leads there where the pole stands low, and what the
        telescope sees meanwhile does not matter.
        """
        for sun in (self._sun(now), self._sun(now + _SLEW_AT_MOST)):
            if sun.altitude_deg <= _SUN_HARMLESS_DEG:
                continue
            from_deg = angle_deg(start.azimuth_deg, start.altitude_deg, sun.azimuth_deg, sun.altitude_deg)
            cone_deg = self.limits.sun_cone_deg
            path = slew_path(start, end, self.axes, self.site.latitude_deg)
            if sun.altitude_deg <= _SUN_UNDERGROUND_DEG or from_deg < cone_deg:
                path = path.expected  # out of the cone too: to stay there would be worse than an odd way out
            apart_deg, limit_deg = smallest_sun_separation_deg(path, sun), min(cone_deg, from_deg - _NO_NEARER_DEG)
            if not apart_deg >= limit_deg:
                raise MotionRefused(
                    f"{doing}: the way there may pass {max(apart_deg, 0.0):.1f}° from the Sun, "
                    f"the limit is {limit_deg:.1f}°"
                )

    def _sun(self, at: datetime) -> Horizontal:
        return self.ephemeris.sun_of(self.site, at)


def _ring(look: Horizontal, within_deg: float) -> Directions:
    """Directions all around one, so far from it; those beyond the zenith are left at the zenith."""
    turns = [math.radians(turn) for turn in range(0, 361, 15)]
    stretch = 1.0 / max(math.cos(math.radians(look.altitude_deg)), 0.1)
    return Directions.of(
        *(
            Horizontal(
                altitude_deg=max(-90.0, min(90.0, look.altitude_deg + within_deg * math.cos(turn))),
                azimuth_deg=turned_within(look.azimuth_deg + within_deg * math.sin(turn) * stretch),
            )
            for turn in turns
        )
    )


def _instants(doing: str, begins: datetime, ends: datetime, *, step_s: float) -> Sequence[datetime]:
    """From `begins` to `ends` in steps, both included."""
    whole_s = (ends - begins).total_seconds()
    steps = max(1, math.ceil(whole_s / step_s))
    if steps > _LOOKS_AT_MOST:
        raise MotionRefused(f"{doing}: not for {whole_s:.0f} s")
    return [begins + (ends - begins) * step / steps for step in range(steps + 1)]
