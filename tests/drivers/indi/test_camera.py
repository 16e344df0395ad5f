"""A camera over INDI: every frame is the one that was asked for, whole, in its right place and time."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import anyio
import numpy as np
import pytest

from bridge.clock import LoopClock
from drivers.config import IndiDevice
from drivers.connect import connect_camera
from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.protocols import Camera
from drivers.values import CameraState, Exposure, FrameKind, TimeSource
from tests.drivers.indi.fake_camera import HEIGHT_PX, WIDTH_PX, FakeCamera
from tests.drivers.indi.fake_indi import FakeIndi, busy_forever

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


@asynccontextmanager
async def connected(prepare: Callable[[FakeCamera], None] = lambda _: None) -> AsyncIterator[tuple[Camera, FakeCamera]]:
    clock = LoopClock(DUSK)
    fake = FakeCamera(clock.now() - timedelta(seconds=anyio.current_time()))
    prepare(fake)
    async with FakeIndi([fake]) as server:
        device = IndiDevice(driver="indi", address=server.address, device="Camera")
        async with connect_camera(device, now=clock.now) as camera:
            yield camera, fake
        fake.stop()


async def test_it_waits_until_the_driver_knows_how_big_its_sensor_is() -> None:
    async with connected() as (camera, _):
        able = camera.capabilities
        assert (able.width_px, able.height_px, able.pixel_size_um) == (WIDTH_PX, HEIGHT_PX, 3.8)
        assert (able.max_binning, able.saturation_adu) == (4, 65535)
        assert (able.min_exposure_s, able.max_exposure_s) == (0.001, 3600.0)
        assert able.can_abort
        assert not able.can_cool


async def test_pictures_are_sent_here_whole_and_as_they_are_whatever_was_set_before() -> None:
    async with connected() as (camera, fake):
        frame = await camera.expose(Exposure(exposure_s=2.0))
        assert frame.pixels.shape == (HEIGHT_PX, WIDTH_PX)
        assert fake.also["UPLOAD_MODE"].values["UPLOAD_CLIENT"]
        assert fake.also["CCD_COMPRESSION"].values["INDI_DISABLED"]
        assert ("CCD_FRAME", {"X": 0.0, "Y": 0.0, "WIDTH": 60.0, "HEIGHT": 40.0}) in fake.commands


@pytest.mark.parametrize("top_down", [True, False])
async def test_the_first_row_is_the_bottom_one_and_numbers_beyond_half_the_range_stay(top_down: bool) -> None:
    def prepare(fake: FakeCamera) -> None:
        fake.top_down = top_down

    async with connected(prepare) as (camera, _):
        frame = await camera.expose(Exposure(exposure_s=1.0))
        as_sent = np.arange(WIDTH_PX * HEIGHT_PX, dtype=np.uint16).reshape(HEIGHT_PX, WIDTH_PX) + 33_000
        assert np.array_equal(frame.pixels, as_sent[::-1] if top_down else as_sent)
        assert frame.pixels.dtype == np.uint16


async def test_the_next_exposure_waits_until_the_driver_is_free_not_until_its_picture_came() -> None:
    async with connected() as (camera, fake):
        frames = [await camera.expose(Exposure(exposure_s=0.5)) for _ in range(20)]
        assert fake.refused == 0
        assert fake.taken == 20
        for earlier, later in pairwise(frames):
            assert later.started_at - earlier.started_at >= timedelta(seconds=0.5)


async def test_a_driver_that_seems_busy_for_ever_after_a_picture_is_asked_again() -> None:
    """INDI's simulator, asked how it stands while a picture leaves it, may say "busy" behind its own "over"."""

    def prepare(fake: FakeCamera) -> None:
        fake.describes_late = True

    async with connected(prepare) as (camera, fake):
        for _ in range(3):
            await camera.expose(Exposure(exposure_s=0.5))
        assert (fake.taken, fake.refused) == (3, 0)


async def test_it_says_when_the_shutter_opened_by_the_driver_where_that_can_be_true() -> None:
    async with connected() as (camera, _):
        frame = await camera.expose(Exposure(exposure_s=2.0))
        assert frame.time_source is TimeSource.DRIVER
        assert frame.exposure.exposure_s == 2.0


@pytest.mark.parametrize("ahead", [timedelta(days=-20_000), timedelta(hours=1), timedelta(seconds=-3)])
async def test_a_driver_whose_clock_is_wrong_is_not_believed(ahead: timedelta) -> None:
    def prepare(fake: FakeCamera) -> None:
        fake.clock_ahead = ahead

    async with connected(prepare) as (camera, _):
        frame = await camera.expose(Exposure(exposure_s=2.0))
        assert frame.time_source is TimeSource.HOST
        assert timedelta(0) <= frame.started_at - DUSK < timedelta(seconds=60)


def wrong_size(fake: FakeCamera) -> None:
    fake.sends_size_px = (WIDTH_PX, HEIGHT_PX - 1)


def transposed(fake: FakeCamera) -> None:
    fake.sends_size_px = (HEIGHT_PX, WIDTH_PX)


def shorter(fake: FakeCamera) -> None:
    fake.says_exposed_s = 1.0


def garbage(fake: FakeCamera) -> None:
    fake.sends_garbage = True


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (wrong_size, "60 × 39 pixels, not 60 × 40"),
        (transposed, "40 × 60 pixels, not 60 × 40"),
        (shorter, "it exposed 1 s"),
        (garbage, "no end"),
    ],
)
async def test_a_picture_that_is_not_the_one_asked_for_is_a_malfunction(
    fault: Callable[[FakeCamera], None], words: str
) -> None:
    async with connected(fault) as (camera, _):
        with pytest.raises(Malfunction, match=words):
            await camera.expose(Exposure(exposure_s=2.0))


async def test_the_picture_before_sent_once_more_is_a_malfunction() -> None:
    async with connected() as (camera, fake):
        await camera.expose(Exposure(exposure_s=2.0))
        fake.sends_the_same = True
        with pytest.raises(Malfunction, match="once more"):
            await camera.expose(Exposure(exposure_s=2.0))
        fake.sends_the_same = False
        await camera.expose(Exposure(exposure_s=2.0))


async def test_binning_gain_and_kind_are_set_with_all_that_stands_beside_them() -> None:
    async with connected() as (camera, fake):
        frame = await camera.expose(Exposure(exposure_s=1.0, binning=2, gain=250, kind=FrameKind.DARK))
        assert frame.pixels.shape == (HEIGHT_PX // 2, WIDTH_PX // 2)
        assert (frame.exposure.gain, frame.exposure.offset, frame.exposure.binning) == (250, 10, 2)
        assert fake.also["CCD_CONTROLS"].values == {"Gain": 250.0, "Offset": 10.0, "USB": 40.0}
        assert fake.also["CCD_FRAME_TYPE"].values["FRAME_DARK"]
        before = len(fake.commands)
        await camera.expose(Exposure(exposure_s=1.0, binning=2, kind=FrameKind.DARK))
        assert [name for name, _ in fake.commands[before:]] == ["CCD_EXPOSURE"]


async def test_a_bias_is_as_short_as_can_be() -> None:
    async with connected() as (camera, fake):
        await camera.expose(Exposure(exposure_s=10.0, kind=FrameKind.BIAS))
        assert ("CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.001}) in fake.commands


async def test_a_cancelled_exposure_is_aborted_and_the_next_picture_is_its_own() -> None:
    async with connected() as (camera, fake):
        with anyio.move_on_after(3.0) as scope:
            await camera.expose(Exposure(exposure_s=600.0))
        assert scope.cancelled_caught
        assert fake.times("CCD_ABORT_EXPOSURE") == 2  # on each of its connections
        assert (await camera.status()).state is CameraState.IDLE
        frame = await camera.expose(Exposure(exposure_s=1.0))
        assert frame.exposure.exposure_s == 1.0


async def test_an_exposure_somebody_left_behind_is_aborted_when_the_camera_is_connected() -> None:
    def left_behind(fake: FakeCamera) -> None:
        fake.exposure.state = "Busy"

    async with connected(left_behind) as (camera, fake):
        assert fake.times("CCD_ABORT_EXPOSURE") == 2  # on each of its connections
        assert (await camera.status()).state is CameraState.IDLE


async def test_a_picture_that_never_comes_is_given_up_and_aborted() -> None:
    def prepare(fake: FakeCamera) -> None:
        fake.loses_pictures = True

    async with connected(prepare) as (camera, fake):
        with pytest.raises(TimedOut, match="CCD1"):
            await camera.expose(Exposure(exposure_s=5.0))
        assert fake.times("CCD_ABORT_EXPOSURE") == 2  # on each of its connections


async def test_a_driver_that_crashes_in_an_exposure_is_a_lost_connection() -> None:
    async with connected() as (camera, fake):
        fake._after(2.0, fake.restart)
        with pytest.raises(ConnectionLost):
            await camera.expose(Exposure(exposure_s=20.0))


async def test_an_alert_in_an_exposure_ends_it_at_once_in_the_drivers_words() -> None:
    async with connected() as (camera, fake):

        def breaks() -> None:
            fake.message("USB transfer failed")
            fake.tell(fake.exposure, state="Alert")

        fake._after(2.0, breaks)
        began_s = anyio.current_time()
        with pytest.raises(Refused, match="USB transfer failed"):
            await camera.expose(Exposure(exposure_s=500.0))
        assert anyio.current_time() - began_s < 100.0


async def test_a_setting_that_stays_busy_is_no_exposure() -> None:
    async with connected() as (camera, fake):
        fake.reactions["CCD_BINNING"] = busy_forever
        with pytest.raises(TimedOut, match="CCD_BINNING"):
            await camera.expose(Exposure(exposure_s=1.0, binning=2))
        assert fake.times("CCD_EXPOSURE") == 0


@pytest.mark.parametrize(
    "exposure", [Exposure(exposure_s=4000.0), Exposure(exposure_s=0.0), Exposure(exposure_s=1.0, binning=5)]
)
async def test_what_it_cannot_do_is_refused_before_anything_is_sent(exposure: Exposure) -> None:
    async with connected() as (camera, fake):
        before = len(fake.commands)
        with pytest.raises(Refused):
            await camera.expose(exposure)
        assert len(fake.commands) == before
        with pytest.raises(Refused, match="no regulated cooler"):
            await camera.cool_to(-10.0)
