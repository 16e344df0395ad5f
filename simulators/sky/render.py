"""What a camera sees of the simulated sky: stars, satellites, sky light and the sensor's own noise."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.sky.drawing import Canvas, Spots
from simulators.sky.earth import Ground
from simulators.sky.noise import Sensor
from simulators.sky.pointing import Pointing, followed
from simulators.sky.projection import Projection
from simulators.sky.rotation import unix_of
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue
from simulators.sky.vectors import Floats, angles_of, unit_of

ZERO_POINT_E_S_M2 = 6.0e9
"""Electrons a second and square metre from a star of magnitude 0, unfiltered.

V = 0 brings 8.8e9 photons/s/m² in the V band (Bessell 1998); an open camera's band is about twice as wide, and a
third of it arrives as electrons after optics and sensor.
"""

_SIGMA_OF_FWHM = 1.0 / np.sqrt(8.0 * np.log(2.0))
_FAINTEST_OVER_NOISE = 0.5
_MOST_TOUCHED_PX = 6_000_000
_SATELLITE_SPAN_S = 0.25
_MOST_SATELLITE_SPANS = 480
_PATH_TOLERANCE_PX = 0.1
_MARGIN_DEG = 0.1  # more than aberration and light time come to


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One exposure: where the telescope truly points all along it, and through what.

    `boresight` gives the true ICRS place (right ascension and declination, deg) of the middle of the sensor at an
    instant. `rotation_deg` is the position angle of the frame's up, from north through east. Width and height are
    those of the delivered, binned frame; `pixel_scale_arcsec`, `read_noise_e` and `full_well_e` are of one unbinned
    pixel. `transmission` is the share of light that filter, cloud and dome let through, 0 for a closed dome; it dims
    the sky too. `panel_e_s` is what a light panel leaves in each unbinned pixel. `rotation_deg` is that of
    mid-exposure, and changes by `rotation_rate_deg_s`. `mosaic` says how much of the light the colour filters before a
    cell of two by two pixels let through (upper left and right, lower left and right); empty: there are none.
    """

    started_at: datetime
    exposure_s: float
    boresight: Callable[[datetime], tuple[float, float]]
    rotation_deg: float
    width_px: int
    height_px: int
    binning: int
    pixel_scale_arcsec: float
    fwhm_arcsec: float
    transmission: float
    sky_mag_arcsec2: float
    aperture_m: float
    electrons_per_adu: float
    read_noise_e: float
    bias_adu: float
    full_well_e: float
    rotation_rate_deg_s: float = 0.0
    panel_e_s: float = 0.0
    mosaic: tuple[float, ...] = ()

    @property
    def mid_at(self) -> datetime:
        """Halfway through the exposure."""
        return self.started_at + timedelta(seconds=self.exposure_s / 2.0)

    @property
    def projection(self) -> Projection:
        """How directions fall on the delivered pixels."""
        return Projection(
            width_px=self.width_px,
            height_px=self.height_px,
            scale_arcsec=self.pixel_scale_arcsec * self.binning,
            rotation_deg=self.rotation_deg,
        )

    def turned_deg(self, unix_s: Floats) -> Floats:
        """How far the frame is turned, at instants, from how it stands at mid-exposure."""
        return self.rotation_rate_deg_s * (unix_s - unix_of(self.mid_at))

    @property
    def sigma_px(self) -> float:
        """Width of a star's image in delivered pixels."""
        return float(self.fwhm_arcsec * _SIGMA_OF_FWHM / (self.pixel_scale_arcsec * self.binning))

    def electrons_of(self, magnitude: Floats | float) -> Floats:
        """What a source of this magnitude leaves in the whole exposure; none from one of magnitude ∞."""
        area_m2 = np.pi / 4.0 * self.aperture_m**2
        light = 10.0 ** (-0.4 * np.asarray(magnitude, dtype=np.float64))
        return np.asarray(ZERO_POINT_E_S_M2 * area_m2 * self.exposure_s * self.transmission * light, dtype=np.float64)

    @property
    def sensor(self) -> Sensor:
        """The delivered pixel under this sky."""
        pixel_arcsec2 = (self.pixel_scale_arcsec * self.binning) ** 2
        return Sensor(
            sky_e=float(self.electrons_of(self.sky_mag_arcsec2)) * pixel_arcsec2
            + self.panel_e_s * self.binning**2 * self.exposure_s,
            read_noise_e=self.read_noise_e * self.binning,
            full_well_e=self.full_well_e * self.binning**2,
            electrons_per_adu=self.electrons_per_adu,
            bias_adu=self.bias_adu,
        )


class Target(NamedTuple):
    """A satellite on a frame, in pixels from the centre of the top left one."""

    norad_id: int
    x_px: float
    y_px: float


class Sky:
    """Stars and satellites over one place. Equal seeds and equal looks give equal frames."""

    def __init__(self, stars: StarCatalogue, swarm: Swarm, ground: Ground, seed: int) -> None:
        self._stars = stars
        self._swarm = swarm
        self._ground = ground
        self._seed = seed

    def frame(self, look: Look) -> NDArray[np.uint16]:
        """The picture, shape (height, width), row 0 at the top."""
        canvas = Canvas(look.width_px, look.height_px, look.sigma_px)
        if look.transmission > 0.0 and look.exposure_s > 0.0:
            tolerance_deg = _PATH_TOLERANCE_PX * look.projection.scale_arcsec / 3600.0
            pointing = followed(look.boresight, look.started_at, look.exposure_s, tolerance_deg)
            canvas.add(self._star_spots(look, pointing, canvas))
            canvas.add(self._satellite_spots(look, pointing, canvas))
        random = np.random.default_rng([self._seed, round(unix_of(look.started_at) * 1e6)])
        if not look.mosaic:
            return look.sensor.read(canvas.electrons, random)
        behind = _behind(look.mosaic, canvas.electrons + np.float32(look.sensor.sky_e))
        return replace(look.sensor, sky_e=0.0).read(behind, random)

    def targets_in(self, look: Look) -> list[Target]:
        """Each satellite above the horizon that is inside the frame at mid-exposure, lit or not."""
        projection, sight = look.projection, unit_of(*look.boresight(look.mid_at))
        near = self._swarm.maybe_near(self._ground, sight, projection.radius_deg + _MARGIN_DEG, unix_of(look.mid_at))
        seen = self._swarm.astrometric(near, self._ground, look.mid_at)
        x, y = projection.pixels_of(seen.units, sight)
        inside = np.flatnonzero(projection.holds(x, y) & (seen.altitude_deg > 0.0))
        return [Target(self._swarm.norad_ids[near[row]], float(x[row]), float(y[row])) for row in inside]

    def _star_spots(self, look: Look, pointing: Pointing, canvas: Canvas) -> Spots:
        projection = look.projection
        turned_rad = float(np.radians(abs(look.rotation_rate_deg_s) * look.exposure_s))
        trail_deg = pointing.length_deg() + projection.radius_deg * turned_rad
        trail_px = trail_deg * 3600.0 / projection.scale_arcsec
        ra_deg, dec_deg = angles_of(pointing.middle)
        reach_deg = projection.radius_deg + pointing.reach_deg() + look.fwhm_arcsec * 2.0 / 3600.0
        near = self._stars.within(float(ra_deg), float(dec_deg), reach_deg, faintest=_faintest(look, trail_px))
        spots = 1.0 + min(trail_px, float(np.hypot(look.width_px, look.height_px))) / look.sigma_px
        most = int(_MOST_TOUCHED_PX / (spots * canvas.spot_pixels))
        brightest = np.argsort(near.magnitude, kind="stable")[:most]
        units = unit_of(near.ra_deg[brightest], near.dec_deg[brightest])
        instants, shares = _nodes(pointing, trail_px, look.sigma_px)
        x, y = projection.pixels_of(units[:, None, :], pointing.at(instants), look.turned_deg(instants))
        electrons = look.electrons_of(near.magnitude[brightest])[:, None] * shares
        return canvas.spots_along(x, y, electrons)

    def _satellite_spots(self, look: Look, pointing: Pointing, canvas: Canvas) -> Spots:
        candidates = self._may_cross(look, pointing)
        spans = int(np.clip(np.ceil(look.exposure_s / _SATELLITE_SPAN_S), 2, _MOST_SATELLITE_SPANS))
        instants = np.linspace(pointing.unix_s[0], pointing.unix_s[-1], spans + 1)
        seen = self._swarm.astrometric(candidates, self._ground, instants)
        x, y = look.projection.pixels_of(seen.units, pointing.at(instants), look.turned_deg(instants))
        light = look.electrons_of(seen.magnitude)
        return canvas.spots_along(x, y, 0.5 * (light[:, :-1] + light[:, 1:]) / spans)

    def _may_cross(self, look: Look, pointing: Pointing) -> NDArray[np.intp]:
        """Satellites near enough at mid-exposure, for their speed and the telescope's, to have crossed the frame.

        Twice the speed of the middle is allowed, for one that comes near only at the end.
        """
        reach_deg = look.projection.radius_deg + pointing.reach_deg() + _MARGIN_DEG
        maybe = self._swarm.maybe_near(
            self._ground, pointing.middle, reach_deg, unix_of(look.mid_at), for_s=look.exposure_s
        )
        seen = self._swarm.astrometric(maybe, self._ground, look.mid_at)
        apart_deg = np.degrees(np.arccos(np.clip(seen.units @ pointing.middle, -1.0, 1.0)))
        near = apart_deg < reach_deg + 2.0 * seen.rate_deg_s * look.exposure_s / 2.0
        return maybe[near & (seen.altitude_deg > 0.0)]


def _behind(mosaic: tuple[float, ...], electrons: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is left of these electrons behind colour filters."""
    for number, share in enumerate(mosaic):
        electrons[number // 2 :: 2, number % 2 :: 2] *= np.float32(share)
    return electrons


def _faintest(look: Look, trail_px: float) -> float:
    """The magnitude of a star whose brightest pixel is half the noise: there is no use in drawing fainter."""
    sensor = look.sensor
    noise_e = np.sqrt(sensor.sky_e + sensor.read_noise_e**2)
    across_px = np.sqrt(2.0 * np.pi) * np.hypot(look.sigma_px, 0.5)
    peak_share = 1.0 / (across_px * max(across_px, trail_px))
    return float(2.5 * np.log10(float(look.electrons_of(0.0)) * peak_share / (_FAINTEST_OVER_NOISE * noise_e)))


def _nodes(pointing: Pointing, trail_px: float, sigma_px: float) -> tuple[Floats, Floats]:
    """Instants at which to place the stars of a trail, and the share of the exposure between each and the next.

    One place that does for the whole exposure where the telescope kept still to a tenth of a star's width.
    """
    if trail_px < 0.1 * sigma_px:
        middle = 0.5 * (pointing.unix_s[0] + pointing.unix_s[-1])
        return np.array([middle, middle]), np.array([1.0])
    instants = pointing.unix_s
    if trail_px < len(instants) * sigma_px:
        instants = np.linspace(instants[0], instants[-1], int(np.ceil(trail_px / sigma_px)) + 2)
    return instants, np.diff(instants) / (instants[-1] - instants[0])
