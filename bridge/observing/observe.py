"""One observation: slew ahead, settle, check, put the target on the frame in one of two shapes, expose."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import anyio

from bridge.clock import Clock, sleep_until
from bridge.events import DeviceFault, ExposureStarted, FrameTaken, Telemetry
from bridge.observing.keeping import Keeper, Taken
from bridge.observing.meetings import Meeting, Meetings, TooLate
from bridge.observing.observatory import Observatory
from bridge.observing.pace import Pace, Recent
from bridge.observing.together import together
from drivers.errors import DeviceError
from drivers.values import Exposure, Frame, MountStatus
from schedules.planner import PlannedObservation

# How often a slew may come too late for its own meeting with the target before the window is given up.
_TRIES = 4
_END_FOLLOWING_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraChoices:
    """What the station sets on its camera for every exposure; None leaves the camera as it stands."""

    gain: int | None
    offset: int | None


@dataclass(slots=True, kw_only=True)
class Observer:
    """Takes the frames of planned observations, one observation at a time."""

    observatory: Observatory
    meetings: Meetings
    pace: Pace
    keeper: Keeper
    camera: CameraChoices
    clock: Clock
    telemetry: Telemetry
    drift_tolerance_deg: float
    _shutter_delay: Recent = field(default_factory=lambda: Recent(expected_s=0.0), init=False)

    async def observe(self, planned: PlannedObservation) -> int:
        """Take the frames of `planned`; gives how many there were.

        A slew that ends late waits for the next feasible instant; when the window leaves none, what was taken stands.

        Raises:
            TooLate: not one frame could be taken within the window.
            MotionRefused, DeviceError: as the gate and the devices say.
        """
        try:
            return await self._series(planned)
        finally:
            await self._end_following()

    async def _series(self, planned: PlannedObservation) -> int:
        last: Meeting | None = None
        closed_at: datetime | None = None
        for number in range(1, planned.collect.frame_count + 1):
            try:
                meeting, reported = await self._meet(planned, number, last)
            except TooLate:
                if number == 1:
                    raise
                return number - 1
            frame = await self._expose(planned, number, meeting, reported)
            if closed_at is not None:
                self.pace.note_between_frames(planned.collect.shape, (frame.started_at - closed_at).total_seconds())
            last, closed_at = meeting, _at(frame, frame.exposure.exposure_s)
        return planned.collect.frame_count

    async def _end_following(self) -> None:
        """Whatever ended the series: after a target the mount would run on, to the horizon and into its limits."""
        with anyio.move_on_after(_END_FOLLOWING_WITHIN_S, shield=True):
            try:
                await self.observatory.end_following()
            except DeviceError as fault:
                said = DeviceFault(at=self.clock.now(), device=fault.device, doing=fault.doing, what=fault.what)
                self.telemetry.publish(said)

    async def _meet(
        self, planned: PlannedObservation, number: int, last: Meeting | None
    ) -> tuple[Meeting, MountStatus]:
        """Have the mount where the target will be, in time; gives the mount's own position then."""
        if last is not None and last.rates is not None:
            followed = await self._follow_on(planned)
            if followed is not None:
                return followed
        earliest = planned.starts_at if number == 1 else self.clock.now()
        for _ in range(_TRIES):
            asked_at = self.clock.now()
            status = await self.observatory.seats.mount.device.status()
            meeting = self.meetings.first(planned, earliest=earliest, status=status, now=asked_at)
            arrived = await self._slew(planned, meeting)
            now = self.clock.now()
            model_s = self.meetings.slew_s(status, meeting.command, asked_at)
            self.meetings.slew_overrun.note((now - asked_at).total_seconds() - model_s)
            if now <= meeting.follow_from:
                await self._begin_following(meeting)
                return meeting, arrived
        raise TooLate(f"{_TRIES} slews in a row came too late for the target")

    async def _slew(self, planned: PlannedObservation, meeting: Meeting) -> MountStatus:
        """Slew, with the filter wheel turning meanwhile; gives where the mount says it stands."""
        task_id = planned.request.request_id
        await together(
            partial(self.observatory.select_filter, planned.request.filter_name),
            partial(self.observatory.slew, meeting.command, until=meeting.closes_at, task_id=task_id),
        )
        return await self.observatory.seats.mount.device.status()

    async def _begin_following(self, meeting: Meeting) -> None:
        if meeting.rates is not None:
            await sleep_until(self.clock, meeting.follow_from)
            await self.observatory.track(meeting.rates, until=meeting.closes_at)

    async def _follow_on(self, planned: PlannedObservation) -> tuple[Meeting, MountStatus] | None:
        """Go on following with fresh rates; None where the mount has drifted off too far and must slew again."""
        meeting = self.meetings.next_while_following(planned, self.clock.now())
        status = await self.observatory.seats.mount.device.status()
        if meeting.rates is None or self.meetings.drift_deg(meeting, status) > self.drift_tolerance_deg:
            return None
        await self.observatory.track(meeting.rates, until=meeting.closes_at)
        return meeting, status

    async def _expose(self, planned: PlannedObservation, number: int, meeting: Meeting, reported: MountStatus) -> Frame:
        """Take one frame and hand it to the keeper, with all that must stand in its header."""
        exposure = Exposure(
            exposure_s=planned.collect.exposure_s,
            binning=planned.request.binning,
            gain=self.camera.gain,
            offset=self.camera.offset,
        )
        task_id, of = planned.request.request_id, planned.collect.frame_count
        reserved = await self.keeper.reserve(task_id, number=number, total=of)
        async with self.keeper.lost_unless_taken(reserved):
            filter_name = await self.observatory.filter_in_beam(planned.request.filter_name)
            await sleep_until(self.clock, meeting.opens_at - timedelta(seconds=self._shutter_delay.usual_s))
            asked_at = self.clock.now()
            self.telemetry.publish(
                ExposureStarted(at=asked_at, task_id=task_id, number=number, of=of, exposure_s=exposure.exposure_s)
            )
            frame = await self.observatory.seats.camera.device.expose(exposure)
        self._shutter_delay.note((frame.started_at - asked_at).total_seconds())
        self.pace.readout.note((self.clock.now() - _at(frame, frame.exposure.exposure_s)).total_seconds())
        self.telemetry.publish(FrameTaken(at=self.clock.now(), task_id=task_id, number=number, of=of))
        middle = _at(frame, frame.exposure.exposure_s / 2.0)
        await self.keeper.keep(
            Taken(
                planned=planned,
                reserved=reserved,
                frame=frame,
                place=self.meetings.place_of(planned, middle),
                commanded=meeting.command,
                reported=reported,
                rates=meeting.rates,
                filter_name=filter_name,
            )
        )
        return frame


def _at(frame: Frame, after_s: float) -> datetime:
    return frame.started_at + timedelta(seconds=after_s)
