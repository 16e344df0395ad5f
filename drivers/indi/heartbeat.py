"""Notices that a server is dead or frozen, by asking it for signs of life."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from drivers.indi.transport import Transport

EVERY_S: Final = 1.0
SILENT_S: Final = 3.0  # with the rhythm above, a frozen server is noticed within 4 s
# On bent time, where those seconds are milliseconds, the server still is a process that needs its turn.
LEAST_REAL_S = 0.5


class Heartbeat:
    """Pings the server on a timer, from now until stopped; calls `silent` once when a ping stays unanswered too long.

    Whatever comes is an answer. Silence counts from a ping on, so a loop that was held up is not the server's fault.
    """

    def __init__(self, transport: Transport, silent: Callable[[str], None]) -> None:
        self._transport = transport
        self._silent = silent
        self._loop = asyncio.get_running_loop()
        self._pinged_s: float | None = None  # when the first ping went out after the last word
        self._pinged_real_s = 0.0
        self._timer = self._loop.call_later(EVERY_S, self._tick)

    def stop(self) -> None:
        self._timer.cancel()

    def _tick(self) -> None:
        now_s, now_real_s = self._loop.time(), time.monotonic()
        if self._pinged_s is None or self._transport.heard_s >= self._pinged_s:
            self._pinged_s, self._pinged_real_s = now_s, now_real_s
        elif now_s - self._pinged_s >= SILENT_S and now_real_s - self._pinged_real_s >= LEAST_REAL_S:
            self._silent(f"the server has not answered for {now_s - self._transport.heard_s:.1f} s")
            return
        self._transport.ping()
        self._timer = self._loop.call_later(EVERY_S, self._tick)
