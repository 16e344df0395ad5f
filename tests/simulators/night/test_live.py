"""What is seen while a night runs: on a terminal a bar, in a file a line every tenth; and the log as it is read."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from simulators.night.fly import read_log
from simulators.night.live import Glance, LiveView, doing
from tests.desk import DUSK

UPLOADS = ({"status": "COMPLETED"}, {"status": "PENDING"})
TASKS: list[dict[str, Any]] = [
    {"id": "t1", "name": "DEMOSAT [1]", "status": "Pending", "uploads": [*UPLOADS]},
    {"id": "t2", "name": "other", "status": "Succeeded", "uploads": [UPLOADS[0]]},
]


def glance(after_min: float, *log: dict[str, Any]) -> Glance:
    return Glance(now=DUSK + timedelta(minutes=after_min), tasks=TASKS, log=log)


def shown(console: Console, *glances: Glance) -> None:
    with LiveView(console, begins=DUSK, ends=DUSK + timedelta(hours=1)) as view:
        for one in glances:
            view.show(one)


def test_in_a_file_there_is_a_line_for_each_tenth_of_the_night() -> None:
    out = io.StringIO()
    shown(Console(file=out, width=200), *(glance(minute / 4.0) for minute in range(-20, 241)))
    lines = out.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[0] == "00:40:00 UTC  tasks: 1 Pending, 1 Succeeded   frames: 2 completed, 1 pending"
    assert lines[-1].startswith("01:45:00 UTC")


def test_in_a_file_a_long_line_is_one_line() -> None:
    statuses = ("Canceled", "Failed", "Observing", "Pending", "Scheduled", "Succeeded")
    uploads = [{"status": status} for status in ("COMPLETED", "FAILED", "PENDING", "PROCESSING", "UPLOADED")]
    tasks = [{"id": name, "name": name, "status": name, "uploads": uploads} for name in statuses]
    out = io.StringIO()
    shown(Console(file=out, width=80), Glance(now=DUSK, tasks=tasks, log=[]))
    (line,) = out.getvalue().splitlines()
    assert len(line) > 80
    assert line.endswith("6 uploaded")


def test_before_there_is_anything_it_says_so() -> None:
    out = io.StringIO()
    shown(Console(file=out, width=200), Glance(now=DUSK, tasks=[], log=[]))
    assert "tasks: none yet   frames: none yet" in out.getvalue()


def test_on_a_terminal_there_is_a_bar_and_what_the_station_is_doing() -> None:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True, legacy_windows=False)
    event = {"event": "ExposureStarted", "task_id": "t1", "number": 2, "of": 3, "exposure_s": 2.0}
    shown(console, glance(15.0, event))
    said = out.getvalue()
    assert "25%" in said
    assert "exposing DEMOSAT [1], frame 2 of 3" in said
    assert "1 Succeeded" in said


SAID = {
    "slewing to other, 63° high": {"event": "SlewStarted", "task_id": "t2", "altitude_deg": 62.58368432915032},
    "waiting for a target": {"event": "SlewFinished", "task_id": "gone", "took_s": 3.0},
    "9 observations planned, 2 left out": {"event": "PlanMade", "placed": 9, "dropped": 2, "leave_at": ""},
    "safe: False  rain {0}": {"event": "SafetyChanged", "safe": False, "why": "rain {0}"},
    "the night is over; delivering": {"event": "NightEnded", "why": "dawn"},
}


@pytest.mark.parametrize("words", SAID)
def test_the_log_is_told_in_words(words: str) -> None:
    later = ({"event": "FrameProcessed", "task_id": "t1"}, {"what": "no event at all"})
    assert doing(glance(1.0, SAID[words], *later)) == words


def test_without_a_telling_event_nothing_is_said() -> None:
    assert doing(glance(1.0, {"event": "FrameDelivered"})) == ""


def test_a_line_still_being_written_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "nightbridge.log"
    assert read_log(tmp_path) == []
    whole = [{"event": "A", "name": "line\u2028break\x85 in a name"}, {"event": "B"}]
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in whole)
    log.write_text(text + '{"event": "C", "wh', encoding="utf-8")
    assert read_log(tmp_path) == whole


def test_of_a_long_log_the_end_is_enough(tmp_path: Path) -> None:
    entries = [{"event": "E", "number": number, "odd": '{"}'} for number in range(500)]
    (tmp_path / "nightbridge.log").write_text("".join(json.dumps(one) + "\n" for one in entries))
    for last_bytes in range(100, 200):
        read = read_log(tmp_path, last_bytes=last_bytes)
        assert read == entries[-len(read) :]
        assert len(read) >= 1
