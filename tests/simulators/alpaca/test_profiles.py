"""The server as somebody else: OmniSim's habits, and those of INDI's own Alpaca server."""

import struct
import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import pytest

from simulators.alpaca.profiles import Profile
from simulators.scenario import UnreadableScenario, read_scenario
from tests.simulators.alpaca.asking import Asking, asking

SCOPE, CAMERA = "telescope/0", "camera/0"
INVALID_VALUE, NOT_IMPLEMENTED = 0x401, 0x400


async def tracking(here: Asking) -> None:
    await here.connect(SCOPE)
    await here.put(f"{SCOPE}/unpark")
    await here.put(f"{SCOPE}/tracking", Tracking="True")


async def bad(here: Asking, member: str) -> bool:
    """Whether it is answered with status 400 and an error in JSON."""
    answer = await here.http.get(f"/api/v1/{member}", params={"ClientTransactionID": 7})
    return answer.status_code == 400 and answer.json()["ErrorNumber"] == NOT_IMPLEMENTED


async def test_omnisim_has_a_gap_between_its_slow_and_its_fast_rates() -> None:
    async with asking(profile=Profile.OMNISIM) as here:
        await tracking(here)
        slow, fast = await here.get(f"{SCOPE}/axisrates", Axis=0)
        assert slow == {"Minimum": 0.0, "Maximum": pytest.approx(4.0 / 3.0)}
        assert fast == {"Minimum": 2.0, "Maximum": 4.0}
        for rate, refusal in ((1.0, 0), (1.5, INVALID_VALUE), (-1.9, INVALID_VALUE), (-3.0, 0), (4.1, INVALID_VALUE)):
            assert await here.put(f"{SCOPE}/moveaxis", Axis=1, Rate=rate) == refusal
            assert await here.put(f"{SCOPE}/moveaxis", Axis=1, Rate=0.0) == 0


async def test_omnisim_moves_in_steps_of_a_tenth_of_a_second() -> None:
    async with asking(profile=Profile.OMNISIM) as here:
        await tracking(here)
        await here.put(f"{SCOPE}/moveaxis", Axis=1, Rate=1.0)
        await anyio.sleep(2.0)
        seen = []
        for _ in range(100):
            seen.append(await here.get(f"{SCOPE}/declination"))
            await anyio.sleep(0.02)
        assert 18 <= len(set(seen)) <= 22


@pytest.mark.parametrize(
    "member",
    [
        "telescope/0/trackingrates",
        "telescope/0/utcdate",
        "telescope/0/siderealtime",
        "telescope/0/devicestate",
        "telescope/0/supportedactions",
        "telescope/0/connecting",
        "camera/0/bayeroffsetx",
        "dome/0/altitude",
    ],
)
async def test_what_indi_has_not_is_a_bad_request_in_json(member: str) -> None:
    async with asking(profile=Profile.INDI_BRIDGE) as here:
        await here.connect(SCOPE, CAMERA, "dome/0")
        assert await bad(here, member)


async def test_indi_takes_any_word_for_connected_and_any_case_for_a_parameter() -> None:
    async with asking(profile=Profile.INDI_BRIDGE) as here:
        for word in ("perhaps", "123456", ""):
            assert await here.put(f"{SCOPE}/connected", Connected=word) == 0
        assert await here.get(f"{SCOPE}/connected") is True
        assert await here.put(f"{SCOPE}/unpark") == 0
        assert await here.put(f"{SCOPE}/tracking", tRACKING="true") == 0
        assert await here.get(f"{SCOPE}/interfaceversion") == 1


async def test_indi_says_that_it_has_arrived_while_it_is_on_its_way() -> None:
    async with asking(profile=Profile.INDI_BRIDGE) as here:
        await tracking(here)
        sidereal_h = here.observatory.ground.sidereal_time_deg(here.now()) / 15.0
        place = {"RightAscension": (sidereal_h - 2.0) % 24.0, "Declination": 20.0}
        assert await here.put(f"{SCOPE}/slewtocoordinatesasync", **place) == 0
        assert await here.get(f"{SCOPE}/slewing") is False
        first = await here.get(f"{SCOPE}/declination")
        await anyio.sleep(5.0)
        assert await here.get(f"{SCOPE}/declination") != first
        assert await here.get(f"{SCOPE}/slewing") is False
        await anyio.sleep(60.0)
        assert await here.get(f"{SCOPE}/declination") == pytest.approx(20.0, abs=1e-3)


async def test_indi_ignores_rates_and_tells_its_own_units() -> None:
    async with asking(profile=Profile.INDI_BRIDGE) as here:
        await tracking(here)
        assert await here.put(f"{SCOPE}/rightascensionrate", RightAscensionRate=3.0) == 0
        assert await here.put(f"{SCOPE}/declinationrate", DeclinationRate=30.0) == 0
        assert await here.get(f"{SCOPE}/rightascensionrate") == pytest.approx(15.041, abs=0.001)
        before = await here.get(f"{SCOPE}/declination")
        await anyio.sleep(100.0)
        assert await here.get(f"{SCOPE}/declination") == pytest.approx(before, abs=1e-6)


async def test_indi_sends_pictures_as_32_bit_integers_and_knows_no_modes() -> None:
    async with asking(profile=Profile.INDI_BRIDGE) as here:
        await here.connect(CAMERA)
        assert await here.get(f"{CAMERA}/readoutmodes") == []
        assert await here.get(f"{CAMERA}/maxbinx") == 1
        await here.put(f"{CAMERA}/startexposure", Duration=1.0, Light="True")
        await anyio.sleep(2.0)
        answer = await here.http.get(f"/api/v1/{CAMERA}/imagearray", headers={"Accept": "application/imagebytes"})
        header = struct.unpack("<11i", answer.content[:44])
        assert header[5:10] == (2, 2, 2, 96, 64)
        assert len(answer.content) == 44 + 4 * 96 * 64
        assert struct.unpack_from("<2i", answer.content, 44) == (0, 96)


async def test_whoever_it_is_its_pages_can_be_seen() -> None:
    for profile in Profile:
        async with asking(profile=profile) as here:
            await here.connect(SCOPE)
            start = await here.http.get("/setup")
            assert start.status_code == 200
            assert start.text.count("/setup/v1/") == 10
            page = await here.http.get("/setup/v1/telescope/0/setup")
            assert page.headers["content-type"].startswith("text/html")
            assert "Declination" in page.text
            assert "<td>mount</td>" in page.text
            assert (await here.http.get("/setup/v1/telescope/1/setup")).status_code == 400


SITE = "[site]\nlatitude_deg = 28.3\nlongitude_deg = -16.5\nelevation_m = 2390.0\n"


@pytest.mark.parametrize("profile", list(Profile))
def test_a_scenario_says_as_whom_it_is_served(profile: Profile, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'profile = "{profile}"\n{SITE}', encoding="utf-8")
    assert read_scenario(str(file)).profile is profile
    file.write_text(f'profile = "ascom"\n{SITE}', encoding="utf-8")
    with pytest.raises(UnreadableScenario, match="profile = ascom: "):
        read_scenario(str(file))


@pytest.mark.wire
def test_the_command_line_says_as_whom_it_serves() -> None:
    command = [sys.executable, "-m", "simulators", "observatory", "--port", "0", "--no-discovery"]
    with subprocess.Popen([*command, "--profile", "indi-bridge"], stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            address = serving.stdout.readline().split()[-1]
            answer = httpx.get(f"http://{address}/api/v1/telescope/0/interfaceversion")
            assert answer.json()["Value"] == 1
        finally:
            serving.terminate()
