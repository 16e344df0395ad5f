"""What the platform is still to be told, and how far each telling has come."""

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path

from bridge.clock import Clock
from bridge.events import Event, Telemetry
from bridge.storage.database import Database
from bridge.storage.moves import finish_delivery, landed_frames
from bridge.storage.rows import instant_of, text_of
from bridge.tasks import TaskSource


class Lane(StrEnum):
    """Two kinds of work that must not wait for each other."""

    FILES = "files"  # frames whose bytes must still travel
    WORDS = "words"  # looking after frames sent, and reports: short calls


class Stage(StrEnum):
    """How far an item has come. A report goes from NEW to DONE or PARKED at once."""

    NEW = "new"
    INITIATED = "initiated"  # the platform was, or may have been, asked to expect the file
    SENT = "sent"  # the storage took the file; the platform has not confirmed it
    LANDED = "landed"  # the platform has it, and is working on the picture
    DONE = "done"
    PARKED = "parked"  # refused for good; waits for a person and holds nobody up


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One frame or one report. `api_task_id` is empty for a manual task; `path` only frames have."""

    item_id: int
    subject: str
    task_id: str
    api_task_id: str
    status: str
    stage: Stage
    stage_at: datetime
    upload_id: str
    tries: int
    file_name: str
    path: Path | None
    bytes: int
    sha256: str
    closes: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Items still to be told, those waiting for the platform's last word, and those set aside."""

    waiting: int
    watched: int
    parked: int


# No try is ever put off for longer: one that lies further ahead was put there by a clock that has been set back since.
_FURTHEST = timedelta(minutes=65)

# A report waits until every frame of its task has landed or is parked.
_FRAMES_SETTLED = (
    "NOT EXISTS (SELECT 1 FROM outbox f WHERE f.task_id = o.task_id AND f.kind = 'frame' "
    "AND f.stage IN ('new', 'initiated', 'sent'))"
)

# Each by its next try, which an index gives in order: however many wait, only the first are looked at.
_DUE = {
    Lane.FILES: ("o.kind = 'frame' AND o.stage = 'new'", "o.kind = 'frame' AND o.stage = 'initiated'"),
    Lane.WORDS: (
        f"o.kind = 'status' AND o.stage = 'new' AND {_FRAMES_SETTLED}",
        "o.kind = 'frame' AND o.stage = 'sent'",
        "o.kind = 'frame' AND o.stage = 'landed'",
    ),
}

_ITEM = (
    "SELECT o.*, t.source, t.closes_at, f.file_name, f.path, f.bytes, f.sha256 FROM outbox o "
    "JOIN task t ON t.id = o.task_id LEFT JOIN frame f ON o.kind = 'frame' AND f.id = o.subject WHERE o.id = ?"
)


class Outbox:
    """The items in it, and every step of each as one transaction."""

    def __init__(self, database: Database, clock: Clock, telemetry: Telemetry) -> None:
        self._database = database
        self._clock = clock
        self._telemetry = telemetry

    async def next_due(self, lane: Lane, *, busy: Collection[int]) -> OutboxItem | None:
        """The item that has waited longest past its time, reports before frames; None while nothing is due."""
        at = self._clock.now()
        now, furthest = text_of(at), text_of(at + _FURTHEST)

        def find(connection: sqlite3.Connection) -> OutboxItem | None:
            soonest = _soonest(connection, lane, busy)
            due = [row for row in soonest if row["next_try_at"] <= now or row["next_try_at"] > furthest]
            if not due:
                return None
            first = min(due, key=lambda row: (row["kind"] == "frame", row["next_try_at"], row["id"]))
            return self._item(connection, connection.execute(_ITEM, (first["id"],)).fetchone())

        return await self._database.read(find)

    @property
    def rings(self) -> int:
        """Grows with every write to the ledger; to be read before looking, and given to `wait` if nothing was found."""
        return self._database.written.rings

    async def wait_for_write(self, *, since: int, at_most_s: float) -> None:
        """Return when the ledger was written to after it stood at `since` rings, or after `at_most_s` seconds."""
        await self._database.written.wait(since=since, at_most_s=at_most_s)

    async def wait(self, lane: Lane, *, busy: Collection[int], since: int, at_most_s: float) -> None:
        """Return when an item may have come due, at the latest after `at_most_s` seconds."""

        def earliest(connection: sqlite3.Connection) -> datetime | None:
            times = [row["next_try_at"] for row in _soonest(connection, lane, busy)]
            return instant_of(min(times)) if times else None

        due = await self._database.read(earliest)
        left_s = at_most_s if due is None else (due - self._clock.now()).total_seconds()
        await self.wait_for_write(since=since, at_most_s=max(0.0, min(left_s, at_most_s)))

    async def reach(self, item: OutboxItem, stage: Stage, *, upload_id: str = "", after_s: float = 0.0) -> None:
        """Note that `item` has come to `stage`, and look at it again `after_s` seconds from now.

        At LANDED, DONE and PARKED the frame and, with the last of them, the task move along in the same transaction.
        """
        at = self._clock.now()

        def step(connection: sqlite3.Connection) -> list[Event]:
            connection.execute(
                "UPDATE outbox SET stage = ?, stage_at = ?, upload_id = ?, next_try_at = ? WHERE id = ?",
                (
                    stage,
                    text_of(at),
                    upload_id or item.upload_id,
                    text_of(at + timedelta(seconds=after_s)),
                    item.item_id,
                ),
            )
            return _follow(connection, item, stage, at)

        await self._step(step)

    async def postpone(self, item: OutboxItem, after_s: float, *, why: str = "") -> None:
        """Try again `after_s` seconds from now; with `why`, a try was in vain and is counted."""
        due = self._clock.now() + timedelta(seconds=after_s)
        await self._database.write(
            lambda c: (
                c.execute(
                    "UPDATE outbox SET next_try_at = ?, tries = tries + ?, "
                    "last_error = CASE WHEN ? = '' THEN last_error ELSE ? END WHERE id = ?",
                    (text_of(due), why != "", why, why, item.item_id),
                ).rowcount
            )
        )

    async def park(self, item: OutboxItem, why: str) -> None:
        """Set the item aside for a person; what waits behind it goes on."""
        at = self._clock.now()

        def step(connection: sqlite3.Connection) -> list[Event]:
            connection.execute(
                "UPDATE outbox SET stage = 'parked', stage_at = ?, tries = tries + 1, last_error = ? WHERE id = ?",
                (text_of(at), why, item.item_id),
            )
            return _follow(connection, item, Stage.PARKED, at)

        await self._step(step)

    async def look_first(self) -> None:
        """Ask the platform for each frame that waits before it is announced: the ledger may be an older copy, put back,
        that does not know what was sent since.
        """
        await self._database.write(
            lambda c: c.execute("UPDATE outbox SET stage = 'initiated' WHERE kind = 'frame' AND stage = 'new'").rowcount
        )

    async def take_up_parked(self) -> int:
        """Try everything that was set aside once more; gives how many. Whoever restarts the programme has looked at it.

        A frame is looked for at the platform first, so it cannot land twice.
        """
        now = text_of(self._clock.now())

        def step(connection: sqlite3.Connection) -> int:
            connection.execute(
                "UPDATE frame SET state = 'kept' WHERE id IN (SELECT subject FROM outbox WHERE stage = 'parked')"
            )
            return connection.execute(
                "UPDATE outbox SET stage = CASE kind WHEN 'frame' THEN 'initiated' ELSE 'new' END, stage_at = ?, "
                "next_try_at = ?, tries = 0 WHERE stage = 'parked'",
                (now, now),
            ).rowcount

        return await self._database.write(step)

    async def backlog(self) -> Backlog:
        query = (
            "SELECT count(*) FILTER (WHERE stage IN ('new', 'initiated', 'sent')) AS waiting, "
            "count(*) FILTER (WHERE stage = 'landed') AS watched, "
            "count(*) FILTER (WHERE stage = 'parked') AS parked FROM outbox"
        )
        return await self._database.read(lambda c: Backlog(**dict(c.execute(query).fetchone())))

    def _item(self, connection: sqlite3.Connection, row: sqlite3.Row) -> OutboxItem:
        status = row["body"]
        if status == "Succeeded" and not landed_frames(connection, row["task_id"]):
            status = "Failed"  # the platform took none of the frames
        return OutboxItem(
            item_id=row["id"],
            subject=row["subject"],
            task_id=row["task_id"],
            api_task_id=row["task_id"] if row["source"] == TaskSource.API else "",
            status=status,
            stage=Stage(row["stage"]),
            stage_at=instant_of(row["stage_at"]),
            upload_id=row["upload_id"],
            tries=row["tries"],
            file_name=row["file_name"] or "",
            path=None if row["path"] is None else self._database.folder / row["path"],
            bytes=row["bytes"] or 0,
            sha256=row["sha256"] or "",
            closes=instant_of(row["closes_at"]),
        )

    async def _step(self, step: Callable[[sqlite3.Connection], list[Event]]) -> None:
        for event in await self._database.write(step):
            self._telemetry.publish(event)


def _soonest(connection: sqlite3.Connection, lane: Lane, busy: Collection[int]) -> list[sqlite3.Row]:
    """Of each kind of item in the lane the one that is to be tried next, but for those that are `busy`."""
    found: list[sqlite3.Row] = []
    for condition in _DUE[lane]:
        query = f"SELECT o.id, o.kind, o.next_try_at FROM outbox o WHERE {condition} ORDER BY o.next_try_at, o.id"  # noqa: S608 (a constant)
        found.extend(islice((row for row in connection.execute(query) if row["id"] not in busy), 1))
    return found


def _follow(connection: sqlite3.Connection, item: OutboxItem, stage: Stage, at: datetime) -> list[Event]:
    if item.path is not None and stage in (Stage.LANDED, Stage.PARKED):
        state = "landed" if stage is Stage.LANDED else "refused"
        connection.execute("UPDATE frame SET state = ? WHERE id = ?", (state, item.subject))
    elif item.path is not None and stage is Stage.INITIATED:
        # it may have been believed landed: nobody may clear it away now
        connection.execute("UPDATE frame SET state = 'kept' WHERE id = ? AND state = 'landed'", (item.subject,))
    return [*finish_delivery(connection, item.task_id, at=at)]
