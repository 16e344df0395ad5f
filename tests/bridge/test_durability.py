"""Crashes, power cuts, a lost ledger, answers lost on the way, in any order: each durable frame lands exactly once.

A kill takes the state folder as it lies at that moment, as SIGKILL would leave it, and the next start finds just that:
nothing that the dying programme still does while it unwinds is seen. A power cut takes away more: what was not synced.
"""

import asyncio
import hashlib
import os
import random
import shutil
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import anyio
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import bridge.crashpoints
from bridge.api.client import CitraApi
from bridge.clock import LoopClock
from bridge.crashpoints import CrashPoint, arm
from bridge.delivery import Delivery
from bridge.events import Telemetry
from bridge.storage.aside import make_folder
from bridge.storage.database import set_aside_if_damaged
from bridge.storage.frames import FrameFolder, open_frame_folder, part_name, write_frame
from bridge.storage.recovery import recover
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource, TaskState
from bridge.timelapse import TimelapseLoop
from simulators.api.records import TaskStatus
from simulators.sky.satellites import Swarm

from .conftest import DEMOSATS, EVENING, Platform, a_platform
from .test_delivery import request_for

_T = TypeVar("_T")

LEDGER = "nightbridge.sqlite"
_POINTS = list(CrashPoint)
WRITING = st.sampled_from([None, *_POINTS[_POINTS.index(CrashPoint.OBSERVING) : _POINTS.index(CrashPoint.ANNOUNCING)]])
SENDING = st.sampled_from([None, *_POINTS[_POINTS.index(CrashPoint.ANNOUNCING) :]])
LOST = st.lists(st.sampled_from(["POST /my/images", "POST /_storage", "GET /my/images/", "PUT /tasks/"]), max_size=3)
AWAY = st.sampled_from(["", "", "", "down", "503", "429"])


class Died(BaseException):
    """The programme is dead from here on; what its frames still do does not count."""


class Station:
    """The parts of a bridge that keep and deliver, in a folder that outlives them."""

    def __init__(self, folder: Path, platform: Platform) -> None:
        self.folder = folder
        self._platform = platform
        self._stack = AsyncExitStack()
        self.store: Store
        self.frames: FrameFolder
        self.api: CitraApi

    async def start(self) -> None:
        clock, telemetry = self._platform.clock, self._platform.telemetry
        make_folder(self.folder)
        set_aside_if_damaged(self.folder / LEDGER, clock.now())
        ledger = open_store(self.folder / LEDGER, clock=clock, telemetry=telemetry)
        self.store = await self._stack.enter_async_context(ledger)
        frames = open_frame_folder(self.folder / "frames", keep_free_bytes=0)
        self.frames = await self._stack.enter_async_context(frames)
        self.api = await self._stack.enter_async_context(self._platform.open())
        await recover(self.store, self.frames, at=clock.now())

    async def stop(self) -> None:
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    @property
    def ledger_thread(self) -> ThreadPoolExecutor:
        return self.store.ledger._database._worker._executor


class Durability(RuleBasedStateMachine):
    """Everything that can happen to a station, in any order."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="durability"))
        self.loop = TimelapseLoop()
        self.run(self._begin())
        self.durable: dict[str, str] = {}
        self.died = False
        self.kill_before = bridge.crashpoints.os.kill

    async def _begin(self) -> None:
        telemetry = Telemetry()
        swarm = Swarm(Swarm.from_text(DEMOSATS).elements)
        self.platform = a_platform(swarm, self.place / "uploads", LoopClock(EVENING), telemetry)
        self.station = Station(self.place / "state", self.platform)
        await self.station.start()

    def run(self, deed: Coroutine[Any, Any, _T]) -> _T:
        return self.loop.run_until_complete(deed)

    def mortally(self, deed: Coroutine[Any, Any, None], place: CrashPoint | None, at_pass: int, *, power: bool) -> None:
        """Run `deed`; where it passes `place`, the programme dies and is started again."""
        self.died = False
        arm(place or CrashPoint.TASKS_FILED, at_pass=at_pass if place else 10**9)
        before = os.kill
        bridge.crashpoints.os.kill = self._die  # type: ignore[assignment]
        try:
            self.run(deed)
        except BaseExceptionGroup as group:
            if group.split((Died, asyncio.CancelledError))[1] is not None:
                raise
        except Died:
            pass
        finally:
            bridge.crashpoints.os.kill = before
            arm(CrashPoint.TASKS_FILED, at_pass=10**9)
        if self.died:
            self.rise(power=power, seed=at_pass)

    def _die(self, _pid: int, _signal: int) -> None:
        """Take the folder as it lies. The ledger's thread is between two transactions then, or has ended one."""
        if not self.died:
            self.station.ledger_thread.submit(int).result()
            shutil.copytree(self.station.folder, self.place / "left")
        self.died = True
        raise Died

    def rise(self, *, power: bool, seed: int) -> None:
        """Start again from what the dead programme left."""
        self.run(self.station.stop())
        shutil.rmtree(self.station.folder)
        (self.place / "left").rename(self.station.folder)
        if power:
            self._lose_what_was_not_synced(random.Random(seed))
        self.run(self.station.start())

    def _lose_what_was_not_synced(self, chance: random.Random) -> None:
        for part in (self.station.folder / "frames").glob(".*.part"):
            content = bytearray(part.read_bytes()[: chance.randrange(part.stat().st_size + 1)])
            for _ in range(len(content) // 512):
                begins = 512 * chance.randrange(len(content) // 512)
                content[begins : begins + 512] = bytes(512)
            part.write_bytes(content)
        log = self.station.folder / f"{LEDGER}-wal"
        if log.exists():
            log.write_bytes(log.read_bytes() + chance.randbytes(chance.randrange(9000)))

    # --- what may happen ---------------------------------------------------------------------------------------------

    @rule(minutes=st.integers(5, 60))
    def the_platform_asks(self, minutes: int) -> None:
        self.run(self._asked(minutes))

    async def _asked(self, minutes: int) -> None:
        now = self.platform.clock.now()
        task = self.platform.add_task(opens=now, closes=now + timedelta(minutes=minutes))
        request = request_for(str(task.id), task.closes)
        await self.station.store.ledger.file_tasks([request], source=TaskSource.API)

    @rule(frames=st.integers(1, 3), place=WRITING, at_pass=st.integers(1, 3), power=st.booleans())
    def it_observes(self, frames: int, place: CrashPoint | None, at_pass: int, power: bool) -> None:
        self.mortally(self._observed(frames), place, at_pass, power=power)

    async def _observed(self, total: int) -> None:
        store = self.station.store
        now = self.platform.clock.now()
        waiting = [task for task in await store.ledger.pending() if task.request.closes > now]
        if not waiting:
            return
        task_id = waiting[0].task_id
        await store.ledger.advance(task_id, TaskState.OBSERVING)
        for number in range(1, total + 1):
            reserved = await store.frames.reserve_frame(task_id, number=number, total=total)
            begin = self.platform.clock.now()
            cards = [
                *(("TASKID", task_id, ""), ("FRAMEID", reserved.frame_id, ""), ("OBJECT", "Vega", "")),
                *(("FRAMENUM", number, ""), ("FRAMECNT", total, ""), ("FRAMESEQ", reserved.seq, "")),
                *(("DATE-OBS", _iso(begin), ""), ("DATE-BEG", _iso(begin), "")),
                *(("DATE-END", _iso(begin + timedelta(seconds=1)), ""), ("RA", 279.2, ""), ("DEC", 38.8, "")),
                *(("EXPTIME", 1.0, ""), ("XBINNING", 1, ""), ("FILTER", "Clear", "")),
            ]
            path = self.station.frames.folder / reserved.file_name
            pixels = np.full((24, 60), reserved.seq, dtype=np.uint16)
            file = await asyncio.to_thread(write_frame, path, cards, pixels)
            self.durable[reserved.file_name] = file.sha256
            ended_at = begin + timedelta(seconds=1)
            await store.frames.record_frame(reserved, file, started_at=begin, ended_at=ended_at)
        await store.ledger.capture(task_id)

    @rule(
        seconds=st.integers(1, 900), place=SENDING, at_pass=st.integers(1, 3), power=st.booleans(), lost=LOST, away=AWAY
    )
    def it_delivers(
        self, seconds: int, place: CrashPoint | None, at_pass: int, power: bool, lost: list[str], away: str
    ) -> None:
        wire = self.platform.wire
        wire.lose, wire.down = list(lost), away == "down"
        if away in ("503", "429"):
            wire.say("POST", {"detail": "later"}, status=int(away))
        self.mortally(self._delivered(float(seconds)), place, at_pass, power=power)
        wire.lose, wire.down = [], False
        wire.instead.clear()

    async def _delivered(self, seconds: float) -> None:
        delivery = Delivery(self.station.store.outbox, self.station.api, self.platform.clock, self.platform.telemetry)
        with anyio.move_on_after(seconds):
            await delivery.run()

    @rule(minutes=st.integers(1, 45))
    def time_goes_by(self, minutes: int) -> None:
        self.run(anyio.sleep(60.0 * minutes))
        self.run(self.station.store.ledger.miss_overdue())

    @rule(power=st.booleans(), seed=st.integers(0, 1000))
    def it_is_killed_at_rest(self, power: bool, seed: int) -> None:
        shutil.copytree(self.station.folder, self.place / "left")
        self.rise(power=power, seed=seed)

    @precondition(lambda self: self.durable)
    @rule(whole=st.booleans())
    def its_ledger_is_lost(self, whole: bool) -> None:
        self.run(self.station.stop())
        for file in self.station.folder.glob(f"{LEDGER}*"):
            if whole or file.name != LEDGER:
                file.unlink()
            else:
                file.write_bytes(b"\0" * file.stat().st_size)
        self.run(self.station.start())

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def a_durable_frame_is_there_as_it_was_written(self) -> None:
        for name, sha256 in getattr(self, "durable", {}).items():
            path = self.station.folder / "frames" / name
            assert path.is_file(), f"{name} is gone"
            assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, f"{name} was altered"

    @invariant()
    def nothing_lands_twice(self) -> None:
        if not hasattr(self, "platform"):
            return
        landed = [upload.filename for upload in self.platform.world.uploads.values() if upload.stored is not None]
        assert len(landed) == len(set(landed)), f"landed twice: {sorted(landed)}"

    def teardown(self) -> None:
        if not hasattr(self, "station"):
            return
        try:
            self.run(self._to_the_end())
        finally:
            self.run(self.station.stop())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            shutil.rmtree(self.place)

    async def _to_the_end(self) -> None:
        """All is well again, and a last start has the night."""
        await self.station.stop()
        await self.station.start()
        await anyio.sleep(4000.0)
        await self.station.store.ledger.miss_overdue()
        delivery = Delivery(self.station.store.outbox, self.station.api, self.platform.clock, self.platform.telemetry)
        async with anyio.create_task_group() as beside:
            beside.start_soon(delivery.run)
            assert await delivery.until_empty(at_most_s=20_000.0), "something is left to deliver"
            beside.cancel_scope.cancel()
        stored = {
            upload.filename: upload.stored.sha256
            for upload in self.platform.world.uploads.values()
            if upload.stored is not None
        }
        assert {name: stored.get(name) for name in self.durable} == self.durable, "a durable frame never landed"
        names = await self.station.store.frames.file_names()
        files = set(await self.station.frames.file_names())
        assert files <= names, f"unknown to the ledger: {files - names}"
        assert not list((self.station.folder / "frames").glob(part_name("*")))
        left = await self.station.store.ledger.tasks(TaskState.OBSERVING, TaskState.CAPTURED)
        assert not left, f"left behind: {[task.task_id for task in left]}"
        with_frames = {name.removeprefix("citra_task_").rpartition("_")[0] for name in self.durable}
        statuses = {str(task.id): task.status for task in self.platform.world.tasks.values()}
        assert {statuses[task_id] for task_id in with_frames} <= {TaskStatus.SUCCEEDED}


def _iso(at: Any) -> str:
    return str(at.replace(tzinfo=None).isoformat(timespec="microseconds"))


# The suite takes the same few paths each time, and does not look for the shortest that fails; a search of thousands, by
# `DURABILITY_RUNS=2000 pytest tests/bridge/test_durability.py`, takes others each time and shows the shortest.
RUNS = int(os.environ.get("DURABILITY_RUNS", "0"))
ALL_PHASES, QUICK = tuple(Phase), (Phase.explicit, Phase.generate)

TestDurability = Durability.TestCase
TestDurability.settings = settings(
    max_examples=RUNS or 15,
    stateful_step_count=50 if RUNS else 25,
    derandomize=not RUNS,
    database=None,
    phases=ALL_PHASES if RUNS else QUICK,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
pytestmark = pytest.mark.timeout(0 if RUNS else 120)
