"""What drivers of real mounts say of themselves, without their hardware: each in its simulation, on one server.

What a driver shows and what it does are two things: which rates are followed is known for some, and measured for all
(`nightbridge calibrate mount`).
"""

import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from bridge.calibration.measured import Way
from bridge.clock import SystemClock
from bridge.observing.helm import Helm
from drivers.config import IndiDevice
from drivers.connect import connect_mount
from drivers.errors import Refused
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.protocols import Mount
from drivers.values import ElementLines, EquatorialSystem
from simulators.indi.server import IndiServer, indiserver_missing

pytestmark = pytest.mark.wire

SIMULATION_DEFINED = re.compile(rb'<defSwitchVector device="([^"]*)" name="SIMULATION"')
SIMULATION_ON = re.compile(
    rb'<setSwitchVector device="([^"]*)" name="SIMULATION"[^>]*>\s*<oneSwitch name="ENABLE">\s*On'
)

ISS = ElementLines(
    name="ISS (ZARYA)",
    line1="1 25544U 98067A   26326.50000000  .00016717  00000-0  10270-3 0  9005",
    line2="2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537",
)


@dataclass(frozen=True)
class Said:
    """What is known of a driver of INDI 1.9.9."""

    device: str
    rates: bool
    orbits: bool = False


DRIVERS = {
    "indi_lx200_10micron": Said("10micron", rates=False, orbits=True),  # shows TRACK_CUSTOM, and has no code for it
    "indi_lx200_OnStep": Said("LX200 OnStep", rates=True),
    "indi_lx200ap_v2": Said("AstroPhysics V2", rates=True),
    "indi_ioptronv3_telescope": Said("iOptronV3", rates=False),  # right ascension alone
    "indi_pmc8_telescope": Said("PMC8", rates=False),  # right ascension alone
    "indi_astrotrac_telescope": Said("AstroTrac", rates=True),
    "indi_celestron_gps": Said("Celestron GPS", rates=False),  # knows no rates of one's own
}


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndiServer]:
    if missing := indiserver_missing(list(DRIVERS)):
        pytest.skip(missing)
    with IndiServer(list(DRIVERS), folder=tmp_path_factory.mktemp("indi-drivers")) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60.0) as client:
            simulate(client, {said.device for said in DRIVERS.values()})
        yield server


def simulate(client: socket.socket, devices: set[str]) -> None:
    """Switch the simulation of each on once its driver has said that it has one; return when all say that they do."""
    client.sendall(b"<getProperties version='1.7'/>")
    heard, told, simulated = b"", set[str](), set[str]()
    while simulated != devices:
        more = client.recv(1 << 20)
        assert more, f"the server has gone; {devices - simulated} do not simulate yet"
        heard += more
        defined = {one.decode() for one in SIMULATION_DEFINED.findall(heard)} & devices
        for device in defined - told:
            on = "<oneSwitch name='ENABLE'>On</oneSwitch>"
            client.sendall(f"<newSwitchVector device='{device}' name='SIMULATION'>{on}</newSwitchVector>".encode())
        told |= defined
        simulated |= {one.decode() for one in SIMULATION_ON.findall(heard)} & devices


@pytest.mark.parametrize("program", DRIVERS)
async def test_what_a_driver_can_do_is_found_out_when_it_is_connected(program: str, drivers: IndiServer) -> None:
    said = DRIVERS[program]
    device = IndiDevice(driver="indi", address=drivers.address, device=said.device)
    async with connect_mount(device, now=SystemClock().now) as mount:
        able = mount.capabilities
        assert able.system is EquatorialSystem.APPARENT
        assert (able.can_park, able.can_sync, able.axis_speeds) == (True, True, None)
        assert (able.can_set_rates, able.can_follow_orbits) == (said.rates, said.orbits)
        assert program in able.driver
        status = await mount.status()
        assert not status.slewing
        assert await mount.time_and_place() is not None
        if not said.rates:
            with pytest.raises(Refused, match="stars only"):
                await mount.track(ra_deg_per_s=0.01, dec_deg_per_s=0.0)


@asynccontextmanager
async def watched_10micron(drivers: IndiServer) -> AsyncIterator[tuple[Mount, Link]]:
    """The mount, and what its driver says on a connection of ours."""
    device = IndiDevice(driver="indi", address=drivers.address, device="10micron")
    async with connect_mount(device, now=SystemClock().now) as mount, connected("watch", device) as watch:
        opens = datetime.now(UTC) + timedelta(minutes=1)
        await mount.follow_orbit(ISS, opens=opens, closes=opens + timedelta(minutes=5))
        await soon(lambda: watch.switch("SAT_TRACKING_STAT", "SAT_TRACK"))
        assert watch.text("SAT_PASS_WINDOW", "SAT_PASS_WINDOW_START") == opens.strftime("%Y-%m-%dT%H:%M:%S")
        yield mount, watch


async def soon(so: Callable[[], bool]) -> None:
    with anyio.fail_after(10.0):
        while not so():
            await anyio.sleep(0.02)


def halted(watch: Link) -> bool:
    return watch.switch("SAT_TRACKING_STAT", "SAT_HALT") and not watch.switch("SAT_TRACKING_STAT", "SAT_TRACK")


async def test_a_real_driver_takes_an_orbit_with_its_window(drivers: IndiServer) -> None:
    async with watched_10micron(drivers) as (_, watch):
        assert watch.text("SAT_TLE_TEXT", "TLE").startswith(ISS.name)
        assert watch.state("SAT_TLE_TEXT") is PropertyState.OK
        assert watch.state("SAT_PASS_WINDOW") is PropertyState.OK
        assert watch.state("SAT_TRACKING_STAT") is PropertyState.OK


async def test_a_mount_that_follows_an_orbit_says_that_it_tracks(drivers: IndiServer) -> None:
    """Its driver does not: whoever lets go of a mount that does not track would leave it following."""
    async with watched_10micron(drivers) as (mount, watch):
        assert not watch.switch("TELESCOPE_TRACK_STATE", "TRACK_ON")
        assert (await mount.status()).tracking
        await mount.stop_tracking()
        await soon(lambda: halted(watch))
        assert not (await mount.status()).tracking


async def test_a_helm_lets_go_of_an_orbit(drivers: IndiServer) -> None:
    """By the bridge's own way of it; the driver refuses to be told to track the stars, so it is left standing."""
    async with watched_10micron(drivers) as (mount, watch):
        clock = SystemClock()
        until = clock.now() + timedelta(minutes=6)
        helm = Helm(mount=mount, way=Way.ORBIT, bounds_deg_s=(1.0, 1.0), until=until, clock=clock)
        await helm.follow_orbit(ISS, closes=until)
        await helm.let_go()
        await soon(lambda: halted(watch))
        status = await mount.status()
        assert not status.tracking
        assert not status.slewing


async def test_an_abort_halts_the_orbit_too(drivers: IndiServer) -> None:
    """The driver's own abort leaves it saying that it follows the satellite."""
    async with watched_10micron(drivers) as (mount, watch):
        await mount.abort()
        await soon(lambda: halted(watch))
        assert not (await mount.status()).tracking
