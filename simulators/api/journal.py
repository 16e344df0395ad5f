"""A record of every request, without its token, for assertions and for the report of a night."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from simulators.api.questions import parse_json
from simulators.api.refusals import Invalid
from simulators.api.wire import Json

LARGEST_KEPT_BODY_BYTES = 16_384
LONGEST_JOURNAL = 100_000

# Headers that hold secrets; that one was sent is kept, not what it says.
_SECRET_HEADERS = ("authorization", "cookie")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request and how it was answered. `status` is 0 where the connection was broken instead of an answer.

    `body` holds JSON up to 16 kB, `body_bytes` what was read of any body; `faults` are those that were fired at it.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Json
    body_bytes: int
    status: int
    faults: tuple[str, ...]


@dataclass(slots=True)
class Journal:
    """The requests so far, in the order in which they were answered; of a very long night the last hundred thousand."""

    entries: deque[Recorded] = field(default_factory=lambda: deque(maxlen=LONGEST_JOURNAL))
    arrived: int = 0

    def opened(self) -> int:
        """The number of a request that arrives now."""
        self.arrived += 1
        return self.arrived


class Overheard:
    """One request while it is answered: listens to both directions and changes nothing."""

    def __init__(self, number: int, at: datetime, scope: Scope, faults: tuple[str, ...]) -> None:
        self._number, self._at, self._scope, self._faults = number, at, scope, faults
        self._kept = bytearray()
        self._body_bytes = 0
        self._status = 0

    def listening(self, receive: Receive) -> Receive:
        """`receive`, overheard."""

        async def overheard() -> Message:
            message = await receive()
            chunk: bytes = message.get("body", b"")
            self._body_bytes += len(chunk)
            self._kept += chunk[: LARGEST_KEPT_BODY_BYTES + 1 - len(self._kept)]
            return message

        return overheard

    def watching(self, send: Send) -> Send:
        """`send`, overheard."""

        async def overheard(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
            await send(message)

        return overheard

    def recorded(self, *, broken: bool) -> Recorded:
        """What there was to hear."""
        headers = Headers(scope=self._scope)
        return Recorded(
            number=self._number,
            at=self._at,
            method=self._scope["method"],
            path=self._scope["path"],
            query=parse_qs(self._scope["query_string"].decode("latin-1"), keep_blank_values=True),
            headers={name: "(kept out)" if name in _SECRET_HEADERS else value for name, value in headers.items()},
            body=self._body_json(headers.get("content-type", "")),
            body_bytes=self._body_bytes,
            status=0 if broken else self._status,
            faults=self._faults,
        )

    def _body_json(self, content_type: str) -> Json:
        if "json" not in content_type or not 0 < len(self._kept) <= LARGEST_KEPT_BODY_BYTES:
            return None
        try:
            return parse_json(bytes(self._kept))
        except Invalid:
            return "(no JSON)"
