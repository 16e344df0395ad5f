"""The camera over Alpaca: when settings are judged, what a picture looks like on the wire."""

import json
import struct
from datetime import datetime, timedelta

import anyio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.alpaca.imagebytes import Transaction, image_bytes, image_json
from simulators.physics.camera import CameraSettings
from tests.simulators.alpaca.asking import Asking, PlainSky, asking

CAMERA = "camera/0"
INVALID_VALUE, INVALID_OPERATION, NOT_IMPLEMENTED = 0x401, 0x40B, 0x400
IMAGE_BYTES = {"Accept": "application/imagebytes, application/json"}


async def expose(here: Asking, exposure_s: float = 1.0) -> None:
    assert await here.put(f"{CAMERA}/startexposure", Duration=exposure_s, Light="True") == 0
    while not await here.get(f"{CAMERA}/imageready"):
        await anyio.sleep(0.05)


async def picture(here: Asking) -> np.ndarray:
    answer = await here.http.get(f"/api/v1/{CAMERA}/imagearray", headers=IMAGE_BYTES)
    assert answer.headers["content-type"] == "application/imagebytes"
    header = struct.unpack("<11i", answer.content[:44])
    assert header[:2] == (1, 0)
    assert header[4:8] == (44, 2, 8, 2)
    return np.frombuffer(answer.content, "<u2", offset=44).reshape(header[8], header[9]).T


async def test_an_exposure_begins_at_once_and_its_picture_is_ready_after_the_readout() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        assert await here.get(f"{CAMERA}/imageready") is False
        assert await here.get(f"{CAMERA}/imagearray") == {"error": INVALID_OPERATION}
        assert await here.get(f"{CAMERA}/lastexposureduration") == {"error": INVALID_OPERATION}
        assert await here.get(f"{CAMERA}/lastexposurestarttime") == {"error": INVALID_OPERATION}
        began = here.now()
        assert await here.put(f"{CAMERA}/startexposure", Duration=2.0, Light="True") == 0
        assert await here.get(f"{CAMERA}/camerastate") == 2
        assert await here.put(f"{CAMERA}/startexposure", Duration=2.0, Light="True") == INVALID_OPERATION
        await anyio.sleep(1.0)
        assert await here.get(f"{CAMERA}/percentcompleted") == 50
        await anyio.sleep(1.1)
        assert await here.get(f"{CAMERA}/camerastate") == 3
        assert await here.get(f"{CAMERA}/imageready") is False
        await anyio.sleep(0.41)
        assert await here.get(f"{CAMERA}/camerastate") == 0
        assert await here.get(f"{CAMERA}/imageready") is True
        assert await here.get(f"{CAMERA}/lastexposureduration") == 2.0
        started_at = datetime.fromisoformat(await here.get(f"{CAMERA}/lastexposurestarttime") + "+00:00")
        assert started_at - began < timedelta(milliseconds=1)


async def test_a_picture_comes_upright_as_bytes_and_as_json() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        await expose(here)
        pixels = await picture(here)
        assert np.array_equal(pixels, np.arange(96 * 64).reshape(64, 96))
        answer = (await here.http.get(f"/api/v1/{CAMERA}/imagearray", params={"ClientTransactionID": 8})).json()
        assert (answer["Type"], answer["Rank"], answer["ClientTransactionID"]) == (2, 2, 8)
        assert np.array_equal(np.array(answer["Value"]).T, pixels)


async def test_an_error_comes_as_json_to_who_wants_bytes_too() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        answer = await here.http.get(f"/api/v1/{CAMERA}/imagearray", headers=IMAGE_BYTES)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["ErrorNumber"] == INVALID_OPERATION


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**31 - 1))
def test_a_picture_of_any_size_survives_the_wire(width: int, height: int, transaction: int) -> None:
    pixels = np.random.default_rng(width * height).integers(0, 65_536, (height, width)).astype(np.uint16)
    content = image_bytes(pixels[::-1], Transaction(client=transaction, server=3))
    header = struct.unpack("<11i", content[:44])
    assert header == (1, 0, transaction, 3, 44, 2, 8, 2, width, height, 0)
    assert np.array_equal(np.frombuffer(content, "<u2", offset=44).reshape(width, height), pixels[::-1].T)
    assert json.loads(image_json(pixels, Transaction(client=1, server=2)))["Value"] == pixels.T.tolist()


async def test_a_corner_is_judged_when_the_exposure_starts() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        for name, value in (("NumX", 97), ("NumY", 65), ("StartX", 96), ("StartY", -1), ("NumX", 0)):
            assert await here.put(f"{CAMERA}/{name.lower()}", **{name: value}) == 0
            assert await here.get(f"{CAMERA}/{name.lower()}") == value
            assert await here.put(f"{CAMERA}/startexposure", Duration=0.1, Light="True") == INVALID_VALUE
            whole = {"NumX": 96, "NumY": 64, "StartX": 0, "StartY": 0}[name]
            await here.put(f"{CAMERA}/{name.lower()}", **{name: whole})
        await expose(here, 0.1)


@pytest.mark.parametrize("binning", [1, 2, 3, 4])
async def test_quarter_frames_of_every_binning_are_the_right_part_of_the_whole(binning: int) -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        assert await here.put(f"{CAMERA}/binx", BinX=binning) == 0
        assert await here.get(f"{CAMERA}/biny") == binning
        width, height = 96 // binning, 64 // binning
        whole = np.arange(width * height).reshape(height, width)
        for start_x, start_y in ((0, 0), (width // 2, 0), (0, height // 2), (width // 2, height // 2)):
            corner = {"StartX": start_x, "StartY": start_y, "NumX": width // 2, "NumY": height // 2}
            for name, value in corner.items():
                await here.put(f"{CAMERA}/{name.lower()}", **{name: value})
            await expose(here, 0.1)
            part = whole[start_y : start_y + height // 2, start_x : start_x + width // 2]
            assert np.array_equal(await picture(here), part)


async def test_what_the_camera_cannot_do_is_refused() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        for name, values in (("BinX", (0, 5)), ("BinY", (0, 5)), ("ReadoutMode", (-1, 2)), ("Gain", (-1, 301))):
            for value in values:
                assert await here.put(f"{CAMERA}/{name.lower()}", **{name: value}) == INVALID_VALUE
        for temperature_c in (-280.0, 101.0):
            refused = await here.put(f"{CAMERA}/setccdtemperature", SetCCDTemperature=temperature_c)
            assert refused == INVALID_VALUE
        assert await here.put(f"{CAMERA}/startexposure", Duration=-1.0, Light="True") == INVALID_VALUE
        assert await here.get(f"{CAMERA}/fastreadout") == {"error": NOT_IMPLEMENTED}
        assert await here.put(f"{CAMERA}/pulseguide", Direction=4, Duration=10) == INVALID_VALUE


async def test_gain_and_offset_are_values_between_their_limits() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        for name in ("Gain", "Offset"):
            lowest = await here.get(f"{CAMERA}/{name.lower()}min")
            highest = await here.get(f"{CAMERA}/{name.lower()}max")
            for value in (lowest, highest):
                assert await here.put(f"{CAMERA}/{name.lower()}", **{name: value}) == 0
                assert await here.get(f"{CAMERA}/{name.lower()}") == value
            assert await here.get(f"{CAMERA}/{name.lower()}s") == {"error": NOT_IMPLEMENTED}


async def test_an_abort_leaves_no_picture() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        await here.put(f"{CAMERA}/startexposure", Duration=10.0, Light="True")
        await anyio.sleep(3.0)
        assert await here.put(f"{CAMERA}/abortexposure") == 0
        assert await here.get(f"{CAMERA}/camerastate") == 0
        await anyio.sleep(20.0)
        assert await here.get(f"{CAMERA}/imageready") is False


async def test_a_stopped_exposure_gives_the_picture_of_the_time_it_had() -> None:
    sky = PlainSky()
    async with asking(sky) as here:
        await here.connect(CAMERA)
        assert await here.put(f"{CAMERA}/stopexposure") == 0
        await here.put(f"{CAMERA}/startexposure", Duration=100.0, Light="True")
        await anyio.sleep(4.0)
        assert await here.put(f"{CAMERA}/stopexposure") == 0
        assert await here.get(f"{CAMERA}/camerastate") == 3
        await anyio.sleep(0.6)
        assert await here.get(f"{CAMERA}/imageready") is True
        assert (await picture(here)).shape == (64, 96)
        assert await here.get(f"{CAMERA}/lastexposureduration") == pytest.approx(4.0, abs=1e-3)
        assert sky.looks[-1].exposure_s == pytest.approx(4.0, abs=1e-3)


async def test_the_last_exposure_is_told_of_while_the_next_one_is_under_way() -> None:
    async with asking() as here:
        await here.connect(CAMERA)
        await expose(here, 2.0)
        await here.put(f"{CAMERA}/startexposure", Duration=100.0, Light="True")
        assert await here.get(f"{CAMERA}/lastexposureduration") == 2.0
        assert await here.get(f"{CAMERA}/imagearray") == {"error": INVALID_OPERATION}
        await here.put(f"{CAMERA}/abortexposure")
        assert await here.get(f"{CAMERA}/lastexposureduration") == 2.0


async def test_gains_with_names_are_told_by_number_and_have_no_limits() -> None:
    named = CameraSettings(width_px=96, height_px=64, gain_names=("Low", "Medium", "High"), max_gain=300)
    async with asking(cameras=(named,)) as here:
        await here.connect(CAMERA)
        assert await here.get(f"{CAMERA}/gains") == ["Low", "Medium", "High"]
        electrons = []
        for number in range(3):
            assert await here.put(f"{CAMERA}/gain", Gain=number) == 0
            assert await here.get(f"{CAMERA}/gain") == number
            electrons.append(await here.get(f"{CAMERA}/electronsperadu"))
        assert electrons == sorted(electrons, reverse=True)
        assert await here.put(f"{CAMERA}/gain", Gain=3) == INVALID_VALUE
        assert await here.get(f"{CAMERA}/gainmax") == {"error": NOT_IMPLEMENTED}
        assert await here.get(f"{CAMERA}/gainmin") == {"error": NOT_IMPLEMENTED}
        assert await here.get(f"{CAMERA}/offsets") == {"error": NOT_IMPLEMENTED}


@pytest.mark.parametrize("by_flag", [False, True])
async def test_a_fast_readout_is_fast_and_chosen_by_mode_or_by_flag(by_flag: bool) -> None:
    settings = CameraSettings(width_px=96, height_px=64, readout_s=10.0, fast_flag=by_flag)
    async with asking(cameras=(settings,)) as here:
        await here.connect(CAMERA)
        assert await here.get(f"{CAMERA}/canfastreadout") is by_flag
        lacking = "readoutmodes" if by_flag else "fastreadout"
        assert await here.get(f"{CAMERA}/{lacking}") == {"error": NOT_IMPLEMENTED}
        took_s = []
        for fast in (False, True):
            if by_flag:
                assert await here.put(f"{CAMERA}/fastreadout", FastReadout=fast) == 0
                assert await here.get(f"{CAMERA}/fastreadout") is fast
            else:
                assert await here.put(f"{CAMERA}/readoutmode", ReadoutMode=int(fast)) == 0
                assert await here.get(f"{CAMERA}/readoutmode") == int(fast)
            began = here.now()
            await expose(here, 1.0)
            took_s.append((here.now() - began).total_seconds())
        assert took_s == [pytest.approx(11.0, abs=0.1), pytest.approx(3.0, abs=0.1)]


async def test_the_guide_port_moves_a_mount_that_tracks_and_closes_for_as_long_as_it_was_told() -> None:
    async with asking() as here:
        await here.connect(CAMERA, "telescope/0")
        assert await here.put(f"{CAMERA}/pulseguide", Direction=0, Duration=2000) == 0  # parked: nothing follows
        assert await here.get(f"{CAMERA}/ispulseguiding") is True
        await anyio.sleep(2.01)
        assert await here.get(f"{CAMERA}/ispulseguiding") is False
        await here.put("telescope/0/unpark")
        await here.put("telescope/0/tracking", Tracking="True")
        rate_deg_s = await here.get("telescope/0/guideratedeclination")
        ra_h = (await here.get("telescope/0/siderealtime") - 2.0) % 24.0
        await here.put("telescope/0/slewtocoordinates", RightAscension=ra_h, Declination=20.0)
        for direction, sense in ((0, 1.0), (1, -1.0)):
            before_deg = await here.get("telescope/0/declination")
            await here.put(f"{CAMERA}/pulseguide", Direction=direction, Duration=2000)
            await anyio.sleep(2.5)
            moved_deg = await here.get("telescope/0/declination") - before_deg
            assert moved_deg == pytest.approx(sense * 2.0 * rate_deg_s, abs=1e-5)
