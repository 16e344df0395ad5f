"""A mount that is guided, flipped, and slewed on the horizon."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.values import EquatorialSystem, MountKind
from simulators.clock import HandClock
from simulators.physics.full_mount import FullMount
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import MountSettings
from simulators.physics.refusals import Reason, Refusal
from tests.simulators.physics.rig import EVENING, TEIDE

GUIDE_DEG_S = 0.5 * 15.041067 / 3600.0
ARCSEC_DEG = 1.0 / 3600.0


class Guided:
    """A mount that tracks a place west of the meridian, and the hand that sets its clock."""

    def __init__(self, **how: Any) -> None:
        self.clock = HandClock(EVENING)
        self.mount = FullMount(MountSettings(**how), ground=TEIDE, now=self.clock.now, seed=3)
        self.mount.unpark()
        self.mount.set_tracking(True)
        ra_deg = (TEIDE.sidereal_time_deg(self.clock.now()) - 30.0) % 360.0
        self.mount.slew(ra_deg, 20.0)
        self.clock.advance(120.0)

    def moved_arcsec(self, by_s: float) -> tuple[float, float]:
        """How far right ascension and declination go in so long."""
        before = self.mount.pointing
        self.clock.advance(by_s)
        after = self.mount.pointing
        return wrapped(after.ra_deg - before.ra_deg) / ARCSEC_DEG, (after.dec_deg - before.dec_deg) / ARCSEC_DEG


pulses = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([-1.0, 1.0]), st.floats(0.05, 3.0)), min_size=1, max_size=6
)


@settings(deadline=None, max_examples=60)
@given(pulses, st.sampled_from(list(MountKind)), st.floats(0.0, 0.5))
def test_pulses_add_up_whatever_their_order(
    told: list[tuple[int, float, float]], kind: MountKind, latency_s: float
) -> None:
    """One after the other on an axis; the axes at once."""
    guided = Guided(kind=kind, command_latency_s=latency_s)
    start = guided.mount.pointing
    expected_deg = [0.0, 0.0]
    for coordinate, sense, for_s in told:
        guided.mount.pulse(coordinate, sense * GUIDE_DEG_S, for_s)
        expected_deg[coordinate] += sense * GUIDE_DEG_S * for_s
        assert guided.mount.guiding
        assert not guided.mount.slewing
        guided.clock.advance(for_s + latency_s + 0.02)
    assert not guided.mount.guiding
    end = guided.mount.pointing
    assert wrapped(end.ra_deg - start.ra_deg) == pytest.approx(expected_deg[0], abs=0.1 * ARCSEC_DEG)
    assert end.dec_deg - start.dec_deg == pytest.approx(expected_deg[1], abs=0.1 * ARCSEC_DEG)
    drifted = guided.moved_arcsec(60.0)
    assert drifted == (pytest.approx(0.0, abs=0.01), pytest.approx(0.0, abs=0.01))


def test_both_axes_are_guided_at_once_and_each_for_its_own_time() -> None:
    guided = Guided()
    guided.mount.pulse(0, GUIDE_DEG_S, 4.0)
    guided.clock.advance(1.0)
    guided.mount.pulse(1, -GUIDE_DEG_S, 1.0)
    ra_arcsec, dec_arcsec = guided.moved_arcsec(1.0)
    assert ra_arcsec == pytest.approx(GUIDE_DEG_S / ARCSEC_DEG, abs=0.1)
    assert dec_arcsec == pytest.approx(-GUIDE_DEG_S / ARCSEC_DEG, abs=0.1)
    ra_arcsec, dec_arcsec = guided.moved_arcsec(10.0)
    assert ra_arcsec == pytest.approx(2.0 * GUIDE_DEG_S / ARCSEC_DEG, abs=0.1)
    assert dec_arcsec == pytest.approx(0.0, abs=0.1)


def test_a_new_pulse_on_an_axis_takes_the_place_of_the_one_before() -> None:
    guided = Guided()
    guided.mount.pulse(1, GUIDE_DEG_S, 100.0)
    guided.clock.advance(2.0)
    guided.mount.pulse(1, -GUIDE_DEG_S, 3.0)
    assert guided.moved_arcsec(50.0)[1] == pytest.approx(-3.0 * GUIDE_DEG_S / ARCSEC_DEG, abs=0.1)


def test_pulses_are_added_to_the_rates_there_are() -> None:
    guided = Guided()
    guided.mount.set_rates(0.0, 20.0 * ARCSEC_DEG)
    guided.clock.advance(1.0)
    guided.mount.pulse(1, GUIDE_DEG_S, 2.0)
    expected = 10.0 * 20.0 + 2.0 * GUIDE_DEG_S / ARCSEC_DEG
    assert guided.moved_arcsec(10.0)[1] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("told", ["stop tracking", "slew", "move an axis", "park", "set rates"])
def test_whatever_else_it_is_told_ends_a_pulse(told: str) -> None:
    guided = Guided()
    guided.mount.pulse(0, GUIDE_DEG_S, 500.0)
    guided.clock.advance(1.0)
    orders = {
        "stop tracking": lambda: guided.mount.set_tracking(False),
        "slew": lambda: guided.mount.slew(guided.mount.pointing.ra_deg, 30.0),
        "move an axis": lambda: guided.mount.move_axis(1, 0.1),
        "park": guided.mount.park,
        "set rates": lambda: guided.mount.set_rates(0.0, 0.001),
    }
    orders[told]()
    assert not guided.mount.guiding


def test_only_a_mount_that_tracks_and_stands_is_guided() -> None:
    guided = Guided()
    guided.mount.slew(guided.mount.pointing.ra_deg, 40.0)
    with pytest.raises(Refusal, match="only while tracking"):
        guided.mount.pulse(0, GUIDE_DEG_S, 1.0)
    guided.clock.advance(120.0)
    with pytest.raises(Refusal, match="a pulse of"):
        guided.mount.pulse(0, GUIDE_DEG_S, -1.0)
    guided.mount.park()
    guided.clock.advance(200.0)
    with pytest.raises(Refusal) as refused:
        guided.mount.pulse(0, GUIDE_DEG_S, 1.0)
    assert refused.value.reason == Reason.PARKED


@pytest.mark.parametrize("system", list(EquatorialSystem))
def test_a_flip_turns_both_axes_and_not_the_view(system: EquatorialSystem) -> None:
    guided = Guided(system=system)
    before, axes_before = guided.mount.pointing, guided.mount.axes.believed_deg(guided.clock.now().timestamp())
    assert not before.flipped
    guided.mount.flip(to_flipped=True)
    assert guided.mount.slewing
    guided.clock.advance(200.0)
    assert not guided.mount.slewing
    after, axes_after = guided.mount.pointing, guided.mount.axes.believed_deg(guided.clock.now().timestamp())
    assert after.flipped
    assert wrapped(after.ra_deg - before.ra_deg) == pytest.approx(0.0, abs=ARCSEC_DEG)
    assert after.dec_deg == pytest.approx(before.dec_deg, abs=ARCSEC_DEG)
    assert abs(axes_after[0] - axes_before[0]) == pytest.approx(180.0, abs=2.0)
    guided.mount.flip(to_flipped=True)
    assert not guided.mount.slewing


def test_rates_go_on_after_a_flip() -> None:
    guided = Guided()
    guided.mount.set_rates(10.0 * ARCSEC_DEG, -5.0 * ARCSEC_DEG)
    guided.mount.flip(to_flipped=True)
    guided.clock.advance(200.0)
    assert guided.moved_arcsec(10.0) == (pytest.approx(100.0, abs=0.1), pytest.approx(-50.0, abs=0.1))


@pytest.mark.parametrize("kind", [MountKind.FORK, MountKind.ALTAZ])
def test_a_mount_without_sides_does_not_flip(kind: MountKind) -> None:
    with pytest.raises(Refusal) as refused:
        Guided(kind=kind).mount.flip(to_flipped=True)
    assert refused.value.reason == Reason.NOT_IMPLEMENTED


@settings(deadline=None, max_examples=40)
@given(st.floats(5.0, 85.0), st.floats(0.0, 359.9), st.sampled_from(list(MountKind)))
def test_a_place_on_the_horizon_is_reached_and_stays(altitude_deg: float, azimuth_deg: float, kind: MountKind) -> None:
    guided = Guided(kind=kind)
    guided.mount.set_tracking(False)
    guided.mount.slew_horizontal(altitude_deg, azimuth_deg)
    assert guided.mount.slewing
    guided.clock.advance(300.0)
    for _ in range(2):
        seen = guided.mount.pointing
        assert seen.altitude_deg == pytest.approx(altitude_deg, abs=1e-6)
        across_deg = wrapped(seen.azimuth_deg - azimuth_deg) * math.cos(math.radians(altitude_deg))
        assert across_deg == pytest.approx(0.0, abs=1e-6)
        guided.clock.advance(60.0)
    assert not guided.mount.slewing


@pytest.mark.parametrize("kind", list(MountKind))
@pytest.mark.parametrize("system", list(EquatorialSystem))
def test_a_sync_on_the_horizon_shifts_what_it_says(kind: MountKind, system: EquatorialSystem) -> None:
    guided = Guided(kind=kind, system=system)
    guided.mount.set_tracking(False)
    guided.clock.advance(1.0)
    here = guided.mount.pointing
    guided.mount.sync_horizontal(here.altitude_deg - 1.0, here.azimuth_deg)
    synced = guided.mount.pointing
    assert synced.altitude_deg == pytest.approx(here.altitude_deg - 1.0, abs=ARCSEC_DEG)
    assert wrapped(synced.azimuth_deg - here.azimuth_deg) == pytest.approx(0.0, abs=2.0 * ARCSEC_DEG)


def test_places_on_the_horizon_are_for_a_mount_that_does_not_track() -> None:
    guided = Guided()
    for told in (guided.mount.slew_horizontal, guided.mount.sync_horizontal):
        with pytest.raises(Refusal, match="tracking off"):
            told(45.0, 100.0)
        with pytest.raises(Refusal, match="no place"):
            told(91.0, 100.0)
        with pytest.raises(Refusal, match="no place"):
            told(45.0, 360.0)


def test_a_flip_past_the_meridian_limit_is_refused_and_nothing_moves() -> None:
    guided = Guided(meridian_limit_deg=10.0)  # it looks 30° west of the meridian
    before = guided.mount.pointing
    with pytest.raises(Refusal, match="too far past the meridian") as refused:
        guided.mount.flip(to_flipped=True)
    assert refused.value.reason == Reason.INVALID_OPERATION
    assert not guided.mount.slewing
    guided.clock.advance(100.0)
    assert guided.mount.pointing.dec_deg == pytest.approx(before.dec_deg, abs=ARCSEC_DEG)
    guided.mount.slew((TEIDE.sidereal_time_deg(guided.clock.now()) - 5.0) % 360.0, 20.0)
    guided.clock.advance(100.0)
    guided.mount.flip(to_flipped=True)
    guided.clock.advance(200.0)
    assert guided.mount.pointing.flipped
