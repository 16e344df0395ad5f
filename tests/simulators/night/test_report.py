"""The night's report: strict JSON for programs, a page and a table for people, and pictures as the camera took them."""

import base64
import io
import json
import re
import struct
import zlib
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from simulators.chaos.verdicts import Verdict
from simulators.night.report import print_report, write_report
from simulators.night.settings import NightSettings
from tests.desk import DUSK, a_night
from tests.simulators.night.records import HandMadeNight

EVIL = '<script>alert("x")</script> & [red]M[/red] "45"'


@pytest.fixture
def night(tmp_path: Path) -> HandMadeNight:
    frames = tmp_path / "frames"
    frames.mkdir()
    return HandMadeNight(folder=frames)


@pytest.fixture
def settings(tmp_path: Path) -> NightSettings:
    return a_night(out=tmp_path)


def written(night: HandMadeNight, settings: NightSettings) -> tuple[dict[str, Any], str]:
    """report.json, read by a strict reader, and report.html."""
    write_report(settings, night.figures(), begins=DUSK, ends=DUSK + timedelta(hours=2), took_s=123.456)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    report = json.loads((settings.out / "report.json").read_text(), parse_constant=refuse)
    return report, (settings.out / "report.html").read_text()


def printed(night: HandMadeNight, settings: NightSettings, *, width: int = 100) -> str:
    out = io.StringIO()
    print_report(Console(file=out, width=width), settings, night.figures())
    return out.getvalue()


class Page(HTMLParser):
    """The elements and the words of a page; complains about what is not closed."""

    VOID = ("meta", "img", "br")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_programs_are_told_every_figure(night: HandMadeNight, settings: NightSettings) -> None:
    night.observed("one", frames=3)
    night.advance(night.task("two", status="Pending"), "missed", "its window is over")
    night.say("SlewStarted", 500.0, task_id="one")
    night.say("ExposureStarted", 510.0, task_id="one", exposure_s=2.0)
    night.say("SlewStarted", 518.0, task_id="two")
    report, _ = written(night, settings)
    assert report["good"] is True
    assert report["faults"] == []
    assert (report["evening"], report["rate"], report["seed"], report["took_s"]) == ("2026-11-22", 60.0, 1, 123.5)
    assert (report["dark_from"], report["dark_until"]) == ("2026-11-23T00:45:00Z", "2026-11-23T02:45:00Z")
    assert report["site"] == {"latitude_deg": 38.84, "longitude_deg": -104.97, "elevation_m": 1900.0}
    assert (report["tasks_offered"], report["tasks_planned"], report["tasks_observed"]) == (2, 2, 1)
    assert report["tasks_by_status"] == {"Pending": 1, "Succeeded": 1}
    assert (report["frames_captured"], report["frames_completed"], report["frames_completed_twice"]) == (3, 3, 0)
    assert report["inside_share"] == 1.0
    assert report["median_off_arcsec"] == pytest.approx(0.0, abs=1e-3)
    assert (report["dead_times"], report["dead_time_median_ms"]) == (1, 6000.0)
    assert report["dead_time_median_real_ms"] == report["dead_time_p95_real_ms"] == 100.0
    assert [task["settled"] for task in report["tasks"]] == [True, True]
    assert [frame["inside"] for frame in report["frames"]] == [True] * 3


def test_a_night_without_frames_has_a_report_too(night: HandMadeNight, settings: NightSettings) -> None:
    night.task("alone", status="Pending")
    report, html = written(night, settings)
    assert report["good"] is False
    assert report["inside_share"] is report["median_off_arcsec"] is report["dead_time_median_ms"] is None
    page = Page(html)
    assert page.all("img") == []
    assert "Not a good night" in page.words
    assert "not one frame was captured" in page.words
    said = printed(night, settings)
    assert "nan" not in said + html
    assert re.search(r"target inside the frame +│ +–", said)
    assert re.search(r"dead time, median / p95 \(sky\) +│ +– / –", said)


def test_a_night_without_even_a_task_has_one(night: HandMadeNight, settings: NightSettings) -> None:
    report, html = written(night, settings)
    assert report["tasks"] == []
    assert "0tasks offered" in Page(html).words.replace("\n", "")
    assert "tasks offered" in printed(night, settings)


def test_names_are_words_and_no_markup(night: HandMadeNight, settings: NightSettings) -> None:
    night.observed(EVIL)
    night.advance(night.task(EVIL + " again", status="Pending"), "missed", f"loses to {EVIL}")
    night.say("DeviceFault", 5.0, level="error", what=EVIL)
    report, html = written(night, settings)
    page = Page(html)
    assert page.all("script") == []
    assert page.words.count(EVIL) == 5  # picture, both tasks, a reason, a fault
    assert report["tasks"][0]["target"] == EVIL
    said = printed(night, settings, width=400)
    assert said.count(EVIL) == 3


def test_the_page_is_whole_without_the_network(night: HandMadeNight, settings: NightSettings) -> None:
    for number in range(9):
        night.observed(f"task {number}", after_s=100.0 * number)
    _, html = written(night, settings)
    page = Page(html)
    assert len(page.all("img")) == 6
    sources = [attributes["src"] for attributes in page.all("img")]
    assert all(source is not None and source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://|@import|url\(", html)
    assert len(page.all("tr")) == 1 + 9


def test_the_verdict_is_the_first_thing_said(night: HandMadeNight, settings: NightSettings) -> None:
    night.observed()
    _, html = written(night, settings)
    assert "Every captured frame was delivered once, every task is settled" in html
    assert "✓ Every captured frame was delivered once, every task is settled" in printed(night, settings)
    night.exit_code = 3
    _, html = written(night, settings)
    assert "Every captured frame was delivered once" not in html
    assert "✗ the bridge ended with exit code 3" in printed(night, settings)


def test_a_hard_night_is_held_to_its_promises_and_not_to_its_log(night: HandMadeNight, settings: NightSettings) -> None:
    night.observed()
    night.say("DeviceFault", 5.0, level="error", what="the line was cut")
    kept = Verdict(name="I1", says="files are there", looked_at=3, broken=())
    torn = Verdict(name="I8", says="moved only when safe", looked_at=9, broken=("a slew in the rain",))

    def told(*verdicts: Verdict, hard: bool) -> tuple[dict[str, Any], str, str]:
        figures = replace(night.figures(), verdicts=verdicts, hard=hard)
        write_report(settings, figures, begins=DUSK, ends=DUSK + timedelta(hours=2), took_s=1.0)
        out = io.StringIO()
        print_report(Console(file=out, width=200), settings, figures)
        return (
            json.loads((settings.out / "report.json").read_text()),
            out.getvalue(),
            Page((settings.out / "report.html").read_text()).words,
        )

    report, said, page = told(kept, hard=True)
    assert (report["good"], report["faults"]) == (True, [])
    assert "✓ Things went wrong, and every promise was kept" in said
    assert "files are there" in page
    report, said, page = told(kept, torn, hard=True)
    assert (report["good"], report["faults"]) == (False, ["I8: moved only when safe: a slew in the rain"])
    assert [promise["held"] for promise in report["promises"]] == [True, False]
    assert "✗ I8" in said
    report, _, _ = told(kept, hard=False)
    assert report["faults"] == ["errors in the log: 1, the first: the line was cut"]


def test_every_task_without_a_success_is_printed_with_its_reason(night: HandMadeNight, settings: NightSettings) -> None:
    night.observed("good one")
    night.advance(night.task("late one", status="Failed"), "failed", "never above 20° while sunlit")
    night.task("open one", status="Pending")
    said = printed(night, settings)
    assert re.search(r"late one +90008 +Failed +failed +never above 20° while sunlit", said)
    assert re.search(r"open one +90008 +Pending +planned +no reason given", said)
    assert "good one" not in said
    assert said.rstrip().endswith("report.html")


def test_times_are_shown_and_spans_over_midnight_too(night: HandMadeNight, settings: NightSettings) -> None:
    night.observed()
    _, html = written(night, settings)
    assert "Dark from 2026-11-23 00:45 to 02:45 UTC" in html
    assert "00:45:00–00:55:00" in html


def decoded(source: str) -> NDArray[np.uint8]:
    """The grey values of a PNG whose rows are unfiltered."""
    png = base64.b64decode(source.partition(",")[2])
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", png[start - 8 : start - 4])
    rows = np.frombuffer(zlib.decompress(png[start : start + length]), np.uint8).reshape(height, width + 1)
    return rows[:, 1:]


def test_a_picture_is_as_the_sensor_saw_it_with_a_ring_around_the_target(
    night: HandMadeNight, settings: NightSettings
) -> None:
    """The first row is on top; what is bright in the upper left is there on the page, and the ring says where."""
    task = night.task()
    upload = night.frame(task)
    night.advance(task, "delivered")
    pixels = np.full((30, 40), 1000, np.uint16)
    pixels[0:5, 5:10] = 40_000
    night.write(Path(upload["path"]), DUSK + timedelta(seconds=60.0), pixels)
    _, html = written(night, settings)
    page = Page(html)
    (image,) = page.all("img")
    assert image["src"] is not None
    shade = decoded(image["src"])
    assert shade.shape == (6, 8)
    assert np.unravel_index(int(shade.argmax()), shade.shape) == (0, 1)
    (ring,) = (one for one in page.all("span") if one.get("class") == "ring")
    assert ring["style"] == "left: 25.0%; top: 10.0%"


def test_a_target_outside_its_frame_has_no_ring(night: HandMadeNight, settings: NightSettings) -> None:
    task = night.task()
    night.frame(task, inside=False)
    night.advance(task, "delivered")
    _, html = written(night, settings)
    assert 'class="ring"' not in html


def test_the_pictures_are_of_different_targets(night: HandMadeNight, settings: NightSettings) -> None:
    for number in range(4):
        night.observed(f"target {number}", frames=5, after_s=1000.0 * number)
    _, html = written(night, settings)
    assert sorted(str(one["alt"]) for one in Page(html).all("img")) == [f"A frame of target {n}" for n in range(4)]
