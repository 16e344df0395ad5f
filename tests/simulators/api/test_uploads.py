"""Images: asked for in every way the sources describe, followed until they are processed, or refused."""

from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from simulators.api.records import TaskStatus

from .conftest import EVENING, CardMaker, Client, Delivery, Ridge

Where = str


def _wish(ridge: Ridge, **changes: Any) -> dict[str, Any]:
    return {"filename": "frame_001.fits", "telescope_id": str(ridge.telescope_id), "file_size": 2880} | changes


async def _ask(client: Client, where: Where, wish: dict[str, Any]) -> Any:
    if where == "both":
        return await client.post("/my/images", params=wish, json=wish)
    return await client.post("/my/images", **{"query": {"params": wish}, "body": {"json": wish}}[where])


async def _status(client: Client, upload_id: str) -> dict[str, Any]:
    answer = await client.get(f"/my/images/{upload_id}")
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.parametrize(("reads", "sent"), list(product(("either", "query", "body"), ("query", "body", "both"))))
async def test_step_one_is_read_from_where_the_server_reads_it(
    observer: Client, ridge: Ridge, reads: str, sent: str
) -> None:
    ridge.turn(upload_request=reads)
    answer = await _ask(observer, sent, _wish(ridge))
    if reads in ("either", sent) or sent == "both":
        assert answer.status_code == 200
        assert answer.json()["filename"] == "frame_001.fits"
    else:
        assert answer.status_code == 422
        assert all(issue["loc"][0] == reads for issue in answer.json()["detail"])
        assert not ridge.world.uploads


async def test_nothing_at_all_is_missed_in_the_query(observer: Client) -> None:
    answer = await observer.post("/my/images")
    assert answer.status_code == 422
    assert [issue["loc"] for issue in answer.json()["detail"]] == [
        ["query", "filename"],
        ["query", "telescope_id"],
        ["query", "file_size"],
    ]
    assert answer.json()["detail"][2] == {
        "type": "missing",
        "loc": ["query", "file_size"],
        "msg": "Field required",
        "input": None,
    }


WRONG = [
    {"filename": "frame.FITS"},
    {"filename": ".fits"},
    {"filename": "frame.fits.fz"},
    {"filename": "f" * 251 + ".fits"},
    {"filename": "frame\n.fits"},
    {"telescope_id": "ridge"},
    {"file_size": 0},
    {"file_size": "big"},
    {"task_id": "none"},
    {"max_sources": 0},
    {"max_sources": 201},
    {"fov": 0.05},
    {"fov": 181.0},
]


@pytest.mark.parametrize(("where", "wrong"), list(product(("query", "body"), WRONG)))
async def test_a_file_that_is_not_taken_is_refused_with_its_field(
    observer: Client, ridge: Ridge, where: str, wrong: dict[str, Any]
) -> None:
    answer = await _ask(observer, where, _wish(ridge) | wrong)
    assert answer.status_code == 422
    (issue,) = answer.json()["detail"]
    assert issue["loc"] == [where, *wrong]


@pytest.mark.parametrize("ending", ["fits", "fit", "fts"])
async def test_three_endings_are_taken(observer: Client, ridge: Ridge, ending: str) -> None:
    assert (await _ask(observer, "query", _wish(ridge, filename=f"a.b c.{ending}"))).status_code == 200


async def test_the_telescope_and_the_task_must_be_ours_and_each_others(observer: Client, ridge: Ridge) -> None:
    elsewhere = ridge.add_task(telescope_id=ridge.strangers_telescope_id)
    for changes, status in (
        ({"telescope_id": str(uuid4())}, 404),
        ({"telescope_id": str(ridge.strangers_telescope_id)}, 403),
        ({"task_id": str(uuid4())}, 404),
        ({"task_id": str(elsewhere.id)}, 400),
    ):
        assert (await _ask(observer, "query", _wish(ridge, **changes))).status_code == status
    assert not ridge.world.uploads


STYLES = {
    "post": {"uploadId", "filename", "uploadUrl", "method", "resultsUrl", "fields"},
    "put": {"uploadId", "filename", "uploadUrl", "method", "resultsUrl", "fields"},
    "put_no_method": {"uploadId", "uploadUrl"},
    "post_no_method": {"uploadId", "filename", "uploadUrl", "resultsUrl", "fields"},
}
SNAKE = {
    "uploadId": "upload_id",
    "uploadUrl": "upload_url",
    "resultsUrl": "results_url",
    "filename": "filename",
    "method": "method",
    "fields": "fields",
}


@pytest.mark.parametrize(("style", "naming", "status"), list(product(STYLES, ("camel", "snake"), (204, 200, 201))))
async def test_every_style_of_upload_arrives_whole(
    observer: Client, anyone: Client, ridge: Ridge, fits_file: CardMaker, style: str, naming: str, status: int
) -> None:
    ridge.turn(upload_style=style, naming=naming, storage_status=status)
    content = fits_file()
    answer = (await _ask(observer, "query", _wish(ridge, file_size=len(content)))).json()
    assert set(answer) == (STYLES[style] if naming == "camel" else {SNAKE[key] for key in STYLES[style]})
    plain = answer if naming == "camel" else {key: answer[snake] for key, snake in SNAKE.items() if snake in answer}
    if plain.get("method") == "PUT" or style == "put_no_method":
        assert not plain.get("fields")
        sent = await anyone.put(plain["uploadUrl"], content=content, headers={"Content-Type": "application/fits"})
    else:
        sent = await anyone.post(plain["uploadUrl"], data=plain["fields"], files={"file": ("a.fits", content)})
    assert sent.status_code == status
    assert (sent.content == b"") is (status != 201)
    (upload,) = ridge.world.uploads.values()
    assert upload.stored is not None
    assert (ridge.world.uploads_folder / f"{upload.id}.fits").read_bytes() == content
    assert upload.stored.size_bytes == len(content)


async def test_an_image_goes_through_its_states_by_the_clock_alone(
    observer: Client, anyone: Client, ridge: Ridge, initiate: Delivery, fits_file: CardMaker
) -> None:
    content = fits_file()
    initiated = await initiate(content)
    upload_id = initiated["uploadId"]
    ridge.clock.advance(600.0)
    assert (await _status(observer, upload_id))["status"] == "PENDING"
    await anyone.post(initiated["uploadUrl"], data=initiated["fields"], files={"file": ("a.fits", content)})
    seen = []
    for step_s in (0.0, 4.9, 0.2, 29.8, 0.2):
        ridge.clock.advance(step_s)
        seen.append((await _status(observer, upload_id))["status"])
    assert seen == ["UPLOADED", "UPLOADED", "PROCESSING", "PROCESSING", "COMPLETED"]
    done = await _status(observer, upload_id)
    assert (done["detail"], len(done["checksum"])) == (None, 64)


async def test_how_long_processing_takes_can_be_chosen(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    ridge.turn(processing_after_s=0.0, processing_takes_s=0.0)
    assert (await _status(observer, await deliver(fits_file())))["status"] == "COMPLETED"


async def test_a_file_that_is_no_fits_fails_with_the_reason(observer: Client, ridge: Ridge, deliver: Delivery) -> None:
    upload_id = await deliver(b"\x89PNG" + bytes(2876))
    ridge.clock.advance(4.0)
    early = await _status(observer, upload_id)
    assert (early["status"], early["detail"]) == ("UPLOADED", None)
    ridge.clock.advance(60.0)
    late = await _status(observer, upload_id)
    assert late["status"] == "FAILED"
    assert "SIMPLE" in late["detail"]


async def test_a_picture_of_another_task_fails(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    task, other = ridge.add_task(), ridge.add_task()
    good = await deliver(fits_file(TASKID=f"'{task.id}'"), task)
    bad = await deliver(fits_file(TASKID=f"'{other.id}'"), task)
    ridge.clock.advance(60.0)
    assert (await _status(observer, good))["status"] == "COMPLETED"
    failed = await _status(observer, bad)
    assert (failed["status"], failed["detail"]) == (
        "FAILED",
        f"TASKID is {other.id}, but the upload was for task {task.id}",
    )


async def test_images_are_listed_by_owner_by_task_and_by_telescope(
    observer: Client, stranger: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    task = ridge.add_task()
    ids = [await deliver(fits_file(), task), await deliver(fits_file(), task), await deliver(fits_file())]
    mine = (await observer.get("/my/images")).json()
    assert [one["uploadId"] for one in mine] == ids
    assert "checksum" not in mine[0]
    assert (await stranger.get("/my/images")).json() == []
    of_task = (await observer.get(f"/tasks/{task.id}/images")).json()
    assert [one["uploadId"] for one in of_task] == ids[:2]
    assert of_task[0] == await _status(observer, ids[0])
    path = f"/telescopes/{ridge.telescope_id}/images"
    assert [one["uploadId"] for one in (await observer.get(path)).json()] == ids
    page = await observer.get(path, params={"limit": 1, "offset": 1})
    assert [one["uploadId"] for one in page.json()] == ids[1:2]
    assert (await observer.get(path, params={"limit": 1001})).status_code == 422


async def test_an_image_is_its_owners_alone(
    observer: Client, stranger: Client, deliver: Delivery, fits_file: CardMaker
) -> None:
    upload_id = await deliver(fits_file())
    assert (await stranger.get(f"/my/images/{upload_id}")).status_code == 403
    assert (await stranger.delete(f"/my/images/{upload_id}")).status_code == 403
    assert (await observer.get(f"/my/images/{uuid4()}")).status_code == 404
    assert (await observer.get("/my/images/first")).status_code == 422


async def test_a_deleted_image_is_gone_with_its_file(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    upload_id = await deliver(fits_file())
    answer = await observer.delete(f"/my/images/{upload_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await observer.get(f"/my/images/{upload_id}")).status_code == 404
    assert list(ridge.world.uploads_folder.iterdir()) == []


async def test_the_server_may_close_a_task_when_its_image_is_processed(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    ridge.turn(auto_succeed=True)
    task, failing = ridge.add_task(), ridge.add_task()
    await deliver(fits_file(), task)
    await deliver(bytes(2880), failing)
    ridge.clock.advance(34.0)
    assert (
        await observer.get(f"/telescopes/{ridge.telescope_id}/tasks", params={"statuses": "Succeeded"})
    ).json() == []
    ridge.clock.advance(100.0)
    refused = await observer.put(f"/tasks/{task.id}", json={"status": "Succeeded"})
    assert refused.status_code == 409
    closed = ridge.world.tasks[task.id]
    assert closed.status is TaskStatus.SUCCEEDED
    assert (closed.updated_at - EVENING).total_seconds() == 35.0  # when the processing ended, not when we looked
    assert ridge.world.tasks[failing.id].status is TaskStatus.PENDING


async def test_by_default_the_task_waits_to_be_closed(
    observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker
) -> None:
    task = ridge.add_task()
    await deliver(fits_file(), task)
    ridge.clock.advance(100.0)
    assert (await observer.put(f"/tasks/{task.id}", json={"status": "Succeeded"})).status_code == 200


async def test_fov_and_sources_have_their_defaults(observer: Client, ridge: Ridge) -> None:
    plain = (await _ask(observer, "query", _wish(ridge))).json()["uploadId"]
    seen = await _status(observer, plain)
    assert (seen["fov"], seen["maxSources"], seen["taskId"]) == (1.8672, 50, None)
    chosen = (await _ask(observer, "body", _wish(ridge, fov=0.5, max_sources=7))).json()["uploadId"]
    seen = await _status(observer, chosen)
    assert (seen["fov"], seen["maxSources"]) == (0.5, 7)
