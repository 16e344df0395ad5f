"""Nights small enough to tell: who is observed when, and what the others are told."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schedules.constraints import MinAltitude, SunBelow, Sunlit
from schedules.ephemeris import Ephemeris
from schedules.places import Horizontal
from schedules.planner import Plan, PlannedObservation, Telescope, make_plan
from schedules.requests import CollectShape
from schedules.site import Site
from schedules.slews import Axes, SlewModel
from schedules.targets import Satellite, Target
from schedules.tracks import Track
from schedules.visits import Visit
from schedules.windows import find_windows
from tests.schedules.planner_sky import (
    DUSK,
    PASSING,
    SITE,
    after,
    asked,
    ephemeris,
    low_satellite,
    must_be_sound,
    slow_satellite,
    star,
    telescope,
    window,
)

SOUTH_HIGH = star(60.0, 180.0, DUSK, name="south high")
EAST_LOW = star(25.0, 90.0, DUSK, name="east low")
WEST_LOW = star(25.0, 270.0, DUSK, name="west low")
SOUTH = Horizontal(altitude_deg=60.0, azimuth_deg=180.0)


def starts_s(plan: Plan) -> dict[str, float]:
    return {one.request.request_id: (one.starts_at - DUSK).total_seconds() for one in plan.observations}


def reasons(plan: Plan) -> dict[str, str]:
    return {one.request.request_id: one.reason for one in plan.dropped}


def only(plan: Plan) -> PlannedObservation:
    (one,) = plan.observations
    return one


def test_a_pass_is_observed_around_its_culmination() -> None:
    plan = make_plan([asked("a", SOUTH_HIGH)], {"a": [window(600, 1200)]}, DUSK, telescope=telescope(), standing=SOUTH)
    one = only(plan)
    middle = one.starts_at + (one.ends_at - one.starts_at) / 2
    assert abs((middle - one.window.culmination).total_seconds()) < 0.1


def test_a_window_under_way_is_used_at_once_when_its_best_time_is_over() -> None:
    plan = make_plan(
        [asked("a", SOUTH_HIGH)], {"a": [window(-900, 900, -600)]}, DUSK, telescope=telescope(), standing=SOUTH
    )
    one = only(plan)
    assert (one.leave_at - DUSK).total_seconds() < 0.2
    assert (one.starts_at - DUSK).total_seconds() == pytest.approx(4.0, abs=0.7)  # overhead 2 s, settling 2 s, a nudge


def test_the_more_important_of_two_at_the_same_time_is_observed_and_the_other_hears_why() -> None:
    requests = [asked("a", EAST_LOW, priority=2.0), asked("b", WEST_LOW, priority=5.0)]
    windows = {"a": [window(600, 640)], "b": [window(600, 640)]}
    plan = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert starts_s(plan).keys() == {"b"}
    # 17 s for either series of three frames, 40 s of window for both: what lacks is the slew from west to east
    assert reasons(plan)["a"].startswith("loses to west low (b) by ")
    assert reasons(plan)["a"].endswith(" s of slew")


def test_what_would_not_fit_without_any_slew_does_not_blame_the_slew() -> None:
    requests = [asked("a", SOUTH_HIGH, priority=2.0), asked("b", SOUTH_HIGH, priority=5.0)]
    windows = {"a": [window(600, 625)], "b": [window(600, 625)]}
    plan = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert reasons(plan) == {"a": "loses to south high (b) by 14 s"}  # 2 × 17 s and some 5 s between, in 25 s


def test_the_less_important_of_two_neighbours_is_named() -> None:
    requests = [
        asked("first", EAST_LOW, priority=9.0),
        asked("last", EAST_LOW, priority=5.0),
        asked("between", WEST_LOW, priority=1.0),
    ]
    windows = {"first": [window(600, 620)], "last": [window(700, 720)], "between": [window(610, 710)]}
    plan = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert reasons(plan)["between"].startswith("loses to east low (last)")


def test_an_important_one_moves_off_its_culmination_rather_than_cost_another_its_place() -> None:
    requests = [asked("a", SOUTH_HIGH, priority=9.0), asked("b", SOUTH_HIGH, priority=1.0)]
    windows = {"a": [window(600, 700)], "b": [window(635, 665)]}
    plan = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    alone = make_plan(requests[:1], windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert not plan.dropped
    assert abs(starts_s(plan)["a"] - starts_s(alone)["a"]) > 5.0


def test_many_are_shifted_for_one_more() -> None:
    """Five in a row, each in the middle of its own window, leave no gap; together they can be moved."""
    requests = [asked(f"task-{n}", SOUTH_HIGH, priority=9.0 - n) for n in range(6)]
    windows = {f"task-{n}": [window(600, 733)] for n in range(6)}
    plan = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert not plan.dropped  # 6 × 17 s and 5 × 5 s take 127 of the 133 s
    must_be_sound(plan, telescope(), requests)


def test_what_has_little_room_can_be_shifted_to_its_very_edge() -> None:
    """The second needs every second between them: the first has to begin when its window opens."""
    requests = [asked("a", EAST_LOW, priority=2.0), asked("b", WEST_LOW, priority=1.0)]
    windows = {"a": [window(600, 630, 625)], "b": [window(600, 900, 610)]}
    plan = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert starts_s(plan)["a"] == pytest.approx(600.0, abs=0.3)
    must_be_sound(plan, telescope(), requests)


def test_a_gap_that_just_suffices_is_used() -> None:
    """17 s of frames and some 4.5 s on either side, in the 29 s that two important neighbours leave."""
    requests = [asked(name, SOUTH_HIGH, priority=priority) for name, priority in (("a", 3.0), ("b", 1.0), ("c", 2.0))]
    windows = {"a": [window(600, 618)], "b": [window(600, 663)], "c": [window(645, 663)]}
    plan = make_plan(requests, windows, after(590), telescope=telescope(), standing=SOUTH)
    assert list(starts_s(plan)) == ["a", "b", "c"]


def test_a_task_that_loses_its_first_pass_gets_its_second() -> None:
    requests = [asked("a", WEST_LOW, priority=1.0), asked("b", EAST_LOW, priority=5.0)]
    windows = {"a": [window(600, 630), window(6000, 6030)], "b": [window(600, 630)]}
    plan = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert starts_s(plan)["a"] > 6000.0


def test_opens_and_closes_cut_the_window() -> None:
    request = asked("a", SOUTH_HIGH, opens=after(700.0), closes=after(730.0))
    one = only(make_plan([request], {"a": [window(0, 600), window(600, 900)]}, DUSK, telescope=telescope()))
    assert after(700.0) <= one.starts_at
    assert one.ends_at <= after(730.0)


def test_nothing_begins_before_now() -> None:
    plan = make_plan(
        [asked("a", EAST_LOW)], {"a": [window(0, 300, 10)]}, after(100.0), telescope=telescope(), standing=SOUTH
    )
    one = only(plan)
    assert after(100.0) <= one.leave_at <= after(100.2)
    assert (one.starts_at - one.leave_at).total_seconds() > 30.0  # 90° of azimuth


def test_where_the_telescope_stands_decides_what_can_be_reached_in_time() -> None:
    requests, windows = [asked("a", EAST_LOW)], {"a": [window(0, 40)]}
    near = Horizontal(altitude_deg=25.0, azimuth_deg=85.0)
    assert make_plan(requests, windows, DUSK, telescope=telescope(), standing=near).observations
    far = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert reasons(far) == {"a": "the telescope can be there only 14 s after the last start in the window"}
    unknown = make_plan(requests, windows, DUSK, telescope=telescope(), standing=None)
    assert unknown.dropped  # half a turn is allowed for


@pytest.mark.parametrize(
    ("windows", "now_s", "reason"),
    [
        ([], 0.0, "no access window between opens and closes"),
        ([window(600, 608)], 0.0, "the window of 8 s is shorter than the 17 s the frames need"),
        ([window(600, 660)], 650.0, "what is left of the window, 10 s, is shorter than the 17 s the frames need"),
        ([window(600, 660)], 900.0, "window over since 21:11:00"),
        ([window(36000, 36060)], 0.0, "no access window between opens and closes"),
        ([window(32395, 32500)], 0.0, "the window of 5 s is shorter than the 17 s the frames need"),
    ],
)
def test_what_cannot_be_observed_says_why(windows: list[Any], now_s: float, reason: str) -> None:
    plan = make_plan([asked("a", SOUTH_HIGH)], {"a": windows}, after(now_s), telescope=telescope(), standing=SOUTH)
    assert reasons(plan) == {"a": reason}


def test_why_there_is_no_window_comes_from_whoever_looked() -> None:
    plan = make_plan(
        [asked("a", SOUTH_HIGH), asked("b", SOUTH_HIGH)],
        {"a": []},
        DUSK,
        telescope=telescope(),
        no_window={"a": "never above 20° while sunlit"},
    )
    assert reasons(plan) == {
        "a": "never above 20° while sunlit",
        "b": "no access window between opens and closes",
    }


def test_an_orbit_that_has_ended_drops_its_task_and_no_other() -> None:
    low = low_satellite(1)
    fallen = Satellite(elements=replace(low.elements, bstar_per_earth_radius=0.5, mean_motion_rev_per_day=16.4))
    plan = make_plan(
        [asked("gone", fallen), asked("there", low)],
        {"gone": [window(20000, 20300)], "there": [window(600, 900)]},
        DUSK,
        telescope=telescope(),
    )
    assert starts_s(plan).keys() == {"there"}
    assert "LOW 1" in reasons(plan)["gone"]


def test_the_dropped_come_in_order_of_importance() -> None:
    requests = [asked(name, SOUTH_HIGH, priority=priority) for name, priority in (("c", 1.0), ("a", 3.0), ("b", 3.0))]
    plan = make_plan(requests, {}, DUSK, telescope=telescope())
    assert [one.request.request_id for one in plan.dropped] == ["a", "b", "c"]


def test_among_equals_the_one_with_least_room_comes_first() -> None:
    requests = [asked("a: two passes", SOUTH_HIGH), asked("b: one pass", EAST_LOW)]
    windows = {"a: two passes": [window(600, 625), window(6000, 6025)], "b: one pass": [window(600, 625)]}
    plan = make_plan(requests, windows, DUSK, telescope=telescope(), standing=SOUTH)
    assert not plan.dropped


def test_two_requests_with_one_id_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="more than one request has the id a"):
        make_plan([asked("a", SOUTH_HIGH), asked("a", EAST_LOW)], {}, DUSK, telescope=telescope())


def gap_s(plan: Plan) -> float:
    one, following = plan.observations
    return (following.starts_at - one.ends_at).total_seconds()


def back_to_back(scope: Telescope, first: Target, second: Target, **of_second: Any) -> Plan:
    """Two that both want the same instant, so that nothing but slewing lies between them."""
    requests = [asked("a", first, priority=2.0), asked("b", second, **of_second)]
    windows = {"a": [window(600, 625)], "b": [window(560, 1200, 625)]}
    plan = make_plan(requests, windows, DUSK, telescope=scope, standing=SOUTH)
    must_be_sound(plan, scope, requests)
    assert [one.request.request_id for one in plan.observations] == ["a", "b"]
    return plan


def test_dome_and_filter_wheel_turn_while_the_telescope_slews() -> None:
    west_of_south = star(60.0, 200.0, DUSK)
    plain = gap_s(back_to_back(telescope(), SOUTH_HIGH, west_of_south))
    assert plain == pytest.approx(2.0 + 2.0 + telescope().slews.turn_s(20.0), abs=0.7)
    quick = telescope(dome_turn_speed_deg_s=10.0, filter_change_s=5.0)
    assert gap_s(back_to_back(quick, SOUTH_HIGH, west_of_south, filter_name="R")) == pytest.approx(plain, abs=0.3)


def test_a_slow_dome_is_waited_for() -> None:
    slow = telescope(dome_turn_speed_deg_s=1.0)
    assert gap_s(back_to_back(slow, SOUTH_HIGH, star(60.0, 200.0, DUSK))) == pytest.approx(2.0 + 20.0, abs=1.0)


def test_a_slow_filter_wheel_is_waited_for_only_where_the_filter_changes() -> None:
    slow = telescope(filter_change_s=40.0)
    assert gap_s(back_to_back(slow, SOUTH_HIGH, SOUTH_HIGH)) == pytest.approx(4.0, abs=0.7)
    assert gap_s(back_to_back(slow, SOUTH_HIGH, SOUTH_HIGH, filter_name="R")) == pytest.approx(42.0, abs=0.3)


def test_a_german_mount_pays_for_its_flip() -> None:
    east, west = star(60.0, 170.0, after(600)), star(60.0, 190.0, after(600))
    altaz = gap_s(back_to_back(telescope(), east, west))
    german = gap_s(back_to_back(telescope(Axes.EQUATORIAL), east, west))
    assert german > altaz + 30.0


def test_a_german_mount_that_followed_a_star_over_the_meridian_still_has_its_flip_before_it() -> None:
    scope = telescope(Axes.EQUATORIAL)
    crossing = star(60.0, 180.0, after(600))
    frames = asked("a", crossing, exposure_s=600.0, frame_count=1)
    visit = Visit(frames, window(0, 1800), (_unix_s(after(0)), _unix_s(after(1800))), scope)
    taken_up, _, left = visit.series(_unix_s(after(300)))
    assert taken_up[1] < 0.0  # looks east
    assert left[1] < 0.0  # and keeps its state past the meridian
    assert left[0] - taken_up[0] == pytest.approx(2.5, abs=0.1)  # ten minutes of sidereal tracking


@pytest.mark.parametrize("axes", list(Axes))
@pytest.mark.parametrize("target", [star(35.0, 0.0, after(450)), *map(low_satellite, PASSING)])
def test_between_its_samples_a_target_is_where_the_ephemeris_has_it(axes: Axes, target: Target) -> None:
    """To 0.3° on either axis, 0.1 s of a slew, also through north and within a few degrees of zenith and pole."""
    scope = telescope(axes)
    visit = Visit(asked("a", target), window(300, 600), (_unix_s(after(300)), _unix_s(after(600))), scope)
    for tenth in range(3000, 5600, 7):
        moment = after(tenth / 10.0)
        track = ephemeris().track_of(target, SITE, [moment])
        azimuth_deg = float(track.azimuth_deg[0])
        if axes is Axes.ALTAZ:
            exact = azimuth_deg, float(track.altitude_deg[0])
        else:
            exact = float(track.hour_angle_deg[0]), float(track.apparent_dec_deg[0])
        first_deg, second_deg, found_azimuth_deg, _ = visit.taken_up(_unix_s(moment))
        side = 1.0 if second_deg >= 0.0 else -1.0  # on the meridian itself either pointing state will do
        exact = scope.slews.turned_to(*exact, side)
        assert abs((first_deg - exact[0] + 180.0) % 360.0 - 180.0) < 0.3
        assert abs(second_deg - exact[1]) < 0.3
        across_deg = abs((found_azimuth_deg - azimuth_deg + 180.0) % 360.0 - 180.0)
        assert across_deg * math.cos(math.radians(float(track.altitude_deg[0]))) < 0.3


def _unix_s(at: datetime) -> float:
    return at.timestamp()


def test_the_telescope_leaves_in_time_but_not_hours_before() -> None:
    plan = make_plan(
        [asked("a", SOUTH_HIGH), asked("b", EAST_LOW)],
        {"a": [window(100, 200)], "b": [window(7000, 7200)]},
        DUSK,
        telescope=telescope(),
        standing=SOUTH,
    )
    later = plan.observations[1]
    slew_s = (later.starts_at - later.leave_at).total_seconds()
    assert 34.0 < slew_s < 70.0  # 35 s of slew and overhead, and what the sky turns in two hours of waiting


def test_exposures_are_those_of_the_motion_at_the_time_they_are_taken() -> None:
    quick, slow = low_satellite(PASSING[0]), slow_satellite(1)
    requests = [asked("low", quick, exposure_s=5.0), asked("slow", slow, exposure_s=5.0)]
    plan = make_plan(requests, {"low": [window(400, 600)], "slow": [window(0, 3000)]}, DUSK, telescope=telescope())
    collects = {one.request.request_id: one for one in plan.observations}
    assert collects["slow"].collect.shape is CollectShape.RATE_TRACK
    assert collects["low"].collect.shape is CollectShape.LEAPFROG
    one = collects["low"]
    moments = [one.starts_at + timedelta(seconds=second) for second in range(int(one.collect.duration_s) + 1)]
    rates = [ephemeris().place_of(quick, SITE, moment).angular_rate_deg_s for moment in moments]
    assert one.collect.exposure_s * max(rates) <= 0.4 * 1.0 * 1.02  # the streak stays in the field


class CountingEphemeris(Ephemeris):
    """Counts the tracks it computes."""

    tracks = 0

    def track_of(self, target: Target, site: Site, instants: Sequence[datetime]) -> Track:
        self.tracks += 1
        return super().track_of(target, site, instants)


def test_tracks_are_computed_once_and_kept_from_plan_to_plan() -> None:
    counting = CountingEphemeris()
    scope = telescope(ephemeris=counting)
    requests = [asked(f"task-{n}", low_satellite(n)) for n in range(5)]
    windows = {f"task-{n}": [window(600 * n, 600 * n + 300)] for n in range(5)}
    make_plan(requests, windows, DUSK, telescope=scope)
    assert counting.tracks == 5
    make_plan(requests, windows, after(500.0), telescope=scope)
    assert counting.tracks == 5
    make_plan(requests, windows, after(1000.0), telescope=scope)  # the first is over and forgotten
    assert counting.tracks == 5
    make_plan(requests, windows, DUSK, telescope=scope)  # nobody goes back in time, but it would be computed anew
    assert counting.tracks == 7


def test_the_night_goes_on_from_the_end_of_what_was_observed() -> None:
    """Replanning after each observation, as the night does, observes what the first plan promised."""
    scope = telescope(Axes.EQUATORIAL)
    targets = [low_satellite(n) for n in PASSING[:4]] + [slow_satellite(n) for n in range(3)]
    requests = [asked(f"task-{n}", target, priority=float(n % 3)) for n, target in enumerate(targets)]
    windows = {f"task-{n}": [window(100 * n, 100 * n + 280)] for n in range(len(targets))}
    promised = make_plan(requests, windows, DUSK, telescope=scope, standing=SOUTH)
    done, now, standing = [], DUSK, SOUTH
    while True:
        left = [request for request in requests if request.request_id not in done]
        plan = make_plan(left, windows, now, telescope=scope, standing=standing)
        if not plan.observations:
            break
        one = plan.observations[0]
        done.append(one.request.request_id)
        now = one.ends_at
        standing = scope.ephemeris.place_of(one.request.target, SITE, now).horizontal
    assert set(done) >= {one.request.request_id for one in promised.observations}


def test_with_real_windows_the_target_is_up_when_it_is_observed() -> None:
    constraints = [MinAltitude(altitude_deg=20.0), SunBelow(altitude_deg=-12.0), Sunlit()]
    requests, windows = [], {}
    for number in (*PASSING, *range(20)):
        satellite = low_satellite(number)
        found = find_windows(
            satellite, SITE, opens=DUSK, closes=after(10800.0), constraints=constraints, ephemeris=ephemeris()
        )
        requests.append(asked(f"task-{number}", satellite, priority=float(number % 5)))
        windows[f"task-{number}"] = found
    for axes in Axes:
        scope = telescope(axes)
        plan = make_plan(requests, windows, DUSK, telescope=scope, standing=SOUTH)
        must_be_sound(plan, scope, requests)
        assert len(plan.observations) >= 10
        for one in plan.observations:
            for at in (one.starts_at, one.ends_at):
                place = ephemeris().place_of(one.request.target, SITE, at)
                assert place.horizontal.altitude_deg > 19.99
                assert place.sunlit


def test_the_flips_of_a_southern_station_go_over_the_south_pole() -> None:
    southern = Site(latitude_deg=-30.2, longitude_deg=-70.8, elevation_m=2200.0)
    mount = SlewModel(axes=Axes.EQUATORIAL, speed_deg_s=3.0, acceleration_deg_s2=1.0, settle_s=2.0)
    scope = telescope(site=southern, slews=mount)
    assert scope.slews.southern
    assert not telescope(slews=replace(mount, southern=True)).slews.southern


@pytest.mark.parametrize(
    "change",
    [
        {"overhead_s": float("nan")},
        {"overhead_s": -1.0},
        {"filter_change_s": float("inf")},
        {"dome_turn_speed_deg_s": 0.0},
        {"dome_turn_speed_deg_s": float("nan")},
    ],
)
def test_a_telescope_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"overhead|never arrives"):
        telescope(**change)


def test_a_plan_out_of_order_cannot_be_written_down() -> None:
    good = only(make_plan([asked("a", SOUTH_HIGH)], {"a": [window(600, 900)]}, DUSK, telescope=telescope()))
    with pytest.raises(ValueError, match="a: leaves"):
        replace(good, leave_at=good.ends_at)
