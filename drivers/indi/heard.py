"""What has been heard of one device: its properties as they are now, its words, and who waits to hear more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import anyio

from drivers.errors import ConnectionLost
from drivers.indi.properties import Blob, Defined, Deleted, Event, Kind, Said, Updated, Vector
from drivers.wording import one_line

MOST_PROPERTIES: Final = 4096  # of one device, ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A property, when it was heard of last (loop time), and how often it was."""

    vector: Vector
    heard_s: float
    count: int


@dataclass(slots=True, eq=False)
class _Watch:
    """Somebody who waits until `satisfied` by what is heard of `prop`: as it is then, and whether described anew."""

    prop: str
    satisfied: Callable[[Vector, bool], bool]
    over: anyio.Event


class Heard:
    """Takes what comes of the device `device`; `name` is what it is called in messages.

    It is bounded whatever comes: one state a property, one BLOB a property. `expected_on` says that the device was
    connected: when it is not any more, or its driver is gone, all that was known of it is void and it counts as lost.
    """

    def __init__(self, name: str, device: str) -> None:
        self.name = name
        self.device = device
        self.words = ""  # the driver's last
        self.expected_on = False
        self.kept: dict[str, Kept] = {}
        self.blobs: dict[str, tuple[int, Blob]] = {}  # the newest of each property with its count, until it is taken
        self._counts: dict[str, int] = {}  # never go back, not even where a property was deleted in between
        self._watches: set[_Watch] = set()
        self._lost_because: str | None = None

    def hear(self, event: Event) -> None:
        """Take what comes from the server; of other devices too."""
        match event:
            case Defined(vector=Vector(device=device)) | Updated(device=device) if device == self.device:
                self._take_in(event)
            case Deleted(device=device, name=name) if device == self.device:
                self._forget(name)
            case Said(device=device, message=message) if device == self.device:
                self.words = one_line(message)

    def lose(self, why: str) -> None:
        """From now on whatever needs the device is ConnectionLost, and who waits need not wait."""
        if self._lost_because is None:
            self._lost_because = one_line(why)
            for watch in self._watches:
                watch.over.set()

    def require_connected(self, doing: str) -> None:
        if self._lost_because is not None:
            raise ConnectionLost(self.name, doing, self._lost_because)

    @contextmanager
    def watching(
        self, prop: str, satisfied: Callable[[Vector, bool], bool], over: anyio.Event | None = None
    ) -> Iterator[anyio.Event]:
        """The event (or `over`) that is set when what is heard of `prop` satisfies, or when the device is lost."""
        self.require_connected(f"wait for {prop}")
        watch = _Watch(prop, satisfied, over or anyio.Event())
        self._watches.add(watch)
        try:
            yield watch.over
        finally:
            self._watches.discard(watch)

    def _take_in(self, event: Defined | Updated) -> None:
        if event.message:
            self.words = one_line(event.message)
        vector = event.vector if isinstance(event, Defined) else self._changed(event)
        if vector is None or (vector.name not in self._counts and len(self._counts) >= MOST_PROPERTIES):
            return
        count = self._counts[vector.name] = self._counts.get(vector.name, 0) + 1
        self.kept[vector.name] = Kept(vector=vector, heard_s=anyio.current_time(), count=count)
        for blob in event.values.values() if isinstance(event, Updated) else ():
            if isinstance(blob, Blob):
                self.blobs[vector.name] = (count, blob)
        self._look_whether_on()
        for watch in self._watches:
            if watch.prop == vector.name and watch.satisfied(vector, isinstance(event, Defined)):
                watch.over.set()

    def _changed(self, event: Updated) -> Vector | None:
        """The property with what was told of it; only elements that were defined count. None where it is not known."""
        kept = self.kept.get(event.name)
        if kept is None or kept.vector.kind is not event.kind:
            return None
        vector = kept.vector
        told = {} if event.kind is Kind.BLOB else {k: v for k, v in event.values.items() if k in vector.values}
        return replace(
            vector,
            state=event.state or vector.state,
            values={**vector.values, **told},
            limits={**vector.limits, **event.limits} if event.limits else vector.limits,
        )

    def _forget(self, name: str | None) -> None:
        if name is None:
            self.kept.clear()
        else:
            self.kept.pop(name, None)
        self._look_whether_on()

    def _look_whether_on(self) -> None:
        kept = self.kept.get("CONNECTION")
        if self.expected_on and (kept is None or kept.vector.values.get("CONNECT") is not True):
            self.lose(f"its driver was restarted, or disconnected from it{self.last_words()}")

    def last_words(self) -> str:
        """For the end of a message."""
        return f" (the driver's last words: {self.words})" if self.words else ""
