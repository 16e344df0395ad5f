"""What the bridge's log says while it is written: read on from where one stopped, not from the beginning."""

import re
from pathlib import Path

_EVENT = re.compile(rb'"event": ?"(\w+)"')


class LogTail:
    """The events of a log since `skip`, by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at_bytes = 0
        self._names: list[str] = []

    @property
    def last(self) -> str:
        """The last event that was read; empty where there was none since `skip`."""
        return self._names[-1] if self._names else ""

    def skip(self) -> None:
        """Only what is written from now on counts."""
        self.read()
        self._names.clear()

    def said(self, name: str) -> bool:
        """Whether an event of this name was written since `skip`."""
        self.read()
        return name in self._names

    def read(self) -> None:
        """Take in the lines that are whole by now."""
        if not self._path.exists():
            return
        with self._path.open("rb") as log:
            log.seek(self._at_bytes)
            whole, newline, _ = log.read().rpartition(b"\n")
        self._at_bytes += len(whole) + len(newline)
        self._names += [name.decode() for name in _EVENT.findall(whole)]
