"""The emulated platform in the same process, on loop time, behind a wire that can be cut; and a client on it."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from bridge.api.client import CitraApi, open_api
from bridge.clock import LoopClock
from bridge.config import ApiSettings
from bridge.events import Event, Telemetry
from bridge.storage.frames import write_frame
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource, TaskState
from simulators.api import Switches, World, emulator_app
from simulators.api.catalogue import Catalogue, satellite_id_of
from simulators.api.records import AccessToken, Account, GroundStation, Task, Telescope
from simulators.sky.satellites import Swarm
from tests.bridge.delivering import Capture, request_for

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
CANARY = "citra_pat_CANARY_4f1c"

DEMOSATS = """DEMOSAT 1
1 90001U 26001A   26110.50000000  .00001200  00000+0  30000-4 0  9993
2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006
"""


Answer = tuple[int, dict[str, str], bytes]


def in_json(content: object, *, status: int = 200) -> Answer:
    return status, {"content-type": "application/json"}, json.dumps(content).encode()


class Body(httpx.AsyncByteStream):
    """A body in pieces, never whole in advance."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 1 << 16):
            yield self._content[start : start + (1 << 16)]


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """The network between us and the platform. `down`: nobody answers. `lose`: the next answers to requests whose
    "METHOD path" begins so are lost on the way back, after the platform acted. `instead`: somebody else answers those,
    always with the same status, headers and body. `between` may answer in the platform's place, request by request.
    `saw` is every request that arrived.
    """

    inner: httpx.AsyncBaseTransport
    down: bool = False
    lose: list[str] = field(default_factory=list)
    instead: dict[str, Answer] = field(default_factory=dict)
    between: Callable[[httpx.Request], Answer | None] = lambda _: None
    tried: int = 0
    saw: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.tried += 1
        if self.down:
            raise httpx.ConnectError("connection refused", request=request)
        self.saw.append(request)
        what = f"{request.method} {request.url.path}"
        said = next((one for beginning, one in self.instead.items() if what.startswith(beginning)), None)
        said = self.between(request) if said is None else said
        if said is not None:
            status, headers, body = said
            return httpx.Response(status, headers=headers, stream=Body(body), request=request)
        try:
            response = await self.inner.handle_async_request(request)
        except ConnectionResetError as error:
            raise httpx.ReadError(str(error), request=request) from error
        lost = next((one for one in self.lose if what.startswith(one)), None)
        if lost is not None:
            self.lose.remove(lost)
            await response.aclose()
            raise httpx.ReadError("the connection was reset", request=request)
        return response

    def say(self, beginning: str, content: object, *, status: int = 200) -> None:
        """Answer these requests with this JSON."""
        self.instead[beginning] = in_json(content, status=status)

    def calls(self, what: str) -> list[httpx.Request]:
        return [one for one in self.saw if f"{one.method} {one.url.path}".startswith(what)]


@dataclass
class Platform:
    """The emulated platform and what in it is ours."""

    world: World
    wire: Wire
    telescope_id: UUID
    station_id: UUID
    satellite_id: UUID
    settings: ApiSettings
    clock: LoopClock
    telemetry: Telemetry

    def turn(self, **switches: Any) -> None:
        self.world.turn(Switches.model_validate(self.world.switches.model_dump() | switches))

    def add_task(self, **changes: Any) -> Task:
        described: dict[str, Any] = {
            "id": uuid4(),
            "created_at": EVENING,
            "updated_at": EVENING,
            "opens": EVENING + timedelta(minutes=10),
            "closes": EVENING + timedelta(minutes=40),
            "requester_id": next(iter(self.world.accounts)),
            "satellite_id": self.satellite_id,
            "telescope_id": self.telescope_id,
        }
        task = Task(**(described | changes))
        self.world.tasks[task.id] = task
        return task

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CitraApi]:
        async with open_api(self.settings, clock=self.clock, telemetry=self.telemetry, transport=self.wire) as api:
            yield api


@pytest.fixture(scope="session")
def swarm() -> Swarm:
    return Swarm(Swarm.from_text(DEMOSATS).elements)


@pytest.fixture
async def clock() -> LoopClock:
    return LoopClock(EVENING)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def heard(telemetry: Telemetry) -> Callable[[], list[Event]]:
    """All events since the last look."""
    subscription = telemetry.subscribe()

    def since() -> list[Event]:
        events = list(subscription._queue)
        subscription._queue.clear()
        return events

    return since


@pytest.fixture
def platform(swarm: Swarm, tmp_path: Path, clock: LoopClock, telemetry: Telemetry) -> Platform:
    return a_platform(swarm, tmp_path / "uploads", clock, telemetry)


def a_platform(swarm: Swarm, uploads_folder: Path, clock: LoopClock, telemetry: Telemetry) -> Platform:
    """With one account, one ground station and its telescope."""
    world = World(clock=clock, catalogue=Catalogue(swarm), uploads_folder=uploads_folder, seed=5)
    observer = Account(
        id=uuid4(), username="ridge_observer", created_at=EVENING, tier_expires_at=EVENING + timedelta(days=200)
    )
    world.accounts[observer.id] = observer
    world.tokens[CANARY] = AccessToken(id=uuid4(), account_id=observer.id, name="station", created_at=EVENING)
    station = GroundStation(
        id=uuid4(),
        owner_id=observer.id,
        name="Ridge Site",
        latitude_deg=38.8412,
        longitude_deg=-105.0437,
        altitude_m=2740.0,
        created_at=EVENING,
        updated_at=EVENING,
    )
    world.stations[station.id] = station
    telescope = Telescope(
        id=uuid4(),
        owner_id=observer.id,
        ground_station_id=station.id,
        created_at=EVENING,
        name="Ridge 80mm",
        angular_noise_arcsec=2.0,
        max_magnitude=12.5,
        min_elevation_deg=20.0,
        max_slew_rate_deg_s=4.0,
        home_azimuth_deg=180.0,
        home_elevation_deg=30.0,
        automated_scheduling=True,
        width_px=1936,
        height_px=1096,
        pixel_size_um=5.86,
        focal_length_mm=400.0,
        focal_ratio=5.0,
    )
    world.telescopes[telescope.id] = telescope
    wire = Wire(httpx.ASGITransport(emulator_app(world)))
    settings = ApiSettings(
        url="http://127.0.0.1:8080", telescope_id=str(telescope.id), token=SecretStr(CANARY), poll_s=15.0
    )
    return Platform(
        world=world,
        wire=wire,
        telescope_id=telescope.id,
        station_id=station.id,
        satellite_id=satellite_id_of(90001),
        settings=settings,
        clock=clock,
        telemetry=telemetry,
    )


@pytest.fixture
async def api(platform: Platform) -> AsyncIterator[CitraApi]:
    async with platform.open() as opened:
        yield opened


@pytest.fixture
async def store(tmp_path: Path, platform: Any) -> AsyncIterator[Store]:
    async with open_store(tmp_path / "ledger.sqlite", clock=platform.clock, telemetry=platform.telemetry) as opened:
        yield opened


@pytest.fixture
def capture(store: Store, platform: Any, tmp_path: Path) -> Capture:
    """Observe a task: frames on disk and in the ledger, CAPTURED, or as an attempt that broke off leaves it."""

    async def captured(
        task: Task | None = None,
        *,
        frames: int = 2,
        store: Store = store,
        content: bytes | None = None,
        to: TaskState = TaskState.CAPTURED,
    ) -> str:
        task_id = f"manual {uuid4()}" if task is None else str(task.id)
        source = TaskSource.MANUAL if task is None else TaskSource.API
        request = request_for(task_id, EVENING + timedelta(minutes=30) if task is None else task.closes)
        await store.ledger.file_tasks([request], source=source)
        await store.ledger.advance(task_id, TaskState.OBSERVING)
        for number in range(1, frames + 1):
            frame = await store.frames.reserve_frame(task_id, number=number, total=frames)
            path = tmp_path / frame.file_name
            cards = [("FRAMEID", frame.frame_id, ""), ("DATE-OBS", "2026-04-21T03:14:20.450000", "")]
            file = write_frame(path, cards, np.zeros((24, 60), dtype=np.uint16))
            if content is not None:
                path.write_bytes(content)
                file = replace(file, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
            await store.frames.record_frame(frame, file, started_at=EVENING, ended_at=EVENING)
        await store.ledger.advance(task_id, to)
        return task_id

    return captured
