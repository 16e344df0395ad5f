"""One observation after the other under an open dome: plan, wait, observe; and what each fault leads to."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Event as ThreadEvent

import anyio

from bridge.clock import Clock
from bridge.errors import DiskFull, IllegalMove
from bridge.events import (
    DeviceFault,
    PlanMade,
    StationNote,
    Subscription,
    TaskAccepted,
    TaskAdvanced,
    TaskChanged,
    Telemetry,
)
from bridge.observing.dark import NightSpan
from bridge.observing.gate import MotionRefused, NotNow
from bridge.observing.keeping import Keeper
from bridge.observing.meetings import TooLate
from bridge.observing.observatory import Observatory
from bridge.observing.observe import Observer
from bridge.observing.pace import Pace
from bridge.observing.planning import Planning
from bridge.observing.together import until_first
from bridge.storage.ledger import Ledger
from bridge.tasks import Task, TaskState
from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused
from drivers.threads import Worker
from schedules.errors import ScheduleError
from schedules.planner import Plan, PlannedObservation

# A plan is looked at again after this long without anything to do: a window may have come into reach.
_LOOK_AGAIN_S = 60.0
# After a window given up, or a fault, the same would happen again at once; a fault that lasts is met more seldom.
_TOO_LATE_PAUSE_S = 2.0
_FAULT_PAUSE_S = 5.0
_FAULT_PAUSE_AT_MOST_S = 60.0
# Before a wait of this length the mount stands still: following the stars for hours it would run into the ground.
_STAND_STILL_FROM_S = 15.0
_ASIDE_FOR = timedelta(minutes=10)
# So many malfunctions in a row, and the night is over.
_MALFUNCTIONS_AT_MOST = 3


class NightOver(Exception):
    """The devices failed too often in a row; the message says how."""


@dataclass(slots=True, kw_only=True)
class Turns:
    """Takes the plan's observations in turn and keeps the ledger true to what happened."""

    ledger: Ledger
    planning: Planning
    pace: Pace
    thinker: Worker
    observer: Observer
    keeper: Keeper
    observatory: Observatory
    clock: Clock
    telemetry: Telemetry
    night_count: tuple[int, int] = field(default=(0, 0), init=False)
    _news: anyio.Event = field(default_factory=anyio.Event, init=False)
    _under_way: tuple[str, anyio.CancelScope] | None = field(default=None, init=False)
    _faults: int = field(default=0, init=False)
    _malfunctions: int = field(default=0, init=False)
    _dropped: dict[str, str] = field(default_factory=dict, init=False)
    _faulty: str = field(default="", init=False)  # the task that met the last fault
    _full: bool = field(default=False, init=False)  # the disk, and it was said
    _refused_by: str = field(default="", init=False)  # the device that refused the last task
    _aside: dict[str, datetime] = field(default_factory=dict, init=False)  # until when

    def begin_night(self) -> None:
        """Count anew: (tasks captured, frames taken)."""
        self.night_count = (0, 0)
        self._faults = self._malfunctions = 0

    async def end_night(self) -> None:
        """Let go of what the night's end cut off, so that nobody waits for it until the next plan."""
        await self.ledger.miss_overdue(self._dropped)

    async def run(self, span: NightSpan) -> None:
        """Observe until cancelled.

        Raises:
            NightOver: the third malfunction in a row.
        """
        listening = self.telemetry.subscribe()
        try:
            await until_first(partial(self._listen, listening), partial(self._observe_for_ever, span))
        finally:
            listening.close()

    async def _listen(self, listening: Subscription) -> None:
        """New and changed tasks make a new plan; a task cancelled while the telescope is on it ends that at once."""
        async for event in listening:
            if isinstance(event, TaskAccepted | TaskChanged):
                self._ring()
            elif isinstance(event, TaskAdvanced) and event.to_state == TaskState.CANCELLED:
                self._ring()
                if self._under_way is not None and self._under_way[0] == event.task_id:
                    self._under_way[1].cancel()

    def _ring(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def _observe_for_ever(self, span: NightSpan) -> None:
        free_since: datetime | None = None  # when the last task was left; not where the telescope rested since
        while True:
            news = self._news  # what comes while the plan is made is not in it
            try:
                plan = await self._plan(span)
                turn = plan.observations[0] if plan.observations else None
                wait_s = _LOOK_AGAIN_S if turn is None else (turn.leave_at - self.clock.now()).total_seconds()
                if wait_s > _STAND_STILL_FROM_S:
                    await self.observatory.stand_still()
            except DeviceError as fault:
                free_since = None
                await self._quiet_for(await self._recover(fault), news)
                continue
            if wait_s > 0.0:
                free_since = None
            if self._aside and wait_s > _LOOK_AGAIN_S:
                await self._quiet_for(_LOOK_AGAIN_S, news)
                continue
            if await self._quiet_for(wait_s, news) and turn is not None:
                if free_since is not None:
                    self.pace.turnaround.note((self.clock.now() - free_since).total_seconds())
                pause_s = await self._take(turn)
                free_since = None if pause_s > 0.0 else self.clock.now()
                await self._pause(pause_s)

    async def _pause(self, pause_s: float) -> None:
        """Leave the telescope alone for a while, standing: tried again and again in vain it would follow the stars."""
        if pause_s > _STAND_STILL_FROM_S:
            try:
                await self.observatory.stand_still()
            except DeviceError as fault:
                self._say(fault)
        await self._quiet_for(pause_s, self._news)

    async def _quiet_for(self, wait_s: float, news: anyio.Event) -> bool:
        """Wait; False as soon as there is news."""
        with anyio.move_on_after(max(0.0, wait_s)):
            await news.wait()
        return not news.is_set()

    async def _plan(self, span: NightSpan) -> Plan:
        """A plan for what is left of the night, and the ledger in step with it."""
        await self.ledger.miss_overdue(self._dropped)
        tasks = await self.ledger.pending()
        standing = await self.observatory.standing()
        now = self.clock.now()
        self._aside = {task_id: until for task_id, until in self._aside.items() if until > now}
        requests = [task.request for task in tasks if task.task_id not in self._aside]
        given_up = ThreadEvent()  # a plan that takes long keeps nobody waiting who wants to close
        think = partial(self.planning.plan, night=span.dark, standing=standing, given_up=given_up.is_set)
        plan = await self.thinker.call_with_stop(given_up.set, think, requests, now)
        impossible = self.planning.impossible(requests)
        placed = {one.request.request_id for one in plan.observations}
        # Why it fell out of the plan, and not what is said of it later, when there is no time left.
        reasons = {dropped.request.request_id: dropped.reason for dropped in plan.dropped}
        self._dropped = {task_id: self._dropped.get(task_id, why) for task_id, why in reasons.items()}
        for task in tasks:
            await self._keep_in_step(task, placed, impossible)
        leave_at = plan.observations[0].leave_at if plan.observations else now
        made = PlanMade(at=now, placed=len(plan.observations), dropped=len(plan.dropped), leave_at=leave_at)
        self.telemetry.publish(made)
        return plan

    async def _keep_in_step(self, task: Task, placed: set[str], impossible: dict[str, str]) -> None:
        if task.task_id in impossible:
            await self._move(task.task_id, TaskState.FAILED, impossible[task.task_id])
        elif task.task_id in placed and task.state is TaskState.PENDING:
            await self._move(task.task_id, TaskState.PLANNED, "")
        elif task.task_id not in placed and task.state is TaskState.PLANNED:
            await self._move(task.task_id, TaskState.PENDING, self._dropped.get(task.task_id, ""))

    async def _take(self, turn: PlannedObservation) -> float:
        """One observation, and what its outcome means for its task; gives how long to wait before the next, in s."""
        task_id = turn.request.request_id
        try:
            await self.keeper.require_room()  # no slew for a frame that could not be kept
        except DiskFull as full:
            return self._wait_for_room(full)
        with anyio.CancelScope() as scope:
            self._under_way = task_id, scope
            try:
                if await self._move(task_id, TaskState.OBSERVING, ""):
                    return await self._observe(turn)
            except anyio.get_cancelled_exc_class():
                with anyio.CancelScope(shield=True):
                    await self._give_back(task_id, "broken off: no longer safe, or the night is over")
                raise
            finally:
                self._under_way = None
        return 0.0

    async def _observe(self, turn: PlannedObservation) -> float:
        task_id = turn.request.request_id
        try:
            frames = await self.observer.observe(turn)
        except (TooLate, NotNow) as later:
            await self._give_back(task_id, str(later))
            return _TOO_LATE_PAUSE_S if isinstance(later, TooLate) else _LOOK_AGAIN_S
        except Refused as no:
            if self._refused_by != no.device:
                self._refused_by = no.device
                await self._move(task_id, TaskState.FAILED, str(no))
            else:  # a second task in a row: it is the device, and not what was asked
                await self._give_back(task_id, str(no))
                self._put_aside(task_id)
                return await self._recover(no)
        except (ScheduleError, MotionRefused) as no:
            await self._move(task_id, TaskState.FAILED, str(no))
        except DiskFull as full:
            await self._give_back(task_id, str(full))
            return self._wait_for_room(full)
        except DeviceError as fault:
            await self._give_back(task_id, str(fault))
            self._let_others_go_first(task_id, fault)
            return await self._recover(fault)
        else:
            self._faults, self._malfunctions, self._faulty, self._refused_by = 0, 0, "", ""
            self._say_room("")
            self.night_count = self.night_count[0] + 1, self.night_count[1] + frames
            await self.keeper.finish(task_id)
        return 0.0

    def _wait_for_room(self, full: DiskFull) -> float:
        """What is delivered makes room, or a person does."""
        self._say_room(str(full))
        return _LOOK_AGAIN_S

    def _say_room(self, full: str) -> None:
        """Say it when the disk has become full, and when it is no longer."""
        if bool(full) != self._full:
            what = f"no frame is taken: {full}" if full else "there is room again, frames are taken"
            self.telemetry.publish(StationNote(at=self.clock.now(), what=what))
        self._full = bool(full)

    async def _give_back(self, task_id: str, why: str) -> None:
        """The task may be tried again, unless it was cancelled while the telescope was on it."""
        if (await self.ledger.task(task_id)).state is TaskState.OBSERVING:
            await self._move(task_id, TaskState.PENDING, why)

    def _let_others_go_first(self, task_id: str, fault: DeviceError) -> None:
        """A task that meets a fault twice in a row may be what brings it on: a place beyond a limit of the mount's own
        ends no night, and nobody waits behind it. A device that is not there is no task's doing.
        """
        if isinstance(fault, ConnectionLost):
            return
        if self._faulty == task_id:
            self._put_aside(task_id)
        self._faulty = task_id

    def _put_aside(self, task_id: str) -> None:
        self._aside[task_id] = self.clock.now() + _ASIDE_FOR

    async def _recover(self, fault: DeviceError) -> float:
        """Connect the device anew; gives how long to leave it alone then, in s.

        Raises:
            NightOver: the third malfunction in a row.
        """
        self._say(fault)
        if isinstance(fault, Malfunction):
            self._malfunctions += 1
            if self._malfunctions >= _MALFUNCTIONS_AT_MOST:
                raise NightOver(f"{self._malfunctions} malfunctions in a row, the last: {fault}")
        await self.observatory.reconnect(fault.device)
        self._faults += 1
        return min(_FAULT_PAUSE_AT_MOST_S, _FAULT_PAUSE_S * self._faults)

    def _say(self, fault: DeviceError) -> None:
        said = DeviceFault(at=self.clock.now(), device=fault.device, doing=fault.doing, what=fault.what)
        self.telemetry.publish(said)

    async def _move(self, task_id: str, to: TaskState, why: str) -> bool:
        """Move the task, unless it was cancelled a moment ago."""
        try:
            await self.ledger.advance(task_id, to, why=why)
        except IllegalMove as illegal:
            self.telemetry.publish(StationNote(at=self.clock.now(), what=str(illegal)))
            return False
        return True
