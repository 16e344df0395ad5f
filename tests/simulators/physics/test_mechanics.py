"""What axes mean on the sky, held against the ground's own geometry."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.values import MountKind
from simulators.physics.gears import Base
from simulators.physics.mechanics import Mechanics, folded, wrapped
from simulators.sky.earth import Ground

AT = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)

hour_angles = st.floats(-179.9, 179.9)
declinations = st.floats(-89.0, 89.0)
latitudes = st.sampled_from([-70.0, -33.0, 0.0, 28.3, 52.0])


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(list(MountKind)), latitudes, hour_angles, declinations, st.booleans())
def test_axes_look_where_they_were_told_to(
    kind: MountKind, latitude_deg: float, hour_angle_deg: float, dec_deg: float, flipped: bool
) -> None:
    mechanics = Mechanics(kind, latitude_deg)
    seen_hour_angle_deg, seen_dec_deg = mechanics.looks_at(*mechanics.axes_of(hour_angle_deg, dec_deg, flipped=flipped))
    assert seen_dec_deg == pytest.approx(dec_deg, abs=1e-6)
    assert wrapped(seen_hour_angle_deg - hour_angle_deg) == pytest.approx(0.0, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(latitudes, st.floats(-179.0, 179.0), declinations)
def test_a_german_mount_reaches_each_place_in_two_ways_and_knows_which(
    latitude_deg: float, hour_angle_deg: float, dec_deg: float
) -> None:
    mechanics = Mechanics(MountKind.GERMAN, latitude_deg)
    for flipped in (False, True):
        primary_deg, secondary_deg = mechanics.axes_of(hour_angle_deg, dec_deg, flipped=flipped)
        assert mechanics.is_flipped(secondary_deg) is flipped
        assert -90.0 <= primary_deg < 270.0


@settings(deadline=None, max_examples=60)
@given(hour_angles, declinations)
def test_altitude_and_azimuth_are_what_the_ground_says(hour_angle_deg: float, dec_deg: float) -> None:
    ground = Ground(28.3, -16.5, 2390.0)
    mechanics = Mechanics(MountKind.ALTAZ, 28.3)
    ra_deg = (ground.sidereal_time_deg(AT) - hour_angle_deg) % 360.0
    altitude_deg, azimuth_deg = ground.horizontal_of(ra_deg, dec_deg, AT)
    ours = mechanics.horizontal_of(hour_angle_deg, dec_deg)
    assert ours[0] == pytest.approx(altitude_deg, abs=2e-4)  # polar motion, 0.3″, is the only difference
    if abs(altitude_deg) < 85.0:
        assert wrapped(ours[1] - azimuth_deg) == pytest.approx(0.0, abs=2e-3)


def test_east_of_the_meridian_a_german_mount_looks_through_the_pole() -> None:
    mechanics = Mechanics(MountKind.GERMAN, 52.0)
    assert mechanics.wants_flip(-30.0)
    assert not mechanics.wants_flip(30.0)
    assert mechanics.axes_of(-30.0, 20.0, flipped=True) == (150.0, 160.0)
    assert Mechanics(MountKind.GERMAN, -33.0).axes_of(-30.0, -20.0, flipped=True) == (150.0, -160.0)
    assert not Mechanics(MountKind.FORK, 52.0).wants_flip(-30.0)


def test_the_parallactic_angle_is_zero_on_the_meridian_and_positive_in_the_west() -> None:
    mechanics = Mechanics(MountKind.ALTAZ, 40.0)
    base = Base(mechanics, 0.0, 0.0)
    assert base.rotation_deg(0.0, 10.0) == pytest.approx(0.0)
    altitude_deg, _ = mechanics.horizontal_of(45.0, 10.0)
    by_sine_rule = math.sin(math.radians(45.0)) * math.cos(math.radians(40.0)) / math.cos(math.radians(altitude_deg))
    assert base.rotation_deg(45.0, 10.0) == pytest.approx(math.degrees(math.asin(by_sine_rule)))
    assert base.rotation_deg(-45.0, 10.0) == pytest.approx(-base.rotation_deg(45.0, 10.0))


def test_directions_beyond_the_pole_are_folded_back() -> None:
    assert folded(10.0, 100.0) == (190.0, 80.0)
    assert folded(-10.0, -95.0) == (170.0, -85.0)
    assert folded(360.0, 20.0) == (0.0, 20.0)
