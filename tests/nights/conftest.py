"""Whole nights in seconds: the real station on a loop whose time jumps, simulated devices without a network, and the
emulated platform behind an HTTP transport without a socket.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx
import pytest

from bridge.api.client import open_api
from bridge.assembly import Surroundings
from bridge.clock import LoopClock
from bridge.config import Settings
from bridge.connections import Connections
from bridge.events import Event, Telemetry
from bridge.station import Station
from bridge.stopping import StopWord
from bridge.storage.frames import open_frame_folder
from bridge.storage.store import Store, open_store
from bridge.tasks import Task
from bridge.timekeeping import RehearsalTimekeeping
from schedules.requests import ObservationRequest
from simulators.api.app import emulator_app
from simulators.api.records import TaskStatus
from simulators.api.scenarios import Night
from simulators.api.world import World
from simulators.direct import DirectObservatory
from simulators.faults import Fault, FaultKind
from simulators.observatory import Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.sky.earth import Ground
from simulators.sky.render import Sky
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue

# The Sun goes below −12° over the Front Range at about 0:44 UTC on that evening.
DUSK = datetime(2026, 11, 23, 0, 45, tzinfo=UTC)
GROUND = Ground(38.84, -104.97, 1900.0)
TOKEN = "citra_pat_of_the_night"

_Device = TypeVar("_Device")

# A sensor of the usual size with few pixels: the field is that of the real one, and a frame is quick to draw.
SMALL_CAMERA = CameraSettings(width_px=128, height_px=128, pixel_size_um=118.4)


@dataclass
class SimulatedNight:
    """A station about to observe under a simulated sky. `hours` of darkness from dusk, `task_count` tasks."""

    folder: Path
    hours: float = 1.0
    task_count: int = 8
    seed: int = 3
    keep_free_bytes: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    faults: list[Callable[[Observatory], None]] = field(default_factory=list)
    meanwhile: list[Callable[["SimulatedNight"], Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    platform: World | None = None
    observatory: Observatory | None = None
    store: Store | None = None
    clock: LoopClock | None = None
    api_away: tuple[float, float] | None = None
    line: "Line | None" = None
    exit_code: int | None = None
    stop: StopWord = field(default_factory=StopWord)

    def hang(self, device: str, method: str, *, after_min: float, for_min: float) -> None:
        self._fault(FaultKind.HANG, device, method, after_min, for_min)

    def refuse(self, device: str, method: str, *, after_min: float, for_min: float) -> None:
        self._fault(FaultKind.REFUSE, device, method, after_min, for_min)

    def drop(self, device: str, method: str, *, after_min: float, for_min: float) -> None:
        self._fault(FaultKind.DROP, device, method, after_min, for_min)

    def lie(self, *, off_dec_deg: float, after_min: float, for_min: float) -> None:
        self._fault(FaultKind.LIE, "mount", "*", after_min, for_min, off_dec_deg=off_dec_deg)

    def goes_wrong(self, kind: FaultKind, device: str, method: str, *, after_min: float, for_min: float) -> None:
        self._fault(kind, device, method, after_min, for_min)

    def weather(self, *, safe: bool, after_min: float) -> None:
        async def turn(night: "SimulatedNight") -> None:
            await anyio.sleep(after_min * 60.0)
            night.the_observatory.weather.order(safe=safe, values={})

        self.meanwhile.append(turn)

    @property
    def the_observatory(self) -> Observatory:
        assert self.observatory is not None
        return self.observatory

    @property
    def statuses(self) -> dict[TaskStatus, int]:
        """The platform's tasks by status."""
        assert self.platform is not None
        found = [task.status for task in self.platform.tasks.values()]
        return {status: found.count(status) for status in found}

    def said(self, kind: type[Event]) -> list[Any]:
        """The events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    async def tasks(self) -> list[Task]:
        assert self.store is not None
        return await self.store.ledger.tasks()

    async def run(self, *, manual: tuple[ObservationRequest, ...] = (), until_min: float | None = None) -> int:
        """Fly the night to its end; gives the exit code."""
        async with AsyncExitStack() as stack:
            station = await self._built(stack)
            async with anyio.create_task_group() as beside:
                beside.start_soon(station.store.journal.keep, station.around.telemetry.subscribe())
                for deed in self.meanwhile:
                    beside.start_soon(deed, self)
                with anyio.move_on_after(None if until_min is None else until_min * 60.0):
                    self.exit_code = await station.run(list(manual))
                beside.cancel_scope.cancel()
            assert self.store is not None
            self.final = await self.tasks()
        return -1 if self.exit_code is None else self.exit_code

    async def _built(self, stack: AsyncExitStack) -> Station:
        self.clock = clock = LoopClock(DUSK - timedelta(minutes=6))
        swarm = Swarm.from_synthetic(DUSK, self.seed)
        sky = Sky(StarCatalogue.load(), swarm, GROUND, self.seed)
        choices = ObservatorySettings(cameras=(SMALL_CAMERA,))
        self.observatory = Observatory(clock, GROUND, sky, seed=self.seed, settings=choices)
        self.observatory.weather.order(safe=True, values={})
        for fault in self.faults:
            fault(self.observatory)
        ends = DUSK + timedelta(hours=self.hours)
        night = Night(opens=DUSK, closes=ends, token=TOKEN, task_count=self.task_count, seed=self.seed)
        if self.platform is None:
            self.platform = World.for_night(
                clock=clock, swarm=swarm, ground=GROUND, night=night, uploads_folder=self.folder / "uploads"
            )
        settings = self._settings(ends)
        telemetry = _Listening(self.events)
        around = Surroundings(
            settings=settings, clock=clock, timekeeping=RehearsalTimekeeping(), telemetry=telemetry, patience=1.0
        )
        self.store = await stack.enter_async_context(
            open_store(self.folder / "ledger.sqlite", clock=clock, telemetry=telemetry)
        )
        frames = await stack.enter_async_context(
            open_frame_folder(self.folder / "frames", keep_free_bytes=self.keep_free_bytes)
        )
        self.line = Line(httpx.ASGITransport(emulator_app(self.platform)), clock, self.api_away)
        api = await stack.enter_async_context(
            open_api(settings.api, clock=clock, telemetry=telemetry, transport=self.line)
        )
        devices = _connections(DirectObservatory(self.observatory))
        return Station(around=around, store=self.store, folder=frames, connections=devices, api=api, stop=self.stop)

    def _settings(self, ends: datetime) -> Settings:
        assert self.platform is not None
        device = {"address": "127.0.0.1:1"}
        table: dict[str, Any] = {
            "state_folder": str(self.folder),
            "api": {
                "url": "http://127.0.0.1:2",
                "telescope_id": str(next(iter(self.platform.telescopes))),
                "token": TOKEN,
            },
            "site": {"latitude_deg": 38.84, "longitude_deg": -104.97, "elevation_m": 1900.0},
            "mount": {
                **device, "slew_speed_deg_s": 4.0, "slew_acceleration_deg_s2": 2.0, "settle_s": 1.0
            },
            "camera": {**device, "focal_length_mm": 400.0, "aperture_mm": 100.0, "cool_to_c": -10.0},
            "filter_wheel": device,
            "dome": device,
            "cover": device,
            "rotator": {**device, "position_angle_deg": 90.0},
            "safety_monitor": device,
            "conditions": device,
            "rehearsal": {
                "starts_at": DUSK, "anchored_unix_s": 0.0, "rate": 1.0, "ends_at": ends,
            },
        }  # fmt: skip
        for name, values in self.settings.items():
            table[name] = {**table.get(name, {}), **values}
        return Settings.model_validate(table)

    def _fault(self, kind: FaultKind, device: str, method: str, after_min: float, for_min: float, **how: float) -> None:
        begins = DUSK + timedelta(minutes=after_min)

        def add(observatory: Observatory) -> None:
            fault = Fault(kind=kind, device=device, method=method, begins=begins, for_s=for_min * 60.0, **how)  # type: ignore[arg-type]
            observatory.faults.add(fault)

        self.faults.append(add)


class _Listening(Telemetry):
    """Telemetry whose every event is kept for the test."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self._events = events

    def publish(self, event: Event) -> None:
        self._events.append(event)
        super().publish(event)


class Line(httpx.AsyncBaseTransport):
    """The line to the platform; cut between two instants (minutes after dusk). Notes when somebody got through."""

    def __init__(self, inner: httpx.ASGITransport, clock: LoopClock, away: tuple[float, float] | None) -> None:
        self._inner = inner
        self._clock = clock
        self._away = away
        self.refused = 0
        self.answered_at: list[datetime] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        after_min = (self._clock.now() - DUSK).total_seconds() / 60.0
        if self._away is not None and self._away[0] <= after_min < self._away[1]:
            self.refused += 1
            raise httpx.ConnectError("the line is cut", request=request)
        self.answered_at.append(self._clock.now())
        return await self._inner.handle_async_request(request)


def _connections(direct: DirectObservatory) -> Connections:
    assert direct.filter_wheel is not None
    assert direct.dome is not None
    assert direct.cover is not None
    assert direct.rotator is not None
    return Connections(
        mount=partial(_given, direct.mount),
        camera=partial(_given, direct.camera),
        filter_wheel=partial(_given, direct.filter_wheel),
        focuser=None,
        dome=partial(_given, direct.dome),
        safety_monitor=partial(_given, direct.safety_monitor),
        conditions=partial(_given, direct.conditions),
        cover=partial(_given, direct.cover),
        rotator=partial(_given, direct.rotator),
    )


@asynccontextmanager
async def _given(device: _Device) -> AsyncIterator[_Device]:
    yield device


@pytest.fixture
def night(tmp_path: Path) -> SimulatedNight:
    """A calm night of one hour with eight tasks; a test changes what it is about."""
    return SimulatedNight(folder=tmp_path)
