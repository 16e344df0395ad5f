"""What a simulated night was worth, from the outside: the emulated platform's record, the uploaded files, the simulated
sky's truth, and the bridge's own log for times and reasons.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.api.fits import BLOCK_BYTES, cards_of
from simulators.chaos.verdicts import Verdict
from simulators.sky.earth import Ground
from simulators.sky.satellites import Swarm

Record = Mapping[str, Any]

_FINAL = ("Succeeded", "Failed", "Canceled")
# A file and a frame of the simulated camera belong together when their shutters opened within this of each other.
_SAME_FRAME_S = 30.0
# A plan that leaves later than this after it was made waits for its target.
_WAITS = timedelta(seconds=0.5)
_NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTruth:
    """One delivered frame against the sky it was taken under. `off_arcsec` is from the middle of the frame to the
    target at mid-exposure; `place` is where the target is then, as shares of width and height from the upper left
    corner, None outside; `time_error_s` is the header's opening of the shutter less the true one.
    """

    file: str
    path: Path
    task_id: str
    target: str
    shape: str
    exposure_s: float
    place: tuple[float, float] | None
    off_arcsec: float
    time_error_s: float
    number: int

    @property
    def inside(self) -> bool:
        return self.place is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """One task as the platform holds it, and why it is there."""

    task_id: str
    target: str
    norad_id: int
    priority: int
    opens: str
    closes: str
    status: str
    state: str
    frames: int
    completed: int
    reason: str

    @property
    def settled(self) -> bool:
        """Final at the platform, or open there by design with a reason said."""
        return self.status in _FINAL or bool(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadTime:
    """Between the end of one series of exposures and the start of the next slew; simulated milliseconds."""

    count: int
    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NightFigures:
    """The night in numbers. `planned` counts the tasks that the plan held to the last, `given_up` those that a later
    plan left out, saying why; `observed` is of those planned.
    """

    tasks: tuple[TaskOutcome, ...]
    frames: tuple[FrameTruth, ...]
    planned: int
    given_up: int
    observed: int
    captured_frames: int
    completed_frames: int
    completed_twice: int
    uploads: int
    errors: tuple[str, ...]
    dead_time: DeadTime
    bridge_exit_code: int
    verdicts: tuple[Verdict, ...] = ()
    hard: bool = False
    upset: bool = False

    @property
    def inside_share(self) -> float:
        """Share of delivered frames whose target lies inside at mid-exposure; not a number where there are none."""
        return sum(frame.inside for frame in self.frames) / len(self.frames) if self.frames else math.nan

    @property
    def median_off_arcsec(self) -> float:
        return statistics.median(frame.off_arcsec for frame in self.frames) if self.frames else math.nan

    @property
    def unsettled(self) -> tuple[TaskOutcome, ...]:
        return tuple(task for task in self.tasks if not task.settled)

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the night does not count as a good one; nothing where it does."""
        broken = tuple(f"{one.name}: {one.says}: {one.broken[0]}" for one in self.verdicts if not one.held)
        return broken if self.hard else self._blemishes + broken

    @property
    def _blemishes(self) -> tuple[str, ...]:
        missing = self.captured_frames - self.completed_frames
        strange = self.completed_frames - len(self.frames)
        checks = (
            (self.bridge_exit_code != 0, f"the bridge ended with exit code {self.bridge_exit_code}"),
            (not self.captured_frames, "not one frame was captured"),
            (missing > 0, f"{missing} of {self.captured_frames} captured frames are not completed at the platform"),
            (missing < 0, f"{-missing} frames are completed at the platform that the log does not know"),
            (strange > 0, f"{strange} completed files show nothing that the simulated camera took"),
            (self.completed_twice > 0, f"{self.completed_twice} frames were completed more than once"),
            (bool(self.unsettled), f"open at the platform without a reason: {_first_of(self.unsettled)}"),
            (
                bool(self.errors) and not self.upset,
                f"errors in the log: {len(self.errors)}, the first: {(*self.errors, '')[0]}",
            ),
        )
        return tuple(words for wrong, words in checks if wrong)


def _first_of(tasks: Sequence[TaskOutcome]) -> str:
    """Some of the tasks by name, and how many more there are."""
    names = [f"{task.target} ({task.norad_id})" for task in tasks[:_NAMED_AT_MOST]]
    more = len(tasks) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def figures_of(
    *,
    tasks: Sequence[Record],
    true_frames: Sequence[Record],
    log: Sequence[Record],
    swarm: Swarm,
    ground: Ground,
    bridge_exit_code: int,
) -> NightFigures:
    """All figures of a night, from the platform's summary, the camera's true frames and the bridge's log."""
    events = [entry for entry in log if "event" in entry]
    uploads = [(task, upload) for task in tasks for upload in task["uploads"]]
    completed = [upload["filename"] for _, upload in uploads if upload["status"] == "COMPLETED"]
    states, reasons = _last_states(events)
    planned, given_up = _planned_and_given_up(events)
    truths = {
        str(upload["filename"]): truth
        for task, upload in uploads
        if upload["status"] == "COMPLETED"
        and (truth := _truth_of(task, upload, true_frames, swarm, ground)) is not None
    }
    return NightFigures(
        tasks=tuple(_outcome(task, states, reasons) for task in tasks),
        frames=tuple(truths.values()),
        planned=len(planned - given_up),
        given_up=len(given_up),
        observed=sum(states.get(task_id) in ("captured", "delivered") for task_id in planned - given_up),
        captured_frames=sum(event["event"] == "FrameKept" for event in events),
        completed_frames=len(set(completed)),
        completed_twice=len(completed) - len(set(completed)),
        uploads=len(uploads),
        errors=tuple(str(event.get("what") or event) for event in log if event.get("level") == "error"),
        dead_time=_dead_time(events),
        bridge_exit_code=bridge_exit_code,
    )


def _outcome(task: Record, states: Mapping[str, str], reasons: Mapping[str, str]) -> TaskOutcome:
    uploads = task["uploads"]
    return TaskOutcome(
        task_id=task["id"],
        target=str(task["name"]),
        norad_id=int(task["norad_id"]),
        priority=int(task["priority"]),
        opens=str(task["task_start"]),
        closes=str(task["task_stop"]),
        status=str(task["status"]),
        state=states.get(task["id"], "unknown"),
        frames=len(uploads),
        completed=sum(upload["status"] == "COMPLETED" for upload in uploads),
        reason=reasons.get(task["id"], ""),
    )


def _planned_and_given_up(events: Iterable[Record]) -> tuple[set[str], set[str]]:
    """The tasks that were ever in a plan, and those that a later plan left out for good, with its reason."""
    planned: set[str] = set()
    given_up: set[str] = set()
    for event in events:
        if event["event"] != "TaskAdvanced":
            continue
        if event["to_state"] == "planned":
            planned.add(event["task_id"])
            given_up.discard(event["task_id"])
        elif event["from_state"] == "planned" and event["to_state"] == "pending":
            given_up.add(event["task_id"])
    return planned, given_up


def _last_states(events: Iterable[Record]) -> tuple[dict[str, str], dict[str, str]]:
    states: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for event in events:
        if event["event"] == "TaskAccepted":
            states[event["task_id"]] = "pending"
        elif event["event"] == "TaskAdvanced":
            states[event["task_id"]] = event["to_state"]
            reasons[event["task_id"]] = str(event["why"])
    return states, reasons


def _truth_of(
    task: Record, upload: Record, true_frames: Sequence[Record], swarm: Swarm, ground: Ground
) -> FrameTruth | None:
    """The camera's true frame that became this file; None where the camera never took it."""
    path = Path(upload["path"])
    header = _header_of(path)
    opened = _instant(header["DATE-BEG"])
    true = min(
        true_frames, key=lambda frame: abs((_instant(frame["started_at"]) - opened).total_seconds()), default=None
    )
    if true is None or abs((_instant(true["started_at"]) - opened).total_seconds()) > _SAME_FRAME_S:
        return None
    norad_id = int(task["norad_id"])
    index = list(swarm.norad_ids).index(norad_id)
    seen = swarm.astrometric(index, ground, _instant(true["mid_at"]))
    off_deg = _separation_deg(
        float(seen.ra_deg), float(seen.dec_deg), true["true_icrs_ra_deg"], true["true_icrs_dec_deg"]
    )
    places = {
        int(found): ((x_px + 0.5) / true["width_px"], (y_px + 0.5) / true["height_px"])
        for found, x_px, y_px in true["norad_ids_in_field"]
    }
    return FrameTruth(
        file=str(upload["filename"]),
        path=path,
        task_id=str(task["id"]),
        target=str(task["name"]),
        shape=header["TRKMODE"],
        exposure_s=float(true["exposure_s"]),
        place=places.get(norad_id),
        off_arcsec=off_deg * 3600.0,
        time_error_s=(opened - _instant(true["started_at"])).total_seconds(),
        number=int(true["number"]),
    )


def _dead_time(events: Sequence[Record]) -> DeadTime:
    """From the end of each series' last exposure to the next task's slew.

    What is waited for is no dead time: where the plan holds back for its target, it is counted from the end of that
    wait; where nothing could be planned, from the next plan that holds something; a closed dome ends the count.
    """
    gaps_ms: list[float] = []
    series: str | None = None  # the task of the last series; None where none ended, or its gap is counted
    free_at = datetime.min.replace(tzinfo=UTC)
    nothing_planned = False
    for event in events:
        at = _instant(event["at"])
        if event["event"] == "ExposureStarted":
            series, free_at = event["task_id"], at + timedelta(seconds=float(event["exposure_s"]))
        elif event["event"] == "PlanMade":
            free_at = _free_at(event, at, at if nothing_planned else free_at)
            nothing_planned = not event["placed"]
        elif event["event"] == "RoofClosed":
            series = None
        elif event["event"] == "SlewStarted" and series not in (None, event["task_id"]):
            gaps_ms.append((at - free_at).total_seconds() * 1000.0)
            series = None
    if not gaps_ms:
        return DeadTime(count=0, median_ms=math.nan, p95_ms=math.nan)
    ordered = sorted(gaps_ms)
    p95_ms = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return DeadTime(count=len(ordered), median_ms=statistics.median(ordered), p95_ms=p95_ms)


def _free_at(plan: Record, at: datetime, before: datetime) -> datetime:
    """From when on nothing but our own slowness keeps the telescope: the end of the plan's wait, if it waits."""
    leave_at = _instant(plan["leave_at"])
    return leave_at if leave_at - at > _WAITS else min(before, at)


def _separation_deg(ra_a_deg: float, dec_a_deg: float, ra_b_deg: float, dec_b_deg: float) -> float:
    dec_a, dec_b = math.radians(dec_a_deg), math.radians(dec_b_deg)
    half_dec = math.sin((dec_b - dec_a) / 2.0)
    half_ra = math.sin(math.radians(ra_b_deg - ra_a_deg) / 2.0)
    return math.degrees(2.0 * math.asin(math.sqrt(half_dec**2 + math.cos(dec_a) * math.cos(dec_b) * half_ra**2)))


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _header_of(path: Path) -> Mapping[str, str]:
    with path.open("rb") as file:
        return cards_of(file.read(8 * BLOCK_BYTES))
