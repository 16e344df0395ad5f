"""How long things really take, and when that is news for the plan."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.observing.pace import Pace, Recent
from schedules.ephemeris import Ephemeris
from schedules.exposures import Optics
from schedules.requests import CollectShape
from schedules.slews import Axes, SlewModel
from schedules.telescope import Telescope
from tests.bridge.observing.skies import FRONT_RANGE


def test_until_something_was_measured_the_expected_counts() -> None:
    recent = Recent(expected_s=2.0)
    assert (recent.usual_s, recent.largest_s) == (2.0, 2.0)


def test_one_slow_slew_counts_for_the_next_five() -> None:
    recent = Recent(expected_s=2.0)
    recent.note(30.0)
    for _ in range(4):
        recent.note(1.0)
        assert recent.largest_s == 30.0
    assert recent.usual_s == 1.0
    recent.note(1.0)
    assert recent.largest_s == 1.0


@given(delays=st.lists(st.floats(-100.0, 1e6), min_size=1, max_size=20))
def test_a_delay_is_never_negative_and_only_five_are_remembered(delays: list[float]) -> None:
    recent = Recent(expected_s=0.0)
    for delay in delays:
        recent.note(delay)
    lately = [max(0.0, delay) for delay in [0.0, *delays][-5:]]
    assert recent.largest_s == max(lately)
    assert min(lately) <= recent.usual_s <= max(lately)


@pytest.fixture
def telescope(ephemeris: Ephemeris) -> Telescope:
    return Telescope(
        site=FRONT_RANGE,
        ephemeris=ephemeris,
        slews=SlewModel(axes=Axes.EQUATORIAL, speed_deg_s=4.0, acceleration_deg_s2=2.0, settle_s=1.0),
        optics=Optics(
            pixel_scale_arcsec_per_px=8.0,
            width_px=1000,
            height_px=1000,
            readout_s=3.0,
            max_streak_fraction=0.4,
            max_track_rate_deg_s=0.0,
            repoint_s=2.0,
        ),
        overhead_s=2.0,
        filter_change_s=0.0,
    )


def test_where_little_has_changed_the_telescope_is_the_same(telescope: Telescope) -> None:
    pace = Pace.expected(overhead_s=2.0, readout_s=1.0)
    assert pace.applied_to(telescope) is telescope
    pace.slew_overrun.note(2.3)
    assert pace.applied_to(telescope) is telescope


def test_what_was_measured_is_what_is_planned_with(telescope: Telescope) -> None:
    pace = Pace.expected(overhead_s=2.0, readout_s=1.0)
    pace.slew_overrun.note(12.0)
    for _ in range(5):
        pace.turnaround.note(1.5)
        pace.note_between_frames(CollectShape.RATE_TRACK, 5.0)
        pace.note_between_frames(CollectShape.LEAPFROG, 9.0)
    applied = pace.applied_to(telescope)
    assert applied.overhead_s == pytest.approx(13.5)
    assert applied.optics.readout_s == pytest.approx(5.0)
    assert applied.optics.repoint_s == pytest.approx(4.0), "from the end of one frame to the next, less the read-out"
    assert applied == replace(telescope, overhead_s=13.5, optics=applied.optics)


def test_frames_that_follow_each_other_quickly_need_no_negative_time(telescope: Telescope) -> None:
    pace = Pace.expected(overhead_s=20.0, readout_s=30.0)
    for _ in range(5):
        pace.note_between_frames(CollectShape.LEAPFROG, 1.0)
    assert pace.applied_to(telescope).optics.repoint_s == 0.0
