"""What SQLite does to its files, call by call: a file system of its own between SQLite and the system's.

SQLite takes its file system from a table of functions (`sqlite3_vfs`, https://sqlite.org/vfs.html). The one here is
SQLite's own, but for opening and deleting, writing, cutting and syncing a file, which a `Listener` hears of first and
may refuse. The structures are those of sqlite3.h; SQLite only ever adds to their ends.
"""

import _sqlite3
import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

SQLITE_OK, SQLITE_IOERR, SQLITE_FULL = 0, 10, 13
_LOGS = 0x00080800  # SQLITE_OPEN_WAL, SQLITE_OPEN_MAIN_JOURNAL
_CREATE = 0x00000004  # SQLITE_OPEN_CREATE

_POINTER, _INT, _INT64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_OPEN = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _POINTER, _INT, ctypes.POINTER(_INT))
_DELETE = ctypes.CFUNCTYPE(_INT, _POINTER, ctypes.c_char_p, _INT)
_WRITE = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT, _INT64)
_TRUNCATE = ctypes.CFUNCTYPE(_INT, _POINTER, _INT64)
_SYNC = ctypes.CFUNCTYPE(_INT, _POINTER, _INT)


class Listener(Protocol):
    """Hears of each call before it is made. What it gives back, unless SQLITE_OK, is what SQLite is told instead."""

    def opening(self, path: str) -> int: ...
    def writing(self, path: str, offset: int, content: bytes) -> int: ...
    def cutting(self, path: str, size: int) -> int: ...
    def syncing(self, path: str, *, folder_too: bool) -> int: ...
    def deleting(self, path: str, *, folder_too: bool) -> int: ...


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", _INT),
        ("file_bytes", _INT),
        ("path_bytes", _INT),
        ("next", _POINTER),
        ("name", ctypes.c_char_p),
        ("app", _POINTER),
        ("open", _POINTER),
        ("delete", _POINTER),
        ("rest", _POINTER * 13),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", _INT),
        ("close", _POINTER),
        ("read", _POINTER),
        ("write", _POINTER),
        ("truncate", _POINTER),
        ("sync", _POINTER),
        ("rest", _POINTER * 13),
    )


class _Calls:
    """The table, and what must stay alive as long as SQLite may call."""

    def __init__(self, library: ctypes.CDLL, listener: Listener) -> None:
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        self._theirs = library.sqlite3_vfs_find(None)
        self._listener = listener
        self._paths: dict[int, str] = {}
        self._new_logs: set[str] = set()
        self._open = _OPEN(self._theirs.contents.open)
        self._delete = _DELETE(self._theirs.contents.delete)
        self._methods: dict[int, _Methods] = {}
        self.ours = _Vfs.from_buffer_copy(self._theirs.contents)
        self.ours.name = b"listened to"
        self._kept: list[Any] = [_OPEN(self._opening), _DELETE(self._deleting)]
        self.ours.open, self.ours.delete = (ctypes.cast(one, _POINTER) for one in self._kept)

    def _opening(self, _vfs: int, path: int | None, file: int, flags: int, flags_out: Any) -> int:
        name = "" if path is None else ctypes.string_at(path).decode()
        told = self._listener.opening(name)
        if told != SQLITE_OK:
            ctypes.cast(file, ctypes.POINTER(_POINTER))[0] = None
            return told
        result = self._open(ctypes.cast(self._theirs, _POINTER), path, file, flags, flags_out)
        if result == SQLITE_OK:
            self._paths[file] = name
            if flags & _LOGS and flags & _CREATE:  # each opening's first sync makes its name last, whoever made it
                self._new_logs.add(name)
            table = ctypes.cast(file, ctypes.POINTER(_POINTER))
            table[0] = ctypes.addressof(self._listened_to(table[0]))
        return result

    def _listened_to(self, theirs_at: int) -> _Methods:
        if theirs_at not in self._methods:
            theirs = _Methods.from_address(theirs_at)
            write, truncate, sync = _WRITE(theirs.write), _TRUNCATE(theirs.truncate), _SYNC(theirs.sync)
            paths, listener = self._paths, self._listener

            def writing(file: int, content: int, size: int, offset: int) -> int:
                told = listener.writing(paths[file], offset, ctypes.string_at(content, size))
                return told or int(write(file, content, size, offset))

            def cutting(file: int, size: int) -> int:
                return listener.cutting(paths[file], size) or int(truncate(file, size))

            def syncing(file: int, flags: int) -> int:
                path = paths[file]
                told = listener.syncing(path, folder_too=path in self._new_logs)
                self._new_logs.discard(path)
                return told or int(sync(file, flags))

            kept = [_WRITE(writing), _TRUNCATE(cutting), _SYNC(syncing)]
            ours = _Methods.from_buffer_copy(theirs)
            ours.write, ours.truncate, ours.sync = (ctypes.cast(one, _POINTER) for one in kept)
            self._kept += kept
            self._methods[theirs_at] = ours
        return self._methods[theirs_at]

    def _deleting(self, _vfs: int, path: bytes, folder_too: int) -> int:
        told = self._listener.deleting(path.decode(), folder_too=bool(folder_too))
        return told or int(self._delete(ctypes.cast(self._theirs, _POINTER), path, folder_too))


@contextmanager
def listened_to(listener: Listener) -> Iterator[None]:
    """While the block lasts every connection that is opened tells `listener`. All must be closed before it ends."""
    library = ctypes.CDLL(_sqlite3.__file__)  # and what it is linked to
    calls = _Calls(library, listener)
    library.sqlite3_vfs_register(ctypes.byref(calls.ours), 1)
    try:
        yield
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(calls.ours))
