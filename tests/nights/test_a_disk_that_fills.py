"""Where the disk fills in the night nothing is exposed, what is there is delivered, and with room the night goes on."""

from typing import Any

import anyio
import pytest

import bridge.storage.frames
from bridge.errors import LedgerUnusable
from bridge.events import FrameDelivered, FrameKept, FramesRemoved, SlewStarted, StationNote
from drivers.values import ShutterState
from simulators.api.records import TaskStatus
from tests.nights.conftest import DUSK
from tests.small_disk import SmallDisk

_FRAME_BYTES = 60_000  # a little more than one takes
_RESERVE_BYTES = 4 * _FRAME_BYTES


@pytest.fixture
def disk(night: Any, monkeypatch: pytest.MonkeyPatch) -> SmallDisk:
    """Room for the reserve and twelve frames. It is looked at all the time that the reserve is not touched."""
    folder = night.folder / "frames"
    folder.mkdir()
    disk = SmallDisk(folder, _RESERVE_BYTES + 12 * _FRAME_BYTES)
    monkeypatch.setattr(bridge.storage.frames, "shutil", disk)
    night.keep_free_bytes = _RESERVE_BYTES

    async def look(_: Any) -> None:
        while True:
            assert disk.free >= _RESERVE_BYTES
            await anyio.sleep(5.0)

    night.meanwhile.append(look)
    return disk


def minute_of(event: Any) -> float:
    return float((event.at - DUSK).total_seconds() / 60.0)


def words_on_room(night: Any) -> list[str]:
    return [note.what for note in night.said(StationNote) if "room" in note.what]


async def test_what_is_delivered_makes_room_and_a_long_night_fits_on_a_small_disk(night: Any, disk: SmallDisk) -> None:
    night.task_count = 12
    assert await night.run() == 0
    assert words_on_room(night) == []
    assert len(night.said(FrameKept)) > 30
    assert len(night.said(FrameDelivered)) == len(night.said(FrameKept))
    assert sum(event.count for event in night.said(FramesRemoved)) > 18
    assert night.statuses[TaskStatus.SUCCEEDED] > 9


async def test_full_of_undelivered_frames_it_pauses_and_goes_on_when_the_platform_is_back(
    night: Any, disk: SmallDisk
) -> None:
    """Once they are delivered they make room by themselves."""
    night.task_count = 12
    night.api_away = (0.5, 40.0)
    assert await night.run() == 0
    full, again = words_on_room(night)
    assert "no frame is taken" in full
    assert "make room" in full
    assert "there is room again" in again
    kept = [minute_of(event) for event in night.said(FrameKept)]
    assert [minute for minute in kept if 26.0 < minute < 40.0] == []
    assert [minute for minute in kept if minute > 40.0]
    assert len(night.said(FrameDelivered)) == len(kept)


async def test_where_delivered_frames_are_to_stay_it_pauses_until_a_person_makes_room(
    night: Any, disk: SmallDisk
) -> None:
    night.task_count = 12
    night.settings["night"] = {"keep_delivered_days": 14.0}

    async def make_room(_: Any) -> None:
        await anyio.sleep(36.0 * 60.0)
        disk.room_bytes += 100 * _FRAME_BYTES

    night.meanwhile.append(make_room)
    assert await night.run() == 0
    assert [words.split(":")[0] for words in words_on_room(night)] == [
        "no frame is taken",
        "there is room again, frames are taken",
    ]
    kept = [minute_of(event) for event in night.said(FrameKept)]
    assert [minute for minute in kept if 26.0 < minute < 30.0] == []
    slews = [minute_of(event) for event in night.said(SlewStarted)]
    assert [minute for minute in slews if 26.0 < minute < 30.0] == [], "nothing is moved for what could not be kept"
    assert [minute for minute in kept if minute > 30.0]
    assert night.said(FramesRemoved) == []
    assert len(list(disk.folder.glob("*.fits"))) == len(night.said(FrameDelivered)) == len(kept)


async def test_a_ledger_with_no_room_at_all_ends_the_programme_parked_and_closed_and_the_next_goes_on(
    night: Any,
) -> None:
    """SQLite itself says that it is full, and no room was held: here, for the file may not grow."""
    night.task_count = 12

    async def fill(night: Any) -> None:
        await anyio.sleep(20.0 * 60.0)
        (night.folder / ".room-for-the-ledger").unlink(missing_ok=True)
        await night.store.ledger._database.read(lambda c: c.execute("PRAGMA max_page_count = 1").fetchone())

    night.meanwhile.append(fill)
    with pytest.raises(BaseExceptionGroup) as raised:
        await night.run()
    assert raised.group_contains(LedgerUnusable, match="the disk is full: make room")
    assert night.observatory.mount.parked
    assert night.observatory.dome.shutter is ShutterState.CLOSED
    before = len(night.said(FrameKept))
    assert before > 0
    night.meanwhile.clear()
    assert await night.run() == 0
    assert len(night.said(FrameKept)) > before
    uploads = [upload.filename for upload in night.platform.uploads.values()]
    assert len(uploads) == len(set(uploads))
    assert sum(upload.stored is not None for upload in night.platform.uploads.values()) >= before
