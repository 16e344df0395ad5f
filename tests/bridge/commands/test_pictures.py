"""Pictures: well-formed, true to the plan, and safe with any name."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bridge.commands.passes import print_passes
from bridge.pictures import svg
from bridge.pictures.sky import MOST, sky_picture
from schedules.constraints import MinAltitude
from schedules.elements import satellite_from_omm
from schedules.ephemeris import Ephemeris
from schedules.site import Site
from schedules.targets import Satellite
from schedules.windows import AccessWindow, find_all_windows
from tests.bridge.commands.conftest import Call
from tests.desk import Desk

SITE = Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0)
BEGINS = datetime(2026, 8, 11, 20, 0, 0, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def message(number: int, name: str, **changed: Any) -> dict[str, Any]:
    return {
        "OBJECT_NAME": name,
        "NORAD_CAT_ID": number,
        "EPOCH": "2026-08-11T18:00:00",
        "MEAN_MOTION": 14.6,
        "ECCENTRICITY": 0.001,
        "INCLINATION": 51.6,
        "RA_OF_ASC_NODE": 240.0,
        "ARG_OF_PERICENTER": 80.0,
        "MEAN_ANOMALY": 70.0,
        "BSTAR": 1e-5,
    } | changed


def passes_of(*messages: dict[str, Any], hours: float = 9.0) -> list[tuple[Satellite, AccessWindow]]:
    satellites = [satellite_from_omm(one, source="test") for one in messages]
    found = find_all_windows(
        satellites,
        SITE,
        opens=BEGINS,
        closes=BEGINS + timedelta(hours=hours),
        constraints=[MinAltitude(altitude_deg=15.0)],
        ephemeris=Ephemeris(),
    )
    return list(found.windows)


def parsed(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 (drawn a moment ago)


def texts(picture: str) -> list[str]:
    return [one.text or "" for one in parsed(picture).iter(f"{SVG}text")]


def points(picture: str) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for run in re.findall(r'points="([^"]*)"', picture) for pair in run.split())
    return [(float(x), float(y)) for x, y in pairs]


def test_a_chart_shows_each_pass_with_its_number_and_times() -> None:
    passes = passes_of(message(90001, "ONE"), message(90002, "TWO", MEAN_ANOMALY=40.0))
    picture = sky_picture(passes, SITE, Ephemeris())
    said = texts(picture)
    for satellite, window in passes:
        assert f"{satellite.name} · {satellite.norad_id}" in said
        assert any(f"{window.rise:%H:%M:%S} → {window.culmination:%H:%M:%S}" in text for text in said)
    assert {"N", "E", "S", "W"} <= set(said)
    assert said.count("1") == 2  # in the chart and in the list


def test_north_is_up_and_east_is_left_and_nothing_leaves_the_chart() -> None:
    picture = sky_picture(passes_of(message(90001, "ONE")), SITE, Ephemeris())
    placed = {one.text: (float(one.attrib["x"]), float(one.attrib["y"])) for one in parsed(picture).iter(f"{SVG}text")}
    assert placed["N"][1] < placed["S"][1]
    assert placed["E"][0] < placed["W"][0]
    assert all(0.0 <= x <= 1180.0 and 0.0 <= y <= 830.0 for x, y in points(picture))


def test_a_pass_in_the_shadow_is_dotted() -> None:
    def dotted(passes: list[tuple[Satellite, AccessWindow]]) -> bool:
        return 'stroke-dasharray="1 6"' in sky_picture(passes, SITE, Ephemeris())

    passes = passes_of(
        *(message(91000 + n, f"SAT {n}", RA_OF_ASC_NODE=12.0 * n, MEAN_ANOMALY=37.0 * n % 360.0) for n in range(30))
    )
    ephemeris = Ephemeris()
    lit = [one for one in passes if all(whole_pass_lit(ephemeris, *one))]
    dark = [one for one in passes if not all(whole_pass_lit(ephemeris, *one))]
    assert dotted(dark[:1])
    assert not dotted(lit[:1])


def whole_pass_lit(ephemeris: Ephemeris, satellite: Satellite, window: AccessWindow) -> list[bool]:
    length = window.set - window.rise
    return [
        bool(lit)
        for lit in ephemeris.track_of(satellite, SITE, [window.rise + length * (k / 60.0) for k in range(61)]).sunlit
    ]


def test_more_passes_than_a_chart_holds_are_counted() -> None:
    many = passes_of(*(message(91000 + n, f"SAT {n}", MEAN_ANOMALY=12.0 * n) for n in range(30)))
    picture = sky_picture(many, SITE, Ephemeris())
    assert any(f"{len(many) - MOST} more are not drawn" in text for text in texts(picture))
    with pytest.raises(ValueError, match="no pass"):
        sky_picture([], SITE, Ephemeris())


def test_names_from_outside_do_no_harm_to_a_picture() -> None:
    ((satellite, window), *_) = passes_of(message(90001, "ONE"))
    evil = Satellite(elements=replace(satellite.elements, name='</svg><script>"&\x07\ud800'))
    picture = sky_picture([(evil, window)], SITE, Ephemeris())
    picture.encode("utf-8")
    assert not list(parsed(picture).iter(f"{SVG}script"))


def test_passes_draws_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elements, chart = tmp_path / "tonight.json", tmp_path / "sky.svg"
    elements.write_text(f"[{json.dumps(message(90001, 'ONE'))}]")
    asked = {"begins": BEGINS, "ends": BEGINS + timedelta(hours=9), "sunlit": False, "json_lines": True}
    assert print_passes(elements, SITE, **asked, plot=chart) == 0
    assert "ONE · 90001" in texts(chart.read_text(encoding="utf-8"))
    assert print_passes(elements, SITE, **asked, plot=tmp_path / "nowhere" / "sky.svg") == 1
    assert "No such file" in capsys.readouterr().err
    chart.unlink()
    assert print_passes(elements, SITE, **asked, shortest_s=7200.0, plot=chart) == 0
    assert not chart.exists()


@pytest.mark.wire
def test_the_night_shows_every_observation_of_the_plan(nightbridge: Call, desk: Desk, tmp_path: Path) -> None:
    picture = tmp_path / "night.svg"
    said = nightbridge("plan", "-c", desk.station, "--plot", picture, "--json")
    assert said.code == 0, said.err
    drawn = picture.read_text(encoding="utf-8")
    placed = [line for line in map(json.loads, said.out.splitlines()) if line["placed"]]
    assert placed
    root = parsed(drawn)
    hints = [one.text or "" for one in root.iter(f"{SVG}title")]
    for one in placed:
        starts = datetime.fromisoformat(one["starts_at"])
        assert any(hint.startswith(f"{one['target']}: {starts:%H:%M:%S} to ") for hint in hints)
    assert any(f"{len(placed)} observation" in text for text in texts(drawn))
    assert all(0.0 <= x <= 1400.0 and 84.0 - 1.0 <= y <= 720.0 for x, y in points(drawn))


def test_colours_can_be_told_apart_on_the_dark_ground() -> None:
    def luminance(colour: str) -> float:
        shades = [int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5)]
        red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in shades)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for colour in (*svg.COLOURS, svg.TEXT, svg.DIM):
        # WCAG: 4.5 to 1 for text.
        assert (luminance(colour) + 0.05) / (luminance(svg.GROUND) + 0.05) > 4.5, colour
    assert len(set(svg.COLOURS)) == len(svg.COLOURS)
