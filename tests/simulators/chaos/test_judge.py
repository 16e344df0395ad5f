"""The judge believes files, ledger and the platform's record, and each broken promise is named."""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.clock import LoopClock
from bridge.events import Telemetry
from bridge.storage.framebook import FrameFile
from bridge.storage.outbox import Lane, Stage
from bridge.storage.store import open_store
from bridge.tasks import TaskSource, TaskState
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Star
from simulators.chaos.command import print_judgement
from simulators.chaos.judge import CAMERA_RECORD, KILLS_RECORD, PLATFORM_RECORD, NothingToJudge, judged
from simulators.chaos.ledgers import LEDGER_NAME, look_into

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
TASK = "70729658-58a2-4f91-aa2d-adc97c8ead94"

Platform = dict[str, Any]


async def _delivered(folder: Path) -> list[str]:
    """A bridge that took two frames of a task and delivered both and the report."""
    frames = folder / "state" / "frames"
    frames.mkdir(parents=True)
    request = ObservationRequest(
        request_id=TASK,
        target=Star(name="Vega", icrs=ICRS(ra_deg=279.2, dec_deg=38.8)),
        opens=DUSK,
        closes=DUSK + timedelta(hours=1),
        priority=5.0,
        filter_name="Clear",
        exposure_s=1.0,
        frame_count=2,
        binning=1,
        collect=CollectShape.AUTO,
    )
    names = []
    ledger = folder / "state" / LEDGER_NAME
    async with open_store(ledger, clock=LoopClock(DUSK), telemetry=Telemetry()) as store:
        await store.ledger.file_tasks([request], source=TaskSource.API)
        await store.ledger.advance(TASK, TaskState.OBSERVING)
        for number in (1, 2):
            reserved = await store.frames.reserve_frame(TASK, number=number, total=2)
            content = f"frame {number}".encode()
            path = frames / reserved.file_name
            path.write_bytes(content)
            file = FrameFile(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
            await store.frames.record_frame(reserved, file, started_at=DUSK, ended_at=DUSK + timedelta(seconds=1))
            names.append(reserved.file_name)
        await store.ledger.capture(TASK)
        await asyncio.sleep(0.01)  # its clock goes on, and all it queued is due
        while item := await store.outbox.next_due(Lane.FILES, busy=()):
            await store.outbox.reach(item, Stage.LANDED)
            await store.outbox.reach(item, Stage.DONE)
        while item := await store.outbox.next_due(Lane.WORDS, busy=()):
            await store.outbox.reach(item, Stage.DONE)
    return names


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    """A night with one kill that broke nothing."""
    names = asyncio.run(_delivered(tmp_path))
    hashes = {name: hashlib.sha256(f"frame {n}".encode()).hexdigest() for n, name in enumerate(names, start=1)}
    uploads = [{"filename": name, "status": "COMPLETED", "sha256": sha256} for name, sha256 in hashes.items()]
    platform = {"tasks": [{"id": TASK, "status": "Succeeded", "uploads": uploads}]}
    (tmp_path / PLATFORM_RECORD).write_text(json.dumps(platform))
    (tmp_path / CAMERA_RECORD).write_text(json.dumps([{}, {}]))
    kill = {"number": 1, "hit": True, "point": "", "check": "ok", "durable": {names[0]: hashes[names[0]]}}
    (tmp_path / KILLS_RECORD).write_text(json.dumps(kill) + "\n")
    return tmp_path


def broken(folder: Path) -> set[str]:
    return {verdict.name for verdict in judged(folder) if not verdict.held}


def at_platform(folder: Path, change: Callable[[Platform], None]) -> None:
    record = json.loads((folder / PLATFORM_RECORD).read_text())
    change(record["tasks"][0])
    (folder / PLATFORM_RECORD).write_text(json.dumps(record))


def in_ledger(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "state" / LEDGER_NAME)
    with connection:
        connection.execute(statement)
    connection.close()


def frames_of(folder: Path) -> list[Path]:
    return sorted((folder / "state" / "frames").iterdir())


def test_a_night_in_which_nothing_broke_is_acquitted(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert broken(campaign) == set()
    assert print_judgement(campaign) == 0
    assert "every durable frame landed exactly once" in capsys.readouterr().out


def test_looking_changes_nothing(campaign: Path) -> None:
    before = {file: file.read_bytes() for file in campaign.rglob("*") if file.is_file()}
    judged(campaign)
    assert {file: file.read_bytes() for file in campaign.rglob("*") if file.is_file()} == before


def test_a_frame_that_is_gone_or_altered_is_seen(campaign: Path) -> None:
    frames_of(campaign)[0].write_bytes(b"bit rot")
    assert broken(campaign) == {"I1"}
    frames_of(campaign)[0].unlink()
    assert broken(campaign) == {"I1"}


def test_a_frame_that_landed_twice_is_seen(campaign: Path) -> None:
    at_platform(campaign, lambda task: task["uploads"].append(task["uploads"][0]))
    assert broken(campaign) == {"I2"}


def test_a_frame_that_never_landed_makes_a_success_a_lie(campaign: Path) -> None:
    at_platform(campaign, lambda task: task["uploads"].pop())
    assert broken(campaign) == {"I2", "I7"}


def test_a_frame_that_landed_with_another_content_is_seen(campaign: Path) -> None:
    at_platform(campaign, lambda task: task["uploads"][0].update(sha256="0" * 64))
    assert broken(campaign) == {"I2"}


def test_a_frame_seen_durable_after_a_kill_and_forgotten_since_is_lost(campaign: Path) -> None:
    at_platform(campaign, lambda task: task["uploads"].pop(0))
    in_ledger(campaign, "DELETE FROM frame WHERE seq = 1")
    assert broken(campaign) >= {"I2", "I3", "I6"}


def test_a_durable_frame_given_up_is_lost(campaign: Path) -> None:
    in_ledger(campaign, "UPDATE frame SET state = 'lost' WHERE seq = 1")
    assert broken(campaign) == {"I3"}


@pytest.mark.parametrize("statement", ["UPDATE task SET state = 'observing'", "UPDATE outbox SET stage = 'sent'"])
def test_what_is_left_behind_is_seen(campaign: Path, statement: str) -> None:
    in_ledger(campaign, statement)
    assert broken(campaign) == {"I4"}


def test_a_version_that_went_back_is_seen(campaign: Path) -> None:
    in_ledger(campaign, "UPDATE task SET version = 2")
    assert broken(campaign) == {"I5"}


def test_a_file_nobody_knows_is_seen(campaign: Path) -> None:
    (campaign / "state" / "frames" / "stray.fits").write_bytes(b"?")
    assert broken(campaign) == {"I6"}


def test_a_ledger_found_damaged_after_a_kill_is_seen(campaign: Path) -> None:
    kill = json.loads((campaign / KILLS_RECORD).read_text())
    (campaign / KILLS_RECORD).write_text(json.dumps(kill | {"check": "row 3 missing from index"}) + "\n")
    assert broken(campaign) == {"DB"}


def test_a_campaign_that_killed_nobody_proves_nothing(campaign: Path) -> None:
    kill = json.loads((campaign / KILLS_RECORD).read_text())
    (campaign / KILLS_RECORD).write_text(json.dumps(kill | {"hit": False}) + "\n")
    assert broken(campaign) == {"F"}


def test_a_bridge_that_does_nothing_does_not_pass(campaign: Path) -> None:
    at_platform(campaign, lambda task: task.update(status="Pending", uploads=[]))
    assert "W" in broken(campaign)


def test_without_records_there_is_nothing_to_judge(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (campaign / PLATFORM_RECORD).unlink()
    with pytest.raises(NothingToJudge, match=PLATFORM_RECORD):
        judged(campaign)
    assert print_judgement(campaign) == 2
    assert print_judgement(campaign / "nowhere") == 2


def test_a_ledger_that_was_never_made_is_none_yet(tmp_path: Path) -> None:
    assert look_into(tmp_path) is None
    sqlite3.connect(tmp_path / LEDGER_NAME).execute("PRAGMA user_version = 0").connection.close()
    seen = look_into(tmp_path)
    assert seen is not None
    assert (seen.check, seen.frames) == ("ok", ())
