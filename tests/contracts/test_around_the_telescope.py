"""What a FilterWheel, a Focuser, a Dome, a SafetyMonitor and ObservingConditions promise."""

import math

import anyio
import pytest

from drivers.accessories import CoverState, LightState
from drivers.errors import ConnectionLost, Malfunction, Refused
from drivers.motion import turn_deg
from drivers.values import Quantity, ShutterState
from simulators.faults import FaultKind
from simulators.physics.dome import DomeSettings
from simulators.physics.focuser import FocuserSettings
from tests.contracts.rigs import Implementation, built


async def test_a_filter_is_in_the_beam_when_select_returns(implementation: Implementation) -> None:
    async with implementation.filter_wheel() as rig:
        names = rig.device.capabilities.filter_names
        assert {"Red", "Green", "Blue"} < set(names)
        for name in ("Blue", "Red", "Red", "Green"):
            await rig.device.select(name)
            assert await rig.device.selected() == name
        with pytest.raises(Refused, match=", ".join(names)):
            await rig.device.select("Hα")
        await rig.device.select(names[0])
        assert rig.observatory.filter_wheels[0].filter_at(rig.now()).name == names[0] == "Clear"
        assert rig.device.capabilities.focus_offsets_steps == (0, 40, 25, -30)


async def test_a_turning_wheel_has_no_filter_in_the_beam(implementation: Implementation) -> None:
    async with implementation.filter_wheel() as rig:
        rig.goes_wrong(FaultKind.STUCK, "filter_wheel", "select")
        assert await rig.device.selected() is None


async def test_a_focuser_stands_where_it_was_sent(implementation: Implementation) -> None:
    async with implementation.focuser() as rig:
        last = rig.device.capabilities.max_position_steps
        assert last in (50_000, 100_000)
        for position_steps in (20_000, 0, last, last // 2):
            await rig.device.move_to(position_steps)
            status = await rig.device.status()
            assert status.position_steps == position_steps
            assert not status.moving
        assert status.temperature_c is not None
        assert -30.0 < status.temperature_c < 40.0
        for position_steps in (-1, last + 1):
            with pytest.raises(Refused):
                await rig.device.move_to(position_steps)


async def test_a_cancelled_focuser_stops(implementation: Implementation) -> None:
    slow = FocuserSettings(top_speed_steps_s=50.0)
    async with implementation.focuser(built(focusers=(slow,))) as rig:
        with anyio.move_on_after(20.0) as scope:
            await rig.device.move_to(0)
        assert scope.cancelled_caught
        here = (await rig.device.status()).position_steps
        assert 0 < here < 25_000
        await anyio.sleep(10.0)
        assert (await rig.device.status()).position_steps == here


async def test_a_dome_opens_turns_parks_and_closes(implementation: Implementation) -> None:
    async with implementation.dome() as rig:
        assert rig.device.capabilities.can_set_azimuth
        assert rig.device.capabilities.can_set_shutter
        assert (await rig.device.status()).shutter is ShutterState.CLOSED
        await rig.device.open()
        assert (await rig.device.status()).shutter is ShutterState.OPEN
        for azimuth_deg in (100.0, 60.0):
            await rig.device.slew_to(azimuth_deg)
            status = await rig.device.status()
            assert status.azimuth_deg == pytest.approx(azimuth_deg, abs=0.5)
            assert not status.moving
        await rig.device.park()
        parked_deg = (await rig.device.status()).azimuth_deg
        await rig.device.park()
        await rig.device.close()
        assert (await rig.device.status()).shutter is ShutterState.CLOSED
        await rig.device.close()
        assert parked_deg == pytest.approx(rig.dome_parks_at_deg, abs=1.0)


async def test_a_rotator_stands_where_it_was_turned(implementation: Implementation) -> None:
    async with implementation.rotator() as rig:
        for angle_deg in (12.0, 358.5, 361.25):
            await rig.device.move_to(angle_deg)
            status = await rig.device.status()
            assert turn_deg(status.position_angle_deg, angle_deg) < 0.1
            assert 0.0 <= status.position_angle_deg < 360.0
            assert not status.moving
        for angle_deg in (math.nan, math.inf):
            with pytest.raises(Refused):
                await rig.device.move_to(angle_deg)


async def test_a_cancelled_rotator_stops(implementation: Implementation) -> None:
    async with implementation.rotator() as rig:
        await rig.device.move_to(0.0)
        with anyio.move_on_after(rig.cut_short_s / 2.0):
            await rig.device.move_to(179.0)
        here = await rig.device.status()
        assert not here.moving
        assert here.position_angle_deg < 178.0
        await anyio.sleep(3.0)
        assert (await rig.device.status()).position_angle_deg == pytest.approx(here.position_angle_deg, abs=0.01)


async def test_a_synced_rotator_reads_what_it_was_told(implementation: Implementation) -> None:
    async with implementation.rotator() as rig:
        if not rig.rotator_shows_syncs:
            pytest.skip("INDI's simulator takes a sync, and goes on showing the old angle")
        await rig.device.move_to(20.0)
        await rig.device.sync(50.0)
        assert (await rig.device.status()).position_angle_deg == pytest.approx(50.0, abs=0.01)
        await rig.device.move_to(60.0)
        assert (await rig.device.status()).position_angle_deg == pytest.approx(60.0, abs=0.1)


async def test_a_cover_opens_and_closes(implementation: Implementation) -> None:
    async with implementation.cover() as rig:
        if not rig.device.capabilities.has_cover:
            with pytest.raises(Refused, match="no cover"):
                await rig.device.open()
            assert (await rig.device.status()).cover is None
            await rig.device.abort()
            return
        for _ in range(2):
            await rig.device.open()
            assert (await rig.device.status()).cover is CoverState.OPEN
        for _ in range(2):
            await rig.device.close()
            assert (await rig.device.status()).cover is CoverState.CLOSED
        await rig.device.abort()


async def test_a_light_is_as_bright_as_it_was_told_to_be(implementation: Implementation) -> None:
    async with implementation.cover() as rig:
        brightest = rig.device.capabilities.max_brightness
        assert rig.device.capabilities.has_light
        assert brightest > 1
        for brightness in (1, brightest):
            await rig.device.light_on(brightness)
            status = await rig.device.status()
            assert (status.light, status.brightness) == (LightState.READY, brightness)
        for brightness in (0, brightest + 1):
            with pytest.raises(Refused):
                await rig.device.light_on(brightness)
        await rig.device.light_off()
        status = await rig.device.status()
        assert (status.light, status.brightness) == (LightState.OFF, 0)


async def test_a_cancelled_dome_stops_and_its_shutter_proves_nothing(implementation: Implementation) -> None:
    async with implementation.dome(built(dome=DomeSettings(open_close_s=250.0))) as rig:
        with anyio.move_on_after(20.0) as scope:
            await rig.device.open()
        assert scope.cancelled_caught
        status = await rig.device.status()
        assert not status.moving
        assert status.shutter is ShutterState.ERROR


async def test_a_shutter_that_closes_goes_on_though_nobody_waits_any_more(implementation: Implementation) -> None:
    async with implementation.dome(built(dome=DomeSettings(open_close_s=20.0))) as rig:
        await rig.device.open()
        with anyio.move_on_after(8.0) as scope:
            await rig.device.close()
        assert scope.cancelled_caught
        await anyio.sleep(25.0)
        status = await rig.device.status()
        assert not status.moving
        assert status.shutter is ShutterState.CLOSED


async def test_a_cancelled_turn_stops(implementation: Implementation) -> None:
    async with implementation.dome(built(dome=DomeSettings(top_speed_deg_s=1.0))) as rig:
        with anyio.move_on_after(20.0):
            await rig.device.slew_to(179.0)
        status = await rig.device.status()
        assert not status.moving
        assert status.azimuth_deg is not None
        assert 5.0 < status.azimuth_deg < 175.0


async def test_a_dome_that_refuses_says_so(implementation: Implementation) -> None:
    async with implementation.dome() as rig:
        rig.goes_wrong(FaultKind.REFUSE, "dome", "open", error_number=0x501)
        with pytest.raises(Malfunction):
            await rig.device.open()


async def test_a_safety_monitor_says_what_is_so_and_silence_is_an_error(implementation: Implementation) -> None:
    async with implementation.safety_monitor() as rig:
        assert await rig.device.is_safe() is True
        assert await rig.device.is_safe() is True
        rig.observatory.weather.order(safe=False, values={})
        assert await rig.device.is_safe() is False
        rig.observatory.weather.order(safe=True, values={})
        assert await rig.device.is_safe() is True
        rig.goes_wrong(FaultKind.DROP, "safety_monitor")
        with pytest.raises(ConnectionLost):
            await rig.device.is_safe()


async def test_conditions_are_finite_and_in_our_units(implementation: Implementation) -> None:
    async with implementation.conditions() as rig:
        readings = await rig.device.read()
        assert {Quantity.TEMPERATURE_C, Quantity.WIND_SPEED_M_S, Quantity.WIND_GUST_M_S} <= set(readings)
        assert all(math.isfinite(value) for value in readings.values())
        truth = rig.observatory.weather.read(rig.now())
        rig.observatory.weather.order(safe=None, values=truth)  # it stays like that while it is read
        readings = await rig.device.read()
        assert set(readings) == set(Quantity)
        for quantity, value in readings.items():
            assert value == pytest.approx(truth[quantity], rel=1e-3, abs=1e-3)


async def test_conditions_that_cannot_be_read_are_an_error(implementation: Implementation) -> None:
    async with implementation.conditions() as rig:
        rig.goes_wrong(FaultKind.DROP, "conditions", http_status=503)
        with pytest.raises(ConnectionLost):
            await rig.device.read()
