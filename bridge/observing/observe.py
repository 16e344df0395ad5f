"""One observation: slew ahead, settle, check, put the target on the frame in one of two shapes, expose."""

from dataclasses import dataclass
from functools import partial

import anyio

from bridge.calibration.measured import Way
from bridge.clock import Clock
from bridge.events import DeviceFault, NotFollowed, Telemetry
from bridge.observing.chase import CannotFollow, Chase
from bridge.observing.exposing import Exposing
from bridge.observing.following import LostTarget
from bridge.observing.meetings import Meeting, Meetings, TooLate
from bridge.observing.observatory import Observatory
from bridge.observing.together import together
from drivers.errors import DeviceError
from drivers.values import Frame, MountStatus
from schedules.planner import PlannedObservation
from schedules.requests import CollectShape

# How often a slew may come too late for its own meeting with the target before the window is given up; and how often a
# target may be lost before it is taken as a streak.
_TRIES = 4
_END_FOLLOWING_WITHIN_S = 30.0


@dataclass(slots=True, kw_only=True)
class Observer:
    """Takes the frames of planned observations, one observation at a time."""

    observatory: Observatory
    meetings: Meetings
    exposing: Exposing
    chase: Chase
    clock: Clock
    telemetry: Telemetry

    async def observe(self, planned: PlannedObservation) -> int:
        """Take the frames of `planned`; gives how many there were.

        A slew that ends late waits for the next feasible instant; when the window leaves none, what was taken stands.

        Raises:
            TooLate: not one frame could be taken within the window.
            NotNow: the clock is too bad for the target.
            MotionRefused, DeviceError: as the gate and the devices say.
        """
        self.exposing.require_time(planned)
        taken: list[Frame] = []
        try:
            if planned.collect.shape is CollectShape.RATE_TRACK:
                planned = await self._followed(planned, taken)
            while len(taken) < planned.collect.frame_count:
                meeting, reported = await self._meet(planned, taken)
                await self.exposing.take(planned, taken, meeting, reported)
        except TooLate:
            if not taken:
                raise
        finally:
            await self._end_following()
        return len(taken)

    async def _followed(self, planned: PlannedObservation, taken: list[Frame]) -> PlannedObservation:
        """Take frames while the mount follows; gives what is left to do as streaks, if anything is."""
        lost: set[Way] = set()
        for _ in range(_TRIES):
            meeting, reported = await self._meet(planned, taken)
            try:
                await self.chase.follow(planned, meeting, reported, taken, without=lost)
            except (CannotFollow, LostTarget) as no:
                task_id = planned.request.request_id
                self.telemetry.publish(NotFollowed(at=self.clock.now(), task_id=task_id, why=str(no)))
                if isinstance(no, CannotFollow):
                    break
                if not no.again:
                    lost.add(no.way)
            else:
                return planned
        return self.meetings.leaping(planned, self.clock.now())

    async def _end_following(self) -> None:
        """Whatever ended the series: after a target the mount would run on, to the horizon and into its limits."""
        with anyio.move_on_after(_END_FOLLOWING_WITHIN_S, shield=True):
            try:
                await self.observatory.end_following()
            except DeviceError as fault:
                said = DeviceFault(at=self.clock.now(), device=fault.device, doing=fault.doing, what=fault.what)
                self.telemetry.publish(said)

    async def _meet(self, planned: PlannedObservation, taken: list[Frame]) -> tuple[Meeting, MountStatus]:
        """Have the mount where the target will be, in time; gives the mount's own position then."""
        earliest = self.clock.now() if taken else planned.starts_at
        for _ in range(_TRIES):
            asked_at = self.clock.now()
            status = await self.observatory.seats.mount.device.status()
            meeting = self.meetings.first(planned, earliest=earliest, status=status, now=asked_at)
            arrived = await self._slew(planned, meeting)
            now = self.clock.now()
            model_s = self.meetings.slew_s(status, meeting.command, asked_at)
            self.meetings.slew_overrun.note((now - asked_at).total_seconds() - model_s)
            if now <= meeting.follow_from:
                return meeting, arrived
        raise TooLate(f"{_TRIES} slews in a row came too late for the target")

    async def _slew(self, planned: PlannedObservation, meeting: Meeting) -> MountStatus:
        """Slew, while filter, cover and camera are made ready; gives where the mount says it stands."""
        task_id = planned.request.request_id
        await together(
            partial(self.observatory.select_filter, planned.request.filter_name),
            self.observatory.clear_the_beam,
            partial(self.observatory.slew, meeting.command, until=meeting.closes_at, task_id=task_id),
        )
        return await self.observatory.seats.mount.device.status()
