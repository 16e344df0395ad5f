"""Tasks: a telescope's list, how one is closed, how one is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field, TypeAdapter, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.accounts import caller
from simulators.api.questions import CamelQuestion, Instant, Question, id_in_path, in_body, in_query
from simulators.api.records import Task, TaskStatus
from simulators.api.refusals import Refusal, not_found
from simulators.api.telescopes import telescope_of
from simulators.api.wire import Answer, answered
from simulators.api.world import World

UNKNOWN_TASK_TYPE = "Survey"


class TaskRead(Answer):
    """A task as everybody sees it."""

    id: UUID
    type: str
    status: TaskStatus
    creation_epoch: datetime
    update_epoch: datetime
    task_start: datetime
    task_stop: datetime
    user_id: UUID
    username: str | None = None
    satellite_id: UUID
    satellite_name: str | None = None
    telescope_id: UUID | None = None
    telescope_name: str | None = None
    antenna_id: UUID | None = None
    antenna_name: str | None = None
    antenna_user_id: UUID | None = None
    ground_station_id: UUID | None = None
    ground_station_name: str | None = None
    collection_request_id: UUID | None = None
    priority: int = 5
    frequency_min: float | None = None
    frequency_max: float | None = None
    assigned_filter_name: str | None = None


class TaskQuery(Question):
    """Which tasks are wanted. All four instants are strict: a task at the very instant is left out."""

    task_start_after: Instant | None = None
    task_start_before: Instant | None = None
    task_stop_after: Instant | None = None
    task_stop_before: Instant | None = None
    statuses: tuple[TaskStatus, ...] = ()

    def admits(self, task: Task) -> bool:
        return (
            (self.task_start_after is None or task.opens > self.task_start_after)
            and (self.task_start_before is None or task.opens < self.task_start_before)
            and (self.task_stop_after is None or task.closes > self.task_stop_after)
            and (self.task_stop_before is None or task.closes < self.task_stop_before)
            and (not self.statuses or task.status in self.statuses)
        )


class TaskChange(Question):
    """The only thing of a task that can be changed."""

    status: TaskStatus


class TaskWish(CamelQuestion):
    """A task that a user asks for."""

    task_start: Instant
    task_stop: Instant
    satellite_id: UUID
    telescope_id: UUID | None = None
    antenna_id: UUID | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.task_stop <= self.task_start:
            raise ValueError("taskStop is not after taskStart")
        if self.telescope_id is None and self.antenna_id is None:
            raise ValueError("telescopeId or antennaId is needed")
        return self


class TaskOrder(TaskWish):
    """A task as a control call may add it: with what only the platform decides."""

    priority: int = Field(default=5, ge=0, le=10)
    assigned_filter_name: str | None = None


_CHANGE = TypeAdapter(TaskChange)
_WISH = TypeAdapter(TaskWish)


@dataclass(frozen=True, slots=True)
class Tasks:
    """`/tasks` and the lists of telescopes and satellites."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/telescopes/{telescope_id}/tasks", self.of_telescope, methods=["GET"]),
            Route("/satellites/{satellite_id}/tasks", self.of_satellite, methods=["GET"]),
            Route("/tasks", self.create, methods=["POST"]),
            Route("/tasks/{task_id}", self.change, methods=["PUT"]),
        ]

    async def of_telescope(self, request: Request) -> Response:
        telescope_id = id_in_path(request, "telescope_id")
        query = in_query(request, TaskQuery)
        telescope_of(self.world, telescope_id)
        tasks = self.world.tasks.values()
        return self._listed(task for task in tasks if task.telescope_id == telescope_id and query.admits(task))

    async def of_satellite(self, request: Request) -> Response:
        satellite_id = id_in_path(request, "satellite_id")
        query = in_query(request, TaskQuery)
        if satellite_id not in self.world.catalogue.by_id:
            raise not_found("Satellite", satellite_id)
        tasks = self.world.tasks.values()
        return self._listed(task for task in tasks if task.satellite_id == satellite_id and query.admits(task))

    async def create(self, request: Request) -> Response:
        account = caller(self.world, request)
        task = new_task(self.world, await in_body(request, _WISH), account.id)
        return answered(task_read(self.world, task), self.world.switches, status=201)

    async def change(self, request: Request) -> Response:
        task = task_of(self.world, id_in_path(request, "task_id"))
        wanted = (await in_body(request, _CHANGE)).status
        account = caller(self.world, request)
        if account.id not in (task.requester_id, self.world.telescopes[task.telescope_id].owner_id):
            raise Refusal(403, f"task {task.id} belongs to someone else's telescope")
        if task.status.is_final or (wanted is TaskStatus.PENDING and task.status is not TaskStatus.PENDING):
            raise Refusal(
                self.world.switches.terminal_update_status,
                f"task {task.id} is {task.status}: it cannot become {wanted}",
            )
        changed = moved(self.world, task, wanted, self.world.clock.now())
        return answered(task_read(self.world, changed), self.world.switches)

    def _listed(self, tasks: Iterable[Task]) -> Response:
        return answered([task_read(self.world, task) for task in tasks], self.world.switches)


def task_of(world: World, task_id: UUID) -> Task:
    """The task with this id.

    Raises:
        Refusal: there is none.
    """
    if task_id not in world.tasks:
        raise not_found("Task", task_id)
    return world.tasks[task_id]


def moved(world: World, task: Task, status: TaskStatus, at: datetime) -> Task:
    """The task after it came to `status` at an instant; kept so in the world."""
    world.tasks[task.id] = replace(task, status=status, updated_at=at)
    return world.tasks[task.id]


def new_task(world: World, wish: TaskWish, requester_id: UUID) -> Task:
    """A pending task, kept in the world.

    Raises:
        Refusal: the satellite, telescope or antenna is unknown, or the telescope stands nowhere.
    """
    if wish.satellite_id not in world.catalogue.by_id:
        raise not_found("Satellite", wish.satellite_id)
    if wish.telescope_id is None:
        raise Refusal(404, f"Antenna {wish.antenna_id} not found")
    if telescope_of(world, wish.telescope_id).ground_station_id is None:
        raise Refusal(400, f"telescope {wish.telescope_id} has no ground station and cannot be tasked")
    now = world.clock.now()
    task = Task(
        id=world.new_id(),
        created_at=now,
        updated_at=now,
        opens=wish.task_start,
        closes=wish.task_stop,
        requester_id=requester_id,
        satellite_id=wish.satellite_id,
        telescope_id=wish.telescope_id,
        priority=wish.priority if isinstance(wish, TaskOrder) else 5,
        filter_name=wish.assigned_filter_name if isinstance(wish, TaskOrder) else None,
    )
    world.tasks[task.id] = task
    return task


def task_read(world: World, task: Task) -> TaskRead:
    """The task as it is shown now."""
    telescope = world.telescopes[task.telescope_id]
    station = None if telescope.ground_station_id is None else world.stations[telescope.ground_station_id]
    return TaskRead(
        id=task.id,
        type=UNKNOWN_TASK_TYPE if world.switches.unknown_enum else "Track",
        status=task.status,
        creation_epoch=task.created_at,
        update_epoch=task.updated_at,
        task_start=task.opens,
        task_stop=task.closes,
        user_id=task.requester_id,
        username=world.accounts[task.requester_id].username,
        satellite_id=task.satellite_id,
        satellite_name=world.catalogue.by_id[task.satellite_id].name,
        telescope_id=telescope.id,
        telescope_name=telescope.name,
        ground_station_id=None if station is None else station.id,
        ground_station_name=None if station is None else station.name,
        collection_request_id=task.collection_request_id,
        priority=task.priority,
        assigned_filter_name=task.filter_name,
    )
