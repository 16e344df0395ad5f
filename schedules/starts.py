"""The earliest and the latest start of a series between two others.

Targets move while the telescope slews to them, so how long a slew takes depends on when it ends. The answers are found
in rounds, on the safe side: as a rule each brings the next within a fifth of what was left; where it does not, what is
left is halved. Where there is more than one answer (a flip comes between) one of them is found.
"""

from schedules.telescope import Stand, Telescope
from schedules.visits import Visit

WITHIN_S = 0.2
ROUNDS = 16


def soonest_start_s(
    telescope: Telescope, visit: Visit, free_s: float, left: Stand | None, *, not_before_s: float
) -> float | None:
    """The earliest start at which a telescope that is free at `free_s`, standing at `left`, can be there."""
    floor_s = start_s = too_early_s = max(not_before_s, free_s + telescope.least_between_s)
    if floor_s > visit.latest_s:
        return None
    serves_s: float | None = None
    for _ in range(ROUNDS):
        there_s = free_s + telescope.between_s(left, visit.taken_up(start_s))
        if there_s <= start_s:
            serves_s = start_s
            if start_s == floor_s or start_s - max(there_s, too_early_s) <= WITHIN_S:
                break
        elif start_s == visit.latest_s:
            break
        else:
            too_early_s = start_s
        start_s = _next_s(there_s + WITHIN_S / 2.0, too_early_s, serves_s, visit.latest_s)
    return serves_s if serves_s is not None and visit.fits(serves_s) else None


def last_start_s(
    telescope: Telescope, visit: Visit, by_s: float, awaited: Stand, *, not_after_s: float
) -> float | None:
    """The latest start from which a telescope can stand at `awaited` by `by_s`."""
    ceiling_s = start_s = too_late_s = min(not_after_s, by_s - telescope.least_between_s)
    if ceiling_s < visit.opens_s:
        return None
    serves_s: float | None = None
    for _ in range(ROUNDS):
        _, duration_s, left = visit.series(start_s)
        must_s = by_s - duration_s - telescope.between_s(left, awaited)
        if start_s <= must_s:
            serves_s = start_s
            if start_s == ceiling_s or min(must_s, too_late_s) - start_s <= WITHIN_S:
                break
        elif start_s == visit.opens_s:
            break
        else:
            too_late_s = start_s
        start_s = _next_s(must_s - WITHIN_S / 2.0, too_late_s, serves_s, visit.opens_s)
    return serves_s if serves_s is not None and visit.fits(serves_s) else None


def _next_s(guess_s: float, fails_s: float, serves_s: float | None, edge_s: float) -> float:
    """The guess if it lies between what fails and what serves, else halfway; the window's edge where nothing serves."""
    beyond_s = edge_s if serves_s is None else serves_s
    if min(fails_s, beyond_s) < guess_s < max(fails_s, beyond_s):
        return guess_s
    return edge_s if serves_s is None else (fails_s + serves_s) / 2.0
