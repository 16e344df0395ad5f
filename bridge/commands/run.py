"""`nightbridge run` and `nightbridge observe`: the station on the computer's clock or, in a rehearsal, on bent time."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import anyio
import typer

from bridge.assembly import Surroundings, darkness_of
from bridge.chrony import ask_chrony, installed_tool
from bridge.clock import LoopClock, SystemClock, steady_s, unix_now_s
from bridge.commands.printing import complain, print_table
from bridge.commands.tonight import read_manual
from bridge.config import RehearsalSettings, Settings, load_settings
from bridge.crashpoints import arm
from bridge.events import Telemetry
from bridge.lock import alone_in
from bridge.station import LEDGER_NAME
from bridge.station import run_station as run_assembled
from bridge.stopping import heard_by
from bridge.storage.store import open_store
from bridge.tasks import Task, TaskState
from bridge.timekeeping import HostTimekeeping, RehearsalTimekeeping
from bridge.timelapse import TimelapseLoop
from schedules.ephemeris import Ephemeris

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_OBSERVED = frozenset({TaskState.CAPTURED, TaskState.DELIVERED})


def run_station(config: Path | None, *, task_file: Path | None) -> int:
    """Run until told to stop, or until the tasks of `task_file` are done; gives the exit code.

    Raises:
        StationBusy: another programme works in the same state folder: two of them would fight for one telescope.
    """
    settings = load_settings(config)
    with alone_in(settings.state_folder):
        return _on_its_loop(settings, _run, settings, task_file)


async def _run(settings: Settings, task_file: Path | None) -> int:
    around = surroundings(settings)
    if settings.rehearsal is not None and settings.rehearsal.dies_at is not None:
        arm(settings.rehearsal.dies_at, at_pass=settings.rehearsal.dies_at_pass)
    if task_file is None:
        return await run_assembled(around, manual=[])
    span = darkness_of(settings, Ephemeris()).next_night(around.clock.now())
    manual = read_manual(task_file, around, span)
    code = await run_assembled(around, manual=manual)
    outcome = await _outcome(around, {request.request_id for request in manual})
    _print_outcome(outcome)
    return code or (0 if all(task.state in _OBSERVED for task in outcome) else 1)


async def _outcome(around: Surroundings, task_ids: set[str]) -> list[Task]:
    """What became of these tasks."""
    ledger = around.settings.state_folder / LEDGER_NAME
    async with open_store(ledger, clock=around.clock, telemetry=around.telemetry) as store:
        return [task for task in await store.ledger.tasks() if task.task_id in task_ids]


def _print_outcome(tasks: Sequence[Task]) -> None:
    columns = [("Task", False), ("Target", False), ("Outcome", False), ("Why", False)]
    rows = [(task.task_id, task.request.target.name, str(task.state), task.reason) for task in tasks]
    print_table("Observed", columns, rows)


def in_own_time(settings: Settings, deed: Callable[[*_Ts], Awaitable[_T]], *args: *_Ts) -> _T:
    """Run `deed` on an event loop whose time runs as the settings say: life's own, or a rehearsal's.

    SIGTERM and Ctrl-C cancel it; what it does then (a mount is stopped) is not cut short by a second one.

    Raises:
        typer.Exit: it was cancelled by a signal.
    """
    return _on_its_loop(settings, _unless_stopped, deed, *args)


async def _unless_stopped(deed: Callable[[*_Ts], Awaitable[_T]], *args: *_Ts) -> _T:
    heard: list[signal.Signals] = []
    with anyio.CancelScope() as scope:

        def hear(number: signal.Signals) -> None:
            heard.append(number)
            scope.cancel()

        with heard_by(hear):
            return await deed(*args)
    complain(f"stopped by {heard[0].name}")
    raise typer.Exit(128 + heard[0])


def _on_its_loop(settings: Settings, deed: Callable[[*_Ts], Awaitable[_T]], *args: *_Ts) -> _T:
    if settings.rehearsal is None:
        return anyio.run(deed, *args)
    bent = {"loop_factory": partial(TimelapseLoop, rate=settings.rehearsal.rate)}
    return anyio.run(deed, *args, backend_options=bent)


def surroundings(settings: Settings) -> Surroundings:
    """Clock and all that goes with it, inside a running loop."""
    if settings.rehearsal is not None:
        return Surroundings(
            settings=settings,
            clock=rehearsal_clock(settings.rehearsal),
            timekeeping=RehearsalTimekeeping(),
            telemetry=Telemetry(),
            patience=settings.rehearsal.rate,
        )
    clock = SystemClock()
    tool = installed_tool()
    timekeeping = HostTimekeeping(
        clock.now,
        steady_s=steady_s,
        stated_error_s=settings.safety.clock_error_s,
        chrony=None if tool is None else partial(ask_chrony, tool),
    )
    return Surroundings(settings=settings, clock=clock, timekeeping=timekeeping, telemetry=Telemetry(), patience=1.0)


def rehearsal_clock(rehearsal: RehearsalSettings) -> LoopClock:
    """Bent time as every process of the rehearsal counts it."""
    passed_s = (unix_now_s() - rehearsal.anchored_unix_s) * rehearsal.rate
    return LoopClock(rehearsal.starts_at, asyncio.get_running_loop().time() - passed_s)
