"""The log: one event, one line. JSON into a file, and words for whoever watches."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict

from bridge.events import Event, Subscription
from drivers.threads import Worker

# Two of these are all that the log ever takes.
LARGEST_BYTES = 50_000_000


class LogBook:
    """Writes what a subscription brings. A disk that fails costs lines, which are counted, and never the night.

    A file that has become large is put by under its name and ".1", in place of the one before it.
    """

    def __init__(self, file: Path, console: TextIO | None = None) -> None:
        """`console` gets the lines for people; None: nobody watches."""
        self._file = file
        self._console = console
        self._json = structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)
        colours = console is not None and console.isatty()
        self._words = structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False, pad_event_to=18)
        self._lost_lines = 0

    async def keep(self, subscription: Subscription) -> None:
        """Write until the subscription is closed and read out."""
        worker = Worker("log")
        try:
            dropped = 0
            while events := await subscription.batch():
                self._lost_lines += subscription.dropped - dropped
                dropped = subscription.dropped
                await worker.call(self._write, events)
        finally:
            worker.close()

    def _write(self, events: Sequence[Event]) -> None:
        lines = [str(self._json(None, event.level, _facts_of(event))) for event in events]
        if self._lost_lines:
            lost = {"at": lines_time(events[0]), "level": "warning", "event": "LinesLost", "count": self._lost_lines}
            lines.insert(0, str(self._json(None, "warning", lost)))
        try:
            self._append("".join(f"{line}\n" for line in lines))
            self._lost_lines = 0
        except OSError:
            self._lost_lines += len(events)
        if self._console is not None:
            self._show(self._console, events)

    def _show(self, console: TextIO, events: Sequence[Event]) -> None:
        """Until nobody watches any more: the terminal was closed, or what read the lines has ended."""
        try:
            for event in events:
                print(self._words(None, event.level, _words_of(event)), file=console, flush=True)
        except OSError:
            self._console = None

    def _append(self, text: str) -> None:
        if self._file.exists() and self._file.stat().st_size > LARGEST_BYTES:
            self._file.replace(self._file.with_name(f"{self._file.name}.1"))
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)


def lines_time(event: Event) -> str:
    """The instant of an event as the log spells it."""
    return event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _facts_of(event: Event) -> EventDict:
    return {"at": lines_time(event), "level": str(event.level), "event": type(event).__name__, **event.facts()}


def _words_of(event: Event) -> EventDict:
    facts = {name: _visible(value) for name, value in event.facts().items() if value != ""}
    return {
        "timestamp": event.at.strftime("%H:%M:%S"),
        "level": str(event.level),
        "event": type(event).__name__,
        **facts,
    }


def _visible(value: object) -> object:
    """Four figures of a number, and nothing of what a name from outside could do to a terminal."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in value)
