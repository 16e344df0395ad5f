"""Cover, light panel and rotator: no frame through a cover, none turned otherwise than asked; put away they are too."""

from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from astropy.io import fits

from bridge.events import DeviceFault, FrameKept
from bridge.observing.gate import MotionRefused
from drivers.errors import DeviceError, Malfunction
from drivers.values import ShutterState
from schedules.ephemeris import Ephemeris
from schedules.requests import CollectShape
from simulators.faults import FaultKind
from simulators.physics.cover import Cover
from simulators.physics.rotator import Rotator
from tests.bridge.observing.stations import Scope, a_plan_for, a_request, a_scope, a_star

TURNED = {"rotator": {"address": "127.0.0.1:1", "position_angle_deg": 37.5}}


def parts(scope: Scope) -> tuple[Cover, Rotator]:
    cover, rotator = scope.simulated.cover, scope.simulated.rotator
    assert cover is not None
    assert rotator is not None
    return cover, rotator


async def observed(scope: Scope, request_id: str = "task-1") -> list[fits.Header]:
    request = a_request(a_star("bright one"), request_id, frame_count=2, exposure_s=1.0)
    await scope.file(request)
    planned = a_plan_for(request, starts_at=scope.after(30.0), lasts_s=300.0, shape=CollectShape.LEAPFROG)
    await scope.observer.observe(planned)
    await anyio.sleep(10.0)
    return [fits.getheader(scope.keeper._folder.folder / one.file_name) for one in scope.said(FrameKept)]


async def test_a_night_is_open_turned_as_asked_and_ends_covered(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, settings=TURNED, in_the_beam=True, opened=False) as scope:
        cover, _ = parts(scope)
        cover.shine(200)
        assert cover.is_closed
        await scope.observatory.open()
        assert (cover.is_open, cover.lit) == (True, False)
        headers = await observed(scope)
        assert [header["ROTATANG"] for header in headers] == pytest.approx([37.5, 37.5], abs=0.02)
        assert await scope.observatory.put_away() == []
        assert cover.is_closed
        assert scope.simulated.mount.parked


async def test_without_a_rotator_no_frame_says_how_the_camera_is_turned(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        assert all("ROTATANG" not in header for header in await observed(scope))


async def test_what_moved_meanwhile_is_put_right_before_the_next_exposure(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, settings=TURNED, in_the_beam=True) as scope:
        cover, rotator = parts(scope)
        rotator.move_to(200.0)
        cover.move(opening=False)
        await anyio.sleep(120.0)
        assert cover.is_closed
        headers = await observed(scope)
        assert cover.is_open
        assert [header["ROTATANG"] for header in headers] == pytest.approx([37.5, 37.5], abs=0.02)


@pytest.mark.parametrize(
    ("device", "method"), [("cover", "open"), ("cover", "light_off"), ("rotator", "move")], ids=lambda one: one
)
@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.DROP, FaultKind.IGNORE, FaultKind.HANG])
async def test_what_cannot_be_made_ready_takes_no_frame(
    tmp_path: Path, ephemeris: Ephemeris, device: str, method: str, kind: FaultKind
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, settings=TURNED, in_the_beam=True) as scope:
        cover, rotator = parts(scope)
        cover.move(opening=False)
        cover.shine(100)
        rotator.move_to(120.0)
        await anyio.sleep(60.0)
        scope.goes_wrong(kind, device, method, **({"hang_s": 3600.0} if kind is FaultKind.HANG else {}))
        with pytest.raises(DeviceError):
            await observed(scope)
        assert not scope.said(FrameKept)


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.IGNORE, FaultKind.HANG, FaultKind.JAM])
async def test_under_a_cover_that_does_not_open_the_mount_stays_parked_until_it_does(
    tmp_path: Path, ephemeris: Ephemeris, kind: FaultKind
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, in_the_beam=True, opened=False) as scope:
        assert await scope.observatory.put_away() == []
        scope.goes_wrong(kind, "cover", "open")
        with pytest.raises(DeviceError):
            await scope.observatory.open()
        assert scope.simulated.mount.parked
        scope.is_well_again()
        await scope.observatory.open()
        assert not scope.simulated.mount.parked
        assert parts(scope)[0].is_open


async def test_the_cover_stays_closed_in_danger_and_under_a_closed_dome(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, in_the_beam=True, opened=False) as scope:
        with pytest.raises(MotionRefused, match="dome is not proven open"):
            await scope.observatory.clear_the_beam()
        scope.simulated.weather.order(safe=False, values={})
        await anyio.sleep(20.0)
        with pytest.raises(MotionRefused, match="unsafe"):
            await scope.observatory.clear_the_beam()
        assert parts(scope)[0].is_closed


async def test_a_cover_that_jams_is_not_looked_through(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, in_the_beam=True, opened=False) as scope:
        scope.goes_wrong(FaultKind.JAM, "cover", "open")
        with pytest.raises(Malfunction, match="cover"):
            await scope.observatory.open()
        assert await scope.observatory.put_away() is not None
        assert scope.simulated.mount.parked
        assert scope.simulated.dome is not None
        assert scope.simulated.dome.shutter is ShutterState.CLOSED


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.REFUSE, FaultKind.JAM])
async def test_a_cover_that_does_not_close_keeps_neither_mount_nor_dome_from_it(
    tmp_path: Path, ephemeris: Ephemeris, kind: FaultKind
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, in_the_beam=True) as scope:
        scope.goes_wrong(kind, "cover", "close", **({"hang_s": 3600.0} if kind is FaultKind.HANG else {}))
        began = scope.clock.now()
        faults = await scope.observatory.put_away()
        assert [one.partition(":")[0] for one in faults] == ["close the cover"]
        assert any(event.doing == "close the cover" for event in scope.said(DeviceFault))
        assert scope.simulated.mount.parked
        assert scope.simulated.dome is not None
        assert scope.simulated.dome.shutter is ShutterState.CLOSED
        assert scope.clock.now() - began < timedelta(seconds=300.0)
