"""Tasks: which are listed, who may close them, and that what is final stays so."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from simulators.api.records import TaskStatus

from .conftest import EVENING, Client, Ridge

FINAL = [TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.CANCELED]


async def _listed(client: Client, ridge: Ridge, **query: Any) -> list[str]:
    answer = await client.get(f"/telescopes/{ridge.telescope_id}/tasks", params=query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()]


async def test_without_filters_the_whole_history_comes_back(observer: Client, ridge: Ridge) -> None:
    tasks = [ridge.add_task(status=status) for status in TaskStatus]
    ridge.add_task(telescope_id=ridge.strangers_telescope_id)
    assert await _listed(observer, ridge) == [str(task.id) for task in tasks]


async def test_statuses_are_asked_for_by_repeating_the_key(observer: Client, ridge: Ridge) -> None:
    by_status = {status: str(ridge.add_task(status=status).id) for status in TaskStatus}
    open_ones = await _listed(observer, ridge, statuses=["Pending", "Scheduled"])
    assert open_ones == [by_status[TaskStatus.PENDING], by_status[TaskStatus.SCHEDULED]]
    assert await _listed(observer, ridge, statuses="Canceled") == [by_status[TaskStatus.CANCELED]]


@pytest.mark.parametrize("wrong", ["pending", "Cancelled", "Pending,Scheduled", ""])
async def test_a_status_that_does_not_exist_is_refused(observer: Client, ridge: Ridge, wrong: str) -> None:
    answer = await observer.get(f"/telescopes/{ridge.telescope_id}/tasks", params={"statuses": ["Pending", wrong]})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "statuses", 1]


@pytest.mark.parametrize(("edge", "side"), list(product(("start", "stop"), ("after", "before"))))
async def test_date_filters_are_strict(observer: Client, ridge: Ridge, edge: str, side: str) -> None:
    task = ridge.add_task()
    at = task.opens if edge == "start" else task.closes
    second = timedelta(seconds=1 if side == "before" else -1)
    name = f"task_{edge}_{side}"
    assert await _listed(observer, ridge, **{name: at.isoformat()}) == []
    assert await _listed(observer, ridge, **{name: (at + second).isoformat()}) == [str(task.id)]


@pytest.mark.parametrize("text", ["2026-04-21T03:12:29Z", "2026-04-21T03:12:29", "2026-04-20T21:12:29.000-06:00"])
async def test_an_instant_without_an_offset_is_utc(observer: Client, ridge: Ridge, text: str) -> None:
    task = ridge.add_task()
    assert await _listed(observer, ridge, task_start_after=text) == [str(task.id)]


async def test_a_plus_that_was_not_escaped_is_no_instant(observer: Client, ridge: Ridge) -> None:
    answer = await observer.get(f"/telescopes/{ridge.telescope_id}/tasks?task_stop_after=2026-04-21T03:00:00+00:00")
    assert answer.status_code == 422


async def test_names_that_the_query_does_not_know_filter_nothing(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    assert await _listed(observer, ridge, taskStartAfter="2030-01-01T00:00:00Z") == [str(task.id)]


async def test_a_satellite_lists_its_tasks_of_all_telescopes(observer: Client, ridge: Ridge) -> None:
    ours, theirs = ridge.add_task(), ridge.add_task(telescope_id=ridge.strangers_telescope_id)
    answer = await observer.get(f"/satellites/{ridge.satellite_id}/tasks", params={"statuses": "Pending"})
    assert [one["id"] for one in answer.json()] == [str(ours.id), str(theirs.id)]


async def test_a_task_cannot_be_read_alone_nor_deleted(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    assert (await observer.get(f"/tasks/{task.id}")).status_code == 405
    assert (await observer.delete(f"/tasks/{task.id}")).status_code == 405


STEPS = {
    TaskStatus.PENDING: set(TaskStatus),
    TaskStatus.SCHEDULED: set(TaskStatus) - {TaskStatus.PENDING},
    **{final: set() for final in FINAL},
}


@pytest.mark.parametrize(("before", "after"), list(product(TaskStatus, TaskStatus)))
async def test_a_task_takes_only_the_steps_of_its_machine(
    observer: Client, ridge: Ridge, before: TaskStatus, after: TaskStatus
) -> None:
    task = ridge.add_task(status=before)
    ridge.clock.advance(60.0)
    answer = await observer.put(f"/tasks/{task.id}", json={"status": after})
    if after in STEPS[before]:
        assert answer.status_code == 200
        assert answer.json()["status"] == after
        assert answer.json()["updateEpoch"] == "2026-04-21T03:01:00Z"
    else:
        assert answer.status_code == 409
        assert before in answer.json()["detail"]
    assert ridge.world.tasks[task.id].status == (after if after in STEPS[before] else before)


@pytest.mark.parametrize("status", [409, 400, 403, 422])
async def test_how_a_final_task_is_defended_can_be_chosen(observer: Client, ridge: Ridge, status: int) -> None:
    ridge.turn(terminal_update_status=status)
    task = ridge.add_task(status=TaskStatus.SUCCEEDED)
    assert (await observer.put(f"/tasks/{task.id}", json={"status": "Failed"})).status_code == status


async def test_the_requester_and_the_owner_may_close_a_task_and_nobody_else(
    observer: Client, stranger: Client, ridge: Ridge
) -> None:
    theirs = ridge.add_task(requester_id=ridge.stranger_id, telescope_id=ridge.strangers_telescope_id)
    assert (await observer.put(f"/tasks/{theirs.id}", json={"status": "Failed"})).status_code == 403
    asked_of_us = ridge.add_task(requester_id=ridge.stranger_id)
    assert (await stranger.put(f"/tasks/{asked_of_us.id}", json={"status": "Canceled"})).status_code == 200
    also_asked = ridge.add_task(requester_id=ridge.stranger_id)
    assert (await observer.put(f"/tasks/{also_asked.id}", json={"status": "Succeeded"})).status_code == 200


@pytest.mark.parametrize("body", [{}, {"status": "Done"}, {"status": "succeeded"}, {"Status": "Failed"}, [], "Failed"])
async def test_a_status_that_no_task_has_is_refused(observer: Client, ridge: Ridge, body: Any) -> None:
    task = ridge.add_task()
    assert (await observer.put(f"/tasks/{task.id}", json=body)).status_code == 422


def _wish(ridge: Ridge, **changes: Any) -> Mapping[str, Any]:
    return {
        "taskStart": "2026-04-21T04:00:00Z",
        "taskStop": "2026-04-21T04:04:00Z",
        "satelliteId": str(ridge.satellite_id),
        "telescopeId": str(ridge.telescope_id),
    } | changes


async def test_a_task_that_is_asked_for_is_pending_with_its_names_filled_in(stranger: Client, ridge: Ridge) -> None:
    answer = await stranger.post("/tasks", json=_wish(ridge))
    assert answer.status_code == 201
    made = answer.json()
    assert (made["status"], made["type"], made["priority"]) == ("Pending", "Track", 5)
    assert (made["satelliteName"], made["telescopeName"], made["username"]) == ("DEMOSAT 1", "Ridge 80mm", "stranger")
    assert made["groundStationName"] == "Ridge Site"
    assert (made["taskStart"], made["creationEpoch"]) == ("2026-04-21T04:00:00Z", "2026-04-21T03:00:00Z")
    assert await _listed(stranger, ridge) == [made["id"]]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"taskStop": "2026-04-21T04:00:00Z"}, 422),
        ({"taskStop": "2026-04-21T03:59:59Z"}, 422),
        ({"telescopeId": None}, 422),
        ({"satelliteId": "DEMOSAT"}, 422),
        ({"taskStart": "tonight"}, 422),
        ({"satelliteId": str(uuid4())}, 404),
        ({"telescopeId": str(uuid4())}, 404),
        ({"telescopeId": None, "antennaId": str(uuid4())}, 404),
    ],
)
async def test_a_task_that_cannot_be_is_refused(stranger: Client, ridge: Ridge, changes: Any, status: int) -> None:
    assert (await stranger.post("/tasks", json=_wish(ridge, **changes))).status_code == status
    assert not ridge.world.tasks


async def test_a_telescope_without_a_station_takes_no_tasks(observer: Client, ridge: Ridge) -> None:
    await observer.patch("/telescopes", json=[{"id": str(ridge.telescope_id), "groundStationId": None}])
    assert (await observer.post("/tasks", json=_wish(ridge))).status_code == 400


async def test_untouched_tasks_expire_only_where_the_switch_says_so(observer: Client, ridge: Ridge) -> None:
    pending, scheduled = ridge.add_task(), ridge.add_task(status=TaskStatus.SCHEDULED)
    ridge.clock.advance(3600.0)
    assert await _listed(observer, ridge, statuses="Pending") == [str(pending.id)]
    ridge.turn(expire_tasks=True)
    assert await _listed(observer, ridge, statuses="Pending") == []
    assert await _listed(observer, ridge, statuses="Failed") == [str(pending.id)]
    assert await _listed(observer, ridge, statuses="Scheduled") == [str(scheduled.id)]
    assert ridge.world.tasks[pending.id].updated_at == pending.closes
    assert (await observer.put(f"/tasks/{pending.id}", json={"status": "Succeeded"})).status_code == 409


async def test_a_task_does_not_expire_within_its_window(observer: Client, ridge: Ridge) -> None:
    ridge.turn(expire_tasks=True)
    task = ridge.add_task()
    ridge.clock.advance((task.closes - EVENING).total_seconds())
    assert await _listed(observer, ridge, statuses="Pending") == [str(task.id)]
    ridge.clock.advance(1.0)
    assert await _listed(observer, ridge, statuses="Pending") == []
