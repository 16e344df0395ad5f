"""Notices that a server is dead or frozen, by asking it for signs of life."""

import asyncio
from collections.abc import Callable
from typing import Final

from drivers.indi.transport import Transport

EVERY_S: Final = 1.0
SILENT_S: Final = 3.0  # with the rhythm above, a frozen server is noticed within 4 s


class Heartbeat:
    """Pings the server on a timer, from now until stopped; calls `silent` once when a ping stays unanswered too long.

    Whatever comes is an answer. Silence counts from a ping on, so a loop that was held up is not the server's fault.
    """

    def __init__(self, transport: Transport, silent: Callable[[str], None]) -> None:
        self._transport = transport
        self._silent = silent
        self._loop = asyncio.get_running_loop()
        self._unanswered_s: float | None = None  # when the first ping went out after the last word
        self._timer = self._loop.call_later(EVERY_S, self._tick)

    def stop(self) -> None:
        self._timer.cancel()

    def _tick(self) -> None:
        now_s = self._loop.time()
        if self._unanswered_s is not None and self._transport.heard_s >= self._unanswered_s:
            self._unanswered_s = None
        if self._unanswered_s is not None and now_s - self._unanswered_s >= SILENT_S:
            self._silent(f"the server has not answered for {now_s - self._transport.heard_s:.1f} s")
            return
        self._transport.ping()
        if self._unanswered_s is None:
            self._unanswered_s = now_s
        self._timer = self._loop.call_later(EVERY_S, self._tick)
