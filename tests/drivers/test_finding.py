"""A device known by its UniqueID: at its address if it is there, else where discovery finds it, and nowhere else."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler

import anyio
import pytest

from drivers.alpaca.connecting import connected
from drivers.alpaca.finding import is_home, located
from drivers.alpaca.link import Role
from drivers.config import AlpacaDevice
from drivers.errors import ConnectionLost
from tests.drivers.fake_alpaca import FakeAlpaca, FakeDevice
from tests.drivers.test_alpaca_discovery import CAMERA, TELESCOPE, Responder, Server

pytestmark = pytest.mark.wire(rate=20.0)


@asynccontextmanager
async def discovery(monkeypatch: pytest.MonkeyPatch, *servers: Server | bytes) -> AsyncIterator[Responder]:
    """These answer each discovery on loopback."""
    answers = [one if isinstance(one, bytes) else one.answer for one in servers]
    loop = asyncio.get_running_loop()
    transport, responder = await loop.create_datagram_endpoint(lambda: Responder(*answers), local_addr=("127.0.0.1", 0))
    monkeypatch.setattr("drivers.alpaca.finding.PORT", transport.get_extra_info("sockname")[1])
    monkeypatch.setattr("drivers.alpaca.finding.loopback", lambda: ["127.0.0.1"])
    try:
        yield responder
    finally:
        transport.close()


def device(server: Server | str, unique_id: str, number: int = 0) -> AlpacaDevice:
    address = server if isinstance(server, str) else server.address
    return AlpacaDevice(address=address, device_number=number, unique_id=unique_id)


def nowhere() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{unused.getsockname()[1]}"


async def test_without_a_unique_id_nobody_is_asked() -> None:
    settings = device(nowhere(), "")
    assert await located("mount", "telescope", settings) is settings


async def test_a_device_at_its_address_is_there_and_discovery_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(devices=[TELESCOPE, CAMERA]) as server:
        async with discovery(monkeypatch, server) as responder:
            settings = device(server, "A-1")  # in whichever case a person wrote it
            assert await located("mount", "telescope", settings) == settings
        assert responder.asked == []


async def test_a_device_that_got_another_number_is_found_by_its_unique_id() -> None:
    with Server(devices=[TELESCOPE | {"UniqueID": "b-9"}, TELESCOPE | {"DeviceNumber": 1}]) as server:
        assert (await located("mount", "telescope", device(server, "a-1"))).device_number == 1


async def test_a_device_whose_address_has_changed_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(devices=[CAMERA]) as other, Server(devices=[TELESCOPE, CAMERA]) as server:
        async with discovery(monkeypatch, other, server):
            began_s = anyio.current_time()
            found = await located("mount", "telescope", device(nowhere(), "a-1", number=5))
            assert (found.address, found.device_number) == (server.address, 0)
            assert anyio.current_time() - began_s < 60.0


async def test_another_device_at_the_address_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As when the router gave the mount's address to the neighbour's mount."""
    with Server(devices=[TELESCOPE | {"UniqueID": "b-1"}]) as neighbour, Server(devices=[TELESCOPE]) as server:
        async with discovery(monkeypatch, neighbour, server):
            found = await located("mount 0 at x", "telescope", device(neighbour, "a-1"))
    assert found.address == server.address
    assert f"mount 0 at x is found at {server.address}, number 0: another device answers there" in caplog.text


async def test_answers_to_discovery_that_list_others_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spoofed answers: only the UniqueID that was configured counts, and the kind of device with it."""
    same_id_other_kind = CAMERA | {"UniqueID": "a-1"}
    nobody = json.dumps({"AlpacaPort": int(nowhere().rpartition(":")[2])}).encode()
    with Server(devices=[TELESCOPE | {"UniqueID": "evil"}, same_id_other_kind]) as spoof:
        async with discovery(monkeypatch, b"\xff", nobody, spoof):
            address = nowhere()
            with pytest.raises(ConnectionLost, match=r"no telescope with the UniqueID 'a-1' is listed at") as caught:
                await located("mount", "telescope", device(address, "a-1"))
    assert address in str(caught.value)
    assert "no connection" in str(caught.value)
    assert caught.value.device == "mount"


async def test_a_device_on_this_computer_is_never_looked_for_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal stays on loopback, whatever answers."""
    asked: list[object] = []

    async def find(*_: object, towards: object, **__: object) -> None:
        asked.append(towards)

    monkeypatch.setattr("drivers.alpaca.finding.find", find)
    for address in (nowhere(), "localhost:9", "[::1]:9"):
        with pytest.raises(ConnectionLost):
            await located("mount", "telescope", device(address, "a-1"))
    assert asked == [["127.0.0.1", "127.255.255.255", "::1"]] * 3


async def test_a_server_without_a_management_api_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(status=500) as server:
        async with discovery(monkeypatch):
            with pytest.raises(ConnectionLost, match="500"):
                await located("mount", "telescope", device(server, "a-1"))


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("127.0.0.1:1", True),
        ("127.8.9.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("192.168.1.4:1", False),
        ("[fe80::1%eth0]:1", False),
        ("localhost.evil.example:1", False),
        ("mount.local:1", False),
    ],
)
def test_what_this_computer_is(address: str, home: bool) -> None:
    assert is_home(AlpacaDevice(address=address).address) is home


async def test_a_device_is_connected_where_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = asyncio.get_running_loop().time
    with FakeAlpaca(clock) as alpaca:
        real = alpaca.add("safetymonitor", FakeDevice(clock), number=3)
        listing = {"DeviceName": "x", "DeviceType": "SafetyMonitor", "DeviceNumber": 3, "UniqueID": "m-1"}
        async with discovery(monkeypatch, lists(alpaca, listing)):
            async with connected(Role.SAFETY_MONITOR, device(nowhere(), "m-1")) as link:
                assert real.Connected is True
                assert link.name == f"safety monitor 3 at {alpaca.address}"
            assert real.Connected is False


def lists(alpaca: FakeAlpaca, *devices: dict[str, object]) -> bytes:
    """Give a fake Alpaca server the management API that lists these; gives its answer to discovery."""
    handler = alpaca._server.RequestHandlerClass
    members = handler.do_GET  # type: ignore[attr-defined]
    values = {"apiversions": [1], "configureddevices": devices}

    def do_get(asked: BaseHTTPRequestHandler) -> None:
        value = values.get(asked.path.rpartition("/")[2])
        if value is None:
            members(asked)
        else:
            asked.reply(json.dumps({"Value": value}).encode())  # type: ignore[attr-defined]

    handler.do_GET = do_get  # type: ignore[attr-defined]
    return json.dumps({"AlpacaPort": alpaca.port}).encode()
