"""What leaves the station: within the limit, a little at a time, never before small calls, and never for ever."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.client import CitraApi, open_api
from bridge.api.models import UploadTicket
from bridge.api.uplink import Uplink
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable


@pytest.mark.parametrize("at_once", [1, 3])
async def test_however_many_send_together_no_more_leaves_than_is_allowed(at_once: int) -> None:
    uplink, left = Uplink(8.0), list[tuple[float, int]]()  # a megabyte a second

    async def send() -> None:
        for _ in range(40):
            await uplink.take(uplink.piece_bytes)
            left.append((anyio.current_time(), uplink.piece_bytes))

    began_s = anyio.current_time()
    async with anyio.create_task_group() as group:
        for _ in range(at_once):
            group.start_soon(send)
    assert anyio.current_time() - began_s == pytest.approx((at_once * 40 - 1) * 0.25)
    for first_s, _ in left:
        within_a_second = sum(count for at_s, count in left if first_s <= at_s < first_s + 1.0)
        assert within_a_second <= 1_000_000


async def test_a_pause_saves_nothing_up() -> None:
    uplink = Uplink(8.0)
    await anyio.sleep(100.0)
    began_s = anyio.current_time()
    for _ in range(5):
        await uplink.take(uplink.piece_bytes)
    assert anyio.current_time() - began_s == pytest.approx(1.0)


@given(st.one_of(st.none(), st.floats(0.2, 1e6)))
def test_a_piece_is_a_quarter_of_a_second_of_the_line_and_no_more_than_a_cache_holds(
    at_most_mbit_s: float | None,
) -> None:
    piece_bytes = Uplink(at_most_mbit_s).piece_bytes
    assert 1 <= piece_bytes <= 1 << 18
    if at_most_mbit_s is not None:
        assert piece_bytes * 8.0 <= at_most_mbit_s * 0.25e6


async def test_the_setting_holds_for_frames_and_small_calls_go_meanwhile(platform: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(bytes(2880 * 200))
    size_bytes = path.stat().st_size
    platform.settings = platform.settings.model_copy(update={"max_upload_mbit_s": 0.5})
    async with platform.open() as api:
        ticket = await api.uploads.initiate(path.name, size_bytes, task_id="")
        began_s, answered_s = anyio.current_time(), list[float]()
        async with anyio.create_task_group() as group:
            group.start_soon(api.storage.send, ticket, path, size_bytes)
            for _ in range(5):
                await anyio.sleep(1.0)
                await api.station.account()
                answered_s.append(anyio.current_time() - began_s)
    took_s = anyio.current_time() - began_s
    assert size_bytes * 8.0 / 0.5e6 - 0.3 <= took_s <= size_bytes * 8.0 / 0.5e6 + 1.0
    assert answered_s == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])
    (upload,) = platform.world.uploads.values()
    assert upload.stored is not None


class Trickle(httpx.AsyncBaseTransport):
    """A server that answers a byte every four seconds, so that no silence is ever long."""

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await anyio.sleep(4.0)
                yield b" "

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if isinstance(request.stream, httpx.AsyncByteStream):
            async for _ in request.stream:
                pass
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=self.Body(), request=request)


async def test_an_answer_that_trickles_ends_at_the_deadline(platform: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(bytes(2880))
    ticket = UploadTicket(uploadId=str(platform.station_id), uploadUrl="http://127.0.0.1:8080/_storage/x", method="PUT")
    clock, telemetry = platform.clock, platform.telemetry
    async with open_api(platform.settings, clock=clock, telemetry=telemetry, transport=Trickle()) as api:
        began_s = anyio.current_time()
        with pytest.raises(ApiUnreachable, match="no whole answer within 60 s"):
            await api.tasking.report(str(platform.station_id), "Succeeded", closes=clock.now())
        assert anyio.current_time() - began_s <= 61.0
        began_s = anyio.current_time()
        with pytest.raises(ApiUnreachable, match="not done within 120 s"):
            await api.storage.send(ticket, path, 2880)
        assert anyio.current_time() - began_s <= 121.0


async def test_a_storage_that_answers_without_end_is_cut_off(api: CitraApi, platform: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(bytes(2880))
    ticket = await api.uploads.initiate(path.name, 2880, task_id="")
    platform.wire.instead["POST /_storage"] = (200, {}, bytes(2 << 20))
    with pytest.raises(ApiContractBroken, match="longer than 1 MiB"):
        await api.storage.send(ticket, path, 2880)


async def test_a_ticket_that_is_too_old_is_not_tried_in_another_way(
    api: CitraApi, platform: Any, tmp_path: Path
) -> None:
    """A large frame would go out twice for nothing."""
    path = tmp_path / "a.fits"
    path.write_bytes(bytes(2880))
    platform.turn(upload_link_lasts_s=0.0)
    ticket = await api.uploads.initiate(path.name, 2880, task_id="")
    with pytest.raises(ApiRejected, match="expired"):
        await api.storage.send(ticket, path, 2880)
    assert len(platform.wire.calls("POST /_storage")) == 1


@pytest.mark.parametrize(("header", "pause_s"), [("17", 17.0), ("Tue, 21 Apr 2026 03:01:30 GMT", 90.0), ("soon", 0.0)])
async def test_the_pause_a_storage_asks_for_is_heard(
    api: CitraApi, platform: Any, tmp_path: Path, header: str, pause_s: float
) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(bytes(2880))
    ticket = await api.uploads.initiate(path.name, 2880, task_id="")
    platform.wire.instead["POST /_storage"] = (503, {"retry-after": header}, b"<Error><Code>SlowDown</Code></Error>")
    with pytest.raises(ApiUnreachable, match="SlowDown") as caught:
        await api.storage.send(ticket, path, 2880)
    assert caught.value.retry_after_s == pytest.approx(pause_s, abs=1.0)
