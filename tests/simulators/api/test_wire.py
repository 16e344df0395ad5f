"""The emulated API over a real socket: what a client without the emulator in its own process meets."""

from collections.abc import Iterator

import anyio
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


@pytest.mark.parametrize("style", ["post", "put"])
async def test_a_sender_that_vanishes_leaves_nothing_behind(
    served: str, ridge: Ridge, fits_file: CardMaker, style: str
) -> None:
    """As when the power of the station fails in the middle of a file; afterwards the file comes whole."""
    ridge.turn(upload_style=style)
    content = fits_file(pixels=64 * 6_400)
    wish = {"filename": "a.fits", "telescope_id": str(ridge.telescope_id), "file_size": len(content)}
    async with _client(served) as api, httpx.AsyncClient(trust_env=False) as storage:
        ticket = (await api.post("/my/images", params=wish)).json()
        if style == "put":
            fits = {"Content-Type": "application/fits"}
            whole = storage.build_request("PUT", ticket["uploadUrl"], content=content, headers=fits)
        else:
            whole = storage.build_request(
                "POST", ticket["uploadUrl"], data=ticket["fields"], files={"file": ("a.fits", content)}
            )
        head = "".join(f"{name}: {value}\r\n" for name, value in whole.headers.items())
        line = f"{whole.method} {whole.url.raw_path.decode()} HTTP/1.1\r\n"
        stream = await anyio.connect_tcp("127.0.0.1", whole.url.port or 80)
        await stream.send(f"{line}{head}\r\n".encode() + whole.read()[:300_000])
        with anyio.fail_after(20.0):
            while not list(ridge.world.uploads_folder.glob("*.part")):
                await anyio.sleep(0.01)
            await stream.aclose()
            while list(ridge.world.uploads_folder.iterdir()):
                await anyio.sleep(0.01)
        assert (await api.get(ticket.get("resultsUrl", ""))).json()["status"] == "PENDING"
        assert (await storage.send(whole)).status_code == 204
    (kept,) = ridge.world.uploads_folder.iterdir()
    assert kept.read_bytes() == content


async def test_the_night_goes_on_while_a_large_file_comes(served: str, ridge: Ridge, fits_file: CardMaker) -> None:
    """A heartbeat is answered between the pieces of a slow upload."""
    ridge.turn(upload_style="put")
    content = fits_file(pixels=64 * 640)
    wish = {"filename": "a.fits", "telescope_id": str(ridge.telescope_id), "file_size": len(content)}
    beats: list[int] = []

    async def pieces() -> object:
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]
            beats.append((await api.get("/my/account")).status_code)

    async with _client(served) as api, httpx.AsyncClient(trust_env=False) as storage:
        url = (await api.post("/my/images", params=wish)).json()["uploadUrl"]
        headers = {"Content-Type": "application/fits", "Content-Length": str(len(content))}
        assert (await storage.put(url, content=pieces(), headers=headers)).status_code == 204
    assert set(beats) == {200}
    assert len(beats) == -(-len(content) // 10_000)
