"""A short night with INDI's own simulators, as it is typed: the real bridge, judged by the same truth as ever."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.indi.bent_time import faketime_missing
from simulators.indi.server import indiserver_missing

MISSING = indiserver_missing() or faketime_missing()
pytestmark = [pytest.mark.wire, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

# Twelve minutes of darkness and six before. Slower, fewer frames are lost to a busy computer; it takes longer.
NIGHT = ("--date", "2026-11-22", "--hours", "0.2", "--tasks", "4", "--rate", "40")


def test_frames_of_indis_camera_are_delivered_once_and_show_their_targets_and_nothing_is_left_over(
    tmp_path: Path,
) -> None:
    """What a busy computer may cost is time, and so tasks; never a frame, and never one that shows something else."""
    call = [sys.executable, "-m", "simulators", "night", "--devices", "indi", *NIGHT, "--out", str(tmp_path / "out")]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NIGHTBRIDGE_")}
    environment["TMPDIR"] = str(tmp_path)
    said = subprocess.run(call, capture_output=True, text=True, timeout=115, check=False, env=environment)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["bridge_exit_code"] == 0, said.stdout
    assert report["frames_captured"] == report["frames_completed"] == len(report["frames"]) >= 1, said.stdout
    assert report["frames_completed_twice"] == 0
    assert report["inside_share"] >= 0.5
    for frame in report["frames"]:
        assert abs(frame["time_error_s"]) < 40.0  # a second of life
    station = (tmp_path / "out" / "station.toml").read_text()
    assert station.count('driver = "indi"') == 7
    for port in set(re.findall(r"127\.0\.0\.1:(\d+)", station)):
        with socket.socket() as nobody, pytest.raises(ConnectionRefusedError):
            nobody.connect(("127.0.0.1", int(port)))
    assert list(tmp_path.glob("nightbridge-indi-*")) == []
