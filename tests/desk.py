"""A station on a desk: simulated observatory and emulated platform on loopback, and a station file between them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.alpaca.app import alpaca_app
from simulators.api.app import emulator_app
from simulators.api.catalogue import satellite_id_of
from simulators.api.records import Task
from simulators.api.scenarios import Night
from simulators.api.switches import Switches
from simulators.api.world import World
from simulators.clock import SimulatedClock
from simulators.night.settings import NightSettings
from simulators.night.station_file import Addresses, station_toml
from simulators.observatory import Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.serving import Served
from simulators.sky.earth import Ground
from simulators.sky.render import Sky
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue

# The Sun goes below −12° over the Front Range at about 0:44 UTC on that evening.
DUSK = datetime(2026, 11, 23, 0, 45, tzinfo=UTC)
RIDGE = Ground(38.84, -104.97, 1900.0)
TOKEN = "citra_pat_CANARY_desk"

# The field of a sensor of the usual size with few pixels: a frame is quick to draw.
SMALL_CAMERA = CameraSettings(width_px=128, height_px=128, pixel_size_um=118.4)


@dataclass(frozen=True)
class Desk:
    """What stands on it. `station` is the station file; its state folder is `state`."""

    folder: Path
    clock: SimulatedClock
    observatory: Observatory
    world: World
    devices: Served
    platform: Served
    station: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def telescope_id(self) -> str:
        return str(next(iter(self.world.telescopes)))

    def turn(self, **switches: Any) -> None:
        """Have the platform behave otherwise from now on."""
        self.world.turn(Switches(**switches))

    def ask_for(self, satellite: "SlowSatellite", *, opens: datetime, closes: datetime) -> Task:
        """Have the platform ask the telescope for it."""
        telescope = next(iter(self.world.telescopes.values()))
        task = Task(
            id=self.world.new_id(),
            created_at=opens,
            updated_at=opens,
            opens=opens,
            closes=closes,
            requester_id=telescope.owner_id,
            satellite_id=satellite_id_of(satellite.norad_id),
            telescope_id=telescope.id,
        )
        self.world.tasks[task.id] = task
        return task

    def rewrite(self, before: str, after: str) -> None:
        """Change the station file; what is changed must be there, once."""
        text = self.station.read_text()
        assert text.count(before) == 1, f"{before!r} is there {text.count(before)} times"
        self.station.write_text(text.replace(before, after))

    def add(self, text: str) -> None:
        self.station.write_text(self.station.read_text() + text)


@contextmanager
def on_the_desk(
    folder: Path,
    *,
    rate: float = 60.0,
    tasks: int = 6,
    hours: float = 1.0,
    before_dusk: timedelta = timedelta(minutes=6),
    seed: int = 3,
) -> Iterator[Desk]:
    """Everything served from threads of this process until the block is left. It is `before_dusk` now."""
    begins = DUSK
    clock = SimulatedClock(starts_at=begins - before_dusk, anchored_unix_s=time.time(), rate=rate)
    swarm = Swarm.from_synthetic(begins, seed)
    sky = Sky(StarCatalogue.load(), swarm, RIDGE, seed)
    observatory = Observatory(clock, RIDGE, sky, seed=seed, settings=ObservatorySettings(cameras=(SMALL_CAMERA,)))
    ends = begins + timedelta(hours=hours)
    night = Night(opens=begins, closes=ends, token=TOKEN, task_count=tasks, seed=seed)
    world = World.for_night(clock=clock, swarm=swarm, ground=RIDGE, night=night, uploads_folder=folder / "uploads")
    with Served(alpaca_app(observatory)) as devices, Served(emulator_app(world)) as platform:
        desk = Desk(
            folder=folder,
            clock=clock,
            observatory=observatory,
            world=world,
            devices=devices,
            platform=platform,
            station=folder / "station.toml",
        )
        addresses = Addresses(observatory=devices.address, api=platform.address, telescope_id=desk.telescope_id)
        text = station_toml(
            a_night(rate=rate, hours=hours, out=folder),
            addresses,
            clock=clock,
            ends_at=ends,
            state_folder=desk.state,
        )
        desk.station.write_text(text)
        yield desk


@dataclass(frozen=True)
class SlowSatellite:
    """A geostationary satellite, well up, lit all night, and past its highest point: best observed at once."""

    name: str
    norad_id: int
    lines: tuple[str, str]


def a_slow_satellite(seed: int = 3) -> SlowSatellite:
    swarm = Swarm.from_synthetic(DUSK, seed)
    now, soon = (swarm.astrometric(None, RIDGE, DUSK + timedelta(hours=hours)).altitude_deg for hours in (0, 3))
    for index, elements in enumerate(swarm.elements):
        if elements.name.startswith("GEO ") and elements.lines is not None and now[index] > soon[index] > 35.0:
            return SlowSatellite(name=elements.name, norad_id=elements.norad_id, lines=elements.lines)
    raise AssertionError("no geostationary satellite is up")


def a_night(**changes: Any) -> NightSettings:
    """Two hours over the Front Range in a November, unless told otherwise."""
    usual = NightSettings(
        evening=date(2026, 11, 22),
        hours=2.0,
        rate=60.0,
        ground=RIDGE,
        task_count=4,
        seed=1,
        mount="german",
        elements=None,
        out=Path("night"),
    )
    return replace(usual, **changes)
