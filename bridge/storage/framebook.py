"""Every frame, from the moment a name is set aside for it."""

import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bridge.clock import Clock
from bridge.crashpoints import CrashPoint, passing
from bridge.events import FrameKept, Telemetry
from bridge.storage.database import Database
from bridge.storage.deeds import Row
from bridge.storage.moves import find_task, kept_frames, queue_frame
from bridge.storage.names import frame_file_name, source_of
from bridge.storage.rows import request_text, text_of
from schedules.requests import ObservationRequest

_ROWS = {"reserved": Row.RESERVED, "lost": Row.LOST}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedFrame:
    """A frame about to be taken: exposure `number` (from 1) of `total` of a series.

    `seq` counts all frames of the task, over all attempts; `file_name` is used once and never again.
    """

    frame_id: str
    task_id: str
    seq: int
    number: int
    total: int
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFile:
    """A frame that is safely on disk: `bytes` long, `sha256` of the whole file."""

    path: Path
    bytes: int
    sha256: str


class FrameBook:
    """Frames in the ledger: reserved before the exposure, recorded with the outbox once they are on disk."""

    def __init__(self, database: Database, clock: Clock, telemetry: Telemetry) -> None:
        self._database = database
        self._clock = clock
        self._telemetry = telemetry

    async def reserve_frame(self, task_id: str, *, number: int, total: int) -> ReservedFrame:
        """Set an id and a file name aside, before the shutter opens.

        Raises:
            UnknownTask: never filed.
        """
        at = self._clock.now()

        def step(connection: sqlite3.Connection) -> ReservedFrame:
            source = find_task(connection, task_id).source
            query = "SELECT coalesce(max(seq), 0) + 1 FROM frame WHERE task_id = ?"
            seq = int(connection.execute(query, (task_id,)).fetchone()[0])
            frame = ReservedFrame(
                frame_id=time_ordered_id(at),
                task_id=task_id,
                seq=seq,
                number=number,
                total=total,
                file_name=frame_file_name(task_id, source, seq),
            )
            connection.execute(
                "INSERT INTO frame (id, task_id, seq, number, total, file_name, state, reason, reserved_at) "
                "VALUES (?, ?, ?, ?, ?, ?, 'reserved', '', ?)",
                (frame.frame_id, task_id, seq, number, total, frame.file_name, text_of(at)),
            )
            return frame

        reserved = await self._database.write(step)
        passing(CrashPoint.FRAME_RESERVED)
        return reserved

    async def record_frame(
        self, frame: ReservedFrame, file: FrameFile, *, started_at: datetime, ended_at: datetime
    ) -> None:
        """The frame is on disk: kept, and into the outbox, in one transaction. Publishes FrameKept."""
        at = self._clock.now()

        def step(connection: sqlite3.Connection) -> None:
            kept = connection.execute(
                "UPDATE frame SET state = 'kept', path = ?, bytes = ?, sha256 = ?, started_at = ?, ended_at = ? "
                "WHERE id = ? AND state = 'reserved'",
                (
                    self._path_text(file),
                    file.bytes,
                    file.sha256,
                    text_of(started_at),
                    text_of(ended_at),
                    frame.frame_id,
                ),
            ).rowcount
            if kept:
                queue_frame(connection, task_id=frame.task_id, frame_id=frame.frame_id, at=at)

        await self._database.write(step)
        passing(CrashPoint.RECORDED)
        self._telemetry.publish(
            FrameKept(
                at=at,
                task_id=frame.task_id,
                frame_id=frame.frame_id,
                file_name=frame.file_name,
                bytes=file.bytes,
            )
        )

    async def adopt(self, frame: ReservedFrame, file: FrameFile, request: ObservationRequest) -> None:
        """Take in a frame that the ledger knows nothing of, exposed over the window of `request`.

        Its task too, where that is unknown: as OBSERVING, so that `Ledger.resume` says where it goes on. The platform
        is asked for the frame by its name before it is sent: it may have it already.
        """
        at = self._clock.now()

        def step(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO task (id, source, state, version, attempts, reason, closes_at, request, filed_at, "
                "changed_at) VALUES (?, ?, 'observing', 1, 1, 'made from its frames', ?, ?, ?, ?) "
                "ON CONFLICT (id) DO NOTHING",
                (
                    frame.task_id,
                    source_of(frame.file_name),
                    text_of(request.closes),
                    request_text(request),
                    text_of(at),
                    text_of(at),
                ),
            )
            connection.execute(
                "INSERT INTO frame (id, task_id, seq, number, total, file_name, state, path, bytes, sha256, "
                "started_at, ended_at, reason, reserved_at) "
                "VALUES (?, ?, ?, ?, ?, ?, 'kept', ?, ?, ?, ?, ?, 'found on disk', ?)",
                (
                    frame.frame_id,
                    frame.task_id,
                    frame.seq,
                    frame.number,
                    frame.total,
                    frame.file_name,
                    self._path_text(file),
                    file.bytes,
                    file.sha256,
                    text_of(request.opens),
                    text_of(request.closes),
                    text_of(at),
                ),
            )
            queue_frame(connection, task_id=frame.task_id, frame_id=frame.frame_id, at=at, look_first=True)

        await self._database.write(step)

    def _path_text(self, file: FrameFile) -> str:
        """From the ledger's folder on, where the frame is in it: the two may be moved together."""
        folder = self._database.folder
        return str(file.path.relative_to(folder) if file.path.is_relative_to(folder) else file.path)

    async def rows(self) -> dict[str, Row]:
        """What is known of every file name that was ever set aside."""
        query = "SELECT file_name, state FROM frame"
        return await self._database.read(
            lambda c: {row["file_name"]: _ROWS.get(row["state"], Row.KEPT) for row in c.execute(query)}
        )

    async def lose_frame(self, frame: ReservedFrame, why: str) -> None:
        """The exposure came to nothing. A frame that was recorded stays recorded."""
        await self._database.write(
            lambda c: (
                c.execute(
                    "UPDATE frame SET state = 'lost', reason = ? WHERE id = ? AND state = 'reserved'",
                    (why, frame.frame_id),
                ).rowcount
            )
        )

    async def kept(self, task_id: str) -> int:
        """How many frames of a task are, or were, safely on disk."""
        return await self._database.read(lambda c: kept_frames(c, task_id))

    async def reserved(self) -> list[ReservedFrame]:
        """The frames set aside of which nothing more is known: after a start, those of a broken-off exposure."""
        query = "SELECT * FROM frame WHERE state = 'reserved' ORDER BY id"
        return await self._database.read(lambda c: [_reserved(row) for row in c.execute(query)])


def time_ordered_id(at: datetime) -> str:
    """Milliseconds, then chance, laid out as a UUID of version 7 (RFC 9562): text order is time order."""
    number = int(at.timestamp() * 1000.0) << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _reserved(row: sqlite3.Row) -> ReservedFrame:
    return ReservedFrame(
        frame_id=row["id"],
        task_id=row["task_id"],
        seq=row["seq"],
        number=row["number"],
        total=row["total"],
        file_name=row["file_name"],
    )
