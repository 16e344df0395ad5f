"""Courses and calibrations at the gate: all of the way is looked at, before anything moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from bridge.observing.gate import MotionRefused, NotNow
from drivers.values import Equatorial, EquatorialSystem, MountStatus, ShutterState
from schedules.courses import Course
from schedules.ephemeris import Ephemeris
from schedules.places import Horizontal
from schedules.site import HorizonMask, Site
from tests.bridge.observing.gates import Doorway, when_sun_is_at
from tests.bridge.observing.passes import a_pass
from tests.bridge.observing.skies import FRONT_RANGE, mount_at


def a_course(ephemeris: Ephemeris) -> tuple[Course, datetime]:
    """A pass that culminates at 60°, and when."""
    one = a_pass(60.0)
    around = timedelta(seconds=300.0)
    course = ephemeris.course_of(
        one.satellite, FRONT_RANGE, opens=one.culminates - around, closes=one.culminates + around
    )
    return course, one.culminates


@contextmanager
def patched_sun(door: Doorway, sun: Horizontal) -> Iterator[None]:
    """A Sun that stands where the test wants it."""

    class Ours(Ephemeris):
        def sun_of(self, site: Site, at: datetime) -> Horizontal:
            return sun

    real, door.gate.ephemeris = door.gate.ephemeris, Ours()
    yield
    door.gate.ephemeris = real


def on_it(course: Course, at: datetime, *, off_deg: float = 0.0) -> MountStatus:
    bearing = course.at(at.timestamp())
    pointing = Equatorial(
        ra_deg=bearing.apparent_ra_deg, dec_deg=bearing.apparent_dec_deg + off_deg, system=EquatorialSystem.APPARENT
    )
    return mount_at(pointing, at)


def test_a_course_is_admitted_as_long_as_all_of_it_is_clear(ephemeris: Ephemeris) -> None:
    course, culminates = a_course(ephemeris)
    door = Doorway(ephemeris, at=culminates, min_altitude_deg=30.0)
    status = on_it(course, culminates)
    sets = next(after_s for after_s in range(300) if course.at(culminates.timestamp() + after_s).altitude_deg < 30.0)
    door.gate.admit_course(status, course, until=culminates + timedelta(seconds=sets - 2.0))
    with pytest.raises(MotionRefused, match=r"comes down to 29\.\d° altitude, the limit is 30°"):
        door.gate.admit_course(status, course, until=culminates + timedelta(seconds=sets + 2.0))


def test_a_wall_across_the_course_is_seen_wherever_it_stands(ephemeris: Ephemeris) -> None:
    course, culminates = a_course(ephemeris)
    azimuth_deg = course.at(culminates.timestamp() + 30.0).azimuth_deg
    mask = HorizonMask(
        points=((0.0, 10.0), (azimuth_deg - 2.0, 10.0), (azimuth_deg - 1.0, 80.0), (azimuth_deg + 1.0, 80.0),
                (azimuth_deg + 2.0, 10.0))
    )  # fmt: skip
    door = Doorway(ephemeris, at=culminates, mask=mask)
    with pytest.raises(MotionRefused, match="below what the horizon mask leaves free"):
        door.gate.admit_course(on_it(course, culminates), course, until=culminates + timedelta(seconds=60.0))


def test_a_course_towards_the_sun_is_refused_for_the_whole_exposure(ephemeris: Ephemeris) -> None:
    """By day, a satellite that comes nearer to the Sun by half a degree a second."""
    course, culminates = a_course(ephemeris)
    door = Doorway(ephemeris, at=culminates)
    behind = course.at(culminates.timestamp() + 60.0)
    sun = Horizontal(altitude_deg=behind.altitude_deg, azimuth_deg=behind.azimuth_deg)
    with patched_sun(door, sun):
        door.gate.admit_course(on_it(course, culminates), course, until=culminates + timedelta(seconds=5.0))
        with pytest.raises(MotionRefused, match="from the Sun, the limit is 30°"):
            door.gate.admit_course(on_it(course, culminates), course, until=culminates + timedelta(seconds=40.0))


def test_a_mount_that_stands_elsewhere_must_slew_first(ephemeris: Ephemeris) -> None:
    course, culminates = a_course(ephemeris)
    door, until = Doorway(ephemeris, at=culminates), culminates + timedelta(seconds=20.0)
    door.gate.admit_course(on_it(course, culminates, off_deg=1.0), course, until=until)
    with pytest.raises(MotionRefused, match=r"stands 5\.0° off the course; slew to it first"):
        door.gate.admit_course(on_it(course, culminates, off_deg=5.0), course, until=until)


@pytest.mark.parametrize("how", ["unsafe", "closed", "parked"])
def test_a_course_waits_for_what_everything_waits_for(ephemeris: Ephemeris, how: str) -> None:
    course, culminates = a_course(ephemeris)
    door = Doorway(ephemeris, at=culminates, reasons=("rain",) if how == "unsafe" else ())
    if how == "closed":
        door.dome_says(ShutterState.CLOSED)
    bearing = on_it(course, culminates).pointing
    status = mount_at(bearing, culminates, parked=how == "parked")
    with pytest.raises(NotNow):
        door.gate.admit_course(status, course, until=culminates + timedelta(seconds=20.0))
    with pytest.raises(NotNow):
        door.gate.admit_around(status, within_deg=10.0, until=culminates + timedelta(seconds=20.0))


def test_a_driver_that_is_not_known_gets_room_all_around(ephemeris: Ephemeris) -> None:
    door = Doorway(ephemeris, min_altitude_deg=20.0)
    until = door.clock.now() + timedelta(seconds=30.0)
    door.gate.admit_around(door.standing(45.0, 200.0), within_deg=10.0, until=until)
    with pytest.raises(MotionRefused, match="the limit is 20°"):
        door.gate.admit_around(door.standing(29.0, 200.0), within_deg=10.0, until=until)


def test_a_tree_beside_it_is_too_near(ephemeris: Ephemeris) -> None:
    tree = HorizonMask(points=((0.0, 10.0), (205.0, 10.0), (206.0, 60.0), (210.0, 60.0), (211.0, 10.0)))
    door = Doorway(ephemeris, mask=tree)
    until = door.clock.now() + timedelta(seconds=30.0)
    door.gate.admit_around(door.standing(45.0, 170.0), within_deg=10.0, until=until)
    with pytest.raises(MotionRefused, match="horizon mask"):
        door.gate.admit_around(door.standing(45.0, 198.0), within_deg=10.0, until=until)


def test_by_day_it_keeps_its_whole_room_off_the_sun(ephemeris: Ephemeris) -> None:
    door = Doorway(ephemeris, at=when_sun_is_at(ephemeris, 25.0, rising=True))
    sun = door.sun()
    until = door.clock.now() + timedelta(seconds=30.0)
    far = (sun.azimuth_deg + 180.0) % 360.0
    door.gate.admit_around(door.standing(45.0, far), within_deg=10.0, until=until)
    with pytest.raises(MotionRefused, match=r"from the Sun, the limit is 40°"):
        door.gate.admit_around(door.standing(sun.altitude_deg + 35.0, sun.azimuth_deg), within_deg=10.0, until=until)
