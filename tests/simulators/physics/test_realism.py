"""What real mounts do wrong without saying so, and where they stop: all from settings and a seed."""

import math
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.values import MountKind
from simulators.physics.gears import Base
from simulators.physics.mechanics import Mechanics, wrapped
from simulators.sky.rotation import unix_of
from tests.simulators.physics.rig import TEIDE, Rig

kinds = st.sampled_from(list(MountKind))


def truly_off_arcsec(rig: Rig) -> tuple[float, float]:
    """How far the telescope looks from where the mount says: along right ascension (on the sky), and declination."""
    at = rig.clock.now()
    ra_deg, dec_deg = TEIDE.apparent_of(*rig.mount.true_icrs(at), at)
    told = rig.mount.pointing
    across = wrapped(ra_deg - told.ra_deg) * math.cos(math.radians(dec_deg))
    return across * 3600.0, (dec_deg - told.dec_deg) * 3600.0


def primary_deg(rig: Rig) -> float:
    return rig.mount.axes.true_deg(unix_of(rig.clock.now()))[0]


def slewed(rig: Rig, hour_angle_deg: float, dec_deg: float) -> None:
    if not rig.mount.tracking:
        rig.mount.set_tracking(True)
    rig.mount.slew(*rig.at_hour_angle(hour_angle_deg, dec_deg))
    rig.arrive()


@settings(deadline=None, max_examples=30)
@given(kinds, st.floats(-75.0, 75.0), st.floats(-20.0, 80.0))
def test_a_mount_left_as_it_is_looks_where_it_says(kind: MountKind, hour_angle_deg: float, dec_deg: float) -> None:
    rig = Rig(kind=kind)
    slewed(rig, hour_angle_deg, dec_deg)
    assert truly_off_arcsec(rig) == pytest.approx((0.0, 0.0), abs=1e-4)


def test_the_worm_leads_and_lags_once_a_turn_and_the_mount_does_not_know() -> None:
    rig = Rig(kind=MountKind.FORK, periodic_error_arcsec=12.0, worm_period_s=480.0)
    slewed(rig, 20.0, 0.0)
    told = rig.mount.pointing
    errors = []
    for _ in range(96):
        rig.clock.advance(10.0)
        errors.append(truly_off_arcsec(rig)[0])
    assert rig.mount.pointing.ra_deg == pytest.approx(told.ra_deg, abs=1e-6)
    assert max(errors) == pytest.approx(12.0, abs=0.1)
    assert min(errors) == pytest.approx(-12.0, abs=0.1)
    assert errors[:48] == pytest.approx(errors[48:], abs=0.1)
    assert sum(1 for a, b in pairwise(errors) if a < 0.0 <= b) == 2


def test_a_turned_axis_goes_through_its_play_before_the_telescope_follows() -> None:
    rig = Rig(kind=MountKind.FORK, backlash_arcsec=60.0, acceleration_deg_s2=100.0)
    slewed(rig, 20.0, 10.0)
    slewed(rig, 20.0, 20.0)  # upwards: the telescope hangs half a minute of arc behind
    assert truly_off_arcsec(rig)[1] == pytest.approx(-30.0, abs=0.01)
    place = rig.mount.pointing
    rig.mount.slew(place.ra_deg, place.dec_deg - 20.0 / 3600.0)
    rig.arrive()
    assert truly_off_arcsec(rig)[1] == pytest.approx(-10.0, abs=0.01)  # it has not moved at all
    rig.mount.slew(place.ra_deg, place.dec_deg - 200.0 / 3600.0)
    rig.arrive()
    assert truly_off_arcsec(rig)[1] == pytest.approx(30.0, abs=0.01)


@settings(deadline=None, max_examples=20)
@given(kinds, st.lists(st.tuples(st.floats(-60.0, 60.0), st.floats(-10.0, 70.0)), min_size=1, max_size=4))
def test_play_is_never_more_than_half_of_it_either_way(kind: MountKind, places: list[tuple[float, float]]) -> None:
    rig = Rig(kind=kind, backlash_arcsec=100.0)
    for place in places:
        slewed(rig, *place)
        for axis_off in axes_off_arcsec(rig):
            assert abs(axis_off) <= 50.0 + 1e-6


def axes_off_arcsec(rig: Rig) -> list[float]:
    at_s = unix_of(rig.clock.now())
    hour_angle_deg, dec_deg = rig.mount.axes.sight(at_s)
    encoders = rig.mount.axes.true_deg(at_s)
    mechanics = rig.mount.axes.mechanics
    tube = mechanics.axes_of(hour_angle_deg, dec_deg, flipped=mechanics.is_flipped(encoders[1]))
    return [wrapped(one - other) * 3600.0 for one, other in zip(tube, encoders, strict=True)]


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([MountKind.GERMAN, MountKind.FORK]), st.floats(1.0, 120.0), st.floats(-170.0, 170.0))
def test_a_badly_set_up_pole_is_off_by_as_much_as_it_is_said_and_at_most_so_elsewhere(
    kind: MountKind, off_arcmin: float, towards_deg: float
) -> None:
    mechanics = Mechanics(kind, TEIDE.latitude_deg)
    base = Base(mechanics, off_arcmin / 60.0, math.radians(towards_deg))
    hour_angle_deg, dec_deg = base.sight(0.0, 90.0)
    assert (90.0 - dec_deg) * 60.0 == pytest.approx(off_arcmin, rel=1e-6)
    assert wrapped(hour_angle_deg - towards_deg) == pytest.approx(0.0, abs=1e-6)


def test_an_alt_azimuth_mount_that_leans_misses_the_zenith() -> None:
    mechanics = Mechanics(MountKind.ALTAZ, 40.0)
    base = Base(mechanics, 1.0, 0.7)
    altitude_deg, _ = mechanics.horizontal_of(*base.sight(0.0, 40.0))
    assert altitude_deg == pytest.approx(89.0, abs=1e-6)


def test_a_star_drifts_away_from_a_badly_set_up_mount_and_a_sync_helps_only_where_it_is_made() -> None:
    rig = Rig(kind=MountKind.FORK, polar_misalignment_arcmin=20.0)
    slewed(rig, -40.0, 10.0)
    here = rig.clock.now()
    rig.mount.sync(*TEIDE.apparent_of(*rig.mount.true_icrs(here), here))
    assert math.hypot(*truly_off_arcsec(rig)) < 0.1
    rig.clock.advance(3600.0)
    drifted = math.hypot(*truly_off_arcsec(rig))
    assert 60.0 < drifted < 20.0 * 60.0 * 0.3  # an hour turns by a quarter of a radian
    slewed(rig, 50.0, 50.0)
    assert math.hypot(*truly_off_arcsec(rig)) > 60.0


def test_the_parallactic_angle_of_a_leaning_mount_is_that_of_its_own_pole() -> None:
    upright = Base(Mechanics(MountKind.FORK, 28.3), 0.0, 0.0)
    leaning = Base(Mechanics(MountKind.FORK, 28.3), 1.0, math.radians(90.0))
    assert upright.rotation_deg(30.0, 20.0) == pytest.approx(0.0)
    # the pole lies a degree towards hour angle 90°, west: on the meridian it is to the west of north
    assert leaning.rotation_deg(0.0, 0.0) == pytest.approx(-1.0, abs=1e-6)
    assert leaning.rotation_deg(90.0, 0.0) == pytest.approx(0.0, abs=1e-6)


def test_a_german_mount_stops_at_its_meridian_limit_and_says_that_it_does_not_track() -> None:
    rig = Rig(kind=MountKind.GERMAN, meridian_limit_deg=5.0)
    slewed(rig, -3.0, 20.0)
    turns_deg_s = 15.041067 / 3600.0
    rig.clock.advance(7.5 / turns_deg_s)
    assert rig.mount.tracking
    rig.clock.advance(1.0 / turns_deg_s)
    assert not rig.mount.tracking
    assert not rig.mount.slewing
    stood_at = primary_deg(rig)
    assert stood_at == pytest.approx(185.0, abs=0.01)
    rig.clock.advance(3600.0)
    assert primary_deg(rig) == stood_at
    rig.mount.set_tracking(True)  # and it stops again, as it is beyond
    rig.clock.advance(5.0)
    assert not rig.mount.tracking
    slewed(rig, 6.0, 20.0)
    assert rig.mount.tracking
    assert not rig.mount.pointing.flipped
    rig.clock.advance(600.0)
    assert rig.mount.tracking


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from([(MountKind.GERMAN, "meridian_limit_deg", 8.0), (MountKind.ALTAZ, "cable_wrap_limit_deg", 200.0)]),
    st.lists(
        st.tuples(
            st.sampled_from(["slew", "rates", "axis", "wait", "park"]), st.floats(-80.0, 80.0), st.floats(1.0, 3000.0)
        ),
        max_size=8,
    ),
)
@example(
    (MountKind.ALTAZ, "cable_wrap_limit_deg", 200.0), [("rates", 0.0, 1.0), ("slew", 0.0, 1.0), ("rates", 79.0, 229.0)]
)
@example((MountKind.ALTAZ, "cable_wrap_limit_deg", 200.0), [("rates", 21.0, 1.0), ("slew", 22.0, 131.0)])
def test_nothing_that_is_ordered_takes_the_axis_beyond_its_limit(
    build: tuple[MountKind, str, float], orders: list[tuple[str, float, float]]
) -> None:
    kind, name, limit_deg = build
    rig = Rig(kind=kind, **{name: limit_deg})
    low_deg, high_deg = (-limit_deg, 180.0 + limit_deg) if kind is MountKind.GERMAN else (-limit_deg, limit_deg)
    for order, angle_deg, wait_s in orders:
        rig.mount.unpark()
        rig.mount.set_tracking(True)
        if order == "slew":
            rig.mount.slew(*rig.at_hour_angle(angle_deg, 20.0))
        elif order == "rates" and rig.mount.tracking:
            rig.mount.set_rates(angle_deg / 80.0, 0.05)
        elif order == "axis":
            rig.mount.move_axis(0, angle_deg / 40.0)
        elif order == "park":
            rig.mount.park()
        for _ in range(20):
            rig.clock.advance(wait_s / 20.0)
            braking_deg = 4.0 if kind is MountKind.GERMAN else 30.0  # near the zenith it is faster than it should
            assert low_deg - braking_deg - 0.01 <= primary_deg(rig) <= high_deg + braking_deg + 0.01


def at_limit(**how: float) -> Rig:
    rig = Rig(kind=MountKind.FORK, cable_wrap_limit_deg=60.0, **how)
    slewed(rig, 0.0, 20.0)
    return rig


def test_a_slew_to_where_its_cables_do_not_reach_ends_at_its_limit_and_takes_up_no_rates_there() -> None:
    rig = at_limit()
    rig.mount.set_rates(0.01, 0.0)
    rig.mount.slew(*rig.at_hour_angle(80.0, 20.0))
    assert rig.arrive() == pytest.approx(60.0 / 4.0 + 4.0 / 2.0 + 1.0, abs=0.2)
    assert primary_deg(rig) == pytest.approx(60.0, abs=0.05)
    assert not rig.mount.tracking
    assert rig.mount.rates_deg_s == (0.0, 0.0)
    rig.clock.advance(3600.0)
    assert primary_deg(rig) == pytest.approx(60.0, abs=0.05)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.5, 4.0), st.sampled_from([-1.0, 1.0]), st.sampled_from([0.0, 1.0]))
def test_a_mount_says_that_it_slews_until_it_stands_before_its_limit(
    speed_deg_s: float, sense: float, settle_s: float
) -> None:
    rig = at_limit(settle_s=settle_s)
    rig.mount.move_axis(0, sense * speed_deg_s)
    rig.arrive()
    assert max(map(abs, rig.mount.axes.speeds_deg_s(unix_of(rig.clock.now())))) == 0.0
    assert sense * primary_deg(rig) == pytest.approx(60.0, abs=0.02)


def test_a_mount_with_cables_goes_the_long_way_round_when_they_are_wound_up() -> None:
    rig = Rig(kind=MountKind.ALTAZ, cable_wrap_limit_deg=200.0)

    def to_azimuth(azimuth_deg: float) -> None:
        rig.mount.set_tracking(True)
        hour_angle_deg, dec_deg = Mechanics(MountKind.ALTAZ, TEIDE.latitude_deg).equatorial_of(azimuth_deg, 40.0)
        slewed(rig, hour_angle_deg, dec_deg)

    for azimuth_deg in (90.0, 170.0, 190.0):
        to_azimuth(azimuth_deg)
    assert primary_deg(rig) == pytest.approx(190.0, abs=0.5)  # 20° on
    to_azimuth(260.0)
    assert primary_deg(rig) == pytest.approx(-100.0, abs=0.5)  # 290° back
    to_azimuth(190.0)
    assert primary_deg(rig) == pytest.approx(-170.0, abs=0.5)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([MountKind.FORK, MountKind.ALTAZ]), st.floats(-20.0, 80.0), st.floats(-80.0, 50.0))
def test_the_primary_axis_counts_on_as_its_cables_wind_up(
    kind: MountKind, dec_deg: float, hour_angle_deg: float
) -> None:
    rig = Rig(kind=kind)
    slewed(rig, hour_angle_deg, dec_deg)
    before = primary_deg(rig)
    for _ in range(60):
        rig.clock.advance(120.0)
        after = primary_deg(rig)
        assert abs(after - before) < 170.0
        before = after


def test_two_mounts_of_one_seed_are_wrong_in_the_same_way_and_of_another_seed_in_another() -> None:
    how = {"periodic_error_arcsec": 20.0, "polar_misalignment_arcmin": 10.0, "pointing_error_arcmin": 30.0}
    one, other = Rig(kind=MountKind.FORK, **how), Rig(kind=MountKind.FORK, **how)
    third = Rig(kind=MountKind.FORK, seed=4, **how)
    at = one.clock.now() + timedelta(seconds=5)
    assert one.mount.true_icrs(at) == other.mount.true_icrs(at)
    assert one.mount.true_icrs(at) != third.mount.true_icrs(at)
