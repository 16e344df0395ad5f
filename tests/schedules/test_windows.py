"""Access windows of a night on Tenerife: what they begin and end with, and why there is none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.constraints import AboveHorizon, Constraint, MinAltitude, MoonApart, SunBelow, Sunlit
from schedules.elements import parse_elements
from schedules.ephemeris import Ephemeris
from schedules.errors import BadElements, DecayedOrbit, StaleElements
from schedules.places import ICRS, angle_deg, separation_deg
from schedules.site import HorizonMask, Site
from schedules.targets import Satellite, Star, Target
from schedules.windows import AccessWindow, find_all_windows, find_darkness, find_windows, why_no_window

OPENS = datetime(2026, 8, 11, 18, 0, 0, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=14)
DUSK = datetime(2026, 8, 11, 20, 42, 50, tzinfo=UTC)
DAWN = datetime(2026, 8, 12, 5, 39, 44, tzinfo=UTC)
SECOND = timedelta(seconds=1)

ABOVE_20 = MinAltitude(altitude_deg=20.0)
DARK = SunBelow(altitude_deg=-12.0)

Find = Callable[..., list[AccessWindow]]
Why = Callable[..., str]
Make = Callable[..., Satellite]


@pytest.fixture
def find(ephemeris: Ephemeris, site: Site) -> Find:
    def find(
        target: Target, *constraints: Constraint, opens: datetime = OPENS, closes: datetime = CLOSES
    ) -> list[AccessWindow]:
        return find_windows(target, site, opens=opens, closes=closes, constraints=constraints, ephemeris=ephemeris)

    return find


@pytest.fixture
def why(ephemeris: Ephemeris, site: Site) -> Why:
    def why(target: Target, *constraints: Constraint, opens: datetime = OPENS, closes: datetime = CLOSES) -> str:
        return why_no_window(target, site, opens=opens, closes=closes, constraints=constraints, ephemeris=ephemeris)

    return why


def about(instant: datetime, expected: datetime, within_s: float = 1.0) -> bool:
    return abs((instant - expected).total_seconds()) <= within_s


def test_a_pass_rises_culminates_and_sets(find: Find, low: Satellite, ephemeris: Ephemeris, site: Site) -> None:
    evening, morning = find(low, ABOVE_20)
    assert about(evening.rise, datetime(2026, 8, 11, 19, 42, 53, tzinfo=UTC))
    assert about(evening.culmination, datetime(2026, 8, 11, 19, 45, 18, tzinfo=UTC))
    assert about(evening.set, datetime(2026, 8, 11, 19, 47, 43, tzinfo=UTC))
    assert evening.peak_altitude_deg == pytest.approx(51.3026, abs=0.001)
    for instant, azimuth_deg in (
        (evening.rise, evening.rise_azimuth_deg),
        (evening.culmination, evening.culmination_azimuth_deg),
        (evening.set, evening.set_azimuth_deg),
    ):
        assert ephemeris.place_of(low, site, instant).horizontal.azimuth_deg == pytest.approx(azimuth_deg, abs=0.001)
    assert ephemeris.place_of(low, site, evening.rise).horizontal.altitude_deg == pytest.approx(20.0, abs=0.001)
    culmination = ephemeris.place_of(low, site, evening.culmination)
    assert culmination.altitude_rate_deg_s == pytest.approx(0.0, abs=0.001)
    assert evening.set < morning.rise


def test_a_pass_under_way_is_cut_where_the_search_begins_and_ends(find: Find, low: Satellite) -> None:
    whole = find(low, ABOVE_20)[0]
    begins, ends = whole.rise + timedelta(minutes=1), whole.culmination + timedelta(minutes=1)
    (cut,) = find(low, ABOVE_20, opens=begins, closes=ends)
    assert (cut.rise, cut.set) == (begins, ends)
    assert about(cut.culmination, whole.culmination, 0.1)
    (late,) = find(low, ABOVE_20, opens=ends, closes=CLOSES - timedelta(hours=8))
    assert late.culmination == late.rise == ends
    assert late.peak_altitude_deg < whole.peak_altitude_deg


def test_a_pass_is_cut_at_dusk(find: Find, satellite_like: Make) -> None:
    evening = satellite_like(mean_anomaly_deg=70.0, raan_deg=240.0, mean_motion_rev_per_day=14.6)
    bright, dark = find(evening, ABOVE_20)[0], find(evening, ABOVE_20, DARK, Sunlit())[0]
    assert about(bright.rise, datetime(2026, 8, 11, 20, 41, 50, tzinfo=UTC), 2.0)
    assert about(dark.rise, DUSK)
    assert about(dark.set, bright.set, 0.002)


def test_a_pass_is_cut_by_the_shadow(find: Find, satellite_like: Make, ephemeris: Ephemeris, site: Site) -> None:
    morning = satellite_like(mean_anomaly_deg=70.0, raan_deg=0.0, mean_motion_rev_per_day=14.6)
    (whole,) = (one for one in find(morning, ABOVE_20) if one.rise.hour == 4)
    (lit,) = (one for one in find(morning, ABOVE_20, DARK, Sunlit()) if one.rise.hour == 4)
    assert lit.rise > whole.rise + timedelta(seconds=60)
    assert about(lit.set, whole.set, 0.002)
    assert not ephemeris.place_of(morning, site, lit.rise - 0.05 * SECOND).sunlit
    assert ephemeris.place_of(morning, site, lit.rise + 0.05 * SECOND).sunlit


def test_a_mast_in_front_of_a_pass_makes_two_windows_of_it(find: Find, low: Satellite) -> None:
    whole = find(low, ABOVE_20)[0]
    azimuth_deg = whole.culmination_azimuth_deg
    mast = HorizonMask(points=((azimuth_deg - 0.2, 10.0), (azimuth_deg, 80.0), (azimuth_deg + 0.2, 10.0)))
    before, after = find(low, ABOVE_20, AboveHorizon(mask=mast))[:2]
    assert before.rise == whole.rise
    assert after.set == whole.set
    assert before.set < whole.culmination < after.rise
    assert (after.rise - before.set).total_seconds() < 2.0


def test_a_low_mast_does_not_break_a_high_pass(find: Find, low: Satellite) -> None:
    whole = find(low, ABOVE_20)[0]
    azimuth_deg = whole.culmination_azimuth_deg
    mast = HorizonMask(points=((azimuth_deg - 0.2, 10.0), (azimuth_deg, 50.0), (azimuth_deg + 0.2, 10.0)))
    assert find(low, ABOVE_20, AboveHorizon(mask=mast))[0] == whole


def test_the_moon_in_the_way_of_a_pass_makes_two_windows_of_it(
    find: Find, satellite_like: Make, ephemeris: Ephemeris, site: Site
) -> None:
    # Turn the orbit until the Moon stands beside the middle of a pass.
    turned = (satellite_like(raan_deg=float(node_deg)) for node_deg in range(0, 360, 8))
    passes = ((one, window, nearest(one, window, ephemeris, site)) for one in turned for window in find(one, ABOVE_20))
    satellite, whole, nearest_deg = next(
        (one, window, apart_deg)
        for one, window, (apart_deg, at) in passes
        if window.rise + 30 * SECOND < at < window.set - 30 * SECOND and apart_deg < 40.0
    )
    inside = find(satellite, ABOVE_20, MoonApart(separation_deg=nearest_deg + 1.0), opens=whole.rise, closes=whole.set)
    assert len(inside) == 2
    assert (inside[0].rise, inside[1].set) == (whole.rise, whole.set)
    for edge in (inside[0].set, inside[1].rise):
        place = ephemeris.place_of(satellite, site, edge)
        apart_deg = separation_deg(place.apparent, ephemeris.moon_of(site, edge))
        assert apart_deg == pytest.approx(nearest_deg + 1.0, abs=0.01)
    missed = find(satellite, ABOVE_20, MoonApart(separation_deg=nearest_deg - 0.5), opens=whole.rise, closes=whole.set)
    assert [(one.rise, one.set) for one in missed] == [(whole.rise, whole.set)]


def nearest(satellite: Satellite, window: AccessWindow, ephemeris: Ephemeris, site: Site) -> tuple[float, datetime]:
    """How near the Moon a pass comes, and when, by looking every five seconds."""
    instants = [window.rise + seconds * SECOND for seconds in range(0, int((window.set - window.rise) / SECOND), 5)]
    track = ephemeris.track_of(satellite, site, instants)
    moon = ephemeris.moon_of(site, window.culmination)
    apart_deg = [
        angle_deg(moon.ra_deg, moon.dec_deg, *one)
        for one in zip(track.apparent_ra_deg, track.apparent_dec_deg, strict=True)
    ]
    return min(zip(apart_deg, instants, strict=True))


def test_a_satellite_that_is_always_up_has_one_window_of_the_whole_night(find: Find, stationary: Satellite) -> None:
    (window,) = find(stationary, ABOVE_20)
    assert (window.rise, window.set) == (OPENS, CLOSES)
    (dark,) = find(stationary, ABOVE_20, DARK, Sunlit())
    assert about(dark.rise, DUSK)
    assert about(dark.set, DAWN)


def test_a_slow_satellite_that_only_sinks_is_not_forgotten(find: Find, middle: Satellite) -> None:
    (whole,) = find(middle, ABOVE_20)
    (sinking,) = find(middle, ABOVE_20, opens=whole.culmination + timedelta(minutes=30))
    assert sinking.culmination == sinking.rise
    assert about(sinking.set, whole.set, 0.05)


def test_a_pass_that_grazes_the_limit_is_found(find: Find, low: Satellite) -> None:
    whole = find(low, ABOVE_20)[0]
    (grazing,) = find(low, MinAltitude(altitude_deg=whole.peak_altitude_deg - 0.0005), closes=whole.set)
    assert timedelta(seconds=0.2) < grazing.set - grazing.rise < timedelta(seconds=10)
    assert about(grazing.culmination, whole.culmination, 0.5)
    assert find(low, MinAltitude(altitude_deg=whole.peak_altitude_deg + 0.0005), closes=whole.set) == []


def test_a_pass_through_the_zenith_peaks_there(find: Find, ephemeris: Ephemeris, low: Satellite) -> None:
    # Stand where the satellite passes overhead.
    at, under = OPENS + timedelta(hours=1), Site(latitude_deg=0.0, longitude_deg=0.0, elevation_m=0.0)
    for step_deg in (20.0, 4.0, 0.8):
        around = [
            Site(
                latitude_deg=max(-90.0, min(90.0, under.latitude_deg + north * step_deg)),
                longitude_deg=(under.longitude_deg + east * step_deg + 180.0) % 360.0 - 180.0,
                elevation_m=0.0,
            )
            for north, east in product(range(-4, 5), range(-9, 10))
        ]
        under = max(around, key=lambda one: ephemeris.place_of(low, one, at).horizontal.altitude_deg)
    (overhead,) = find_windows(
        low,
        under,
        opens=at - timedelta(minutes=10),
        closes=at + timedelta(minutes=10),
        constraints=[MinAltitude(altitude_deg=60.0)],
        ephemeris=ephemeris,
    )
    track = ephemeris.track_of(low, under, [overhead.rise + timedelta(seconds=0.05 * step) for step in range(4000)])
    assert overhead.peak_altitude_deg == pytest.approx(track.altitude_deg.max(), abs=0.002)
    assert overhead.peak_altitude_deg > 85.0


def test_a_star_rises_and_sets_and_knows_night_and_moon(find: Find, ephemeris: Ephemeris, site: Site) -> None:
    vega = Star(name="Vega", icrs=ICRS(ra_deg=279.2347, dec_deg=38.7837))
    (window,) = find(vega, ABOVE_20, DARK, MoonApart(separation_deg=10.0))
    assert about(window.rise, DUSK)
    assert ephemeris.place_of(vega, site, window.set).horizontal.altitude_deg == pytest.approx(20.0, abs=0.001)
    assert window.peak_altitude_deg == pytest.approx(90.0 - (38.7837 - 28.3), abs=0.2)
    polaris = Star(name="Polaris", icrs=ICRS(ra_deg=37.9546, dec_deg=89.2641))
    (always,) = find(polaris, ABOVE_20, Sunlit())
    assert (always.rise, always.set) == (OPENS, CLOSES)
    octans = Star(name="Sigma Octantis", icrs=ICRS(ra_deg=317.195, dec_deg=-88.9565))
    assert find(octans, ABOVE_20) == []


def test_a_star_is_given_up_while_the_moon_goes_by(find: Find, ephemeris: Ephemeris, site: Site) -> None:
    midnight = datetime(2026, 8, 20, 21, 0, tzinfo=UTC)
    moon = ephemeris.icrs_of(ephemeris.moon_of(site, midnight), midnight)
    occulted = Star(name="a star behind the Moon", icrs=moon)
    hours = timedelta(hours=5)
    before, after = find(occulted, MoonApart(separation_deg=1.0), opens=midnight - hours, closes=midnight + hours)
    assert before.set < midnight < after.rise
    assert timedelta(hours=2) < after.rise - before.set < timedelta(hours=8)


def test_without_constraints_all_of_the_time_is_one_window(find: Find, low: Satellite) -> None:
    (window,) = find(low)
    assert (window.rise, window.set) == (OPENS, CLOSES)


@given(
    orbit=st.sampled_from(["low", "middle", "stationary", "eccentric"]),
    begins_h=st.floats(0.0, 20.0),
    length_h=st.floats(0.02, 30.0),
    altitude_deg=st.floats(-5.0, 80.0),
    extra=st.sets(st.sampled_from(["dark", "sunlit", "moon", "mask"])),
)
@settings(max_examples=60, deadline=None)
def test_windows_are_in_order_and_inside_and_end_where_a_constraint_breaks(
    request: pytest.FixtureRequest,
    ephemeris: Ephemeris,
    site: Site,
    orbit: str,
    begins_h: float,
    length_h: float,
    altitude_deg: float,
    extra: set[str],
) -> None:
    satellite: Satellite = request.getfixturevalue(orbit)
    offered: dict[str, Constraint] = {
        "dark": SunBelow(altitude_deg=-6.0),
        "sunlit": Sunlit(),
        "moon": MoonApart(separation_deg=50.0),
        "mask": AboveHorizon(mask=HorizonMask(points=((30.0, 25.0), (120.0, 5.0), (250.0, 40.0)))),
    }
    constraints = [MinAltitude(altitude_deg=altitude_deg), *(offered[name] for name in sorted(extra))]
    opens = OPENS + timedelta(hours=begins_h)
    closes = opens + timedelta(hours=length_h)
    windows = find_windows(satellite, site, opens=opens, closes=closes, constraints=constraints, ephemeris=ephemeris)

    def all_hold(at: datetime) -> bool:
        place = ephemeris.place_of(satellite, site, at)
        return all(constraint.admits(place, site, ephemeris) for constraint in constraints)

    just = timedelta(seconds=0.02)
    assert all(one.set < other.rise for one, other in pairwise(windows))
    for window in windows:
        assert opens - just < window.rise <= window.culmination <= window.set < closes + just
        if window.set - window.rise < 3 * just:
            continue
        peak = ephemeris.place_of(satellite, site, window.culmination).horizontal.altitude_deg
        assert window.peak_altitude_deg == pytest.approx(peak, abs=1e-3)
        assert all_hold(window.rise + just)
        assert all_hold(window.set - just)
        assert all_hold(window.rise + (window.set - window.rise) * 0.37)
        assert window.rise <= opens + just or not all_hold(window.rise - just)
        assert window.set >= closes - just or not all_hold(window.set + just)


def test_elements_too_old_or_too_new_are_refused_by_their_age(
    find: Find, satellite_like: Make, ephemeris: Ephemeris, site: Site
) -> None:
    old = satellite_like(epoch=CLOSES - timedelta(days=21))
    with pytest.raises(StaleElements, match=r"DEMOSAT LOW.*21 days old"):
        find(old, ABOVE_20)
    with pytest.raises(StaleElements, match="20 days ahead"):
        find(satellite_like(epoch=CLOSES + timedelta(days=20)), ABOVE_20)
    assert find(satellite_like(epoch=CLOSES - timedelta(days=13.9)), DARK)
    allowed = find_windows(
        old, site, opens=OPENS, closes=CLOSES, constraints=[DARK], ephemeris=ephemeris, max_age_days=30.0
    )
    assert len(allowed) == 1


def test_an_orbit_that_ends_in_the_night_has_the_windows_before(find: Find, satellite_like: Make) -> None:
    falling = satellite_like(mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.01)
    (before,) = find(falling, DARK)
    assert about(before.rise, DUSK)
    assert before.set < DAWN - timedelta(hours=1)


def test_an_orbit_that_has_ended_is_an_error(find: Find, satellite_like: Make) -> None:
    fallen = satellite_like(mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.03, epoch=OPENS - timedelta(days=2))
    with pytest.raises(DecayedOrbit, match="DEMOSAT LOW"):
        find(fallen, ABOVE_20)


def test_a_search_must_end_after_it_begins(
    find: Find, why: Why, low: Satellite, ephemeris: Ephemeris, site: Site
) -> None:
    with pytest.raises(ValueError, match="is not after opens"):
        find(low, ABOVE_20, opens=OPENS, closes=OPENS)
    with pytest.raises(ValueError, match="is not after opens"):
        why(low, ABOVE_20, opens=CLOSES, closes=OPENS)
    with pytest.raises(ValueError, match="is not after opens"):
        find_darkness(site, opens=CLOSES, closes=OPENS, sun_below_deg=-12.0, ephemeris=ephemeris)


def test_an_access_window_is_in_order_from_birth(find: Find, low: Satellite) -> None:
    window = find(low, ABOVE_20)[0]
    with pytest.raises(ValueError, match="out of order"):
        AccessWindow(
            rise=window.set,
            culmination=window.culmination,
            set=window.rise,
            peak_altitude_deg=20.0,
            rise_azimuth_deg=0.0,
            culmination_azimuth_deg=0.0,
            set_azimuth_deg=0.0,
        )


def test_many_satellites_together_have_the_windows_each_has_alone(
    ephemeris: Ephemeris,
    site: Site,
    satellite_like: Make,
    middle: Satellite,
    stationary: Satellite,
    eccentric: Satellite,
) -> None:
    fallen = satellite_like(
        norad_id=95000, mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.03, epoch=OPENS - timedelta(days=2)
    )
    impossible = satellite_like(norad_id=95001, eccentricity=1.5)
    swarm = [
        satellite_like(norad_id=91000 + number, raan_deg=15.0 * number, mean_motion_rev_per_day=13.0 + 0.1 * number)
        for number in range(20)
    ]
    everyone = [*swarm[:10], impossible, middle, stationary, fallen, eccentric, *swarm[10:]]
    constraints = [ABOVE_20, DARK, Sunlit(), MoonApart(separation_deg=20.0)]
    found = find_all_windows(everyone, site, opens=OPENS, closes=CLOSES, constraints=constraints, ephemeris=ephemeris)
    assert [window.rise for _, window in found.windows] == sorted(window.rise for _, window in found.windows)
    assert {satellite.norad_id: type(error) for satellite, error in found.failures} == {
        95000: DecayedOrbit,
        95001: BadElements,
    }
    for satellite in everyone:
        if satellite in (fallen, impossible):
            continue
        alone = find_windows(satellite, site, opens=OPENS, closes=CLOSES, constraints=constraints, ephemeris=ephemeris)
        together = [window for one, window in found.windows if one is satellite]
        assert len(together) == len(alone)
        for one, other in zip(together, alone, strict=True):
            # Together they are looked at on polynomials between exact places, some metres off.
            assert about(one.rise, other.rise, 0.02)
            assert about(one.set, other.set, 0.02)


def test_nobody_to_look_for_has_no_windows(ephemeris: Ephemeris, site: Site) -> None:
    found = find_all_windows([], site, opens=OPENS, closes=CLOSES, constraints=[ABOVE_20], ephemeris=ephemeris)
    assert (found.windows, found.failures) == ((), ())


def test_a_night_is_dark_from_dusk_to_dawn(ephemeris: Ephemeris, site: Site) -> None:
    ((begins, ends),) = find_darkness(site, opens=OPENS, closes=CLOSES, sun_below_deg=-12.0, ephemeris=ephemeris)
    assert about(begins, DUSK)
    assert about(ends, DAWN)
    (cut,) = find_darkness(
        site, opens=DUSK + 60 * SECOND, closes=DAWN - 60 * SECOND, sun_below_deg=-12.0, ephemeris=ephemeris
    )
    assert cut == (DUSK + 60 * SECOND, DAWN - 60 * SECOND)


def test_near_the_pole_the_night_is_none_or_all(ephemeris: Ephemeris) -> None:
    longyearbyen = Site(latitude_deg=78.2, longitude_deg=15.6, elevation_m=50.0)
    for month, nights in ((6, 0), (12, 1)):
        opens = datetime(2026, month, 15, tzinfo=UTC)
        found = find_darkness(
            longyearbyen, opens=opens, closes=opens + timedelta(days=2), sun_below_deg=-6.0, ephemeris=ephemeris
        )
        assert len(found) == nights
        assert found == [(opens, opens + timedelta(days=2))] * nights


def test_it_is_said_when_a_target_never_comes_high_enough(why: Why, low: Satellite) -> None:
    assert why(low, MinAltitude(altitude_deg=70.0), DARK) == "never above 70° (highest 67.3°)"


def test_it_is_said_when_a_target_is_up_only_in_the_shadow(why: Why, low: Satellite) -> None:
    assert why(low, ABOVE_20, DARK, Sunlit()) == "never above 20° while sunlit"


def test_it_is_said_when_a_target_is_up_only_by_day(why: Why, low: Satellite) -> None:
    midnight = CLOSES - timedelta(hours=6)
    assert why(low, MinAltitude(altitude_deg=40.0), DARK, closes=midnight) == "not above 40° after dusk"
    assert why(low, MinAltitude(altitude_deg=40.0), DARK, opens=DUSK, closes=midnight).startswith(
        "never above 40° (highest "
    )
    beside_the_sun = Star(name="a star of August", icrs=ICRS(ra_deg=155.0, dec_deg=10.0))
    noon = CLOSES + timedelta(hours=4)
    assert why(beside_the_sun, ABOVE_20, DARK, opens=DUSK, closes=noon) == "not above 20° before dawn"
    assert why(beside_the_sun, ABOVE_20, DARK, opens=OPENS, closes=noon) == "above 20° only by daylight"


def test_it_is_said_when_it_never_gets_dark(why: Why, low: Satellite) -> None:
    noon = datetime(2026, 8, 11, 11, tzinfo=UTC)
    reason = why(low, ABOVE_20, DARK, opens=noon, closes=noon + timedelta(hours=3))
    assert reason == "never with the Sun below -12°"


def test_it_is_said_when_the_moon_is_in_the_way(why: Why, ephemeris: Ephemeris, site: Site) -> None:
    at = datetime(2026, 8, 20, 21, 0, tzinfo=UTC)
    star = Star(name="a star", icrs=ephemeris.icrs_of(ephemeris.moon_of(site, at), at))
    reason = why(star, MoonApart(separation_deg=15.0), opens=at, closes=at + timedelta(hours=1))
    assert reason == "never 15° from the Moon"


def test_it_is_said_when_the_mask_is_in_the_way(why: Why, low: Satellite) -> None:
    wall = AboveHorizon(mask=HorizonMask(points=((0.0, 75.0),)))
    assert why(low, ABOVE_20, wall) == "never above the horizon mask"


def test_it_is_said_when_the_elements_are_old_or_the_orbit_has_ended(why: Why, satellite_like: Make) -> None:
    assert why(satellite_like(epoch=CLOSES - timedelta(days=21)), DARK) == "elements 21 days old"
    fallen = satellite_like(mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.03, epoch=OPENS - timedelta(days=2))
    assert "SGP4 gives no place" in why(fallen, ABOVE_20)
    assert why(satellite_like(), DARK) == "there is a window"


@pytest.mark.catalogue
def test_a_night_of_the_real_catalogue_holds_thousands_of_windows(
    ephemeris: Ephemeris, site: Site, real_elements: Path
) -> None:
    everything = parse_elements(real_elements.read_bytes().decode(), source=real_elements.name).satellites
    constraints = [ABOVE_20, DARK, Sunlit()]
    found = find_all_windows(
        everything[::8], site, opens=OPENS, closes=CLOSES, constraints=constraints, ephemeris=ephemeris
    )
    assert found.failures == ()
    assert 500 < len(found.windows) < 900
    for satellite, window in found.windows[::25]:
        place = ephemeris.place_of(satellite, site, window.rise + (window.set - window.rise) / 2)
        assert all(constraint.admits(place, site, ephemeris) for constraint in constraints)
