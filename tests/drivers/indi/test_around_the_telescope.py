"""Wheel, focuser, rotator, cover and light over INDI, and drivers of them that do not do as they say."""

import anyio
import pytest

from drivers import connect
from drivers.accessories import CoverState, LightState
from drivers.errors import Malfunction, Refused, TimedOut
from tests.drivers.indi.fake_indi import (
    FakeDevice,
    FakeProperty,
    Reaction,
    Values,
    busy_forever,
    obey,
    refuse,
    slowly,
    spring_back,
)
from tests.drivers.indi.things import a_device, connected, later

# Filter wheel


def a_wheel(reaction: Reaction) -> FakeDevice:
    names = {"FILTER_SLOT_NAME_1": "Red", "FILTER_SLOT_NAME_2": "Green", "FILTER_SLOT_NAME_3": "Hα & OIII"}
    slot = FakeProperty("Number", "FILTER_SLOT", {"FILTER_SLOT_VALUE": 1.0}, state="Ok", limits=(1.0, 3.0))
    return a_device(slot, FakeProperty("Text", "FILTER_NAME", names), FILTER_SLOT=reaction)


async def test_filters_are_named_from_one_and_turn_in_their_time() -> None:
    fake = a_wheel(slowly(2.0))
    async with connected(connect.connect_filter_wheel, fake) as wheel:
        assert wheel.capabilities.filter_names == ("Red", "Green", "Hα & OIII")
        await wheel.select("Hα & OIII")
        assert fake.commands[-1] == ("FILTER_SLOT", {"FILTER_SLOT_VALUE": 3.0})
        assert await wheel.selected() == "Hα & OIII"
        fake.tell(fake.also["FILTER_SLOT"], state="Busy")
        await anyio.sleep(0.01)
        assert await wheel.selected() is None


async def test_a_wheel_that_jams_says_so_and_one_in_no_slot_is_broken() -> None:
    fake = a_wheel(refuse("filter wheel jammed"))
    async with connected(connect.connect_filter_wheel, fake) as wheel:
        with pytest.raises(Refused, match="jammed"):
            await wheel.select("Green")
        fake.tell(fake.also["FILTER_SLOT"], state="Ok", FILTER_SLOT_VALUE=9.0)
        await anyio.sleep(0.01)
        with pytest.raises(Malfunction, match="slot 9 of 1 to 3"):
            await wheel.selected()


async def test_a_wheel_that_turns_for_ever_is_given_up() -> None:
    async with connected(connect.connect_filter_wheel, a_wheel(busy_forever)) as wheel:
        with pytest.raises(TimedOut, match="select filter 'Green'"):
            await wheel.select("Green")


# Focuser


def a_focuser(reaction: Reaction, *also: FakeProperty) -> FakeDevice:
    place = FakeProperty("Number", "ABS_FOCUS_POSITION", {"FOCUS_ABSOLUTE_POSITION": 1000.0}, limits=(0.0, 5000.0))
    abort = FakeProperty("Switch", "FOCUS_ABORT_MOTION", {"ABORT": False}, rule="AtMostOne")
    return a_device(place, abort, *also, ABS_FOCUS_POSITION=reaction, FOCUS_ABORT_MOTION=spring_back)


async def test_a_focuser_that_answers_only_when_it_is_there_is_waited_for() -> None:
    def synchronous(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.describe = lambda _: None  # type: ignore[method-assign]
        later(60.0, lambda: device.tell(prop, state="Ok", **values))

    async with connected(connect.connect_focuser, a_focuser(synchronous)) as focuser:
        assert focuser.capabilities.max_position_steps == 5000
        await focuser.move_to(4000)
        assert (await focuser.status()).position_steps == 4000


async def test_a_focuser_that_stops_short_is_blocked() -> None:
    def short(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Busy")
        later(1.0, lambda: device.tell(prop, state="Ok", FOCUS_ABSOLUTE_POSITION=1500.0))

    async with connected(connect.connect_focuser, a_focuser(short)) as focuser:
        with pytest.raises(Malfunction, match="stopped at 1500"):
            await focuser.move_to(4000)


async def test_a_cancelled_focuser_is_stopped() -> None:
    fake = a_focuser(busy_forever)

    def stop(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        spring_back(device, prop, values)
        device.tell(device.also["ABS_FOCUS_POSITION"], state="Ok", FOCUS_ABSOLUTE_POSITION=2000.0)

    fake.reactions["FOCUS_ABORT_MOTION"] = stop
    async with connected(connect.connect_focuser, fake) as focuser:
        with anyio.move_on_after(3.0):
            await focuser.move_to(4000)
        assert fake.times("FOCUS_ABORT_MOTION") == 1
        assert (await focuser.status()).position_steps == 2000
        for steps in (-1, 5001):
            with pytest.raises(Refused, match="0 to 5000"):
                await focuser.move_to(steps)


# Rotator


async def test_a_rotator_turns_wraps_and_says_when_its_sync_was_not_taken() -> None:
    angle = FakeProperty("Number", "ABS_ROTATOR_ANGLE", {"ANGLE": 350.0}, limits=(0.0, 360.0))
    sync = FakeProperty("Number", "SYNC_ROTATOR_ANGLE", {"ANGLE": 0.0}, limits=(0.0, 360.0))
    fake = a_device(angle, sync, ABS_ROTATOR_ANGLE=slowly(4.0))
    async with connected(connect.connect_rotator, fake) as rotator:
        await rotator.move_to(370.0)
        assert (await rotator.status()).position_angle_deg == pytest.approx(10.0)
        with pytest.raises(Malfunction, match=r"said yes, and its angle reads 10\.00°"):
            await rotator.sync(40.0)
        fake.reactions["ABS_ROTATOR_ANGLE"] = obey
        fake.tell(angle, ANGLE=400.0)
        await anyio.sleep(0.01)
        with pytest.raises(Malfunction, match="400"):
            await rotator.status()


# Cover and light


def a_cover(reaction: Reaction) -> FakeDevice:
    cap = FakeProperty("Switch", "CAP_PARK", {"PARK": True, "UNPARK": False}, state="Ok")
    light = FakeProperty("Switch", "FLAT_LIGHT_CONTROL", {"FLAT_LIGHT_ON": False, "FLAT_LIGHT_OFF": True})
    steps = FakeProperty("Number", "FLAT_LIGHT_INTENSITY", {"FLAT_LIGHT_INTENSITY_VALUE": 0.0}, limits=(0.0, 255.0))
    return a_device(cap, light, steps, CAP_PARK=reaction)


async def test_a_cover_opens_in_its_time_and_its_light_burns_as_told() -> None:
    fake = a_cover(slowly(8.0))
    async with connected(connect.connect_cover_calibrator, fake) as cover:
        assert (cover.capabilities.has_cover, cover.capabilities.max_brightness) == (True, 255)
        await cover.open()
        assert (await cover.status()).cover is CoverState.OPEN
        await cover.close()
        await cover.light_on(120)
        status = await cover.status()
        assert (status.cover, status.light, status.brightness) == (CoverState.CLOSED, LightState.READY, 120)
        await cover.light_off()
        assert (await cover.status()).light is LightState.OFF


async def test_a_cover_that_jams_is_a_malfunction_and_proves_nothing() -> None:
    def jams(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Busy")
        later(3.0, lambda: device.tell(prop, state="Alert"))

    async with connected(connect.connect_cover_calibrator, a_cover(jams)) as cover:
        with pytest.raises(Malfunction, match="error"):
            await cover.open()
        assert (await cover.status()).cover is CoverState.ERROR


async def test_what_is_neither_cover_nor_light_is_refused() -> None:
    with pytest.raises(Refused, match="neither a cover nor a light"):
        async with connected(connect.connect_cover_calibrator, a_device()):
            pass
