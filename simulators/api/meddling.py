"""What the platform does otherwise just then: it cancels a task, moves or adds one, fails at its work."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

from simulators.api.records import Task, TaskStatus
from simulators.api.switches import Fault
from simulators.api.tasks import moved
from simulators.api.world import World
from simulators.sky.earth import Ground

MEDDLING = ("cancel", "change", "hopeless", "switch", "unworkable", "date")

# The Sun is up where no star of ours is seen, and long before a mount may look near it.
_DAY_SUN_ALTITUDE_DEG = 5.0
_STEP = timedelta(minutes=10)
_SHORTEST_WINDOW = timedelta(minutes=5)


def meddling(world: World, fault: Fault) -> AbstractContextManager[None]:
    """Within it a request is answered by a platform that a fault of these kinds has; `date` is seen to elsewhere."""
    match fault.kind:
        case "switch":
            return world.with_switch(fault.key, fault.says)
        case "unworkable":
            return _unworkable_arrivals(world)
        case "cancel" | "change" | "hopeless":
            _meddle(world, fault)
    return nullcontext()


def _meddle(world: World, fault: Fault) -> None:
    """Cancel the task whose window is open, or the next to open, or have its window begin and end `seconds` later; or
    add one that nobody can do.
    """
    now = world.clock.now()
    if fault.kind == "hopeless":
        _add_hopeless(world, fault, now)
        return
    pending = [task for task in world.tasks.values() if task.status is TaskStatus.PENDING and task.closes > now]
    task = min(pending, key=lambda one: (max(one.opens, now), one.closes), default=None)
    if task is None:
        return
    if fault.kind == "cancel":
        moved(world, task, TaskStatus.CANCELED, now)
    else:
        later = timedelta(seconds=fault.seconds)
        changed = replace(task, opens=task.opens + later, closes=task.closes + later, updated_at=now)
        world.tasks[task.id] = changed


@contextmanager
def _unworkable_arrivals(world: World) -> Iterator[None]:
    """Files that arrive within it cannot be worked on."""
    before = {upload.id: upload.arrivals for upload in world.uploads.values()}
    yield
    for upload in [*world.uploads.values()]:
        if upload.stored is not None and upload.arrivals > before.get(upload.id, 0):
            spoilt = replace(upload.stored, fault="simulated: no stars were found")
            world.uploads[upload.id] = replace(upload, stored=spoilt)


def _add_hopeless(world: World, fault: Fault, now: datetime) -> None:
    """For a satellite that stays below the horizon; or with `says` "day", for one that is up while the Sun is."""
    telescope = next(iter(world.telescopes.values()))
    station = world.stations[telescope.ground_station_id] if telescope.ground_station_id else None
    if station is None:
        return
    ground = Ground(station.latitude_deg, station.longitude_deg, station.altitude_m)
    opens = _next_day(ground, now) if fault.says == "day" else now
    closes = opens + max(_SHORTEST_WINDOW, timedelta(seconds=fault.seconds))
    up = {one.index for one in world.catalogue.swarm.passes(ground, opens, closes, 0.0)}
    taken = {task.satellite_id for task in world.tasks.values()}
    wanted = (entry for entry in world.catalogue.by_id.values() if (entry.index in up) == (fault.says == "day"))
    entry = next((entry for entry in wanted if entry.id not in taken), None)
    if entry is None:
        return
    task = Task(
        id=world.new_id(),
        created_at=now,
        updated_at=now,
        opens=opens,
        closes=closes,
        requester_id=telescope.owner_id,
        satellite_id=entry.id,
        telescope_id=telescope.id,
    )
    world.tasks[task.id] = task


def _next_day(ground: Ground, now: datetime) -> datetime:
    """When the Sun is well up next, within a day; far in the north in winter, in a day all the same."""
    at = now
    while ground.sun_altitude_deg(at) < _DAY_SUN_ALTITUDE_DEG and at - now < timedelta(days=1):
        at += _STEP
    return at
