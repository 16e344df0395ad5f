"""Element sets written as lines are read back as what they were."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.targets import ElementSet
from schedules.tle import satellite_from_lines
from schedules.tle_lines import lines_of

ISS = (
    "1 25544U 98067A   26110.50000000  .00012345  00000+0  22150-3 0  9992",
    "2 25544  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000    05",
)


def read(lines: tuple[str, str]) -> ElementSet:
    return satellite_from_lines(*lines, name="", source="").elements


@settings(max_examples=80, deadline=None)
@given(
    norad_id=st.integers(1, 339_999),
    after=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3000)),
    motion=st.floats(0.3, 1.2),
    eccentricity=st.floats(0.0, 0.9),
    angles=st.tuples(*[st.floats(0.0, 179.9)] * 4),
    bstar=st.floats(-0.01, 0.1),
    dot=st.floats(-0.01, 0.01),
)
def test_what_is_written_is_read_back_to_the_last_column(
    norad_id: int,
    after: timedelta,
    motion: float,
    eccentricity: float,
    angles: tuple[float, ...],
    bstar: float,
    dot: float,
) -> None:
    elements = replace(
        read_iss(),
        norad_id=norad_id,
        epoch=datetime(2020, 1, 1, tzinfo=UTC) + after,
        mean_motion_rev_per_day=motion,
        eccentricity=eccentricity,
        inclination_deg=angles[0],
        raan_deg=angles[1],
        argument_of_perigee_deg=angles[2],
        mean_anomaly_deg=angles[3],
        bstar_per_earth_radius=bstar,
        mean_motion_dot=dot,
    )
    again = read(lines_of(elements))
    assert again.norad_id == norad_id
    assert abs(again.epoch - elements.epoch) < timedelta(milliseconds=1)
    assert again.mean_motion_rev_per_day == pytest.approx(motion, abs=1e-8)
    assert again.eccentricity == pytest.approx(eccentricity, abs=1e-7)
    assert (again.inclination_deg, again.raan_deg) == pytest.approx(angles[:2], abs=1e-4)
    assert (again.argument_of_perigee_deg, again.mean_anomaly_deg) == pytest.approx(angles[2:], abs=1e-4)
    assert again.bstar_per_earth_radius == pytest.approx(bstar, rel=1e-4, abs=1e-9)
    assert again.mean_motion_dot == pytest.approx(dot, abs=1e-8)


def read_iss() -> ElementSet:
    return read(ISS)


def test_a_number_of_nine_digits_has_no_place_and_moves_nothing() -> None:
    long = replace(read_iss(), norad_id=799_501_234)
    assert read(lines_of(long)) == replace(long, norad_id=99_999, name="NORAD 99999")


def test_lines_of_a_set_read_from_lines_are_those_lines_but_for_counters() -> None:
    line1, line2 = lines_of(read_iss())
    assert line1[:63] == ISS[0][:63]
    assert line2[:63] == ISS[1][:63]
