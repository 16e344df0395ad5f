"""The word to stop: SIGTERM, Ctrl-C, or its terminal closed.

It is acted upon once, and held until the end, so that a second one breaks nothing.
"""

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
    """SIGTERM, SIGINT and SIGHUP call `hear` on the running loop, however often they come, and do nothing else.

    A SIGHUP that is ignored stays so: whoever started the programme meant it to outlive the terminal (nohup). Only in
    the main thread. Where the block ends, Python's own answers hold again.
    """
    loop = asyncio.get_running_loop()
    outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = _SIGNALS if outlives else (*_SIGNALS, signal.SIGHUP)
    for number in heard:
        loop.add_signal_handler(number, hear, number)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
