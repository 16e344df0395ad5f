"""Nights on which something goes wrong, and what it costs: a window, never the night."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio

from bridge.clock import LoopClock
from bridge.events import (
    ApiAway,
    ApiBack,
    DeviceFault,
    ExposureStarted,
    FrameKept,
    FrameProcessed,
    NightEnded,
    RoofClosed,
    RoofOpened,
    SafetyChanged,
    SlewStarted,
    TaskAdvanced,
    Telemetry,
)
from bridge.storage.store import open_store
from bridge.tasks import TaskSource, TaskState
from drivers.values import ShutterState
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Star
from simulators.api.records import TaskStatus
from simulators.api.switches import Switches
from simulators.faults import FaultKind
from tests.nights.conftest import DUSK


def put_away(night: Any) -> bool:
    return night.observatory.mount.parked and night.observatory.dome.shutter is ShutterState.CLOSED


async def test_clouds_close_the_dome_and_a_clear_sky_opens_it_after_the_hold(night: Any) -> None:
    night.weather(safe=False, after_min=20.0)
    night.weather(safe=True, after_min=30.0)
    assert await night.run() == 0
    assert len(night.said(RoofOpened)) == len(night.said(RoofClosed)) == 2
    unsafe, safe = (event.at for event in night.said(SafetyChanged)[-2:])
    closed, opened = night.said(RoofClosed)[0].at, night.said(RoofOpened)[1].at
    assert closed - unsafe < timedelta(minutes=3)
    assert opened - safe >= timedelta(minutes=10)
    assert not [slew for slew in night.said(SlewStarted) if closed <= slew.at <= opened]
    assert put_away(night)


async def test_a_roof_waits_in_the_rain_for_a_mount_that_does_not_park(night: Any) -> None:
    night.settings["dome"] = {"only_over_parked": True}
    night.goes_wrong(FaultKind.STUCK, "mount", "park", after_min=5.0, for_min=40.0)
    night.weather(safe=False, after_min=20.0)
    assert await night.run() == 0
    (closed,) = night.said(RoofClosed)
    parks_again = DUSK + timedelta(minutes=45)
    assert timedelta() <= closed.at - parks_again < timedelta(minutes=5), "not before, and then without anyone's help"
    told = [event for event in night.said(DeviceFault) if "would strike the telescope" in event.what]
    assert len(told) >= 3, "again and again"
    assert put_away(night)


async def test_a_safety_monitor_that_falls_silent_closes_the_dome(night: Any) -> None:
    night.hang("safety_monitor", "*", after_min=20.0, for_min=15.0)
    assert await night.run() == 0
    closed = night.said(RoofClosed)[0].at
    assert not [slew for slew in night.said(SlewStarted) if closed <= slew.at < closed + timedelta(minutes=10)]
    assert any("safety monitor" in event.why for event in night.said(SafetyChanged))
    assert len(night.said(RoofOpened)) == 2
    assert put_away(night)


async def test_a_hung_mount_costs_windows_and_not_the_night(night: Any) -> None:
    night.hang("mount", "slew", after_min=15.0, for_min=8.0)
    assert await night.run() == 0
    states = [task.state for task in night.final]
    assert states.count(TaskState.DELIVERED) >= 3
    assert night.said(DeviceFault)
    assert put_away(night)


async def test_a_mount_that_lies_about_its_position_ends_the_night_after_three_times(night: Any) -> None:
    night.lie(off_dec_deg=3.0, after_min=5.0, for_min=50.0)
    assert await night.run() == 1
    faults = [event for event in night.said(DeviceFault) if "away" in event.what]
    assert len(faults) == 3
    assert put_away(night)


async def test_a_camera_that_refuses_fails_one_task_with_its_words_and_the_night_goes_on(night: Any) -> None:
    night.refuse("camera", "expose", after_min=0.0, for_min=15.0)
    assert await night.run() == 0
    failed = [task for task in night.final if task.state is TaskState.FAILED]
    assert len(failed) == 1, "of those after it the camera is to blame: they are tried again"
    in_vain = [task for task in night.final if task.state is TaskState.MISSED and task.attempts > 0]
    assert all(task.reason for task in failed + in_vain)
    assert night.statuses[TaskStatus.FAILED] == len(failed + in_vain)
    assert any(task.state is TaskState.DELIVERED for task in night.final)


async def test_two_hours_of_the_night_without_the_platform_cost_nothing_but_time(night: Any) -> None:
    """Everything that talks to it is at work: tasks, heartbeat, elements, weather, frames and reports."""
    night.hours, night.task_count, night.api_away = 2.4, 20, (10.0, 130.0)
    assert await night.run() == 0
    assert len(night.said(ApiAway)) == len(night.said(ApiBack)) == 1
    away, back = night.said(ApiAway)[0].at, night.said(ApiBack)[0].at
    during = [event for event in night.said(FrameKept) if away < event.at < back]
    assert len(during) >= 20, "observing goes on"
    assert 60 <= night.line.refused <= 240
    returned = DUSK + timedelta(minutes=130)
    assert min(at for at in night.line.answered_at if at >= returned) - returned <= timedelta(seconds=60)
    kept, done = night.said(FrameKept), night.said(FrameProcessed)
    assert sorted(event.frame_id for event in kept) == sorted(event.frame_id for event in done)
    landed = [upload.filename for upload in night.platform.uploads.values() if upload.stored is not None]
    assert sorted(landed) == sorted(event.file_name for event in kept), "each of them once"
    over = {TaskState.DELIVERED, TaskState.MISSED, TaskState.FAILED}
    assert {task.state for task in night.final} <= over, "and every task is told of"


async def test_a_task_cancelled_while_the_telescope_is_on_it_is_left_at_once(night: Any) -> None:
    cancelled: list[Any] = []

    async def cancel(night: Any) -> None:
        while not night.said(ExposureStarted):
            await anyio.sleep(0.5)
        task_id = night.said(ExposureStarted)[0].task_id
        task = next(one for one in night.platform.tasks.values() if str(one.id) == task_id)
        night.platform.tasks[task.id] = replace(task, status=TaskStatus.CANCELED)
        cancelled.append(task_id)

    night.settings["api"] = {"poll_s": 5.0}
    night.settings["exposure"] = {"frame_count": 40, "exposure_s": 2.0}
    night.hours, night.task_count = 0.4, 2
    night.meanwhile.append(cancel)
    assert await night.run() == 0
    task = next(task for task in night.final if task.task_id == cancelled[0])
    assert task.state is TaskState.CANCELLED
    exposures = [event for event in night.said(ExposureStarted) if event.task_id == cancelled[0]]
    assert len(exposures) < 40
    assert put_away(night)


async def test_a_programme_killed_in_the_night_takes_up_what_it_left(night: Any) -> None:
    await night.run(until_min=25.0)
    kept_before = [event.frame_id for event in night.said(FrameKept)]
    assert kept_before
    night.events.clear()
    assert await night.run() == 0
    done = [event.frame_id for event in night.said(FrameProcessed)]
    assert len(done) == len(set(done))
    uploads = [upload.filename for upload in night.platform.uploads.values()]
    assert len(uploads) == len(set(uploads))
    assert put_away(night)


async def test_the_sun_above_the_limit_keeps_the_dome_closed(night: Any) -> None:
    night.settings["night"] = {"open_sun_altitude_deg": -80.0, "observe_sun_altitude_deg": -85.0}
    assert await night.run() == 0
    assert not night.said(RoofOpened)
    assert not night.said(SlewStarted)
    assert not night.said(NightEnded)


async def test_tasks_whose_windows_go_by_under_a_closed_dome_are_let_go_before_dawn(night: Any) -> None:
    night.weather(safe=False, after_min=0.0)
    night.hours = 1.5
    assert await night.run() == 0
    assert not night.said(SlewStarted)
    closes = {task.task_id: task.request.closes for task in night.final}
    missed = {event.task_id: event.at for event in night.said(TaskAdvanced) if event.to_state == TaskState.MISSED}
    early = [task_id for task_id, at in closes.items() if at < DUSK + timedelta(hours=1)]
    assert len(early) >= 3
    for task_id in early:
        assert timedelta(minutes=15) <= missed[task_id] - closes[task_id] <= timedelta(minutes=26)


async def test_what_never_rises_and_what_is_up_by_day_are_not_attempted(night: Any) -> None:
    """One of each comes in the midst of the night; the first is told of, the second is left for whoever can do it."""
    ours: set[UUID] = set()

    async def add_two(during: Any) -> None:
        ours.update(during.platform.tasks)
        for says in ("night", "day"):
            await anyio.sleep(300.0)
            fault = {"kind": "hopeless", "path": "/telescopes/*/tasks", "says": says}
            during.platform.turn(Switches.model_validate({"faults": [fault]}))
            await anyio.sleep(20.0)
            during.platform.turn(Switches())

    night.meanwhile.append(add_two)
    night.hours, night.task_count = 0.4, 2
    assert await night.run() == 0
    hopeless = {str(task_id) for task_id in set(night.platform.tasks) - ours}
    assert len(hopeless) >= 2
    assert not [event for event in night.said(ExposureStarted) if event.task_id in hopeless]
    outcome = {task.state: task for task in night.final if task.task_id in hopeless}
    assert set(outcome) == {TaskState.FAILED, TaskState.PENDING}
    assert outcome[TaskState.FAILED].reason.startswith("never above 20°")
    assert outcome[TaskState.PENDING].request.opens > DUSK + timedelta(hours=10)
    held = {task.status for task_id, task in night.platform.tasks.items() if str(task_id) in hopeless}
    assert held == {TaskStatus.FAILED, TaskStatus.PENDING}


async def test_a_task_whose_window_went_by_while_nobody_was_there_is_let_go_at_the_start(night: Any) -> None:
    request = ObservationRequest(
        request_id="of yesterday",
        target=Star(name="Vega", icrs=ICRS(ra_deg=279.2, dec_deg=38.8)),
        opens=DUSK - timedelta(hours=20),
        closes=DUSK - timedelta(minutes=7),
        priority=5.0,
        filter_name="Clear",
        exposure_s=1.0,
        frame_count=1,
        binning=1,
        collect=CollectShape.AUTO,
    )
    yesterday = LoopClock(DUSK - timedelta(hours=21))
    async with open_store(night.folder / "ledger.sqlite", clock=yesterday, telemetry=Telemetry()) as store:
        await store.ledger.file_tasks([request], source=TaskSource.API)
    await night.run(until_min=1.0)
    (missed,) = [event for event in night.said(TaskAdvanced) if event.task_id == request.request_id]
    assert (missed.to_state, missed.why) == (TaskState.MISSED, "its window is over")
    assert missed.at < DUSK - timedelta(minutes=5)


async def test_a_programme_that_died_in_bad_weather_waits_for_the_hold_when_it_is_started_anew(night: Any) -> None:
    """One safe word after a crash in the rain is not ten minutes of safe words."""
    night.weather(safe=False, after_min=10.0)
    await night.run(until_min=20.0)
    night.events.clear()
    night.meanwhile.clear()
    assert await night.run() == 0
    (opened, *_), (safe, *_) = night.said(RoofOpened), night.said(SafetyChanged)
    assert safe.safe
    assert opened.at - safe.at >= timedelta(minutes=10)
