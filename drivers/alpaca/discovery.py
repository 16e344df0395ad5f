"""Which Alpaca devices the network offers, for a person to choose from: none is connected because it answered."""

import asyncio
import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import anyio
import ifaddr

from drivers.alpaca.wire import fetch_json
from drivers.errors import DeviceError
from drivers.threads import Worker
from drivers.wording import one_line

PORT: Final = 32227  # ASCOM Alpaca API reference, "Discovery"
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


async def discover(*, wait_s: float = 2.0) -> list[OfferedDevice]:
    """The devices of every server on this computer and its networks that answers within `wait_s`."""
    return list((await survey(wait_s=wait_s)).offered)


async def survey(*, wait_s: float = 2.0, port: int = PORT, towards: Sequence[str] | None = None) -> Survey:
    """Ask the addresses `towards` (none given: loopback and all broadcast addresses), wait, and list what answers.

    A device that answers at two addresses of one server is listed once. Never raises for what others send.
    """
    servers, ignored = await _servers(_broadcast_addresses() if towards is None else towards, port, wait_s)
    found: list[OfferedDevice] = []
    async with anyio.create_task_group() as group:
        for address in servers:
            group.start_soon(_ask, address, found, ignored)
    found.sort(key=lambda one: (not one.address.startswith("127."), one.address, one.device_type, one.device_number))
    known: dict[tuple[str, str, int], OfferedDevice] = {}
    for one in found:
        known.setdefault((one.unique_id or one.address, one.device_type.lower(), one.device_number), one)
    return Survey(offered=tuple(known.values()), ignored=tuple(ignored))


class _Answers(asyncio.DatagramProtocol):
    """Collects the addresses of servers that answer."""

    def __init__(self) -> None:
        self.servers: list[str] = []
        self.ignored: list[str] = []
        self.first = anyio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self.servers) + len(self.ignored) >= MOST_SERVERS:
            return
        port = _port_in(data)
        if port is None:
            self.ignored.append(f"{addr[0]} answered {one_line(repr(data[:40]))}, which names no port")
            return
        self.first.set()
        address = f"{addr[0]}:{port}"
        if address not in self.servers:
            self.servers.append(address)

    def error_received(self, exc: Exception) -> None:
        self.ignored.append(f"an address could not be asked: {exc}")


async def _servers(towards: Sequence[str], port: int, wait_s: float) -> tuple[list[str], list[str]]:
    loop = asyncio.get_running_loop()
    transport, answers = await loop.create_datagram_endpoint(
        _Answers,
        local_addr=("0.0.0.0", 0),  # noqa: S104 (answers come from any network)
        allow_broadcast=True,
    )
    try:
        for address in towards:
            transport.sendto(QUESTION, (address, port))
        with anyio.move_on_after(wait_s):
            await answers.first.wait()
            await anyio.sleep(GRACE_S)
    finally:
        transport.close()
    return answers.servers, answers.ignored


def _broadcast_addresses() -> list[str]:
    """Loopback, and the broadcast address of each IPv4 network of this computer.

    Of several servers on this computer that share the port, a question to 127.0.0.1 alone reaches but one.
    """
    addresses = ["127.0.0.1", "127.255.255.255"]
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str) and not ip.ip.startswith("127."):
                network = ipaddress.IPv4Network(f"{ip.ip}/{ip.network_prefix}", strict=False)
                addresses.append(str(network.broadcast_address))
    return addresses


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


async def _ask(address: str, found: list[OfferedDevice], ignored: list[str]) -> None:
    """Add what the server at `address` lists."""
    worker = Worker(f"discovery of {address}")
    server = f"Alpaca server {address}"
    try:
        versions = await worker.call(_value, address, "/management/apiversions", server)
        if 1 not in versions:
            ignored.append(f"{server} speaks versions {one_line(repr(versions))}, not 1")
            return
        for entry in (await worker.call(_value, address, "/management/v1/configureddevices", server))[:MOST_DEVICES]:
            device = _device(address, entry)
            if device is None:
                ignored.append(f"{server} lists {one_line(repr(entry))}, which is no device")
            else:
                found.append(device)
    except DeviceError as error:
        ignored.append(str(error))
    finally:
        worker.close()


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
