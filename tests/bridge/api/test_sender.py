"""Files over real sockets, to storages that answer early, late, wrongly or never."""

import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self
from uuid import UUID

import anyio
import anyio.to_thread
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api import sender
from bridge.api.client import CitraApi, open_api
from bridge.api.models import UploadTicket
from bridge.api.sender import FileBody, FileSender
from bridge.api.uplink import Uplink
from bridge.clock import SystemClock
from bridge.config import ApiSettings
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable
from bridge.events import Telemetry

SIZE_BYTES = 3 << 20  # more than all buffers between two sockets hold, where nobody reads


class Visit:
    """One connection, as the storage sees it."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.told = bytearray()

    def hear_head(self) -> int:
        """How long the body is said to be."""
        while b"\r\n\r\n" not in self.told:
            self.told += self._some()
        head, _, body = bytes(self.told).partition(b"\r\n\r\n")
        self.told = bytearray(body)
        return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])

    def hear(self) -> None:
        """The whole of a request."""
        length = self.hear_head()
        while len(self.told) < length:
            self.told += self._some()

    def say(self, words: bytes) -> None:
        self._line.sendall(words)

    def wait_for_the_end(self) -> None:
        """Until the other side hangs up."""
        while self._line.recv(1 << 20):
            pass

    def _some(self) -> bytes:
        piece = self._line.recv(1 << 20)
        if not piece:
            raise ConnectionAbortedError("the other side hung up")
        return piece


class Storage:
    """Treats its visits one after the other in its own way, each on a connection of its own."""

    def __init__(self, *ways: Callable[[Visit], None]) -> None:
        self._ways = ways
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.port = int(self._listener.getsockname()[1])
        self.visits: list[Visit] = []
        self.treated = threading.Semaphore(0)

    def _serve(self) -> None:
        for way in self._ways:
            line, _ = self._listener.accept()
            with line:
                line.settimeout(20.0)
                visit = Visit(line)
                self.visits.append(visit)
                try:
                    way(visit)
                except ConnectionError:
                    continue  # the other side has hung up, as some of them are made to do
                finally:
                    self.treated.release()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join(timeout=20.0)
        assert not self._thread.is_alive()


@pytest.fixture
async def api() -> AsyncIterator[CitraApi]:
    settings = ApiSettings(url="http://127.0.0.1:9")  # nobody is asked there
    async with open_api(settings, clock=SystemClock(), telemetry=Telemetry()) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.fits"
    path.write_bytes(os.urandom(SIZE_BYTES))
    return path


def ticket(storage: Storage, host: str = "127.0.0.1") -> UploadTicket:
    return UploadTicket(uploadId=str(UUID(int=1)), uploadUrl=f"http://{host}:{storage.port}/key", method="PUT")


def taken(visit: Visit) -> None:
    visit.hear()
    visit.say(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def answered(words: bytes) -> Callable[[Visit], None]:
    def way(visit: Visit) -> None:
        visit.hear()
        visit.say(words)

    return way


@pytest.mark.wire
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_file_arrives_as_it_is(api: CitraApi, path: Path, host: str) -> None:
    with Storage(taken) as storage:
        await api.storage.send(ticket(storage, host), path, SIZE_BYTES)
    assert bytes(storage.visits[0].told) == path.read_bytes()


@pytest.mark.wire
async def test_a_connection_left_open_takes_the_next_file_and_one_that_was_closed_does_not(
    api: CitraApi, path: Path
) -> None:
    went_on = threading.Event()

    def twice(visit: Visit) -> None:
        visit.hear()
        visit.say(b"HTTP/1.1 204 No Content\r\n\r\n")
        visit.told.clear()
        visit.hear()
        visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def last(visit: Visit) -> None:
        went_on.set()
        taken(visit)

    with Storage(twice, last) as storage:
        await api.storage.send(ticket(storage), path, SIZE_BYTES)
        await api.storage.send(ticket(storage), path, SIZE_BYTES)
        assert not went_on.is_set()
        await anyio.to_thread.run_sync(storage.treated.acquire)  # it has hung up
        await api.storage.send(ticket(storage), path, SIZE_BYTES)
    assert [bytes(visit.told) == path.read_bytes() for visit in storage.visits] == [True, True]


@pytest.mark.wire
async def test_an_answer_before_the_end_of_the_file_is_heard(api: CitraApi, path: Path) -> None:
    """A storage that finds a file too large does not take it to the end."""

    def refuses(visit: Visit) -> None:
        visit.hear_head()
        visit.say(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 28\r\n\r\n<Code>EntityTooLarge</Code>\r\n")

    with Storage(refuses) as storage, pytest.raises((ApiRejected, ApiUnreachable)) as caught:
        await api.storage.send(ticket(storage), path, SIZE_BYTES)
    # Bytes that were under way when it hung up may have wiped the answer out.
    assert isinstance(caught.value, ApiUnreachable) or caught.value.status == 413


@pytest.mark.wire
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (b"", "ReadError"),
        (b"HTTP/1.1 2", "Remote|ReadError"),
        (b"220 ready to serve\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort", "15 bytes early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshor", "IncompleteRead"),
        (b"HTTP/1.1 103 Early Hints\r\nX-\xe9: \xe9\r\n\r\n", "answers 103"),
        (b"HTTP/1.1 500 \xff\r\nContent-Length: 0\r\n\r\n", "500"),
    ],
)
async def test_whatever_else_comes_back_proves_nothing(api: CitraApi, path: Path, words: bytes, why: str) -> None:
    with Storage(answered(words)) as storage, pytest.raises(ApiUnreachable, match=why):
        await api.storage.send(ticket(storage), path, SIZE_BYTES)


@pytest.mark.wire
@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 201 Created\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: caf\xe9\r\n\r\nok",
    ],
)
async def test_a_yes_is_heard_however_it_is_put(api: CitraApi, path: Path, words: bytes) -> None:
    with Storage(answered(words)) as storage:
        await api.storage.send(ticket(storage), path, SIZE_BYTES)


@pytest.mark.wire
@pytest.mark.parametrize("head", [b"Content-Length: 2097152", b"Connection: close"])
async def test_an_answer_without_end_is_cut_off(api: CitraApi, path: Path, head: bytes) -> None:
    words = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + bytes(2 << 20)
    with Storage(answered(words)) as storage, pytest.raises(ApiContractBroken, match="longer than 1 MiB"):
        await api.storage.send(ticket(storage), path, SIZE_BYTES)


@pytest.mark.wire
async def test_where_nobody_listens_the_error_says_so(api: CitraApi, path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = UploadTicket(
            uploadId=str(UUID(int=1)), uploadUrl=f"http://127.0.0.1:{closed.getsockname()[1]}/key", method="PUT"
        )
    with pytest.raises(ApiUnreachable, match=r"ConnectError.*refused"):
        await api.storage.send(nobody, path, SIZE_BYTES)


def before_the_head(visit: Visit, begun: threading.Event) -> None:
    begun.set()
    visit.wait_for_the_end()


def in_the_body(visit: Visit, begun: threading.Event) -> None:
    visit.hear_head()
    begun.set()
    threading.Event().wait(0.05)  # nothing is read: the sender stands still with full buffers
    visit.wait_for_the_end()


def before_the_answer(visit: Visit, begun: threading.Event) -> None:
    visit.hear()
    begun.set()
    visit.wait_for_the_end()


@pytest.mark.wire
@pytest.mark.parametrize("silence", [in_the_body, before_the_answer])
async def test_whoever_no_longer_waits_is_let_go_and_the_storage_hears_the_end(
    api: CitraApi, path: Path, silence: Callable[[Visit, threading.Event], None]
) -> None:
    begun = threading.Event()
    with Storage(lambda visit: silence(visit, begun)) as storage:
        async with anyio.create_task_group() as group:
            group.start_soon(api.storage.send, ticket(storage), path, SIZE_BYTES)
            await anyio.to_thread.run_sync(begun.wait)
            group.cancel_scope.cancel()
        await anyio.to_thread.run_sync(storage.treated.acquire)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("upload_")]


@pytest.mark.wire
async def test_a_storage_that_never_proves_its_name_is_let_go(path: Path) -> None:
    begun = threading.Event()
    with Storage(lambda visit: before_the_head(visit, begun)) as storage, opened(path) as descriptor:
        network = FileSender(ssl.create_default_context())
        async with httpx.AsyncClient(transport=network) as client, anyio.create_task_group() as group:
            body = FileBody(descriptor, SIZE_BYTES, Uplink(None))
            request = httpx.Request("PUT", f"https://127.0.0.1:{storage.port}/key", stream=body)
            group.start_soon(client.send, request)
            await anyio.to_thread.run_sync(begun.wait)
            group.cancel_scope.cancel()


@pytest.mark.wire
async def test_a_file_that_shrinks_under_way_is_the_file_s_fault(api: CitraApi, path: Path) -> None:
    def waits(visit: Visit) -> None:
        visit.hear_head()
        os.truncate(path, 1 << 20)
        visit.wait_for_the_end()

    large = 64 << 20
    os.truncate(path, large)
    with Storage(waits) as storage, pytest.raises(OSError, match=r"ended .* bytes early") as caught:
        await api.storage.send(ticket(storage), path, large)
    assert not isinstance(caught.value, ConnectionError)


@pytest.mark.wire
async def test_the_limit_of_the_line_holds_on_real_sockets(path: Path) -> None:
    settings = ApiSettings(url="http://127.0.0.1:9", max_upload_mbit_s=80.0)
    async with open_api(settings, clock=SystemClock(), telemetry=Telemetry()) as limited:
        with Storage(taken) as storage:
            began_s = anyio.current_time()
            await limited.storage.send(ticket(storage), path, SIZE_BYTES)
            assert anyio.current_time() - began_s >= (SIZE_BYTES - (1 << 18)) * 8.0 / 80e6 - 0.01


class Stalled(Uplink):
    """A line whose turn never comes."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.asked = anyio.Event()

    async def take(self, count_bytes: int) -> None:
        self.asked.set()
        await anyio.sleep_forever()


@pytest.mark.wire
async def test_whoever_waits_for_a_turn_of_the_line_is_let_go_at_once(path: Path) -> None:
    with Storage(lambda visit: visit.wait_for_the_end()) as storage, opened(path) as descriptor:
        network, line = FileSender(ssl.create_default_context()), Stalled()
        async with httpx.AsyncClient(transport=network) as client, anyio.create_task_group() as group:
            body = FileBody(descriptor, SIZE_BYTES, line)
            request = httpx.Request("PUT", f"http://127.0.0.1:{storage.port}/key", stream=body)
            group.start_soon(client.send, request)
            await line.asked.wait()
            group.cancel_scope.cancel()


@pytest.mark.wire
async def test_a_yes_to_a_file_that_was_not_sent_to_its_end_is_none(api: CitraApi, path: Path) -> None:
    def says_yes_too_soon(visit: Visit) -> None:
        visit.hear_head()
        visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    large = 64 << 20
    os.truncate(path, large)
    with Storage(says_yes_too_soon) as storage, pytest.raises(ApiUnreachable, match="WriteError"):
        await api.storage.send(ticket(storage), path, large)


@pytest.mark.wire
async def test_a_refusal_by_a_storage_that_reads_no_further_is_heard(
    api: CitraApi, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_SILENCE_S", 0.2)

    def refuses(visit: Visit) -> None:
        visit.hear_head()
        visit.say(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        heard.wait(20.0)

    large, heard = 64 << 20, threading.Event()
    os.truncate(path, large)
    with Storage(refuses) as storage, ExitStack() as afterwards:
        afterwards.callback(heard.set)
        with pytest.raises(ApiRejected) as caught:
            await api.storage.send(ticket(storage), path, large)
    assert caught.value.status == 413


@pytest.mark.wire
@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + bytes(1 << 21),
    ],
)
async def test_a_connection_whose_answer_was_not_heard_to_its_end_takes_no_other_file(
    api: CitraApi, path: Path, first: bytes
) -> None:
    """What is left of it would be taken for the answer to the next file."""

    def goes_on(visit: Visit) -> None:
        visit.hear()
        visit.say(first)
        visit.told.clear()
        visit.hear_head()
        visit.say(b"HTTP/1.1 204 No Content\r\n\r\n")

    with Storage(goes_on, taken) as storage:
        with pytest.raises((ApiUnreachable, ApiContractBroken)):
            await api.storage.send(ticket(storage), path, SIZE_BYTES)
        await api.storage.send(ticket(storage), path, SIZE_BYTES)
    assert bytes(storage.visits[1].told) == path.read_bytes()


@pytest.mark.wire
@pytest.mark.parametrize("size", [b"-1", b"-5", b"-fffffff"])
async def test_a_chunk_of_a_negative_size_is_read_no_further_than_any_answer(
    api: CitraApi, path: Path, size: bytes
) -> None:
    words = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n" + bytes(8 << 20)
    with Storage(answered(words)) as storage, pytest.raises((ApiUnreachable, ApiContractBroken)):
        await api.storage.send(ticket(storage), path, SIZE_BYTES)


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
async def test_a_name_that_leads_nowhere_is_not_the_file_s_fault(
    api: CitraApi, path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def look_up(host: str, port: int) -> list[str]:
        raise error

    monkeypatch.setattr(sender, "look_up", look_up)
    nowhere = UploadTicket(uploadId=str(UUID(int=1)), uploadUrl="https://storage.example.org/key", method="PUT")
    with pytest.raises(ApiUnreachable, match=r"ConnectError.*(not known|too long)"):
        await api.storage.send(nowhere, path, SIZE_BYTES)


@pytest.mark.parametrize("rest", ["key\x01", "k" * 70_000])
async def test_an_address_that_is_none_is_refused(api: CitraApi, path: Path, rest: str) -> None:
    ticket = UploadTicket(uploadId=str(UUID(int=1)), uploadUrl=f"https://storage.example.org/{rest}", method="PUT")
    with pytest.raises(ApiContractBroken, match="no address"):
        await api.storage.send(ticket, path, SIZE_BYTES)


@given(
    before=st.binary(max_size=40),
    size_bytes=st.integers(1, 3000),
    after=st.binary(max_size=40),
    at_most_mbit_s=st.floats(0.0005, 0.1),
)
def test_the_pieces_are_the_whole_in_order(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, size_bytes: int, after: bytes, at_most_mbit_s: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "pieces"
    content = os.urandom(size_bytes)
    path.write_bytes(content)
    uplink = Uplink(at_most_mbit_s)
    with opened(path) as descriptor:
        body = FileBody(descriptor, size_bytes, uplink, before=before, after=after)
        pieces = [bytes(piece) for piece in body.pieces()]
    assert b"".join(pieces) == before + content + after
    assert len(body) == len(before) + size_bytes + len(after)
    assert all(0 < len(piece) <= max(uplink.piece_bytes, len(before), len(after)) for piece in pieces)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    with ExitStack() as stack:
        descriptor = os.open(path, os.O_RDONLY)
        stack.callback(os.close, descriptor)
        yield descriptor
