"""`place` and the arguments it shares with `passes`."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from bridge.commands.arguments import argument, parse_instant, parse_site
from bridge.commands.place import print_places
from schedules.elements import satellite_from_tle
from schedules.ephemeris import Ephemeris
from schedules.site import Site
from schedules.tle import checksum

SITE = Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0)
UP = datetime(2026, 8, 11, 19, 45, 18, 250_000, tzinfo=UTC)
DOWN = UP + timedelta(minutes=45)

LINES = (
    "1 90001U 26001A   26223.75000000  .00001200  00000+0  30000-4 0  9995",
    "2 90001  51.6000 210.0000 0008000  80.0000 280.0000 15.20000000    12",
)

KEYS = {
    "norad_id",
    "name",
    "at",
    "apparent_ra_deg",
    "apparent_dec_deg",
    "icrs_ra_deg",
    "icrs_dec_deg",
    "altitude_deg",
    "azimuth_deg",
    "range_km",
    "range_rate_km_s",
    "apparent_ra_rate_deg_s",
    "apparent_dec_rate_deg_s",
    "icrs_ra_rate_deg_s",
    "icrs_dec_rate_deg_s",
    "altitude_rate_deg_s",
    "azimuth_rate_deg_s",
    "angular_rate_deg_s",
    "sunlit",
    "international_designator",
    "elements_epoch",
    "elements_age_days",
    "elements_source",
    "along_track_error_km",
    "icrs_ra_rate_cos_dec_deg_s",
    "refracted_altitude_deg",
    "refraction",
}


@pytest.fixture
def elements(tmp_path: Path) -> Path:
    path = tmp_path / "tonight.tle"
    path.write_text("DEMOSAT LOW\n" + "\n".join(LINES) + "\n")
    return path


def run(elements: Path, *instants: datetime, below: bool = False, json_lines: bool = True) -> int:
    return print_places(elements, SITE, instants, allow_below_horizon=below, json_lines=json_lines)


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_json_says_the_place_as_the_ephemeris_has_it(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(elements, UP) == 0
    (line,) = printed(capsys)
    assert set(line) == KEYS
    place = Ephemeris().place_of(satellite_from_tle(*LINES, name="", source="x"), SITE, UP)
    assert (line["norad_id"], line["name"]) == (90001, "DEMOSAT LOW")
    assert line["at"] == "2026-08-11T19:45:18.250000Z"
    assert line["apparent_ra_deg"] == pytest.approx(place.apparent.ra_deg, abs=1e-8)
    assert line["apparent_dec_deg"] == pytest.approx(place.apparent.dec_deg, abs=1e-8)
    assert line["icrs_ra_deg"] == pytest.approx(place.icrs.ra_deg, abs=1e-8)
    assert line["icrs_dec_deg"] == pytest.approx(place.icrs.dec_deg, abs=1e-8)
    assert line["altitude_deg"] == pytest.approx(place.horizontal.altitude_deg, abs=1e-8)
    assert line["azimuth_deg"] == pytest.approx(place.horizontal.azimuth_deg, abs=1e-8)
    assert line["range_km"] == pytest.approx(place.range_km, abs=1e-6)
    for rate in ("icrs_ra", "icrs_dec", "apparent_ra", "apparent_dec", "altitude", "azimuth", "angular"):
        assert line[f"{rate}_rate_deg_s"] == pytest.approx(getattr(place, f"{rate}_rate_deg_s"), abs=1e-10)
    assert line["sunlit"] is place.sunlit
    assert line["elements_epoch"] == "2026-08-11T18:00:00.000000Z"
    assert line["elements_age_days"] == pytest.approx(0.0731, abs=0.0001)
    assert line["elements_source"] == "tonight.tle line 2"
    across = math.cos(math.radians(place.icrs.dec_deg))
    assert line["icrs_ra_rate_cos_dec_deg_s"] == pytest.approx(place.icrs_ra_rate_deg_s * across, abs=1e-10)
    assert math.hypot(line["icrs_ra_rate_cos_dec_deg_s"], line["icrs_dec_rate_deg_s"]) == pytest.approx(
        line["angular_rate_deg_s"], abs=1e-9
    )
    assert line["along_track_error_km"] == pytest.approx(0.573, abs=0.001)
    # An arcminute times the cotangent of the altitude, in the thinner air of the mountain.
    assert line["refracted_altitude_deg"] - line["altitude_deg"] == pytest.approx(0.0105, abs=0.0006)
    assert line["refraction"] == {"model": "Sæmundsson 1986", "pressure_hpa": 757.2, "temperature_c": -0.5}


@pytest.mark.parametrize("norad_id", [100_000, 339_999, 340_000, 799_500_123])
def test_numbers_of_six_to_nine_digits_are_printed_whole(
    norad_id: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tonight.json"
    message = {
        "OBJECT_NAME": "DEMOSAT MANY",
        "NORAD_CAT_ID": norad_id,
        "EPOCH": "2026-08-11T18:00:00",
        "MEAN_MOTION": 15.2,
        "ECCENTRICITY": 0.0008,
        "INCLINATION": 51.6,
        "RA_OF_ASC_NODE": 210.0,
        "ARG_OF_PERICENTER": 80.0,
        "MEAN_ANOMALY": 280.0,
        "BSTAR": 3e-5,
    }
    path.write_text(json.dumps([message]))
    assert run(path, UP) == 0
    assert [line["norad_id"] for line in printed(capsys)] == [norad_id]
    assert run(path, UP, json_lines=False) == 0
    assert str(norad_id) in capsys.readouterr().out


def test_what_is_below_the_horizon_is_left_out_and_said(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(elements, UP, DOWN) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert captured.err.startswith("DEMOSAT LOW (90001) is ")
    assert captured.err.rstrip().endswith("° below the horizon at 2026-08-11T20:30:18.250000Z: left out")
    assert run(elements, DOWN) == 1


def test_what_is_below_the_horizon_is_printed_when_allowed(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(elements, UP, DOWN, below=True) == 0
    captured = capsys.readouterr()
    altitudes = [json.loads(line)["altitude_deg"] for line in captured.out.splitlines()]
    assert altitudes[0] > 50.0
    assert altitudes[1] < 0.0
    assert captured.err == ""


def test_people_get_a_table(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(elements, UP, json_lines=False) == 0
    out = capsys.readouterr().out
    assert "DEMOSAT LOW" in out
    assert "51.3" in out
    assert "…" not in out


def test_an_orbit_that_has_ended_is_said(elements: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The same orbit with ten thousand times the drag.
    falling = LINES[0].replace("30000-4 0  9995", "30000-0 0  999")
    elements.write_text(f"FALLING\n{falling}{checksum(falling)}\n{LINES[1]}\n")
    assert run(elements, UP + timedelta(days=40), below=True) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("FALLING (90001, tonight.tle line 2): SGP4 gives no place at 2026-09-20T19:45:18Z")


def test_a_file_that_is_missing_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "missing.tle", UP) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_site_is_three_numbers() -> None:
    assert parse_site("28.3,-16.5,2390") == SITE
    assert parse_site(" -70.4 , 289.3 , 2600.5 ") == Site(latitude_deg=-70.4, longitude_deg=289.3, elevation_m=2600.5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("28.3,-16.5", "is not LAT,LON,ELEV_M"),
        ("28.3 N,-16.5,2390", "is not LAT,LON,ELEV_M"),
        ("28.3,-16.5,2390,1", "is not LAT,LON,ELEV_M"),
        ("", "is not LAT,LON,ELEV_M"),
        ("91,0,0", "latitude 91.0°"),
        ("0,400,0", "longitude 400.0°"),
        ("0,0,90000", "elevation 90000.0 m"),
        ("nan,0,0", "latitude nan°"),
    ],
)
def test_a_site_that_is_none_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_site(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-08-11T04:00:00Z",
        "2026-08-11T04:00:00",
        "2026-08-11 04:00",
        "2026-08-11T06:00:00+02:00",
        "20260811T040000Z",
    ],
)
def test_instants_are_turned_to_utc(text: str) -> None:
    instant = parse_instant(text)
    assert instant == datetime(2026, 8, 11, 4, tzinfo=UTC)
    assert instant.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tonight", "no ISO 8601"),
        ("", "no ISO 8601"),
        ("2026-08-32T00:00:00", "no ISO 8601"),
        ("1926-08-11", "1957 to 2099"),
    ],
)
def test_an_instant_that_is_none_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_instant(text)


def test_a_wrong_argument_names_its_option() -> None:
    assert argument("--site", parse_site, "28.3,-16.5,2390") == SITE
    with pytest.raises(typer.BadParameter, match="is not LAT,LON,ELEV_M") as refusal:
        argument("--site", parse_site, "here")
    assert refusal.value.param_hint == "--site"
