"""Laws of anything that turns: it never jumps, never races, and comes to where it was sent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.physics.axis import Axis, Limits, Turn, changed_speed, turned
from simulators.physics.history import History

speeds = st.floats(0.01, 20.0)
accelerations = st.floats(0.05, 50.0)
limits_of_axes = st.builds(lambda top, rise: Limits(top_speed=top, acceleration=rise), speeds, accelerations)
positions = st.floats(-400.0, 400.0)
shares = st.floats(0.0, 1.0)

START_S = 1_795_000_000.0  # a night of 2026, so that rounding is what it will be


@settings(deadline=None, max_examples=150)
@given(positions, positions, limits_of_axes, shares)
def test_a_turn_never_exceeds_its_top_speed_and_stays_between_its_ends(
    start: float, end: float, limits: Limits, share: float
) -> None:
    turn = Turn(starts_s=START_S, from_position=start, by=end - start, limits=limits)
    at_s = START_S + share * turn.duration_s
    assert abs(turn.speed(at_s)) <= limits.top_speed * (1.0 + 1e-9)
    assert min(start, end) - 1e-6 <= turn.position(at_s) <= max(start, end) + 1e-6
    assert abs(turn.position(turn.ends_s + 1.0) - end) < 1e-9 * max(1.0, abs(end))


@settings(deadline=None, max_examples=150)
@given(positions, positions, limits_of_axes, shares, st.floats(0.001, 1.0))
def test_a_turn_moves_as_far_as_its_speed_says(
    start: float, end: float, limits: Limits, share: float, step_s: float
) -> None:
    turn = Turn(starts_s=0.0, from_position=start, by=end - start, limits=limits)
    at_s = share * turn.duration_s
    moved = turn.position(at_s + step_s) - turn.position(at_s)
    mean_speed = (turn.speed(at_s) + turn.speed(at_s + step_s)) / 2.0
    off = abs(moved - mean_speed * step_s)
    assert off <= limits.acceleration * step_s**2 / 2.0 + 1e-6


@settings(deadline=None, max_examples=100)
@given(st.floats(0.001, 300.0), limits_of_axes)
def test_a_turn_takes_as_long_as_the_school_book_says(by: float, limits: Limits) -> None:
    turn = Turn(starts_s=0.0, from_position=0.0, by=by, limits=limits)
    ramp = limits.top_speed**2 / limits.acceleration  # the way that speeding up and slowing down take
    if by >= ramp:
        expected_s = by / limits.top_speed + limits.top_speed / limits.acceleration
    else:
        expected_s = 2.0 * (by / limits.acceleration) ** 0.5
    assert abs(turn.duration_s - expected_s) < 1e-9 * expected_s + 1e-12


@settings(deadline=None, max_examples=150)
@given(positions, speeds, positions, limits_of_axes, shares)
def test_an_axis_sent_elsewhere_while_moving_slows_first_and_never_jumps(
    start: float, speed: float, end: float, limits: Limits, share: float
) -> None:
    motion = turned(start, min(speed, limits.top_speed), end, limits, at_s=START_S)
    assert abs(motion.position(START_S) - start) < 1e-9 * max(1.0, abs(start))
    assert abs(motion.position(motion.ends_s + 10.0) - end) < 1e-5
    assert motion.speed(motion.ends_s + 10.0) == 0.0
    at_s = START_S + share * (motion.ends_s - START_S)
    step_s = 1e-3
    assert abs(motion.position(at_s + step_s) - motion.position(at_s)) <= limits.top_speed * step_s * 1.01 + 1e-5


@pytest.mark.parametrize(("top_speed", "acceleration"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_an_axis_that_cannot_move_is_refused(top_speed: float, acceleration: float) -> None:
    with pytest.raises(ValueError, match="cannot move"):
        Limits(top_speed=top_speed, acceleration=acceleration)


def test_a_changed_speed_is_reached_at_the_acceleration_and_then_kept() -> None:
    motion = changed_speed(10.0, -2.0, 4.0, Limits(top_speed=5.0, acceleration=2.0), at_s=100.0)
    assert motion.ends_s == 103.0
    assert motion.position(101.0) == 10.0 - 2.0 + 1.0
    assert motion.speed(101.0) == 0.0
    assert motion.position(103.0) == 10.0 + 3.0  # mean of -2 and 4 over three seconds
    assert motion.position(110.0) == 13.0 + 4.0 * 7.0


def test_an_axis_answers_for_its_past() -> None:
    axis = Axis(0.0, Limits(top_speed=1.0, acceleration=1.0))
    axis.turn_to(10.0, at_s=100.0)
    axis.stop(at_s=105.0)
    assert axis.position(99.0) == 0.0
    assert axis.position(104.0) == 3.5  # half a degree of ramp, then a degree a second
    assert axis.moving(105.5)
    assert not axis.moving(106.0)
    assert axis.position(200.0) == 5.0


def test_what_was_planned_is_forgotten_when_something_else_is_ordered() -> None:
    history = History("parked")
    history.begin(10.0, "slewing")
    history.begin(20.0, "tracking")
    history.begin(15.0, "stopped")
    assert [history.at(at_s) for at_s in (5.0, 12.0, 16.0, 25.0)] == ["parked", "slewing", "stopped", "stopped"]
    assert history.changes_before(15.0) == 2


def test_a_history_of_weeks_keeps_the_last_hours() -> None:
    history = History(-1)
    for at_s in range(100_000):
        history.begin(float(at_s), at_s)
    assert history.at(99_999.5) == 99_999
    assert history.at(90_000.2) == 90_000
    assert history.changes_before(100_000.0) == 100_001
    assert len(history._entries) <= 40_001
