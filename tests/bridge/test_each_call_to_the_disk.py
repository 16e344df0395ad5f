"""One frame's life, from its task to the end of its file: the programme may die, and the disk fail, at any call.

The suite tries every eleventh call. `NIGHTBRIDGE_CUTS=100` tries each, and cuts the power so often there, with another
loss each time.
"""

import asyncio
import errno
import hashlib
import os
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.clock import LoopClock
from bridge.errors import DiskFull, LedgerUnusable
from bridge.events import Telemetry
from bridge.tasks import TaskSource, TaskState
from simulators.api.records import TaskStatus
from simulators.sky.satellites import Swarm
from tests.bridge.conftest import EVENING, a_platform
from tests.bridge.delivering import request_for
from tests.bridge.disk import Call, Died
from tests.bridge.station_on_disk import LEDGER, Station

CUTS = int(os.environ.get("NIGHTBRIDGE_CUTS", "0"))
STRIDE = 1 if CUTS else 11

pytestmark = pytest.mark.timeout(0 if CUTS else 120)


class Life:
    """A station with one task of one frame. `name` and `sha256` are of the frame, from when it is durable."""

    def __init__(self, folder: Path, swarm: Swarm) -> None:
        self.folder = folder
        self.platform = a_platform(swarm, folder / "uploads", LoopClock(EVENING), Telemetry())
        self.task = self.platform.add_task(opens=EVENING, closes=EVENING + timedelta(hours=1))
        self.station = Station(folder / "state", self.platform, self.platform.clock)
        self.disk = self.station.disk
        self.name = self.sha256 = ""

    async def observe(self) -> None:
        store, task_id = self.station.store, str(self.task.id)
        await store.ledger.file_tasks([request_for(task_id, self.task.closes)], source=TaskSource.API)
        waiting = await store.ledger.pending()
        if not waiting:
            return
        await store.ledger.advance(task_id, TaskState.OBSERVING)
        reserved = await store.frames.reserve_frame(task_id, number=1, total=1)
        await self.station.frames.reserve(reserved.file_name, 24 * 60)
        begin = self.platform.clock.now()
        file = self.station.keep(reserved, begin, room_is_made=True)
        await self.station.frames.release(reserved.file_name)
        self.name, self.sha256 = reserved.file_name, file.sha256
        await store.frames.record_frame(reserved, file, started_at=begin, ended_at=begin + timedelta(seconds=1))
        await store.ledger.capture(task_id)

    async def deliver(self) -> None:
        delivery = self.station.delivery()
        async with anyio.create_task_group() as beside:
            beside.start_soon(delivery.run)
            assert await delivery.until_empty(at_most_s=7200.0)
            beside.cancel_scope.cancel()

    async def remove(self) -> None:
        """Long after the window of its task."""
        await anyio.sleep(7200.0)
        await self.station.retention().remove_due()

    async def all(self) -> None:
        await self.station.start()
        await self.observe()
        await self.deliver()
        await self.remove()
        await self.station.stop()

    async def mortally(self, deed: Callable[[], Any], *, dies_at: int) -> None:
        """Do `deed` until the programme dies before its `dies_at`-th call; it stays dead."""
        self.disk.arise()
        self.disk.dies_at = dies_at
        try:
            await deed()
        except BaseException:
            if not self.disk.dead:
                raise
        await self.bury()

    async def bury(self) -> None:
        self.disk.dead = True
        with suppress(BaseExceptionGroup, Died):
            await self.station.stop()

    def removing(self) -> bool:
        """Whether the ledger says that the file may be gone."""
        return bool(self.station.rows("SELECT 1 FROM frame WHERE removal <> 'none'"))

    def check(self) -> None:
        """The frame, if it was durable, is at the platform, once, and has left the disk; the task has been told of."""
        self.disk.check()
        landed = [one for one in self.platform.world.uploads.values() if one.stored is not None]
        assert len(landed) == len({one.filename for one in landed})
        assert self.platform.world.tasks[self.task.id].status is TaskStatus.SUCCEEDED
        if self.name:
            assert self.sha256 in {one.stored.sha256 for one in landed if one.stored is not None}
        assert self.station.rows("SELECT state FROM task") == [("delivered",)]
        assert self.station.rows("SELECT DISTINCT removal FROM frame WHERE state = 'landed'") == [("done",)]
        assert not [path for path in (self.station.folder / "frames").iterdir() if path.is_file()]
        assert self.station.rows("PRAGMA integrity_check") == [("ok",)]


@asynccontextmanager
async def a_life(folder: Path, swarm: Swarm) -> AsyncIterator[Life]:
    life = Life(folder, swarm)
    with life.station.on_this_disk():
        yield life
    shutil.rmtree(folder)


async def calls_of_a_life(folder: Path, swarm: Swarm) -> list[Call]:
    async with a_life(folder, swarm) as life:
        await life.all()
        life.check()
        return list(life.disk.calls)


async def test_a_whole_life_makes_all_kinds_of_calls(tmp_path: Path, swarm: Swarm) -> None:
    calls = await calls_of_a_life(tmp_path / "a", swarm)
    of_frame = [call.kind for call in calls if call.name.startswith("frames/")]
    assert of_frame[:2] == ["make", "allocate"]
    assert of_frame[-3:] == ["sync", "name", "remove"]
    named = next(place for place, call in enumerate(calls) if call.kind == "name")
    assert calls[named + 1] == Call("sync folder", "frames")
    assert {call.kind for call in calls if LEDGER in call.name} == {"make", "write", "sync", "cut", "remove"}
    assert len(calls) > 100


@pytest.mark.parametrize("power", ["on", "cut", "cut after the next start"])
async def test_death_before_any_call_is_recovered_from(tmp_path: Path, swarm: Swarm, power: str) -> None:
    """SIGKILL at each of them, and a power cut there with what it may take, or a little later."""
    number = len(await calls_of_a_life(tmp_path / "count", swarm))
    for dies_at in range(1, number + 1, STRIDE):
        for seed in range(1 if power == "on" else max(CUTS, 1)):
            async with a_life(tmp_path / "life", swarm) as life:
                await life.mortally(life.all, dies_at=dies_at)
                chance = random.Random(1000 * dies_at + seed) if seed else _TakesAll()
                if power == "cut after the next start":
                    await life.mortally(life.station.start, dies_at=0)
                if power != "on":
                    life.disk.cut_power(chance)
                life.disk.arise()
                await life.all()
                life.check()


@pytest.mark.parametrize("in_a_row", [1, 2, 3])
async def test_no_failed_sync_is_taken_for_a_success(tmp_path: Path, swarm: Swarm, in_a_row: int) -> None:
    """Any sync of a life fails, and the next ones too; then the power is cut and all that was not synced is lost."""
    kinds = [call.kind for call in await calls_of_a_life(tmp_path / "count", swarm)]
    syncs = [place for place, kind in enumerate(kinds, start=1) if kind.startswith("sync")]
    for first in range(0, len(syncs), STRIDE // 3 or 1):
        async with a_life(tmp_path / "life", swarm) as life:
            seen = _Syncs(first, in_a_row)
            life.disk.fault = seen.fault
            with suppress(LedgerUnusable, OSError, DiskFull, BaseExceptionGroup):
                await life.all()
            assert seen.failed >= 1
            await life.bury()
            life.disk.fault = lambda _: 0
            life.disk.cut_power(_TakesAll())
            life.disk.arise()
            if life.name and not life.removing():
                content = (life.station.folder / "frames" / life.name).read_bytes()
                assert hashlib.sha256(content).hexdigest() == life.sha256
            await life.all()
            life.check()


async def test_a_disk_that_fills_at_any_call_costs_no_durable_frame(tmp_path: Path, swarm: Swarm) -> None:
    """From that call on nothing can be made longer, frames and ledger alike, until there is room again."""
    number = len(await calls_of_a_life(tmp_path / "count", swarm))
    for full_from in range(1, number + 1, STRIDE):
        async with a_life(tmp_path / "life", swarm) as life:
            disk = life.disk

            def full(call: Call, disk: Any = disk, full_from: int = full_from) -> int:
                longer = call.kind in ("make", "write", "allocate")
                return errno.ENOSPC if longer and len(disk.calls) >= full_from else 0

            disk.fault = full
            with suppress(LedgerUnusable, OSError, DiskFull, BaseExceptionGroup, asyncio.CancelledError):
                await life.all()
            await life.bury()
            disk.fault = lambda _: 0
            disk.arise()
            await life.all()
            life.check()


class _Syncs:
    """Has some syncs fail."""

    def __init__(self, first: int, in_a_row: int) -> None:
        self._passed = -first
        self._in_a_row = in_a_row
        self.failed = 0

    def fault(self, call: Call) -> int:
        if not call.kind.startswith("sync"):
            return 0
        self._passed += 1
        if not 0 < self._passed <= self._in_a_row:
            return 0
        self.failed += 1
        return errno.EIO


class _TakesAll(random.Random):
    """Every choice falls on the least: nothing that was not synced is left."""

    def choice(self, seq: Any) -> Any:
        return seq[0]

    def randrange(self, *_: Any, **__: Any) -> int:
        return 0
