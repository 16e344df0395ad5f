"""Whether the promises held: from the platform's record, the camera's record, the files and the ledger alone."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.chaos.ledgers import LedgerSeen, look_into

PLATFORM_RECORD = "platform.json"
CAMERA_RECORD = "camera.json"
KILLS_RECORD = "kills.jsonl"

Record = Mapping[str, Any]

_NAMED_AT_MOST = 5
_LANDED = ("UPLOADED", "PROCESSING", "COMPLETED")
_BUSY = ("observing", "captured")


class NothingToJudge(Exception):
    """The folder holds no campaign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One promise: what it says, how many things were looked at, and those that broke it."""

    name: str
    says: str
    looked_at: int
    broken: tuple[str, ...]

    @property
    def held(self) -> bool:
        return not self.broken


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    ledger: LedgerSeen
    frames_folder: Path
    tasks: Sequence[Record]
    kills: Sequence[Record]
    camera_frames: int

    @property
    def uploads(self) -> list[Record]:
        return [upload for task in self.tasks for upload in task["uploads"]]

    @property
    def landed(self) -> Counter[str]:
        """How many records of the platform hold each file."""
        return Counter(str(upload["filename"]) for upload in self.uploads if upload["status"] in _LANDED)

    @property
    def durable(self) -> dict[str, str]:
        """Every frame that was ever seen durable, with its hash: in the ledger now, or after any of the kills."""
        seen = {str(name): str(sha256) for kill in self.kills for name, sha256 in kill["durable"].items()}
        return seen | {frame.file_name: frame.sha256 for frame in self.ledger.frames}


def judged(folder: Path) -> list[Verdict]:
    """The verdicts on a campaign that has ended.

    Raises:
        NothingToJudge: the folder lacks a record.
    """
    evidence = _evidence(folder)
    return [check(evidence) for check in _CHECKS]


def kills_of(folder: Path) -> list[dict[str, Any]]:
    """What was found after each kill, in order.

    Raises:
        FileNotFoundError: there was no campaign.
    """
    return [json.loads(line) for line in (folder / KILLS_RECORD).read_text(encoding="utf-8").splitlines()]


def _evidence(folder: Path) -> _Evidence:
    ledger = look_into(folder / "state")
    if ledger is None:
        raise NothingToJudge(f"{folder / 'state'} holds no ledger")
    try:
        tasks = json.loads((folder / PLATFORM_RECORD).read_text(encoding="utf-8"))["tasks"]
        camera = json.loads((folder / CAMERA_RECORD).read_text(encoding="utf-8"))
        kills = kills_of(folder)
    except FileNotFoundError as error:
        raise NothingToJudge(f"{error.filename} is missing") from error
    return _Evidence(
        ledger=ledger, frames_folder=folder / "state" / "frames", tasks=tasks, kills=kills, camera_frames=len(camera)
    )


def _files_are_there(evidence: _Evidence) -> Verdict:
    broken = [
        f"{frame.file_name}: {'missing' if not frame.path.is_file() else 'not what was written'}"
        for frame in evidence.ledger.frames
        if not frame.path.is_file() or _sha256(frame.path) != frame.sha256
    ]
    return _verdict("I1", "a durable frame's file is there and matches its hash", len(evidence.ledger.frames), broken)


def _lands_once(evidence: _Evidence) -> Verdict:
    landed = evidence.landed
    hashes = {str(upload["filename"]): upload["sha256"] for upload in evidence.uploads if upload["sha256"]}
    broken = [f"{name}: {count} times" for name, count in landed.items() if count > 1]
    broken += [f"{name}: never" for name in evidence.durable if not landed[name]]
    broken += [
        f"{name}: with another content"
        for name, sha256 in evidence.durable.items()
        if landed[name] and hashes.get(name) != sha256
    ]
    return _verdict("I2", "every durable frame landed exactly once, as it was written", len(evidence.durable), broken)


def _none_lost(evidence: _Evidence) -> Verdict:
    broken = [f"{name}: given up after it was durable" for name in evidence.durable if name in evidence.ledger.lost]
    broken += [f"{name}: the ledger forgot it" for name in evidence.durable if name not in evidence.ledger.names]
    return _verdict("I3", "no frame is lost after it was durable", len(evidence.durable), broken)


def _none_stuck(evidence: _Evidence) -> Verdict:
    states = evidence.ledger.task_states
    broken = [f"task {task_id} is {state}" for task_id, state in states.items() if state in _BUSY]
    broken += evidence.ledger.open_items
    return _verdict("I4", "no task is left behind, nothing is left to be told", len(states), broken)


def _versions_grow(evidence: _Evidence) -> Verdict:
    return _verdict("I5", "versions only grow", len(evidence.ledger.task_states), evidence.ledger.gaps)


def _no_strangers(evidence: _Evidence) -> Verdict:
    files = sorted(file.name for file in evidence.frames_folder.iterdir() if file.is_file())
    broken = [name for name in files if name not in evidence.ledger.names]
    return _verdict("I6", "no file lies among the frames that the ledger does not know", len(files), broken)


def _success_means_frames(evidence: _Evidence) -> Verdict:
    landed = evidence.landed
    kept: dict[str, list[str]] = {}
    for frame in evidence.ledger.frames:
        kept.setdefault(frame.task_id, []).append(frame.file_name)
    succeeded = [task for task in evidence.tasks if task["status"] == "Succeeded"]
    broken = [
        f"task {task['id']}"
        for task in succeeded
        if not kept.get(task["id"]) or any(not landed[name] for name in kept[task["id"]])
    ]
    return _verdict("I7", "who reports success has delivered every frame of the task", len(succeeded), broken)


def _ledger_is_sound(evidence: _Evidence) -> Verdict:
    checks = [(f"kill {number}", str(kill["check"])) for number, kill in enumerate(evidence.kills, start=1)]
    broken = [f"{when}: {check}" for when, check in [*checks, ("the end", evidence.ledger.check)] if check != "ok"]
    return _verdict("DB", "SQLite finds the ledger sound after every kill", len(checks) + 1, broken)


def _faults_fired(evidence: _Evidence) -> Verdict:
    hits = sum(kill["hit"] for kill in evidence.kills)
    return _verdict(
        "F", f"the kills killed ({hits} times)", len(evidence.kills), [] if hits else ["nothing was killed"]
    )


def _work_was_done(evidence: _Evidence) -> Verdict:
    broken = [] if sum(evidence.landed.values()) else ["not one frame was delivered"]
    return _verdict("W", "the night was worth something", evidence.camera_frames, broken)


_CHECKS = (
    _files_are_there,
    _lands_once,
    _none_lost,
    _none_stuck,
    _versions_grow,
    _no_strangers,
    _success_means_frames,
    _ledger_is_sound,
    _faults_fired,
    _work_was_done,
)


def _verdict(name: str, says: str, looked_at: int, broken: Iterable[str]) -> Verdict:
    found = tuple(broken)
    shown = found[:_NAMED_AT_MOST]
    if len(found) > len(shown):
        shown = (*shown, f"and {len(found) - len(shown)} more")
    return Verdict(name=name, says=says, looked_at=looked_at, broken=shown)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
