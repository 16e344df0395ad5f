"""How long a slew takes: both axes at once, speeding up and slowing down, then settling."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.slews import Axes, SlewModel

MOUNT = {"speed_deg_s": 3.0, "acceleration_deg_s2": 1.0, "settle_s": 2.0}
GERMAN = SlewModel(axes=Axes.EQUATORIAL, **MOUNT)
ALTAZ = SlewModel(axes=Axes.ALTAZ, **MOUNT)

hour_angles = st.floats(-180.0, 179.999)
declinations = st.floats(-89.0, 89.0)
azimuths = st.floats(0.0, 359.999)
altitudes = st.floats(0.0, 89.9)


def turned_by_hand_s(angle_deg: float, *, speed: float = 3.0, acceleration: float = 1.0) -> float:
    """The same motion integrated in small steps, as an outside check of the formula."""
    step_s, at_s, left_deg, rate = 1e-4, 0.0, angle_deg, 0.0
    while left_deg > 1e-4:
        braking_deg = rate * rate / (2.0 * acceleration)
        rate = (
            max(rate - acceleration * step_s, 1e-3)
            if braking_deg >= left_deg
            else min(rate + acceleration * step_s, speed)
        )
        left_deg -= rate * step_s
        at_s += step_s
    return at_s


@pytest.mark.parametrize("angle_deg", [0.5, 4.0, 9.0, 30.0, 90.0])
def test_an_axis_takes_as_long_as_the_motion_integrated_step_by_step(angle_deg: float) -> None:
    assert GERMAN.turn_s(angle_deg) == pytest.approx(turned_by_hand_s(angle_deg), abs=0.05)


def test_a_short_turn_never_reaches_top_speed_and_a_long_one_does() -> None:
    assert GERMAN.turn_s(4.0) == pytest.approx(4.0)  # 2·√(4°/1°/s²)
    assert GERMAN.turn_s(9.0) == pytest.approx(6.0)  # just reaches 3°/s
    assert GERMAN.turn_s(39.0) == pytest.approx(16.0)  # 30° more at 3°/s


def test_the_slower_axis_decides_and_both_move_at_once() -> None:
    both = ALTAZ.duration_s((10.0, 30.0), (49.0, 60.0))
    assert both == pytest.approx(ALTAZ.duration_s((10.0, 30.0), (49.0, 30.0)))
    assert both == pytest.approx(16.0 + 2.0)


def test_a_slew_to_where_it_stands_still_settles() -> None:
    assert GERMAN.duration_s((20.0, 40.0), (20.0, 40.0)) == pytest.approx(2.0)


def test_azimuth_goes_the_short_way_over_north() -> None:
    assert ALTAZ.duration_s((350.0, 45.0), (10.0, 45.0)) == pytest.approx(ALTAZ.turn_s(20.0) + 2.0)
    assert ALTAZ.duration_s((10.0, 45.0), (350.0, 45.0)) == pytest.approx(ALTAZ.turn_s(20.0) + 2.0)


def test_a_german_mount_flips_at_the_meridian() -> None:
    stays = GERMAN.duration_s((-40.0, 20.0), (-20.0, 20.0))
    flips = GERMAN.duration_s((-10.0, 20.0), (10.0, 20.0))
    assert stays == pytest.approx(GERMAN.turn_s(20.0) + 2.0)
    # hour angle 180° less 20°; declination over the pole: 70° up and 70° down
    assert flips == pytest.approx(GERMAN.turn_s(160.0) + 2.0)


def test_a_flip_low_in_the_south_is_a_long_way_over_the_pole() -> None:
    assert GERMAN.duration_s((-60.0, -25.0), (60.0, -25.0)) == pytest.approx(GERMAN.turn_s(180.0 + 50.0) + 2.0)


def test_a_southern_mount_flips_over_the_south_pole() -> None:
    southern = SlewModel(axes=Axes.EQUATORIAL, southern=True, **MOUNT)
    assert southern.duration_s((-80.0, -50.0), (80.0, -50.0)) == pytest.approx(southern.turn_s(80.0) + 2.0)
    assert GERMAN.duration_s((-80.0, -50.0), (80.0, -50.0)) == pytest.approx(GERMAN.turn_s(280.0) + 2.0)


def test_the_hour_angle_axis_does_not_pass_under_the_pole() -> None:
    under = GERMAN.duration_s((170.0, 80.0), (-170.0, 80.0))
    assert under == pytest.approx(GERMAN.turn_s(160.0) + 2.0)  # a flip, though the sky is 20° away


@pytest.mark.parametrize("field", ["speed_deg_s", "acceleration_deg_s2", "settle_s"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_a_mount_that_cannot_be_is_refused(field: str, value: float) -> None:
    numbers: dict[str, Any] = {**MOUNT, field: value}
    with pytest.raises(ValueError, match=r"telescope|waited"):
        SlewModel(axes=Axes.ALTAZ, **numbers)


@pytest.mark.parametrize("southern", [False, True])
@given(first=hour_angles, second=declinations, to=st.lists(st.tuples(hour_angles, declinations), min_size=1))
@settings(max_examples=60, deadline=None)
def test_many_slews_at_once_are_the_same_slews(
    first: float, second: float, to: list[tuple[float, float]], *, southern: bool
) -> None:
    for axes in Axes:
        model = SlewModel(axes=axes, southern=southern, **MOUNT)
        firsts, seconds = (np.array(angles) for angles in zip(*to, strict=True))
        together_s = model.durations_s((first, second), (firsts, seconds))
        one_by_one_s = [model.duration_s((first, second), direction) for direction in to]
        assert together_s == pytest.approx(one_by_one_s)


@given(a=st.tuples(hour_angles, declinations), b=st.tuples(hour_angles, declinations), axes=st.sampled_from(list(Axes)))
@settings(max_examples=100, deadline=None)
def test_there_takes_as_long_as_back(a: tuple[float, float], b: tuple[float, float], axes: Axes) -> None:
    model = SlewModel(axes=axes, **MOUNT)
    assert model.duration_s(a, b) == pytest.approx(model.duration_s(b, a))


@given(angle_deg=st.floats(0.0, 300.0), more_deg=st.floats(0.001, 60.0))
@settings(max_examples=100, deadline=None)
def test_a_longer_turn_takes_longer_but_never_longer_than_two(angle_deg: float, more_deg: float) -> None:
    longer_s = GERMAN.turn_s(angle_deg + more_deg)
    assert longer_s > GERMAN.turn_s(angle_deg)
    assert longer_s <= GERMAN.turn_s(angle_deg) + GERMAN.turn_s(more_deg) + 1e-9


@given(a=st.tuples(azimuths, altitudes), b=st.tuples(azimuths, altitudes), way=st.tuples(azimuths, altitudes))
@settings(max_examples=100, deadline=None)
def test_a_stop_on_the_way_never_saves_time(
    a: tuple[float, float], b: tuple[float, float], way: tuple[float, float]
) -> None:
    assert ALTAZ.duration_s(a, b) <= ALTAZ.duration_s(a, way) + ALTAZ.duration_s(way, b) + 1e-9
