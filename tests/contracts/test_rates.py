"""Rates are what was commanded: over 10 s within 0.1″/s, both signs, both axes, at a satellite's speed."""

import math
from datetime import timedelta

import pytest

from drivers.protocols import Mount
from drivers.values import Equatorial, MountKind
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import MountSettings
from simulators.sky.rotation import unix_of
from tests.contracts.rigs import RATE, TEIDE, Alpaca, Direct, Implementation, Rig, built

OVER_S = 10.0
WITHIN_DEG = 0.1 / 3600.0 * OVER_S


@pytest.fixture(
    params=[
        pytest.param(Direct(), id="direct"),
        pytest.param(Alpaca(), id="alpaca", marks=pytest.mark.wire(rate=RATE)),
    ]
)
def simulated(request: pytest.FixtureRequest) -> Implementation:
    chosen: Implementation = request.param
    return chosen


async def looking(rig: Rig[Mount], hour_angle_deg: float) -> None:
    await rig.device.unpark()
    ra_deg = (TEIDE.sidereal_time_deg(rig.now()) - hour_angle_deg) % 360.0
    await rig.device.slew(Equatorial(ra_deg=ra_deg, dec_deg=20.0, system=rig.device.capabilities.system))


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("hour_angle_deg", [30.0, -30.0], ids=["pier east", "pier west"])
@pytest.mark.parametrize("axis", [0, 1], ids=["right ascension", "declination"])
async def test_rates_of_the_coordinates(
    simulated: Implementation, axis: int, hour_angle_deg: float, sign: float
) -> None:
    async with simulated.mount(built(mount=MountSettings(command_latency_s=0.05))) as rig:
        await looking(rig, hour_angle_deg)
        rates_deg_s = (sign * 0.7, 0.0) if axis == 0 else (0.0, sign * 0.7)
        await rig.device.track(ra_deg_per_s=rates_deg_s[0], dec_deg_per_s=rates_deg_s[1])
        begins = rig.now() + timedelta(seconds=2.0)  # by then it has come to its speed
        ends = begins + timedelta(seconds=OVER_S)
        before, after = (TEIDE.apparent_of(*rig.observatory.mount.true_icrs(at), at) for at in (begins, ends))
        assert wrapped(after[0] - before[0]) == pytest.approx(rates_deg_s[0] * OVER_S, abs=WITHIN_DEG)
        assert after[1] - before[1] == pytest.approx(rates_deg_s[1] * OVER_S, abs=WITHIN_DEG)
        await rig.device.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("axis", [0, 1], ids=["primary", "secondary"])
@pytest.mark.parametrize("kind", [MountKind.GERMAN, MountKind.ALTAZ])
async def test_speeds_of_the_axes(simulated: Implementation, kind: MountKind, axis: int, sign: float) -> None:
    async with simulated.mount(built(mount=MountSettings(kind=kind, command_latency_s=0.05))) as rig:
        await looking(rig, 30.0)
        speed_deg_s = sign * 0.7
        told = (speed_deg_s, 0.0) if axis == 0 else (0.0, speed_deg_s)
        await rig.device.turn_axes(primary_deg_per_s=told[0], secondary_deg_per_s=told[1])
        begins = rig.now() + timedelta(seconds=2.0)
        ends = begins + timedelta(seconds=OVER_S)
        before, after = (rig.observatory.mount.axes.true_deg(unix_of(at)) for at in (begins, ends))
        assert after[axis] - before[axis] == pytest.approx(speed_deg_s * OVER_S, abs=WITHIN_DEG)
        await rig.device.turn_axes(primary_deg_per_s=0.0, secondary_deg_per_s=0.0)
        stars = rig.now() + timedelta(seconds=2.0)
        looks = [
            TEIDE.apparent_of(*rig.observatory.mount.true_icrs(at), at) for at in (stars, stars + timedelta(seconds=60))
        ]
        assert math.hypot(wrapped(looks[1][0] - looks[0][0]), looks[1][1] - looks[0][1]) * 3600.0 < 1.0
