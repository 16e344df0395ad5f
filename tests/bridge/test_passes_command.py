"""`passes`: windows for people and for programs, and what is said about what cannot be used."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.commands.passes import print_passes
from schedules.constraints import MinAltitude, SunBelow, Sunlit
from schedules.elements import parse_elements
from schedules.ephemeris import Ephemeris
from schedules.site import Site
from schedules.tle import checksum
from schedules.windows import find_windows

SITE = Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0)
BEGINS = datetime(2026, 8, 11, 18, 0, 0, tzinfo=UTC)
ENDS = BEGINS + timedelta(hours=14)

KEYS = {
    "norad_id",
    "name",
    "rise",
    "culmination",
    "set",
    "peak_altitude_deg",
    "rise_azimuth_deg",
    "culmination_azimuth_deg",
    "set_azimuth_deg",
    "duration_s",
    "international_designator",
    "elements_epoch",
    "elements_age_days",
    "elements_source",
    "along_track_error_km",
}


def tle(
    name: str, number: int, *, node: float, motion: float = 14.6, anomaly: float = 70.0, drag: str = " 30000-4"
) -> str:
    """Three lines of a synthetic satellite with elements of the evening."""
    line_1 = f"1 {number:05d}U 26001A   26223.75000000  .00001200  00000+0 {drag} 0  999"
    line_2 = f"2 {number:05d}  51.6000 {node:8.4f} 0008000  80.0000 {anomaly:8.4f} {motion:11.8f}    1"
    return f"{name}\n{line_1}{checksum(line_1)}\n{line_2}{checksum(line_2)}\n"


@pytest.fixture
def elements(tmp_path: Path) -> Path:
    path = tmp_path / "tonight.tle"
    path.write_text("".join(tle(f"DEMOSAT {node}", 90000 + node, node=float(node)) for node in range(0, 360, 30)))
    return path


def run(elements: Path, *, json_lines: bool = True, sunlit: bool = False, **changed: Any) -> int:
    return print_passes(
        elements, SITE, **{"begins": BEGINS, "ends": ENDS, "sunlit": sunlit, "json_lines": json_lines} | changed
    )


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_json_has_one_window_a_line_in_order_of_rise(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(elements) == 0
    lines = printed(capsys)
    assert len(lines) >= 5
    assert [line["rise"] for line in lines] == sorted(line["rise"] for line in lines)
    for line in lines:
        assert set(line) == KEYS
        rise, culmination, sets = (datetime.fromisoformat(line[key]) for key in ("rise", "culmination", "set"))
        assert BEGINS <= rise <= culmination <= sets <= ENDS
        assert all(line[key].endswith("Z") and "." in line[key] for key in ("rise", "culmination", "set"))
        assert line["duration_s"] == pytest.approx((sets - rise).total_seconds())
        assert line["peak_altitude_deg"] >= 20.0
        assert line["elements_epoch"] == "2026-08-11T18:00:00.000000Z"
        assert line["elements_age_days"] == pytest.approx((rise - BEGINS).total_seconds() / 86400.0, abs=1e-5)


def test_the_windows_are_those_of_the_conditions_asked(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    satellites = parse_elements(elements.read_text(), source="x").satellites
    ephemeris = Ephemeris()
    for sunlit in (False, True):
        constraints = [MinAltitude(altitude_deg=30.0), SunBelow(altitude_deg=-6.0), *([Sunlit()] if sunlit else [])]
        expected = [
            (one.norad_id, window.rise)
            for one in satellites
            for window in find_windows(
                one, SITE, opens=BEGINS, closes=ENDS, constraints=constraints, ephemeris=ephemeris
            )
        ]
        assert run(elements, sunlit=sunlit, min_altitude_deg=30.0, max_sun_altitude_deg=-6.0) == 0
        lines = printed(capsys)
        assert {line["norad_id"] for line in lines} == {number for number, _ in expected}
        assert len(lines) == len(expected)
        for (_, rise), line in zip(sorted(expected, key=lambda one: one[1]), lines, strict=True):
            assert abs((datetime.fromisoformat(line["rise"]) - rise).total_seconds()) < 0.01


def test_people_get_a_table_with_whole_numbers_and_names(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elements.write_text(tle("SAT [DTC] NUMBER ONE", 90001, node=0.0) + tle("SECOND", 90002, node=30.0))
    assert run(elements, json_lines=False) == 0
    out = capsys.readouterr().out
    assert "90001" in out
    assert "SAT [DTC] NUMBER ONE" in out
    assert "Rise (UTC)" in out
    assert "…" not in out


def test_numbers_of_nine_digits_come_out_as_they_went_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "elements.json"
    message = {
        "OBJECT_NAME": "DEMOSAT NINE",
        "OBJECT_ID": "2026-001A",
        "EPOCH": "2026-08-11T18:00:00",
        "MEAN_MOTION": 1.00273,
        "ECCENTRICITY": 0.0002,
        "INCLINATION": 0.05,
        "RA_OF_ASC_NODE": 80.0,
        "ARG_OF_PERICENTER": 0.0,
        "MEAN_ANOMALY": 125.0,
        "NORAD_CAT_ID": 123456789,
        "BSTAR": 0.0,
    }
    path.write_text(json.dumps([message]))
    assert run(path) == 0
    (line,) = printed(capsys)
    assert line["norad_id"] == 123456789
    assert run(path, json_lines=False) == 0
    assert "123456789" in capsys.readouterr().out


def test_refused_and_ended_sets_are_named_and_the_rest_goes_on(
    elements: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = elements.read_text()
    falling = tle("FALLING", 95000, node=10.0, motion=16.3, drag=" 10000-0")
    damaged = "".join(
        tle(f"DAMAGED {number}", 96000 + number, node=0.0).replace("51.6", "51.7") for number in range(12)
    )
    elements.write_text(damaged + falling + good)
    assert run(elements) == 0
    captured = capsys.readouterr()
    errors = captured.err.splitlines()
    assert sum("DAMAGED" in line for line in errors) == 10
    assert errors[0].startswith("tonight.tle line 2: refused: DAMAGED 0: line 2 has checksum")
    assert errors[10] == "… and 2 more refused element sets"
    assert "FALLING (95000, tonight.tle line 38): SGP4 gives no place" in errors[11]
    assert len(captured.out.splitlines()) >= 5


def test_old_elements_are_used_and_their_age_is_said(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = timedelta(days=40)
    assert run(elements, begins=BEGINS + later, ends=ENDS + later) == 0
    assert all(line["elements_age_days"] > 39.0 for line in printed(capsys))


def test_nothing_that_rises_is_no_error(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(elements, min_altitude_deg=89.9) == 0
    assert run(elements, min_altitude_deg=89.9, json_lines=False) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no passes" in captured.err


def test_a_file_without_any_use_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "missing.tle") == 1
    assert "missing.tle: No such file or directory" in capsys.readouterr().err
    path = tmp_path / "photo.jpg"
    path.write_bytes(bytes(range(256)))
    assert run(path) == 1
    assert "neither TLE lines nor an OMM" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ends": BEGINS}, "--to 2026-08-11T18:00:00.000000Z is not after --from"),
        ({"min_altitude_deg": 91.0}, "altitudes of 91° and -12°"),
        ({"max_sun_altitude_deg": float("nan")}, "altitudes of 20° and nan°"),
    ],
)
def test_a_question_without_sense_ends_with_two(
    elements: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], reason: str
) -> None:
    assert run(elements, **changed) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert reason in captured.err


def test_by_day_passes_are_found_where_the_sun_may_stand_anywhere(
    elements: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(elements)
    in_the_dark = len(printed(capsys))
    run(elements, max_sun_altitude_deg=90.0)
    assert len(printed(capsys)) > in_the_dark
