"""What the station has been asked to do and how far it has come; the one truth, and it survives."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from bridge.clock import Clock
from bridge.crashpoints import CrashPoint, passing
from bridge.events import Event, TaskAccepted, TaskChanged, Telemetry
from bridge.storage.database import Database
from bridge.storage.deeds import TASKS, what_is_left
from bridge.storage.moves import find_task, kept_frames, move
from bridge.storage.rows import request_text, task_of, text_of
from bridge.tasks import UNFINISHED, WAITING, Task, TaskSource, TaskState
from schedules.requests import ObservationRequest

_DEADLY = {TaskState.OBSERVING: CrashPoint.OBSERVING, TaskState.CAPTURED: CrashPoint.CAPTURED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What came of filing: ids of new tasks, and of waiting ones that are no longer what they were."""

    accepted: tuple[str, ...]
    changed: tuple[str, ...]


class Ledger:
    """The tasks. Publishes TaskAccepted, TaskChanged and TaskAdvanced, each after it is on the disk."""

    def __init__(self, database: Database, clock: Clock, telemetry: Telemetry) -> None:
        self._database = database
        self._clock = clock
        self._telemetry = telemetry

    async def file_tasks(self, requests: Sequence[ObservationRequest], *, source: TaskSource) -> Filing:
        """Take `requests` in. Filing one again changes nothing; another window, priority or target counts until the
        telescope goes for it, and is ignored from then on. A cancelled task that is asked for again is PENDING again.
        """
        at = self._clock.now()

        def file_all(connection: sqlite3.Connection) -> list[Event]:
            return [event for request in requests for event in _file(connection, request, source, at)]

        events = await self._database.write(file_all) if requests else []
        if events:
            passing(CrashPoint.TASKS_FILED)
        self._publish(events)
        return Filing(
            accepted=tuple(event.task_id for event in events if isinstance(event, TaskAccepted)),
            changed=tuple(event.task_id for event in events if isinstance(event, TaskChanged)),
        )

    async def hold_spare(self, *, keep_free_bytes: int) -> None:
        """Hold room for the times when the disk is full, if that leaves `keep_free_bytes` free."""
        await self._database.hold_spare(keep_free_bytes=keep_free_bytes)

    async def pending(self) -> list[Task]:
        """All that waits to be observed, PENDING and PLANNED, by the end of its window."""
        return await self.tasks(*WAITING)

    async def tasks(self, *states: TaskState) -> list[Task]:
        """The tasks in these states (in any, where none is named), by the end of their windows."""
        wanted = states or tuple(TaskState)
        marks = ", ".join("?" * len(wanted))
        query = f"SELECT * FROM task WHERE state IN ({marks}) ORDER BY closes_at, id"  # noqa: S608 (only marks)
        return await self._database.read(lambda c: [task_of(row) for row in c.execute(query, wanted)])

    async def task(self, task_id: str) -> Task:
        """Raises UnknownTask where there is none."""
        return await self._database.read(lambda c: find_task(c, task_id))

    async def advance(self, task_id: str, to: TaskState, *, why: str = "") -> Task:
        """Move a task; the only way. The report that is due at `to` goes into the outbox in the same transaction.

        Raises:
            UnknownTask: never filed.
            IllegalMove: the table of tasks.py does not admit it; it may have been CANCELLED a moment ago.
        """
        at = self._clock.now()

        def step(connection: sqlite3.Connection) -> tuple[list[Event], Task]:
            moves = move(connection, find_task(connection, task_id), to, why=why, at=at)
            return [*moves], find_task(connection, task_id)

        events, task = await self._database.write(step)
        if to in _DEADLY:
            passing(_DEADLY[to])
        self._publish(events)
        return task

    async def capture(self, task_id: str, *, why: str = "") -> Task:
        """The observation is over and has frames: CAPTURED, with its report in the outbox behind them."""
        return await self.advance(task_id, TaskState.CAPTURED, why=why)

    async def withdraw(self, task_id: str, *, why: str) -> None:
        """The platform knows the task no more: CANCELLED. Where frames of it are kept they are told of even so, as it
        may know it again: CAPTURED, or as soon as the telescope is done with it.
        """
        at = self._clock.now()

        def step(connection: sqlite3.Connection) -> list[Event]:
            task, kept = find_task(connection, task_id), kept_frames(connection, task_id)
            if task.state not in UNFINISHED or (kept and task.state not in WAITING):
                return []
            to = TaskState.CAPTURED if kept else TaskState.CANCELLED
            return [*move(connection, task, to, why=why, at=at)]

        self._publish(await self._database.write(step))

    async def miss_overdue(
        self, reasons: Mapping[str, str] = MappingProxyType({}), *, for_s: float = 0.0
    ) -> list[Task]:
        """Let go of every waiting task whose window is over, `for_s` long: MISSED, or CAPTURED where an attempt left
        frames.

        `reasons`, by task id, say why it was not observed while there was time.
        """
        at = self._clock.now()
        closed_by = at - timedelta(seconds=for_s)

        def overdue(task: Task) -> bool:
            return task.state in WAITING and task.request.closes <= closed_by

        def why(task: Task) -> str:
            reason = reasons.get(task.task_id) or task.reason
            return f"its window is over; {reason}" if reason else "its window is over"

        return await self._let_go(overdue, at, why)

    async def resume(self) -> list[Task]:
        """After a start: no telescope is on any task, whatever was so before.

        OBSERVING becomes CAPTURED if the last frame of a series was kept, or if the window is over and any frame was;
        MISSED if the window is over and none was; else PENDING. Frames already kept are delivered in any case: a
        task tried again sends more of them, and none twice.
        """

        def interrupted(task: Task) -> bool:
            return task.state is TaskState.OBSERVING

        return await self._let_go(
            interrupted, self._clock.now(), lambda _: "the programme ended during the observation"
        )

    async def _let_go(self, which: Callable[[Task], bool], at: datetime, why: Callable[[Task], str]) -> list[Task]:
        def step(connection: sqlite3.Connection) -> tuple[list[Event], list[Task]]:
            rows = connection.execute("SELECT * FROM task WHERE state IN (?, ?, ?)", tuple(UNFINISHED)).fetchall()
            tasks = [task for task in map(task_of, rows) if which(task)]
            events = [
                event
                for task in tasks
                for event in move(connection, task, _next_state(connection, task, at), why=why(task), at=at)
            ]
            return [*events], [find_task(connection, task.task_id) for task in tasks]

        events, tasks = await self._database.write(step)
        self._publish(events)
        return tasks

    def _publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self._telemetry.publish(event)


def _next_state(connection: sqlite3.Connection, task: Task, at: datetime) -> TaskState:
    """Where a task goes on that nobody works at any more."""
    left = what_is_left(
        frames=kept_frames(connection, task.task_id),
        complete=_series_is_complete(connection, task),
        over=task.request.closes <= at,
    )
    return TASKS[task.state][left]


def _series_is_complete(connection: sqlite3.Connection, task: Task) -> bool:
    query = (
        "SELECT 1 FROM frame WHERE task_id = ? AND number = total AND state IN ('kept', 'landed', 'refused') LIMIT 1"
    )
    return connection.execute(query, (task.task_id,)).fetchone() is not None


def _file(connection: sqlite3.Connection, request: ObservationRequest, source: TaskSource, at: datetime) -> list[Event]:
    text = request_text(request)
    row = connection.execute("SELECT * FROM task WHERE id = ?", (request.request_id,)).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO task (id, source, state, version, attempts, reason, closes_at, request, filed_at, changed_at) "
            "VALUES (?, ?, ?, 1, 0, '', ?, ?, ?, ?)",
            (request.request_id, source, TaskState.PENDING, text_of(request.closes), text, text_of(at), text_of(at)),
        )
        return [_accepted(request, source, at)]
    events: list[Event] = []
    if row["state"] == TaskState.CANCELLED:
        events += move(connection, task_of(row), TaskState.PENDING, why="asked for again", at=at)
    elif row["state"] not in WAITING:
        return []
    if row["request"] != text:
        connection.execute(
            "UPDATE task SET request = ?, closes_at = ?, version = version + 1, changed_at = ? WHERE id = ?",
            (text, text_of(request.closes), text_of(at), request.request_id),
        )
        events.append(TaskChanged(at=at, task_id=request.request_id))
    return events


def _accepted(request: ObservationRequest, source: TaskSource, at: datetime) -> TaskAccepted:
    return TaskAccepted(
        at=at,
        task_id=request.request_id,
        target=request.target.name,
        source=source,
        opens=request.opens,
        closes=request.closes,
        priority=request.priority,
    )
