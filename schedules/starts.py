"""The earliest and the latest start of a series between two others.

Targets move while the telescope slews to them, so how long a slew takes depends on when it ends. The answers are found
in rounds, to `WITHIN_S` and on the safe side.
"""

from schedules.telescope import Stand, Telescope
from schedules.visits import Visit

WITHIN_S = 0.2
ROUNDS = 8


def soonest_start_s(
    telescope: Telescope, visit: Visit, free_s: float, left: Stand | None, *, not_before_s: float
) -> float | None:
    """The earliest start at which a telescope that is free at `free_s`, standing at `left`, can be there."""
    floor_s = start_s = max(not_before_s, free_s + telescope.least_between_s)
    if floor_s > visit.latest_s:
        return None
    for round_ in range(2 * ROUNDS):
        there_s = free_s + telescope.between_s(left, visit.taken_up(start_s))
        if there_s <= start_s and (start_s <= max(floor_s, there_s + WITHIN_S) or round_ >= ROUNDS):
            return start_s if visit.fits(start_s) else None
        if there_s > start_s == visit.latest_s:
            return None
        # At first towards the answer from either side; where that does not settle, only later and later.
        later_s = max(floor_s, there_s + WITHIN_S / 2.0)
        start_s = min(later_s if round_ < ROUNDS else max(later_s, start_s + 1.0), visit.latest_s)
    return None


def last_start_s(
    telescope: Telescope, visit: Visit, by_s: float, awaited: Stand, *, not_after_s: float
) -> float | None:
    """The latest start from which a telescope can stand at `awaited` by `by_s`."""
    ceiling_s = start_s = min(not_after_s, by_s - telescope.least_between_s)
    if ceiling_s < visit.opens_s:
        return None
    for round_ in range(2 * ROUNDS):
        _, duration_s, left = visit.series(start_s)
        must_s = by_s - duration_s - telescope.between_s(left, awaited)
        if start_s <= must_s and (start_s >= min(ceiling_s, must_s - WITHIN_S) or round_ >= ROUNDS):
            return start_s if visit.fits(start_s) else None
        if must_s < start_s == visit.opens_s:
            return None
        earlier_s = min(ceiling_s, must_s - WITHIN_S / 2.0)
        start_s = max(earlier_s if round_ < ROUNDS else min(earlier_s, start_s - 1.0), visit.opens_s)
    return None
