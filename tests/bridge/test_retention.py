"""Delivered frames leave the disk in time, or when room runs short; nothing else ever does."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import anyio
import numpy as np
import pytest

import bridge.storage.frames
from bridge.clock import LoopClock
from bridge.events import Event, FramesRemoved, StationNote, Telemetry
from bridge.retention import Retention
from bridge.storage.frames import FrameFolder, open_frame_folder, write_frame
from bridge.storage.outbox import Lane, Stage
from bridge.storage.recovery import recover
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource, TaskState
from tests.bridge.delivering import EVENING, request_for
from tests.small_disk import SmallDisk

_DAY_S = 86_400.0


class Place:
    """A station's ledger and frames; `at` the platform are tasks of two frames, at different stages."""

    def __init__(self, folder: Path, clock: LoopClock, telemetry: Telemetry) -> None:
        self.folder = folder / "frames"
        self.clock = clock
        self.telemetry = telemetry
        self.ledger = folder / "ledger.sqlite"
        self.store: Store
        self.frames: FrameFolder

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def retention(self, keep_days: float | None) -> Retention:
        return Retention(self.store.removals, self.frames, self.clock, self.telemetry, keep_days=keep_days)

    async def capture(self, task_id: str, *, frames: int = 2) -> list[str]:
        closes = self.clock.now() + timedelta(minutes=5)
        await self.store.ledger.file_tasks([request_for(task_id, closes)], source=TaskSource.API)
        await self.store.ledger.advance(task_id, TaskState.OBSERVING)
        names = []
        for number in range(1, frames + 1):
            reserved = await self.store.frames.reserve_frame(task_id, number=number, total=frames)
            file = write_frame(self.folder / reserved.file_name, [], np.zeros((24, 60), dtype=np.uint16))
            now = self.clock.now()
            await self.store.frames.record_frame(reserved, file, started_at=now, ended_at=now)
            names.append(reserved.file_name)
        await self.store.ledger.capture(task_id)
        return names

    async def tell(self, lane: Lane, *stages: Stage) -> None:
        """Take the next item that is due through `stages`."""
        item = await self.store.outbox.next_due(lane, busy=())
        assert item is not None
        for stage in stages:
            if stage is Stage.PARKED:
                await self.store.outbox.park(item, "refused with 413: too large")
            else:
                await self.store.outbox.reach(item, stage, upload_id="1", after_s=10 * _DAY_S)

    async def deliver(self, frames: int = 2) -> None:
        for _ in range(frames):
            await self.tell(Lane.FILES, Stage.SENT, Stage.LANDED, Stage.DONE)
        await self.tell(Lane.WORDS, Stage.DONE)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    clock, telemetry = LoopClock(EVENING), Telemetry()
    place = Place(tmp_path, clock, telemetry)
    async with (
        open_store(place.ledger, clock=clock, telemetry=telemetry) as place.store,
        open_frame_folder(place.folder, keep_free_bytes=20_000) as place.frames,
    ):
        yield place


async def said(place: Place, keep_days: float | None) -> list[Event]:
    """What is said while what is due is removed."""
    listening = place.telemetry.subscribe()
    await place.retention(keep_days).remove_due()
    listening.close()
    return [event async for event in listening]


async def test_a_delivered_frame_stays_for_its_days_and_is_gone_then(place: Place) -> None:
    names = await place.capture("a")
    await place.deliver()
    size = sum((place.folder / name).stat().st_size for name in names)
    await anyio.sleep(1.9 * _DAY_S)
    assert await said(place, 2.0) == []
    assert place.files == names
    await anyio.sleep(0.2 * _DAY_S)
    assert await said(place, 2.0) == [FramesRemoved(at=place.clock.now(), count=2, bytes=size)]
    assert place.files == []
    overview = await place.store.overviews.now()
    assert (overview.frames, overview.undelivered) == ({"removed": 2}, ())
    assert await said(place, 2.0) == []


@pytest.mark.parametrize(
    ("frames", "report"),
    [
        ((), ()),
        ((Stage.SENT,), ()),
        ((Stage.SENT, Stage.LANDED), ()),
        ((Stage.SENT, Stage.LANDED), (Stage.DONE,)),
        ((Stage.SENT, Stage.LANDED, Stage.DONE), ()),
        ((Stage.SENT, Stage.LANDED, Stage.DONE), (Stage.PARKED,)),
        ((Stage.PARKED,), (Stage.DONE,)),
    ],
)
async def test_nothing_leaves_whose_task_is_not_wholly_told(
    place: Place, frames: tuple[Stage, ...], report: tuple[Stage, ...]
) -> None:
    names = await place.capture("a", frames=1)
    if frames:
        await place.tell(Lane.FILES, *frames)
    if report:
        await place.tell(Lane.WORDS, *report)
    await anyio.sleep(9 * _DAY_S)
    (place.folder / "stranger.fits").write_bytes(b"?")
    (place.folder / "aside").mkdir()
    (place.folder / "aside" / "torn.fits").write_bytes(b"?")
    assert await said(place, 0.0) == []
    assert place.files == ["aside", *names, "stranger.fits"]


async def test_one_frame_that_was_set_aside_keeps_those_of_its_task(place: Place) -> None:
    names = await place.capture("a")
    await place.tell(Lane.FILES, Stage.SENT, Stage.LANDED, Stage.DONE)
    await place.tell(Lane.FILES, Stage.PARKED)
    await place.tell(Lane.WORDS, Stage.DONE)
    await anyio.sleep(_DAY_S)
    assert await said(place, 0.0) == []
    assert place.files == names


async def test_nothing_leaves_before_the_window_is_over(place: Place) -> None:
    names = await place.capture("a")
    await place.deliver()
    assert await said(place, 0.0) == []
    assert place.files == names
    await anyio.sleep(300.0)
    assert len(await said(place, 0.0)) == 1
    assert place.files == []


async def test_where_no_days_are_said_the_oldest_leave_when_room_runs_short(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each frame takes 5,760 bytes, and twice 20,000 are to be free."""
    names = []
    for number in range(15):
        names += await place.capture(f"{number:02}")
        await place.deliver()
        await anyio.sleep(600.0)
    waiting = await place.capture("99")
    disk = SmallDisk(place.folder, 34 * 5760 + 40_000)
    monkeypatch.setattr(bridge.storage.frames, "shutil", disk)
    assert await said(place, None) == []
    disk.room_bytes -= 14 * 5760
    assert [event.count for event in await said(place, None) if isinstance(event, FramesRemoved)] == [20]
    assert place.files == sorted([*names[20:], *waiting])
    disk.room_bytes = 0
    await place.retention(None).remove_due()
    assert place.files == waiting


async def test_no_frame_is_removed_while_another_is_being_taken(place: Place) -> None:
    await place.capture("a")
    await place.deliver()
    await anyio.sleep(_DAY_S)
    await place.frames.reserve("next.fits", 100)
    async with anyio.create_task_group() as beside:
        beside.start_soon(place.retention(0.0).remove_due)
        await anyio.sleep(60.0)
        assert len(place.files) == 3
        await place.frames.release("next.fits")
        await anyio.sleep(60.0)
        assert place.files == []


async def test_a_file_that_does_not_go_is_said_once_and_holds_up_no_other(place: Place) -> None:
    stuck, *_ = await place.capture("a")
    await place.deliver()
    await anyio.sleep(_DAY_S)
    (place.folder / stuck).unlink()
    (place.folder / stuck).mkdir()
    listening = place.telemetry.subscribe()
    retention = place.retention(0.0)
    await retention.remove_due()
    await retention.remove_due()
    (place.folder / stuck).rmdir()
    await retention.remove_due()
    listening.close()
    first, *others = [event async for event in listening]
    assert isinstance(first, StationNote)
    assert f"{stuck} was delivered and cannot be removed" in first.what
    assert [event.count for event in others if isinstance(event, FramesRemoved)] == [1, 1]
    assert place.files == []


async def test_a_start_finds_nothing_wrong_with_removed_frames(place: Place) -> None:
    await place.capture("a")
    await place.deliver()
    await anyio.sleep(_DAY_S)
    await place.retention(0.0).remove_due()
    assert (await recover(place.store, place.frames, at=place.clock.now())).nothing
    assert (await place.store.outbox.backlog()).waiting == 0


async def test_the_ledger_itself_refuses_to_let_an_undelivered_frame_go(place: Place) -> None:
    await place.capture("a")
    with closing(sqlite3.connect(place.ledger)) as other, pytest.raises(sqlite3.IntegrityError, match="not removed"):
        other.execute("UPDATE frame SET removal = 'begun'")
