"""The ledger is lost, damaged, or put back from an old copy: the frames say themselves whose they are."""

import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import LoopClock
from bridge.errors import LedgerDamaged, LedgerUnusable
from bridge.events import Telemetry
from bridge.storage.cards import FrameHeader
from bridge.storage.database import set_aside_if_damaged
from bridge.storage.frames import FrameFolder, open_frame_folder
from bridge.storage.outbox import Lane, Stage
from bridge.storage.recovery import Recovery, recover
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource, TaskState
from schedules.requests import ObservationRequest

from .conftest import DUSK

TASK = "70729658-58a2-4f91-aa2d-adc97c8ead94"
LEDGER = "ledger.sqlite"

HeaderMaker = Callable[..., FrameHeader]
RequestMaker = Callable[..., ObservationRequest]


@asynccontextmanager
async def opened(folder: Path, clock: LoopClock) -> AsyncIterator[tuple[Store, FrameFolder]]:
    async with (
        open_store(folder / LEDGER, clock=clock, telemetry=Telemetry()) as store,
        open_frame_folder(folder / "frames", keep_free_bytes=0) as frames,
    ):
        yield store, frames


async def take_frames(
    folder: Path, clock: LoopClock, request: ObservationRequest, header: FrameHeader, source: TaskSource, count: int
) -> list[str]:
    """A run that took the first `count` of three frames; gives their file names."""
    names = []
    async with opened(folder, clock) as (store, frames):
        await store.ledger.file_tasks([request], source=source)
        await store.ledger.advance(request.request_id, TaskState.OBSERVING)
        for number in range(1, count + 1):
            reserved = await store.frames.reserve_frame(request.request_id, number=number, total=3)
            file = await frames.write(replace(header, reserved=reserved))
            await store.frames.record_frame(reserved, file, started_at=DUSK, ended_at=DUSK + timedelta(seconds=2.5))
            names.append(reserved.file_name)
    return names


def lose_ledger(folder: Path) -> None:
    for file in folder.glob(f"{LEDGER}*"):
        file.unlink()


async def start_again(folder: Path, clock: LoopClock) -> Recovery:
    set_aside_if_damaged(folder / LEDGER, clock.now())
    async with opened(folder, clock) as (store, frames):
        return await recover(store, frames, at=clock.now())


@pytest.mark.parametrize("source", [TaskSource.API, TaskSource.MANUAL])
@pytest.mark.parametrize("count", [1, 3])
async def test_frames_whose_ledger_is_gone_are_looked_for_at_the_platform_and_then_sent(
    tmp_path: Path,
    clock: LoopClock,
    make_request: RequestMaker,
    make_header: HeaderMaker,
    source: TaskSource,
    count: int,
) -> None:
    request = make_request(TASK if source is TaskSource.API else "vega")
    names = await take_frames(tmp_path, clock, request, make_header(), source, count)
    lose_ledger(tmp_path)
    recovery = await start_again(tmp_path, clock)
    assert sorted(recovery.found) == names
    assert (recovery.tasks, recovery.lost, recovery.aside) == ((request.request_id,), (), ())
    async with opened(tmp_path, clock) as (store, frames):
        assert (await store.ledger.task(request.request_id)).source is source
        item = await store.outbox.next_due(Lane.FILES, busy=())
        assert item is not None
        assert item.stage is Stage.INITIATED  # the platform may have it: it is asked first
        assert item.path == tmp_path / "frames" / item.file_name
        assert item.api_task_id == (TASK if source is TaskSource.API else "")
        assert (await recover(store, frames, at=clock.now())).nothing


async def test_a_whole_series_without_a_ledger_is_reported_and_the_next_frame_takes_a_new_name(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker, make_header: HeaderMaker
) -> None:
    names = await take_frames(tmp_path, clock, make_request(TASK), make_header(), TaskSource.API, 3)
    lose_ledger(tmp_path)
    await start_again(tmp_path, clock)
    async with opened(tmp_path, clock) as (store, _):
        assert (await store.ledger.task(TASK)).state is TaskState.CAPTURED
        assert (await store.outbox.backlog()).waiting == 4  # three frames and the report behind them
        reserved = await store.frames.reserve_frame(TASK, number=1, total=3)
        assert reserved.file_name not in names


async def test_a_task_of_the_platform_asked_for_again_goes_on_where_its_frames_end(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker, make_header: HeaderMaker
) -> None:
    """One frame of three is there; the exposure of the frame is still to come by this clock, so the window is open."""
    await take_frames(tmp_path, clock, make_request(TASK), make_header(), TaskSource.API, 1)
    lose_ledger(tmp_path)
    await start_again(tmp_path, clock)
    async with opened(tmp_path, clock) as (store, _):
        assert (await store.ledger.task(TASK)).state is TaskState.PENDING
        await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
        task = await store.ledger.task(TASK)
        assert task.request == make_request(TASK)
        assert (await store.frames.kept(TASK)) == 1


async def test_an_older_copy_of_the_ledger_takes_in_only_the_frames_it_does_not_know(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker, make_header: HeaderMaker
) -> None:
    await take_frames(tmp_path, clock, make_request(TASK), make_header(), TaskSource.API, 1)
    copy = (tmp_path / LEDGER).read_bytes()
    async with opened(tmp_path, clock) as (store, frames):
        reserved = await store.frames.reserve_frame(TASK, number=2, total=3)
        file = await frames.write(replace(make_header(), reserved=reserved))
        await store.frames.record_frame(reserved, file, started_at=DUSK, ended_at=DUSK + timedelta(seconds=2.5))
    lose_ledger(tmp_path)
    (tmp_path / LEDGER).write_bytes(copy)
    assert (await start_again(tmp_path, clock)).found == (reserved.file_name,)


async def test_what_is_no_whole_frame_is_moved_aside_and_never_sent(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker, make_header: HeaderMaker
) -> None:
    name, *_ = await take_frames(tmp_path, clock, make_request(TASK), make_header(), TaskSource.API, 1)
    lose_ledger(tmp_path)
    file = tmp_path / "frames" / name
    torn = file.read_bytes()[:-1]
    file.write_bytes(torn)
    (tmp_path / "frames" / "holiday.fits").write_bytes(b"not ours")
    recovery = await start_again(tmp_path, clock)
    assert (recovery.found, sorted(recovery.aside)) == ((), sorted(["holiday.fits", name]))
    kept = {one.name.split("Z-")[1]: one.read_bytes() for one in (tmp_path / "frames" / "aside").iterdir()}
    assert kept == {name: torn, "holiday.fits": b"not ours"}
    async with opened(tmp_path, clock) as (store, _):
        assert await store.outbox.next_due(Lane.FILES, busy=()) is None


@pytest.mark.parametrize("seed", range(20))
async def test_a_ledger_overwritten_anywhere_is_used_as_it_is_or_moved_aside_whole(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker, seed: int
) -> None:
    """Never an error that keeps the station from starting."""
    path = tmp_path / LEDGER
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        requests = [make_request(f"star {number}") for number in range(20)]
        await store.ledger.file_tasks(requests, source=TaskSource.MANUAL)
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    begins = 4096 * chance.randrange(len(content) // 4096)
    content[begins : begins + 4096] = chance.randbytes(4096)
    path.write_bytes(content)
    place = set_aside_if_damaged(path, DUSK)
    assert path.exists() is (place is None)
    if place is not None:
        assert place.read_bytes() == bytes(content)
        assert set_aside_if_damaged(path, DUSK) is None
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        assert len(await store.ledger.tasks()) == (20 if place is None else 0)


async def test_a_ledger_that_is_no_database_says_so_and_one_of_a_later_version_is_left_alone(
    tmp_path: Path, clock: LoopClock
) -> None:
    path = tmp_path / LEDGER
    path.write_bytes(b"what is left after a disk has died " * 300)
    with pytest.raises(LedgerDamaged, match="file is not a database"):
        async with open_store(path, clock=clock, telemetry=Telemetry()):
            pass
    assert set_aside_if_damaged(path, DUSK) == tmp_path / "aside" / "20261122T180000.000000Z-ledger.sqlite"
    async with open_store(path, clock=clock, telemetry=Telemetry()):
        pass
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LedgerUnusable, match="later version"):
        set_aside_if_damaged(path, DUSK)
    assert path.read_bytes() == before
