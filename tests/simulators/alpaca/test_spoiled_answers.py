"""Answers and pictures that a script of faults spoils on their way; what was called is done all the same."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import numpy as np
import pytest

from simulators.alpaca.app import alpaca_app
from simulators.clock import HandClock
from simulators.faults import Fault, FaultKind
from simulators.observatory import Observatory
from simulators.serving import Served
from tests.simulators.alpaca.asking import DUSK, Asking, an_observatory, asking

BYTES = {"Accept": "application/imagebytes, application/json"}
WHOLE = 44 + 2 * 96 * 64


def goes_wrong(here: Asking, kind: FaultKind, device: str, method: str = "*", **how: Any) -> Fault:
    fault = Fault(kind=kind, device=device, method=method, begins=here.now(), for_s=600.0, **how)
    here.observatory.faults.add(fault)
    return fault


@pytest.mark.parametrize(("http_status", "status"), [(None, 200), (502, 502)])
async def test_a_page_of_html_comes_instead_of_an_answer(http_status: int | None, status: int) -> None:
    async with asking() as here:
        await here.connect("dome/0")
        fault = goes_wrong(here, FaultKind.PAGE, "dome", "Azimuth", http_status=http_status)
        answer = await here.http.get("/api/v1/dome/0/azimuth")
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.text.startswith("<!DOCTYPE html>")
        assert here.observatory.faults.fired() == {fault: 1}
        assert await here.get("dome/0/slewing") is False


async def test_an_answer_breaks_off_and_what_was_called_is_done() -> None:
    async with asking() as here:
        await here.connect("dome/0")
        goes_wrong(here, FaultKind.BAD_JSON, "dome", "open")
        answer = await here.http.put("/api/v1/dome/0/openshutter", data={"ClientID": "1"})
        assert answer.status_code == 200
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            answer.json()
        assert await here.get("dome/0/shutterstatus") == 2


async def test_keys_come_in_the_wrong_case_and_numbers_of_another_call() -> None:
    async with asking() as here:
        await here.connect("dome/0", "focuser/0")
        goes_wrong(here, FaultKind.WRONG_CASE, "dome", "Azimuth")
        goes_wrong(here, FaultKind.WRONG_TRANSACTION, "focuser", "Position")
        wrong = (await here.http.get("/api/v1/dome/0/azimuth", params={"ClientTransactionID": 5})).json()
        assert "value" in wrong
        assert "Value" not in wrong
        assert wrong["clientTransactionID"] == 5
        other = (await here.http.get("/api/v1/focuser/0/position", params={"ClientTransactionID": 5})).json()
        assert other["ClientTransactionID"] == 6
        assert other["Value"] == 25_000


async def test_what_was_read_before_is_told_again_until_the_fault_is_over() -> None:
    async with asking() as here:
        await here.connect("focuser/0")
        assert await here.get("focuser/0/position") == 25_000
        goes_wrong(here, FaultKind.STALE, "focuser", "status")
        await here.put("focuser/0/move", Position=20_000)
        await anyio.sleep(60.0)
        assert await here.get("focuser/0/position") == 25_000
        assert await here.get("focuser/0/ismoving") is False
        await anyio.sleep(600.0)
        assert await here.get("focuser/0/position") == 20_000


async def test_stale_readings_of_two_switches_are_not_mixed_up() -> None:
    async with asking() as here:
        await here.connect("switch/0")
        values = [await here.get("switch/0/getswitchvalue", Id=number) for number in (0, 2)]
        goes_wrong(here, FaultKind.STALE, "switch", "GetSwitchValue")
        await here.put("switch/0/setasyncvalue", Id=2, Value=50.0)
        await anyio.sleep(10.0)
        assert [await here.get("switch/0/getswitchvalue", Id=number) for number in (0, 2)] == values


async def test_a_refusal_is_spoiled_like_any_answer() -> None:
    async with asking() as here:
        goes_wrong(here, FaultKind.WRONG_CASE, "dome", "Azimuth")
        answer = (await here.http.get("/api/v1/dome/0/azimuth")).json()
        assert answer["errorNumber"] == 0x407


async def picture(here: Asking, kind: FaultKind, **headers: str) -> httpx.Response:
    await here.connect("camera/0")
    await here.put("camera/0/startexposure", Duration=1.0, Light="True")
    await anyio.sleep(2.0)
    fault = goes_wrong(here, kind, "camera", "ImageArray")
    answer = await here.http.get("/api/v1/camera/0/imagearray", headers=headers)
    assert here.observatory.faults.fired() == {fault: 1}
    return answer


async def test_a_picture_has_lost_half_of_its_pixels_or_all_of_them() -> None:
    for kind, length in ((FaultKind.PICTURE_SHORT, WHOLE // 2), (FaultKind.PICTURE_EMPTY, 0)):
        async with asking() as here:
            answer = await picture(here, kind, **BYTES)
            assert answer.status_code == 200
            assert len(answer.content) == length
            assert answer.headers["content-type"] == "application/imagebytes"


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [
        (FaultKind.PICTURE_TYPE, 5, 99),
        (FaultKind.PICTURE_TYPE, 6, 99),
        (FaultKind.PICTURE_RANK, 7, 3),
        (FaultKind.PICTURE_SIZE, 8, 97),
    ],
)
async def test_a_picture_says_that_it_is_what_it_is_not(kind: FaultKind, place: int, value: int) -> None:
    async with asking() as here:
        answer = await picture(here, kind, **BYTES)
        header = struct.unpack("<11i", answer.content[:44])
        assert header[place] == value
        pixels = np.frombuffer(answer.content, "<u2", offset=44).reshape(96, 64).T
        assert np.array_equal(pixels, np.arange(96 * 64).reshape(64, 96))


async def test_a_picture_in_json_can_break_off_too_and_has_no_header_to_spoil() -> None:
    async with asking() as here:
        answer = await picture(here, FaultKind.PICTURE_SHORT)
        with pytest.raises(ValueError, match="Expecting"):
            answer.json()
    async with asking() as here:
        answer = await picture(here, FaultKind.PICTURE_SIZE)
        assert np.array(answer.json()["Value"]).shape == (96, 64)


@contextmanager
def served(observatory: Observatory) -> Iterator[httpx.Client]:
    with Served(alpaca_app(observatory)) as server, httpx.Client(base_url=server.url) as http:
        yield http


@pytest.mark.wire
def test_a_line_cut_in_the_middle_of_a_picture_is_cut_and_the_next_fetch_is_whole() -> None:
    clock = HandClock(DUSK)
    observatory = an_observatory(clock)
    client = {"ClientID": "1"}
    with served(observatory) as http:
        http.put("/api/v1/camera/0/connected", data={"Connected": "True", **client})
        http.put("/api/v1/camera/0/startexposure", data={"Duration": "1", "Light": "True", **client})
        clock.advance(2.0)
        observatory.faults.add(Fault(kind=FaultKind.PICTURE_CUT, device="camera", begins=clock.now(), for_s=10.0))
        with http.stream("GET", "/api/v1/camera/0/imagearray", headers=BYTES) as answer:
            assert int(answer.headers["content-length"]) == WHOLE
            with pytest.raises(httpx.RemoteProtocolError, match=f"received {WHOLE // 2} bytes"):
                answer.read()
        clock.advance(20.0)
        assert len(http.get("/api/v1/camera/0/imagearray", headers=BYTES).content) == WHOLE
