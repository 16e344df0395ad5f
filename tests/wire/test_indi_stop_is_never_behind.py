"""A stop of an INDI device is behind nothing: it reaches the server while the device's own connection is stuck there.

Each round gets something stuck, sees that it is, stops, and lets it go only afterwards: so what is shown is an order,
not a speed. `NIGHTBRIDGE_STOPS=1000 pytest tests/wire/test_indi_stop_is_never_behind.py` does a thousand rounds of each
kind, and then also holds each of them to a second.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
import httpx
import pytest

from drivers.config import IndiDevice
from drivers.connect import connect_camera, connect_dome, connect_mount, stop_mount
from drivers.errors import DeviceError
from drivers.protocols import Camera, Dome, Mount
from drivers.values import Equatorial, EquatorialSystem, Exposure
from tests.drivers.indi.fake_camera import FakeCamera
from tests.drivers.indi.fake_indi import FakeDevice, FakeIndi, FakeProperty, Values, say_nothing, slowly
from tests.drivers.indi.fake_mount import FakeMount

pytestmark = pytest.mark.wire(rate=30.0)

ROUNDS = int(os.environ.get("NIGHTBRIDGE_STOPS", "4"))
BEGINS = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
HIGH = Equatorial(ra_deg=120.0, dec_deg=20.0, system=EquatorialSystem.APPARENT)
LONG = Exposure(exposure_s=3000.0)
SLEW, ABORT, TURN = "EQUATORIAL_EOD_COORD", "TELESCOPE_ABORT_MOTION", "ABS_DOME_POSITION"

# In the order in which they are made: each device has its own, and one for its stop.
MOUNTS, CAMERAS, DOMES = 0, 2, 4
WORD = (
    b"<setTextVector device='Mount' name='NOTE' state='Ok'><oneText name='NOTE'>all is well</oneText></setTextVector>\n"
)
A_PICTURE_BYTES = 1_000_000
PICTURE = (  # of another chip, so that nobody waits for it
    b"<setBLOBVector device='Camera' name='CCD2' state='Ok'>"
    + f"<oneBLOB name='CCD2' size='{A_PICTURE_BYTES // 4 * 3}' enclen='{A_PICTURE_BYTES}' format='.fits'>\n".encode()
    + b"A" * A_PICTURE_BYTES
    + b"\n</oneBLOB></setBLOBVector>\n"
)


class Slow(FakeDevice):
    """It is told to connect, and that hangs; a mount, as far as anybody can see."""

    def switch(self, *, on: bool) -> None: ...


def a_dome() -> FakeDevice:
    dome = FakeDevice(
        "Dome",
        FakeProperty("Number", TURN, {"DOME_ABSOLUTE_POSITION": 0.0}, limits=(0.0, 360.0)),
        FakeProperty("Switch", "DOME_SHUTTER", {"SHUTTER_OPEN": False, "SHUTTER_CLOSE": True}, state="Ok"),
        FakeProperty("Switch", "DOME_ABORT_MOTION", {"ABORT": False}, rule="AtMostOne"),
    )
    dome.reactions |= {TURN: slowly(3000.0), "DOME_ABORT_MOTION": _end_turn}
    return dome


def _end_turn(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
    device.tell(prop, state="Ok", ABORT=False)
    device.tell(device.also[TURN], state="Idle")


class Site:
    """A mount, a camera and a dome on one server."""

    def __init__(self) -> None:
        self.fakes: dict[str, FakeDevice] = {
            "Mount": FakeMount(),
            "Camera": FakeCamera(BEGINS),
            "Dome": a_dome(),
            "Slow": Slow("Slow"),
        }
        self.stuck = False
        self.server = FakeIndi(list(self.fakes.values()))
        self.mount: Mount
        self.camera: Camera
        self.dome: Dome

    def settings(self, device: str) -> IndiDevice:
        return IndiDevice(driver="indi", address=self.server.address, device=device)

    def stick(self, connection: int, *, saying: bytes = b"") -> None:
        self.stuck = True
        self.server.stick(connection, saying=saying)

    def let_go(self) -> None:
        self.stuck = False
        self.server.let_go()

    def told(self, device: str, prop: str) -> int:
        return self.fakes[device].times(prop)


def now() -> datetime:
    return BEGINS


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr("drivers.indi.heartbeat.LEAST_REAL_S", 60.0)  # what is stuck is not to be given up for lost
    site = Site()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(site.server)
        site.mount = await stack.enter_async_context(connect_mount(site.settings("Mount"), now=now))
        site.camera = await stack.enter_async_context(connect_camera(site.settings("Camera"), now=now))
        site.dome = await stack.enter_async_context(connect_dome(site.settings("Dome"), now=now))
        assert site.server.connections_made == 6
        yield site


Call = Callable[[Site], Awaitable[object]]


async def _slew(site: Site) -> None:
    await site.mount.slew(HIGH)


async def _slew_unread(site: Site) -> None:
    await site.mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)  # so that the slew itself is the first it is told
    site.stick(MOUNTS)
    await site.mount.slew(HIGH)


async def _slew_behind_half_a_word(site: Site) -> None:
    await site.mount.track(ra_deg_per_s=0.0, dec_deg_per_s=0.0)
    site.stick(MOUNTS, saying=WORD)
    await site.mount.slew(HIGH)


async def _expose(site: Site) -> None:
    await site.camera.expose(LONG)


async def _expose_and_get_half_a_picture(site: Site) -> None:
    async def half() -> None:
        while not site.told("Camera", "CCD_EXPOSURE"):
            await anyio.sleep(0.03)
        site.stick(CAMERAS, saying=PICTURE)

    async with anyio.create_task_group() as group:
        group.start_soon(half)
        await site.camera.expose(LONG)


async def _expose_unread(site: Site) -> None:
    site.stick(CAMERAS)
    await site.camera.expose(LONG)


async def _turn_unread(site: Site) -> None:
    site.stick(DOMES)
    await site.dome.slew_to(90.0)


async def _connect_another(site: Site) -> None:
    async with connect_mount(site.settings("Slow"), now=now):
        pass


async def _ask_the_platform(site: Site) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    async with await asyncio.start_server(never, "127.0.0.1") as platform, httpx.AsyncClient(timeout=60.0) as client:
        await client.get(f"http://127.0.0.1:{platform.sockets[0].getsockname()[1]}/tasks")


@dataclass(frozen=True)
class Hang:
    """A call that hangs, the command of it that hangs, and whether that has reached the device by then."""

    call: Call
    command: tuple[str, str] | None
    came: bool = True

    def hangs(self, site: Site) -> bool:
        if self.command is None:
            return True
        return site.told(*self.command) >= 1 if self.came else site.stuck and not site.told(*self.command)


async def rounds(
    site: Site, hang: Hang, stop: Callable[[], Awaitable[object]], *, stopped: tuple[str, str]
) -> list[float]:
    """How long each stop took from the word to the device, while the call hung."""
    took_s: list[float] = []
    arrived = _arrivals(site.fakes[stopped[0]], stopped[1])
    for _ in range(ROUNDS):
        for one in site.fakes.values():
            one.commands.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(_in_vain, hang.call, site)
            await anyio.sleep(0.3)
            await _soon(lambda: hang.hangs(site))
            arrived.clear()
            told_s = time.perf_counter()
            await stop()
            assert arrived, "stopped without the device's knowledge"
            took_s.append(arrived[0] - told_s)
            assert hang.hangs(site), "it did not hang any more"
            group.cancel_scope.cancel()
        site.let_go()
        await _soon(lambda: hang.command is None or site.told(*hang.command) >= 1)
        await anyio.sleep(0.3)
        await _soon(lambda: _at_rest(site))
    return took_s


def _arrivals(fake: FakeDevice, prop: str) -> list[float]:
    """When each command of this property came."""
    arrived: list[float] = []
    take = fake.take

    def note(name: str, values: Values) -> None:
        if name == prop:
            arrived.append(time.perf_counter())
        take(name, values)

    fake.take = note  # type: ignore[method-assign]
    return arrived


async def _soon(so: Callable[[], bool]) -> None:
    with anyio.fail_after(300.0):  # ten seconds of life
        while not so():
            await anyio.sleep(0.03)


def _at_rest(site: Site) -> bool:
    """What was stuck has come by now, and the stop behind it."""
    mount, camera, dome = (site.fakes[name] for name in ("Mount", "Camera", "Dome"))
    assert isinstance(mount, FakeMount)
    assert isinstance(camera, FakeCamera)
    moving = mount.goal is not None or mount.tracking or dome.also[TURN].state == "Busy"
    return not moving and camera.exposure.state != "Busy"


async def _in_vain(call: Call, site: Site) -> None:
    with suppress(DeviceError, httpx.HTTPError):
        await call(site)


def hold(took_s: list[float]) -> None:
    assert len(took_s) == ROUNDS
    assert min(took_s) >= 0.0
    if "NIGHTBRIDGE_STOPS" in os.environ:
        assert max(took_s) <= 1.0
        print(f"{len(took_s)} stops, the slowest at the device after {1000.0 * max(took_s):.1f} ms")  # noqa: T201


A_SLEW, AN_EXPOSURE, A_TURN = ("Mount", SLEW), ("Camera", "CCD_EXPOSURE"), ("Dome", TURN)
A_CONNECT = Hang(_connect_another, ("Slow", "CONNECTION"))
HALF_A_PICTURE = Hang(_expose_and_get_half_a_picture, AN_EXPOSURE)
AN_UNREAD_TURN = Hang(_turn_unread, A_TURN, came=False)
HANGS: dict[str, Hang] = {
    "a slew without an answer": Hang(_slew, A_SLEW),
    "a slew that is not read": Hang(_slew_unread, A_SLEW, came=False),
    "half a word to the mount's own connection": Hang(_slew_behind_half_a_word, A_SLEW, came=False),
    "an exposure": Hang(_expose, AN_EXPOSURE),
    "half a picture": HALF_A_PICTURE,
    "a dome that is not read": AN_UNREAD_TURN,
    "a Connect": A_CONNECT,
    "the platform": Hang(_ask_the_platform, None),
}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", HANGS)
async def test_the_mounts_stop_arrives_while_something_hangs(what: str, site: Site) -> None:
    if what == "a slew without an answer":
        site.fakes["Mount"].reactions[SLEW] = say_nothing
    hold(await rounds(site, HANGS[what], site.mount.abort, stopped=("Mount", ABORT)))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", ["half a picture", "an exposure that is not read"])
async def test_a_cameras_stop_arrives_while_its_own_connection_is_stuck(what: str, site: Site) -> None:
    await site.camera.expose(Exposure(exposure_s=0.01))  # which sets what is set but once
    await anyio.sleep(1.0)  # until it says that it is over
    hang = HALF_A_PICTURE if what == "half a picture" else Hang(_expose_unread, AN_EXPOSURE, came=False)
    hold(await rounds(site, hang, site.camera.abort, stopped=("Camera", "CCD_ABORT_EXPOSURE")))


@pytest.mark.timeout(1800)
async def test_a_domes_stop_arrives_while_its_own_connection_is_stuck(site: Site) -> None:
    hold(await rounds(site, AN_UNREAD_TURN, site.dome.abort, stopped=("Dome", "DOME_ABORT_MOTION")))


@pytest.mark.timeout(1800)
async def test_a_mount_whose_connect_hangs_is_stopped_by_its_address_alone(site: Site) -> None:
    async def stop() -> None:
        await stop_mount(site.settings("Slow"))
        assert ("TELESCOPE_TRACK_STATE", {"TRACK_OFF": True}) in site.fakes["Slow"].commands

    hold(await rounds(site, A_CONNECT, stop, stopped=("Slow", ABORT)))


async def test_a_device_whose_second_connection_is_lost_counts_as_lost(site: Site) -> None:
    """It could not be stopped for sure: it is connected anew, with both."""
    site.server._writers[MOUNTS + 1].transport.abort()
    await anyio.sleep(1.0)
    with pytest.raises(DeviceError, match="the connection for its stop"):
        await site.mount.status()
