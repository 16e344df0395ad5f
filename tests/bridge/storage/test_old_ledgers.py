"""A ledger of an earlier version is taken over whole, and one whose folder was moved just works.

`old/ledger_of_schema_1.sql` is what the first version wrote of four tasks: delivered, captured and half sent,
observing, pending. Its frames lay in /home/observer/nightbridge/frames.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.clock import LoopClock
from bridge.events import Telemetry
from bridge.storage.database import APPLICATION_ID
from bridge.storage.outbox import Lane, Stage
from bridge.storage.store import open_store
from bridge.tasks import TaskState

OLD = Path(__file__).parent / "old" / "ledger_of_schema_1.sql"
TABLES = {"task": "*", "transition": "*", "outbox": "*", "event": "*", "frame": "id, state, bytes, sha256, file_name"}


@pytest.fixture
def old_ledger(tmp_path: Path) -> Path:
    path = tmp_path / "moved" / "nightbridge.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    return path


def rows_of(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608 (constants)
            for table, columns in TABLES.items()
        }


async def test_the_ledger_of_an_old_night_is_taken_over_row_by_row(old_ledger: Path, clock: LoopClock) -> None:
    before = rows_of(old_ledger)
    async with open_store(old_ledger, clock=clock, telemetry=Telemetry()) as store:
        states = [task.state for task in await store.ledger.tasks()]
        assert states == [TaskState.DELIVERED, TaskState.CAPTURED, TaskState.OBSERVING, TaskState.PENDING]
    assert rows_of(old_ledger) == before
    with closing(sqlite3.connect(old_ledger)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_its_frames_are_looked_for_beside_it_wherever_it_was_moved(old_ledger: Path, clock: LoopClock) -> None:
    async with open_store(old_ledger, clock=clock, telemetry=Telemetry()) as store:
        item = await store.outbox.next_due(Lane.FILES, busy=())
        assert item is not None
        assert item.stage is Stage.NEW
        assert item.path == old_ledger.parent / "frames" / "citra_task_70729658-58a2-4f91-aa2d-adc97c8ead92_002.fits"


async def test_a_new_ledger_is_the_same_as_one_brought_up_to_date(
    old_ledger: Path, tmp_path: Path, clock: LoopClock
) -> None:
    schemas = []
    for path in (old_ledger, tmp_path / "new.sqlite"):
        async with open_store(path, clock=clock, telemetry=Telemetry()):
            pass
        with closing(sqlite3.connect(path)) as connection:
            query = "SELECT type, name, replace(sql, '\"', '') FROM sqlite_master ORDER BY type, name"
            schemas.append(connection.execute(query).fetchall())
    assert schemas[0] == schemas[1]
