"""A whole observation behind a server that gets much of Alpaca wrong, as INDI's own does: slew, expose, park."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import pytest

from drivers.config import AlpacaDevice
from drivers.connect import connect_camera, connect_mount, connect_safety_monitor
from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.motion import separation_deg
from drivers.protocols import Camera, Mount
from drivers.values import Equatorial, EquatorialSystem, Exposure, PierSide, TimeSource
from tests.drivers.conftest import DUSK
from tests.drivers.fake_alpaca import FakeAlpaca, FakeDevice
from tests.drivers.fake_devices import SIDEREAL_DEG_PER_S, FakeTelescope
from tests.drivers.fake_indi_bridge import IndiCamera, IndiTelescope, JsonOnlyCamera

Now = Callable[[], datetime]
HIGH = Equatorial(ra_deg=120.0, dec_deg=35.0, system=EquatorialSystem.APPARENT)


@dataclass
class Bridged:
    """Mount and camera behind the hostile server, and the truth about the telescope."""

    mount: Mount
    camera: Camera
    telescope: FakeTelescope


@pytest.fixture(params=[IndiCamera, JsonOnlyCamera])
async def bridged(request: pytest.FixtureRequest, alpaca: FakeAlpaca, now: Now) -> AsyncIterator[Bridged]:
    telescope = alpaca.add("telescope", IndiTelescope(alpaca.clock))
    alpaca.add("camera", request.param(alpaca.clock, lambda at_s: DUSK + timedelta(seconds=at_s)))
    device = AlpacaDevice(address=alpaca.address)
    async with AsyncExitStack() as stack:
        mount = await stack.enter_async_context(connect_mount(device, now=now))
        camera = await stack.enter_async_context(connect_camera(device, now=now))
        yield Bridged(mount, camera, telescope)


async def test_slew_track_expose_and_park_behind_indis_own_alpaca_server(bridged: Bridged) -> None:
    mount, camera, telescope = bridged.mount, bridged.camera, bridged.telescope
    await mount.slew(HIGH)
    assert not telescope.really_moving, "its flag said so all the time; its position is what counts"
    status = await mount.status()
    assert separation_deg(status.pointing, HIGH) < 0.001
    assert status.tracking
    assert status.pier_side is PierSide.UNKNOWN
    await mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
    frame = await camera.expose(Exposure(exposure_s=3.0))
    assert frame.pixels.shape == (40, 60)
    assert frame.pixels[-1, 59] == 59  # the upper right corner
    assert frame.time_source is TimeSource.HOST
    assert frame.sensor_temperature_c is None
    await mount.park()
    assert (await mount.status()).parked
    assert not telescope.really_moving


async def test_what_it_cannot_be_trusted_with_is_refused_in_words(bridged: Bridged) -> None:
    await bridged.mount.slew(HIGH)
    assert not bridged.mount.capabilities.can_set_rates
    assert bridged.mount.capabilities.axis_speeds is None
    with pytest.raises(Refused, match="tracks stars only"):
        await bridged.mount.track(ra_deg_per_s=0.01, dec_deg_per_s=0.0)
    with pytest.raises(Refused, match="cannot be turned at a rate"):
        await bridged.mount.turn_axes(primary_deg_per_s=0.1, secondary_deg_per_s=0.0)
    with pytest.raises(Refused, match="it can bin up to 1"):
        await bridged.camera.expose(Exposure(exposure_s=1.0, binning=2))
    assert await bridged.mount.time_and_place() is None


async def test_a_cancelled_slew_stands_though_its_flag_never_said_that_it_moved(bridged: Bridged) -> None:
    with anyio.move_on_after(5.0):
        await bridged.mount.slew(HIGH)
    assert not bridged.telescope.really_moving
    assert not bridged.telescope.Tracking


async def test_a_mount_that_takes_an_abort_and_goes_on_is_found_out_though_its_flag_says_that_it_stands(
    bridged: Bridged,
) -> None:
    """M05 with M03."""
    bridged.telescope.ignores = ("AbortSlew",)
    bridged.telescope.speed_deg_s = 1.0
    bridged.telescope.Tracking = True
    bridged.telescope.SlewToCoordinatesAsync(2.0, -40.0)
    began_s = anyio.current_time()
    with pytest.raises(TimedOut, match="abort: not done within 8 s"):
        await bridged.mount.abort()
    assert anyio.current_time() - began_s <= 10.0


async def test_a_mount_that_drifts_on_after_its_abort_is_found_out_within_ten_seconds(bridged: Bridged) -> None:
    class Drifting(IndiTelescope):
        """At a twentieth of a degree a second: less than between two looks in a row would be seen."""

        @property
        def Declination(self) -> float:  # noqa: N802
            return -20.0 + 0.05 * self._clock()

        Tracking = False
        Slewing = False

    bridged.telescope.__class__ = Drifting
    began_s = anyio.current_time()
    with pytest.raises(TimedOut, match="abort: not done within 8 s"):
        await bridged.mount.abort()
    assert anyio.current_time() - began_s <= 10.0


@pytest.mark.parametrize("speed_deg_s", [0.02, 0.5, 3.0])
async def test_no_slow_motion_passes_for_a_standstill(speed_deg_s: float, alpaca: FakeAlpaca, now: Now) -> None:
    class Creeping(FakeTelescope):
        creeps_deg_s = 0.0

        @property
        def Declination(self) -> float:  # noqa: N802
            return -40.0 + self.creeps_deg_s * self._clock() % 80.0

    telescope = alpaca.add("telescope", Creeping(alpaca.clock))
    telescope.flag_drops_early = True
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        telescope.creeps_deg_s = speed_deg_s
        with pytest.raises(TimedOut):
            await mount.abort()


async def test_a_mount_that_stands_while_the_sky_turns_is_seen_to_stand(alpaca: FakeAlpaca, now: Now) -> None:
    telescope = alpaca.add("telescope", FakeTelescope(alpaca.clock))
    async with connect_mount(AlpacaDevice(address=alpaca.address), now=now) as mount:
        before_deg = telescope.RightAscension * 15.0
        began_s = anyio.current_time()
        await anyio.sleep(600.0)
        await mount.abort()
        drifted_deg = telescope.RightAscension * 15.0 - before_deg
        assert drifted_deg == pytest.approx(SIDEREAL_DEG_PER_S * (anyio.current_time() - began_s), rel=0.01)


async def test_a_monitor_that_says_safe_and_not_connected_is_a_lost_connection(alpaca: FakeAlpaca, now: Now) -> None:
    class Unplugged(FakeDevice):
        IsSafe = True

    monitor = alpaca.add("safetymonitor", Unplugged(alpaca.clock))
    async with connect_safety_monitor(AlpacaDevice(address=alpaca.address), now=now) as connected:
        assert await connected.is_safe()
        monitor.Connected = False
        with pytest.raises(ConnectionLost, match="not connected to its instruments"):
            await connected.is_safe()


async def test_a_camera_that_says_connected_and_answers_nothing_is_not_seated(alpaca: FakeAlpaca, now: Now) -> None:
    """P09: Connected is true of a camera that is not plugged in; its size is what nobody can tell then."""

    class Unplugged(IndiCamera):
        lacks = (*IndiCamera.lacks, "CameraXSize")

    alpaca.add("camera", Unplugged(alpaca.clock, lambda _: DUSK))
    with pytest.raises((Refused, Malfunction), match="CameraXSize"):
        async with connect_camera(AlpacaDevice(address=alpaca.address), now=now):
            pytest.fail("it was accepted")
