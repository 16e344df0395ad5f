"""When and where the mount meets its target: early enough for the slew it really takes, and never after the window."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.observing.meetings import Meetings, TooLate
from bridge.observing.pace import Recent
from bridge.observing.pointing import command_for
from drivers.values import Equatorial, EquatorialSystem, MountStatus
from schedules.ephemeris import Ephemeris
from schedules.exposures import Optics
from schedules.requests import CollectShape
from schedules.slews import Axes, SlewModel
from schedules.telescope import Telescope
from tests.bridge.observing.skies import FRONT_RANGE, looking_at, mount_at
from tests.bridge.observing.stations import DUSK, a_plan_for, a_request, satellite, up_now

OPTICS = Optics(
    pixel_scale_arcsec_per_px=8.0,
    width_px=1000,
    height_px=1000,
    readout_s=1.0,
    max_streak_fraction=0.4,
    max_track_rate_deg_s=2.0,
)


def meetings_of(
    ephemeris: Ephemeris,
    *,
    axes: Axes = Axes.EQUATORIAL,
    overrun_s: float = 2.0,
    dome_deg_s: float = float("inf"),
    slit_tolerance_deg: float = 0.0,
) -> Meetings:
    slews = SlewModel(axes=axes, speed_deg_s=4.0, acceleration_deg_s2=2.0, settle_s=1.0)
    telescope = Telescope(
        site=FRONT_RANGE,
        ephemeris=ephemeris,
        slews=slews,
        optics=OPTICS,
        overhead_s=2.0,
        filter_change_s=5.0,
        dome_turn_speed_deg_s=dome_deg_s,
    )
    return Meetings(
        telescope=telescope,
        system=EquatorialSystem.APPARENT,
        slew_overrun=Recent(expected_s=overrun_s),
        slit_tolerance_deg=slit_tolerance_deg,
    )


def standing(ephemeris: Ephemeris, altitude_deg: float, azimuth_deg: float, at: datetime = DUSK) -> MountStatus:
    return mount_at(looking_at(ephemeris, altitude_deg, azimuth_deg, at), at)


def leads_to(meetings: Meetings, status: MountStatus, command: Equatorial, now: datetime) -> datetime:
    """When the slew model says that a mount that leaves now has settled there."""
    return now + timedelta(seconds=meetings.slew_s(status, command, now))


@pytest.mark.parametrize("kind", ["LEO", "MEO", "GEO", "HEO"])
@pytest.mark.parametrize("shape", [CollectShape.LEAPFROG, CollectShape.RATE_TRACK])
@pytest.mark.parametrize("axes", Axes)
def test_the_first_meeting_leaves_time_for_the_slew_and_its_overrun(
    ephemeris: Ephemeris, kind: str, shape: CollectShape, axes: Axes
) -> None:
    """From all round the sky: the target moves on while the telescope is on its way."""
    meetings = meetings_of(ephemeris, axes=axes)
    planned = a_plan_for(a_request(satellite(up_now(kind, DUSK)[0])), starts_at=DUSK, shape=shape)
    for azimuth_deg in range(0, 360, 60):
        status = standing(ephemeris, 35.0, float(azimuth_deg))
        meeting = meetings.first(planned, earliest=DUSK, status=status, now=DUSK)
        arrives = leads_to(meetings, status, meeting.command, DUSK)
        assert arrives + timedelta(seconds=2.0) <= meeting.follow_from
        assert meeting.follow_from - arrives < timedelta(seconds=4.0), "and not much more than that"
        assert meeting.follow_from <= meeting.opens_at < meeting.closes_at


def test_a_meeting_is_not_before_its_time(ephemeris: Ephemeris) -> None:
    meetings = meetings_of(ephemeris)
    planned = a_plan_for(a_request(satellite(up_now("GEO", DUSK)[0])), starts_at=DUSK, shape=CollectShape.LEAPFROG)
    later = DUSK + timedelta(seconds=300.0)
    status = standing(ephemeris, 35.0, 90.0)
    assert meetings.first(planned, earliest=later, status=status, now=DUSK).opens_at == later


@pytest.mark.parametrize("shape", [CollectShape.LEAPFROG, CollectShape.RATE_TRACK])
def test_the_place_of_a_meeting_is_the_targets_in_the_middle_of_the_exposure(
    ephemeris: Ephemeris, shape: CollectShape
) -> None:
    meetings = meetings_of(ephemeris)
    target = satellite(up_now("LEO", DUSK)[0])
    meeting = meetings.at(a_plan_for(a_request(target), starts_at=DUSK, shape=shape), DUSK)
    middle = DUSK + timedelta(seconds=1.0)
    assert meeting.place == ephemeris.place_of(target, FRONT_RANGE, middle)
    assert meeting.closes_at == DUSK + timedelta(seconds=2.0)
    there = command_for(meeting.place, EquatorialSystem.APPARENT)
    if shape is CollectShape.LEAPFROG:
        assert meeting.rates is None
        assert meeting.follow_from == meeting.opens_at
        assert meeting.command == there
    else:
        assert meeting.rates is not None
        assert meeting.follow_from < DUSK - timedelta(seconds=0.5), "there is time to catch up"
        waits = ephemeris.place_of(target, FRONT_RANGE, meeting.follow_from)
        assert meeting.command == command_for(waits, EquatorialSystem.APPARENT)


@pytest.mark.parametrize(("kind", "catches_up_s"), [("GEO", (0.5, 1.5)), ("MEO", (0.5, 1.5)), ("LEO", (2.0, 6.0))])
def test_the_faster_the_target_the_earlier_it_is_followed(
    ephemeris: Ephemeris, kind: str, catches_up_s: tuple[float, float]
) -> None:
    meetings = meetings_of(ephemeris)
    target = satellite(up_now(kind, DUSK)[0])
    meeting = meetings.at(a_plan_for(a_request(target), starts_at=DUSK, shape=CollectShape.RATE_TRACK), DUSK)
    assert catches_up_s[0] <= (meeting.opens_at - meeting.follow_from).total_seconds() <= catches_up_s[1]


def test_a_target_that_cannot_be_followed_is_taken_as_a_streak_that_stays_on_the_field(ephemeris: Ephemeris) -> None:
    meetings = meetings_of(ephemeris)
    target = satellite(up_now("LEO", DUSK)[0])
    followed = a_plan_for(a_request(target, exposure_s=10.0), starts_at=DUSK, shape=CollectShape.RATE_TRACK)
    leaping = meetings.leaping(followed, DUSK)
    assert leaping.collect.shape is CollectShape.LEAPFROG
    assert leaping.collect.frame_count == followed.collect.frame_count
    rate_deg_s = ephemeris.place_of(target, FRONT_RANGE, DUSK).angular_rate_deg_s
    streak_deg = rate_deg_s * leaping.collect.exposure_s
    assert streak_deg == pytest.approx(OPTICS.max_streak_fraction * OPTICS.smaller_side_deg, rel=1e-6)


@pytest.mark.parametrize("ends", ["window", "request"])
def test_an_exposure_that_would_end_after_the_window_is_too_late(ephemeris: Ephemeris, ends: str) -> None:
    meetings = meetings_of(ephemeris)
    target = satellite(up_now("GEO", DUSK)[0])
    closes = DUSK + timedelta(seconds=100.0)
    request = a_request(target, closes=closes if ends == "request" else DUSK + timedelta(hours=1))
    lasts_s = 100.0 if ends == "window" else 3600.0
    planned = a_plan_for(request, starts_at=DUSK, lasts_s=lasts_s, shape=CollectShape.LEAPFROG)
    assert meetings.at(planned, closes - timedelta(seconds=2.0)).closes_at == closes
    with pytest.raises(TooLate, match="the window closes at 00:46:40"):
        meetings.at(planned, closes - timedelta(seconds=1.9))


def test_a_window_that_ends_during_the_slew_is_too_late_before_anything_moves(ephemeris: Ephemeris) -> None:
    meetings = meetings_of(ephemeris)
    target = satellite(up_now("GEO", DUSK)[0])
    planned = a_plan_for(a_request(target), starts_at=DUSK, lasts_s=12.0, shape=CollectShape.LEAPFROG)
    with pytest.raises(TooLate):
        meetings.first(planned, earliest=DUSK, status=standing(ephemeris, 30.0, 10.0), now=DUSK)


def test_slews_that_take_longer_than_the_model_are_allowed_for(ephemeris: Ephemeris) -> None:
    meetings = meetings_of(ephemeris)
    planned = a_plan_for(a_request(satellite(up_now("GEO", DUSK)[0])), starts_at=DUSK, shape=CollectShape.LEAPFROG)
    status = standing(ephemeris, 35.0, 90.0)
    before = meetings.first(planned, earliest=DUSK, status=status, now=DUSK).opens_at
    meetings.slew_overrun.note(9.0)
    after = meetings.first(planned, earliest=DUSK, status=status, now=DUSK).opens_at
    assert (after - before).total_seconds() == pytest.approx(7.0, abs=0.05)
    for _ in range(5):
        meetings.slew_overrun.note(0.5)
    again = meetings.first(planned, earliest=DUSK, status=status, now=DUSK).opens_at
    assert (again - before).total_seconds() == pytest.approx(-1.5, abs=0.05), (
        "what was slow once is forgotten after five slews"
    )


def test_a_slow_dome_is_waited_for_and_a_slit_that_need_not_turn_is_not(ephemeris: Ephemeris) -> None:
    start, end = (standing(ephemeris, 60.0, azimuth_deg) for azimuth_deg in (200.0, 260.0))
    quick, slow = meetings_of(ephemeris), meetings_of(ephemeris, dome_deg_s=1.0)
    assert slow.slew_s(start, end.pointing, DUSK) == pytest.approx(60.0, abs=0.01)
    assert quick.slew_s(start, end.pointing, DUSK) < 20.0
    near = standing(ephemeris, 60.0, 204.0).pointing
    tolerant = meetings_of(ephemeris, dome_deg_s=0.1, slit_tolerance_deg=5.0)
    assert tolerant.slew_s(start, near, DUSK) == quick.slew_s(start, near, DUSK)
    assert meetings_of(ephemeris, dome_deg_s=0.1).slew_s(start, near, DUSK) == pytest.approx(40.0, abs=0.01)


def test_a_flip_costs_what_the_model_says(ephemeris: Ephemeris) -> None:
    """From one side of the meridian to the other a German mount turns its axes by much more than the sky."""
    meetings = meetings_of(ephemeris)
    east, west = standing(ephemeris, 50.0, 178.0), standing(ephemeris, 50.0, 182.0)
    assert meetings.slew_s(east, west.pointing, DUSK) > 40.0
    by_azimuth = meetings_of(ephemeris, axes=Axes.ALTAZ)
    assert by_azimuth.slew_s(east, west.pointing, DUSK) < 5.0


def test_the_next_frame_of_a_following_mount_comes_at_once(ephemeris: Ephemeris) -> None:
    meetings = meetings_of(ephemeris)
    planned = a_plan_for(a_request(satellite(up_now("LEO", DUSK)[0])), starts_at=DUSK, shape=CollectShape.RATE_TRACK)
    meeting = meetings.next_while_following(planned, DUSK)
    assert DUSK < meeting.opens_at <= DUSK + timedelta(seconds=0.2)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["LEO", "MEO", "GEO", "HEO"]),
    shape=st.sampled_from([CollectShape.LEAPFROG, CollectShape.RATE_TRACK]),
    altitude_deg=st.floats(12.0, 88.0),
    azimuth_deg=st.floats(0.0, 359.0),
    late_s=st.floats(-60.0, 60.0),
    lasts_s=st.floats(5.0, 200.0),
)
def test_a_meeting_is_in_reach_and_in_the_window_or_there_is_none(
    ephemeris: Ephemeris,
    kind: str,
    shape: CollectShape,
    altitude_deg: float,
    azimuth_deg: float,
    late_s: float,
    lasts_s: float,
) -> None:
    meetings = meetings_of(ephemeris, dome_deg_s=5.0)
    planned = a_plan_for(a_request(satellite(up_now(kind, DUSK)[0])), starts_at=DUSK, lasts_s=lasts_s, shape=shape)
    now = DUSK + timedelta(seconds=late_s)
    status = standing(ephemeris, altitude_deg, azimuth_deg, now)
    try:
        meeting = meetings.first(planned, earliest=DUSK, status=status, now=now)
    except TooLate:
        return
    assert meeting.opens_at >= DUSK
    assert meeting.closes_at <= planned.window.set
    assert leads_to(meetings, status, meeting.command, now) <= meeting.follow_from
