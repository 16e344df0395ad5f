"""What the camera returns is what its pointing, optics, exposure and the mount's motion would show."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulators.sky.earth import Ground
from simulators.sky.render import ZERO_POINT_E_S_M2, Look, Sky
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue, packed, unpacked
from simulators.sky.vectors import unit_of

from .conftest import TONIGHT, LookMaker, SkyMaker, above_sky, centroid, scatter

PLACE = (83.0, 20.0)
STAR = (*PLACE, 10.0)


def _counts_of(look: Look, magnitude: float) -> float:
    area_m2 = np.pi / 4.0 * look.aperture_m**2
    light = ZERO_POINT_E_S_M2 * area_m2 * 10.0 ** (-0.4 * magnitude)
    return float(light * look.exposure_s * look.transmission / look.electrons_per_adu)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"exposure_s": 8.0},
        {"aperture_m": 0.5},
        {"transmission": 0.3},
        {"electrons_per_adu": 0.5},
        {"fwhm_arcsec": 9.0},
        {"binning": 2, "width_px": 128, "height_px": 128},
        {"rotation_deg": 77.0},
    ],
)
def test_a_star_leaves_light_by_exposure_aperture_and_transmission(
    changes: dict[str, Any], look: LookMaker, sky_of: SkyMaker
) -> None:
    one = look(PLACE, full_well_e=1e9, **changes)
    x, y, counts = centroid(sky_of(STAR).frame(one), (one.width_px - 1) / 2, (one.height_px - 1) / 2)
    noise = np.sqrt(counts / one.electrons_per_adu + 25**2 * 30.0 / one.electrons_per_adu**2)
    assert counts == pytest.approx(_counts_of(one, 10.0), abs=5.0 * noise)
    assert (x, y) == pytest.approx(((one.width_px - 1) / 2, (one.height_px - 1) / 2), abs=0.1)


def test_five_magnitudes_are_a_hundred_times_the_light(look: LookMaker, sky_of: SkyMaker) -> None:
    one = look(full_well_e=1e9, electrons_per_adu=50.0, aperture_m=0.5, sky_mag_arcsec2=17.0)
    sky = sky_of((83.0, 20.03, 5.5), (83.0, 19.97, 10.5))
    counts = [centroid(sky.frame(one), 127.5, 127.5 + offset)[2] for offset in (-54.0, 54.0)]
    assert counts[0] / counts[1] == pytest.approx(100.0, rel=0.03)


@given(
    st.floats(-0.06, 0.06),
    st.floats(-0.06, 0.06),
    st.floats(-180.0, 180.0),
    st.sampled_from([1, 2, 3]),
    st.floats(3, 9),
)
@settings(max_examples=25, deadline=None)
def test_a_star_lies_on_the_pixel_it_is_projected_to(
    east_deg: float, north_deg: float, rotation_deg: float, binning: int, fwhm_arcsec: float
) -> None:
    star = (83.0 + east_deg / np.cos(np.radians(20.0)), 20.0 + north_deg, 7.0)
    catalogue = unpacked(packed(*np.array([star]).T))
    sky = Sky(catalogue, Swarm([]), Ground(28.3, -16.5, 2390.0), 1)
    one = _look(
        rotation_deg=rotation_deg,
        binning=binning,
        width_px=300 // binning,
        height_px=300 // binning,
        fwhm_arcsec=fwhm_arcsec * binning,
        full_well_e=1e9,
        electrons_per_adu=20.0,
    )
    x, y = one.projection.pixels_of(unit_of(*star[:2]), unit_of(*PLACE))
    seen_x, seen_y, _ = centroid(sky.frame(one), float(x), float(y))
    assert seen_x == pytest.approx(float(x), abs=0.2)
    assert seen_y == pytest.approx(float(y), abs=0.2)


def _look(**changes: Any) -> Look:
    settings_of: dict[str, Any] = {
        "started_at": TONIGHT,
        "exposure_s": 2.0,
        "boresight": lambda _: PLACE,
        "pixel_scale_arcsec": 2.0,
        "transmission": 1.0,
        "sky_mag_arcsec2": 21.0,
        "aperture_m": 0.25,
        "read_noise_e": 2.0,
        "bias_adu": 300.0,
    }
    return Look(**(settings_of | changes))


def test_row_zero_is_the_top_and_north_is_there(look: LookMaker, sky_of: SkyMaker) -> None:
    frame = sky_of((83.0, 20.05, 8.0), (83.03, 20.0, 8.0)).frame(look())
    rows, columns = np.nonzero(frame > np.median(frame) + 2000)
    north, east = rows < 60, columns < 100
    assert north.any()
    assert east.any()
    assert np.all(north ^ east)


def test_real_stars_are_where_the_catalogue_has_them(look: LookMaker, catalogue: StarCatalogue, ground: Ground) -> None:
    pleiades = (56.75, 24.12)
    one = look(pleiades, width_px=1024, height_px=1024, pixel_scale_arcsec=4.0, fwhm_arcsec=9.0, full_well_e=1e9)
    frame = Sky(catalogue, Swarm([]), ground, 1).frame(one)
    bright = catalogue.within(*pleiades, 0.5)
    chosen = np.argsort(bright.magnitude)[5:25]
    x, y = one.projection.pixels_of(unit_of(bright.ra_deg[chosen], bright.dec_deg[chosen]), unit_of(*pleiades))
    apart = [np.sort(np.hypot(x - one_x, y - one_y))[1] for one_x, one_y in zip(x, y, strict=True)]
    found = 0
    for one_x, one_y, nearest in zip(x, y, apart, strict=True):
        if nearest > 30.0:
            seen_x, seen_y, _ = centroid(frame, float(one_x), float(one_y), half_px=6)
            assert np.hypot(seen_x - one_x, seen_y - one_y) < 0.5
            found += 1
    assert found > 10


def test_a_telescope_at_rest_on_the_ground_sees_trails_of_fifteen_arcseconds_a_second(
    look: LookMaker, sky_of: SkyMaker, ground: Ground
) -> None:
    middle = TONIGHT + timedelta(seconds=10)
    axis_deg, dec_deg = ground.sidereal_time_deg(middle) - 30.0, 0.0

    def parked(at: datetime) -> tuple[float, float]:
        turned_deg = ground.sidereal_time_deg(at) - ground.sidereal_time_deg(middle)
        return ground.icrs_of(axis_deg + turned_deg, dec_deg, at)

    star = (*ground.icrs_of(axis_deg, dec_deg, middle), 5.0)
    one = look(parked, exposure_s=20.0, width_px=300, fwhm_arcsec=6.0, full_well_e=1e9, electrons_per_adu=10.0)
    frame = sky_of(star).frame(one)
    assert _spread(frame) == pytest.approx(20.0 * 15.041 / 2.0, abs=1.0)
    assert above_sky(frame)[100:156].sum() == pytest.approx(_counts_of(one, 5.0), rel=0.01)


def _spread(frame: NDArray[np.uint16]) -> float:
    """Length of the one streak on a frame: √12 times the scatter of its light along itself, its width taken away."""
    light = np.where(above_sky(frame) > 8.0 * scatter(frame), above_sky(frame), 0.0)
    rows, columns = np.mgrid[0 : frame.shape[0], 0 : frame.shape[1]]
    covariance = np.cov(np.stack([columns.ravel(), rows.ravel()]), aweights=light.ravel())
    across, along = np.linalg.eigvalsh(covariance)
    return float(np.sqrt(12.0 * (along - across)))


def test_a_mount_that_drifts_smears_a_star_and_keeps_its_light(look: LookMaker, sky_of: SkyMaker) -> None:
    def drifting(at: datetime) -> tuple[float, float]:
        since_s = (at - TONIGHT).total_seconds()
        return 83.0, 20.0 + (since_s - 5.0) * 20.0 / 3600.0

    sky = sky_of((*PLACE, 8.0))
    still, moved = (
        look(boresight, exposure_s=10.0, full_well_e=1e9, electrons_per_adu=10.0) for boresight in (PLACE, drifting)
    )
    frame = sky.frame(moved)
    assert _spread(frame) == pytest.approx(100.0, abs=1.0)
    assert above_sky(frame)[:, 110:146].sum() == pytest.approx(above_sky(sky.frame(still))[:, 110:146].sum(), rel=0.01)
    assert np.ptp(above_sky(frame)[90:166].sum(axis=1)) < 0.1 * above_sky(frame)[90:166].sum(axis=1).mean()


def test_a_slew_that_ends_within_the_exposure_leaves_a_tail(look: LookMaker, sky_of: SkyMaker) -> None:
    def arriving(at: datetime) -> tuple[float, float]:
        left_s = max(2.0 - (at - TONIGHT).total_seconds(), 0.0)
        return 83.0, 20.0 - left_s * 60.0 / 3600.0

    one = look(arriving, exposure_s=10.0, full_well_e=1e9, electrons_per_adu=20.0)
    light = above_sky(sky_of((*PLACE, 6.5)).frame(one))[:, 110:146].sum(axis=1)
    assert light[120:136].sum() / light.sum() == pytest.approx(0.8 + 0.2 * 7.5 / 60.0, abs=0.02)
    assert light[68:118].sum() / light.sum() == pytest.approx(0.2 * 50.0 / 60.0, abs=0.02)


def _passing(swarm: Swarm, ground: Ground, choose: Callable[[int], bool]) -> tuple[int, datetime]:
    """The brightest sunlit passage over 30° among the chosen satellites tonight: index and instant of culmination."""
    passes = swarm.passes(ground, TONIGHT, TONIGHT + timedelta(hours=2), 30.0)
    lit = [
        (float(swarm.astrometric(one.index, ground, one.culmination).magnitude), one.index, one.culmination)
        for one in passes
        if choose(one.index)
    ]
    _, index, at = min(lit)
    return index, at


@pytest.fixture(scope="module")
def low(swarm: Swarm, ground: Ground) -> tuple[int, datetime]:
    return _passing(swarm, ground, lambda index: swarm.elements[index].mean_motion_rev_per_day > 11.0)


def _alone(swarm: Swarm, index: int) -> Swarm:
    return Swarm([swarm.elements[index]])


def _fixed(swarm: Swarm, index: int, ground: Ground, at: datetime) -> tuple[float, float]:
    seen = swarm.astrometric(index, ground, at)
    return float(seen.ra_deg), float(seen.dec_deg)


def test_a_low_satellite_is_a_streak_as_long_as_its_rate_and_the_exposure_say(
    low: tuple[int, datetime], swarm: Swarm, ground: Ground, look: LookMaker, sky_of: SkyMaker
) -> None:
    index, at = low
    one = look(
        _fixed(swarm, index, ground, at),
        started_at=at - timedelta(seconds=0.25),
        exposure_s=0.5,
        width_px=600,
        height_px=600,
        pixel_scale_arcsec=3.0,
        aperture_m=0.5,
    )
    frame = sky_of(swarm=_alone(swarm, index)).frame(one)
    seen = swarm.astrometric(index, ground, at)
    length_px = float(seen.rate_deg_s) * 0.5 * 3600.0 / 3.0
    assert length_px > 100.0
    assert _spread(frame) == pytest.approx(length_px, rel=0.02)
    x, y, counts = centroid(frame, 299.5, 299.5, half_px=290)
    assert (x, y) == pytest.approx((299.5, 299.5), abs=0.7)
    assert above_sky(frame).sum() == pytest.approx(_counts_of(one, float(seen.magnitude)), rel=0.03)
    assert counts > 0.0


def test_followed_at_its_rates_it_is_a_point_and_the_stars_trail(
    low: tuple[int, datetime], swarm: Swarm, ground: Ground, look: LookMaker, sky_of: SkyMaker
) -> None:
    index, at = low
    target = _alone(swarm, index)
    one = look(
        lambda instant: _fixed(target, 0, ground, instant),
        started_at=at - timedelta(seconds=0.25),
        exposure_s=0.5,
        full_well_e=1e9,
        electrons_per_adu=10.0,
        aperture_m=1.0,
        width_px=512,
        height_px=512,
    )
    ra_deg, dec_deg = _fixed(target, 0, ground, at)
    alone = sky_of(swarm=target).frame(one)
    assert _spread(alone) < 1.0
    assert centroid(alone, 255.5, 255.5)[:2] == pytest.approx((255.5, 255.5), abs=0.1)
    with_star = sky_of((ra_deg, dec_deg + 0.05, 2.0), swarm=target).frame(one).astype(float)
    rate_px_s = float(target.astrometric(0, ground, at).rate_deg_s) * 3600.0 / 2.0
    trail = np.clip(with_star - alone.astype(float), 0.0, 65_535.0).astype(np.uint16)
    assert _spread(trail) == pytest.approx(0.5 * rate_px_s, rel=0.03)


def test_streak_or_point_the_light_is_the_same(
    low: tuple[int, datetime], swarm: Swarm, ground: Ground, look: LookMaker, sky_of: SkyMaker
) -> None:
    index, at = low
    target = _alone(swarm, index)
    common = {
        "started_at": at - timedelta(seconds=0.1),
        "exposure_s": 0.2,
        "aperture_m": 1.0,
        "full_well_e": 1e9,
        "electrons_per_adu": 40.0,
        "width_px": 512,
        "height_px": 512,
    }
    place = _fixed(target, 0, ground, at)
    sums = [
        above_sky(sky_of(swarm=target).frame(look(boresight, **common))).sum()
        for boresight in (place, lambda instant: _fixed(target, 0, ground, instant))
    ]
    assert sums[0] == pytest.approx(sums[1], rel=0.02)


def test_a_satellite_is_named_where_its_light_falls(
    low: tuple[int, datetime], swarm: Swarm, ground: Ground, look: LookMaker, sky_of: SkyMaker
) -> None:
    index, at = low
    ra_deg, dec_deg = _fixed(swarm, index, ground, at)
    one = look(
        (ra_deg - 0.03, dec_deg + 0.05),
        started_at=at - timedelta(seconds=0.1),
        exposure_s=0.2,
        width_px=700,
        height_px=500,
        rotation_deg=31.0,
    )
    sky = sky_of(swarm=swarm)
    target = next(found for found in sky.targets_in(one) if found.norad_id == swarm.norad_ids[index])
    x, y, _ = centroid(sky_of(swarm=_alone(swarm, index)).frame(one), target.x_px, target.y_px, half_px=120)
    assert (x, y) == pytest.approx((target.x_px, target.y_px), abs=1.0)


def test_only_what_is_inside_and_above_the_horizon_is_named(swarm: Swarm, ground: Ground, look: LookMaker) -> None:
    sky = Sky(StarCatalogue.load(), swarm, ground, 1)
    seen = swarm.astrometric(None, ground, TONIGHT + timedelta(seconds=1))
    up, down = (int(index) for index in (np.argmax(seen.altitude_deg), np.argmin(seen.altitude_deg)))
    place = (float(seen.ra_deg[up]), float(seen.dec_deg[up]))
    assert swarm.norad_ids[up] in [found.norad_id for found in sky.targets_in(look(place))]
    aside = (place[0], place[1] - np.sign(place[1]) * 0.1)
    assert swarm.norad_ids[up] not in [found.norad_id for found in sky.targets_in(look(aside))]
    below = (float(seen.ra_deg[down]), float(seen.dec_deg[down]))
    assert sky.targets_in(look(below)) == []


def test_a_satellite_in_the_shadow_is_named_and_not_seen(
    swarm: Swarm, ground: Ground, look: LookMaker, sky_of: SkyMaker
) -> None:
    for hours in range(10):
        at = TONIGHT + timedelta(hours=hours)
        seen = swarm.astrometric(None, ground, at)
        dark = np.flatnonzero((seen.altitude_deg > 40.0) & ~seen.sunlit)
        if len(dark):
            break
    target = _alone(swarm, int(dark[0]))
    one = look(_fixed(target, 0, ground, at), started_at=at - timedelta(seconds=0.05), exposure_s=0.1, aperture_m=2.0)
    sky = sky_of(swarm=target)
    assert [found.norad_id for found in sky.targets_in(one)] == list(target.norad_ids)
    np.testing.assert_array_equal(sky.frame(one), sky_of(swarm=Swarm([])).frame(one))


def test_a_satellite_that_enters_the_shadow_leaves_a_streak_that_ends(
    swarm: Swarm, ground: Ground, look: LookMaker, sky_of: SkyMaker
) -> None:
    index, entry = _entering_shadow(swarm, ground)
    target = _alone(swarm, index)
    one = look(
        _fixed(target, 0, ground, entry),
        started_at=entry - timedelta(seconds=2),
        exposure_s=4.0,
        width_px=1200,
        height_px=1200,
        pixel_scale_arcsec=9.0,
        fwhm_arcsec=20.0,
        sky_mag_arcsec2=23.0,
    )
    frame = sky_of(swarm=target).frame(one)
    rate_px_s = float(target.astrometric(0, ground, entry).rate_deg_s) * 3600.0 / 9.0
    assert _spread(frame) == pytest.approx(2.0 * rate_px_s, rel=0.1)


def _entering_shadow(swarm: Swarm, ground: Ground) -> tuple[int, datetime]:
    """The brightest low satellite to go dark high in tonight's sky, and when, to a hundredth of a second."""
    seconds = np.arange(0.0, 4 * 3600.0, 10.0)
    seen = swarm.astrometric(None, ground, np.array([TONIGHT.timestamp() + s for s in seconds]))
    leaves = seen.sunlit[:, :-1] & ~seen.sunlit[:, 1:] & (seen.altitude_deg[:, :-1] > 30.0)
    leaves &= np.array([one.mean_motion_rev_per_day > 11.0 for one in swarm.elements])[:, None]
    index, step = np.unravel_index(np.argmin(np.where(leaves, seen.magnitude[:, :-1], np.inf)), leaves.shape)
    lit, dark = (TONIGHT + timedelta(seconds=float(seconds[step]) + offset) for offset in (0.0, 10.0))
    while dark - lit > timedelta(seconds=0.01):
        middle = lit + (dark - lit) / 2
        lit, dark = (middle, dark) if swarm.astrometric(int(index), ground, middle).sunlit else (lit, middle)
    return int(index), lit


def test_the_same_look_is_the_same_frame(
    look: LookMaker, catalogue: StarCatalogue, swarm: Swarm, ground: Ground
) -> None:
    one = look(exposure_s=5.0)
    first, second = Sky(catalogue, swarm, ground, 3), Sky(catalogue, swarm, ground, 3)
    frame = first.frame(one)
    first.frame(look((10.0, -20.0)))
    np.testing.assert_array_equal(frame, first.frame(one))
    np.testing.assert_array_equal(frame, second.frame(one))
    assert frame.dtype == np.uint16
    assert frame.shape == (256, 256)


def test_another_seed_or_instant_is_another_noise(
    look: LookMaker, catalogue: StarCatalogue, swarm: Swarm, ground: Ground
) -> None:
    frame = Sky(catalogue, swarm, ground, 3).frame(look())
    assert np.any(frame != Sky(catalogue, swarm, ground, 4).frame(look()))
    later = look(started_at=TONIGHT + timedelta(microseconds=1))
    assert np.any(frame != Sky(catalogue, swarm, ground, 3).frame(later))


def test_the_level_between_the_stars_is_the_skys(look: LookMaker, sky_of: SkyMaker) -> None:
    for changes in ({}, {"sky_mag_arcsec2": 19.0}, {"binning": 2}, {"exposure_s": 30.0}, {"transmission": 0.1}):
        one = look(**changes)
        pixel_arcsec2 = (2.0 * one.binning) ** 2
        expected = 300.0 + _counts_of(one, one.sky_mag_arcsec2) * pixel_arcsec2
        assert sky_of().frame(one).mean() == pytest.approx(expected, abs=0.5 + 0.01 * expected)


def test_pairs_of_frames_give_the_gain_away(look: LookMaker, sky_of: SkyMaker) -> None:
    one, other = (
        look(
            started_at=TONIGHT + timedelta(seconds=offset),
            sky_mag_arcsec2=15.0,
            electrons_per_adu=1.7,
            exposure_s=5.0,
            read_noise_e=0.5,
        )
        for offset in (0, 60)
    )
    first, second = (sky_of().frame(which).astype(float) for which in (one, other))
    gain = (first.mean() - 300.0) / ((first - second).var() / 2.0)
    assert gain == pytest.approx(1.7, rel=0.03)


def test_bright_stars_saturate_and_do_not_wrap(look: LookMaker, sky_of: SkyMaker) -> None:
    sky = sky_of((*PLACE, 0.0))
    full = sky.frame(look(full_well_e=20_000.0))
    assert full.max() == 20_300
    assert np.count_nonzero(full == 20_300) > 20
    converter = sky.frame(look(full_well_e=1e6))
    assert converter.max() == 65_535
    assert converter[127, 127] == 65_535


@pytest.mark.parametrize("changes", [{"transmission": 0.0}, {"exposure_s": 0.0}])
def test_behind_a_closed_dome_and_in_a_bias_there_is_bias_and_read_noise(
    changes: dict[str, float], look: LookMaker, sky_of: SkyMaker
) -> None:
    frame = sky_of((*PLACE, 0.0)).frame(look(**changes)).astype(float)
    assert frame.mean() == pytest.approx(300.0, abs=0.05)
    assert frame.std() == pytest.approx(2.0, abs=0.05)
    assert frame.max() < 312


def test_behind_a_closed_dome_the_mount_is_not_asked(look: LookMaker, sky_of: SkyMaker) -> None:
    def unknown(at: datetime) -> tuple[float, float]:
        raise AssertionError(f"asked at {at}")

    assert sky_of().frame(look(unknown, transmission=0.0)).shape == (256, 256)


def test_out_of_focus_a_star_is_wider_and_no_brighter(look: LookMaker, sky_of: SkyMaker) -> None:
    sky = sky_of((*PLACE, 7.0))
    sharp, blurred = (
        above_sky(sky.frame(look(fwhm_arcsec=width, full_well_e=1e9, electrons_per_adu=10.0)))[98:158, 98:158]
        for width in (5.0, 30.0)
    )
    assert sharp.max() > 20.0 * blurred.max()
    assert sharp.sum() == pytest.approx(blurred.sum(), rel=0.02)
    half = blurred > blurred.max() / 2.0
    assert 2.0 * np.sqrt(half.sum() / np.pi) == pytest.approx(15.0, abs=1.0)


def test_faint_stars_fill_a_deep_frame_and_stay_where_they_are(
    look: LookMaker, catalogue: StarCatalogue, ground: Ground
) -> None:
    sky = Sky(catalogue, Swarm([]), ground, 1)
    deep = sky.frame(look(exposure_s=60.0, aperture_m=0.5))
    shallow = sky.frame(look(exposure_s=0.5, aperture_m=0.1))
    again = sky.frame(look(exposure_s=60.0, aperture_m=0.5, started_at=TONIGHT + timedelta(hours=1)))
    spots = [above_sky(frame) > 10.0 * 1.4826 * np.median(np.abs(above_sky(frame))) for frame in (deep, shallow, again)]
    assert spots[0].sum() > 10 * max(spots[1].sum(), 1)
    assert np.count_nonzero(spots[0] & spots[2]) > 0.8 * spots[0].sum()


def test_an_exposure_during_a_fast_slew_is_drawn_too(
    look: LookMaker, catalogue: StarCatalogue, swarm: Swarm, ground: Ground
) -> None:
    def slewing(at: datetime) -> tuple[float, float]:
        return (83.0 + 5.0 * (at - TONIGHT).total_seconds()) % 360.0, 20.0

    frame = Sky(catalogue, swarm, ground, 1).frame(look(slewing, exposure_s=20.0))
    assert frame.shape == (256, 256)
    assert frame.mean() > 300.0


@pytest.mark.parametrize("place", [(0.0, 90.0), (123.0, -90.0), (359.99999, 0.0), (0.0, 0.0)])
def test_there_is_a_frame_in_every_corner_of_the_sky(
    place: tuple[float, float], look: LookMaker, catalogue: StarCatalogue, swarm: Swarm, ground: Ground
) -> None:
    frame = Sky(catalogue, swarm, ground, 1).frame(look(place, pixel_scale_arcsec=20.0, fwhm_arcsec=50.0))
    assert above_sky(frame).max() > 200.0


@pytest.mark.parametrize("rate_deg_s", [0.0, 1.5, -3.0])
def test_a_turning_field_draws_stars_into_arcs_about_the_middle(
    rate_deg_s: float, look: LookMaker, sky_of: SkyMaker
) -> None:
    one = look(
        rotation_rate_deg_s=rate_deg_s, exposure_s=4.0, full_well_e=1e9, electrons_per_adu=100.0, fwhm_arcsec=6.0
    )
    counts = above_sky(sky_of((83.0, 20.0 + 100.0 * 2.0 / 3600.0, 4.0)).frame(one))
    rows, columns = np.mgrid[0:256, 0:256]
    counts[counts < counts.max() / 50.0] = 0.0
    away_px = np.hypot(columns - 127.5, rows - 127.5)
    along_deg = np.degrees(np.arctan2(columns - 127.5, 127.5 - rows))
    mean_px = (counts * away_px).sum() / counts.sum()
    spread_deg = np.sqrt(
        (counts * along_deg**2).sum() / counts.sum() - ((counts * along_deg).sum() / counts.sum()) ** 2
    )
    own_deg = np.degrees(1.3 / 100.0)
    assert mean_px == pytest.approx(100.0, abs=0.3)
    assert (counts * along_deg).sum() / counts.sum() == pytest.approx(0.0, abs=0.1)
    assert spread_deg == pytest.approx(np.hypot(abs(rate_deg_s) * 4.0 / np.sqrt(12.0), own_deg), rel=0.1)
