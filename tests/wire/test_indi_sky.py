"""INDI's own simulators in our time and under our sky, through the bridge's own INDI drivers."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.config import IndiDevice
from drivers.indi.camera import indi_camera
from drivers.indi.filter_wheel import indi_filter_wheel
from drivers.indi.mount import indi_mount
from drivers.values import Equatorial, EquatorialSystem, Exposure, Frame, FrameKind
from simulators.clock import SimulatedClock
from simulators.indi.bent_time import faketime_missing
from simulators.indi.sensor import Sensor
from simulators.indi.server import indiserver_missing, living
from simulators.indi.world import IndiChoices, IndiWorld, frames_app, indi_world
from simulators.serving import Served
from simulators.sky.projection import Projection
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue
from simulators.sky.vectors import unit_of
from tests.desk import DUSK, RIDGE

MISSING = indiserver_missing() or faketime_missing()
RATE = 10.0
pytestmark = [pytest.mark.wire(rate=RATE), pytest.mark.skipif(bool(MISSING), reason=MISSING)]

SWARM = Swarm.from_synthetic(DUSK, 1)
SENSOR = Sensor()
_REACH_PX = 4


@pytest.fixture
def world() -> Iterator[IndiWorld]:
    clock = SimulatedClock(starts_at=DUSK, anchored_unix_s=time.time(), rate=RATE)
    choices = IndiChoices(port=0, devices=("telescope", "ccd", "wheel", "focus"), ground=RIDGE, clock=clock)
    with indi_world(choices, SWARM) as running:
        group = running.server.process_id
        yield running
    assert living(group) == {}


def device(world: IndiWorld, name: str) -> IndiDevice:
    return IndiDevice(driver="indi", address=world.server.address, device=name)


def a_high_slow_one() -> int:
    """A satellite that stays in the field while a test runs, and no other near it."""
    seen = SWARM.astrometric(None, RIDGE, DUSK)
    alone = np.sum(seen.units @ seen.units.T > np.cos(np.radians(2.0)), axis=1) == 1
    fit = alone & (seen.altitude_deg > 40.0) & seen.sunlit & (seen.rate_deg_s < 0.008) & (seen.magnitude < 14.0)
    return int(np.flatnonzero(fit)[0])


def bright_stars(truth: dict[str, Any]) -> list[tuple[float, float]]:
    """Pixels of the brightest stars of the field that stand alone, and not where the driver's picture ends."""
    centre = float(truth["true_icrs_ra_deg"]), float(truth["true_icrs_dec_deg"])
    frame = Projection(width_px=512, height_px=512, scale_arcsec=SENSOR.scale_arcsec, rotation_deg=0.0)
    near = StarCatalogue.load().within(*centre, 1.4, faintest=9.5)
    x_px, y_px = frame.pixels_of(unit_of(near.ra_deg, near.dec_deg), unit_of(*centre))
    apart = np.hypot(x_px[:, None] - x_px, y_px[:, None] - y_px) + 99.0 * np.eye(len(x_px))
    good = (np.min(apart, axis=1) > 15.0) & (np.abs(x_px - 255.5) < 240.0) & (np.abs(y_px - 255.5) < 240.0)
    order = np.argsort(near.magnitude[good])[:5]
    assert len(order) >= 3
    return [(float(x), float(y)) for x, y in zip(x_px[good][order], y_px[good][order], strict=True)]


def centre_of_light(pixels: NDArray[np.uint16], x_px: float, y_px: float) -> tuple[float, float]:
    """Around a place, above the background."""
    left, top = round(x_px) - _REACH_PX, round(y_px) - _REACH_PX
    window = pixels[top : top + 2 * _REACH_PX + 1, left : left + 2 * _REACH_PX + 1].astype(float)
    light = np.clip(window - np.median(window) - 30.0, 0.0, None)
    assert np.sum(light) > 100.0
    rows, columns = np.indices(light.shape)
    return left + float(np.sum(light * columns) / np.sum(light)), top + float(np.sum(light * rows) / np.sum(light))


async def test_the_camera_shows_our_stars_and_the_satellite_where_the_truth_has_them(world: IndiWorld) -> None:
    index = a_high_slow_one()
    async with indi_mount(device(world, "Telescope Simulator"), now=world.clock.now) as mount:
        await mount.unpark()
        seen = SWARM.astrometric(index, RIDGE, world.clock.now() + timedelta(seconds=30))
        ra_deg, dec_deg = RIDGE.apparent_of(float(seen.ra_deg), float(seen.dec_deg), world.clock.now())
        await mount.slew(Equatorial(ra_deg=ra_deg, dec_deg=dec_deg + 0.3, system=EquatorialSystem.APPARENT))
        async with indi_camera(device(world, "CCD Simulator"), now=world.clock.now) as camera:
            assert (camera.capabilities.width_px, camera.capabilities.height_px) == (512, 512)
            frame = await camera.expose(Exposure(exposure_s=5.0, kind=FrameKind.LIGHT, binning=1))
    assert isinstance(frame, Frame)
    with Served(frames_app(world)) as truths:
        (truth,) = httpx.get(f"{truths.url}/_observatory/frames").json()  # noqa: ASYNC210 (nothing else waits)
    assert truth["exposure_s"] == 5.0
    places = {norad_id: (x_px, y_px) for norad_id, x_px, y_px in truth["norad_ids_in_field"]}
    x_px, y_px = places[SWARM.norad_ids[index]]
    assert abs(x_px - 255.5) < 60.0
    assert y_px > 300.0  # below the middle: the mount looks north of it
    pixels = frame.pixels[::-1]  # row 0 at the top
    found = centre_of_light(pixels, x_px, y_px)
    assert np.hypot(found[0] - x_px, found[1] - y_px) < 1.5
    for x_px, y_px in bright_stars(truth):
        found = centre_of_light(pixels, x_px, y_px)
        assert np.hypot(found[0] - x_px, found[1] - y_px) < 1.0


async def test_the_wheel_holds_the_filters_the_tasks_ask_for_and_the_mount_stands_at_our_site(world: IndiWorld) -> None:
    async with indi_filter_wheel(device(world, "Filter Simulator")) as wheel:
        assert wheel.capabilities.filter_names[:4] == ("Clear", "Red", "Green", "Blue")
    async with indi_mount(device(world, "Telescope Simulator"), now=world.clock.now) as mount:
        where = await mount.time_and_place()
        assert where is not None
        assert (where.latitude_deg, where.longitude_deg) == pytest.approx((RIDGE.latitude_deg, RIDGE.longitude_deg))
