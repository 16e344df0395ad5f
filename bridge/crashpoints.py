"""Places where a rehearsal may have the programme die, to show that nothing is lost there.

Only a station with a `[rehearsal]` can name one (`dies_at`); everywhere else passing a place does nothing.
"""

import os
import signal
from enum import StrEnum


class CrashPoint(StrEnum):
    """Each lies between two things that must not be torn apart."""

    TASKS_FILED = "tasks filed"
    OBSERVING = "observing written down"
    FRAME_RESERVED = "frame reserved"
    IN_MEMORY = "frame in memory"
    HALF_WRITTEN = "frame half written"
    SYNCED = "frame synced"
    RENAMED = "frame renamed"
    RECORDED = "frame recorded"
    CAPTURED = "task captured"
    ANNOUNCING = "announcing written down"
    ANNOUNCED = "announced"
    TICKET_KEPT = "ticket written down"
    SENT = "frame sent"
    SENT_KEPT = "sending written down"
    LANDED = "landing written down"
    REPORTED = "task reported"
    DELIVERED = "task delivered"
    REMOVING = "removal written down"
    FILE_REMOVED = "file removed"
    REMOVED = "end of removal written down"


class _Fuse:
    """Which place is deadly, and how often it may still be passed."""

    def __init__(self) -> None:
        self.place: CrashPoint | None = None
        self.passes_left = 0


_fuse = _Fuse()


def arm(place: CrashPoint, *, at_pass: int) -> None:
    """Have the programme die when it passes `place` for the `at_pass`-th time, counted from 1."""
    _fuse.place, _fuse.passes_left = place, at_pass


def passing(place: CrashPoint) -> None:
    """The programme is here. If this is where it must die, the kernel ends it as it would end a killed one."""
    if place is not _fuse.place:
        return
    _fuse.passes_left -= 1
    if _fuse.passes_left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
