"""Blocking calls, one thread per owner: calls are made in order and never abandoned."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

import anyio
import anyio.lowlevel

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Worker:
    """One thread that makes one blocking call at a time, in the order they were asked for.

    A cancelled caller waits until its own call has returned (each call has a deadline of its own, in seconds) and is
    cancelled then: so no call is ever under way that nobody knows of.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def call(self, function: Callable[[*_Ts], _T], *args: *_Ts) -> _T:
        """What `function(*args)` returns or raises."""
        loop = asyncio.get_running_loop()
        with anyio.CancelScope(shield=True):
            result = await loop.run_in_executor(self._executor, function, *args)
        await anyio.lowlevel.checkpoint_if_cancelled()
        return result

    async def call_with_stop(self, stop: Callable[[], None], function: Callable[[*_Ts], _T], *args: *_Ts) -> _T:
        """As `call`, for what takes long: when the caller is cancelled, `stop()` must make the call end early.

        `stop` runs in the caller's thread, possibly before the call has begun.
        """
        loop = asyncio.get_running_loop()
        under_way = loop.run_in_executor(self._executor, function, *args)
        try:
            return await asyncio.shield(under_way)
        except asyncio.CancelledError:
            stop()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([under_way])
            if not under_way.cancelled():
                under_way.exception()  # looked at: the picture nobody waits for may have failed as it likes
            raise

    def close(self) -> None:
        """Let the thread end after the call under way; idempotent."""
        self._executor.shutdown(wait=True)
