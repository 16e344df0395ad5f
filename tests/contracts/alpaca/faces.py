"""Two ways of asking an Alpaca device, with one face: bare HTTP, and alpyca."""

import http.client
import importlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from urllib.parse import urlencode

NOT_IMPLEMENTED, INVALID_VALUE, VALUE_NOT_SET = 0x400, 0x401, 0x402
NOT_CONNECTED, PARKED, INVALID_OPERATION, ACTION_NOT_IMPLEMENTED, CANCELLED = 0x407, 0x408, 0x40B, 0x40C, 0x40E
CLIENT = 4711
_IDLE_S = 2.0


class Refused(Exception):
    """An ASCOM error by its number; one below 0x400 is an HTTP status."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"0x{number:x}: {what}")
        self.number = number


class Face(Protocol):
    """One device."""

    def read(self, name: str, **arguments: object) -> Any: ...

    def write(self, name: str, value: object) -> None: ...

    def call(self, name: str, **arguments: object) -> None: ...

    def close(self) -> None: ...


def error(attempt: Callable[[], object]) -> int:
    """The number of the error that this ends in, 0 without one."""
    try:
        attempt()
    except Refused as refused:
        return refused.number
    return 0


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """HTTP as bare as Python has it. Pairs, not dictionaries: order and case are what is tested."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=30.0)
        self._used_s = time.monotonic()

    def ask(
        self,
        method: str,
        path: str,
        pairs: Sequence[tuple[str, object]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        if time.monotonic() - self._used_s > _IDLE_S:
            self._connection.close()  # as servers do with lines that are silent; it connects again by itself
        written = urlencode(pairs)
        sent = dict(headers or {})
        if method == "PUT":
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            self._connection.request(method, path, body=written, headers=sent)
        else:
            self._connection.request(method, f"{path}?{written}" if written else path, headers=sent)
        answer = self._connection.getresponse()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        reply = Reply(answer.status, headers, answer.read())
        self._used_s = time.monotonic()
        return reply

    def close(self) -> None:
        self._connection.close()


class HttpFace:
    """A device over bare HTTP."""

    def __init__(self, device_type: str, address: str, number: int) -> None:
        self.wire = Wire(address)
        self._path = f"/api/v1/{device_type.lower()}/{number}"
        self._transaction = 0

    def read(self, name: str, **arguments: object) -> Any:
        return self._ask("GET", name, arguments)["Value"]

    def write(self, name: str, value: object) -> None:
        self._ask("PUT", name, {name: value})

    def call(self, name: str, **arguments: object) -> None:
        self._ask("PUT", name, arguments)

    def close(self) -> None:
        self.wire.close()

    def _ask(self, method: str, name: str, arguments: Mapping[str, object]) -> Any:
        self._transaction += 1
        ids = (("ClientID", CLIENT), ("ClientTransactionID", self._transaction))
        reply = self.wire.ask(method, f"{self._path}/{name.lower()}", [*arguments.items(), *ids])
        if reply.status != 200:
            raise Refused(reply.status, reply.body.decode(errors="replace"))
        answer = reply.json
        if answer["ErrorNumber"]:
            raise Refused(answer["ErrorNumber"], answer["ErrorMessage"])
        return answer


class AlpycaFace:
    """A device through ASCOM's own Python client."""

    _ENUMS: Mapping[tuple[str, str], str] = {
        ("Telescope", "Axis"): "TelescopeAxes",
        ("Telescope", "Direction"): "GuideDirections",
        ("Telescope", "SideOfPier"): "PierSide",
        ("Telescope", "TrackingRate"): "DriveRates",
    }

    def __init__(self, device_type: str, address: str, number: int) -> None:
        self._type = device_type
        self._library = importlib.import_module(f"alpaca.{device_type.lower()}")
        self._device = getattr(self._library, device_type)(address, number)

    def read(self, name: str, **arguments: object) -> Any:
        def reading() -> Any:
            attribute = getattr(self._device, name)
            return attribute(**self._typed(arguments)) if arguments else attribute

        return _plain(_translated(reading))

    def write(self, name: str, value: object) -> None:
        _translated(lambda: setattr(self._device, name, self._typed({name: value})[name]))

    def call(self, name: str, **arguments: object) -> None:
        # by place, since alpyca has names of its own for some
        _translated(lambda: getattr(self._device, name)(*self._typed(arguments).values()))

    def close(self) -> None:
        self._device.rqs.close()

    def _typed(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._one(name, value) for name, value in arguments.items()}

    def _one(self, name: str, value: Any) -> Any:
        enum = self._ENUMS.get((self._type, name))
        return value if enum is None else getattr(self._library, enum)(value)


def _translated(attempt: Callable[[], Any]) -> Any:
    library = importlib.import_module("alpaca.exceptions")
    errors = tuple(one for one in vars(library).values() if isinstance(one, type) and issubclass(one, Exception))
    try:
        return attempt()
    except errors as raised:
        raise Refused(raised.number, raised.message) from raised


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if hasattr(value, "Minimum"):
        return {"Minimum": value.Minimum, "Maximum": value.Maximum}
    return value


FACES: Mapping[str, Callable[[str, str, int], Face]] = {"http": HttpFace, "alpyca": AlpycaFace}
