"""All devices as one: nothing moves but through the gate, and what was lost is found again."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from bridge.events import DeviceFault, DeviceRecovered, RoofOpened, SlewFinished, SlewStarted
from bridge.observing.gate import MotionRefused, NotNow
from bridge.observing.safety import Verdict
from drivers.errors import ConnectionLost, DeviceError, Malfunction
from drivers.values import Equatorial, ShutterState
from schedules.ephemeris import Ephemeris
from simulators.direct import DirectDome
from simulators.faults import FaultKind
from tests.bridge.observing.skies import looking_at
from tests.bridge.observing.stations import Scope, a_scope

WEST = 250.0
EAST = 110.0


def somewhere(scope: Scope, ephemeris: Ephemeris, azimuth_deg: float = EAST) -> Equatorial:
    return looking_at(ephemeris, 50.0, azimuth_deg, scope.clock.now())


def unsafe(scope: Scope) -> None:
    scope.gate.verdict = lambda: Verdict(at=scope.clock.now(), reasons=("rain",))


async def test_opening_opens_the_dome_and_then_wakes_the_mount(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        await scope.observatory.open()
        assert scope.simulated.dome is not None
        assert scope.simulated.dome.shutter is ShutterState.OPEN
        assert not scope.simulated.mount.parked
        assert scope.said(RoofOpened)[0].took_s == pytest.approx(20.0, abs=0.5)
        assert scope.gate._parked_at is not None, "where it parks was seen before it was woken"


async def test_opening_twice_is_harmless(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.observatory.open()
        assert not scope.simulated.mount.parked


async def test_in_danger_nothing_opens(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        unsafe(scope)
        with pytest.raises(NotNow, match="open the dome: unsafe, because rain"):
            await scope.observatory.open()
        assert scope.simulated.dome is not None
        assert scope.simulated.dome.shutter is ShutterState.CLOSED
        assert scope.simulated.mount.parked


async def test_under_a_dome_that_does_not_open_the_mount_stays_parked(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        scope.goes_wrong(FaultKind.STUCK, "dome", "open")
        with pytest.raises(DeviceError):
            await scope.observatory.open()
        assert scope.simulated.mount.parked


async def test_danger_that_comes_while_the_dome_opens_leaves_the_mount_parked(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        async with anyio.create_task_group() as beside:

            async def rain_soon() -> None:
                await anyio.sleep(10.0)
                unsafe(scope)

            beside.start_soon(rain_soon)
            with pytest.raises(NotNow, match="unpark: unsafe, because rain"):
                await scope.observatory.open()
        assert scope.simulated.mount.parked


async def test_without_a_dome_opening_wakes_the_mount_and_slews_wait_for_none(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, dome=False) as scope:
        assert not scope.simulated.mount.parked
        assert len(scope.said(RoofOpened)) == 1
        await scope.observatory.slew(somewhere(scope, ephemeris), until=scope.after(60.0), task_id="")
        assert len(scope.said(SlewFinished)) == 1


async def test_a_slew_turns_the_dome_along_and_says_how_far_it_was_off(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.observatory.slew(somewhere(scope, ephemeris), until=scope.after(60.0), task_id="task-1")
        assert scope.simulated.dome is not None
        assert scope.simulated.dome.azimuth_deg == pytest.approx(EAST, abs=0.5)
        (started,), (finished,) = scope.said(SlewStarted), scope.said(SlewFinished)
        assert started.azimuth_deg == pytest.approx(EAST, abs=0.01)
        assert finished.task_id == "task-1"
        assert finished.off_by_arcsec < 1.0
        assert finished.took_s == pytest.approx((finished.at - started.at).total_seconds())


async def test_a_slit_that_is_near_enough_is_left_where_it_is(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        assert scope.simulated.dome is not None
        for azimuth_deg, slit_deg in ((EAST, EAST), (EAST + 3.0, EAST), (EAST + 8.0, EAST + 8.0)):
            await scope.observatory.slew(
                somewhere(scope, ephemeris, azimuth_deg), until=scope.after(60.0), task_id="task-1"
            )
            assert scope.simulated.dome.azimuth_deg == pytest.approx(slit_deg, abs=0.5)


async def test_a_roof_that_rolls_off_is_not_told_to_turn(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        assert scope.seats.dome is not None
        dome = scope.seats.dome.device
        assert isinstance(dome, DirectDome)
        dome.capabilities = replace(dome.capabilities, can_set_azimuth=False)
        scope.goes_wrong(FaultKind.REFUSE, "dome", "slew")
        await scope.observatory.slew(somewhere(scope, ephemeris), until=scope.after(60.0), task_id="")


async def test_a_dome_that_does_not_turn_stops_the_mount_and_its_own_error_is_told(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        scope.goes_wrong(FaultKind.DROP, "dome", "slew")
        with pytest.raises(ConnectionLost, match="simulated dome: slew"):
            await scope.observatory.slew(somewhere(scope, ephemeris), until=scope.after(60.0), task_id="")
        assert not scope.simulated.mount.slewing
        assert not scope.simulated.mount.tracking


async def test_a_slew_the_gate_refuses_moves_nothing(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        low = looking_at(ephemeris, 5.0, EAST, scope.clock.now())
        with pytest.raises(MotionRefused, match="the limit is 10°"):
            await scope.observatory.slew(low, until=scope.after(60.0), task_id="")
        assert not scope.said(SlewStarted)
        assert not scope.simulated.mount.slewing


async def test_a_mount_that_says_it_stands_elsewhere_is_a_malfunction(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        scope.goes_wrong(FaultKind.LIE, "mount", off_dec_deg=0.3)  # less than its driver minds
        with pytest.raises(Malfunction, match=r"stands 0\.300° away"):
            await scope.observatory.slew(somewhere(scope, ephemeris), until=scope.after(60.0), task_id="")
        assert not scope.said(SlewFinished)


async def test_where_nothing_is_followed_nothing_is_told_to_the_mount(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        scope.goes_wrong(FaultKind.DROP, "mount")
        await scope.observatory.end_following()


async def test_standing_still_ends_the_tracking_and_leaves_a_parked_mount_alone(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await scope.observatory.slew(somewhere(scope, ephemeris, WEST), until=scope.after(60.0), task_id="")
        await scope.observatory.stand_still()
        assert not scope.simulated.mount.tracking
        stood = await scope.observatory.standing()
        await anyio.sleep(1800.0)
        still = await scope.observatory.standing()
        assert (still.altitude_deg, still.azimuth_deg) == pytest.approx(
            (stood.altitude_deg, stood.azimuth_deg), abs=0.01
        )
        await scope.observatory.put_away()
        await scope.observatory.stand_still()
        assert scope.simulated.mount.parked


async def test_a_filter_is_changed_only_where_it_must_be(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        assert scope.seats.filter_wheel is not None
        names = scope.seats.filter_wheel.device.capabilities.filter_names
        await scope.observatory.select_filter(names[1])
        assert await scope.observatory.filter_in_beam("") == names[1]
        scope.goes_wrong(FaultKind.REFUSE, "filter_wheel", "select")
        await scope.observatory.select_filter(names[1])
        await scope.observatory.select_filter("")
        assert await scope.observatory.filter_in_beam("asked for") == "asked for"


async def test_a_station_without_a_wheel_has_one_filter_and_no_name_for_it(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        bare = replace(scope.observatory, seats=replace(scope.seats, filter_wheel=None))
        await bare.select_filter("V")
        assert await bare.filter_in_beam("") == ""


async def test_the_device_of_a_name_is_connected_anew_and_so_is_what_was_lost(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        assert scope.seats.filter_wheel is not None
        await scope.seats.filter_wheel.leave()
        await scope.observatory.reconnect("simulated camera")
        assert scope.connections == {
            "simulated mount": 1,
            "simulated camera": 2,
            "simulated filter wheel": 2,
            "simulated dome": 1,
        }
        assert [event.device for event in scope.said(DeviceRecovered)] == ["camera", "filter wheel"]


async def test_a_device_that_stays_away_is_a_fault_that_is_said_and_no_more(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        scope.goes_wrong(FaultKind.DROP, "camera")
        await scope.observatory.reconnect("simulated camera")
        assert not scope.seats.camera.connected
        await scope.observatory.reconnect_lost()
        assert [(event.device, event.doing) for event in scope.said(DeviceFault)] == [("camera", "connect")] * 2
        scope.is_well_again()
        began = scope.clock.now()
        await scope.observatory.reconnect_lost()
        assert scope.seats.camera.connected
        assert scope.clock.now() - began < timedelta(seconds=1.0)
