"""Element sets damaged on the way: what can be known to be wrong is refused, and nothing gives a place that is none.

NIGHTBRIDGE_DAMAGES sets how many are tried.
"""

import math
import os
import random
import string
from datetime import UTC, datetime

import pytest

from schedules.elements import satellite_from_tle
from schedules.ephemeris import Ephemeris
from schedules.errors import BadElements, DecayedOrbit
from schedules.places import Place
from schedules.site import Site

TRIED = int(os.environ.get("NIGHTBRIDGE_DAMAGES", "5000"))
SITE = Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0)
AT = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
SETS = (
    (
        "1 90001U 26001A   26110.50000000  .00001200  00000+0  30000-4 0  9993",
        "2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006",
    ),
    (
        "1 90002U 26001B   26110.25000000  .00000000  00000+0  00000+0 0  9991",
        "2 90002  63.4000 300.0000 7200000 270.0000  10.0000  2.00610000 10007",
    ),
)
LETTERS = string.digits * 6 + " .+-" * 4 + string.ascii_uppercase


def weighed(line: str) -> int:
    """The checksum of a line by its rule: digits as they are, a minus as one, modulo ten."""
    return sum(int(letter) if letter.isdigit() else letter == "-" for letter in line[:68]) % 10


def sound(line: str) -> str:
    return line[:68] + str(weighed(line))


def damaged(lines: tuple[str, str], draw: random.Random) -> tuple[str, str]:
    """One to four characters are others."""
    both = list(lines)
    for _ in range(draw.randint(1, 4)):
        which, at = draw.randrange(2), draw.randrange(69)
        both[which] = both[which][:at] + draw.choice(LETTERS) + both[which][at + 1 :]
    return both[0], both[1]


def place_by(lines: tuple[str, str], ephemeris: Ephemeris) -> Place | None:
    """None: refused, or no place is left of it."""
    try:
        return ephemeris.place_of(satellite_from_tle(*lines, name="", source="a test"), SITE, AT)
    except (BadElements, DecayedOrbit):
        return None


def is_finite(place: Place) -> bool:
    horizontal, icrs = place.horizontal, place.icrs
    figures = (horizontal.altitude_deg, horizontal.azimuth_deg, icrs.ra_deg, icrs.dec_deg, place.range_km)
    rates = (place.range_rate_km_s, place.angular_rate_deg_s, place.icrs_ra_rate_deg_s, place.icrs_dec_rate_deg_s)
    return all(map(math.isfinite, (*figures, *rates)))


@pytest.fixture(scope="module")
def ephemeris() -> Ephemeris:
    return Ephemeris()


def test_a_damaged_set_is_refused_or_its_checksums_are_right_and_its_place_is_one(ephemeris: Ephemeris) -> None:
    draw = random.Random(20)
    used = 0
    for number in range(TRIED):
        lines = damaged(tuple(map(sound, SETS[number % 2])), draw)  # type: ignore[arg-type]
        place = place_by(lines, ephemeris)
        if place is None:
            continue
        used += 1
        assert is_finite(place), lines
        assert all(len(line) == 69 and line[68] == str(weighed(line)) for line in lines), lines
    assert 0 < used < 0.25 * TRIED, "most are found out by their checksums"


def test_a_damage_that_the_checksum_does_not_show_gives_a_place_or_is_refused(ephemeris: Ephemeris) -> None:
    draw = random.Random(21)
    refused = 0
    for number in range(TRIED // 2):
        first, second = damaged(SETS[number % 2], draw)
        place = place_by((sound(first), sound(second)), ephemeris)
        if place is None:
            refused += 1
        else:
            assert is_finite(place), (first, second)
    assert refused > 0.3 * (TRIED // 2)
