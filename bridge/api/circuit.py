"""Whether somebody is there to be asked. While nobody is, one caller at a time tries; all others wait."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import anyio

from bridge.clock import Clock

# One call that fails may be an accident of its own; two in a row, with none that went well between them, are not.
_OPENS_AFTER = 2
_LONGEST_PAUSE_S = 60.0

# Chance, so that a fleet of stations does not come back in one second.
_CHANCE = random.SystemRandom()


class Circuit:
    """Open while nobody answers; closed by the first answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._probing = anyio.Lock()
        self._back = anyio.Event()
        self._failures = 0
        self._since: datetime | None = None
        self._ask_again_at = clock.now()

    @property
    def open(self) -> bool:
        """Whether nobody should expect an answer."""
        return self._since is not None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Within it one may call. At once while it is closed; else alone, after a pause that grows to a minute."""
        async with AsyncExitStack() as alone:
            if self.open:
                await alone.enter_async_context(self._probing)
                await self._pause()
            if not self.open:
                await alone.aclose()
            yield

    def lost(self, *, retry_after_s: float = 0.0) -> bool:
        """A call found nobody, or a server in trouble; gives whether that opened the circuit."""
        self._failures += 1
        pause_s = min(_LONGEST_PAUSE_S, 2.0**self._failures) * _CHANCE.uniform(0.5, 1.0)
        self._ask_again_at = self._clock.now() + timedelta(seconds=max(pause_s, retry_after_s))
        return self._failures >= _OPENS_AFTER and self._opened()

    def rest(self, pause_s: float) -> None:
        """Open it for so long at least."""
        self._ask_again_at = self._clock.now() + timedelta(seconds=pause_s)
        self._opened()

    def found(self) -> float | None:
        """A call was answered: closed. Gives for how many seconds it was open; None where it was not."""
        self._failures = 0
        if self._since is None:
            return None
        open_s = (self._clock.now() - self._since).total_seconds()
        self._since = None
        self._back.set()
        return open_s

    def _opened(self) -> bool:
        opened = self._since is None
        self._since = self._since or self._clock.now()
        if opened:
            self._back = anyio.Event()
        return opened

    async def _pause(self) -> None:
        while self.open and (left_s := (self._ask_again_at - self._clock.now()).total_seconds()) > 0.0:
            with anyio.move_on_after(left_s):
                await self._back.wait()
