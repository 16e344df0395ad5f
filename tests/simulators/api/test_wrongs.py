"""The faults of the emulated API: what each does to an answer, when, and that it is counted."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.api.records import Task
from simulators.api.switches import Fault
from simulators.sky.earth import Ground
from tests.simulators.api.conftest import EVENING, Client, Ridge

Delivery = Callable[..., Awaitable[Any]]
CardMaker = Callable[..., bytes]

TASK_LIST = "/telescopes/*/tasks"


def fired(ridge: Ridge) -> list[int]:
    return [count for _, count in ridge.world.dice.fired()]


async def listed(observer: Client, ridge: Ridge) -> list[str]:
    answer = await observer.get(f"/telescopes/{ridge.telescope_id}/tasks")
    assert answer.status_code == 200
    return [str(task["id"]) for task in answer.json()]


async def test_a_fault_acts_from_when_to_when(observer: Client, ridge: Ridge) -> None:
    begins, ends = EVENING + timedelta(minutes=1), EVENING + timedelta(minutes=2)
    window = {"begins_at": begins.isoformat(), "ends_at": ends.isoformat()}
    ridge.turn(faults=[{"kind": "html_503", **window}])
    codes = []
    for _ in range(3):
        codes.append((await observer.get("/my/account")).status_code)
        ridge.clock.advance(60.0)
    assert codes == [200, 503, 200]
    assert fired(ridge) == [1]


async def test_a_fault_is_over_when_it_fired_so_often(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "html_503", "at_most": 2}])
    assert [(await observer.get("/my/account")).status_code for _ in range(3)] == [503, 503, 200]
    assert fired(ridge) == [2]


@pytest.mark.parametrize("status", [403, 404, 409, 413, 422, 500, 502, 504, 511])
async def test_a_refusal_is_in_the_words_of_whoever_refuses(anyone: Client, ridge: Ridge, status: int) -> None:
    ridge.turn(faults=[{"kind": "status", "http_status": status, "says": "soon"}])
    api, storage = await anyone.get("/my/account"), await anyone.post("/_storage/citra-uploads")
    assert (api.status_code, api.headers["Retry-After"]) == (status, "soon")
    assert str(status) in api.json()["detail"]
    assert (storage.status_code, storage.headers["content-type"]) == (status, "application/xml")
    assert fired(ridge) == [2]


async def test_a_network_on_the_way_wants_one_to_sign_in(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    ridge.turn(faults=[{"kind": "page", "method": "PUT"}])
    answer = await observer.put(f"/tasks/{task.id}", json={"status": "Failed"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert ridge.world.tasks[task.id].status == "Pending"


async def test_one_may_be_sent_elsewhere(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "redirect", "http_status": 307, "says": "http://127.0.0.1:9/"}])
    answer = await observer.get("/my/account", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1:9/")


async def test_storage_may_say_yes_and_forget(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    ridge.turn(faults=[{"kind": "forget", "path": "/_storage/*"}])
    answer = await anyone.post(initiated["uploadUrl"], data=initiated["fields"], files={"file": ("a.fits", content)})
    assert answer.status_code == 204
    (upload,) = ridge.world.uploads.values()
    assert upload.stored is None


async def test_a_file_may_arrive_with_another_byte(
    anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    ridge.turn(faults=[{"kind": "corrupt", "path": "/_storage/*"}])
    await anyone.post(initiated["uploadUrl"], data=initiated["fields"], files={"file": ("a.fits", content)})
    (upload,) = ridge.world.uploads.values()
    assert upload.stored is not None
    kept = Path(upload.stored.path).read_bytes()
    assert len(kept) == len(content)
    assert sum(one != other for one, other in zip(kept, content, strict=True)) == 1


@pytest.mark.parametrize(
    ("kind", "becomes"),
    [
        ("list_empty", lambda ids: []),
        ("list_half", lambda ids: ids[:1]),
        ("list_twice", lambda ids: ids + ids),
        ("list_backwards", lambda ids: ids[::-1]),
        ("list_long", lambda ids: 25_001 * ids),
    ],
)
async def test_a_list_may_be_another(
    observer: Client, ridge: Ridge, kind: str, becomes: Callable[[list[str]], list[str]]
) -> None:
    ridge.add_task()
    ridge.add_task()
    whole = await listed(observer, ridge)
    assert len(whole) == 2
    ridge.turn(faults=[{"kind": kind, "path": TASK_LIST}])
    assert await listed(observer, ridge) == becomes(whole)


async def test_one_value_of_the_first_may_be_nonsense(observer: Client, ridge: Ridge) -> None:
    ridge.add_task()
    ridge.add_task()
    whole = await listed(observer, ridge)
    ridge.turn(faults=[{"kind": "say", "path": TASK_LIST, "key": "id", "says": "../../x"}])
    assert await listed(observer, ridge) == ["../../x", whole[1]]


async def test_a_key_that_is_not_there_leaves_the_answer_as_it_is(observer: Client, ridge: Ridge) -> None:
    whole = (await observer.get("/my/account")).json()
    ridge.turn(faults=[{"kind": "say", "key": "no.such", "says": 1}])
    assert (await observer.get("/my/account")).json() == whole


async def test_an_answer_may_be_any_text(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "body", "says": "[" * 5000}])
    answer = await observer.get("/my/account")
    assert (answer.headers["content-type"], answer.text) == ("application/json", "[" * 5000)


async def test_uploads_may_be_sent_by_another_way(ridge: Ridge, initiate: Delivery, fits_file: CardMaker) -> None:
    ridge.turn(storage_at="http://127.0.0.1:9")
    assert (await initiate(fits_file()))["uploadUrl"].startswith("http://127.0.0.1:9/_storage/")


async def test_what_is_new_may_be_seen_late(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    upload_id = await deliver(fits_file())
    ridge.turn(faults=[{"kind": "list_late", "seconds": 60.0}])
    seen = []
    for _ in range(2):
        seen.append([image["uploadId"] for image in (await observer.get("/my/images")).json()])
        ridge.clock.advance(61.0)
    assert seen == [[], [upload_id]]


async def test_a_task_may_be_cancelled_just_when_one_looks(observer: Client, ridge: Ridge) -> None:
    later = ridge.add_task(opens=EVENING + timedelta(hours=2), closes=EVENING + timedelta(hours=3))
    task = ridge.add_task()
    ridge.turn(faults=[{"kind": "cancel", "path": TASK_LIST}])
    await listed(observer, ridge)
    statuses = {one.id: one.status for one in ridge.world.tasks.values()}
    assert statuses == {task.id: "Canceled", later.id: "Pending"}
    await listed(observer, ridge)
    await listed(observer, ridge)  # nothing is left to cancel
    assert fired(ridge) == [3]


async def test_the_window_of_a_task_may_move(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    ridge.turn(faults=[{"kind": "change", "path": TASK_LIST, "seconds": 90.0}])
    await listed(observer, ridge)
    moved = ridge.world.tasks[task.id]
    assert (moved.opens - task.opens, moved.closes - task.closes) == (timedelta(seconds=90), timedelta(seconds=90))


async def test_a_task_may_come_that_nobody_can_do(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "hopeless", "path": TASK_LIST, "seconds": 600.0}])
    await listed(observer, ridge)
    await listed(observer, ridge)
    first, second = ridge.world.tasks.values()
    assert first.satellite_id != second.satellite_id
    assert (first.opens, first.closes) == (EVENING, EVENING + timedelta(minutes=10))
    for task in (first, second):
        assert max(altitudes_deg(ridge, task)) < 0.0
    assert fired(ridge) == [2]


async def test_a_task_may_come_for_the_day(observer: Client, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "hopeless", "path": TASK_LIST, "says": "day"}])
    assert await listed(observer, ridge)
    (task,) = ridge.world.tasks.values()
    assert max(altitudes_deg(ridge, task)) > 0.0
    assert ground_of(ridge).sun_altitude_deg(task.opens) > 5.0
    assert task.opens - EVENING < timedelta(days=1)


async def test_an_image_may_be_announced_twice(
    ridge: Ridge, initiate: Delivery, fits_file: CardMaker, observer: Client
) -> None:
    ridge.turn(faults=[{"kind": "twice", "method": "POST", "path": "/my/images"}])
    answer = await initiate(fits_file())
    first, second = ridge.world.uploads.values()
    assert first.filename == second.filename
    assert str(second.id) == answer["uploadId"]
    assert fired(ridge) == [1]


async def test_a_switch_may_stand_otherwise_for_a_request(
    ridge: Ridge, initiate: Delivery, fits_file: CardMaker, observer: Client
) -> None:
    fault = {"kind": "switch", "method": "POST", "path": "/my/images", "key": "upload_style", "says": "put"}
    ridge.turn(faults=[fault | {"at_most": 1}])
    methods = [(await initiate(fits_file()))["method"] for _ in range(2)]
    assert methods == ["PUT", "POST"]
    assert fired(ridge) == [1]


async def test_what_arrives_may_be_nothing_that_can_be_worked_on(
    ridge: Ridge, deliver: Delivery, fits_file: CardMaker, observer: Client
) -> None:
    ridge.turn(faults=[{"kind": "unworkable", "path": "/_storage/*", "at_most": 1}])
    told = []
    for _ in range(2):
        upload_id = await deliver(fits_file())
        ridge.clock.advance(600.0)
        told.append((await observer.get(f"/my/images/{upload_id}")).json())
    assert [one["status"] for one in told] == ["FAILED", "COMPLETED"]
    assert all(one["checksum"] for one in told)
    assert fired(ridge) == [1]


@pytest.mark.parametrize(("key", "says"), [("upload_style", "by pigeon"), ("no_such", True), ("", None)])
def test_a_switch_cannot_stand_where_it_has_no_place(key: str, says: Any) -> None:
    with pytest.raises(ValueError, match=f"{key or 'Extra inputs'}"):
        Fault(kind="switch", key=key, says=says)


async def test_the_platform_tells_its_own_date_and_may_be_an_hour_off(observer: Client, ridge: Ridge) -> None:
    ridge.clock.advance(90.5)
    assert (await observer.get("/my/account")).headers.get_list("date") == [http_date(EVENING + timedelta(seconds=90))]
    for off_s in (3600.0, -3600.0):
        ridge.turn(faults=[{"kind": "date", "says": off_s}])
        answer = await observer.get("/my/account")
        assert answer.status_code == 200
        assert answer.headers["date"] == http_date(EVENING + timedelta(seconds=90.0 + off_s))
    assert fired(ridge) == [1]


def http_date(at: datetime) -> str:
    return at.strftime("%a, %d %b %Y %H:%M:%S GMT")


def ground_of(ridge: Ridge) -> Ground:
    station = ridge.world.stations[ridge.station_id]
    return Ground(station.latitude_deg, station.longitude_deg, station.altitude_m)


def altitudes_deg(ridge: Ridge, task: Task) -> list[float]:
    """How high the satellite of a task stands in its window, minute by minute."""
    swarm, ground = ridge.world.catalogue.swarm, ground_of(ridge)
    index = ridge.world.catalogue.by_id[task.satellite_id].index
    instants = [
        task.opens + timedelta(minutes=minute) for minute in range((task.closes - task.opens).seconds // 60 + 1)
    ]
    return [float(one) for one in swarm.astrometric(index, ground, instants).altitude_deg]
