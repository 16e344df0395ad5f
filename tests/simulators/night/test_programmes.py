"""`nightbridge-sim` as it is typed: what it refuses, what its servers serve, and that it cleans up behind itself."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from typer.testing import CliRunner

from drivers.alpaca.discovery import survey
from simulators.cli import app
from simulators.indi.bent_time import faketime_missing
from simulators.indi.server import indiserver_missing, living
from simulators.night.children import Child

pytestmark = pytest.mark.wire

MISSING = indiserver_missing() or faketime_missing()

ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("NIGHTBRIDGE_")}
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


def refused(*arguments: object) -> str:
    """What the programme says on its way out with exit code 2."""
    call = [sys.executable, "-m", "simulators", *map(str, arguments)]
    said = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
    assert said.returncode == 2, said
    assert said.stdout == ""
    assert "Traceback" not in said.stderr
    return said.stderr


@pytest.fixture
def serving(tmp_path: Path) -> Iterator["Serving"]:
    started = Serving(tmp_path)
    yield started
    for child in started.children:
        child.stop(within_s=20.0)


class Serving:
    """Starts servers; gives what each said first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[Child] = []

    def start(self, *arguments: object, **environment: str) -> str:
        log = self.folder / f"{len(self.children)}.log"
        words = ["-m", "simulators", *map(str, arguments)]
        child = Child(str(arguments[0]), words, log=log, environment=ENVIRONMENT | environment)
        self.children.append(child)
        return child.first_line()


WRONG = {
    "a site with two numbers": (["observatory", "--site", "38.8,-105"], "'38.8,-105' is not LAT,LON,ELEV_M"),
    "a site beyond the pole": (["api", "--site", "98,0,0"], "no such place: latitude 98.0°"),
    "a site that is no number": (["night", "--site", "nan,0,0"], "no such place"),
    "a rate of nothing": (["night", "--rate", "0"], "greater than or equal to 0.01"),
    "a rate without end": (["observatory", "--rate", "inf"], "--rate"),
    "a rate that is no number": (["night", "--rate", "nan"], "--rate"),
    "an instant that is none": (["api", "--at", "tonight"], "'tonight' is no ISO 8601 instant"),
    "a date that is none": (["night", "--date", "2026-13-01"], "'2026-13-01' is no date"),
    "a mount there is not": (["night", "--mount", "dobson"], "'dobson' is not one of 'german', 'altaz'"),
    "hours of a moment": (["night", "--hours", "0.01"], "greater than or equal to 0.2"),
    "no such file": (["night", "--elements", "nowhere.tle"], "nowhere.tle"),
    "an INDI device there is not": (["indi", "--devices", "telescope,teapot"], "'teapot' is none of telescope, ccd"),
    "devices of nobody": (["night", "--devices", "ascom"], "'ascom' is not one of 'alpaca', 'indi', 'mixed'"),
    "upsets of what is not there": (["night", "--upsets", "3"], "there is no indiserver without"),
    "too many cameras": (["observatory", "--cameras", "9"], "less than or equal to 4"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_simulated_is_refused_in_words(what: str) -> None:
    arguments, words = WRONG[what]
    said = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"})
    assert said.exit_code == 2
    assert words in said.output


def test_a_file_without_elements_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("buy milk\n")
    (line,) = refused("observatory", "--port", 0, "--elements", file).splitlines()
    assert line.startswith("nightbridge-sim: ")


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (line,) = refused("observatory", "--port", port, "--no-discovery").splitlines()
    assert line == f"nightbridge-sim: cannot listen on 127.0.0.1:{port}: Address already in use"


def test_an_observatory_says_where_it_is_and_is_found_by_discovery(serving: Serving) -> None:
    said = serving.start("observatory", "--port", 0, "--cameras", 2, "--no-dome", "--mount", "altaz", "--rate", 10)
    address = re.fullmatch(r"observatory listens on (127\.0\.0\.1:\d+)", said)
    assert address is not None, said
    found = anyio.run(survey)
    devices = [one for one in found.offered if one.address == address[1]]
    kinds = sorted(one.device_type for one in devices)
    one_each = ["CoverCalibrator", "ObservingConditions", "Rotator", "SafetyMonitor", "Switch", "Telescope"]
    assert kinds == sorted(["Camera", "FilterWheel", "Focuser"] * 2 + one_each)


def test_an_observatory_may_stay_silent_and_keep_a_time_of_its_own(serving: Serving) -> None:
    said = serving.start("observatory", "--port", 0, "--no-discovery", "--at", "2026-11-23T03:00:00+02:00", "--rate", 5)
    address = said.rpartition(" ")[2]
    assert address not in {one.address for one in anyio.run(survey).offered}
    device = f"http://{address}/api/v1/telescope/0"
    httpx.put(f"{device}/connected", data={"Connected": "True"})
    dates = [httpx.get(f"{device}/utcdate").json()["Value"] for _ in range(2)]
    assert all(date.startswith("2026-11-23T01:0") for date in dates)


def test_the_platform_says_which_telescope_it_has_and_takes_the_token_it_was_told(
    serving: Serving, tmp_path: Path
) -> None:
    said = serving.start(
        "api", "--port", 0, "--tasks", 3, "--hours", 1, "--at", "2026-11-23T00:45:00Z", "--uploads", tmp_path / "up",
        NIGHTBRIDGE_API__TOKEN="citra_pat_told",
    )  # fmt: skip
    found = re.fullmatch(rf"api listens on (127\.0\.0\.1:\d+) telescope ({UUID})", said)
    assert found is not None, said
    telescopes = f"http://{found[1]}/my/telescopes"
    assert httpx.get(telescopes).status_code == 401
    answer = httpx.get(telescopes, headers={"Authorization": "Bearer citra_pat_told"})
    assert [one["id"] for one in answer.json()] == [found[2]]
    tasks = httpx.get(f"http://{found[1]}/_emulator/summary").json()["tasks"]
    assert len(tasks) == 3
    assert (tmp_path / "up").is_dir()


def night(folder: Path, *more: object) -> Child:
    words = ["-m", "simulators", "night", "--date", "2026-11-22", "--out", str(folder / "out"), *map(str, more)]
    return Child("night", words, log=folder / "night.log", environment=ENVIRONMENT)


def test_a_night_that_is_told_to_stop_leaves_nothing_running(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with night(tmp_path, "--hours", 1, "--tasks", 2) as started:
        last_s = time.monotonic() + 60.0
        while not (out / "state" / "nightbridge.log").exists():
            assert time.monotonic() < last_s
            assert started.exit_code is None, started.last_words()
            time.sleep(0.05)
        station = (out / "station.toml").read_text()
        ports = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", station)}
        assert len(ports) == 2
        assert all(answers(port) for port in ports)
        assert started.stop(within_s=60.0) == 128 + signal.SIGTERM
    assert not any(answers(port) for port in ports)
    state = [json.loads(line) for line in (out / "state" / "nightbridge.log").read_text().splitlines()]
    assert [event for event in state if event["level"] == "error"] == []


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5.0).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_night_whose_servers_do_not_start_says_why_and_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("state/old.log", "uploads/old.fits", "notes/mine.txt"):
        (out / name).parent.mkdir(parents=True)
        (out / name).write_text("old")
    (out / "report.json").write_text("{}")
    broken = tmp_path / "broken.tle"
    broken.write_text("SAT\n1 this is no element set\n")
    call = [sys.executable, "-m", "simulators", "night", "--elements", str(broken), "--out", str(out)]
    said = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
    assert said.returncode == 1
    assert "observatory did not start: nightbridge-sim: " in said.stdout.replace("\n", " ")
    assert "Traceback" not in said.stdout + said.stderr
    assert (out / "notes" / "mine.txt").exists()
    assert not (out / "state" / "old.log").exists()
    assert not (out / "uploads" / "old.fits").exists()
    assert not (out / "report.json").exists()


def test_where_it_does_not_get_dark_nothing_is_started(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "simulators", "night", "--site", "70,20,0", "--date", "2026-06-21"]
    said = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT, cwd=tmp_path)
    assert said.returncode == 1
    assert "on 2026-06-21 the Sun goes below -12° not at all" in said.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("in the way")
    (line,) = refused("night", "--date", "2026-11-22", "--out", tmp_path / "file" / "out").splitlines()
    assert "file/out" in line


def test_without_indiserver_it_is_said_what_to_install(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "simulators", "indi", "--port", "0"]
    said = subprocess.run(
        call, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT | {"PATH": str(tmp_path)}
    )
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert re.fullmatch(r"nightbridge-sim: .*not installed \(Debian's [a-z, -]+\)", line)


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_indis_simulators_are_there_in_our_time_and_gone_when_they_are_told_to_go(serving: Serving) -> None:
    said = serving.start("indi", "--port", 0, "--devices", "telescope,ccd", "--at", "2026-11-23T01:00:00Z", "--rate", 5)
    addresses = re.fullmatch(r"indi listens on 127\.0\.0\.1:(\d+) frames at (127\.0\.0\.1:\d+)", said)
    assert addresses is not None, said
    assert httpx.get(f"http://{addresses[2]}/_observatory/frames").json() == []
    (indiserver,) = (pid for pid, name in running("indiserver") if f"-p {addresses[1]} " in name)
    assert set(living(indiserver).values()) == {"indiserver", "indi_simulator_"}
    with socket.create_connection(("127.0.0.1", int(addresses[1]))) as client:
        client.sendall(b"<newTextVector device='x' name='y'/><getProperties version='1.7' device='CCD Simulator'/>")
        stamp = re.search(rb"timestamp=['\"](2026-11-23T01:[\d:]+)", answered(client, b"timestamp="))
        assert stamp is not None
    (child,) = serving.children
    assert child.stop(within_s=20.0) in (-signal.SIGTERM, 128 + signal.SIGTERM)
    assert living(indiserver) == {}


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_even_where_it_is_killed_indiserver_ends_with_it(serving: Serving) -> None:
    port = serving.start("indi", "--port", 0, "--devices", "dome").split()[3].partition(":")[2]
    (indiserver,) = (pid for pid, name in running("indiserver") if f"-p {port} " in name)
    os.kill(serving.children[0].process_id, signal.SIGKILL)
    last_s = time.monotonic() + 60.0
    while living(indiserver):
        assert time.monotonic() < last_s
        time.sleep(0.01)


def running(program: str) -> list[tuple[int, str]]:
    """Processes whose command line begins with a name, with all of it."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ends just now
            words = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if words.startswith(f"{program} "):
                lines.append((int(entry.parent.name), words))
    return lines


def answered(client: socket.socket, until: bytes) -> bytes:
    """What a server says until it says this, and the rest of its breath."""
    client.settimeout(60.0)
    heard = b""
    while until not in heard:
        part = client.recv(65536)
        assert part
        heard += part
    return heard + client.recv(65536)
