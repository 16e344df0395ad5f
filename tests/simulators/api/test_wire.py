"""The emulated API over a real socket: what a client without the emulator in its own process meets."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from simulators.serving import Served

from .conftest import CardMaker, Ridge

pytestmark = pytest.mark.wire


@pytest.fixture
def served(app: Starlette) -> Iterator[str]:
    with Served(app) as server:
        yield server.url


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer ridge-token"}, trust_env=False)


@pytest.mark.parametrize("style", ["post", "put"])
async def test_a_frame_of_eight_megabytes_goes_from_asking_to_completed(
    served: str, ridge: Ridge, fits_file: CardMaker, style: str
) -> None:
    ridge.turn(upload_style=style)
    task = ridge.add_task()
    content = fits_file(pixels=64 * 65_536, TASKID=f"'{task.id}'")
    wish = {
        "filename": "frame.fits",
        "telescope_id": str(ridge.telescope_id),
        "file_size": len(content),
        "task_id": str(task.id),
    }
    async with _client(served) as api, httpx.AsyncClient(trust_env=False) as storage:
        initiated = (await api.post("/my/images", params=wish, json=wish)).json()
        assert initiated["uploadUrl"].startswith(served + "/_storage/")
        if style == "put":
            fits = {"Content-Type": "application/fits"}
            sent = await storage.put(initiated["uploadUrl"], content=content, headers=fits)
        else:
            files = {"file": ("frame.fits", content, "application/fits")}
            sent = await storage.post(initiated["uploadUrl"], data=initiated["fields"], files=files)
        assert sent.status_code == 204
        ridge.clock.advance(60.0)
        seen = (await api.get(initiated["resultsUrl"])).json()
        assert (seen["status"], seen["detail"]) == ("COMPLETED", None)
    assert (ridge.world.uploads_folder / f"{initiated['uploadId']}.fits").read_bytes() == content
    assert ridge.world.journal.entries[1].body_bytes >= len(content)


async def test_a_refused_upload_is_answered_and_not_cut_off(served: str, ridge: Ridge, fits_file: CardMaker) -> None:
    content = fits_file(pixels=64 * 65_536)
    wish = {"filename": "a.fits", "telescope_id": str(ridge.telescope_id), "file_size": len(content)}
    async with _client(served) as api, httpx.AsyncClient(trust_env=False) as storage:
        initiated = (await api.post("/my/images", params=wish)).json()
        fields = initiated["fields"] | {"policy": "altered"}
        sent = await storage.post(initiated["uploadUrl"], data=fields, files={"file": ("a.fits", content)})
    assert sent.status_code == 403
    assert "policy" in sent.text


async def test_a_reset_is_a_broken_connection(served: str, ridge: Ridge) -> None:
    task = ridge.add_task()
    async with _client(served) as api:
        ridge.turn(faults=[{"kind": "reset", "method": "PUT"}])
        with pytest.raises(httpx.TransportError):
            await api.put(f"/tasks/{task.id}", json={"status": "Succeeded"})
        (found,) = (await api.get(f"/telescopes/{ridge.telescope_id}/tasks")).json()
    assert found["status"] == "Succeeded"


async def test_a_slow_answer_is_given_up_and_the_next_is_quick(served: str, ridge: Ridge) -> None:
    ridge.turn(faults=[{"kind": "slow", "seconds": 2.0, "path": "/my/*"}])
    async with _client(served) as api:
        with pytest.raises(httpx.ReadTimeout):
            await api.get("/my/account", timeout=0.3)
        assert (await api.get("/telescopes")).status_code == 200


async def test_a_chunked_file_is_refused_as_the_real_storage_does(served: str, ridge: Ridge) -> None:
    ridge.turn(upload_style="put")

    async def chunks() -> object:
        yield bytes(2880)

    wish = {"filename": "a.fits", "telescope_id": str(ridge.telescope_id), "file_size": 2880}
    async with _client(served) as api, httpx.AsyncClient(trust_env=False) as storage:
        url = (await api.post("/my/images", params=wish)).json()["uploadUrl"]
        sent = await storage.put(url, content=chunks(), headers={"Content-Type": "application/fits"})
    assert sent.status_code == 411
