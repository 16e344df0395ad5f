"""`nightbridge export`: a night as a folder, to keep or to hand on."""

import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import typer

from bridge.commands.ledgers import kept_store, require_ledger
from bridge.commands.printing import complain, counted
from bridge.commands.run import in_own_time, surroundings
from bridge.config import Settings, load_settings
from bridge.observing.dark import evening_of, mean_sun_ahead

_NIGHT_LASTS = timedelta(days=1)


def export_night(config: Path | None, folder: Path, *, evening: date | None) -> int:
    """Write `folder`; 1 where there is nothing to put into it.

    A night lasts from noon to noon by the Sun of the site. Frames are linked where the disk allows it, else copied.
    """
    settings = load_settings(config)
    require_ledger(settings)
    if folder.exists():
        complain(f"{folder} exists already; name a new folder")
        return 2
    evening = evening or in_own_time(settings, _newest_evening, settings)
    if evening is None:
        complain("no frame was ever taken here")
        return 1
    begins = _noon(settings, evening)
    ledger = in_own_time(settings, _ledger, settings, begins)
    if not ledger["task"]:
        complain(f"nothing happened in the night that began on {evening}")
        return 1
    missing = _write(folder, ledger, evening, settings.state_folder)
    held = f"{counted(len(ledger['task']), 'task')}, {counted(_count(ledger, missing), 'frame')}"
    typer.echo(f"{folder}: {held}, report.html, ledger.json")
    removed = {frame["file_name"] for frame in ledger["frame"] if frame["removal"] != "none"}
    for name in missing:
        why = "it was delivered, and removed since" if name in removed else "nobody knows who removed it"
        complain(f"{name} is no longer on disk: {why}")
    return 0


async def _newest_evening(settings: Settings) -> date | None:
    async with kept_store(surroundings(settings)) as store:
        newest = await store.overviews.last_frame_at()
    return None if newest is None else evening_of(newest, settings.site.longitude_deg)


async def _ledger(settings: Settings, begins: datetime) -> dict[str, list[dict[str, Any]]]:
    async with kept_store(surroundings(settings)) as store:
        return await store.overviews.everything(begins, begins + _NIGHT_LASTS)


def _noon(settings: Settings, evening: date) -> datetime:
    noon = datetime(evening.year, evening.month, evening.day, 12, tzinfo=UTC)
    return noon - mean_sun_ahead(settings.site.longitude_deg)


def _write(folder: Path, ledger: dict[str, list[dict[str, Any]]], evening: date, state_folder: Path) -> list[str]:
    """Fill the new folder from the station's; gives the names of frames that are not on disk any more."""
    frames_folder = folder / "frames"
    frames_folder.mkdir(parents=True)
    missing = []
    for frame in ledger["frame"]:
        if frame["path"] is None:
            continue
        if (state_folder / frame["path"]).is_file():
            _link_or_copy(state_folder / frame["path"], frames_folder / frame["file_name"])
        else:
            missing.append(frame["file_name"])
    text = json.dumps(ledger, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "ledger.json").write_text(text, encoding="utf-8")
    (folder / "report.html").write_text(_report(ledger, evening), encoding="utf-8")
    return missing


def _link_or_copy(source: Path, goal: Path) -> None:
    try:
        os.link(source, goal)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, goal)


def _count(ledger: dict[str, list[dict[str, Any]]], missing: list[str]) -> int:
    return sum(frame["path"] is not None for frame in ledger["frame"]) - len(missing)


def _report(ledger: dict[str, list[dict[str, Any]]], evening: date) -> str:
    template = files("bridge").joinpath("templates", "night.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(template).render(
        counted=counted, evening=evening, tasks=[_task(row, ledger) for row in ledger["task"]]
    )


def _task(row: dict[str, Any], ledger: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What the report says of one task."""
    request = json.loads(row["request"])
    target = request["target"]
    frames = [frame for frame in ledger["frame"] if frame["task_id"] == row["id"]]
    taken = sorted(frame["started_at"] for frame in frames if frame["started_at"])
    return {
        "target": target["elements"]["name"] if "elements" in target else target["name"],
        "norad_id": target["elements"]["norad_id"] if "elements" in target else "",
        "task_id": row["id"],
        "state": row["state"],
        "reason": row["reason"],
        "first_at": taken[0] if taken else "",
        "landed": sum(frame["state"] == "landed" for frame in frames),
        "kept": sum(frame["state"] in ("kept", "landed", "refused") for frame in frames),
        "lost": sum(frame["state"] == "lost" for frame in frames),
    }
