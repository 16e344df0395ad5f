"""`nightbridge run` as a service manager sees it: a process that is told to stop, killed, and started again."""

import json
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from astropy.io import fits

from drivers.values import CameraState, ShutterState
from simulators.night.children import Child
from tests.desk import DUSK, TOKEN, Desk, a_slow_satellite, on_the_desk

pytestmark = pytest.mark.wire

# Slow enough that what is computed on a busy computer weighs little against 90 s of the sky.
RATE = 30.0
WITHIN_S = 60.0
EVERY = timedelta(minutes=3)
GONE_WITHIN = timedelta(seconds=90)
# What a busy computer may add: starting up, shutting down, answers that take long.
BUSY_REAL_S = 4.0

Event = dict[str, Any]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The night has begun, and whenever a station is ready there is a task to begin with: a satellite that stands
    still, asked for again every three minutes.
    """
    with on_the_desk(tmp_path, rate=RATE, tasks=0, hours=4.0, before_dusk=timedelta(minutes=-5)) as desk:
        desk.add("[exposure]\nexposure_s = 45.0\nframe_count = 2\n")
        satellite = a_slow_satellite()
        for number in range(60):
            desk.ask_for(satellite, opens=DUSK + number * EVERY, closes=DUSK + (number + 1) * EVERY)
        yield desk


class Manager:
    """A service manager, which hears what it is told."""

    def __init__(self, folder: Path) -> None:
        self.hung_after_s = 6.0
        self.words: list[str] = []
        self.heard_s = time.monotonic()
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(folder / "notify"))
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self._ear.getsockname(), "WATCHDOG_USEC": str(round(self.hung_after_s * 1e6))}

    def _listen(self) -> None:
        while words := self._ear.recv(4096).decode():
            self.words.append(words)
            self.heard_s = time.monotonic()

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(b"", self._ear.getsockname())
        self._thread.join()
        self._ear.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path)
    yield manager
    manager.close()


@pytest.fixture
def start(desk: Desk, manager: Manager) -> Iterator[Callable[[], Child]]:
    """Start the station; what still runs at the end of the test is killed."""
    started: list[Child] = []

    def begin() -> Child:
        told = {"NIGHTBRIDGE_API__TOKEN": TOKEN, "OPENBLAS_NUM_THREADS": "1"}
        environment = {**os.environ, **told, **manager.environment}
        log = desk.folder / f"bridge-{len(started)}.log"
        child = Child("bridge", ["-m", "bridge", "run", "-c", str(desk.station)], log=log, environment=environment)
        started.append(child)
        return child

    yield begin
    for child in started:
        child.stop(within_s=0.0)


def logged(desk: Desk) -> list[Event]:
    """All complete lines of the station's log."""
    log = desk.state / "nightbridge.log"
    text = log.read_text() if log.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def wait_for(desk: Desk, station: Child, name: str, *, after: int = 0) -> Event:
    """The first event of this name behind the first `after` lines."""
    last_s = time.monotonic() + WITHIN_S
    while time.monotonic() < last_s:
        for event in logged(desk)[after:]:
            if event["event"] == name:
                return event
        assert station.exit_code is None, station.last_words()
        time.sleep(0.02)
    raise AssertionError(f"no {name} within {WITHIN_S} s; the log ends {logged(desk)[-3:]}")


def wait_until(true: Callable[[], bool]) -> None:
    last_s = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < last_s, f"not within {WITHIN_S} s"
        time.sleep(0.01)


def ended(station: Child) -> int:
    """Its exit code, when it has ended by itself."""
    last_s = time.monotonic() + WITHIN_S
    while (code := station.exit_code) is None:
        assert time.monotonic() < last_s, "it does not end"
        time.sleep(0.01)
    return code


def alpaca(desk: Desk, device: str, member: str) -> Any:
    """What a device says to any Alpaca client."""
    answer = httpx.get(f"{desk.devices.url}/api/v1/{device}/0/{member}", params={"ClientID": 77}).json()
    assert answer["ErrorNumber"] == 0, answer
    return answer["Value"]


def assert_put_away(desk: Desk) -> None:
    for device in ("telescope", "dome", "camera"):
        httpx.put(f"{desk.devices.url}/api/v1/{device}/0/connected", data={"Connected": "True", "ClientID": "77"})
    assert alpaca(desk, "telescope", "atpark") is True
    assert alpaca(desk, "telescope", "tracking") is False
    assert alpaca(desk, "dome", "shutterstatus") == 1  # ASCOM: closed
    assert alpaca(desk, "camera", "camerastate") == 0  # ASCOM: idle
    assert desk.observatory.mount.parked
    assert desk.observatory.dome is not None
    assert desk.observatory.dome.shutter is ShutterState.CLOSED
    assert desk.observatory.cameras[0].state is CameraState.IDLE


def assert_nothing_half_written(desk: Desk) -> list[Path]:
    """The frames on disk, every one whole; and a ledger that is in order."""
    files = sorted((desk.state / "frames").iterdir())
    assert [file.suffix for file in files] == [".fits"] * len(files)
    for file in files:
        with fits.open(file, checksum=True) as frame:
            assert frame[0].data.shape == (128, 128)
    with sqlite3.connect(desk.state / "nightbridge.sqlite") as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        reserved = ledger.execute("SELECT count(*) FROM task WHERE state = 'observing'").fetchone()
    ledger.close()
    assert reserved == (0,)
    return files


def stop_during_an_exposure(desk: Desk, station: Child, number: signal.Signals, *, again: int = 0) -> None:
    """Wait for an exposure, tell the station to stop, and see it put everything away in time.

    `again`: the word is given so often once more while the station is about it.
    """
    wait_for(desk, station, "ExposureStarted")
    wait_until(lambda: desk.observatory.cameras[0].state is CameraState.EXPOSING)
    told_at, told_s = desk.clock.now(), time.monotonic()
    os.kill(station.process_id, number)
    for times in range(1, again + 1):
        wait_until(lambda: len([event for event in logged(desk) if event["event"] == "ToldToStop"]) == times)  # noqa: B023
        os.kill(station.process_id, number)
    assert ended(station) == 0, station.last_words()
    took = timedelta(seconds=(time.monotonic() - told_s - BUSY_REAL_S) * RATE)
    assert took < GONE_WITHIN
    assert_put_away(desk)
    assert assert_nothing_half_written(desk) == []
    events = logged(desk)
    said = {event["event"]: datetime.fromisoformat(event["at"]) for event in events}
    assert told_at < said["MountParked"] <= said["RoofClosed"]
    told = [event["again"] for event in events if event["event"] == "ToldToStop"]
    assert told == [False, *[True] * again]
    *_, last = (event for event in events if event["event"] == "TaskAdvanced" and event["from_state"] == "observing")
    assert last["to_state"] == "pending"
    assert "broken off" in last["why"]
    assert [event for event in events if event["level"] == "error"] == []
    assert {task.status for task in desk.world.tasks.values()} == {"Pending"}
    assert "Traceback" not in (desk.folder / "bridge-0.log").read_text()


def test_ctrl_c_again_and_again_puts_everything_away_all_the_same(desk: Desk, start: Callable[[], Child]) -> None:
    stop_during_an_exposure(desk, start(), signal.SIGINT, again=2)


def test_a_start_told_to_stop_puts_away_what_it_found(desk: Desk, start: Callable[[], Child], manager: Manager) -> None:
    """A programme that was killed left the dome open, and the next is told to stop before it has connected anything."""
    told = {"ClientID": 77, "ClientTransactionID": 1}
    for device, member, given in (("dome", "connected", {"Connected": "true"}), ("dome", "openshutter", {})):
        httpx.put(f"{desk.devices.url}/api/v1/{device}/0/{member}", data=told | given).raise_for_status()
    wait_until(lambda: bool(alpaca(desk, "dome", "shutterstatus") == 0))
    station = start()
    wait_until(lambda: any("READY=1" in words for words in manager.words))
    os.kill(station.process_id, signal.SIGTERM)
    assert ended(station) == 0
    assert_put_away(desk)


def test_what_a_stopped_service_broke_off_the_next_start_takes_up_and_only_one_works_in_a_folder(
    desk: Desk, start: Callable[[], Child]
) -> None:
    stop_during_an_exposure(desk, start(), signal.SIGTERM)
    before = len(logged(desk))
    second = start()
    wait_for(desk, second, "FrameKept", after=before)
    intruder = start()
    assert ended(intruder) == 1
    words = f"{desk.state} is in use by another nightbridge (process {second.process_id})"
    assert words in intruder.last_words()
    assert second.exit_code is None
    os.kill(second.process_id, signal.SIGTERM)
    assert ended(second) == 0
    assert_put_away(desk)
    assert len(assert_nothing_half_written(desk)) >= 1
    assert [event for event in logged(desk) if event["level"] == "error"] == []
    assert_no_token_in(desk.folder)


def assert_no_token_in(folder: Path) -> None:
    written = [file for file in folder.rglob("*") if file.is_file()]
    assert {".fits", ".log", ".sqlite", ".toml"} <= {file.suffix for file in written}
    assert [file for file in written if TOKEN.encode() in file.read_bytes()] == []


def test_one_that_hangs_is_found_out_and_killed_and_the_next_start_closes_first_and_goes_on(
    desk: Desk, start: Callable[[], Child], manager: Manager
) -> None:
    """As after a power cut: the mount still follows, the dome stands open, a frame was being taken."""
    first = start()
    wait_for(desk, first, "ExposureStarted")
    wait_until(lambda: desk.observatory.cameras[0].state is CameraState.EXPOSING)
    assert manager.words[0] == "READY=1"
    assert set(manager.words[1:]) == {"WATCHDOG=1"}
    os.kill(first.process_id, signal.SIGSTOP)
    wait_until(lambda: time.monotonic() - manager.heard_s > manager.hung_after_s)
    os.kill(first.process_id, signal.SIGKILL)
    assert ended(first) == -signal.SIGKILL
    assert not desk.observatory.mount.parked
    assert desk.observatory.dome is not None
    assert desk.observatory.dome.shutter is ShutterState.OPEN
    before = len(logged(desk))
    second = start()
    wait_for(desk, second, "FrameKept", after=before)
    os.kill(second.process_id, signal.SIGTERM)
    assert ended(second) == 0
    names = [event["event"] for event in logged(desk)[before:]]
    assert names.index("RoofClosed") < names.index("RoofOpened") < names.index("ExposureStarted")
    (note,) = (event["what"] for event in logged(desk)[before:] if event["event"] == "StationNote")
    assert note == "taken up from the last run: 0 frames adopted, 1 lost, 1 tasks let go"
    assert_put_away(desk)
    assert_nothing_half_written(desk)
