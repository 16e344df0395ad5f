"""A stop of the mount is behind nothing: it reaches the server while another call is known to hang there.

Each round lets something hang, sees that it hangs, stops the mount, and lets the hanging thing go only afterwards: so
what is shown is an order, not a speed. `NIGHTBRIDGE_STOPS=1000 pytest tests/wire/test_stop_is_never_behind.py` does a
thousand rounds of each kind, and then also holds each of them to a second.
"""

import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import anyio
import httpx
import pytest

from drivers.config import AlpacaDevice
from drivers.connect import connect_camera, connect_dome, connect_filter_wheel, connect_mount, stop_mount
from drivers.errors import DeviceError, TimedOut
from drivers.protocols import Camera, Dome, FilterWheel, Mount
from drivers.values import Equatorial, EquatorialSystem, Exposure
from tests.drivers.fake_alpaca import FakeAlpaca
from tests.drivers.fake_devices import FakeCamera, FakeDome, FakeFilterWheel, FakeTelescope

pytestmark = pytest.mark.wire(rate=30.0)

ROUNDS = int(os.environ.get("NIGHTBRIDGE_STOPS", "8"))
BEGINS = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


class StoppedTelescope(FakeTelescope):
    """Notes when each stop arrives."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.stops: list[float] = []

    def AbortSlew(self) -> None:  # noqa: N802
        self.stops.append(time.perf_counter())
        super().AbortSlew()


class Hanging:
    """A call that hangs at the server until it is let go; the next one hangs again."""

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self._let_go = threading.Event()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self._hang()
        handler.close_connection = True

    def half_a_picture(self, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/imagebytes\r\nContent-Length: 4844\r\n\r\n")
        handler.wfile.write(b"\1\0\0\0" + bytes(12))
        handler.wfile.flush()
        self.answer(handler)

    def _hang(self) -> None:
        self.hangs.set()
        self._let_go.wait(60.0)

    def let_go(self) -> None:
        self._let_go.set()

    def again(self) -> None:
        self.hangs.clear()
        self._let_go.clear()


class Site:
    """A mount and what stands around it, each on the same server."""

    def __init__(self, server: FakeAlpaca, telescope: StoppedTelescope, now: Callable[[], datetime]) -> None:
        self.server = server
        self.telescope = telescope
        self.now = now
        self.settings = AlpacaDevice(address=server.address)
        self.hanging = Hanging()
        self.mount: Mount
        self.camera: Camera
        self.dome: Dome
        self.wheel: FilterWheel


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    clock = time.monotonic
    with FakeAlpaca(clock) as server:
        telescope = server.add("telescope", StoppedTelescope(clock))
        server.add("camera", FakeCamera(clock, lambda _: BEGINS)).readout_s = 0.0
        server.add("dome", FakeDome(clock))
        server.add("filterwheel", FakeFilterWheel(clock))
        site = Site(server, telescope, lambda: BEGINS)
        async with AsyncExitStack() as stack:
            site.mount = await stack.enter_async_context(connect_mount(site.settings, now=site.now))
            site.camera = await stack.enter_async_context(connect_camera(site.settings, now=site.now))
            site.dome = await stack.enter_async_context(connect_dome(site.settings, now=site.now))
            site.wheel = await stack.enter_async_context(connect_filter_wheel(site.settings, now=site.now))
            yield site


async def _connect_another_camera(site: Site) -> None:
    async with connect_camera(site.settings, now=site.now):
        pass


async def _ask_the_platform(site: Site) -> None:
    async with httpx.AsyncClient(timeout=60.0) as platform:
        await platform.get(f"http://{site.server.address}/api/v1/platform/0/tasks")


HIGH = Equatorial(ra_deg=120.0, dec_deg=20.0, system=EquatorialSystem.APPARENT)
Call = Callable[[Site], Awaitable[object]]
HANGS: dict[str, tuple[str, str, Call]] = {
    "a reading of the mount": ("telescope", "sideofpier", lambda site: site.mount.status()),
    "a slew of the mount": ("telescope", "slewtocoordinatesasync", lambda site: site.mount.slew(HIGH)),
    "the camera": ("camera", "ccdtemperature", lambda site: site.camera.status()),
    "an abort of the camera": ("camera", "camerastate", lambda site: site.camera.abort()),
    "the download of a picture": (
        "camera",
        "imagearray",
        lambda site: site.camera.expose(Exposure(exposure_s=0.01)),
    ),
    "the dome": ("dome", "azimuth", lambda site: site.dome.status()),
    "the filter wheel": ("filterwheel", "position", lambda site: site.wheel.selected()),
    "a Connect": ("camera", "connected", _connect_another_camera),
    "the platform": ("platform", "tasks", _ask_the_platform),
}


async def rounds(site: Site, call: Call, stop: Callable[[], Awaitable[object]]) -> list[float]:
    """How long each stop took from the word to the server, while `call` hung."""
    took_s = []
    for number in range(1, ROUNDS + 1):
        site.hanging.again()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_in_vain, call, site)
                while not site.hanging.hangs.is_set():
                    await anyio.sleep(0.03)
                told_s = time.perf_counter()
                # Whether it is seen to stand in time is no matter here: the loop runs faster than answers do.
                with suppress(TimedOut):
                    await stop()
                assert len(site.telescope.stops) >= number, "stopped without the server's knowledge"
                took_s.append(site.telescope.stops[-1] - told_s)
                assert took_s[-1] >= 0.0, "this was the stop of the round before"
                site.hanging.let_go()
        finally:
            site.hanging.let_go()
        site.telescope.stops[:] = site.telescope.stops[:number]
    return took_s


async def _in_vain(call: Call, site: Site) -> None:
    with suppress(DeviceError, httpx.HTTPError):
        await call(site)


def hold(took_s: list[float]) -> None:
    assert len(took_s) == ROUNDS
    if "NIGHTBRIDGE_STOPS" in os.environ:
        assert max(took_s) <= 1.0
        print(f"{len(took_s)} stops, the slowest at the server after {1000.0 * max(took_s):.1f} ms")  # noqa: T201


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", HANGS)
async def test_the_mounts_stop_arrives_while_something_else_hangs(what: str, site: Site) -> None:
    kind, member, call = HANGS[what]
    hangs = site.hanging.half_a_picture if member == "imagearray" else site.hanging.answer
    site.server.instead[kind, member] = hangs
    hold(await rounds(site, call, site.mount.abort))
    del site.server.instead[kind, member]


@pytest.mark.timeout(1800)
async def test_a_mount_whose_connect_hangs_is_stopped_by_its_address_alone(site: Site) -> None:
    async def connect(site: Site) -> None:
        async with connect_mount(site.settings, now=site.now):
            pass

    site.server.instead["telescope", "connected"] = site.hanging.answer

    async def stop() -> None:
        await stop_mount(site.settings)

    hold(await rounds(site, connect, stop))
    del site.server.instead["telescope", "connected"]
    assert not site.telescope.Tracking


@pytest.mark.parametrize("what", ["dome", "camera"])
async def test_a_stop_of_dome_and_camera_is_behind_none_of_their_own_calls(what: str, site: Site) -> None:
    member = {"dome": "slaved", "camera": "ccdtemperature"}[what]
    site.server.instead[what, member] = site.hanging.answer
    stopped = f"PUT {what}/0/{'abortslew' if what == 'dome' else 'abortexposure'}"

    async def call(site: Site) -> None:
        await (site.dome.slew_to(90.0) if what == "dome" else site.camera.expose(Exposure(exposure_s=60.0)))

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_in_vain, call, site)
            while not site.hanging.hangs.is_set():
                await anyio.sleep(0.03)
            await (site.dome.abort() if what == "dome" else site.camera.abort())
            assert site.server.times(stopped) == 1
            del site.server.instead[what, member]
            site.hanging.let_go()
    finally:
        site.hanging.let_go()


async def test_the_stops_connection_is_there_before_it_is_needed_and_stays(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a server has run out of connections, one that is open already still gets through."""
    monkeypatch.setattr("drivers.alpaca.link.KEEP_ALIVE_S", 0.0)  # any other link would take a new one each time
    ports: set[int] = set()

    def note(handler: BaseHTTPRequestHandler) -> None:
        ports.add(handler.client_address[1])
        handler.reply(b'{"ErrorNumber": 0, "ErrorMessage": ""}')  # type: ignore[attr-defined]

    site.server.instead["telescope", "abortslew"] = note
    for _ in range(3):
        await site.mount.abort()
    assert len(ports) == 1


async def test_a_stop_on_a_connection_that_died_unseen_is_sent_on_a_new_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a router that forgot it: what is sent is swallowed, and no answer comes."""
    monkeypatch.setattr("drivers.alpaca.link.KEEP_ALIVE_S", 0.0)
    ports: list[int] = []

    def swallow(handler: BaseHTTPRequestHandler) -> None:
        ports.append(handler.client_address[1])
        if len(ports) == 1:
            site.hanging.answer(handler)
        else:
            handler.reply(b'{"ErrorNumber": 0, "ErrorMessage": ""}')  # type: ignore[attr-defined]

    site.server.instead["telescope", "abortslew"] = swallow
    try:
        await site.mount.abort()
    finally:
        site.hanging.let_go()
    assert len(ports) == 2
    assert ports[0] != ports[1]
    assert not site.telescope.Tracking


async def test_a_stop_on_a_connection_that_the_server_closed_is_sent_on_a_new_one(site: Site) -> None:
    ports: list[int] = []

    def close(handler: BaseHTTPRequestHandler) -> None:
        ports.append(handler.client_address[1])
        handler.close_connection = True
        if len(ports) > 1:
            handler.reply(b'{"ErrorNumber": 0, "ErrorMessage": ""}')  # type: ignore[attr-defined]

    site.server.instead["telescope", "abortslew"] = close
    await site.mount.abort()
    assert len(set(ports)) == 2
