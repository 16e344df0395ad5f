"""Passes against skyfield's own search, against a dense grid, and against themselves."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.sky.earth import Ground
from simulators.sky.satellites import Swarm

from .conftest import TONIGHT, Oracle

NIGHT = timedelta(hours=10)
SECOND = timedelta(seconds=1)
SHARED = (Swarm.from_synthetic(TONIGHT, seed=1), Ground(28.3, -16.5, 2390.0))


def test_low_passes_are_skyfields_to_the_second(swarm: Swarm, ground: Ground, oracle: Oracle) -> None:
    opens, closes = TONIGHT, TONIGHT + NIGHT
    low = [index for index in range(0, len(swarm), 11) if swarm.elements[index].mean_motion_rev_per_day > 11.0]
    for index in low:
        lines = swarm.lines[index]
        assert lines is not None
        times, events = oracle.satellite(lines).find_events(
            oracle.site(ground), oracle.at(opens), oracle.at(closes), altitude_degrees=20.0
        )
        found = swarm.passes(ground, opens, closes, 20.0, index)
        expected = list(zip(times.utc_datetime(), events, strict=True))
        ours = [
            (instant, event)
            for one in found
            for instant, event in ((one.rise, 0), (one.culmination, 1), (one.set, 2))
            if opens + SECOND < instant < closes - SECOND
        ]
        assert [event for _, event in ours] == [event for _, event in expected]
        for (instant, event), (theirs, _) in zip(ours, expected, strict=True):
            assert abs(instant - theirs) < (2.0 if event == 1 else 1.0) * SECOND


@pytest.mark.parametrize("min_altitude_deg", [0.0, 20.0, 60.0])
def test_nothing_is_missed_and_nothing_invented_on_a_dense_grid(
    min_altitude_deg: float, swarm: Swarm, ground: Ground
) -> None:
    opens, closes = TONIGHT, TONIGHT + timedelta(hours=6)
    seconds = np.arange(0.0, 6 * 3600.0, 30.0)
    chosen = np.arange(0, len(swarm), 5)
    altitudes_deg = swarm.astrometric(
        chosen, ground, [opens + timedelta(seconds=float(s)) for s in seconds]
    ).altitude_deg
    passes = swarm.passes(ground, opens, closes, min_altitude_deg, chosen)
    for row, index in enumerate(chosen):
        inside = np.zeros(len(seconds), dtype=bool)
        near_edge = np.zeros(len(seconds), dtype=bool)
        for one in passes:
            if one.index == index:
                rise_s, set_s = (one.rise - opens).total_seconds(), (one.set - opens).total_seconds()
                inside |= (seconds >= rise_s) & (seconds <= set_s)
                near_edge |= (np.abs(seconds - rise_s) < 1.0) | (np.abs(seconds - set_s) < 1.0)
        level = np.abs(altitudes_deg[row] - min_altitude_deg) < 0.01
        assert np.all((inside == (altitudes_deg[row] > min_altitude_deg)) | near_edge | level)


def test_a_pass_begins_and_ends_at_the_altitude_asked_for(swarm: Swarm, ground: Ground) -> None:
    opens, closes = TONIGHT, TONIGHT + NIGHT
    for one in swarm.passes(ground, opens, closes, 25.0):
        edges = [edge for edge in (one.rise, one.set) if edge not in (opens, closes)]
        for edge in edges:
            assert float(swarm.astrometric(one.index, ground, edge).altitude_deg) == pytest.approx(25.0, abs=0.01)
        at_top = swarm.astrometric(one.index, ground, one.culmination)
        assert float(at_top.altitude_deg) == pytest.approx(one.peak_altitude_deg, abs=0.01)


@given(st.integers(0, 491), st.floats(0.0, 70.0), st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_never_higher_than_at_culmination(index: int, min_altitude_deg: float, share: float) -> None:
    swarm, ground = SHARED
    for one in swarm.passes(ground, TONIGHT, TONIGHT + NIGHT, min_altitude_deg, index):
        assert one.rise <= one.culmination <= one.set
        altitude_deg = float(swarm.astrometric(index, ground, one.rise + share * (one.set - one.rise)).altitude_deg)
        assert min_altitude_deg - 0.01 <= altitude_deg <= one.peak_altitude_deg + 0.01


def test_passes_come_in_order_of_rise(swarm: Swarm, ground: Ground) -> None:
    rises = [one.rise for one in swarm.passes(ground, TONIGHT, TONIGHT + NIGHT, 20.0)]
    assert len(rises) > 200
    assert rises == sorted(rises)


def test_a_geostationary_satellite_is_there_all_night(swarm: Swarm, ground: Ground) -> None:
    seen = swarm.astrometric(None, ground, TONIGHT)
    index = next(i for i, name in enumerate(swarm.names) if name.startswith("GEO ") and seen.altitude_deg[i] > 40.0)
    (one,) = swarm.passes(ground, TONIGHT, TONIGHT + NIGHT, 20.0, index)
    assert (one.index, one.rise, one.set) == (index, TONIGHT, TONIGHT + NIGHT)


def test_a_span_cut_in_two_cuts_its_passes_and_no_more(swarm: Swarm, ground: Ground) -> None:
    index = swarm.names.index("LEO-1180 7")
    whole = swarm.passes(ground, TONIGHT, TONIGHT + NIGHT, 20.0, index)
    cut = whole[0].rise + (whole[0].set - whole[0].rise) / 3
    before = swarm.passes(ground, TONIGHT, cut, 20.0, index)
    after = swarm.passes(ground, cut, TONIGHT + NIGHT, 20.0, index)
    assert before[-1].set == cut == after[0].rise
    for one, as_before in zip(after, whole, strict=True):
        assert abs(one.set - as_before.set) < SECOND
    for one, as_before in zip(after[1:], whole[1:], strict=True):
        assert abs(one.rise - as_before.rise) < SECOND
    assert abs(before[0].rise - whole[0].rise) < SECOND
    assert abs(before[-1].culmination - cut) < SECOND
    assert after[0].peak_altitude_deg == pytest.approx(whole[0].peak_altitude_deg, abs=0.01)


def test_no_time_no_passes(swarm: Swarm, ground: Ground) -> None:
    assert swarm.passes(ground, TONIGHT, TONIGHT, 20.0) == []
    assert swarm.passes(ground, TONIGHT, TONIGHT - NIGHT, 20.0) == []


def test_a_pass_may_be_asked_of_a_few_seconds(swarm: Swarm, ground: Ground) -> None:
    up = int(np.argmax(swarm.astrometric(None, ground, TONIGHT).altitude_deg))
    (one,) = swarm.passes(ground, TONIGHT, TONIGHT + 5 * SECOND, 20.0, up)
    assert (one.rise, one.set) == (TONIGHT, TONIGHT + 5 * SECOND)


def test_what_came_down_does_not_pass(swarm: Swarm, ground: Ground) -> None:
    falling = replace(swarm.elements[0], bstar_per_earth_radius=0.9, mean_motion_rev_per_day=16.4)
    later = TONIGHT + timedelta(days=20)
    assert Swarm([falling]).passes(ground, later, later + NIGHT, 0.0) == []


@pytest.mark.parametrize("place", [(0.0, 0.0), (45.0, 10.0), (-30.0, -70.7), (38.8, -105.0)])
def test_two_hours_of_darkness_offer_enough_to_observe_anywhere(place: tuple[float, float]) -> None:
    ground = Ground(*place, 1000.0)
    dusk = TONIGHT.replace(hour=12) - timedelta(hours=place[1] / 15.0)
    while ground.sun_altitude_deg(dusk) > -12.0:
        dusk += timedelta(minutes=10)
    swarm = Swarm.from_synthetic(dusk, seed=5)
    passes = swarm.passes(ground, dusk, dusk + timedelta(hours=2), 25.0)
    lit = [one for one in passes if swarm.astrometric(one.index, ground, one.culmination).sunlit]
    assert sum(swarm.elements[one.index].mean_motion_rev_per_day > 11.0 for one in lit) >= 15
    assert len(lit) >= 60
