"""Whether the promises held: from the platform's record, the camera's record, the files and the ledger alone."""

import hashlib
from collections import Counter
from datetime import timedelta
from pathlib import Path

from simulators.chaos.evidence import Evidence, Record, evidence_of, instant
from simulators.chaos.ledgers import KeptFrame
from simulators.chaos.motions import exposures_in_time, motions_admitted, never_open_alone
from simulators.chaos.verdicts import Verdict, verdict

_BUSY = ("observing", "captured")
_WAITING = ("pending", "planned")
_LET_GO_WITHIN = timedelta(minutes=30)


def judged(folder: Path) -> list[Verdict]:
    """The verdicts on a night that is over.

    Raises:
        NothingToJudge: the folder lacks a record.
    """
    evidence = evidence_of(folder)
    return [check(evidence) for check in _CHECKS]


def _files_are_there(evidence: Evidence) -> Verdict:
    frames = evidence.ledger.frames
    broken = [f"{frame.file_name}: {wrong}" for frame in frames if (wrong := _wrong_with(frame, evidence))]
    says = "a durable frame's file is there and matches its hash, or was removed after it had landed"
    return verdict("I1", says, len(frames), broken)


def _wrong_with(frame: KeptFrame, evidence: Evidence) -> str:
    if frame.path.is_file():
        return "" if _sha256(frame.path) == frame.sha256 else "not what was written"
    if not frame.removed:
        return "missing"
    return "" if evidence.landed[frame.file_name] else "removed, and it never landed"


def _lands_once(evidence: Evidence) -> Verdict:
    landed = evidence.landed
    hashes = {str(upload["filename"]): upload["sha256"] for upload in evidence.uploads if upload["sha256"]}
    broken = [f"{name}: {count} times" for name, count in landed.items() if count > 1]
    broken += [f"{name}: never" for name in evidence.durable if not landed[name]]
    broken += [
        f"{name}: with another content"
        for name, sha256 in evidence.durable.items()
        if landed[name] and hashes.get(name) != sha256
    ]
    return verdict("I2", "every durable frame landed exactly once, as it was written", len(evidence.durable), broken)


def _none_lost(evidence: Evidence) -> Verdict:
    broken = [f"{name}: given up after it was durable" for name in evidence.durable if name in evidence.ledger.lost]
    broken += [f"{name}: the ledger forgot it" for name in evidence.durable if name not in evidence.ledger.names]
    return verdict("I3", "no frame is lost after it was durable", len(evidence.durable), broken)


def _none_stuck(evidence: Evidence) -> Verdict:
    states, closes = evidence.ledger.task_states, evidence.ledger.closes
    broken = [f"task {task_id} is {state}" for task_id, state in states.items() if state in _BUSY]
    long_over = instant(str(evidence.end["at"])) - _LET_GO_WITHIN
    broken += [
        f"task {task_id} is {state}, and its window ended at {closes[task_id]}"
        for task_id, state in states.items()
        if state in _WAITING and instant(closes[task_id]) < long_over
    ]
    broken += evidence.ledger.open_items
    says = "no task is left behind, none waits whose window is over, nothing is left to be told"
    return verdict("I4", says, len(states), broken)


def _versions_grow(evidence: Evidence) -> Verdict:
    return verdict("I5", "versions only grow", len(evidence.ledger.task_states), evidence.ledger.gaps)


def _no_strangers(evidence: Evidence) -> Verdict:
    files = sorted(file.name for file in evidence.frames_folder.iterdir() if file.is_file())
    broken = [name for name in files if name not in evidence.ledger.names]
    return verdict("I6", "no file lies among the frames that the ledger does not know", len(files), broken)


def _success_means_frames(evidence: Evidence) -> Verdict:
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
    return verdict("I7", "who reports success has delivered every frame of the task", len(succeeded), broken)


def _ledger_is_sound(evidence: Evidence) -> Verdict:
    checks = [(f"kill {number}", str(kill["check"])) for number, kill in enumerate(evidence.kills, start=1)]
    broken = [f"{when}: {check}" for when, check in [*checks, ("the end", evidence.ledger.check)] if check != "ok"]
    return verdict("DB", "SQLite finds the ledger sound after every kill", len(checks) + 1, broken)


def _ended_well(evidence: Evidence) -> Verdict:
    codes = [life["code"] for life in evidence.lives]
    broken = [] if codes and codes[-1] == 0 else [f"it ended with {codes[-1] if codes else 'no bridge at all'}"]
    return verdict("END", "the last bridge ended by itself, with 0", len(codes), broken)


def _faults_fired(evidence: Evidence) -> Verdict:
    asked = Counter(str(fault["group"]) for fault in evidence.faults)
    fired = Counter(str(fault["group"]) for fault in evidence.faults if fault["fired"])
    if evidence.kills:
        asked["kills"], fired["kills"] = len(evidence.kills), sum(bool(kill["hit"]) for kill in evidence.kills)
    broken = [f"{group}: not one of {count}" for group, count in asked.items() if not fired[group]]
    shares = ", ".join(f"{group} {fired[group]} of {count}" for group, count in asked.items())
    return verdict("F", f"what was to go wrong did: {shares or 'nothing was'}", asked.total(), broken)


def _rows_fired(evidence: Evidence) -> Verdict:
    """Rows of the catalogue that were asked for and never came to pass; who must, and did not, breaks the promise."""
    rows: dict[str, int] = {}
    for fault in evidence.faults:
        if row := str(fault["what"].get("row", "")):
            rows[row] = rows.get(row, 0) + int(fault["fired"])
    never = sorted(row for row, count in rows.items() if not count)
    broken = [f"{_named(fault['what'])}: never" for fault in evidence.faults if _had_to(fault) and not fault["fired"]]
    says = f"of {len(rows)} rows of the catalogue {len(rows) - len(never)} fired" if rows else "no row was asked for"
    says += f", and not {', '.join(never)}" if never else ""
    return verdict("R", says, sum(rows.values()), broken)


def _had_to(fault: Record) -> bool:
    return bool(fault["what"].get("must", False))


def _named(what: Record) -> str:
    """An order in a few words: its row, kind, and what it is about."""
    about = (what.get(key, "") for key in ("row", "link", "kind", "http_status", "method", "path", "key"))
    return " ".join(str(word) for word in about if word)


def _work_was_done(evidence: Evidence) -> Verdict:
    landed = sum(evidence.landed.values())
    broken = [] if landed else ["not one frame was delivered"]
    return verdict("W", f"the night was worth something: {landed} frames landed", len(evidence.exposures), broken)


_CHECKS = (
    _files_are_there,
    _lands_once,
    _none_lost,
    _none_stuck,
    _versions_grow,
    _no_strangers,
    _success_means_frames,
    motions_admitted,
    exposures_in_time,
    never_open_alone,
    _ledger_is_sound,
    _ended_well,
    _faults_fired,
    _rows_fired,
    _work_was_done,
)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
