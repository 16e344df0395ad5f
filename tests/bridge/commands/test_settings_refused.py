"""Settings and task files that cannot be used: one line, exit code 2, whatever the command."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bridge.commands.conftest import Call
from tests.desk import TOKEN

STATION = """
state_folder = "{folder}/state"
[site]
latitude_deg = 28.3
longitude_deg = -16.5
elevation_m = 2390
[mount]
address = "127.0.0.1:1"
[camera]
address = "127.0.0.1:1"
focal_length_mm = 400
aperture_mm = 80
"""

# Every command that reads settings, with what it needs beside them.
CALLS = {
    "run": ("run",),
    "observe": ("observe", "tasks.toml"),
    "observe --dry-run": ("observe", "tasks.toml", "--dry-run"),
    "plan": ("plan",),
    "plan --json": ("plan", "--json"),
    "check": ("check",),
    "devices": ("devices",),
}

FAULTS = {
    "an unknown key": ("latitude_deg = 28.3", "latitud_deg = 28.3", ["site.latitud_deg", "did you mean latitude_deg?"]),
    "an unknown table": ("[camera]", "[kamera]", ["kamera", "did you mean camera?"]),
    "a missing value": ("latitude_deg = 28.3", "", ["site.latitude_deg is missing"]),
    "a wrong value": ("latitude_deg = 28.3", "latitude_deg = 95", ["site.latitude_deg = 95", "90"]),
    "a value of another kind": ("elevation_m = 2390", 'elevation_m = "high"', ["site.elevation_m = 'high'", "number"]),
    "no TOML": ("[site]", "[site", ["not TOML"]),
}

Station = Callable[[str], Path]


@pytest.fixture
def station(tmp_path: Path) -> Station:
    def written(text: str) -> Path:
        file = tmp_path / "station.toml"
        file.write_text(text.replace("{folder}", str(tmp_path)))
        return file

    return written


def assert_one_line(err: str) -> str:
    (line,) = err.splitlines()
    assert line.startswith("nightbridge: ")
    assert "Traceback" not in line
    return line


@pytest.mark.parametrize("call", CALLS)
def test_every_command_refuses_an_unknown_key_in_one_line(nightbridge: Call, station: Station, call: str) -> None:
    file = station(STATION.replace("[mount]", "[mount]\nslew_speed = 3"))
    said = nightbridge(*CALLS[call], "-c", file)
    assert said.code == 2
    assert said.out == ""
    line = assert_one_line(said.err)
    assert f"{file}: mount.slew_speed = 3: unknown key; did you mean slew_speed_deg_s?" in line


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_named_with_file_key_value_and_what_is_expected(
    nightbridge: Call, station: Station, fault: str
) -> None:
    before, after, words = FAULTS[fault]
    assert before in STATION
    file = station(STATION.replace(before, after))
    said = nightbridge("check", "-c", file)
    assert said.code == 2
    line = assert_one_line(said.err)
    assert str(file) in line
    assert all(word in line for word in words), line


def test_the_real_programme_prints_the_same_line(station: Station, tmp_path: Path) -> None:
    file = station(STATION.replace("aperture_mm = 80", "aperture_mm = -80"))
    asked = subprocess.run(
        [sys.executable, "-m", "bridge", "run", "-c", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env={"NIGHTBRIDGE_API__TOKEN": TOKEN, "HOME": str(tmp_path), "PATH": ""},
    )
    assert (asked.returncode, asked.stdout) == (2, "")
    assert assert_one_line(asked.stderr).endswith("camera.aperture_mm = -80: expected greater than 0")


def test_a_variable_that_is_no_setting_is_named(
    nightbridge: Call, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTBRIDGE_SIGHT__LATITUDE_DEG", "3")
    said = nightbridge("run", "-c", station(STATION))
    assert said.code == 2
    assert "environment NIGHTBRIDGE_SIGHT__LATITUDE_DEG" in assert_one_line(said.err)


@pytest.mark.parametrize("command", ["run", "plan", "check"])
def test_without_settings_it_says_where_it_looked_and_how_to_get_some(nightbridge: Call, command: str) -> None:
    said = nightbridge(command)
    assert said.code == 2
    line = assert_one_line(said.err)
    assert "station.toml" in line
    assert "~/.config/nightbridge/station.toml" in line
    assert "nightbridge init" in line


def test_settings_in_the_folder_need_not_be_named(nightbridge: Call, station: Station) -> None:
    station(STATION.replace("elevation_m = 2390", "elevation_m = 99000"))
    said = nightbridge("check")
    assert said.code == 2
    assert "station.toml: site.elevation_m = 99000" in assert_one_line(said.err)


def test_a_token_file_that_others_can_read_is_refused(
    nightbridge: Call, station: Station, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NIGHTBRIDGE_API__TOKEN")
    tmp_path.joinpath("token").write_text(TOKEN)
    tmp_path.joinpath("token").chmod(0o644)
    said = nightbridge("run", "-c", station(STATION + '[api]\ntoken_file = "token"\n'))
    assert said.code == 2
    assert "expected 0600" in assert_one_line(said.err)


def test_a_state_folder_that_cannot_be_made_is_named(nightbridge: Call, station: Station, tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("in the way")
    said = nightbridge("run", "-c", station(STATION.replace("/state", "/file/state")))
    assert said.code == 2
    assert f"state_folder = '{tmp_path}/file/state': cannot be used" in assert_one_line(said.err)


def test_a_ledger_of_another_programme_is_left_alone(nightbridge: Call, station: Station, tmp_path: Path) -> None:
    ledger = tmp_path / "state" / "nightbridge.sqlite"
    ledger.parent.mkdir()
    notes = sqlite3.connect(ledger)
    notes.execute("CREATE TABLE life (notes TEXT)")
    notes.close()
    before = ledger.read_bytes()
    said = nightbridge("run", "-c", station(STATION))
    assert said.code == 1
    line = assert_one_line(said.err)
    assert f"{ledger} is the database of another program" in line
    assert ledger.read_bytes() == before


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ("", ["task is missing"]),
        ("[[task]]\nname = 'Vega'\nra_deg = 279.2\n", ["task 1 (Vega)", "ra_deg and dec_deg together"]),
        (
            "[[task]]\nname = 'Vega'\nra_deg = 279.2\ndec_deg = 38.8\nexposures_s = 1\n",
            ["task 1 (Vega).exposures_s", "did you mean"],
        ),
        ("[[task]]\nname = 'far'\nelements = 'far.tle'\n", ["far.tle", "no such file"]),
        ("[[task]\n", ["not TOML"]),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_a_task_file_that_cannot_be_used_is_refused_before_anything_moves(
    nightbridge: Call, station: Station, tmp_path: Path, tasks: str, words: list[str], dry: bool
) -> None:
    file = tmp_path / "tasks.toml"
    file.write_text(tasks)
    said = nightbridge("observe", file, "-c", station(STATION), *(["--dry-run"] if dry else []))
    assert said.code == 2
    line = assert_one_line(said.err)
    assert all(word in line for word in [str(tmp_path), *words]), line


def test_json_is_for_the_dry_run(nightbridge: Call, station: Station) -> None:
    said = nightbridge("observe", "tasks.toml", "--json", "-c", station(STATION))
    assert said.code == 2
    assert "--dry-run" in said.err
