"""What is done about what is found: three tables, each of which answers whatever can be found.

The same rows serve a start after any kind of death and an ordinary night: what was written down before a step says
which question comes next, and the answer which deed. Nothing here reads or writes.
"""

from collections.abc import Mapping
from enum import StrEnum

from bridge.storage.outbox import Stage
from bridge.tasks import TaskState

# --- a file in the frames' folder, and its row in the ledger ---------------------------------------------------------


class Row(StrEnum):
    """What the ledger knows of a file's name."""

    NONE = "none"
    RESERVED = "reserved"  # set aside before the shutter opened
    KEPT = "kept"  # on disk once, whatever became of it at the platform
    LOST = "lost"  # the exposure came to nothing


class OnDisk(StrEnum):
    """What is in the folder under that name. A frame gets it when it is whole and synced, and not before."""

    NOTHING = "nothing"
    FRAME = "frame"  # whole, its checksum good, its header one of ours
    NO_FRAME = "no frame"


class FileDeed(StrEnum):
    LEAVE = "leave"
    RECORD = "record"  # the row gets its frame, and the outbox too
    LOSE = "lose"
    ADOPT = "adopt"  # frame and task get rows, made from the header
    SET_ASIDE = "set aside"  # out of the folder, kept for a person
    LOSE_AND_SET_ASIDE = "lose and set aside"


FILES: Mapping[Row, Mapping[OnDisk, FileDeed]] = {
    Row.NONE: {
        OnDisk.NOTHING: FileDeed.LEAVE,
        OnDisk.FRAME: FileDeed.ADOPT,
        OnDisk.NO_FRAME: FileDeed.SET_ASIDE,
    },
    Row.RESERVED: {
        OnDisk.NOTHING: FileDeed.LOSE,
        OnDisk.FRAME: FileDeed.RECORD,
        OnDisk.NO_FRAME: FileDeed.LOSE_AND_SET_ASIDE,
    },
    # Not looked at: what is kept is read when it is sent, and what was lost was never whole.
    Row.KEPT: dict.fromkeys(OnDisk, FileDeed.LEAVE),
    Row.LOST: dict.fromkeys(OnDisk, FileDeed.LEAVE),
}

# --- a task that nobody works at any more ----------------------------------------------------------------------------


class Left(StrEnum):
    """What an attempt left, and whether the window of its task is still open."""

    NOTHING_OPEN = "no frame, window open"
    SOME_OPEN = "frames, window open"
    ALL_OPEN = "the last frame of a series, window open"
    NOTHING_OVER = "no frame, window over"
    SOME_OVER = "frames, window over"
    ALL_OVER = "the last frame of a series, window over"


def what_is_left(*, frames: int, complete: bool, over: bool) -> Left:
    """`frames` were kept; `complete`: the last of a series among them; `over`: the window is."""
    if complete:
        return Left.ALL_OVER if over else Left.ALL_OPEN
    if frames:
        return Left.SOME_OVER if over else Left.SOME_OPEN
    return Left.NOTHING_OVER if over else Left.NOTHING_OPEN


_OVER = {Left.NOTHING_OVER: TaskState.MISSED, Left.SOME_OVER: TaskState.CAPTURED, Left.ALL_OVER: TaskState.CAPTURED}

TASKS: Mapping[TaskState, Mapping[Left, TaskState]] = {
    # A task tried again, whose first series was whole, waits for its second.
    TaskState.PENDING: dict.fromkeys(Left, TaskState.PENDING) | _OVER,
    TaskState.PLANNED: dict.fromkeys(Left, TaskState.PLANNED) | _OVER,
    TaskState.OBSERVING: dict.fromkeys(Left, TaskState.PENDING) | _OVER | {Left.ALL_OPEN: TaskState.CAPTURED},
    TaskState.CAPTURED: dict.fromkeys(Left, TaskState.CAPTURED),
    TaskState.DELIVERED: dict.fromkeys(Left, TaskState.DELIVERED),
    TaskState.MISSED: dict.fromkeys(Left, TaskState.MISSED),
    TaskState.FAILED: dict.fromkeys(Left, TaskState.FAILED),
    TaskState.CANCELLED: dict.fromkeys(Left, TaskState.CANCELLED),
}

# --- a frame on its way, and what the platform says of it ------------------------------------------------------------


class Answer(StrEnum):
    """What the platform says of a frame when it is asked, or of a step towards it."""

    NOTHING = "nothing"  # it has no record of the frame
    ANNOUNCED = "announced"  # it expects the file
    FORGOTTEN = "forgotten"  # it expects it still, long after it was sent
    WORKING = "working"  # it has the file
    DONE = "done"  # it has worked on it, for good or for nothing
    SLOW = "slow"  # it has it, and works on it for too long to be watched
    ANOTHER = "another"  # what it has is not what was sent
    ANOTHER_AGAIN = "another again"  # time after time
    SILENT = "silent"  # no answer, or that of a server in trouble: what was asked may have been done
    BROKEN_OFF = "broken off"  # the same, while the bytes went
    DENIED = "denied"  # a token, a right, a quota
    REFUSED = "refused"  # or nonsense: it may be different another time
    REFUSED_FOR_GOOD = "refused for good"  # it will not be different, or was not for many times
    UNREADABLE = "unreadable"  # the file itself, here


class Deed(StrEnum):
    NONE = "none"
    SEND = "send"  # announce it (once more) and send the bytes; what is announced and has no file is cleared away
    TAKE_UP = "take up"  # it landed when nobody knew: look after that record
    LOOK_AGAIN = "look again"  # later
    LAND = "land"  # the promise is kept: its task may be reported
    LAND_AND_FINISH = "land and finish"
    FINISH = "finish"
    ASK_BY_NAME = "ask by name"  # its number says nothing: look for its name, and only then send it again
    CLEAR_AWAY = "clear away"  # what is there, and send it again
    TOLD = "told"  # the report of a task
    WAIT = "wait"  # for as long as what the platform writes may be seen late; then it is asked
    TRY_AGAIN = "try again"
    TRY_RARELY = "try rarely"
    SET_ASIDE = "set aside"  # for a person; what waits behind it goes on


_TROUBLE = {
    Answer.SILENT: Deed.TRY_AGAIN,
    Answer.BROKEN_OFF: Deed.WAIT,
    Answer.DENIED: Deed.TRY_RARELY,
    Answer.REFUSED: Deed.TRY_AGAIN,
    Answer.REFUSED_FOR_GOOD: Deed.SET_ASIDE,
    Answer.UNREADABLE: Deed.SET_ASIDE,
}

# Its fate is unknown: it is asked for by its name, which no other frame has.
_UNKNOWN = _TROUBLE | {
    Answer.NOTHING: Deed.SEND,
    Answer.ANNOUNCED: Deed.SEND,
    Answer.FORGOTTEN: Deed.SEND,
    Answer.WORKING: Deed.TAKE_UP,
    Answer.DONE: Deed.TAKE_UP,
    Answer.SLOW: Deed.TAKE_UP,
    Answer.ANOTHER: Deed.TAKE_UP,  # and judged when it is looked at
    Answer.ANOTHER_AGAIN: Deed.TAKE_UP,
}

# The platform holds the task as it is told, or as final already (DONE), or has it no more (NOTHING).
REPORTS: Mapping[Answer, Deed] = (
    dict.fromkeys(Answer, Deed.TRY_AGAIN) | _TROUBLE | {Answer.DONE: Deed.TOLD, Answer.NOTHING: Deed.TOLD}
)

FRAMES: Mapping[Stage, Mapping[Answer, Deed]] = {
    # Never announced, so nobody is asked about it; the rest is for whoever asks all the same.
    Stage.NEW: _UNKNOWN,
    Stage.INITIATED: _UNKNOWN,
    Stage.SENT: _TROUBLE
    | {
        Answer.NOTHING: Deed.ASK_BY_NAME,
        Answer.ANNOUNCED: Deed.LOOK_AGAIN,
        Answer.FORGOTTEN: Deed.ASK_BY_NAME,
        Answer.WORKING: Deed.LAND,
        Answer.DONE: Deed.LAND_AND_FINISH,
        Answer.SLOW: Deed.LAND,
        Answer.ANOTHER: Deed.CLEAR_AWAY,
        Answer.ANOTHER_AGAIN: Deed.SET_ASIDE,
    },
    Stage.LANDED: _TROUBLE
    | {
        Answer.REFUSED_FOR_GOOD: Deed.FINISH,  # the promise was kept before
        Answer.NOTHING: Deed.SET_ASIDE,  # the platform had it, and lost it
        Answer.ANNOUNCED: Deed.LOOK_AGAIN,
        Answer.FORGOTTEN: Deed.ASK_BY_NAME,  # it had it, and says now that it waits for it
        Answer.WORKING: Deed.LOOK_AGAIN,
        Answer.DONE: Deed.FINISH,
        Answer.SLOW: Deed.FINISH,
        Answer.ANOTHER: Deed.CLEAR_AWAY,
        Answer.ANOTHER_AGAIN: Deed.SET_ASIDE,
    },
    Stage.DONE: dict.fromkeys(Answer, Deed.NONE),
    Stage.PARKED: dict.fromkeys(Answer, Deed.NONE),
}
