"""Every kill is asked for beforehand, and stays until it has hit."""

from collections import Counter

from bridge.crashpoints import CrashPoint
from simulators.chaos.schedule import PLACES_TO_DIE, Moment, Order, Schedule


def taken(schedule: Schedule) -> list[Order]:
    orders = []
    while (order := schedule.take()) is not None:
        orders.append(order)
    return orders


def test_the_campaign_knows_every_place_where_a_bridge_can_be_told_to_die() -> None:
    assert tuple(CrashPoint) == PLACES_TO_DIE


def test_each_point_is_asked_for_so_often_and_random_instants_are_spread_over_the_moments() -> None:
    schedule = Schedule(random_instants=30, at_each_point=2, seed=1)
    counts = Counter(order.place for order in taken(schedule))
    assert counts == dict.fromkeys(PLACES_TO_DIE, 2) | {str(moment): 10 for moment in Moment}
    assert schedule.asked == counts


def test_the_same_seed_writes_the_same_kills_and_another_seed_others() -> None:
    first, again, other = (taken(Schedule(random_instants=9, at_each_point=1, seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_kill_that_did_not_hit_is_tried_again_after_the_others() -> None:
    schedule = Schedule(random_instants=2, at_each_point=0, seed=1)
    first = schedule.take()
    assert first is not None
    schedule.settle(first, hit=False)
    second, again = taken(schedule)
    assert (again, second == first) == (first, False)
    schedule.settle(second, hit=True)
    schedule.settle(again, hit=True)
    assert schedule.hit.total() == schedule.total == 2
    assert schedule.missed.total() == 1


def test_after_giving_up_nothing_is_left_to_take() -> None:
    schedule = Schedule(random_instants=5, at_each_point=0, seed=1)
    order = schedule.take()
    assert order is not None
    schedule.abandon()
    schedule.settle(order, hit=False)
    assert schedule.abandoned
    assert schedule.take() is None
    assert schedule.done


def test_what_is_passed_once_a_task_kills_at_its_first_passing() -> None:
    orders = taken(Schedule(random_instants=0, at_each_point=50, seed=1))
    passes = {place: {order.at_pass for order in orders if order.place == place} for place in PLACES_TO_DIE}
    assert passes["task captured"] == {1}
    assert passes["frame half written"] == {1, 2, 3}
