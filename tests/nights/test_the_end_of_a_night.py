"""What a night leaves behind when it is over."""

from typing import Any

from bridge.tasks import TaskState
from simulators.api.records import TaskStatus


async def test_after_a_night_of_clouds_nothing_waits_any_more(night: Any) -> None:
    """Who waits for a task of that night is told at dawn, not with the first plan of the next night."""
    night.weather(safe=False, after_min=0.0)
    assert await night.run() == 0
    assert {task.state for task in night.final} == {TaskState.MISSED}
    assert {task.reason for task in night.final} == {"its window is over"}
    assert set(night.statuses) == {TaskStatus.PENDING}
