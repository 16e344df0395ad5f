"""The word to stop, SIGTERM or Ctrl-C: acted upon once, and held until the end, so that a second one breaks nothing."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopWord:
    """Said once, and for good. `say` again changes nothing."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    @property
    def said(self) -> bool:
        return self._event.is_set()

    def say(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        """Return when it is said; at once where it was."""
        await self._event.wait()


@contextmanager
def heard_by(hear: Callable[[signal.Signals], None]) -> Iterator[None]:
    """SIGTERM and SIGINT call `hear` on the running loop, however often they come, and do nothing else.

    Only in the main thread. Where the block ends, Python's own answers hold again.
    """
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, hear, number)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
