"""Control calls: what a test and the report of a night see, and what they may change."""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from simulators.api import Switches, World, emulator_app
from simulators.api.catalogue import Catalogue
from simulators.clock import SimulatedClock

from .conftest import EVENING, CardMaker, Client, Delivery, Ridge


async def _get(client: Client, what: str) -> dict[str, Any]:
    answer = await client.get(f"/_emulator/{what}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_task_can_be_added_with_priority_and_filter(observer: Client, anyone: Client, ridge: Ridge) -> None:
    order = {
        "satelliteId": str(ridge.satellite_id),
        "telescopeId": str(ridge.telescope_id),
        "taskStart": "2026-04-21T04:00:00Z",
        "taskStop": "2026-04-21T04:05:00Z",
        "priority": 9,
        "assignedFilterName": "Clear",
    }
    answer = await anyone.post("/_emulator/tasks", json=order)
    assert answer.status_code == 201
    (task,) = (await observer.get(f"/telescopes/{ridge.telescope_id}/tasks")).json()
    assert task == answer.json()
    assert (task["priority"], task["assignedFilterName"], task["userId"]) == (9, "Clear", str(ridge.observer_id))
    assert (await anyone.post("/_emulator/tasks", json=order | {"priority": 11})).status_code == 422
    assert (await anyone.post("/_emulator/tasks", json=order | {"satelliteId": str(uuid4())})).status_code == 404


async def test_with_one_telescope_it_need_not_be_named(anyone: Client, ridge: Ridge) -> None:
    order = {
        "satelliteId": str(ridge.satellite_id),
        "taskStart": "2026-04-21T04:00:00Z",
        "taskStop": "2026-04-21T04:05:00Z",
    }
    assert (await anyone.post("/_emulator/tasks", json=order)).status_code == 422
    del ridge.world.telescopes[ridge.strangers_telescope_id]
    answer = await anyone.post("/_emulator/tasks", json=order)
    assert answer.json()["telescopeId"] == str(ridge.telescope_id)


async def test_a_task_can_be_cancelled_once(observer: Client, anyone: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    ridge.clock.advance(10.0)
    answer = await anyone.post(f"/_emulator/tasks/{task.id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "Canceled")
    assert answer.json()["updateEpoch"] == "2026-04-21T03:00:10Z"
    assert (await anyone.post(f"/_emulator/tasks/{task.id}/cancel")).status_code == 409
    assert (await observer.put(f"/tasks/{task.id}", json={"status": "Succeeded"})).status_code == 409
    assert (await anyone.post(f"/_emulator/tasks/{uuid4()}/cancel")).status_code == 404


async def test_switches_turn_one_by_one_and_start_at_their_defaults(anyone: Client, ridge: Ridge) -> None:
    assert (await _get(anyone, "state"))["switches"] == Switches().model_dump(mode="json")
    answer = await anyone.put("/_emulator/switches", json={"naming": "snake", "storage_status": 200})
    assert answer.status_code == 200
    await anyone.put("/_emulator/switches", json={"tier": "Standard"})
    assert ridge.world.switches == Switches(naming="snake", storage_status=200, tier="Standard")
    assert (await _get(anyone, "state"))["switches"] == ridge.world.switches.model_dump(mode="json")


@pytest.mark.parametrize(
    "wrong",
    [
        {"nameing": "snake"},
        {"naming": "kebab"},
        {"storage_status": 500},
        {"faults": [{"kind": "meteor"}]},
        {"faults": [{"kind": "slow", "probability": 2}]},
        {"processing_takes_s": -1},
        [],
        "none",
    ],
)
async def test_a_switch_that_does_not_exist_turns_nothing(anyone: Client, ridge: Ridge, wrong: Any) -> None:
    assert (await anyone.put("/_emulator/switches", json=wrong)).status_code == 422
    assert ridge.world.switches == Switches()


async def test_a_clock_that_stands_can_be_advanced(anyone: Client, ridge: Ridge) -> None:
    answer = await anyone.post("/_emulator/clock/advance", json={"seconds": 90.5})
    assert (answer.status_code, answer.json()) == (200, {"now": "2026-04-21T03:01:30.500000Z"})
    assert ridge.clock.now() == EVENING + timedelta(seconds=90.5)
    for wrong in ({"seconds": 0}, {"seconds": -5}, {}, {"seconds": "x"}):
        assert (await anyone.post("/_emulator/clock/advance", json=wrong)).status_code == 422


async def test_a_clock_that_runs_cannot(ridge: Ridge) -> None:
    clock = SimulatedClock(starts_at=EVENING, anchored_unix_s=time.time(), rate=60.0)
    world = World(
        clock=clock, catalogue=Catalogue(ridge.world.catalogue.swarm), uploads_folder=ridge.world.uploads_folder
    )
    transport = httpx.ASGITransport(emulator_app(world))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        answer = await client.post("/_emulator/clock/advance", json={"seconds": 1.0})
    assert answer.status_code == 409


async def test_every_request_is_recorded_without_its_token(observer: Client, anyone: Client, ridge: Ridge) -> None:
    await observer.get("/my/telescopes", params={"ids": [str(ridge.telescope_id)] * 2})
    await observer.put("/telescopes", json=[{"id": str(ridge.telescope_id)}])
    await observer.put("/telescopes", content=b"{not json", headers={"Content-Type": "application/json"})
    await anyone.get("/my/account")
    answer = await anyone.get("/_emulator/log")
    assert "ridge-token" not in answer.text
    entries = answer.json()["entries"]
    assert [(one["number"], one["method"], one["path"], one["status"]) for one in entries] == [
        (1, "GET", "/my/telescopes", 200),
        (2, "PUT", "/telescopes", 200),
        (3, "PUT", "/telescopes", 422),
        (4, "GET", "/my/account", 401),
    ]
    assert entries[0]["query"] == {"ids": [str(ridge.telescope_id)] * 2}
    assert entries[0]["headers"]["authorization"] == "(kept out)"
    assert "authorization" not in entries[3]["headers"]
    assert entries[1]["body"] == [{"id": str(ridge.telescope_id)}]
    assert (entries[2]["body"], entries[2]["body_bytes"]) == ("(no JSON)", 9)
    assert entries[0]["at"] == "2026-04-21T03:00:00Z"
    later = await anyone.get("/_emulator/log", params={"since": 2})
    assert [one["number"] for one in later.json()["entries"]] == [3, 4]


async def test_of_a_file_only_its_size_is_recorded(anyone: Client, deliver: Delivery, fits_file: CardMaker) -> None:
    content = fits_file(pixels=64 * 640)
    await deliver(content)
    entries = (await _get(anyone, "log"))["entries"]
    assert entries[-1]["path"] == "/_storage/citra-uploads"
    assert entries[-1]["body"] is None
    assert len(content) < entries[-1]["body_bytes"] < len(content) + 3000


async def test_a_large_json_body_is_counted_and_not_kept(observer: Client, anyone: Client, ridge: Ridge) -> None:
    change = [{"id": str(ridge.telescope_id), "spectralConfig": {"note": "x" * 20_000}}]
    await observer.patch("/telescopes", json=change)
    (entry,) = (await _get(anyone, "log"))["entries"]
    assert (entry["status"], entry["body"]) == (200, None)
    assert entry["body_bytes"] > 20_000


async def test_the_summary_tells_the_report_of_the_night_what_became_of_each_task(
    observer: Client, anyone: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    done, untouched = ridge.add_task(priority=8, filter_name="Clear"), ridge.add_task()
    content = fits_file()
    good, bad = await deliver(content, done), await deliver(bytes(2880), done)
    loose = await deliver(content)
    ridge.clock.advance(60.0)
    await observer.put(f"/tasks/{done.id}", json={"status": "Succeeded"})
    summary = await _get(anyone, "summary")
    first, second = summary["tasks"]
    assert {key: first[key] for key in ("id", "norad_id", "name", "priority", "status", "assigned_filter_name")} == {
        "id": str(done.id),
        "norad_id": 90001,
        "name": "DEMOSAT 1",
        "priority": 8,
        "status": "Succeeded",
        "assigned_filter_name": "Clear",
    }
    assert (first["task_start"], first["task_stop"]) == ("2026-04-21T03:12:30Z", "2026-04-21T03:16:45Z")
    assert (first["satellite_id"], first["updated_at"]) == (str(ridge.satellite_id), "2026-04-21T03:01:00Z")
    assert [(one["upload_id"], one["status"], one["bytes"]) for one in first["uploads"]] == [
        (good, "COMPLETED", len(content)),
        (bad, "FAILED", 2880),
    ]
    kept = ridge.world.uploads_folder / f"{good}.fits"
    assert first["uploads"][0]["path"] == str(kept)
    assert kept.read_bytes() == content
    assert len(first["uploads"][0]["sha256"]) == 64
    assert (second["id"], second["status"], second["uploads"]) == (str(untouched.id), "Pending", [])
    assert [one["upload_id"] for one in summary["uploads_without_task"]] == [loose]


async def test_the_state_counts_what_there_is(
    anyone: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    ridge.add_task()
    await deliver(fits_file())
    state = await _get(anyone, "state")
    assert state["counters"]["tasks"] == {"Pending": 1}
    assert state["counters"]["uploads"] == {"UPLOADED": 1}
    assert state["counters"]["requests"] == 2  # the two steps of the upload; control calls do not count
    assert [one["name"] for one in state["telescopes"]] == ["Ridge 80mm", "Other"]
    assert state["now"] == "2026-04-21T03:00:00Z"


async def test_control_calls_say_what_is_whatever_the_switches_do(anyone: Client, ridge: Ridge) -> None:
    ridge.add_task()
    before = (await _get(anyone, "state"))["tasks"]
    ridge.turn(missing_optional=True, extra_fields=True, faults=[{"kind": "html_503"}])
    assert (await _get(anyone, "state"))["tasks"] == before
    assert (await anyone.get("/_emulator/summary")).status_code == 200
