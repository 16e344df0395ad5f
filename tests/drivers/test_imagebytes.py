"""Pictures off the wire: exactly the one that was exposed, or an error before any memory is taken for it."""

import json
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import anyio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.alpaca.errors import Unsupported
from drivers.alpaca.imagebytes import Expected, Picture
from drivers.alpaca.tables import read_table
from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused, TimedOut
from drivers.threads import Worker
from tests.drivers.fake_alpaca import FakeAlpaca, Raw, hangs_up_after, says, silent_until

BINARY = {"Content-Type": "application/imagebytes"}
WIRE_TYPES = {1: "<i2", 2: "<i4", 3: "<f8", 4: "<f4", 5: "<u8", 6: "u1", 7: "<i8", 8: "<u2", 9: "<u4"}

# Three columns and two rows, as the sky is on the chip: the top row first.
AS_SEEN = np.array([[11, 12, 13], [21, 22, 23]], dtype=np.uint16)


@pytest.fixture
def server() -> Iterator[FakeAlpaca]:
    with FakeAlpaca(lambda: 0.0) as server:
        yield server


def header(**changed: int) -> bytes:
    fields = {
        "version": 1,
        "error": 0,
        "client": 1,
        "server": 1,
        "data_start": 44,
        "image_type": 2,
        "wire_type": 8,
        "rank": 2,
        "d1": 3,
        "d2": 2,
        "d3": 0,
    } | changed
    return struct.pack("<11i", *fields.values())


def imagebytes(as_seen: np.ndarray, wire_type: int = 8, padding: bytes = b"") -> bytes:
    """A picture (top row first) as a server sends it: column by column."""
    height, width = as_seen.shape
    columns = np.ascontiguousarray(as_seen.T).astype(WIRE_TYPES[wire_type])
    return header(wire_type=wire_type, d1=width, d2=height, data_start=44 + len(padding)) + padding + columns.tobytes()


def read(server: FakeAlpaca, answer: Raw, *, width_px: int = 3, height_px: int = 2, within_s: float = 5.0) -> Any:
    server.instead["camera", "imagearray"] = answer
    expected = Expected(device="camera", width_px=width_px, height_px=height_px)
    return Picture(server.address, 0, expected).read(within_s)


@pytest.mark.parametrize("wire_type", WIRE_TYPES)
def test_every_type_of_pixel_arrives_with_the_bottom_row_first(wire_type: int, server: FakeAlpaca) -> None:
    pixels = read(server, says(imagebytes(AS_SEEN, wire_type), headers=BINARY))
    assert pixels.dtype == np.uint16
    assert pixels.tolist() == [[21, 22, 23], [11, 12, 13]]


def test_nothing_is_copied(server: FakeAlpaca) -> None:
    pixels = read(server, says(imagebytes(AS_SEEN), headers=BINARY))
    assert not pixels.flags.owndata
    assert pixels.strides == (-2, 4)  # up the columns in which Alpaca sends it


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([2, 3, 5, 7, 8, 9]),
    st.binary(max_size=64),
    st.integers(0, 2**32),
)
def test_what_is_sent_is_what_is_read(
    server: FakeAlpaca, width: int, height: int, wire_type: int, padding: bytes, seed: int
) -> None:
    as_seen = np.random.default_rng(seed).integers(0, 65536, (height, width))
    answer = says(imagebytes(as_seen, wire_type, padding), headers=BINARY)
    assert (read(server, answer, width_px=width, height_px=height)[::-1] == as_seen).all()


def test_a_picture_of_many_chunks_is_whole(server: FakeAlpaca) -> None:
    as_seen = np.random.default_rng(7).integers(0, 65536, (700, 900))
    pixels = read(server, says(imagebytes(as_seen, 2), headers=BINARY), width_px=900, height_px=700)
    assert (pixels[::-1] == as_seen).all()


def test_a_server_that_does_not_say_how_long_it_is_is_read_to_its_end(server: FakeAlpaca) -> None:
    def chunked(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/imagebytes\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        body = imagebytes(AS_SEEN)
        for part in (body[:7], body[7:50], body[50:]):
            handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    assert read(server, chunked).tolist() == [[21, 22, 23], [11, 12, 13]]


def test_a_small_picture_as_json_is_read_too(server: FakeAlpaca) -> None:
    reply = {"Type": 2, "Rank": 2, "Value": AS_SEEN.T.tolist(), "ErrorNumber": 0, "ErrorMessage": ""}
    assert read(server, says(json.dumps(reply).encode())).tolist() == [[21, 22, 23], [11, 12, 13]]


def test_a_table_is_read_column_by_column_and_no_other_thread_waits_for_the_whole() -> None:
    """A stop has a thread of its own; parsed at one go, nine megapixels would hold it for a second and more."""
    columns = [[number % 65536 for number in range(column, column + 2000)] for column in range(1500)]
    text = json.dumps({"Type": 2, "Value": columns, "ErrorNumber": 0, "ErrorMessage": ""})
    turns, done = 0, threading.Event()

    def take_turns() -> None:
        nonlocal turns
        while not done.wait(0.001):
            turns += 1

    other = threading.Thread(target=take_turns)
    other.start()
    read, reply = read_table(text)
    seen = turns
    done.set()
    other.join()
    assert len(read) == 1500
    assert read[7].tolist() == columns[7]
    assert reply == {"Type": 2, "Value": None, "ErrorNumber": 0, "ErrorMessage": ""}
    assert seen >= 5, "the other thread had its turns meanwhile"


@pytest.mark.parametrize("text", ['{"Value" : [ [1, 2] ,[3,4]\n] }', '{"Value":[[1,2],[3,4]],"x":"\\"Value\\": [["}'])
def test_a_table_may_be_written_as_json_allows(text: str) -> None:
    columns, _ = read_table(text)
    assert [column.tolist() for column in columns] == [[1, 2], [3, 4]]


def binary(body: bytes) -> Raw:
    return says(body, headers=BINARY)


def announcing(length: int, body: bytes) -> Raw:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/imagebytes\r\nContent-Length: {length}\r\n\r\n"
    return hangs_up_after(head.encode() + body)


def table(value: object, **more: object) -> Raw:
    return says(json.dumps({"Value": value, "ErrorNumber": 0, "ErrorMessage": ""} | more).encode())


SIX = AS_SEEN.T.tobytes()
HOSTILE: dict[str, tuple[Raw, type[DeviceError], str]] = {
    "two thousand million columns": (binary(header(d1=2**31 - 1) + SIX), Malfunction, "2147483647"),
    "fewer than no rows": (binary(header(d2=-2) + SIX), Malfunction, "-2"),
    "another size": (binary(imagebytes(AS_SEEN.T)), Malfunction, r"the size \(2, 3\) px, and \(3, 2\) px were exposed"),
    "one axis": (binary(header(rank=1) + SIX), Malfunction, "1 axes"),
    "nine axes": (binary(header(rank=9) + SIX), Malfunction, "9 axes"),
    "colour planes": (binary(header(rank=3, d3=3) + SIX * 3), Refused, "colour planes; choose a raw or monochrome"),
    "pixels of no type": (binary(header(wire_type=42) + SIX), Malfunction, "type 42"),
    "another version": (binary(header(version=2) + SIX), Malfunction, "version 2"),
    "numbers the other way round": (
        binary(struct.pack(">11i", 1, 0, 1, 1, 44, 2, 8, 2, 3, 2, 0)),
        Malfunction,
        "version",
    ),
    "pixels before the header": (binary(header(data_start=4) + SIX), Malfunction, "start at byte 4"),
    "pixels before the beginning": (binary(header(data_start=-9) + SIX), Malfunction, "start at byte -9"),
    "pixels after the end": (binary(header(data_start=2**31 - 1) + SIX), Malfunction, "start at byte 2147483647"),
    "pixels just after the end": (binary(header(data_start=60) + SIX), Malfunction, "12 bytes follow .* announces 28"),
    "too few bytes": (binary(header() + SIX[:-1]), Malfunction, "11 bytes follow .* announces 12"),
    "too many bytes": (binary(header() + SIX + b"!"), Malfunction, "13 bytes follow .* announces 12"),
    "half a header": (binary(header()[:20]), ConnectionLost, "20 of 44 bytes"),
    "no body": (binary(b""), ConnectionLost, "0 of 44 bytes"),
    "an end in the middle": (announcing(44 + 12, header() + SIX[:5]), ConnectionLost, "5 of 12 bytes"),
    "a length of terabytes": (announcing(2**45, header(d1=2**20, d2=2**24)), Malfunction, "size"),
    "a length that is too long by far": (announcing(2**45, header() + SIX), Malfunction, "bytes follow"),
    "below zero": (binary(imagebytes(np.array([[0, 1, -7], [0, 0, 0]]), 1)), Malfunction, "a pixel of -7"),
    "above 65535": (binary(imagebytes(np.array([[0, 1, 65536], [0, 0, 0]]), 2)), Malfunction, "a pixel of 65536"),
    "far above": (binary(imagebytes(np.array([[0, 1, 2**40], [0, 0, 0]]), 5)), Malfunction, "a pixel of 1099511627776"),
    "not a number": (binary(imagebytes(np.array([[0, 1, np.nan], [0, 0, 0]]), 3)), Malfunction, "a pixel of nan"),
    "without end": (binary(imagebytes(np.array([[0, 1, np.inf], [0, 0, 0]]), 4)), Malfunction, "a pixel of inf"),
    "a broken number": (binary(imagebytes(np.array([[0, 1, 0.5], [0, 0, 0]]), 3)), Malfunction, "0.5.*no whole number"),
    "an error in the header": (
        binary(header(error=0x402) + b"no image yet, mon ami"),
        Refused,
        "no image yet, mon ami .*0x402",
    ),
    "an error after padding": (binary(header(error=0x500, data_start=50) + b"......USB gone"), Malfunction, "USB gone"),
    "an error that starts nowhere": (
        binary(header(error=0x407, data_start=-1) + b"unplugged"),
        ConnectionLost,
        "unplugged",
    ),
    "an error as JSON": (table(None, ErrorNumber=0x40B, ErrorMessage="still exposing"), Refused, "still exposing"),
    "an error as JSON with 400": (
        says(b'{"ErrorNumber": 1024, "ErrorMessage": "no camera"}', status=400),
        Unsupported,
        "no camera",
    ),
    "status 500": (says(b"boom", status=500), Malfunction, "boom"),
    "status 404": (says(b"<html>", status=404, headers={"Content-Type": "text/html"}), Unsupported, "404"),
    "elsewhere": (says(b"", status=302, headers={"Location": "http://192.0.2.1/"}), Malfunction, "302"),
    "a page": (says(b"<html>", headers={"Content-Type": "text/html"}), Malfunction, "text/html.*an Alpaca camera"),
    "compressed": (says(b"x", headers=BINARY | {"Content-Encoding": "gzip"}), Malfunction, "encoded as gzip"),
    "JSON that is none": (says(b"[[1,"), Malfunction, "no table of numbers"),
    "JSON of something": (says(b"[]"), Malfunction, "no table of numbers"),
    "JSON without a value": (says(b"{}"), Malfunction, "no table of numbers"),
    "JSON that ends in its table": (says(b'{"Value": [[1, 2], [3'), Malfunction, "no table of numbers"),
    "JSON with a hole in its table": (says(b'{"Value": [[1, 2], , [3, 4]]}'), Malfunction, "no table of numbers"),
    "JSON with something after its table": (says(b'{"Value": [[1, 2]]] }'), Malfunction, "no table of numbers"),
    "JSON with much around its table": (
        says(b'{"Value": [[1, 2]], "x": "' + b"z" * (1 << 19) + b'"}'),
        Malfunction,
        "no table of numbers: 5243",
    ),
    "JSON of one column of words": (table([[1, 2], "ab", [3, 4]]), Malfunction, "no table of numbers"),
    "JSON of words": (table([["a", "b"]]), Malfunction, "no table of numbers"),
    "a ragged table": (table([[1, 2], [3]]), Malfunction, "no table of numbers"),
    "a table of flags": (table([[True, False]] * 3), Malfunction, "no table of numbers"),
    "numbers beyond all types": (table([[10**30, 1]] * 3), Malfunction, "no table of numbers"),
    "a table of another size": (table([[1, 2, 3]] * 2), Malfunction, "size"),
    "a table in colour": (table([[[1, 2, 3]] * 2] * 3), Refused, "colour planes"),
    "a table below zero": (table([[-1, 2]] * 3), Malfunction, "a pixel of -1"),
    "JSON far too long": (
        says(b"", headers={"Content-Type": "application/json", "Content-Length": str(1 << 40)}),
        Malfunction,
        "longer than it may be",
    ),
    "no HTTP": (hangs_up_after(b"SSH-2.0-OpenSSH\r\n\r\n"), Malfunction, "not HTTP"),
    "a hang-up": (hangs_up_after(b""), ConnectionLost, "no connection"),
}


@pytest.mark.parametrize("answer", HOSTILE)
def test_whatever_else_comes_is_an_error_of_ours_and_takes_no_memory(answer: str, server: FakeAlpaca) -> None:
    raw, expected, what = HOSTILE[answer]
    tracemalloc.start()
    try:
        with pytest.raises(DeviceError, match=what) as caught:
            read(server, raw)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert type(caught.value) is expected
    assert caught.value.device == "camera"


def test_a_chunked_picture_that_goes_on_is_refused(server: FakeAlpaca) -> None:
    def goes_on(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/imagebytes\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        body = imagebytes(AS_SEEN) + b"more"
        handler.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")

    with pytest.raises(Malfunction, match="goes on after its last pixel"):
        read(server, goes_on)


def test_a_download_that_stalls_half_way_is_given_up_in_time(server: FakeAlpaca) -> None:
    stalled = threading.Event()

    def stalls(handler: BaseHTTPRequestHandler) -> None:
        body = imagebytes(AS_SEEN)
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/imagebytes\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body[:50]
        )
        handler.wfile.flush()
        stalled.wait(30.0)

    try:
        with pytest.raises(TimedOut, match="camera: read the picture: no whole answer"):
            read(server, stalls, within_s=0.3)
    finally:
        stalled.set()


def test_a_download_that_drips_is_given_up_in_time_though_bytes_keep_coming(server: FakeAlpaca) -> None:
    stopped = threading.Event()

    def drips(handler: BaseHTTPRequestHandler) -> None:
        body = imagebytes(np.zeros((50, 60), dtype=np.uint16))
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/imagebytes\r\nContent-Length: 6044\r\n\r\n")
        for at in range(len(body)):
            handler.wfile.write(body[at : at + 1])
            handler.wfile.flush()
            if stopped.wait(0.01):
                return

    try:
        with pytest.raises(TimedOut):
            read(server, drips, width_px=60, height_px=50, within_s=0.3)
    finally:
        stopped.set()


def test_nobody_there_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLost):
        Picture("127.0.0.1:9", 0, Expected(device="camera", width_px=3, height_px=2)).read(1.0)


@pytest.mark.wire
async def test_a_download_that_is_no_longer_wanted_ends_at_once(server: FakeAlpaca) -> None:
    released = threading.Event()
    server.instead["camera", "imagearray"] = silent_until(released)
    picture = Picture(server.address, 0, Expected(device="camera", width_px=3, height_px=2))
    worker = Worker("camera")
    read: Callable[[float], Any] = picture.read
    try:
        with anyio.fail_after(10.0), anyio.move_on_after(0.1) as scope:
            await worker.call_with_stop(picture.stop, read, 600.0)  # ten minutes, if it were not stopped
        assert scope.cancelled_caught
        assert not released.is_set()
    finally:
        released.set()
        worker.close()


def test_a_download_that_is_given_up_before_it_began_never_begins(server: FakeAlpaca) -> None:
    picture = Picture(server.address, 0, Expected(device="camera", width_px=3, height_px=2))
    server.instead["camera", "imagearray"] = says(imagebytes(AS_SEEN), headers=BINARY)
    picture.stop()
    with pytest.raises(TimedOut):
        picture.read(5.0)
