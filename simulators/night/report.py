"""The night's report: a table in the terminal, report.json for programs, report.html for people."""

import base64
import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulators.chaos.verdicts import table_of
from simulators.night.judge import FrameTruth, NightFigures
from simulators.night.settings import NightSettings
from simulators.sky.pictures import png_of

_PICTURES_AT_MOST = 6
_SHRINK = 5
_BLOCK_BYTES = 2880
_NONE = "–"
_GOOD = "Every captured frame was delivered once, every task is settled"
_GOOD_ALL_THE_SAME = "Things went wrong, and every promise was kept"


def write_report(
    settings: NightSettings, figures: NightFigures, *, begins: datetime, ends: datetime, took_s: float
) -> None:
    """Write report.json and report.html into the output folder."""
    summary = _summary(settings, figures, begins=begins, ends=ends, took_s=took_s)
    settings.out.joinpath("report.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("simulators", "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    pictures = [_picture(frame) for frame in _worth_seeing(figures)]
    html = templates.get_template("report.html").render(
        night=summary, good=_good(figures), span=_span(begins, ends), tasks=summary["tasks"], pictures=pictures
    )
    settings.out.joinpath("report.html").write_text(html, encoding="utf-8")


def print_report(console: Console, settings: NightSettings, figures: NightFigures) -> None:
    """The figures as a table, what is wrong, if anything, and what was not observed with its reason."""
    table = Table(title=f"Night of {settings.evening} at {settings.rate:g} times life speed", show_header=False)
    table.add_column("what")
    table.add_column("figure", justify="right")
    for words, figure in _lines(settings, figures):
        table.add_row(words, figure)
    console.print(table)
    if figures.verdicts:
        console.print(table_of(figures.verdicts, "Promises"))
    for fault in figures.faults:
        console.print(Text.assemble(("✗", "red"), f" {fault}"))
    if not figures.faults:
        console.print(Text.assemble(("✓", "green"), f" {_good(figures)}"))
    rest = Table("Target", "NORAD", "Platform", "Station", title="Tasks without a success", box=box.SIMPLE)
    rest.add_column("Why", overflow="fold")
    for task in figures.tasks:
        if task.status != "Succeeded":
            cells = (task.target, str(task.norad_id), task.status, task.state, task.reason or "no reason given")
            rest.add_row(*map(Text, cells))
    if rest.rows:
        console.print(rest)
    console.print(Text(f"report: {settings.out / 'report.html'}"))


def _good(figures: NightFigures) -> str:
    return _GOOD_ALL_THE_SAME if figures.hard else _GOOD


def _lines(settings: NightSettings, figures: NightFigures) -> list[tuple[str, str]]:
    by_status: dict[str, int] = {}
    for task in figures.tasks:
        by_status[task.status] = by_status.get(task.status, 0) + 1
    dead = figures.dead_time
    real = settings.rate
    inside = f"{_percent(figures.inside_share)} of {len(figures.frames)} frames" if figures.frames else _NONE
    dead_ms = (_shown(dead.median_ms, " ms", 0), _shown(dead.p95_ms, " ms", 0))
    dead_real_ms = (_shown(dead.median_ms / real, " ms", 1), _shown(dead.p95_ms / real, " ms", 1))
    return [
        ("tasks offered", str(len(figures.tasks))),
        ("  at the platform now", ", ".join(f"{count} {status}" for status, count in sorted(by_status.items()))),
        ("tasks the plan held / observed", f"{figures.planned} / {figures.observed}"),
        ("left out by a later plan, with reason", str(figures.given_up)),
        ("frames captured / completed", f"{figures.captured_frames} / {figures.completed_frames}"),
        ("frames completed twice", str(figures.completed_twice)),
        ("errors in the log", str(len(figures.errors))),
        ("target inside the frame", inside),
        ("median distance from the middle", _shown(figures.median_off_arcsec, "″", 1)),
        ("dead time, median / p95 (sky)", " / ".join(dead_ms)),
        ("dead time, median / p95 (life)", " / ".join(dead_real_ms)),
    ]


def _summary(
    settings: NightSettings, figures: NightFigures, *, begins: datetime, ends: datetime, took_s: float
) -> dict[str, Any]:
    statuses = [task.status for task in figures.tasks]
    dead = figures.dead_time
    return {
        "evening": settings.evening.isoformat(),
        "dark_from": _iso(begins),
        "dark_until": _iso(ends),
        "rate": settings.rate,
        "seed": settings.seed,
        "took_s": round(took_s, 1),
        "site": asdict(settings.ground),
        "good": not figures.faults,
        "faults": list(figures.faults),
        "tasks_offered": len(figures.tasks),
        "tasks_by_status": {status: statuses.count(status) for status in sorted(set(statuses))},
        "tasks_planned": figures.planned,
        "tasks_given_up": figures.given_up,
        "tasks_observed": figures.observed,
        "frames_captured": figures.captured_frames,
        "frames_completed": figures.completed_frames,
        "frames_completed_twice": figures.completed_twice,
        "uploads": figures.uploads,
        "log_errors": list(figures.errors),
        "inside_share": _number(figures.inside_share),
        "median_off_arcsec": _number(figures.median_off_arcsec),
        "dead_time_median_ms": _number(dead.median_ms),
        "dead_time_p95_ms": _number(dead.p95_ms),
        "dead_time_median_real_ms": _number(dead.median_ms / settings.rate),
        "dead_time_p95_real_ms": _number(dead.p95_ms / settings.rate),
        "dead_times": dead.count,
        "bridge_exit_code": figures.bridge_exit_code,
        "promises": [{**asdict(verdict), "held": verdict.held} for verdict in figures.verdicts],
        "tasks": [{**asdict(task), "settled": task.settled} for task in figures.tasks],
        "frames": [{**asdict(frame), "path": str(frame.path), "inside": frame.inside} for frame in figures.frames],
    }


def _worth_seeing(figures: NightFigures) -> list[FrameTruth]:
    """Some frames to look at: of different targets, following and leaping both."""
    firsts: dict[str, FrameTruth] = {}
    for frame in figures.frames:
        firsts.setdefault(frame.task_id, frame)
    by_shape = sorted(firsts.values(), key=lambda frame: (frame.shape, frame.file))
    step = max(1, len(by_shape) // _PICTURES_AT_MOST)
    return by_shape[::step][:_PICTURES_AT_MOST]


def _picture(frame: FrameTruth) -> dict[str, Any]:
    """A frame for the page; `place` is where its target is, in percent from the left and from the top."""
    png = png_of(_pixels_of(frame.path), shrink=_SHRINK)
    followed = "followed by the mount" if frame.shape == "rate" else "crossing the field"
    return {
        "source": "data:image/png;base64," + base64.b64encode(png).decode("ascii"),
        "target": frame.target,
        "caption": f"{followed}, {frame.exposure_s:.2g} s, {frame.off_arcsec:.0f}″ from the middle",
        "place": None if frame.place is None else [round(100.0 * share, 2) for share in frame.place],
    }


def _pixels_of(path: Path) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """The picture in a file of ours (16 bits, BZERO 32768), first row at the top."""
    content = path.read_bytes()
    header_bytes = (content.index(b"END" + b" " * 77) // _BLOCK_BYTES + 1) * _BLOCK_BYTES
    cards = content[:header_bytes].decode("ascii")
    width, height = (_card_number(cards, name) for name in ("NAXIS1", "NAXIS2"))
    stored = np.frombuffer(content, dtype=">i2", count=width * height, offset=header_bytes)
    return (stored.astype(np.int32) + 32768).astype(np.uint16).reshape(height, width)[::-1]


def _card_number(cards: str, name: str) -> int:
    start = cards.index(f"{name:<8}= ")
    return int(cards[start + 10 : start + 30])


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def _shown(value: float, unit: str, decimals: int) -> str:
    return _NONE if math.isnan(value) else f"{value:.{decimals}f}{unit}"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


def _span(begins: datetime, ends: datetime) -> str:
    begins, ends = begins.astimezone(UTC), ends.astimezone(UTC)
    return f"{begins:%Y-%m-%d %H:%M} to {ends:%H:%M} UTC"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
