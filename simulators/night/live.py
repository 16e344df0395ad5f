"""What a simulated night looks like while it runs: a bar for the time, and what has come so far."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

# What an event of the log means to somebody who watches; its own facts, and the target's name.
_SAID = {
    "NightBegan": "waiting for it to be safe to open",
    "SafetyChanged": "safe: {safe}  {why}",
    "RoofOpened": "the dome is open",
    "PlanMade": "{placed} observations planned, {dropped} left out",
    "SlewStarted": "slewing to {target}, {altitude_deg:.0f}° high",
    "SlewFinished": "waiting for {target}",
    "ExposureStarted": "exposing {target}, frame {number} of {of}",
    "MountParked": "the mount is parked",
    "RoofClosed": "the dome is closed",
    "NightEnded": "the night is over; delivering",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is to be seen of the night at one moment."""

    now: datetime
    tasks: Sequence[Mapping[str, Any]]
    log: Sequence[Mapping[str, Any]]


class LiveView:
    """Draws the night on a terminal; on anything else, says a line every so often."""

    def __init__(self, console: Console, *, begins: datetime, ends: datetime) -> None:
        self._console = console
        self._begins = begins
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=40), TaskProgressColumn(), TimeRemainingColumn()
        )
        self._night = self._bar.add_task("waiting", total=(ends - begins).total_seconds())
        self._live = Live(console=console, refresh_per_second=4, transient=False)
        self._said_tenth = -1

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, glance: Glance) -> None:
        """Draw what has come so far."""
        passed_s = max(0.0, (glance.now - self._begins).total_seconds())
        self._bar.update(self._night, completed=passed_s, description=f"{glance.now:%H:%M:%S} UTC")
        words = _words(glance)
        if self._console.is_terminal:
            self._live.update(Group(self._bar, Text(words), Text(doing(glance), style="cyan")))
            return
        total_s = self._bar.tasks[0].total or 1.0
        tenth = int(10.0 * passed_s / total_s)
        if tenth > self._said_tenth:
            self._said_tenth = tenth
            # whatever width the console takes a file for, a line is a line
            self._console.print(Text(f"{glance.now:%H:%M:%S} UTC  {words}"), soft_wrap=True)


def _words(glance: Glance) -> str:
    statuses = Counter(str(task["status"]) for task in glance.tasks)
    images = Counter(str(upload["status"]) for task in glance.tasks for upload in task["uploads"])
    tasks = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    frames = ", ".join(f"{count} {status.lower()}" for status, count in sorted(images.items()))
    return f"tasks: {tasks or 'none yet'}   frames: {frames or 'none yet'}"


def doing(glance: Glance) -> str:
    """What the station is at, by the last entry of its log that says; nothing where none does."""
    names = {str(task["id"]): str(task["name"]) for task in glance.tasks}
    for entry in reversed(glance.log):
        said = _SAID.get(str(entry.get("event")))
        if said is not None:
            return said.format_map({"target": names.get(str(entry.get("task_id")), "a target"), **entry})
    return ""
