"""One observation after the other: what is asked, what comes in between, and what each outcome means for its task."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event as ThreadEvent
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

from bridge.errors import DiskFull
from bridge.events import (
    DeviceFault,
    DeviceRecovered,
    ExposureStarted,
    PlanMade,
    SlewStarted,
    StationNote,
    TaskAdvanced,
)
from bridge.observing.dark import NightSpan
from bridge.observing.planning import GivenUp
from bridge.observing.safety import Verdict
from bridge.observing.turns import NightOver
from bridge.storage.frames import FrameFolder
from bridge.storage.ledger import Ledger
from bridge.tasks import Task, TaskState
from drivers.errors import Malfunction
from drivers.protocols import Mount
from drivers.values import Equatorial
from schedules.ephemeris import Ephemeris
from schedules.requests import CollectShape
from simulators.faults import FaultKind
from tests.bridge.observing.stations import DUSK, Scope, a_request, a_scope, a_star, satellite, up_now

SPAN = NightSpan(
    opens_at=DUSK - timedelta(minutes=20),
    dark_from=DUSK - timedelta(minutes=5),
    dark_until=DUSK + timedelta(hours=6),
    closes_at=DUSK + timedelta(hours=6),
)
SOON = DUSK + timedelta(minutes=8)
ONE = {"frame_count": 1, "exposure_s": 1.0, "collect": CollectShape.LEAPFROG}
# A plan puts each where it fits best; what must be soon must end soon.
QUICK = {"closes": SOON, **ONE}
LATER = {"opens": DUSK + timedelta(hours=1), "closes": DUSK + timedelta(minutes=70), **ONE}


@asynccontextmanager
async def observing(tmp_path: Path, ephemeris: Ephemeris, *requests: Any) -> AsyncIterator[Scope]:
    """Under an open dome, with these tasks in the ledger; takes turns while the block lasts."""
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.file(*requests)
        async with anyio.create_task_group() as turning:
            turning.start_soon(scope.turns.run, SPAN)
            yield scope
            turning.cancel_scope.cancel()


async def until(scope: Scope, task_id: str, *states: TaskState, within_s: float = 900.0) -> Task:
    """Wait for the task to get there."""
    with anyio.fail_after(within_s):
        while (task := await scope.store.ledger.task(task_id)).state not in states:
            await anyio.sleep(0.2)
    return task


def moves(scope: Scope, task_id: str) -> list[str]:
    return [event.to_state for event in scope.said(TaskAdvanced) if event.task_id == task_id]


async def test_what_is_asked_is_planned_taken_and_captured(tmp_path: Path, ephemeris: Ephemeris) -> None:
    stars = [a_request(a_star(f"star {n}", ra_deg=300.0 - 4.0 * n), f"task-{n}", **QUICK) for n in (1, 2, 3)]
    async with observing(tmp_path, ephemeris, *stars) as scope:
        for n in (1, 2, 3):
            await until(scope, f"task-{n}", TaskState.DELIVERED, TaskState.CAPTURED)
            assert moves(scope, f"task-{n}")[:3] == ["planned", "observing", "captured"]
        assert scope.turns.night_count == (3, 3)


async def test_what_cannot_be_seen_fails_at_once_with_its_reason(tmp_path: Path, ephemeris: Ephemeris) -> None:
    south = a_request(a_star("Southern", ra_deg=330.0, dec_deg=-70.0), "south", **QUICK)
    by_day = a_request(a_star(), "by day", opens=DUSK - timedelta(hours=5), closes=DUSK - timedelta(hours=1), **ONE)
    async with observing(tmp_path, ephemeris, south, by_day, a_request(a_star(), "fine", **QUICK)) as scope:
        failed = await until(scope, "south", TaskState.FAILED, within_s=30.0)
        assert "never above 20" in failed.reason
        missed = await until(scope, "by day", TaskState.FAILED, TaskState.MISSED, within_s=30.0)
        assert missed.reason
        await until(scope, "fine", TaskState.CAPTURED, TaskState.DELIVERED)


async def test_a_task_that_comes_while_the_telescope_waits_is_taken_first(tmp_path: Path, ephemeris: Ephemeris) -> None:
    far_off = a_request(a_star("later"), "later", **LATER)
    async with observing(tmp_path, ephemeris, far_off) as scope:
        await until(scope, "later", TaskState.PLANNED)
        await anyio.sleep(300.0)
        asked = scope.clock.now()
        await scope.file(a_request(a_star("now", ra_deg=290.0), "now", **QUICK))
        await until(scope, "now", TaskState.CAPTURED, TaskState.DELIVERED)
        assert scope.clock.now() - asked < timedelta(minutes=1)


def thinking_for_two_seconds(scope: Scope) -> None:
    """As on a small computer: by the time a plan is there, the time to leave for the first task is over."""
    plan = scope.turns.planning.plan

    def think(requests: Any, now: datetime, **more: Any) -> Any:
        return plan(requests, now - timedelta(seconds=2.0), **more)

    scope.turns.planning.plan = think  # type: ignore[method-assign]


async def test_time_under_a_closed_roof_is_none_that_the_telescope_takes_from_one_task_to_the_next(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """The plan reckons with the usual time: nights broken off again and again would be waited away."""
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        thinking_for_two_seconds(scope)
        for n in range(4):
            soon = scope.clock.now() + timedelta(minutes=8)
            await scope.file(a_request(a_star(ra_deg=270.0), f"task-{n}", **{**ONE, "closes": soon}))
            async with anyio.create_task_group() as turning:
                turning.start_soon(scope.turns.run, SPAN)
                await until(scope, f"task-{n}", TaskState.OBSERVING)
                turning.cancel_scope.cancel()
            await anyio.sleep(600.0)
        assert scope.turns.pace.turnaround.largest_s < 10.0


async def test_time_spent_waiting_for_a_task_is_none_that_the_telescope_takes_to_the_next(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    far_off = a_request(a_star("later"), "later", **LATER)
    async with observing(tmp_path, ephemeris, a_request(a_star(), "first", **QUICK), far_off) as scope:
        thinking_for_two_seconds(scope)
        await until(scope, "first", TaskState.CAPTURED, TaskState.DELIVERED)
        await anyio.sleep(240.0)
        await scope.file(a_request(a_star("now", ra_deg=270.0), "now", **QUICK))
        await until(scope, "now", TaskState.CAPTURED, TaskState.DELIVERED)
        assert scope.turns.pace.turnaround.largest_s < 10.0


async def test_a_task_that_comes_while_the_plan_is_being_made_is_not_overlooked(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    far_off = a_request(a_star("later"), "later", **LATER)
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.file(far_off)
        plan, thinking = scope.turns.planning.plan, ThreadEvent()

        def think_slowly(*asked: Any, **more: Any) -> Any:
            thinking.set()
            time.sleep(0.3)
            return plan(*asked, **more)

        scope.turns.planning.plan = think_slowly  # type: ignore[method-assign]
        async with anyio.create_task_group() as turning:
            turning.start_soon(scope.turns.run, SPAN)
            while not thinking.is_set():
                await anyio.sleep(0.001)
            await scope.file(a_request(a_star("now", ra_deg=290.0), "now", **QUICK))
            await until(scope, "now", TaskState.CAPTURED, TaskState.DELIVERED, within_s=180.0)
            turning.cancel_scope.cancel()


async def test_who_wants_to_close_does_not_wait_for_a_plan_that_takes_long(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        thinking, ended = ThreadEvent(), ThreadEvent()

        def think_for_minutes(*_: Any, given_up: Callable[[], bool], **more: Any) -> Any:
            thinking.set()
            while not given_up():
                time.sleep(0.001)
            ended.set()
            raise GivenUp

        scope.turns.planning.plan = think_for_minutes  # type: ignore[method-assign]
        async with anyio.create_task_group() as turning:
            turning.start_soon(scope.turns.run, SPAN)
            while not thinking.is_set():
                await anyio.lowlevel.checkpoint()  # bent time stands still while a thread works
            turning.cancel_scope.cancel()
        assert ended.is_set()


async def test_what_lost_its_place_keeps_the_reason_when_its_window_is_over(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """Two at the same time far apart: the telescope can be at one of them."""
    when = {"opens": DUSK + timedelta(minutes=5), "closes": DUSK + timedelta(minutes=5, seconds=20), **ONE}
    winner = a_request(a_star("Winner", ra_deg=310.0), "winner", priority=9.0, **when)
    loser = a_request(a_star("Loser", ra_deg=350.0), "loser", priority=1.0, **when)
    async with observing(tmp_path, ephemeris, winner, loser) as scope:
        missed = await until(scope, "loser", TaskState.MISSED)
        assert missed.reason.startswith("its window is over; loses to Winner (winner) by")
        assert missed.attempts == 0
        await until(scope, "winner", TaskState.CAPTURED, TaskState.DELIVERED)


async def test_a_task_cancelled_while_the_telescope_is_on_it_ends_at_once_and_stays_cancelled(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    long = a_request(a_star("long"), "long", **(QUICK | {"exposure_s": 200.0, "frame_count": 2}))
    after = a_request(a_star("after", ra_deg=290.0), "after", priority=1.0, **QUICK)
    async with observing(tmp_path, ephemeris, long, after) as scope:
        await until(scope, "long", TaskState.OBSERVING)
        while not scope.said(ExposureStarted):
            await anyio.sleep(0.5)
        await scope.store.ledger.advance("long", TaskState.CANCELLED, why="withdrawn")
        cancelled = scope.clock.now()
        await until(scope, "after", TaskState.CAPTURED, TaskState.DELIVERED)
        aborted = next(shot for shot in scope.said(ExposureStarted) if shot.task_id == "after")
        assert aborted.at > cancelled
        assert moves(scope, "long") == ["planned", "observing", "cancelled"]
        assert not scope.simulated.cameras[0].shots or scope.simulated.cameras[0].shots[0].exposure_s == 1.0
        assert await scope.store.frames.reserved() == []


async def test_broken_off_a_task_waits_for_another_try(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with observing(tmp_path, ephemeris, a_request(a_star(), **(QUICK | {"exposure_s": 200.0}))) as scope:
        while not scope.said(ExposureStarted):
            await anyio.sleep(0.5)
    tasks = scope.said(TaskAdvanced)
    assert (tasks[-1].to_state, tasks[-1].why) == ("pending", "broken off: no longer safe, or the night is over")


async def test_under_a_dome_that_somebody_closed_the_mount_does_not_follow_the_stars_into_the_ground(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """Each turn is refused by the gate, and there is always another."""
    first = a_request(a_star("first"), "first", **(QUICK | {"exposure_s": 30.0}))
    then = a_request(a_star("then", ra_deg=296.0), "then", **(QUICK | {"closes": DUSK + timedelta(hours=2)}))
    async with observing(tmp_path, ephemeris, first, then) as scope:
        while not scope.said(ExposureStarted):
            await anyio.sleep(0.5)
        assert scope.simulated.dome is not None
        scope.simulated.dome.move_shutter(opening=False)
        await until(scope, "then", TaskState.OBSERVING)
        await anyio.sleep(30.0)
        assert not scope.simulated.mount.tracking
        scope.simulated.dome.move_shutter(opening=True)
        await until(scope, "then", TaskState.CAPTURED, TaskState.DELIVERED)


async def test_a_device_that_refuses_everything_for_a_while_does_not_fail_every_task_there_is(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    hours = {"closes": DUSK + timedelta(hours=2), **ONE}
    requests = [a_request(a_star(f"star {n}", ra_deg=300.0 - 3.0 * n), f"task-{n}", **hours) for n in range(6)]
    async with observing(tmp_path, ephemeris, *requests) as scope:
        scope.goes_wrong(FaultKind.REFUSE, "camera", "expose", for_s=900.0)
        with anyio.fail_after(3600.0):
            while await scope.store.ledger.pending() or "observing" in (await scope.states()).values():
                await anyio.sleep(10.0)
        states = list((await scope.states()).values())
        assert states.count("failed") == 1
        assert states.count("captured") == 5


class LimitedMount:
    """A mount with a limit of its own, of which nobody knows: it says so with an error of its driver's."""

    def __init__(self, mount: Mount) -> None:
        self._mount = mount

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mount, name)

    async def slew(self, to: Equatorial) -> None:
        if to.dec_deg > 60.0:
            raise Malfunction(self._mount.name, "slew", "beyond the limit that is set (Alpaca error 0x500)")
        await self._mount.slew(to)


async def test_one_task_that_brings_on_a_fault_each_time_neither_ends_the_night_nor_keeps_others_waiting(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """The most important of all, for hours: it is tried again from time to time."""
    hours = {"closes": DUSK + timedelta(hours=2), "frame_count": 1}
    beyond = a_request(a_star("beyond", dec_deg=65.0), "beyond", priority=9.0, **hours)
    others = [a_request(a_star(f"star {n}", ra_deg=300.0 - 4.0 * n), f"task-{n}", **hours) for n in (1, 2)]
    async with a_scope(tmp_path, ephemeris=ephemeris, driver=lambda mount: cast("Mount", LimitedMount(mount))) as scope:
        await scope.file(beyond, *others)
        async with anyio.create_task_group() as turning:
            turning.start_soon(scope.turns.run, SPAN)
            for n in (1, 2):
                await until(scope, f"task-{n}", TaskState.CAPTURED, TaskState.DELIVERED)
            assert (await scope.store.ledger.task("beyond")).state is TaskState.PENDING
            assert len([fault for fault in scope.said(DeviceFault) if "beyond" in fault.what]) == 2
            turning.cancel_scope.cancel()


class CutOff:
    """A ledger during whose every move to OBSERVING the night is called off."""

    def __init__(self, ledger: Ledger, night: anyio.CancelScope) -> None:
        self._ledger = ledger
        self._night = night

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def advance(self, task_id: str, to: TaskState, *, why: str = "") -> Task:
        task = await self._ledger.advance(task_id, to, why=why)
        if to is TaskState.OBSERVING:
            self._night.cancel()
            await anyio.lowlevel.checkpoint()
        return task


async def test_broken_off_in_the_very_moment_it_begins_a_task_is_not_stuck(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.file(a_request(a_star(), **QUICK))
        with anyio.CancelScope() as night:
            scope.turns.ledger = CutOff(scope.store.ledger, night)  # type: ignore[assignment]
            await scope.turns.run(SPAN)
        assert night.cancelled_caught
        assert await scope.states() == {"task-1": "pending"}


async def test_a_moment_of_danger_costs_no_task(tmp_path: Path, ephemeris: Ephemeris) -> None:
    """The gate says no at the slew before the night is broken off: that is not the target's fault."""
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.file(a_request(a_star(), **QUICK))
        calm, danger_ends = scope.gate.verdict, scope.after(40.0)

        def verdict() -> Verdict:
            said = calm()
            return said if said.at >= danger_ends else replace(said, reasons=("a gust",))

        scope.gate.verdict = verdict
        async with anyio.create_task_group() as turning:
            turning.start_soon(scope.turns.run, SPAN)
            task = await until(scope, "task-1", TaskState.CAPTURED, TaskState.DELIVERED)
            turning.cancel_scope.cancel()
        assert task.attempts == 2
        assert "unsafe, because a gust" in next(e.why for e in scope.said(TaskAdvanced) if e.to_state == "pending")


async def test_a_mount_parked_by_hand_fails_no_task(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.file(*(a_request(a_star(ra_deg=300.0 - n), f"task-{n}", **QUICK) for n in range(5)))
        scope.simulated.mount.park()
        await anyio.sleep(60.0)
        async with anyio.create_task_group() as turning:
            turning.start_soon(scope.turns.run, SPAN)
            await anyio.sleep(300.0)
            assert set((await scope.states()).values()) <= {"pending", "planned"}
            assert not scope.said(SlewStarted)
            assert len(scope.said(PlanMade)) < 20
            scope.simulated.mount.unpark()
            await until(scope, "task-0", TaskState.CAPTURED, TaskState.DELIVERED)
            turning.cancel_scope.cancel()


async def test_what_a_device_refuses_fails_with_its_words(tmp_path: Path, ephemeris: Ephemeris) -> None:
    odd = a_request(a_star(), "odd", filter_name="Sloan z'", **QUICK)
    async with observing(tmp_path, ephemeris, odd) as scope:
        failed = await until(scope, "odd", TaskState.FAILED)
        assert "select filter" in failed.reason


async def test_a_line_that_was_cut_is_connected_anew_and_the_task_tried_again(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with observing(tmp_path, ephemeris, a_request(a_star(), **QUICK)) as scope:
        scope.goes_wrong(FaultKind.DROP, "camera", "setup", for_s=60.0)
        task = await until(scope, "task-1", TaskState.CAPTURED, TaskState.DELIVERED)
        assert task.attempts > 1
        assert scope.connections["simulated camera"] > 1
        assert any(event.device == "camera" for event in scope.said(DeviceRecovered))


async def test_a_mount_away_for_minutes_costs_minutes_and_is_asked_at_a_human_pace(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with observing(tmp_path, ephemeris, a_request(a_star(), **QUICK)) as scope:
        scope.goes_wrong(FaultKind.DROP, "mount", for_s=180.0)
        await until(scope, "task-1", TaskState.CAPTURED, TaskState.DELIVERED)
        faults = scope.said(DeviceFault)
        assert 2 <= len(faults) <= 20
        assert scope.clock.now() - DUSK > timedelta(seconds=180.0)


async def test_three_malfunctions_in_a_row_end_the_night(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.file(*(a_request(a_star(ra_deg=300.0 - n), f"task-{n}", **QUICK) for n in range(5)))
        scope.goes_wrong(FaultKind.LIE, "mount", off_dec_deg=3.0)
        with pytest.raises(NightOver, match="3 malfunctions in a row, the last: simulated mount"):
            await scope.turns.run(SPAN)
        assert set((await scope.states()).values()) <= {"pending", "planned"}, "none of them is to blame"


async def test_malfunctions_with_a_success_between_them_do_not(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with observing(
        tmp_path, ephemeris, *(a_request(a_star(ra_deg=300.0 - n), f"task-{n}", **QUICK) for n in range(4))
    ) as scope:
        for n in range(2):
            while len(scope.said(DeviceFault)) < 2 * (n + 1):
                scope.is_well_again()
                scope.goes_wrong(FaultKind.LIE, "mount", off_dec_deg=3.0)
                await anyio.sleep(1.0)
            scope.is_well_again()
            done = scope.turns.night_count[0]
            with anyio.fail_after(600.0):
                while scope.turns.night_count[0] == done:
                    await anyio.sleep(1.0)
        assert len(scope.said(DeviceFault)) == 4


async def test_a_window_that_is_given_up_is_not_tried_a_thousand_times(tmp_path: Path, ephemeris: Ephemeris) -> None:
    """A mount far slower than it is said to be, and a window only just long enough for what is said."""
    soon = DUSK + timedelta(seconds=90)
    short = a_request(a_star("short"), **(ONE | {"opens": soon, "closes": soon + timedelta(seconds=8)}))
    async with observing(tmp_path, ephemeris, short) as scope:
        scope.simulated.mount.settle_s = 60.0
        missed = await until(scope, "task-1", TaskState.MISSED)
        assert missed.attempts < 12
        assert missed.reason.startswith("its window is over; ")


async def test_a_full_disk_is_said_and_waited_for(
    tmp_path: Path, ephemeris: Ephemeris, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True
    reserve = FrameFolder.reserve

    async def no_room(self: FrameFolder, file_name: str, pixel_count: int) -> None:
        if full:
            raise DiskFull("0.10 GB free: make room")
        await reserve(self, file_name, pixel_count)

    monkeypatch.setattr(FrameFolder, "reserve", no_room)
    async with observing(tmp_path, ephemeris, a_request(a_star(), **QUICK)) as scope:
        await anyio.sleep(200.0)
        assert len(scope.said(TaskAdvanced)) >= 4  # tried again all the while
        assert [note.what for note in scope.said(StationNote)] == ["no frame is taken: 0.10 GB free: make room"]
        full = False
        await until(scope, "task-1", TaskState.CAPTURED, TaskState.DELIVERED)
    assert scope.said(StationNote)[-1].what == "there is room again, frames are taken"


async def test_before_a_long_wait_the_mount_stands_still(tmp_path: Path, ephemeris: Ephemeris) -> None:
    """Following the stars for an hour it would run down to the horizon, or into its own pier."""
    soon = a_request(a_star("soon"), "soon", **QUICK)
    later = a_request(a_star("later", ra_deg=320.0), "later", **LATER)
    async with observing(tmp_path, ephemeris, soon, later) as scope:
        await until(scope, "soon", TaskState.CAPTURED, TaskState.DELIVERED)
        await anyio.sleep(60.0)
        assert not scope.simulated.mount.tracking
        stood = (await scope.observatory.standing()).altitude_deg
        await anyio.sleep(2400.0)
        assert (await scope.observatory.standing()).altitude_deg == pytest.approx(stood, abs=0.01)
        await until(scope, "later", TaskState.CAPTURED, TaskState.DELIVERED, within_s=1800.0)


async def test_with_nothing_to_do_the_plan_is_looked_at_once_a_minute(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with observing(tmp_path, ephemeris) as scope:
        await anyio.sleep(600.0)
        assert 9 <= len(scope.said(PlanMade)) <= 12


async def test_fast_and_slow_targets_mix_in_one_night(tmp_path: Path, ephemeris: Ephemeris) -> None:
    satellites = [
        a_request(satellite(index), kind, priority=9.0 if kind == "LEO" else 1.0, closes=SOON)
        for kind in ("LEO", "MEO", "GEO")
        for index in up_now(kind, DUSK + timedelta(seconds=90))
    ]
    async with observing(tmp_path, ephemeris, *satellites) as scope:
        for request in satellites:
            await until(scope, request.request_id, TaskState.CAPTURED, TaskState.DELIVERED)
        assert scope.turns.night_count == (3, 9)


async def test_the_count_begins_anew_each_night(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with observing(tmp_path, ephemeris, a_request(a_star(), **QUICK)) as scope:
        await until(scope, "task-1", TaskState.CAPTURED, TaskState.DELIVERED)
    assert scope.turns.night_count == (1, 1)
    scope.turns.begin_night()
    assert scope.turns.night_count == (0, 0)
