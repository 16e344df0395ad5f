"""Where one more observation has room, and by how much it has none."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schedules.slack import Slack
from schedules.starts import WITHIN_S
from schedules.telescope import Telescope
from schedules.visits import Visit

# What a start at the very edge of its window costs against one at culmination, in seconds of slewing saved.
_EDGE_COSTS_S = 20.0
_ROUNDS = 8


@dataclass(frozen=True, slots=True, order=True)
class Room:
    """A start in a gap for one of the visits a request may make, and what it costs in seconds."""

    cost_s: float
    start_s: float
    gap: int
    choice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """The gap that a request misses by least: by how much, and whether it would fit if nothing had to slew.

    `before` and `after`: whether what comes before the gap is in the way, and what comes after it.
    """

    short_s: float
    by_slew: bool
    gap: int
    before: bool
    after: bool


def rooms_for(choices: Sequence[Visit], slack: Slack, telescope: Telescope) -> Iterator[Room]:
    """Where there is room; gaps that cannot be cheaper than what was found are not looked at."""
    cheapest_s = math.inf
    gaps = (
        (_edge_cost_s(visit, gap, slack, telescope), choice, gap)
        for choice, visit in enumerate(choices)
        for gap in slack.gaps(visit)
    )
    for edge_cost_s, choice, gap in sorted(gaps):
        if edge_cost_s == math.inf or edge_cost_s + telescope.least_between_s > cheapest_s:
            return
        found = _room(choices[choice], gap, slack, telescope)
        if found is not None:
            cost_s, start_s = found
            cheapest_s = min(cheapest_s, cost_s)
            yield Room(cost_s, start_s, gap, choice)


def nearest_miss(choices: Sequence[Visit], slack: Slack, telescope: Telescope) -> Miss:
    """Why there is no room, by the gap that would need least more."""
    misses = (_miss(visit, gap, slack, telescope) for visit in choices for gap in slack.gaps(visit))
    return min(misses, key=lambda miss: miss.short_s)


def _edge_cost_s(visit: Visit, gap: int, slack: Slack, telescope: Telescope) -> float:
    """The least that the distance from culmination costs in this gap; infinite where the gap is too short."""
    least_s, best_s = telescope.least_between_s, visit.best_s
    from_s, until_s = slack.free_s[gap] + least_s, slack.needed_s[gap] - least_s - visit.shortest_s
    if from_s > until_s or from_s > visit.latest_s or visit.opens_s > until_s:
        return math.inf
    return _EDGE_COSTS_S * max(from_s - best_s, best_s - until_s, 0.0) / visit.half_s


def _room(visit: Visit, gap: int, slack: Slack, telescope: Telescope) -> tuple[float, float] | None:
    """What the start in this gap that is nearest to the best costs, and the start, if there is one."""
    free_s, left, by_s, awaited = slack.free_s[gap], slack.left[gap], slack.needed_s[gap], slack.awaited[gap]
    soonest_s = max(visit.opens_s, free_s + telescope.least_between_s)
    last_s = min(visit.latest_s, by_s - telescope.least_between_s - visit.shortest_s)
    on_s = 0.0
    for _ in range(_ROUNDS):
        if soonest_s > last_s:
            return None
        start_s = min(max(visit.best_s, soonest_s), last_s)
        taken_up, duration_s, leaves = visit.series(start_s)
        to_s = telescope.between_s(left, taken_up)
        if awaited is not None:
            on_s = telescope.between_s(leaves, awaited)
        ready_s, must_s = free_s + to_s, by_s - duration_s - on_s
        if ready_s <= start_s <= must_s:
            saved_s = 0.0 if awaited is None else telescope.between_s(left, awaited)
            edge_s = _EDGE_COSTS_S * abs(start_s - visit.best_s) / visit.half_s
            return to_s + on_s - saved_s + edge_s, start_s
        soonest_s = max(visit.opens_s, ready_s + WITHIN_S / 2.0)
        last_s = min(visit.latest_s, must_s - WITHIN_S / 2.0)
    return None


def _miss(visit: Visit, gap: int, slack: Slack, telescope: Telescope) -> Miss:
    """How much later this gap would have to end, or how much earlier begin."""
    free_s, awaited = slack.free_s[gap], slack.awaited[gap]
    near_s = min(max(visit.best_s, free_s), visit.latest_s)
    taken_up, duration_s, leaves = visit.series(near_s)
    to_s = telescope.between_s(slack.left[gap], taken_up)
    on_s = 0.0 if awaited is None else telescope.between_s(leaves, awaited)
    must_s = slack.needed_s[gap] - duration_s - on_s
    before, after = free_s + to_s > visit.opens_s, must_s < visit.latest_s
    short_s = max(free_s + to_s, visit.opens_s) - min(must_s, visit.latest_s)
    slews_s = to_s * before + on_s * after
    return Miss(short_s=short_s, by_slew=short_s <= slews_s, gap=gap, before=before, after=after)
