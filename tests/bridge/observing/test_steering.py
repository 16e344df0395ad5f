"""From a course to what a mount is told: laws that hold wherever a target stands."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.calibration.measured import Way
from bridge.observing.helm import bounds_of
from bridge.observing.pilot import Pilot, Reading
from bridge.observing.steering import Axis, Coordinates, Steering, steering_of
from drivers.motion import SIDEREAL_DEG_PER_S
from drivers.values import AxisSpeeds, Equatorial, EquatorialSystem, MountKind, PierSide
from schedules.courses import Course
from schedules.ephemeris import Ephemeris
from simulators.physics.mechanics import Mechanics, wrapped
from tests.bridge.calibration.test_measured import a_measurement, a_mount, an_axis
from tests.bridge.observing.passes import a_pass
from tests.bridge.observing.skies import FRONT_RANGE

FREE = Axis(fastest_deg_s=50.0, acceleration_deg_s2=50.0)
SLOW = AxisSpeeds(spans_deg_s=((0.1, 0.5), (1.0, 4.0)))


def a_steering(coordinates: Coordinates, **changes: object) -> Steering:
    way = Way.RATES if coordinates is Coordinates.EQUATORIAL else Way.AXES
    steering = Steering(
        way=way,
        coordinates=coordinates,
        system=EquatorialSystem.APPARENT,
        latitude_deg=FRONT_RANGE.latitude_deg,
        axes=(FREE, FREE),
        latency_s=0.05,
    )
    return replace(steering, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def course(ephemeris: Ephemeris) -> Course:
    target = a_pass(60.0)
    around = timedelta(seconds=120.0)
    return ephemeris.course_of(
        target.satellite, FRONT_RANGE, opens=target.culminates - around, closes=target.culminates + around
    )


MIDDLE_S = st.floats(5.0, 235.0)


@settings(max_examples=60, deadline=None)
@given(after_s=MIDDLE_S, coordinates=st.sampled_from(Coordinates), long_s=st.floats(0.05, 4.0))
def test_mean_rates_lead_from_where_the_target_was_to_where_it_will_be(
    course: Course, after_s: float, coordinates: Coordinates, long_s: float
) -> None:
    steering = a_steering(coordinates)
    begins_s = course.opens_s + after_s
    rates = steering.rates(course, begins_s, begins_s + long_s)
    before, after = course.at(begins_s), course.at(begins_s + long_s)
    match coordinates:
        case Coordinates.EQUATORIAL:
            moved = wrapped(after.apparent_ra_deg - before.apparent_ra_deg)
            second = after.apparent_dec_deg - before.apparent_dec_deg
        case Coordinates.HOUR_ANGLE:
            moved = SIDEREAL_DEG_PER_S * long_s - wrapped(after.apparent_ra_deg - before.apparent_ra_deg)
            second = after.apparent_dec_deg - before.apparent_dec_deg
        case Coordinates.HORIZONTAL:
            moved = wrapped(after.azimuth_deg - before.azimuth_deg)
            second = after.altitude_deg - before.altitude_deg
    assert rates[0] * long_s == pytest.approx(moved, abs=2e-6)
    assert rates[1] * long_s == pytest.approx(second, abs=2e-6)


@settings(max_examples=100, deadline=None)
@given(
    after_s=MIDDLE_S,
    kind=st.sampled_from([MountKind.FORK, MountKind.ALTAZ]),
    off_ra_arcsec=st.floats(-600.0, 600.0),
    off_dec_arcsec=st.floats(-600.0, 600.0),
)
def test_turned_by_the_error_the_axes_stand_where_the_target_is(
    course: Course, after_s: float, kind: MountKind, off_ra_arcsec: float, off_dec_arcsec: float
) -> None:
    """An independent model of the mount says where the axes stand for either direction."""
    coordinates = Coordinates.HORIZONTAL if kind is MountKind.ALTAZ else Coordinates.HOUR_ANGLE
    bearing = course.at(course.opens_s + after_s)
    reading = Equatorial(
        ra_deg=(bearing.apparent_ra_deg + off_ra_arcsec / 3600.0 / math.cos(math.radians(bearing.apparent_dec_deg)))
        % 360.0,
        dec_deg=bearing.apparent_dec_deg + off_dec_arcsec / 3600.0,
        system=EquatorialSystem.APPARENT,
    )
    mechanics = Mechanics(kind, FRONT_RANGE.latitude_deg)
    sidereal_deg = _sidereal_deg(bearing.apparent_dec_deg, bearing.azimuth_deg, bearing.altitude_deg)
    sidereal_deg += bearing.apparent_ra_deg
    wanted = mechanics.axes_of(sidereal_deg - bearing.apparent_ra_deg, bearing.apparent_dec_deg, flipped=False)
    stands = mechanics.axes_of(sidereal_deg - reading.ra_deg, reading.dec_deg, flipped=False)
    error = a_steering(coordinates).error(bearing, reading)
    across = math.cos(math.radians(bearing.altitude_deg if kind is MountKind.ALTAZ else bearing.apparent_dec_deg))
    assert wrapped(wanted[0] - stands[0]) * across * 3600.0 == pytest.approx(error[0] * across * 3600.0, abs=6.0)
    assert (wanted[1] - stands[1]) * 3600.0 == pytest.approx(error[1] * 3600.0, abs=6.0)


def _sidereal_deg(dec_deg: float, azimuth_deg: float, altitude_deg: float) -> float:
    """The hour angle that goes with a declination and a direction by the horizon."""
    latitude, altitude, azimuth = (
        math.radians(angle) for angle in (FRONT_RANGE.latitude_deg, altitude_deg, azimuth_deg)
    )
    north, east, up = (
        math.cos(altitude) * math.cos(azimuth),
        math.cos(altitude) * math.sin(azimuth),
        math.sin(altitude),
    )
    x = up * math.cos(latitude) - north * math.sin(latitude)
    assert math.degrees(math.asin(up * math.sin(latitude) + north * math.cos(latitude))) == pytest.approx(
        dec_deg, abs=1e-3
    )
    return math.degrees(math.atan2(-east, x))


@settings(deadline=None)
@given(
    gain=st.floats(0.01, 300.0),
    sign=st.sampled_from([-1.0, 1.0]),
    offset=st.floats(-0.1, 0.1),
    rate=st.floats(-4.0, 4.0),
)
def test_what_is_told_comes_out_as_the_rate_that_was_meant(
    gain: float, sign: float, offset: float, rate: float
) -> None:
    axis = replace(FREE, gain=sign * gain, offset_deg_s=offset)
    assert sign * gain * axis.told(rate) + offset == pytest.approx(rate, abs=1e-9)


@given(st.floats(-6.0, 6.0))
def test_an_axis_is_told_no_speed_it_does_not_have(rate: float) -> None:
    told = replace(FREE, speeds=SLOW).told(rate)
    assert SLOW.admit(told)
    if SLOW.admit(rate):
        assert told == rate


def test_nothing_told_at_the_fastest_passes_the_bounds() -> None:
    axes = (replace(FREE, gain=-15.0, offset_deg_s=0.004), replace(FREE, fastest_deg_s=2.0))
    steering = a_steering(Coordinates.HOUR_ANGLE, axes=axes)
    bounds = bounds_of(steering)
    for first in (-50.0, 50.0):
        for second in (-2.0, 2.0):
            told = steering.told((first, second))
            assert abs(told[0]) <= bounds[0]
            assert abs(told[1]) <= bounds[1]
    assert bounds[1] < 2.1


def test_a_keyhole_is_said_with_what_would_be_needed(ephemeris: Ephemeris) -> None:
    target = a_pass(85.0)
    around = timedelta(seconds=60.0)
    course = ephemeris.course_of(
        target.satellite, FRONT_RANGE, opens=target.culminates - around, closes=target.culminates + around
    )
    middle_s = target.culminates.timestamp()
    usual = replace(FREE, fastest_deg_s=4.0, acceleration_deg_s2=2.0)
    altaz = a_steering(Coordinates.HORIZONTAL, axes=(usual, usual))
    german = a_steering(Coordinates.HOUR_ANGLE, axes=(usual, usual))
    assert altaz.keyhole(course, middle_s - 5.0, middle_s + 5.0).startswith("azimuth would go at 9.")
    assert altaz.keyhole(course, middle_s + 30.0, middle_s + 50.0) == ""
    assert german.keyhole(course, middle_s - 20.0, middle_s + 20.0) == ""
    lazy = replace(FREE, acceleration_deg_s2=0.5)
    assert "would change by 1." in a_steering(Coordinates.HORIZONTAL, axes=(lazy, lazy)).keyhole(
        course, middle_s - 10.0, middle_s + 10.0
    )


def test_how_a_mount_is_steered_follows_from_what_was_measured_on_its_side() -> None:
    speeds = (SLOW, SLOW)
    mount = a_mount(axis_speeds=speeds)
    axes = (
        an_axis(way=Way.AXES, gain=-1.0),
        an_axis(way=Way.AXES, axis="secondary", latency_s=0.2),
        an_axis(way=Way.AXES, side=PierSide.WEST),
        an_axis(way=Way.AXES, side=PierSide.WEST, axis="secondary", obeys=False, said="does nothing"),
    )
    measured = a_measurement(axes=axes, update_interval_s=0.5)

    def steering(way: Way, side: PierSide, **changes: object) -> Steering | None:
        return steering_of(
            way,
            replace(mount, **changes),
            measured,
            side,
            latitude_deg=38.84,
            unmeasured=FREE,  # type: ignore[arg-type]
        )

    east = steering(Way.AXES, PierSide.EAST)
    assert east is not None
    assert east.coordinates is Coordinates.HOUR_ANGLE
    assert east.axes[0].gain == -1.0
    assert east.latency_s == 0.2
    assert east.reading_age_s == 0.25
    assert steering(Way.AXES, PierSide.WEST) is None, "one axis does nothing there"
    assert steering(Way.AXES, PierSide.UNKNOWN) is None
    assert steering(Way.AXES, PierSide.EAST, driver="another") is None
    unmeasured = steering(Way.RATES, PierSide.WEST)
    assert unmeasured is not None, "rates were never measured: their unit is agreed"
    assert unmeasured.latency_s is None
    assert unmeasured.axes == (FREE, FREE)


# --- the controller ---------------------------------------------------------------------------------------------------


def a_pilot(**changes: object) -> Pilot:
    facts: dict[str, object] = {"fastest_deg_s": (3.0, 3.0), "acceleration_deg_s2": (2.0, 2.0), "last": (0.0, 0.0)}
    return Pilot(**(facts | changes))  # type: ignore[arg-type]


def resting(begins_s: float, ends_s: float) -> tuple[float, float]:
    """A target that does not move."""
    return 0.0, 0.0


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.floats(-10.0, 10.0), st.floats(-5.0, 5.0), st.floats(0.0, 5.0), st.floats(0.02, 2.0)),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_is_asked_rates_stay_within_what_the_axes_can_do(
    steps: list[tuple[float, float, float, float]],
) -> None:
    pilot, now_s = a_pilot(), 1000.0
    before = pilot.last
    for forward, error, unsure, tick_s in steps:
        now_s += tick_s
        after = pilot.steer(
            lambda begins_s, ends_s, f=forward: (f * (ends_s - begins_s), -f * (ends_s - begins_s)),
            Reading(ahead_deg=(error, -error), at_s=now_s - 0.1, unsure_deg=(unsure, unsure)),
            now_s=now_s,
            latency_s=0.1,
            tick_s=tick_s,
        )
        for was, now in zip(before, after, strict=True):
            assert abs(now) <= 3.0
            assert abs(now - was) <= 2.0 * tick_s + 1e-9
        before = after


@settings(max_examples=60, deadline=None)
@given(
    start_deg=st.floats(-0.3, 0.3),
    bias_deg_s=st.floats(-0.02, 0.02),
    late=st.integers(0, 4),
    believed=st.floats(0.5, 1.5),
    every_s=st.sampled_from([0.1, 0.2, 0.5]),
)
def test_a_lagging_axis_is_brought_onto_its_target_and_kept_there(
    start_deg: float, bias_deg_s: float, late: int, believed: float, every_s: float
) -> None:
    """The axis acts late, by half as much or by as much again as is believed, and always moves a little less than it is
    told: no swinging, nothing left over.
    """
    pilot, late = a_pilot(), min(late, int(0.5 / every_s))
    pending = [0.0] * late
    error, worst_at_end = start_deg, 0.0
    for step in range(int(60.0 / every_s)):
        now_s = 1000.0 + step * every_s
        rate, _ = pilot.steer(
            resting,
            Reading(ahead_deg=(error, 0.0), at_s=now_s),
            now_s=now_s,
            latency_s=late * every_s * believed,
            tick_s=every_s,
        )
        pending.append(rate)
        error -= (pending.pop(0) + bias_deg_s) * every_s
        if step * every_s > 50.0:
            worst_at_end = max(worst_at_end, abs(error))
    assert worst_at_end * 3600.0 < 3.0


def test_while_an_axis_is_catching_up_nothing_winds_up() -> None:
    """A target far ahead that comes nearer at the axis's own speed: the integral is not touched."""
    pilot, now_s, error_deg = a_pilot(), 1000.0, 6.0
    while error_deg > 0.1:
        reading = Reading(ahead_deg=(error_deg, 0.0), at_s=now_s)
        rate, _ = pilot.steer(resting, reading, now_s=now_s, latency_s=0.0, tick_s=0.1)
        now_s, error_deg = now_s + 0.1, error_deg - rate * 0.1
    assert abs(pilot._integral_deg_s[0]) < 1e-3
