"""What must hold: at one place, and as a margin over many instants."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.constraints import AboveHorizon, Constraint, MinAltitude, MoonApart, Scope, SunApart, SunBelow, Sunlit
from schedules.ephemeris import Ephemeris
from schedules.glances import Ground
from schedules.orbits import Orbits, Paces
from schedules.places import angle_deg, separation_deg
from schedules.propagation import propagator_of
from schedules.search import Search, search_for, span_between, swarm_search
from schedules.site import HorizonMask, Site
from schedules.targets import Satellite

EVENING = datetime(2026, 8, 11, 19, 30, 0, tzinfo=UTC)
HILL = HorizonMask(points=((10.0, 5.0), (170.0, 40.0), (200.0, 12.0), (350.0, 25.0)))

ALL: list[Constraint] = [
    MinAltitude(altitude_deg=20.0),
    AboveHorizon(mask=HILL),
    AboveHorizon(mask=HorizonMask()),
    SunBelow(altitude_deg=-12.0),
    MoonApart(separation_deg=70.0),
    SunApart(separation_deg=60.0),
    Sunlit(),
]


@pytest.fixture(scope="module", params=["alone", "in a swarm"])
def search(request: pytest.FixtureRequest, ephemeris: Ephemeris, site: Site, low: Satellite) -> Search:
    """One satellite, as it is searched for alone and among many."""
    whole = span_between(EVENING, EVENING + timedelta(days=2))
    if request.param == "alone":
        return search_for(low, site, ephemeris, whole)
    begins_s, ends_s = float(whole.begins_s[0]), float(whole.ends_s[0])
    paces = Paces.of([low.elements], ends_s - begins_s)
    orbits = Orbits(
        [propagator_of(low.elements)], begins_s, ends_s, pieces=int(paces.pieces[0]), looks=int(paces.looks[0])
    )
    return swarm_search([low], orbits, Ground(site, ephemeris.earth, begins_s, ends_s))


@pytest.mark.parametrize("constraint", ALL, ids=lambda constraint: constraint.words)
def test_the_margin_is_not_negative_exactly_where_the_place_is_admitted(
    constraint: Constraint, ephemeris: Ephemeris, site: Site, low: Satellite, search: Search
) -> None:
    instants = [EVENING + timedelta(minutes=4.1 * number) for number in range(150)]
    unix_s = np.array([at.timestamp() for at in instants])
    margin = constraint.margin(search.seen(np.zeros(len(unix_s), np.intp), unix_s))
    admitted = [constraint.admits(ephemeris.place_of(low, site, at), site, ephemeris) for at in instants]
    assert (margin >= 0.0).tolist() == admitted
    assert len(set(admitted)) == 2


@given(minutes=st.floats(0.0, 1440.0))
@settings(max_examples=40, deadline=None)
def test_margins_do_not_jump(search: Search, minutes: float) -> None:
    """In a tenth of a second nothing moves far: a search by sampling and halving may rely on it."""
    unix_s = EVENING.timestamp() + 60.0 * minutes + np.array([0.0, 0.1])
    seen = search.seen(np.zeros(2, np.intp), unix_s)
    kilometres = {MinAltitude, Sunlit}
    for constraint in ALL:
        first, second = constraint.margin(seen)
        assert abs(second - first) < (2.0 if type(constraint) in kilometres else 0.5)


def test_words_are_those_of_an_observer() -> None:
    assert [constraint.words for constraint in ALL] == [
        "above 20°",
        "above the horizon mask",
        "above the horizon mask",
        "with the Sun below -12°",
        "70° from the Moon",
        "60° from the Sun",
        "sunlit",
    ]


def test_the_cheap_constraints_come_first() -> None:
    ordered = sorted(ALL, key=lambda constraint: constraint.scope)
    assert isinstance(ordered[0], SunBelow)
    assert {type(constraint) for constraint in ordered if constraint.scope is Scope.SKY} == {
        AboveHorizon,
        MoonApart,
        SunApart,
    }


def test_the_lowest_clear_altitude_of_a_mask() -> None:
    assert AboveHorizon(mask=HILL).lowest_deg == 5.0
    assert AboveHorizon(mask=HorizonMask()).lowest_deg == 0.0


@given(azimuth=st.floats(0.0, 359.99))
@settings(max_examples=60, deadline=None)
def test_the_mask_is_the_same_for_many_azimuths_as_for_one(azimuth: float, search: Search) -> None:
    azimuths, altitudes = zip(*HILL.points, strict=True)
    assert np.interp(azimuth, azimuths, altitudes, period=360.0) == pytest.approx(
        HILL.altitude_deg_at(azimuth), abs=1e-9
    )


def test_the_moon_is_kept_away_from_wherever_it_stands(
    ephemeris: Ephemeris, site: Site, low: Satellite, search: Search
) -> None:
    at = EVENING + timedelta(minutes=15)
    place = ephemeris.place_of(low, site, at)
    apart_deg = separation_deg(place.apparent, ephemeris.moon_of(site, at))
    seen = search.seen(np.zeros(1, np.intp), np.array([at.timestamp()]))
    assert MoonApart(separation_deg=apart_deg - 0.001).margin(seen)[0] > 0.0
    assert MoonApart(separation_deg=apart_deg + 0.001).margin(seen)[0] < 0.0


def test_the_sun_is_kept_away_from_by_day_and_by_night(
    ephemeris: Ephemeris, site: Site, low: Satellite, search: Search
) -> None:
    for hours in (0.25, 14.0):
        at = EVENING + timedelta(hours=hours)
        place, sun = ephemeris.place_of(low, site, at), ephemeris.sun_of(site, at)
        here = place.horizontal
        apart_deg = angle_deg(here.azimuth_deg, here.altitude_deg, sun.azimuth_deg, sun.altitude_deg)
        seen = search.seen(np.zeros(1, np.intp), np.array([at.timestamp()]))
        assert SunApart(separation_deg=apart_deg - 0.001).margin(seen)[0] > 0.0
        assert SunApart(separation_deg=apart_deg + 0.001).margin(seen)[0] < 0.0
