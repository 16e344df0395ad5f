"""What an INDI server offers, from whatever it sends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import ConnectionLost, DeviceError, Malfunction
from drivers.indi.discovery import _Devices, offered_by

pytestmark = pytest.mark.wire

MOUNT = b"""<defSwitchVector device="Telescope Simulator" name="CONNECTION" label="Connection" group="Main Control"
 state="Idle" perm="rw" rule="OneOfMany" timeout="60" timestamp="2026-11-22T05:36:17">
    <defSwitch name="CONNECT" label="Connect">
Off
    </defSwitch>
    <defSwitch name="DISCONNECT" label="Disconnect">
On
    </defSwitch>
</defSwitchVector>
"""
CAMERA = b"""<defNumberVector device="CCD Simulator" name="CCD_INFO" state="Idle" perm="ro" timeout="60">
    <defNumber name="CCD_MAX_X" format="%4.0f" min="1" max="16000" step="0">1280</defNumber>
</defNumberVector>
<message device="CCD Simulator" timestamp="2026-11-22T05:36:17" message="Hello &amp; welcome"/>
"""


@asynccontextmanager
async def serving(*parts: bytes, hangs_up: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An INDI server that says `parts` once it is asked; its address and what it was asked."""
    asked: list[bytes] = []

    async def answer(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            asked.append(await stream.receive())
            try:
                for part in parts:
                    await stream.send(part)
                    await anyio.sleep(0.01)
                if not hangs_up:
                    await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 (no database near)
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, answer)
        yield f"127.0.0.1:{port}", asked
        group.cancel_scope.cancel()
    await listener.aclose()


async def test_the_devices_of_a_server_are_those_it_defines_in_its_order() -> None:
    async with serving(MOUNT, CAMERA, MOUNT) as (address, asked):
        assert await offered_by(address, wait_s=5.0) == ["Telescope Simulator", "CCD Simulator"]
    assert asked == [b'<getProperties version="1.7"/>\n']


async def test_an_answer_in_pieces_is_the_same_answer() -> None:
    pieces = [(MOUNT + CAMERA)[at : at + 60] for at in range(0, len(MOUNT + CAMERA), 60)]
    async with serving(*pieces) as (address, _):
        assert await offered_by(address, wait_s=5.0) == ["Telescope Simulator", "CCD Simulator"]


async def test_a_server_without_drivers_offers_nothing() -> None:
    async with serving() as (address, _):
        assert await offered_by(address, wait_s=0.2) == []


async def test_a_device_that_was_taken_away_is_not_offered() -> None:
    gone = b'<delProperty device="CCD Simulator"/><delProperty device="Telescope Simulator" name="X"/>'
    async with serving(MOUNT, CAMERA, gone) as (address, _):
        assert await offered_by(address, wait_s=5.0) == ["Telescope Simulator"]


async def test_a_server_that_never_falls_silent_is_listened_to_as_long_as_asked() -> None:
    chatter = [MOUNT] + [b"<message device='Telescope Simulator' message='tick'/>"] * 200
    async with serving(*chatter) as (address, _):
        began_s = anyio.current_time()
        assert await offered_by(address, wait_s=0.3) == ["Telescope Simulator"]
        assert anyio.current_time() - began_s < 1.0


async def test_what_was_named_before_a_hang_up_counts() -> None:
    async with serving(MOUNT, hangs_up=True) as (address, _):
        assert await offered_by(address, wait_s=5.0) == ["Telescope Simulator"]


async def test_a_hang_up_without_a_word_is_a_lost_connection() -> None:
    async with serving(hangs_up=True) as (address, _):
        with pytest.raises(ConnectionLost, match="hung up"):
            await offered_by(address, wait_s=5.0)


async def test_nobody_there_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLost, match=r"INDI server 127\.0\.0\.1:9: connect"):
        await offered_by("127.0.0.1:9", wait_s=5.0)


BOMB = b"""<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"""
HOSTILE: dict[str, tuple[bytes, str]] = {
    "another protocol": (b"HTTP/1.1 400 Bad Request\r\n\r\n<html></body>", "does not speak INDI"),
    "binary": (bytes(range(256)), "does not speak INDI"),
    "a document type": (BOMB, "does not speak INDI"),
    "an entity nobody declared": (b"<defTextVector device='&lol;'/>", "does not speak INDI"),
    "an element never opened": (b"</defTextVector>", "does not speak INDI"),
    "the root closed": (b"</stream><stream>", "does not speak INDI"),
    "nested without end": (b"<defTextVector device='x'>" + b"<a>" * 100_000, "longer than 262144 bytes"),
    "a name of a mile": (b"<defTextVector device='" + b"z" * 5000 + b"' name='N'/>", "5000 letters"),
    "a thousand devices": (
        b"".join(b"<defTextVector device='%d' name='N'/>" % number for number in range(1000)),
        "after 256 others",
    ),
    "an element without end": (b"<defBLOBVector device='x'>" + b"A" * (1 << 20), "longer than 262144 bytes"),
    "chatter without end": ((b"<message message='" + b"A" * 16_000 + b"'/>") * 1100, "more than 16 MiB"),
}


@pytest.mark.parametrize("stream", HOSTILE)
async def test_what_is_not_indi_is_a_malfunction(stream: str) -> None:
    body, why = HOSTILE[stream]
    async with serving(body) as (address, _):
        with pytest.raises(Malfunction, match=why):
            await offered_by(address, wait_s=10.0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_devices_or_an_error_of_ours(chunks: list[bytes]) -> None:
    devices = _Devices("INDI server")
    try:
        for chunk in chunks:
            devices.feed(chunk)
    except DeviceError:
        return
    assert all(isinstance(name, str) for name in devices.names)
