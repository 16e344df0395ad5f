"""The loop that follows satellites steers every mount the right way, on either side of the pier.

How well is measured elsewhere (tests.bench.long_passes): here a wrong sign would run degrees away.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import pytest

from bridge.calibration.measured import AxisMeasured, MountMeasured, Way
from bridge.observing.following import Follower
from bridge.observing.helm import Helm, bounds_of
from bridge.observing.steering import Axis, steering_of
from drivers.protocols import Mount
from drivers.values import Equatorial, EquatorialSystem, PierSide
from schedules.courses import Course
from schedules.ephemeris import Ephemeris
from schedules.instants import unix_s_of
from schedules.site import Site
from tests.bridge.observing.passes import a_pass
from tests.contracts.indi import INDI_RATE, Indi
from tests.contracts.rigs import DUSK, RATE, TEIDE, Alpaca, Implementation, Rig

SITE = Site(latitude_deg=TEIDE.latitude_deg, longitude_deg=TEIDE.longitude_deg, elevation_m=TEIDE.elevation_m)
EPHEMERIS = Ephemeris()
_REAL_S = 2.0  # to prepare it
# Seconds from the culmination of a pass from south-west to north-east. A mount looks west over its eastern side.
BEGINS_S = {PierSide.EAST: -60.0, PierSide.WEST: 25.0}
FOLLOWED_S = 24.0
# The other way round an axis ends more than sixty degrees off; a busy computer, in time that runs so fast, costs
# some tenths of a degree.
WITHIN_ARCSEC = 20_000.0


def measured(mount: Mount, *, dec_turns_over: bool) -> MountMeasured:
    """As a calibration finds it; INDI's simulator takes a declination rate for one of its axis."""
    axes = tuple(
        AxisMeasured(
            way=Way.RATES,
            side=side,
            axis=axis,
            obeys=True,
            said="as told",
            gain=-1.0 if dec_turns_over and side is PierSide.WEST and axis == "secondary" else 1.0,
            fastest_deg_s=2.5,
            acceleration_deg_s2=2.0,
        )
        for side in (PierSide.EAST, PierSide.WEST)
        for axis in ("primary", "secondary")
    )
    can = mount.capabilities
    return MountMeasured(
        measured_at=DUSK, mount=mount.name, driver=can.driver, kind=can.kind, system=can.system, axes=axes
    )


@dataclass
class RigClock:
    """The time its rig keeps."""

    rig: Rig[Mount]

    def now(self) -> datetime:
        return self.rig.now()


def a_course(rig: Rig[Mount], side: PierSide, *, in_s: float) -> tuple[Course, datetime]:
    """A pass at 500 km over the rig, and when it is to be followed, so long from now."""
    after = timedelta(seconds=BEGINS_S[side])
    target = a_pass(60.0, around=rig.now() + timedelta(seconds=in_s) - after, over=TEIDE)
    begins_at, reach = target.culminates + after, timedelta(seconds=120.0)
    return EPHEMERIS.course_of(target.satellite, SITE, opens=begins_at - reach, closes=begins_at + reach), begins_at


def place(course: Course, at: datetime, system: EquatorialSystem) -> Equatorial:
    bearing = course.at(unix_s_of(at))
    ra_deg, dec_deg = bearing.apparent_ra_deg, bearing.apparent_dec_deg
    if system is EquatorialSystem.ICRS:
        ra_deg, dec_deg = bearing.icrs_ra_deg, bearing.icrs_dec_deg
    return Equatorial(ra_deg=ra_deg % 360.0, dec_deg=dec_deg, system=system)


@pytest.mark.parametrize("side", [PierSide.WEST, PierSide.EAST])
async def test_a_pass_is_followed_on_either_side_of_the_pier(implementation: Implementation, side: PierSide) -> None:
    patience = {Indi: INDI_RATE, Alpaca: RATE}.get(type(implementation), 1.0)
    async with implementation.mount() as rig:
        await rig.device.unpark()
        in_s, begins_at = 20.0 + _REAL_S * patience, rig.now()
        while begins_at <= rig.now():  # until one is met: from where it stands then the way to the next is short
            course, begins_at = a_course(rig, side, in_s=in_s)
            await rig.device.slew(place(course, begins_at, rig.device.capabilities.system))
            in_s *= 1.5
        await anyio.sleep((begins_at - rig.now()).total_seconds())
        status = await rig.device.status()
        assert status.pier_side is side
        turns_over = isinstance(implementation, Indi)
        steering = steering_of(
            Way.RATES,
            rig.device.capabilities,
            measured(rig.device, dec_turns_over=turns_over),
            side,
            latitude_deg=SITE.latitude_deg,
            unmeasured=Axis(fastest_deg_s=2.5, acceleration_deg_s2=2.0),
        )
        assert steering is not None
        until = begins_at + timedelta(seconds=FOLLOWED_S)
        clock = RigClock(rig)
        helm = Helm(mount=rig.device, way=Way.RATES, bounds_deg_s=bounds_of(steering), until=until, clock=clock)
        follower = Follower(
            mount=rig.device,
            helm=helm,
            steering=steering,
            course=course,
            clock=clock,
            patience=patience,
            lost_beyond_arcsec=math.inf,
        )
        await follower.run()
        assert follower.off_arcsec < WITHIN_ARCSEC
        assert (await rig.device.status()).tracking
        await rig.device.park()
