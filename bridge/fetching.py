"""Tasks from the platform into the ledger; and out of it again if they are withdrawn."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio

from bridge.api.client import CitraApi
from bridge.api.models import TaskPayload
from bridge.api.tasking import FINAL, TaskList
from bridge.clock import Clock
from bridge.config import ExposureSettings
from bridge.errors import ApiError, IllegalMove
from bridge.events import TaskRefused, Telemetry
from bridge.storage.ledger import Ledger
from bridge.tasks import UNFINISHED, Task, TaskSource, TaskState
from schedules.errors import BadElements
from schedules.targets import Satellite

# Elements are asked for again when those at hand were fetched so long ago; after a refusal a little sooner.
_FRESH_FOR = timedelta(hours=1)
_ASK_AGAIN_AFTER = timedelta(minutes=10)
_AT_ONCE = 4

# A task so near to its end may be left out of the list for that reason alone.
_ENDING = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A satellite as it was fetched; None: the platform had nothing we can use."""

    satellite: Satellite | None
    ask_again_at: datetime


class TaskFetcher:
    """Keeps the ledger's API tasks what the platform says they are."""

    def __init__(
        self, *, api: CitraApi, ledger: Ledger, defaults: ExposureSettings, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._api = api
        self._ledger = ledger
        self._defaults = defaults
        self._clock = clock
        self._telemetry = telemetry
        self._satellites: dict[str, _Known] = {}
        self._tasks: tuple[TaskPayload, ...] = ()
        self._refused: set[tuple[str, str]] = set()
        self._missing_once: set[str] = set()

    async def fetch(self) -> None:
        """Take in what is new or changed, and let go of what is withdrawn.

        Raises:
            ApiError: the list, or an element set, could not be had; what was understood is filed all the same.
        """
        listed = await self._api.tasking.runnable(self._clock.now())
        self._tasks = listed.tasks
        for refused in listed.refused:
            self._refuse(refused.where, refused.why)
        await self._file()  # those whose satellites are known already wait for nobody
        unknown = [task for task in self._targets() if self._must_ask(task.satellite_id)]
        if unknown:
            await self._fetch_elements(unknown)
        await self._let_go(listed)

    async def refresh_elements(self) -> None:
        """Ask again for the elements of the tasks at hand; newer ones change their requests.

        Raises:
            ApiError: they could not be had; the old ones stay.
        """
        now = self._clock.now()
        targets = {task.satellite_id: task for task in self._targets()}
        self._satellites = {key: known for key, known in self._satellites.items() if key in targets}
        old = [targets[key] for key, known in self._satellites.items() if known.ask_again_at <= now]
        if old:
            await self._fetch_elements(old)

    def _targets(self) -> list[TaskPayload]:
        """One task for each satellite."""
        return list({task.satellite_id: task for task in self._tasks}.values())

    def _must_ask(self, satellite_id: str) -> bool:
        known = self._satellites.get(satellite_id)
        return known is None or (known.satellite is None and known.ask_again_at <= self._clock.now())

    async def _fetch_elements(self, tasks: Sequence[TaskPayload]) -> None:
        """Some at once; then file what they complete, whatever became of the others."""
        limit = anyio.CapacityLimiter(_AT_ONCE)
        errors: list[ApiError] = []
        async with anyio.create_task_group() as group:
            for task in tasks:
                group.start_soon(self._fetch_one, task, limit, errors)
        await self._file()
        if errors:
            raise errors[0]

    async def _fetch_one(self, task: TaskPayload, limit: anyio.CapacityLimiter, errors: list[ApiError]) -> None:
        async with limit:
            if errors:
                return  # the next fetch asks; a hundred more calls would not go better now
            now = self._clock.now()
            try:
                satellite = await self._api.satellites.elements_of(task.satellite_id, name=task.satellite_name)
            except BadElements as error:
                known = self._satellites.get(task.satellite_id)
                kept = None if known is None else known.satellite
                self._satellites[task.satellite_id] = _Known(satellite=kept, ask_again_at=now + _ASK_AGAIN_AFTER)
                if kept is None:
                    self._refuse(task.id, str(error))
            except ApiError as error:
                errors.append(error)
            else:
                self._satellites[task.satellite_id] = _Known(satellite=satellite, ask_again_at=now + _FRESH_FOR)

    async def _file(self) -> None:
        requests = [
            task.to_request(satellite=known.satellite, defaults=self._defaults)
            for task in self._tasks
            if (known := self._satellites.get(task.satellite_id)) is not None and known.satellite is not None
        ]
        await self._ledger.file_tasks(requests, source=TaskSource.API)

    async def _let_go(self, listed: TaskList) -> None:
        """Cancel what the platform has closed, and let go of what two lists in a row did not hold."""
        present = {task.id for task in listed.tasks} | {refused.where for refused in listed.refused}
        self._refused = {(task_id, why) for task_id, why in self._refused if task_id in present}
        soon = self._clock.now() + _ENDING
        ours = await self._ledger.tasks(*UNFINISHED)
        missing = [
            task
            for task in ours
            if task.source is TaskSource.API and task.task_id not in present and task.request.closes > soon
        ]
        absent = await self._absent(missing) if missing else set()
        for task in missing:
            if task.task_id in absent & self._missing_once:
                await self._ledger.withdraw(task.task_id, why="it is no longer in the platform's list")
        self._missing_once = absent

    async def _absent(self, missing: Sequence[Task]) -> set[str]:
        """Those of `missing` that the platform does not know in any status. Closed ones are cancelled at once; a window
        that was moved so that the task is no longer in the list of what can be done counts from now on.
        """
        held = await self._api.tasking.held({task.task_id: task.request.closes for task in missing})
        for task in missing:
            listed = held.get(task.task_id)
            # A server may close a task by itself when the first of several frames is worked on: that is no reason to
            # leave the others.
            if listed is None or (listed.status == "Succeeded" and task.state is TaskState.OBSERVING):
                continue
            if listed.status in FINAL:
                await self._cancel(task, f"the platform holds it as {listed.status}")
            else:
                moved = replace(task.request, opens=listed.task_start, closes=listed.task_stop)
                await self._ledger.file_tasks([moved], source=TaskSource.API)
        return {task.task_id for task in missing if task.task_id not in held}

    async def _cancel(self, task: Task, why: str) -> None:
        with suppress(IllegalMove):  # it went on by itself meanwhile: observed, missed
            await self._ledger.advance(task.task_id, TaskState.CANCELLED, why=why)

    def _refuse(self, task_id: str, why: str) -> None:
        """Said once for each task and reason, while the list holds it."""
        if (task_id, why) not in self._refused:
            self._refused.add((task_id, why))
            self._telemetry.publish(TaskRefused(at=self._clock.now(), task_id=task_id, why=why))
