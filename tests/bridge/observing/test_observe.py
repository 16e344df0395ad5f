"""One observation: the target near the middle of every frame, whatever the orbit and the mount."""

from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from astropy.io import fits

from bridge.events import ExposureStarted, Followed, FrameKept, FrameTaken, SlewFinished, SlewStarted
from bridge.observing.meetings import TooLate
from drivers.errors import Refused, TimedOut
from drivers.values import EquatorialSystem, MountKind
from schedules.ephemeris import Ephemeris
from schedules.places import angle_deg
from schedules.requests import CollectShape
from simulators.faults import FaultKind
from simulators.physics.album import Truth
from simulators.physics.mount import MountSettings
from tests.bridge.observing.stations import (
    GROUND,
    Scope,
    a_plan_for,
    a_request,
    a_scope,
    a_star,
    satellite,
    swarm,
    up_now,
)

LEAPFROG, RATE_TRACK = CollectShape.LEAPFROG, CollectShape.RATE_TRACK
# How far from the middle of the frame the target may be in mid-exposure, in ″; the field is 8,250″ wide.
OFF_AT_MOST_ARCSEC = {"LEO": 60.0, "MEO": 3.0, "GEO": 3.0, "HEO": 3.0}
FOLLOWED_OFF_AT_MOST_ARCSEC = {"LEO": 2.0, "MEO": 2.0, "GEO": 2.0, "HEO": 2.0}
MOUNTS = {
    "german of date": MountSettings(),
    "german on fixed axes": MountSettings(system=EquatorialSystem.ICRS),
    "alt-azimuth": MountSettings(kind=MountKind.ALTAZ),
}


def truths(scope: Scope) -> list[Truth]:
    return scope.simulated.album.truths(scope.clock.now())


def off_arcsec(truth: Truth, index: int) -> float:
    """How far the satellite truly was from where the telescope truly looked, in mid-exposure."""
    seen = swarm().astrometric(index, GROUND, truth.mid_at)
    return 3600.0 * angle_deg(truth.true_icrs_ra_deg, truth.true_icrs_dec_deg, float(seen.ra_deg), float(seen.dec_deg))


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("shape", [LEAPFROG, RATE_TRACK])
@pytest.mark.parametrize("kind", ["LEO", "MEO", "GEO", "HEO"])
async def test_the_target_is_in_the_middle_of_every_frame(
    tmp_path: Path, ephemeris: Ephemeris, kind: str, shape: CollectShape, mount: str
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, mount=MOUNTS[mount]) as scope:
        index = up_now(kind, scope.after(60.0), above_deg=35.0)[0]
        request = a_request(satellite(index))
        await scope.file(request)
        planned = a_plan_for(request, starts_at=scope.after(30.0), lasts_s=180.0, shape=shape)
        assert await scope.observer.observe(planned) == 3
        frames = truths(scope)
        assert len(frames) == 3
        at_most = FOLLOWED_OFF_AT_MOST_ARCSEC if shape is RATE_TRACK else OFF_AT_MOST_ARCSEC
        assert max(off_arcsec(frame, index) for frame in frames) < at_most[kind]
        assert all(frame.started_at >= planned.starts_at for frame in frames)


async def test_a_following_mount_goes_from_frame_to_frame_without_a_slew(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("LEO", scope.clock.now())[0]), frame_count=5, exposure_s=1.0)
        await scope.file(request)
        planned = a_plan_for(request, starts_at=scope.after(30.0), lasts_s=120.0, shape=RATE_TRACK)
        assert await scope.observer.observe(planned) == 5
        assert len(scope.said(SlewStarted)) == 1
        gaps_s = [
            (after.started_at - before.mid_at).total_seconds()
            for before, after in zip(truths(scope), truths(scope)[1:], strict=False)
        ]
        assert max(gaps_s) < 2.5, "half an exposure, the read-out, and fresh rates"


async def test_a_mount_that_gets_slower_and_slower_gives_the_window_up(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("LEO", scope.after(60.0), above_deg=35.0)[0]))
        await scope.file(request)

        async def tire() -> None:
            while True:
                scope.simulated.mount.settle_s = 8.0 * 2.0 ** len(scope.said(SlewStarted))
                await anyio.sleep(0.1)

        async with anyio.create_task_group() as beside:
            beside.start_soon(tire)
            with pytest.raises(TooLate, match="4 slews in a row came too late"):
                await scope.observer.observe(a_plan_for(request, starts_at=scope.clock.now(), shape=LEAPFROG))
            beside.cancel_scope.cancel()
        assert not scope.said(ExposureStarted)


async def test_a_leaping_mount_slews_ahead_for_every_frame(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("LEO", scope.clock.now())[0]))
        await scope.file(request)
        await scope.observer.observe(a_plan_for(request, starts_at=scope.after(30.0), lasts_s=120.0, shape=LEAPFROG))
        assert len(scope.said(SlewStarted)) == len(scope.said(SlewFinished)) == 3
        assert max(slew.off_by_arcsec for slew in scope.said(SlewFinished)) < 1.0


@pytest.mark.parametrize("shape", [LEAPFROG, RATE_TRACK])
async def test_a_slew_that_comes_late_waits_for_the_next_meeting(
    tmp_path: Path, ephemeris: Ephemeris, shape: CollectShape
) -> None:
    """A mount that answers late: the model's time is not kept, and the target is not lost."""
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        index = up_now("LEO", scope.after(60.0))[0]
        request = a_request(satellite(index))
        await scope.file(request)
        scope.goes_wrong(FaultKind.HANG, "mount", "slew", for_s=15.0, hang_s=5.5)
        assert (
            await scope.observer.observe(a_plan_for(request, starts_at=scope.clock.now(), shape=shape, lasts_s=180.0))
            == 3
        )
        assert len(scope.said(SlewStarted)) > (3 if shape is LEAPFROG else 1)
        at_most = FOLLOWED_OFF_AT_MOST_ARCSEC if shape is RATE_TRACK else OFF_AT_MOST_ARCSEC
        assert max(off_arcsec(frame, index) for frame in truths(scope)) < at_most["LEO"]


async def test_a_window_that_ends_early_leaves_fewer_frames_and_they_stand(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("GEO", scope.clock.now())[0]), frame_count=20)
        await scope.file(request)
        planned = a_plan_for(request, starts_at=scope.after(40.0), lasts_s=20.0, shape=LEAPFROG)
        taken = await scope.observer.observe(planned)
        assert 1 <= taken < 20
        assert len(truths(scope)) == taken
        last = truths(scope)[-1]
        assert last.started_at + timedelta(seconds=last.exposure_s) <= planned.window.set


async def test_a_window_that_is_over_takes_no_frame_and_moves_nothing(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("GEO", scope.clock.now())[0]))
        await scope.file(request)
        planned = a_plan_for(request, starts_at=scope.after(-60.0), lasts_s=61.0, shape=LEAPFROG)
        with pytest.raises(TooLate):
            await scope.observer.observe(planned)
        assert not scope.said(SlewStarted)
        assert await scope.store.frames.reserved() == []


async def test_a_star_is_exposed_where_it_stands(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(a_star(), exposure_s=30.0, frame_count=2)
        await scope.file(request)
        assert await scope.observer.observe(a_plan_for(request, starts_at=scope.after(30.0), shape=LEAPFROG)) == 2
        for frame in truths(scope):
            assert angle_deg(frame.true_icrs_ra_deg, frame.true_icrs_dec_deg, 300.0, 40.0) * 3600.0 < 2.0


@pytest.mark.parametrize("shape", [LEAPFROG, RATE_TRACK])
async def test_broken_off_the_exposure_is_aborted_the_frame_is_lost_and_nothing_is_followed(
    tmp_path: Path, ephemeris: Ephemeris, shape: CollectShape
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("LEO", scope.clock.now())[0]), exposure_s=20.0)
        await scope.file(request)
        planned = a_plan_for(request, starts_at=scope.after(20.0), lasts_s=200.0, shape=shape)
        async with anyio.create_task_group() as observing:
            observing.start_soon(scope.observer.observe, planned)
            while not scope.said(ExposureStarted):
                await anyio.sleep(0.5)
            await anyio.sleep(5.0)
            observing.cancel_scope.cancel()
        assert not scope.simulated.cameras[0].shots
        assert await scope.store.frames.reserved() == []
        assert not scope.said(FrameTaken)
        assert scope.simulated.mount.rates_deg_s == (0.0, 0.0)


async def test_broken_off_while_it_waits_for_the_shutters_instant_the_frame_is_lost_too(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("GEO", scope.clock.now())[0]))
        await scope.file(request)
        planned = a_plan_for(request, starts_at=scope.after(300.0), shape=LEAPFROG)
        with anyio.move_on_after(200.0):
            await scope.observer.observe(planned)
        assert scope.said(SlewFinished)
        assert not scope.said(ExposureStarted)
        assert await scope.store.frames.reserved() == []


async def test_after_the_last_frame_a_followed_target_is_let_go(tmp_path: Path, ephemeris: Ephemeris) -> None:
    """Left alone the mount would follow it to the horizon."""
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("LEO", scope.clock.now())[0]), frame_count=1)
        await scope.file(request)
        await scope.observer.observe(a_plan_for(request, starts_at=scope.after(30.0), lasts_s=60.0, shape=RATE_TRACK))
        assert scope.simulated.mount.tracking
        assert scope.simulated.mount.rates_deg_s == (0.0, 0.0)


async def test_a_camera_that_fails_leaves_no_mount_running_after_the_target(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(satellite(up_now("LEO", scope.clock.now())[0]))
        await scope.file(request)
        scope.goes_wrong(FaultKind.STUCK, "camera", "expose")
        planned = a_plan_for(request, starts_at=scope.after(30.0), lasts_s=120.0, shape=RATE_TRACK)
        with pytest.raises(TimedOut):
            await scope.observer.observe(planned)
        assert scope.simulated.mount.rates_deg_s == (0.0, 0.0)
        assert await scope.store.frames.reserved() == []


async def test_the_filter_is_in_the_beam_before_the_shutter_opens(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        names = scope.seats.filter_wheel.device.capabilities.filter_names  # type: ignore[union-attr]
        request = a_request(a_star(), filter_name=names[2], frame_count=1)
        await scope.file(request)
        await scope.observer.observe(a_plan_for(request, starts_at=scope.clock.now(), shape=LEAPFROG))
        shot = scope.simulated.cameras[0].shots[-1]
        assert scope.simulated.filter_wheels[0].filter_at(shot.started_at).name == names[2]


async def test_a_filter_the_wheel_does_not_have_is_refused_in_its_words_and_the_mount_stops(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        request = a_request(a_star(), filter_name="Sloan z'")
        await scope.file(request)
        with pytest.raises(Refused, match="select filter"):
            await scope.observer.observe(a_plan_for(request, starts_at=scope.clock.now(), shape=LEAPFROG))
        assert not scope.simulated.mount.slewing


async def test_the_header_says_what_was_asked_what_was_told_and_what_was_so(
    tmp_path: Path, ephemeris: Ephemeris
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris) as scope:
        index = up_now("LEO", scope.after(40.0))[0]
        request = a_request(satellite(index), frame_count=1, binning=2)
        await scope.file(request)
        await scope.observer.observe(a_plan_for(request, starts_at=scope.after(30.0), lasts_s=90.0, shape=RATE_TRACK))
        (frame,) = truths(scope)
        while not scope.said(FrameKept):
            await anyio.sleep(0.1)
        header = fits.getheader(tmp_path / "frames" / scope.said(FrameKept)[0].file_name)
        seen = swarm().astrometric(index, GROUND, frame.mid_at)
        assert angle_deg(header["RA"], header["DEC"], float(seen.ra_deg), float(seen.dec_deg)) * 3600.0 < 0.1
        assert header["TRKMODE"] == "rate"
        assert header["TRKWAY"] == "rates", "its axes were never measured"
        assert 0.0 <= header["TRKRMS"] <= header["TRKMAX"] < 2.0
        (followed,) = scope.said(Followed)
        assert (followed.way, followed.rms_arcsec) == ("rates", pytest.approx(header["TRKRMS"]))
        assert header["NORADID"] == satellite(index).norad_id
        assert header["XBINNING"] == 2
        assert header["FILTER"], "none was asked for: the one in the beam is named"
        assert angle_deg(header["CMDRA"], header["CMDDEC"], header["MNTRA"], header["MNTDEC"]) * 3600.0 < 1.0
        assert header["DATE-AVG"].startswith(frame.mid_at.strftime("%Y-%m-%dT%H:%M:%S"))
