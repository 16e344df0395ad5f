"""What stands in the ledger, for people and for other programs: it is read, and nothing in it is changed."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.storage.database import Database
from bridge.storage.outbox import Stage
from bridge.storage.rows import instant_of, text_of
from bridge.tasks import TaskState

_TABLES = ("task", "transition", "frame", "outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A frame, or the report of a task, that the platform does not have yet.

    `what` is the file name, or the status to report. `why` is what the last try met, empty before the first.
    """

    what: str
    target: str
    task_id: str
    bytes: int
    since: datetime
    stage: Stage
    tries: int
    next_try: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Tasks by state, frames by state with their bytes, and all that is still to be delivered, oldest first.

    "removed" are frames that landed and whose files have left the disk since; those that are "landed" have theirs.
    """

    tasks: Mapping[TaskState, int]
    frames: Mapping[str, int]
    frame_bytes: Mapping[str, int]
    undelivered: tuple[Undelivered, ...]

    @property
    def waiting(self) -> tuple[Undelivered, ...]:
        return tuple(item for item in self.undelivered if item.stage is not Stage.PARKED)

    @property
    def set_aside(self) -> tuple[Undelivered, ...]:
        """What was refused, and waits for a person."""
        return tuple(item for item in self.undelivered if item.stage is Stage.PARKED)


class Overviews:
    """Looks at the ledger as a whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> Overview:
        return await self._database.read(_overview)

    async def everything(self, begins: datetime, ends: datetime) -> dict[str, list[dict[str, Any]]]:
        """Each table as a list of rows: of the tasks that had a frame, a move or an event between two instants."""
        return await self._database.read(lambda c: _everything(c, text_of(begins), text_of(ends)))

    async def last_frame_at(self) -> datetime | None:
        """When the shutter of the newest frame opened."""
        query = "SELECT max(started_at) AS newest FROM frame"
        newest = await self._database.read(lambda c: c.execute(query).fetchone()["newest"])
        return None if newest is None else instant_of(newest)


def _overview(connection: sqlite3.Connection) -> Overview:
    tasks = connection.execute("SELECT state, count(*) AS number FROM task GROUP BY state")
    frames = connection.execute(
        "SELECT CASE removal WHEN 'done' THEN 'removed' ELSE state END AS place, count(*) AS number, "
        "coalesce(sum(bytes), 0) AS size FROM frame GROUP BY place"
    ).fetchall()
    items = connection.execute(
        "SELECT o.*, t.request, f.file_name, f.bytes FROM outbox o JOIN task t ON t.id = o.task_id "
        "LEFT JOIN frame f ON o.kind = 'frame' AND f.id = o.subject "
        "WHERE o.stage NOT IN ('done', 'landed') ORDER BY o.made_at, o.id"
    )
    return Overview(
        tasks={TaskState(row["state"]): row["number"] for row in tasks},
        frames={row["place"]: row["number"] for row in frames},
        frame_bytes={row["place"]: row["size"] for row in frames},
        undelivered=tuple(_undelivered(row) for row in items),
    )


def _undelivered(row: sqlite3.Row) -> Undelivered:
    target = json.loads(row["request"])["target"]
    return Undelivered(
        what=row["file_name"] or f"report {row['body']}",
        target=target["elements"]["name"] if "elements" in target else target["name"],
        task_id=row["task_id"],
        bytes=row["bytes"] or 0,
        since=instant_of(row["made_at"]),
        stage=Stage(row["stage"]),
        tries=row["tries"],
        next_try=instant_of(row["next_try_at"]),
        why=row["last_error"],
    )


def _everything(connection: sqlite3.Connection, begins: str, ends: str) -> dict[str, list[dict[str, Any]]]:
    between = {"begins": begins, "ends": ends}
    chosen = (
        "SELECT task_id FROM frame WHERE started_at >= :begins AND started_at < :ends "
        "UNION SELECT task_id FROM transition WHERE at >= :begins AND at < :ends"
    )
    tables = {
        name: connection.execute(
            f"SELECT * FROM {name} WHERE {'id' if name == 'task' else 'task_id'} IN ({chosen})",  # noqa: S608 (constants)
            between,
        )
        for name in _TABLES
    }
    tables["event"] = connection.execute("SELECT * FROM event WHERE at >= :begins AND at < :ends ORDER BY id", between)
    return {name: [dict(row) for row in rows] for name, rows in tables.items()}
