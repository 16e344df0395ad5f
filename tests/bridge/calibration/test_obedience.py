"""What drives of one axis show: made here from an axis that speeds up evenly, so that the truth is known."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.calibration.measured import Way
from bridge.calibration.obedience import Law, Told, in_words, law_of, obeys, why_not
from bridge.calibration.traces import Drive, line_through, running_on
from drivers.values import PierSide
from simulators.physics.axis import Limits, changed_speed

SPEEDS = (0.01, -0.01, 0.1, -0.1, 0.4, -0.4, 1.2, -1.2)


def told(
    speed_deg_s: float,
    *,
    gain: float = 1.0,
    offset_deg_s: float = 0.0,
    latency_s: float = 0.05,
    acceleration_deg_s2: float = 2.0,
    rest_deg_s: float = 0.0,
    update_s: float = 0.0,
    axis: int = 0,
    for_s: float = 4.0,
) -> Told:
    """An axis that rests at a speed (the stars'), is told another at 100 s, and obeys some law some time later."""
    moves = changed_speed(
        rest_deg_s * latency_s,
        rest_deg_s,
        gain * speed_deg_s + offset_deg_s,
        Limits(top_speed=500.0, acceleration=acceleration_deg_s2),
        at_s=100.0 + latency_s,
    )

    def position(at_s: float) -> tuple[float, float]:
        seen_s = at_s if update_s == 0.0 else at_s // update_s * update_s
        moved = rest_deg_s * (seen_s - 100.0) if seen_s < 100.0 + latency_s else moves.position(seen_s)
        return (moved, 0.0) if axis == 0 else (0.0, moved)

    before_s = [99.0 + 0.1 * step for step in range(10)]
    since_s = [100.0 + 0.1 * step for step in range(1, round(for_s / 0.1) + 1)]
    drive = Drive(
        asked_s=100.0,
        before_s=before_s,
        before_deg=[position(at_s) for at_s in before_s],
        since_s=since_s,
        since_deg=[position(at_s) for at_s in since_s],
    )
    return Told(speed_deg_s=speed_deg_s, drive=drive)


def measured(**how: Any) -> Any:
    """Told speeds such that the axis moves at about SPEEDS, as the procedure does."""
    gain = how.get("gain", 1.0)
    drives = [told(speed / gain, **how) for speed in SPEEDS]
    return obeys(Way.AXES, PierSide.EAST, 0, drives, update_interval_s=drives[-1].drive.update_interval_s)


@settings(max_examples=60, deadline=None)
@given(
    gain=st.floats(0.05, 225.0),
    sign=st.sampled_from([-1.0, 1.0]),
    offset_deg_s=st.floats(-0.005, 0.005),
    latency_s=st.floats(0.0, 0.4),
    acceleration_deg_s2=st.floats(1.5, 20.0),
    rest_deg_s=st.sampled_from([0.0, 0.00417807]),
)
def test_whatever_the_law_of_an_axis_it_is_found(
    gain: float, sign: float, offset_deg_s: float, latency_s: float, acceleration_deg_s2: float, rest_deg_s: float
) -> None:
    found = measured(
        gain=sign * gain,
        offset_deg_s=offset_deg_s,
        latency_s=latency_s,
        acceleration_deg_s2=acceleration_deg_s2,
        rest_deg_s=rest_deg_s,
    )
    assert found.gain == pytest.approx(sign * gain, rel=1e-6)
    assert found.offset_deg_s == pytest.approx(offset_deg_s, abs=0.11 / 3600.0)
    assert found.latency_s == pytest.approx(latency_s, abs=0.005)
    assert found.acceleration_deg_s2 == pytest.approx(acceleration_deg_s2, rel=0.05)
    assert found.fastest_deg_s == pytest.approx(1.2, abs=0.006)


def test_a_position_that_is_a_new_one_now_and_then_is_noticed_and_its_age_is_no_latency() -> None:
    found = [told(1.2, update_s=0.5), told(0.4, update_s=0.5)]
    assert found[0].drive.update_interval_s == pytest.approx(0.5, abs=0.01)
    assert told(1.2).drive.update_interval_s == 0.0
    assert measured(update_s=0.5, latency_s=0.1).latency_s == pytest.approx(0.1, abs=0.15)


def test_an_axis_that_does_not_move_or_moves_the_other_says_so() -> None:
    still = [told(0.05, gain=0.0), told(-0.05, gain=0.0)]
    assert why_not(still, 0) == "does not move when told 0.05°/s"
    other = [told(0.05, axis=1), told(-0.05, axis=1)]
    assert why_not(other, 0) == "turns the secondary axis instead"
    assert why_not(other, 1) == ""


def test_a_drive_that_had_not_reached_its_speed_is_not_steady() -> None:
    assert told(1.2).drive.is_steady(0)
    assert not told(1.2, acceleration_deg_s2=0.3).drive.is_steady(0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), gain=st.sampled_from([1.0, -15.0]))
def test_readings_that_are_not_quite_of_their_instant_are_made_up_for(seed: int, gain: float) -> None:
    """20 ms of scatter in when a position was read is 86″ at 1.2°/s."""
    scatter = random.Random(seed)
    drives = []
    for speed in SPEEDS:
        one = told(speed / gain, gain=gain)
        late_s = [at_s + scatter.gauss(0.0, 0.02) for at_s in one.drive.since_s]
        drives.append(replace(one, drive=replace(one.drive, since_s=late_s)))
    assert sum(one.drive.is_steady(0) for one in drives) >= len(drives) - 1
    law = law_of(drives, 0)
    assert sum(law.holds(one, 0) for one in drives) >= len(drives) - 1
    assert law.gain == pytest.approx(gain, rel=0.03)
    found = obeys(Way.AXES, PierSide.EAST, 0, drives, update_interval_s=0.0)
    assert found.offset_deg_s == 0.0
    assert gain != 1.0 or found.gain == 1.0, "what cannot be told from as told is as told"


def test_speeds_that_obey_no_law_are_seen() -> None:
    drives = [told(speed) for speed in SPEEDS[:4]] + [told(1.2, gain=0.5), told(-1.2, gain=0.5)]
    law = law_of(drives, 0)
    assert not all(law.holds(one, 0) for one in drives)


@pytest.mark.parametrize(
    ("gain", "offset_deg_s", "words"),
    [
        (1.0, 0.0, "as told"),
        (-1.0, 0.0, "the other way round"),
        (15.0, 0.0, "15 × what it is told"),
        (-0.5, 0.0, "the other way round 0.5 × what it is told"),
        (1.0, 15.041067 / 3600.0, "and +15.04″/s"),
    ],
)
def test_a_law_is_said_in_words(gain: float, offset_deg_s: float, words: str) -> None:
    assert in_words(Law(gain=gain, offset_deg_s=offset_deg_s)) == words


def test_one_reading_makes_no_line() -> None:
    with pytest.raises(ValueError, match="1 readings make no line"):
        line_through([1.0], [2.0])


@given(st.lists(st.floats(-170.0, 170.0), min_size=1, max_size=20))
def test_angles_run_on_over_360_degrees(steps: list[float]) -> None:
    truth = [350.0]
    for step in steps:
        truth.append(truth[-1] + step)
    assert running_on([angle % 360.0 for angle in truth]) == pytest.approx(truth, abs=1e-6)
