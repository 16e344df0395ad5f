"""The mount is stopped within a second of the word, whatever hangs beside it; and all else is put away as ever."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from bridge.calibration.measured import Way
from bridge.events import DeviceFault, ExposureStarted, MountParked, RoofClosed, SafetyChanged
from bridge.observing.brake import Brake
from bridge.observing.seats import Seat
from bridge.storage.cards import FrameHeader
from bridge.storage.frames import FrameFolder
from drivers.errors import ConnectionLost, TimedOut
from drivers.protocols import Camera, Mount
from drivers.values import ShutterState
from schedules.ephemeris import Ephemeris
from simulators.faults import FaultKind
from tests.bridge.observing.passes import a_pass
from tests.bridge.observing.skies import looking_at
from tests.bridge.observing.stations import DUSK, Scope, a_request, a_scope, a_star
from tests.bridge.observing.test_following import GERMAN, as_measured, before, follow, write_measured

AT_ONCE = timedelta(seconds=1.0)
LOOK_S = 0.05


def is_away(scope: Scope) -> bool:
    assert scope.simulated.dome is not None
    return scope.simulated.mount.parked and scope.simulated.dome.shutter is ShutterState.CLOSED


def moves(scope: Scope) -> bool:
    return scope.simulated.mount.tracking or scope.simulated.mount.slewing


async def seen_standing(scope: Scope, *, within_s: float = 120.0) -> datetime:
    """When the simulated mount, in truth, was told to move no more."""
    with anyio.fail_after(within_s):
        while moves(scope):
            await anyio.sleep(LOOK_S)
    return scope.clock.now()


async def heard(scope: Scope, condition: Callable[[], bool], *, within_s: float = 600.0) -> None:
    with anyio.fail_after(within_s):
        while not condition():
            await anyio.sleep(LOOK_S)


@asynccontextmanager
async def an_exposing_night(tmp_path: Path, ephemeris: Ephemeris, *, exposure_s: float = 300.0) -> AsyncIterator[Scope]:
    """A night in the middle of a long exposure; it ends with the block."""
    safety = {"safety": {"poll_s": 1.0}}
    async with a_scope(
        tmp_path, ephemeris=ephemeris, starts_at=DUSK + timedelta(hours=6), opened=False, settings=safety
    ) as scope:
        star = a_star(ra_deg=60.0, dec_deg=30.0)
        night = scope.clock.now(), scope.after(5 * 3600.0)
        await scope.file(a_request(star, exposure_s=exposure_s, frame_count=20, opens=night[0], closes=night[1]))
        async with anyio.create_task_group() as nights:
            nights.start_soon(scope.night.run)
            await heard(scope, lambda: bool(scope.said(ExposureStarted)), within_s=3600.0)
            await anyio.sleep(20.0)
            assert scope.simulated.mount.tracking
            yield scope
            scope.is_well_again()
            nights.cancel_scope.cancel()


@pytest.mark.parametrize("device", ["nothing", "camera", "dome", "filter_wheel", "mount status"])
async def test_when_it_gets_unsafe_the_mount_is_stopped_before_all_that_hangs_has_unwound(
    tmp_path: Path, ephemeris: Ephemeris, device: str
) -> None:
    async with an_exposing_night(tmp_path, ephemeris) as scope:
        if device != "nothing":
            name, _, method = device.partition(" ")
            scope.goes_wrong(FaultKind.HANG, name, method or "*")
        scope.simulated.weather.order(safe=False, values={})
        await heard(scope, lambda: any(not said.safe for said in scope.said(SafetyChanged)))
        unsafe_at = next(said.at for said in scope.said(SafetyChanged) if not said.safe)
        assert await seen_standing(scope) - unsafe_at <= AT_ONCE
        scope.is_well_again()
        await heard(scope, lambda: is_away(scope))


@pytest.mark.parametrize("hangs", ["nothing", "camera", "dome status", "disk"])
async def test_when_it_gets_unsafe_it_is_closed_though_what_observes_cannot_end(
    tmp_path: Path, ephemeris: Ephemeris, monkeypatch: pytest.MonkeyPatch, hangs: str
) -> None:
    """Parking and closing take a minute here; neither a camera nor a disk that hangs adds to that."""
    async with an_exposing_night(tmp_path, ephemeris, exposure_s=30.0) as scope:
        mended = anyio.Event()
        if hangs == "disk":
            _let_the_disk_hang(monkeypatch, mended)
            await anyio.sleep(300.0)  # until all hands are full of frames
        elif hangs != "nothing":
            name, _, method = hangs.partition(" ")
            scope.goes_wrong(FaultKind.HANG, name, method or "*", for_s=90.0)
        scope.simulated.weather.order(safe=False, values={})
        await heard(scope, lambda: any(not said.safe for said in scope.said(SafetyChanged)))
        unsafe_at = scope.clock.now()
        with anyio.move_on_after(500.0):
            await heard(scope, lambda: is_away(scope))
        took_s = (scope.clock.now() - unsafe_at).total_seconds()
        mended.set()
        assert took_s < (200.0 if hangs.startswith("dome") else 80.0)


def _let_the_disk_hang(monkeypatch: pytest.MonkeyPatch, mended: anyio.Event) -> None:
    write = FrameFolder.write

    async def hangs(folder: FrameFolder, header: FrameHeader) -> Any:
        await mended.wait()
        return await write(folder, header)

    monkeypatch.setattr(FrameFolder, "write", hangs)


async def test_what_is_ended_from_outside_stops_the_mount_before_what_needs_long_to_unwind(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await _tracking(scope, ephemeris)
        stood: list[datetime] = []

        async def needs_long() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    stood.append(await seen_standing(scope))
                    await anyio.sleep(45.0)

        async with anyio.create_task_group() as night:
            night.start_soon(scope.observatory.brake.pulled_at_the_end)
            night.start_soon(needs_long)
            await anyio.sleep(5.0)
            told_at = scope.clock.now()
            night.cancel_scope.cancel()
        assert stood[0] - told_at <= AT_ONCE


@pytest.mark.parametrize("method", ["abort", "*"])
async def test_put_away_neither_the_mount_nor_the_dome_waits_for_a_camera_that_hangs(
    tmp_path: Path, ephemeris: Ephemeris, method: str
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await _tracking(scope, ephemeris)
        scope.goes_wrong(FaultKind.HANG, "camera", method)
        began = scope.clock.now()
        stood: list[datetime] = []
        faults: list[str] = []

        async def put_away() -> None:
            faults.extend(await scope.observatory.put_away())

        async with anyio.create_task_group() as group:
            group.start_soon(put_away)
            stood.append(await seen_standing(scope))
        assert stood[0] - began <= AT_ONCE
        assert [fault.split(":")[0] for fault in faults] == ["abort the exposure"]
        (parked,), (closed,) = scope.said(MountParked), scope.said(RoofClosed)
        assert closed.at - timedelta(seconds=closed.took_s) >= parked.at, "the order that matters is kept"
        assert is_away(scope)


async def test_put_away_nothing_waits_for_a_camera_whose_connection_hangs(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await _tracking(scope, ephemeris)
        seats = replace(scope.seats, camera=Seat("camera", connected_in_vain))
        began = scope.clock.now()
        async with anyio.create_task_group() as group:
            group.start_soon(replace(scope.observatory, seats=seats).put_away)
            assert await seen_standing(scope) - began <= AT_ONCE
            await heard(scope, lambda: is_away(scope), within_s=300.0)
        assert scope.clock.now() - began >= timedelta(seconds=400.0), "it was still being connected"


@asynccontextmanager
async def connected_in_vain() -> AsyncIterator[Camera]:
    """A Connect that hangs, longer than anybody has patience."""
    await anyio.sleep(400.0)
    raise TimedOut("camera", "connect", "not done within 400 s")
    yield


async def _tracking(scope: Scope, ephemeris: Ephemeris) -> None:
    target = looking_at(ephemeris, 50.0, 110.0, scope.clock.now())
    await scope.observatory.slew(target, until=scope.after(60.0), task_id="")
    assert scope.simulated.mount.tracking


def a_brake(scope: Scope, seat: Seat[Mount], stop_unconnected: Callable[[], Awaitable[None]] | None) -> Brake:
    return Brake(seat=seat, stop_unconnected=stop_unconnected, clock=scope.clock, telemetry=scope.telemetry)


async def test_a_mount_that_is_being_connected_without_end_is_stopped_by_its_address_alone(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await _tracking(scope, ephemeris)
        hangs = cast("Callable[[], AbstractAsyncContextManager[Mount]]", connected_in_vain)
        seat = Seat("mount", hangs)

        async def stop() -> None:
            scope.simulated.mount.set_tracking(False)

        async with anyio.create_task_group() as group:
            group.start_soon(seat.connect)
            await anyio.sleep(10.0)
            began = scope.clock.now()
            with pytest.raises(ConnectionLost, match="mount: use: not connected"):
                await a_brake(scope, seat, stop).stop()
            assert scope.clock.now() - began <= AT_ONCE
            assert not moves(scope)
            group.cancel_scope.cancel()


async def test_a_stop_that_fails_is_said_and_ends_nothing_else(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        await _tracking(scope, ephemeris)
        scope.goes_wrong(FaultKind.DROP, "mount", "abort")
        with anyio.move_on_after(1.0) as ended:
            await scope.observatory.brake.pulled_at_the_end()
        assert ended.cancelled_caught
        (fault,) = scope.said(DeviceFault)
        assert (fault.device, fault.doing) == ("simulated mount", "stop at once")


async def test_a_parked_mount_stays_parked(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, opened=False) as scope:
        await scope.observatory.brake.stop()
        assert scope.simulated.mount.parked


@pytest.mark.parametrize("way", [Way.AXES, Way.RATES])
async def test_a_mount_that_follows_a_satellite_is_stopped_and_stays_so_when_it_gets_unsafe(
    tmp_path: Path, ephemeris: Ephemeris, way: Way
) -> None:
    """Who follows lets the mount go at the same moment, to follow the stars: putting away has the last word."""
    target = a_pass(60.0)
    write_measured(as_measured(GERMAN, way), tmp_path)
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=GERMAN, starts_at=before(target, 120.0)) as scope:

        async def observe() -> None:
            await follow(scope, target, starts_at=before(target, 30.0))

        async with anyio.create_task_group() as night:
            night.start_soon(observe)
            night.start_soon(scope.observatory.brake.pulled_at_the_end)
            await heard(scope, lambda: bool(scope.said(ExposureStarted)))
            await anyio.sleep(3.0)
            night.cancel_scope.cancel()
        assert await scope.observatory.put_away() == []
        assert is_away(scope)
        assert not moves(scope)
        assert not scope.said(DeviceFault)
