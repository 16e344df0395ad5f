"""A small Alpaca server on loopback whose devices behave, and whose answers can be anything.

A device is an object whose attributes and methods are ASCOM members. Devices are functions of `clock`, which is the
event loop's time: so a slew of a minute takes no time at all on a loop that jumps.
"""

# ruff: noqa: N802 (ASCOM's names)

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


class Fault(Exception):
    """An Alpaca error as the answer to a member."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number
        self.message = message


class Answer(Exception):
    """A whole HTTP answer of a member's own making."""

    def __init__(self, body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self.body = body
        self.status = status
        self.headers = headers or {}


def not_implemented() -> Fault:
    return Fault(0x400, "not implemented")


Raw = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FakeAlpaca:
    """The server. `instead` replaces the answer of a member by a function that writes to the socket as it likes."""

    clock: Callable[[], float]
    host: str = "127.0.0.1"
    devices: dict[tuple[str, int], Any] = field(default_factory=dict)
    instead: dict[tuple[str, str], Raw] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    headers_seen: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        fake = self

        class Handler(_Handler):
            server_of = fake

        class Server(ThreadingHTTPServer):
            address_family = 10 if ":" in fake.host else 2  # AF_INET6, AF_INET

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is what many of these tests are about."""

        self._server = Server((self.host, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def add(self, kind: str, device: Any, number: int = 0) -> Any:
        self.devices[kind, number] = device
        return device

    def times(self, call: str) -> int:
        """How often a member was called, such as "PUT telescope/0/abortslew"."""
        return self.calls.count(call)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer goes out in one piece
    server_of: FakeAlpaca

    def do_GET(self) -> None:
        self._answer(dict(parse_qsl(urlsplit(self.path).query)))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(dict(parse_qsl(body, keep_blank_values=True)))

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, asked: dict[str, str]) -> None:
        fake = self.server_of
        kind, number, member = urlsplit(self.path).path.removeprefix("/api/v1/").split("/")
        fake.calls.append(f"{self.command} {kind}/{number}/{member}")
        fake.headers_seen.append(dict(self.headers))
        if (kind, member) in fake.instead:
            fake.instead[kind, member](self)
            return
        asked = {key: value for key, value in asked.items() if not key.startswith("Client")}
        reply: dict[str, Any] = {"ErrorNumber": 0, "ErrorMessage": "", "ServerTransactionID": 1}
        try:
            reply["Value"] = self._value(fake.devices[kind, int(number)], member, asked)
        except Fault as fault:
            reply |= {"ErrorNumber": fault.number, "ErrorMessage": fault.message}
        except Answer as answer:
            self.reply(answer.body, status=answer.status, headers=answer.headers)
            return
        self.reply(json.dumps(reply).encode())

    def _value(self, device: Any, member: str, asked: dict[str, str]) -> Any:
        name = next((name for name in dir(device) if name.lower() == member), None)
        if name is None:
            raise not_implemented()
        if self.command == "PUT" and not callable(getattr(type(device), name, None)):
            setattr(device, name, _parsed(asked[name]))
            return None
        value = getattr(device, name)
        return value(**{key: _parsed(text) for key, text in asked.items()}) if callable(value) else value

    def reply(self, body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        usual = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (usual | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text.lower() if text in ("True", "False") else text)
    except ValueError:
        return text


def says(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Raw:
    """Answers with `body`, whatever it is."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.reply(body, status=status, headers=headers)  # type: ignore[attr-defined]

    return answer


def hangs_up_after(raw: bytes) -> Raw:
    """Writes bytes that need not be HTTP, and closes the connection."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(raw)
        handler.close_connection = True

    return answer


def silent_until(released: threading.Event) -> Raw:
    """Says nothing until it is released, and hangs up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        released.wait(30.0)
        handler.close_connection = True

    return answer


def trickles(stopped: threading.Event) -> Raw:
    """One byte now and then, of a header that never ends."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not stopped.wait(0.02):
            handler.wfile.write(b"z")
        handler.close_connection = True

    return answer


class FakeDevice:
    """What every device has."""

    InterfaceVersion = 1
    Name = "a fake"

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.Connected = False


class FakePlatform7Device:
    """A device that connects in its own time."""

    Name = "a modern fake"
    connects_within_s = 2.0

    def __init__(self, clock: Callable[[], float], version: int) -> None:
        self._clock = clock
        self.InterfaceVersion = version
        self._connect_began_s: float | None = None

    def Connect(self) -> None:
        self._connect_began_s = self._clock()

    def Disconnect(self) -> None:
        self._connect_began_s = None

    @property
    def Connecting(self) -> bool:
        return self._connect_began_s is not None and self._clock() < self._connect_began_s + self.connects_within_s

    @property
    def Connected(self) -> bool:
        return self._connect_began_s is not None and not self.Connecting
