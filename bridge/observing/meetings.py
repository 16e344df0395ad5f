"""When and where the mount meets its target: the arithmetic of one frame, without a device or a wait."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.observing.pace import Recent
from bridge.observing.pointing import Rates, command_for, direction_of, rates_for, turn_deg
from drivers.values import Equatorial, EquatorialSystem, MountStatus
from schedules.courses import Course
from schedules.exposures import collect_for
from schedules.places import Place
from schedules.planner import PlannedObservation
from schedules.requests import CollectShape
from schedules.slews import Axes
from schedules.telescope import Telescope

# A mount that begins to follow loses while it speeds up, and makes that up by so much of it a second; this near it is
# there. And so long it is looked at before the shutter opens.
_CATCHES_UP_PER_S = 2.0
_NEAR_DEG = 1.0 / 3600.0
_FOLLOW_BEFORE_S = 0.5
# The shutter of a mount that follows already.
_NEXT_AFTER_S = 0.1
# How often a meeting is looked at again with the slew it really needs, and what is kept in hand.
_REFINED = 4
_MARGIN_S = 0.3


class TooLate(Exception):
    """The window ends before another frame could be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One exposure to be. `place` is the target's in its middle; the mount must stand at `command` when it is
    `follow_from`, and from then on follow the target, at `rates` in the middle (None: follow the stars).
    """

    place: Place
    opens_at: datetime
    closes_at: datetime
    follow_from: datetime
    command: Equatorial
    rates: Rates | None


class Meetings:
    """Finds the meetings of one mount at one site, and learns how late its slews come."""

    def __init__(
        self, *, telescope: Telescope, system: EquatorialSystem, slew_overrun: Recent, slit_tolerance_deg: float = 0.0
    ) -> None:
        self._ephemeris = telescope.ephemeris
        self.site = telescope.site
        self._slews = telescope.slews
        self._optics = telescope.optics
        self._dome_turn_speed_deg_s = telescope.dome_turn_speed_deg_s
        self._slit_tolerance_deg = slit_tolerance_deg
        self._system = system
        self.slew_overrun = slew_overrun

    def first(self, planned: PlannedObservation, *, earliest: datetime, status: MountStatus, now: datetime) -> Meeting:
        """The first meeting not before `earliest` for which a mount at `status` can be there in time.

        Raises:
            TooLate: the window is over by then.
        """
        opens_at = max(earliest, now)
        for _ in range(_REFINED):  # the later it is, the further the target has gone, the longer the slew
            guess = self.at(planned, opens_at)
            lead_s = self.slew_s(status, guess.command, now) + self.slew_overrun.largest_s + _MARGIN_S
            lead_s += (guess.opens_at - guess.follow_from).total_seconds()
            opens_at = max(earliest, now + timedelta(seconds=lead_s))
        return self.at(planned, opens_at)

    def at(self, planned: PlannedObservation, opens_at: datetime) -> Meeting:
        """The meeting whose exposure opens at `opens_at`.

        Raises:
            TooLate: the exposure would end after the window.
        """
        exposure_s = planned.collect.exposure_s
        closes_at = opens_at + timedelta(seconds=exposure_s)
        last = min(planned.window.set, planned.request.closes)
        if closes_at > last:
            raise TooLate(f"the window closes at {last:%H:%M:%S}, before another frame could be taken")
        middle = opens_at + timedelta(seconds=exposure_s / 2.0)
        place = self._ephemeris.place_of(planned.request.target, self.site, middle)
        if planned.collect.shape is CollectShape.RATE_TRACK:
            follow_from = opens_at - timedelta(seconds=self.catching_up_s(place.angular_rate_deg_s))
            there = self._ephemeris.place_of(planned.request.target, self.site, follow_from)
            command, rates = command_for(there, self._system), rates_for(place, self._system)
        else:
            follow_from, command, rates = opens_at, command_for(place, self._system), None
        return Meeting(
            place=place, opens_at=opens_at, closes_at=closes_at, follow_from=follow_from, command=command, rates=rates
        )

    def next_while_following(self, planned: PlannedObservation, now: datetime) -> Meeting:
        """The next meeting of a mount that follows the target already.

        Raises:
            TooLate: the exposure would end after the window.
        """
        return self.at(planned, now + timedelta(seconds=_NEXT_AFTER_S))

    def leaping(self, planned: PlannedObservation, now: datetime) -> PlannedObservation:
        """The same observation for a mount that cannot follow the target: its exposures cut to a streak."""
        rate_deg_s = self.place_of(planned, now).angular_rate_deg_s
        request = replace(planned.request, collect=CollectShape.LEAPFROG)
        collect = collect_for(request, rate_deg_s, self._optics)
        return replace(planned, collect=collect)

    def course(self, planned: PlannedObservation, *, opens: datetime, closes: datetime) -> Course:
        """The target's way between two instants, ready for a loop."""
        return self._ephemeris.course_of(planned.request.target, self.site, opens=opens, closes=closes)

    def catching_up_s(self, rate_deg_s: float) -> float:
        """From standing on the way of a target that moves at this rate to following it closely."""
        speeds_up_s = rate_deg_s / self._slews.acceleration_deg_s2
        lost_deg = rate_deg_s * speeds_up_s / 2.0
        return _FOLLOW_BEFORE_S + speeds_up_s + math.log1p(lost_deg / _NEAR_DEG) / _CATCHES_UP_PER_S

    def slew_s(self, status: MountStatus, to: Equatorial, at: datetime) -> float:
        """The model's time for a slew from where the mount stands, the dome turning along."""
        mount_s = self._slews.duration_s(self._turned(status.pointing, at), self._turned(to, at))
        if math.isinf(self._dome_turn_speed_deg_s):
            return mount_s
        return max(mount_s, self._dome_turn_deg(status.pointing, to, at) / self._dome_turn_speed_deg_s)

    def _dome_turn_deg(self, from_: Equatorial, to: Equatorial, at: datetime) -> float:
        """How far the slit turns with the telescope; not at all for a way it need not follow."""
        azimuths = [self._ephemeris.horizontal_of(direction_of(one), self.site, at).azimuth_deg for one in (from_, to)]
        way_deg = turn_deg(*azimuths)
        return way_deg if way_deg > self._slit_tolerance_deg else 0.0

    def place_of(self, planned: PlannedObservation, at: datetime) -> Place:
        """Where the target is."""
        return self._ephemeris.place_of(planned.request.target, self.site, at)

    def _turned(self, pointing: Equatorial, at: datetime) -> tuple[float, float]:
        direction = direction_of(pointing)
        if self._slews.axes is Axes.ALTAZ:
            horizontal = self._ephemeris.horizontal_of(direction, self.site, at)
            return horizontal.azimuth_deg, horizontal.altitude_deg
        hour_angle_deg = self._ephemeris.sidereal_time_deg(self.site, at) - pointing.ra_deg
        return (hour_angle_deg + 180.0) % 360.0 - 180.0, pointing.dec_deg
