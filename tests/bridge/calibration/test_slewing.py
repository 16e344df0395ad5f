"""Timed slews give back the slew model that made them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.calibration.slewing import slews_from
from schedules.slews import Axes, SlewModel


@settings(max_examples=100, deadline=None)
@given(speed=st.floats(0.5, 8.0), acceleration=st.floats(0.5, 10.0), settle_s=st.floats(0.0, 10.0))
def test_the_model_that_made_the_slews_is_found_again(speed: float, acceleration: float, settle_s: float) -> None:
    model = SlewModel(axes=Axes.ALTAZ, speed_deg_s=speed, acceleration_deg_s2=acceleration, settle_s=settle_s)
    ways_deg = (2.0, 15.0, 40.0)
    found = slews_from([(way, model.turn_s(way) + settle_s) for way in ways_deg])
    assert found is not None
    again = SlewModel(
        axes=Axes.ALTAZ,
        speed_deg_s=found.speed_deg_s,
        acceleration_deg_s2=found.acceleration_deg_s2,
        settle_s=found.settle_s,
    )
    for way in (2.0, 15.0, 25.0, 40.0):
        took_s = again.turn_s(way) + again.settle_s
        assert took_s == pytest.approx(model.turn_s(way) + settle_s, rel=0.08, abs=0.15)


def test_too_few_slews_or_impossible_ones_say_nothing() -> None:
    assert slews_from([(2.0, 3.0), (15.0, 8.0)]) is None
    assert slews_from([(2.0, 3.0), (15.0, 8.0), (40.0, 7.0)]) is None
