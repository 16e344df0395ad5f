"""`nightbridge plan`, and `observe --dry-run`: tonight's plan in words or for programs."""

import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from bridge.commands.run import in_own_time, surroundings
from bridge.commands.tonight import Tonight, plan_tonight
from bridge.config import Settings, load_settings
from schedules.planner import Dropped, Plan, PlannedObservation
from schedules.requests import ObservationRequest
from schedules.targets import Satellite


def print_plan(config: Path | None, *, task_file: Path | None, json_lines: bool) -> int:
    """Print the plan; 1 where there is none to make, because it does not get dark."""
    settings = load_settings(config)
    tonight = in_own_time(settings, _made, settings, task_file)
    for note in tonight.notes:
        typer.echo(f"note: {note}", err=True)
    if tonight.plan is None or tonight.span is None:
        typer.echo("It does not get dark enough within two days.", err=True)
        return 1
    if json_lines:
        for line in _lines(tonight.plan):
            typer.echo(json.dumps(line))
    else:
        _print_tables(tonight, tonight.plan)
    return 0


async def _made(settings: Settings, task_file: Path | None) -> Tonight:
    return await plan_tonight(surroundings(settings), task_file=task_file)


def _lines(plan: Plan) -> list[dict[str, Any]]:
    return [*map(_placed, plan.observations), *map(_dropped, plan.dropped)]


def _placed(one: PlannedObservation) -> dict[str, Any]:
    return {
        **_asked(one.request),
        "placed": True,
        "leave_at": _iso(one.leave_at),
        "starts_at": _iso(one.starts_at),
        "ends_at": _iso(one.ends_at),
        "rise": _iso(one.window.rise),
        "culmination": _iso(one.window.culmination),
        "set": _iso(one.window.set),
        "peak_altitude_deg": round(one.window.peak_altitude_deg, 3),
        "collect": one.collect.shape,
        "collect_why": one.collect.why,
        "exposure_s": one.collect.exposure_s,
        "frame_count": one.collect.frame_count,
    }


def _dropped(one: Dropped) -> dict[str, Any]:
    return {**_asked(one.request), "placed": False, "reason": one.reason}


def _asked(request: ObservationRequest) -> dict[str, Any]:
    target = request.target
    return {
        "request_id": request.request_id,
        "target": target.name,
        "norad_id": target.norad_id if isinstance(target, Satellite) else None,
        "priority": request.priority,
        "filter": request.filter_name,
    }


def _print_tables(tonight: Tonight, plan: Plan) -> None:
    console = Console()
    span = tonight.span
    if span is not None:
        console.print(f"Dark from {span.dark_from:%Y-%m-%d %H:%M} to {span.dark_until:%Y-%m-%d %H:%M} UTC.")
    placed = Table(title=f"{len(plan.observations)} observations")
    for heading, right in (
        ("Start (UTC)", False), ("End", False), ("Target", False), ("NORAD", True), ("Priority", True),
        ("Peak", True), ("Filter", False), ("Frames", True), ("How", False),
    ):  # fmt: skip
        placed.add_column(heading, justify="right" if right else "left")
    for one in plan.observations:
        asked = _asked(one.request)
        placed.add_row(
            f"{one.starts_at:%H:%M:%S}",
            f"{one.ends_at:%H:%M:%S}",
            one.request.target.name,
            str(asked["norad_id"] or ""),
            f"{one.request.priority:g}",
            f"{one.window.peak_altitude_deg:.0f}°",
            one.request.filter_name,
            f"{one.collect.frame_count} × {one.collect.exposure_s:.3g} s",
            one.collect.shape.replace("_", " "),
        )
    console.print(placed)
    if plan.dropped:
        left = Table(title=f"{len(plan.dropped)} not observed")
        for heading in ("Target", "Priority", "Why"):
            left.add_column(heading)
        for dropped in plan.dropped:
            left.add_row(dropped.request.target.name, f"{dropped.request.priority:g}", dropped.reason)
        console.print(left)


def _iso(at: Any) -> str:
    return str(at.isoformat(timespec="milliseconds")).replace("+00:00", "Z")
