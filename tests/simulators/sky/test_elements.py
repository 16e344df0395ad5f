"""Element sets in and out: nothing is lost, nothing damaged gets in."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgp4.api import Satrec
from sgp4.io import verify_checksum

from simulators.sky.elements import Elements, UnreadableElements, checksum_of, read_elements, written
from simulators.sky.satellites import Swarm
from simulators.sky.synthetic import made_up

from .conftest import TONIGHT

DEMO = (
    "1 90001U 26001A   26110.50000000  .00001200  00000+0  30000-4 0  9993",
    "2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006",
)
ISS_OMM: dict[str, Any] = {
    "OBJECT_NAME": "ISS (ZARYA)",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2026-11-22T10:15:30.123456",
    "MEAN_MOTION": 15.49507896,
    "ECCENTRICITY": 0.0006703,
    "INCLINATION": 51.6416,
    "RA_OF_ASC_NODE": 247.4627,
    "ARG_OF_PERICENTER": 130.536,
    "MEAN_ANOMALY": 325.0288,
    "NORAD_CAT_ID": 25544,
    "BSTAR": 0.00010270,
    "MEAN_MOTION_DOT": 0.00016717,
    "MEAN_MOTION_DDOT": 0,
}

angles = st.floats(0.0, 359.9999).map(lambda value: round(value, 4))
sets = st.builds(
    Elements,
    norad_id=st.integers(1, 339_999),
    name=st.just("SOMETHING"),
    international_designator=st.just("2024-118AB"),
    epoch=st.integers(0, 2 * 10**9).map(lambda steps: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(milliseconds=steps)),
    mean_motion_rev_per_day=st.floats(0.1, 16.5).map(lambda value: round(value, 8)),
    eccentricity=st.floats(0.0, 0.95).map(lambda value: round(value, 7)),
    inclination_deg=st.floats(0.0, 180.0).map(lambda value: round(value, 4)),
    raan_deg=angles,
    argument_of_perigee_deg=angles,
    mean_anomaly_deg=angles,
    bstar_per_earth_radius=st.floats(-0.9, 0.9),
    mean_motion_dot=st.floats(-0.5, 0.5).map(lambda value: round(value, 8)),
    mean_motion_ddot=st.floats(-0.01, 0.01),
    lines=st.none(),
)


def test_a_file_with_names_is_read() -> None:
    (one,) = read_elements("\r\n".join(["0 DEMOSAT 1", *DEMO, ""]))
    assert one.name == "DEMOSAT 1"
    assert one.norad_id == 90001
    assert one.international_designator == "2026-001A"
    assert one.epoch == datetime(2026, 4, 20, 12, tzinfo=UTC)
    assert one.mean_motion_rev_per_day == 15.5
    assert one.eccentricity == 0.0005
    assert one.bstar_per_earth_radius == pytest.approx(3e-5)
    assert one.mean_motion_dot == 1.2e-5
    assert one.lines == DEMO


def test_a_file_without_names_calls_satellites_by_number() -> None:
    assert [one.name for one in read_elements("\n".join([*DEMO, *DEMO]))] == ["NORAD 90001"] * 2


def test_the_last_century_is_told_from_this_one() -> None:
    first, second = DEMO
    vanguard = first[:18] + "58110.50000000" + first[32:-1]
    (one,) = read_elements(f"{vanguard}{checksum_of(vanguard)}\n{second}")
    assert one.epoch == datetime(1958, 4, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no element set"),
        ("\n\n", "no element set"),
        ("[]", "no element set"),
        (f"{DEMO[0][:-1]}4\n{DEMO[1]}", "line 1: checksum 4, computed 3"),
        (f"NAME\n{DEMO[0]}\n{DEMO[1][:-1]}0", "line 2: checksum 0, computed 6"),
        (f"{DEMO[0]}\n", "ends in the middle"),
        (f"{DEMO[0]}\nNAME\n{DEMO[1]}", "line 2: expected the second line"),
        (f"{DEMO[0][:-2]}\n{DEMO[1]}", "line 2: expected the first line"),
        (f"ANOTHER\nNAME\n{DEMO[0]}\n{DEMO[1]}", "line 2: expected the first line"),
        (f"{DEMO[1]}\n{DEMO[0]}", "ends in the middle"),
        ("hello", "ends in the middle"),
        ("[1, 2]", "expected an orbit mean-elements message"),
        ('{"OBJECT_NAME": "X"}', "X: KeyError"),
        ("{not json", "neither two-line elements nor JSON"),
        (json.dumps(ISS_OMM | {"EPOCH": None}), "ISS"),
        (json.dumps(ISS_OMM | {"ECCENTRICITY": "round"}), "round"),
    ],
)
def test_what_is_no_element_set_is_refused_and_said_where(text: str, complaint: str) -> None:
    with pytest.raises(UnreadableElements, match=complaint):
        read_elements(text)


def test_two_lines_of_different_satellites_are_refused() -> None:
    body = DEMO[1].replace("90001", "90002", 1)[:-1]
    with pytest.raises(UnreadableElements, match="different satellites, 90001 and 90002"):
        read_elements(f"{DEMO[0]}\n{body}{checksum_of(body)}")


@pytest.mark.parametrize("field", ["I0001", "O0001", "     ", "9O001"])
def test_a_number_that_is_none_is_refused(field: str) -> None:
    first, second = (line.replace("90001", field, 1)[:-1] for line in DEMO)
    with pytest.raises(UnreadableElements, match="line 1"):
        read_elements(f"{first}{checksum_of(first)}\n{second}{checksum_of(second)}")


@pytest.mark.parametrize(
    ("norad_id", "field"),
    [(5, "00005"), (99_999, "99999"), (100_000, "A0000"), (148_493, "E8493"), (182_931, "J2931"), (339_999, "Z9999")],
)
def test_six_digit_numbers_go_through_alpha5(norad_id: int, field: str) -> None:
    (one,) = read_elements(json.dumps(ISS_OMM | {"NORAD_CAT_ID": norad_id}))
    assert one.norad_id == norad_id
    assert one.lines is not None
    assert one.lines[0][2:7] == one.lines[1][2:7] == field
    assert read_elements("\n".join(one.lines))[0].norad_id == norad_id


def test_nine_digit_numbers_are_kept_whole_and_written_on_no_line() -> None:
    (one,) = read_elements(json.dumps([ISS_OMM | {"NORAD_CAT_ID": 799_504_721}]))
    assert one.norad_id == 799_504_721
    assert one.lines is None
    assert Swarm([one]).norad_ids == (799_504_721,)


def test_a_message_may_carry_its_numbers_as_text_and_its_epoch_with_a_zone() -> None:
    texts = {key: str(value) for key, value in ISS_OMM.items()}
    assert read_elements(json.dumps(texts)) == read_elements(json.dumps(ISS_OMM))
    zoned = ISS_OMM | {"EPOCH": "2026-11-22T11:15:30.123456+01:00"}
    assert read_elements(json.dumps(zoned)) == read_elements(json.dumps(ISS_OMM))


def test_a_message_without_what_is_seldom_known_is_read() -> None:
    message = {key: value for key, value in ISS_OMM.items() if key not in ("OBJECT_ID", "MEAN_MOTION_DDOT")}
    (one,) = read_elements(json.dumps(message))
    assert (one.international_designator, one.mean_motion_ddot) == ("", 0.0)


@given(sets)
@settings(max_examples=120, deadline=None)
def test_what_is_written_as_two_lines_reads_back_the_same(elements: Elements) -> None:
    lines = written(elements).lines
    assert lines is not None
    assert [len(line) for line in lines] == [69, 69]
    for line in lines:
        verify_checksum(line)
    (back,) = read_elements(f"{elements.name}\n{lines[0]}\n{lines[1]}")
    for name in (
        "norad_id",
        "international_designator",
        "mean_motion_rev_per_day",
        "eccentricity",
        "inclination_deg",
        "raan_deg",
        "argument_of_perigee_deg",
        "mean_anomaly_deg",
        "mean_motion_dot",
    ):
        assert getattr(back, name) == getattr(elements, name)
    assert abs(back.epoch - elements.epoch) < timedelta(milliseconds=0.5)
    assert back.bstar_per_earth_radius == pytest.approx(elements.bstar_per_earth_radius, rel=1e-4, abs=1e-10)
    assert back.mean_motion_ddot == pytest.approx(elements.mean_motion_ddot, rel=1e-4, abs=1e-10)


@given(sets)
@settings(max_examples=40, deadline=None)
def test_the_reference_library_reads_the_written_lines_the_same(elements: Elements) -> None:
    lines = written(elements).lines
    assert lines is not None
    record = Satrec.twoline2rv(*lines)
    assert record.satnum == elements.norad_id
    assert record.bstar == pytest.approx(elements.bstar_per_earth_radius, rel=1e-4, abs=1e-10)


def test_every_real_set_comes_out_as_it_went_in(real_elements: Path) -> None:
    text = real_elements.read_text(encoding="ascii")
    found = read_elements(text)
    assert len(found) == text.count("\n1 ")
    rewritten = [written(one).lines for one in found]
    for one, lines in zip(found, rewritten, strict=True):
        assert one.lines is not None
        assert lines is not None
        assert lines[1][:63] == one.lines[1][:63]
        assert lines[0][:32] == one.lines[0][:32]


def test_the_made_up_catalogue_is_always_the_same() -> None:
    assert made_up(TONIGHT, 3) == made_up(TONIGHT, 3)
    assert made_up(TONIGHT, 3) != made_up(TONIGHT, 4)
    numbers = [one.norad_id for one in made_up(TONIGHT, 3)]
    assert len(set(numbers)) == len(numbers)


def test_the_made_up_catalogue_is_fresh_valid_and_has_long_numbers() -> None:
    found = made_up(TONIGHT, 3)
    for one in found:
        assert timedelta(hours=0.9) < TONIGHT - one.epoch < timedelta(hours=14.1)
        assert one.lines is not None
        for line in one.lines:
            verify_checksum(line)
    assert sum(one.norad_id > 99_999 for one in found) >= 10
    assert {one.lines[0][2] for one in found if one.lines and one.norad_id > 99_999} == {"T"}


def test_the_made_up_catalogue_has_every_kind_of_orbit() -> None:
    found = made_up(TONIGHT, 3)
    assert sum(one.mean_motion_rev_per_day > 12.0 for one in found) > 200
    assert sum(1.6 < one.mean_motion_rev_per_day < 2.1 and one.eccentricity < 0.01 for one in found) > 40
    assert sum(0.99 < one.mean_motion_rev_per_day < 1.01 for one in found) > 50
    assert sum(one.eccentricity > 0.6 for one in found) > 20
