"""From directions to pixels: against astropy's world coordinates, and the mount's motion as it is followed."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulators.sky.pointing import followed
from simulators.sky.projection import Projection
from simulators.sky.vectors import unit_of

from .conftest import TONIGHT, arcsec_between


def _wcs(projection: Projection, ra_deg: float, dec_deg: float) -> WCS:
    """The same frame as FITS describes it; FITS counts from 1 and upward, so its y is turned over."""
    scale_deg = projection.scale_arcsec / 3600.0
    angle = np.radians(projection.rotation_deg)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra_deg, dec_deg]
    wcs.wcs.crpix = [(projection.width_px + 1) / 2.0, (projection.height_px + 1) / 2.0]
    wcs.wcs.cd = scale_deg * np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return wcs


@given(
    st.floats(0.0, 359.0), st.floats(-88.0, 88.0), st.floats(-180.0, 180.0), st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)
)
@settings(max_examples=80, deadline=None)
def test_pixels_are_those_of_the_fits_standard(
    ra_deg: float, dec_deg: float, rotation_deg: float, east_deg: float, north_deg: float
) -> None:
    projection = Projection(width_px=1000, height_px=600, scale_arcsec=3.0, rotation_deg=rotation_deg)
    star_ra_deg, star_dec_deg = ra_deg + east_deg / np.cos(np.radians(dec_deg)), dec_deg + north_deg
    x, y = projection.pixels_of(unit_of(star_ra_deg, star_dec_deg), unit_of(ra_deg, dec_deg))
    expected_x, expected_up = _wcs(projection, ra_deg, dec_deg).all_world2pix(star_ra_deg, star_dec_deg, 0)
    assert float(x) == pytest.approx(float(expected_x), abs=1e-5)
    assert projection.height_px - 1.0 - float(y) == pytest.approx(float(expected_up), abs=1e-5)


def test_north_is_up_and_east_is_left() -> None:
    projection = Projection(width_px=101, height_px=101, scale_arcsec=10.0, rotation_deg=0.0)
    boresight = unit_of(50.0, 30.0)
    middle, north, east = (
        [float(axis) for axis in projection.pixels_of(unit_of(*star), boresight)]
        for star in ((50.0, 30.0), (50.0, 30.1), (50.1, 30.0))
    )
    assert middle == pytest.approx([50.0, 50.0])
    assert north[0] == pytest.approx(50.0)
    assert north[1] == pytest.approx(50.0 - 36.0, abs=0.01)
    assert east[0] < 50.0 - 30.0


def test_turned_by_a_quarter_east_is_up_and_north_is_right() -> None:
    projection = Projection(width_px=101, height_px=101, scale_arcsec=10.0, rotation_deg=90.0)
    north, east = (projection.pixels_of(unit_of(*star), unit_of(50.0, 30.0)) for star in ((50.0, 30.1), (50.1, 30.0)))
    assert (float(north[0]), float(north[1])) == pytest.approx((86.0, 50.0), abs=0.01)
    assert float(east[1]) < 20.0


def test_what_is_behind_the_telescope_is_nowhere() -> None:
    projection = Projection(width_px=100, height_px=100, scale_arcsec=1.0, rotation_deg=0.0)
    x, y = projection.pixels_of(unit_of(np.array([180.0, 90.0]), np.array([0.0, 0.0])), unit_of(0.0, 0.0))
    assert np.all(np.isnan(x))
    assert np.all(np.isnan(y))
    assert not projection.holds(x, y).any()


def test_a_frame_ends_half_a_pixel_beyond_its_outer_pixels() -> None:
    projection = Projection(width_px=10, height_px=20, scale_arcsec=1.0, rotation_deg=0.0)
    x = np.array([-0.51, -0.49, 9.49, 9.51, 5.0, 5.0])
    y = np.array([5.0, 5.0, 5.0, 5.0, 19.49, 19.51])
    assert projection.holds(x, y).tolist() == [False, True, True, False, True, False]


def test_a_corner_is_half_a_diagonal_away() -> None:
    projection = Projection(width_px=3000, height_px=4000, scale_arcsec=1.0, rotation_deg=33.0)
    assert projection.radius_deg == pytest.approx(2500.0 / 3600.0, rel=1e-4)


def test_at_the_pole_the_frame_still_stands() -> None:
    projection = Projection(width_px=101, height_px=101, scale_arcsec=10.0, rotation_deg=0.0)
    x, y = projection.pixels_of(unit_of(np.array([0.0, 90.0, 180.0]), np.full(3, 89.9)), unit_of(0.0, 90.0))
    assert np.hypot(x - 50.0, y - 50.0) == pytest.approx(np.full(3, 36.0), abs=0.01)


class Mount:
    """A boresight that goes along a declination at a rate that may change, and counts how often it is asked."""

    def __init__(self, rate_before_deg_s: float, rate_after_deg_s: float, turns_after_s: float) -> None:
        self.rates = rate_before_deg_s, rate_after_deg_s
        self.turns_after_s = turns_after_s
        self.asked: list[datetime] = []

    def __call__(self, at: datetime) -> tuple[float, float]:
        self.asked.append(at)
        since_s = (at - TONIGHT).total_seconds()
        return 40.0 + self.went_deg(since_s), 0.0

    def went_deg(self, since_s: float) -> float:
        before_s = min(since_s, self.turns_after_s)
        return self.rates[0] * before_s + self.rates[1] * max(since_s - self.turns_after_s, 0.0)


def test_a_mount_at_rest_is_asked_nine_times() -> None:
    mount = Mount(0.0, 0.0, 1.0)
    pointing = followed(mount, TONIGHT, 10.0, 1e-4)
    assert len(mount.asked) == len(pointing.unix_s) == 9
    assert min(mount.asked) == TONIGHT
    assert max(mount.asked) == TONIGHT + timedelta(seconds=10)
    assert pointing.length_deg() < 1e-12
    assert pointing.reach_deg() < 1e-9


@given(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.floats(0.0, 20.0))
@example(0.0, 0.17, 19.9)  # near an end, where only one sample sees it
@example(0.17, 0.0, 0.1)
@settings(max_examples=40, deadline=None)
def test_a_mount_that_changes_its_mind_is_followed_closely(before: float, after: float, turns_after_s: float) -> None:
    mount = Mount(before, after, turns_after_s)
    pointing = followed(mount, TONIGHT, 20.0, 1e-3)
    assert len(mount.asked) == len(set(mount.asked)) <= 257
    since_s = np.linspace(0.0, 20.0, 997)
    truth = unit_of(np.array([40.0 + mount.went_deg(float(s)) for s in since_s]), np.zeros(997))
    # a corner in the middle of a span shows in full in the samples on both sides, and four tolerances may not show
    assert arcsec_between(pointing.at(pointing.unix_s[0] + since_s), truth).max() < 3.6 * 4.05


def test_a_mount_that_jumps_is_followed_to_the_millisecond_and_no_further() -> None:
    """One whose position is only read now and then is seen here, and then there."""
    asked: list[datetime] = []

    def jumping(at: datetime) -> tuple[float, float]:
        asked.append(at)
        return (10.0 if at < TONIGHT + timedelta(seconds=7.123_456) else 12.0), 40.0

    pointing = followed(jumping, TONIGHT, 20.0, 1e-4)
    assert len(asked) < 60
    jump = int(np.argmax(np.linalg.norm(np.diff(pointing.units, axis=0), axis=-1)))
    before_s, after_s = pointing.unix_s[jump : jump + 2] - TONIGHT.timestamp()
    assert before_s < 7.123_456 <= after_s < before_s + 0.0021


def test_a_mount_gone_wild_is_not_asked_for_ever() -> None:
    asked: list[datetime] = []

    def shaking(at: datetime) -> tuple[float, float]:
        asked.append(at)
        return 40.0 + 0.5 * (len(asked) % 3), 10.0

    pointing = followed(shaking, TONIGHT, 30.0, 1e-5)
    assert len(asked) == len(pointing.unix_s) == 257
    assert np.all(np.diff(pointing.unix_s) > 0.0)


def test_an_exposure_of_no_length_is_one_look() -> None:
    mount = Mount(1.0, 1.0, 5.0)
    pointing = followed(mount, TONIGHT, 0.0, 1e-4)
    assert mount.asked == [TONIGHT]
    np.testing.assert_allclose(pointing.middle, unit_of(40.0, 0.0))


def test_the_path_is_measured_whole_and_from_its_middle() -> None:
    there_and_back = Mount(0.5, -0.5, 5.0)
    pointing = followed(there_and_back, TONIGHT, 10.0, 1e-4)
    assert pointing.length_deg() == pytest.approx(5.0, abs=1e-3)
    assert pointing.reach_deg() == pytest.approx(2.5, abs=1e-3)
