"""The bench, and the two faces of each device on it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from simulators.serving import Served
from tests.contracts.alpaca.benches import ADDRESS, Bench, Ours, Stage, Theirs, require
from tests.contracts.alpaca.faces import FACES
from tests.contracts.alpaca.instruments import Instrument, Opening


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[Served, Stage] | None]:
    """One server for all tests of a process."""
    if ADDRESS:
        yield None
        return
    before = set(threading.enumerate())
    stage = Stage()
    with Served(stage) as served:
        yield served, stage
    left = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    for thread in left:
        thread.join(timeout=30.0)
    assert not [thread.name for thread in left if thread.is_alive()]


@pytest.fixture(autouse=True)
def no_thread_left() -> None:
    """Replaces the check after each test: the server's threads live as long as it does, see `stage`."""


@pytest.fixture(autouse=True)
def only_loopback(only_loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another server may be at another address: then the guard is taken off again."""
    if ADDRESS:
        monkeypatch.undo()


@pytest.fixture
def bench(stage: tuple[Served, Stage] | None) -> Bench:
    return Theirs(ADDRESS) if stage is None else Ours(*stage)


@pytest.fixture(params=sorted(FACES))
def via(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def opened(bench: Bench, via: str) -> Iterator[Opening]:
    """Opens a connected device by its type; `parts` are of our own observatory, others are as they are."""
    yield from _opening(bench, via)


@pytest.fixture
def opened_bare(bench: Bench) -> Iterator[Opening]:
    """As `opened`, over bare HTTP only: for values that alpyca does not let through."""
    yield from _opening(bench, "http")


def _opening(bench: Bench, via: str) -> Iterator[Opening]:
    instruments: list[Instrument] = []

    def opening(device_type: str, **parts: Any) -> Instrument:
        bench.build(**parts)
        require(bench, device_type)
        instrument = Instrument(bench, FACES[via](device_type, bench.address, 0))
        instruments.append(instrument)
        instrument.write("Connected", True)
        return instrument

    yield opening
    for instrument in instruments:
        instrument.close()
