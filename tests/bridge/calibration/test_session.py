"""A calibration from beginning to end: awake, watched over, and left as it was found."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.assembly import Surroundings
from bridge.calibration.measured import MountMeasured, Way
from bridge.calibration.session import calibrated
from bridge.connections import Connections
from bridge.observing.gate import MotionRefused, NotNow
from bridge.timekeeping import RehearsalTimekeeping
from drivers.values import MountKind
from schedules.ephemeris import Ephemeris
from simulators.direct import DirectObservatory
from simulators.physics.mount import MountSettings
from simulators.sky.rotation import unix_of
from tests.bridge.observing.stations import Scope, a_scope

FORK = MountSettings(kind=MountKind.FORK, command_latency_s=0.05)


@asynccontextmanager
async def _given(device: Any) -> AsyncIterator[Any]:
    yield device


async def calibrate(scope: Scope) -> MountMeasured:
    direct = DirectObservatory(scope.simulated)
    assert direct.dome is not None
    to = Connections(
        mount=partial(_given, direct.mount),
        camera=partial(_given, direct.camera),
        filter_wheel=None,
        focuser=None,
        dome=partial(_given, direct.dome),
        safety_monitor=partial(_given, direct.safety_monitor),
        conditions=partial(_given, direct.conditions),
    )
    around = Surroundings(
        settings=scope.settings,
        clock=scope.clock,
        timekeeping=RehearsalTimekeeping(),
        telemetry=scope.telemetry,
        patience=1.0,
    )
    measured, mount = await calibrated(around, to, say=lambda _: None)
    assert measured.unlike(mount) == ""
    return measured


def stands(scope: Scope) -> bool:
    return max(map(abs, scope.simulated.mount.axes.speeds_deg_s(unix_of(scope.clock.now())))) < 1e-6


async def test_a_parked_mount_is_woken_measured_and_parked_again(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=FORK) as scope:
        await scope.seats.mount.device.park()
        measured = await calibrate(scope)
        assert measured.sides(Way.AXES)
        assert scope.simulated.mount.parked


async def test_one_that_was_awake_is_left_standing(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=FORK) as scope:
        await calibrate(scope)
        assert not scope.simulated.mount.parked
        assert stands(scope)


async def test_under_a_closed_dome_nothing_is_woken(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=FORK, opened=False) as scope:
        with pytest.raises(NotNow, match="the dome is not proven open"):
            await calibrate(scope)
        assert scope.simulated.mount.parked


async def test_when_it_becomes_unsafe_it_is_broken_off_and_the_mount_is_put_back(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=replace(FORK, top_speed_deg_s=2.0)) as scope:
        await scope.seats.mount.device.park()
        async with anyio.create_task_group() as beside:

            async def rain() -> None:
                await anyio.sleep(60.0)
                scope.simulated.weather.order(safe=False, values={})

            beside.start_soon(rain)
            with pytest.raises(MotionRefused, match=r"broken off, because .*unsafe"):
                await calibrate(scope)
        assert scope.simulated.mount.parked
        assert stands(scope)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_told_to_stop_it_puts_the_mount_back(
    tmp_path: Path, ephemeris: Ephemeris, number: signal.Signals
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=FORK) as scope:
        await scope.seats.mount.device.park()
        async with anyio.create_task_group() as beside:

            async def told() -> None:
                await anyio.sleep(100.0)
                assert not stands(scope)
                signal.raise_signal(number)

            beside.start_soon(told)
            with pytest.raises(MotionRefused, match=f"told to stop .{number.name}"):
                await calibrate(scope)
        assert scope.simulated.mount.parked
        assert stands(scope)
