"""Both links, our own and pyindi-client's, do the same on the same server: a fake that behaves, at life speed."""

import asyncio
import logging
import os
import signal
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Literal

import anyio
import pytest

from drivers.config import IndiDevice
from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.indi import heartbeat, pyindi_link
from drivers.indi import link as links
from drivers.indi.link import Link, connected
from drivers.indi.pyindi_link import PyIndiTransport
from tests.drivers.indi.conftest import needs_pyindi
from tests.drivers.indi.fake_indi import (
    FakeDevice,
    FakeIndi,
    FakeProperty,
    Values,
    busy_forever,
    refuse,
    slowly,
    spring_back,
)

pytestmark = pytest.mark.wire

Kind = Literal["native", "pyindi"]


@pytest.fixture(params=["native", pytest.param("pyindi", marks=needs_pyindi)])
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture
def mount() -> FakeDevice:
    device = FakeDevice(
        "Mount",
        FakeProperty("Number", "PLACE", {"RA": 1.0, "DEC": 2.0}, state="Ok", limits=(-90.0, 360.0)),
        FakeProperty("Number", "RATE", {"RA": 15.0, "DEC": 0.0}),
        FakeProperty("Switch", "TRACKS", {"TRACK_ON": False, "TRACK_OFF": True}),
        FakeProperty("Switch", "MOTION", {"NORTH": False, "SOUTH": True}, rule="AtMostOne"),
        FakeProperty("Switch", "ABORT", {"ABORT": False}, rule="AtMostOne"),
        FakeProperty("Text", "SITE", {"PLACE": "La Palma", "MORE": ""}, state="Alert"),
        FakeProperty("Light", "HEALTH", {"MOTOR": "Ok", "FAN": "Alert"}),
        FakeProperty("Number", "INFO", {"APERTURE": 0.25, "BELOW": -1e-7}, perm="ro"),
        FakeProperty("BLOB", "PICTURE", {"IMAGE": ""}, perm="ro"),
    )
    device.reactions |= {"ABORT": spring_back}
    return device


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.2)
    monkeypatch.setattr(heartbeat, "SILENT_S", 1.0)
    monkeypatch.setattr(pyindi_link, "GOODBYE_WITHIN_S", 0.5)


@pytest.fixture
async def server(mount: FakeDevice) -> AsyncIterator[FakeIndi]:
    async with FakeIndi([mount, FakeDevice("Other")]) as server:
        yield server


def reach(server: FakeIndi, kind: Kind, *needs: str) -> AbstractAsyncContextManager[Link]:
    settings = IndiDevice(driver="indi", address=server.address, device="Mount", link=kind)
    return connected("mount", settings, needs=needs)


@pytest.fixture
async def link(server: FakeIndi, kind: Kind) -> AsyncIterator[Link]:
    async with reach(server, kind, "PICTURE") as link:
        yield link


@needs_pyindi
async def test_both_tell_the_same_of_a_device(server: FakeIndi, mount: FakeDevice) -> None:
    async with reach(server, "native") as one, reach(server, "pyindi") as other:
        for prop in mount.also:
            assert one.vector(prop) == other.vector(prop)


async def test_all_that_is_described_is_known_when_the_link_is_there(server: FakeIndi, kind: Kind) -> None:
    async with reach(server, kind) as link:
        assert link.has("PLACE", "DEC")
        assert link.has("PICTURE")


@pytest.mark.parametrize("number", [0.0, -0.0, 1e-5, -1e-7, 123.456789012345678, -89.99999999999999, 1e7, 2**53 + 1.0])
async def test_a_number_arrives_as_it_was_sent(link: Link, mount: FakeDevice, number: float) -> None:
    await link.set_numbers("RATE", {"RA": number, "DEC": -number}, within_s=20.0)
    assert mount.commands[-1] == ("RATE", {"RA": number, "DEC": -number})
    assert link.number("RATE", "RA") == number


async def test_only_what_was_said_is_sent(link: Link, mount: FakeDevice) -> None:
    await link.set_numbers("RATE", {"DEC": 1.5}, within_s=20.0)
    assert mount.commands[-1] == ("RATE", {"DEC": 1.5})
    assert link.numbers("RATE") == {"RA": 15.0, "DEC": 1.5}


async def test_texts_and_switches_arrive_as_they_were_sent(link: Link, mount: FakeDevice) -> None:
    words = 'Roque "<de>" & los Muchachos’ 2.4 km, 1 → 2'
    await link.set_text("SITE", {"PLACE": words}, within_s=20.0)
    assert mount.commands[-1] == ("SITE", {"PLACE": words})
    assert link.text("SITE", "PLACE") == words
    await link.choose("TRACKS", "TRACK_ON", within_s=20.0)
    assert mount.commands[-1] == ("TRACKS", {"TRACK_ON": True, "TRACK_OFF": False})
    await link.choose("MOTION", None, within_s=20.0)
    assert mount.commands[-1] == ("MOTION", {"NORTH": False, "SOUTH": False})
    await link.choose("ABORT", "ABORT", within_s=20.0)
    assert mount.commands[-1] == ("ABORT", {"ABORT": True})


async def test_a_command_ends_as_the_driver_says(link: Link, mount: FakeDevice) -> None:
    mount.reactions["PLACE"] = slowly(0.2)
    await link.set_numbers("PLACE", {"RA": 5.0, "DEC": 6.0}, within_s=20.0)
    assert link.numbers("PLACE") == {"RA": 5.0, "DEC": 6.0}
    mount.reactions["PLACE"] = refuse("[ERROR] Below the horizon & dark.")
    with pytest.raises(Refused, match=r"the driver's last words: \[ERROR\] Below the horizon & dark"):
        await link.set_numbers("PLACE", {"RA": 5.0, "DEC": -6.0}, within_s=20.0)
    mount.reactions["PLACE"] = busy_forever
    await link.set_numbers("PLACE", {"RA": 7.0, "DEC": 6.0}, within_s=20.0, finished=False)
    with pytest.raises(TimedOut, match=r"not done within 0\.5 s, it is Busy"):
        await link.set_numbers("PLACE", {"RA": 8.0, "DEC": 6.0}, within_s=0.5)


async def test_other_values_are_sent_once_more_and_then_a_malfunction(
    link: Link, mount: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "SETTLE_S", 0.2)
    answers = iter([{"RA": 0.0}])

    def forgets_once(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Ok", **next(answers, values))

    mount.reactions["RATE"] = forgets_once
    await link.set_numbers("RATE", {"RA": 9.0}, within_s=20.0)
    assert (mount.times("RATE"), link.number("RATE", "RA")) == (2, 9.0)
    mount.reactions["RATE"] = lambda device, prop, _: device.tell(prop, state="Ok", RA=1.0)
    with pytest.raises(Malfunction, match="sent twice, and it has RA 1"):
        await link.set_numbers("RATE", {"RA": 9.0}, within_s=20.0)


async def test_a_picture_arrives_bit_by_bit(link: Link, mount: FakeDevice) -> None:
    body = os.urandom(3_000_000)
    picture, count = mount.also["PICTURE"], link.count("PICTURE")
    # behind a command, so that the server knows that pictures are wanted
    await link.set_numbers("RATE", {"RA": 1.0}, within_s=20.0)
    mount.send_blob(picture, body)
    blob = await link.next_blob("PICTURE", after_count=count, within_s=60.0)
    assert blob.format == ".fits"
    assert blob.body == body


async def test_a_compressed_picture_is_inflated_or_refused_in_words(link: Link, kind: Kind, mount: FakeDevice) -> None:
    """pyindi-client copies as many bytes as were announced, which are more than there are."""
    body = bytes(100_000)
    await link.set_numbers("RATE", {"RA": 1.0}, within_s=20.0)
    mount.send_blob(mount.also["PICTURE"], zlib.compress(body), ".fits.z", size=len(body))
    if kind == "pyindi":
        with pytest.raises(ConnectionLost, match="switch compression off in the driver"):
            await link.next_blob("PICTURE", after_count=1, within_s=60.0)
    else:
        blob = await link.next_blob("PICTURE", after_count=1, within_s=60.0)
        assert (blob.format, bytes(blob.body)) == (".fits", body)


async def test_pushed_words_never_get_into_a_command(link: Link, mount: FakeDevice) -> None:
    """The library's own vectors change under the hands of who sends them; these must not be used."""
    pushed = 0

    async def push() -> None:
        nonlocal pushed
        while True:
            for _ in range(20):
                pushed += 1
                mount.tell(mount.also["PLACE"], RA=float(pushed % 24), DEC=float(pushed % 90))
            await asyncio.sleep(0.005)

    mount.reactions["PLACE"] = lambda device, prop, _: device.tell(prop, state="Busy")
    sent = [{"RA": 100.0 + number / 7.0, "DEC": -number / 3.0} for number in range(150)]
    async with anyio.create_task_group() as group:
        group.start_soon(push)
        for values in sent:
            await link.set_numbers("PLACE", values, within_s=60.0, finished=False)
            mount.tell(mount.also["PLACE"], state="Ok")
        await link.set_numbers("RATE", {"RA": 1.0}, within_s=60.0)  # behind all the others
        group.cancel_scope.cancel()
    received = [values for name, values in mount.commands if name == "PLACE"]
    assert [values for values in received if values not in sent] == []
    # one whose answer could not be told from a pushed word may go out again; none is left out, none is out of order
    assert list(dict.fromkeys(tuple(values.items()) for values in received)) == [tuple(one.items()) for one in sent]


async def test_properties_that_go_and_come_again_are_followed(link: Link, mount: FakeDevice) -> None:
    mount.delete(mount.also["RATE"])
    await link.set_numbers("PLACE", {"RA": 1.0, "DEC": 1.0}, within_s=20.0)
    assert not link.has("RATE")
    mount.also["RATE"] = FakeProperty("Number", "RATE", {"RA": 1.0, "FIELD": 3.0})
    mount.describe("RATE")
    await link.wait_for("RATE", within_s=20.0)
    assert link.numbers("RATE") == {"RA": 1.0, "FIELD": 3.0}


async def test_a_driver_that_was_restarted_is_a_lost_connection_and_is_found_again(
    link: Link, kind: Kind, server: FakeIndi, mount: FakeDevice
) -> None:
    mount.restart()
    with pytest.raises(ConnectionLost, match="its driver was restarted, or disconnected from it"):
        await link.changed("PLACE", within_s=20.0)
    async with reach(server, kind) as again:
        assert again.number("PLACE", "RA") == 1.0


async def test_a_server_that_was_killed_is_noticed_at_once_and_found_again(
    kind: Kind, server: FakeIndi, mount: FakeDevice
) -> None:
    mount.reactions["PLACE"] = busy_forever
    for _ in range(3):
        async with reach(server, kind) as link, anyio.create_task_group() as group:

            async def slew(link: Link = link) -> None:
                with pytest.raises(ConnectionLost):
                    await link.set_numbers("PLACE", {"RA": 5.0, "DEC": 5.0}, within_s=60.0)

            before = mount.times("PLACE")
            group.start_soon(slew)
            while mount.times("PLACE") == before:
                await anyio.sleep(0.01)
            server.kill()
        await server.__aenter__()
    async with reach(server, kind):
        assert mount.times("PLACE") == 3


async def test_a_server_that_asks_whether_we_are_there_is_answered(link: Link, server: FakeIndi) -> None:
    server.say("<pingRequest uid='are you &amp; there'/>")
    await link.set_numbers("RATE", {"RA": 5.0}, within_s=20.0)
    while "pingReply" not in server.asked:
        await anyio.sleep(0.01)


async def test_a_frozen_server_is_noticed(
    short_patience: None, link: Link, server: FakeIndi, caplog: pytest.LogCaptureFixture
) -> None:
    server.freeze()
    with caplog.at_level(logging.ERROR), pytest.raises(ConnectionLost, match=r"has not answered for \d"):
        await link.set_numbers("RATE", {"RA": 5.0}, within_s=600.0)
    with pytest.raises(ConnectionLost):
        link.number("RATE", "RA")


async def test_nobody_is_left_after_a_goodbye(kind: Kind, server: FakeIndi, mount: FakeDevice) -> None:
    async with reach(server, kind, "PICTURE"):
        assert server.connections == 1
    while server.connections:
        await anyio.sleep(0.01)
    assert not mount.on


async def test_nobody_there_is_a_lost_connection(kind: Kind) -> None:
    settings = IndiDevice(driver="indi", address="127.0.0.1:9", device="Mount", link=kind)
    with pytest.raises(ConnectionLost, match="connect"):
        async with connected("mount", settings):
            pytest.fail("it was taken for connected")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[PyIndiTransport]]:
    """The processes of pyindi-client that were started."""
    started: list[PyIndiTransport] = []
    opened = links._OPEN["pyindi"]

    async def remember(*args: object) -> PyIndiTransport:
        transport = await opened(*args)  # type: ignore[arg-type]
        assert isinstance(transport, PyIndiTransport)
        started.append(transport)
        return transport

    monkeypatch.setitem(links._OPEN, "pyindi", remember)
    yield started
    assert all(one._process.returncode is not None for one in started), "a process was left over"


@needs_pyindi
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
async def test_a_process_that_dies_or_hangs_is_a_lost_connection_and_leaves_nothing(
    short_patience: None,
    server: FakeIndi,
    mount: FakeDevice,
    processes: list[PyIndiTransport],
    by: signal.Signals,
) -> None:
    async with reach(server, "pyindi", "PICTURE") as link:
        os.kill(processes[0]._process.pid, by)
        with pytest.raises(ConnectionLost, match=r"process of pyindi-client ended|has not answered"):
            await link.changed("PLACE", within_s=600.0)
    async with reach(server, "pyindi", "PICTURE") as link:
        assert link.number("PLACE", "RA") == 1.0
    assert processes[1]._process.returncode == 0


@needs_pyindi
async def test_a_goodbye_ends_the_process_in_order_even_while_words_and_pictures_arrive(
    server: FakeIndi, mount: FakeDevice, processes: list[PyIndiTransport]
) -> None:
    async def chatter() -> None:
        body = bytes(100_000)
        while True:
            mount.send_blob(mount.also["PICTURE"], body)
            for number in range(50):
                mount.tell(mount.also["PLACE"], RA=float(number))
            await asyncio.sleep(0.002)

    mount.switch(on=True)
    async with anyio.create_task_group() as group:
        group.start_soon(chatter)
        for _ in range(3):
            async with reach(server, "pyindi", "PICTURE") as link:
                await link.next_blob("PICTURE", after_count=0, within_s=60.0)
        group.cancel_scope.cancel()
    assert [one._process.returncode for one in processes] == [0, 0, 0]


BRIDGE = """
import sys, anyio
from drivers.config import IndiDevice
from drivers.indi.link import connected

async def main():
    settings = IndiDevice(driver="indi", address=sys.argv[1], device="Mount", link="pyindi")
    async with connected("mount", settings):
        print("connected", flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


@needs_pyindi
async def test_a_bridge_that_is_killed_leaves_no_process_and_no_connection(server: FakeIndi) -> None:
    bridge = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BRIDGE, server.address, stdout=asyncio.subprocess.PIPE
    )
    assert bridge.stdout is not None
    assert await bridge.stdout.readline() == b"connected\n"
    assert server.connections == 1
    bridge.kill()
    await bridge.communicate()
    while server.connections:  # its process has said goodbye by itself
        await anyio.sleep(0.01)


@needs_pyindi
async def test_a_cancelled_start_leaves_no_process(server: FakeIndi, processes: list[PyIndiTransport]) -> None:
    server.freeze()
    with anyio.move_on_after(0.5):
        async with reach(server, "pyindi"):
            pytest.fail("it was taken for connected")
    server.thaw()


async def test_without_pyindi_client_it_says_what_to_do(server: FakeIndi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Refused, match=r'pyindi-client is not installed .*choose link = "native"'):
        async with reach(server, "pyindi"):
            pytest.fail("it was taken for connected")
