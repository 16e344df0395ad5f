"""Filter wheel, focuser, dome, safety monitor and weather station over Alpaca."""

import anyio
import pytest

from simulators.physics.camera import CameraSettings
from simulators.physics.filter_wheel import FilterWheelSettings
from simulators.physics.focuser import FocuserSettings
from tests.simulators.alpaca.asking import asking

NOT_IMPLEMENTED, INVALID_VALUE = 0x400, 0x401


async def test_a_wheel_says_minus_one_while_it_turns() -> None:
    async with asking() as here:
        await here.connect("filterwheel/0")
        assert await here.get("filterwheel/0/names") == ["Clear", "Red", "Green", "Blue"]
        assert await here.get("filterwheel/0/focusoffsets") == [0, 40, 25, -30]
        for slot in range(4):
            assert await here.put("filterwheel/0/position", Position=slot) == 0
            if slot:
                assert await here.get("filterwheel/0/position") == -1
            await anyio.sleep(1.1)
            assert await here.get("filterwheel/0/position") == slot
        for slot in (-1, 4):
            assert await here.put("filterwheel/0/position", Position=slot) == INVALID_VALUE


async def test_a_focuser_moves_to_its_ends_and_no_further() -> None:
    async with asking() as here:
        await here.connect("focuser/0")
        assert await here.get("focuser/0/absolute") is True
        last = await here.get("focuser/0/maxstep")
        for asked, reached in ((0, 0), (last // 2, last // 2), (last, last), (last + 10, last), (-10, 0)):
            assert await here.put("focuser/0/move", Position=asked) == 0
            while await here.get("focuser/0/ismoving"):
                await anyio.sleep(0.1)
            assert await here.get("focuser/0/position") == reached
        await here.put("focuser/0/move", Position=last)
        await anyio.sleep(2.0)
        await here.put("focuser/0/halt")
        await anyio.sleep(1.0)
        assert await here.get("focuser/0/ismoving") is False


async def test_a_dome_turns_opens_and_knows_where_it_is() -> None:
    async with asking() as here:
        await here.connect("dome/0")
        assert await here.get("dome/0/shutterstatus") == 1
        assert await here.get("dome/0/atpark") is True
        assert await here.put("dome/0/openshutter") == 0
        assert await here.get("dome/0/shutterstatus") == 2
        assert await here.get("dome/0/slewing") is True
        await anyio.sleep(21.0)
        assert await here.get("dome/0/shutterstatus") == 0
        for azimuth_deg in range(0, 360, 45):
            assert await here.put("dome/0/slewtoazimuth", Azimuth=azimuth_deg) == 0
            while await here.get("dome/0/slewing"):
                await anyio.sleep(0.5)
            assert await here.get("dome/0/azimuth") == pytest.approx(azimuth_deg, abs=1e-6)
        for azimuth_deg in (-10.0, 370.0):
            assert await here.put("dome/0/slewtoazimuth", Azimuth=azimuth_deg) == INVALID_VALUE
        assert await here.put("dome/0/setpark") == 0
        assert await here.put("dome/0/findhome") == 0
        await anyio.sleep(30.0)
        assert (await here.get("dome/0/athome"), await here.get("dome/0/atpark")) == (True, False)
        assert await here.put("dome/0/park") == 0
        assert await here.get("dome/0/atpark") is False
        await anyio.sleep(30.0)
        assert (await here.get("dome/0/athome"), await here.get("dome/0/atpark")) == (False, True)
        assert await here.get("dome/0/azimuth") == pytest.approx(315.0)
        assert await here.put("dome/0/slaved", Slaved="True") == NOT_IMPLEMENTED
        assert await here.put("dome/0/slewtoaltitude", Altitude=45.0) == NOT_IMPLEMENTED
        assert await here.put("dome/0/closeshutter") == 0
        await anyio.sleep(5.0)
        assert await here.put("dome/0/abortslew") == 0
        await anyio.sleep(1.0)
        assert await here.get("dome/0/slewing") is False
        assert await here.get("dome/0/shutterstatus") == 4


async def test_a_monitor_and_a_station_say_what_the_weather_is() -> None:
    async with asking() as here:
        await here.connect("safetymonitor/0", "observingconditions/0")
        assert await here.get("safetymonitor/0/issafe") is True
        assert 0.0 <= await here.get("observingconditions/0/humidity") <= 100.0
        assert await here.get("observingconditions/0/averageperiod") == 0.0
        assert await here.put("observingconditions/0/averageperiod", AveragePeriod=-2.0) == INVALID_VALUE
        assert await here.put("observingconditions/0/averageperiod", AveragePeriod=0.0) == 0
        assert await here.put("observingconditions/0/refresh") == 0
        assert await here.get("observingconditions/0/timesincelastupdate", SensorName="") == 0.0
        assert await here.get("observingconditions/0/timesincelastupdate", SensorName="WindGust") == 0.0
        assert "wind_gust" in await here.get("observingconditions/0/sensordescription", SensorName="windgust")
        unknown = await here.get("observingconditions/0/sensordescription", SensorName="Barometer")
        assert unknown == {"error": INVALID_VALUE}


async def test_there_may_be_two_of_a_type_each_with_a_mind_of_its_own() -> None:
    tiny = CameraSettings(width_px=8, height_px=6)
    pair = {
        "cameras": (tiny, CameraSettings(width_px=16, height_px=12)),
        "focusers": (FocuserSettings(), FocuserSettings(max_steps=1000, best_steps=500)),
        "filter_wheels": (FilterWheelSettings(), FilterWheelSettings()),
        "dome": None,
    }
    async with asking(**pair) as here:
        configured = (await here.http.get("/management/v1/configureddevices")).json()["Value"]
        numbered = [(device["DeviceType"], device["DeviceNumber"]) for device in configured]
        assert ("Camera", 1) in numbered
        assert ("Focuser", 1) in numbered
        assert ("Dome", 0) not in numbered
        assert (await here.http.get("/api/v1/dome/0/name")).status_code == 400
        await here.connect("camera/0", "camera/1", "focuser/1")
        assert await here.get("camera/1/cameraxsize") == 16
        await here.put("camera/1/startexposure", Duration=5.0, Light="True")
        assert await here.get("camera/0/camerastate") == 0
        assert await here.get("camera/1/camerastate") == 2
        assert await here.get("focuser/1/maxstep") == 1000
        assert await here.get("filterwheel/1/names") == {"error": 0x407}


async def test_a_focuser_that_follows_the_temperature_stays_in_focus_and_stops_where_it_was_led() -> None:
    async with asking() as here:
        await here.connect("focuser/0")
        begun_c = await here.get("focuser/0/temperature")
        begun = await here.get("focuser/0/position")
        assert await here.put("focuser/0/tempcomp", TempComp="True") == 0
        await anyio.sleep(7200.0)
        warmer_c = await here.get("focuser/0/temperature") - begun_c
        led = await here.get("focuser/0/position")
        assert abs(warmer_c) > 0.1
        assert led - begun == pytest.approx(-12.0 * warmer_c, abs=1.0)
        assert await here.get("focuser/0/ismoving") is False
        assert await here.put("focuser/0/move", Position=20_000) == 0
        assert await here.put("focuser/0/tempcomp", TempComp="False") == 0x40B  # not on its way
        await anyio.sleep(20.0)
        assert await here.get("focuser/0/position") == pytest.approx(20_000, abs=2)
        await anyio.sleep(7200.0)
        there = await here.get("focuser/0/position")
        assert await here.put("focuser/0/tempcomp", TempComp="False") == 0
        await anyio.sleep(7200.0)
        assert await here.get("focuser/0/position") == there


async def test_a_focuser_that_cannot_follow_the_temperature_says_so() -> None:
    async with asking(focusers=(FocuserSettings(can_compensate=False),)) as here:
        await here.connect("focuser/0")
        assert await here.get("focuser/0/tempcompavailable") is False
        for on in ("True", "False"):
            assert await here.put("focuser/0/tempcomp", TempComp=on) == NOT_IMPLEMENTED
