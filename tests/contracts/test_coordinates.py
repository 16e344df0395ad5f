"""The place that reaches a mount, on whichever axes it works, against the apparent place of the IAU's own routines.

From catalogue to mount the whole way is ours: ephemeris, choice of axes, driver, wire. The reference is ERFA's: the
true equator and equinox of date (IAU 2006/2000A), as the sky is seen from the middle of the Earth; a place on its
surface makes a difference of a third of an arcsecond at most, by the rotation of the Earth.
"""

import math
from datetime import datetime

import erfa
import pytest
from astropy.time import Time

from bridge.observing.pointing import command_for
from drivers.values import Equatorial, EquatorialSystem
from schedules.ephemeris import Ephemeris
from schedules.places import ICRS
from schedules.site import Site
from schedules.targets import Star
from simulators.physics.mount import MountSettings
from tests.contracts.rigs import TEIDE, Implementation, built

WITHIN_ARCSEC = 5.0
SITE = Site(latitude_deg=TEIDE.latitude_deg, longitude_deg=TEIDE.longitude_deg, elevation_m=TEIDE.elevation_m)


def reference(star: ICRS, system: EquatorialSystem, at: datetime) -> Equatorial:
    """Where a star without a motion of its own stands."""
    if system is EquatorialSystem.ICRS:
        return Equatorial(ra_deg=star.ra_deg, dec_deg=star.dec_deg, system=system)
    tt = Time(at).tt
    ra, dec = math.radians(star.ra_deg), math.radians(star.dec_deg)
    cirs_ra, cirs_dec, of_the_origins = erfa.atci13(ra, dec, 0.0, 0.0, 0.0, 0.0, tt.jd1, tt.jd2)
    return Equatorial(
        ra_deg=math.degrees(cirs_ra - of_the_origins) % 360.0, dec_deg=math.degrees(cirs_dec), system=system
    )


def apart_arcsec(one: Equatorial, other: Equatorial) -> float:
    across_deg = (one.ra_deg - other.ra_deg + 180.0) % 360.0 - 180.0
    return math.hypot(across_deg * math.cos(math.radians(one.dec_deg)), one.dec_deg - other.dec_deg) * 3600.0


@pytest.mark.parametrize("system", list(EquatorialSystem))
@pytest.mark.parametrize("dec_deg", [-12.0, 20.0, 48.0])
async def test_a_star_of_the_catalogue_is_where_the_mount_is_sent(
    implementation: Implementation, system: EquatorialSystem, dec_deg: float
) -> None:
    async with implementation.mount(built(mount=MountSettings(system=system))) as rig:
        now = rig.now()
        ra_deg = (TEIDE.sidereal_time_deg(now) - 30.0) % 360.0
        star = ICRS(ra_deg=ra_deg, dec_deg=dec_deg)
        place = Ephemeris().place_of(Star(name="a star", icrs=star), SITE, now)
        await rig.device.unpark()
        await rig.device.slew(command_for(place, rig.device.capabilities.system))
        wanted = reference(star, system, now)
        assert apart_arcsec(await rig.was_sent_to(system), wanted) < WITHIN_ARCSEC
        if system is EquatorialSystem.APPARENT:  # by a third of a degree the two differ, after 26 years
            assert apart_arcsec(wanted, reference(star, EquatorialSystem.ICRS, now)) > 300.0
