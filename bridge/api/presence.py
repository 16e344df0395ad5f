"""Whether the API is there, and knows us, as everybody who calls it is told."""

from contextlib import AbstractAsyncContextManager

from bridge.api.circuit import Circuit
from bridge.api.meanings import retry_after_s
from bridge.clock import Clock
from bridge.events import ApiAway, ApiBack, ApiTrouble, ApiTroubleOver, Telemetry

_PAUSE_WITHOUT_TOKEN_S = 600.0

_DOING = "to be known by the access token"
_SENDING = "send frames to the storage"


class ApiPresence:
    """Shared by all who call the API. Publishes ApiAway and ApiBack once each, ApiTrouble if the token is refused."""

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._circuit = Circuit(clock)
        self._token_refused = False

    @property
    def away(self) -> bool:
        """Whether nobody should expect an answer."""
        return self._circuit.open

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Within it one may call. At once while the API is there; else alone, after a pause that grows to a minute."""
        return self._circuit.turn()

    def lost(self, why: str, *, retry_after_s: float = 0.0) -> None:
        """A call found nobody, or a server in trouble."""
        if self._circuit.lost(retry_after_s=retry_after_s):
            self._telemetry.publish(ApiAway(at=self._clock.now(), why=why))

    def refused_token(self, what: str) -> None:
        """The API answers, and does not know us. Asked again every ten minutes."""
        self._circuit.rest(_PAUSE_WITHOUT_TOKEN_S)
        if not self._token_refused:
            self._token_refused = True
            self._telemetry.publish(ApiTrouble(at=self._clock.now(), doing=_DOING, what=what))

    def found(self) -> None:
        """A call was answered."""
        away_s = self._circuit.found()
        if away_s is None:
            return
        now = self._clock.now()
        if self._token_refused:
            self._token_refused = False
            self._telemetry.publish(ApiTroubleOver(at=now, doing=_DOING))
        else:
            self._telemetry.publish(ApiBack(at=now, away_s=away_s))


class StoragePresence:
    """The same for the storage. Publishes ApiTrouble when it is away, and ApiTroubleOver when it is back, once each."""

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._circuit = Circuit(clock)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """As `ApiPresence.turn`."""
        return self._circuit.turn()

    def lost(self, why: str, *, retry_after_s: float = 0.0) -> None:
        """A file found nobody, or a storage in trouble."""
        if self._circuit.lost(retry_after_s=retry_after_s):
            self._telemetry.publish(ApiTrouble(at=self._clock.now(), doing=_SENDING, what=why))

    def found(self) -> None:
        """A file was taken, or refused for what it is."""
        if self._circuit.found() is not None:
            self._telemetry.publish(ApiTroubleOver(at=self._clock.now(), doing=_SENDING))

    def pause_s(self, header: str | None) -> float:
        """What a Retry-After header asks for."""
        return retry_after_s(header, self._clock.now())
