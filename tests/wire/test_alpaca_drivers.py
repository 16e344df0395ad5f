"""The Alpaca drivers against the simulated observatory, over real sockets, half a minute of its time in a second."""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.alpaca.discovery import survey
from drivers.config import AlpacaDevice
from drivers.connect import (
    connect_camera,
    connect_conditions,
    connect_dome,
    connect_filter_wheel,
    connect_focuser,
    connect_mount,
    connect_safety_monitor,
)
from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused, TimedOut
from drivers.motion import separation_deg, turn_deg
from drivers.protocols import Camera, Mount
from drivers.values import (
    Equatorial,
    EquatorialSystem,
    Exposure,
    FrameKind,
    MountKind,
    Quantity,
    ShutterState,
    TimeSource,
)
from simulators.alpaca.app import alpaca_app
from simulators.alpaca.discovery import answering_discovery
from simulators.clock import SimulatedClock
from simulators.faults import Fault, FaultKind
from simulators.observatory import Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.physics.mount import MountSettings
from simulators.serving import Served
from simulators.sky.earth import Ground
from simulators.sky.render import Look

pytestmark = pytest.mark.wire(rate=30.0)

EVENING = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
GROUND = Ground(38.84, -104.97, 1900.0)
SMALL = CameraSettings(width_px=96, height_px=64, readout_s=0.5)


class Chart:
    """A sky in which each pixel tells where it is: a hundred times its row from the top, and its column."""

    def frame(self, look: Look) -> NDArray[np.uint16]:
        rows, columns = np.indices((look.height_px, look.width_px))
        return (100 * rows + columns).astype(np.uint16)

    def targets_in(self, look: Look) -> Sequence[tuple[int, float, float]]:
        return ()


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> SimulatedClock:
    """Runs as fast as the test's own time."""
    marker = request.node.get_closest_marker("wire")
    return SimulatedClock(starts_at=EVENING, anchored_unix_s=time.time(), rate=marker.kwargs["rate"])


def built(clock: SimulatedClock, **settings: Any) -> Observatory:
    return Observatory(clock, GROUND, Chart(), settings=ObservatorySettings(**settings))


@pytest.fixture
def observatory(clock: SimulatedClock) -> Observatory:
    return built(clock, cameras=(SMALL, CameraSettings(width_px=32, height_px=20)))


@pytest.fixture
def served(observatory: Observatory) -> Iterator[Served]:
    with Served(alpaca_app(observatory)) as served:
        yield served


@pytest.fixture
def device(served: Served) -> AlpacaDevice:
    return AlpacaDevice(address=served.address)


@pytest.fixture
def now(clock: SimulatedClock) -> Callable[[], datetime]:
    return clock.now


@pytest.fixture
async def mount(device: AlpacaDevice, now: Callable[[], datetime]) -> AsyncIterator[Mount]:
    async with connect_mount(device, now=now) as mount:
        await mount.unpark()
        yield mount


def apparent(ra_deg: float, dec_deg: float) -> Equatorial:
    return Equatorial(ra_deg=ra_deg % 360.0, dec_deg=dec_deg, system=EquatorialSystem.APPARENT)


def south(hours_east: float, dec_deg: float) -> Equatorial:
    """A place so far east of the meridian this evening."""
    return apparent(GROUND.sidereal_time_deg(EVENING) + 15.0 * hours_east, dec_deg)


def fault(kind: FaultKind, device: str, method: str, **more: float) -> Fault:
    begins = EVENING - timedelta(hours=1)
    return Fault(kind=kind, device=device, method=method, begins=begins, for_s=1e6, **more)  # type: ignore[arg-type]


async def test_the_telescope_really_looks_where_it_was_sent_on_axes_of_date(
    mount: Mount, observatory: Observatory
) -> None:
    await mount.slew(south(1.5, 35.0))
    at = observatory.clock.now()
    looks_at = apparent(*GROUND.apparent_of(*observatory.mount.true_icrs(at), at))
    assert separation_deg(looks_at, south(1.5, 35.0)) * 3600.0 < 2.0
    assert separation_deg((await mount.status()).pointing, south(1.5, 35.0)) * 3600.0 < 2.0


async def test_a_mount_on_fixed_axes_is_sent_catalogue_places(clock: SimulatedClock) -> None:
    axes = MountSettings(kind=MountKind.ALTAZ, system=EquatorialSystem.ICRS)
    observatory = built(clock, mount=axes)
    with Served(alpaca_app(observatory)) as served:
        async with connect_mount(AlpacaDevice(address=served.address), now=clock.now) as mount:
            assert mount.capabilities.system is EquatorialSystem.ICRS
            assert mount.capabilities.kind is MountKind.ALTAZ
            await mount.unpark()
            place = south(2.0, 20.0)
            star = Equatorial(ra_deg=place.ra_deg, dec_deg=place.dec_deg, system=EquatorialSystem.ICRS)
            await mount.slew(star)
            ra_deg, dec_deg = observatory.mount.true_icrs(observatory.clock.now())
            looks_at = Equatorial(ra_deg=ra_deg, dec_deg=dec_deg, system=EquatorialSystem.ICRS)
            assert separation_deg(looks_at, star) * 3600.0 < 2.0
            with pytest.raises(Refused, match="icrs"):
                await mount.slew(place)


@pytest.mark.parametrize("rates", [(0.02, -0.015), (-0.4, 0.3), (1.0, 0.0)])
async def test_the_telescope_really_follows_at_the_targets_rates(
    rates: tuple[float, float], mount: Mount, observatory: Observatory
) -> None:
    """Measured on the sky: a wrong factor of 15, or a sidereal second taken for a second, would show."""
    ra_deg_per_s, dec_deg_per_s = rates
    await mount.slew(south(2.0, 20.0))
    await mount.track(ra_deg_per_s=ra_deg_per_s, dec_deg_per_s=dec_deg_per_s)
    await anyio.sleep(2.0)  # until the axes have their speed; what follows is asked of the future
    begins = observatory.clock.now()
    ends = begins + timedelta(seconds=10)
    start_ra_deg, start_dec_deg = GROUND.apparent_of(*observatory.mount.true_icrs(begins), begins)
    end_ra_deg, end_dec_deg = GROUND.apparent_of(*observatory.mount.true_icrs(ends), ends)
    moved_deg = (end_ra_deg - start_ra_deg + 180.0) % 360.0 - 180.0, end_dec_deg - start_dec_deg
    assert moved_deg == pytest.approx((10.0 * ra_deg_per_s, 10.0 * dec_deg_per_s), abs=2e-4)
    await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
    assert observatory.mount.rates_deg_s == (0.0, 0.0)


async def test_a_cancelled_slew_leaves_a_telescope_that_stands(clock: SimulatedClock) -> None:
    observatory = built(clock, mount=MountSettings(top_speed_deg_s=0.5))  # minutes, not seconds, to the other side
    with Served(alpaca_app(observatory)) as served:
        async with connect_mount(AlpacaDevice(address=served.address), now=clock.now) as mount:
            await mount.unpark()
            with anyio.move_on_after(6.0) as scope:
                await mount.slew(south(-3.0, 0.0))
            assert scope.cancelled_caught
            assert not observatory.mount.slewing
            assert not observatory.mount.tracking


async def test_a_parked_telescope_stays_so(mount: Mount, observatory: Observatory) -> None:
    await mount.slew(south(2.0, 20.0))
    await mount.stop_tracking()
    assert not observatory.mount.tracking
    await mount.park()
    status = await mount.status()
    assert status.parked
    assert not status.tracking
    await mount.abort()
    with pytest.raises(Refused, match="parked"):
        await mount.slew(south(2.0, 20.0))
    assert observatory.mount.parked


async def test_a_sync_takes_the_pointing_error_away(clock: SimulatedClock) -> None:
    observatory = built(clock, mount=MountSettings(pointing_error_arcmin=10.0))
    with Served(alpaca_app(observatory)) as served:
        async with connect_mount(AlpacaDevice(address=served.address), now=clock.now) as mount:
            await mount.unpark()
            star = south(2.0, 20.0)
            await mount.slew(star)
            at = observatory.clock.now()
            looks_at = apparent(*GROUND.apparent_of(*observatory.mount.true_icrs(at), at))
            assert separation_deg(looks_at, star) > 0.05
            await mount.sync(looks_at)
            await mount.slew(star)
            at = observatory.clock.now()
            looks_at = apparent(*GROUND.apparent_of(*observatory.mount.true_icrs(at), at))
            assert separation_deg(looks_at, star) < 0.005


async def test_a_frame_is_as_the_sensor_saw_it_and_says_when(
    device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    async with connect_camera(device, now=now) as camera:
        frame = await camera.expose(Exposure(exposure_s=2.0, gain=120, offset=40))
    assert frame.pixels.shape == (64, 96)
    assert frame.pixels[0, 0] == 6300  # the bottom row of the sensor comes first
    assert frame.pixels[-1, 95] == 95
    shot = observatory.cameras[0].shots[-1]
    assert frame.time_source is TimeSource.DRIVER
    assert abs((frame.started_at - shot.started_at).total_seconds()) < 1e-5
    assert frame.exposure == Exposure(exposure_s=2.0, gain=120, offset=40)
    assert frame.sensor_temperature_c is not None


@pytest.mark.parametrize("binning", [1, 2, 4])
@pytest.mark.parametrize("kind", list(FrameKind))
async def test_every_kind_of_frame_in_every_binning(
    kind: FrameKind, binning: int, device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    async with connect_camera(device, now=now) as camera:
        frame = await camera.expose(Exposure(exposure_s=0.5, kind=kind, binning=binning))
    assert frame.pixels.shape == (64 // binning, 96 // binning)
    assert observatory.cameras[0].shots[-1].light is (kind in (FrameKind.LIGHT, FrameKind.FLAT))


async def test_each_of_two_cameras_gives_its_own_frames(
    device: AlpacaDevice, served: Served, now: Callable[[], datetime]
) -> None:
    second = AlpacaDevice(address=served.address, device_number=1)
    sizes = {}
    async with connect_camera(device, now=now) as one, connect_camera(second, now=now) as other:

        async def expose(camera: Camera) -> None:
            sizes[camera.name] = (await camera.expose(Exposure(exposure_s=5.0))).pixels.shape

        async with anyio.create_task_group() as group:
            group.start_soon(expose, one)
            group.start_soon(expose, other)
        assert sizes == {one.name: (64, 96), other.name: (20, 32)}


async def test_a_cancelled_exposure_leaves_the_camera_ready_for_the_next(
    device: AlpacaDevice, now: Callable[[], datetime]
) -> None:
    async with connect_camera(device, now=now) as camera:
        with anyio.move_on_after(10.0) as scope:
            await camera.expose(Exposure(exposure_s=300.0))
        assert scope.cancelled_caught
        frame = await camera.expose(Exposure(exposure_s=0.5))
        assert frame.pixels.shape == (64, 96)


async def test_the_cooler_cools(device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]) -> None:
    async with connect_camera(device, now=now) as camera:
        before_c = (await camera.status()).sensor_temperature_c
        await camera.cool_to(-10.0)
        await anyio.sleep(120.0)
        status = await camera.status()
        assert status.cooler_on
        assert before_c is not None
        assert status.sensor_temperature_c is not None
        assert status.sensor_temperature_c < before_c - 5.0
        await camera.warm_up()
        assert not observatory.cameras[0].cooler.on


async def test_filter_and_focus_end_where_they_were_sent(
    device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    async with connect_filter_wheel(device, now=now) as wheel:
        assert wheel.capabilities.filter_names == ("Clear", "Red", "Green", "Blue")
        await wheel.select("Green")
        assert await wheel.selected() == "Green"
        assert observatory.filter_wheels[0].slot == 2
    async with connect_focuser(device, now=now) as focuser:
        goal = focuser.capabilities.max_position_steps // 3
        await focuser.move_to(goal)
        assert (await focuser.status()).position_steps == goal == observatory.focusers[0].position_steps


async def test_a_dome_opens_turns_parks_and_closes(
    device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    dome = observatory.dome
    assert dome is not None
    async with connect_dome(device, now=now) as cupola:
        await cupola.open()
        assert dome.shutter is ShutterState.OPEN
        await cupola.slew_to(135.0)
        assert turn_deg(dome.azimuth_deg, 135.0) < 0.5
        await cupola.park()
        await cupola.close()
        status = await cupola.status()
    assert status.shutter is ShutterState.CLOSED
    assert not status.moving
    assert dome.shutter is ShutterState.CLOSED


async def test_the_weather_is_read_in_our_units_and_the_monitor_agrees(
    device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    async with connect_safety_monitor(device, now=now) as monitor, connect_conditions(device, now=now) as conditions:
        read, truth = await conditions.read(), observatory.weather.read(now())
        assert set(read) == set(truth)
        for quantity in (Quantity.TEMPERATURE_C, Quantity.PRESSURE_HPA, Quantity.WIND_SPEED_M_S):
            assert read[quantity] == pytest.approx(truth[quantity], rel=0.05, abs=0.1)
        assert await monitor.is_safe()
        observatory.weather.order(safe=None, values={Quantity.RAIN_RATE_MM_H: 2.5})
        await anyio.sleep(1.0)
        assert not await monitor.is_safe()
        assert (await conditions.read())[Quantity.RAIN_RATE_MM_H] == 2.5


FAULTS: list[tuple[Fault, type[DeviceError]]] = [
    (fault(FaultKind.REFUSE, "mount", "slew"), Refused),
    (fault(FaultKind.REFUSE, "mount", "status", error_number=0x500), Malfunction),
    (fault(FaultKind.REFUSE, "mount", "status", error_number=0x407), ConnectionLost),
    (fault(FaultKind.DROP, "mount", "slew"), ConnectionLost),
    (fault(FaultKind.DROP, "mount", "slew", http_status=500), Malfunction),
]


@pytest.mark.parametrize(("trouble", "expected"), FAULTS, ids=lambda one: getattr(one, "kind", None) or one.__name__)
async def test_trouble_with_the_mount_is_told_as_what_it_is(
    trouble: Fault, expected: type[DeviceError], mount: Mount, observatory: Observatory
) -> None:
    observatory.faults.add(trouble)
    with pytest.raises(expected) as caught:
        await mount.slew(south(1.0, 30.0))
    assert caught.value.device == mount.name
    assert observatory.faults.fired()[trouble] > 0
    observatory.faults.replace([])
    await mount.slew(south(1.0, 30.0))


@pytest.mark.wire(rate=100.0)
async def test_a_slew_that_never_ends_is_given_up(mount: Mount, observatory: Observatory) -> None:
    observatory.faults.add(fault(FaultKind.STUCK, "mount", "slew"))
    with pytest.raises(TimedOut):
        await mount.slew(south(1.0, 30.0))
    assert not observatory.mount.tracking


async def test_a_mount_that_tells_another_place_than_it_was_sent_to_is_a_malfunction(
    mount: Mount, observatory: Observatory
) -> None:
    observatory.faults.add(fault(FaultKind.LIE, "mount", "status", off_dec_deg=4.0))
    with pytest.raises(Malfunction, match=r"4\.000° away"):
        await mount.slew(south(1.0, 30.0))


@pytest.mark.wire(rate=100.0)
async def test_an_exposure_that_never_ends_is_given_up(
    device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    async with connect_camera(device, now=now) as camera:
        observatory.faults.add(fault(FaultKind.STUCK, "camera", "expose"))
        with pytest.raises(TimedOut, match="expose 1 s"):
            await camera.expose(Exposure(exposure_s=1.0))


async def test_a_picture_that_breaks_off_is_a_lost_connection(
    device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    async with connect_camera(device, now=now) as camera:
        observatory.faults.add(fault(FaultKind.DROP, "camera", "ImageArray"))
        with pytest.raises(DeviceError) as caught:
            await camera.expose(Exposure(exposure_s=0.5))
        assert isinstance(caught.value, ConnectionLost | Malfunction)


async def test_the_observatory_is_discovered_with_all_its_devices(served: Served) -> None:
    async with answering_discovery(served.port, hosts=("127.0.0.1",), port=0) as port:
        found = await survey(port=port, towards=["127.0.0.1"], wait_s=120.0)
    offered = {(one.device_type, one.device_number) for one in found.offered}
    assert offered >= {
        ("Camera", 0),
        ("Camera", 1),
        ("Dome", 0),
        ("FilterWheel", 0),
        ("Focuser", 0),
        ("ObservingConditions", 0),
        ("SafetyMonitor", 0),
        ("Telescope", 0),
    }
    assert {one.address for one in found.offered} == {served.address}
    assert not found.ignored


@pytest.mark.parametrize("speeds", [(0.3, -0.2), (-0.3, 0.2), (0.0, 1.0), (1.0, 0.0)])
async def test_the_axes_really_turn_at_the_speeds_they_are_told(
    speeds: tuple[float, float], mount: Mount, observatory: Observatory
) -> None:
    """Measured on the axes over ten seconds to come, as they will be if nobody tells them anything else."""
    await mount.slew(south(2.0, 20.0))
    await mount.turn_axes(primary_deg_per_s=speeds[0], secondary_deg_per_s=speeds[1])
    await anyio.sleep(2.0)  # until they have their speeds
    begins_s = observatory.clock.now().timestamp()
    axes = observatory.mount.axes
    start, end = axes.believed_deg(begins_s), axes.believed_deg(begins_s + 10.0)
    moved = tuple((after - before) / 10.0 for before, after in zip(start, end, strict=True))
    assert moved == pytest.approx(speeds, abs=0.1 / 3600.0)
    await mount.turn_axes(primary_deg_per_s=0.0, secondary_deg_per_s=0.0)
    assert observatory.mount.tracking
    assert not observatory.mount.slewing


@pytest.mark.wire(rate=1.0)
async def test_axes_are_steered_often_over_a_real_line_and_what_was_told_last_holds(
    device: AlpacaDevice, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    async with connect_mount(device, now=now) as mount:
        await mount.unpark()
        for step in range(1, 41):
            await mount.turn_axes(primary_deg_per_s=0.01 * step, secondary_deg_per_s=-0.02 * step)
        later_s = observatory.clock.now().timestamp() + 5.0
        assert observatory.mount.axes.speeds_deg_s(later_s) == pytest.approx((0.4, -0.8))
        await mount.abort()
        assert not observatory.mount.slewing
        assert not observatory.mount.tracking


async def test_the_mount_works_with_the_observatorys_site_and_time(
    mount: Mount, observatory: Observatory, now: Callable[[], datetime]
) -> None:
    told = await mount.time_and_place()
    assert told is not None
    assert (told.latitude_deg, told.longitude_deg) == pytest.approx((GROUND.latitude_deg, GROUND.longitude_deg))
    assert told.clock_error_s is not None
    assert abs(told.clock_error_s) < 300.0  # ten seconds of life at this rate
