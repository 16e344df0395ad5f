"""INDI spoken by ourselves: one TCP connection, one write a message, nothing in between."""

import asyncio
import socket
import sys
from contextlib import suppress
from typing import Final

import anyio

from drivers.indi.elements import answering, asking, commanding, enabling_blobs, pinging
from drivers.indi.errors import NotIndi
from drivers.indi.parsing import Parser
from drivers.indi.properties import Event, New, PingRequest
from drivers.indi.transport import Hearer
from drivers.names import look_up

CONNECT_WITHIN_S: Final = 20.0
GOODBYE_WITHIN_S: Final = 2.0
PORTION_BYTES: Final = 1 << 16  # stays in the processor's cache while it is decoded
# Commands are hundreds of bytes. A server that leaves so much unread is not there.
MOST_UNREAD_BYTES: Final = 1 << 18


async def open_native(host: str, port: int, device: str, hearer: Hearer) -> "NativeTransport":
    """Connect, and ask for the properties of `device`.

    Raises:
        OSError: nobody listens there; TimeoutError among them.
    """
    with anyio.fail_after(CONNECT_WITHIN_S):
        *others, last = await look_up(host, port)
        for address in others:
            with suppress(OSError):
                return await _opened(address, port, device, hearer)
        return await _opened(last, port, device, hearer)


async def _opened(address: str, port: int, device: str, hearer: Hearer) -> "NativeTransport":
    loop = asyncio.get_running_loop()
    _, transport = await loop.create_connection(lambda: NativeTransport(device, hearer), address, port)
    return transport


class NativeTransport(asyncio.BufferedProtocol):
    """The connection, with its parser."""

    def __init__(self, device: str, hearer: Hearer) -> None:
        self._device = device
        self._hearer = hearer
        self._parser = Parser(self._hear)
        self._loop = asyncio.get_running_loop()
        self._stream: asyncio.Transport | None = None
        self._socket: socket.socket
        self._gone = asyncio.Event()
        self._pings = 0
        self._room = memoryview(bytearray(PORTION_BYTES))
        self._heard_s = self._loop.time()

    @property
    def heard_s(self) -> float:
        return self._heard_s

    def send(self, new: New) -> None:
        self._write(commanding(new))

    def ask(self, name: str) -> bool:
        self._write(asking(self._device, name))
        return True

    def enable_blobs(self) -> None:
        self._write(enabling_blobs(self._device))

    def ping(self) -> None:
        self._pings += 1
        self._write(pinging(str(self._pings)))

    async def close(self) -> None:
        if self._stream is None:
            return
        self._stream.close()
        with anyio.move_on_after(GOODBYE_WITHIN_S):
            await self._gone.wait()
        self._stream.abort()  # what was not taken until now is not waited for
        await self._gone.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (create_connection gives no other)
        self._stream = transport
        self._socket = transport.get_extra_info("socket")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._write(asking(self._device))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self._heard_s = self._loop.time()
        self._acknowledge()
        try:
            self._parser.feed(bytes(self._room[:nbytes]))
        except NotIndi as error:
            self._break_off(f"it does not speak INDI: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._hearer.lose(f"the connection broke: {exc}" if exc else "it hung up")

    def _hear(self, event: Event) -> None:
        if isinstance(event, PingRequest):
            self._write(answering(event))
        else:
            self._hearer.hear(event)

    def _acknowledge(self) -> None:
        """At once: the server holds its next words back until we do, and the kernel would take 40 ms over it."""
        if sys.platform == "linux":
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # lasts for one acknowledgement

    def _write(self, message: bytes) -> None:
        if self._stream is None or self._stream.is_closing():
            return
        self._stream.write(message)
        if self._stream.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self._break_off("it does not take what it is sent")

    def _break_off(self, why: str) -> None:
        self._hearer.lose(why)
        if self._stream is not None:
            self._stream.abort()
