"""The way down: in its order, none skipped for another's fault, never cut off, and in time when it must be quick."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from bridge.events import DeviceFault, DeviceRecovered, MountParked, RoofClosed, StationNote
from bridge.observing.putting_away import PuttingAway
from bridge.observing.seats import Seat, Seats
from drivers.values import Equatorial, EquatorialSystem, Exposure, ShutterState
from schedules.ephemeris import Ephemeris
from simulators.direct import DirectCamera, DirectDome, DirectMount
from simulators.faults import FaultKind
from simulators.physics.dome import DomeSettings
from tests.bridge.observing.skies import looking_at
from tests.bridge.observing.stations import STEADY_DOME, Scope, a_scope

NOON = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


def somewhere(scope: Scope, ephemeris: Ephemeris, azimuth_deg: float = 110.0) -> Equatorial:
    return looking_at(ephemeris, 50.0, azimuth_deg, scope.clock.now())


def is_away(scope: Scope) -> bool:
    return scope.simulated.mount.parked and is_closed(scope)


def is_closed(scope: Scope) -> bool:
    return scope.simulated.dome is not None and scope.simulated.dome.shutter is ShutterState.CLOSED


@asynccontextmanager
async def in_the_midst_of_it(
    tmp_path: Path, ephemeris: Ephemeris, *, dome: DomeSettings = STEADY_DOME
) -> AsyncIterator[Scope]:
    """The dome is open, the mount follows the stars, and the camera exposes for a long time."""
    async with a_scope(tmp_path, ephemeris=ephemeris, simulated_dome=dome) as scope:
        target = somewhere(scope, ephemeris)
        await scope.observatory.slew(target, until=scope.after(60.0), task_id="")
        await _left_exposing(scope)
        yield scope


async def _left_exposing(scope: Scope) -> None:
    """A camera that goes on exposing though nobody waits for it any more."""
    scope.goes_wrong(FaultKind.DROP, "camera", "abort", for_s=1.5)
    with anyio.move_on_after(1.0):
        await scope.seats.camera.device.expose(Exposure(exposure_s=600.0))
    await anyio.sleep(1.0)
    scope.is_well_again()
    assert scope.simulated.cameras[0].shots


async def test_exposure_mount_park_and_dome_one_after_the_other(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        assert await scope.observatory.put_away() == []
        assert not scope.simulated.cameras[0].shots
        assert is_away(scope)
        (parked,), (closed,) = scope.said(MountParked), scope.said(RoofClosed)
        assert closed.at - timedelta(seconds=closed.took_s) >= parked.at, "the dome does not close on a telescope"
        assert not scope.said(DeviceFault)


async def test_what_is_away_already_is_left_alone(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        began = scope.clock.now()
        assert await scope.observatory.put_away() == []
        assert await scope.observatory.put_away() == []
        assert scope.clock.now() - began < timedelta(seconds=1.0)
        assert not scope.said(MountParked)
        assert not scope.said(RoofClosed)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.REFUSE, FaultKind.HANG])
@pytest.mark.parametrize(
    ("device", "method", "fault"),
    [
        ("camera", "abort", "abort the exposure"),
        ("mount", "abort", "stop the mount"),
        ("mount", "park", "park the mount"),
        ("dome", "close", "close the dome"),
    ],
)
async def test_a_step_that_fails_keeps_none_of_the_others_from_being_done(
    tmp_path: Path, ephemeris: Ephemeris, kind: FaultKind, device: str, method: str, fault: str
) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        scope.goes_wrong(kind, device, method)
        faults = await scope.observatory.put_away()
        assert [one.split(":")[0] for one in faults if "under the dome" not in one] == [fault]
        assert any(event.doing == fault for event in scope.said(DeviceFault))
        assert scope.simulated.mount.parked or method == "park"
        assert is_closed(scope) or device == "dome"
        assert not scope.simulated.cameras[0].shots or device == "camera"


@pytest.mark.parametrize("device", ["camera", "mount", "dome"])
async def test_a_device_that_says_nothing_at_all_keeps_none_of_the_others_waiting_for_ever(
    tmp_path: Path, ephemeris: Ephemeris, device: str
) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        scope.goes_wrong(FaultKind.HANG, device)
        began = scope.clock.now()
        assert await scope.observatory.put_away()
        assert scope.clock.now() - began < timedelta(seconds=901.0)
        assert scope.simulated.mount.parked or device == "mount"
        assert is_closed(scope) or device == "dome"


async def test_a_mount_that_never_comes_to_park_is_not_waited_for_twice_with_the_dome_open(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        scope.goes_wrong(FaultKind.STUCK, "mount", "park")
        began = scope.clock.now()
        assert await scope.observatory.put_away()
        (closed,) = scope.said(RoofClosed)
        assert closed.at - began < timedelta(seconds=260.0)


async def test_a_fault_that_is_over_by_the_second_try_is_none(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        scope.goes_wrong(FaultKind.HANG, "mount", "park", for_s=7.0)
        assert await scope.observatory.put_away() == []
        assert is_away(scope)


async def test_devices_that_were_lost_are_found_again_for_it(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        for seat in scope.seats:
            await seat.leave()
        assert await scope.observatory.put_away() == []
        assert is_away(scope)
        assert {event.device for event in scope.said(DeviceRecovered)} >= {"mount", "camera"}


async def test_a_lost_camera_does_not_keep_the_dome_open(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        await scope.seats.camera.leave()
        scope.goes_wrong(FaultKind.DROP, "camera")
        faults = await scope.observatory.put_away()
        assert len(faults) == 1
        assert faults[0].startswith("abort the exposure: camera: use: not connected")
        assert is_away(scope)


async def test_cancelled_half_way_it_goes_on_to_the_end(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        with anyio.move_on_after(3.0) as impatient:
            assert await scope.observatory.put_away() == []
            await anyio.sleep(0.0)
        assert impatient.cancelled_caught
        assert is_away(scope)


@pytest.mark.parametrize("early", [True, False])
async def test_in_a_hurry_a_mount_that_hangs_does_not_keep_the_dome_open(
    tmp_path: Path, ephemeris: Ephemeris, early: bool
) -> None:
    """Told to stop before it began, or while it waits for the mount to park."""
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        scope.goes_wrong(FaultKind.STUCK, "mount", "park")
        told = scope.clock.now() + timedelta(seconds=0.0 if early else 20.0)
        if early:
            scope.observatory.hurry(75.0)
        faults: list[str] = []

        async def put_away() -> None:
            faults.extend(await scope.observatory.put_away())

        async with anyio.create_task_group() as stopping:
            stopping.start_soon(put_away)
            if not early:
                await anyio.sleep(20.0)
                scope.observatory.hurry(75.0)
        assert scope.clock.now() - told <= timedelta(seconds=76.0)
        assert is_closed(scope)
        assert "park the mount: no time was left for it; look at the telescope" in faults


async def test_in_a_hurry_what_does_its_work_is_put_away_as_ever(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        scope.observatory.hurry(75.0)
        assert await scope.observatory.put_away() == []
        assert is_away(scope)


async def test_in_a_hurry_a_dome_that_hangs_is_left_in_time_and_said(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        scope.goes_wrong(FaultKind.STUCK, "dome", "close")
        scope.observatory.hurry(75.0)
        began = scope.clock.now()
        faults = await scope.observatory.put_away()
        assert scope.clock.now() - began <= timedelta(seconds=80.0)
        assert faults[-1] == "put away: not done in time; look at the telescope"
        assert scope.simulated.mount.parked


async def test_in_a_hurry_a_slow_roof_is_left_closing_and_not_stopped_half_way(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """The time is over, the roof is on its way: stopped, it would stand open to the rain all night."""
    async with in_the_midst_of_it(tmp_path, ephemeris, dome=DomeSettings(open_close_s=90.0)) as scope:
        scope.observatory.hurry(75.0)
        faults = await scope.observatory.put_away()
        assert faults[-1] == "put away: not done in time; look at the telescope"
        await anyio.sleep(60.0)
        assert is_closed(scope)


async def test_the_dome_is_closed_before_the_mount_parks_where_the_sun_bars_the_way(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """By day, and nobody has seen where this mount parks: that is no fault, and under the dome it may."""
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=NOON, opened=False) as scope:
        assert scope.simulated.dome is not None
        scope.simulated.mount.unpark()
        scope.simulated.dome.move_shutter(opening=True)
        await anyio.sleep(60.0)
        assert await scope.observatory.put_away() == []
        assert is_away(scope)
        (closed,), (parked,) = scope.said(RoofClosed), scope.said(MountParked)
        assert closed.at <= parked.at - timedelta(seconds=parked.took_s)
        assert not scope.said(DeviceFault)
        assert "the dome is closed first" in scope.said(StationNote)[0].what


async def test_without_a_dome_the_sun_in_the_way_is_a_fault_until_it_is_gone(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    seldom = {"safety": {"poll_s": 600.0, "stale_s": 3600.0}}
    async with a_scope(
        tmp_path, ephemeris=ephemeris, starts_at=NOON, opened=False, dome=False, settings=seldom
    ) as scope:
        scope.simulated.mount.unpark()
        (fault,) = await scope.observatory.put_away()
        assert "where the mount parks was never seen" in fault
        assert not scope.simulated.mount.parked
        await anyio.sleep(10 * 3600.0)
        assert await scope.observatory.put_away() == []
        assert scope.simulated.mount.parked


async def test_a_mount_that_cannot_park_is_stopped_and_that_is_all(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        mount = scope.seats.mount.device
        assert isinstance(mount, DirectMount)
        mount.capabilities = replace(mount.capabilities, can_park=False)
        assert await scope.observatory.put_away() == []
        assert not scope.simulated.mount.tracking
        assert not scope.simulated.mount.parked
        assert is_closed(scope)


class DeafCamera(DirectCamera):
    """Never comes back from an abort."""

    async def abort(self) -> None:
        await anyio.sleep_forever()


async def test_a_call_that_never_returns_is_left_at_its_deadline(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        simulated = scope.simulated
        camera = DeafCamera(simulated.album, 0, simulated.cameras[0], simulated.faults.on("camera"), scope.clock.now)
        deaf = replace(scope.seats, camera=Seat("camera", lambda: camera))
        await deaf.camera.connect()
        assert await _put_away(scope, deaf) == ["abort the exposure: not done within 10 s"]
        assert is_away(scope)


class YesMount(DirectMount):
    """Says yes to everything and parks nothing."""

    async def park(self) -> None:
        await anyio.sleep(5.0)


class YesDome(DirectDome):
    """Says yes to everything and closes nothing."""

    async def close(self) -> None:
        await anyio.sleep(5.0)


async def test_a_device_that_only_says_yes_is_found_out(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        simulated = scope.simulated
        assert simulated.dome is not None
        mount = YesMount(simulated.mount, simulated.faults.on("mount"), scope.clock.now)
        dome = YesDome(simulated.dome, simulated.faults.on("dome"), scope.clock.now)
        seats = replace(scope.seats, mount=Seat("mount", lambda: mount), dome=Seat("dome", lambda: dome))
        for seat in seats:
            await seat.connect()
        faults = await _put_away(scope, seats)
        assert "close the dome: simulated dome: close: said yes, and its shutter is open" in faults
        assert "park the mount: simulated mount: park: said yes, and is not parked" in faults


async def _put_away(scope: Scope, seats: Seats) -> list[str]:
    way_down = PuttingAway(
        seats=seats,
        brake=replace(scope.observatory.brake, seat=seats.mount),
        gate=scope.gate,
        clock=scope.clock,
        telemetry=scope.telemetry,
        reconnect=scope.observatory.reconnect,
        patience=1.0,
    )
    return await way_down.all()


async def test_where_the_telescope_parks_is_seen_on_the_way(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with in_the_midst_of_it(tmp_path, ephemeris) as scope:
        await scope.observatory.put_away()
        assert scope.gate._parked_at is not None
        assert scope.gate._parked_at.altitude_deg == pytest.approx(38.84, abs=0.01)
        pole = Equatorial(ra_deg=0.0, dec_deg=90.0, system=EquatorialSystem.APPARENT)
        assert scope.gate.horizontal_of(pole, scope.clock.now()).altitude_deg == pytest.approx(38.84, abs=0.01)
