"""INDI's own simulators in our time and under our sky; and any INDI mount as what our own cameras look along."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.clock import SimulatedClock
from simulators.indi.bent_time import BentTime
from simulators.indi.field import Field
from simulators.indi.listener import CAMERA_NAME, MOUNT_NAME, Listener
from simulators.indi.overheard import Overheard
from simulators.indi.path import MountPath
from simulators.indi.sensor import Sensor
from simulators.indi.server import SIMULATORS, IndiServer, IndiServerFailed, free_port
from simulators.indi.stars import StarServer
from simulators.indi.upsets import Upsets
from simulators.indi.wishes import Wish, numbers, texts
from simulators.physics.filter_wheel import FilterWheelSettings
from simulators.sky.earth import Ground
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue

WHEEL_NAME = "Filter Simulator"
_SET_WITHIN_S = 30.0
# The platform's tasks ask for the filters of our own wheel; INDI's has eight slots.
_FILTERS = (*(one.name for one in FilterWheelSettings().filters), "SII", "OIII", "Ha", "Luminance")[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndiChoices:
    """What is to run: INDI's simulators by their short names ("telescope"), on a port, 0 for any free one."""

    port: int
    devices: tuple[str, ...]
    ground: Ground
    clock: SimulatedClock


@dataclass(frozen=True, slots=True, kw_only=True)
class IndiWorld:
    """What runs: the server, and what is known of its frames."""

    server: IndiServer
    stars: StarServer
    clock: SimulatedClock


@contextmanager
def indi_world(choices: IndiChoices, swarm: Swarm) -> Iterator[IndiWorld]:
    """`indiserver` with its simulators in the time of the clock and under our sky, until leaving the block.

    Raises:
        IndiServerFailed, NoBentTime: Debian's indi-bin or faketime is not installed, or does not work.
    """
    clock, port, path, sensor = choices.clock, choices.port or free_port(), MountPath(choices.ground), Sensor()
    field = Field(stars=StarCatalogue.load(), swarm=swarm, ground=choices.ground, sensor=sensor)
    size = sensor.size(CAMERA_NAME)  # this one it does not find in its settings by itself
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightbridge-indi-")))
        bent = stack.enter_context(BentTime(clock))
        listener = Listener("127.0.0.1", port, now=clock.now, path=path, wishes=[size, sensor.blur(CAMERA_NAME)])
        stars = stack.enter_context(StarServer(field, path, listener, now=clock.now, rate=clock.rate))
        stars.write_script(folder / "bin")
        server = IndiServer(
            [SIMULATORS[name] for name in choices.devices],
            folder=folder,
            port=port,
            environment=bent.environment,
            path_first=folder / "bin",
            saved=_settings(choices, sensor),
        )
        stack.enter_context(server)
        stack.enter_context(listener)
        if "ccd" in choices.devices and not listener.granted(size, _SET_WITHIN_S):
            raise IndiServerFailed(f"{CAMERA_NAME} does not take {size.name}: {server.last_words()}")
        yield IndiWorld(server=server, stars=stars, clock=clock)


@contextmanager
def followed_mount(address: str, ground: Ground, clock: SimulatedClock) -> Iterator[MountPath]:
    """Where the telescope simulator of an INDI server (host:port) looks, as long as the block lasts."""
    host, _, port = address.rpartition(":")
    path = MountPath(ground)
    with Listener(host.strip("[]"), int(port), now=clock.now, path=path):
        yield path


def frames_app(world: IndiWorld, upsets: Upsets | None = None, overheard: Overheard | None = None) -> Starlette:
    """GET /_observatory/frames: what each light frame truly shows, as the Alpaca observatory tells it; upsets, and what
    the server was sent meanwhile.
    """

    async def frames(_: Request) -> Response:
        truths = await run_in_threadpool(world.stars.truths, world.clock.now())
        instants = ({"started_at": one.started_at.isoformat(), "mid_at": one.mid_at.isoformat()} for one in truths)
        return JSONResponse([asdict(one) | texts for one, texts in zip(truths, instants, strict=True)])

    async def done(_: Request) -> Response:
        happened = upsets.done if upsets is not None else []
        return JSONResponse(
            [{"what": one.what, "at": one.at.isoformat(), "until": one.until.isoformat()} for one in happened]
        )

    async def commands(_: Request) -> Response:
        sent = [] if overheard is None else overheard.commands
        return JSONResponse([asdict(one) | {"at": one.at.isoformat()} for one in sent])

    return Starlette(
        routes=[
            Route("/_observatory/frames", frames),
            Route("/_observatory/upsets", done),
            Route("/_observatory/commands", commands),
        ]
    )


def _settings(choices: IndiChoices, sensor: Sensor) -> tuple[Wish, ...]:
    """Where the mount stands and what it carries, and how the wheel is filled."""
    ground = choices.ground
    place = numbers(
        MOUNT_NAME,
        "GEOGRAPHIC_COORD",
        LAT=ground.latitude_deg,
        LONG=ground.longitude_deg % 360.0,
        ELEV=ground.elevation_m,
    )
    slots = {f"FILTER_SLOT_NAME_{number}": name for number, name in enumerate(_FILTERS, start=1)}
    return place, sensor.optics(MOUNT_NAME), texts(WHEEL_NAME, "FILTER_NAME", **slots)
