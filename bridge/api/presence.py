"""Whether the API is there. While it is away, one caller at a time asks whether it is back; all others wait."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import anyio

from bridge.clock import Clock
from bridge.events import ApiAway, ApiBack, ApiTrouble, ApiTroubleOver, Event, Telemetry

# One call that fails may be an accident of its own; two in a row, with none that went well between them, are not.
_AWAY_AFTER = 2
_LONGEST_PAUSE_S = 60.0
_PAUSE_WITHOUT_TOKEN_S = 600.0

_DOING = "to be known by the access token"

# Chance, so that a fleet of stations does not come back in one second.
_CHANCE = random.SystemRandom()


class ApiPresence:
    """Shared by all who call the API. Publishes ApiAway and ApiBack once each, ApiTrouble if the token is refused."""

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._probing = anyio.Lock()
        self._back = anyio.Event()
        self._failures = 0
        self._since: datetime | None = None
        self._token_refused = False
        self._ask_again_at = clock.now()

    @property
    def away(self) -> bool:
        """Whether nobody should expect an answer."""
        return self._since is not None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Within it one may call. At once while the API is there; else alone, after a pause that grows to a minute."""
        async with AsyncExitStack() as alone:
            if self.away:
                await alone.enter_async_context(self._probing)
                await self._pause()
            if not self.away:
                await alone.aclose()
            yield

    def lost(self, why: str, *, retry_after_s: float = 0.0) -> None:
        """A call found nobody, or a server in trouble."""
        now = self._clock.now()
        self._failures += 1
        pause_s = min(_LONGEST_PAUSE_S, 2.0**self._failures) * _CHANCE.uniform(0.5, 1.0)
        self._ask_again_at = now + timedelta(seconds=max(pause_s, retry_after_s))
        if self._since is None and self._failures >= _AWAY_AFTER:
            self._leave(ApiAway(at=now, why=why))

    def refused_token(self, what: str) -> None:
        """The API answers, and does not know us. Asked again every ten minutes."""
        now = self._clock.now()
        self._ask_again_at = now + timedelta(seconds=_PAUSE_WITHOUT_TOKEN_S)
        if not self._token_refused:
            self._token_refused = True
            self._leave(ApiTrouble(at=now, doing=_DOING, what=what))

    def found(self) -> None:
        """A call was answered."""
        self._failures = 0
        if self._since is None:
            return
        now = self._clock.now()
        away_s = (now - self._since).total_seconds()
        self._since = None
        if self._token_refused:
            self._token_refused = False
            self._telemetry.publish(ApiTroubleOver(at=now, doing=_DOING))
        else:
            self._telemetry.publish(ApiBack(at=now, away_s=away_s))
        self._back.set()

    def _leave(self, event: Event) -> None:
        self._since = self._since or event.at
        self._back = anyio.Event()
        self._telemetry.publish(event)

    async def _pause(self) -> None:
        while self.away and (left_s := (self._ask_again_at - self._clock.now()).total_seconds()) > 0.0:
            with anyio.move_on_after(left_s):
                await self._back.wait()
