"""One bridge for one station: the lock on its state folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.errors import ConfigError, StationBusy

LOCK_NAME = "nightbridge.lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for as long as the block lasts.

    The kernel lets go of the lock when the programme ends, however it ends.

    Raises:
        StationBusy: another programme holds it; says which.
        ConfigError: the folder cannot be made, or not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"state_folder = '{folder}': cannot be used: {error.strerror}") from None
    try:
        if not _locked(descriptor, fcntl.LOCK_EX):
            raise StationBusy(
                f"{folder} is in use by another nightbridge ({_said_by(descriptor)}): stop that one, or choose another "
                "state_folder"
            )
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()}\n".encode("ascii"))
        yield
    finally:
        os.close(descriptor)


def holder_of(folder: Path) -> str | None:
    """Who works in the folder now; None where nobody does."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _locked(descriptor, fcntl.LOCK_SH) else _said_by(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _said_by(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 100).decode("ascii", "replace").strip() or "its process is not known"
