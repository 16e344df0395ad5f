"""What an INDI server is sent: its clients' commands, read off the wire on their way to it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

_COMMAND = re.compile(rb"<(new\w+Vector)\b.*?</\1\s*>", re.DOTALL)
# A client's words are short; what goes on for longer without a command in it is none.
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A property of a device was asked to be so; `values` by element, as they were written."""

    at: datetime
    connection: int
    device: str
    name: str
    values: dict[str, str]


class Overheard:
    """Listens to the clients of a server, byte by byte as they come. `commands` is every whole one, in order."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._begun: dict[int, bytes] = {}
        self.commands: list[Command] = []

    def hear(self, connection: int, sent: bytes) -> None:
        """What cannot be read as XML is no command: the server will not take it for one either."""
        heard = self._begun.get(connection, b"") + sent
        end = 0
        for found in _COMMAND.finditer(heard):
            end = found.end()
            try:
                vector = ElementTree.fromstring(found[0])  # noqa: S314 (our own bridge's words, no entities pass a vector)
            except ElementTree.ParseError:
                continue
            self.commands.append(
                Command(
                    at=self._now(),
                    connection=connection,
                    device=vector.get("device", ""),
                    name=vector.get("name", ""),
                    values={one.get("name", ""): (one.text or "").strip() for one in vector},
                )
            )
        self._begun[connection] = heard[end:][-_MOST_BYTES:]
