"""Element sets in every form they come in, and in the forms in which they come damaged."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.element_checks import perigee_height_km
from schedules.elements import parse_elements, satellite_from_omm, satellite_from_tle
from schedules.errors import BadElements
from schedules.targets import Satellite
from schedules.tle import checksum

LINE_1 = "1 90001U 26001A   26110.50000000  .00001200  00000+0  30000-4 0  9993"
LINE_2 = "2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006"

OMM: dict[str, object] = {
    "OBJECT_NAME": "DEMOSAT 1",
    "OBJECT_ID": "2026-001A",
    "EPOCH": "2026-04-20T12:00:00.000000",
    "MEAN_MOTION": 15.5,
    "ECCENTRICITY": 0.0005,
    "INCLINATION": 51.64,
    "RA_OF_ASC_NODE": 210.0,
    "ARG_OF_PERICENTER": 80.0,
    "MEAN_ANOMALY": 280.0,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 90001,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 1000,
    "BSTAR": 0.3e-4,
    "MEAN_MOTION_DOT": 1.2e-5,
    "MEAN_MOTION_DDOT": 0,
}


def sealed(line: str) -> str:
    """The line with the checksum its columns have."""
    return line[:68] + str(checksum(line))


def with_columns(line: str, first: int, text: str) -> str:
    """The line with `text` from column `first` (counted from 1) on, and the right checksum."""
    return sealed(line[: first - 1] + text + line[first - 1 + len(text) :])


def only(text: str) -> Satellite:
    """The one satellite of a text in which nothing is refused."""
    file = parse_elements(text, source="tonight")
    assert file.refused == ()
    assert len(file.satellites) == 1
    return file.satellites[0]


def only_reason(text: str) -> str:
    """Why the one set of a text is refused."""
    file = parse_elements(text, source="tonight")
    assert file.satellites == ()
    assert len(file.refused) == 1
    return file.refused[0].reason


def as_kvn(fields: dict[str, object]) -> str:
    return "\n".join(f"{key:20}= {value}" for key, value in {"CCSDS_OMM_VERS": "2.0", **fields}.items()) + "\n"


def as_csv(*messages: dict[str, object]) -> str:
    rows = [",".join(messages[0]), *(",".join(str(value) for value in message.values()) for message in messages)]
    return "\r\n".join(rows) + "\r\n"


def as_xml(*messages: dict[str, object]) -> str:
    metadata = ("OBJECT_NAME", "OBJECT_ID", "CENTER_NAME", "REF_FRAME", "TIME_SYSTEM", "MEAN_ELEMENT_THEORY")
    bodies = []
    for message in messages:
        parts = {True: "", False: ""}
        for key, value in message.items():
            parts[key in metadata] += f"<{key}>{value}</{key}>"
        bodies.append(
            '<omm id="CCSDS_OMM_VERS" version="2.0"><header><CREATION_DATE/></header><body><segment>'
            f"<metadata>{parts[True]}</metadata><data><meanElements>{parts[False]}</meanElements></data>"
            "</segment></body></omm>"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ndm>{"".join(bodies)}</ndm>'


def test_two_lines_are_read_by_their_columns() -> None:
    elements = satellite_from_tle(LINE_1, LINE_2, name="DEMOSAT 1", source="Citra API").elements
    assert elements.norad_id == 90001
    assert elements.name == "DEMOSAT 1"
    assert elements.international_designator == "2026-001A"
    assert elements.epoch == datetime(2026, 4, 20, 12, tzinfo=UTC)
    assert elements.mean_motion_rev_per_day == 15.5
    assert elements.eccentricity == pytest.approx(0.0005, rel=1e-12)
    assert elements.inclination_deg == 51.64
    assert elements.raan_deg == 210.0
    assert elements.argument_of_perigee_deg == 80.0
    assert elements.mean_anomaly_deg == 280.0
    assert elements.bstar_per_earth_radius == pytest.approx(3e-5, rel=1e-12)
    assert elements.mean_motion_dot == 1.2e-5
    assert elements.mean_motion_ddot == 0.0
    assert elements.source == "Citra API"


def test_signs_and_exponents_of_the_drag_fields_are_read() -> None:
    line_1 = with_columns(LINE_1, 34, "-.00391235 -12345-6 -54321+0")
    elements = satellite_from_tle(line_1, LINE_2, name="", source="test").elements
    assert elements.mean_motion_dot == -0.00391235
    assert elements.mean_motion_ddot == pytest.approx(-0.12345e-6, rel=1e-12)
    assert elements.bstar_per_earth_radius == pytest.approx(-0.54321, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        f"{LINE_1}\n{LINE_2}\n",
        f"{LINE_1}\r\n{LINE_2}\r\n",
        f"DEMOSAT 1\n{LINE_1}\n{LINE_2}",
        f"DEMOSAT 1               \r\n{LINE_1}\r\n{LINE_2}\r\n",
        f"0 DEMOSAT 1\n{LINE_1}\n{LINE_2}\n",
        f"\ufeff\n# from the operator\n\nDEMOSAT 1\n\n  {LINE_1}  \n  {LINE_2}  \n",
    ],
)
def test_two_and_three_lines_are_read_with_either_line_end(text: str) -> None:
    assert only(text).norad_id == 90001
    assert only(text).name == ("DEMOSAT 1" if "DEMOSAT" in text else "NORAD 90001")


def test_a_name_that_looks_like_the_start_of_a_line_is_a_name() -> None:
    assert only(f"2 SISTERS\n{LINE_1}\n{LINE_2}\n").name == "2 SISTERS"


def test_a_name_cannot_play_tricks_on_the_terminal() -> None:
    evil = "EVIL\x1b[2JSAT\x07"
    assert only(f"{evil}\n{LINE_1}\n{LINE_2}\n").name == "EVIL[2JSAT"
    assert only(json.dumps(OMM | {"OBJECT_NAME": evil})).name == "EVIL[2JSAT"
    assert satellite_from_tle(LINE_1, LINE_2, name=evil, source="x").name == "EVIL[2JSAT"


@pytest.mark.parametrize(
    ("columns", "norad_id"),
    [
        ("00005", 5),
        ("    5", 5),
        ("A0000", 100_000),
        ("H9999", 179_999),
        ("J0000", 180_000),
        ("P1234", 231_234),
        ("Z9999", 339_999),
    ],
)
def test_numbers_of_five_columns_include_alpha_5(columns: str, norad_id: int) -> None:
    lines = (with_columns(line, 3, columns) for line in (LINE_1, LINE_2))
    assert only("\n".join(lines)).norad_id == norad_id


@pytest.mark.parametrize("columns", ["I0000", "O0000", "AB000", "     ", "00000"])
def test_numbers_that_are_neither_digits_nor_alpha_5_are_refused(columns: str) -> None:
    lines = (with_columns(line, 3, columns) for line in (LINE_1, LINE_2))
    assert parse_elements("\n".join(lines), source="x").satellites == ()


@pytest.mark.parametrize(("year", "full_year"), [("57", 1957), ("99", 1999), ("00", 2000), ("56", 2056)])
def test_years_of_two_digits_turn_at_1957(year: str, full_year: int) -> None:
    line_1 = with_columns(LINE_1, 19, f"{year}300.25000000")
    assert only(f"{line_1}\n{LINE_2}").elements.epoch.year == full_year


def test_an_epoch_is_exact_to_its_last_column() -> None:
    line_1 = with_columns(LINE_1, 19, "26223.12884671")
    assert only(f"{line_1}\n{LINE_2}").elements.epoch == datetime(2026, 8, 11, 3, 5, 32, 355744, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line_1", "line_2", "reason"),
    [
        (LINE_1[:-1] + "4", LINE_2, "line 1 has checksum 4, its columns add up to 3"),
        (LINE_1, LINE_2[:-1] + "7", "line 2 has checksum 7"),
        (LINE_2, LINE_1, "are the lines swapped"),
        (LINE_1, "", "line 2 is missing"),
        ("", LINE_2, "line 1 is missing"),
        (LINE_1[:-1], LINE_2, "68 columns instead of 69"),
        (LINE_1.replace("26110", "２６110"), LINE_2, "not ASCII"),
        (with_columns(LINE_1, 63, "4"), LINE_2, "SGP4-XP"),
        (with_columns(LINE_1, 63, "7"), LINE_2, "ephemeris type 7"),
        (with_columns(LINE_1, 3, "90002"), LINE_2, "line 1 is of 90002, line 2 of 90001"),
        (with_columns(LINE_1, 21, "367"), LINE_2, "day 367"),
        (with_columns(LINE_1, 21, "000"), LINE_2, "day 0"),
        (LINE_1, with_columns(LINE_2, 9, "180.0001"), "inclination 180.0001"),
        (LINE_1, with_columns(LINE_2, 18, "360.5000"), "node 360.5"),
        (LINE_1, with_columns(LINE_2, 35, "999.0000"), "perigee 999.0"),
        (LINE_1, with_columns(LINE_2, 44, "361.0000"), "mean anomaly 361.0"),
        (LINE_1, with_columns(LINE_2, 53, " 0.00000000"), "mean motion 0.0 "),
        (LINE_1, with_columns(LINE_2, 53, "17.60000000"), "mean motion 17.6"),
        (LINE_1, with_columns(LINE_2, 27, "5000000"), "below the ground"),
        (LINE_1, with_columns(LINE_2, 12, ",6400"), "does not have the columns"),
        (LINE_1, with_columns(LINE_2, 46, " .0000"), "a gap in '28 .0000'"),
    ],
)
def test_lines_that_cannot_be_true_are_refused_with_the_reason(line_1: str, line_2: str, reason: str) -> None:
    with pytest.raises(BadElements, match=reason) as refusal:
        satellite_from_tle(line_1, line_2, name="DEMOSAT 1", source="Citra API")
    assert "Citra API" in str(refusal.value)
    assert "DEMOSAT 1" in str(refusal.value)


def test_a_damaged_set_costs_itself_and_not_its_neighbours() -> None:
    second = "\n".join(with_columns(line, 3, "90002") for line in (LINE_1, LINE_2))
    third = "\n".join(with_columns(line, 3, "90003") for line in (LINE_1, LINE_2))
    damaged = second.replace("15.50000000", "15.60000000")
    file = parse_elements(f"ONE\n{LINE_1}\n{LINE_2}\nTWO\n{damaged}\nTHREE\n{third}\n", source="tonight.tle")
    assert [satellite.name for satellite in file.satellites] == ["ONE", "THREE"]
    assert [satellite.elements.source for satellite in file.satellites] == ["tonight.tle line 2", "tonight.tle line 8"]
    assert [one.where for one in file.refused] == ["tonight.tle line 5"]
    assert file.refused[0].reason.startswith("TWO: line 2 has checksum")


def test_lost_and_swapped_lines_are_named_where_they_stand() -> None:
    other_1, other_2 = (with_columns(line, 3, "90002") for line in (LINE_1, LINE_2))
    text = "\n".join([LINE_1, "B", other_1, other_2, LINE_2, LINE_1, LINE_2, "C", other_2, other_1, "D"])
    file = parse_elements(text, source="f")
    assert [satellite.norad_id for satellite in file.satellites] == [90002]
    reasons = {one.where: one.reason for one in file.refused}
    assert reasons == {
        "f line 1": "line 2 is missing",
        "f line 5": "line 1 begins with '2'; are the lines swapped?",
        "f line 7": "line 1 is missing",
        "f line 9": "C: line 1 begins with '2'; are the lines swapped?",
        "f line 11": "D: line 1 is missing",
    }


def test_no_change_of_one_column_gives_another_orbit() -> None:
    """A changed digit breaks the checksum; a change the checksum does not see must not change the orbit."""
    true = satellite_from_tle(LINE_1, LINE_2, name="", source="x").elements
    believed = 0
    for which, column, replacement in product((0, 1), range(69), [*"0123456789 .-+AZx", "２"]):
        lines = [LINE_1, LINE_2]
        lines[which] = lines[which][:column] + replacement + lines[which][column + 1 :]
        try:
            changed = satellite_from_tle(*lines, name="", source="x").elements
        except BadElements:
            continue
        believed += 1
        assert replace(changed, international_designator="", mean_motion_ddot=0.0) == replace(
            true, international_designator="", mean_motion_ddot=0.0
        ), lines
    assert believed >= 2 * 60  # the change of a column into itself


@given(columns=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 68), st.sampled_from("0123456789 .-")), max_size=4))
@settings(max_examples=300, deadline=None)
def test_what_several_changes_leave_is_refused_or_a_plausible_orbit(columns: list[tuple[int, int, str]]) -> None:
    lines = [LINE_1, LINE_2]
    for which, column, replacement in columns:
        lines[which] = lines[which][:column] + replacement + lines[which][column + 1 :]
    file = parse_elements("\n".join(lines), source="x")
    for satellite in file.satellites:
        assert 0.0 <= satellite.elements.eccentricity < 1.0
        assert 0.05 <= satellite.elements.mean_motion_rev_per_day <= 17.5
        assert perigee_height_km(satellite.elements) >= 0.0 or satellite.elements.mean_motion_rev_per_day < 6.4
    changed = [line for line, true in zip(lines, (LINE_1, LINE_2), strict=True) if line != true]
    if any(line[-1:] != str(checksum(line)) for line in changed):
        assert file.satellites == ()


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    file = parse_elements(text, source="noise")
    assert file.satellites == ()
    assert file.refused


@pytest.mark.parametrize(
    "written",
    [
        lambda: json.dumps(OMM),
        lambda: json.dumps([OMM]),
        lambda: json.dumps([{key: str(value) for key, value in OMM.items()}]),
        lambda: as_csv(OMM),
        lambda: as_xml(OMM),
        lambda: as_xml(OMM).replace("<ndm>", '<ndm xmlns="urn:ccsds:schema:ndmxml">'),
        lambda: as_kvn(OMM),
        lambda: as_kvn(OMM | {"MEAN_MOTION": "15.5 [rev/day]", "COMMENT": "by the operator"}),
    ],
)
def test_an_omm_in_any_form_is_the_same_orbit_as_the_two_lines(written: Callable[[], str]) -> None:
    from_omm = only(written()).elements
    from_tle = satellite_from_tle(LINE_1, LINE_2, name="DEMOSAT 1", source=from_omm.source).elements
    assert from_omm.epoch == from_tle.epoch
    assert from_omm == from_tle or from_omm.eccentricity == pytest.approx(from_tle.eccentricity, rel=1e-12)
    assert (from_omm.norad_id, from_omm.name) == (90001, "DEMOSAT 1")
    assert from_omm.international_designator == from_tle.international_designator
    assert from_omm.bstar_per_earth_radius == pytest.approx(from_tle.bstar_per_earth_radius, rel=1e-12)
    assert from_omm.mean_motion_dot == from_tle.mean_motion_dot


@pytest.mark.parametrize("norad_id", [340_000, 999_999_999])
def test_numbers_beyond_alpha_5_are_kept_whole(norad_id: int) -> None:
    numbered = OMM | {"NORAD_CAT_ID": norad_id}
    for text in (json.dumps(numbered), as_csv(numbered), as_xml(numbered), as_kvn(numbered)):
        assert only(text).norad_id == norad_id


def test_a_name_in_brackets_is_kept_whole() -> None:
    """What a KVN file has in brackets behind a value is its unit, but a name has none."""
    named = OMM | {"OBJECT_NAME": "STARLINK-11666 [DTC]"}
    for text in (json.dumps(named), as_csv(named), as_xml(named), as_kvn(named)):
        assert only(text).name == "STARLINK-11666 [DTC]"


def test_several_messages_in_one_file_are_told_apart() -> None:
    other = OMM | {"NORAD_CAT_ID": 90002, "OBJECT_NAME": "DEMOSAT 2"}
    for text in (json.dumps([OMM, other]), as_csv(OMM, other), as_xml(OMM, other), as_kvn(OMM) + as_kvn(other)):
        file = parse_elements(text, source="f")
        assert [satellite.norad_id for satellite in file.satellites] == [90001, 90002]
        assert file.refused == ()
    without_version = as_kvn(OMM).partition("\n")[2] + as_kvn(other).partition("\n")[2]
    assert len(parse_elements(without_version, source="f").satellites) == 2


@pytest.mark.parametrize(
    ("epoch", "instant"),
    [
        ("2026-08-11T03:05:32.355744", datetime(2026, 8, 11, 3, 5, 32, 355744, tzinfo=UTC)),
        ("2026-08-11T03:05:32Z", datetime(2026, 8, 11, 3, 5, 32, tzinfo=UTC)),
        ("2026-08-11 03:05:32.5", datetime(2026, 8, 11, 3, 5, 32, 500000, tzinfo=UTC)),
        ("2026-223T03:05:32.355744", datetime(2026, 8, 11, 3, 5, 32, 355744, tzinfo=UTC)),
        ("2026-08-11T03:05:32.3557441234", datetime(2026, 8, 11, 3, 5, 32, 355744, tzinfo=UTC)),
    ],
)
def test_epochs_are_read_by_calendar_and_by_day_of_the_year(epoch: str, instant: datetime) -> None:
    assert only(json.dumps(OMM | {"EPOCH": epoch})).elements.epoch == instant


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ECCENTRICITY": 1.0}, "eccentricity 1.0"),
        ({"ECCENTRICITY": -0.1}, "eccentricity -0.1"),
        ({"ECCENTRICITY": "nan"}, "ECCENTRICITY 'nan' is no number"),
        ({"ECCENTRICITY": float("nan")}, "not finite"),
        ({"MEAN_MOTION": float("inf")}, "not finite"),
        ({"MEAN_MOTION": 10**400}, "not finite"),
        ({"MEAN_MOTION": 0}, "mean motion 0.0 "),
        ({"MEAN_MOTION": "１５.5"}, "is no number"),
        ({"MEAN_MOTION": "1_5.5"}, "is no number"),
        ({"MEAN_MOTION": True}, "is no number"),
        ({"MEAN_MOTION": None}, "MEAN_MOTION is missing"),
        ({"BSTAR": ""}, "BSTAR is missing"),
        ({"BSTAR": 1e9}, "B\\* 1000000000.0"),
        ({"INCLINATION": [51.6]}, "is no number"),
        ({"NORAD_CAT_ID": 1_000_000_000}, "1000000000 is not within"),
        ({"NORAD_CAT_ID": 0}, "NORAD number 0"),
        ({"NORAD_CAT_ID": 12.5}, "no whole number"),
        ({"EPOCH": "yesterday"}, "EPOCH 'yesterday'"),
        ({"EPOCH": "long ago " * 1000}, r"EPOCH 'long ago lon\.\.\. ago long ago' is no UTC"),
        ({"EPOCH": "2026-13-11T03:05:32"}, "month must be in"),
        ({"EPOCH": "2026-08-11T25:05:32"}, "no time of day"),
        ({"EPOCH": "1926-08-11T03:05:32"}, "1926-08-11 is not within"),
        ({"EPHEMERIS_TYPE": 4}, "SGP4-XP"),
        ({"MEAN_ELEMENT_THEORY": "SGP4-XP"}, "SGP4-XP"),
        ({"MEAN_ELEMENT_THEORY": "DSST"}, "theory DSST"),
        ({"REF_FRAME": "EME2000"}, "REF_FRAME EME2000 is not TEME"),
        ({"CENTER_NAME": "MOON"}, "CENTER_NAME MOON"),
        ({"TIME_SYSTEM": "TAI"}, "TIME_SYSTEM TAI"),
    ],
)
def test_messages_that_cannot_be_true_are_refused_with_the_field(changed: dict[str, object], reason: str) -> None:
    with pytest.raises(BadElements, match=reason):
        satellite_from_omm(OMM | changed, source="test")
    file = parse_elements(json.dumps([OMM, OMM | changed]), source="f.json")
    assert len(file.satellites) == 1
    assert file.refused[0].where == "f.json set 2"


def test_a_message_without_name_and_derivatives_is_enough_for_sgp4() -> None:
    bare = {key: value for key, value in OMM.items() if key not in ("OBJECT_NAME", "OBJECT_ID") and "_DOT" not in key}
    elements = satellite_from_omm(bare, source="task file").elements
    assert (elements.name, elements.international_designator) == ("NORAD 90001", "")
    assert elements.mean_motion_dot == 0.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither TLE lines nor an OMM"),
        ("hello\nworld\n", "neither TLE lines nor an OMM"),
        ("{", "this is no JSON"),
        ("[" * 100_000, "this is no JSON"),
        ("[]", "there are no element sets in it"),
        ("[1]", "NORAD_CAT_ID is missing"),
        ("<ndm><omm>", "this is no XML"),
        ("<ndm></ndm>", "there are no element sets in it"),
        ('<!DOCTYPE ndm [<!ENTITY a "b">]><ndm>&a;</ndm>', "document type"),
        ("OBJECT_NAME,NORAD_CAT_ID\n", "there are no element sets in it"),
        ("NORAD_CAT_ID = 5\nEPOCH = 2026-08-11T00:00:00\n", "MEAN_MOTION is missing"),
        ('NORAD_CAT_ID,EPOCH\n"' + "9" * 200_000 + '",x\n', "no CSV"),
    ],
)
def test_a_file_with_nothing_in_it_says_so(text: str, reason: str) -> None:
    assert reason in only_reason(text)


@pytest.mark.catalogue
def test_the_real_catalogue_is_read_whole(real_elements: Path) -> None:
    file = parse_elements(real_elements.read_bytes().decode(), source=real_elements.name)
    assert file.refused == ()
    assert len(file.satellites) == 16_089
    assert len({satellite.norad_id for satellite in file.satellites}) == 16_089
