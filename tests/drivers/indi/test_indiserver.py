"""Both links against INDI's own server and simulators. Long counts: `python -m tests.bench.long_indi`."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal

import anyio
import pytest

from drivers.config import IndiDevice
from drivers.errors import ConnectionLost, Refused
from drivers.indi import heartbeat
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from simulators.indi.server import CCD, TELESCOPE, IndiServer, indiserver_missing
from tests.drivers.indi.conftest import needs_pyindi

MISSING = indiserver_missing((TELESCOPE, CCD))
pytestmark = [pytest.mark.wire, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

Kind = Literal["native", "pyindi"]
MOUNT = ("mount", "Telescope Simulator", ("EQUATORIAL_EOD_COORD", "TELESCOPE_ABORT_MOTION"))
CAMERA = ("camera", "CCD Simulator", ("CCD_EXPOSURE", "CCD1"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndiServer]:
    with IndiServer((TELESCOPE, CCD), folder=tmp_path_factory.mktemp("indi")) as server:
        yield server


@pytest.fixture(params=["native", pytest.param("pyindi", marks=needs_pyindi)])
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


def reach(server: IndiServer, what: tuple[str, str, tuple[str, ...]], kind: Kind) -> AbstractAsyncContextManager[Link]:
    role, device, needs = what
    settings = IndiDevice(driver="indi", address=server.address, device=device, link=kind)
    return connected(role, settings, needs=needs)


@needs_pyindi
@pytest.mark.parametrize("what", [MOUNT, CAMERA], ids=["mount", "camera"])
async def test_both_links_tell_the_same_of_every_property(
    server: IndiServer, what: tuple[str, str, tuple[str, ...]]
) -> None:
    async with reach(server, what, "native") as one, reach(server, what, "pyindi") as other:
        names = set(one._heard.kept)
        assert len(names) > 30
        assert names == set(other._heard.kept)
        for name in names:
            assert one.vector(name) == other.vector(name)


async def test_commands_are_set_and_none_is_lost_or_wrong(server: IndiServer, kind: Kind) -> None:
    async with reach(server, CAMERA, kind) as camera:
        for number in range(100):
            frame = {"X": number, "Y": 2 * number, "WIDTH": 640 - number, "HEIGHT": 512 - number}
            await camera.set_numbers("CCD_FRAME", frame, within_s=30.0)
            assert camera.numbers("CCD_FRAME") == frame


async def test_exposures_back_to_back_each_bring_their_own_picture(server: IndiServer, kind: Kind) -> None:
    async with reach(server, CAMERA, kind) as camera:
        for number in range(8):
            width = 100 + number
            await camera.set_numbers("CCD_FRAME", {"X": 0, "Y": 0, "WIDTH": width, "HEIGHT": 50}, within_s=30.0)
            count = camera.count("CCD1")
            exposure = {"CCD_EXPOSURE_VALUE": 0.1}
            await camera.set_numbers("CCD_EXPOSURE", exposure, within_s=30.0, finished=False)
            blob = await camera.next_blob("CCD1", after_count=count, within_s=60.0, alarm="CCD_EXPOSURE")
            assert blob.format == ".fits"
            assert f"NAXIS1  = {width:20d}".encode() in bytes(blob.body[:2880])


async def test_a_slew_is_set_about_and_aborted(server: IndiServer, kind: Kind) -> None:
    async with reach(server, MOUNT, kind) as mount:
        await mount.choose("TELESCOPE_PARK", "UNPARK", within_s=30.0)
        await mount.choose("ON_COORD_SET", "TRACK", within_s=30.0)
        place = {"RA": (mount.number("EQUATORIAL_EOD_COORD", "RA") + 3.0) % 24.0, "DEC": 10.0}
        await mount.set_numbers("EQUATORIAL_EOD_COORD", place, within_s=30.0, finished=False)
        assert mount.state("EQUATORIAL_EOD_COORD") is PropertyState.BUSY
        await mount.choose("TELESCOPE_ABORT_MOTION", "ABORT", within_s=30.0)
        while mount.state("EQUATORIAL_EOD_COORD") is PropertyState.BUSY:
            await mount.changed("EQUATORIAL_EOD_COORD", within_s=30.0)


async def test_what_the_driver_refuses_is_refused_in_its_words(server: IndiServer, kind: Kind) -> None:
    async with reach(server, CAMERA, kind) as camera:
        with pytest.raises(Refused, match="binning is not supported"):
            await camera.set_numbers("CCD_BINNING", {"HOR_BIN": 3, "VER_BIN": 3}, within_s=30.0)
        with pytest.raises(Refused, match="out of bounds"):
            await camera.set_numbers("CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 0.0}, within_s=30.0)


async def test_a_driver_that_crashes_is_a_lost_connection_and_is_found_again(server: IndiServer, kind: Kind) -> None:
    async with reach(server, CAMERA, kind) as camera:
        crash = {"CRASH"} & set(camera.vector("CCD_SIMULATE_CRASH").values)
        with pytest.raises(ConnectionLost, match="driver was restarted"):
            await camera.choose("CCD_SIMULATE_CRASH", crash.pop(), within_s=60.0)
    async with reach(server, CAMERA, kind) as camera:
        assert camera.switch("CONNECTION", "CONNECT")


async def test_a_server_killed_or_frozen_is_noticed_and_found_again_and_nothing_moves_by_itself(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.2)
    monkeypatch.setattr(heartbeat, "SILENT_S", 1.0)
    with IndiServer((TELESCOPE,), folder=tmp_path) as server, caplog.at_level(logging.ERROR):
        for fault in ("kill", "freeze"):
            async with reach(server, MOUNT, kind) as mount:
                await mount.choose("TELESCOPE_PARK", "UNPARK", within_s=30.0)
                place = {"RA": (mount.number("EQUATORIAL_EOD_COORD", "RA") + 6.0) % 24.0, "DEC": 0.0}
                await mount.set_numbers("EQUATORIAL_EOD_COORD", place, within_s=30.0, finished=False)
                server.kill() if fault == "kill" else os.kill(server.process_id, signal.SIGSTOP)
                with pytest.raises(ConnectionLost):
                    await mount.set_numbers("EQUATORIAL_EOD_COORD", place, within_s=600.0)
            server.start() if fault == "kill" else server.thaw()
            async with reach(server, MOUNT, kind) as mount:
                if fault == "kill":  # the driver is new
                    assert mount.state("EQUATORIAL_EOD_COORD") is not PropertyState.BUSY
                else:  # it was never told to stop, and by now it was told once more: by who asked, not by the link
                    await mount.choose("TELESCOPE_ABORT_MOTION", "ABORT", within_s=30.0)
                await anyio.sleep(0.5)
                assert mount.state("EQUATORIAL_EOD_COORD") is not PropertyState.BUSY
