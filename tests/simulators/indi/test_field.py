"""What INDI's camera is told to draw, held against our own sky: the same stars and satellites on the same pixels."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from simulators.indi.field import Field, Points, Shot
from simulators.indi.path import MountPath
from simulators.indi.sensor import Sensor
from simulators.sky.projection import Projection
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue
from simulators.sky.vectors import Floats, Vectors, angles_of, unit_of
from tests.desk import DUSK, RIDGE

SENSOR = Sensor()
SWARM = Swarm.from_synthetic(DUSK, 1)
FIELD = Field(stars=StarCatalogue.load(), swarm=SWARM, ground=RIDGE, sensor=SENSOR)
RADIUS_DEG = 1.6
FAINTEST = 11.0
STILL = np.zeros(3)
FRAME = Projection(
    width_px=SENSOR.width_px, height_px=SENSOR.height_px, scale_arcsec=SENSOR.scale_arcsec, rotation_deg=0.0
)


def up_and_lit(at: datetime, *, slowest_deg_s: float = 0.0, fastest_deg_s: float = 9.0) -> int:
    """A satellite to look at."""
    seen = SWARM.astrometric(None, RIDGE, at)
    fit = (seen.altitude_deg > 35.0) & seen.sunlit & (seen.rate_deg_s > slowest_deg_s)
    return int(np.flatnonzero(fit & (seen.rate_deg_s < fastest_deg_s))[0])


def shot_at(
    index: int, *, exposure_s: float = 4.0, drift: Vectors = STILL, wrong_by_arcsec: float = 0.0, at: datetime = DUSK
) -> Shot:
    """A frame with the satellite in its middle at mid-exposure; the driver is wrong about where it looks."""
    mid_at = at + timedelta(seconds=exposure_s / 2.0)
    sight = np.asarray(SWARM.astrometric(index, RIDGE, mid_at).units) - drift * exposure_s / 2.0
    ra_deg, dec_deg = angles_of(sight)
    return Shot(
        number=1,
        started_at=at,
        exposure_s=exposure_s,
        sight=sight,
        drift_per_s=drift,
        drawn_at=unit_of(float(ra_deg), float(dec_deg) + wrong_by_arcsec / 3600.0),
    )


def drawn_px(shot: Shot, points: Points) -> tuple[Floats, Floats]:
    """Where the driver puts them."""
    return FRAME.pixels_of(unit_of(points.ra_deg, points.dec_deg), shot.drawn_at)


def stars_of(points: Points, shot: Shot) -> Points:
    """The points that are stars: those that are there at another time of the same place."""
    alone = Field(stars=FIELD.stars, swarm=Swarm([]), ground=RIDGE, sensor=SENSOR)
    return alone.points_of(shot, RADIUS_DEG, FAINTEST)


def streak_of(shot: Shot, index: int) -> tuple[Floats, Floats, Floats]:
    """Pixels and light of one satellite's row of points."""
    alone = Field(stars=FIELD.stars, swarm=Swarm([SWARM.elements[index]]), ground=RIDGE, sensor=SENSOR)
    stars = len(stars_of(Points(*np.zeros((3, 0))), shot).ra_deg)
    points = Points(*(column[stars:] for column in alone.points_of(shot, RADIUS_DEG, FAINTEST)))
    x_px, y_px = drawn_px(shot, points)
    return x_px, y_px, 10.0 ** (-0.4 * points.magnitude)


@pytest.mark.parametrize("wrong_by_arcsec", [0.0, 8.0, -30.0])
def test_stars_fall_on_the_pixels_of_our_own_sky_whatever_the_driver_believes(wrong_by_arcsec: float) -> None:
    shot = shot_at(up_and_lit(DUSK), wrong_by_arcsec=wrong_by_arcsec)
    points = stars_of(FIELD.points_of(shot, RADIUS_DEG, FAINTEST), shot)
    ra_deg, dec_deg = (float(angle) for angle in angles_of(shot.sight))
    near = FIELD.stars.within(ra_deg, dec_deg, RADIUS_DEG, faintest=FAINTEST)
    assert len(near.ra_deg) > 50
    brightest = np.argsort(near.magnitude, kind="stable")
    x_px, y_px = FRAME.pixels_of(unit_of(near.ra_deg[brightest], near.dec_deg[brightest]), shot.sight)
    drawn_x_px, drawn_y_px = drawn_px(shot, points)
    assert np.max(np.hypot(drawn_x_px - x_px, drawn_y_px - y_px)) < 0.01
    np.testing.assert_allclose(points.magnitude, near.magnitude[brightest])


def test_a_satellite_is_a_row_of_points_as_bright_as_it_is_with_its_middle_where_the_truth_has_it() -> None:
    index = up_and_lit(DUSK, slowest_deg_s=0.1)
    shot = shot_at(index, exposure_s=1.0)
    x_px, y_px, light = streak_of(shot, index)
    seen = SWARM.astrometric(index, RIDGE, shot.mid_at)
    path_px = float(seen.rate_deg_s) * 3600.0 / SENSOR.scale_arcsec
    assert len(x_px) == pytest.approx(path_px, abs=2.0)
    assert float(np.sum(light)) == pytest.approx(10.0 ** (-0.4 * float(seen.magnitude)), rel=0.02)
    assert np.max(np.hypot(np.diff(x_px), np.diff(y_px))) < 1.5
    (true,) = (
        one for one in FIELD.truth_of(shot, MountPath(RIDGE)).norad_ids_in_field if one[0] == SWARM.norad_ids[index]
    )
    middle = len(x_px) // 2
    assert np.hypot(x_px[middle] - true[1], y_px[middle] - true[2]) < 2.0
    assert (true[1], true[2]) == pytest.approx((255.5, 255.5), abs=0.5)


def test_a_mount_that_follows_a_satellite_makes_it_a_point_and_the_stars_trails() -> None:
    index = up_and_lit(DUSK, slowest_deg_s=0.1)
    seen = SWARM.astrometric(index, RIDGE, np.array([DUSK.timestamp(), DUSK.timestamp() + 4.0]))
    drift = np.asarray((seen.units[1] - seen.units[0]) / 4.0)
    shot = shot_at(index, drift=drift)
    x_px, y_px, _ = streak_of(shot, index)
    assert np.ptp(x_px) < 3.0
    assert np.ptp(y_px) < 3.0
    stars = stars_of(FIELD.points_of(shot, RADIUS_DEG, FAINTEST), shot)
    x_px, y_px = (column.reshape(-1, 24) for column in drawn_px(shot, stars))
    trails_px = np.hypot(x_px[:, -1] - x_px[:, 0], y_px[:, -1] - y_px[:, 0])
    moved_px = float(np.degrees(np.linalg.norm(drift))) * 4.0 * 3600.0 / SENSOR.scale_arcsec
    assert np.median(trails_px) == pytest.approx(moved_px * 23 / 24, rel=0.05)


def test_what_is_in_the_shadow_is_not_drawn_and_is_in_the_truth() -> None:
    later = DUSK + timedelta(hours=4)
    seen = SWARM.astrometric(None, RIDGE, later)
    index = int(np.flatnonzero((seen.altitude_deg > 35.0) & ~seen.sunlit & (seen.rate_deg_s > 0.1))[0])
    shot = shot_at(index, at=later, exposure_s=1.0)
    x_px, _, _ = streak_of(shot, index)
    assert len(x_px) == 0
    assert SWARM.norad_ids[index] in {one[0] for one in FIELD.truth_of(shot, MountPath(RIDGE)).norad_ids_in_field}


def test_the_truth_of_a_frame_is_where_the_mount_went_and_not_where_it_was_expected() -> None:
    """Drawn as if the mount kept still; two degrees further at mid-exposure, the satellite is not in the field."""
    index = up_and_lit(DUSK, fastest_deg_s=0.02)
    shot = shot_at(index, exposure_s=4.0)
    path = MountPath(RIDGE)
    path.period_s = 0.5
    ra_deg, dec_deg = (float(angle) for angle in angles_of(shot.sight))
    for tenth in range(41):
        ra_of_date_deg, dec_of_date_deg = RIDGE.apparent_of(ra_deg, dec_deg - 0.1 * tenth, DUSK)
        path.heard(DUSK + timedelta(seconds=tenth / 10.0), ra_of_date_deg, dec_of_date_deg)
    truth = FIELD.truth_of(shot, path)
    assert truth.true_icrs_dec_deg == pytest.approx(dec_deg - 2.0, abs=0.01)
    assert SWARM.norad_ids[index] not in {one[0] for one in truth.norad_ids_in_field}
    still = FIELD.truth_of(shot, MountPath(RIDGE))
    assert SWARM.norad_ids[index] in {one[0] for one in still.norad_ids_in_field}


def test_nothing_is_drawn_of_what_is_below_the_horizon() -> None:
    seen = SWARM.astrometric(None, RIDGE, DUSK)
    index = int(np.flatnonzero((seen.altitude_deg < -5.0) & seen.sunlit)[0])
    x_px, _, _ = streak_of(shot_at(index), index)
    assert len(x_px) == 0
