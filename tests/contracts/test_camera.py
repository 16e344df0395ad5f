"""What a Camera promises."""

from datetime import timedelta
from itertools import pairwise

import anyio
import numpy as np
import pytest

from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.values import CameraState, Exposure, FrameKind
from simulators.faults import FaultKind
from tests.contracts.rigs import Implementation


async def test_a_frame_is_the_whole_sensor_with_its_first_row_at_the_bottom(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        frame = await rig.device.expose(Exposure(exposure_s=1.0))
        sensor = rig.device.capabilities
        assert frame.pixels.shape == (sensor.height_px, sensor.width_px)
        assert frame.pixels.dtype == np.uint16
        assert len(rig.sky.looks) == 1
        as_the_sky_drew_it = np.arange(64 * 96, dtype=np.uint16).reshape(64, 96)  # its first row is the upper one
        assert np.array_equal(frame.pixels[::-1], as_the_sky_drew_it)


async def test_a_frame_knows_when_its_shutter_opened_and_for_how_long(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        before = rig.now()
        frame = await rig.device.expose(Exposure(exposure_s=3.0))
        assert frame.exposure.exposure_s == pytest.approx(3.0)
        assert before - timedelta(milliseconds=5) <= frame.started_at  # INDI cuts off below the millisecond
        assert rig.now() - frame.started_at >= timedelta(seconds=3.0)
        assert frame.sensor_temperature_c == pytest.approx(5.0, abs=10.0)
        shot = rig.observatory.cameras[0].shots[-1]
        assert abs(frame.started_at - shot.started_at) < timedelta(milliseconds=1)
        assert rig.now() >= shot.ready_at


async def test_frames_follow_one_another(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        frames = [await rig.device.expose(Exposure(exposure_s=exposure_s)) for exposure_s in (0.5, 2.0, 1.0)]
        assert [frame.exposure.exposure_s for frame in frames] == [0.5, 2.0, 1.0]
        for earlier, later in pairwise(frames):
            assert later.started_at - earlier.started_at >= timedelta(seconds=earlier.exposure.exposure_s)


@pytest.mark.parametrize("binning", [1, 2, 4])
async def test_binned_frames_are_as_much_smaller(implementation: Implementation, binning: int) -> None:
    async with implementation.camera() as rig:
        sensor = rig.device.capabilities
        frame = await rig.device.expose(Exposure(exposure_s=0.5, binning=binning))
        assert frame.pixels.shape == (sensor.height_px // binning, sensor.width_px // binning)
        assert frame.exposure.binning == binning
        again = await rig.device.expose(Exposure(exposure_s=0.5))
        assert again.pixels.shape == (sensor.height_px, sensor.width_px)


@pytest.mark.parametrize("kind", [FrameKind.DARK, FrameKind.BIAS])
async def test_the_shutter_stays_shut_for_darks(implementation: Implementation, kind: FrameKind) -> None:
    async with implementation.camera() as rig:
        frame = await rig.device.expose(Exposure(exposure_s=1.0, kind=kind))
        assert frame.exposure.kind is kind
        shortest_s = rig.device.capabilities.min_exposure_s
        assert frame.exposure.exposure_s == pytest.approx(1.0 if kind is FrameKind.DARK else shortest_s)
        assert rig.sky.looks[-1].transmission == 0.0


async def test_gain_and_offset_are_what_was_asked_and_stay_until_asked_otherwise(
    implementation: Implementation,
) -> None:
    async with implementation.camera() as rig:
        frame = await rig.device.expose(Exposure(exposure_s=0.5, gain=80, offset=40))
        assert (frame.exposure.gain, frame.exposure.offset) == (80, 40)
        again = await rig.device.expose(Exposure(exposure_s=0.5))
        assert (again.exposure.gain, again.exposure.offset) == (80, 40)
        await rig.device.expose(Exposure(exposure_s=0.5, gain=10, offset=0))
        assert rig.sky.looks[-1].electrons_per_adu < 0.8


async def test_a_cancelled_exposure_is_aborted_and_the_next_one_is_right(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        with anyio.move_on_after(5.0) as scope:
            await rig.device.expose(Exposure(exposure_s=600.0))
        assert scope.cancelled_caught
        assert (await rig.device.status()).state is CameraState.IDLE
        cut_short = rig.now()
        frame = await rig.device.expose(Exposure(exposure_s=1.0))
        assert frame.exposure.exposure_s == pytest.approx(1.0)
        assert frame.started_at >= cut_short - timedelta(milliseconds=5)
        assert len(rig.observatory.cameras[0].shots) == 1


async def test_it_says_what_it_is_doing(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        assert (await rig.device.status()).state is CameraState.IDLE
        states = []

        async def watch() -> None:
            await anyio.sleep(rig.long_exposure_s / 3.0)
            status = await rig.device.status()
            states.append(status.state)
            assert status.read_at <= rig.now()

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            await rig.device.expose(Exposure(exposure_s=rig.long_exposure_s))
        assert states == [CameraState.EXPOSING]


async def test_an_abort_without_an_exposure_is_harmless(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        await rig.device.abort()
        await rig.device.expose(Exposure(exposure_s=0.5))
        await rig.device.abort()


@pytest.mark.parametrize("exposure", [Exposure(exposure_s=5000.0), Exposure(exposure_s=1.0, binning=16)])
async def test_what_the_camera_cannot_do_is_refused(implementation: Implementation, exposure: Exposure) -> None:
    async with implementation.camera() as rig:
        with pytest.raises(Refused):
            await rig.device.expose(exposure)


async def test_it_cools_to_its_set_point_and_warms_up_again(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        warm = await rig.device.status()
        assert not warm.cooler_on
        assert warm.sensor_temperature_c is not None
        await rig.device.cool_to(-10.0)
        status = await rig.device.status()
        assert status.cooler_on
        with anyio.fail_after(120.0):
            while status.sensor_temperature_c is None or status.sensor_temperature_c > -9.0:
                await anyio.sleep(2.0)
                status = await rig.device.status()
        assert status.sensor_temperature_c == pytest.approx(-10.0, abs=1.0)
        if status.cooler_power_percent is not None:
            assert 20.0 < status.cooler_power_percent <= 100.0
        await rig.device.warm_up()
        assert not (await rig.device.status()).cooler_on


async def test_a_picture_that_never_comes_times_out_and_is_given_up(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        rig.goes_wrong(FaultKind.STUCK, "camera", "expose")
        with pytest.raises(TimedOut):
            await rig.device.expose(Exposure(exposure_s=1.0))


async def test_a_camera_that_refuses_or_is_gone_says_so(implementation: Implementation) -> None:
    async with implementation.camera() as rig:
        rig.goes_wrong(FaultKind.REFUSE, "camera", "expose", error_number=0x500)
        with pytest.raises(Malfunction):
            await rig.device.expose(Exposure(exposure_s=1.0))
        rig.observatory.faults.replace([])
        rig.goes_wrong(FaultKind.DROP, "camera", "expose")
        with pytest.raises(ConnectionLost):
            await rig.device.expose(Exposure(exposure_s=1.0))
        rig.observatory.faults.replace([])
        await rig.device.expose(Exposure(exposure_s=1.0))
