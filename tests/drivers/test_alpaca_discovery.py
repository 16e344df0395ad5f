"""Alpaca discovery on loopback: what is listed is what real servers list; the rest is set aside with a reason."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import anyio
import pytest

from drivers.alpaca.discovery import MOST_DEVICES, OfferedDevice, everywhere, find, listed_at, survey

pytestmark = pytest.mark.wire(rate=10.0)

TELESCOPE = {"DeviceName": "Sky-Watcher", "DeviceType": "Telescope", "DeviceNumber": 0, "UniqueID": "a-1"}
CAMERA = {"DeviceName": "ASI6200", "DeviceType": "Camera", "DeviceNumber": 1, "UniqueID": "a-2"}


@dataclass
class Server:
    """An Alpaca server's management API."""

    versions: Any = field(default_factory=lambda: [1])
    devices: Any = field(default_factory=list)
    status: int = 200

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                value = server.versions if self.path.endswith("apiversions") else server.devices
                self.send_response(server.status)
                self.end_headers()
                self.wfile.write(json.dumps({"Value": value}).encode())

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.005})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._http.server_address[1]}"

    @property
    def answer(self) -> bytes:
        return json.dumps({"AlpacaPort": self._http.server_address[1]}).encode()


class Responder(asyncio.DatagramProtocol):
    """Answers each discovery with some datagrams."""

    def __init__(self, *answers: bytes) -> None:
        self.asked: list[bytes] = []
        self._answers = answers

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append(data)
        for answer in self._answers:
            self._transport.sendto(answer, addr)


async def ask(*answers: bytes, wait_s: float = 2.0) -> tuple[Any, Responder]:
    """What a survey finds where a responder says `answers`."""
    loop = asyncio.get_running_loop()
    transport, responder = await loop.create_datagram_endpoint(lambda: Responder(*answers), local_addr=("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        return await survey(wait_s=wait_s, port=port, towards=["127.0.0.1"]), responder
    finally:
        transport.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(devices=[TELESCOPE, CAMERA]) as server:
        yield server


async def test_every_device_of_a_server_is_offered(server: Server) -> None:
    found, responder = await ask(server.answer)
    assert responder.asked == [b"alpacadiscovery1"]
    assert found.offered == (
        OfferedDevice(address=server.address, device_type="Camera", device_number=1, name="ASI6200", unique_id="a-2"),
        OfferedDevice(
            address=server.address, device_type="Telescope", device_number=0, name="Sky-Watcher", unique_id="a-1"
        ),
    )
    assert found.ignored == ()


async def test_a_survey_ends_soon_after_the_first_answer(server: Server) -> None:
    began_s = anyio.current_time()
    await ask(server.answer, wait_s=60.0)
    assert anyio.current_time() - began_s < 30.0


async def test_silence_is_no_device() -> None:
    found, _ = await ask(wait_s=0.2)
    assert found.offered == ()


async def test_two_servers_answer_and_one_that_answers_twice_is_listed_once(server: Server) -> None:
    other_camera = CAMERA | {"UniqueID": "b-1", "DeviceNumber": 0}
    with Server(devices=[other_camera]) as other:
        found, _ = await ask(server.answer, other.answer, server.answer)
    assert sorted((one.address, one.device_number) for one in found.offered) == sorted(
        [(server.address, 0), (server.address, 1), (other.address, 0)]
    )


async def test_a_device_reached_at_two_addresses_is_one_device(server: Server) -> None:
    with Server(devices=[TELESCOPE, CAMERA]) as same:  # as when it listens on two networks
        found, _ = await ask(server.answer, same.answer)
    assert len(found.offered) == 2


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"AlpacaPort": "11111"}',
        b'{"AlpacaPort": true}',
        b'{"AlpacaPort": 0}',
        b'{"AlpacaPort": 70000}',
        b'{"AlpacaPort": -1}',
        b'{"AlpacaPort": 11111.5}',
        b"[" * 400,
        b'{"AlpacaPort": 11111, "x": "' + b"z" * 600 + b'"}',
    ],
)
async def test_garbage_is_set_aside_with_a_reason_and_harms_nothing(garbage: bytes, server: Server) -> None:
    found, _ = await ask(garbage, server.answer)
    assert len(found.offered) == 2
    assert len(found.ignored) == 1
    assert "127.0.0.1 answered" in found.ignored[0]


async def test_a_spoofed_answer_that_points_nowhere_is_set_aside(server: Server) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = json.dumps({"AlpacaPort": unused.getsockname()[1]}).encode()
        found, _ = await ask(nowhere, server.answer)
    assert len(found.offered) == 2
    assert any("no connection" in reason for reason in found.ignored)


@pytest.mark.parametrize(
    ("server_settings", "reason"),
    [
        ({"versions": [2]}, r"speaks versions \[2\]"),
        ({"versions": "none"}, r"speaks versions \[\]"),
        ({"versions": {"a": 1}}, r"speaks versions \[\]"),
        ({"status": 500}, "500"),
        ({"devices": [{"DeviceName": "x"}]}, "which is no device"),
        ({"devices": ["Telescope"]}, "which is no device"),
        ({"devices": [TELESCOPE | {"DeviceNumber": -1}]}, "which is no device"),
        ({"devices": [TELESCOPE | {"DeviceNumber": True}]}, "which is no device"),
    ],
)
async def test_a_server_that_makes_no_sense_is_set_aside(server_settings: dict[str, Any], reason: str) -> None:
    with Server(**server_settings) as odd:
        found, _ = await ask(odd.answer)
    assert found.offered == ()
    assert len(found.ignored) == 1
    assert re.search(reason, found.ignored[0])


async def test_names_with_terminal_codes_are_cleaned_and_a_flood_is_cut() -> None:
    loud = TELESCOPE | {"DeviceName": "\x1b[2JMount\n"}
    flood = [CAMERA | {"DeviceNumber": number, "UniqueID": f"c-{number}"} for number in range(5000)]
    with Server(devices=[loud]) as one, Server(devices=flood) as other:
        found, _ = await ask(one.answer, other.answer)
    assert [device.name for device in found.offered if device.device_type == "Telescope"] == ["[2JMount"]
    assert len(found.offered) <= 1 + MOST_DEVICES


def test_every_network_of_this_computer_is_asked_and_loopback_first() -> None:
    addresses = everywhere()
    assert addresses[0] == "127.0.0.1"
    assert all(address.count(".") == 3 or ":" in address for address in addresses)
    assert any(address.startswith("ff12::a1:9aca%") for address in addresses), "on every interface"


async def test_a_server_on_ipv6_is_found_where_this_computer_has_it(server: Server) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as own:
        try:
            own.bind(("::1", 0))
        except OSError:
            pytest.skip("this computer has no IPv6")
    loop = asyncio.get_running_loop()
    transport, responder = await loop.create_datagram_endpoint(lambda: Responder(server.answer), local_addr=("::1", 0))
    try:
        found = await survey(wait_s=20.0, port=transport.get_extra_info("sockname")[1], towards=["::1"])
    finally:
        transport.close()
    assert responder.asked == [b"alpacadiscovery1"]
    assert len(found.ignored) == 1, "the management API of this test listens on IPv4 alone"
    assert f"[::1]:{server.address.rpartition(':')[2]}" in found.ignored[0]


async def test_a_device_that_is_looked_for_is_given_as_soon_as_it_is_listed(server: Server) -> None:
    loop = asyncio.get_running_loop()
    answers = Responder(b"garbage", server.answer)
    transport, _ = await loop.create_datagram_endpoint(lambda: answers, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    began_s = anyio.current_time()
    try:
        found = await find(lambda one: one.unique_id == "a-2", wait_s=300.0, port=port, towards=["127.0.0.1"])
        assert found is not None
        assert found.name == "ASI6200"
        assert anyio.current_time() - began_s < 150.0
        assert await find(lambda one: one.unique_id == "zzz", wait_s=2.0, port=port, towards=["127.0.0.1"]) is None
    finally:
        transport.close()


async def test_addresses_that_cannot_be_asked_are_passed_over(server: Server) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Responder(server.answer), local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        found = await survey(port=port, towards=["ff12::a1:9aca%99999", "127.0.0.1"])
    finally:
        transport.close()
    assert len(found.offered) == 2


async def test_what_one_server_lists_is_asked_without_discovery(server: Server) -> None:
    listed = await listed_at(server.address)
    assert [one.unique_id for one in listed.offered] == ["a-1", "a-2"]
