"""`plan` and `observe --dry-run`: every request placed, or dropped with a reason, whoever is away."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from drivers.values import ShutterState
from tests.bridge.commands.conftest import Call, Said
from tests.desk import DUSK, Desk, a_slow_satellite

pytestmark = pytest.mark.wire

SLOW = a_slow_satellite()

STAR = """
[[task]]
name = "Capella"
ra_deg = 79.172
dec_deg = 45.998
priority = 9
exposure_s = 1.5
frame_count = 2
filter = "Red"
"""

NEVER_UP = """
[[task]]
name = "deep south"
ra_deg = 120.0
dec_deg = -85.0
"""


def lines(said: Said) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.out.splitlines()]


def by_target(said: Said) -> dict[str, dict[str, Any]]:
    return {line["target"]: line for line in lines(said)}


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """A star, one that never rises here, and a satellite by its elements."""
    name, (line1, line2) = SLOW.name, SLOW.lines
    file = tmp_path / "tonight.toml"
    satellite = f'[[task]]\nname = "my {name}"\ntarget = "{name}"\ntle = ["{line1}", "{line2}"]\npriority = 8\n'
    file.write_text(STAR + NEVER_UP + satellite)
    return file


def test_every_task_of_the_platform_is_placed_or_dropped_with_a_reason(nightbridge: Call, desk: Desk) -> None:
    said = nightbridge("plan", "-c", desk.station, "--json")
    assert said.code == 0, said.err
    planned = lines(said)
    assert {line["request_id"] for line in planned} == {str(key) for key in desk.world.tasks}
    placed = [line for line in planned if line["placed"]]
    assert len(placed) >= 3
    assert all(line["reason"] for line in planned if not line["placed"])
    starts = [datetime.fromisoformat(line["starts_at"]) for line in placed]
    assert starts == sorted(starts)
    for line in placed:
        task = next(one for one in desk.world.tasks.values() if str(one.id) == line["request_id"])
        leaves, begins, ends = (datetime.fromisoformat(line[key]) for key in ("leave_at", "starts_at", "ends_at"))
        assert leaves < begins < ends
        assert begins.tzinfo is not None
        assert task.opens <= begins
        assert ends <= task.closes + timedelta(seconds=1)
        rise, culmination, sets = (datetime.fromisoformat(line[key]) for key in ("rise", "culmination", "set"))
        assert rise <= culmination <= sets
        assert 20.0 < line["peak_altitude_deg"] <= 90.0
        assert line["collect"] in ("leapfrog", "rate_track")
        assert line["exposure_s"] > 0.0
        assert line["frame_count"] >= 1


def test_nothing_moves_and_nothing_is_kept_for_a_plan(nightbridge: Call, desk: Desk) -> None:
    assert nightbridge("plan", "-c", desk.station).code == 0
    assert not desk.state.exists()
    now = desk.clock.now()
    assert desk.observatory.mount.parked
    assert desk.observatory.dome is not None
    assert desk.observatory.dome.shutter is ShutterState.CLOSED
    assert not desk.observatory.album.truths(now)
    asked = {(entry.method, entry.path) for entry in desk.world.journal.entries}
    assert {method for method, _ in asked} == {"GET"}


def test_for_people_it_is_a_table_of_what_and_when_and_one_of_why_not(
    nightbridge: Call, desk: Desk, tasks: Path
) -> None:
    said = nightbridge("observe", tasks, "--dry-run", "-c", desk.station)
    assert said.code == 0, said.err
    assert "Dark from 2026-11-23 00:" in said.out
    placed, _, left_out = said.out.partition("not observed")
    assert "observations" in placed
    (capella,) = (line for line in placed.splitlines() if "Capella" in line)
    assert "2 × 1.5 s" in capella
    assert "Red" in capella
    (south,) = (line for line in left_out.splitlines() if "deep south" in line)
    assert "never above 20°" in south


def test_tasks_of_both_kinds_are_in_one_plan(nightbridge: Call, desk: Desk, tasks: Path) -> None:
    said = nightbridge("observe", tasks, "--dry-run", "--json", "-c", desk.station)
    assert said.code == 0, said.err
    planned = lines(said)
    mine = [line for line in planned if line["request_id"].endswith(" 2026-11-23")]
    assert {line["target"] for line in mine} == {"Capella", "deep south", SLOW.name}
    assert len(planned) == len(desk.world.tasks) + 3
    placed = [one for one in planned if one["placed"]]
    busy = sorted(tuple(datetime.fromisoformat(one[key]) for key in ("leave_at", "ends_at")) for one in placed)
    assert all(ends <= leaves for (_, ends), (leaves, _) in pairwise(busy))
    capella = by_target(said)["Capella"]
    assert capella["placed"]
    assert (capella["norad_id"], capella["priority"], capella["filter"]) == (None, 9.0, "Red")
    assert (capella["exposure_s"], capella["frame_count"]) == (1.5, 2)


def test_what_cannot_be_seen_is_dropped_with_the_reason(nightbridge: Call, desk: Desk, tasks: Path) -> None:
    south = by_target(nightbridge("observe", tasks, "--dry-run", "--json", "-c", desk.station))["deep south"]
    assert not south["placed"]
    assert south["reason"].startswith("never above 20°")


def test_without_the_platform_there_is_a_plan_of_my_own_tasks(nightbridge: Call, desk: Desk, tasks: Path) -> None:
    desk.platform.__exit__(None, None, None)
    said = nightbridge("observe", tasks, "--dry-run", "--json", "-c", desk.station)
    assert said.code == 0
    assert "note: the platform: " in said.err
    assert {line["target"] for line in lines(said)} == {"Capella", "deep south", SLOW.name}


def test_without_a_token_nobody_is_asked(nightbridge: Call, desk: Desk, tasks: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("NIGHTBRIDGE_API__TOKEN")
    said = nightbridge("observe", tasks, "--dry-run", "--json", "-c", desk.station)
    assert said.code == 0
    assert "note: no token" in said.err
    assert len(lines(said)) == 3
    assert not desk.world.journal.entries


def test_without_the_devices_it_says_what_it_assumes(nightbridge: Call, desk: Desk) -> None:
    desk.devices.__exit__(None, None, None)
    said = nightbridge("plan", "-c", desk.station, "--json")
    assert said.code == 0
    notes = said.err.splitlines()
    assert any("planned for a German mount, because" in note for note in notes)
    assert any("planned for 2048 × 2048 pixels of 5 µm, because" in note for note in notes)
    assert any(line["placed"] for line in lines(said))


def test_a_task_whose_elements_are_of_no_use_is_named(nightbridge: Call, desk: Desk) -> None:
    key, task = next(iter(desk.world.tasks.items()))
    entry = desk.world.catalogue.by_id[task.satellite_id]
    broken = replace(entry.elements, eccentricity=1.5, lines=None)
    desk.world.catalogue.by_id[task.satellite_id] = replace(entry, elements=broken)
    said = nightbridge("plan", "-c", desk.station, "--json")
    assert said.code == 0
    assert f"note: task {key} is refused: {entry.name}" in said.err
    assert str(key) not in {line["request_id"] for line in lines(said)}
    assert len(lines(said)) == len(desk.world.tasks) - 1


def test_the_platforms_notes_about_the_telescope_are_passed_on(nightbridge: Call, desk: Desk) -> None:
    ((key, telescope),) = desk.world.telescopes.items()
    desk.world.telescopes[key] = replace(telescope, automated_scheduling=False)
    said = nightbridge("plan", "-c", desk.station, "--json")
    assert said.code == 0
    assert "automated scheduling is off" in said.err


def test_where_it_does_not_get_dark_there_is_no_plan(nightbridge: Call, desk: Desk) -> None:
    desk.rewrite("latitude_deg = 38.84", "latitude_deg = 89.0")
    desk.rewrite(f"starts_at = {desk.clock.starts_at.isoformat()}", "starts_at = 2026-06-20T00:00:00+00:00")
    desk.rewrite("ends_at = 2026", "ends_at = 2027")
    said = nightbridge("plan", "-c", desk.station)
    assert said.code == 1
    assert "does not get dark" in said.err
    assert said.out == ""


def test_names_with_brackets_are_names(nightbridge: Call, desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "odd.toml"
    file.write_text('[[task]]\nname = "[/red] M[45]"\nra_deg = 56.75\ndec_deg = 24.1\n')
    said = nightbridge("observe", file, "--dry-run", "-c", desk.station)
    assert said.code == 0, said.err
    assert "[/red] M[45]" in said.out


def test_times_are_utc(nightbridge: Call, desk: Desk) -> None:
    (first, *_) = (line for line in lines(nightbridge("plan", "-c", desk.station, "--json")) if line["placed"])
    assert first["starts_at"].endswith("Z")
    assert datetime.fromisoformat(first["starts_at"]).astimezone(UTC) > DUSK - timedelta(hours=1)


def test_what_the_devices_have_not_is_said_before_the_night(nightbridge: Call, desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "tonight.toml"
    file.write_text(STAR.replace('"Red"', '"Hydrogen"') + "binning = 16\n")
    said = nightbridge("observe", file, "--dry-run", "-c", desk.station)
    assert said.code == 0, said.err
    assert "note: Capella asks for the filter Hydrogen, and the wheel has " in said.err
    assert "note: Capella asks for binning 16, and the camera bins up to 4: it will fail" in said.err
