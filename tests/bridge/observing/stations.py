"""A simulated telescope with the station's own parts around it, on a loop that jumps."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from numpy.typing import NDArray

from bridge.assembly import Assembly, Surroundings
from bridge.clock import Clock, LoopClock
from bridge.config import Settings
from bridge.events import Event, Telemetry
from bridge.observing.gate import Gate
from bridge.observing.keeping import Keeper
from bridge.observing.night import Night
from bridge.observing.observatory import Observatory
from bridge.observing.observe import Observer
from bridge.observing.safety import Watch, conditions_source, monitor_source, roof_source
from bridge.observing.seats import Seat, Seats
from bridge.observing.turns import Turns
from bridge.storage.frames import open_frame_folder
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource
from bridge.timekeeping import RehearsalTimekeeping, Timekeeping
from drivers.protocols import Mount
from drivers.threads import Worker
from schedules.elements import satellite_from_tle
from schedules.ephemeris import Ephemeris
from schedules.exposures import Collect
from schedules.places import ICRS
from schedules.plans import PlannedObservation
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Satellite, Star, Target
from schedules.windows import AccessWindow
from simulators.direct import DirectObservatory
from simulators.faults import Fault, FaultKind
from simulators.observatory import Observatory as SimulatedObservatory
from simulators.observatory import ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.physics.cover import CoverSettings
from simulators.physics.dome import DomeSettings
from simulators.physics.mount import MountSettings
from simulators.sky.earth import Ground
from simulators.sky.render import Look
from simulators.sky.satellites import Swarm

# The Sun goes below −12° over the Front Range at about 0:44 UTC on that evening.
DUSK = datetime(2026, 11, 23, 0, 45, tzinfo=UTC)
GROUND = Ground(38.84, -104.97, 1900.0)
STEADY_MOUNT = MountSettings()
STEADY_DOME = DomeSettings()
# A field of 2.3° over few pixels.
SMALL_CAMERA = CameraSettings(width_px=32, height_px=32, pixel_size_um=500.0)


class BlankSky:
    """Pictures without a star: quick to draw. Where the telescope looked is told by the observatory's own truth."""

    def frame(self, look: Look) -> NDArray[np.uint16]:
        return np.full((look.height_px, look.width_px), 300, dtype=np.uint16)

    def targets_in(self, look: Look) -> Sequence[tuple[int, float, float]]:
        return []


@cache
def swarm() -> Swarm:
    return Swarm.from_synthetic(DUSK, 3)


def satellite(index: int) -> Satellite:
    """One of the simulated sky's, as the bridge reads its element set."""
    line1, line2 = swarm().lines[index]
    return satellite_from_tle(line1, line2, name=swarm().names[index], source="the simulated sky")


def up_now(kind: str, at: datetime, *, count: int = 1, above_deg: float = 30.0) -> list[int]:
    """Satellites whose name begins so (LEO, MEO, GEO, HEO) and that stand high and in the Sun at that instant."""
    seen = swarm().astrometric(None, GROUND, at)
    up = np.flatnonzero((seen.altitude_deg > above_deg) & seen.sunlit)
    found = [int(index) for index in up if swarm().names[index].startswith(kind)][:count]
    assert len(found) == count, f"not {count} {kind} above {above_deg}° at {at}"
    return found


def a_star(name: str = "Star", *, ra_deg: float = 300.0, dec_deg: float = 40.0) -> Star:
    """High in the evening of DUSK, and past the meridian: it is best seen at once."""
    return Star(name=name, icrs=ICRS(ra_deg=ra_deg, dec_deg=dec_deg))


def a_request(target: Target, request_id: str = "task-1", **changes: Any) -> ObservationRequest:
    facts: dict[str, Any] = {
        "request_id": request_id,
        "target": target,
        "opens": DUSK,
        "closes": DUSK + timedelta(hours=2),
        "priority": 5.0,
        "filter_name": "",
        "exposure_s": 2.0,
        "frame_count": 3,
        "binning": 1,
        "collect": CollectShape.AUTO,
    }
    return ObservationRequest(**(facts | changes))


def a_plan_for(
    request: ObservationRequest, *, starts_at: datetime, lasts_s: float = 600.0, shape: CollectShape
) -> PlannedObservation:
    """As the planner would hand it over; the window opens at `starts_at` and lasts so long."""
    ends_at = starts_at + timedelta(seconds=lasts_s)
    window = AccessWindow(
        rise=starts_at,
        culmination=starts_at,
        set=ends_at,
        peak_altitude_deg=60.0,
        rise_azimuth_deg=100.0,
        culmination_azimuth_deg=180.0,
        set_azimuth_deg=260.0,
    )
    collect = Collect(
        shape=shape, exposure_s=request.exposure_s, frame_count=request.frame_count, frame_spacing_s=4.0, why="a test"
    )
    return PlannedObservation(
        request=request, window=window, collect=collect, leave_at=starts_at, starts_at=starts_at, ends_at=ends_at
    )


class Listening(Telemetry):
    """Telemetry whose every event is kept for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def publish(self, event: Event) -> None:
        self.events.append(event)
        super().publish(event)


@dataclass
class Scope:
    """The station's parts, and the simulated observatory whose truth they are held against."""

    clock: LoopClock
    simulated: SimulatedObservatory
    settings: Settings
    telemetry: Listening
    store: Store
    seats: Seats
    watch: Watch
    gate: Gate
    keeper: Keeper
    observatory: Observatory
    night: Night
    assembly: Assembly
    connections: dict[str, int] = field(default_factory=dict)

    @property
    def observer(self) -> Observer:
        return self.turns.observer

    @property
    def turns(self) -> Turns:
        return self.night.turns

    def said(self, kind: type[Event]) -> list[Any]:
        """The events of one kind, in order."""
        return [event for event in self.telemetry.events if isinstance(event, kind)]

    def goes_wrong(
        self, kind: FaultKind, device: str, method: str = "*", *, for_s: float = 36_000.0, **how: Any
    ) -> None:
        """From now on."""
        begins = self.clock.now()
        self.simulated.faults.add(Fault(kind=kind, device=device, method=method, begins=begins, for_s=for_s, **how))

    def is_well_again(self) -> None:
        self.simulated.faults.replace([])

    async def file(self, *requests: ObservationRequest) -> None:
        await self.store.ledger.file_tasks(requests, source=TaskSource.MANUAL)

    async def states(self) -> dict[str, str]:
        return {task.task_id: str(task.state) for task in await self.store.ledger.tasks()}

    def after(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)


@asynccontextmanager
async def a_scope(
    folder: Path,
    *,
    ephemeris: Ephemeris,
    starts_at: datetime = DUSK,
    mount: MountSettings = STEADY_MOUNT,
    dome: bool = True,
    simulated_dome: DomeSettings = STEADY_DOME,
    settings: dict[str, Any] | None = None,
    opened: bool = True,
    driver: Callable[[Mount], Mount] = lambda mount: mount,
    camera: CameraSettings = SMALL_CAMERA,
    timekeeping: Timekeeping | None = None,
    bridge_clock: Callable[[Clock], Clock] = lambda clock: clock,
    in_the_beam: bool = False,
) -> AsyncIterator[Scope]:
    """Connected and watched; `opened`: the dome open and the mount awake. `driver` stands before the mount,
    `bridge_clock` before the true time. `in_the_beam`: with a cover, closed at first, a rotator and a focuser.
    """
    clock, telemetry = LoopClock(starts_at), Listening()
    choices = ObservatorySettings(
        cameras=(camera,),
        mount=mount,
        dome=simulated_dome if dome else None,
        cover=CoverSettings(starts_open=False),
    )
    simulated = SimulatedObservatory(clock, GROUND, BlankSky(), seed=3, settings=choices)
    simulated.weather.order(safe=True, values={})
    wanted = _settings(folder, dome=dome, changes=settings or {})
    around = Surroundings(
        settings=wanted,
        clock=bridge_clock(clock),
        timekeeping=timekeeping or RehearsalTimekeeping(),
        telemetry=telemetry,
        patience=1.0,
    )
    connections: dict[str, int] = {}
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(folder / "ledger.sqlite", clock=clock, telemetry=telemetry))
        frames = await stack.enter_async_context(open_frame_folder(folder / "frames", keep_free_bytes=0))
        direct = DirectObservatory(simulated)
        seats = _seats(direct, connections, driver, in_the_beam=in_the_beam)
        for seat in seats:
            await seat.connect()
        assembly = Assembly(around=around, store=store, folder=frames, seats=seats, ephemeris=ephemeris, card=None)
        sources = {
            "safety monitor": monitor_source(Seat("safety monitor", partial(_given, direct.safety_monitor, {}))),
            "weather station": conditions_source(
                Seat("weather station", partial(_given, direct.conditions, {})), wanted.safety.at_most
            ),
        }
        watch = assembly.watch(sources)
        gate = assembly.gate(watch)
        if seats.dome is not None:
            sources["dome"] = roof_source(seats.dome, gate.saw_roof)
        observatory = assembly.observatory(gate)
        keeper = assembly.keeper(station_name="Ridge", telescope_name="Ridge 90")
        thinker = Worker("thinker")
        stack.callback(thinker.close)
        night = assembly.night(observatory, watch, keeper, thinker, unsafe_lately=False)
        async with anyio.create_task_group() as beside:
            beside.start_soon(watch.run)
            beside.start_soon(keeper.run)
            try:
                await anyio.sleep(0.1)
                if opened:
                    await observatory.open()
                yield Scope(
                    clock=clock,
                    simulated=simulated,
                    settings=wanted,
                    telemetry=telemetry,
                    store=store,
                    seats=seats,
                    watch=watch,
                    gate=gate,
                    keeper=keeper,
                    observatory=observatory,
                    night=night,
                    assembly=assembly,
                    connections=connections,
                )
            finally:
                keeper.close()
            await keeper.drained.wait()
            beside.cancel_scope.cancel()


def _seats(
    direct: DirectObservatory, connections: dict[str, int], driver: Callable[[Mount], Mount], *, in_the_beam: bool
) -> Seats:
    assert direct.filter_wheel is not None
    rotator = Seat("rotator", partial(_given, direct.rotator, connections))
    cover = Seat("cover", partial(_given, direct.cover, connections))
    focuser = Seat("focuser", partial(_given, direct.focuser, connections))
    return Seats(
        mount=Seat("mount", partial(_driven, direct.mount, connections, driver)),
        camera=Seat("camera", partial(_given, direct.camera, connections)),
        filter_wheel=Seat("filter wheel", partial(_given, direct.filter_wheel, connections)),
        focuser=focuser if in_the_beam else None,
        dome=None if direct.dome is None else Seat("dome", partial(_given, direct.dome, connections)),
        rotator=rotator if in_the_beam else None,
        cover=cover if in_the_beam else None,
    )


@asynccontextmanager
async def _driven(mount: Any, connections: dict[str, int], driver: Callable[[Mount], Mount]) -> AsyncIterator[Mount]:
    async with _given(mount, connections) as device:
        yield driver(device)


@asynccontextmanager
async def _given(device: Any, connections: dict[str, int]) -> AsyncIterator[Any]:
    """The device, connected as its protocol has it; how often is counted."""
    async with device:
        connections[device.name] = connections.get(device.name, 0) + 1
        yield device


def _settings(folder: Path, *, dome: bool, changes: dict[str, Any]) -> Settings:
    device = {"address": "127.0.0.1:1"}
    table: dict[str, Any] = {
        "state_folder": str(folder),
        "site": {"latitude_deg": 38.84, "longitude_deg": -104.97, "elevation_m": 1900.0},
        "mount": {**device, "slew_speed_deg_s": 4.0, "slew_acceleration_deg_s2": 2.0, "settle_s": 1.0},
        "camera": {**device, "focal_length_mm": 400.0, "aperture_mm": 100.0},
        "filter_wheel": device,
        "safety_monitor": device,
        "conditions": device,
    }
    if dome:
        table["dome"] = device
    for name, values in changes.items():
        table[name] = {**table.get(name, {}), **values}
    return Settings.model_validate(table)
