"""`nightbridge run` and `nightbridge observe`: the station on the computer's clock or, in a rehearsal, on bent time."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import anyio

from bridge.assembly import Surroundings, darkness_of
from bridge.clock import LoopClock, SystemClock, unix_now_s
from bridge.commands.tonight import read_manual
from bridge.config import RehearsalSettings, Settings, load_settings
from bridge.events import Telemetry
from bridge.station import run_station as run_assembled
from bridge.timekeeping import HostTimekeeping, RehearsalTimekeeping
from bridge.timelapse import TimelapseLoop
from schedules.ephemeris import Ephemeris

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


def run_station(config: Path | None, *, task_file: Path | None) -> int:
    """Run until told to stop, or until the tasks of `task_file` are done; gives the exit code."""
    settings = load_settings(config)
    return in_own_time(settings, _run, settings, task_file)


async def _run(settings: Settings, task_file: Path | None) -> int:
    around = surroundings(settings)
    manual = []
    if task_file is not None:
        span = darkness_of(settings, Ephemeris()).next_night(around.clock.now())
        manual = read_manual(task_file, around, span)
    return await run_assembled(around, manual=manual)


def in_own_time(settings: Settings, deed: Callable[[*_Ts], Awaitable[_T]], *args: *_Ts) -> _T:
    """Run `deed` on an event loop whose time runs as the settings say: life's own, or a rehearsal's."""
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
    timekeeping = HostTimekeeping(clock.now, stated_error_s=settings.safety.clock_error_s)
    return Surroundings(settings=settings, clock=clock, timekeeping=timekeeping, telemetry=Telemetry(), patience=1.0)


def rehearsal_clock(rehearsal: RehearsalSettings) -> LoopClock:
    """Bent time as every process of the rehearsal counts it."""
    passed_s = (unix_now_s() - rehearsal.anchored_unix_s) * rehearsal.rate
    return LoopClock(rehearsal.starts_at, asyncio.get_running_loop().time() - passed_s)
