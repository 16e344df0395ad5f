"""What an element set must fulfil before anything is pointed by it."""

import math
from datetime import UTC, datetime

from schedules.errors import BadElements
from schedules.targets import ElementSet

# The first satellite flew in 1957; years of two digits end in 2056.
_FIRST_EPOCH = datetime(1957, 10, 4, tzinfo=UTC)
_LAST_EPOCH = datetime(2057, 1, 1, tzinfo=UTC)

_LARGEST_NORAD_ID = 999_999_999

# Field, lowest and highest value. Mean motion: 20 days round, and below the lowest orbit there is. Derivatives and
# drag: many times what a satellite in its last hours has.
_RANGES = (
    ("mean motion", "mean_motion_rev_per_day", 0.05, 17.5, "revolutions a day"),
    ("inclination", "inclination_deg", 0.0, 180.0, "°"),
    ("right ascension of the node", "raan_deg", 0.0, 360.0, "°"),
    ("argument of perigee", "argument_of_perigee_deg", 0.0, 360.0, "°"),
    ("mean anomaly", "mean_anomaly_deg", 0.0, 360.0, "°"),
    ("B*", "bstar_per_earth_radius", -100.0, 100.0, "per Earth radius"),
    ("mean motion's first derivative", "mean_motion_dot", -100.0, 100.0, "rev/day²"),
    ("mean motion's second derivative", "mean_motion_ddot", -100.0, 100.0, "rev/day³"),
)

_GRAVITY_KM3_S2 = 398600.8  # WGS72, as SGP4 has it
_EQUATOR_KM = 6378.135
_NEAR_EARTH_REV_PER_DAY = 6.4  # quicker than 225 minutes: SGP4 has no Sun and Moon there


def checked(elements: ElementSet) -> ElementSet:
    """The same set, if it can be true.

    Raises:
        BadElements: the message names the field, its value and what is expected.
    """
    if not 1 <= elements.norad_id <= _LARGEST_NORAD_ID:
        raise BadElements(f"NORAD number {elements.norad_id} is not within 1 to {_LARGEST_NORAD_ID}")
    if not 0.0 <= elements.eccentricity < 1.0:
        raise BadElements(f"eccentricity {elements.eccentricity} is not within 0 to 1 (1 excluded)")
    for words, field, lowest, highest, unit in _RANGES:
        value = getattr(elements, field)
        if not lowest <= value <= highest:  # NaN as well
            raise BadElements(f"{words} {value} is not within {lowest:g} to {highest:g} {unit}")
    if not _FIRST_EPOCH <= elements.epoch < _LAST_EPOCH:
        raise BadElements(f"epoch {elements.epoch:%Y-%m-%d} is not within 1957 to 2056")
    # Sun and Moon may bring the perigee of a high orbit below the ground for a while, long before it gets there.
    if elements.mean_motion_rev_per_day > _NEAR_EARTH_REV_PER_DAY and perigee_height_km(elements) < 0.0:
        depth_km = -perigee_height_km(elements)
        raise BadElements(f"the orbit passes {depth_km:.0f} km below the ground: mean motion or eccentricity is wrong")
    return elements


def perigee_height_km(elements: ElementSet) -> float:
    """Height of the perigee above the equator's radius, by Kepler's third law."""
    motion_rad_s = elements.mean_motion_rev_per_day * 2.0 * math.pi / 86400.0
    return float((_GRAVITY_KM3_S2 / motion_rad_s**2) ** (1.0 / 3.0) * (1.0 - elements.eccentricity) - _EQUATOR_KM)


def printable(text: str) -> str:
    """Without control characters, which could play tricks on a terminal or a log."""
    return text.strip() if text.isprintable() else "".join(letter for letter in text if letter.isprintable()).strip()
