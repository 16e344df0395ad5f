"""Puts a mount on a target's course by the best way it has there, and has the frames taken while it follows."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio

from bridge.calibration.measured import MountMeasured, Way
from bridge.clock import Clock, sleep_until
from bridge.observing.exposing import Exposing
from bridge.observing.following import Follower, LostTarget
from bridge.observing.helm import bounds_of
from bridge.observing.ladder import Ladder
from bridge.observing.meetings import Meeting, Meetings
from bridge.observing.observatory import Observatory
from bridge.observing.steering import Axis, Coordinates, Steering, steering_of
from bridge.observing.together import first_of
from drivers.values import ElementLines, Frame, MountKind, MountStatus
from schedules.courses import Course
from schedules.instants import datetime_of, unix_s_of
from schedules.planner import PlannedObservation
from schedules.targets import Satellite
from schedules.tle_lines import lines_of

# The course reaches so far beyond what is followed, both ways: readings are of the past, rates of the future.
_COURSE_BEYOND = timedelta(seconds=30.0)
_COURSE_AT_MOST = timedelta(hours=2.0)
# The mount follows on for so long after the read-out should be over; a camera that takes longer finds it let go.
_IN_HAND_S = 5.0
# So long after the shutter's instant the mount may still be coming nearer.
_SETTLES_WITHIN_S = 6.0
# Both are longer by so many real seconds where time runs faster than life, and devices do not.
_REAL_S = 0.25


class CannotFollow(Exception):
    """No way of this mount follows this target here; says why not, way by way."""


@dataclass(slots=True, kw_only=True)
class Chase:
    """Follows targets with one mount. `unmeasured` is what either axis is believed to do until it was measured."""

    observatory: Observatory
    meetings: Meetings
    exposing: Exposing
    ladder: Ladder
    measured: MountMeasured | None
    unmeasured: Axis
    clock: Clock
    lost_beyond_arcsec: float

    async def follow(
        self,
        planned: PlannedObservation,
        meeting: Meeting,
        reported: MountStatus,
        taken: list[Frame],
        *,
        without: AbstractSet[Way],
    ) -> None:
        """Take what is left of the frames, the first at `meeting`, and let the target go.

        Raises:
            CannotFollow: by none of the ways that are left `without` these.
            LostTarget: the mount did not keep to the target, or was let go because the camera took too long.
            TooLate: the window closes before another frame could be taken.
            MotionRefused, DeviceError: as the gate and the devices say.
        """
        course = self._course(planned)
        steering = self._chosen(planned, course, reported, meeting, without)
        await sleep_until(self.clock, meeting.follow_from)
        helm = await self.observatory.take_helm(
            steering.way, course, bounds_of(steering), until=self._until(meeting, course)
        )
        follower = Follower(
            mount=helm.mount,
            helm=helm,
            steering=steering,
            course=course,
            clock=self.clock,
            patience=self.observatory.patience,
            lost_beyond_arcsec=self.lost_beyond_arcsec,
        )
        if steering.way is Way.ORBIT and isinstance(planned.request.target, Satellite):
            target = planned.request.target
            line1, line2 = lines_of(target.elements)
            lines = ElementLines(name=target.name, line1=line1, line2=line2)
            await helm.follow_orbit(lines, closes=datetime_of(course.closes_s))
        try:
            async with anyio.create_task_group() as following:
                following.start_soon(follower.run)
                following.start_soon(self.observatory.keep_slit_before, course)
                await self._frames(planned, meeting, reported, taken, follower)
                following.cancel_scope.cancel()
        except ExceptionGroup as errors:
            raise first_of(errors) from None

    async def _frames(
        self,
        planned: PlannedObservation,
        meeting: Meeting,
        reported: MountStatus,
        taken: list[Frame],
        follower: Follower,
    ) -> None:
        await self._settled(meeting, follower)
        while True:
            await self.exposing.take(planned, taken, meeting, reported, follower)
            if len(taken) >= planned.collect.frame_count:
                return
            meeting = self.meetings.next_while_following(planned, self.clock.now())
            steering, course = follower.steering, follower.course
            keyhole = self._keyhole(steering, course, meeting)
            if follower.let_go or keyhole:
                raise LostTarget(steering.way, keyhole or "let go: the camera took too long", again=True)
            until = self._until(meeting, course)
            reported = await self.observatory.follow_on(follower.helm, course, until=until)

    async def _settled(self, meeting: Meeting, follower: Follower) -> None:
        """Until the mount is on the target; one that only comes near is good enough when its time has come."""
        left_s = (meeting.opens_at - self.clock.now()).total_seconds() + _SETTLES_WITHIN_S + self._slow_s
        with anyio.move_on_after(left_s):
            await follower.settled.wait()
        if not follower.off_arcsec <= self.lost_beyond_arcsec:
            why = f"stays {follower.off_arcsec:.0f}″ off the target"
            raise LostTarget(follower.steering.way, why)

    def _chosen(
        self,
        planned: PlannedObservation,
        course: Course,
        reported: MountStatus,
        meeting: Meeting,
        without: AbstractSet[Way],
    ) -> Steering:
        """The best way that leads through all of the first exposure."""
        reasons = [*self.ladder.without]
        for rung in self.ladder.rungs:
            if rung.way is Way.LEAPFROG or rung.way in without:
                continue
            steering = steering_of(
                rung.way,
                self.observatory.seats.mount.device.capabilities,
                self.measured,
                reported.pier_side,
                latitude_deg=self.meetings.site.latitude_deg,
                unmeasured=self.unmeasured,
            )
            if steering is None:
                reasons.append(f"{rung.way}: not measured to obey with the pier {reported.pier_side}")
            elif rung.way is Way.ORBIT and not isinstance(planned.request.target, Satellite):
                reasons.append(f"{rung.way}: {planned.request.target.name} is no satellite")
            elif keyhole := self._keyhole(steering, course, meeting):
                reasons.append(f"{rung.way}: {keyhole}")
            else:
                return steering
        raise CannotFollow("; ".join(reasons))

    def _keyhole(self, steering: Steering, course: Course, meeting: Meeting) -> str:
        """What leads through no axis of the mount, whichever way it is steered; a mount that follows orbits knows."""
        if steering.way is Way.ORBIT:
            return ""
        begins_s, ends_s = unix_s_of(meeting.follow_from), unix_s_of(meeting.closes_at)
        is_altaz = self.observatory.seats.mount.device.capabilities.kind is MountKind.ALTAZ
        turned = Coordinates.HORIZONTAL if is_altaz else Coordinates.HOUR_ANGLE
        mechanical = replace(steering, coordinates=turned, axes=(self.unmeasured, self.unmeasured))
        return steering.keyhole(course, begins_s, ends_s) or mechanical.keyhole(course, begins_s, ends_s)

    @property
    def _slow_s(self) -> float:
        return _REAL_S * (self.observatory.patience - 1.0)

    def _course(self, planned: PlannedObservation) -> Course:
        now = self.clock.now()
        last = min(planned.window.set, planned.request.closes, now + _COURSE_AT_MOST)
        return self.meetings.course(planned, opens=now - _COURSE_BEYOND, closes=last + 2.0 * _COURSE_BEYOND)

    def _until(self, meeting: Meeting, course: Course) -> datetime:
        """How long to follow: the exposure, the read-out, and a little in hand; never to the end of the course."""
        in_hand_s = _SETTLES_WITHIN_S + self.exposing.pace.readout.largest_s + _IN_HAND_S + 2.0 * self._slow_s
        return min(
            meeting.closes_at + timedelta(seconds=in_hand_s), datetime_of(course.closes_s) - _COURSE_BEYOND / 2.0
        )
