"""The servers of a simulated night, each in a process of its own. The first line printed says where it listens."""

import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from drivers.values import MountKind
from simulators.alpaca.app import alpaca_app
from simulators.alpaca.discovery import DISCOVERY_PORT, LOOPBACK, answering_discovery
from simulators.alpaca.profiles import Profile
from simulators.alpaca.reset import Resettable
from simulators.api.app import emulator_app
from simulators.api.scenarios import Night
from simulators.api.world import World
from simulators.clock import SimulatedClock
from simulators.indi.overheard import Overheard
from simulators.indi.upsets import Upsets
from simulators.indi.world import IndiChoices, followed_mount, frames_app, indi_world
from simulators.links import Link, Links
from simulators.night.children import ended_by_sigterm
from simulators.observatory import Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.physics.dome import DomeSettings
from simulators.physics.filter_wheel import FilterWheelSettings
from simulators.physics.focuser import FocuserSettings
from simulators.physics.mount import MountSettings
from simulators.scenario import Scenario
from simulators.serving import listening
from simulators.sky.earth import Ground
from simulators.sky.render import Sky
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue

_ONLY_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservatoryChoices:
    """What `nightbridge-sim observatory` was asked for. The scenario begins at `begins`."""

    host: str
    port: int
    ground: Ground
    settings: ObservatorySettings
    scenario: Scenario | None
    discovery: bool
    elements: Path | None
    clock: SimulatedClock
    seed: int
    begins: datetime
    follow: str = ""
    profile: Profile = Profile.CONFORMANT


@dataclass(frozen=True, slots=True, kw_only=True)
class IndiServerChoices:
    """What `nightbridge-sim indi` was asked for. The server is upset every `upset_every_s` of the sky; 0 is never."""

    port: int
    devices: tuple[str, ...]
    ground: Ground
    elements: Path | None
    clock: SimulatedClock
    seed: int
    upset_every_s: float
    upset_from: datetime


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


def plain_settings(mount: str, cameras: int, *, dome: bool) -> ObservatorySettings:
    """An observatory of the usual devices; each camera has a filter wheel and a focuser."""
    return ObservatorySettings(
        mount=MountSettings(kind=MountKind(mount)),
        cameras=(CameraSettings(),) * cameras,
        filter_wheels=(FilterWheelSettings(),) * cameras,
        focusers=(FocuserSettings(),) * cameras,
        dome=DomeSettings() if dome else None,
    )


def serve_observatory(choices: ObservatoryChoices) -> None:
    """Serve the Alpaca devices until told to stop."""
    swarm = swarm_for(choices.elements, choices.clock.starts_at, choices.seed)
    stars, ground = StarCatalogue.load(), choices.ground
    listener = _listening(choices.host, choices.port)
    discovery = _found_by_discovery(choices.host, _port_of(listener)) if choices.discovery else None
    with ExitStack() as stack:
        aim = None
        if choices.follow:
            aim = stack.enter_context(followed_mount(choices.follow, choices.ground, choices.clock))
        found_by = iter([discovery])

        def build(seed: int, clock: SimulatedClock, begins: datetime) -> Starlette:
            sky = Sky(stars, swarm, ground, seed)
            observatory = Observatory(clock, ground, sky, seed=seed, settings=choices.settings, aim=aim)
            if choices.scenario is not None:
                first = begins == choices.clock.starts_at  # and not after a reset
                choices.scenario.begin(observatory, choices.begins if first else begins)
            return alpaca_app(observatory, profile=choices.profile, discovery=next(found_by, None))

        _serve(Resettable(build, choices.seed, choices.clock), listener, "observatory")


@asynccontextmanager
async def _found_by_discovery(host: str, port: int) -> AsyncGenerator[None, None]:
    """Whoever asks on the loopback network, or on all networks where the server listens on more, is told the port.

    A computer whose discovery port is held by a program that does not share it has an observatory all the same.
    """
    networks = LOOPBACK if host in _ONLY_HERE else ("0.0.0.0",)  # noqa: S104 (as wide as the server itself)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(answering_discovery(port, hosts=networks))
        except OSError as error:
            typer.echo(f"discovery is not answered: UDP port {DISCOVERY_PORT}: {error.strerror}", err=True)
        yield


def serve_indi(choices: IndiServerChoices) -> None:
    """Serve INDI's own simulators until told to stop; what their camera truly took is told over HTTP.

    Raises:
        IndiServerFailed, NoBentTime: Debian's indi-bin or faketime is not installed, or does not work.
    """
    swarm = swarm_for(choices.elements, choices.clock.starts_at, choices.seed)
    world = IndiChoices(port=choices.port, devices=choices.devices, ground=choices.ground, clock=choices.clock)
    with ended_by_sigterm(), indi_world(world, swarm) as running:
        truths = _listening("127.0.0.1", 0)
        address, upsets, overheard = running.server.address, None, None
        with ExitStack() as stack:
            if choices.upset_every_s > 0.0:
                first_at = choices.upset_from + timedelta(seconds=choices.upset_every_s)
                upsets = Upsets(running.server, choices.clock, first_at=first_at, every_s=choices.upset_every_s)
                stack.enter_context(upsets)
                overheard = Overheard(now=choices.clock.now)
                upstream = ("127.0.0.1", running.server.port)
                link = Link(upstream=upstream, troubles=(), clock=choices.clock, overhear=overheard.hear)
                address = stack.enter_context(Links([link])).addresses[0]
            app = frames_app(running, upsets, overheard)
            config = uvicorn.Config(app, log_level="warning", access_log=False)
            where = f"{address} frames at 127.0.0.1:{_port_of(truths)}"
            _Announced(config, f"indi listens on {where}").run(sockets=[truths])


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
    _serve(emulator_app(world), _listening(choices.host, choices.port), "api", f"telescope {telescope_id}")


def _serve(app: ASGIApp, listener: socket.socket, name: str, more: str = "") -> None:
    host = listener.getsockname()[0]
    shown = f"[{host}]" if ":" in host else host
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    config.date_header = name != "api"  # the platform says the date itself, by its own clock
    _Announced(config, f"{name} listens on {shown}:{_port_of(listener)} {more}".rstrip()).run(sockets=[listener])


class _Announced(uvicorn.Server):
    """Says so once it really serves: who reads the line may ask at once, also by discovery."""

    def __init__(self, config: uvicorn.Config, words: str) -> None:
        super().__init__(config)
        self._words = words

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            typer.echo(self._words)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return listening(host, port)
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
