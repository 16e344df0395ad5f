"""Folders whose renames last, and the place for files that a person should look at."""

import errno
import os
from datetime import datetime
from pathlib import Path

# A folder that cannot be opened for syncing (some network file systems) is no reason to lose a frame.
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})


def make_folder(folder: Path) -> None:
    """Make `folder`, for nobody else to read, where there is none."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sync_folder(folder.parent)


def move_aside(path: Path, at: datetime) -> Path:
    """Move `path` into the folder `aside` beside it, under a name that says when; gives the new place."""
    folder = path.parent / "aside"
    make_folder(folder)
    place = folder / f"{at:%Y%m%dT%H%M%S.%f}Z-{path.name}"
    path.rename(place)
    sync_folder(folder)
    sync_folder(path.parent)
    return place


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
