"""Night after night: open when it is dark and safe, closed and put away in every other case."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.events import (
    DeviceFault,
    DeviceRecovered,
    Event,
    MountParked,
    NightBegan,
    NightEnded,
    RoofClosed,
    RoofOpened,
    SafetyChanged,
    StationNote,
)
from bridge.observing.turns import NightOver
from drivers.values import ShutterState
from schedules.ephemeris import Ephemeris
from schedules.site import Site
from simulators.faults import FaultKind
from tests.bridge.observing.skies import FRONT_RANGE
from tests.bridge.observing.stations import DUSK, Scope, a_request, a_scope, a_star

# For whole nights: asked every minute, it is all the same.
SELDOM = {"poll_s": 60.0, "stale_s": 300.0}
MIDNIGHT = DUSK + timedelta(hours=6)


def is_away(scope: Scope) -> bool:
    assert scope.simulated.dome is not None
    return scope.simulated.mount.parked and scope.simulated.dome.shutter is ShutterState.CLOSED


def is_open(scope: Scope) -> bool:
    assert scope.simulated.dome is not None
    return scope.simulated.dome.shutter is ShutterState.OPEN


def weather(scope: Scope, *, safe: bool) -> None:
    scope.simulated.weather.order(safe=safe, values={})


@asynccontextmanager
async def a_night(
    tmp_path: Path, ephemeris: Ephemeris, *, starts_at: datetime = MIDNIGHT, **safety: Any
) -> AsyncIterator[Scope]:
    """A night that runs while the block lasts."""
    async with a_scope(
        tmp_path, ephemeris=ephemeris, starts_at=starts_at, opened=False, settings={"safety": safety}
    ) as scope:
        async with anyio.create_task_group() as nights:
            nights.start_soon(scope.night.run)
            yield scope
            nights.cancel_scope.cancel()
        assert is_away(scope), "whatever ends it"


async def heard(scope: Scope, kind: type[Event], *, count: int = 1, within_s: float = 1200.0) -> Any:
    """Wait for so many events of a kind; gives the last."""
    with anyio.fail_after(within_s):
        while len(scope.said(kind)) < count:
            await anyio.sleep(within_s / 2000.0)
    return scope.said(kind)[count - 1]


async def test_a_whole_night_opens_at_dusk_and_is_put_away_at_dawn_without_a_fault(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    """In the twilight of the dawn the Sun may stand in the mount's way to park: then the dome closes first."""
    async with a_night(tmp_path, ephemeris, starts_at=DUSK - timedelta(hours=2), **SELDOM) as scope:
        star = a_star(ra_deg=190.0, dec_deg=0.0)  # in the south-east at dawn
        dawn = DUSK + timedelta(hours=12)
        await scope.file(a_request(star, opens=dawn - timedelta(minutes=40), closes=dawn - timedelta(minutes=30)))
        await heard(scope, NightEnded, within_s=16 * 3600.0)
        (opened,), (closed,), (ended,) = (scope.said(kind) for kind in (RoofOpened, RoofClosed, NightEnded))
        assert ephemeris.sun_altitude_deg(FRONT_RANGE, opened.at) == pytest.approx(-8.1, abs=0.3)
        assert ephemeris.sun_altitude_deg(FRONT_RANGE, closed.at) == pytest.approx(-7.8, abs=0.5)
        assert (ended.why, ended.captured, ended.frames) == ("dawn", 1, 3)
        assert len(scope.said(MountParked)) == len(scope.said(NightBegan)) == 1
        assert not scope.said(DeviceFault)
        assert not scope.night.left_standing
        assert is_away(scope)


async def test_two_nights_follow_each_other_by_themselves(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_night(tmp_path, ephemeris, starts_at=DUSK + timedelta(hours=11), **SELDOM) as scope:
        await heard(scope, RoofOpened, count=2, within_s=20 * 3600.0)
        first, second = scope.said(RoofOpened)
        assert second.at - first.at > timedelta(hours=10)
        assert len(scope.said(RoofClosed)) == 1


async def test_what_another_programme_left_open_is_closed_before_anything_else(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=DUSK - timedelta(hours=3), opened=False) as scope:
        assert scope.simulated.dome is not None
        scope.simulated.mount.unpark()
        scope.simulated.dome.move_shutter(opening=True)
        await anyio.sleep(60.0)
        with anyio.move_on_after(300.0):
            await scope.night.run()
        assert is_away(scope)
        assert not scope.said(RoofOpened)


async def test_started_in_a_clear_night_it_opens_at_once(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_night(tmp_path, ephemeris) as scope:
        opened = await heard(scope, RoofOpened)
        assert opened.at - MIDNIGHT < timedelta(seconds=40.0)


async def test_danger_closes_it_and_only_the_hold_opens_it_again(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_night(tmp_path, ephemeris) as scope:
        await heard(scope, RoofOpened)
        weather(scope, safe=False)
        danger = scope.clock.now()
        closed = await heard(scope, RoofClosed)
        assert closed.at - danger < timedelta(seconds=90.0)
        await anyio.sleep(60.0)
        weather(scope, safe=True)
        calm = scope.clock.now()
        opened = await heard(scope, RoofOpened, count=2)
        assert timedelta(seconds=600.0) <= opened.at - timedelta(seconds=opened.took_s) - calm
        assert opened.at - calm < timedelta(seconds=660.0)


async def test_rain_that_ends_just_before_dusk_is_waited_out(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_night(tmp_path, ephemeris, starts_at=DUSK - timedelta(minutes=90)) as scope:
        weather(scope, safe=False)
        while not scope.said(NightBegan):
            await anyio.sleep(1.0)
        began = scope.clock.now()
        await anyio.sleep(60.0)
        weather(scope, safe=True)
        opened = await heard(scope, RoofOpened)
        assert opened.at - began > timedelta(seconds=650.0)


async def test_told_to_stop_it_puts_everything_away(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_night(tmp_path, ephemeris) as scope:
        await heard(scope, RoofOpened)
        assert is_open(scope)
    assert is_away(scope)


async def test_for_the_last_minutes_of_a_night_it_does_not_open(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=MIDNIGHT, opened=False) as scope:
        span = scope.night.darkness.next_night(MIDNIGHT)
        assert span is not None
    late = span.dark_until - timedelta(minutes=1)
    cut = late + timedelta(minutes=9)
    rehearsal = {"starts_at": late, "anchored_unix_s": 0.0, "rate": 1.0, "ends_at": cut}
    short = {"rehearsal": rehearsal, "api": {"url": "http://127.0.0.1:1"}}
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=late, opened=False, settings=short) as scope:
        await scope.night.run()
        assert scope.clock.now() >= cut
        assert not scope.said(RoofOpened)
        assert len(scope.said(NightEnded)) == 1


async def test_a_dome_that_does_not_close_in_the_rain_is_told_again_and_again(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_night(tmp_path, ephemeris) as scope:
        await heard(scope, RoofOpened)
        scope.goes_wrong(FaultKind.REFUSE, "dome", "close", for_s=400.0)
        mended = scope.after(400.0)
        weather(scope, safe=False)
        closed = await heard(scope, RoofClosed)
        assert mended <= closed.at <= mended + timedelta(seconds=100.0)
        assert not scope.night.left_standing
        assert len([fault for fault in scope.said(DeviceFault) if fault.doing == "close the dome"]) >= 3


async def test_a_dome_that_could_not_be_closed_is_not_relied_upon_again_before_it_is(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_night(tmp_path, ephemeris) as scope:
        await heard(scope, RoofOpened)
        scope.goes_wrong(FaultKind.REFUSE, "dome", "close", for_s=1500.0)
        weather(scope, safe=False)
        await anyio.sleep(120.0)
        weather(scope, safe=True)
        closed = await heard(scope, RoofClosed, within_s=2400.0)
        assert len(scope.said(RoofOpened)) == 1
        again = await heard(scope, RoofOpened, count=2)
        assert again.at - closed.at < timedelta(seconds=120.0), "safe all the while, and closed at last"


async def test_what_is_left_standing_is_remembered_as_long_as_it_stands(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_night(tmp_path, ephemeris) as scope:
        await heard(scope, RoofOpened)
        scope.goes_wrong(FaultKind.REFUSE, "mount", "park", for_s=200.0)
        weather(scope, safe=False)
        await heard(scope, RoofClosed)
        await anyio.sleep(5.0)
        assert any("park the mount" in fault for fault in scope.night.left_standing)
        await heard(scope, MountParked)
        await anyio.sleep(5.0)
        assert not scope.night.left_standing


async def test_a_mount_that_was_lost_is_found_and_parked_within_seconds_of_its_return(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_night(tmp_path, ephemeris) as scope:
        await heard(scope, RoofOpened)
        scope.goes_wrong(FaultKind.DROP, "mount", for_s=130.0)
        back = scope.after(130.0)
        weather(scope, safe=False)
        parked = await heard(scope, MountParked)
        recovered = scope.said(DeviceRecovered)[-1]
        assert recovered.device == "mount"
        assert back <= recovered.at <= back + timedelta(seconds=10.0)
        assert parked.at - recovered.at <= timedelta(seconds=60.0)
        connecting = [fault for fault in scope.said(DeviceFault) if fault.doing == "connect"]
        assert len(connecting) <= 12, "each look is said once more"


async def test_a_mount_whose_connection_died_while_nobody_asked_is_connected_anew_before_it_is_opened(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with (
        a_scope(tmp_path, ephemeris=ephemeris, starts_at=MIDNIGHT, opened=False) as scope,
        anyio.create_task_group() as nights,
    ):
        weather(scope, safe=False)
        nights.start_soon(scope.night.run)
        await anyio.sleep(120.0)
        scope.goes_wrong(FaultKind.DROP, "mount", "status")
        weather(scope, safe=True)
        assert (await heard(scope, DeviceRecovered)).device == "mount"
        assert scope.connections["simulated mount"] == 2
        assert "open" in [fault.doing for fault in scope.said(DeviceFault)]
        nights.cancel_scope.cancel()


async def test_a_dome_that_does_not_open_is_tried_again_each_minute(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=MIDNIGHT, opened=False) as scope:
        scope.goes_wrong(FaultKind.REFUSE, "dome", "open", for_s=200.0)
        async with anyio.create_task_group() as nights:
            nights.start_soon(scope.night.run)
            await heard(scope, RoofOpened)
            nights.cancel_scope.cancel()
        faults = [fault for fault in scope.said(DeviceFault) if fault.doing == "open"]
        assert len(faults) == 4
        assert is_away(scope)


async def test_three_malfunctions_end_it_with_everything_put_away(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=DUSK, opened=False) as scope:
        await scope.file(a_request(a_star(), closes=DUSK + timedelta(minutes=20)))
        scope.goes_wrong(FaultKind.LIE, "mount", off_dec_deg=3.0)
        with pytest.raises(NightOver):
            await scope.night.run()
        assert is_away(scope)


async def test_the_camera_is_cooled_in_the_evening(tmp_path: Path, ephemeris: Ephemeris) -> None:
    cold = {"camera": {"cool_to_c": -15.0}}
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=MIDNIGHT, opened=False, settings=cold) as scope:
        with anyio.move_on_after(1200.0):
            await scope.night.run()
        assert scope.simulated.cameras[0].cooler.on
        assert scope.simulated.cameras[0].cooler.temperature_c == pytest.approx(-15.0, abs=0.5)


async def test_a_camera_that_does_not_cool_is_no_reason_to_stay_closed(tmp_path: Path, ephemeris: Ephemeris) -> None:
    cold = {"camera": {"cool_to_c": -15.0}}
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=MIDNIGHT, opened=False, settings=cold) as scope:
        scope.goes_wrong(FaultKind.REFUSE, "camera", "cool")
        with anyio.move_on_after(300.0):
            await scope.night.run()
        assert "simulated camera: cool" in scope.said(StationNote)[0].what
        assert scope.said(RoofOpened)


async def test_under_the_midnight_sun_it_waits_and_says_so_once(tmp_path: Path, ephemeris: Ephemeris) -> None:
    summer = datetime.fromisoformat("2026-06-21T12:00:00+00:00")
    async with a_scope(
        tmp_path, ephemeris=ephemeris, starts_at=summer, opened=False, settings={"safety": SELDOM}
    ) as scope:
        scope.night.darkness = type(scope.night.darkness)(
            site=Site(latitude_deg=69.65, longitude_deg=18.96, elevation_m=100.0),
            ephemeris=ephemeris,
            open_sun_altitude_deg=-8.0,
            observe_sun_altitude_deg=-12.0,
            until=None,
        )
        with anyio.move_on_after(12 * 3600.0):
            await scope.night.run()
        assert [note.what for note in scope.said(StationNote)] == [
            "the Sun does not go deep enough within two days for observing; waiting"
        ]
        assert not scope.said(RoofOpened)


async def test_a_silent_monitor_keeps_it_closed_for_as_long_as_it_is_silent(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, starts_at=MIDNIGHT, opened=False) as scope:
        scope.goes_wrong(FaultKind.DROP, "safety_monitor", for_s=1800.0)
        await anyio.sleep(10.0)
        with anyio.move_on_after(3600.0):
            await scope.night.run()
        (opened,) = scope.said(RoofOpened)
        assert opened.at - MIDNIGHT >= timedelta(seconds=1800.0)
        assert any("no connection" in event.why for event in scope.said(SafetyChanged))
