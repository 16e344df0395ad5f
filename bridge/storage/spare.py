"""Room that is held for the ledger beside it, and given up when the disk is full: so that a full disk ends no night."""

import os
import shutil
from pathlib import Path

# The log that SQLite keeps grows to about 4 MB before it is used anew; the rest lets a station that only waits write
# down what it does for days.
SPARE_BYTES = 16 << 20

_NAME = ".room-for-the-ledger"


def hold_spare(folder: Path, *, keep_free_bytes: int) -> bool:
    """Take the room, where it is not held and `keep_free_bytes` stay free without it; gives whether it is held.

    A disk that gives none, for whatever reason, is the same as a full one.
    """
    spare = folder / _NAME
    if spare.exists():
        return True
    if shutil.disk_usage(folder).free < keep_free_bytes + SPARE_BYTES:
        return False
    descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, SPARE_BYTES)
    except OSError:
        spare.unlink()
        return False
    finally:
        os.close(descriptor)
    return True


def give_up_spare(folder: Path) -> bool:
    """Give the room to the ledger; False where none was held."""
    try:
        (folder / _NAME).unlink()
    except FileNotFoundError:
        return False
    return True
