"""How much a reading counts, by how sure it is of which instant it is."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from bridge.observing.belief import Belief, Calls

_ARCSEC = 1.0 / 3600.0


@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=60))
def test_at_least_every_other_call_is_a_usual_one_and_none_is_more_unsure_than_it_was_long(took_s: list[float]) -> None:
    calls = Calls()
    usual = 0
    for each_s in took_s:
        unsure_s = calls.unsure_s(each_s)
        assert 0.0 <= unsure_s <= each_s / 3.0
    for each_s in took_s[-20:]:
        usual += calls.usual(each_s)
    assert usual >= len(took_s[-20:]) / 2


def test_a_call_that_takes_as_long_as_ever_is_sure_and_a_late_one_is_not() -> None:
    calls = Calls()
    for _ in range(10):
        assert calls.unsure_s(0.2) == 0.2 * 0.05
    assert calls.unsure_s(0.5) > 0.08
    assert not calls.usual(0.5)
    assert calls.usual(0.3)


@given(missing_deg=st.floats(-5.0, 5.0), unsure_deg=st.floats(0.0, 5.0))
def test_the_first_reading_is_all_there_is_to_believe(missing_deg: float, unsure_deg: float) -> None:
    assert Belief().weigh(missing_deg, unsure_deg) == (missing_deg, 1.0)


def test_after_sure_readings_a_doubtful_one_counts_for_little_and_a_sure_one_for_almost_all() -> None:
    belief = Belief()
    for _ in range(10):
        belief.foresee(0.0, 0.7, 0.1)
        belief.weigh(0.0, 0.0)
    belief.foresee(0.0, 0.7, 0.1)
    doubted_deg, counted = belief.weigh(100.0 * _ARCSEC, 50.0 * _ARCSEC)
    assert abs(doubted_deg) < 0.5 * _ARCSEC
    assert counted < 0.005
    belief.foresee(0.0, 0.7, 0.1)
    believed_deg, counted = belief.weigh(1.5 * _ARCSEC, 0.0)
    assert abs(believed_deg - 1.5 * _ARCSEC) < 0.2 * _ARCSEC
    assert counted > 0.9


def test_what_is_foreseen_is_believed_until_a_reading_comes() -> None:
    belief = Belief()
    belief.weigh(0.0, 0.0)
    belief.foresee(3.0 * _ARCSEC, 0.1, 0.1)
    believed_deg, _ = belief.weigh(50.0, 1000.0)
    assert math.isclose(believed_deg, 3.0 * _ARCSEC, rel_tol=1e-3)


@given(seed=st.integers(0, 1000))
def test_many_doubtful_readings_tell_more_than_one(seed: int) -> None:
    luck, belief = random.Random(seed), Belief()
    believed_deg = math.inf
    for _ in range(200):
        belief.foresee(0.0, 0.0, 0.01)
        believed_deg, counted = belief.weigh((20.0 + luck.gauss(0.0, 30.0)) * _ARCSEC, 30.0 * _ARCSEC)
        assert 0.0 <= counted <= 1.0
    assert abs(believed_deg - 20.0 * _ARCSEC) < 15.0 * _ARCSEC


def test_a_reading_that_says_something_else_is_believed_when_it_is_said_twice() -> None:
    belief = Belief()
    for _ in range(10):
        belief.foresee(0.0, 0.7, 0.1)
        belief.weigh(0.0, 0.0)
    belief.foresee(0.0, 0.7, 0.1)
    once_deg, counted = belief.weigh(60.0 * _ARCSEC, 0.0)
    assert abs(once_deg) < 1.0 * _ARCSEC
    assert counted < 0.01
    belief.foresee(0.0, 0.7, 0.1)
    twice_deg, counted = belief.weigh(60.0 * _ARCSEC, 0.0)
    assert abs(twice_deg - 60.0 * _ARCSEC) < 5.0 * _ARCSEC
    assert counted > 0.9
