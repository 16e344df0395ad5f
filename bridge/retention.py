"""How long delivered frames stay on disk. What the platform does not have is never touched."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import anyio

from bridge.clock import Clock
from bridge.crashpoints import CrashPoint, passing
from bridge.events import FramesRemoved, StationNote, Telemetry
from bridge.storage.frames import FrameFolder
from bridge.storage.removals import DeliveredFrame, Removals

_AT_ONCE = 10
_LOOK_AGAIN_S = 1.0


class Retention:
    """Removes delivered frames: `keep_days` after the platform was done with them; with None, the oldest of them, and
    only while less than twice the room is free that is to be kept free.
    """

    def __init__(
        self, removals: Removals, folder: FrameFolder, clock: Clock, telemetry: Telemetry, *, keep_days: float | None
    ) -> None:
        self._removals = removals
        self._folder = folder
        self._clock = clock
        self._telemetry = telemetry
        self._keep_days = keep_days
        self._stuck: set[str] = set()  # of these it was said that they cannot be removed

    async def remove_due(self) -> None:
        """Remove what may go now, and what the last run began to remove; never while a frame is being taken.

        That a removal is meant is written down before it, and that it was done after it: whatever ends the programme
        in between, the next run finishes it. A file that cannot be removed is said once, and holds up no other.
        """
        failed: set[str] = set()
        removed: list[DeliveredFrame] = []
        while frames := await self._next(failed):
            await self._removals.begin(frames)
            passing(CrashPoint.REMOVING)
            gone = await self._remove(frames)
            await self._folder.settle()
            await self._removals.finish(gone)
            passing(CrashPoint.REMOVED)
            removed += gone
            failed |= {frame.frame_id for frame in frames} - {frame.frame_id for frame in gone}
        self._stuck &= failed
        if removed:
            size = sum(frame.bytes for frame in removed)
            self._telemetry.publish(FramesRemoved(at=self._clock.now(), count=len(removed), bytes=size))

    async def _next(self, failed: set[str]) -> list[DeliveredFrame]:
        due = await self._removals.due(delivered_by=await self._delivered_by(), at_most=_AT_ONCE + len(failed))
        return [frame for frame in due if frame.frame_id not in failed]

    async def _delivered_by(self) -> datetime | None:
        now = self._clock.now()
        if self._keep_days is not None:
            return now - timedelta(days=self._keep_days)
        return now if await self._folder.is_short() else None

    async def _remove(self, frames: Sequence[DeliveredFrame]) -> list[DeliveredFrame]:
        """Those of them whose file is gone."""
        gone = []
        for frame in frames:
            while self._folder.expecting:
                await anyio.sleep(_LOOK_AGAIN_S)
            try:
                await self._folder.remove(frame.file_name)
            except OSError as error:
                self._say(frame, error)
            else:
                passing(CrashPoint.FILE_REMOVED)
                gone.append(frame)
        return gone

    def _say(self, frame: DeliveredFrame, error: OSError) -> None:
        if frame.frame_id not in self._stuck:
            self._stuck.add(frame.frame_id)
            what = f"{frame.file_name} was delivered and cannot be removed: {error}; look at the disk"
            self._telemetry.publish(StationNote(at=self._clock.now(), what=what))
