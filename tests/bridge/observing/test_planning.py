"""From what is asked to tonight's plan: the limits, the windows searched once, and why something can never be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.observing import planning as planning_module
from bridge.observing.pace import Pace
from bridge.observing.planning import GivenUp, Limits, Planning
from schedules.constraints import AboveHorizon, MinAltitude, MoonApart, SunBelow, Sunlit
from schedules.ephemeris import Ephemeris
from schedules.exposures import Optics
from schedules.plans import Plan
from schedules.requests import CollectShape, ObservationRequest
from schedules.site import HorizonMask
from schedules.slews import Axes, SlewModel
from schedules.targets import Satellite
from schedules.telescope import Telescope
from tests.bridge.observing.skies import FRONT_RANGE
from tests.bridge.observing.stations import DUSK, a_request, a_star, satellite, up_now

NIGHT = (DUSK, DUSK + timedelta(hours=6))


class Wish:
    """What the platform wants; it may come late."""

    def __init__(self) -> None:
        self.altitude_deg = -90.0

    def __call__(self) -> float:
        return self.altitude_deg


def limits_of(wish: Callable[[], float] = lambda: -90.0, **changes: Any) -> Limits:
    facts: dict[str, Any] = {
        "min_altitude_deg": 20.0,
        "wanted_altitude_deg": wish,
        "mask": HorizonMask(),
        "sun_below_deg": -12.0,
        "moon_apart_deg": 10.0,
        "max_elements_age_days": 14.0,
    }
    return Limits(**(facts | changes))


def a_planning(ephemeris: Ephemeris, limits: Limits | None = None) -> Planning:
    optics = Optics(
        pixel_scale_arcsec_per_px=8.0,
        width_px=1000,
        height_px=1000,
        readout_s=1.0,
        max_streak_fraction=0.4,
        max_track_rate_deg_s=0.0,
    )
    telescope = Telescope(
        site=FRONT_RANGE,
        ephemeris=ephemeris,
        slews=SlewModel(axes=Axes.EQUATORIAL, speed_deg_s=4.0, acceleration_deg_s2=2.0, settle_s=1.0),
        optics=optics,
        overhead_s=2.0,
        filter_change_s=0.0,
    )
    pace = Pace.expected(overhead_s=2.0, readout_s=1.0)
    return Planning(telescope=telescope, limits=limits or limits_of(), pace=pace)


def plan(planning: Planning, *requests: ObservationRequest, now: datetime = DUSK) -> Plan:
    return planning.plan(requests, now, night=NIGHT, standing=None)


def why_not(made: Plan) -> dict[str, str]:
    return {one.request.request_id: one.reason for one in made.dropped}


def test_the_platforms_wish_only_raises_the_stations_limit() -> None:
    wish = Wish()
    limits = limits_of(wish)
    for wished_deg, counts_deg in ((-90.0, 20.0), (15.0, 20.0), (35.0, 35.0)):
        wish.altitude_deg = wished_deg
        assert limits.altitude_deg == counts_deg


def test_a_satellite_must_be_sunlit_and_a_star_need_not() -> None:
    limits = limits_of(mask=HorizonMask(points=((0.0, 12.0),)))
    of_star = limits.constraints_for(a_request(a_star()))
    assert of_star == [
        MinAltitude(altitude_deg=20.0),
        AboveHorizon(mask=HorizonMask(points=((0.0, 12.0),))),
        SunBelow(altitude_deg=-12.0),
        MoonApart(separation_deg=10.0),
    ]
    assert limits.constraints_for(a_request(satellite(up_now("GEO", DUSK)[0]))) == [*of_star, Sunlit()]


def test_what_fits_is_placed_within_its_window_and_the_night(ephemeris: Ephemeris) -> None:
    early = a_request(a_star(), opens=DUSK - timedelta(hours=3))
    (placed,) = plan(a_planning(ephemeris), early).observations
    assert placed.window.rise == DUSK, "the night's own beginning"
    assert placed.window.rise <= placed.starts_at < placed.ends_at <= placed.window.set


def test_what_is_best_seen_last_keeps_some_of_its_window_in_hand(ephemeris: Ephemeris) -> None:
    """A star that rises until its task closes: planned to the last second, a slew a little slower would lose it."""
    rising = a_request(a_star(ra_deg=30.0), closes=DUSK + timedelta(minutes=30))
    (placed,) = plan(a_planning(ephemeris), rising).observations
    assert placed.window.set == rising.closes, "the telescope may use all of it"
    assert timedelta(seconds=14.0) < placed.window.set - placed.ends_at < timedelta(seconds=90.0)


def test_time_in_hand_is_given_up_before_the_task_is(ephemeris: Ephemeris) -> None:
    """Nine seconds with the read-out in a window of twenty, and the telescope is there only for the last ten."""
    star = a_request(a_star(), closes=DUSK + timedelta(seconds=20.0), frame_count=1, exposure_s=6.0)
    planning = a_planning(ephemeris)
    near = ephemeris.horizontal_of(a_star().icrs, FRONT_RANGE, DUSK)
    in_hand_s = []
    for late_s in (0.0, 7.0):
        made = planning.plan([star], DUSK + timedelta(seconds=late_s), night=NIGHT, standing=near)
        (placed,) = made.observations
        in_hand_s.append((placed.window.set - placed.ends_at).total_seconds())
    assert in_hand_s[0] >= 2.0 > in_hand_s[1] >= 0.0


def test_what_is_never_up_is_impossible_and_the_reason_is_said(ephemeris: Ephemeris) -> None:
    planning = a_planning(ephemeris)
    southern = a_request(a_star(dec_deg=-70.0), "southern")
    made = plan(planning, southern, a_request(a_star(), "fine"))
    assert list(why_not(made)) == ["southern"]
    assert why_not(made)["southern"].startswith("never above 20°")
    assert planning.impossible([southern]) == why_not(made)


def test_what_may_come_tomorrow_is_not_impossible_tonight(ephemeris: Ephemeris) -> None:
    planning = a_planning(ephemeris)
    long_asked = a_request(a_star(dec_deg=-70.0), closes=DUSK + timedelta(days=3))
    plan(planning, long_asked)
    assert planning.impossible([long_asked]) == {}


def test_what_asks_for_the_day_is_impossible(ephemeris: Ephemeris) -> None:
    planning = a_planning(ephemeris)
    by_day = a_request(a_star(), opens=DUSK - timedelta(hours=5), closes=DUSK - timedelta(hours=1))
    plan(planning, by_day)
    assert planning.impossible([by_day]) == {"task-1": "asks for a time outside the night"}


def test_a_plan_that_nobody_wants_any_more_ends_soon_and_what_was_found_is_kept(
    ephemeris: Ephemeris, searched: list[str]
) -> None:
    planning = a_planning(ephemeris)
    requests = [a_request(a_star(f"star {n}"), f"task-{n}") for n in range(4)]
    with pytest.raises(GivenUp):
        planning.plan(requests, DUSK, night=NIGHT, standing=None, given_up=lambda: len(searched) >= 2)
    assert searched == ["star 0", "star 1"]
    assert len(plan(planning, *requests).observations) == 4
    assert searched == ["star 0", "star 1", "star 2", "star 3"]


def test_what_was_never_planned_is_not_impossible(ephemeris: Ephemeris) -> None:
    assert a_planning(ephemeris).impossible([a_request(a_star())]) == {}


def test_what_only_loses_its_place_is_not_impossible(ephemeris: Ephemeris) -> None:
    planning = a_planning(ephemeris)
    when = {"closes": DUSK + timedelta(seconds=120.0), "frame_count": 1, "exposure_s": 40.0}
    first = a_request(a_star("First", ra_deg=350.0), "first", priority=9.0, **when)
    second = a_request(a_star("Second", ra_deg=310.0), "second", priority=1.0, **when)
    made = plan(planning, first, second)
    assert "loses to First (first)" in why_not(made)["second"]
    assert planning.impossible([first, second]) == {}


def test_old_elements_are_no_prediction(ephemeris: Ephemeris) -> None:
    target = satellite(up_now("GEO", DUSK)[0])
    old = Satellite(elements=replace(target.elements, epoch=DUSK - timedelta(days=20)))
    made = plan(a_planning(ephemeris), a_request(old, "old"))
    assert "old" in why_not(made)["old"]
    patient = a_planning(ephemeris, limits_of(max_elements_age_days=30.0))
    assert "days old" not in str(why_not(plan(patient, a_request(old, "old"))))


def test_an_orbit_that_has_ended_is_told_as_such(ephemeris: Ephemeris) -> None:
    target = satellite(up_now("LEO", DUSK)[0])
    falling = Satellite(
        elements=replace(target.elements, mean_motion_rev_per_day=16.4, bstar_per_earth_radius=0.5, eccentricity=0.001)
    )
    made = plan(a_planning(ephemeris), a_request(falling, "falling"))
    assert "SGP4 gives no place at 2026-11-23T00:45:00Z" in why_not(made)["falling"]


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the targets whose windows are searched, as often as they are."""
    names: list[str] = []
    find = planning_module.find_windows

    def find_and_note(target: Any, *places: Any, **more: Any) -> Any:
        names.append(target.name)
        return find(target, *places, **more)

    monkeypatch.setattr(planning_module, "find_windows", find_and_note)
    return names


def test_windows_are_searched_once_for_each_request_and_night(ephemeris: Ephemeris, searched: list[str]) -> None:
    planning = a_planning(ephemeris)
    one, two = a_request(a_star("one"), "one"), a_request(a_star("two"), "two")
    for minutes in range(5):
        plan(planning, one, two, now=DUSK + timedelta(minutes=minutes))
    assert searched == ["one", "two"]
    plan(planning, one, a_request(a_star("two"), "two", closes=DUSK + timedelta(hours=3)))
    assert searched == ["one", "two", "two"], "its window is another"
    planning.plan([one], DUSK, night=(DUSK, DUSK + timedelta(hours=5)), standing=None)
    assert searched == ["one", "two", "two", "one"], "the night is another"
    plan(planning, two)
    plan(planning, one)
    assert searched[4:] == ["two", "one"], "what is no longer asked is forgotten"


def test_a_higher_wish_of_the_platform_makes_new_windows(ephemeris: Ephemeris, searched: list[str]) -> None:
    wish = Wish()
    planning = a_planning(ephemeris, limits_of(wish))
    setting = a_request(a_star(ra_deg=270.0))  # 46° high in the west
    (before,) = plan(planning, setting).observations
    wish.altitude_deg = 35.0
    (after,) = plan(planning, setting).observations
    assert searched == ["Star", "Star"]
    assert after.window.set < before.window.set
    wish.altitude_deg = 85.0
    assert why_not(plan(planning, setting))["task-1"].startswith("never above 85°")


def test_the_pace_that_was_measured_counts_in_the_next_plan(ephemeris: Ephemeris) -> None:
    planning = a_planning(ephemeris)
    requests = [
        a_request(a_star(str(n), ra_deg=300.0 - n), str(n), frame_count=1, collect=CollectShape.LEAPFROG)
        for n in range(2)
    ]
    quick = plan(planning, *requests).observations
    planning._pace.slew_overrun.note(20.0)
    slow = plan(planning, *requests).observations
    gap_s = [(both[1].starts_at - both[0].ends_at).total_seconds() for both in (quick, slow)]
    assert gap_s[1] - gap_s[0] == pytest.approx(18.0, abs=1.0)
