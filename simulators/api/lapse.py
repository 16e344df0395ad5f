"""What the platform does by itself as time passes, found out whenever someone asks: nothing runs in the background."""

from simulators.api.collecting import schedule
from simulators.api.records import TaskStatus
from simulators.api.tasks import moved
from simulators.api.uploads import UploadState, finished_at, state_of
from simulators.api.world import World


def settle(world: World) -> None:
    """Bring the world to this instant: images that close tasks, tasks that expire, requests that become tasks."""
    now = world.clock.now()
    if world.switches.auto_succeed:
        _close_what_is_observed(world)
    if world.switches.expire_tasks:
        for task in list(world.tasks.values()):
            if task.status is TaskStatus.PENDING and task.closes < now:
                moved(world, task, TaskStatus.FAILED, task.closes)
    schedule(world, now)


def _close_what_is_observed(world: World) -> None:
    for upload in world.uploads.values():
        task = None if upload.task_id is None else world.tasks[upload.task_id]
        if task is None or upload.stored is None or task.status.is_final:
            continue
        if state_of(world, upload) is UploadState.COMPLETED:
            moved(world, task, TaskStatus.SUCCEEDED, finished_at(world, upload.stored))
