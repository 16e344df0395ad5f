"""The search for stretches of time, against margins whose zeros are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.spans import Margin, Owners, Samples, Spans, admitted, highest, sampled

HOUR_S = 3600.0
STARTS_S = 1.8e9  # an instant of the years we work in: seconds since 1970 are that coarse

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def waves(periods_s: list[float], levels: list[float]) -> Margin:
    """For each owner a cosine above its level; the first crest is at the start."""

    def margin(owner: Owners, unix_s: Floats) -> Floats:
        phase = 2.0 * math.pi * (unix_s - STARTS_S) / np.array(periods_s)[owner]
        return np.asarray(np.cos(phase) - np.array(levels)[owner])

    return margin


def crests(period_s: float, level: float, length_s: float) -> list[tuple[float, float]]:
    """Where that cosine is above its level, from its formula."""
    half_s = period_s * math.acos(level) / (2.0 * math.pi)
    whole = [(k * period_s - half_s, k * period_s + half_s) for k in range(int(length_s / period_s) + 2)]
    cut = [(max(begins_s, 0.0), min(ends_s, length_s)) for begins_s, ends_s in whole]
    return [(begins_s, ends_s) for begins_s, ends_s in cut if begins_s < ends_s]


@given(
    periods_s=st.lists(st.floats(1500.0, 90_000.0), min_size=1, max_size=5),
    level=st.floats(-0.999, 0.999),
    hours=st.floats(0.2, 20.0),
)
@settings(max_examples=60, deadline=None)
def test_every_crest_is_found_with_edges_to_two_milliseconds(
    periods_s: list[float], level: float, hours: float
) -> None:
    length_s = hours * HOUR_S
    count = len(periods_s)
    spans = Spans.whole(STARTS_S, STARTS_S + length_s).for_owners(count)
    found = admitted(spans, waves(periods_s, [level] * count), np.full(count, 60.0))
    wanted = [
        (owner, *crest) for owner, period_s in enumerate(periods_s) for crest in crests(period_s, level, length_s)
    ]
    longer = [one for one in wanted if one[2] - one[1] > 0.005]
    kept = [number for number in range(len(found)) if found.ends_s[number] - found.begins_s[number] > 0.005]
    assert [int(found.owner[number]) for number in kept] == [owner for owner, _, _ in longer]
    for number, (_, begins_s, ends_s) in zip(kept, longer, strict=True):
        assert found.begins_s[number] - STARTS_S == pytest.approx(begins_s, abs=0.002)
        assert found.ends_s[number] - STARTS_S == pytest.approx(ends_s, abs=0.002)


@given(offset_s=st.floats(0.0, 60.0), half_s=st.floats(0.05, 20.0), dip=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_peak_or_a_dip_between_two_samples_is_found(offset_s: float, half_s: float, dip: bool) -> None:
    middle_s = STARTS_S + 1800.0 + offset_s
    sign = -1.0 if dip else 1.0

    def margin(owner: Owners, unix_s: Floats) -> Floats:
        return np.asarray(sign * (half_s**2 - (unix_s - middle_s) ** 2))

    found = admitted(Spans.whole(STARTS_S, STARTS_S + HOUR_S), margin, np.array([60.0]))
    if dip:
        assert found.ends_s[0] == pytest.approx(middle_s - half_s, abs=0.002)
        assert found.begins_s[1] == pytest.approx(middle_s + half_s, abs=0.002)
    else:
        assert found.begins_s == pytest.approx([middle_s - half_s], abs=0.002)
        assert found.ends_s == pytest.approx([middle_s + half_s], abs=0.002)


def test_the_condition_holds_at_both_edges_it_names() -> None:
    margin = waves([5400.0], [0.3])
    found = admitted(Spans.whole(STARTS_S, STARTS_S + 12 * HOUR_S), margin, np.array([60.0]))
    assert len(found) == 9
    assert np.all(margin(found.owner, found.begins_s) >= 0.0)
    assert np.all(margin(found.owner, found.ends_s) >= 0.0)
    assert np.all(margin(found.owner[1:], found.begins_s[1:] - 0.002) < 0.0)


def test_what_always_or_never_holds_is_whole_or_nothing() -> None:
    spans = Spans.whole(STARTS_S, STARTS_S + HOUR_S)
    always = admitted(spans, lambda owner, unix_s: np.ones(len(unix_s)), np.array([60.0]))
    assert (always.begins_s, always.ends_s) == (pytest.approx([STARTS_S]), pytest.approx([STARTS_S + HOUR_S]))
    assert len(admitted(spans, lambda owner, unix_s: -np.ones(len(unix_s)), np.array([60.0]))) == 0


def test_an_instant_without_a_value_is_not_admitted() -> None:
    def until_it_decays(owner: Owners, unix_s: Floats) -> Floats:
        return np.where(unix_s - STARTS_S < 1234.5, 1.0, np.nan)

    found = admitted(Spans.whole(STARTS_S, STARTS_S + HOUR_S), until_it_decays, np.array([60.0]))
    assert found.begins_s == pytest.approx([STARTS_S])
    assert found.ends_s == pytest.approx([STARTS_S + 1234.5], abs=0.002)


def test_a_jump_is_narrowed_as_well_as_a_slope() -> None:
    found = admitted(
        Spans.whole(STARTS_S, STARTS_S + HOUR_S),
        lambda owner, unix_s: np.where(unix_s - STARTS_S > 777.7, 1e-6, -1e6),
        np.array([60.0]),
    )
    assert found.begins_s == pytest.approx([STARTS_S + 777.7], abs=0.002)


def test_nothing_to_search_gives_nothing() -> None:
    nothing = Spans.whole(STARTS_S, STARTS_S + 1.0).for_owners(0)
    margin = waves([5400.0], [0.0])
    assert len(admitted(nothing, margin, np.array([60.0]))) == 0
    assert highest(nothing, margin, np.array([60.0])).shape == (0,)


def test_stretches_of_everybody_are_given_to_each() -> None:
    two = Spans(owner=np.zeros(2, np.intp), begins_s=np.array([1.0, 5.0]), ends_s=np.array([2.0, 6.0]))
    given_to_three = two.for_owners(3)
    assert given_to_three.owner.tolist() == [0, 0, 1, 1, 2, 2]
    assert given_to_three.begins_s.tolist() == [1.0, 5.0] * 3


@given(length_s=st.floats(0.01, 50_000.0), step_s=st.floats(1.0, 600.0))
@settings(max_examples=50, deadline=None)
def test_samples_reach_from_end_to_end_and_are_no_farther_apart_than_asked(length_s: float, step_s: float) -> None:
    samples = sampled(Spans.whole(STARTS_S, STARTS_S + length_s), np.array([step_s]))
    assert samples.unix_s[0] == STARTS_S
    assert samples.unix_s[-1] == pytest.approx(STARTS_S + length_s)
    assert len(samples.unix_s) >= 3
    assert np.all(np.diff(samples.unix_s) <= step_s * (1.0 + 1e-9) + 1e-6)


def test_samples_joined_by_others_stay_in_order_without_doubles() -> None:
    samples = Samples(span=np.array([0, 0, 1, 1]), unix_s=np.array([0.0, 2.0, 0.0, 2.0]))
    joined = samples.joined_by(np.array([1, 0, 1]), np.array([1.0, 2.0, 3.0]))
    assert joined.span.tolist() == [0, 0, 1, 1, 1, 1]
    assert joined.unix_s.tolist() == [0.0, 2.0, 0.0, 1.0, 2.0, 3.0]


@given(periods_s=st.lists(st.floats(3000.0, 40_000.0), min_size=1, max_size=4), begins_s=st.floats(100.0, 2000.0))
@settings(max_examples=40, deadline=None)
def test_the_highest_instant_is_the_crest_or_the_better_end(periods_s: list[float], begins_s: float) -> None:
    count = len(periods_s)
    spans = Spans.whole(STARTS_S + begins_s, STARTS_S + begins_s + 2500.0).for_owners(count)
    margin = waves(periods_s, [0.0] * count)
    peaks = highest(spans, margin, np.full(count, 60.0))
    fine = np.linspace(STARTS_S + begins_s, STARTS_S + begins_s + 2500.0, 5001)
    for owner in range(count):
        values = margin(np.full(len(fine), owner), fine)
        assert margin(np.array([owner]), peaks[owner : owner + 1])[0] >= values.max() - 1e-9
