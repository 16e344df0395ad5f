"""Leapfrog or rate track, how long, how many, how far apart: and why, in words."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.exposures import Collect, Optics, collect_for
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Star

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
NO_RATES: dict[str, Any] = {
    "pixel_scale_arcsec_per_px": 1.8,
    "width_px": 3000,
    "height_px": 2000,  # 1.0° high
    "readout_s": 1.0,
    "max_streak_fraction": 0.4,
    "max_track_rate_deg_s": 0.0,
    "repoint_s": 4.0,
}
ORDINARY = Optics(**NO_RATES)
CAPABLE = Optics(**{**NO_RATES, "max_track_rate_deg_s": 0.05})
ISS_OVERHEAD_DEG_S = 1.1
GEO_DEG_S = 0.00418


def asked(**changes: Any) -> ObservationRequest:
    values: dict[str, Any] = {
        "request_id": "task-7",
        "target": Star(name="any", icrs=ICRS(ra_deg=10.0, dec_deg=20.0)),
        "opens": DUSK,
        "closes": DUSK + timedelta(hours=1),
        "priority": 1.0,
        "filter_name": "clear",
        "exposure_s": 2.0,
        "frame_count": 3,
        "binning": 1,
        "collect": CollectShape.AUTO,
    }
    return ObservationRequest(**{**values, **changes})


def test_a_low_satellite_crosses_as_a_streak_that_stays_within_the_field() -> None:
    collect = collect_for(asked(), ISS_OVERHEAD_DEG_S, CAPABLE)
    assert collect.shape is CollectShape.LEAPFROG
    assert collect.exposure_s * ISS_OVERHEAD_DEG_S == pytest.approx(0.4 * 1.0)
    assert "the mount follows up to 0.05°/s" in collect.why
    assert "exposure cut from 2 s to 0.364 s" in collect.why


def test_a_geostationary_satellite_is_followed_where_the_mount_can() -> None:
    collect = collect_for(asked(), GEO_DEG_S, CAPABLE)
    assert collect.shape is CollectShape.RATE_TRACK
    assert collect.exposure_s == 2.0
    assert collect.frame_spacing_s == 3.0
    assert "moves 17 px in an exposure" in collect.why


def test_a_geostationary_satellite_is_a_short_streak_where_the_mount_takes_no_rates() -> None:
    collect = collect_for(asked(), GEO_DEG_S, ORDINARY)
    assert collect.shape is CollectShape.LEAPFROG
    assert collect.exposure_s == 2.0
    assert collect.why == "the mount takes no rates"


def test_what_moves_less_than_a_pixel_needs_no_rates() -> None:
    collect = collect_for(asked(), 0.0001, CAPABLE)
    assert collect.shape is CollectShape.LEAPFROG
    assert collect.why == "moves 0.4 px in an exposure: needs no rates"


def test_a_star_is_simply_exposed() -> None:
    collect = collect_for(asked(exposure_s=60.0), 0.0, CAPABLE)
    assert (collect.shape, collect.exposure_s) == (CollectShape.LEAPFROG, 60.0)


def test_binning_makes_the_pixels_larger_and_the_motion_smaller() -> None:
    assert collect_for(asked(binning=1), 0.0004, CAPABLE).shape is CollectShape.RATE_TRACK  # 1.6 px
    assert collect_for(asked(binning=2), 0.0004, CAPABLE).shape is CollectShape.LEAPFROG  # 0.8 px


def test_between_two_streaks_there_is_time_to_jump_ahead() -> None:
    collect = collect_for(asked(), 0.1, CAPABLE)
    assert collect.frame_spacing_s == pytest.approx(2.0 + 1.0 + 4.0)
    assert collect.duration_s == pytest.approx(2 * 7.0 + 2.0)


def test_an_explicit_shape_is_obeyed() -> None:
    assert collect_for(asked(collect=CollectShape.LEAPFROG), GEO_DEG_S, CAPABLE).shape is CollectShape.LEAPFROG
    assert collect_for(asked(collect=CollectShape.RATE_TRACK), 0.0, CAPABLE).shape is CollectShape.RATE_TRACK


@pytest.mark.parametrize(
    ("optics", "rate_deg_s", "words"),
    [
        (ORDINARY, GEO_DEG_S, "rate tracking asked, but the mount takes no rates"),
        (CAPABLE, 0.6, "rate tracking asked, but moves 0.6°/s, the mount follows up to 0.05°/s"),
    ],
)
def test_a_rate_track_that_cannot_be_is_a_leapfrog_and_says_so(optics: Optics, rate_deg_s: float, words: str) -> None:
    collect = collect_for(asked(collect=CollectShape.RATE_TRACK), rate_deg_s, optics)
    assert collect.shape is CollectShape.LEAPFROG
    assert collect.why.startswith(words)


@pytest.mark.parametrize("rate_deg_s", [math.nan, math.inf, -0.1])
def test_a_rate_that_cannot_be_is_refused_and_names_the_task(rate_deg_s: float) -> None:
    with pytest.raises(ValueError, match="task-7"):
        collect_for(asked(), rate_deg_s, CAPABLE)


@pytest.mark.parametrize(
    "change",
    [
        {"pixel_scale_arcsec_per_px": math.nan},
        {"pixel_scale_arcsec_per_px": 0.0},
        {"width_px": 0},
        {"max_streak_fraction": 1.5},
        {"max_streak_fraction": math.nan},
        {"readout_s": math.inf},
        {"repoint_s": -1.0},
        {"max_track_rate_deg_s": math.nan},
    ],
)
def test_optics_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"nothing|within|0 or more"):
        Optics(**{**NO_RATES, **change})


@given(
    rate_deg_s=st.floats(0.0, 2.0),
    exposure_s=st.floats(0.01, 120.0),
    frame_count=st.integers(1, 20),
    binning=st.integers(1, 4),
    collect=st.sampled_from(list(CollectShape)),
    mount_deg_s=st.sampled_from([0.0, 0.05, 3.0]),
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_asked_the_mount_and_the_field_can_do_it(
    rate_deg_s: float, exposure_s: float, frame_count: int, binning: int, collect: CollectShape, mount_deg_s: float
) -> None:
    optics = Optics(**{**NO_RATES, "max_track_rate_deg_s": mount_deg_s})
    request = asked(exposure_s=exposure_s, frame_count=frame_count, binning=binning, collect=collect)
    chosen: Collect = collect_for(request, rate_deg_s, optics)
    assert chosen.why
    assert chosen.frame_count == frame_count
    assert 0.0 < chosen.exposure_s <= exposure_s
    assert chosen.frame_spacing_s >= chosen.exposure_s + optics.readout_s
    if chosen.shape is CollectShape.RATE_TRACK:
        assert rate_deg_s <= mount_deg_s
        assert chosen.exposure_s == exposure_s
    else:
        assert chosen.shape is CollectShape.LEAPFROG
        assert chosen.exposure_s * rate_deg_s <= 0.4 * optics.smaller_side_deg * (1.0 + 1e-9)
