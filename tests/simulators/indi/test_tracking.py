"""INDI's own mount under the bridge's driver, in bent time: what it follows is what it was told last."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import anyio
import pytest

from drivers.config import IndiDevice
from drivers.indi.mount import IndiMount, indi_mount
from drivers.motion import separation_deg
from drivers.values import Equatorial, EquatorialSystem
from simulators.clock import SimulatedClock
from simulators.indi.bent_time import BentTime, faketime_missing
from simulators.indi.server import TELESCOPE, IndiServer

RATE = 20.0
pytestmark = [
    pytest.mark.wire(rate=RATE),
    pytest.mark.skipif(bool(faketime_missing()), reason=faketime_missing()),
]
LOOKS_FOR_S = 10.0


async def moved_arcsec(mount: IndiMount) -> float:
    """How far among the stars in ten seconds."""
    before = (await mount.status()).pointing
    await anyio.sleep(LOOKS_FOR_S)
    return separation_deg(before, (await mount.status()).pointing) * 3600.0


async def test_a_slew_from_standing_ends_where_the_star_is_and_not_where_it_was(
    indiserver: Callable[..., IndiServer],
) -> None:
    """INDI's simulator aims at an hour angle: one that does not track comes late by all the time it took."""
    clock = SimulatedClock(starts_at=datetime(2026, 11, 23, 1, tzinfo=UTC), anchored_unix_s=time.time(), rate=RATE)
    with BentTime(clock) as bent, indiserver(TELESCOPE, environment=bent.environment) as server:
        settings = IndiDevice(driver="indi", address=server.address, device="Telescope Simulator")
        async with indi_mount(settings, now=clock.now) as mount:
            await mount.unpark()
            await mount.stop_tracking()
            place = (await mount.status()).pointing
            far = Equatorial(ra_deg=(place.ra_deg + 100.0) % 360.0, dec_deg=10.0, system=EquatorialSystem.APPARENT)
            await mount.slew(far)
            status = await mount.status()
            assert status.tracking
            assert separation_deg(status.pointing, far) * 3600.0 < 15.0


async def test_after_a_satellite_a_stopped_mount_follows_the_stars_again_and_then_the_next_satellite(
    indiserver: Callable[..., IndiServer],
) -> None:
    """INDI's simulator ignores a way of tracking that was chosen while it stood still."""
    clock = SimulatedClock(starts_at=datetime(2026, 11, 23, 1, tzinfo=UTC), anchored_unix_s=time.time(), rate=RATE)
    with BentTime(clock) as bent, indiserver(TELESCOPE, environment=bent.environment) as server:
        settings = IndiDevice(driver="indi", address=server.address, device="Telescope Simulator")
        async with indi_mount(settings, now=clock.now) as mount:
            await mount.unpark()
            await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
            place = (await mount.status()).pointing
            here = Equatorial(ra_deg=place.ra_deg, dec_deg=60.0, system=EquatorialSystem.APPARENT)
            await mount.slew(here)
            for _ in range(2):
                await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=0.002)
                assert await moved_arcsec(mount) > 0.5 * 0.002 * 3600.0 * LOOKS_FOR_S
                await mount.stop_tracking()
                await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
                assert await moved_arcsec(mount) < 1.0
