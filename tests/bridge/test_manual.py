"""Task files: four ways to name a target, the station's settings for the rest, and every mistake named."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import ExposureSettings
from bridge.errors import ConfigError
from bridge.manual import read_task_file
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Satellite, Star

DUSK = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
DAWN = DUSK + timedelta(hours=7)

LINE_1 = "1 90001U 26001A   26110.50000000  .00001200  00000+0  30000-4 0  9993"
LINE_2 = "2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006"

OMM = {
    "OBJECT_NAME": "DEMOSAT NINE",
    "OBJECT_ID": "2026-001A",
    "EPOCH": "2026-04-20T12:00:00",
    "MEAN_MOTION": 15.5,
    "ECCENTRICITY": 0.0005,
    "INCLINATION": 51.64,
    "RA_OF_ASC_NODE": 210.0,
    "ARG_OF_PERICENTER": 80.0,
    "MEAN_ANOMALY": 280.0,
    "NORAD_CAT_ID": 799500123,
    "BSTAR": 3e-5,
    "MEAN_MOTION_DOT": 1.2e-5,
    "MEAN_MOTION_DDOT": 0.0,
}

Reader = Callable[[str], list[ObservationRequest]]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def reader(text: str) -> list[ObservationRequest]:
        file = tmp_path / "tonight.toml"
        file.write_text(text)
        defaults = ExposureSettings(exposure_s=2.0, frame_count=3, binning=2, filter_name="Clear")
        return read_task_file(file, opens=DUSK, closes=DAWN, defaults=defaults)

    return reader


def test_a_star_takes_everything_else_from_the_station(read: Reader) -> None:
    (request,) = read('[[task]]\nname = "Vega"\nra_deg = 279.2347\ndec_deg = 38.7837\n')
    assert request == ObservationRequest(
        request_id="Vega 2026-04-21",
        target=Star(name="Vega", icrs=ICRS(ra_deg=279.2347, dec_deg=38.7837)),
        opens=DUSK,
        closes=DAWN,
        priority=5.0,
        filter_name="Clear",
        exposure_s=2.0,
        frame_count=3,
        binning=2,
        collect=CollectShape.AUTO,
    )


def test_a_task_may_say_everything_itself(read: Reader) -> None:
    (request,) = read(
        f"""
[[task]]
name = "the demo"
norad_id = 90001
tle = ["{LINE_1}", "{LINE_2}"]
opens = 2026-04-21T05:10:00+02:00
closes = 2026-04-21T04:00:00Z
priority = 9.5
filter = "Red"
exposure_s = 0.5
frame_count = 20
binning = 1
tracking = "rate_track"
"""
    )
    assert isinstance(request.target, Satellite)
    assert request.target.norad_id == 90001
    assert request.target.elements.source == "task file tonight.toml"
    assert (request.opens, request.closes) == (DUSK + timedelta(minutes=10), DUSK + timedelta(hours=1))
    assert (request.priority, request.filter_name, request.exposure_s) == (9.5, "Red", 0.5)
    assert (request.frame_count, request.binning, request.collect) == (20, 1, CollectShape.RATE_TRACK)


def inline(omm: dict[str, object]) -> str:
    return ", ".join(f"{key} = {value if key == 'EPOCH' else json.dumps(value)}" for key, value in omm.items())


@pytest.mark.parametrize("epoch", ['"2026-04-20T12:00:00"', "2026-04-20T12:00:00", "2026-04-20T14:00:00+02:00"])
def test_an_omm_stands_inline_with_a_number_of_nine_digits(read: Reader, epoch: str) -> None:
    (request,) = read(f'[[task]]\nname = "nine"\nomm = {{ {inline(OMM | {"EPOCH": epoch})} }}\n')
    assert isinstance(request.target, Satellite)
    assert (request.target.norad_id, request.target.name) == (799500123, "DEMOSAT NINE")
    assert request.target.elements.epoch == datetime(2026, 4, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["tle", "json", "csv"])
def test_a_file_of_elements_is_searched_by_number_or_by_name(read: Reader, tmp_path: Path, kind: str) -> None:
    other = OMM | {"OBJECT_NAME": "OTHER", "NORAD_CAT_ID": 90002}
    one = OMM | {"OBJECT_NAME": "DEMOSAT 1", "NORAD_CAT_ID": 90001}
    texts = {
        "tle": f"DEMOSAT 1\n{LINE_1}\n{LINE_2}\nOTHER\n{LINE_1.replace('90001U', '90002U').replace('9993', '9994')}\n"
        f"{LINE_2.replace('90001', '90002').replace('10006', '10007')}\n",
        "json": json.dumps([one, other]),
        "csv": "\n".join([",".join(OMM), *(",".join(str(value) for value in row.values()) for row in (one, other))]),
    }
    (tmp_path / f"elements.{kind}").write_text(texts[kind])
    source = f'elements = "elements.{kind}"'
    by_name, by_target, by_number = read(
        f"""
[[task]]
name = "demosat 1"
{source}
[[task]]
name = "second"
target = "OTHER"
{source}
[[task]]
name = "third"
norad_id = 90001
{source}
"""
    )
    assert [one.target.norad_id for one in (by_name, by_target, by_number) if isinstance(one.target, Satellite)] == [
        90001,
        90002,
        90001,
    ]


def test_a_file_with_one_set_needs_no_name(read: Reader, tmp_path: Path) -> None:
    (tmp_path / "one.tle").write_text(f"{LINE_1}\n{LINE_2}\n")
    (request,) = read('[[task]]\nname = "whatever it is called"\nelements = "one.tle"\n')
    assert isinstance(request.target, Satellite)
    assert request.target.norad_id == 90001


def test_the_same_file_on_the_next_night_is_other_tasks(read: Reader, tmp_path: Path) -> None:
    text = '[[task]]\nname = "Vega"\nra_deg = 1\ndec_deg = 1\n'
    (tonight,), (again,) = read(text), read(text)
    day = timedelta(days=1)
    (tomorrow,) = read_task_file(
        tmp_path / "tonight.toml", opens=DUSK + day, closes=DAWN + day, defaults=ExposureSettings()
    )
    assert tonight.request_id == again.request_id != tomorrow.request_id


STAR = 'name = "Vega"\nra_deg = 279.2\ndec_deg = 38.8\n'
TLE = f'tle = ["{LINE_1}", "{LINE_2}"]\n'


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (STAR + "exposure = 3", ["task 1 (Vega).exposure = 3", "unknown key", "did you mean exposure_s?"]),
        (STAR + 'filtre = "Red"', ["task 1 (Vega).filtre = 'Red'", "unknown key", "did you mean filter?"]),
        (STAR + "exposure_s = 0", ["task 1 (Vega).exposure_s = 0", "greater than 0"]),
        (STAR + "exposure_s = 1e9", ["exposure_s = 1000000000.0", "3600"]),
        (STAR + "frame_count = 1000000", ["frame_count = 1000000", "1000"]),
        (STAR + "binning = -1", ["binning = -1"]),
        (STAR + 'tracking = "sidereal"', ["tracking = 'sidereal'", "'leapfrog' or 'rate_track'"]),
        (STAR + "priority = 11", ["priority = 11"]),
        (STAR + "opens = 2026-04-21T05:10:00", ["opens = 2026-04-21T05:10:00: expected a time zone, like"]),
        (STAR + "closes = 2026-04-21T02:00:00Z", ["closes = 2026-04-21T02:00:00+00:00", "expected after opens"]),
        (STAR + "norad_id = 5", ["norad_id = 5", "a fixed place has no number"]),
        (STAR + TLE, ["task 1 (Vega)", "found tle and ra_deg"]),
        ('name = "x"', ["task 1 (x)", "expected one of tle, omm, elements, or ra_deg with dec_deg; found none"]),
        ('name = "x"\nra_deg = 1', ["task 1 (x)", "ra_deg and dec_deg together"]),
        ('name = "x"\nra_deg = 360\ndec_deg = 0', ["ra_deg = 360", "less than 360"]),
        ('name = "x"\nra_deg = nan\ndec_deg = 0', ["ra_deg = nan"]),
        ("ra_deg = 1\ndec_deg = 1", ["task 1.name is missing"]),
        ("name = 3\nra_deg = 1\ndec_deg = 1", ["task 1.name = 3"]),
        ('name = "two\\nlines"\nra_deg = 1\ndec_deg = 1', ["task 1.name"]),
        (f'name = "x"\ntle = ["{LINE_1}"]', ["task 1 (x).tle[1] is missing"]),
        (f'name = "x"\ntle = ["{LINE_2}", "{LINE_1}"]', ["task 1 (x): tle: "]),
        (f'name = "x"\ntle = ["{LINE_1[:-1]}0", "{LINE_2}"]', ["task 1 (x): tle: ", "checksum"]),
        ('name = "x"\nomm = { NORAD_CAT_ID = 5 }', ["task 1 (x): omm: EPOCH is missing"]),
        ('name = "x"\nnorad_id = 5\n' + TLE, ["norad_id = 5", "those of 90001"]),
        ('name = "x"\nelements = "missing.tle"', ["missing.tle: there is no such file"]),
        ('name = "x"\nelements = "two.tle"', ["task 1 (x): name = 'x'", "two.tle", "2 element sets", "not there"]),
        ('name = "x"\nnorad_id = 7\nelements = "two.tle"', ["norad_id = 7: expected", "not there"]),
        ('name = "twin"\nelements = "two.tle"', ["name = 'twin'", "2 satellites", "expected norad_id"]),
        ('name = "x"\nelements = "broken.tle"', ["0 element sets and 1 that cannot be used"]),
    ],
)
def test_every_mistake_is_named_with_its_task_and_what_is_expected(
    read: Reader, tmp_path: Path, table: str, words: list[str]
) -> None:
    second = f"{LINE_1.replace('90001U', '90002U').replace('9993', '9994')}\n{LINE_2.replace('90001', '90002')[:-1]}7\n"
    (tmp_path / "two.tle").write_text(f"TWIN\n{LINE_1}\n{LINE_2}\nTWIN\n{second}")
    (tmp_path / "broken.tle").write_text(f"x\n{LINE_1[:-1]}0\n{LINE_2}\n")
    with pytest.raises(ConfigError) as caught:
        read(f"[[task]]\n{table}\n")
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"[[task]]\n{STAR}[[task]]\n{STAR}", ["task 2 (Vega)", "no other task of the file"]),
        (f"[[tasks]]\n{STAR}", ["tasks", "did you mean task?"]),
        ("", ["task is missing"]),
        ("[[task]\n", ["not TOML", "line 1"]),
        ("task = 3", ["task = 3"]),
    ],
)
def test_a_file_that_is_no_task_file_is_named(read: Reader, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert "tonight.toml" in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"[[task]]\nname = '\xe9'\n")
    for name, words in (("gone.toml", "no such file"), ("latin.toml", "UTF-8"), (".", "directory")):
        with pytest.raises(ConfigError, match=words):
            read_task_file(tmp_path / name, opens=DUSK, closes=DAWN, defaults=ExposureSettings())
