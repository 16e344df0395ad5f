"""Whatever happens, in any order: each durable frame lands exactly once, and no task stays behind.

The platform asks, changes its mind, is away, slow, refuses, loses answers; the camera fails or hangs, the mount is
lost; the disk fails or is full; the programme dies at any of its crash points or before any call to the disk, also
while it recovers; the power is cut (`disk.py` says what that takes away); the ledger is lost; the clock is set.

The invariants I1 to I7 are checked after every step, from the files, from the ledger as another reader sees it, and
from the platform's own record. I8 to I10 (no motion without a ticket of the gate, no exposure with a bad clock, no open
shutter without a lease) are about devices, of which nothing here is.
"""

import hashlib
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.clock import LoopClock
from bridge.crashpoints import CrashPoint, arm
from bridge.errors import ApiError, DiskFull
from bridge.events import Telemetry
from bridge.storage.frames import part_name
from bridge.tasks import Task, TaskState
from bridge.timelapse import TimelapseLoop
from simulators.api.records import TaskStatus
from simulators.api.switches import Fault
from simulators.sky.satellites import Swarm
from tests.bridge.conftest import DEMOSATS, EVENING, a_platform
from tests.bridge.disk import Call, Died
from tests.bridge.station_on_disk import LEDGER, Station, SteppedClock

_T = TypeVar("_T")

_POINTS = list(CrashPoint)
WRITING = st.sampled_from([None, *_POINTS[_POINTS.index(CrashPoint.OBSERVING) : _POINTS.index(CrashPoint.ANNOUNCING)]])
SENDING = st.sampled_from([None, *_POINTS[_POINTS.index(CrashPoint.ANNOUNCING) : _POINTS.index(CrashPoint.REMOVING)]])
REMOVING = st.sampled_from([None, *_POINTS[_POINTS.index(CrashPoint.REMOVING) :]])
LOST = st.lists(st.sampled_from(["POST /my/images", "POST /_storage", "GET /my/images/", "PUT /tasks/"]), max_size=3)
CALLS = st.sampled_from(["/my/images", "/_storage*", "/my/images/*", "/tasks/*", "/tasks/*/images"])
REFUSALS = st.sampled_from([400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504])
DEVICES = st.sampled_from(["well", "well", "well", "exposure failed", "camera hung", "mount lost", "refused"])
DISKS = st.sampled_from(["", "", "", "", "", "sync", "write", "name"])
STEPS_S = st.sampled_from([1.0, -1.0, 37.0, -37.0, 3600.0, -3600.0])
LISTS = st.sampled_from(["", "", "", "down", "list_empty", "list_half", "bad_json", "html_503", "slow", "reset"])
# How often the programme may still write before it dies, 0 for ever; half of all that happens ends well.
MORTAL = st.one_of(st.just(0), st.integers(1, 60))
_NO_ROOM = 28
_BROKEN = 5

# What happened in all runs together: a search in which nothing fails, or nothing is done, shows nothing.
HAPPENED: Counter[str] = Counter()
ALWAYS = {"deaths", "deaths while recovering", "power cuts that took something", "durable frames", "frames landed"}
NOW_AND_THEN = {
    "tasks reported",
    "frames removed",
    "removals cut short",
    "frames the disk did not take",
    "ledgers lost",
}


class Durability(RuleBasedStateMachine):
    """Everything that can happen to a station, in any order."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="durability"))
        self.loop = TimelapseLoop()
        self.durable: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.excused: set[str] = set()  # tasks whose platform refused for good, closed or forgot them
        self.gone: set[str] = set()
        self.removed: set[str] = set()  # frames whose files may be gone: the ledger said so before they went
        self.patches = ExitStack()
        self.run(self._begin())

    async def _begin(self) -> None:
        right = LoopClock(EVENING)
        swarm = Swarm(Swarm.from_text(DEMOSATS).elements)
        self.platform = a_platform(swarm, self.place / "uploads", right, Telemetry())
        self.clock = self.platform.clock = SteppedClock(right)
        self.station = Station(self.place / "state", self.platform, self.clock)
        self.disk = self.station.disk
        self.patches.enter_context(self.station.on_this_disk())
        await self.station.start()

    def run(self, deed: Coroutine[Any, Any, _T]) -> _T:
        return self.loop.run_until_complete(deed)

    def mortally(
        self, deed: Coroutine[Any, Any, None], *, place: CrashPoint | None = None, at: int, power: bool
    ) -> None:
        """Run `deed`. The programme dies where it passes `place` for the `at`-th time, or without one before its
        `at`-th call to the disk; then it is started again.
        """
        self.disk.calls.clear()
        self.disk.dies_at = 0 if place else at
        arm(place or CrashPoint.TASKS_FILED, at_pass=1 + at % 3 if place else 10**9)
        try:
            self.run(deed)
        except BaseException:
            if not self.disk.dead:
                raise
        finally:
            arm(CrashPoint.TASKS_FILED, at_pass=10**9)
            self.disk.dies_at = 0
        if self.disk.dead:
            self.rise(power=power, seed=at)

    def rise(self, *, power: bool, seed: int, again_at: int = 0) -> None:
        """The programme is dead, and is started again on what it left. It may die again before it is up."""
        HAPPENED["deaths"] += 1
        self.disk.fault = lambda _: 0
        with suppress(BaseExceptionGroup, Died):
            self.run(self.station.stop())
        if power:
            HAPPENED["power cuts"] += 1
            HAPPENED["power cuts that took something"] += self.disk.unsynced
            self.disk.cut_power(random.Random(seed))
        try:
            self.run(self.station.start(dies_at=again_at))
        except BaseException:
            if not self.disk.dead:
                raise
        self.disk.dies_at = 0
        if self.disk.dead:  # SQLite takes no notice where it dies in a checkpoint
            HAPPENED["deaths while recovering"] += 1
            self.rise(power=power, seed=seed + 1)

    # --- what may happen ---------------------------------------------------------------------------------------------

    @rule(place=REMOVING, at=st.integers(0, 12), power=st.booleans(), after_a_quiet_day=st.booleans())
    def it_removes_what_is_delivered(
        self, place: CrashPoint | None, at: int, power: bool, after_a_quiet_day: bool
    ) -> None:
        if after_a_quiet_day:
            self.time_goes_by(minutes=75)
            self.run(self._delivered(1800.0))
        self.mortally(self._removed(), place=place, at=at, power=power)

    async def _removed(self) -> None:
        await self.station.retention().remove_due()

    @rule(minutes=st.integers(5, 60))
    def the_platform_asks(self, minutes: int) -> None:
        self.run(self._asked(minutes))

    async def _asked(self, minutes: int) -> None:
        now = self.platform.world.clock.now()
        self.platform.add_task(opens=now, closes=now + timedelta(minutes=minutes))

    @precondition(lambda self: self.platform.world.tasks)
    @rule(which=st.integers(0, 100), what=st.sampled_from(["later", "sooner", "cancelled", "vanished"]))
    def the_platform_changes_its_mind(self, which: int, what: str) -> None:
        tasks = self.platform.world.tasks
        task = list(tasks.values())[which % len(tasks)]
        if task.status.is_final:
            return
        if what == "vanished":
            self.gone.add(str(tasks.pop(task.id).id))
        elif what == "cancelled":
            self.excused.add(str(task.id))
            tasks[task.id] = replace(task, status=TaskStatus.CANCELED)
        else:
            shift = timedelta(minutes=10 if what == "later" else -10)
            tasks[task.id] = replace(task, closes=max(task.opens + timedelta(minutes=1), task.closes + shift))

    @rule(wrong=LISTS, at=MORTAL, named=st.booleans(), power=st.booleans())
    def it_fetches(self, wrong: str, at: int, named: bool, power: bool) -> None:
        self.platform.wire.down = wrong == "down"
        if wrong not in ("", "down"):
            self.platform.turn(faults=[Fault(kind=wrong, path="/telescopes/*/tasks", seconds=20.0)])  # type: ignore[arg-type]
        place = CrashPoint.TASKS_FILED if named else None
        self.mortally(self._fetched(), place=place, at=at, power=power)
        self.platform.turn(faults=[])
        self.platform.wire.down = False

    async def _fetched(self) -> None:
        with suppress(ApiError):
            await self.station.fetcher.fetch()

    @rule(frames=st.integers(1, 3), devices=DEVICES, disk=DISKS, place=WRITING, at=MORTAL, power=st.booleans())
    def it_observes(self, frames: int, devices: str, disk: str, place: CrashPoint | None, at: int, power: bool) -> None:
        self.run(self._something_to_do())
        self.disk.fault = lambda call: _disk_error(disk, call)
        self.mortally(self._observed(frames, devices), place=place, at=at, power=power)
        self.disk.fault = lambda _: 0

    async def _something_to_do(self) -> None:
        if not await self._waiting():
            await self._asked(minutes=70 if self.clock.ahead_s > 0.0 else 20)
            await self._fetched()

    async def _waiting(self) -> list[Task]:
        now = self.clock.now()
        return [task for task in await self.station.store.ledger.pending() if task.request.closes > now]

    async def _observed(self, total: int, devices: str) -> None:
        store, waiting = self.station.store, await self._waiting()
        if not waiting:
            return
        task_id = waiting[0].task_id
        await store.ledger.advance(task_id, TaskState.OBSERVING)
        if devices == "refused":
            self.excused.add(task_id)
            await store.ledger.advance(task_id, TaskState.FAILED, why="the filter wheel has no such filter")
            return
        if devices == "mount lost":
            await store.ledger.advance(task_id, TaskState.PENDING, why="the mount is silent")
            return
        for number in range(1, total + 1):
            if not await self._exposed(task_id, number, total, devices):
                await store.ledger.advance(task_id, TaskState.PENDING, why=devices)
                return
        if await store.frames.kept(task_id):
            await store.ledger.capture(task_id)
        else:
            self.excused.add(task_id)
            await store.ledger.advance(task_id, TaskState.FAILED, why="not one frame could be written")

    async def _exposed(self, task_id: str, number: int, total: int, devices: str) -> bool:
        frames = self.station.store.frames
        reserved = await frames.reserve_frame(task_id, number=number, total=total)
        begin = self.clock.now()
        if devices != "well" and number == total:
            await anyio.sleep(60.0 if devices == "camera hung" else 1.0)
            await frames.lose_frame(reserved, devices)
            return False
        try:
            file = self.station.keep(reserved, begin)
        except (OSError, DiskFull) as error:
            HAPPENED["frames the disk did not take"] += 1
            await frames.lose_frame(reserved, str(error))
            return True
        self.durable[reserved.file_name] = file.sha256
        HAPPENED["durable frames"] += 1
        await frames.record_frame(reserved, file, started_at=begin, ended_at=begin + timedelta(seconds=1))
        return True

    @rule(seconds=st.integers(1, 900), place=SENDING, at=MORTAL, power=st.booleans(), lost=LOST)
    def it_delivers(self, seconds: int, place: CrashPoint | None, at: int, power: bool, lost: list[str]) -> None:
        self.platform.wire.lose = list(lost)
        self.mortally(self._delivered(float(seconds)), place=place, at=at, power=power)
        self.platform.wire.lose = []

    @rule(seconds=st.integers(1, 900), at=MORTAL, power=st.booleans(), down=st.booleans(), slow_s=st.integers(0, 90))
    def it_delivers_to_a_platform_in_trouble(self, seconds: int, at: int, power: bool, down: bool, slow_s: int) -> None:
        self.platform.wire.down = down
        self.platform.turn(faults=[Fault(kind="slow", seconds=float(slow_s))])
        self.mortally(self._delivered(float(seconds)), at=at, power=power)
        self.platform.wire.down = False
        self.platform.turn(faults=[])

    @rule(seconds=st.integers(1, 900), at=MORTAL, power=st.booleans(), call=CALLS, status=REFUSALS)
    def it_delivers_and_is_refused(self, seconds: int, at: int, power: bool, call: str, status: int) -> None:
        if status < 500:
            self.excused |= {_task_of(name) for name in self.durable}
        self.platform.turn(faults=[Fault(kind="status", path=call, http_status=status)])
        self.mortally(self._delivered(float(seconds)), at=at, power=power)
        self.platform.turn(faults=[])

    async def _delivered(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            await self.station.delivery().run()

    @rule(minutes=st.integers(1, 45))
    def time_goes_by(self, minutes: int) -> None:
        self.run(anyio.sleep(60.0 * minutes))
        self.run(self.station.store.ledger.miss_overdue())

    @rule(by_s=STEPS_S)
    def the_clock_is_set(self, by_s: float) -> None:
        self.clock.ahead_s += by_s

    @rule(power=st.booleans(), seed=st.integers(0, 1000), again_at=MORTAL)
    def it_is_killed_at_rest(self, power: bool, seed: int, again_at: int) -> None:
        self.disk.dead = True
        self.rise(power=power, seed=seed, again_at=again_at)

    @precondition(lambda self: self.durable)
    @rule(whole=st.booleans(), again_at=MORTAL)
    def its_ledger_is_lost(self, whole: bool, again_at: int) -> None:
        self.run(self.station.stop())
        for file in self.station.folder.glob(f"{LEDGER}*"):
            if whole or file.name != LEDGER:
                file.unlink()
            else:
                file.write_bytes(b"\0" * file.stat().st_size)
        self.disk.look()
        self.versions.clear()
        HAPPENED["ledgers lost"] += 1
        self.rise(power=False, seed=0, again_at=again_at)

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def what_is_kept_is_true(self) -> None:
        if not hasattr(self, "station"):
            return
        HAPPENED["steps"] += 1
        self.disk.check()
        self.check_files()
        self.check_ledger()
        self.check_platform()

    def check_files(self) -> None:
        """I1, I6."""
        folder = self.station.folder / "frames"
        leaving = self.station.rows("SELECT file_name, removal FROM frame WHERE removal <> 'none'")
        self.removed |= {name for name, _ in leaving}
        HAPPENED["removals cut short"] += any(removal == "begun" for _, removal in leaving)
        landed = {one.filename for one in self.platform.world.uploads.values() if one.stored is not None}
        assert self.removed <= landed, f"removed before they had landed: {self.removed - landed}"
        for name, sha256 in self.durable.items():
            if name in self.removed and not (folder / name).is_file():
                continue
            assert (folder / name).is_file(), f"{name} is gone"
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, f"{name} was altered"
        assert not list(folder.glob(part_name("*")))
        known = {row[0] for row in self.station.rows("SELECT file_name FROM frame")}
        assert {path.name for path in folder.glob("*.fits")} <= known

    def check_ledger(self) -> None:
        """I1, I3, I4, I5."""
        for name, state, sha256 in self.station.rows("SELECT file_name, state, sha256 FROM frame"):
            assert state not in ("lost", "reserved") or name not in self.durable, f"{name} is {state}"
            if state not in ("lost", "reserved"):
                assert sha256 == self.durable.setdefault(name, sha256)  # one found after a death counts from then on
        left = self.station.rows(
            "SELECT id, state FROM task WHERE state = 'observing' OR state = 'captured' AND NOT EXISTS "
            "(SELECT 1 FROM outbox WHERE task_id = task.id AND stage <> 'done')"
        )
        assert not left, f"nobody will ever look at {left}"
        for task_id, version in self.station.rows("SELECT id, version FROM task"):
            assert version >= self.versions.get(task_id, 0), f"{task_id} went back to version {version}"
            self.versions[task_id] = version

    def check_platform(self) -> None:
        """I2, I7."""
        world = self.platform.world
        landed = [upload.filename for upload in world.uploads.values() if upload.stored is not None]
        assert len(landed) == len(set(landed)), f"landed twice: {sorted(landed)}"
        succeeded = {str(task.id) for task in world.tasks.values() if task.status is TaskStatus.SUCCEEDED}
        early = [name for name in self.durable if _task_of(name) in succeeded - self.excused and name not in landed]
        assert not early, f"its task was reported before {early} had landed"

    def teardown(self) -> None:
        if not hasattr(self, "station"):
            return
        try:
            self.run(self._to_the_end())
        finally:
            self.run(self.station.stop())
            self.patches.close()
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            shutil.rmtree(self.place)

    async def _to_the_end(self) -> None:
        """All is well again, and a last start has the night."""
        await self.station.stop()
        self.clock.ahead_s = 0.0
        await self.station.start()
        await anyio.sleep(86_400.0)
        await self.station.store.ledger.miss_overdue()
        delivery = self.station.delivery()
        async with anyio.create_task_group() as beside:
            beside.start_soon(delivery.run)
            assert await delivery.until_empty(at_most_s=20_000.0), "something is left to deliver"
            beside.cancel_scope.cancel()
        world = self.platform.world
        stored = {one.filename: one.stored.sha256 for one in world.uploads.values() if one.stored is not None}
        wanted = {name: sha256 for name, sha256 in self.durable.items() if _task_of(name) not in self.gone}
        assert {name: stored.get(name) for name in wanted} == wanted, "a durable frame never landed"
        aside = dict(self.station.rows("SELECT task_id, last_error FROM outbox WHERE stage = 'parked'"))
        assert set(aside) <= self.gone, f"set aside, and for no reason: {aside}, but for {self.gone}"
        left = {row[0] for row in self.station.rows("SELECT id FROM task WHERE state IN ('observing', 'captured')")}
        assert left <= set(aside), f"left behind: {left}"
        await self._removed()
        HAPPENED["frames landed"] += len(stored)
        HAPPENED["frames removed"] += len(self.station.rows("SELECT id FROM frame WHERE removal = 'done'"))
        HAPPENED["tasks reported"] += sum(task.status is TaskStatus.SUCCEEDED for task in world.tasks.values())
        HAPPENED["tasks"] += len(self.station.rows("SELECT id FROM task"))
        HAPPENED["answers"] += len(self.platform.wire.saw)
        statuses = {str(task.id): task.status for task in world.tasks.values()}
        told = {statuses[_task_of(name)] for name in wanted if _task_of(name) not in self.excused}
        assert told <= {TaskStatus.SUCCEEDED}, f"told {told}"


def _task_of(file_name: str) -> str:
    return file_name.removeprefix("citra_task_").rpartition("_")[0]


def _disk_error(what: str, call: Call) -> int:
    """The disk cannot sync, has no room, or cannot rename; the ledger has a better one."""
    if not what or LEDGER in call.name or not call.kind.startswith(what):
        return 0
    return _NO_ROOM if what == "write" else _BROKEN


# The suite takes the same few paths each time, and does not look for the shortest that fails; a search of thousands, by
# `DURABILITY_RUNS=2000 pytest tests/bridge/test_durability.py`, takes others each time and shows the shortest.
RUNS = int(os.environ.get("DURABILITY_RUNS", "0"))
QUICK = (Phase.explicit, Phase.generate)


class TestDurability(Durability.TestCase):  # type: ignore[misc, valid-type]
    def runTest(self) -> None:  # noqa: N802 (unittest's name)
        HAPPENED.clear()
        super().runTest()
        print(dict(HAPPENED))  # noqa: T201 (what a search by hand is worth)
        assert all(HAPPENED[what] for what in (ALWAYS | NOW_AND_THEN if RUNS else ALWAYS)), HAPPENED


TestDurability.settings = settings(
    max_examples=RUNS or 40,
    stateful_step_count=50 if RUNS else 25,
    derandomize=not RUNS,
    database=None,
    phases=QUICK,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
pytestmark = pytest.mark.timeout(0 if RUNS else 120)
