"""A server that hangs and dies by turns, and is well again when it is over."""

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from simulators.clock import SimulatedClock
from simulators.indi.server import DOME, IndiServer, living
from simulators.indi.upsets import Upsets

pytestmark = pytest.mark.wire

WITHIN_S = 60.0
RATE = 200.0  # half a minute of the sky is 0.15 s


def starting_now() -> SimulatedClock:
    return SimulatedClock(starts_at=datetime(2026, 11, 23, 1, tzinfo=UTC), anchored_unix_s=time.time(), rate=RATE)


def answers(server: IndiServer) -> bool:
    with socket.create_connection(("127.0.0.1", server.port), timeout=WITHIN_S) as client:
        client.sendall(b"<pingRequest uid='1'/>\n")
        return b"pingReply" in client.recv(65536)


def test_it_is_frozen_and_killed_by_turns_for_half_a_minute_and_well_in_between(
    indiserver: Callable[..., IndiServer],
) -> None:
    clock = starting_now()
    with indiserver(DOME) as server:
        first, first_at = server.process_id, clock.now() + timedelta(seconds=20)
        with Upsets(server, clock, first_at=first_at, every_s=600.0) as upsets:
            for turns in (1, 2):
                wait_for(upsets, turns)
                assert answers(server)
        assert [one.what for one in upsets.done][:2] == ["frozen", "killed"]
        assert all((one.until - one.at).total_seconds() >= 30.0 for one in upsets.done)
        assert all(one.at >= first_at + turn * timedelta(seconds=600) for turn, one in enumerate(upsets.done))
        assert server.process_id != first


@pytest.mark.parametrize("turns", [0, 1])
def test_left_in_the_middle_nothing_is_left_over(indiserver: Callable[..., IndiServer], turns: int) -> None:
    """Frozen (0), or dead (1), when the night ends."""
    clock = starting_now()
    with indiserver(DOME) as server:
        with Upsets(server, clock, first_at=clock.now(), every_s=1.0) as upsets:
            wait_for(upsets, turns)
            time.sleep(0.05)
        group = server.process_id
    assert living(group) == {}


def test_what_is_to_come_later_than_the_end_never_comes(indiserver: Callable[..., IndiServer]) -> None:
    clock = starting_now()
    with indiserver(DOME) as server:
        with Upsets(server, clock, first_at=clock.now() + timedelta(days=1), every_s=60.0) as upsets:
            assert answers(server)
        assert upsets.done == []


def wait_for(upsets: Upsets, turns: int) -> None:
    last_s = time.monotonic() + WITHIN_S
    while len(upsets.done) < turns:
        assert time.monotonic() < last_s
        time.sleep(0.005)
