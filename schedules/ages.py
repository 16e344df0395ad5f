"""How old element sets are."""

from datetime import datetime

from schedules.errors import StaleElements
from schedules.propagation import title_of
from schedules.targets import Satellite, Target

MAX_ELEMENTS_AGE_DAYS = 14.0


def age_days(satellite: Satellite, at: datetime) -> float:
    """From the epoch of the elements to `at`; negative where the epoch is ahead."""
    return (at - satellite.elements.epoch).total_seconds() / 86400.0


def described_age(satellite: Satellite, at: datetime) -> str:
    """The age for people: "21 days old"."""
    days = age_days(satellite, at)
    return f"{days:.0f} days old" if days >= 0.0 else f"of an epoch {-days:.0f} days ahead"


def require_fresh(target: Target, at: datetime, *, max_age_days: float) -> None:
    """Refuse elements whose epoch is farther than `max_age_days` from `at`, before or after.

    Raises:
        StaleElements: they are.
    """
    if isinstance(target, Satellite) and abs(age_days(target, at)) > max_age_days:
        age = described_age(target, at)
        raise StaleElements(f"{title_of(target.elements)}: elements {age} at the end, the limit is {max_age_days:g}")
