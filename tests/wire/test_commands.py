"""Manual tasks, and a whole night: the programmes as they are installed, against simulators that run very fast."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits

from tests.desk import TOKEN, Desk, a_slow_satellite, on_the_desk

pytestmark = pytest.mark.wire

RATE = 60.0
ENVIRONMENT = {**os.environ, "NIGHTBRIDGE_API__TOKEN": TOKEN, "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200"}

SLOW = a_slow_satellite()
# Both sink: the best moment is the first.
TASKS = f"""
[[task]]
name = "slow one"
target = "{SLOW.name}"
norad_id = {SLOW.norad_id}
tle = ["{SLOW.lines[0]}", "{SLOW.lines[1]}"]
frame_count = 2
exposure_s = 3.0
priority = 9

[[task]]
name = "Vega"
ra_deg = 279.235
dec_deg = 38.784
frame_count = 2
exposure_s = 1.5
filter = "Red"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with on_the_desk(tmp_path, rate=RATE, tasks=0, hours=3.0, before_dusk=timedelta(minutes=-5)) as desk:
        yield desk


def events(state: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (state / "nightbridge.log").read_text().split("\n") if line]


def nightbridge(desk: Desk, *arguments: object) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "bridge", *map(str, arguments), "-c", str(desk.station)]
    return subprocess.run(call, capture_output=True, text=True, timeout=110, check=False, env=ENVIRONMENT)


def test_the_tasks_of_a_file_are_observed_and_then_it_ends_by_itself(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "tonight.toml"
    file.write_text(TASKS)
    said = nightbridge(desk, "observe", file)
    assert said.returncode == 0, said.stderr[-3000:]
    frames = sorted((desk.state / "frames").iterdir())
    headers = [fits.getheader(frame) for frame in frames]
    assert {header["OBJECT"] for header in headers} == {"Vega", SLOW.name}
    assert {header["FILTER"] for header in headers if header["OBJECT"] == "Vega"} == {"Red"}
    assert {header["NORADID"] for header in headers if header["OBJECT"] == SLOW.name} == {SLOW.norad_id}
    assert {header["EXPTIME"] for header in headers} == {1.5, 3.0}
    for name in ("Vega", "slow one"):
        (line,) = (one for one in said.stdout.splitlines() if one.startswith(f"│ {name} 2026-11-23"))
        assert "captured" in line or "delivered" in line
    assert desk.observatory.mount.parked
    assert [event for event in events(desk.state) if event["level"] == "error"] == []
    assert TOKEN not in said.stdout + said.stderr
    assert "Traceback" not in said.stderr


def test_a_task_that_cannot_be_observed_ends_it_too_and_is_said(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "tonight.toml"
    file.write_text('[[task]]\nname = "deep south"\nra_deg = 120.0\ndec_deg = -85.0\n')
    said = nightbridge(desk, "observe", file)
    assert said.returncode == 1, said.stderr[-3000:]
    (line,) = (one for one in said.stdout.splitlines() if one.startswith("│ deep south"))
    assert "failed" in line
    assert "never above 20°" in line
    assert desk.observatory.mount.parked


def test_a_short_night_delivers_every_frame_it_captured_exactly_once(tmp_path: Path) -> None:
    out = tmp_path / "a night" / "of mine"
    call = ("--hours", "0.2", "--tasks", "4", "--rate", "60", "--seed", "5")
    command = [sys.executable, "-m", "simulators", "night", "--date", "2026-11-22", "--out", str(out), *call]
    said = subprocess.run(command, capture_output=True, text=True, timeout=115, check=False, env=ENVIRONMENT)
    report = json.loads((out / "report.json").read_text())
    assert report["frames_captured"] > 0, said.stdout
    assert report["frames_completed"] == report["frames_captured"], said.stdout
    assert report["frames_completed_twice"] == 0
    assert report["log_errors"] == []
    assert report["bridge_exit_code"] == 0
    assert report["tasks_offered"] == 4
    assert len(report["frames"]) == report["frames_completed"]
    assert all((out / "uploads") in Path(frame["path"]).parents for frame in report["frames"])
    assert [task for task in report["tasks"] if not task["settled"]] == []
    assert (said.returncode == 0) == report["good"] == (report["faults"] == [])
    assert report["good"], said.stdout
    assert "Every captured frame was delivered once" in said.stdout
    html = (out / "report.html").read_text()
    assert html.count("<tr><td") == 4
    assert html.count("<img") >= 1
    assert "Traceback" not in said.stderr + "".join(log.read_text() for log in out.glob("*.log"))
    trouble = [event for event in events(out / "state") if event["level"] != "info"]
    assert [event for event in trouble if event["event"] != "StationNote"] == []
