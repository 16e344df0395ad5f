"""Each stage of a frame with each answer of the platform: one step at the emulated platform, cell by cell."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.answers import ask, met_in
from bridge.api.client import CitraApi
from bridge.delivery import Delivery
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable
from bridge.storage.deeds import FRAMES, Answer, Deed
from bridge.storage.outbox import Lane, OutboxItem, Stage
from bridge.storage.rows import text_of
from bridge.storage.store import Store
from simulators.api.records import TaskStatus
from tests.bridge.delivering import Capture, landed

ON_ITS_WAY = [Stage.NEW, Stage.INITIATED, Stage.SENT, Stage.LANDED]

# What a frame of which nothing is known any more, or never was, is to the platform.
STRAYED = [Stage.NEW, Stage.INITIATED]
WORKED_ON = [Answer.DONE, Answer.ANOTHER, Answer.ANOTHER_AGAIN]
HAS_IT = [Answer.WORKING, Answer.SLOW, *WORKED_ON]
HAS_NOTHING = [Answer.NOTHING, Answer.ANNOUNCED, Answer.FORGOTTEN]


@dataclass(frozen=True)
class After:
    """Where one step leads: the stage, how often the frame was announced and its bytes arrived in this step, whether
    the try is counted as in vain.
    """

    stage: Stage
    announced: int = 0
    arrived: int = 0
    in_vain: bool = False


SENT_NOW = After(Stage.SENT, announced=1, arrived=1)
AS_BEFORE = {stage: After(stage, in_vain=True) for stage in ON_ITS_WAY}

CELLS: dict[tuple[Stage, Answer], After] = {
    (Stage.NEW, Answer.NOTHING): SENT_NOW,
    (Stage.NEW, Answer.SILENT): After(Stage.INITIATED, in_vain=True),
    (Stage.NEW, Answer.BROKEN_OFF): After(Stage.INITIATED, announced=1, arrived=1, in_vain=True),
    (Stage.NEW, Answer.DENIED): After(Stage.INITIATED, in_vain=True),
    (Stage.NEW, Answer.REFUSED): After(Stage.INITIATED, in_vain=True),
    (Stage.NEW, Answer.REFUSED_FOR_GOOD): After(Stage.PARKED, in_vain=True),
    (Stage.NEW, Answer.UNREADABLE): After(Stage.PARKED, announced=1, in_vain=True),
    (Stage.INITIATED, Answer.NOTHING): SENT_NOW,
    (Stage.INITIATED, Answer.ANNOUNCED): SENT_NOW,
    (Stage.INITIATED, Answer.WORKING): After(Stage.SENT),
    (Stage.INITIATED, Answer.DONE): After(Stage.SENT),
    (Stage.INITIATED, Answer.SILENT): AS_BEFORE[Stage.INITIATED],
    (Stage.INITIATED, Answer.BROKEN_OFF): After(Stage.INITIATED, announced=1, arrived=1, in_vain=True),
    (Stage.INITIATED, Answer.DENIED): AS_BEFORE[Stage.INITIATED],
    (Stage.INITIATED, Answer.REFUSED): AS_BEFORE[Stage.INITIATED],
    (Stage.INITIATED, Answer.REFUSED_FOR_GOOD): After(Stage.PARKED, in_vain=True),
    (Stage.INITIATED, Answer.UNREADABLE): After(Stage.PARKED, announced=1, in_vain=True),
    (Stage.SENT, Answer.NOTHING): After(Stage.INITIATED, in_vain=True),
    (Stage.SENT, Answer.ANNOUNCED): After(Stage.SENT),
    (Stage.SENT, Answer.FORGOTTEN): After(Stage.INITIATED, in_vain=True),
    (Stage.SENT, Answer.WORKING): After(Stage.LANDED),
    (Stage.SENT, Answer.DONE): After(Stage.DONE),
    (Stage.SENT, Answer.SLOW): After(Stage.LANDED),
    (Stage.SENT, Answer.ANOTHER): After(Stage.INITIATED, in_vain=True),
    (Stage.SENT, Answer.ANOTHER_AGAIN): After(Stage.PARKED, in_vain=True),
    (Stage.SENT, Answer.SILENT): AS_BEFORE[Stage.SENT],
    (Stage.SENT, Answer.DENIED): AS_BEFORE[Stage.SENT],
    (Stage.SENT, Answer.REFUSED): AS_BEFORE[Stage.SENT],
    (Stage.SENT, Answer.REFUSED_FOR_GOOD): After(Stage.PARKED, in_vain=True),
    (Stage.LANDED, Answer.NOTHING): After(Stage.PARKED, in_vain=True),
    (Stage.LANDED, Answer.ANNOUNCED): After(Stage.LANDED),
    (Stage.LANDED, Answer.FORGOTTEN): After(Stage.INITIATED, in_vain=True),
    (Stage.LANDED, Answer.WORKING): After(Stage.LANDED),
    (Stage.LANDED, Answer.DONE): After(Stage.DONE),
    (Stage.LANDED, Answer.SLOW): After(Stage.DONE),
    (Stage.LANDED, Answer.ANOTHER): After(Stage.INITIATED, in_vain=True),
    (Stage.LANDED, Answer.ANOTHER_AGAIN): After(Stage.PARKED, in_vain=True),
    (Stage.LANDED, Answer.SILENT): AS_BEFORE[Stage.LANDED],
    (Stage.LANDED, Answer.DENIED): AS_BEFORE[Stage.LANDED],
    (Stage.LANDED, Answer.REFUSED): AS_BEFORE[Stage.LANDED],
    (Stage.LANDED, Answer.REFUSED_FOR_GOOD): After(Stage.DONE),
}

# Cells that no step can come to: nobody asks about a frame that was never announced; what is found by its name is
# judged when it is looked at by its number; no bytes travel, and no file is read, for one that was sent.
NEVER = {
    *((Stage.INITIATED, one) for one in (Answer.FORGOTTEN, Answer.SLOW, Answer.ANOTHER, Answer.ANOTHER_AGAIN)),
    *((Stage.NEW, answer) for answer in (Answer.ANNOUNCED, Answer.FORGOTTEN, *HAS_IT)),
    *((stage, answer) for stage in (Stage.SENT, Stage.LANDED) for answer in (Answer.BROKEN_OFF, Answer.UNREADABLE)),
}

Bring = Callable[[Stage, Answer], Awaitable[OutboxItem]]


@pytest.fixture
def bring(store: Store, api: CitraApi, platform: Any, capture: Capture, tmp_path: Path) -> Bring:
    """One frame brought to a stage by the real steps, and then a platform that says this of it."""

    async def brought(stage: Stage, answer: Answer) -> OutboxItem:
        platform.turn(processing_takes_s=1.0 if answer in WORKED_ON else 36_000.0, processing_after_s=0.0)
        await capture(platform.add_task(), frames=1)
        item = await the_item(store, Lane.FILES, tmp_path)
        assert item.path is not None
        if stage is not Stage.NEW:
            ticket = await api.uploads.initiate(item.file_name, item.bytes, task_id=item.api_task_id)
            if answer in HAS_IT or (stage not in STRAYED and answer not in HAS_NOTHING):
                await api.storage.send(ticket, item.path, item.bytes)
            await store.outbox.reach(item, stage, upload_id=ticket.upload_id)
        if answer in (Answer.REFUSED_FOR_GOOD, Answer.ANOTHER_AGAIN):
            for _ in range(5):
                await store.outbox.postpone(item, 0.0, why="in vain")
        (upload,) = platform.world.uploads.values() or (None,)
        if answer is Answer.NOTHING:
            platform.world.uploads.clear()
        elif answer in (Answer.ANOTHER, Answer.ANOTHER_AGAIN):
            platform.world.uploads[upload.id] = replace(upload, stored=replace(upload.stored, sha256="0" * 64))
        await anyio.sleep(1000.0 if answer in (Answer.FORGOTTEN, Answer.SLOW) else 10.0)
        trouble(platform, item, answer)
        return await the_item(store, Lane.FILES if stage in STRAYED else Lane.WORDS, tmp_path)

    return brought


def trouble(platform: Any, item: OutboxItem, answer: Answer) -> None:
    """From now on the platform, or the disk, is in this trouble."""
    if answer is Answer.SILENT:
        platform.wire.down = True
    elif answer is Answer.BROKEN_OFF:
        platform.wire.lose = ["POST /_storage"]
    elif answer is Answer.UNREADABLE:
        assert item.path is not None
        item.path.unlink()
    elif answer in (Answer.DENIED, Answer.REFUSED, Answer.REFUSED_FOR_GOOD):
        status = 403 if answer is Answer.DENIED else 400
        for asked in ("GET /my/images", "GET /tasks/", "POST /my/images"):
            platform.wire.say(asked, {"detail": "no"}, status=status)


async def the_item(store: Store, lane: Lane, folder: Path) -> OutboxItem:
    """The frame; its task's report has an item of its own."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        reports = [row[0] for row in connection.execute("SELECT id FROM outbox WHERE kind = 'status'")]
    item = await store.outbox.next_due(lane, busy=reports)
    assert item is not None
    return item


def test_every_cell_is_tried_or_cannot_be_reached() -> None:
    cells = {(stage, answer) for stage in ON_ITS_WAY for answer in Answer}
    assert set(CELLS) | NEVER == cells
    assert not set(CELLS) & NEVER
    for stage, answer in NEVER:  # what stands there does no harm: it asks, waits, or sets aside
        assert FRAMES[stage][answer] in (Deed.SEND, Deed.TAKE_UP, Deed.WAIT, Deed.SET_ASIDE)
    for stage in (Stage.DONE, Stage.PARKED):
        assert set(FRAMES[stage].values()) == {Deed.NONE}


@pytest.mark.parametrize(("stage", "answer"), CELLS, ids=str)
async def test_one_step_from_each_stage_with_each_answer(
    store: Store, api: CitraApi, platform: Any, bring: Bring, tmp_path: Path, stage: Stage, answer: Answer
) -> None:
    item = await bring(stage, answer)
    assert item.stage is stage
    assert await said(api, platform, item, answer) is answer
    platform.wire.saw.clear()
    await Delivery(store.outbox, api, platform.clock, platform.telemetry).attend(item)
    after = CELLS[stage, answer]
    reached, tries, next_try_at = row_of(tmp_path, item)
    assert (reached, tries) == (after.stage, item.tries + after.in_vain)
    arrived = len(platform.wire.calls("POST /_storage"))
    announced = len(platform.wire.calls("POST /my/images")) if answer not in REFUSALS else 0
    assert (announced, arrived) == (after.announced, after.arrived)
    assert all(count == 1 for count in copies(platform).values())
    if after.stage not in (Stage.DONE, Stage.PARKED):
        assert next_try_at <= text_of(platform.clock.now() + timedelta(minutes=65)), "it is looked at again"


@pytest.mark.parametrize(("stage", "answer"), CELLS, ids=str)
async def test_from_each_cell_the_frame_lands_once_as_soon_as_all_is_well(
    store: Store, api: CitraApi, platform: Any, bring: Bring, stage: Stage, answer: Answer
) -> None:
    item = await bring(stage, answer)
    delivery = Delivery(store.outbox, api, platform.clock, platform.telemetry)
    await delivery.attend(item)
    platform.wire.down, platform.wire.lose = False, []
    platform.wire.instead.clear()
    platform.turn(processing_takes_s=1.0)
    async with anyio.create_task_group() as group:
        group.start_soon(delivery.run)
        assert await delivery.until_empty(at_most_s=20_000.0)
        group.cancel_scope.cancel()
    aside = (await store.outbox.backlog()).parked
    assert bool(aside) is (CELLS[stage, answer].stage is Stage.PARKED)
    (task,) = platform.world.tasks.values()
    if aside:
        assert task.status is TaskStatus.FAILED
    else:
        assert landed(platform) == {item.file_name: 1}
        assert task.status is TaskStatus.SUCCEEDED


REFUSALS = (Answer.SILENT, Answer.DENIED, Answer.REFUSED, Answer.REFUSED_FOR_GOOD)


async def said(api: CitraApi, platform: Any, item: OutboxItem, answer: Answer) -> Answer:
    """What the platform says of the item, in the words of the table; what a step meets only on its way is believed."""
    if item.stage is Stage.NEW or answer in (Answer.BROKEN_OFF, Answer.UNREADABLE):
        return answer
    try:
        return (await ask(api, platform.clock, item)).answer
    except ApiContractBroken as error:
        raise AssertionError("the emulated platform is understood") from error
    except (ApiUnreachable, ApiRejected) as error:
        return met_in(error, item).answer


def row_of(folder: Path, item: OutboxItem) -> tuple[str, int, str]:
    """Its stage, the tries in vain, and when it is looked at again."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        query = "SELECT stage, tries, next_try_at FROM outbox WHERE id = ?"
        stage, tries, next_try_at = connection.execute(query, (item.item_id,)).fetchone()
        return stage, tries, next_try_at


def copies(platform: Any) -> dict[str, int]:
    names: dict[str, int] = {}
    for upload in platform.world.uploads.values():
        if upload.stored is not None:
            names[upload.filename] = names.get(upload.filename, 0) + 1
    return names
