"""`plan --discover`: the best satellites of a catalogue, ranked honestly, and as tasks that can be observed."""

import json
import tomllib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.commands.discover import _omm
from bridge.config import load_settings
from bridge.manual import read_task_file
from schedules.elements import parse_elements, satellite_from_omm
from schedules.ephemeris import Ephemeris
from schedules.places import separation_deg
from schedules.targets import Satellite
from tests.bridge.commands.conftest import Call, Said
from tests.desk import DUSK, Desk, a_slow_satellite

pytestmark = pytest.mark.wire


def message(number: int, name: str, **changed: Any) -> dict[str, Any]:
    """A low orbit of that evening over the Front Range, as an OMM."""
    return {
        "OBJECT_NAME": name,
        "OBJECT_ID": "2026-001A",
        "NORAD_CAT_ID": number,
        "EPOCH": (DUSK - timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "MEAN_MOTION": 14.2,
        "ECCENTRICITY": 0.001,
        "INCLINATION": 97.8,
        "RA_OF_ASC_NODE": 0.0,
        "ARG_OF_PERICENTER": 90.0,
        "MEAN_ANOMALY": 0.0,
        "BSTAR": 1e-5,
    } | changed


def in_plane(plane: int, number: int) -> dict[str, Any]:
    name = f"DEMOSAT {plane}-{number}"
    return message(91000 + 10 * plane + number, name, RA_OF_ASC_NODE=20.0 * plane, MEAN_ANOMALY=60.0 * number)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Many planes, so that somebody passes; one too old, one with a number of nine digits and an odd name."""
    swarm = [in_plane(plane, number) for plane in range(18) for number in range(6)]
    odd = message(799500123, 'ODD "é" \\ NAME', MEAN_MOTION=1.00273, INCLINATION=0.05, MEAN_ANOMALY=20.0)
    old = message(95000, "OLD", EPOCH="2026-09-01T00:00:00", MEAN_MOTION=1.00273, INCLINATION=0.05)
    path = tmp_path / "all.json"
    path.write_text(json.dumps([*swarm, odd, old]), encoding="utf-8")
    return path


def lines(said: Said) -> list[dict[str, Any]]:
    assert said.code == 0, said.err
    return [json.loads(line) for line in said.out.splitlines()]


def test_the_best_are_ranked_by_how_little_distance_and_phase_dim_them(
    nightbridge: Call, desk: Desk, catalogue: Path
) -> None:
    found = lines(nightbridge("plan", "-c", desk.station, "--discover", catalogue, "--best", 15, "--json"))
    assert 5 <= len(found) <= 15
    assert [one["dimming_mag"] for one in found] == sorted(one["dimming_mag"] for one in found)
    assert len({one["norad_id"] for one in found}) == len(found)
    assert {one["magnitude"] for one in found} == {None}
    assert 95000 not in {one["norad_id"] for one in found}
    satellites = {one.norad_id: one for one in parse_elements(catalogue.read_text(), source="x").satellites}
    ephemeris, site = Ephemeris(), load_settings(desk.station).site.to_site()
    for one in found:
        at = datetime.fromisoformat(one["brightest_at"])
        place = ephemeris.place_of(satellites[one["norad_id"]], site, at)
        assert one["altitude_deg"] == pytest.approx(place.horizontal.altitude_deg, abs=0.01)
        assert one["moon_apart_deg"] == pytest.approx(
            separation_deg(place.apparent, ephemeris.moon_of(site, at)), abs=0.01
        )
        assert place.sunlit
        assert one["altitude_deg"] > 10.0
        if one["enters_shadow_at"] is not None:
            after = datetime.fromisoformat(one["enters_shadow_at"]) + timedelta(seconds=2)
            assert not ephemeris.place_of(satellites[one["norad_id"]], site, after).sunlit


def test_known_magnitudes_come_first_and_nobody_is_given_one(
    nightbridge: Call, desk: Desk, catalogue: Path, tmp_path: Path
) -> None:
    everyone = lines(nightbridge("plan", "-c", desk.station, "--discover", catalogue, "--best", 1000, "--json"))
    last = everyone[-1]
    table = tmp_path / "magnitudes.csv"
    table.write_text(f"norad_id, standard_magnitude\n{last['norad_id']}, 4.5\n1, 3.0\n")
    found = lines(
        nightbridge("plan", "-c", desk.station, "--discover", catalogue, "--magnitudes", table, "--best", 2, "--json")
    )
    assert found[0]["norad_id"] == last["norad_id"]
    assert found[0]["magnitude"] == pytest.approx(4.5 + last["dimming_mag"], abs=0.02)
    assert found[1]["magnitude"] is None


def test_what_is_written_for_observe_is_read_back_as_it_was(
    nightbridge: Call, desk: Desk, catalogue: Path, tmp_path: Path
) -> None:
    file = tmp_path / "best.toml"
    found = lines(
        nightbridge("plan", "-c", desk.station, "--discover", catalogue, "--best", 1000, "--json", "--export", file)
    )
    assert len(tomllib.loads(file.read_text(encoding="utf-8"))["task"]) == len(found)
    defaults = load_settings(desk.station).exposure
    requests = read_task_file(file, opens=DUSK, closes=DUSK + timedelta(days=1), defaults=defaults)
    assert [request.target.norad_id for request in requests if isinstance(request.target, Satellite)] == [
        one["norad_id"] for one in found
    ]
    messages = {one["NORAD_CAT_ID"]: one for one in json.loads(catalogue.read_text(encoding="utf-8"))}
    for request, one in zip(requests, found, strict=True):
        assert isinstance(request.target, Satellite)
        original = satellite_from_omm(messages[one["norad_id"]], source="task file best.toml")
        assert request.target == original
        rise, sets = (datetime.fromisoformat(one[edge]) for edge in ("rise", "set"))
        assert abs((request.opens - rise).total_seconds()) <= 1.0
        assert abs((request.closes - sets).total_seconds()) <= 1.0
    priorities = [request.priority for request in requests]
    assert priorities == sorted(priorities, reverse=True)
    assert (priorities[0], priorities[-1]) == (9.0, 1.0)


def test_people_get_a_table_that_says_what_is_not_known(nightbridge: Call, desk: Desk, catalogue: Path) -> None:
    said = nightbridge("plan", "-c", desk.station, "--discover", catalogue, "--best", 3)
    assert said.code == 0, said.err
    assert "of 110 satellites can be observed" in said.out
    assert "nobody gave its standard magnitude" in said.out


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("number,brightness\n", "the first line must name the columns norad_id and standard_magnitude"),
        ("norad_id,standard_magnitude\n25544,bright\n", "line 2"),
        ("norad_id,standard_magnitude\n25544,nan\n", "line 2: nan is no standard magnitude"),
        ("norad_id,standard_magnitude\n25544\n", "line 2"),
    ],
)
def test_magnitudes_that_cannot_be_read_are_refused_with_the_line(
    nightbridge: Call, desk: Desk, catalogue: Path, tmp_path: Path, content: str, reason: str
) -> None:
    table = tmp_path / "magnitudes.csv"
    table.write_text(content)
    said = nightbridge("plan", "-c", desk.station, "--discover", catalogue, "--magnitudes", table)
    assert said.code == 1
    assert reason in said.err


def test_a_file_that_cannot_be_written_is_said(nightbridge: Call, desk: Desk, catalogue: Path, tmp_path: Path) -> None:
    said = nightbridge(
        "plan", "-c", desk.station, "--discover", catalogue, "--best", 1, "--export", tmp_path / "nowhere" / "x.toml"
    )
    assert said.code == 1
    assert "No such file" in said.err


def test_a_picture_is_of_a_plan(nightbridge: Call, desk: Desk, catalogue: Path, tmp_path: Path) -> None:
    said = nightbridge("plan", "-c", desk.station, "--discover", catalogue, "--plot", tmp_path / "night.svg")
    assert said.code == 2
    assert "without --discover" in said.err


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A satellite that the platform on the desk has, and one that it does not."""
    slow = a_slow_satellite()
    path = tmp_path / "known.tle"
    path.write_text("\n".join([slow.name, *slow.lines]) + "\n")
    (satellite,) = parse_elements(path.read_text(), source="x").satellites
    beside = replace(satellite.elements, norad_id=95001, name="STRANGER")
    (tmp_path / "stranger.json").write_text(json.dumps([_omm(beside)]))
    return path


def test_what_is_found_is_requested_from_the_platform_when_asked_and_made_once(
    nightbridge: Call, desk: Desk, known: Path
) -> None:
    first = nightbridge("plan", "-c", desk.station, "--discover", known, "--request")
    assert first.code == 0, first.err
    assert f"Asking http://{desk.platform.address} for 1 satellites" in first.err
    assert "The platform made 1 collection requests; their tasks come as others do." in first.err
    second = nightbridge("plan", "-c", desk.station, "--discover", known, "--request")
    assert "made 0 collection requests; 1 were asked for already" in second.err


def test_without_the_flag_nothing_is_asked(nightbridge: Call, desk: Desk, known: Path) -> None:
    assert "Asking" not in nightbridge("plan", "-c", desk.station, "--discover", known).err


def test_satellites_the_platform_does_not_know_are_named(nightbridge: Call, desk: Desk, known: Path) -> None:
    said = nightbridge("plan", "-c", desk.station, "--discover", known.with_name("stranger.json"), "--request")
    assert said.code == 1
    assert "STRANGER (95001)" in said.err
    assert "Nothing is requested: the platform knows none of them." in said.err


def test_a_station_without_the_platform_requests_nothing(
    nightbridge: Call, desk: Desk, known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHTBRIDGE_API__TOKEN")
    said = nightbridge("plan", "-c", desk.station, "--discover", known, "--request")
    assert said.code == 1
    assert "Nothing is requested: the platform needs" in said.err


def test_a_request_goes_with_discovery_only(nightbridge: Call, desk: Desk) -> None:
    said = nightbridge("plan", "-c", desk.station, "--request")
    assert said.code == 2
    assert "goes with --discover" in said.err
