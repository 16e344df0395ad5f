"""`nightbridge plan`, and `observe --dry-run`: tonight's plan in words or for programs."""

from pathlib import Path
from typing import Any

import typer

from bridge.commands.printing import complain, counted, iso_utc, print_json_line, print_table
from bridge.commands.run import in_own_time, surroundings
from bridge.commands.tonight import Tonight, plan_tonight
from bridge.config import Settings, load_settings
from bridge.observing.dark import NightSpan
from bridge.pictures.night import night_picture
from bridge.pictures.svg import write
from schedules.ages import age_days
from schedules.ephemeris import Ephemeris
from schedules.planner import Dropped, Plan, PlannedObservation
from schedules.requests import ObservationRequest
from schedules.targets import Satellite
from schedules.trust import along_track_error_km

_PLACED_COLUMNS = (
    ("Start (UTC)", False), ("End", False), ("Target", False), ("NORAD", True), ("Prio", True),
    ("Peak", True), ("Filter", False), ("Frames", True), ("How", False), ("± km", True),
)  # fmt: skip
_LEFT_OUT_COLUMNS = (("Target", False), ("NORAD", True), ("Priority", True), ("Why", False))


def print_plan(config: Path | None, *, task_file: Path | None, json_lines: bool, plot: Path | None) -> int:
    """Print the plan, and draw it into `plot`; 1 where there is none to make, because it does not get dark."""
    settings = load_settings(config)
    tonight = in_own_time(settings, _made, settings, task_file)
    for note in tonight.notes:
        complain(f"note: {note}")
    if tonight.plan is None or tonight.span is None:
        complain("It does not get dark enough within two days.")
        return 1
    if json_lines:
        for line in _lines(tonight.plan):
            print_json_line(line)
    else:
        _print_tables(tonight.span, tonight.plan)
        typer.echo(f"Targets are followed by: {tonight.follows}.")
    if plot is None:
        return 0
    site = settings.site.to_site()
    picture = night_picture(tonight.span, tonight.plan, site, Ephemeris(), min_altitude_deg=tonight.lowest_deg)
    return write(plot, picture)


async def _made(settings: Settings, task_file: Path | None) -> Tonight:
    return await plan_tonight(surroundings(settings), task_file=task_file)


def _lines(plan: Plan) -> list[dict[str, Any]]:
    return [*map(_placed, plan.observations), *map(_dropped, plan.dropped)]


def _placed(one: PlannedObservation) -> dict[str, Any]:
    return {
        **_asked(one.request),
        "placed": True,
        "leave_at": iso_utc(one.leave_at),
        "starts_at": iso_utc(one.starts_at),
        "ends_at": iso_utc(one.ends_at),
        "rise": iso_utc(one.window.rise),
        "culmination": iso_utc(one.window.culmination),
        "set": iso_utc(one.window.set),
        "peak_altitude_deg": round(one.window.peak_altitude_deg, 3),
        "collect": one.collect.shape,
        "collect_why": one.collect.why,
        "exposure_s": one.collect.exposure_s,
        "frame_count": one.collect.frame_count,
        **_elements_of(one),
    }


def _elements_of(one: PlannedObservation) -> dict[str, Any]:
    """How old the elements of a satellite will be, where they come from and how far off that may put it (one sigma)."""
    target = one.request.target
    if not isinstance(target, Satellite):
        return {}
    return {
        "elements_epoch": iso_utc(target.elements.epoch),
        "elements_age_days": round(age_days(target, one.starts_at), 3),
        "elements_source": target.elements.source,
        "along_track_error_km": round(along_track_error_km(target, one.starts_at), 3),
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


def _print_tables(span: NightSpan, plan: Plan) -> None:
    typer.echo(f"Dark from {span.dark_from:%Y-%m-%d %H:%M} to {span.dark_until:%Y-%m-%d %H:%M} UTC.")
    placed = [
        (
            f"{one.starts_at:%H:%M:%S}",
            f"{one.ends_at:%H:%M:%S}",
            one.request.target.name,
            _number_of(one.request),
            f"{one.request.priority:g}",
            f"{one.window.peak_altitude_deg:.0f}°",
            one.request.filter_name,
            f"{one.collect.frame_count} × {one.collect.exposure_s:.3g} s",
            one.collect.shape.replace("_", " "),
            _error_of(one),
        )
        for one in plan.observations
    ]
    if placed:
        print_table(counted(len(placed), "observation"), _PLACED_COLUMNS, placed)
    else:
        typer.echo("Nothing to observe.")
    if plan.dropped:
        left_out = [
            (one.request.target.name, _number_of(one.request), f"{one.request.priority:g}", one.reason)
            for one in plan.dropped
        ]
        print_table(f"{len(left_out)} not observed", _LEFT_OUT_COLUMNS, left_out)


def _error_of(one: PlannedObservation) -> str:
    """How far along its orbit the target may be off (one sigma); nothing for a star."""
    target = one.request.target
    return f"{along_track_error_km(target, one.starts_at):.1f}" if isinstance(target, Satellite) else ""


def _number_of(request: ObservationRequest) -> str:
    """The target's NORAD number; nothing for what has none."""
    return str(request.target.norad_id) if isinstance(request.target, Satellite) else ""
