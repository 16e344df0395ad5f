"""Control calls under `/_emulator`, without a token: what a test or the report of a night may see and change."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.addresses import CONTROL
from simulators.api.lapse import settle
from simulators.api.questions import Question, id_in_path, in_body, in_query, json_body
from simulators.api.records import Task, TaskStatus, Upload
from simulators.api.refusals import Refusal, issues_of, one_issue
from simulators.api.switches import Switches
from simulators.api.tasks import TaskOrder, TaskRead, moved, new_task, task_of, task_read
from simulators.api.telescopes import TelescopeRead, telescope_read
from simulators.api.uploads import state_of
from simulators.api.wire import Json, Shown, SnakeAnswer, WireResponse, wire_form
from simulators.api.world import World
from simulators.clock import HandClock

# Control calls say what is, whatever the switches do to the API's answers.
_PLAIN = Switches()


class UploadSeen(SnakeAnswer):
    """One upload, from the inside. `arrivals` counts how often its file was stored."""

    upload_id: UUID
    task_id: UUID | None
    filename: str
    status: str
    bytes: int | None
    sha256: str | None
    path: str | None
    arrivals: int
    detail: str | None


class TaskSummary(SnakeAnswer):
    """One task of the night with the images that came of it."""

    id: UUID
    satellite_id: UUID
    norad_id: int
    name: str
    priority: int
    task_start: datetime
    task_stop: datetime
    status: TaskStatus
    updated_at: datetime
    assigned_filter_name: str | None
    uploads: list[UploadSeen]


class _Since(Question):
    since: Annotated[int, Field(ge=0)] = 0


class _Step(Question):
    seconds: Annotated[float, Field(gt=0.0, le=31_536_000.0)]


_ORDER = TypeAdapter(TaskOrder)
_STEP = TypeAdapter(_Step)


@dataclass(frozen=True, slots=True)
class Control:
    """State, log, summary; tasks to add and to cancel; switches; the clock."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route(f"{CONTROL}/state", self.state, methods=["GET"]),
            Route(f"{CONTROL}/log", self.log, methods=["GET"]),
            Route(f"{CONTROL}/summary", self.summary, methods=["GET"]),
            Route(f"{CONTROL}/tasks", self.add_task, methods=["POST"]),
            Route(f"{CONTROL}/tasks/{{task_id}}/cancel", self.cancel_task, methods=["POST"]),
            Route(f"{CONTROL}/switches", self.turn, methods=["PUT"]),
            Route(f"{CONTROL}/clock/advance", self.advance, methods=["POST"]),
        ]

    async def state(self, _: Request) -> Response:
        """Everything that may have changed since the world was made."""
        settle(self.world)
        world = self.world
        telescopes: list[TelescopeRead] = [telescope_read(world, one) for one in world.telescopes.values()]
        tasks: list[TaskRead] = [task_read(world, one) for one in world.tasks.values()]
        statuses = Counter(str(one.status) for one in world.tasks.values())
        images = Counter(str(state_of(world, one)) for one in world.uploads.values())
        return _shown(
            {
                "now": world.clock.now(),
                "switches": world.switches.model_dump(mode="json"),
                "telescopes": telescopes,
                "tasks": tasks,
                "uploads": [upload_seen(world, one) for one in world.uploads.values()],
                "collection_requests": [_plain(asdict(one)) for one in world.collection_requests.values()],
                "observations": [one.measured for one in world.observations.values()],
                "counters": {
                    "requests": world.journal.arrived,
                    "tasks": dict(statuses),
                    "uploads": dict(images),
                    "faults": [{"fault": fault.model_dump(mode="json"), "fired": n} for fault, n in world.dice.fired()],
                },
            }
        )

    async def log(self, request: Request) -> Response:
        """The requests after number `since`, in the order in which they were answered."""
        since = in_query(request, _Since).since
        entries = [_plain(asdict(one)) for one in self.world.journal.entries if one.number > since]
        return _shown({"entries": entries})

    async def summary(self, _: Request) -> Response:
        """What the report of a night needs."""
        settle(self.world)
        world = self.world
        uploads: dict[UUID | None, list[UploadSeen]] = {}
        for upload in world.uploads.values():
            uploads.setdefault(upload.task_id, []).append(upload_seen(world, upload))
        tasks = [task_summary(world, one, uploads.get(one.id, [])) for one in world.tasks.values()]
        return _shown({"now": world.clock.now(), "tasks": tasks, "uploads_without_task": uploads.get(None, [])})

    async def add_task(self, request: Request) -> Response:
        """A task of the only telescope where none is named; asked for by that telescope's owner."""
        content = await json_body(request)
        if isinstance(content, dict) and "telescopeId" not in content and len(self.world.telescopes) == 1:
            content = {**content, "telescopeId": str(next(iter(self.world.telescopes)))}
        try:
            order = _ORDER.validate_python(content)
        except ValidationError as error:
            raise issues_of(error, "body") from error
        telescope = self.world.telescopes.get(order.telescope_id) if order.telescope_id else None
        owner_id = next(iter(self.world.accounts)) if telescope is None else telescope.owner_id
        return _shown(task_read(self.world, new_task(self.world, order, owner_id)), status=201)

    async def cancel_task(self, request: Request) -> Response:
        """As the owner or the requester would on the web."""
        settle(self.world)
        task = task_of(self.world, id_in_path(request, "task_id"))
        if task.status.is_final:
            raise Refusal(409, f"task {task.id} is {task.status} already")
        return _shown(task_read(self.world, moved(self.world, task, TaskStatus.CANCELED, self.world.clock.now())))

    async def turn(self, request: Request) -> Response:
        """The switches that are named are turned, the others stay; answers all of them."""
        content = await json_body(request)
        if not isinstance(content, dict):
            raise one_issue("dict_type", ["body"], "an object of switches is expected", content)
        try:
            switches = Switches.model_validate(self.world.switches.model_dump() | content)
        except ValidationError as error:
            raise issues_of(error, "body") from error
        settle(self.world)
        self.world.turn(switches)
        return _shown(switches.model_dump(mode="json"))

    async def advance(self, request: Request) -> Response:
        """Only a clock that stands can be moved."""
        step = await in_body(request, _STEP)
        if not isinstance(self.world.clock, HandClock):
            raise Refusal(409, "this world's clock runs by itself and cannot be advanced")
        self.world.clock.advance(step.seconds)
        settle(self.world)
        return _shown({"now": self.world.clock.now()})


def task_summary(world: World, task: Task, uploads: list[UploadSeen]) -> TaskSummary:
    """One task with its images."""
    entry = world.catalogue.by_id[task.satellite_id]
    return TaskSummary(
        id=task.id,
        satellite_id=entry.id,
        norad_id=entry.norad_id,
        name=entry.name,
        priority=task.priority,
        task_start=task.opens,
        task_stop=task.closes,
        status=task.status,
        updated_at=task.updated_at,
        assigned_filter_name=task.filter_name,
        uploads=uploads,
    )


def upload_seen(world: World, upload: Upload) -> UploadSeen:
    """One upload, from the inside."""
    stored = upload.stored
    return UploadSeen(
        upload_id=upload.id,
        task_id=upload.task_id,
        filename=upload.filename,
        status=str(state_of(world, upload)),
        bytes=None if stored is None else stored.size_bytes,
        sha256=None if stored is None else stored.sha256,
        path=None if stored is None else stored.path,
        arrivals=upload.arrivals,
        detail=None if stored is None else stored.fault,
    )


def _plain(content: object) -> Json:
    plain: Json = to_jsonable_python(content)
    return plain


def _shown(content: Shown, *, status: int = 200) -> Response:
    return WireResponse(wire_form(content, _PLAIN), status_code=status)
