"""An event loop on which time runs faster, or jumps.

Timers, sleeps, timeouts and retries all ask the loop for the time, so they all agree; nothing under test is changed.
Used by tests, and by rehearsals: the real programme against simulators, a night in minutes.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, cast

from anyio.to_thread import current_default_thread_limiter

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

# While threads work, a jumping loop waits for them in real time, in steps of this length.
_THREAD_STEP_S = 0.02


class TimelapseLoop(asyncio.SelectorEventLoop):
    """With a `rate`, timers run that many times faster than life. Without, time stands still while anything can run and
    jumps to the next timer when all tasks wait; it does not jump while a thread of `run_in_executor` or anyio works.

    Sockets of other processes are not waited for when time jumps: use a rate there.
    """

    def __init__(self, rate: float | None = None) -> None:
        self._rate = rate
        self._began_s = time.monotonic()
        self._jumped_s = 0.0
        self._threads_busy = 0
        super().__init__(_TimelapseSelector(self))
        if rate is not None and not rate > 0.0:
            self.close()
            raise ValueError(f"a rate of {rate} is not above 0")

    def time(self) -> float:
        """Seconds of bent time since the loop was made."""
        if self._rate is None:
            return self._jumped_s
        return (time.monotonic() - self._began_s) * self._rate

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        future = cast("asyncio.Future[_T]", super().run_in_executor(executor, cast("Any", func), *args))
        self._threads_busy += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: asyncio.Future[Any]) -> None:
        self._threads_busy -= 1

    def select(self, inner: selectors.BaseSelector, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait `timeout` seconds of bent time, or less if something happens."""
        if self._rate is not None:
            return inner.select(None if timeout is None else timeout / self._rate)
        if timeout is None or self._threads_busy or current_default_thread_limiter().borrowed_tokens:
            return inner.select(timeout if timeout is None else min(timeout, _THREAD_STEP_S))
        ready = inner.select(0)
        if not ready:
            self._jumped_s += timeout
        return ready


class _TimelapseSelector(selectors.BaseSelector):
    """The system's selector, waiting as its loop says."""

    def __init__(self, loop: TimelapseLoop) -> None:
        self._loop = loop
        self._inner = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._loop.select(self._inner, timeout)

    def close(self) -> None:
        self._inner.close()

    def get_map(self) -> Any:
        return self._inner.get_map()
