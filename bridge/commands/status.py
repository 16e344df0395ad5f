"""`nightbridge status`: what is queued, since when, why, and when it is tried next."""

import shutil
from datetime import datetime
from pathlib import Path

import typer

from bridge.commands.ledgers import in_words, kept_store, require_ledger
from bridge.commands.printing import iso_utc, print_json_line, print_table
from bridge.commands.run import in_own_time, surroundings
from bridge.config import NightSettings, Settings, load_settings
from bridge.lock import holder_of
from bridge.storage.outbox import Stage
from bridge.storage.overview import Overview, Undelivered
from bridge.tasks import TaskState

_FIRST_OF_MANY = 30
_STAGES = {
    Stage.NEW: "waits",
    Stage.INITIATED: "announced",
    Stage.SENT: "sent, not confirmed",
    Stage.PARKED: "set aside",
}


def print_status(config: Path | None, *, json_lines: bool) -> int:
    """Print it; 1 where something was set aside and waits for a person."""
    settings = load_settings(config)
    require_ledger(settings)
    overview, now = in_own_time(settings, _looked_at, settings)
    if json_lines:
        _print_json(overview)
    else:
        _print_words(settings, overview, now)
    return 1 if overview.set_aside else 0


async def _looked_at(settings: Settings) -> tuple[Overview, datetime]:
    around = surroundings(settings)
    async with kept_store(around) as store:
        return await store.overviews.now(), around.clock.now()


def _print_json(overview: Overview) -> None:
    print_json_line(
        {
            "tasks": {str(state): number for state, number in overview.tasks.items()},
            "frames": dict(overview.frames),
            "frame_bytes": dict(overview.frame_bytes),
            "waiting": len(overview.waiting),
            "set_aside": len(overview.set_aside),
        }
    )
    for item in overview.undelivered:
        print_json_line(
            {
                "what": item.what,
                "target": item.target,
                "task_id": item.task_id,
                "bytes": item.bytes,
                "since": iso_utc(item.since),
                "stage": str(item.stage),
                "tries": item.tries,
                "next_try": iso_utc(item.next_try),
                "why": item.why,
            }
        )


def _print_words(settings: Settings, overview: Overview, now: datetime) -> None:
    holder = holder_of(settings.state_folder)
    typer.echo(f"Bridge: {'not running' if holder is None else f'running ({holder})'}")
    tasks = ", ".join(f"{overview.tasks[state]} {state}" for state in TaskState if state in overview.tasks)
    typer.echo(f"Tasks:  {tasks or 'none yet'}")
    frames = ", ".join(
        f"{number} {state}{_in_megabytes(overview.frame_bytes[state])}"
        for state, number in sorted(overview.frames.items())
    )
    typer.echo(f"Frames: {frames or 'none yet'}")
    typer.echo(f"Disk:   {_disk(settings)}")
    if not overview.undelivered:
        typer.echo("Everything is delivered.")
        return
    columns = [("What", False), ("Target", False), ("Since", True), ("Stage", False), ("Tries", True)]
    columns += [("Next try", True), ("Why", False)]
    rows = [_row(item, now) for item in overview.undelivered[:_FIRST_OF_MANY]]
    print_table("Not delivered yet, oldest first", columns, rows)
    if len(overview.undelivered) > _FIRST_OF_MANY:
        typer.echo(f"… and {len(overview.undelivered) - _FIRST_OF_MANY:,} more (--json lists all)")
    if overview.set_aside:
        number = len(overview.set_aside)
        typer.echo(f"{number} set aside: mend what stands under Why; the next start tries them once more.")


def _disk(settings: Settings) -> str:
    night = settings.night
    free_gb = shutil.disk_usage(settings.state_folder).free / 1e9
    return f"{free_gb:.1f} GB free, {night.min_free_disk_gb:g} GB of them kept free; delivered frames {_stay(night)}"


def _stay(night: NightSettings) -> str:
    days = night.keep_delivered_days
    if days is None:
        return "stay as long as there is room"
    return f"stay {days:g} {'day' if days == 1 else 'days'}" if days else "go as soon as their task is told"


def _row(item: Undelivered, now: datetime) -> tuple[str, ...]:
    next_s = (item.next_try - now).total_seconds()
    next_try = "after mending" if item.stage is Stage.PARKED else "now" if next_s <= 0.0 else f"in {in_words(next_s)}"
    since = f"{in_words((now - item.since).total_seconds())} ago"
    return item.what, item.target, since, _STAGES[item.stage], str(item.tries), next_try, item.why


def _in_megabytes(size_bytes: int) -> str:
    return f" ({size_bytes / 1e6:,.0f} MB)" if size_bytes else ""
