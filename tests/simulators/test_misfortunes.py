"""What goes wrong in a night is the same for the same seed, and comes when it is said to."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.links import Verb
from simulators.misfortunes import (
    LINKS,
    ApiFaultOrder,
    KillOrder,
    LinkOrder,
    Misfortunes,
    StormOrder,
    SwizzleOrder,
    swizzle_of,
)
from simulators.night.ways import tally
from simulators.observatory import ObservatorySettings, require_device
from simulators.orders import FaultOrder
from simulators.scenario import read_scenario
from simulators.storms import storm_of

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
# Sections N, S and D of the catalogue, but for what is "Not there" in docs/simulators.md.
ROWS = {f"N{number:02d}" for number in range(1, 26)} - {"N15", "N16"}
ROWS |= {f"S{number:02d}" for number in range(1, 13)}
ROWS |= {f"D{number:02d}" for number in range(1, 11)} - {"D06", "D09"}
STORM = StormOrder(per_hour=30.0, kills_per_hour=6.0)


@given(seed=st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_storm_and_all_of_it_can_happen(seed: int) -> None:
    storm = storm_of(STORM, seed=seed, hours=3.0)
    assert storm == storm_of(STORM, seed=seed, hours=3.0)
    for fault in storm.faults:
        require_device(ObservatorySettings(), fault.device)
        fault.fault(DUSK)
    for order in (*storm.api, *storm.links):
        assert 0.0 <= order.after_s <= 3.0 * 3600.0
    assert [one.fault(DUSK).begins_at for one in storm.api] == [
        DUSK + timedelta(seconds=one.after_s) for one in storm.api
    ]


def test_a_storm_brings_as_much_as_it_says_of_everything() -> None:
    storms = [storm_of(STORM, seed=seed, hours=3.0) for seed in range(100)]
    counts = [len(storm.faults) + len(storm.api) + len(storm.links) for storm in storms]
    assert sum(counts) / len(counts) == pytest.approx(90.0, rel=0.05)
    assert sum(len(storm.kills) for storm in storms) / len(storms) == pytest.approx(18.0, rel=0.1)
    assert {kill.signal for storm in storms for kill in storm.kills} == {"KILL", "STOP", "TERM"}
    assert {order.link for storm in storms for order in storm.links} == set(LINKS)


@given(seed=st.integers(0, 2**32))
def test_a_storm_of_every_row_has_each_that_platform_and_links_can_have(seed: int) -> None:
    storm = storm_of(STORM.model_copy(update={"every_row": True}), seed=seed, hours=2.0)
    wanted = [one for one in (*storm.api, *storm.links) if one.must]
    assert {one.row for one in wanted} == ROWS
    assert all(0.0 < one.after_s < 0.7 * 7200.0 for one in wanted)
    setting_aside = [one.after_s for one in storm.api if one.must and one.http_status in (404, 413)]
    assert max(setting_aside) < 1800.0  # a later start takes it up again
    drawn = [one for one in storm.api if not one.must]
    assert not [one for one in drawn if one.http_status in (400, 404, 409, 413, 422)]


def test_another_seed_is_another_night() -> None:
    told = read_scenario("storm")
    assert told.misfortunes(1) == told.misfortunes(1) != told.misfortunes(2)
    swizzled = read_scenario("swizzle")
    assert swizzled.misfortunes(1).kills == swizzled.misfortunes(2).kills
    assert swizzled.misfortunes(1).links != swizzled.misfortunes(2).links
    assert read_scenario("calm").misfortunes(1) == Misfortunes()


@given(seed=st.integers(0, 2**32))
def test_in_a_swizzle_links_go_one_by_one_are_all_down_at_once_and_all_come_back(seed: int) -> None:
    links = swizzle_of(SwizzleOrder(every_s=1800.0, apart_s=60.0), seed=seed, hours=1.0).links
    assert len(links) == 2 * len(LINKS)
    first = links[: len(LINKS)]
    assert {order.link for order in first} == set(LINKS)
    goes = [order.after_s for order in first]
    backs = sorted(order.after_s + order.for_s for order in first)
    assert [later - sooner for sooner, later in pairwise(goes)] == [60.0, 60.0]
    assert [later - sooner for sooner, later in pairwise(backs)] == [60.0, 60.0]
    assert backs[0] == goes[-1] + 60.0
    assert all(order.kind is Verb.DOWN for order in links)


def test_times_count_from_the_beginning_of_darkness_unless_an_instant_is_said() -> None:
    trouble = LinkOrder.model_validate({"link": "api", "kind": "reset", "at_byte": 9, "after_s": 60.0, "for_s": 30.0})
    seen = trouble.trouble(DUSK)
    assert (seen.begins_at, seen.ends_at) == (DUSK + timedelta(seconds=60), DUSK + timedelta(seconds=90))
    assert (seen.verb, seen.at_byte) == (Verb.RESET, 9)
    fault = ApiFaultOrder.model_validate({"kind": "html_503", "after_s": 60.0, "for_s": 30.0}).fault(DUSK)
    assert [fault.acts(DUSK + timedelta(seconds=at)) for at in (59, 60, 89, 90)] == [False, True, True, False]
    assert KillOrder(after_s=60.0).due_at(DUSK) == DUSK + timedelta(seconds=60)
    assert KillOrder(at=DUSK).due_at(DUSK + timedelta(hours=1)) == DUSK


def test_how_often_each_fired_stands_beside_what_it_was() -> None:
    misfortunes = Misfortunes(
        faults=(FaultOrder.model_validate({"kind": "stuck", "device": "mount", "for_s": 1.0}),),
        api=(ApiFaultOrder.model_validate({"kind": "page", "for_s": 2.0}),),
        links=(LinkOrder.model_validate({"link": "api", "kind": "down", "for_s": 3.0}),),
        kills=(KillOrder(signal="TERM"),),
    )
    assert tally(misfortunes, [{"fired": 1}], [{"fired": 2}], [3], [4]) == [
        {"group": "devices", "fired": 1, "what": {"kind": "stuck", "device": "mount", "for_s": 1.0}},
        {"group": "platform", "fired": 2, "what": {"kind": "page", "for_s": 2.0}},
        {"group": "network", "fired": 3, "what": {"link": "api", "kind": "down", "for_s": 3.0}},
        {"group": "bridge", "fired": 4, "what": {"signal": "TERM"}},
    ]
