"""status, recover and export: what a station holds, told, mended, and handed on, without a telescope."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bridge.clock import LoopClock
from bridge.events import Telemetry
from bridge.lock import alone_in, holder_of
from bridge.retention import Retention
from bridge.station import FRAMES_NAME, LEDGER_NAME
from bridge.storage.frames import open_frame_folder, write_frame
from bridge.storage.outbox import Lane
from bridge.storage.store import open_store
from bridge.tasks import TaskSource, TaskState
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Star
from simulators.api.records import TaskStatus
from tests.desk import DUSK, Desk

from .conftest import Call


def request_for(task_id: str, *, closes: datetime = DUSK + timedelta(hours=1)) -> ObservationRequest:
    return ObservationRequest(
        request_id=task_id,
        target=Star(name="<b>Vega</b>", icrs=ICRS(ra_deg=279.2, dec_deg=38.8)),
        opens=closes - timedelta(hours=1),
        closes=closes,
        priority=5.0,
        filter_name="Clear",
        exposure_s=1.0,
        frame_count=2,
        binning=1,
        collect=CollectShape.AUTO,
    )


def capture(desk: Desk, task_ids: list[str], *, frames: int = 2) -> list[str]:
    """A night that took frames of these tasks and ended before it delivered any; their file names."""
    return asyncio.run(_capture(desk, task_ids, frames))


async def _capture(desk: Desk, task_ids: list[str], frames: int) -> list[str]:
    names = []
    clock = LoopClock(DUSK)
    async with (
        open_store(desk.state / LEDGER_NAME, clock=clock, telemetry=Telemetry()) as store,
        open_frame_folder(desk.state / FRAMES_NAME, keep_free_bytes=0) as folder,
    ):
        for task_id in task_ids:
            await store.ledger.file_tasks([request_for(task_id)], source=TaskSource.API)
            await store.ledger.advance(task_id, TaskState.OBSERVING)
            for number in range(1, frames + 1):
                reserved = await store.frames.reserve_frame(task_id, number=number, total=frames)
                cards = [
                    *(("SITELAT", 38.84, ""), ("SITELONG", -104.97, ""), ("SITEELEV", 1900.0, "")),
                    *(("TASKID", task_id, ""), ("FRAMEID", reserved.frame_id, ""), ("OBJECT", "Vega", "")),
                    *(("FRAMENUM", number, ""), ("FRAMECNT", frames, ""), ("FRAMESEQ", reserved.seq, "")),
                    *(("DATE-OBS", "2026-11-23T00:45:00", ""), ("DATE-BEG", "2026-11-23T00:45:00", "")),
                    *(("DATE-END", "2026-11-23T00:45:01", ""), ("RA", 279.2, ""), ("DEC", 38.8, "")),
                    *(("EXPTIME", 1.0, ""), ("XBINNING", 1, ""), ("FILTER", "Clear", "")),
                ]
                path = folder.folder / reserved.file_name
                file = write_frame(path, cards, np.zeros((24, 60), dtype=np.uint16))
                ended_at = DUSK + timedelta(seconds=1)
                await store.frames.record_frame(reserved, file, started_at=DUSK, ended_at=ended_at)
                names.append(reserved.file_name)
            await store.ledger.capture(task_id)
    return names


def file_and_leave(desk: Desk, task_id: str, *, closes: datetime) -> None:
    """A task that was taken in, and nothing came of it."""

    async def filed() -> None:
        async with open_store(desk.state / LEDGER_NAME, clock=LoopClock(DUSK), telemetry=Telemetry()) as store:
            await store.ledger.file_tasks([request_for(task_id, closes=closes)], source=TaskSource.API)

    desk.state.mkdir(exist_ok=True)
    asyncio.run(filed())


def state_of(desk: Desk, task_id: str) -> tuple[TaskState, str]:
    async def looked_up() -> tuple[TaskState, str]:
        async with open_store(desk.state / LEDGER_NAME, clock=LoopClock(DUSK), telemetry=Telemetry()) as store:
            task = await store.ledger.task(task_id)
            return task.state, task.reason

    return asyncio.run(looked_up())


def refuse_one(desk: Desk, why: str) -> None:
    asyncio.run(_refuse_one(desk, why))


async def _refuse_one(desk: Desk, why: str) -> None:
    later = LoopClock(DUSK + timedelta(minutes=1))
    async with open_store(desk.state / LEDGER_NAME, clock=later, telemetry=Telemetry()) as store:
        item = await store.outbox.next_due(Lane.FILES, busy=())
        assert item is not None
        await store.outbox.park(item, why)


def a_task(desk: Desk) -> str:
    return str(next(iter(desk.world.tasks)))


@pytest.mark.parametrize("command", ["status", "export"])
def test_a_station_that_never_ran_says_so(nightbridge: Call, desk: Desk, tmp_path: Path, command: str) -> None:
    said = nightbridge(command, *([tmp_path / "out"] if command == "export" else []), "-c", desk.station)
    assert said.code == 1
    assert "there is no ledger at" in said.err
    assert not desk.state.exists() or not (desk.state / LEDGER_NAME).exists()


def test_status_tells_what_waits_since_when_and_why(nightbridge: Call, desk: Desk) -> None:
    names = capture(desk, [a_task(desk)])
    refuse_one(desk, "refused with 413: too large")
    said = nightbridge("status", "-c", desk.station)
    assert said.code == 1
    assert "Bridge: not running" in said.out
    assert "1 captured" in said.out
    refused = next(line for line in said.out.splitlines() if names[0] in line)
    assert "set aside" in refused
    assert "refused with 413: too large" in refused
    assert "waits" in next(line for line in said.out.splitlines() if names[1] in line)
    assert "report Succeeded" in said.out
    first, *items = [json.loads(line) for line in nightbridge("status", "--json", "-c", desk.station).out.splitlines()]
    assert (first["waiting"], first["set_aside"], first["frames"]) == (2, 1, {"kept": 1, "refused": 1})
    assert [item["what"] for item in items] == [*names, "report Succeeded"]


def test_status_may_be_asked_beside_a_running_bridge_and_names_it(nightbridge: Call, desk: Desk) -> None:
    capture(desk, [a_task(desk)])
    with alone_in(desk.state):
        said = nightbridge("status", "-c", desk.station)
        assert "Bridge: running (process " in said.out
        refused = nightbridge("recover", "-c", desk.station)
        assert refused.code == 1
        assert "is in use by another nightbridge (process " in refused.err
    assert holder_of(desk.state) is None


def test_a_dry_run_of_recover_changes_nothing_and_says_what_the_platform_holds(nightbridge: Call, desk: Desk) -> None:
    (name, _) = capture(desk, [a_task(desk)])
    (desk.state / FRAMES_NAME / "holiday.fits").write_bytes(b"not ours")
    before = {file: file.read_bytes() for file in sorted((desk.state / FRAMES_NAME).iterdir())}
    said = nightbridge("recover", "--dry-run", "-c", desk.station)
    assert said.code == 1
    assert "would be moved to frames/aside" in next(line for line in said.out.splitlines() if "holiday.fits" in line)
    assert "unknown: to be sent" in next(line for line in said.out.splitlines() if name in line)
    assert {file: file.read_bytes() for file in sorted((desk.state / FRAMES_NAME).iterdir())} == before
    assert not desk.world.uploads


def test_recover_delivers_a_night_whose_ledger_is_gone_each_frame_once(nightbridge: Call, desk: Desk) -> None:
    task_id = a_task(desk)
    names = capture(desk, [task_id])
    for file in desk.state.glob(f"{LEDGER_NAME}*"):
        file.unlink()
    said = nightbridge("recover", "--dry-run", "-c", desk.station)
    assert "would be taken in and delivered" in said.out
    assert not (desk.state / LEDGER_NAME).exists()
    said = nightbridge("recover", "-c", desk.station)
    assert (said.code, said.out.splitlines()[-1]) == (0, "Everything is delivered.")
    assert sorted(upload.filename for upload in desk.world.uploads.values()) == names
    (task,) = [task for task in desk.world.tasks.values() if str(task.id) == task_id]
    assert task.status is TaskStatus.SUCCEEDED
    again = nightbridge("recover", "-c", desk.station)
    assert (again.code, len(desk.world.uploads)) == (0, 2)
    assert "Ledger and frames agree." in again.out


def test_a_night_is_exported_as_a_folder_to_hand_on(nightbridge: Call, desk: Desk, tmp_path: Path) -> None:
    names = capture(desk, [a_task(desk)])
    out = tmp_path / "handed-on"
    said = nightbridge("export", out, "-c", desk.station)
    assert said.code == 0
    assert sorted(file.name for file in (out / "frames").iterdir()) == names
    assert (out / "frames" / names[0]).read_bytes() == (desk.state / FRAMES_NAME / names[0]).read_bytes()
    ledger = json.loads((out / "ledger.json").read_text())
    assert [frame["file_name"] for frame in ledger["frame"]] == names
    report = (out / "report.html").read_text()
    assert "Night of 2026-11-22" in report  # the evening at the site, whose date was still the day before Greenwich's
    assert "&lt;b&gt;Vega" in report
    assert nightbridge("export", out, "-c", desk.station).code == 2
    said = nightbridge("export", tmp_path / "b", "--night", "2020-01-01", "-c", desk.station)
    assert (said.code, "nothing happened" in said.err) == (1, True)


def test_an_export_names_frames_that_are_not_on_disk_any_more(nightbridge: Call, desk: Desk, tmp_path: Path) -> None:
    gone, *_ = capture(desk, [a_task(desk)])
    (desk.state / FRAMES_NAME / gone).unlink()
    said = nightbridge("export", tmp_path / "out", "-c", desk.station)
    assert said.code == 0
    assert f"{gone} is no longer on disk: nobody knows who removed it" in said.err
    assert "1 task, 1 frame," in said.out


def test_recover_lets_go_of_tasks_whose_windows_are_over(nightbridge: Call, desk: Desk) -> None:
    task_id = a_task(desk)
    file_and_leave(desk, task_id, closes=DUSK - timedelta(hours=2))
    said = nightbridge("recover", "--dry-run", "-c", desk.station)
    (line,) = [line for line in said.out.splitlines() if task_id in line]
    assert "its window is over" in line
    assert "would be let go" in line
    assert state_of(desk, task_id)[0] is TaskState.PENDING
    said = nightbridge("recover", "-c", desk.station)
    assert said.code == 0
    assert state_of(desk, task_id) == (TaskState.MISSED, "its window is over")
    assert "Ledger and frames agree." in nightbridge("recover", "-c", desk.station).out


def test_a_state_folder_that_is_empty_or_not_there_is_no_trouble(nightbridge: Call, desk: Desk) -> None:
    for made in (False, True):
        if made:
            desk.state.mkdir(exist_ok=True)
        said = nightbridge("recover", "--dry-run", "-c", desk.station)
        assert (said.code, "There is no ledger at" in said.out) == (0, True)
        assert "Nothing is left to deliver." in said.out
        assert not (desk.state / LEDGER_NAME).exists()
    said = nightbridge("recover", "-c", desk.station)
    assert (said.code, said.out.splitlines()) == (0, ["Ledger and frames agree.", "Everything is delivered."])
    said = nightbridge("status", "-c", desk.station)
    assert (said.code, "Tasks:  none yet" in said.out, "Frames: none yet" in said.out) == (0, True, True)
    said = nightbridge("export", desk.folder / "out", "-c", desk.station)
    assert (said.code, "no frame was ever taken here" in said.err) == (1, True)


def test_a_task_without_frames_is_counted_and_nothing_else(nightbridge: Call, desk: Desk) -> None:
    file_and_leave(desk, a_task(desk), closes=DUSK + timedelta(hours=1))
    said = nightbridge("status", "-c", desk.station)
    assert said.code == 0
    assert "Tasks:  1 pending" in said.out
    assert "Frames: none yet" in said.out
    assert "Everything is delivered." in said.out


def test_a_file_among_the_frames_that_cannot_be_read_is_named_and_the_others_are_delivered(
    nightbridge: Call, desk: Desk
) -> None:
    """Unreadable even for root: a folder under a frame's name, and a link that leads nowhere."""
    names = capture(desk, [a_task(desk)])
    frames = desk.state / FRAMES_NAME
    (frames / "folder.fits").mkdir()
    (frames / "nowhere.fits").symlink_to(desk.folder / "gone")
    said = nightbridge("recover", "--dry-run", "-c", desk.station)
    assert said.code == 1
    said = nightbridge("recover", "-c", desk.station)
    assert said.code == 0
    assert sorted(upload.filename for upload in desk.world.uploads.values()) == names


@pytest.mark.parametrize("command", ["status", "export", "recover"])
def test_a_damaged_ledger_is_said_in_a_line(nightbridge: Call, desk: Desk, command: str) -> None:
    capture(desk, [a_task(desk)])
    ledger = desk.state / LEDGER_NAME
    content = bytearray(ledger.read_bytes())
    content[200:6000] = b"\x55" * 5800
    ledger.write_bytes(content)
    words = {"status": [], "export": [desk.folder / "out"], "recover": ["--dry-run"]}[command]
    said = nightbridge(command, *words, "-c", desk.station)
    assert said.code == 1
    (line,) = [line for line in (said.out + said.err).splitlines() if "cannot be used as a ledger" in line]
    assert "`nightbridge recover`, makes it anew" in line
    assert ledger.read_bytes() == content


def test_frames_removed_after_they_were_delivered_are_named_by_status_and_export(
    nightbridge: Call, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = capture(desk, [a_task(desk)])
    assert nightbridge("recover", "-c", desk.station).code == 0
    asyncio.run(_removed_later(desk))
    said = nightbridge("status", "-c", desk.station)
    assert (said.code, "Frames: 2 removed" in said.out, "Everything is delivered." in said.out) == (0, True, True)
    assert "2 GB of them kept free; delivered frames stay as long as there is room" in said.out
    for days, meant in (("1", "stay 1 day"), ("0", "go as soon as their task is told")):
        monkeypatch.setenv("NIGHTBRIDGE_NIGHT__KEEP_DELIVERED_DAYS", days)
        said = nightbridge("status", "-c", desk.station)
        assert f"delivered frames {meant}\n" in said.out
    monkeypatch.delenv("NIGHTBRIDGE_NIGHT__KEEP_DELIVERED_DAYS")
    said = nightbridge("recover", "--dry-run", "-c", desk.station)
    assert (said.code, "Ledger and frames agree." in said.out) == (0, True)
    said = nightbridge("export", tmp_path / "out", "-c", desk.station)
    assert said.code == 0
    assert [
        line for line in said.err.splitlines() if "it was delivered, and removed since" in line and names[0] in line
    ]
    assert "1 task, 0 frames," in said.out


async def _removed_later(desk: Desk) -> None:
    """A run, years later, that removes what was delivered."""
    clock = LoopClock(DUSK.replace(year=DUSK.year + 10))
    async with (
        open_store(desk.state / LEDGER_NAME, clock=clock, telemetry=Telemetry()) as store,
        open_frame_folder(desk.state / FRAMES_NAME, keep_free_bytes=0) as folder,
    ):
        await Retention(store.removals, folder, clock, Telemetry(), keep_days=14.0).remove_due()


def test_a_ledger_that_cannot_be_opened_at_all_is_said_in_a_line(nightbridge: Call, desk: Desk) -> None:
    (desk.state / LEDGER_NAME).mkdir(parents=True)
    for command in ("status", "recover"):
        said = nightbridge(command, "-c", desk.station)
        assert (said.code, "cannot be used as a ledger: Is a directory" in said.err) == (1, True)
