"""A disk under a folder that can fail, fill up, and lose at a power cut what was not synced.

Every call of the programme that changes a file in the folder passes here, SQLite's too (`sqlite_calls.py`). The files
themselves are real: what a killed programme leaves is simply what lies there, since from its death on no call gets
through. What a power cut leaves is put together from what was noted:

- A file holds what it held when it was last synced. Of the later writes none, all, the first few, or any few are
  there, also later ones without earlier ones; the last may be torn at a sector. What is missing is zeros.
- A name (made, changed, taken away) lasts once its folder was synced. Of the later changes the first few are there:
  file systems that keep a journal keep the order of these.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.bridge.sqlite_calls import SQLITE_FULL, SQLITE_IOERR, SQLITE_OK, listened_to

_SECTOR_BYTES = 512
_ENOSPC = 28

Piece = tuple[int, bytes]  # written from there on; with no bytes: cut, or drawn out, to that size


class Died(BaseException):
    """The programme is dead from here on; what it still does does not count."""


@dataclass
class File:
    """What is in a file: `lasting` for certain, and `later` perhaps."""

    lasting: bytearray
    later: list[Piece] = field(default_factory=list)

    def now(self) -> bytes:
        return bytes(_after(self.lasting, self.later))

    def sync(self) -> None:
        self.lasting, self.later = _after(self.lasting, self.later), []

    def left(self, chance: random.Random) -> bytes:
        """What a power cut leaves of it."""
        how = chance.choice(("none", "all", "the first", "any"))
        some = self.later if how == "all" else []
        if how == "the first":
            some = self.later[: chance.randrange(len(self.later) + 1)]
        elif how == "any":
            some = [piece for piece in self.later if chance.random() < 0.5]
        if some and how != "all":
            some = [*some[:-1], _torn(some[-1], chance)]
        return bytes(_after(self.lasting, some))


@dataclass(frozen=True)
class Call:
    """One call: what it does ("write", "sync", "name", …), and to which file."""

    kind: str
    name: str


class Disk:
    """See above. `dies_at` is the number of the call (from 1) before which the programme dies; `fault` gives the error
    number a call fails with, 0 for none. `calls` is every call that was made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[Call] = []
        self.dies_at = 0
        self.dead = False
        self.fault: Callable[[Call], int] = lambda _: 0
        self._files: dict[str, File] = {}
        self._lasting: dict[str, File] = {}
        self._renamings: list[tuple[set[str], Callable[[dict[str, File]], None]]] = []
        self._open: dict[int, tuple[str, int]] = {}

    # --- what happens to it ------------------------------------------------------------------------------------------

    def arise(self) -> None:
        """A new programme begins, on what lies there."""
        self.dead, self.dies_at, self.calls = False, 0, []
        self._open.clear()

    def cut_power(self, chance: random.Random) -> None:
        """To be called with no connection open: what was not synced is lost, or some of it."""
        for _, change in self._renamings[: chance.randrange(len(self._renamings) + 1)]:
            change(self._lasting)
        left = {name: file.left(chance) for name, file in self._lasting.items()}
        self._files = {}
        for path in self._paths():
            path.unlink()
        for name, content in left.items():
            (self.root / name).write_bytes(content)
        self.look()

    @property
    def unsynced(self) -> bool:
        """Whether a power cut could take something."""
        return bool(self._renamings or any(file.later for file in self._files.values()))

    def look(self) -> None:
        """Whatever lies there now was there for long."""
        self._files = {
            self._name(path): File(bytearray(path.read_bytes())) for path in self._paths() if not _passing(path.name)
        }
        self._lasting, self._renamings = dict(self._files), []

    def check(self) -> None:
        """That no call passed beside: what was noted is what lies there."""
        there = {self._name(path): path.read_bytes() for path in self._paths() if not _passing(path.name)}
        assert {name: file.now() for name, file in self._files.items()} == there

    def _paths(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_file()]

    def _name(self, path: Any) -> str:
        return os.path.relpath(path, self.root)

    # --- what the programme does -------------------------------------------------------------------------------------

    def _passes(self, kind: str, name: str) -> int:
        """Whether a call gets through: 0, or the number of its error. Raises Died, outside SQLite."""
        if self.dead:
            return -1
        call = Call(kind, name)
        self.calls.append(call)
        if len(self.calls) == self.dies_at:
            self.dead = True
            return -1
        return self.fault(call)

    def _pass(self, kind: str, name: str) -> None:
        error = self._passes(kind, name)
        if error < 0:
            raise Died
        if error:
            raise OSError(error, os.strerror(error), name)

    def _change_names(self, change: Callable[[dict[str, File]], None], *names: str) -> None:
        """Of `names`: a file that goes from one folder to another is a change in both, and one change."""
        change(self._files)
        self._renamings.append(({os.path.dirname(name) for name in names}, change))

    def _sync_names(self, folder: str) -> None:
        for one in [one for one in self._renamings if folder in one[0]]:
            one[1](self._lasting)
            self._renamings.remove(one)

    def _make(self, name: str) -> None:
        file = File(bytearray())
        self._change_names(lambda names: names.update({name: file}), name)

    # --- its calls to the system -------------------------------------------------------------------------------------

    @contextmanager
    def under(self) -> Iterator["Disk"]:
        """While the block lasts the programme's files in `root` are on this disk."""
        self.look()
        with (
            patch.multiple(
                os,
                open=self._os_open(os.open),
                close=self._os_close(os.close),
                write=self._os_write(os.write),
                ftruncate=self._os_ftruncate(os.ftruncate),
                posix_fallocate=self._os_fallocate(os.posix_fallocate),
                fsync=self._os_fsync(os.fsync),
                rename=self._os_rename(os.rename),
                unlink=self._os_unlink(os.unlink),
            ),
            listened_to(self),
        ):
            yield self

    def _os_open(self, theirs: Callable[..., int]) -> Callable[..., int]:
        def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
            if not str(path).startswith(str(self.root)):
                return theirs(path, flags, *more, **named)
            name = self._name(path)
            new = bool(flags & os.O_CREAT) and name not in self._files
            if new:
                self._pass("make", name)
            descriptor = theirs(path, flags, *more, **named)
            if new:
                self._make(name)
            self._open[descriptor] = (name, 0)
            return descriptor

        return opened

    def _os_close(self, theirs: Callable[[int], None]) -> Callable[[int], None]:
        def closed(descriptor: int) -> None:
            self._open.pop(descriptor, None)
            theirs(descriptor)

        return closed

    def _os_write(self, theirs: Callable[[int, Any], int]) -> Callable[[int, Any], int]:
        def wrote(descriptor: int, content: Any) -> int:
            if descriptor not in self._open:
                return theirs(descriptor, content)
            name, at = self._open[descriptor]
            self._pass("write", name)
            written = theirs(descriptor, content)
            self._files[name].later.append((at, bytes(content[:written])))
            self._open[descriptor] = (name, at + written)
            return written

        return wrote

    def _os_ftruncate(self, theirs: Callable[[int, int], None]) -> Callable[[int, int], None]:
        def cut(descriptor: int, size: int) -> None:
            self._pass("cut", self._open[descriptor][0])
            theirs(descriptor, size)
            self._files[self._open[descriptor][0]].later.append((size, b""))

        return cut

    def _os_fallocate(self, theirs: Callable[[int, int, int], None]) -> Callable[[int, int, int], None]:
        def allocated(descriptor: int, offset: int, size: int) -> None:
            self._pass("allocate", self._open[descriptor][0])
            theirs(descriptor, offset, size)
            file = self._files[self._open[descriptor][0]]
            file.later.append((max(len(file.now()), offset + size), b""))

        return allocated

    def _os_fsync(self, theirs: Callable[[int], None]) -> Callable[[int], None]:
        def synced(descriptor: int) -> None:
            if descriptor not in self._open:
                return theirs(descriptor)
            name = self._open[descriptor][0]
            is_folder = name not in self._files
            self._pass("sync folder" if is_folder else "sync", name)
            if is_folder:
                self._sync_names("" if name == "." else name)
            else:
                self._files[name].sync()
            return None  # the real disk need not do it

        return synced

    def _os_rename(self, theirs: Callable[..., None]) -> Callable[..., None]:
        def renamed(before: Any, after: Any, **named: Any) -> None:
            if not str(before).startswith(str(self.root)):
                return theirs(before, after, **named)
            old, new = self._name(before), self._name(after)
            self._pass("name", new)
            theirs(before, after, **named)

            def change(names: dict[str, File]) -> None:
                if old in names:
                    names[new] = names.pop(old)

            self._change_names(change, old, new)
            return None

        return renamed

    def _os_unlink(self, theirs: Callable[..., None]) -> Callable[..., None]:
        def unlinked(path: Any, **named: Any) -> None:
            name = self._name(path)
            if name not in self._files:
                return theirs(path, **named)
            self._pass("remove", name)
            theirs(path, **named)
            self._change_names(lambda names: names.pop(name, None) and None, name)
            return None

        return unlinked

    # --- SQLite's ----------------------------------------------------------------------------------------------------

    def _to_sqlite(self, kind: str, path: str) -> int:
        if not path.startswith(str(self.root)):
            return SQLITE_OK
        error = self._passes(kind, self._name(path))
        if not error:
            return SQLITE_OK
        return SQLITE_FULL if error == _ENOSPC else SQLITE_IOERR

    def opening(self, path: str) -> int:
        name = self._name(path)
        if not path.startswith(str(self.root)) or name in self._files:
            return SQLITE_OK
        told = self._to_sqlite("make", path)
        if told == SQLITE_OK:
            self._make(name)
        return told

    def writing(self, path: str, offset: int, content: bytes) -> int:
        told = self._to_sqlite("write", path)
        if told == SQLITE_OK:
            self._files[self._name(path)].later.append((offset, content))
        return told

    def cutting(self, path: str, size: int) -> int:
        told = self._to_sqlite("cut", path)
        if told == SQLITE_OK:
            self._files[self._name(path)].later.append((size, b""))
        return told

    def syncing(self, path: str, *, folder_too: bool) -> int:
        told = self._to_sqlite("sync", path)
        if told == SQLITE_OK:
            self._files[self._name(path)].sync()
            if folder_too:
                self._sync_names(os.path.dirname(self._name(path)))
        return told

    def deleting(self, path: str, *, folder_too: bool) -> int:
        name = self._name(path)
        if name not in self._files:
            return SQLITE_OK
        told = self._to_sqlite("remove", path)
        if told == SQLITE_OK:
            self._change_names(lambda names: names.pop(name, None) and None, name)
            if folder_too:
                self._sync_names(os.path.dirname(name))
        return told


def _passing(file_name: str) -> bool:
    """Whether a file is made anew by each programme: SQLite's index of its log, and the lock."""
    return file_name.endswith(("-shm", ".lock"))


def _after(content: bytes | bytearray, pieces: list[Piece]) -> bytearray:
    content = bytearray(content)
    for at, piece in pieces:
        if not piece:
            del content[at:]
        content += bytes(max(0, at - len(content)))
        content[at : at + len(piece)] = piece
    return content


def _torn(piece: Piece, chance: random.Random) -> Piece:
    """As much of it as reached the disk: whole sectors."""
    at, content = piece
    sectors = len(content) // _SECTOR_BYTES
    kept = content[: _SECTOR_BYTES * chance.randrange(sectors + 1)] if sectors else content
    return (at, kept) if kept else (at, content[:1])
