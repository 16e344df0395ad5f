"""What commands know of tonight: what is asked, what the telescope is, and the plan that follows."""

import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bridge.api.client import open_api
from bridge.assembly import Surroundings, darkness_of, limits_of
from bridge.calibration.measured import read_measured
from bridge.chores import StationCard
from bridge.errors import ApiError
from bridge.events import StationNote, TaskRefused
from bridge.fetching import TaskFetcher
from bridge.manual import read_task_file
from bridge.observing.dark import NightSpan
from bridge.observing.ladder import Ladder
from bridge.observing.pace import Pace
from bridge.observing.planning import Planning
from bridge.rig import ladder_for, telescope_of
from bridge.storage.store import open_store
from drivers import connect
from drivers.errors import DeviceError
from drivers.values import CameraCapabilities, EquatorialSystem, MountCapabilities, MountKind
from schedules.ephemeris import Ephemeris
from schedules.planner import Plan, PlannedObservation
from schedules.requests import ObservationRequest

# A telescope that cannot be reached is planned for as one like most.
_USUAL_MOUNT = MountCapabilities(
    system=EquatorialSystem.APPARENT,
    kind=MountKind.GERMAN,
    can_park=True,
    can_set_rates=True,
    can_sync=True,
    can_home=False,
)
_USUAL_CAMERA = CameraCapabilities(
    sensor_name="",
    width_px=2048,
    height_px=2048,
    pixel_size_um=5.0,
    max_binning=4,
    min_exposure_s=0.001,
    max_exposure_s=3600.0,
    can_abort=True,
    can_cool=False,
    electrons_per_adu=None,
    saturation_adu=65535,
)
_TASK_LASTS = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tonight:
    """The plan for the night under way or the next (None: it does not get dark), and what was assumed for it.

    `follows`: the ways in which the mount can follow a target. `lowest_deg`: the altitude limit of light frames.
    """

    span: NightSpan | None
    plan: Plan | None
    follows: Ladder | None
    lowest_deg: float
    notes: tuple[str, ...]


async def plan_tonight(around: Surroundings, *, task_file: Path | None) -> Tonight:
    """Ask the platform for its tasks, add those of `task_file`, and plan. Nothing moves, nothing is kept."""
    ephemeris = Ephemeris()
    span = darkness_of(around.settings, ephemeris).next_night(around.clock.now())
    requests = [] if task_file is None else read_manual(task_file, around, span)
    offered = await offered_by_platform(around)
    notes = [*offered.notes]
    mount, camera = await _capabilities(around, notes)
    filters = await _filters(around, notes)
    limits = limits_of(around.settings, offered.card)
    if span is None:
        return Tonight(span=None, plan=None, follows=None, lowest_deg=limits.altitude_deg, notes=tuple(notes))
    measured = read_measured(around.settings.state_folder)
    telescope = telescope_of(around.settings, ephemeris, mount, camera, measured)
    planning = Planning(telescope=telescope, limits=limits, pace=_expected_pace(around))
    now = max(around.clock.now(), span.dark_from)
    plan = planning.plan([*requests, *offered.requests], now, night=span.dark, standing=None)
    ladder = ladder_for(around.settings, mount, measured)
    notes += [said for one in plan.observations for said in _cannot_be_had(one, camera, filters)]
    return Tonight(span=span, plan=plan, follows=ladder, lowest_deg=limits.altitude_deg, notes=tuple(notes))


def read_manual(task_file: Path, around: Surroundings, span: NightSpan | None) -> list[ObservationRequest]:
    """The tasks of a file; one that does not say when may be observed in the night under way, or the next."""
    now = around.clock.now()
    opens, closes = (now, now + _TASK_LASTS) if span is None else (min(now, span.dark_from), span.dark_until)
    return read_task_file(task_file, opens=opens, closes=closes, defaults=around.settings.exposure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What the platform asks of the telescope. `card` is None for a station without the platform."""

    requests: tuple[ObservationRequest, ...]
    card: StationCard | None
    notes: tuple[str, ...]


async def offered_by_platform(around: Surroundings) -> Offered:
    """The platform's tasks, by way of a ledger that is thrown away; what is the matter with any of them is noted."""
    settings = around.settings
    if not (settings.api.token.get_secret_value() and settings.api.telescope_id):
        note = "no token or no telescope id: planned without the platform's tasks"
        return Offered(requests=(), card=None, notes=(note,))
    listening = around.telemetry.subscribe()
    trouble: list[str] = []
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(
            open_api(settings.api, clock=around.clock, telemetry=around.telemetry, patience=around.patience)
        )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightbridge-")))
        store = await stack.enter_async_context(
            open_store(folder / "plan.sqlite", clock=around.clock, telemetry=around.telemetry)
        )
        card = StationCard(api, around.clock, around.telemetry)
        fetcher = TaskFetcher(
            api=api, ledger=store.ledger, defaults=settings.exposure, clock=around.clock, telemetry=around.telemetry
        )
        try:
            await card.look_up()
            await fetcher.fetch()
        except ApiError as error:
            trouble.append(f"the platform: {error}")
        requests = tuple(task.request for task in await store.ledger.pending())
    listening.close()
    said = [_note_of(event) async for event in listening if isinstance(event, TaskRefused | StationNote)]
    return Offered(requests=requests, card=card, notes=(*trouble, *said))


def _note_of(event: TaskRefused | StationNote) -> str:
    return event.what if isinstance(event, StationNote) else f"task {event.task_id} is refused: {event.why}"


def _expected_pace(around: Surroundings) -> Pace:
    settings = around.settings
    return Pace.expected(overhead_s=settings.night.overhead_s, readout_s=settings.camera.readout_s)


async def _capabilities(around: Surroundings, notes: list[str]) -> tuple[MountCapabilities, CameraCapabilities]:
    """What the mount and the camera say of themselves; of one that is away, what is usual."""
    settings, now = around.settings, around.clock.now
    mount, camera = _USUAL_MOUNT, _USUAL_CAMERA
    try:
        async with connect.connect_mount(settings.mount, now=now) as connected_mount:
            mount = connected_mount.capabilities
    except DeviceError as error:
        notes.append(f"planned for a German mount, because {error}")
    try:
        async with connect.connect_camera(settings.camera, now=now) as connected_camera:
            camera = connected_camera.capabilities
    except DeviceError as error:
        notes.append(f"planned for 2048 × 2048 pixels of 5 µm, because {error}")
    return mount, camera


async def _filters(around: Surroundings, notes: list[str]) -> tuple[str, ...] | None:
    """The names on the filter wheel, none where there is no wheel; None where it does not say."""
    wheel = around.settings.filter_wheel
    if wheel is None:
        return ()
    try:
        async with connect.connect_filter_wheel(wheel, now=around.clock.now) as connected:
            return tuple(connected.capabilities.filter_names)
    except DeviceError as error:
        notes.append(f"planned without knowing the filters, because {error}")
        return None


def _cannot_be_had(one: PlannedObservation, camera: CameraCapabilities, filters: tuple[str, ...] | None) -> list[str]:
    """What an observation asks of the devices and they do not have, in words."""
    request, said = one.request, []
    if request.filter_name and filters == ():
        said.append(f"asks for the filter {request.filter_name}, and there is no filter wheel: it is taken without")
    elif request.filter_name and filters is not None and request.filter_name not in filters:
        said.append(f"asks for the filter {request.filter_name}, and the wheel has {', '.join(filters)}: it will fail")
    if request.binning > camera.max_binning:
        said.append(f"asks for binning {request.binning}, and the camera bins up to {camera.max_binning}: it will fail")
    if not camera.min_exposure_s <= one.collect.exposure_s <= camera.max_exposure_s:
        limits = f"{camera.min_exposure_s:g} s to {camera.max_exposure_s:g} s"
        said.append(f"is to be exposed for {one.collect.exposure_s:g} s, and the camera can {limits}: it will fail")
    return [f"{request.target.name} {what}" for what in said]
