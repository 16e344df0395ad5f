"""What a camera of the observatory sees follows from where the telescope is, and from all that light passes."""

import math
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.values import MountKind, Quantity
from simulators.clock import HandClock
from simulators.observatory import Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings, Shot
from simulators.physics.cover import CoverSettings
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import MountSettings
from simulators.sky.earth import Ground
from simulators.sky.render import Look, Sky
from simulators.sky.rotation import unix_of
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue

DARK = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
TEIDE = Ground(28.3, -16.5, 2390.0)


class CountedSky:
    """Counts what it is asked for; its frames show how often."""

    def __init__(self) -> None:
        self.looks: list[Look] = []

    def frame(self, look: Look) -> NDArray[np.uint16]:
        self.looks.append(look)
        return np.full((look.height_px, look.width_px), len(self.looks), np.uint16)

    def targets_in(self, look: Look) -> list[tuple[int, float, float]]:
        return [(1, 5.0, 6.0), (2, 70.0, 40.0)]


class Night:
    """An observatory looking at a place two hours west of the meridian, its dome open and turned there."""

    def __init__(self, sky: Any = None, **parts: Any) -> None:
        self.clock = HandClock(DARK)
        self.sky = sky or CountedSky()
        small = (CameraSettings(width_px=96, height_px=64),)
        settings = ObservatorySettings(**{"cameras": small, "dome": None, **parts})
        self.observatory = Observatory(self.clock, TEIDE, self.sky, seed=5, settings=settings)
        self.observatory.mount.unpark()
        self.observatory.mount.set_tracking(True)
        self.slew(30.0, 20.0)

    def slew(self, hour_angle_deg: float, dec_deg: float) -> None:
        mount = self.observatory.mount
        mount.slew((TEIDE.sidereal_time_deg(self.clock.now()) - hour_angle_deg) % 360.0, dec_deg)
        self.wait(90.0)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def shoot(self, exposure_s: float = 2.0, *, light: bool = True, camera: int = 0) -> Shot:
        shot = self.observatory.cameras[camera].start(exposure_s, light=light)
        self.wait(exposure_s + 1.0)
        return shot

    def look(self, shot: Shot | None = None) -> Look:
        return self.observatory.trains[0].look_of(shot or self.shoot())


def test_the_camera_looks_where_the_telescope_truly_looks_all_along() -> None:
    night = Night(mount=MountSettings(pointing_error_arcmin=30.0))
    shot = night.observatory.cameras[0].start(20.0, light=True)
    night.observatory.mount.set_rates(0.1, 0.0)
    night.wait(5.0)
    night.observatory.mount.set_rates(-0.1, 0.2)
    night.wait(20.0)
    look = night.look(shot)
    places = [look.boresight(shot.started_at + timedelta(seconds=second)) for second in range(21)]
    assert places[3] == night.observatory.mount.true_icrs(shot.started_at + timedelta(seconds=3))
    assert wrapped(places[4][0] - places[2][0]) == pytest.approx(0.2, abs=0.01)
    assert wrapped(places[15][0] - places[10][0]) == pytest.approx(-0.5, abs=0.01)
    assert places[15][1] - places[10][1] == pytest.approx(1.0, abs=0.01)


def test_glass_and_clouds_take_light_and_a_shut_camera_takes_all() -> None:
    night = Night()
    clear = night.look().transmission
    assert 0.85 < clear <= 0.95
    night.observatory.filter_wheels[0].select(1)
    night.wait(5.0)
    red = night.look().transmission
    assert red / clear == pytest.approx(0.30 / 0.95, rel=0.01)
    night.observatory.weather.order(safe=None, values={Quantity.CLOUD_COVER_PERCENT: 80.0})
    assert night.look().transmission == pytest.approx(0.30 * 0.24)
    assert night.look(night.shoot(light=False)).transmission == 0.0


def test_a_closed_or_badly_turned_dome_is_dark_inside() -> None:
    night = Night(dome=ObservatorySettings().dome)
    dome, azimuth_deg = night.observatory.dome, night.observatory.mount.pointing.azimuth_deg
    assert dome is not None
    assert night.look().transmission == 0.0
    dome.move_shutter(opening=True)
    dome.slew(azimuth_deg)
    night.wait(60.0)
    assert night.look().transmission > 0.85
    dome.slew((azimuth_deg + 90.0) % 360.0)
    night.wait(60.0)
    assert night.look().transmission == 0.0


def test_the_ground_is_dark() -> None:
    night = Night()
    night.slew(100.0, -60.0)
    assert night.observatory.mount.pointing.altitude_deg < 0.0
    assert night.look().transmission == 0.0


def test_out_of_focus_stars_are_wide_and_each_filter_has_its_own_focus() -> None:
    night = Night()
    focuser, wheel = night.observatory.focusers[0], night.observatory.filter_wheels[0]
    night.observatory.weather.order(safe=None, values={Quantity.TEMPERATURE_C: 10.0, Quantity.SEEING_ARCSEC: 2.0})
    sharp = night.look().fwhm_arcsec
    assert 2.0 <= sharp < 3.0
    focuser.move_to(25_300)
    night.wait(5.0)
    blurred = night.look().fwhm_arcsec
    disc_arcsec = 300.0 * (90.0 / 400.0) / 1000.0 / 400.0 * 206_265.0  # 300 µm out of focus at f/4.4
    assert blurred == pytest.approx(math.hypot(sharp, 0.7 * disc_arcsec), rel=0.02)
    focuser.move_to(25_040)
    wheel.select(1)
    night.wait(5.0)
    assert night.look().fwhm_arcsec == pytest.approx(sharp, rel=0.02)
    focuser.move_to(0)
    night.wait(30.0)
    assert night.look().fwhm_arcsec == 40.0


def test_seeing_is_worse_near_the_horizon() -> None:
    night = Night()
    high = night.look().fwhm_arcsec
    night.slew(70.0, 0.0)
    assert night.look().fwhm_arcsec > 1.3 * high


def test_twilight_brightens_the_sky() -> None:
    night = Night()
    assert night.look().sky_mag_arcsec2 > 21.0
    night.clock.instant = datetime(2026, 11, 23, 7, 15, tzinfo=UTC)
    assert TEIDE.sun_altitude_deg(night.clock.now()) > -8.0
    assert night.look().sky_mag_arcsec2 < 17.0


def test_scale_gain_bias_and_binning_are_those_of_the_camera() -> None:
    night = Night()
    camera = night.observatory.cameras[0]
    camera.bin_by(2)
    camera.setup = replace(camera.setup, num_x=48, num_y=32, gain=200, offset=50)
    look = night.look()
    assert (look.width_px, look.height_px, look.binning) == (48, 32, 2)
    assert look.pixel_scale_arcsec == pytest.approx(3.816, abs=1e-3)
    assert look.electrons_per_adu == pytest.approx(0.08)
    assert look.bias_adu == 500.0
    assert look.aperture_m == pytest.approx(0.09)


@pytest.mark.parametrize(("hour_angle_deg", "rotation_deg"), [(-30.0, 180.0), (30.0, 0.0)])
def test_a_german_mount_turns_the_picture_over(hour_angle_deg: float, rotation_deg: float) -> None:
    night = Night(mount=MountSettings(kind=MountKind.GERMAN))
    night.slew(hour_angle_deg, 20.0)
    assert abs(night.look().rotation_deg) == rotation_deg


def test_an_alt_azimuth_mount_turns_the_field() -> None:
    night = Night(mount=MountSettings(kind=MountKind.ALTAZ))
    early = night.look().rotation_deg
    assert early > 0.0  # west of the meridian the zenith is to the east of north
    night.wait(3600.0)
    assert abs(night.look().rotation_deg - early) > 1.0


def test_a_picture_is_made_once_and_made_anew_only_if_the_telescope_was_turned() -> None:
    night = Night()
    album = night.observatory.album
    shot = night.observatory.cameras[0].start(10.0, light=True)
    early = album.picture_of(0, shot)
    night.wait(5.0)
    assert album.picture_of(0, shot) is early
    night.observatory.mount.set_rates(0.01, 0.0)
    night.wait(20.0)
    late = album.picture_of(0, shot)
    assert late[0, 0] == 2
    night.observatory.mount.abort()
    night.slew(40.0, 10.0)
    assert album.picture_of(0, shot) is late
    assert len(night.sky.looks) == 2


def test_truths_are_of_light_frames_read_out_and_of_the_part_that_was_read() -> None:
    night = Night(cameras=(CameraSettings(width_px=96, height_px=64), CameraSettings(width_px=32, height_px=32)))
    first, second = night.observatory.cameras
    night.shoot()
    night.shoot(light=False)
    first.setup = replace(first.setup, start_x=60, start_y=30, num_x=36, num_y=34)
    night.shoot(camera=0)
    night.shoot(camera=1)
    first.start(100.0, light=True)
    truths = night.observatory.album.truths(night.clock.now())
    assert [truth.number for truth in truths] == [1, 3, 4]
    assert [(truth.width_px, truth.height_px) for truth in truths] == [(96, 64), (36, 34), (32, 32)]
    assert truths[0].norad_ids_in_field == ((1, 5.0, 6.0), (2, 70.0, 40.0))
    assert truths[1].norad_ids_in_field == ((2, 10.0, 10.0),)
    assert truths[2].norad_ids_in_field == ((1, 5.0, 6.0),)
    assert second.shots[0].number == 4
    expected = night.observatory.mount.true_icrs(truths[0].mid_at)
    assert (truths[0].true_icrs_ra_deg, truths[0].true_icrs_dec_deg) == expected


def test_two_threads_may_want_the_same_picture() -> None:
    night = Night()
    shot = night.shoot()
    seen: list[Any] = []
    threads = [
        threading.Thread(target=lambda: seen.append(night.observatory.album.picture_of(0, shot))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(night.sky.looks) == 1
    assert all(pixels is seen[0] for pixels in seen)


def test_the_rendered_sky_has_a_known_star_in_the_middle_of_the_frame() -> None:
    stars, ground = StarCatalogue.load(), TEIDE
    night = Night(
        sky=Sky(stars, Swarm.from_synthetic(DARK, 1), ground, 1),
        cameras=(CameraSettings(width_px=200, height_px=200),),
        mount=MountSettings(kind=MountKind.FORK),
    )
    aldebaran_deg = (68.980163, 16.509302)  # Hipparcos, ICRS
    now = night.clock.now()
    night.observatory.mount.slew(*ground.apparent_of(*aldebaran_deg, now))
    night.wait(120.0)
    shot = night.shoot(0.2)
    pixels = night.observatory.album.picture_of(0, shot).astype(float)
    y, x = np.unravel_index(np.argmax(pixels), pixels.shape)
    assert abs(x - 99.5) <= 3.0
    assert abs(y - 99.5) <= 3.0
    dark = night.observatory.album.picture_of(0, night.shoot(0.2, light=False))
    assert float(np.median(dark)) == pytest.approx(300.0, abs=2.0)
    assert int(dark.max()) < 400


def test_a_cover_keeps_the_sky_out_and_its_light_falls_evenly_through_the_filter() -> None:
    night = Night()
    cover = night.observatory.cover
    assert cover is not None
    open_look = night.look()
    assert (open_look.panel_e_s, open_look.transmission > 0.8) == (0.0, True)
    cover.move(opening=False)
    night.wait(10.0)
    shut = night.look()
    assert (shut.panel_e_s, shut.transmission) == (0.0, 0.0)
    cover.shine(51)
    night.wait(5.0)
    lit = night.look()
    assert lit.panel_e_s == pytest.approx(20_000.0 * 0.2 * 0.95)
    assert night.look(night.shoot(light=False)).panel_e_s == 0.0
    night.observatory.filter_wheels[0].select(1)
    night.wait(5.0)
    assert night.look().panel_e_s == pytest.approx(lit.panel_e_s * 0.30 / 0.95)
    cover.move(opening=True)
    night.wait(10.0)
    assert night.look().panel_e_s == 0.0


def test_a_light_without_a_lid_shines_into_the_telescope_always() -> None:
    night = Night(cover=CoverSettings(has_cover=False))
    assert night.observatory.cover is not None
    night.observatory.cover.shine(255)
    night.wait(5.0)
    assert night.look().panel_e_s == pytest.approx(19_000.0)
    assert night.look().transmission > 0.8


def test_a_flat_is_even_and_as_bright_as_brightness_exposure_and_binning_make_it() -> None:
    night = Night(sky=Sky(StarCatalogue.load(), Swarm([]), TEIDE, 1))
    cover, camera = night.observatory.cover, night.observatory.cameras[0]
    assert cover is not None
    cover.move(opening=False)
    cover.shine(51)
    night.wait(10.0)

    def flat(exposure_s: float) -> NDArray[np.float64]:
        return night.observatory.album.picture_of(0, night.shoot(exposure_s)).astype(float) - 300.0

    one, two = flat(1.0), flat(2.0)
    assert one.mean() == pytest.approx(3_800.0 / 0.8, rel=0.01)
    assert two.mean() == pytest.approx(2.0 * one.mean(), rel=0.01)
    quarters = [one[:32, :48].mean(), one[:32, 48:].mean(), one[32:, :48].mean(), one[32:, 48:].mean()]
    assert quarters == pytest.approx([one.mean()] * 4, rel=0.005)
    camera.bin_by(2)
    camera.setup = replace(camera.setup, num_x=48, num_y=32)
    assert flat(1.0).mean() == pytest.approx(4.0 * one.mean(), rel=0.01)


def test_a_rotator_turns_the_picture_of_its_camera_and_of_no_other() -> None:
    night = Night(cameras=(CameraSettings(width_px=96, height_px=64), CameraSettings(width_px=96, height_px=64)))
    rotator = night.observatory.rotator
    assert rotator is not None
    before = [train.look_of(night.shoot(camera=index)).rotation_deg for index, train in both(night)]
    rotator.move_to_mechanical(40.0)
    night.wait(20.0)
    after = [train.look_of(night.shoot(camera=index)).rotation_deg for index, train in both(night)]
    assert wrapped(after[0] - before[0]) == pytest.approx(40.0, abs=1e-6)
    assert after[1] == before[1]
    rotator.sync(123.0)
    assert night.look().rotation_deg == pytest.approx(after[0])
    rotator.move_to_mechanical(70.0)
    turning = night.observatory.cameras[0].start(1.0, light=True)
    night.wait(10.0)
    assert night.look(turning).rotation_rate_deg_s > 1.0


def both(night: Night) -> list[tuple[int, Any]]:
    return list(enumerate(night.observatory.trains))


def test_the_field_of_an_alt_azimuth_mount_turns_within_an_exposure_and_that_of_others_does_not() -> None:
    for kind, turns in ((MountKind.ALTAZ, True), (MountKind.FORK, False)):
        night = Night(mount=MountSettings(kind=kind))
        shot = night.shoot(300.0)
        look = night.look(shot)
        early, late = (night.observatory.mount.axes.rotation_deg(unix_of(at)) for at in (shot.started_at, shot.ends_at))
        assert look.rotation_rate_deg_s == pytest.approx(wrapped(late - early) / 300.0, abs=1e-9)
        assert (abs(look.rotation_rate_deg_s) > 1e-4) is turns


def test_columns_and_rows_binned_by_their_own_numbers_have_the_light_of_all_their_pixels() -> None:
    night = Night(
        sky=Sky(StarCatalogue.load(), Swarm([]), TEIDE, 1),
        cameras=(CameraSettings(width_px=96, height_px=64, asymmetric_binning=True),),
    )
    cover, camera = night.observatory.cover, night.observatory.cameras[0]
    assert cover is not None
    cover.move(opening=False)
    cover.shine(20)
    night.wait(10.0)
    for columns, rows in ((1, 1), (2, 1), (1, 3), (4, 2)):
        camera.bin_by(columns, only="x")
        camera.bin_by(rows, only="y")
        camera.setup = replace(camera.setup, num_x=96 // columns, num_y=64 // rows)
        flat = night.observatory.album.picture_of(0, night.shoot(1.0))
        assert flat.shape == (64 // rows, 96 // columns)
        one_pixel = 20_000.0 * 20 / 255 * 0.95 / 0.8
        assert flat.mean() - 300.0 == pytest.approx(one_pixel * columns * rows, rel=0.01)


def test_a_satellite_is_told_on_the_pixel_where_it_is_however_it_was_binned() -> None:
    night = Night(cameras=(CameraSettings(width_px=96, height_px=64, asymmetric_binning=True),))
    camera = night.observatory.cameras[0]
    camera.bin_by(2, only="y")
    camera.setup = replace(camera.setup, num_x=80, num_y=16, start_x=4, start_y=2)
    truth = night.observatory.album.truth_of(0, night.shoot())
    assert truth.norad_ids_in_field == ((1, 1.0, 0.75),)  # the other one lies below
    assert truth.pixel_scale_arcsec == pytest.approx(3.816, abs=1e-3)


@pytest.mark.parametrize("bayer", ["RGGB", "BGGR"])
def test_each_pixel_of_a_colour_sensor_has_the_light_of_its_colour(bayer: Any) -> None:
    night = Night(
        sky=Sky(StarCatalogue.load(), Swarm([]), TEIDE, 1),
        cameras=(CameraSettings(width_px=96, height_px=64, bayer=bayer),),
    )
    cover, camera = night.observatory.cover, night.observatory.cameras[0]
    assert cover is not None
    cover.move(opening=False)
    cover.shine(51)
    night.wait(10.0)
    raw = night.observatory.album.picture_of(0, night.shoot(1.0)).astype(float) - 300.0
    cells = [raw[row::2, column::2].mean() for row in (0, 1) for column in (0, 1)]
    white = 3_800.0 / 0.8
    shares = {"R": 0.30, "G": 0.45, "B": 0.25}
    assert cells == pytest.approx([white * shares[colour] for colour in bayer], rel=0.01)
    camera.bin_by(2)
    camera.setup = replace(camera.setup, num_x=48, num_y=32)
    binned = night.observatory.album.picture_of(0, night.shoot(1.0)).astype(float) - 300.0
    assert binned.mean() == pytest.approx(4.0 * raw.mean(), rel=0.01)
    assert binned[::2, ::2].mean() == pytest.approx(binned[1::2, 1::2].mean(), rel=0.01)
