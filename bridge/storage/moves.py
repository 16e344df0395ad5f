"""Moving a task, inside a transaction that is already open."""

import sqlite3
from datetime import datetime

from bridge.errors import IllegalMove, UnknownTask
from bridge.events import TaskAdvanced
from bridge.storage.rows import task_of, text_of
from bridge.tasks import Task, TaskState, may_follow, report_due


def find_task(connection: sqlite3.Connection, task_id: str) -> Task:
    """Raises UnknownTask where there is none."""
    row = connection.execute("SELECT * FROM task WHERE id = ?", (task_id,)).fetchone()
    if row is None:
        raise UnknownTask(f"no task {task_id} was ever filed")
    return task_of(row)


def move(connection: sqlite3.Connection, task: Task, to: TaskState, *, why: str, at: datetime) -> list[TaskAdvanced]:
    """Take `task` to `to`, journal it, and put the report that is due then into the outbox.

    More than one move comes back where the first leads on at once: a manual task is delivered with its last frame.

    Raises:
        IllegalMove: the table does not admit it, or `task` is no longer what it was when it was read.
    """
    if not may_follow(task.state, to):
        raise IllegalMove(f"task {task.task_id} is {task.state} and cannot become {to}")
    changed = connection.execute(
        "UPDATE task SET state = ?, version = version + 1, attempts = attempts + ?, reason = ?, changed_at = ? "
        "WHERE id = ? AND state = ? AND version = ?",
        (to, to is TaskState.OBSERVING, why, text_of(at), task.task_id, task.state, task.version),
    ).rowcount
    if changed != 1:
        raise IllegalMove(f"task {task.task_id} was moved by someone else while it was to become {to}")
    connection.execute(
        "INSERT INTO transition (task_id, version, from_state, to_state, why, at) VALUES (?, ?, ?, ?, ?, ?)",
        (task.task_id, task.version + 1, task.state, to, why, text_of(at)),
    )
    advanced = TaskAdvanced(at=at, task_id=task.task_id, from_state=task.state, to_state=to, why=why)
    if task.state is TaskState.CAPTURED:
        return [advanced]  # its report is in the outbox already
    status = report_due(task, to)
    if status is not None:
        _queue_report(connection, task.task_id, status, at)
    return [advanced, *finish_delivery(connection, task.task_id, at=at)]


def queue_frame(
    connection: sqlite3.Connection, *, task_id: str, frame_id: str, at: datetime, look_first: bool = False
) -> None:
    """To be sent as soon as may be; with `look_first`, unless the platform has it already."""
    _queue(connection, ("frame", task_id, frame_id, ""), "initiated" if look_first else "new", at)


def _queue_report(connection: sqlite3.Connection, task_id: str, status: str, at: datetime) -> None:
    _queue(connection, ("status", task_id, task_id, status), "new", at)


def _queue(connection: sqlite3.Connection, what: tuple[str, str, str, str], stage: str, at: datetime) -> None:
    now = text_of(at)
    connection.execute(
        "INSERT INTO outbox (kind, task_id, subject, body, stage, stage_at, upload_id, tries, next_try_at, last_error, "
        "made_at) VALUES (?, ?, ?, ?, ?, ?, '', 0, ?, '', ?)",
        (*what, stage, now, now, now),
    )


def finish_delivery(connection: sqlite3.Connection, task_id: str, *, at: datetime) -> list[TaskAdvanced]:
    """Move a captured task on once nothing of it is under way: DELIVERED, or FAILED where no frame was taken.

    A frame counts from when the platform has it; a report that was refused keeps the task where it is.
    """
    task = find_task(connection, task_id)
    if task.state is not TaskState.CAPTURED or _under_way(connection, task_id):
        return []
    if landed_frames(connection, task_id) > 0:
        return move(connection, task, TaskState.DELIVERED, why="", at=at)
    return move(connection, task, TaskState.FAILED, why="the platform took none of its frames", at=at)


def landed_frames(connection: sqlite3.Connection, task_id: str) -> int:
    """How many frames of the task the platform has."""
    query = "SELECT count(*) FROM frame WHERE task_id = ? AND state = 'landed'"
    return int(connection.execute(query, (task_id,)).fetchone()[0])


def kept_frames(connection: sqlite3.Connection, task_id: str) -> int:
    """How many frames of the task are, or were, safely on disk."""
    query = "SELECT count(*) FROM frame WHERE task_id = ? AND state IN ('kept', 'landed', 'refused')"
    return int(connection.execute(query, (task_id,)).fetchone()[0])


def _under_way(connection: sqlite3.Connection, task_id: str) -> bool:
    query = (
        "SELECT 1 FROM outbox WHERE task_id = ? AND (kind = 'status' AND stage <> 'done' "
        "OR kind = 'frame' AND stage IN ('new', 'initiated', 'sent')) LIMIT 1"
    )
    return connection.execute(query, (task_id,)).fetchone() is not None
