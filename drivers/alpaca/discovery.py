"""Which Alpaca devices the network offers. None is connected because it answered: a person chooses, or a UniqueID that
a person chose before.
"""

import asyncio
import ipaddress
import json
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import anyio
import ifaddr

from drivers.alpaca.wire import fetch_json
from drivers.errors import DeviceError
from drivers.threads import Worker
from drivers.wording import one_line

_log = logging.getLogger(__name__)

PORT: Final = 32227  # ASCOM Alpaca API reference, "Discovery"
GROUP: Final = "ff12::a1:9aca"  # as above, of IPv6
QUESTION: Final = b"alpacadiscovery1"
LONGEST_ANSWER_BYTES: Final = 512
MOST_SERVERS: Final = 64
MOST_DEVICES: Final = 256
GRACE_S: Final = 0.5  # other servers answer about as fast as the first
ASK_WITHIN_S: Final = 3.0  # real seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedDevice:
    """A device as its server lists it; `device_type` is ASCOM's name of it, such as Telescope."""

    address: str
    device_type: str
    device_number: int
    name: str
    unique_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What answered: the devices, and a sentence about each answer that was of no use."""

    offered: tuple[OfferedDevice, ...]
    ignored: tuple[str, ...]


async def survey(*, wait_s: float = 2.0, port: int = PORT, towards: Sequence[str] | None = None) -> Survey:
    """Ask the addresses `towards` (none given: `everywhere()`) at once, and list what answers.

    Ends soon after the first answer, and after `wait_s` without one. A device that answers at two addresses of one
    server is listed once. Never raises for what others send.
    """
    search = _Search()
    await search.run(everywhere() if towards is None else towards, port, wait_s)
    found = sorted(
        search.found,
        key=lambda one: (not one.address.startswith("127."), one.address, one.device_type, one.device_number),
    )
    known: dict[tuple[str, str, int], OfferedDevice] = {}
    for one in found:
        known.setdefault((one.unique_id or one.address, one.device_type.lower(), one.device_number), one)
    return Survey(offered=tuple(known.values()), ignored=tuple(search.ignored))


async def find(
    wanted: Callable[[OfferedDevice], bool], *, wait_s: float, port: int = PORT, towards: Sequence[str] | None = None
) -> OfferedDevice | None:
    """The first device that is `wanted`, as soon as its server lists it; None where none does within `wait_s`."""
    search = _Search(wanted)
    await search.run(everywhere() if towards is None else towards, port, wait_s)
    return next(filter(wanted, search.found), None)


async def listed_at(address: str) -> Survey:
    """What the server at `address` says that it has.

    Raises:
        DeviceError: no answer, or none that makes sense.
    """
    worker, server = Worker(f"discovery of {address}"), f"Alpaca server {address}"
    try:
        entries = await worker.call(_value, address, "/management/v1/configureddevices", server)
    finally:
        worker.close()
    read = [(entry, _device(address, entry)) for entry in entries[:MOST_DEVICES]]
    return Survey(
        offered=tuple(device for _, device in read if device is not None),
        ignored=tuple(
            f"{server} lists {one_line(repr(entry))}, which is no device" for entry, device in read if device is None
        ),
    )


def everywhere() -> list[str]:
    """This computer, the broadcast address of each IPv4 network, and Alpaca's IPv6 group on each interface."""
    addresses = loopback()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str) and not ip.ip.startswith("127."):
                network = ipaddress.IPv4Network(f"{ip.ip}/{ip.network_prefix}", strict=False)
                addresses.append(str(network.broadcast_address))
    return [*addresses, *(f"{GROUP}%{index}" for index, _ in socket.if_nameindex())]


def loopback() -> list[str]:
    """This computer. Of several servers on it that share the port, a question to 127.0.0.1 alone reaches but one."""
    return ["127.0.0.1", "127.255.255.255", "::1"]


class _Answers(asyncio.DatagramProtocol):
    """Hands on the addresses of servers that answer, each once."""

    def __init__(self, heard: Callable[[str], None], ignored: list[str]) -> None:
        self._heard = heard
        self._ignored = ignored
        self._servers: set[str] = set()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if len(self._servers) + len(self._ignored) >= MOST_SERVERS:
            return
        host, port = str(addr[0]), _port_in(data)
        if port is None:
            self._ignored.append(f"{host} answered {one_line(repr(data[:40]))}, which names no port")
            return
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if address not in self._servers:
            self._servers.add(address)
            self._heard(address)

    def error_received(self, exc: Exception) -> None:
        """An interface without a way out: what is there is asked on the others."""
        _log.debug("an address could not be asked: %s", exc)


class _Search:
    """One question to all addresses at once, and what the servers that answer list."""

    def __init__(self, wanted: Callable[[OfferedDevice], bool] | None = None) -> None:
        """`wanted` ends the search as soon as it is found; without it, it ends soon after the first answer."""
        self.found: list[OfferedDevice] = []
        self.ignored: list[str] = []
        self._wanted = wanted
        self._waiting = anyio.CancelScope()

    async def run(self, towards: Sequence[str], port: int, wait_s: float) -> None:
        self._waiting = anyio.CancelScope(deadline=anyio.current_time() + wait_s)
        async with anyio.create_task_group() as asking, AsyncExitStack() as stack:

            def hear(server: str) -> None:
                asking.start_soon(self._ask, server)

            answers = _Answers(hear, self.ignored)
            with self._waiting:
                for address, transport in await _ways_out(stack, answers, towards):
                    transport.sendto(QUESTION, _sockaddr(address, port))
                await anyio.sleep_forever()

    async def _ask(self, address: str) -> None:
        """Add what the server at `address` lists."""
        if self._wanted is None:
            self._waiting.deadline = min(self._waiting.deadline, anyio.current_time() + GRACE_S)
        try:
            versions = await _versions(address)
            if 1 not in versions:
                self.ignored.append(f"Alpaca server {address} speaks versions {one_line(repr(versions))}, not 1")
                return
            listed = await listed_at(address)
        except DeviceError as error:
            self.ignored.append(str(error))
            return
        self.found.extend(listed.offered)
        self.ignored.extend(listed.ignored)
        if self._wanted is not None and any(map(self._wanted, listed.offered)):
            self._waiting.cancel()


async def _ways_out(
    stack: AsyncExitStack, answers: _Answers, towards: Sequence[str]
) -> list[tuple[str, asyncio.DatagramTransport]]:
    """Each address with the socket on which it is asked. A computer without IPv6 has no way to such addresses."""
    loop, ways = asyncio.get_running_loop(), list[tuple[str, asyncio.DatagramTransport]]()
    for own, family in (("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6)):  # noqa: S104 (answers come from any network)
        addresses = [address for address in towards if (":" in address) is (":" in own)]
        if not addresses:
            continue
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: answers, local_addr=(own, 0), allow_broadcast=family == socket.AF_INET
            )
        except OSError as error:
            _log.debug("no way to %s: %s", ", ".join(addresses), error)
            continue
        stack.callback(transport.close)
        ways.extend((address, transport) for address in addresses)
    return ways


def _sockaddr(address: str, port: int) -> tuple[Any, ...]:
    host, _, interface = address.partition("%")
    return (host, port, 0, int(interface or 0)) if ":" in host else (host, port)


async def _versions(address: str) -> list[object]:
    worker = Worker(f"discovery of {address}")
    try:
        return await worker.call(_value, address, "/management/apiversions", f"Alpaca server {address}")
    finally:
        worker.close()


def _port_in(answer: bytes) -> int | None:
    """The port an answer names, None where it is none of ours."""
    if len(answer) > LONGEST_ANSWER_BYTES:
        return None
    try:
        reply = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    port = reply.get("AlpacaPort") if isinstance(reply, dict) else None
    return port if isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536 else None


def _value(address: str, path: str, server: str) -> list[object]:
    """The list that a management reply carries; empty where it carries none. Blocks."""
    reply = fetch_json(address, path, device=server, within_s=ASK_WITHIN_S)
    value = reply.get("Value") if isinstance(reply, dict) else None
    return value if isinstance(value, list) else []


def _device(address: str, entry: object) -> OfferedDevice | None:
    if not isinstance(entry, dict):
        return None
    kind, number, name = entry.get("DeviceType"), entry.get("DeviceNumber"), entry.get("DeviceName")
    if not (isinstance(kind, str) and type(number) is int and number >= 0 and isinstance(name, str)):
        return None
    return OfferedDevice(
        address=address,
        device_type=one_line(kind),
        device_number=number,
        name=one_line(name),
        unique_id=one_line(str(entry.get("UniqueID", ""))),
    )
