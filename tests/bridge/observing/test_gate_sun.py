"""The Sun at the door: at the target, on the way there, until the end of the exposure, and on the way to park."""

import math
import random
from datetime import timedelta

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bridge.observing.gate import MotionRefused
from drivers.values import ShutterState
from schedules.ephemeris import Ephemeris
from schedules.site import Site
from schedules.slews import Axes
from tests.bridge.observing.gates import Doorway, when_sun_is_at
from tests.bridge.observing.skies import FRONT_RANGE, MIDNIGHT, apart_deg

CONE_DEG = 30.0
FORENOON = MIDNIGHT + timedelta(hours=10)  # the Sun then stands 30° high in the south-east


@pytest.fixture
def door(ephemeris: Ephemeris) -> Doorway:
    """By day, a mount that goes the short way round."""
    return Doorway(ephemeris, at=FORENOON, axes=Axes.ALTAZ)


def test_the_sun_is_where_these_tests_think(door: Doorway) -> None:
    sun = door.sun()
    assert 25.0 < sun.altitude_deg < 32.0
    assert 140.0 < sun.azimuth_deg < 165.0


def test_a_target_near_the_sun_is_refused_with_both_numbers(door: Doorway) -> None:
    sun = door.sun()
    door.slew((60.0, 330.0), (sun.altitude_deg, sun.azimuth_deg + 40.0))
    with pytest.raises(MotionRefused, match=r"2[0-5]\.\d° from the Sun, the limit is 30°"):
        door.slew((60.0, 330.0), (sun.altitude_deg, sun.azimuth_deg + 27.0))


def test_a_way_past_the_sun_is_refused_though_both_ends_are_far_from_it(door: Doorway) -> None:
    sun = door.sun()
    start, end = (sun.altitude_deg, sun.azimuth_deg - 50.0), (sun.altitude_deg, sun.azimuth_deg + 50.0)
    assert min(apart_deg(*place, sun.altitude_deg, sun.azimuth_deg) for place in (start, end)) > CONE_DEG + 10.0
    with pytest.raises(MotionRefused, match=r"the way there may pass 0\.0° from the Sun, the limit is 30\.0°"):
        door.slew(start, end)


def test_the_same_slew_is_admitted_when_the_sun_is_deep(ephemeris: Ephemeris) -> None:
    sun = Doorway(ephemeris, at=FORENOON).sun()
    by_night = Doorway(ephemeris, axes=Axes.ALTAZ)
    by_night.slew((sun.altitude_deg, sun.azimuth_deg - 50.0), (sun.altitude_deg, sun.azimuth_deg + 50.0))


def test_a_telescope_that_waits_by_the_morning_horizon_is_refused_when_the_sun_will_be_up(
    ephemeris: Ephemeris,
) -> None:
    """Deep enough at the beginning of the exposure, and no longer at its end."""
    door = Doorway(ephemeris, at=when_sun_is_at(ephemeris, -12.5, rising=True), axes=Axes.ALTAZ)
    sun = door.sun()
    place = 12.0, sun.azimuth_deg
    door.slew(place, place, for_s=60.0)
    with pytest.raises(MotionRefused, match="from the Sun"):
        door.slew(place, place, for_s=900.0)


def test_a_slew_that_begins_before_the_sun_counts_and_ends_when_it_does_is_looked_at(ephemeris: Ephemeris) -> None:
    door = Doorway(ephemeris, at=when_sun_is_at(ephemeris, -12.5, rising=True), axes=Axes.ALTAZ)
    sun = door.sun()
    start, end = (10.5, sun.azimuth_deg - 32.0), (10.5, sun.azimuth_deg + 32.0)
    with pytest.raises(MotionRefused, match="the way there may pass"):
        door.slew(start, end)
    door.clock.advance(-1200.0)
    door.dome_says(ShutterState.OPEN)
    door.slew(start, end)


@pytest.mark.parametrize("axes", Axes)
def test_out_of_the_cone_is_allowed_and_deeper_into_it_is_not(ephemeris: Ephemeris, axes: Axes) -> None:
    """A telescope that stands too near the Sun is not nailed there: it may go straight away from it."""
    door = Doorway(ephemeris, at=FORENOON, axes=axes)
    sun = door.sun()
    inside = sun.altitude_deg + 20.0, sun.azimuth_deg
    door.slew(inside, (sun.altitude_deg + 33.0, sun.azimuth_deg))
    with pytest.raises(MotionRefused, match="the limit is"):
        door.slew(inside, (sun.altitude_deg + 28.0, sun.azimuth_deg))  # still inside
    beside = sun.altitude_deg, sun.azimuth_deg + 20.0
    with pytest.raises(MotionRefused, match=r"the way there may pass \d\.\d° from the Sun, the limit is 1[67]\.\d°"):
        door.slew(beside, (sun.altitude_deg, sun.azimuth_deg - 45.0))  # across


@pytest.mark.parametrize("rising", [True, False])
def test_in_twilight_few_slews_are_refused_for_a_sun_that_shines_on_nobody(ephemeris: Ephemeris, rising: bool) -> None:
    """With the Sun 10° below the horizon half of all slews of a German mount have some way that looks past it."""
    door = Doorway(ephemeris, at=when_sun_is_at(ephemeris, -10.0, rising=rising))
    dice = random.Random(7)
    refused = 0
    for _ in range(60):
        ends = [(math.degrees(math.asin(dice.uniform(0.42, 1.0))), dice.uniform(0.0, 359.0)) for _ in range(2)]
        try:
            door.slew(ends[0], ends[1])
        except MotionRefused:
            refused += 1
    assert refused <= 6


class TestPark:
    """Under any verdict; but not past the Sun with the dome open."""

    POLE = 38.84, 0.0

    def _seen_parked(self, door: Doorway, place: tuple[float, float] = POLE) -> None:
        door.gate.saw_parked(door.standing(*place, parked=True))

    def test_in_the_dark_a_mount_parks_from_anywhere_whatever_the_verdict(self, ephemeris: Ephemeris) -> None:
        door = Doorway(ephemeris, reasons=("rain",))
        door.gate.admit_park(door.standing(20.0, 170.0))

    def test_by_day_it_parks_along_a_clear_way(self, door: Doorway) -> None:
        door.reasons = ("wind",)
        self._seen_parked(door)
        door.gate.admit_park(door.standing(60.0, 330.0))

    def test_by_day_it_does_not_park_past_the_sun(self, door: Doorway) -> None:
        sun = door.sun()
        self._seen_parked(door, (sun.altitude_deg, sun.azimuth_deg - 50.0))
        with pytest.raises(MotionRefused, match="park: the way there may pass"):
            door.gate.admit_park(door.standing(sun.altitude_deg, sun.azimuth_deg + 50.0))

    def test_by_day_it_does_not_park_where_nobody_knows(self, door: Doorway) -> None:
        door.gate.saw_parked(door.standing(60.0, 330.0))  # not parked: that is no park position
        with pytest.raises(MotionRefused, match="where the mount parks was never seen"):
            door.gate.admit_park(door.standing(60.0, 330.0))

    def test_under_a_closed_dome_it_parks_even_past_the_sun(self, door: Doorway) -> None:
        door.dome_says(ShutterState.CLOSED)
        door.gate.admit_park(door.standing(60.0, 330.0))

    def test_a_dome_seen_closed_long_ago_is_not_closed(self, door: Doorway) -> None:
        door.dome_says(ShutterState.CLOSED, ago_s=31.0)
        with pytest.raises(MotionRefused, match="close the dome first"):
            door.gate.admit_park(door.standing(60.0, 330.0))

    def test_the_park_position_is_remembered_by_the_horizon_and_not_among_the_stars(self, door: Doorway) -> None:
        sun = door.sun()
        self._seen_parked(door, (60.0, 330.0))
        door.clock.advance(86_164.0905 / 2.0)  # half a turn of the sky; about as long after as the Sun is down
        door.clock.advance(86_400.0 - 86_164.0905 / 2.0)
        door.dome_says(ShutterState.OPEN)
        assert door.gate._parked_at is not None
        assert apart_deg(door.gate._parked_at.altitude_deg, door.gate._parked_at.azimuth_deg, 60.0, 330.0) < 0.01
        door.gate.admit_park(door.standing(60.0, (sun.azimuth_deg + 150.0) % 360.0))

    def test_at_dusk_most_parks_are_admitted(self, ephemeris: Ephemeris) -> None:
        door = Doorway(ephemeris, at=when_sun_is_at(ephemeris, -8.0, rising=True))
        self._seen_parked(door)
        refused = 0
        for azimuth_deg in range(0, 360, 12):
            try:
                door.gate.admit_park(door.standing(35.0, float(azimuth_deg)))
            except MotionRefused:
                refused += 1
        assert refused <= 3


SITES = st.builds(
    Site,
    latitude_deg=st.floats(-66.0, 66.0),
    longitude_deg=st.floats(-180.0, 180.0),
    elevation_m=st.just(500.0),
)
PLACES = st.tuples(st.floats(10.5, 88.0), st.floats(0.0, 359.9))


@settings(max_examples=150, deadline=None)
@given(
    site=SITES,
    axes=st.sampled_from(Axes),
    hours=st.floats(0.0, 8760.0),
    start=PLACES,
    end=PLACES,
    for_s=st.floats(0.1, 1800.0),
)
@example(FRONT_RANGE, Axes.ALTAZ, 10.0, (30.0, 100.0), (30.0, 210.0), 2.0)
@example(FRONT_RANGE, Axes.EQUATORIAL, 7.0, (80.0, 10.0), (15.0, 250.0), 900.0)
def test_no_admitted_slew_comes_near_the_sun_on_its_way_or_while_it_exposes(
    ephemeris: Ephemeris,
    site: Site,
    axes: Axes,
    hours: float,
    start: tuple[float, float],
    end: tuple[float, float],
    for_s: float,
) -> None:
    """Any slew anywhere in a year; what the gate admits is flown here look by look, and held against the Sun."""
    door = Doorway(ephemeris, site=site, axes=axes, at=MIDNIGHT + timedelta(hours=hours))
    suns = [ephemeris.sun_of(site, door.clock.now() + timedelta(seconds=ahead_s)) for ahead_s in (0.0, 150.0, 300.0)]
    assume(suns[0].altitude_deg > -12.0)
    near_deg = min(apart_deg(*start, sun.altitude_deg, sun.azimuth_deg) for sun in suns)
    try:
        door.slew(start, end, for_s=for_s)
    except MotionRefused:
        return
    allowed_deg = min(CONE_DEG, near_deg - 0.5)
    for look in expected_way(axes, site.latitude_deg, start, end):
        assert all(apart_deg(*look, sun.altitude_deg, sun.azimuth_deg) >= allowed_deg - 0.05 for sun in suns)
    target = door.towards(*end)
    for ahead_s in (0.0, for_s / 3.0, for_s / 1.5, for_s):
        at = door.clock.now() + timedelta(seconds=ahead_s)
        there, sun = door.gate.horizontal_of(target, at), ephemeris.sun_of(site, at)
        apart = apart_deg(there.altitude_deg, there.azimuth_deg, sun.altitude_deg, sun.azimuth_deg)
        assert apart >= CONE_DEG - 0.01 or sun.altitude_deg <= -12.0


def expected_way(
    axes: Axes, latitude_deg: float, start: tuple[float, float], end: tuple[float, float]
) -> list[tuple[float, float]]:
    """Looks (altitude, azimuth) of a mount whose axes turn at equal speed from the start, each until it is there.

    An alt-azimuth mount goes the short way round. A German mount changes sides where the hour angle changes its sign:
    then its hour-angle axis turns by half a circle less, and its declination axis over the pole.
    """
    if axes is Axes.ALTAZ:
        turn_deg = (end[1] - start[1] + 180.0) % 360.0 - 180.0
        pairs = _evenly((start[1], start[0]), (turn_deg, end[0] - start[0]))
        return [(altitude_deg, azimuth_deg) for azimuth_deg, altitude_deg in pairs]
    begins, ends = (_to_equatorial(latitude_deg, *place) for place in (start, end))
    hours_deg, decs_deg = ends[0] - begins[0], ends[1] - begins[1]
    if (begins[0] >= 0.0) != (ends[0] >= 0.0):
        hours_deg = (hours_deg + 360.0) % 360.0 - 180.0
        decs_deg = (180.0 if latitude_deg >= 0.0 else -180.0) - begins[1] - ends[1]
    return [_to_horizontal(latitude_deg, *look) for look in _evenly(begins, (hours_deg, decs_deg))]


def _evenly(begins: tuple[float, float], turns: tuple[float, float]) -> list[tuple[float, float]]:
    longest_deg = max(abs(turns[0]), abs(turns[1]))
    looks = int(longest_deg / 0.5) + 2
    travelled = [longest_deg * index / (looks - 1) for index in range(looks)]
    first, second = (
        [begin + math.copysign(min(way, abs(turn)), turn) for way in travelled]
        for begin, turn in zip(begins, turns, strict=True)
    )
    return list(zip(first, second, strict=True))


def _to_equatorial(latitude_deg: float, altitude_deg: float, azimuth_deg: float) -> tuple[float, float]:
    altitude, azimuth, latitude = (math.radians(angle) for angle in (altitude_deg, azimuth_deg, latitude_deg))
    north, east, up = math.cos(altitude) * math.cos(azimuth), math.cos(altitude) * math.sin(azimuth), math.sin(altitude)
    equator, pole = (
        up * math.cos(latitude) - north * math.sin(latitude),
        up * math.sin(latitude) + north * math.cos(latitude),
    )
    return math.degrees(math.atan2(-east, equator)), math.degrees(math.asin(max(-1.0, min(1.0, pole))))


def _to_horizontal(latitude_deg: float, hour_angle_deg: float, dec_deg: float) -> tuple[float, float]:
    """Declinations beyond 90° look down on the far side of the pole, as the axis does."""
    hour_angle, dec, latitude = (math.radians(angle) for angle in (hour_angle_deg, dec_deg, latitude_deg))
    equator, west, pole = math.cos(dec) * math.cos(hour_angle), math.cos(dec) * math.sin(hour_angle), math.sin(dec)
    up, north = (
        equator * math.cos(latitude) + pole * math.sin(latitude),
        pole * math.cos(latitude) - equator * math.sin(latitude),
    )
    return math.degrees(math.asin(max(-1.0, min(1.0, up)))), math.degrees(math.atan2(-west, north))
