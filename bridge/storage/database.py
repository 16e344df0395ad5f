"""One SQLite file, and the one thread that may touch it."""

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import anyio

from bridge.errors import LedgerDamaged, LedgerUnusable, StationBusy
from bridge.storage.aside import move_aside
from bridge.storage.spare import give_up_spare, hold_spare
from drivers.threads import Worker

_T = TypeVar("_T")

# "NtBr": tells our file from any other SQLite file.
APPLICATION_ID = 0x4E744272

# Set and read back: what a build of SQLite defaults to differs. A commit is on the disk before it is believed.
_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "foreign_keys": 1,
    "busy_timeout": 5000,
    "trusted_schema": 0,
}


class Bell:
    """Rings when something was written, so that nobody has to look again and again."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = anyio.Event()

    def ring(self) -> None:
        self.rings += 1
        self._rung.set()
        self._rung = anyio.Event()

    async def wait(self, *, since: int, at_most_s: float) -> None:
        """Return once it has rung after it stood at `since` rings, or after `at_most_s` seconds."""
        if self.rings == since:
            with anyio.move_on_after(at_most_s):
                await self._rung.wait()


class Database:
    """Runs work on the connection, in the order asked, each piece in one transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection, worker: Worker) -> None:
        self._path = path
        self._connection = connection
        self._worker = worker
        self._epoch: int | None = None  # ours, from the first write on
        self.written = Bell()

    @property
    def folder(self) -> Path:
        """Where the file is: paths of frames are from here on."""
        return self._path.parent

    async def read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """What `work` finds, from one consistent view."""
        return await self._worker.call(self._run, "BEGIN", work)

    async def write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """What `work` returns, once all it did is on the disk. If it raises, nothing was done.

        Raises:
            LedgerUnusable: the disk is full or broken, or another program holds the file.
            StationBusy: another bridge has written since; this one may not any more.
        """
        result = await self._worker.call(self._run_write, work)
        self.written.ring()
        return result

    def _run_write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        epoch, result = self._run("BEGIN IMMEDIATE", lambda c: (self._claimed(c), work(c)))
        self._epoch = epoch
        return result

    def _claimed(self, connection: sqlite3.Connection) -> int:
        """Our epoch: the next one at our first write, and then the newest for as long as nobody took the next."""
        newest = int(connection.execute("SELECT epoch FROM station").fetchone()[0])
        if self._epoch is None:
            connection.execute("UPDATE station SET epoch = ?", (newest + 1,))
            return newest + 1
        if newest != self._epoch:
            raise StationBusy(
                f"{self._path} was taken over by another nightbridge (epoch {newest}, ours is {self._epoch}): this one "
                "writes no more; stop one of the two"
            )
        return self._epoch

    async def hold_spare(self, *, keep_free_bytes: int) -> None:
        """Hold room for the times when the disk is full, if that leaves `keep_free_bytes` free."""
        await self._worker.call(partial(hold_spare, self.folder, keep_free_bytes=keep_free_bytes))

    def _run(self, begin: str, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Once more where the disk was full and room was held: nothing was done the first time."""
        try:
            with _transaction(self._connection, begin):
                return work(self._connection)
        except sqlite3.DatabaseError as error:
            if _says_full(error) and give_up_spare(self.folder):
                return self._run(begin, work)
            if isinstance(error, sqlite3.OperationalError):
                raise LedgerUnusable(f"{self._path}: {error}{_what_to_do(error)}") from error
            if _says_damage(error):
                raise LedgerDamaged(f"{self._path}: {error}; the next start makes it anew from the frames") from error
            raise


@asynccontextmanager
async def open_database(path: Path) -> AsyncIterator[Database]:
    """The file at `path`, made or brought up to date where needed.

    Raises:
        LedgerUnusable: not a ledger, or one of a later version of the program.
    """
    worker = Worker("ledger")
    try:
        connection = await worker.call(_connect, path)
        try:
            yield Database(path, connection, worker)
        finally:
            await worker.call(connection.close)
    finally:
        worker.close()


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise LedgerUnusable(f"{path} cannot be used as a ledger: {error.strerror}; look at the folder") from error
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        steps = _steps_left(connection, path)
        _settle(connection)
        _check(connection)
        _migrate(connection, steps)
    except sqlite3.DatabaseError as error:
        connection.close()
        if _says_full(error) and give_up_spare(path.parent):
            return _connect(path)
        says = f"{path} cannot be used as a ledger: {' '.join(str(error).split())}"
        if _says_damage(error):
            raise LedgerDamaged(f"{says}; the next start, or `nightbridge recover`, makes it anew") from error
        raise LedgerUnusable(says + (_what_to_do(error) or "; move it away or mend it")) from error
    except LedgerUnusable:
        connection.close()
        raise
    return connection


def set_aside_if_damaged(path: Path, at: datetime) -> Path | None:
    """Move a file that is damaged throughout out of the way, with what belongs to it; gives its new place.

    Nobody else may have it open. What it held that the frames do not say themselves is lost: what came of each try,
    the reasons, the events.

    Raises:
        LedgerUnusable: it is whole, and cannot be used for another reason.
    """
    if not path.exists():
        return None
    try:
        connection = _connect(path)
    except LedgerDamaged:
        place = move_aside(path, at)
        for companion in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if companion.exists():
                move_aside(companion, at)
        return place
    connection.close()
    return None


def _says_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or isinstance(error, _CheckFailed)


def _says_full(error: sqlite3.DatabaseError) -> bool:
    """Whether the disk has no room, for the file or for SQLite's index of its log."""
    return getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


def _what_to_do(error: sqlite3.DatabaseError) -> str:
    return "; the disk is full: make room, nothing that was written is lost" if _says_full(error) else ""


class _CheckFailed(sqlite3.DatabaseError):
    """SQLite's own check found the file damaged."""


def _check(connection: sqlite3.Connection) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise _CheckFailed(f"quick_check says: {verdict}")


def _settle(connection: sqlite3.Connection) -> None:
    for name, wanted in _PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {wanted}")
        held = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if held != wanted:
            raise sqlite3.DatabaseError(f"{name} is {held} where {wanted} is needed")


def _steps_left(connection: sqlite3.Connection, path: Path) -> list[tuple[int, str]]:
    """What takes the file to the newest version. Looks only: another program's file stays as it is."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    steps = _steps()
    if owner != APPLICATION_ID and (version > 0 or connection.execute("SELECT 1 FROM sqlite_master").fetchone()):
        raise LedgerUnusable(f"{path} is the database of another program: choose another state_folder")
    if version > len(steps):
        raise LedgerUnusable(
            f"{path} was written by a later version of the program (schema {version}, this one knows {len(steps)}): "
            "install that version, or choose another state_folder"
        )
    return list(enumerate(steps[version:], start=version + 1))


def _migrate(connection: sqlite3.Connection, steps: list[tuple[int, str]]) -> None:
    for number, sql in steps:
        with _transaction(connection, "BEGIN IMMEDIATE"):
            for statement in _statements(sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")


def _steps() -> list[str]:
    """The numbered files, in order; file 0001.sql takes a new database to version 1."""
    scripts = sorted((one for one in files("bridge.storage").joinpath("schema").iterdir()), key=lambda one: one.name)
    return [one.read_text(encoding="utf-8") for one in scripts if one.name.endswith(".sql")]


def _statements(sql: str) -> Iterator[str]:
    """One statement after the other (`executescript` would end the transaction first)."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
