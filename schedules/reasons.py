"""Why a target has no access window, in the words of an observer."""

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

import numpy as np

from schedules.ages import MAX_ELEMENTS_AGE_DAYS, age_days, described_age
from schedules.constraints import Constraint, MinAltitude, Scope
from schedules.ephemeris import Ephemeris
from schedules.search import Search, search_for, site_spans, span_between
from schedules.site import Site
from schedules.spans import Spans, highest
from schedules.targets import Satellite, Target


def why_no_window(
    target: Target,
    site: Site,
    *,
    opens: datetime,
    closes: datetime,
    constraints: Sequence[Constraint],
    ephemeris: Ephemeris,
) -> str:
    """The smallest set of constraints that cannot be met together between `opens` and `closes`, as a clause.

    "never above 20° while sunlit", "not above 20° before dawn", "never with the Sun below -12°". Where the constraints
    can be met: that the elements are too old to be trusted, or that there is a window after all.

    Raises:
        ValueError: `closes` is not after `opens`.
        BadElements: SGP4 cannot start from the elements.
    """
    whole = span_between(opens, closes)
    search = search_for(target, site, ephemeris, whole)
    dark = site_spans(whole, constraints, site, ephemeris.earth)
    if not len(dark):
        return f"never {_joined([one for one in constraints if one.scope is Scope.SITE])}"
    own = [one for one in constraints if one.scope is not Scope.SITE]
    for size in range(1, len(own) + 1):
        for together in combinations(own, size):
            if not len(search.narrowed(dark, together)):
                return _why_not(search, together, dark, whole)
    if isinstance(target, Satellite) and abs(age_days(target, closes)) > MAX_ELEMENTS_AGE_DAYS:
        return f"elements {described_age(target, closes)}"
    return "there is a window"


def _why_not(search: Search, together: Sequence[Constraint], dark: Spans, whole: Spans) -> str:
    """`together` cannot be met in the dark: whether a single constraint can by day, and when."""
    if search.failures:
        return str(search.failures[0])
    by_day = search.narrowed(whole, together)
    if not len(by_day) or len(together) > 1:
        return f"never {_joined(together)}{_peak(search, together, dark)}"
    if by_day.begins_s[0] >= dark.ends_s[-1]:
        return f"not {_joined(together)} before dawn"
    if by_day.ends_s[-1] <= dark.begins_s[0]:
        return f"not {_joined(together)} after dusk"
    return f"{_joined(together)} only by daylight"


def _joined(constraints: Sequence[Constraint]) -> str:
    first, *others = (constraint.words for constraint in constraints)
    return f"{first} while {' and '.join(others)}" if others else first


def _peak(search: Search, together: Sequence[Constraint], dark: Spans) -> str:
    """How high it comes, where the altitude alone is too low."""
    if len(together) != 1 or not isinstance(together[0], MinAltitude):
        return ""
    sine_of_altitude = search.margin(lambda seen: seen.sine_of_altitude)
    peak = np.max(sine_of_altitude(dark.owner, highest(dark, sine_of_altitude, search.orbit_step_s)))
    return f" (highest {np.degrees(np.arcsin(np.clip(peak, -1.0, 1.0))):.1f}°)"
