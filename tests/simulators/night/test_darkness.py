"""When a simulated night is dark, anywhere and at any season, and how early its processes start."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulators.night.settings import DARK_SUN_ALTITUDE_DEG, NoDarkness, darkness
from simulators.sky.earth import Ground
from tests.desk import RIDGE, a_night

MINUTE = timedelta(minutes=1)

PLACES = {
    "the Front Range": (RIDGE, date(2026, 11, 22)),
    "the Front Range in June": (RIDGE, date(2026, 6, 21)),
    "Tenerife": (Ground(28.3, -16.5, 2390.0), date(2026, 4, 20)),
    "Siding Spring, where the day changes in the night": (Ground(-31.27, 149.07, 1165.0), date(2026, 12, 31)),
    "Paranal in June": (Ground(-24.63, -70.40, 2635.0), date(2026, 6, 21)),
    "Hawaii": (Ground(19.82, -155.47, 4205.0), date(2027, 2, 28)),
    "Fiji, beside the date line": (Ground(-17.8, 179.9, 5.0), date(2026, 8, 11)),
    "Tromsø in the dark of December": (Ground(69.65, 18.96, 100.0), date(2026, 12, 21)),
    "the South Pole in winter": (Ground(-90.0, 0.0, 2835.0), date(2026, 6, 21)),
}


@pytest.mark.parametrize("place", PLACES)
def test_it_begins_when_the_sun_is_deep_enough_and_lasts_as_long_as_asked(place: str) -> None:
    ground, evening = PLACES[place]
    begins, ends = darkness(a_night(ground=ground, evening=evening, hours=2.0))
    assert ends - begins == timedelta(hours=2.0)
    assert all(
        ground.sun_altitude_deg(begins + minutes * MINUTE) < DARK_SUN_ALTITUDE_DEG for minutes in range(0, 121, 10)
    )
    noon = datetime(evening.year, evening.month, evening.day, 12, tzinfo=UTC) - timedelta(
        hours=ground.longitude_deg / 15.0
    )
    assert noon <= begins < noon + timedelta(days=1)
    if begins - noon >= MINUTE:  # not where it is dark at noon
        assert ground.sun_altitude_deg(begins - MINUTE) >= DARK_SUN_ALTITUDE_DEG


def test_it_is_the_night_after_the_local_evening_that_is_named() -> None:
    """In Australia that evening is before noon in Greenwich, in Hawaii it is the next day there."""
    siding_spring, _ = darkness(a_night(ground=Ground(-31.27, 149.07, 1165.0), evening=date(2026, 8, 11)))
    hawaii, _ = darkness(a_night(ground=Ground(19.82, -155.47, 4205.0), evening=date(2026, 8, 11)))
    assert siding_spring.date() == date(2026, 8, 11)
    assert siding_spring.hour < 12
    assert hawaii.date() == date(2026, 8, 12)


def test_it_ends_at_dawn_though_more_was_asked() -> None:
    ground = Ground(50.0, 8.0, 100.0)
    begins, ends = darkness(a_night(ground=ground, evening=date(2026, 6, 1), hours=16.0))
    assert timedelta(hours=3) < ends - begins < timedelta(hours=6)
    assert ground.sun_altitude_deg(ends) < DARK_SUN_ALTITUDE_DEG <= ground.sun_altitude_deg(ends + MINUTE)


@pytest.mark.parametrize(
    ("ground", "evening"),
    [
        (Ground(69.65, 18.96, 100.0), date(2026, 6, 21)),  # midnight sun
        (Ground(59.9, 30.3, 10.0), date(2026, 6, 21)),  # white nights
        (Ground(-77.85, 166.67, 10.0), date(2026, 12, 21)),
        (Ground(90.0, 0.0, 0.0), date(2026, 7, 1)),
    ],
)
def test_in_a_high_summer_there_is_none_and_it_says_what_to_do(ground: Ground, evening: date) -> None:
    with pytest.raises(NoDarkness, match=f"on {evening} the Sun goes below -12° not at all .*another --date or --site"):
        darkness(a_night(ground=ground, evening=evening))


def test_a_few_minutes_are_not_worth_a_night() -> None:
    with pytest.raises(NoDarkness, match=r"only for \d minutes"):
        darkness(a_night(ground=Ground(54.56, 8.0, 0.0), evening=date(2026, 6, 21)))


@given(
    latitude_deg=st.floats(-90.0, 90.0),
    longitude_deg=st.floats(-180.0, 180.0),
    day=st.integers(0, 730),
    hours=st.floats(0.2, 16.0),
)
@settings(max_examples=15, deadline=None)
def test_wherever_it_gets_dark_it_is_dark_from_the_beginning_to_the_end(
    latitude_deg: float, longitude_deg: float, day: int, hours: float
) -> None:
    ground = Ground(latitude_deg, longitude_deg, 0.0)
    try:
        begins, ends = darkness(a_night(ground=ground, evening=date(2026, 1, 1) + timedelta(days=day), hours=hours))
    except NoDarkness:
        assume(False)
    assert timedelta(0) < ends - begins <= timedelta(hours=hours)
    middle = begins + (ends - begins) / 2
    assert max(ground.sun_altitude_deg(at) for at in (begins, middle, ends)) < DARK_SUN_ALTITUDE_DEG


@pytest.mark.parametrize(("rate", "least_s"), [(1.0, 360.0), (60.0, 540.0), (240.0, 2160.0)])
def test_the_faster_it_runs_the_earlier_it_starts(rate: float, least_s: float) -> None:
    """A programme needs some seconds of life to start, which are minutes of the sky."""
    assert a_night(rate=rate).prelude == timedelta(seconds=least_s)
