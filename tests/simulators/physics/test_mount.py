"""A mount over time: what it may be told, how it moves, where it then looks."""

import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.values import EquatorialSystem, MountKind
from simulators.physics.legs import sidereal_deg
from simulators.physics.mechanics import wrapped
from simulators.physics.refusals import Reason, Refusal
from simulators.sky.rotation import unix_of
from tests.simulators.physics.rig import EVENING, TEIDE, Rig

ARCSEC = 1.0 / 3600.0

kinds = st.sampled_from(list(MountKind))
systems = st.sampled_from(list(EquatorialSystem))


@settings(deadline=None, max_examples=60)
@given(kinds, systems, st.floats(-80.0, 80.0), st.floats(-30.0, 85.0))
def test_a_slew_ends_where_it_was_sent_and_stays_among_the_stars(
    kind: MountKind, system: EquatorialSystem, hour_angle_deg: float, dec_deg: float
) -> None:
    rig = Rig(kind=kind, system=system)
    ra_deg, dec_deg = rig.at_hour_angle(hour_angle_deg, dec_deg)
    rig.mount.slew(ra_deg, dec_deg)
    assert rig.mount.slewing
    rig.arrive()
    assert rig.off_arcsec(ra_deg, dec_deg) < 0.01
    rig.clock.advance(3600.0)
    assert rig.off_arcsec(ra_deg, dec_deg) < 0.1


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from([MountKind.GERMAN, MountKind.FORK]),
    st.lists(st.tuples(st.floats(-80.0, 80.0), st.floats(-30.0, 80.0), st.floats(0.1, 20.0)), min_size=1, max_size=4),
)
def test_axes_never_jump_and_never_race_whatever_is_ordered_and_when(
    kind: MountKind, orders: list[tuple[float, float, float]]
) -> None:
    rig = Rig(kind=kind)
    began_s = unix_of(rig.clock.now())
    for hour_angle_deg, dec_deg, wait_s in orders:
        rig.mount.slew(*rig.at_hour_angle(hour_angle_deg, dec_deg))
        rig.clock.advance(wait_s)
        rig.mount.set_rates(0.3 * math.copysign(1.0, dec_deg), -0.2)
    rig.mount.abort()
    ended_s = unix_of(rig.clock.now()) + 60.0
    step_s, fastest = 0.05, rig.mount.settings.top_speed_deg_s
    at_s = began_s
    while at_s < ended_s:
        before, after = rig.mount.axes.true_deg(at_s), rig.mount.axes.true_deg(at_s + step_s)
        for one, other in zip(before, after, strict=True):
            moved_deg = wrapped(other - one) if kind is MountKind.FORK else other - one
            assert abs(moved_deg) <= fastest * step_s * 1.001 + 1e-5
        at_s += step_s


def test_a_slew_takes_as_long_as_its_longer_axis_and_the_settling() -> None:
    rig = Rig(kind=MountKind.FORK)
    rig.mount.slew(*rig.at_hour_angle(30.0, 10.0))
    rig.arrive()
    ra_deg, dec_deg = rig.mount.pointing.ra_deg, rig.mount.pointing.dec_deg
    rig.mount.slew((ra_deg - 40.0) % 360.0, dec_deg + 25.0)
    assert rig.arrive() == pytest.approx(40.0 / 4.0 + 4.0 / 2.0 + 1.0, abs=0.1)


def test_a_german_mount_crosses_the_meridian_the_long_way() -> None:
    rig = Rig(kind=MountKind.GERMAN)
    rig.mount.slew(*rig.at_hour_angle(-10.0, 20.0))
    rig.arrive()
    assert rig.mount.pointing.flipped
    rig.mount.slew(*rig.at_hour_angle(10.0, 20.0))
    assert rig.arrive() > 35.0  # both axes go over the pole: 160° of hour angle
    assert not rig.mount.pointing.flipped
    rig.mount.slew(*rig.at_hour_angle(20.0, 20.0))
    assert rig.arrive() < 8.0


def test_a_german_mount_follows_past_the_meridian_without_turning_over() -> None:
    rig = Rig(kind=MountKind.GERMAN)
    ra_deg, dec_deg = rig.at_hour_angle(-5.0, 20.0)
    rig.mount.slew(ra_deg, dec_deg)
    rig.arrive()
    rig.clock.advance(3600.0)
    assert rig.mount.pointing.flipped
    assert rig.off_arcsec(ra_deg, dec_deg) < 0.01


@settings(deadline=None, max_examples=40)
@given(kinds, st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_rates_move_the_place_by_rate_times_time(kind: MountKind, ra_deg_s: float, dec_deg_s: float) -> None:
    rig = Rig(kind=kind)
    rig.mount.slew(*rig.at_hour_angle(40.0, 15.0))
    rig.arrive()
    rig.mount.set_rates(ra_deg_s, dec_deg_s)
    assert not rig.mount.slewing
    rig.clock.advance(2.0)  # speeding up
    before = rig.mount.pointing
    rig.clock.advance(10.0)
    after = rig.mount.pointing
    # what an alt-azimuth mount lost while it sped up is fixed to its own axes
    tolerance_deg = 0.05 if kind is MountKind.ALTAZ else 0.1 * ARCSEC
    assert wrapped(after.ra_deg - before.ra_deg) == pytest.approx(10.0 * ra_deg_s, abs=tolerance_deg)
    assert after.dec_deg - before.dec_deg == pytest.approx(10.0 * dec_deg_s, abs=tolerance_deg)


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([MountKind.GERMAN, MountKind.FORK]), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_rates_of_catalogue_axes_are_those_of_the_instant_and_its_place(
    kind: MountKind, ra_deg_s: float, dec_deg_s: float
) -> None:
    """Mounts turn their axes of date evenly. On a path of degrees that is no even motion in the catalogue's system,
    whose pole is 0.15° away: some arcseconds come together in 10 s at 0.5°/s. Here it is held to evenness of date.
    """
    rig = Rig(kind=kind, system=EquatorialSystem.ICRS, acceleration_deg_s2=1e5)
    rig.mount.slew(*rig.at_hour_angle(40.0, 15.0))
    rig.arrive()
    began, place = rig.clock.now(), rig.mount.pointing
    rig.mount.set_rates(ra_deg_s, dec_deg_s)
    apart_s = 0.01
    ahead_deg = (place.ra_deg + apart_s * ra_deg_s, place.dec_deg + apart_s * dec_deg_s)
    of_date, ahead = TEIDE.apparent_of(place.ra_deg, place.dec_deg, began), TEIDE.apparent_of(*ahead_deg, began)
    rig.clock.advance(10.0)
    ra_deg, dec_deg = (
        now_deg + 10.0 / apart_s * wrapped(then_deg - now_deg) for now_deg, then_deg in zip(of_date, ahead, strict=True)
    )
    assert rig.off_arcsec(*TEIDE.icrs_of(ra_deg, dec_deg, rig.clock.now())) < 0.02


def test_rates_outlast_a_slew_and_act_from_its_end() -> None:
    rig = Rig()
    rig.mount.set_rates(0.0, 0.01)
    ra_deg, dec_deg = rig.at_hour_angle(30.0, 10.0)
    rig.mount.slew(ra_deg, dec_deg)
    rig.arrive()
    rig.clock.advance(99.0)  # a second of settling has passed already
    assert rig.mount.pointing.dec_deg == pytest.approx(dec_deg + 1.0, abs=0.002)


def test_rates_are_refused_without_tracking_and_beyond_the_axes() -> None:
    rig = Rig()
    with pytest.raises(Refusal) as refused:
        rig.mount.set_rates(4.1, 0.0)
    assert refused.value.reason == Reason.INVALID_VALUE
    rig.mount.set_tracking(False)
    with pytest.raises(Refusal) as refused:
        rig.mount.set_rates(0.01, 0.0)
    assert refused.value.reason == Reason.INVALID_OPERATION
    rig.mount.set_rates(0.0, 0.0)


def test_a_mount_that_does_not_track_lets_the_sky_pass() -> None:
    rig = Rig()
    rig.mount.slew(*rig.at_hour_angle(30.0, 10.0))
    rig.arrive()
    rig.mount.set_tracking(False)
    rig.clock.advance(1.0)
    before = rig.mount.pointing
    rig.clock.advance(86164.0905 / 360.0)  # a degree of sidereal time
    after = rig.mount.pointing
    assert wrapped(after.ra_deg - before.ra_deg) == pytest.approx(1.0, abs=ARCSEC)
    assert after.altitude_deg == pytest.approx(before.altitude_deg, abs=1e-9)


def test_an_abort_ends_a_slew_on_the_way_and_goes_on_tracking_there() -> None:
    rig = Rig()
    rig.mount.slew(*rig.at_hour_angle(60.0, -10.0))
    rig.clock.advance(5.0)
    rig.mount.abort()
    assert rig.mount.slewing
    assert rig.arrive() < 3.0
    here = rig.mount.pointing
    rig.clock.advance(600.0)
    assert rig.mount.tracking
    assert rig.off_arcsec(here.ra_deg, here.dec_deg) < 0.01


def test_moving_an_axis_suspends_tracking_on_it_and_gives_it_back() -> None:
    rig = Rig(kind=MountKind.FORK)
    rig.mount.slew(*rig.at_hour_angle(20.0, 10.0))
    rig.arrive()
    before = rig.mount.pointing
    rig.mount.move_axis(1, 0.5)
    rig.clock.advance(10.0)
    assert rig.mount.slewing
    rig.mount.move_axis(1, 0.0)
    rig.arrive()
    after = rig.mount.pointing
    assert after.dec_deg - before.dec_deg == pytest.approx(5.0, abs=0.2)
    assert after.ra_deg == pytest.approx(before.ra_deg, abs=ARCSEC)
    assert rig.mount.tracking
    rig.clock.advance(600.0)
    assert rig.off_arcsec(after.ra_deg, after.dec_deg) < 0.01


def test_a_slew_ends_a_motion_by_rate() -> None:
    rig = Rig()
    rig.mount.move_axis(0, 1.0)
    rig.clock.advance(5.0)
    ra_deg, dec_deg = rig.at_hour_angle(30.0, 10.0)
    rig.mount.slew(ra_deg, dec_deg)
    rig.arrive()
    assert rig.off_arcsec(ra_deg, dec_deg) < 0.01


def test_a_parked_mount_refuses_to_move_and_says_so() -> None:
    rig = Rig()
    rig.mount.park()
    assert rig.mount.slewing
    assert not rig.mount.parked
    rig.arrive()
    assert rig.mount.parked
    assert not rig.mount.tracking
    rig.mount.park()
    for order in (
        lambda: rig.mount.slew(10.0, 10.0),
        lambda: rig.mount.set_tracking(True),
        lambda: rig.mount.move_axis(0, 0.1),
        lambda: rig.mount.sync(10.0, 10.0),
        rig.mount.find_home,
        rig.mount.abort,
    ):
        with pytest.raises(Refusal) as refused:
            order()
        assert refused.value.reason == Reason.PARKED
    rig.mount.unpark()
    rig.mount.unpark()
    assert not rig.mount.parked


def test_it_parks_where_it_was_told_to_park() -> None:
    rig = Rig()
    rig.mount.slew(*rig.at_hour_angle(-40.0, 30.0))
    rig.arrive()
    rig.mount.set_tracking(False)
    rig.mount.set_park()
    there = rig.mount.pointing
    rig.mount.find_home()
    rig.arrive()
    assert rig.mount.at_home
    assert not rig.mount.parked
    rig.mount.park()
    rig.arrive()
    assert rig.mount.parked
    assert not rig.mount.at_home
    assert rig.mount.pointing.altitude_deg == pytest.approx(there.altitude_deg, abs=0.01)
    assert rig.mount.pointing.azimuth_deg == pytest.approx(there.azimuth_deg, abs=0.01)


def test_an_aborted_park_leaves_it_free() -> None:
    rig = Rig()
    rig.mount.slew(*rig.at_hour_angle(-40.0, 0.0))
    rig.arrive()
    rig.mount.park()
    rig.clock.advance(3.0)
    rig.mount.abort()
    rig.clock.advance(600.0)
    assert not rig.mount.parked
    assert not rig.mount.slewing


def test_slewing_needs_tracking_and_a_place_that_exists() -> None:
    rig = Rig()
    for ra_deg, dec_deg in ((360.0, 0.0), (-0.1, 0.0), (10.0, 90.1), (math.nan, 0.0), (10.0, math.nan)):
        with pytest.raises(Refusal) as refused:
            rig.mount.slew(ra_deg, dec_deg)
        assert refused.value.reason == Reason.INVALID_VALUE
    rig.mount.set_tracking(False)
    with pytest.raises(Refusal) as refused:
        rig.mount.slew(10.0, 10.0)
    assert refused.value.reason == Reason.INVALID_OPERATION


@pytest.mark.parametrize("kind", list(MountKind))
def test_a_pointing_error_is_there_until_a_sync(kind: MountKind) -> None:
    rig = Rig(kind=kind, pointing_error_arcmin=30.0)
    ra_deg, dec_deg = rig.at_hour_angle(35.0, 20.0)
    rig.mount.slew(ra_deg, dec_deg)
    rig.arrive()
    assert rig.off_arcsec(ra_deg, dec_deg) < 0.01  # it believes to be there
    true_place = TEIDE.apparent_of(*rig.mount.true_icrs(rig.clock.now()), rig.clock.now())
    across = wrapped(true_place[0] - ra_deg) * math.cos(math.radians(dec_deg))
    assert 0.2 < math.hypot(across, true_place[1] - dec_deg) < 0.51
    rig.mount.sync(*true_place)
    assert rig.off_arcsec(*true_place) < 0.01
    rig.mount.slew(ra_deg, dec_deg)
    rig.arrive()
    now = rig.clock.now()
    seen = TEIDE.apparent_of(*rig.mount.true_icrs(now), now)
    assert wrapped(seen[0] - ra_deg) == pytest.approx(0.0, abs=0.02)
    assert seen[1] == pytest.approx(dec_deg, abs=0.02)


def test_axes_of_date_and_axes_of_the_catalogues_are_a_third_of_a_degree_apart() -> None:
    of_date, of_catalogues = Rig(system=EquatorialSystem.APPARENT), Rig(system=EquatorialSystem.ICRS)
    for rig in (of_date, of_catalogues):
        rig.mount.slew(330.0, 20.0)
        rig.arrive()
    seen = of_catalogues.mount.true_icrs(of_catalogues.clock.now())
    assert seen == pytest.approx((330.0, 20.0), abs=1e-6)
    other = of_date.mount.true_icrs(of_date.clock.now())
    assert 0.25 < abs(wrapped(other[0] - 330.0)) < 0.45


def test_the_path_of_the_past_stays_as_it_was() -> None:
    rig = Rig()
    rig.mount.slew(*rig.at_hour_angle(30.0, 10.0))
    instants = [rig.clock.now() + timedelta(seconds=second) for second in range(1, 12)]
    planned = [rig.mount.true_icrs(at) for at in instants]
    rig.clock.advance(12.0)
    rig.mount.sync(*rig.at_hour_angle(31.0, 11.0))
    rig.mount.slew(*rig.at_hour_angle(-30.0, 40.0))
    assert [rig.mount.true_icrs(at) for at in instants] == planned


def test_a_flip_turns_the_camera_upside_down() -> None:
    rig = Rig(kind=MountKind.GERMAN)
    rig.mount.slew(*rig.at_hour_angle(-30.0, 20.0))
    rig.arrive()
    east = wrapped(10.0 + rig.mount.axes.rotation_deg(unix_of(rig.clock.now())))
    rig.mount.slew(*rig.at_hour_angle(30.0, 20.0))
    rig.arrive()
    west = wrapped(10.0 + rig.mount.axes.rotation_deg(unix_of(rig.clock.now())))
    assert abs(wrapped(east - west)) == 180.0


@settings(deadline=None, max_examples=60)
@given(st.floats(0.0, 3.0e7))
def test_the_quick_sidereal_time_is_the_exact_one(later_s: float) -> None:
    at = EVENING + timedelta(seconds=later_s)
    exact_deg, quick_deg = TEIDE.sidereal_time_deg(at), sidereal_deg(TEIDE, unix_of(at))
    assert wrapped(quick_deg - exact_deg) == pytest.approx(0.0, abs=1e-3 * ARCSEC)


@pytest.mark.parametrize("system", list(EquatorialSystem))
@pytest.mark.parametrize("kind", [MountKind.GERMAN, MountKind.FORK])
def test_an_equatorial_mount_that_begins_to_track_at_the_pole_turns_at_the_stars_rate(
    kind: MountKind, system: EquatorialSystem
) -> None:
    rig = Rig(kind=kind, system=system)
    for _ in range(20):
        rig.clock.advance(1.234567)
        speeds_deg_s = rig.mount.axes.speeds_deg_s(unix_of(rig.clock.now()))
        assert speeds_deg_s[0] == pytest.approx(15.041 * ARCSEC, rel=1e-3)
        assert speeds_deg_s[1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("latency_s", [0.0, 0.05, 0.8])
def test_a_command_acts_as_much_later_as_the_latency_says(latency_s: float) -> None:
    rig = Rig(kind=MountKind.FORK, command_latency_s=latency_s, acceleration_deg_s2=1e6)
    rig.mount.slew(*rig.at_hour_angle(30.0, 10.0))
    rig.arrive()
    before = rig.mount.pointing.dec_deg
    rig.mount.move_axis(1, 0.5)
    rig.clock.advance(latency_s)
    assert rig.mount.pointing.dec_deg == pytest.approx(before, abs=1e-6)
    rig.clock.advance(2.0)
    assert rig.mount.pointing.dec_deg == pytest.approx(before + 1.0, abs=1e-5)
    rig.mount.move_axis(1, 0.0)
    rig.clock.advance(10.0)
    assert rig.mount.pointing.dec_deg == pytest.approx(before + 1.0 + 0.5 * latency_s, abs=1e-5)


def test_a_late_mount_says_at_once_that_it_was_told_to_move_and_is_busy_until_it_stands() -> None:
    rig = Rig(kind=MountKind.FORK, command_latency_s=0.3)
    rig.mount.slew(*rig.at_hour_angle(30.0, 10.0))
    assert rig.mount.slewing
    rig.arrive()
    rig.mount.slew(*rig.at_hour_angle(60.0, 10.0))
    rig.clock.advance(4.0)
    rig.mount.abort()
    rig.clock.advance(0.29)
    fast = rig.mount.axes.speeds_deg_s(unix_of(rig.clock.now()))
    assert rig.mount.slewing
    assert abs(fast[0]) == pytest.approx(4.0, abs=0.01)
    rig.clock.advance(0.02 + 2.0)
    assert not rig.mount.slewing


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(["slew", "rates", "axis", "abort", "halt"]), st.floats(0.0, 1.5)), max_size=8)
)
def test_orders_that_overtake_each_other_within_the_latency_never_make_an_axis_jump(
    orders: list[tuple[str, float]],
) -> None:
    rig = Rig(kind=MountKind.FORK, command_latency_s=0.5)
    began_s = unix_of(rig.clock.now())
    for order, wait_s in orders:
        if order == "slew":
            rig.mount.slew(*rig.at_hour_angle(20.0 + 10.0 * wait_s, 10.0))
        elif order == "rates":
            rig.mount.set_rates(0.3, -0.2)
        elif order == "axis":
            rig.mount.move_axis(0, 1.0 - wait_s)
        elif order == "abort":
            rig.mount.abort()
        else:
            rig.mount.move_axis(0, 0.0)
        rig.clock.advance(wait_s)
    step_s = 0.05
    for step in range(300):
        at_s = began_s + step * step_s
        for one, other in zip(rig.mount.axes.true_deg(at_s), rig.mount.axes.true_deg(at_s + step_s), strict=True):
            assert abs(wrapped(other - one)) <= rig.mount.settings.top_speed_deg_s * step_s * 1.001 + 1e-5
