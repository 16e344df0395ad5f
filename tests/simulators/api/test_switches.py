"""The switches that change every answer, and the faults: each fires where and as often as it says."""

from typing import Any

import anyio
import pytest

from bridge.clock import LoopClock
from simulators.api import Fault, Switches
from simulators.api.faults import Dice
from simulators.api.world import real_s
from simulators.clock import HandClock, SimulatedClock

from .conftest import EVENING, CardMaker, Client, Delivery, Ridge

READ = [
    "/my/account",
    "/my/telescopes",
    "/my/ground-stations",
    "/satellites?pageSize=2",
    "/weather?lat=1&lon=1",
    "/my/images",
    "/filters/list",
    "/auth/personal-access-tokens",
    "/elsets/latest",
]


def _objects(content: Any) -> list[dict[str, Any]]:
    """All objects in an answer, free-form ones apart."""
    if isinstance(content, list):
        return [inner for one in content for inner in _objects(one)]
    if not isinstance(content, dict):
        return []
    free = {"spectralConfig", "preferences"}
    inner = [one for key, value in content.items() if key not in {*free, "unheardOf"} for one in _objects(value)]
    return [content, *inner]


def test_the_first_value_of_each_switch_is_its_default() -> None:
    defaults = Switches().model_dump()
    assert {key: defaults[key] for key in list(defaults)[:16]} == {
        "upload_request": "either",
        "upload_style": "post",
        "naming": "camel",
        "storage_status": 204,
        "require_sse_field": False,
        "elset_types_param": "supported",
        "best_elset": "classic",
        "access_shape": "coordinated",
        "auto_succeed": False,
        "terminal_update_status": 409,
        "expire_tasks": False,
        "missing_optional": False,
        "extra_fields": False,
        "unknown_enum": False,
        "faults": (),
        "tier": "Premium",
    }


@pytest.mark.parametrize("path", READ)
async def test_extra_fields_appear_in_every_object(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker, path: str
) -> None:
    await deliver(fits_file())
    plain = (await observer.get(path)).json()
    ridge.turn(extra_fields=True)
    more = (await observer.get(path)).json()
    assert all("unheardOf" in one for one in _objects(more))
    assert _objects(more)
    assert _stripped(more) == plain


def _stripped(content: Any) -> Any:
    if isinstance(content, list):
        return [_stripped(one) for one in content]
    if isinstance(content, dict):
        return {key: _stripped(value) for key, value in content.items() if key != "unheardOf"}
    return content


async def test_missing_optional_leaves_a_task_with_what_is_indispensable(observer: Client, ridge: Ridge) -> None:
    ridge.add_task(filter_name="Clear")
    ridge.turn(missing_optional=True)
    (task,) = (await observer.get(f"/telescopes/{ridge.telescope_id}/tasks")).json()
    assert set(task) == {
        *("id", "type", "status", "creationEpoch", "updateEpoch", "taskStart", "taskStop", "userId", "satelliteId"),
    }


async def test_missing_optional_leaves_stations_and_telescopes_their_required_keys(
    observer: Client, ridge: Ridge
) -> None:
    ridge.turn(missing_optional=True)
    station = (await observer.get(f"/ground-stations/{ridge.station_id}")).json()
    assert "username" not in station
    assert {"latitude", "longitude", "altitude"} <= set(station)
    telescope = (await observer.get(f"/telescopes/{ridge.telescope_id}")).json()
    assert {"groundStationId", "automatedScheduling", "spectralConfig"} & set(telescope) == set()
    assert {"fieldOfView", "status", "minElevation"} <= set(telescope)


async def test_words_that_nobody_documented(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    ridge.turn(unknown_enum=True)
    ridge.add_task()
    upload_id = await deliver(fits_file())
    (task,) = (await observer.get(f"/telescopes/{ridge.telescope_id}/tasks")).json()
    assert task["type"] == "Survey"
    elsets = (await observer.get(f"/satellites/{ridge.satellite_id}/elsets")).json()
    assert [one["type"] for one in elsets] == ["Osculating", "SGP4 with Kozai mean motion"]
    ridge.clock.advance(20.0)
    assert (await observer.get(f"/my/images/{upload_id}")).json()["status"] == "QUALITY_CHECK"
    ridge.clock.advance(20.0)
    assert (await observer.get(f"/my/images/{upload_id}")).json()["status"] == "COMPLETED"


def _fired(ridge: Ridge) -> list[int]:
    return [fired for _, fired in ridge.world.dice.fired()]


async def test_the_edge_answers_in_html_and_nothing_is_done(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    ridge.turn(faults=[{"kind": "html_503", "path": "/tasks/*"}])
    answer = await observer.put(f"/tasks/{task.id}", json={"status": "Failed"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert ridge.world.tasks[task.id].status == "Pending"
    assert (await observer.get("/my/account")).status_code == 200
    assert _fired(ridge) == [1]


async def test_too_many_requests_say_when_to_come_back(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "429_retry_after", "seconds": 30.0}])
    answer = await observer.get("/my/account")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


async def test_a_token_may_be_revoked_in_the_night(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "401_after_n", "after": 3, "path": "/my/*"}])
    codes = [(await observer.get("/my/account")).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 401, 401]
    assert (await observer.get("/telescopes")).status_code == 200
    assert _fired(ridge) == [2]


async def test_a_reset_loses_the_answer_and_not_the_work(observer: Client, anyone: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    ridge.turn(faults=[{"kind": "reset", "method": "PUT"}])
    with pytest.raises(ConnectionResetError):
        await observer.put(f"/tasks/{task.id}", json={"status": "Succeeded"})
    assert ridge.world.tasks[task.id].status == "Succeeded"
    (entry,) = ridge.world.journal.entries
    assert (entry.status, entry.faults) == (0, ("reset",))
    assert (await observer.get("/my/account")).status_code == 200


async def test_a_reset_during_an_upload_leaves_the_file_stored(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    ridge.turn(faults=[{"kind": "reset", "path": "/_storage/*"}])
    with pytest.raises(ConnectionResetError):
        await anyone.post(initiated["uploadUrl"], data=initiated["fields"], files={"file": ("a.fits", content)})
    (upload,) = ridge.world.uploads.values()
    assert upload.stored is not None


async def test_json_may_be_cut_in_half(observer: Client, ridge: Ridge) -> None:
    whole = (await observer.get("/my/account")).content
    ridge.turn(faults=[{"kind": "bad_json"}])
    half = await observer.get("/my/account")
    assert half.status_code == 200
    assert half.headers["content-type"] == "application/json"
    assert whole.startswith(half.content)
    assert len(half.content) == int(half.headers["content-length"]) == len(whole) // 2
    with pytest.raises(ValueError, match="column"):
        half.json()


async def test_an_answer_without_a_body_cannot_be_cut(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    upload_id = await deliver(fits_file())
    ridge.turn(faults=[{"kind": "bad_json"}])
    assert (await observer.delete(f"/my/images/{upload_id}")).status_code == 204


async def test_a_slow_answer_takes_simulated_seconds_and_is_right(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "slow", "seconds": 45.0}, {"kind": "html_503", "path": "/weather"}])
    clock = LoopClock(EVENING)
    assert (await observer.get("/my/account")).status_code == 200
    assert (clock.now() - EVENING).total_seconds() == pytest.approx(45.0)
    assert (await observer.get("/weather?lat=1&lon=1")).status_code == 503
    assert (clock.now() - EVENING).total_seconds() == pytest.approx(90.0)
    assert _fired(ridge) == [2, 1]


async def test_who_waits_no_longer_is_let_go(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    ridge.turn(faults=[{"kind": "slow", "seconds": 45.0}])
    with anyio.move_on_after(5.0) as scope:
        await observer.put(f"/tasks/{task.id}", json={"status": "Failed"})
    assert scope.cancelled_caught
    assert ridge.world.tasks[task.id].status == "Pending"
    (entry,) = ridge.world.journal.entries
    assert entry.status == 0


async def test_faults_fall_by_their_probability_the_same_for_the_same_seed(ridge: Ridge) -> None:
    fault = Fault(kind="html_503", probability=0.3, path="/my/*")

    def hits(seed: int) -> list[bool]:
        dice = Dice((fault,), seed)
        return [bool(dice.thrown_at("GET", "/my/account", EVENING)) for _ in range(1000)]

    assert hits(1) == hits(1) != hits(2)
    assert 230 < sum(hits(1)) < 370


async def test_turning_another_switch_leaves_the_faults_their_counts(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "html_503"}])
    await observer.get("/my/account")
    ridge.turn(tier="Standard")
    assert _fired(ridge) == [1]
    ridge.turn(faults=[])
    assert _fired(ridge) == []
    assert (await observer.get("/my/account")).status_code == 200


async def test_one_ending_fault_is_enough(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "html_503"}, {"kind": "429_retry_after"}])
    assert (await observer.get("/my/account")).status_code == 503
    assert _fired(ridge) == [1, 0]


async def test_a_fault_is_seen_in_the_record_and_the_state(observer: Client, anyone: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "slow", "seconds": 1.0}, {"kind": "html_503"}])
    await observer.get("/my/account")
    (entry,) = (await anyone.get("/_emulator/log")).json()["entries"]
    assert (entry["faults"], entry["status"]) == (["slow", "html_503"], 503)
    counted = (await anyone.get("/_emulator/state")).json()["counters"]["faults"]
    assert [(one["fault"]["kind"], one["fired"]) for one in counted] == [("slow", 1), ("html_503", 1)]


def test_simulated_seconds_last_as_long_as_the_clock_says() -> None:
    quick = SimulatedClock(starts_at=EVENING, anchored_unix_s=0.0, rate=60.0)
    assert real_s(quick, 120.0) == 2.0
    assert real_s(HandClock(EVENING), 120.0) == 120.0
