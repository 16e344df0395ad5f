"""The bridge's ledger as an outsider reads it: from a copy, so that looking changes nothing."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LEDGER_NAME = "nightbridge.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFrame:
    """A frame that the ledger calls durable; `state` is kept, landed or refused. `removed`: its file may be gone."""

    file_name: str
    task_id: str
    state: str
    path: Path
    sha256: str
    removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSeen:
    """What stands in the ledger. `check` is SQLite's own verdict, "ok" for a sound file.

    `closes`: when each task's window ends. `lost`: names of frames that were given up. `gaps`: ids of tasks whose
    versions do not grow one by one.
    `open_items` says of each frame or report that is not delivered how far it is.
    """

    check: str
    frames: tuple[KeptFrame, ...]
    names: frozenset[str]
    lost: frozenset[str]
    task_states: dict[str, str]
    closes: dict[str, str]
    gaps: tuple[str, ...]
    open_items: tuple[str, ...]


def look_into(state_folder: Path) -> LedgerSeen | None:
    """The ledger as it lies there, whoever was killed while writing it; None where there is none yet."""
    if not (state_folder / LEDGER_NAME).exists():
        return None
    with _copied(state_folder) as copy:
        connection = sqlite3.connect(copy)
        connection.row_factory = sqlite3.Row
        try:
            return _seen(connection, state_folder)
        finally:
            connection.close()


@contextmanager
def _copied(state_folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for file in state_folder.glob(f"{LEDGER_NAME}*"):
            if not file.name.endswith("-shm"):  # made anew from the log
                shutil.copy(file, folder)
        yield Path(folder) / LEDGER_NAME


def _seen(connection: sqlite3.Connection, state_folder: Path) -> LedgerSeen:
    (check,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'frame'").fetchone():
        return LedgerSeen(
            check=check,
            frames=(),
            names=frozenset(),
            lost=frozenset(),
            task_states={},
            closes={},
            gaps=(),
            open_items=(),
        )
    rows = connection.execute("SELECT * FROM frame").fetchall()
    tasks = connection.execute("SELECT id, state, closes_at FROM task").fetchall()
    gaps = connection.execute(
        "SELECT t.id FROM task t JOIN transition m ON m.task_id = t.id GROUP BY t.id "
        "HAVING max(m.version) > t.version OR count(*) <> count(DISTINCT m.version)"
    )
    items = connection.execute(
        "SELECT o.kind, o.stage, o.last_error, coalesce(f.file_name, o.task_id) AS what FROM outbox o "
        "LEFT JOIN frame f ON o.kind = 'frame' AND f.id = o.subject WHERE o.stage NOT IN ('done', 'landed')"
    )
    return LedgerSeen(
        check=check,
        frames=tuple(
            KeptFrame(
                file_name=row["file_name"],
                task_id=row["task_id"],
                state=row["state"],
                path=state_folder / row["path"],
                sha256=row["sha256"],
                removed=row["removal"] != "none",
            )
            for row in rows
            if row["state"] in ("kept", "landed", "refused")
        ),
        names=frozenset(row["file_name"] for row in rows),
        lost=frozenset(row["file_name"] for row in rows if row["state"] == "lost"),
        task_states={row["id"]: row["state"] for row in tasks},
        closes={row["id"]: row["closes_at"] for row in tasks},
        gaps=tuple(row["id"] for row in gaps),
        open_items=tuple(f"{row['kind']} {row['what']} is {row['stage']}: {row['last_error']}" for row in items),
    )
