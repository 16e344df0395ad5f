"""What drivers of real mounts say of themselves, without their hardware: each in its simulation, on one server.

What a driver shows and what it does are two things: which rates are followed is known for some, and measured for all
(`nightbridge calibrate mount`).
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bridge.clock import SystemClock
from drivers.config import IndiDevice
from drivers.connect import connect_mount
from drivers.errors import Refused
from drivers.values import ElementLines, EquatorialSystem
from simulators.indi.server import IndiServer, indiserver_missing

pytestmark = pytest.mark.wire

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
}


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndiServer]:
    if missing := indiserver_missing(list(DRIVERS)):
        pytest.skip(missing)
    with IndiServer(list(DRIVERS), folder=tmp_path_factory.mktemp("indi-drivers")) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            for said in DRIVERS.values():
                on = "<oneSwitch name='ENABLE'>On</oneSwitch>"
                simulated = f"<newSwitchVector device='{said.device}' name='SIMULATION'>{on}</newSwitchVector>"
                client.sendall(simulated.encode())
        yield server


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


async def test_a_mount_that_computes_orbits_takes_one_with_its_window(drivers: IndiServer) -> None:
    device = IndiDevice(driver="indi", address=drivers.address, device="10micron")
    now = datetime.now(UTC)
    async with connect_mount(device, now=SystemClock().now) as mount:
        await mount.follow_orbit(ISS, opens=now + timedelta(minutes=1), closes=now + timedelta(minutes=6))
