"""When the shutter really opened."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.observing.shutter import Shutter
from bridge.timekeeping import ClockBound, ClockGrade
from drivers.values import Exposure, Frame, TimeSource
from schedules.ephemeris import Ephemeris
from schedules.requests import CollectShape
from tests.bridge.observing.stations import SMALL_CAMERA, a_plan_for, a_request, a_scope, satellite, up_now

COMMANDED = datetime(2026, 8, 11, 21, 0, 0, 123456, tzinfo=UTC)


def frame_said_to_begin_at(started_at: datetime, source: TimeSource = TimeSource.HOST) -> Frame:
    return Frame(
        pixels=np.zeros((4, 4), np.uint16),
        exposure=Exposure(exposure_s=2.0),
        started_at=started_at,
        time_source=source,
        sensor_temperature_c=None,
    )


@given(latency_s=st.floats(0.0, 2.0), source=st.sampled_from(list(TimeSource)))
@settings(max_examples=50, deadline=None)
def test_a_shutter_that_opens_late_has_the_time_at_which_it_did(latency_s: float, source: TimeSource) -> None:
    """A camera of 40 ms, and a setting that says so: the header is right to the microsecond."""
    truth = COMMANDED + timedelta(seconds=latency_s)
    said = frame_said_to_begin_at(COMMANDED, source)
    opened = Shutter(latency_s=latency_s).opened(said)
    assert abs((opened.started_at - truth).total_seconds()) < 1e-6
    assert opened.pixels is said.pixels
    assert opened.time_source is source


def test_without_a_setting_nothing_is_shifted_and_the_doubt_is_as_large_as_it_is() -> None:
    said = frame_said_to_begin_at(COMMANDED)
    assert Shutter().opened(said) == said
    host, driver = (
        Shutter().timing(source, within(0.002), stepped_s=0.0) for source in (TimeSource.HOST, TimeSource.DRIVER)
    )
    assert host.random_error_s > driver.random_error_s > 0.0
    assert host.latency_s == 0.0
    assert host.systematic_error_s == 0.002


@pytest.mark.parametrize("source", list(TimeSource))
def test_what_was_measured_stands_in_for_what_is_usual(source: TimeSource) -> None:
    timing = Shutter(latency_s=0.04, scatter_s=0.0015).timing(source, within(0.003), stepped_s=0.0)
    assert (timing.latency_s, timing.random_error_s, timing.systematic_error_s) == (0.04, 0.0015, 0.003)


def test_a_clock_nobody_knows_of_is_not_a_number() -> None:
    assert math.isnan(Shutter().timing(TimeSource.DRIVER, within(None), stepped_s=0.0).systematic_error_s)


def test_an_instant_across_a_step_of_the_clock_is_no_better_than_the_step() -> None:
    small, large = (Shutter().timing(TimeSource.DRIVER, within(0.002), stepped_s=by_s) for by_s in (0.05, -0.3))
    assert (small.clock_grade, small.stepped_s) == (ClockGrade.GOOD, 0.0)
    assert (large.clock_grade, large.stepped_s) == (ClockGrade.BAD, -0.3)


def within(error_s: float | None) -> ClockBound:
    return ClockBound(error_s=error_s, source="a test")


@pytest.mark.parametrize("shape", [CollectShape.LEAPFROG, CollectShape.RATE_TRACK])
async def test_a_camera_of_40_ms_and_a_setting_that_says_so_give_headers_within_2_ms_of_the_truth(
    tmp_path: Path, ephemeris: Ephemeris, shape: CollectShape
) -> None:
    """From the command through driver and keeper to the file, beside when the simulated shutter really was open."""
    camera, settings = replace(SMALL_CAMERA, shutter_latency_s=0.040), {"camera": {"start_latency_s": 0.040}}
    async with a_scope(tmp_path, ephemeris=ephemeris, camera=camera, settings=settings) as scope:
        index = up_now("LEO", scope.after(60.0), above_deg=35.0)[0]
        request = a_request(satellite(index), frame_count=3, exposure_s=1.0)
        await scope.file(request)
        planned = a_plan_for(request, starts_at=scope.after(30.0), lasts_s=180.0, shape=shape)
        assert await scope.observer.observe(planned) == 3
        await anyio.sleep(10.0)
        truths = scope.simulated.album.truths(scope.clock.now())
        headers = [fits.getheader(path) for path in sorted((tmp_path / "frames").glob("*.fits"))]
        begins = sorted(datetime.fromisoformat(header["DATE-BEG"]).replace(tzinfo=UTC) for header in headers)
        middles = sorted(datetime.fromisoformat(header["DATE-AVG"]).replace(tzinfo=UTC) for header in headers)
        assert len(begins) == len(truths) == 3
        for begin, middle, truth in zip(begins, middles, truths, strict=True):
            assert abs((begin - truth.started_at).total_seconds()) < 0.002
            assert abs((middle - truth.mid_at).total_seconds()) < 0.002
        assert {(header["TIMELAT"], header["TIMESRC"]) for header in headers} == {(0.040, "DRIVER")}
