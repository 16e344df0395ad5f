"""What a judge has to go by when a night is over: records that others kept, the files, the station file, the ledger."""

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simulators.chaos.ledgers import LedgerSeen, look_into

PLATFORM_RECORD = "platform.json"  # its tasks, each with its uploads
CAMERA_RECORD = "camera.json"  # when each exposure truly began, and what was to be seen
DEEDS_RECORD = "deeds.json"  # what the devices were told, and how things stood
LIVES_RECORD = "lives.json"  # when a bridge ran
FAULTS_RECORD = "faults.json"  # what was to go wrong, and how often it did
KILLS_RECORD = "kills.jsonl"  # of a campaign: what was found after each kill
RECORDS = (PLATFORM_RECORD, CAMERA_RECORD, DEEDS_RECORD, LIVES_RECORD, FAULTS_RECORD, KILLS_RECORD)

Record = Mapping[str, Any]

# What the platform could do nothing with has landed as well: its content is looked at by its hash.
_LANDED = ("UPLOADED", "PROCESSING", "COMPLETED", "FAILED")
# Where the station file leaves them out (docs/station.md).
_SUN_CONE_DEG, _STALE_S = 30.0, 30.0


class NothingToJudge(Exception):
    """The folder holds no night that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSaid:
    """What the station file promises: how old a verdict may be, how far from the Sun; and how fast time ran."""

    stale_s: float
    sun_cone_deg: float
    rate: float
    has_dome: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it."""

    ledger: LedgerSeen
    frames_folder: Path
    station: StationSaid
    tasks: Sequence[Record]
    exposures: Sequence[Record]
    deeds: Sequence[Record]
    end: Record
    lives: Sequence[Record]
    faults: Sequence[Record]
    kills: Sequence[Record]

    @property
    def uploads(self) -> list[Record]:
        return [upload for task in self.tasks for upload in task["uploads"]]

    @property
    def landed(self) -> Counter[str]:
        """How many records of the platform hold each file."""
        return Counter(
            str(upload["filename"]) for upload in self.uploads if upload["sha256"] and upload["status"] in _LANDED
        )

    @property
    def durable(self) -> dict[str, str]:
        """Every frame that was ever seen durable, with its hash: in the ledger now, or after any of the kills."""
        seen = {str(name): str(sha256) for kill in self.kills for name, sha256 in kill["durable"].items()}
        return seen | {frame.file_name: frame.sha256 for frame in self.ledger.frames}


def evidence_of(folder: Path) -> Evidence:
    """All there is in a folder.

    Raises:
        NothingToJudge: something is missing, and what.
    """
    ledger = look_into(folder / "state")
    if ledger is None:
        raise NothingToJudge(f"{folder / 'state'} holds no ledger")
    try:
        told = _read(folder / DEEDS_RECORD)
        return Evidence(
            ledger=ledger,
            frames_folder=folder / "state" / "frames",
            station=_station(folder / "station.toml"),
            tasks=_read(folder / PLATFORM_RECORD)["tasks"],
            exposures=_read(folder / CAMERA_RECORD),
            deeds=told["deeds"],
            end=told["end"],
            lives=_read(folder / LIVES_RECORD),
            faults=_read(folder / FAULTS_RECORD),
            kills=kills_of(folder),
        )
    except FileNotFoundError as error:
        raise NothingToJudge(f"{error.filename} is missing") from error


def kills_of(folder: Path) -> list[dict[str, Any]]:
    """What was found after each kill of a campaign, in order; nothing where it was none."""
    path = folder / KILLS_RECORD
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def keep(folder: Path, name: str, content: Any) -> None:
    """Write a record down."""
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def instant(text: str) -> datetime:
    """Of ISO 8601."""
    return datetime.fromisoformat(text)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _station(path: Path) -> StationSaid:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    safety = said.get("safety", {})
    return StationSaid(
        stale_s=float(safety.get("stale_s", _STALE_S)),
        sun_cone_deg=float(safety.get("sun_cone_deg", _SUN_CONE_DEG)),
        rate=float(said["rehearsal"]["rate"]),
        has_dome="dome" in said,
    )
