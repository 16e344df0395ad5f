"""INDI spoken by pyindi-client, in a process of its own that may die: that is a lost connection and no more."""

import asyncio
import importlib.util
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

import anyio
import anyio.to_thread

from drivers.indi import frames
from drivers.indi.properties import (
    LARGEST_BLOB_BYTES,
    Blob,
    Defined,
    Deleted,
    Event,
    Kind,
    Limits,
    New,
    PingReply,
    PropertyState,
    Rule,
    Said,
    Updated,
    Vector,
)
from drivers.indi.transport import Hearer

CONNECT_WITHIN_S: Final = 60.0  # for the process to start and to connect
GOODBYE_WITHIN_S: Final = 4.0  # the library may wait for two itself
MOST_UNREAD_BYTES: Final = 1 << 18
LONGEST_WORDS: Final = 1 << 20

_STAMP: Final = re.compile(r"^[\d:.T-]*: ")  # the server's time of day, which the library puts before each message


async def open_pyindi(host: str, port: int, device: str, hearer: Hearer) -> "PyIndiTransport":
    """Start a process that connects, and asks for the properties of `device`.

    Raises:
        ImportError: pyindi-client is not installed.
        OSError: it could not connect; TimeoutError among them.
    """
    if importlib.util.find_spec("PyIndi") is None:
        raise ImportError("pyindi-client is not installed")
    ours, theirs = socket.socketpair()
    with theirs:
        process = _start(theirs, host, port, device)
    try:
        loop = asyncio.get_running_loop()
        _, transport = await loop.create_connection(lambda: PyIndiTransport(device, hearer, process), sock=ours)
    except BaseException:
        ours.close()
        await _end(process)
        raise
    try:
        with anyio.fail_after(CONNECT_WITHIN_S):
            await transport.connected()
    except BaseException:
        await transport.close()
        raise
    return transport


def _start(theirs: socket.socket, host: str, port: int, device: str) -> subprocess.Popen[bytes]:
    """Not in our session: a Ctrl-C is for us, who then say goodbye."""
    command = [sys.executable, "-P", "-m", "drivers.indi.pyindi_host", str(theirs.fileno()), host, str(port), device]
    nothing = subprocess.DEVNULL
    return subprocess.Popen(
        command, pass_fds=[theirs.fileno()], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
    )


async def _end(process: subprocess.Popen[bytes]) -> None:
    with anyio.CancelScope(shield=True):
        process.kill()
        await anyio.to_thread.run_sync(process.wait)


class PyIndiTransport(asyncio.BufferedProtocol):
    """Our end of the socket: takes frames, each into memory of its own, and tells what they say."""

    def __init__(self, device: str, hearer: Hearer, process: subprocess.Popen[bytes]) -> None:
        self._device = device
        self._hearer = hearer
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._stream: asyncio.Transport | None = None
        self._gone = asyncio.Event()
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._heard_s = self._loop.time()
        self._pings = 0
        self._parts = [memoryview(bytearray(frames.HEAD.size))]  # of the frame under way: head, words, body
        self._filled = 0

    @property
    def heard_s(self) -> float:
        return self._heard_s

    async def connected(self) -> None:
        """Until the process has connected.

        Raises:
            ConnectionError: it could not.
        """
        await asyncio.shield(self._connected)

    def send(self, new: New) -> None:
        self._write({"new": {"kind": new.kind.value, "name": new.name, "values": dict(new.values)}})

    def ask(self, name: str) -> bool:
        return False  # the library passes over what it knows already

    def enable_blobs(self) -> None:
        self._write({"blobs": True})

    def ping(self) -> None:
        self._pings += 1
        self._write({"ping": str(self._pings)})

    async def close(self) -> None:
        if self._stream is not None and not self._gone.is_set():
            self._stream.write_eof()  # its goodbye
            with anyio.move_on_after(GOODBYE_WITHIN_S):
                await self._gone.wait()
            self._stream.abort()
        await _end(self._process)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (create_connection gives no other)
        self._stream = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._parts[-1][self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._heard_s = self._loop.time()
        self._filled += nbytes
        try:
            while self._filled == len(self._parts[-1]) and self._parts:
                self._filled = 0
                self._next_part()
        except (ValueError, TypeError, KeyError) as error:
            self._break_off(f"the process of pyindi-client says nonsense: {error!r:.200}")

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._lost("the process of pyindi-client ended")

    def _next_part(self) -> None:
        """A part is complete: go on with the next that is not empty, or take the frame."""
        lengths = frames.HEAD.unpack(self._parts[0])
        if lengths[0] > LONGEST_WORDS or lengths[1] > LARGEST_BLOB_BYTES:
            raise ValueError(f"a frame of {lengths} bytes")
        if len(self._parts) <= len(lengths):
            self._parts.append(memoryview(bytearray(lengths[len(self._parts) - 1])))
            return
        _, words, body = self._parts
        self._parts = [memoryview(bytearray(frames.HEAD.size))]
        self._take(frames.unpacked(bytes(words)), body)

    def _take(self, words: Mapping[str, Any], body: memoryview) -> None:
        match words:
            case {"connected": _} if not self._connected.done():
                self._connected.set_result(None)
            case {"failed": why} | {"lost": why}:
                self._lost(str(why))
            case _:
                event = event_of(self._device, words, body)
                if event is not None:
                    self._hearer.hear(event)

    def _lost(self, why: str) -> None:
        if not self._connected.done():
            self._connected.set_exception(ConnectionError(why))
            self._connected.exception()  # looked at: who waited for it may have been cancelled
        self._hearer.lose(why)

    def _write(self, words: frames.Words) -> None:
        if self._stream is None or self._stream.is_closing():
            return
        self._stream.write(frames.packed(words))
        if self._stream.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self._break_off("the process of pyindi-client does not take what it is sent")

    def _break_off(self, why: str) -> None:
        self._lost(why)
        if self._stream is not None:
            self._stream.abort()


def event_of(device: str, words: Mapping[str, Any], body: memoryview) -> Event | None:
    """What a frame says of the device; None where it is only a sign of life.

    Raises:
        KeyError, ValueError, TypeError: it is no such frame.
    """
    match words:
        case {"defined": told}:
            return Defined(
                vector=Vector(
                    kind=Kind(told["kind"]),
                    device=device,
                    name=told["name"],
                    state=PropertyState(told["state"]),
                    values=_values(told),
                    writable=told["writable"] and told["kind"] != "Light",
                    limits=_limits(told),
                    labels=told["labels"],
                    rule=Rule(told.get("rule", Rule.ANY_OF_MANY)),
                )
            )
        case {"updated": told}:
            return _updated(device, told, _values(told))
        case {"blob": told}:
            blob = Blob(format=told["format"], body=body)
            return _updated(device, told | {"kind": "BLOB"}, {told["element"]: blob})
        case {"deleted": name}:
            return Deleted(device=device, name=name)
        case {"said": message}:
            return Said(device=device, message=_STAMP.sub("", str(message)))
        case {"pong": uid}:
            return PingReply(uid=str(uid))
    return None


def _updated(device: str, told: Mapping[str, Any], values: Mapping[str, Any]) -> Updated:
    return Updated(
        kind=Kind(told["kind"]),
        device=device,
        name=told["name"],
        state=PropertyState(told["state"]),
        values=values,
        limits=_limits(told),
    )


def _values(told: Mapping[str, Any]) -> dict[str, Any]:
    if told["kind"] == "Light":
        return {name: PropertyState(state) for name, state in told["values"].items()}
    if told["kind"] == "Text":
        return {name: text.strip() for name, text in told["values"].items()}
    return dict(told["values"])


def _limits(told: Mapping[str, Any]) -> dict[str, Limits]:
    return {
        name: Limits(minimum=low, maximum=high, step=step) for name, (low, high, step) in told.get("limits", {}).items()
    }
