"""Brightness: the laws a diffuse sphere obeys, and tables of standard magnitudes."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.brightness import dimming_mag, magnitudes_in


def test_at_a_thousand_kilometres_and_half_lit_it_is_the_standard_magnitude() -> None:
    assert dimming_mag(1000.0, 90.0) == pytest.approx(0.0, abs=1e-9)
    # Ten times as far is five magnitudes; full is π times as bright as half lit.
    assert dimming_mag(10_000.0, 90.0) == pytest.approx(5.0)
    assert dimming_mag(1000.0, 0.0) == pytest.approx(-2.5 * math.log10(math.pi))


@given(range_km=st.floats(150.0, 400_000.0), phase_deg=st.floats(0.0, 179.0), more=st.floats(0.01, 1.0))
@settings(max_examples=80, deadline=None)
def test_nearer_and_fuller_is_brighter(range_km: float, phase_deg: float, more: float) -> None:
    here = dimming_mag(range_km, phase_deg)
    assert math.isfinite(here)
    assert dimming_mag(range_km * (1.0 + more), phase_deg) > here
    assert dimming_mag(range_km, min(180.0, phase_deg + more)) > here


def test_the_dark_side_is_not_seen() -> None:
    assert dimming_mag(1000.0, 180.0) > 30.0


def test_a_table_is_read_by_its_columns() -> None:
    text = "name,norad_id,standard_magnitude\nISS,25544,-1.8\nDEMOSAT NINE,799500123,6\n"
    assert magnitudes_in(text) == {25544: -1.8, 799500123: 6.0}
    assert magnitudes_in("norad_id, standard_magnitude\n") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "first line"),
        ("norad_id\n1\n", "first line"),
        ("norad_id,standard_magnitude\n1,inf\n", "line 2"),
        ("norad_id,standard_magnitude\n1.5,3\n", "line 2"),
        ("norad_id,standard_magnitude\n1,3\n2,\n", "line 3"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        magnitudes_in(text)
