"""What can happen in a night, each said once; and the telemetry that carries it to whoever listens."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

import anyio


class Level(StrEnum):
    """How loud an event is. ERROR is for faults only: a night without errors is a good night."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened `at` this instant."""

    level: ClassVar[Level] = Level.INFO
    at: datetime

    def facts(self) -> dict[str, str | int | float | bool]:
        """Everything but the instant, in the order of the fields; instants as ISO 8601."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "at"}
        return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> str | int | float | bool:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value if isinstance(value, int | float) else str(value)


# --- the night -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NightBegan(Event):
    dark_from: datetime
    dark_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NightEnded(Event):
    """`why`: "dawn", "told to stop", "unsafe"."""

    why: str
    captured: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMade(Event):
    """`leave_at` is when the first slew begins; the moment of planning where nothing is placed."""

    placed: int
    dropped: int
    leave_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyChanged(Event):
    safe: bool
    why: str


# --- tasks -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAccepted(Event):
    task_id: str
    target: str
    source: str
    opens: datetime
    closes: datetime
    priority: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanged(Event):
    """The window, the priority, the target's elements or the like are others than before."""

    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRefused(Event):
    """A task that cannot be taken as it is; the others are."""

    level: ClassVar[Level] = Level.WARNING
    task_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAdvanced(Event):
    task_id: str
    from_state: str
    to_state: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReported(Event):
    """The platform holds the task as `status` now."""

    task_id: str
    status: str


# --- the telescope ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SlewStarted(Event):
    """`task_id` is empty for a slew that serves no task."""

    task_id: str
    altitude_deg: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlewFinished(Event):
    """`off_by_arcsec` is between the command and the mount's own word."""

    task_id: str
    took_s: float
    off_by_arcsec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureStarted(Event):
    """Exposure `number` (from 1) of `of`."""

    task_id: str
    number: int
    of: int
    exposure_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTaken(Event):
    """The camera gave frame `number` (from 1) of `of`."""

    task_id: str
    number: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed(Event):
    """How far the mount's own readings were from the target while frame `number` was exposed, by this way."""

    task_id: str
    number: int
    way: str
    rms_arcsec: float
    worst_arcsec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFollowed(Event):
    """The target is not followed this way here; the next one is tried, and leapfrog in the end."""

    task_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameKept(Event):
    """The frame is on disk, durable, and on its way."""

    task_id: str
    frame_id: str
    file_name: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoofOpened(Event):
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoofClosed(Event):
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MountParked(Event):
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFault(Event):
    level: ClassVar[Level] = Level.ERROR
    device: str
    doing: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecovered(Event):
    device: str
    after_s: float


# --- the platform ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAway(Event):
    """Said once when the API falls silent; the night goes on with what is known."""

    level: ClassVar[Level] = Level.WARNING
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiBack(Event):
    away_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesRemoved(Event):
    """Files of frames that the platform has, and is done with, were removed from the disk."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTrouble(Event):
    """The API refuses or answers nonsense. Said once per `doing` until it goes well again."""

    level: ClassVar[Level] = Level.ERROR
    doing: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTroubleOver(Event):
    doing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StationNote(Event):
    """Something about the station that a person should see and mend; said once while it lasts."""

    level: ClassVar[Level] = Level.WARNING
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepped(Event):
    """The computer's clock was set, forward where `by_s` is positive."""

    level: ClassVar[Level] = Level.WARNING
    by_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldToStop(Event):
    """The programme is told to end. `again`: it was before, and is about it; nothing is cut short by that."""

    signal: str
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameDelivered(Event):
    """The platform has the file. `tries` counts the sendings."""

    task_id: str
    frame_id: str
    upload_id: str
    bytes: int
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameProcessed(Event):
    """The platform is done with the picture. `status` "COMPLETED" or "FAILED"; `detail` is its own word for why."""

    task_id: str
    frame_id: str
    status: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySetAside(Event):
    """A frame or a report that the platform will not take: it stays on disk and waits for a person."""

    level: ClassVar[Level] = Level.ERROR
    task_id: str
    subject: str
    why: str


# --- who listens -----------------------------------------------------------------------------------------------------


class Subscription:
    """One listener's own queue. When it is full the newest event is dropped, and counted."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._queue: deque[Event] = deque()
        self._rung = anyio.Event()
        self.closed = False
        self.dropped = 0

    def offer(self, event: Event) -> None:
        """Queue `event`, or count it as dropped; never waits, never fails."""
        if self.closed or len(self._queue) >= self._capacity:
            self.dropped += 1
            return
        self._queue.append(event)
        self._rung.set()

    def close(self) -> None:
        """Nothing more is queued; what is queued is still given out, then the iteration ends."""
        self.closed = True
        self._rung.set()

    async def batch(self) -> list[Event]:
        """All that is queued, at least one event; an empty list once closed and read out."""
        while not self._queue and not self.closed:
            self._rung = anyio.Event()
            await self._rung.wait()
        events = list(self._queue)
        self._queue.clear()
        return events

    async def __aiter__(self) -> AsyncIterator[Event]:
        while events := await self.batch():
            for event in events:
                yield event


class Telemetry:
    """Carries events from where they happen to all who listen, each at its own pace. For one thread: the loop's."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def subscribe(self, *, capacity: int = 10_000) -> Subscription:
        """A queue that gets every event from now on."""
        subscription = Subscription(capacity)
        self._subscriptions = [*(one for one in self._subscriptions if not one.closed), subscription]
        return subscription

    def publish(self, event: Event) -> None:
        """Tell everyone. Never waits and never fails."""
        for subscription in self._subscriptions:
            subscription.offer(event)

    def close(self) -> None:
        """The last event has been published: listeners read out their queues and end."""
        for subscription in self._subscriptions:
            subscription.close()
