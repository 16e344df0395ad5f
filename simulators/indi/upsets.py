"""What an INDI server must be expected to do to a night: hang, die, and come back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from threading import Event, Thread
from types import TracebackType
from typing import Self

from simulators.clock import SimulatedClock
from simulators.indi.server import IndiServer

# Long enough to be noticed and to cost a frame, short enough for the night to go on: half a minute of the sky.
_GONE_FOR_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upset:
    """One of them: frozen, or killed and started again."""

    what: str
    at: datetime
    until: datetime


class Upsets:
    """Freezes the server, and kills it with all its drivers, by turns, every so often until leaving the block.

    A frozen server keeps its connections and says nothing; its drivers go on. One that was killed comes back with
    drivers that know nothing: the mount is where it parks. Leave the server's block with this one: what was started
    here ends with it.
    """

    def __init__(self, server: IndiServer, clock: SimulatedClock, *, first_at: datetime, every_s: float) -> None:
        self._server = server
        self._clock = clock
        self._at = first_at
        self._every = timedelta(seconds=every_s)
        self._ended = Event()
        self._thread = Thread(target=self._upset, name="upsets")
        self.done: list[Upset] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _upset(self) -> None:
        for what in cycle(("frozen", "killed")):
            if not self._slept_until(self._at):
                return
            begins = self._clock.now()
            self._begin(what)
            self._slept_until(begins + timedelta(seconds=_GONE_FOR_S))
            self._end(what)
            self.done.append(Upset(what=what, at=begins, until=self._clock.now()))
            self._at += self._every

    def _begin(self, what: str) -> None:
        if what == "frozen":
            self._server.freeze()
        else:
            self._server.kill()

    def _end(self, what: str) -> None:
        """Also when the block is left in between."""
        if what == "frozen":
            self._server.thaw()
        else:
            self._server.start()

    def _slept_until(self, at: datetime) -> bool:
        """False where it is over before."""
        left_s = self._clock.real_s((at - self._clock.now()).total_seconds())
        return not self._ended.wait(max(left_s, 0.0))
