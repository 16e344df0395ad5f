"""The life of a task: its states, and the one table of which may follow which.

    PENDING → PLANNED → OBSERVING → CAPTURED → DELIVERED

Side exits: MISSED (its window is over), FAILED (the reason is kept), CANCELLED (withdrawn where it came from).
`Ledger.advance` is the only way along.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schedules.requests import ObservationRequest


class TaskState(StrEnum):
    """How far a task has come."""

    PENDING = "pending"  # asked for, and in no plan
    PLANNED = "planned"  # placed in the plan as it stands
    OBSERVING = "observing"  # the telescope is on it
    CAPTURED = "captured"  # its frames are on disk, and on their way
    DELIVERED = "delivered"  # the platform has the frames, and the report where one is due
    MISSED = "missed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskSource(StrEnum):
    """Who asks."""

    API = "api"
    MANUAL = "manual"


_S = TaskState

# PENDING → CAPTURED: the window closed over a retry, and the frames of the first try are what there is.
# CAPTURED → FAILED: the platform took none of the frames. CANCELLED → PENDING: the platform offers it again.
TRANSITIONS: Mapping[TaskState, frozenset[TaskState]] = {
    _S.PENDING: frozenset({_S.PLANNED, _S.OBSERVING, _S.CAPTURED, _S.MISSED, _S.FAILED, _S.CANCELLED}),
    _S.PLANNED: frozenset({_S.PENDING, _S.OBSERVING, _S.CAPTURED, _S.MISSED, _S.FAILED, _S.CANCELLED}),
    _S.OBSERVING: frozenset({_S.PENDING, _S.CAPTURED, _S.MISSED, _S.FAILED, _S.CANCELLED}),
    _S.CAPTURED: frozenset({_S.DELIVERED, _S.FAILED}),
    _S.DELIVERED: frozenset(),
    _S.MISSED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset({_S.PENDING}),
}

WAITING = frozenset({_S.PENDING, _S.PLANNED})
UNFINISHED = WAITING | {_S.OBSERVING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as the ledger holds it.

    `version` grows by one with each move and each change of the request. `attempts` counts how often the telescope went
    for it. `reason` is the `why` of the last move.
    """

    task_id: str
    source: TaskSource
    state: TaskState
    version: int
    attempts: int
    reason: str
    request: ObservationRequest
    filed_at: datetime
    changed_at: datetime


def may_follow(before: TaskState, after: TaskState) -> bool:
    """Whether the table admits the move. Staying is no move."""
    return after in TRANSITIONS[before]


def report_due(task: Task, reached: TaskState) -> str | None:
    """The status the Citra platform is told when `task` gets to `reached`; None where nothing is said.

    A window that passed before anything was tried is left as it is, for the platform to assign anew; a cancelled task
    needs no answer; a manual task has nobody to tell.
    """
    if task.source is TaskSource.MANUAL:
        return None
    if reached is TaskState.CAPTURED:
        return "Succeeded"
    tried_in_vain = reached is TaskState.MISSED and task.attempts > 0
    return "Failed" if reached is TaskState.FAILED or tried_in_vain else None
