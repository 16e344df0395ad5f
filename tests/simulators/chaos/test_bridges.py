"""A bridge that is forked from a process which loaded it is a process like any other."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.chaos.bridges import Bridges
from simulators.night.children import ChildFailed

PATIENT_S = 20.0

_TELLS = """
import json, os, random, sys, time
from pathlib import Path
import told_before
told = {
    "leads its session": os.getsid(0) == os.getpid(),
    "arguments": sys.argv[1:],
    "environment": {name: value for name, value in os.environ.items() if name.startswith("TOLD")},
    "open": sorted(int(one) for one in os.listdir("/proc/self/fd")),
    "threads": len(os.listdir("/proc/self/task")),
    "drawn": random.random(),
    "loaded in": told_before.LOADED_IN,
    "here": os.getpid(),
}
told_before.LOADED_IN = 0  # what one does to a module, the next does not see
Path(sys.argv[1]).write_text(json.dumps(told))
if "wait" in sys.argv:
    time.sleep(600)
raise SystemExit(7)
"""
_LOADED = "import os\nLOADED_IN = os.getpid()\n"


@pytest.fixture
def tellers(tmp_path: Path) -> Iterator[Bridges]:
    """A programme that tells what it is, forked from where a module of it was loaded."""
    (tmp_path / "teller.py").write_text(_TELLS)
    (tmp_path / "told_before.py").write_text(_LOADED)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "TOLD_FIRST": "of the parent"}
    programme = ("teller", "told_before")
    with Bridges(log=tmp_path / "log", environment=environment, programme=programme) as bridges:
        yield bridges


def told(bridges: Bridges, file: Path) -> dict[str, Any]:
    bridge = bridges.start([str(file), "word"], environment={**os.environ, "TOLD": "to the child"})
    assert bridge.wait(PATIENT_S) == 7
    content: dict[str, Any] = json.loads(file.read_text())
    assert content["here"] == bridge.process_id
    return content


def test_each_starts_afresh(tellers: Bridges, tmp_path: Path) -> None:
    first, second = (told(tellers, tmp_path / name) for name in ("first", "second"))
    for one in (first, second):
        assert one["leads its session"]
        assert one["arguments"][1:] == ["word"]
        assert one["environment"] == {"TOLD": "to the child"}
        assert len(one["open"]) <= 4  # the usual three, and the folder that is listed
        assert one["threads"] == 1
    assert first["drawn"] != second["drawn"]
    assert first["loaded in"] == second["loaded in"] != first["here"]


def test_one_that_runs_can_be_killed_and_is_followed_by_another(tellers: Bridges, tmp_path: Path) -> None:
    file = tmp_path / "told"
    bridge = tellers.start([str(file), "wait"], environment=os.environ)
    assert bridge.exit_code is None
    last_s = time.monotonic() + PATIENT_S
    while not file.exists() and time.monotonic() < last_s:
        assert bridge.wait(0.01) is None
    bridge.kill()
    assert bridge.wait(PATIENT_S) == -signal.SIGKILL
    bridge.kill()  # harmless
    assert told(tellers, tmp_path / "next")["threads"] == 1


def test_leaving_ends_what_runs(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text("import time\ntime.sleep(600)\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with Bridges(log=tmp_path / "log", environment=environment, programme=("sleeper", "json")) as bridges:
        bridge = bridges.start([], environment=environment)
    assert bridge.exit_code == -signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(bridge.process_id, 0)


def test_what_cannot_be_loaded_is_said(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="no_such_module"):
        Bridges(log=tmp_path / "log", environment=os.environ, programme=("json", "no_such_module"))


def test_modules_that_start_threads_are_refused(tmp_path: Path) -> None:
    (tmp_path / "threaded.py").write_text("import threading, time\nthreading.Timer(600, print).start()\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with pytest.raises(ChildFailed, match="thread"):
        Bridges(log=tmp_path / "log", environment=environment, programme=("json", "threaded"))
