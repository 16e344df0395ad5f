"""Which night is next, at any latitude."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.observing.dark import Darkness, NightSpan, evening_of
from schedules.ephemeris import Ephemeris
from schedules.site import Site

FRONT_RANGE = Site(latitude_deg=38.84, longitude_deg=-104.97, elevation_m=1900.0)
TROMSO = Site(latitude_deg=69.65, longitude_deg=18.96, elevation_m=100.0)
NOON = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


def darkness(
    ephemeris: Ephemeris, site: Site = FRONT_RANGE, *, open_deg: float = -8.0, until: datetime | None = None
) -> Darkness:
    return Darkness(
        site=site, ephemeris=ephemeris, open_sun_altitude_deg=open_deg, observe_sun_altitude_deg=-12.0, until=until
    )


def sun_deg(ephemeris: Ephemeris, at: datetime, site: Site = FRONT_RANGE) -> float:
    return ephemeris.sun_altitude_deg(site, at)


def test_a_night_opens_gets_dark_gets_light_and_closes(ephemeris: Ephemeris) -> None:
    span = darkness(ephemeris).next_night(NOON)
    assert span is not None
    assert NOON < span.opens_at < span.dark_from < span.dark_until < span.closes_at
    for at, altitude_deg in (
        (span.opens_at, -8.0),
        (span.dark_from, -12.0),
        (span.dark_until, -12.0),
        (span.closes_at, -8.0),
    ):
        assert sun_deg(ephemeris, at) == pytest.approx(altitude_deg, abs=0.01)
    assert span.dark == (span.dark_from, span.dark_until)


def test_in_the_middle_of_a_night_that_night_is_meant(ephemeris: Ephemeris) -> None:
    whole = darkness(ephemeris).next_night(NOON)
    assert whole is not None
    midnight = whole.dark_from + (whole.dark_until - whole.dark_from) / 2
    rest = darkness(ephemeris).next_night(midnight)
    assert rest is not None
    assert (rest.opens_at, rest.dark_from) == (midnight, midnight)
    assert abs(rest.closes_at - whole.closes_at) < timedelta(seconds=1)


def test_in_the_twilight_of_the_morning_the_next_evening_is_meant(ephemeris: Ephemeris) -> None:
    whole = darkness(ephemeris).next_night(NOON)
    assert whole is not None
    for late in (whole.dark_until + timedelta(seconds=1), whole.closes_at, whole.closes_at + timedelta(seconds=1)):
        following = darkness(ephemeris).next_night(late)
        assert following is not None
        assert following.opens_at - whole.opens_at > timedelta(hours=23)


def test_the_end_of_a_rehearsal_cuts_its_night_short_and_is_the_last(ephemeris: Ephemeris) -> None:
    whole = darkness(ephemeris).next_night(NOON)
    assert whole is not None
    until = whole.dark_from + timedelta(hours=2)
    short = darkness(ephemeris, until=until).next_night(NOON)
    assert short is not None
    assert (short.dark_until, short.closes_at) == (until, until)
    assert darkness(ephemeris, until=until).next_night(until) is None
    assert darkness(ephemeris, until=whole.dark_from - timedelta(minutes=1)).next_night(NOON) is None


def test_where_the_sun_does_not_set_there_is_no_night(ephemeris: Ephemeris) -> None:
    assert darkness(ephemeris, TROMSO).next_night(datetime(2026, 6, 21, 12, 0, tzinfo=UTC)) is None


def test_a_white_night_that_never_gets_dark_is_not_opened_for(ephemeris: Ephemeris) -> None:
    """Below −8° for a while, and never below −12°."""
    august = datetime(2026, 8, 18, 12, 0, tzinfo=UTC)
    low = min(sun_deg(ephemeris, august + timedelta(minutes=10 * n), TROMSO) for n in range(144))
    assert -12.0 < low < -7.0
    assert darkness(ephemeris, TROMSO, open_deg=-6.0).next_night(august) is None


def test_where_the_sun_does_not_rise_the_night_goes_on_as_far_as_one_looks_ahead(ephemeris: Ephemeris) -> None:
    south_pole = Site(latitude_deg=-90.0, longitude_deg=0.0, elevation_m=2835.0)
    now = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
    span = darkness(ephemeris, south_pole).next_night(now)
    assert span == NightSpan(
        opens_at=now, dark_from=now, dark_until=now + timedelta(days=2), closes_at=now + timedelta(days=2)
    )


@pytest.mark.parametrize(
    ("at", "longitude_deg", "evening"),
    [
        ("2026-11-29T03:00:00Z", -105.0, "2026-11-28"),  # an evening in Colorado
        ("2026-11-29T12:30:00Z", -105.0, "2026-11-28"),  # its dawn
        ("2026-11-29T12:30:00Z", 150.0, "2026-11-29"),  # an evening in Australia
        ("2026-11-28T20:00:00Z", 150.0, "2026-11-28"),  # the dawn before it, which is the 29th there
        ("2026-11-28T23:59:00Z", 343.5, "2026-11-28"),  # the Canaries, told the other way round
    ],
)
def test_a_night_is_called_by_the_evening_at_its_site(at: str, longitude_deg: float, evening: str) -> None:
    assert evening_of(datetime.fromisoformat(at), longitude_deg).isoformat() == evening
