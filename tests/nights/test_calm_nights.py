"""Nights on which nothing goes wrong."""

from typing import Any

from bridge.events import DeviceFault, FrameKept, FrameProcessed, MountParked, RoofClosed, RoofOpened
from bridge.tasks import TaskState
from drivers.values import ShutterState
from simulators.api.records import TaskStatus


async def test_a_calm_night_delivers_every_frame_once_and_ends_put_away(night: Any) -> None:
    assert await night.run() == 0
    states = [task.state for task in night.final]
    assert states.count(TaskState.DELIVERED) >= 6
    assert night.statuses[TaskStatus.SUCCEEDED] == states.count(TaskState.DELIVERED)
    kept, processed = night.said(FrameKept), night.said(FrameProcessed)
    assert len(kept) >= 18
    assert sorted(event.frame_id for event in kept) == sorted(event.frame_id for event in processed)
    assert {event.status for event in processed} == {"COMPLETED"}
    assert not night.said(DeviceFault)
    assert len(night.said(RoofOpened)) == len(night.said(RoofClosed)) == len(night.said(MountParked)) == 1
    assert night.observatory.mount.parked
    assert night.observatory.dome.shutter is ShutterState.CLOSED
