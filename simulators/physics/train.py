"""An optical train: a camera behind a filter and a focuser, on the telescope, in the dome, under the weather."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from drivers.values import Quantity
from simulators.physics.camera import Camera, Shot
from simulators.physics.cover import Cover
from simulators.physics.dome import Dome
from simulators.physics.filter_wheel import FilterWheel
from simulators.physics.focuser import Focuser
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import Mount
from simulators.physics.rotator import Rotator
from simulators.physics.weather import Weather
from simulators.sky.render import Look
from simulators.sky.rotation import unix_of

_ARCSEC_PER_RAD = 206_264.806
_GAUSSIAN_OF_DISC = 0.7  # the FWHM of a Gaussian that is about as wide as a defocused disc, per diameter
_BLURRED_MOST_ARCSEC = 40.0
_FOCUSED_AT_C = 10.0
_PANEL_E_S = 20_000.0  # of a panel at its brightest, in each unbinned pixel, through clear glass
# The shares of white light that pass the filters of a Bayer sensor.
_COLOURS = {"R": 0.30, "G": 0.45, "B": 0.25}
_ALL_COLOURS = (0.30 + 2.0 * 0.45 + 0.25) / 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Optics:
    """The telescope in front of every camera."""

    focal_length_mm: float = 400.0
    aperture_mm: float = 90.0


class Aim(Protocol):
    """Where the telescope truly looks at any instant, and how what it sees is turned: a mount of ours or another."""

    def true_icrs(self, at: datetime) -> tuple[float, float]:
        """Right ascension and declination of the sensor's middle."""

    def horizontal(self, at: datetime) -> tuple[float, float]:
        """Altitude and azimuth, unrefracted."""

    def rotation_deg(self, at: datetime) -> float:
        """The position angle of the telescope's up, from north through east."""

    def changes_before(self, at: datetime) -> int:
        """The same number twice means that the path until then is still the same."""


@dataclass(frozen=True, slots=True)
class MountAim:
    """The aim of a mount of ours."""

    mount: Mount

    def true_icrs(self, at: datetime) -> tuple[float, float]:
        return self.mount.true_icrs(at)

    def horizontal(self, at: datetime) -> tuple[float, float]:
        axes = self.mount.axes
        return axes.mechanics.horizontal_of(*axes.sight(unix_of(at)))

    def rotation_deg(self, at: datetime) -> float:
        return self.mount.axes.rotation_deg(unix_of(at))

    def changes_before(self, at: datetime) -> int:
        return self.mount.axes.changes_before(unix_of(at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """Everything that light passes on its way to one camera. What is None is not there."""

    optics: Optics
    camera: Camera
    mount: Aim
    weather: Weather
    filter_wheel: FilterWheel | None
    focuser: Focuser | None
    dome: Dome | None
    rotator: Rotator | None = None
    cover: Cover | None = None

    @property
    def pixel_scale_arcsec(self) -> float:
        """Of one unbinned pixel."""
        return self.camera.settings.pixel_size_um / 1000.0 / self.optics.focal_length_mm * _ARCSEC_PER_RAD

    def look_of(self, shot: Shot) -> Look:
        """What the whole sensor saw during a shot. Filter, focus, dome and weather are those of mid-exposure."""
        camera, binning = self.camera.settings, shot.setup.square_binning
        altitude_deg, azimuth_deg = self.mount.horizontal(shot.mid_at)
        glass = self._glass(shot.mid_at) if shot.light else 0.0
        turned_deg = wrapped(self._rotation_deg(shot.ends_at) - self._rotation_deg(shot.started_at))
        return Look(
            started_at=shot.started_at,
            exposure_s=shot.exposure_s,
            boresight=self.mount.true_icrs,
            rotation_deg=self._rotation_deg(shot.mid_at),
            rotation_rate_deg_s=turned_deg / shot.exposure_s if shot.exposure_s > 0.0 else 0.0,
            width_px=camera.width_px // binning,
            height_px=camera.height_px // binning,
            binning=binning,
            pixel_scale_arcsec=self.pixel_scale_arcsec,
            fwhm_arcsec=self._fwhm_arcsec(altitude_deg, shot.mid_at),
            transmission=glass * self._unobstructed(altitude_deg, azimuth_deg, shot.mid_at),
            panel_e_s=glass * self._panel_e_s(shot.mid_at),
            sky_mag_arcsec2=self.weather.read(shot.mid_at)[Quantity.SKY_QUALITY_MAG_ARCSEC2],
            aperture_m=self.optics.aperture_mm / 1000.0,
            electrons_per_adu=camera.electrons_per_adu * math.pow(10.0, -shot.setup.gain / 200.0),
            read_noise_e=camera.read_noise_e * camera.readouts[shot.setup.readout].noise_share,
            bias_adu=float(shot.setup.offset * camera.adu_per_offset),
            full_well_e=camera.full_well_e,
            mosaic=_mosaic(camera.bayer, binned=binning > 1),
        )

    def changes_of(self, shot: Shot) -> int:
        """The same number twice means that the telescope's path through the shot is still the same."""
        return self.mount.changes_before(shot.ends_at)

    def _rotation_deg(self, at: datetime) -> float:
        turned_deg = 0.0 if self.rotator is None else self.rotator.mechanical_deg_at(at)
        return wrapped(self.mount.rotation_deg(at) + self.camera.settings.rotation_deg + turned_deg)

    def _glass(self, at: datetime) -> float:
        return 1.0 if self.filter_wheel is None else self.filter_wheel.filter_at(at).transmission

    def _unobstructed(self, altitude_deg: float, azimuth_deg: float, at: datetime) -> float:
        """The share of starlight that comes as far as the telescope."""
        if altitude_deg <= 0.0:
            return 0.0
        slit = 1.0 if self.dome is None else self.dome.lets_through(altitude_deg, azimuth_deg, at)
        lid = 1.0 if self.cover is None else self.cover.open_share_at(at)
        return slit * lid * self.weather.clearness(at)

    def _panel_e_s(self, at: datetime) -> float:
        """Evenly from the light panel: as far as its lid is closed, or always where it has no lid."""
        if self.cover is None:
            return 0.0
        before = 1.0 - self.cover.open_share_at(at) if self.cover.settings.has_cover else 1.0
        return _PANEL_E_S * before * self.cover.light_at(at) / self.cover.settings.max_brightness

    def _fwhm_arcsec(self, altitude_deg: float, at: datetime) -> float:
        """Seeing, worse at low altitude (air mass to the power 0.6), and the disc of what is out of focus."""
        here = self.weather.read(at)
        air_mass = 1.0 / math.sin(math.radians(max(altitude_deg, 10.0)))
        blurred_arcsec = self._disc_arcsec(here[Quantity.TEMPERATURE_C], at) * _GAUSSIAN_OF_DISC
        return min(math.hypot(here[Quantity.SEEING_ARCSEC] * air_mass**0.6, blurred_arcsec), _BLURRED_MOST_ARCSEC)

    def _disc_arcsec(self, temperature_c: float, at: datetime) -> float:
        if self.focuser is None:
            return 0.0
        settings = self.focuser.settings
        best_steps = settings.best_steps + settings.best_steps_per_c * (temperature_c - _FOCUSED_AT_C)
        if self.filter_wheel is not None:
            best_steps += self.filter_wheel.filter_at(at).focus_offset_steps
        away_um = abs(self.focuser.position_at(at) - best_steps) * settings.step_um
        disc_um = away_um * self.optics.aperture_mm / self.optics.focal_length_mm
        return disc_um / 1000.0 / self.optics.focal_length_mm * _ARCSEC_PER_RAD


def _mosaic(bayer: str, *, binned: bool) -> tuple[float, ...]:
    """The share of light that each pixel of a cell of two by two has; nothing on a monochrome sensor."""
    return tuple(_ALL_COLOURS if binned else _COLOURS[colour] for colour in bayer)
