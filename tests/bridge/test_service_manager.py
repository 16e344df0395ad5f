"""What a service manager is told: by a socket of its own, in the words of sd_notify(3)."""

import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from bridge.clock import LoopClock, SystemClock
from bridge.events import StationNote, Telemetry
from bridge.service_manager import ServiceManager

EVENING = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


class Listening(Telemetry):
    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def publish(self, event: object) -> None:
        assert isinstance(event, StationNote)
        self.notes.append(event.what)


@pytest.fixture
def manager_s_ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.setblocking(False)
        yield ear


def heard(ear: socket.socket) -> list[str]:
    words = []
    while True:
        try:
            words.append(ear.recv(4096).decode())
        except BlockingIOError:
            return words


def manager(telemetry: Telemetry | None = None, **environment: str) -> ServiceManager:
    return ServiceManager.of(environment, clock=SystemClock(), telemetry=telemetry or Listening())


async def test_it_is_told_three_times_within_what_counts_as_hung(manager_s_ear: socket.socket) -> None:
    told = manager(NOTIFY_SOCKET=manager_s_ear.getsockname(), WATCHDOG_USEC="30000000", WATCHDOG_PID=str(os.getpid()))
    told.ready()
    with anyio.move_on_after(65.0):
        await told.keep_told(patience=1.0)
    told.ending()
    assert heard(manager_s_ear) == ["READY=1", *["WATCHDOG=1"] * 7, "STOPPING=1"]


async def test_in_a_rehearsal_it_is_told_by_the_real_clock(manager_s_ear: socket.socket) -> None:
    told = manager(NOTIFY_SOCKET=manager_s_ear.getsockname(), WATCHDOG_USEC="30000000")
    with anyio.move_on_after(1150.0):
        await told.keep_told(patience=60.0)
    assert heard(manager_s_ear) == ["WATCHDOG=1"] * 2


@pytest.mark.wire
async def test_a_loop_that_is_held_up_tells_nothing(manager_s_ear: socket.socket) -> None:
    told = manager(NOTIFY_SOCKET=manager_s_ear.getsockname(), WATCHDOG_USEC="60000")
    async with anyio.create_task_group() as group:
        group.start_soon(told.keep_told, 1.0)
        await anyio.sleep(0.1)
        assert heard(manager_s_ear)
        time.sleep(0.3)  # noqa: ASYNC251 (that is what hangs)
        assert not heard(manager_s_ear)
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "30000000"},
        {"NOTIFY_SOCKET": "ear"},
        {"NOTIFY_SOCKET": "ear", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "ear", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "ear", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
    ],
)
async def test_who_does_not_look_is_not_told(manager_s_ear: socket.socket, environment: dict[str, str]) -> None:
    ear = manager_s_ear.getsockname()
    listening = Listening()
    told = manager(listening, **{name: ear if value == "ear" else value for name, value in environment.items()})
    with anyio.fail_after(100.0):
        await told.keep_told(patience=1.0)
    assert heard(manager_s_ear) == []
    assert not listening.notes


async def test_an_abstract_socket_is_one_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0nightbridge-{os.getpid()}")
        ear.setblocking(False)
        manager(NOTIFY_SOCKET=f"@nightbridge-{os.getpid()}").ready()
        assert heard(ear) == ["READY=1"]


async def test_who_has_gone_away_is_said_once_and_holds_up_nothing(tmp_path: Path) -> None:
    listening = Listening()
    told = ServiceManager(str(tmp_path / "nobody"), 30.0, LoopClock(EVENING), listening)
    told.ready()
    with anyio.move_on_after(100.0):
        await told.keep_told(patience=1.0)
    assert len(listening.notes) == 1
    assert "cannot be told READY=1: " in listening.notes[0]
