"""What a night leaves behind when it is over."""

from datetime import timedelta
from typing import Any

import anyio

from bridge.events import StationNote
from bridge.tasks import TaskState
from simulators.api.records import TaskStatus
from tests.nights.conftest import DUSK


async def test_after_a_night_of_clouds_nothing_waits_any_more(night: Any) -> None:
    """Who waits for a task of that night is told at dawn, not with the first plan of the next night."""
    night.weather(safe=False, after_min=0.0)
    assert await night.run() == 0
    assert {task.state for task in night.final} == {TaskState.MISSED}
    assert {task.reason for task in night.final} == {"its window is over"}
    assert set(night.statuses) == {TaskStatus.PENDING}


async def test_with_the_dome_left_open_it_does_not_wait_for_the_platform_before_it_is_started_anew(night: Any) -> None:
    night.refuse("dome", "close", after_min=0.0, for_min=600.0)
    night.api_away = (15.0, 10_000.0)
    night.hours, night.task_count = 0.5, 4
    assert await night.run() == 1
    assert night.clock.now() < DUSK + timedelta(hours=0.5, minutes=5.0)


async def test_told_to_stop_before_the_mount_could_be_reached_it_does_not_end_as_if_all_were_well(night: Any) -> None:
    async def stop(night: Any) -> None:
        await anyio.sleep(100.0)
        night.stop.say()

    night.drop("mount", "*", after_min=-10.0, for_min=600.0)
    night.meanwhile.append(stop)
    assert await night.run() == 1
    assert [note for note in night.said(StationNote) if "look at how the telescope stands" in note.what]
