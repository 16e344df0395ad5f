"""What holds for every plan of every night."""

import math
import random
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from schedules.exposures import collect_for
from schedules.places import Horizontal
from schedules.planner import Plan, PlannedObservation, Telescope, make_plan
from schedules.requests import ObservationRequest
from schedules.slews import Axes
from schedules.visits import Visit
from schedules.windows import AccessWindow
from tests.schedules.planner_sky import (
    DUSK,
    PASSING,
    after,
    asked,
    importance,
    low_satellite,
    must_be_sound,
    needed_s,
    slow_satellite,
    star,
    telescope,
    window,
)

Night = tuple[list[ObservationRequest], dict[str, list[AccessWindow]]]

NORTH = Horizontal(altitude_deg=30.0, azimuth_deg=0.0)
TARGETS = [
    *(low_satellite(number) for number in PASSING),
    *(slow_satellite(number) for number in range(3)),
    *(star(altitude, azimuth, DUSK) for altitude, azimuth in ((70.0, 100.0), (35.0, 185.0), (50.0, 300.0))),
]


@cache
def scope(axes: Axes) -> Telescope:
    """One for all examples: it keeps the tracks of the few targets."""
    return telescope(axes, filter_change_s=12.0, dome_turn_speed_deg_s=6.0)


@st.composite
def windows_of_a_target(draw: st.DrawFn, crowded: bool) -> list[AccessWindow]:
    """One to three, short or long, on a coarse raster so that tracks can be shared."""
    found = []
    begins = st.just([1]) if crowded else st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True)
    for begin in draw(begins):
        length_s = draw(st.sampled_from([15.0, 60.0, 180.0, 290.0]))
        found.append(
            window(begin * 300.0, begin * 300.0 + length_s, begin * 300.0 + length_s * draw(st.floats(0.0, 1.0)))
        )
    return sorted(found, key=lambda one: one.rise)


@st.composite
def nights(draw: st.DrawFn, least: int = 1, most: int = 9, *, crowded: bool = False) -> Night:
    """A few requests in half an hour, or crowded into five minutes: some fit, some must lose."""
    requests, windows = [], {}
    for number in range(draw(st.integers(least, most))):
        opens_s = draw(st.sampled_from([-60.0, 300.0, 700.0]))
        request = asked(
            f"task-{number}",
            draw(st.sampled_from(TARGETS)),
            priority=float(draw(st.integers(1, 4))),
            exposure_s=draw(st.sampled_from([0.5, 2.0, 20.0])),
            frame_count=draw(st.integers(1, 4)),
            filter_name=draw(st.sampled_from(["V", "R"])),
            opens=after(opens_s),
            closes=after(opens_s + draw(st.sampled_from([30.0, 900.0, 3600.0]))),
        )
        requests.append(request)
        windows[request.request_id] = draw(windows_of_a_target(crowded))
    return requests, windows


axes = pytest.mark.parametrize("axes", list(Axes))


@axes
@given(night=nights(), standing=st.sampled_from([None, NORTH]), begins_s=st.sampled_from([-600.0, 0.0, 400.0]))
@settings(max_examples=60, deadline=None)
def test_the_telescope_is_never_asked_to_be_in_two_places(
    axes: Axes, night: Night, standing: Horizontal | None, begins_s: float
) -> None:
    requests, windows = night
    plan = make_plan(requests, windows, after(begins_s), telescope=scope(axes), standing=standing)
    must_be_sound(plan, scope(axes), requests)


@cache
def following_some_passes() -> Telescope:
    """A mount that can follow a low satellite until it is near culmination."""
    ordinary = scope(Axes.EQUATORIAL)
    return telescope(Axes.EQUATORIAL, optics=replace(ordinary.optics, max_track_rate_deg_s=0.4))


@given(
    number=st.sampled_from(PASSING),
    rise_s=st.floats(300.0, 500.0),
    long_s=st.floats(5.0, 280.0),
    exposure_s=st.sampled_from([0.5, 10.0, 40.0]),
    start=st.floats(0.0, 1.0),
)
@example(number=868, rise_s=480.0, long_s=30.0, exposure_s=0.5, start=0.82)
@settings(max_examples=80, deadline=None)
def test_a_series_may_be_asked_about_at_any_start_of_its_window(
    number: int, rise_s: float, long_s: float, exposure_s: float, start: float
) -> None:
    """A pass soon too quick to be followed: the frames are long before that and short after, and some end too late."""
    request = asked("a", low_satellite(number), exposure_s=exposure_s, frame_count=4)
    span_s = (after(rise_s).timestamp(), after(rise_s + long_s).timestamp())
    visit = Visit(request, window(rise_s, rise_s + long_s), span_s, following_some_passes())
    assume(visit.latest_s >= visit.opens_s)
    assert visit.fits(visit.latest_s)
    start_s = visit.opens_s + start * (visit.latest_s - visit.opens_s)
    taken_up, duration_s, left = visit.series(start_s)
    assert visit.shortest_s <= duration_s
    assert visit.fits(start_s) == (start_s + duration_s <= visit.closes_s)
    assert all(math.isfinite(angle) for angle in (*taken_up[:3], *left[:3]))


@given(night=nights(), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_same_requests_in_another_order_make_the_same_plan(night: Night, shuffle: random.Random) -> None:
    requests, windows = night
    shuffled = list(requests)
    shuffle.shuffle(shuffled)
    keys = list(windows)
    shuffle.shuffle(keys)
    plan = make_plan(requests, windows, DUSK, telescope=scope(Axes.ALTAZ), standing=NORTH)
    again = make_plan(shuffled, {key: windows[key] for key in keys}, DUSK, telescope=telescope_like(), standing=NORTH)
    assert plan == again


def telescope_like() -> Telescope:
    """A second one, which has kept nothing."""
    return telescope(Axes.ALTAZ, filter_change_s=12.0, dome_turn_speed_deg_s=6.0)


@axes
@given(night=nights())
@settings(max_examples=40, deadline=None)
def test_what_matters_most_is_observed_if_it_could_be_alone(axes: Axes, night: Night) -> None:
    requests, windows = night
    chief = replace(requests[0], priority=99.0)
    alone = make_plan([chief], windows, DUSK, telescope=scope(axes), standing=NORTH)
    among = make_plan([chief, *requests[1:]], windows, DUSK, telescope=scope(axes), standing=NORTH)
    assert ids(alone) <= ids(among)


@axes
@given(night=nights(), priority=st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_one_more_request_costs_nothing_that_matters_more(axes: Axes, night: Night, priority: int) -> None:
    requests, windows = night
    newcomer = replace(requests[-1], request_id="newcomer", priority=priority + 0.5)
    before = make_plan(requests, windows, DUSK, telescope=scope(axes), standing=NORTH)
    with_it = make_plan(
        [*requests, newcomer],
        {**windows, "newcomer": windows[requests[-1].request_id]},
        DUSK,
        telescope=scope(axes),
        standing=NORTH,
    )
    kept = {one.request.request_id for one in before.observations if one.request.priority > newcomer.priority}
    assert kept <= ids(with_it)


@given(night=nights(1, 6))
@settings(max_examples=25, deadline=None)
def test_a_plan_made_again_before_it_begins_is_the_same_plan(night: Night) -> None:
    """Tracks kept from one plan to the next change nothing, and neither does a shorter look ahead."""
    requests, windows = night
    fresh = telescope_like()
    first = make_plan(requests, windows, DUSK, telescope=fresh, standing=NORTH)
    assert make_plan(requests, windows, DUSK, telescope=fresh, standing=NORTH) == first
    placed = [one.request for one in first.observations]
    assert ids(make_plan(placed, windows, DUSK, telescope=fresh, standing=NORTH)) == ids(first)


@given(night=nights(2, 2, crowded=True))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_of_two_one_is_given_up_only_if_no_starts_at_all_serve_both(night: Night) -> None:
    """Every pair of starts on a raster, in either order, as an outside check of shifting and inserting."""
    requests, windows = night
    plan = make_plan(requests, windows, DUSK, telescope=scope(Axes.ALTAZ), standing=NORTH)
    assume(len(plan.observations) == 1 and "loses" in plan.dropped[0].reason)
    first, second = ([*candidates(request, windows)] for request in requests)
    for one in first:
        for other in second:
            early, late = sorted((one, other), key=lambda planned: planned.starts_at)
            between_s = (late.starts_at - early.ends_at).total_seconds()
            if between_s > 0.0:
                assert between_s < needed_s(scope(Axes.ALTAZ), early, late) + 1.0


def candidates(request: ObservationRequest, windows: dict[str, list[AccessWindow]]) -> list[PlannedObservation]:
    """Every start on a raster, as if it were planned."""
    found = []
    for one in windows[request.request_id]:
        begin, end = max(one.rise, request.opens, after(70.0)), min(one.set, request.closes)
        while begin < end:
            place = scope(Axes.ALTAZ).ephemeris.place_of(request.target, scope(Axes.ALTAZ).site, begin)
            collect = collect_for(request, place.angular_rate_deg_s, scope(Axes.ALTAZ).optics)
            ends_at = begin + timedelta(seconds=collect.duration_s + 1.0)
            if ends_at <= end:
                found.append(
                    PlannedObservation(
                        request=request, window=one, collect=collect, leave_at=begin, starts_at=begin, ends_at=ends_at
                    )
                )
            begin += timedelta(seconds=15.0)
    return found


def appended(requests: list[ObservationRequest], windows: dict[str, list[AccessWindow]], now: datetime) -> Plan:
    """The plain way: by priority, each after the last one, at the first start that the telescope can make."""
    queue = sorted(requests, key=lambda request: (-request.priority, request.request_id))
    plan = make_plan([], {}, now, telescope=scope(Axes.ALTAZ), standing=NORTH)
    for request in queue:
        last = plan.observations[-1:]
        begins = last[0].ends_at if last else now
        alone = replace(request, opens=max(request.opens, begins)) if begins < request.closes else None
        if alone is None:
            continue
        # after the last one: everything else is fixed, so this is a plan of one that begins when the other ends
        standing = where_it_ends(last[0]) if last else NORTH
        step = make_plan([alone], windows, begins, telescope=telescope_like(), standing=standing)
        plan = replace(plan, observations=(*plan.observations, *step.observations))
    return plan


def where_it_ends(one: PlannedObservation) -> Horizontal:
    return scope(Axes.ALTAZ).ephemeris.place_of(one.request.target, scope(Axes.ALTAZ).site, one.ends_at).horizontal


def test_inserting_is_better_than_appending_by_priority() -> None:
    """Twelve crowded half hours: the total importance observed, in the mean."""
    inserted, plain = [], []
    for seed in range(12):
        dice = random.Random(seed)
        requests, windows = [], {}
        for number in range(14):
            begin_s = dice.randrange(0, 1500)
            request = asked(f"task-{number}", dice.choice(TARGETS), priority=float(dice.randint(1, 9)))
            requests.append(request)
            windows[request.request_id] = [window(begin_s, begin_s + dice.choice([60.0, 180.0, 300.0]))]
        inserted.append(importance(make_plan(requests, windows, DUSK, telescope=scope(Axes.ALTAZ), standing=NORTH)))
        plain.append(importance(appended(requests, windows, DUSK)))
    assert sum(inserted) > 1.3 * sum(plain)
    assert all(ours >= theirs for ours, theirs in zip(inserted, plain, strict=True))


def ids(plan: Plan) -> set[str]:
    return {one.request.request_id for one in plan.observations}
