"""Which frames may leave the disk: the platform has them and all of their task was told. No other is ever removed.

The task must be over too, and its window: were the ledger lost, a task that is observed once more would else take the
names of removed frames, which nobody knew any more, for new ones.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.storage.database import Database
from bridge.storage.rows import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFrame:
    """A frame that the platform has confirmed, and whose file is, or may be, still here."""

    frame_id: str
    file_name: str
    bytes: int


class Removals:
    """Removals in the ledger: meant, then done. Between the two lies the file's end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, *, delivered_by: datetime | None, at_most: int) -> list[DeliveredFrame]:
        """Those whose removal was begun and not finished, then others that were delivered, and their windows over, at
        `delivered_by`, the first delivered first; with None no others.
        """
        wanted = {"by": "" if delivered_by is None else text_of(delivered_by), "at_most": at_most}
        return await self._database.read(lambda c: [_frame(row) for row in c.execute(_DUE, wanted)])

    async def begin(self, frames: Sequence[DeliveredFrame]) -> None:
        """They are to go: from here on their files may be missing."""
        await self._set(frames, "begun")

    async def finish(self, frames: Sequence[DeliveredFrame]) -> None:
        """Their files are gone, to stay so."""
        await self._set(frames, "done")

    async def _set(self, frames: Sequence[DeliveredFrame], removal: str) -> None:
        rows = [(removal, frame.frame_id) for frame in frames]
        await self._database.write(lambda c: c.executemany("UPDATE frame SET removal = ? WHERE id = ?", rows).rowcount)


_DUE = """
SELECT * FROM (
    SELECT id, file_name, bytes, '' AS done_at FROM frame WHERE removal = 'begun'
    UNION ALL
    SELECT f.id, f.file_name, f.bytes, o.stage_at AS done_at FROM frame f
    JOIN outbox o ON o.kind = 'frame' AND o.subject = f.id
    JOIN task t ON t.id = f.task_id
    WHERE f.removal = 'none' AND f.state = 'landed' AND o.stage = 'done' AND o.stage_at <= :by
    AND t.closes_at <= :by AND t.state IN ('delivered', 'missed', 'failed', 'cancelled')
    AND NOT EXISTS (SELECT 1 FROM outbox rest WHERE rest.task_id = f.task_id AND rest.stage <> 'done')
) ORDER BY done_at, id LIMIT :at_most
"""


def _frame(row: sqlite3.Row) -> DeliveredFrame:
    return DeliveredFrame(frame_id=row["id"], file_name=row["file_name"], bytes=row["bytes"])
