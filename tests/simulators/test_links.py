"""Links that go wrong, over real sockets on loopback: each verb does what it says, and is counted."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulators.clock import HandClock, real_time
from simulators.links import Direction, Link, Links, Trouble, Verb
from simulators.serving import listening

pytestmark = pytest.mark.wire

PATIENT_S = 20.0
DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SAID = bytes(range(256)) * 40


class Turned(HandClock):
    """Time that is turned by hand."""

    def real_s(self, simulated_s: float) -> float:
        return simulated_s


class Echo:
    """A server that says the same to everyone, and keeps what it heard."""

    def __init__(self) -> None:
        self._listener = listening("127.0.0.1", 0)
        self.address: tuple[str, int] = ("127.0.0.1", self._listener.getsockname()[1])
        self.heard: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                try:
                    while piece := client.recv(65_536):
                        self.heard.append(piece)
                        if b"?" in piece:
                            client.sendall(SAID)
                            break
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@contextmanager
def link_with(echo: Echo, **trouble: Any) -> Iterator[tuple[Link, str]]:
    """A link that has been in this trouble for a minute, and will be for another, at life speed."""
    clock = real_time()
    now = clock.now()
    window = {"begins_at": now - timedelta(minutes=1), "ends_at": now + timedelta(minutes=1)}
    link = Link(upstream=echo.address, troubles=[Trouble(**(window | trouble))], clock=clock)
    with Links([link]) as links:
        yield link, links.addresses[0]


def asked(address: str) -> bytes:
    """All that is answered to a question."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENT_S) as client:
        client.sendall(b"what?")
        answer = b""
        while piece := client.recv(65_536):
            answer += piece
        return answer


def test_a_link_that_is_well_passes_everything_on(echo: Echo) -> None:
    with link_with(echo, verb=Verb.DOWN, ends_at=DUSK) as (link, address):
        assert asked(address) == SAID
        assert echo.heard == [b"what?"]
        assert link.fired == [0]


def test_what_is_sent_upstream_is_overheard_by_connection_and_no_answer_is(echo: Echo) -> None:
    heard: list[tuple[int, bytes]] = []
    link = Link(upstream=echo.address, troubles=(), clock=real_time(), overhear=lambda *said: heard.append(said))
    with Links([link]) as links:
        assert [asked(links.addresses[0]), asked(links.addresses[0])] == [SAID, SAID]
    assert heard == [(1, b"what?"), (2, b"what?")]


@pytest.mark.parametrize("verb", [Verb.LATENCY, Verb.BANDWIDTH, Verb.SLICER, Verb.SLOW_CLOSE])
def test_a_slow_link_loses_nothing(echo: Echo, verb: Verb) -> None:
    slow = {"latency_s": 0.001, "jitter_s": 0.001, "bytes_per_s": 1e7, "piece_bytes": 500}
    with link_with(echo, verb=verb, **slow) as (link, address):
        assert asked(address) == SAID
        assert link.fired == [1]


def test_a_limit_ends_an_answer_after_so_many_bytes(echo: Echo) -> None:
    with link_with(echo, verb=Verb.LIMIT_DATA, at_byte=700) as (link, address):
        assert asked(address) == SAID[:700]
        assert link.fired == [1]


def test_a_trouble_is_over_when_so_many_connections_had_it(echo: Echo) -> None:
    with link_with(echo, verb=Verb.LIMIT_DATA, at_byte=700, at_most=2) as (link, address):
        assert [len(asked(address)) for _ in range(3)] == [700, 700, len(SAID)]
        assert link.fired == [2]


def test_a_reset_breaks_an_answer(echo: Echo) -> None:
    with link_with(echo, verb=Verb.RESET, at_byte=700) as (link, address):
        with pytest.raises(ConnectionResetError):
            asked(address)
        assert link.fired == [1]


def test_a_reset_of_the_question_lets_no_more_of_it_through(echo: Echo) -> None:
    with link_with(echo, verb=Verb.RESET, at_byte=3, direction=Direction.REQUEST) as (_, address):
        with pytest.raises(ConnectionResetError):
            asked(address)
        assert b"".join(echo.heard) in (b"", b"wha")


def test_who_is_never_answered_waits(echo: Echo) -> None:
    with link_with(echo, verb=Verb.TIMEOUT) as (link, address):
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port)), timeout=0.2) as client:
            client.sendall(b"what?")
            with pytest.raises(TimeoutError):
                client.recv(1)
        assert link.fired == [1]
        assert echo.heard == []


def test_nobody_listens_while_a_link_is_down_and_it_comes_back_at_the_same_port(echo: Echo) -> None:
    clock = Turned(DUSK)
    hour = timedelta(hours=1)
    trouble = Trouble(verb=Verb.DOWN, begins_at=DUSK + hour, ends_at=DUSK + 2 * hour)
    link = Link(upstream=echo.address, troubles=[trouble], clock=clock)
    with Links([link]) as links:
        assert asked(links.addresses[0]) == SAID
        host, _, port = links.addresses[0].partition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENT_S) as idle:
            clock.instant += hour
            with pytest.raises(ConnectionResetError):
                idle.recv(1)
        with pytest.raises(ConnectionRefusedError):
            asked(links.addresses[0])
        clock.instant += hour
        _until_answered(lambda: asked(links.addresses[0]))
        assert link.fired == [1]


def _until_answered(ask: Callable[[], bytes]) -> None:
    pause = threading.Event()
    for _ in range(200):
        try:
            assert ask() == SAID
        except ConnectionError:
            pause.wait(0.02)
        else:
            return
    raise AssertionError("the link did not come back")
