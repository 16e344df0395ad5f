"""What a bad clock keeps from happening, and what frames say of it."""

from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from astropy.io import fits

from bridge.events import ExposureStarted, FrameKept, SlewStarted
from bridge.observing.gate import NotNow
from bridge.timekeeping import ClockBound, RehearsalTimekeeping
from schedules.ephemeris import Ephemeris
from schedules.requests import CollectShape
from tests.bridge.observing.stations import Scope, a_plan_for, a_request, a_scope, a_star, satellite, up_now
from tests.bridge.test_clock_watch import SetClock

LEAPFROG = CollectShape.LEAPFROG


@dataclass
class Kept(RehearsalTimekeeping):
    """A clock as good as somebody says."""

    error_s: float | None

    def bound(self) -> ClockBound:
        return ClockBound(error_s=self.error_s, source="a test", correction_s=0.0)


async def observed(scope: Scope, *, star: bool = False) -> list[fits.Header]:
    """The headers of one observation's frames."""
    target = a_star("bright one") if star else satellite(up_now("LEO", scope.after(60.0), above_deg=35.0)[0])
    request = a_request(target, frame_count=2, exposure_s=1.0)
    await scope.file(request)
    planned = a_plan_for(request, starts_at=scope.after(30.0), lasts_s=180.0, shape=LEAPFROG)
    await scope.observer.observe(planned)
    await anyio.sleep(10.0)
    return [fits.getheader(scope.keeper._folder.folder / one.file_name) for one in scope.said(FrameKept)]


@pytest.mark.parametrize(("error_s", "grade"), [(0.004, "GOOD"), (0.2, "COARSE")])
async def test_frames_by_a_clock_of_use_say_how_good_it_was(
    tmp_path: Path, ephemeris: Ephemeris, error_s: float, grade: str
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, timekeeping=Kept(error_s)) as scope:
        headers = await observed(scope)
        assert len(headers) == 2
        for header in headers:
            assert (header["TIMSYER"], header["CLKSRC"], header["CLKGRADE"]) == (error_s, "a test", grade)
            assert "CLKSTEP" not in header


@pytest.mark.parametrize("error_s", [0.6, 1.9])
async def test_no_satellite_is_exposed_by_a_bad_clock_and_the_mount_is_not_sent_for_it(
    tmp_path: Path, ephemeris: Ephemeris, error_s: float
) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, timekeeping=Kept(error_s)) as scope:
        assert scope.watch.verdict().safe, "it is good enough to move by"
        with pytest.raises(NotNow, match="the clock is too bad to expose a satellite by: within"):
            await observed(scope)
        assert scope.said(SlewStarted) == scope.said(ExposureStarted) == []


async def test_a_star_may_be_exposed_by_a_bad_clock_and_its_frame_says_so(tmp_path: Path, ephemeris: Ephemeris) -> None:
    async with a_scope(tmp_path, ephemeris=ephemeris, timekeeping=Kept(0.6)) as scope:
        headers = await observed(scope, star=True)
        assert [header["CLKGRADE"] for header in headers] == ["BAD", "BAD"]


async def test_a_clock_that_goes_bad_between_two_frames_ends_the_series(tmp_path: Path, ephemeris: Ephemeris) -> None:
    kept = Kept(0.004)
    async with a_scope(tmp_path, ephemeris=ephemeris, timekeeping=kept) as scope:

        async def spoil() -> None:
            while not scope.said(ExposureStarted):
                await anyio.sleep(0.1)
            kept.error_s = None

        async with anyio.create_task_group() as beside:
            beside.start_soon(spoil)
            with pytest.raises(NotNow):
                await observed(scope)
        assert len(scope.said(ExposureStarted)) == 1


async def test_a_frame_across_a_step_of_the_clock_says_so(tmp_path: Path, ephemeris: Ephemeris) -> None:
    clocks: list[SetClock] = []

    def settable(clock: SetClock) -> SetClock:
        clocks.append(SetClock(clock))
        return clocks[0]

    async with a_scope(tmp_path, ephemeris=ephemeris, bridge_clock=settable) as scope:

        async def step() -> None:
            while not scope.said(ExposureStarted):
                await anyio.sleep(0.1)
            clocks[0].set_by_s = -0.3

        async with anyio.create_task_group() as beside:
            beside.start_soon(step)
            first, second = await observed(scope)
        assert first["CLKSTEP"] == pytest.approx(-0.3, abs=0.001)
        assert first["CLKGRADE"] == "BAD"
        assert "CLKSTEP" not in second
