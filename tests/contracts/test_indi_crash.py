"""A driver of INDI's that crashes in an exposure, on purpose: the server starts it again, and we find it there."""

from collections.abc import Iterator

import anyio
import pytest

from bridge.clock import SystemClock
from drivers.config import IndiDevice
from drivers.connect import connect_camera
from drivers.errors import ConnectionLost
from drivers.protocols import Camera
from drivers.values import CameraState, Exposure
from simulators.indi.server import CCD, IndiServer
from tests.contracts.indi import lacking

pytestmark = pytest.mark.wire

CRASH = (
    b"<newSwitchVector device='CCD Simulator' name='CCD_SIMULATE_CRASH'>"
    b"<oneSwitch name='CRASH'>On</oneSwitch></newSwitchVector>"
)


@pytest.fixture(params=["native", "pyindi"])
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndiDevice]:
    if missing := lacking(request.param):
        pytest.skip(missing)
    with IndiServer([CCD], folder=tmp_path_factory.mktemp("indi-crash")) as server:
        yield IndiDevice(driver="indi", address=server.address, device="CCD Simulator", link=request.param)


async def crashed_when_exposing(camera: Camera, address: str) -> None:
    while (await camera.status()).state is not CameraState.EXPOSING:
        await anyio.sleep(0.02)
    host, _, port = address.partition(":")
    async with await anyio.connect_tcp(host, int(port)) as another:
        await another.send(CRASH)


async def test_a_crash_in_an_exposure_is_a_lost_connection_and_the_driver_is_found_again(settings: IndiDevice) -> None:
    async with connect_camera(settings, now=SystemClock().now) as camera, anyio.create_task_group() as group:
        group.start_soon(crashed_when_exposing, camera, settings.address)
        with anyio.fail_after(60.0), pytest.raises(ConnectionLost, match="restarted"):
            await camera.expose(Exposure(exposure_s=600.0))
        with pytest.raises(ConnectionLost):
            await camera.status()
    async with connect_camera(settings, now=SystemClock().now) as camera:
        frame = await camera.expose(Exposure(exposure_s=0.1))
        assert frame.pixels.shape == (camera.capabilities.height_px, camera.capabilities.width_px)
