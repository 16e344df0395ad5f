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
from simulators.chaos.evidence import (
    CAMERA_RECORD,
    DEEDS_RECORD,
    FAULTS_RECORD,
    KILLS_RECORD,
    LIVES_RECORD,
    PLATFORM_RECORD,
    NothingToJudge,
    keep,
)
from simulators.chaos.judge import judged
from simulators.chaos.ledgers import LEDGER_NAME, look_into

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
TASK = "70729658-58a2-4f91-aa2d-adc97c8ead94"

STATION = """
[dome]
driver = "alpaca"
[safety]
stale_s = 120.0
[rehearsal]
rate = 60.0
"""

Record = dict[str, Any]


def a_frame(number: int, *, clock_error_s: float = 0.01, began: datetime = DUSK) -> bytes:
    """As much of a FITS file as says when it was taken, and how well that is known."""
    values = {"SIMPLE": "T", "DATE-BEG": f"'{began:%Y-%m-%dT%H:%M:%S.%f}'", "TIMSYER": str(clock_error_s)}
    cards = [f"{key:<8}= {value}" for key, value in values.items()] + [f"COMMENT frame {number}", "END"]
    return "".join(f"{card:<80}" for card in cards).ljust(2880).encode("ascii")


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
            content = a_frame(number)
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
    hashes = {name: hashlib.sha256(a_frame(n)).hexdigest() for n, name in enumerate(names, start=1)}
    uploads = [{"filename": name, "status": "COMPLETED", "sha256": sha256} for name, sha256 in hashes.items()]
    platform = {"tasks": [{"id": TASK, "status": "Succeeded", "uploads": uploads}]}
    keep(tmp_path, PLATFORM_RECORD, platform)
    keep(tmp_path, CAMERA_RECORD, [{"started_at": DUSK.isoformat()}, {"started_at": DUSK.isoformat()}])
    keep(tmp_path, DEEDS_RECORD, {"deeds": _deeds(), "end": {"at": later(3600), "open_share": 0.0, "parked": True}})
    lives = [(0, 1200, -9), (1230, 3600, 0)]
    keep(tmp_path, LIVES_RECORD, [{"began": later(a), "ended": later(b), "code": code} for a, b, code in lives])
    keep(tmp_path, FAULTS_RECORD, [{"group": "devices", "fired": 2, "what": {}}])
    (tmp_path / "station.toml").write_text(STATION)
    kill = {"place": "frame sent", "hit": True, "check": "ok", "durable": {names[0]: hashes[names[0]]}}
    (tmp_path / KILLS_RECORD).write_text(json.dumps(kill) + "\n")
    return tmp_path


def later(seconds: float) -> str:
    return (DUSK + timedelta(seconds=seconds)).isoformat()


def _deeds() -> list[Record]:
    """A dome opened, a slew with tracking, an exposure, parked and closed; at night and in good weather."""
    orders = [
        (300, "Dome", "OpenShutter", {}, 0.0),
        (330, "Telescope", "Unpark", {}, 1.0),
        (335, "Telescope", "Tracking", {"Tracking": "True"}, 1.0),
        (340, "Telescope", "SlewToCoordinatesAsync", {"RightAscension": "3", "Declination": "20"}, 1.0),
        (400, "Camera", "StartExposure", {"Duration": "2", "Light": "True"}, 1.0),
        (3400, "Telescope", "Tracking", {"Tracking": "False"}, 1.0),
        (3410, "Telescope", "MoveAxis", {"Axis": "0", "Rate": "0.0"}, 1.0),
        (3420, "Telescope", "Park", {}, 1.0),
        (3450, "Dome", "CloseShutter", {}, 1.0),
    ]
    stood = {"unsafe_for_s": 0.0, "parked": False, "sun_altitude_deg": -30.0, "sun_apart_deg": 100.0}
    return [
        {"at": later(at), "device": device, "member": member, "given": given, "open_share": share, **stood}
        for at, device, member, given, share in orders
    ]


def broken(folder: Path) -> set[str]:
    return {verdict.name for verdict in judged(folder) if not verdict.held}


def at_platform(folder: Path, change: Callable[[Record], None]) -> None:
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
    frames_of(campaign)[0].write_bytes(a_frame(7))
    assert broken(campaign) == {"I1"}
    frames_of(campaign)[0].unlink()
    assert broken(campaign) == {"I1"}


def test_a_frame_that_landed_may_be_removed_and_one_that_did_not_may_not(campaign: Path) -> None:
    frames_of(campaign)[0].unlink()
    in_ledger(campaign, "UPDATE frame SET removal = 'begun' WHERE seq = 1")
    assert broken(campaign) == set()
    at_platform(campaign, lambda task: task["uploads"].pop(0))
    assert broken(campaign) == {"I1", "I2", "I7"}


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


def test_a_task_that_waits_after_its_window_is_left_behind(campaign: Path) -> None:
    in_ledger(campaign, "UPDATE task SET state = 'planned'")
    assert broken(campaign) == set()  # its window has just ended
    in_record(campaign, DEEDS_RECORD, lambda told: told["end"].update(at=later(3600 + 31 * 60)))
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


def in_record(folder: Path, name: str, change: Callable[[Any], None]) -> None:
    content = json.loads((folder / name).read_text())
    change(content)
    keep(folder, name, content)


def deed(folder: Path, member: str, **stood: object) -> None:
    """Have things stood otherwise when this was ordered."""

    def change(told: Record) -> None:
        next(one for one in told["deeds"] if one["member"] == member).update(stood)

    in_record(folder, DEEDS_RECORD, change)


@pytest.mark.parametrize(
    ("member", "stood", "said"),
    [
        ("SlewToCoordinatesAsync", {"unsafe_for_s": 130.0}, "unsafe for 130 s"),
        ("OpenShutter", {"unsafe_for_s": 600.0}, "unsafe for 600 s"),
        ("Unpark", {"open_share": 0.5}, "open by 50%"),
        ("SlewToCoordinatesAsync", {"open_share": 0.0}, "open by 0%"),
        ("Tracking", {"sun_altitude_deg": -5.0, "sun_apart_deg": 29.0}, "29.0° from the Sun"),
    ],
)
def test_a_motion_that_no_gate_can_have_admitted_is_seen(campaign: Path, member: str, stood: Record, said: str) -> None:
    deed(campaign, member, **stood)
    (verdict,) = [one for one in judged(campaign) if not one.held]
    assert verdict.name == "I8"
    assert said in verdict.broken[0]


def test_what_puts_away_is_always_allowed(campaign: Path) -> None:
    for member in ("Park", "CloseShutter", "MoveAxis"):
        deed(campaign, member, unsafe_for_s=900.0, open_share=0.3, sun_altitude_deg=10.0, sun_apart_deg=2.0)
    assert broken(campaign) == set()


def test_a_verdict_may_be_as_old_as_the_station_file_says(campaign: Path) -> None:
    deed(campaign, "Unpark", unsafe_for_s=120.0)
    assert broken(campaign) == set()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (a_frame(1, clock_error_s=0.7), "may have been off by 0.7 s"),
        (a_frame(1, clock_error_s=float("nan")), "may have been off by nan s"),
        (a_frame(1, began=DUSK + timedelta(minutes=2)), "no exposure began within"),
        (a_frame(1).replace(b"TIMSYER", b"WHATEVR"), "does not say when, or how well"),
    ],
)
def test_a_frame_of_a_bad_clock_is_seen(campaign: Path, content: bytes, said: str) -> None:
    frames_of(campaign)[0].write_bytes(content)
    found = {verdict.name: verdict for verdict in judged(campaign) if not verdict.held}
    assert set(found) == {"I1", "I9"}
    assert said in found["I9"].broken[0]


def test_a_dome_that_stood_open_without_a_bridge_is_seen(campaign: Path) -> None:
    def later_start(lives: list[Record]) -> None:
        lives[1]["began"] = later(1200 + 31 * 60)

    in_record(campaign, LIVES_RECORD, later_start)
    (verdict,) = [one for one in judged(campaign) if not one.held]
    assert (verdict.name, verdict.broken) == ("I10", ("open for 31.0 s of life without a bridge",))


def test_a_closed_dome_needs_no_bridge(campaign: Path) -> None:
    def between(lives: list[Record]) -> None:
        lives[:] = [
            {"began": later(0), "ended": later(100), "code": -9},
            {"began": later(299), "ended": later(3460), "code": -9},
            {"began": later(9000), "ended": later(9100), "code": 0},
        ]

    in_record(campaign, LIVES_RECORD, between)
    assert broken(campaign) == set()


@pytest.mark.parametrize("stands", [{"open_share": 1.0}, {"parked": False}])
def test_what_is_not_put_away_at_the_end_is_seen(campaign: Path, stands: Record) -> None:
    in_record(campaign, DEEDS_RECORD, lambda told: told["end"].update(stands))
    assert broken(campaign) == {"I10"}


def test_a_bridge_that_ended_badly_is_seen(campaign: Path) -> None:
    in_record(campaign, LIVES_RECORD, lambda lives: lives[-1].update(code=1))
    assert broken(campaign) == {"END"}
    in_record(campaign, LIVES_RECORD, lambda lives: lives.clear())
    assert broken(campaign) == {"END"}


def test_faults_that_never_fired_prove_nothing(campaign: Path) -> None:
    in_record(campaign, FAULTS_RECORD, lambda faults: faults.append({"group": "network", "fired": 0, "what": {}}))
    (verdict,) = [one for one in judged(campaign) if not one.held]
    assert (verdict.name, verdict.broken) == ("F", ("network: not one of 1",))
    assert "devices 1 of 1" in verdict.says


def test_a_frame_that_the_platform_can_do_nothing_with_has_landed_if_it_is_what_was_written(campaign: Path) -> None:
    at_platform(campaign, lambda task: task["uploads"][0].update(status="FAILED"))
    assert broken(campaign) == set()
    at_platform(campaign, lambda task: task["uploads"][0].update(sha256="0" * 64))
    assert broken(campaign) == {"I2"}
    at_platform(campaign, lambda task: task["uploads"][0].update(sha256=None))
    assert broken(campaign) == {"I2", "I7"}


def test_rows_that_were_asked_for_and_never_fired_are_named(campaign: Path) -> None:
    asked = [
        {"group": "devices", "fired": 0, "what": {"row": "M01", "kind": "stuck"}},
        {"group": "devices", "fired": 2, "what": {"row": "M01", "kind": "stuck"}},
        {"group": "devices", "fired": 0, "what": {"row": "M02", "kind": "miss"}},
        {"group": "platform", "fired": 1, "what": {"row": "N14", "must": True, "kind": "page"}},
    ]
    in_record(campaign, FAULTS_RECORD, lambda faults: faults.extend(asked))
    (rows,) = [one for one in judged(campaign) if one.name == "R"]
    assert (rows.says, rows.held) == ("of 3 rows of the catalogue 2 fired, and not M02", True)


def test_a_row_that_had_to_come_to_pass_and_did_not_breaks_the_promise(campaign: Path) -> None:
    never = {"row": "S12", "must": True, "link": "storage", "kind": "reset"}
    asked = [
        {"group": "network", "fired": fired, "what": {**never, "link": link}}
        for fired, link in ((0, "storage"), (1, "api"))
    ]
    in_record(campaign, FAULTS_RECORD, lambda faults: faults.extend(asked))
    (verdict,) = [one for one in judged(campaign) if not one.held]
    assert (verdict.name, verdict.broken) == ("R", ("S12 storage reset: never",))


def test_a_calm_night_is_judged_too(campaign: Path) -> None:
    (campaign / KILLS_RECORD).unlink()
    keep(campaign, FAULTS_RECORD, [])
    assert broken(campaign) == set()


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
