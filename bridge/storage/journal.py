"""What happened, kept for some weeks."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from bridge.events import Event, Subscription
from bridge.storage.database import Database
from bridge.storage.rows import text_of


class Journal:
    """The events of the nights, in the order they were said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, subscription: Subscription) -> None:
        """Write down all that `subscription` brings, until it is closed and read out."""
        while events := await subscription.batch():
            rows = [_row(event) for event in events]
            await self._database.write(partial(_insert, rows=rows))

    async def unsafe_since(self, instant: datetime) -> bool:
        """Whether the last word on safety was unsafe, or it became safe only after `instant`; False before any word."""
        return await self._database.read(partial(_unsafe_since, at=text_of(instant)))

    async def forget(self, before: datetime) -> None:
        """Let go of what was said before `before`, a little at a time: what else is written need not wait for it."""
        limits = {"before": text_of(before), "at_most": _FORGOTTEN_AT_ONCE}
        while await self._database.write(lambda c: c.execute(_FORGET, limits).rowcount):
            pass

    async def names(self, task_id: str) -> list[str]:
        """What happened to a task, in order: the names of the events."""
        query = "SELECT name FROM event WHERE task_id = ? ORDER BY id"
        return await self._database.read(lambda c: [row["name"] for row in c.execute(query, (task_id,))])


_FORGOTTEN_AT_ONCE = 1000
# The oldest are looked at alone: where they stay, nothing after them is looked through.
_FORGET = """
DELETE FROM event WHERE id IN (
    SELECT id FROM (SELECT id, at FROM event ORDER BY id LIMIT :at_most) WHERE at < :before
)
"""

_Row = tuple[str, str, str, str | None, str]


def _row(event: Event) -> _Row:
    facts = event.facts()
    task_id = facts.get("task_id")
    return (
        text_of(event.at),
        type(event).__name__,
        event.level,
        None if task_id is None else str(task_id),
        json.dumps(facts, allow_nan=False),
    )


def _unsafe_since(connection: sqlite3.Connection, at: str) -> bool:
    said = "SELECT id, at FROM event WHERE name = 'SafetyChanged' AND json_extract(facts, '$.safe') = ?"
    unsafe = connection.execute(f"{said} ORDER BY id DESC LIMIT 1", (0,)).fetchone()
    if unsafe is None:
        return False
    safe = connection.execute(f"{said} AND id > ? ORDER BY id LIMIT 1", (1, unsafe["id"])).fetchone()
    return safe is None or str(safe["at"]) > at


def _insert(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    connection.executemany("INSERT INTO event (at, name, level, task_id, facts) VALUES (?, ?, ?, ?, ?)", rows)
