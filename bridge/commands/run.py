"""`nightbridge run` and `nightbridge observe`: the station on the computer's clock or, in a rehearsal, on bent time."""

import asyncio
from functools import partial
from pathlib import Path

import anyio

from bridge.assembly import Surroundings
from bridge.clock import LoopClock, SystemClock, unix_now_s
from bridge.commands.tonight import manual_requests
from bridge.config import RehearsalSettings, Settings, load_settings
from bridge.events import Telemetry
from bridge.station import run_station as run_assembled
from bridge.timekeeping import HostTimekeeping, RehearsalTimekeeping
from bridge.timelapse import TimelapseLoop


def run_station(config: Path | None, *, task_file: Path | None) -> int:
    """Run until told to stop, or until the tasks of `task_file` are done; gives the exit code."""
    settings = load_settings(config)
    if settings.rehearsal is None:
        return anyio.run(_run, settings, task_file)
    bent = {"loop_factory": partial(TimelapseLoop, rate=settings.rehearsal.rate)}
    return anyio.run(_run, settings, task_file, backend_options=bent)


async def _run(settings: Settings, task_file: Path | None) -> int:
    around = surroundings(settings)
    manual = [] if task_file is None else await manual_requests(task_file, around)
    return await run_assembled(around, manual=manual)


def surroundings(settings: Settings) -> Surroundings:
    """Clock and all that goes with it, inside a running loop: life's own, or those of the rehearsal."""
    if settings.rehearsal is not None:
        clock = rehearsal_clock(settings.rehearsal)
        return Surroundings(
            settings=settings,
            clock=clock,
            timekeeping=RehearsalTimekeeping(),
            telemetry=Telemetry(),
            patience=settings.rehearsal.rate,
        )
    system = SystemClock()
    timekeeping = HostTimekeeping(system.now, stated_error_s=settings.safety.clock_error_s)
    return Surroundings(
        settings=settings, clock=system, timekeeping=timekeeping, telemetry=Telemetry(), patience=1.0
    )


def rehearsal_clock(rehearsal: RehearsalSettings) -> LoopClock:
    """Bent time as every process of the rehearsal counts it."""
    passed_s = (unix_now_s() - rehearsal.anchored_unix_s) * rehearsal.rate
    return LoopClock(rehearsal.starts_at, asyncio.get_running_loop().time() - passed_s)
