"""The Sun and the horizon along the whole way: never answered too kindly, never answered for nonsense."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from schedules.directions import axis_angles
from schedules.paths import (
    Directions,
    Path,
    lowest_clearance_deg,
    lowest_tracking_clearance_deg,
    slew_path,
    smallest_sun_separation_deg,
    smallest_tracking_separation_deg,
    sun_separations_deg,
)
from schedules.places import Horizontal, angle_deg
from schedules.site import HorizonMask
from schedules.slews import Axes, SlewModel

Array = NDArray[np.float64]


def at(altitude_deg: float, azimuth_deg: float) -> Horizontal:
    return Horizontal(altitude_deg=altitude_deg, azimuth_deg=azimuth_deg)


altitudes = st.floats(-10.0, 90.0)
azimuths = st.floats(0.0, 359.99)
looks = st.builds(at, altitudes, azimuths)
latitudes = st.sampled_from([-67.0, -30.2, -0.001, 0.0, 28.3, 51.5, 89.0])


def random_looks(rng: np.random.Generator, count: int, low_deg: float, high_deg: float) -> Directions:
    return Directions(altitude_deg=rng.uniform(low_deg, high_deg, count), azimuth_deg=rng.uniform(0.0, 360.0, count))


def each_its_own(sun: Directions) -> Directions:
    return Directions(altitude_deg=sun.altitude_deg[:, None], azimuth_deg=sun.azimuth_deg[:, None])


def looked_at(path: Path, slew: int, *, step_deg: float = 0.02) -> list[tuple[float, float]]:
    """(altitude, azimuth) all along every way of one slew, one look after the other: the slow, plain way."""
    seen = []
    for way in range(path.length_deg.shape[1]):
        only = path.only(slice(slew, slew + 1), slice(way, way + 1))
        count = int(only.length_deg[0, 0] / step_deg) + 2
        travelled = np.linspace(0.0, only.length_deg[0, 0], count)[None, None, :]
        for first_deg, second_deg in zip(
            only.first.at(travelled).ravel(), only.second.at(travelled).ravel(), strict=True
        ):
            seen.append(by_horizon(path, float(first_deg), float(second_deg)))
    return seen


def by_horizon(path: Path, first_deg: float, second_deg: float) -> tuple[float, float]:
    first, second, latitude = (math.radians(angle) for angle in (first_deg, second_deg, path.latitude_deg))
    if path.axes is Axes.ALTAZ:
        return second_deg, first_deg
    up = math.sin(second) * math.sin(latitude) + math.cos(second) * math.cos(first) * math.cos(latitude)
    north = math.sin(second) * math.cos(latitude) - math.cos(second) * math.cos(first) * math.sin(latitude)
    east = -math.cos(second) * math.sin(first)
    return math.degrees(math.atan2(up, math.hypot(north, east))), math.degrees(math.atan2(east, north))


@given(from_=looks, to=looks, sun=looks, axes=st.sampled_from(list(Axes)), latitude_deg=latitudes)
@example(from_=at(90.0, 0.0), to=at(90.0, 180.0), sun=at(0.0, 90.0), axes=Axes.ALTAZ, latitude_deg=28.3)
@example(from_=at(20.0, 10.0), to=at(20.0, 10.0), sun=at(20.0, 10.0), axes=Axes.EQUATORIAL, latitude_deg=28.3)
@settings(max_examples=12, deadline=None)
def test_the_answer_is_the_nearest_look_of_a_slow_search_and_never_above_it(
    from_: Horizontal, to: Horizontal, sun: Horizontal, axes: Axes, latitude_deg: float
) -> None:
    path = slew_path(from_, to, axes, latitude_deg)
    answer_deg = smallest_sun_separation_deg(path, sun)
    slow_deg = min(
        angle_deg(azimuth, altitude, sun.azimuth_deg, sun.altitude_deg)
        for altitude, azimuth in looked_at(path, 0, step_deg=0.2)
    )
    assert answer_deg <= slow_deg + 1e-6
    assert answer_deg >= slow_deg - 0.1 - 0.15  # the search's own margin, and what the slow one may step over


@given(from_=looks, to=looks, axes=st.sampled_from(list(Axes)), latitude_deg=latitudes)
@settings(max_examples=60, deadline=None)
def test_every_way_leads_from_here_to_there(from_: Horizontal, to: Horizontal, axes: Axes, latitude_deg: float) -> None:
    path = slew_path(from_, to, axes, latitude_deg)
    for place, end in ((from_, 0.0), (to, 1.0)):
        travelled = (path.length_deg * end)[..., None]
        for first_deg, second_deg in zip(
            path.first.at(travelled).ravel(), path.second.at(travelled).ravel(), strict=True
        ):
            altitude, azimuth = by_horizon(path, float(first_deg), float(second_deg))
            assert angle_deg(azimuth, altitude, place.azimuth_deg, place.altitude_deg) < 1e-5


def test_two_clear_ends_do_not_make_a_clear_way() -> None:
    east, west, sun = at(40.0, 100.0), at(40.0, 260.0), at(40.0, 180.0)
    path = slew_path(east, west, Axes.ALTAZ, 28.3)
    assert angle_deg(100.0, 40.0, 180.0, 40.0) > 55.0
    assert angle_deg(260.0, 40.0, 180.0, 40.0) > 55.0
    assert smallest_sun_separation_deg(path, sun) == pytest.approx(0.0, abs=0.11)


def by_hour_angle(hour_angle_deg: float, declination_deg: float, *, latitude_deg: float = 45.0) -> Horizontal:
    """Where the horizon has a direction given on the axes of an equatorial mount."""
    path = slew_path(at(0, 0), at(0, 0), Axes.EQUATORIAL, latitude_deg)
    altitude_deg, azimuth_deg = by_horizon(path, hour_angle_deg, declination_deg)
    return at(altitude_deg, azimuth_deg % 360.0 % 360.0)


@pytest.mark.parametrize("sun_hour_angle_deg", [90.0, -90.0])
def test_a_flip_may_sweep_the_sky_on_either_side(sun_hour_angle_deg: float) -> None:
    """Declination first, over the pole; then the hour-angle axis goes 160° round by west or 200° round by east."""
    path = slew_path(by_hour_angle(-10.0, 20.0), by_hour_angle(10.0, 20.0), Axes.EQUATORIAL, 45.0)
    assert smallest_sun_separation_deg(path, by_hour_angle(sun_hour_angle_deg, 20.0)) < 0.5


def test_a_flip_the_long_way_round_with_both_axes_at_once_is_looked_at_too() -> None:
    """After 130° of the hour-angle axis by east the declination axis is 40° past the pole; no other way comes there."""
    path = slew_path(by_hour_angle(-10.0, 20.0), by_hour_angle(10.0, 20.0), Axes.EQUATORIAL, 45.0)
    assert smallest_sun_separation_deg(path, by_hour_angle(-60.0, 30.0)) < 0.5


def test_a_mount_may_pass_under_the_pole() -> None:
    """Both axes at once: 10° further in hour angle the declination is 10° less; no flip comes there."""
    begin, end = (by_hour_angle(hour, declination, latitude_deg=60.0) for hour, declination in ((150, 60), (-150, 40)))
    path = slew_path(begin, end, Axes.EQUATORIAL, 60.0)
    assert smallest_sun_separation_deg(path, by_hour_angle(160.0, 50.0, latitude_deg=60.0)) < 0.5


@given(
    hour_angles=st.tuples(st.floats(-179.0, 179.0), st.floats(-179.0, 179.0)),
    declinations=st.tuples(st.floats(-80.0, 80.0), st.floats(-80.0, 80.0)),
    latitude_deg=st.sampled_from([-51.0, -20.0, 28.3, 60.0]),
    axes=st.sampled_from(list(Axes)),
)
@settings(max_examples=60, deadline=None)
def test_the_expected_way_is_the_one_whose_time_is_planned(
    hour_angles: tuple[float, float], declinations: tuple[float, float], latitude_deg: float, axes: Axes
) -> None:
    assume(all(abs(hour) > 1e-6 for hour in hour_angles))  # on the meridian itself either state will do
    begin, end = (
        by_hour_angle(hour, declination, latitude_deg=latitude_deg)
        for hour, declination in zip(hour_angles, declinations, strict=True)
    )
    way = slew_path(begin, end, axes, latitude_deg).expected
    mount = SlewModel(axes=axes, speed_deg_s=3.0, acceleration_deg_s2=1.0, settle_s=0.0, southern=latitude_deg < 0.0)
    if axes is Axes.ALTAZ:
        planned_s = mount.duration_s((begin.azimuth_deg, begin.altitude_deg), (end.azimuth_deg, end.altitude_deg))
    else:
        planned_s = mount.duration_s((hour_angles[0], declinations[0]), (hour_angles[1], declinations[1]))
    assert mount.turn_s(float(way.length_deg[0, 0])) == pytest.approx(planned_s, abs=1e-3)


@given(from_=looks, to=looks, sun=looks, latitude_deg=st.sampled_from([20.0, 51.5, 80.0]))
@settings(max_examples=40, deadline=None)
def test_the_southern_sky_is_the_northern_one_in_a_mirror(
    from_: Horizontal, to: Horizontal, sun: Horizontal, latitude_deg: float
) -> None:
    def mirrored(place: Horizontal) -> Horizontal:
        return at(place.altitude_deg, (180.0 - place.azimuth_deg) % 360.0 % 360.0)

    north = slew_path(from_, to, Axes.EQUATORIAL, latitude_deg)
    south = slew_path(mirrored(from_), mirrored(to), Axes.EQUATORIAL, -latitude_deg)
    assert smallest_sun_separation_deg(north, sun) == pytest.approx(
        smallest_sun_separation_deg(south, mirrored(sun)), abs=0.11
    )


def test_a_flip_may_go_round_the_side_where_the_sun_is() -> None:
    """Both ends high in the south: which way the hour-angle axis goes round decides what the telescope looks at."""
    path = slew_path(at(60.0, 170.0), at(60.0, 190.0), Axes.EQUATORIAL, 45.0)
    rising, setting = at(20.0, 90.0), at(20.0, 270.0)
    worst = [smallest_sun_separation_deg(path, sun) for sun in (rising, setting)]
    expected = [smallest_sun_separation_deg(path.expected, sun) for sun in (rising, setting)]
    assert max(worst) < min(expected)
    assert worst[0] == pytest.approx(worst[1], abs=0.2)  # seen from the meridian, both ways round are alike


def test_an_azimuth_turn_of_half_a_circle_may_go_either_way_round() -> None:
    sun = at(30.0, 90.0)
    assert smallest_sun_separation_deg(slew_path(at(30.0, 1.0), at(30.0, 179.0), Axes.ALTAZ, 28.3), sun) < 1.0
    assert smallest_sun_separation_deg(slew_path(at(30.0, 1.0), at(30.0, 183.0), Axes.ALTAZ, 28.3), sun) < 1.0
    assert smallest_sun_separation_deg(slew_path(at(30.0, 1.0), at(30.0, 195.0), Axes.ALTAZ, 28.3), sun) > 60.0


def test_one_axis_may_move_before_the_other() -> None:
    """From the zenith down in the south to low in the east: azimuth first stays high, altitude first sweeps south."""
    path = slew_path(at(85.0, 180.0), at(10.0, 90.0), Axes.ALTAZ, 28.3)
    assert smallest_sun_separation_deg(path.expected, at(10.0, 180.0)) > 45.0
    assert smallest_sun_separation_deg(path, at(10.0, 180.0)) < 1.0
    back = slew_path(at(10.0, 90.0), at(85.0, 180.0), Axes.ALTAZ, 28.3)
    assert smallest_sun_separation_deg(back.expected, at(10.0, 180.0)) > 45.0
    assert smallest_sun_separation_deg(back, at(10.0, 180.0)) < 1.0


def test_the_sun_moves_while_the_telescope_does() -> None:
    path = slew_path(at(40.0, 100.0), at(40.0, 100.0), Axes.ALTAZ, 28.3)
    before, after = at(20.0, 130.0), at(24.0, 126.0)
    both = smallest_sun_separation_deg(path, Directions.of(before, after))
    nearest = min(smallest_sun_separation_deg(path, sun) for sun in (before, after))
    moved = angle_deg(130.0, 20.0, 126.0, 24.0)
    assert both == pytest.approx(nearest - moved / 2.0, abs=1e-6)


def test_about_one_slew_in_nine_between_clear_places_crosses_the_cone() -> None:
    """10.9 % of random alt-az slews with the Sun between -10° and 60° and both ends outside a 30° cone."""
    rng = np.random.default_rng(20261122)
    count = 100_000
    begins, ends, suns = (
        random_looks(rng, count, 0.0, 90.0),
        random_looks(rng, count, 0.0, 90.0),
        random_looks(rng, count, -10.0, 60.0),
    )
    still_begin = slew_path(begins, begins, Axes.ALTAZ, 28.3).expected
    still_end = slew_path(ends, ends, Axes.ALTAZ, 28.3).expected
    own_sun = each_its_own(suns)
    clear = (sun_separations_deg(still_begin, own_sun) > 30.0) & (sun_separations_deg(still_end, own_sun) > 30.0)
    crosses = sun_separations_deg(slew_path(begins, ends, Axes.ALTAZ, 28.3).expected, own_sun) < 30.0
    assert 0.08 < np.mean(crosses[clear]) < 0.14


@given(
    count=st.integers(1, 40), seed=st.integers(0, 2**32 - 1), axes=st.sampled_from(list(Axes)), latitude_deg=latitudes
)
@settings(max_examples=20, deadline=None)
def test_many_slews_at_once_are_the_same_slews(count: int, seed: int, axes: Axes, latitude_deg: float) -> None:
    rng = np.random.default_rng(seed)
    begins, ends = random_looks(rng, count, -5.0, 90.0), random_looks(rng, count, -5.0, 90.0)
    sun = random_looks(rng, count, -15.0, 60.0)
    path = slew_path(begins, ends, axes, latitude_deg)
    together = sun_separations_deg(path, each_its_own(sun))
    for slew in range(count):
        alone = path.only(slice(slew, slew + 1))
        its_sun = at(float(sun.altitude_deg[slew]), float(sun.azimuth_deg[slew]) % 360.0)
        assert together[slew] == pytest.approx(smallest_sun_separation_deg(alone, its_sun), abs=0.1)
    assert np.all(together <= sun_separations_deg(path.expected, each_its_own(sun)) + 0.1)


def test_the_lowest_look_stays_above_a_flat_horizon_when_both_ends_do() -> None:
    path = slew_path(at(25.0, 80.0), at(60.0, 250.0), Axes.ALTAZ, 28.3)
    assert lowest_clearance_deg(path, HorizonMask()) == pytest.approx(25.0)


def test_a_tree_between_two_clear_places_is_seen() -> None:
    tree = HorizonMask(points=((0.0, 10.0), (170.0, 10.0), (180.0, 55.0), (190.0, 10.0)))
    path = slew_path(at(40.0, 120.0), at(40.0, 240.0), Axes.ALTAZ, 28.3)
    assert lowest_clearance_deg(path, tree) == pytest.approx(40.0 - 55.0, abs=2.0)
    assert lowest_clearance_deg(slew_path(at(40.0, 120.0), at(40.0, 150.0), Axes.ALTAZ, 28.3), tree) > 29.0


def test_a_flip_the_long_way_round_looks_at_the_ground_but_the_expected_one_does_not() -> None:
    path = slew_path(at(50.0, 120.0), at(50.0, 240.0), Axes.EQUATORIAL, 45.0)
    assert lowest_clearance_deg(path, HorizonMask()) < 0.0
    assert lowest_clearance_deg(path.expected, HorizonMask()) > 20.0


@given(azimuth_deg=azimuths, altitude_deg=st.floats(0.0, 90.0))
@settings(max_examples=60, deadline=None)
def test_the_mask_is_the_sites_mask_all_around(azimuth_deg: float, altitude_deg: float) -> None:
    mask = HorizonMask(points=((30.0, 12.0), (100.0, 40.0), (101.0, 5.0), (250.0, 18.0), (350.0, 30.0)))
    stands = slew_path(at(altitude_deg, azimuth_deg), at(altitude_deg, azimuth_deg), Axes.ALTAZ, 28.3)
    if altitude_deg < 89.9:  # the zenith has every azimuth
        expected = altitude_deg - mask.altitude_deg_at(azimuth_deg)
        assert lowest_clearance_deg(stands, mask) == pytest.approx(expected, abs=1e-6)


def test_the_lowest_look_of_many_slews_is_the_lowest_of_each() -> None:
    rng = np.random.default_rng(3)
    begins, ends = random_looks(rng, 120, 0.0, 90.0), random_looks(rng, 120, 0.0, 90.0)
    path = slew_path(begins, ends, Axes.EQUATORIAL, -30.0)
    mask = HorizonMask(points=((0.0, 15.0), (180.0, 5.0)))
    thirds = [lowest_clearance_deg(path.only(slice(begin, begin + 40)), mask) for begin in (0, 40, 80)]
    assert lowest_clearance_deg(path, mask) == pytest.approx(min(thirds), abs=0.5)


def track(altitudes_deg: Array, azimuths_deg: Array) -> Directions:
    return Directions(altitude_deg=altitudes_deg, azimuth_deg=azimuths_deg)


def test_a_pass_in_front_of_the_sun_is_caught_between_two_samples() -> None:
    """Samples 20° apart straddle the Sun; neither comes nearer than 10°."""
    target = track(np.full(10, 10.0), np.linspace(0.0, 180.0, 10))
    sun = track(np.full(10, 10.0), np.full(10, 90.0))
    apart = [angle_deg(azimuth, 10.0, 90.0, 10.0) for azimuth in np.linspace(0.0, 180.0, 10)]
    assert min(apart) > 9.0
    assert smallest_tracking_separation_deg(target, sun) < 0.2


def test_a_star_tracked_for_an_hour_keeps_its_distance_from_the_sun() -> None:
    """Both turn with the sky: comparing the star at the end with the Sun at the beginning would say 15° less."""
    minutes = np.arange(0.0, 61.0)
    hour_angles, declinations = {"sun": 95.0, "star": -10.0}, {"sun": -20.0, "star": 30.0}
    sky = {}
    for name in ("sun", "star"):
        angles = [
            by_horizon(
                slew_path(at(0, 0), at(0, 0), Axes.EQUATORIAL, 45.0), hour_angles[name] + m / 4, declinations[name]
            )
            for m in minutes
        ]
        sky[name] = track(*(np.array(column) for column in zip(*angles, strict=True)))
    exact = angle_deg(95.0, -20.0, -10.0, 30.0)
    assert smallest_tracking_separation_deg(sky["star"], sky["sun"]) == pytest.approx(exact, abs=0.3)
    assert smallest_tracking_separation_deg(sky["star"], sky["sun"]) <= exact


def test_a_track_that_sinks_behind_a_wall_is_low() -> None:
    wall = HorizonMask(points=((0.0, 0.0), (200.0, 0.0), (201.0, 30.0), (230.0, 30.0), (231.0, 0.0)))
    sinking = track(np.linspace(50.0, 20.0, 7), np.linspace(150.0, 210.0, 7))
    assert lowest_tracking_clearance_deg(sinking, wall) == pytest.approx(20.0 - 30.0, abs=0.1)
    assert lowest_tracking_clearance_deg(track(np.array([40.0]), np.array([210.0])), wall) == pytest.approx(10.0)


def test_samples_too_far_apart_are_refused() -> None:
    target = track(np.array([10.0, 10.0]), np.array([0.0, 90.0]))
    with pytest.raises(ValueError, match="do not say what lies between"):
        lowest_tracking_clearance_deg(target, HorizonMask())
    with pytest.raises(ValueError, match="do not say what lies between"):
        smallest_tracking_separation_deg(target, target)


BAD = [math.nan, math.inf, -math.inf, 1e308, 400.0]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("where", ["from altitude", "from azimuth", "sun altitude", "sun azimuth", "latitude"])
def test_nonsense_is_refused_and_never_called_clear(bad: float, where: str) -> None:
    numbers = {
        "from altitude": 40.0,
        "from azimuth": 100.0,
        "sun altitude": 10.0,
        "sun azimuth": 250.0,
        "latitude": 28.0,
    }
    numbers[where] = bad

    def judge() -> float:
        begin = track(np.array([50.0, numbers["from altitude"]]), np.array([10.0, numbers["from azimuth"]]))
        end = track(np.array([60.0, 60.0]), np.array([20.0, 20.0]))
        sun = track(np.array([numbers["sun altitude"]]), np.array([numbers["sun azimuth"]]))
        return smallest_sun_separation_deg(slew_path(begin, end, Axes.EQUATORIAL, numbers["latitude"]), sun)

    with pytest.raises(ValueError, match="judged"):
        judge()


def nothing() -> Directions:
    return track(np.array([]), np.array([]))


@pytest.mark.parametrize(
    "deed",
    [
        nothing,
        lambda: track(np.array([1.0, 2.0]), np.array([1.0])),
        lambda: slew_path(Directions.of(at(1, 1), at(2, 2)), at(3, 3), Axes.ALTAZ, 28.3),
        lambda: sun_separations_deg(
            slew_path(at(1, 1), at(3, 3), Axes.ALTAZ, 28.3), track(np.full((2, 1), 5.0), np.full((2, 1), 5.0))
        ),
        lambda: smallest_tracking_separation_deg(Directions.of(at(1, 1)), Directions.of(at(1, 1), at(2, 2))),
    ],
)
def test_what_does_not_fit_together_is_refused(deed: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"no path|make no slews|do not fit"):
        deed()


def test_hour_angle_and_declination_agree_with_the_horizon_at_every_latitude() -> None:
    for latitude_deg, altitude_deg, azimuth_deg in itertools.product(
        (-80.0, -20.0, 0.0, 55.0), (5.0, 60.0), (20.0, 200.0)
    ):
        path = slew_path(at(altitude_deg, azimuth_deg), at(0, 0), Axes.EQUATORIAL, latitude_deg)
        hours, declination = axis_angles(Directions.of(at(altitude_deg, azimuth_deg)), Axes.EQUATORIAL, latitude_deg)
        back = by_horizon(path, float(hours[0]), float(declination[0]))
        assert angle_deg(back[1], back[0], azimuth_deg, altitude_deg) < 1e-6
