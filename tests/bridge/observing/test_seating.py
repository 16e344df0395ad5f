"""The first minutes of a station: each device is connected for itself, and none is left moving or open meanwhile."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from bridge.assembly import Surroundings
from bridge.connections import Connections
from bridge.events import DeviceFault
from bridge.observing.seats import Seats
from bridge.seating import Start, seated
from bridge.timekeeping import RehearsalTimekeeping
from drivers.errors import TimedOut
from drivers.values import ShutterState
from schedules.ephemeris import Ephemeris
from tests.bridge.observing.skies import looking_at
from tests.bridge.observing.stations import Scope, a_scope

Connect = Callable[[], AbstractAsyncContextManager[Any]]


@asynccontextmanager
async def given(device: Any) -> AsyncIterator[Any]:
    yield device


@asynccontextmanager
async def late(device: Any, scope: Scope, *, hangs_s: float) -> AsyncIterator[Any]:
    """Its Connect hangs, and fails; the next one succeeds."""
    if scope.connections.setdefault(f"late {device.name}", 0) == 0:
        scope.connections[f"late {device.name}"] = 1
        await anyio.sleep(hangs_s)
        raise TimedOut(device.name, "connect", f"not done within {hangs_s:g} s")
    yield device


def connections_to(scope: Scope, **instead: Connect) -> Connections:
    seats = scope.seats
    assert seats.dome is not None
    to = Connections(
        mount=partial(given, seats.mount.device),
        camera=partial(given, seats.camera.device),
        filter_wheel=None,
        focuser=None,
        dome=partial(given, seats.dome.device),
        safety_monitor=None,
        conditions=None,
    )
    return replace(to, **instead)


async def seat_all(scope: Scope, to: Connections, stack: AsyncExitStack) -> Seats:
    around = Surroundings(
        settings=scope.settings,
        clock=scope.clock,
        timekeeping=RehearsalTimekeeping(),
        telemetry=scope.telemetry,
        patience=1.0,
    )
    return await seated(to, around, Ephemeris(), stack, Start())


async def _left_moving(scope: Scope, ephemeris: Ephemeris) -> None:
    target = looking_at(ephemeris, 50.0, 110.0, scope.clock.now())
    await scope.observatory.slew(target, until=scope.after(60.0), task_id="")


async def test_all_that_answers_is_seated_at_once(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope, AsyncExitStack() as stack:
        began = scope.clock.now()
        seats = await seat_all(scope, connections_to(scope), stack)
        assert all(seat.connected for seat in seats)
        assert [seat.name for seat in seats] == ["mount", "camera", "dome"]
        assert scope.clock.now() - began < timedelta(seconds=5.0)
        assert not scope.said(DeviceFault)


async def test_a_mount_left_moving_is_stopped_while_the_camera_is_still_being_connected(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope, AsyncExitStack() as stack:
        await _left_moving(scope, ephemeris)
        camera = partial(late, scope.seats.camera.device, scope, hangs_s=60.0)
        async with anyio.create_task_group() as starting:
            starting.start_soon(seat_all, scope, connections_to(scope, camera=camera), stack)
            await anyio.sleep(1.0)
            assert not scope.simulated.mount.tracking
            assert not scope.simulated.mount.slewing


async def test_a_dome_left_open_is_closed_while_the_camera_cannot_be_reached(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope, AsyncExitStack() as stack:
        assert scope.simulated.dome is not None
        camera = partial(late, scope.seats.camera.device, scope, hangs_s=5.0)
        seats = await seat_all(scope, connections_to(scope, camera=camera), stack)
        assert seats.camera.connected, "tried again"
        assert scope.simulated.dome.shutter is ShutterState.CLOSED
        (fault,) = scope.said(DeviceFault)
        assert (fault.device, fault.doing) == ("camera", "connect")


async def test_a_mount_that_cannot_be_reached_at_first_keeps_nobody_else_waiting_and_is_said_once(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope, AsyncExitStack() as stack:
        mount = partial(late, scope.seats.mount.device, scope, hangs_s=60.0)
        began = scope.clock.now()
        seats = await seat_all(scope, connections_to(scope, mount=mount), stack)
        assert seats.mount.connected
        assert [fault.device for fault in scope.said(DeviceFault)] == ["mount"]
        assert timedelta(seconds=90.0) <= scope.clock.now() - began < timedelta(seconds=150.0)


async def test_a_night_does_not_wait_for_a_focuser(tmp_path: Path, ephemeris: Ephemeris) -> None:
    @asynccontextmanager
    async def away() -> AsyncIterator[Any]:
        raise TimedOut("focuser", "connect", "nobody answers")
        yield

    async with a_scope(tmp_path, ephemeris=ephemeris) as scope, AsyncExitStack() as stack:
        began = scope.clock.now()
        seats = await seat_all(scope, connections_to(scope, focuser=away), stack)
        assert seats.focuser is not None
        assert not seats.focuser.connected
        assert scope.clock.now() - began < timedelta(seconds=5.0)
        assert [fault.device for fault in scope.said(DeviceFault)] == ["focuser"]
