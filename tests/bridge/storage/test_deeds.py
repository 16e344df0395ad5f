"""What a start does about each file beside each row, and about each task in each state: cell by cell, on a disk."""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import LoopClock
from bridge.events import Telemetry
from bridge.storage.cards import FrameHeader
from bridge.storage.deeds import FILES, FRAMES, REPORTS, TASKS, Answer, Left, OnDisk, Row
from bridge.storage.frames import FrameFolder, open_frame_folder
from bridge.storage.outbox import Lane, Stage
from bridge.storage.recovery import recover
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource, TaskState
from schedules.requests import ObservationRequest

from .conftest import DUSK

TASK = "70729658-58a2-4f91-aa2d-adc97c8ead94"
NAME = f"citra_task_{TASK}_001.fits"
LEDGER = "ledger.sqlite"

HeaderMaker = Callable[..., FrameHeader]
RequestMaker = Callable[..., ObservationRequest]


def test_the_tables_answer_whatever_is_found() -> None:
    assert {(row, found) for row, deeds in FILES.items() for found in deeds} == set(itertools.product(Row, OnDisk))
    assert {(state, left) for state, on in TASKS.items() for left in on} == set(itertools.product(TaskState, Left))
    assert {(stage, one) for stage, deeds in FRAMES.items() for one in deeds} == set(itertools.product(Stage, Answer))
    assert set(REPORTS) == set(Answer)


@asynccontextmanager
async def opened(folder: Path, clock: LoopClock) -> AsyncIterator[tuple[Store, FrameFolder]]:
    async with (
        open_store(folder / LEDGER, clock=clock, telemetry=Telemetry()) as store,
        open_frame_folder(folder / "frames", keep_free_bytes=0) as frames,
    ):
        yield store, frames


def change(folder: Path, order: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / LEDGER)) as connection, connection:
        connection.execute(order, values)


def look(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / LEDGER)) as connection:
        return connection.execute(query).fetchall()


# By row and by what is on disk: the frame's state afterwards (None: no row), whether its file is in its place, and
# whether it waits to be delivered.
FILES_AFTER: dict[tuple[Row, OnDisk], tuple[str | None, bool, bool]] = {
    (Row.NONE, OnDisk.NOTHING): (None, False, False),
    (Row.NONE, OnDisk.FRAME): ("kept", True, True),
    (Row.NONE, OnDisk.NO_FRAME): (None, False, False),
    (Row.RESERVED, OnDisk.NOTHING): ("lost", False, False),
    (Row.RESERVED, OnDisk.FRAME): ("kept", True, True),
    (Row.RESERVED, OnDisk.NO_FRAME): ("lost", False, False),
    (Row.KEPT, OnDisk.NOTHING): ("kept", False, True),
    (Row.KEPT, OnDisk.FRAME): ("kept", True, True),
    (Row.KEPT, OnDisk.NO_FRAME): ("kept", True, True),
    (Row.LOST, OnDisk.NOTHING): ("lost", False, False),
    (Row.LOST, OnDisk.FRAME): ("lost", True, False),
    (Row.LOST, OnDisk.NO_FRAME): ("lost", True, False),
}


@pytest.mark.parametrize(("row", "on_disk"), FILES_AFTER, ids=str)
async def test_a_start_brings_a_file_and_its_row_together(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker, make_header: HeaderMaker, row: Row, on_disk: OnDisk
) -> None:
    file_in_place = tmp_path / "frames" / NAME
    async with opened(tmp_path, clock) as (store, frames):
        await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
        await store.ledger.advance(TASK, TaskState.OBSERVING)
        reserved = await store.frames.reserve_frame(TASK, number=1, total=3)
        file = await frames.write(replace(make_header(), reserved=reserved))
        if row is Row.KEPT:
            await store.frames.record_frame(reserved, file, started_at=DUSK, ended_at=DUSK + timedelta(seconds=2.5))
        elif row is Row.LOST:
            await store.frames.lose_frame(reserved, "the camera is lost")
    if row is Row.NONE:
        change(tmp_path, "DELETE FROM frame")
    if on_disk is OnDisk.NOTHING:
        file_in_place.unlink()
    elif on_disk is OnDisk.NO_FRAME:
        file_in_place.write_bytes(file_in_place.read_bytes()[:-2880])
    async with opened(tmp_path, clock) as (store, frames):
        await recover(store, frames, at=clock.now())
        waits = await store.outbox.next_due(Lane.FILES, busy=())
        assert (await recover(store, frames, at=clock.now())).nothing
    frame_state, in_place, queued = FILES_AFTER[row, on_disk]
    assert look(tmp_path, "SELECT state FROM frame") == ([] if frame_state is None else [(frame_state,)])
    assert file_in_place.exists() is in_place
    assert (waits is not None) is queued
    if waits is not None:
        assert waits.stage is Stage.INITIATED  # the ledger may be an older copy: the platform is asked first
    kept_for_a_person = [path for path in tmp_path.rglob("*") if path.is_file() and NAME in path.name]
    assert bool(kept_for_a_person) is (on_disk is not OnDisk.NOTHING), "no byte that was found is thrown away"


P, C, M = TaskState.PENDING, TaskState.CAPTURED, TaskState.MISSED
# In the order of `Left`: no frame, some, the last of a series, with the window open; and the same with it over.
TASKS_AFTER: dict[TaskState, list[TaskState]] = {
    TaskState.PENDING: [P, P, P, M, C, C],
    TaskState.PLANNED: [TaskState.PLANNED, TaskState.PLANNED, TaskState.PLANNED, M, C, C],
    TaskState.OBSERVING: [P, P, C, M, C, C],
    TaskState.CAPTURED: [C] * 6,
    TaskState.DELIVERED: [TaskState.DELIVERED] * 6,
    TaskState.MISSED: [M] * 6,
    TaskState.FAILED: [TaskState.FAILED] * 6,
    TaskState.CANCELLED: [TaskState.CANCELLED] * 6,
}


@pytest.mark.parametrize("state", TASKS_AFTER)
@pytest.mark.parametrize("left", Left, ids=str)
async def test_a_start_leaves_no_task_behind(
    tmp_path: Path,
    clock: LoopClock,
    make_request: RequestMaker,
    make_header: HeaderMaker,
    state: TaskState,
    left: Left,
) -> None:
    place = list(Left).index(left)
    frames_kept, over = place % 3, place >= 3
    async with opened(tmp_path, clock) as (store, frames):
        await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
        for number in range(1, frames_kept + 1):
            reserved = await store.frames.reserve_frame(TASK, number=number, total=2)
            file = await frames.write(replace(make_header(), reserved=reserved))
            await store.frames.record_frame(reserved, file, started_at=DUSK, ended_at=DUSK)
    change(tmp_path, "UPDATE task SET state = ?, attempts = 1", state)
    later = LoopClock(DUSK + timedelta(hours=3 if over else 1))
    async with opened(tmp_path, later) as (store, frames):
        await recover(store, frames, at=later.now())
        await store.ledger.miss_overdue()
        after = (await store.ledger.task(TASK)).state
    assert after is TASKS_AFTER[state][place]
    reports = look(tmp_path, "SELECT body FROM outbox WHERE kind = 'status'")
    moved_on = after is not state and after in (C, M)
    assert reports == ([("Succeeded" if after is C else "Failed",)] if moved_on else [])
