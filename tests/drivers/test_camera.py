"""A camera over Alpaca: the frame is the one that was asked for, and says when its shutter opened."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import anyio
import numpy as np
import pytest

from drivers.config import AlpacaDevice
from drivers.connect import connect_camera
from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.protocols import Camera
from drivers.values import CameraState, Exposure, FrameKind, TimeSource
from tests.drivers.conftest import DUSK
from tests.drivers.fake_alpaca import FakeAlpaca, Fault, hangs_up_after, not_implemented, silent_until
from tests.drivers.fake_devices import FakeCamera

Now = Callable[[], datetime]


@pytest.fixture
async def sensor(alpaca: FakeAlpaca, now: Now) -> FakeCamera:
    began_s = asyncio.get_running_loop().time()
    began_at = now()

    def time_of_day(loop_s: float) -> datetime:
        return began_at + timedelta(seconds=loop_s - began_s)

    camera: FakeCamera = alpaca.add("camera", FakeCamera(alpaca.clock, time_of_day))
    return camera


@pytest.fixture
async def camera(alpaca: FakeAlpaca, sensor: FakeCamera, now: Now) -> AsyncIterator[Camera]:
    async with connect_camera(AlpacaDevice(address=alpaca.address), now=now) as camera:
        yield camera


async def test_a_frame_is_the_whole_sensor_with_the_bottom_row_first(camera: Camera, sensor: FakeCamera) -> None:
    frame = await camera.expose(Exposure(exposure_s=2.0))
    assert frame.pixels.shape == (40, 60)
    assert (frame.pixels[::-1] == sensor.as_seen()).all()
    assert frame.exposure == Exposure(exposure_s=2.0, gain=100, offset=30)
    assert frame.sensor_temperature_c == 11.5


async def test_a_frame_comes_soon_after_its_readout(camera: Camera) -> None:
    began_s = anyio.current_time()
    await camera.expose(Exposure(exposure_s=2.0))
    assert anyio.current_time() - began_s == pytest.approx(2.0 + 0.03 + 0.5, abs=0.05)


@pytest.mark.parametrize("binning", [1, 2, 3, 4])
async def test_binning_leaves_a_smaller_full_frame(binning: int, camera: Camera, sensor: FakeCamera) -> None:
    frame = await camera.expose(Exposure(exposure_s=0.1, binning=binning))
    assert frame.pixels.shape == (40 // binning, 60 // binning)
    assert frame.exposure.binning == binning
    assert (sensor.BinX, sensor.BinY) == (binning, binning)


async def test_gain_and_offset_are_set_only_if_asked_for_and_told_as_confirmed(
    camera: Camera, sensor: FakeCamera, alpaca: FakeAlpaca
) -> None:
    frame = await camera.expose(Exposure(exposure_s=0.1))
    assert (frame.exposure.gain, frame.exposure.offset) == (100, 30)
    assert alpaca.times("PUT camera/0/gain") == 0
    frame = await camera.expose(Exposure(exposure_s=0.1, gain=240, offset=12))
    assert (frame.exposure.gain, frame.exposure.offset) == (240, 12)
    assert (sensor.Gain, sensor.Offset) == (240, 12)


async def test_a_gain_that_is_taken_and_ignored_is_a_malfunction(camera: Camera, sensor: FakeCamera) -> None:
    class Stubborn(FakeCamera):
        @property
        def Gain(self) -> int:  # type: ignore[override]  # noqa: N802
            return 100

        @Gain.setter
        def Gain(self, gain: int) -> None:  # noqa: N802
            """Taken."""

    sensor.__class__ = Stubborn
    with pytest.raises(Malfunction, match="set Gain to 240: said yes, and it reads 100"):
        await camera.expose(Exposure(exposure_s=0.1, gain=240))


async def test_a_series_sets_the_camera_up_once(camera: Camera, alpaca: FakeAlpaca) -> None:
    for _ in range(5):
        await camera.expose(Exposure(exposure_s=0.1, binning=2))
    assert alpaca.times("PUT camera/0/binx") == 1
    assert alpaca.times("PUT camera/0/startexposure") == 5


async def test_after_an_abort_the_camera_is_set_up_anew(camera: Camera, alpaca: FakeAlpaca) -> None:
    await camera.expose(Exposure(exposure_s=0.1, binning=2))
    await camera.abort()
    await camera.expose(Exposure(exposure_s=0.1, binning=2))
    assert alpaca.times("PUT camera/0/binx") == 2


@pytest.mark.parametrize(
    ("kind", "light"),
    [(FrameKind.LIGHT, True), (FrameKind.FLAT, True), (FrameKind.DARK, False), (FrameKind.BIAS, False)],
)
async def test_the_shutter_opens_for_light(kind: FrameKind, light: bool, camera: Camera, sensor: FakeCamera) -> None:
    frame = await camera.expose(Exposure(exposure_s=0.0 if kind is FrameKind.BIAS else 0.5, kind=kind))
    assert sensor.lights == [light]
    assert frame.exposure.kind is kind
    if kind is FrameKind.BIAS:
        assert frame.exposure.exposure_s == 0.001  # the shortest it has


async def test_a_shutter_time_of_the_driver_is_taken(camera: Camera) -> None:
    await anyio.sleep(100.0)
    frame = await camera.expose(Exposure(exposure_s=2.0))
    assert frame.time_source is TimeSource.DRIVER
    assert frame.started_at == DUSK + timedelta(seconds=100.03)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1970-01-01T00:00:00.000",
        "2026-11-22T17:59:59.8",  # before the command
        "2026-11-22T18:00:01.0",  # so late that the picture was there before its end
        "2026-11-22T18:00:00",  # whole seconds: up to one late
        "2026-13-32T18:00:00.5",
        "2026-11-22T18:00:00.5+02:00",
    ],
)
async def test_a_shutter_time_that_cannot_be_true_is_replaced_by_our_own(
    text: str, camera: Camera, sensor: FakeCamera
) -> None:
    sensor.start_text = text
    frame = await camera.expose(Exposure(exposure_s=2.0))
    assert frame.time_source is TimeSource.HOST
    assert frame.started_at == DUSK


@pytest.mark.parametrize("text", ["2026-11-22T18:00:00.5", "2026-11-22T18:00:00.5000000Z", "2026-11-22T17:59:59.950"])
async def test_a_shutter_time_finer_than_a_second_near_the_command_is_good(
    text: str, camera: Camera, sensor: FakeCamera
) -> None:
    sensor.start_text = text
    assert (await camera.expose(Exposure(exposure_s=2.0))).time_source is TimeSource.DRIVER


async def test_a_camera_that_does_not_know_its_shutter_time(camera: Camera, sensor: FakeCamera) -> None:
    class Untimed(FakeCamera):
        @property
        def LastExposureStartTime(self) -> str:  # noqa: N802
            raise not_implemented()

        @property
        def LastExposureDuration(self) -> float:  # noqa: N802
            raise not_implemented()

        @property
        def CCDTemperature(self) -> float:  # type: ignore[override]  # noqa: N802
            raise not_implemented()

    sensor.__class__ = Untimed
    frame = await camera.expose(Exposure(exposure_s=2.0))
    assert frame.time_source is TimeSource.HOST
    assert frame.exposure.exposure_s == 2.0
    assert frame.sensor_temperature_c is None


async def test_an_exposure_that_never_becomes_a_picture_is_given_up_and_aborted(
    camera: Camera, sensor: FakeCamera
) -> None:
    sensor.never_ready = True
    began_s = anyio.current_time()
    with pytest.raises(TimedOut, match="expose 20 s: not done within 60 s"):
        await camera.expose(Exposure(exposure_s=20.0))
    assert sensor.aborted == 1
    assert anyio.current_time() - began_s == pytest.approx(80.0, abs=1.0)


async def test_a_cancelled_exposure_is_aborted(camera: Camera, sensor: FakeCamera) -> None:
    with anyio.move_on_after(10.0) as scope:
        await camera.expose(Exposure(exposure_s=300.0))
    assert scope.cancelled_caught
    assert sensor.aborted == 1
    assert sensor.CameraState == 0


@pytest.mark.wire
async def test_a_download_is_given_up_at_once_when_it_is_no_longer_wanted(
    camera: Camera, sensor: FakeCamera, alpaca: FakeAlpaca
) -> None:
    released = threading.Event()
    alpaca.instead["camera", "imagearray"] = silent_until(released)
    try:
        with anyio.fail_after(20.0), anyio.move_on_after(1.5) as scope:
            await camera.expose(Exposure(exposure_s=0.1))
        assert scope.cancelled_caught
    finally:
        released.set()


async def test_an_exposure_that_somebody_else_ended_is_not_waited_for(camera: Camera, sensor: FakeCamera) -> None:
    async with anyio.create_task_group() as group:

        async def expose() -> None:
            with pytest.raises(Malfunction, match="idle and has none"):
                await camera.expose(Exposure(exposure_s=20.0))

        group.start_soon(expose)
        await anyio.sleep(5.0)
        sensor.AbortExposure()
    assert anyio.current_time() < 30.0


async def test_a_camera_in_trouble_says_so(camera: Camera, sensor: FakeCamera) -> None:
    async with anyio.create_task_group() as group:

        async def expose() -> None:
            with pytest.raises(Malfunction, match="switch it off and on"):
                await camera.expose(Exposure(exposure_s=20.0))

        group.start_soon(expose)
        await anyio.sleep(5.0)
        sensor.broken = True


async def test_a_picture_of_another_size_is_a_malfunction(camera: Camera, sensor: FakeCamera) -> None:
    sensor.picture_size = (40, 60)  # transposed
    with pytest.raises(Malfunction, match=r"\(40, 60\) px, and \(60, 40\) px were exposed"):
        await camera.expose(Exposure(exposure_s=0.1))


async def test_an_exposure_of_another_length_is_a_malfunction(camera: Camera, sensor: FakeCamera) -> None:
    class Short(FakeCamera):
        LastExposureDuration = 0.5

    sensor.__class__ = Short
    with pytest.raises(Malfunction, match=r"expose 2 s: it says that it exposed 0\.5 s"):
        await camera.expose(Exposure(exposure_s=2.0))


async def test_a_link_lost_during_an_exposure_is_a_lost_connection(camera: Camera, alpaca: FakeAlpaca) -> None:
    alpaca.instead["camera", "imageready"] = hangs_up_after(b"")
    with pytest.raises(ConnectionLost):
        await camera.expose(Exposure(exposure_s=2.0))


@pytest.mark.parametrize(
    ("exposure", "why"),
    [
        (Exposure(exposure_s=0.0), r"from 0\.001 s to 600 s"),
        (Exposure(exposure_s=601.0), r"from 0\.001 s to 600 s"),
        (Exposure(exposure_s=1.0, binning=5), "bin up to 4"),
    ],
)
async def test_what_the_camera_cannot_do_is_refused_before_anything_is_set(
    exposure: Exposure, why: str, camera: Camera, alpaca: FakeAlpaca
) -> None:
    alpaca.calls.clear()
    with pytest.raises(Refused, match=why):
        await camera.expose(exposure)
    assert not alpaca.calls


async def test_the_cooler_is_set_and_read_back(camera: Camera, sensor: FakeCamera) -> None:
    await camera.cool_to(-15.0)
    assert (sensor.CoolerOn, sensor.SetCCDTemperature) == (True, -15.0)
    assert (await camera.status()).cooler_on
    await camera.warm_up()
    assert sensor.CoolerOn is False


async def test_a_cooler_that_does_not_obey_is_a_malfunction(camera: Camera, sensor: FakeCamera) -> None:
    class Clamped(FakeCamera):
        @property
        def SetCCDTemperature(self) -> float:  # type: ignore[override]  # noqa: N802
            return -10.0

        @SetCCDTemperature.setter
        def SetCCDTemperature(self, temperature: float) -> None:  # noqa: N802
            """Taken."""

    sensor.__class__ = Clamped
    with pytest.raises(Malfunction, match="its set point reads -10 °C"):
        await camera.cool_to(-30.0)


async def test_a_camera_without_a_cooler_refuses_to_cool(alpaca: FakeAlpaca, sensor: FakeCamera, now: Now) -> None:
    sensor.CanSetCCDTemperature = False
    async with connect_camera(AlpacaDevice(address=alpaca.address), now=now) as camera:
        for asked in (camera.cool_to(-10.0), camera.warm_up()):
            with pytest.raises(Refused, match="no regulated cooler"):
                await asked


async def test_status_tells_what_the_camera_is_doing(camera: Camera, sensor: FakeCamera) -> None:
    assert (await camera.status()).state is CameraState.IDLE
    async with anyio.create_task_group() as group:
        group.start_soon(camera.expose, Exposure(exposure_s=10.0))
        await anyio.sleep(5.0)
        assert (await camera.status()).state is CameraState.EXPOSING
        await anyio.sleep(5.3)
        assert (await camera.status()).state is CameraState.READING


async def test_a_simple_camera_is_described_as_far_as_it_is_known(
    alpaca: FakeAlpaca, sensor: FakeCamera, now: Now
) -> None:
    class Simple(FakeCamera):
        @property
        def SensorName(self) -> str:  # type: ignore[override]  # noqa: N802
            raise not_implemented()

        @property
        def MaxADU(self) -> int:  # type: ignore[override]  # noqa: N802
            raise not_implemented()

        @property
        def ExposureMax(self) -> float:  # type: ignore[override]  # noqa: N802
            raise not_implemented()

    sensor.__class__ = Simple
    async with connect_camera(AlpacaDevice(address=alpaca.address), now=now) as camera:
        capabilities = camera.capabilities
    assert capabilities.sensor_name == "a fake"
    assert (capabilities.width_px, capabilities.height_px, capabilities.pixel_size_um) == (60, 40, 3.76)
    assert capabilities.saturation_adu == 65535
    assert capabilities.electrons_per_adu is None
    assert capabilities.max_exposure_s == np.inf


async def test_an_exposure_left_behind_by_a_crash_is_aborted_on_connecting(
    alpaca: FakeAlpaca, sensor: FakeCamera, now: Now
) -> None:
    sensor.NumX, sensor.NumY = 60, 40
    sensor.StartExposure(3600.0, True)
    async with connect_camera(AlpacaDevice(address=alpaca.address), now=now) as camera:
        assert sensor.aborted == 1
        assert (await camera.expose(Exposure(exposure_s=0.1))).pixels.shape == (40, 60)


async def test_an_abort_of_an_idle_camera_asks_nothing_of_it(camera: Camera, sensor: FakeCamera) -> None:
    await camera.abort()
    assert sensor.aborted == 0


async def test_an_exposure_that_ends_just_when_it_is_aborted_is_no_error(camera: Camera, sensor: FakeCamera) -> None:
    class Prompt(FakeCamera):
        def AbortExposure(self) -> None:  # noqa: N802
            super().AbortExposure()
            raise Fault(0x40B, "there is nothing to abort")

    sensor.__class__ = Prompt
    with anyio.move_on_after(3.0) as scope:
        await camera.expose(Exposure(exposure_s=10.0))
    assert scope.cancelled_caught
    assert (await camera.status()).state is CameraState.IDLE


async def test_an_abort_that_is_refused_while_the_camera_exposes_is_an_error(
    camera: Camera, sensor: FakeCamera
) -> None:
    class Stubborn(FakeCamera):
        def AbortExposure(self) -> None:  # noqa: N802
            raise Fault(0x40B, "not now")

    sensor.__class__ = Stubborn
    sensor.NumX, sensor.NumY = 60, 40
    sensor.StartExposure(10.0, True)
    with pytest.raises(Refused, match="not now"):
        await camera.abort()


async def test_a_camera_that_cannot_abort_is_waited_for(alpaca: FakeAlpaca, sensor: FakeCamera, now: Now) -> None:
    sensor.CanAbortExposure = False
    async with connect_camera(AlpacaDevice(address=alpaca.address), now=now) as camera:
        with anyio.move_on_after(3.0):
            await camera.expose(Exposure(exposure_s=10.0))
        assert (await camera.status()).state is CameraState.IDLE
    assert sensor.aborted == 0
