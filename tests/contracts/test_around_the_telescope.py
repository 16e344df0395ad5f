"""What a FilterWheel, a Focuser, a Dome, a SafetyMonitor and ObservingConditions promise."""

import math

import anyio
import pytest

from drivers.errors import ConnectionLost, Malfunction, Refused
from drivers.values import Quantity, ShutterState
from simulators.faults import FaultKind
from simulators.physics.dome import DomeSettings
from simulators.physics.focuser import FocuserSettings
from tests.contracts.rigs import Implementation, built


async def test_a_filter_is_in_the_beam_when_select_returns(implementation: Implementation) -> None:
    async with implementation.filter_wheel() as rig:
        assert rig.device.capabilities.filter_names == ("Clear", "Red", "Green", "Blue")
        assert rig.device.capabilities.focus_offsets_steps == (0, 40, 25, -30)
        for name in ("Blue", "Red", "Red", "Clear"):
            await rig.device.select(name)
            assert await rig.device.selected() == name
            assert rig.observatory.filter_wheels[0].filter_at(rig.now()).name == name
        with pytest.raises(Refused, match="Clear, Red, Green, Blue"):
            await rig.device.select("Hα")


async def test_a_turning_wheel_has_no_filter_in_the_beam(implementation: Implementation) -> None:
    async with implementation.filter_wheel() as rig:
        rig.goes_wrong(FaultKind.STUCK, "filter_wheel", "select")
        assert await rig.device.selected() is None


async def test_a_focuser_stands_where_it_was_sent(implementation: Implementation) -> None:
    async with implementation.focuser() as rig:
        last = rig.device.capabilities.max_position_steps
        assert last == 50_000
        for position_steps in (20_000, 0, last):
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
        for azimuth_deg in (100.0, 350.0):
            await rig.device.slew_to(azimuth_deg)
            status = await rig.device.status()
            assert status.azimuth_deg == pytest.approx(azimuth_deg, abs=0.5)
            assert not status.moving
        await rig.device.park()
        azimuth_deg = (await rig.device.status()).azimuth_deg
        assert azimuth_deg is not None
        assert math.cos(math.radians(azimuth_deg)) == pytest.approx(1.0, abs=1e-3)
        await rig.device.close()
        assert (await rig.device.status()).shutter is ShutterState.CLOSED
        await rig.device.close()


async def test_a_cancelled_dome_stops_and_its_shutter_proves_nothing(implementation: Implementation) -> None:
    async with implementation.dome(built(dome=DomeSettings(open_close_s=250.0))) as rig:
        with anyio.move_on_after(20.0) as scope:
            await rig.device.open()
        assert scope.cancelled_caught
        status = await rig.device.status()
        assert not status.moving
        assert status.shutter is ShutterState.ERROR


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
        truth = rig.observatory.weather.read(rig.now())
        assert set(readings) == set(Quantity)
        assert all(math.isfinite(value) for value in readings.values())
        for quantity, value in readings.items():
            assert value == pytest.approx(truth[quantity], rel=1e-3, abs=1e-3)


async def test_conditions_that_cannot_be_read_are_an_error(implementation: Implementation) -> None:
    async with implementation.conditions() as rig:
        rig.goes_wrong(FaultKind.DROP, "conditions", http_status=503)
        with pytest.raises(ConnectionLost):
            await rig.device.read()
