"""The two servers of a simulated night, each in a process of its own. The first line printed says where it listens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import typer
import uvicorn
from starlette.applications import Starlette

from drivers.values import MountKind
from simulators.alpaca.app import alpaca_app
from simulators.api.app import emulator_app
from simulators.api.scenarios import Night
from simulators.api.world import World
from simulators.clock import SimulatedClock
from simulators.observatory import Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.physics.dome import DomeSettings
from simulators.physics.filter_wheel import FilterWheelSettings
from simulators.physics.focuser import FocuserSettings
from simulators.physics.mount import MountSettings
from simulators.serving import listening
from simulators.sky.earth import Ground
from simulators.sky.render import Sky
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservatoryChoices:
    """What `nightbridge-sim observatory` was asked for."""

    host: str
    port: int
    ground: Ground
    mount: str
    cameras: int
    dome: bool
    discovery: bool
    elements: Path | None
    clock: SimulatedClock
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChoices:
    """What `nightbridge-sim api` was asked for."""

    host: str
    port: int
    ground: Ground
    elements: Path | None
    task_count: int
    hours: float
    begins: datetime
    uploads_folder: Path
    token: str
    clock: SimulatedClock
    seed: int


def swarm_for(elements: Path | None, epoch: datetime, seed: int) -> Swarm:
    """The satellites of a night: from a file, or synthetic ones with epochs just before `epoch`."""
    if elements is None:
        return Swarm.from_synthetic(epoch, seed)
    return Swarm.from_text(elements.read_text(encoding="utf-8"))


def serve_observatory(choices: ObservatoryChoices) -> None:
    """Serve the Alpaca devices until told to stop."""
    swarm = swarm_for(choices.elements, choices.clock.starts_at, choices.seed)
    sky = Sky(StarCatalogue.load(), swarm, choices.ground, choices.seed)
    settings = ObservatorySettings(
        mount=MountSettings(kind=MountKind(choices.mount)),
        cameras=(CameraSettings(),) * choices.cameras,
        filter_wheels=(FilterWheelSettings(),) * choices.cameras,
        focusers=(FocuserSettings(),) * choices.cameras,
        dome=DomeSettings() if choices.dome else None,
    )
    observatory = Observatory(choices.clock, choices.ground, sky, seed=choices.seed, settings=settings)
    _serve(alpaca_app(observatory), choices.host, choices.port, "observatory")


def serve_platform(choices: PlatformChoices) -> None:
    """Serve the emulated API until told to stop."""
    night = Night(
        opens=choices.begins,
        closes=choices.begins + timedelta(hours=choices.hours),
        token=choices.token,
        task_count=choices.task_count,
        seed=choices.seed,
    )
    world = World.for_night(
        clock=choices.clock,
        swarm=swarm_for(choices.elements, choices.clock.starts_at, choices.seed),
        ground=choices.ground,
        night=night,
        uploads_folder=choices.uploads_folder,
    )
    telescope_id = next(iter(world.telescopes))
    _serve(emulator_app(world), choices.host, choices.port, "api", f"telescope {telescope_id}")


def _serve(app: Starlette, host: str, port: int, name: str, more: str = "") -> None:
    listener = listening(host, port)
    bound_port = listener.getsockname()[1]
    typer.echo(f"{name} listens on {host}:{bound_port} {more}".rstrip())
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    uvicorn.Server(config).run(sockets=[listener])
