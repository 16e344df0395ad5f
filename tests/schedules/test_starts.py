"""The earliest and the latest start, against a plain search in steps of 50 ms."""

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from schedules.slews import Axes
from schedules.starts import last_start_s, soonest_start_s
from schedules.telescope import Stand, Telescope
from schedules.visits import Visit
from tests.schedules.planner_sky import DUSK, PASSING, after, asked, low_satellite, star, telescope, window

SCOPES = [telescope(axes) for axes in Axes]
TARGETS = [*(low_satellite(number) for number in PASSING), star(40.0, 120.0, DUSK), star(50.0, 270.0, DUSK)]
RASTER_S = 0.05


def visit_of(number: int, scope: Telescope) -> Visit:
    """From 350 s to 600 s after dusk."""
    span_s = (after(350).timestamp(), after(600).timestamp())
    return Visit(asked("a", TARGETS[number]), window(350, 600), span_s, scope)


def stand_of(number: int, scope: Telescope) -> Stand:
    """How the telescope stands when it looks at another one in the middle of the window."""
    return visit_of(number, scope).taken_up(after(470).timestamp())


def cases(low_s: float, high_s: float) -> Iterator[tuple[Telescope, Visit, Stand, float]]:
    """A mount, a visit, where the telescope stands (or must), and when it is free (or must be there)."""
    dice = random.Random(5)
    for _ in range(120):
        scope = dice.choice(SCOPES)
        number, other = dice.sample(range(len(TARGETS)), 2)
        yield scope, visit_of(number, scope), stand_of(other, scope), after(dice.uniform(low_s, high_s)).timestamp()


def first_of(starts_s: np.ndarray, serves: Callable[[float], bool]) -> float | None:
    return next((float(start_s) for start_s in starts_s if serves(float(start_s))), None)


def must_be_close(misses_s: list[float]) -> None:
    """As a rule to 0.3 s; where waiting changes the slew as quickly as time passes, it may be seconds."""
    assert len(misses_s) > 80
    assert np.percentile(misses_s, 90) < 0.3
    assert np.median(misses_s) < 0.2


def test_the_soonest_start_serves_and_is_the_soonest() -> None:
    misses_s = []
    for scope, visit, left, free_s in cases(250.0, 500.0):

        def serves(start_s: float) -> bool:
            return free_s + scope.between_s(left, visit.taken_up(start_s)) <= start_s  # noqa: B023 (used at once)

        plain_s = first_of(np.arange(visit.opens_s, visit.latest_s, RASTER_S), serves)
        found_s = soonest_start_s(scope, visit, free_s, left, not_before_s=visit.opens_s)
        if found_s is not None:
            assert serves(found_s)
            assert plain_s is not None
            misses_s.append(found_s - plain_s)
    must_be_close(misses_s)


def test_the_last_start_serves_and_is_the_last() -> None:
    misses_s = []
    for scope, visit, awaited, by_s in cases(420.0, 700.0):

        def serves(start_s: float) -> bool:
            _, duration_s, left = visit.series(start_s)  # noqa: B023 (used at once)
            there_s = start_s + duration_s + scope.between_s(left, awaited)  # noqa: B023
            return visit.fits(start_s) and there_s <= by_s  # noqa: B023

        plain_s = first_of(np.arange(visit.latest_s, visit.opens_s, -RASTER_S), serves)
        found_s = last_start_s(scope, visit, by_s, awaited, not_after_s=visit.latest_s)
        if found_s is not None:
            assert serves(found_s)
            assert plain_s is not None
            misses_s.append(plain_s - found_s)
    must_be_close(misses_s)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_start_is_found_wherever_the_plain_search_finds_one_with_a_second_to_spare(scope: Telescope) -> None:
    lost = found = 0
    for other, visit, left, free_s in cases(250.0, 650.0):
        if other is not scope:
            continue
        raster = np.arange(visit.opens_s, visit.latest_s, 0.5)
        spare_s = max(start_s - free_s - scope.between_s(left, visit.taken_up(start_s)) for start_s in raster)
        answer = soonest_start_s(scope, visit, free_s, left, not_before_s=visit.opens_s)
        found += answer is not None
        lost += answer is None and spare_s > 1.0
    assert found > 20
    assert lost == 0


def test_a_window_that_is_over_before_the_telescope_is_free_has_no_start() -> None:
    scope = SCOPES[1]
    visit, stand = visit_of(0, scope), stand_of(1, scope)
    assert soonest_start_s(scope, visit, after(700).timestamp(), stand, not_before_s=visit.opens_s) is None
    assert soonest_start_s(scope, visit, visit.latest_s - 5.0, stand, not_before_s=visit.opens_s) is None
    assert last_start_s(scope, visit, after(300).timestamp(), stand, not_after_s=visit.latest_s) is None
    assert last_start_s(scope, visit, visit.opens_s + 10.0, stand, not_after_s=visit.latest_s) is None
