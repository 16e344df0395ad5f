"""Asking for work: which requests a batch makes, and how they become tasks that one telescope can do."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from simulators.api.catalogue import Catalogue
from simulators.api.stations import ground_of
from simulators.sky.satellites import Swarm

from .conftest import EVENING, Client, Ridge

NIGHT = {"windowStart": "2026-04-21T03:00:00Z", "windowStop": "2026-04-21T09:30:00Z"}


def _discover(ridge: Ridge, **changes: Any) -> dict[str, Any]:
    params = {
        "ground_station_ids": [str(ridge.station_id)],
        "sensor_selections": {str(ridge.station_id): str(ridge.telescope_id)},
    }
    return NIGHT | {"discoverVisible": True, "params": params} | changes


async def _batch(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/collection-requests/batch", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def _tasks(client: Client, ridge: Ridge) -> list[dict[str, Any]]:
    return list((await client.get(f"/telescopes/{ridge.telescope_id}/tasks")).json())


def _times(task: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(task["taskStart"]), datetime.fromisoformat(task["taskStop"])


async def test_tasks_come_later_and_never_overlap(observer: Client, ridge: Ridge) -> None:
    made = await _batch(observer, _discover(ridge, includeOrbitRegimes=["LEO"], priority=7))
    assert made["createdCount"] == len(made["collectionRequestIds"]) == made["satelliteCount"] > 50
    assert await _tasks(observer, ridge) == []
    ridge.clock.advance(31.0)
    tasks = await _tasks(observer, ridge)
    assert len(tasks) > 20
    for one, other in combinations(tasks, 2):
        assert _times(one)[1] <= _times(other)[0] or _times(other)[1] <= _times(one)[0]
    assert {task["priority"] for task in tasks} == {7}
    assert {task["status"] for task in tasks} == {"Pending"}
    assert {task["collectionRequestId"] for task in tasks} <= set(made["collectionRequestIds"])


async def test_scheduled_passes_stay_above_the_telescopes_own_limit(observer: Client, ridge: Ridge) -> None:
    await observer.patch("/telescopes", json=[{"id": str(ridge.telescope_id), "minElevation": 40.0}])
    await _batch(observer, _discover(ridge, includeOrbitRegimes=["LEO"]))
    ridge.clock.advance(31.0)
    tasks = await _tasks(observer, ridge)
    assert tasks
    swarm, ground = ridge.world.catalogue.swarm, ground_of(ridge.world.stations[ridge.station_id])
    for task in tasks:
        index = next(e.index for e in ridge.world.catalogue.by_id.values() if str(e.id) == task["satelliteId"])
        opens, closes = _times(task)
        for at in (opens, opens + (closes - opens) / 2, closes):
            assert swarm.motion(index, ground, at).altitude_deg > 39.75  # half a second of rounding


async def test_an_important_request_comes_before_an_early_one(observer: Client, ridge: Ridge) -> None:
    long = {"windowStop": "2026-04-21T10:30:00Z"}
    await _batch(observer, _discover(ridge, includeOrbitRegimes=["GEO"], priority=1, **long))
    await _batch(observer, NIGHT | {"satelliteIds": [str(ridge.satellite_id)], "priority": 9} | long)
    ridge.clock.advance(31.0)
    tasks = await _tasks(observer, ridge)
    assert [task["satelliteName"] for task in tasks] == ["DEMOSAT 1"]  # any belt satellite would need its minutes too


async def test_a_telescope_that_does_not_let_itself_be_scheduled_gets_nothing(observer: Client, ridge: Ridge) -> None:
    await observer.patch("/telescopes", json=[{"id": str(ridge.telescope_id), "automatedScheduling": False}])
    await _batch(observer, _discover(ridge))
    ridge.clock.advance(60.0)
    assert await _tasks(observer, ridge) == []
    await observer.patch("/telescopes", json=[{"id": str(ridge.telescope_id), "automatedScheduling": True}])
    ridge.clock.advance(300.0)
    assert await _tasks(observer, ridge) != []


async def test_new_tasks_leave_those_that_are_there_alone(observer: Client, ridge: Ridge) -> None:
    there = ridge.add_task(opens=EVENING + timedelta(hours=1), closes=EVENING + timedelta(hours=5))
    await _batch(observer, _discover(ridge, includeOrbitRegimes=["LEO"]))
    ridge.clock.advance(31.0)
    for task in await _tasks(observer, ridge):
        if task["id"] != str(there.id):
            assert _times(task)[1] <= there.opens or _times(task)[0] >= there.closes


async def test_asking_again_is_harmless(observer: Client, ridge: Ridge) -> None:
    first = await _batch(observer, _discover(ridge, includeOrbitRegimes=["LEO"]))
    ridge.clock.advance(60.0)
    before = await _tasks(observer, ridge)
    again = await _batch(observer, _discover(ridge, includeOrbitRegimes=["LEO"]))
    assert (again["createdCount"], again["collectionRequestIds"]) == (0, [])
    assert len(again["skippedSatelliteIds"]) == again["satelliteCount"] == first["satelliteCount"]
    ridge.clock.advance(60.0)
    assert await _tasks(observer, ridge) == before


async def test_a_window_that_does_not_overlap_is_a_new_wish(observer: Client, ridge: Ridge) -> None:
    wish = {"satelliteIds": [str(ridge.satellite_id)]}
    early = {"windowStart": "2026-04-21T03:00:00Z", "windowStop": "2026-04-21T12:00:00Z"}
    late = {"windowStart": "2026-04-21T12:00:00Z", "windowStop": "2026-04-22T00:00:00Z"}
    assert (await _batch(observer, wish | early))["createdCount"] == 1
    assert (await _batch(observer, wish | late))["createdCount"] == 1


async def test_long_passes_are_cut_where_they_are_to_be_seen_again_and_again(observer: Client, ridge: Ridge) -> None:
    made = await _batch(observer, _discover(ridge, includeOrbitRegimes=["GEO"], revisit=True))
    assert made["revisitCount"] == 39  # six and a half hours in pieces of ten minutes
    assert made["createdCount"] == 39 * made["satelliteCount"]
    ridge.clock.advance(31.0)
    tasks = await _tasks(observer, ridge)
    assert len(tasks) == 39
    assert all(_times(task)[1] - _times(task)[0] <= timedelta(minutes=10) for task in tasks)


async def test_types_and_regimes_narrow_the_wish(observer: Client, ridge: Ridge) -> None:
    everything = (await _batch(observer, _discover(ridge)))["satelliteCount"]
    ridge.world.collection_requests.clear()
    geo = (await _batch(observer, _discover(ridge, includeOrbitRegimes=["GEO"])))["satelliteCount"]
    assert 0 < geo < everything
    ridge.world.collection_requests.clear()
    assert (await _batch(observer, _discover(ridge, excludeTypes=["Payload"])))["satelliteCount"] == 0


async def test_a_satellite_without_a_pass_becomes_no_task(observer: Client, ridge: Ridge) -> None:
    short = {"windowStart": "2026-04-21T03:00:00Z", "windowStop": "2026-04-21T03:10:00Z"}
    assert (await _batch(observer, short | {"satelliteIds": [str(ridge.satellite_id)]}))["createdCount"] == 1
    ridge.clock.advance(60.0)
    assert await _tasks(observer, ridge) == []
    (request,) = ridge.world.collection_requests.values()
    assert request.status == "Failed"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"discoverVisible": False}, 422),
        ({"params": {}}, 422),
        ({"windowStop": "2026-04-21T03:00:00Z"}, 422),
        ({"windowStop": "2026-05-21T03:00:00Z"}, 422),
        ({"priority": 11}, 422),
        ({"type": "Optical"}, 422),
        ({"excludeTypes": ["Junk"]}, 422),
        ({"params": {"ground_station_ids": [str(uuid4())]}}, 404),
        ({"satelliteIds": [str(uuid4())]}, 404),
        ({"satelliteGroupIds": [str(uuid4())]}, 404),
    ],
)
async def test_a_wish_without_sense_is_refused(observer: Client, ridge: Ridge, changes: Any, status: int) -> None:
    answer = await observer.post("/collection-requests/batch", json=_discover(ridge, **changes))
    assert answer.status_code == status
    assert not ridge.world.collection_requests


async def test_a_sensor_must_stand_where_it_is_said_to(observer: Client, ridge: Ridge) -> None:
    await observer.patch("/telescopes", json=[{"id": str(ridge.telescope_id), "groundStationId": None}])
    assert (await observer.post("/collection-requests/batch", json=_discover(ridge))).status_code == 400


async def test_a_request_that_found_no_place_is_tried_again_when_there_is_one(observer: Client, ridge: Ridge) -> None:
    there = ridge.add_task(opens=EVENING, closes=EVENING + timedelta(hours=9))
    made = await _batch(observer, _discover(ridge, includeOrbitRegimes=["GEO"]))
    ridge.clock.advance(31.0)
    assert [task["id"] for task in await _tasks(observer, ridge)] == [str(there.id)]
    await observer.put(f"/tasks/{there.id}", json={"status": "Failed"})
    ridge.clock.advance(300.0)
    (task,) = (await observer.get(f"/telescopes/{ridge.telescope_id}/tasks", params={"statuses": "Pending"})).json()
    assert task["collectionRequestId"] in made["collectionRequestIds"]


async def test_a_request_that_never_finds_a_place_fails_when_its_window_is_over(observer: Client, ridge: Ridge) -> None:
    ridge.add_task(opens=EVENING, closes=EVENING + timedelta(hours=9))
    await _batch(observer, _discover(ridge, includeOrbitRegimes=["GEO"]))
    for _ in range(2):
        ridge.clock.advance(timedelta(hours=7).total_seconds())
        assert len(await _tasks(observer, ridge)) == 1
    assert {request.status for request in ridge.world.collection_requests.values()} == {"Failed"}


@pytest.mark.catalogue
async def test_a_whole_catalogue_is_asked_for_twice_without_losing_time(
    ridge: Ridge, observer: Client, real_elements: Path
) -> None:
    """Thousands of requests that wait must not slow down every heartbeat."""
    ridge.world.catalogue = Catalogue(Swarm.from_text(real_elements.read_text(encoding="utf-8")))
    window = {"windowStart": "2026-08-11T21:00:00Z", "windowStop": "2026-08-11T22:00:00Z"}
    ridge.clock.instant = datetime(2026, 8, 11, 20, 50, tzinfo=UTC)
    first = await _batch(observer, _discover(ridge) | window)
    assert first["createdCount"] > 2000
    assert (await _batch(observer, _discover(ridge) | window))["createdCount"] == 0
    ridge.clock.advance(31.0)
    assert len(await _tasks(observer, ridge)) >= 10
    waiting = [one for one in ridge.world.collection_requests.values() if one.status == "Pending"]
    assert len(waiting) > 2000
    for _ in range(20):
        ridge.clock.advance(10.0)
        assert (await observer.get("/my/account")).status_code == 200
    assert {ridge.world.collection_requests[one.id].tried_at for one in waiting} == {waiting[0].tried_at}
