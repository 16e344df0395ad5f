"""The lives of a bridge in a night that is hard on it: signals at their instants, and a new start after each end."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from simulators.misfortunes import KillOrder
from simulators.night.children import Child, ChildFailed

# As a service manager does: a moment of life before the next start, and not without end.
_RESTARTS_AFTER_S = 0.5
_STARTS_AT_MOST = 500
# After the night a bridge that failed gets so many more chances to deliver what is left.
_MORE_CHANCES = 3


class Clock(Protocol):
    """Tells the simulated time of day."""

    def now(self) -> datetime: ...


@dataclass(slots=True)
class Life:
    """From when to when a bridge ran. `code` is its exit code; None while it runs, and where it was only stopped."""

    began: datetime
    ended: datetime | None = None
    code: int | None = None

    def written(self) -> dict[str, Any]:
        return {
            "began": self.began.isoformat(),
            "ended": None if self.ended is None else self.ended.isoformat(),
            "code": self.code,
        }


@dataclass(slots=True, kw_only=True)
class Lives:
    """Starts the bridge, kills it as ordered, and starts it again until the night is over.

    `start` starts a bridge with these variables added to its environment.
    """

    start: Callable[[dict[str, str]], Child]
    kills: Sequence[KillOrder]
    clock: Clock
    begins: datetime
    ends: datetime
    lived: list[Life] = field(default_factory=list, init=False)
    fired: list[int] = field(init=False)
    _bridge: Child | None = field(default=None, init=False)
    _armed: int | None = field(default=None, init=False)
    _goes_on_at: datetime | None = field(default=None, init=False)
    _starts_at_s: float = field(default=0.0, init=False)
    _failed_after_end: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.fired = [0] * len(self.kills)

    def look(self) -> int | None:
        """Do what is due now. The last exit code when all is over, else None.

        Raises:
            ChildFailed: it was started so often that something else is wrong.
        """
        bridge = self._bridge
        if bridge is None:
            if time.monotonic() >= self._starts_at_s:
                self._start()
            return None
        code = bridge.exit_code
        if code is None:
            self._signal(bridge)
            return None
        return self._ended(bridge, code)

    def last_words(self) -> str:
        """Of the bridge that runs, or ran last."""
        return "" if self._bridge is None else self._bridge.last_words()

    def stop(self) -> None:
        """End what runs."""
        if self._bridge is not None:
            if self._goes_on_at is not None:
                os.kill(self._bridge.process_id, signal.SIGCONT)
            self._bridge.stop(within_s=95.0)

    def _start(self) -> None:
        if len(self.lived) >= _STARTS_AT_MOST:
            raise ChildFailed(f"the bridge was started {_STARTS_AT_MOST} times: {self.last_words()}")
        now = self.clock.now()
        waiting = (
            number
            for number, order in enumerate(self.kills)
            if order.crash_point is not None and not self.fired[number] and order.due_at(self.begins) <= now
        )
        self._armed = next(waiting, None)
        environment = {}
        if self._armed is not None:
            order = self.kills[self._armed]
            environment["NIGHTBRIDGE_REHEARSAL__DIES_AT"] = str(order.crash_point)
            environment["NIGHTBRIDGE_REHEARSAL__DIES_AT_PASS"] = str(order.at_pass)
        self._bridge = self.start(environment)
        self.lived.append(Life(began=now))

    def _signal(self, bridge: Child) -> None:
        """Send the first signal that is due; one that is stopped gets none but to go on."""
        now = self.clock.now()
        if self._goes_on_at is not None:
            if now >= self._goes_on_at:
                os.kill(bridge.process_id, signal.SIGCONT)
                self._goes_on_at = None
                self.lived.append(Life(began=now))
            return
        for number, order in enumerate(self.kills):
            if self.fired[number] or order.due_at(self.begins) > now:
                continue
            if order.crash_point is None:
                self.fired[number] = 1
                os.kill(bridge.process_id, signal.Signals[f"SIG{order.signal}"])
                if order.signal == "STOP":
                    self._goes_on_at = now + timedelta(seconds=order.for_s)
                    self.lived[-1].ended = now
                return
            if self._armed is None:
                os.kill(bridge.process_id, signal.SIGKILL)  # the next one dies there
                return

    def _ended(self, bridge: Child, code: int) -> int | None:
        now = self.clock.now()
        self.lived[-1].ended, self.lived[-1].code = now, code
        if self._armed is not None and code == -signal.SIGKILL:
            self.fired[self._armed] = 1
        bridge.stop(within_s=0.0)  # it has ended: its pipe is closed
        if now >= self.ends:
            self._failed_after_end += code != 0
            if code == 0 or self._failed_after_end > _MORE_CHANCES:
                return code
        self._bridge = None
        self._starts_at_s = time.monotonic() + _RESTARTS_AFTER_S
        return None
