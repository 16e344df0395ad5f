"""Alpaca discovery: answers who asks by UDP where an Alpaca server is."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

DISCOVERY_PORT = 32227
_QUESTION = b"alpacadiscovery1"
LOOPBACK = ("127.0.0.1", "127.255.255.255")  # asked directly, and by broadcast on the loopback network


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, alpaca_port: int) -> None:
        self._answer = json.dumps({"AlpacaPort": alpaca_port}).encode()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own datagram transport is none by inheritance (Python 3.11)
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and data.startswith(_QUESTION):
            self._transport.sendto(self._answer, addr)


@asynccontextmanager
async def answering_discovery(
    alpaca_port: int, *, hosts: tuple[str, ...] = LOOPBACK, port: int = DISCOVERY_PORT
) -> AsyncGenerator[int, None]:
    """Within the block, whoever asks on `port` is told that Alpaca is spoken on `alpaca_port`. Yields the port used.

    On the loopback network only, unless other hosts are given ("0.0.0.0": every network). Port 0 takes a free one.
    Several servers of one machine may listen at once: each hears a broadcast, one of them a question to it alone.

    Raises:
        OSError: the port is taken by someone who does not share it.
    """
    loop = asyncio.get_running_loop()
    transports: list[asyncio.DatagramTransport] = []
    try:
        for host in hosts:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Responder(alpaca_port), sock=_shared_socket(host, port)
            )
            transports.append(transport)
            port = transport.get_extra_info("sockname")[1]
        yield port
    finally:
        for transport in transports:
            transport.close()


def _shared_socket(host: str, port: int) -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp.setblocking(False)
        udp.bind((host, port))
    except OSError:
        udp.close()
        raise
    return udp
