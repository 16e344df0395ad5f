"""The telescope's tasks: what there is to do, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bridge.api.link import ApiLink, Query
from bridge.api.models import TaskPayload
from bridge.api.wire import array_in, read
from bridge.errors import ApiContractBroken, ApiRejected

RUNNABLE = ("Pending", "Scheduled")
FINAL = frozenset({"Succeeded", "Failed", "Canceled"})

_MOST_TASKS = 5_000

# What a server may say to a change that comes too late; nobody has published which.
_TOO_LATE = frozenset({400, 403, 409, 422})


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedTask:
    """A task in a list that cannot be understood; `where` is its id if it has one, else its place in words."""

    where: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskList:
    """Tasks by their start, and those that could not be read."""

    tasks: tuple[TaskPayload, ...]
    refused: tuple[RefusedTask, ...]


# A window that is open for longer is none of a satellite's pass.
_LONGEST_WINDOW = timedelta(days=2)


class TaskingApi:
    """Calls about the tasks of one telescope."""

    def __init__(self, link: ApiLink, telescope_id: str) -> None:
        self._link = link
        self._telescope_id = telescope_id

    async def runnable(self, now: datetime) -> TaskList:
        """The tasks that can still be done, filtered once more here: a server ignores what it does not know."""
        statuses = [("statuses", status) for status in RUNNABLE]
        listed = await self._list([*statuses, ("task_stop_after", _text(now))])
        ours = [
            task
            for task in listed.tasks
            if task.status in RUNNABLE
            and task.task_stop > now
            and task.for_telescope
            and task.telescope_id in (None, self._telescope_id)
        ]
        return TaskList(tasks=tuple(ours), refused=listed.refused)

    async def held(self, ends: Mapping[str, datetime]) -> dict[str, TaskPayload]:
        """What the platform holds of these tasks, whatever their status; those are missing that it does not list.

        `ends` are the ends of their windows by id, as far as we know: the platform may have moved them since, and a
        task that was made from its frames knows only when those were taken. So those not found are looked for widely.
        """
        found: dict[str, TaskPayload] = {}
        for around in (timedelta(seconds=1), _LONGEST_WINDOW):
            missing = [end for task_id, end in ends.items() if task_id not in found]
            if not missing:
                break
            query = [
                ("task_stop_after", _text(min(missing) - around)),
                ("task_stop_before", _text(max(missing) + around)),
            ]
            found |= {task.id: task for task in (await self._list(query)).tasks if task.id in ends}
        return found

    async def report(self, task_id: str, status: str, *, closes: datetime) -> str:
        """Set a task's status; back comes the one it has then.

        A task that is final already refuses: if the list says so, that is what it is, and nothing is wrong. The answer
        "gone" means that the platform no longer has the task.

        Raises:
            ApiRejected: refused, and not because the task was final.
        """
        doing = f"report task {task_id} {status}"
        try:
            await self._link.call("PUT", f"/tasks/{task_id}", doing=doing, body={"status": status})
        except ApiRejected as error:
            if error.status == 404:
                return "gone"
            if error.status not in _TOO_LATE:
                raise
            held = (await self.held({task_id: closes})).get(task_id)
            if held is None or held.status not in FINAL:
                raise
            return held.status
        return status

    async def _list(self, query: Query) -> TaskList:
        doing = "list the tasks"
        content = await self._link.call("GET", f"/telescopes/{self._telescope_id}/tasks", doing=doing, query=query)
        listed = array_in(content, doing=doing)
        if len(listed) > _MOST_TASKS:
            raise ApiContractBroken(f"{doing}: {len(listed)} tasks at once; at most {_MOST_TASKS} are taken")
        tasks: dict[str, TaskPayload] = {}
        refused = []
        for place, one in enumerate(listed):
            try:
                task = read(TaskPayload, one, doing=doing)
                tasks[task.id] = task
            except ApiContractBroken as error:
                refused.append(RefusedTask(where=_id_of(one) or f"task {place + 1} of the list", why=str(error)))
        in_order = sorted(tasks.values(), key=lambda task: (task.task_start, task.id))
        return TaskList(tasks=tuple(in_order), refused=tuple(refused))


def _id_of(task: object) -> str:
    """The id of a task that cannot be read as a whole; empty where it has none that could be one."""
    try:
        return str(UUID(task["id"])) if isinstance(task, dict) and isinstance(task.get("id"), str) else ""
    except ValueError:
        return ""


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
