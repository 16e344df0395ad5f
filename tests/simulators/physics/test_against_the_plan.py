"""The simulated mount takes as long for a slew as the planner believes: two ways to the same time."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drivers.values import MountKind
from schedules.slews import Axes, SlewModel
from simulators.physics.mechanics import Mechanics
from tests.simulators.physics.rig import TEIDE, Rig

STARS_DEG_S = 15.041067 / 3600.0
hour_angles = st.floats(-80.0, 80.0)
declinations = st.floats(-30.0, 80.0)


@settings(deadline=None, max_examples=50)
@given(hour_angles, declinations, hour_angles, declinations)
def test_a_german_mount_takes_as_long_as_planned_over_the_meridian_too(
    from_ha_deg: float, from_dec_deg: float, to_ha_deg: float, to_dec_deg: float
) -> None:
    assume(min(abs(from_ha_deg), abs(to_ha_deg)) > 1.0)  # nearer, the sky itself changes the side on the way
    rig = Rig(kind=MountKind.GERMAN)
    rig.mount.slew(*rig.at_hour_angle(from_ha_deg, from_dec_deg))
    left_deg = from_ha_deg + rig.arrive() * STARS_DEG_S, from_dec_deg
    rig.mount.slew(*rig.at_hour_angle(to_ha_deg, to_dec_deg))
    took_s = rig.arrive()
    model = SlewModel(axes=Axes.EQUATORIAL, speed_deg_s=4.0, acceleration_deg_s2=2.0, settle_s=1.0)
    planned_s = model.duration_s(left_deg, (to_ha_deg + took_s * STARS_DEG_S, to_dec_deg))
    assert took_s == pytest.approx(planned_s, abs=0.3)


@settings(deadline=None, max_examples=50)
@given(hour_angles, declinations, hour_angles, declinations)
def test_an_alt_azimuth_mount_takes_as_long_as_planned(
    from_ha_deg: float, from_dec_deg: float, to_ha_deg: float, to_dec_deg: float
) -> None:
    mechanics = Mechanics(MountKind.ALTAZ, TEIDE.latitude_deg)
    assume(max(mechanics.horizontal_of(from_ha_deg, from_dec_deg)[0], 0.0) < 80.0)
    assume(max(mechanics.horizontal_of(to_ha_deg, to_dec_deg)[0], 0.0) < 80.0)  # there azimuth runs away meanwhile
    rig = Rig(kind=MountKind.ALTAZ)
    rig.mount.slew(*rig.at_hour_angle(from_ha_deg, from_dec_deg))
    rig.arrive()
    left = rig.mount.pointing
    rig.mount.slew(*rig.at_hour_angle(to_ha_deg, to_dec_deg))
    took_s = rig.arrive()
    arrived = rig.mount.pointing
    turn_deg = abs((arrived.azimuth_deg - left.azimuth_deg + 180.0) % 360.0 - 180.0)
    assume(turn_deg < 179.0)  # there the short way may be either
    model = SlewModel(axes=Axes.ALTAZ, speed_deg_s=4.0, acceleration_deg_s2=2.0, settle_s=1.0)
    planned_s = model.duration_s((left.azimuth_deg, left.altitude_deg), (arrived.azimuth_deg, arrived.altitude_deg))
    assert took_s == pytest.approx(planned_s, abs=0.5)
