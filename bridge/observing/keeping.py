"""From the camera's hands onto the disk and into the ledger, while the telescope goes on to the next target."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from bridge.clock import Clock
from bridge.crashpoints import CrashPoint, passing
from bridge.errors import DiskFull, FrameNotKept, IllegalMove
from bridge.events import StationNote, Telemetry
from bridge.observing.following import Residual
from bridge.observing.pointing import Rates
from bridge.observing.shutter import UNMEASURED, Shutter
from bridge.storage.cards import FrameHeader, StationCards, Tracking, TrackMode
from bridge.storage.framebook import ReservedFrame
from bridge.storage.frames import FrameFolder
from bridge.storage.store import Store
from bridge.tasks import TaskState
from bridge.timekeeping import ClockBound
from drivers.values import Equatorial, Frame, MountStatus
from schedules.places import Place
from schedules.planner import PlannedObservation

# So many frames may wait for the disk; the telescope then waits too, and memory stays bounded.
_WAITING_AT_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A frame and the circumstances under which it was taken.

    `place` is the target's at mid-exposure; `residual` is there where the mount followed it. The frame's time is
    already what the `shutter` made of it, by a `clock` that was set by `stepped_s` meanwhile.
    """

    planned: PlannedObservation
    reserved: ReservedFrame
    frame: Frame
    place: Place
    commanded: Equatorial
    reported: MountStatus
    rates: Rates | None
    filter_name: str
    clock: ClockBound
    stepped_s: float = 0.0
    shutter: Shutter = UNMEASURED
    camera_angle_deg: float | None = None
    residual: Residual | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _SeriesOver:
    """No more frames of this task come from this attempt."""

    task_id: str


class Keeper:
    """Writes frames one after the other in the order they were taken, and moves their tasks to CAPTURED behind them."""

    def __init__(
        self,
        *,
        store: Store,
        folder: FrameFolder,
        station: StationCards,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._folder = folder
        self._station = station
        self._clock = clock
        self._telemetry = telemetry
        self._send: MemoryObjectSendStream[Taken | _SeriesOver]
        self._receive: MemoryObjectReceiveStream[Taken | _SeriesOver]
        self.drained = anyio.Event()
        self._send, self._receive = anyio.create_memory_object_stream(_WAITING_AT_MOST)

    async def run(self) -> None:
        """Write whatever comes, until `close`; what has come is written even when all else is being cancelled."""
        with anyio.CancelScope(shield=True):
            async with self._receive:
                async for item in self._receive:
                    await (self._write(item) if isinstance(item, Taken) else self._finish(item.task_id))
            self.drained.set()

    def close(self) -> None:
        """Nothing more comes; `run` returns when all is written."""
        self._send.close()

    async def require_room(self) -> None:
        """That there would be room for a frame now.

        Raises:
            DiskFull: there is none.
        """
        await self._folder.require_room(self._pixel_count)

    @property
    def _pixel_count(self) -> int:
        return self._station.camera.width_px * self._station.camera.height_px

    async def reserve(self, task_id: str, *, number: int, total: int) -> ReservedFrame:
        """A name for a frame about to be taken, and room for it.

        Raises:
            DiskFull: there is none.
        """
        # Name and room are had both, or neither: cancelled in between, the room would be held by nobody.
        with anyio.CancelScope(shield=True):
            reserved = await self._store.frames.reserve_frame(task_id, number=number, total=total)
            try:
                await self._folder.reserve(reserved.file_name, self._pixel_count)
            except DiskFull as full:
                await self._store.frames.lose_frame(reserved, str(full))
                raise
        return reserved

    @asynccontextmanager
    async def lost_unless_taken(self, reserved: ReservedFrame) -> AsyncIterator[None]:
        """Around all until the frame is there: leave it with an error, or cancelled, and the ledger knows that no
        frame came.
        """
        taken = False
        try:
            yield
            taken = True
        finally:
            if not taken:
                with anyio.CancelScope(shield=True):
                    await self._folder.release(reserved.file_name)
                    await self._store.frames.lose_frame(reserved, "the exposure was broken off")

    async def keep(self, taken: Taken) -> None:
        """Hand a frame over; waits only while too many others wait for the disk."""
        passing(CrashPoint.IN_MEMORY)
        with anyio.CancelScope(shield=True):  # a frame that exists is kept, whatever is being cancelled
            await self._send.send(taken)

    async def finish(self, task_id: str) -> None:
        """The series is over: once its frames are written the task is CAPTURED."""
        with anyio.CancelScope(shield=True):  # its frames are taken: cancelled now, they would all be taken again
            await self._send.send(_SeriesOver(task_id=task_id))

    async def _write(self, taken: Taken) -> None:
        header = self._header(taken)
        try:
            file = await self._folder.write(header)
        except (DiskFull, FrameNotKept) as error:
            await self._store.frames.lose_frame(taken.reserved, str(error))
            self._telemetry.publish(StationNote(at=self._clock.now(), what=str(error)))
            return
        begin = taken.frame.started_at
        end = begin + timedelta(seconds=taken.frame.exposure.exposure_s)
        await self._store.frames.record_frame(taken.reserved, file, started_at=begin, ended_at=end)

    async def _finish(self, task_id: str) -> None:
        kept = await self._store.frames.kept(task_id)
        try:
            if kept:
                await self._store.ledger.capture(task_id)
            else:
                await self._store.ledger.advance(task_id, TaskState.FAILED, why="not one frame could be written")
        except IllegalMove as illegal:  # cancelled a moment ago; its frames go out all the same
            self._telemetry.publish(StationNote(at=self._clock.now(), what=str(illegal)))

    def _header(self, taken: Taken) -> FrameHeader:
        rates, request = taken.rates, taken.planned.request
        tracking = (
            Tracking(mode=TrackMode.SIDEREAL)
            if rates is None
            else Tracking(
                mode=TrackMode.RATE,
                ra_rate_deg_s=rates.ra_deg_per_s,
                dec_rate_deg_s=rates.dec_deg_per_s,
                way="" if taken.residual is None else taken.residual.way,
                rms_arcsec=math.nan if taken.residual is None else taken.residual.rms_arcsec,
                worst_arcsec=math.nan if taken.residual is None else taken.residual.worst_arcsec,
            )
        )
        return FrameHeader(
            reserved=taken.reserved,
            frame=taken.frame,
            target=request.target,
            place=taken.place,
            commanded=taken.commanded,
            reported=taken.reported,
            tracking=tracking,
            timing=taken.shutter.timing(taken.frame.time_source, taken.clock, stepped_s=taken.stepped_s),
            filter_name=taken.filter_name,
            camera_angle_deg=taken.camera_angle_deg,
            station=self._station,
        )
