"""Rotator, cover with its light, and a box of switches: each a function of time, in the hand of a test."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.clock import HandClock
from simulators.physics.cover import Cover, CoverSettings
from simulators.physics.mechanics import wrapped
from simulators.physics.refusals import Reason, Refusal
from simulators.physics.rotator import Rotator, RotatorSettings
from simulators.physics.switch import Port, Switch, SwitchSettings

EVENING = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
angles_deg = st.floats(0.0, 359.999)


def a_rotator(**how: float) -> tuple[Rotator, HandClock]:
    clock = HandClock(EVENING)
    return Rotator(RotatorSettings(**how), now=clock.now), clock


def a_cover(**how: float | bool) -> tuple[Cover, HandClock]:
    clock = HandClock(EVENING)
    return Cover(CoverSettings(**how), now=clock.now), clock


def a_box(*ports: Port) -> tuple[Switch, HandClock]:
    clock = HandClock(EVENING)
    return Switch(SwitchSettings(ports=ports) if ports else SwitchSettings(), now=clock.now), clock


@settings(deadline=None, max_examples=60)
@given(angles_deg, angles_deg, st.booleans())
def test_a_rotator_reads_what_it_was_sent_to_whatever_it_was_synced_on(
    synced_deg: float, to_deg: float, reverse: bool
) -> None:
    rotator, clock = a_rotator()
    rotator.set_reverse(reverse)
    rotator.sync(synced_deg)
    assert wrapped(rotator.position_deg - synced_deg) == pytest.approx(0.0, abs=1e-9)
    assert rotator.mechanical_deg == 0.0
    rotator.move_to(to_deg)
    assert wrapped(rotator.target_deg - to_deg) == pytest.approx(0.0, abs=1e-9)
    clock.advance(100.0)
    assert not rotator.moving
    assert wrapped(rotator.position_deg - to_deg) == pytest.approx(0.0, abs=1e-9)
    assert abs(rotator.mechanical_deg_at(clock.now())) <= 180.0


def test_a_reversed_rotator_turns_the_other_way_and_reads_on_from_where_it_stood() -> None:
    rotator, clock = a_rotator()
    rotator.move_to(30.0)
    clock.advance(60.0)
    rotator.set_reverse(True)
    assert rotator.position_deg == pytest.approx(30.0)
    rotator.move_by(10.0)
    clock.advance(60.0)
    assert rotator.position_deg == pytest.approx(40.0)
    assert rotator.mechanical_deg == pytest.approx(20.0)


def test_a_halted_rotator_rests_on_its_way_and_aims_no_further() -> None:
    rotator, clock = a_rotator()
    rotator.move_to_mechanical(170.0)
    clock.advance(10.0)
    rotator.halt()
    clock.advance(5.0)
    assert not rotator.moving
    assert 40.0 < rotator.mechanical_deg < 60.0
    assert rotator.target_deg == pytest.approx(rotator.position_deg, abs=1e-9)


@pytest.mark.parametrize("angle_deg", [-0.1, 360.0, 400.0])
def test_angles_off_the_circle_are_refused(angle_deg: float) -> None:
    rotator, _ = a_rotator()
    for told in (rotator.move_to, rotator.move_to_mechanical, rotator.sync):
        with pytest.raises(Refusal) as refused:
            told(angle_deg)
        assert refused.value.reason == Reason.INVALID_VALUE
    with pytest.raises(Refusal):
        rotator.move_by(360.0)
    assert not rotator.moving


def test_a_cover_closes_evenly_and_stands_where_it_is_halted() -> None:
    cover, clock = a_cover(open_close_s=10.0)
    assert cover.is_open
    cover.move(opening=False)
    assert cover.moving
    clock.advance(5.0)
    assert cover.open_share_at(clock.now()) == pytest.approx(0.5, abs=0.02)
    cover.halt()
    clock.advance(1.0)
    assert (cover.moving, cover.is_open, cover.is_closed) == (False, False, False)
    cover.move(opening=False)
    clock.advance(20.0)
    assert cover.is_closed


def test_a_light_warms_up_to_what_it_was_told_and_goes_out() -> None:
    cover, clock = a_cover(max_brightness=100, warm_up_s=2.0)
    assert not cover.lit
    cover.shine(50)
    assert cover.changing
    assert cover.brightness == 50
    clock.advance(0.5)
    assert 15.0 < cover.light_at(clock.now()) < 30.0
    clock.advance(2.0)
    assert cover.light_at(clock.now()) == pytest.approx(50.0)
    cover.darken()
    assert cover.light_at(clock.now()) == pytest.approx(50.0)
    clock.advance(3.0)
    assert cover.light_at(clock.now()) == 0.0
    for brightness in (-1, 101):
        with pytest.raises(Refusal):
            cover.shine(brightness)


def test_a_cover_of_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="nothing"):
        CoverSettings(has_cover=False, has_light=False)
    with pytest.raises(ValueError, match="never shines"):
        CoverSettings(max_brightness=0)
    cover, clock = a_cover(has_cover=False)
    assert cover.open_share_at(clock.now()) == 1.0


@settings(deadline=None, max_examples=60)
@given(st.floats(0.0, 100.0), st.floats(0.0, 6.0))
def test_a_switch_stands_in_whole_steps_on_its_way_too(value: float, after_s: float) -> None:
    box, clock = a_box(Port(name="Heater", description="duty", highest=100.0, step=2.5, takes_s=4.0))
    box.set(0, value)
    clock.advance(after_s)
    stands_at = box.value(0)
    assert stands_at % 2.5 == pytest.approx(0.0, abs=1e-9)
    if after_s >= 4.0:
        assert not box.changing(0)
        assert abs(stands_at - value) <= 1.25 + 1e-9
    clock.advance(10.0)
    assert abs(box.value(0) - value) <= 1.25 + 1e-9


def test_a_cancelled_change_stays_where_it_was_and_says_so_until_the_next() -> None:
    box, clock = a_box(Port(name="Heater", description="duty", highest=100.0, takes_s=4.0))
    box.set(0, 100.0)
    clock.advance(2.0)
    box.cancel(0)
    assert box.cancelled(0)
    assert box.value(0) == 50.0
    clock.advance(10.0)
    assert box.value(0) == 50.0
    box.set(0, 20.0)
    assert not box.cancelled(0)
    clock.advance(5.0)
    box.cancel(0)
    assert not box.cancelled(0)
    assert box.value(0) == 20.0


def test_what_cannot_be_set_is_refused() -> None:
    box, _ = a_box()
    last = len(box.settings.ports)
    for number, value, reason in (
        (-1, 0.0, Reason.INVALID_VALUE),
        (last, 0.0, Reason.INVALID_VALUE),
        (2, 100.1, Reason.INVALID_VALUE),
        (2, -0.1, Reason.INVALID_VALUE),
        (last - 1, 12.0, Reason.NOT_IMPLEMENTED),
    ):
        with pytest.raises(Refusal) as refused:
            box.set(number, value)
        assert refused.value.reason == reason


@pytest.mark.parametrize(("highest", "step"), [(1.0, 0.0), (0.0, 1.0), (10.0, 3.0), (1.0, 2.0)])
def test_a_range_is_a_multiple_of_its_step(highest: float, step: float) -> None:
    with pytest.raises(ValueError, match="in steps of"):
        Port(name="Fan", description="of the mirror", highest=highest, step=step)
