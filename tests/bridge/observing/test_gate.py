"""The one door that every motion passes: safety, the roof, the altitude limit and the horizon."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.observing.gate import MotionRefused, NotNow
from drivers.values import Equatorial, EquatorialSystem, ShutterState
from schedules.ephemeris import Ephemeris
from schedules.site import HorizonMask, Site
from schedules.slews import Axes
from tests.bridge.observing.gates import Doorway


@pytest.fixture
def door(ephemeris: Ephemeris) -> Doorway:
    return Doorway(ephemeris)


MOTIONS: dict[str, Callable[[Doorway], None]] = {
    "open": lambda door: door.gate.admit_open(),
    "unpark": lambda door: door.gate.admit_unpark(),
    "turn the dome": lambda door: door.gate.admit_dome_turn(120.0),
    "slew": lambda door: door.slew((40.0, 100.0), (60.0, 220.0)),
    "move": lambda door: door.gate.admit_around(
        door.standing(50.0, 200.0), within_deg=10.0, until=door.clock.now() + timedelta(seconds=10.0)
    ),
}
UNDER_THE_SKY = ("unpark", "slew", "move")


@pytest.mark.parametrize("motion", MOTIONS)
def test_on_a_safe_night_under_an_open_dome_everything_moves(door: Doorway, motion: str) -> None:
    MOTIONS[motion](door)


@pytest.mark.parametrize("motion", MOTIONS)
def test_nothing_moves_while_it_is_unsafe_and_the_reasons_are_said(door: Doorway, motion: str) -> None:
    door.reasons = ("rain rate is 0.2, more than 0", "safety monitor was last heard 44 s ago")
    with pytest.raises(NotNow, match=r"rain rate is 0\.2, more than 0; safety monitor was last heard 44 s ago"):
        MOTIONS[motion](door)


@pytest.mark.parametrize("motion", UNDER_THE_SKY)
@pytest.mark.parametrize("shutter", [one for one in ShutterState if one is not ShutterState.OPEN])
def test_under_a_dome_not_open_no_telescope_moves(door: Doorway, motion: str, shutter: ShutterState) -> None:
    door.dome_says(shutter)
    with pytest.raises(NotNow, match=rf"the dome is not proven open \(it said: {shutter} at 07:00:00\)"):
        MOTIONS[motion](door)


@pytest.mark.parametrize("motion", UNDER_THE_SKY)
@pytest.mark.parametrize("ago_s", [30.5, 3600.0, -31.0])
def test_an_open_dome_seen_too_long_ago_or_in_the_future_proves_nothing(
    door: Doorway, motion: str, ago_s: float
) -> None:
    door.dome_says(ShutterState.OPEN, ago_s=ago_s)
    with pytest.raises(NotNow, match="not proven open"):
        MOTIONS[motion](door)


@pytest.mark.parametrize("motion", UNDER_THE_SKY)
def test_a_dome_that_was_never_read_is_not_open(ephemeris: Ephemeris, motion: str) -> None:
    door = Doorway(ephemeris)
    door.gate._roof = None
    with pytest.raises(NotNow, match="it said: nothing yet"):
        MOTIONS[motion](door)


@pytest.mark.parametrize("motion", UNDER_THE_SKY)
def test_a_telescope_without_a_dome_waits_for_none(ephemeris: Ephemeris, motion: str) -> None:
    door = Doorway(ephemeris, has_dome=False)
    door.dome_says(ShutterState.CLOSED)
    MOTIONS[motion](door)


def test_opening_needs_no_open_dome(door: Doorway) -> None:
    door.dome_says(ShutterState.CLOSED)
    door.gate.admit_open()


def test_a_parked_mount_is_not_moved(door: Doorway) -> None:
    status = door.standing(38.8, 0.0, parked=True)
    until = door.clock.now() + timedelta(seconds=10.0)
    with pytest.raises(NotNow, match=r"slew to .*: the mount is parked"):
        door.gate.admit_slew(status, door.towards(60.0, 220.0), until=until)


@pytest.mark.parametrize("azimuth_deg", [math.nan, math.inf, -math.inf, -0.1, 360.0, 1e308])
def test_the_dome_turns_to_no_azimuth_that_is_none(door: Doorway, azimuth_deg: float) -> None:
    with pytest.raises(MotionRefused, match="is no azimuth"):
        door.gate.admit_dome_turn(azimuth_deg)


def test_a_target_below_the_limit_is_refused_with_both_numbers(door: Doorway) -> None:
    with pytest.raises(MotionRefused, match=r"comes down to 8\.0° altitude, the limit is 10°"):
        door.slew((40.0, 100.0), (8.0, 220.0))


def test_a_target_that_sets_below_the_limit_during_the_exposure_is_refused(door: Doorway) -> None:
    door.slew((40.0, 250.0), (11.0, 270.0), for_s=240.0)  # in the west stars come down by 0.2° a minute here
    with pytest.raises(MotionRefused, match=r"comes down to 8\.\d° altitude"):
        door.slew((40.0, 250.0), (11.0, 270.0), for_s=900.0)


def test_a_target_that_rises_over_the_limit_only_later_is_refused(door: Doorway) -> None:
    with pytest.raises(MotionRefused, match=r"comes down to 9\.\d° altitude"):
        door.slew((40.0, 100.0), (9.0, 90.0), for_s=900.0)


def test_a_tree_on_the_horizon_hides_the_target(ephemeris: Ephemeris) -> None:
    door = Doorway(ephemeris, mask=HorizonMask(points=((0.0, 0.0), (90.0, 0.0), (120.0, 35.0), (150.0, 0.0))))
    door.slew((60.0, 200.0), (30.0, 60.0))
    with pytest.raises(MotionRefused, match=r"5\.0° below what the horizon mask leaves free"):
        door.slew((60.0, 200.0), (30.0, 120.0))


def test_a_mast_that_the_target_passes_behind_in_the_middle_of_the_exposure_is_seen(ephemeris: Ephemeris) -> None:
    mast = HorizonMask(points=((0.0, 0.0), (181.0, 0.0), (182.0, 80.0), (183.0, 0.0)))
    door = Doorway(ephemeris, mask=mast)
    door.slew((60.0, 200.0), (30.0, 179.5), for_s=200.0)  # 15° an hour
    with pytest.raises(MotionRefused, match="horizon mask"):
        door.slew((60.0, 200.0), (30.0, 179.5), for_s=1200.0)


def test_axes_of_the_catalogues_are_judged_as_such(door: Doorway) -> None:
    """The difference of 26 years of precession, a third of a degree, decides here."""
    of_date = door.towards(10.1, 90.0)
    door.gate.admit_slew(door.standing(40.0, 100.0), of_date, until=door.clock.now())
    fixed = Equatorial(ra_deg=of_date.ra_deg, dec_deg=of_date.dec_deg, system=EquatorialSystem.ICRS)
    there = door.gate.horizontal_of(fixed, door.clock.now())
    assert abs(there.altitude_deg - 10.1) > 0.2
    with pytest.raises(MotionRefused, match="the limit is"):
        door.gate.admit_slew(
            door.standing(40.0, 100.0), replace(fixed, ra_deg=fixed.ra_deg + 0.5), until=door.clock.now()
        )


@pytest.mark.parametrize("latitude_deg", [-35.0, 0.5, 38.84, 65.0])
@pytest.mark.parametrize("axes", Axes)
def test_from_park_every_clear_place_can_be_reached_by_night(
    ephemeris: Ephemeris, latitude_deg: float, axes: Axes
) -> None:
    """A German mount parks at the pole, where it has no hour angle; others park level, a hair below the horizon."""
    site = Site(latitude_deg=latitude_deg, longitude_deg=-104.97, elevation_m=1900.0)
    door = Doorway(ephemeris, site=site, axes=axes)
    pole = abs(latitude_deg), 0.0 if latitude_deg > 0.0 else 180.0
    start = pole if axes is Axes.EQUATORIAL else (-0.01, 0.0)
    for azimuth_deg in range(0, 360, 24):
        door.slew(start, (25.0, float(azimuth_deg)))
