"""One exposure of a planned observation, and all that must stand in its header."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.clock import Clock, sleep_until
from bridge.clock_watch import Stopwatch
from bridge.events import ExposureStarted, Followed, FrameTaken, Telemetry
from bridge.observing.following import Follower
from bridge.observing.gate import NotNow
from bridge.observing.keeping import Keeper, Taken
from bridge.observing.meetings import Meeting, Meetings
from bridge.observing.observatory import Observatory
from bridge.observing.pace import Pace, Recent
from bridge.observing.shutter import UNMEASURED, Shutter
from bridge.timekeeping import ClockGrade, Timekeeping
from drivers.values import Exposure, Frame, MountStatus
from schedules.instants import unix_s_of
from schedules.planner import PlannedObservation
from schedules.targets import Satellite


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraChoices:
    """What the station sets on its camera for every exposure (None leaves the camera as it stands), and its shutter."""

    gain: int | None
    offset: int | None
    shutter: Shutter = UNMEASURED


@dataclass(slots=True, kw_only=True)
class Exposing:
    """Takes frames at their meetings and hands them to the keeper."""

    observatory: Observatory
    meetings: Meetings
    pace: Pace
    keeper: Keeper
    camera: CameraChoices
    timekeeping: Timekeeping
    clock: Clock
    telemetry: Telemetry
    _shutter_delay: Recent = field(default_factory=lambda: Recent(expected_s=0.0), init=False)

    async def take(
        self,
        planned: PlannedObservation,
        taken: list[Frame],
        meeting: Meeting,
        reported: MountStatus,
        follower: Follower | None = None,
    ) -> None:
        """Take the frame after those `taken`, and add it to them.

        Raises:
            NotNow: as `require_time` says.
        """
        self.require_time(planned)
        number, of = len(taken) + 1, planned.collect.frame_count
        exposure = Exposure(
            exposure_s=planned.collect.exposure_s,
            binning=planned.request.binning,
            gain=self.camera.gain,
            offset=self.camera.offset,
        )
        task_id = planned.request.request_id
        reserved = await self.keeper.reserve(task_id, number=number, total=of)
        async with self.keeper.lost_unless_taken(reserved):
            filter_name = await self.observatory.filter_in_beam(planned.request.filter_name)
            await sleep_until(self.clock, meeting.opens_at - timedelta(seconds=self._shutter_delay.usual_s))
            asked_at, stopwatch = self.clock.now(), Stopwatch(self.clock)
            self.telemetry.publish(
                ExposureStarted(at=asked_at, task_id=task_id, number=number, of=of, exposure_s=exposure.exposure_s)
            )
            frame = self.camera.shutter.opened(await self.observatory.seats.camera.device.expose(exposure))
        clock, stepped_s = self.timekeeping.bound(), stopwatch.stepped_s()
        self._shutter_delay.note((frame.started_at - asked_at).total_seconds())
        self.pace.readout.note((self.clock.now() - _at(frame, frame.exposure.exposure_s)).total_seconds())
        self.telemetry.publish(FrameTaken(at=self.clock.now(), task_id=task_id, number=number, of=of))
        begins_s = unix_s_of(frame.started_at)
        residual = None if follower is None else follower.residual(begins_s, begins_s + frame.exposure.exposure_s)
        if residual is not None:
            self.telemetry.publish(
                Followed(
                    at=self.clock.now(),
                    task_id=task_id,
                    number=number,
                    way=residual.way,
                    rms_arcsec=residual.rms_arcsec,
                    worst_arcsec=residual.worst_arcsec,
                )
            )
        await self.keeper.keep(
            Taken(
                planned=planned,
                reserved=reserved,
                frame=frame,
                place=self.meetings.place_of(planned, _at(frame, frame.exposure.exposure_s / 2.0)),
                commanded=meeting.command,
                reported=reported,
                rates=meeting.rates if follower is not None else None,
                residual=residual,
                filter_name=filter_name,
                clock=clock,
                stepped_s=stepped_s,
                shutter=self.camera.shutter,
                camera_angle_deg=self.observatory.camera_stands_deg,
            )
        )
        if taken:
            gap_s = (frame.started_at - _at(taken[-1], taken[-1].exposure.exposure_s)).total_seconds()
            self.pace.note_between_frames(planned.collect.shape, gap_s)
        taken.append(frame)

    def require_time(self, planned: PlannedObservation) -> None:
        """A satellite's place is worth no more than its instant.

        Raises:
            NotNow: the clock is too bad for it.
        """
        bound = self.timekeeping.bound()
        if isinstance(planned.request.target, Satellite) and bound.grade is ClockGrade.BAD:
            raise NotNow(f"the clock is too bad to expose a satellite by: {bound.words}")


def _at(frame: Frame, after_s: float) -> datetime:
    return frame.started_at + timedelta(seconds=after_s)
