"""Delivery on a jumping loop: every frame lands once, whatever is lost on the way, and every task is told of."""

import hashlib
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from bridge.api.client import CitraApi
from bridge.events import (
    ApiTrouble,
    DeliverySetAside,
    FrameDelivered,
    FrameProcessed,
    StationNote,
    TaskAdvanced,
    TaskReported,
)
from bridge.storage.frames import open_frame_folder
from bridge.storage.recovery import recover
from bridge.storage.store import Store
from bridge.tasks import TaskSource, TaskState
from simulators.api.records import TaskStatus
from tests.bridge.delivering import EVENING, Capture, Heard, deliver_all, delivering, landed, request_for


async def test_frames_go_up_and_then_their_task_is_reported(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    task = platform.add_task()
    task_id = await capture(task, frames=3)
    heard()
    await deliver_all(store, api, platform)
    names = [f"citra_task_{task_id}_{n:03d}.fits" for n in (1, 2, 3)]
    assert landed(platform) == dict.fromkeys(names, 1)
    assert {upload.task_id for upload in platform.world.uploads.values()} == {task.id}
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED
    assert (await store.ledger.task(task_id)).state is TaskState.DELIVERED
    events = heard()
    kinds = [type(event) for event in events]
    assert kinds.count(FrameDelivered) == kinds.count(FrameProcessed) == 3
    assert kinds.index(TaskReported) > max(n for n, kind in enumerate(kinds) if kind is FrameDelivered)
    (advanced,) = [event for event in events if isinstance(event, TaskAdvanced)]
    assert advanced.to_state == TaskState.DELIVERED


@pytest.mark.parametrize("lost", ["POST /my/images", "POST /_storage", "GET /my/images/", "PUT /tasks/"])
@pytest.mark.parametrize("times", [1, 5])
async def test_an_answer_lost_anywhere_neither_loses_a_frame_nor_sends_it_twice(
    store: Store, api: CitraApi, platform: Any, capture: Capture, lost: str, times: int
) -> None:
    tasks = [platform.add_task() for _ in range(3)]
    for task in tasks:
        await capture(task)
    platform.wire.lose = [lost] * times
    await deliver_all(store, api, platform, within_s=7200.0)
    assert platform.wire.lose == []
    assert sorted(landed(platform).values()) == [1] * 6
    assert all(upload.arrivals == 1 for upload in platform.world.uploads.values())
    assert all(platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED for task in tasks)
    assert (await store.outbox.backlog()).parked == 0


@pytest.mark.parametrize("auto_succeed", [False, True])
@pytest.mark.parametrize("refusal", [409, 400, 403, 422])
async def test_a_platform_that_closes_tasks_by_itself_is_agreed_with(
    store: Store, api: CitraApi, platform: Any, capture: Capture, auto_succeed: bool, refusal: int
) -> None:
    platform.turn(auto_succeed=auto_succeed, terminal_update_status=refusal, processing_after_s=0, processing_takes_s=0)
    task = platform.add_task()
    task_id = await capture(task)
    await deliver_all(store, api, platform)
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED
    assert (await store.ledger.task(task_id)).state is TaskState.DELIVERED


async def test_a_platform_that_is_away_for_two_hours_gets_everything_afterwards(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    platform.wire.down = True
    async with delivering(store, api, platform) as delivery:
        for _ in range(4):
            await capture(platform.add_task(closes=EVENING + timedelta(hours=4)))
            await anyio.sleep(1800.0)
        assert platform.wire.tried <= 240
        platform.wire.down = False
        returned = platform.clock.now()
        assert await delivery.until_empty(at_most_s=600.0)
    assert min(upload.created_at for upload in platform.world.uploads.values()) - returned <= timedelta(seconds=61)
    assert sorted(landed(platform).values()) == [1] * 8


async def test_a_restart_goes_on_where_the_last_run_broke_off(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    """Cancelled at many instants, as a power cut would: each time another run takes the outbox up."""
    platform.turn(faults=[{"kind": "slow", "seconds": 1.0}])
    task = platform.add_task()
    await capture(task, frames=5)
    for pause_s in (0.5, 1.5, 2.5, 3.5, 1.2, 0.1, 2.2, 4.5):
        async with delivering(store, api, platform):
            await anyio.sleep(pause_s)
    await deliver_all(store, api, platform)
    assert sorted(landed(platform).values()) == [1] * 5
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED


async def test_one_bad_frame_holds_nobody_up(
    store: Store, api: CitraApi, platform: Any, capture: Capture, tmp_path: Path, heard: Heard
) -> None:
    broken, good = platform.add_task(), platform.add_task()
    broken_id = await capture(broken)
    (tmp_path / f"citra_task_{broken_id}_001.fits").unlink()
    good_id = await capture(good)
    await deliver_all(store, api, platform)
    assert sorted(landed(platform).values()) == [1] * 3
    assert (await store.ledger.task(good_id)).state is TaskState.DELIVERED
    (aside,) = [event for event in heard() if isinstance(event, DeliverySetAside)]
    assert aside.task_id == broken_id
    # One frame of two is a success, as the platform counts it.
    assert platform.world.tasks[broken.id].status is TaskStatus.SUCCEEDED
    assert (await store.outbox.backlog()).parked == 1


async def test_a_task_that_is_gone_does_not_loop(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    task = platform.add_task()
    task_id = await capture(task)
    del platform.world.tasks[task.id]
    await deliver_all(store, api, platform)
    assert landed(platform) == {}
    assert len([event for event in heard() if isinstance(event, DeliverySetAside)]) == 2
    assert (await store.ledger.task(task_id)).state is TaskState.FAILED
    assert len(platform.wire.calls("POST /my/images")) == 2


async def test_a_picture_that_the_platform_cannot_use_is_delivered_all_the_same(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    task = platform.add_task()
    task_id = await capture(task, frames=1, content=b"not a FITS file" * 300)
    await deliver_all(store, api, platform)
    (processed,) = [event for event in heard() if isinstance(event, FrameProcessed)]
    assert processed.status == "FAILED"
    assert processed.detail
    assert (await store.ledger.task(task_id)).state is TaskState.DELIVERED
    assert [upload.arrivals for upload in platform.world.uploads.values()] == [1]


async def test_a_manual_tasks_frames_go_up_without_a_task(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    task_id = await capture(None)
    await deliver_all(store, api, platform)
    assert list(landed(platform).values()) == [1, 1]
    assert {upload.task_id for upload in platform.world.uploads.values()} == {None}
    assert platform.wire.calls("PUT /tasks/") == []
    assert (await store.ledger.task(task_id)).state is TaskState.DELIVERED


async def test_a_ticket_that_expires_on_the_way_is_asked_for_anew_and_the_old_one_cleared_away(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    platform.turn(upload_link_lasts_s=0.0)
    await capture(platform.add_task(), frames=1)
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(30.0)
        platform.turn(upload_link_lasts_s=3600.0)
        assert await delivery.until_empty(at_most_s=7200.0)
    assert list(landed(platform).values()) == [1]
    assert len(platform.world.uploads) == 1


async def test_a_right_that_is_missing_is_said_once_and_waited_for(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    platform.wire.say("POST /my/images", {"detail": "upload quota exceeded"}, status=402)
    await capture(platform.add_task(closes=EVENING + timedelta(hours=9)))
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(3600.0)
        assert len(platform.wire.calls("POST /my/images")) < 60
        platform.wire.instead.clear()
        assert await delivery.until_empty(at_most_s=4 * 3600.0)
    (trouble,) = [event for event in heard() if isinstance(event, ApiTrouble)]
    assert "upload quota exceeded" in trouble.what
    assert sorted(landed(platform).values()) == [1, 1]


async def test_a_file_that_the_storage_took_and_lost_is_sent_again(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    platform.wire.instead["POST /_storage"] = (204, {}, b"")
    await capture(platform.add_task(), frames=1)
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(60.0)
        platform.wire.instead.clear()
        assert await delivery.until_empty(at_most_s=3600.0)
    assert list(landed(platform).values()) == [1]
    assert len(platform.world.uploads) == 1


async def test_a_file_that_was_altered_on_its_way_is_cleared_away_and_sent_again(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard, tmp_path: Path
) -> None:
    altered = EVENING + timedelta(seconds=2)
    platform.turn(faults=[{"kind": "corrupt", "path": "/_storage/*", "ends_at": altered.isoformat()}])
    await capture(platform.add_task(), frames=1)
    await deliver_all(store, api, platform)
    assert platform.world.dice.fired()[0][1] == 1
    (upload,) = platform.world.uploads.values()
    (frame,) = tmp_path.glob("*.fits")
    assert upload.stored is not None
    assert upload.stored.sha256 == hashlib.sha256(frame.read_bytes()).hexdigest()
    assert not [event for event in heard() if isinstance(event, DeliverySetAside)]


async def test_a_file_that_is_altered_each_time_is_set_aside(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    platform.turn(faults=[{"kind": "corrupt", "path": "/_storage/*"}])
    await capture(platform.add_task(), frames=1)
    await deliver_all(store, api, platform)
    (aside,) = [event for event in heard() if isinstance(event, DeliverySetAside)]
    assert "the platform holds another file" in aside.why
    assert len(platform.world.uploads) == 1


@pytest.mark.parametrize("checksum", ["", "d41d8cd98f00b204e9800998ecf8427e", "crc32:00000000"])
async def test_a_checksum_that_cannot_be_compared_says_nothing(
    store: Store, api: CitraApi, platform: Any, capture: Capture, checksum: str
) -> None:
    platform.turn(faults=[{"kind": "say", "path": "/my/images/*", "key": "checksum", "says": checksum}])
    await capture(platform.add_task(), frames=1)
    await deliver_all(store, api, platform)
    assert [upload.arrivals for upload in platform.world.uploads.values()] == [1]


async def test_a_picture_worked_on_for_long_is_not_watched_for_ever(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    platform.turn(processing_takes_s=36_000.0)
    task = platform.add_task()
    await capture(task, frames=1)
    async with delivering(store, api, platform) as delivery:
        assert await delivery.until_empty(at_most_s=3600.0)
    assert platform.clock.now() < EVENING + timedelta(minutes=20)
    (processed,) = [event for event in heard() if isinstance(event, FrameProcessed)]
    assert processed.status == "UNKNOWN"
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED
    assert len(platform.wire.calls("GET /my/images/")) < 30


async def test_a_file_that_landed_twice_is_kept_once(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    """Someone sent the file by hand while our own sending was of unknown end."""
    task = platform.add_task()
    task_id = await capture(task, frames=1)
    platform.wire.lose = ["POST /_storage"]
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(30.0)
        (first,) = platform.world.uploads.values()
        copy = replace(first, id=uuid4())
        platform.world.uploads[copy.id] = copy
        assert await delivery.until_empty(at_most_s=3600.0)
    assert list(landed(platform).values()) == [1]
    assert (await store.ledger.task(task_id)).state is TaskState.DELIVERED
    (note,) = [event for event in heard() if isinstance(event, StationNote)]
    assert note.what.startswith(f"the platform holds {first.filename} twice")


async def test_of_two_records_of_one_frame_the_one_without_a_file_is_cleared_away(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    """The platform announced it twice over, and what it answered was lost."""
    task = platform.add_task()
    task_id = await capture(task, frames=1)
    platform.turn(faults=[{"kind": "twice", "method": "POST", "path": "/my/images"}])
    platform.wire.lose = ["POST /my/images"]
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(0.5)
        assert len(platform.world.uploads) == 2
        platform.turn(faults=[])
        assert await delivery.until_empty(at_most_s=3600.0)
    assert len(platform.world.uploads) == 1
    assert list(landed(platform).values()) == [1]
    assert (await store.ledger.task(task_id)).state is TaskState.DELIVERED


async def test_a_second_file_that_cannot_be_discarded_is_a_persons_to_look_at(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    await capture(platform.add_task(), frames=1)
    platform.wire.lose = ["POST /_storage"]
    platform.wire.say("DELETE /my/images/", {"detail": "not yours"}, status=403)
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(30.0)
        (first,) = platform.world.uploads.values()
        copy = replace(first, id=uuid4())
        platform.world.uploads[copy.id] = copy
        assert await delivery.until_empty(at_most_s=3600.0)
    (trouble,) = [event for event in heard() if isinstance(event, ApiTrouble)]
    assert trouble.doing.startswith("discard the second file")


async def test_a_record_that_vanishes_is_looked_for_by_its_name_and_the_file_sent_again(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    platform.turn(processing_after_s=600.0)
    platform.wire.instead["POST /_storage"] = (204, {}, b"")
    task = platform.add_task()
    await capture(task, frames=1)
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(4.0)
        platform.world.uploads.clear()
        platform.wire.instead.clear()
        assert await delivery.until_empty(at_most_s=3600.0)
    assert list(landed(platform).values()) == [1]
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED


async def test_a_report_that_is_refused_is_set_aside_after_some_tries_and_the_task_stays_captured(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    platform.wire.say("PUT /tasks/", {"detail": "no such status"}, status=422)
    task_id = await capture(platform.add_task(), frames=1)
    await deliver_all(store, api, platform)
    (aside,) = [event for event in heard() if isinstance(event, DeliverySetAside)]
    assert (aside.subject, "no such status" in aside.why) == (task_id, True)
    assert (await store.ledger.task(task_id)).state is TaskState.CAPTURED
    assert 2 <= len(platform.wire.calls("PUT /tasks/")) <= 10


async def test_without_a_good_token_frames_wait_and_nothing_is_set_aside(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    tokens = dict(platform.world.tokens)
    platform.world.tokens.clear()
    await capture(platform.add_task(closes=EVENING + timedelta(hours=9)))
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(3600.0)
        assert platform.wire.tried <= 12
        platform.world.tokens |= tokens
        assert await delivery.until_empty(at_most_s=3600.0)
    assert sorted(landed(platform).values()) == [1, 1]
    assert [event for event in heard() if isinstance(event, DeliverySetAside)] == []


async def test_what_was_set_aside_is_tried_once_more_after_a_restart(
    store: Store, api: CitraApi, platform: Any, capture: Capture, tmp_path: Path
) -> None:
    """A wrong telescope id in the settings: everything is refused, until a person has mended it."""
    platform.wire.say("POST /my/images", {"detail": "Telescope not found"}, status=404)
    platform.wire.say("PUT /tasks/", {"detail": "no"}, status=409)
    task = platform.add_task()
    await capture(task)
    await deliver_all(store, api, platform)
    assert (await store.outbox.backlog()).parked == 3
    platform.wire.instead.clear()
    async with open_frame_folder(tmp_path, keep_free_bytes=0) as folder:
        assert (await recover(store, folder, at=EVENING)).taken_up == 3
        assert (await recover(store, folder, at=EVENING)).nothing
    await deliver_all(store, api, platform)
    assert sorted(landed(platform).values()) == [1, 1]
    assert (await store.outbox.backlog()).parked == 0


async def test_a_wait_for_the_end_that_is_too_short_says_so(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    platform.wire.down = True
    await capture(platform.add_task())
    async with delivering(store, api, platform) as delivery:
        assert not await delivery.until_empty(at_most_s=60.0)


async def test_words_do_not_wait_for_files(store: Store, api: CitraApi, platform: Any, capture: Capture) -> None:
    """The storage takes four minutes for each file; a report that is due goes out meanwhile."""
    platform.turn(faults=[{"kind": "slow", "path": "/_storage/*", "seconds": 100}])
    failed = platform.add_task()
    for _ in range(3):
        await capture(platform.add_task())
    await store.ledger.file_tasks([request_for(str(failed.id), failed.closes)], source=TaskSource.API)
    await store.ledger.advance(str(failed.id), TaskState.FAILED, why="never above the horizon")
    async with delivering(store, api, platform):
        await anyio.sleep(20.0)
        assert platform.world.tasks[failed.id].status is TaskStatus.FAILED
        assert landed_so_far(platform) == 0


def landed_so_far(platform: Any) -> int:
    return sum(upload.stored is not None for upload in platform.world.uploads.values())


CALLS = ["POST /my/images", "POST /_storage", "GET /my/images/", "GET /tasks/", "PUT /tasks/", "DELETE /my/images/"]
KINDS = ["html_503", "bad_json", "reset", "429_retry_after", "slow"]


@pytest.mark.parametrize("seed", range(12))
async def test_however_the_evening_goes_every_frame_lands_once_and_every_task_is_told_of(
    store: Store, platform: Any, capture: Capture, seed: int
) -> None:
    """Answers lost, faults by chance, and the programme cut off and started again at any instant."""
    chance = random.Random(seed)
    fault = {"kind": chance.choice(KINDS), "path": "/[!_]*", "probability": chance.uniform(0.0, 0.4), "seconds": 3.0}
    style = chance.choice(["post", "put", "put_no_method", "post_no_method"])
    platform.turn(upload_style=style, auto_succeed=chance.random() < 0.5, faults=[fault])
    platform.wire.lose = chance.choices(CALLS, k=chance.randrange(12))
    tasks = [platform.add_task(closes=EVENING + timedelta(hours=20)) for _ in range(2)]
    for task in tasks:
        await capture(task)
    for _ in range(chance.randrange(6)):
        async with platform.open() as api, delivering(store, api, platform):
            await anyio.sleep(chance.choice([0.0, 1.0, 10.0, 200.0]) * chance.random())
    platform.turn(faults=[])
    async with platform.open() as api:
        await deliver_all(store, api, platform, within_s=6 * 3600.0)
    assert sorted(landed(platform).values()) == [1] * 4
    assert all(upload.arrivals <= 1 for upload in platform.world.uploads.values())
    assert [platform.world.tasks[task.id].status for task in tasks] == [TaskStatus.SUCCEEDED] * 2
    assert {task.state for task in await store.ledger.tasks()} == {TaskState.DELIVERED}
    assert (await store.outbox.backlog()).parked == 0
