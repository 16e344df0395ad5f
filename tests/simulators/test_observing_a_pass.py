"""All simulated parts together: a satellite's pass, observed as the bridge will, against what the sky holds true."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from bridge.clock import LoopClock, sleep_until
from drivers.values import Equatorial, EquatorialSystem, Exposure, Frame, MountKind
from simulators.direct import DirectObservatory
from simulators.observatory import Observatory, ObservatorySettings
from simulators.physics.album import Truth
from simulators.physics.camera import CameraSettings
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import MountSettings
from simulators.sky.earth import Ground
from simulators.sky.render import Sky
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue

DUSK = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
TEIDE = Ground(28.3, -16.5, 2390.0)
SWARM = Swarm.from_synthetic(DUSK, 1)
SIDE_PX = 300


class Station:
    """The devices without a network, under the rendered sky, and one satellite to look at."""

    def __init__(self, *, slowest_deg_s: float, fastest_deg_s: float, seed: int = 3, **mount: Any) -> None:
        self.clock = LoopClock(DUSK)
        parts = ObservatorySettings(
            mount=MountSettings(**mount),
            cameras=(CameraSettings(width_px=SIDE_PX, height_px=SIDE_PX),),
            dome=None,
        )
        sky = Sky(StarCatalogue.load(), SWARM, TEIDE, seed)
        self.observatory = Observatory(self.clock, TEIDE, sky, seed=seed, settings=parts)
        self.devices = DirectObservatory(self.observatory)
        self.meets_at = DUSK + timedelta(minutes=4)
        seen = SWARM.astrometric(None, TEIDE, self.meets_at)
        high = (seen.altitude_deg > 30.0) & (seen.altitude_deg < 75.0) & seen.sunlit & (seen.magnitude < 10.0)
        chosen = np.flatnonzero(high & (seen.rate_deg_s > slowest_deg_s) & (seen.rate_deg_s < fastest_deg_s))
        assert len(chosen), "the synthetic sky has none of this kind just now: choose another instant"
        self.satellite = int(chosen[0])
        self.norad_id = SWARM.norad_ids[self.satellite]

    def place(self, at: datetime) -> Equatorial:
        """Where the mount must look for it, on the mount's own system."""
        seen = SWARM.astrometric(self.satellite, TEIDE, at)
        ra_deg, dec_deg = float(seen.ra_deg), float(seen.dec_deg)
        system = self.devices.mount.capabilities.system
        if system is EquatorialSystem.APPARENT:
            ra_deg, dec_deg = TEIDE.apparent_of(ra_deg, dec_deg, at)
        return Equatorial(ra_deg=ra_deg % 360.0, dec_deg=dec_deg, system=system)

    def rates_deg_s(self, at: datetime) -> tuple[float, float]:
        half = timedelta(seconds=0.5)
        before, after = self.place(at - half), self.place(at + half)
        return wrapped(after.ra_deg - before.ra_deg), after.dec_deg - before.dec_deg

    async def expose_at(self, mid: datetime, exposure_s: float) -> tuple[Frame, Truth]:
        await sleep_until(self.clock, mid - timedelta(seconds=exposure_s / 2.0))
        frame = await self.devices.camera.expose(Exposure(exposure_s=exposure_s))
        truths = self.observatory.album.truths(self.clock.now())
        return frame, truths[-1]

    def off_px(self, truth: Truth) -> float:
        """How far from the frame's middle the satellite was at mid-exposure; infinite off the frame."""
        for norad_id, x_px, y_px in truth.norad_ids_in_field:
            if norad_id == self.norad_id:
                return float(np.hypot(x_px - (SIDE_PX - 1) / 2.0, y_px - (SIDE_PX - 1) / 2.0))
        return float("inf")


@pytest.mark.parametrize("kind", list(MountKind))
@pytest.mark.parametrize("system", list(EquatorialSystem))
async def test_pointing_ahead_and_waiting_catches_a_fast_satellite_in_the_middle(
    kind: MountKind, system: EquatorialSystem
) -> None:
    station = Station(slowest_deg_s=0.1, fastest_deg_s=1.5, kind=kind, system=system)
    await station.devices.mount.unpark()
    await station.devices.mount.slew(station.place(station.meets_at))
    assert station.clock.now() < station.meets_at - timedelta(seconds=5)
    _, truth = await station.expose_at(station.meets_at, 0.5)
    assert station.off_px(truth) < 1.5  # a pixel is 3.8″; 0.1 s of waiting for the camera is allowed for
    assert abs((truth.mid_at - station.meets_at).total_seconds()) < 1e-3


async def test_following_a_satellite_gathers_its_light_where_waiting_spreads_it() -> None:
    station = Station(slowest_deg_s=0.005, fastest_deg_s=0.03)
    mount = station.devices.mount
    await mount.unpark()
    brightness = {}
    for following in (False, True):
        at = station.clock.now() + timedelta(seconds=90)
        await mount.slew(station.place(at))
        if following:
            leaves = at - timedelta(seconds=5)
            await mount.slew(station.place(leaves))
            await sleep_until(station.clock, leaves)
            ra_deg_s, dec_deg_s = station.rates_deg_s(at)
            await mount.track(ra_deg_per_s=ra_deg_s, dec_deg_per_s=dec_deg_s)
        frame, truth = await station.expose_at(at, 4.0)
        assert station.off_px(truth) < 12.0
        middle = slice(SIDE_PX // 2 - 14, SIDE_PX // 2 + 14)
        brightness[following] = float(frame.pixels[middle, middle].max()) - float(np.median(frame.pixels))
    assert brightness[True] > 3.0 * brightness[False]


async def test_equal_seeds_and_orders_make_equal_nights_and_other_seeds_other_ones() -> None:
    frames = []
    for seed in (3, 3, 4):
        station = Station(slowest_deg_s=0.1, fastest_deg_s=1.5, seed=seed, pointing_error_arcmin=5.0)
        await station.devices.mount.unpark()
        await station.devices.mount.slew(station.place(station.meets_at))
        frame, truth = await station.expose_at(station.meets_at, 0.5)
        frames.append((frame.pixels.copy(), truth.true_icrs_ra_deg, truth.true_icrs_dec_deg))
        conditions = await station.devices.conditions.read()
        frames[-1] = (*frames[-1], dict(conditions))
    assert np.array_equal(frames[0][0], frames[1][0])
    assert frames[0][1:] == frames[1][1:]
    assert not np.array_equal(frames[0][0], frames[2][0])
    assert frames[0][1:3] != frames[2][1:3]
    assert frames[0][3] != frames[2][3]
