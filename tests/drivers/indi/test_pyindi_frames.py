"""The socket between us and the process of pyindi-client: whatever comes through it ends in events or a lost link."""

import asyncio
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.indi.frames import HEAD, packed, unpacked
from drivers.indi.properties import Blob, Deleted, Event, Kind, New, PingReply, Said, Updated
from drivers.indi.pyindi_link import MOST_UNREAD_BYTES, PyIndiTransport


@dataclass
class Ear:
    """Remembers what it is told."""

    events: list[Event] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        self.events.append(event)

    def lose(self, why: str) -> None:
        self.lost.append(why)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for that of pyindi-client: it only waits to be ended."""
    waiting = subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE)
    yield waiting
    waiting.communicate()


@pytest.fixture
async def ear() -> Ear:
    return Ear()


@pytest.fixture
async def transport(ear: Ear, process: subprocess.Popen[bytes]) -> PyIndiTransport:
    return PyIndiTransport("Mount", ear, process)


def pour(transport: PyIndiTransport, stream: bytes, portion: int) -> None:
    """As the loop does: into the memory it is given, as much as fits."""
    while stream:
        room = transport.get_buffer(portion)
        count = min(len(room), len(stream), portion)
        room[:count] = stream[:count]
        stream = stream[count:]
        transport.buffer_updated(count)


UPDATED = {"name": "RATE", "state": "Ok", "kind": "Number", "values": {"RA": 1.5}, "limits": {"RA": [0.0, 2.0, 0.0]}}
BLOB = {"name": "PICTURE", "state": "Ok", "element": "IMAGE", "format": ".fits"}
FRAMES = (
    packed({"updated": UPDATED})
    + packed({"alive": 7})
    + packed({"blob": BLOB}, 5)
    + b"stars"
    + packed({"blob": BLOB}, 0)
    + packed({"said": "2026-11-22T05:36:17: [INFO] dew: none"})
    + packed({"pong": "3"})
    + packed({"deleted": None})
)


@pytest.mark.parametrize("portion", [1, 2, 7, 1000])
async def test_frames_become_events_however_they_are_cut(portion: int, transport: PyIndiTransport, ear: Ear) -> None:
    pour(transport, FRAMES, portion)
    updated, picture, empty, *others = ear.events
    assert isinstance(updated, Updated)
    assert (updated.kind, updated.values, updated.limits["RA"].maximum) == (Kind.NUMBER, {"RA": 1.5}, 2.0)
    assert isinstance(picture, Updated)
    assert isinstance(empty, Updated)
    blobs = [one.values["IMAGE"] for one in (picture, empty)]
    assert [bytes(blob.body) for blob in blobs if isinstance(blob, Blob)] == [b"stars", b""]
    assert others == [
        Said(device="Mount", message="[INFO] dew: none"),
        PingReply(uid="3"),
        Deleted(device="Mount", name=None),
    ]
    assert not ear.lost


@pytest.mark.parametrize(
    "nonsense",
    [
        struct.pack("<IQ", 1 << 30, 0),
        struct.pack("<IQ", 2, 1 << 62),
        HEAD.pack(4, 0) + b"[1]]",
        HEAD.pack(2, 0) + b"[]",
        HEAD.pack(2, 0) + b"\xff\xfe",
        packed({"updated": {}}),
        packed({"updated": UPDATED | {"state": "Fine"}}),
        packed({"updated": UPDATED | {"kind": "Colour"}}),
        packed({"updated": [1]}),
        packed({"defined": {"kind": "Number"}}),
        packed({"blob": {}}, 3) + b"abc",
    ],
)
async def test_nonsense_is_a_lost_link_and_takes_no_memory(
    nonsense: bytes, transport: PyIndiTransport, ear: Ear
) -> None:
    pour(transport, nonsense, 1000)
    assert len(ear.lost) == 1
    assert "says nonsense" in ear.lost[0]
    with pytest.raises(ConnectionError):
        await transport.connected()


@pytest.mark.parametrize("words", [{"lost": "the server hung up"}, {"failed": "cannot connect"}])
async def test_a_server_that_is_gone_is_a_lost_link(
    words: dict[str, str], transport: PyIndiTransport, ear: Ear
) -> None:
    pour(transport, packed(words), 1000)
    assert ear.lost == list(words.values())
    with pytest.raises(ConnectionError, match=ear.lost[0]):
        await transport.connected()


async def test_a_process_that_takes_nothing_is_a_lost_link_before_memory_runs_out(
    ear: Ear, process: subprocess.Popen[bytes]
) -> None:
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    _, transport = await loop.create_connection(lambda: PyIndiTransport("Mount", ear, process), sock=ours)
    new = New(kind=Kind.TEXT, device="Mount", name="SITE", values={"PLACE": "x" * 10_000})
    sent = 0
    while not ear.lost:
        transport.send(new)
        sent += 1
        assert sent * 10_000 < 4 * MOST_UNREAD_BYTES + (1 << 20)  # what the kernel takes, too
    assert ear.lost == ["the process of pyindi-client does not take what it is sent"]
    theirs.close()
    await transport.close()
    await anyio.sleep(0.0)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
@settings(max_examples=40, deadline=None)
def test_words_come_out_as_they_went_in(words: dict[str, object]) -> None:
    frame = packed(words, 0)
    assert HEAD.unpack(frame[: HEAD.size]) == (len(frame) - HEAD.size, 0)
    assert unpacked(frame[HEAD.size :]) == json.loads(json.dumps(words))
