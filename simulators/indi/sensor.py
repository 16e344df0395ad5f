"""INDI's CCD simulator as we set it up."""

from dataclasses import dataclass

from simulators.indi.wishes import Wish, numbers

_ARCSEC_PER_UM_MM = 206.3  # the constant of INDI's driver
_BEST_FOCUS_STEPS = 50_000.0  # where INDI's focuser simulator stands when it is switched on
_NORTH_UP_DEG = 270.0  # at 0 it has east up


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """The field of our own simulated camera in a sixteenth of its pixels, so that a picture comes quickly: the driver
    takes a tenth of a second of life for each million.

    The driver's brightness follows two magnitudes: a star of `saturates` leaves 65,000 in a second, one of `faintest`
    1. A span of 12 mag between them makes that true to nature; these are about those of a 0.1 m telescope.
    """

    width_px: int = 512
    height_px: int = 512
    pixel_um: float = 29.6
    focal_length_mm: float = 400.0
    aperture_mm: float = 100.0
    saturates: float = 7.37
    faintest: float = 19.4
    sky_mag_per_px: float = 15.1
    seeing_arcsec: float = 24.0

    @property
    def scale_arcsec(self) -> float:
        """Of a pixel."""
        return self.pixel_um / self.focal_length_mm * _ARCSEC_PER_UM_MM

    def size(self, camera: str) -> Wish:
        """What the camera is to be set to."""
        return numbers(
            camera,
            "SIMULATOR_SETTINGS",
            SIM_XRES=self.width_px,
            SIM_YRES=self.height_px,
            SIM_XSIZE=self.pixel_um,
            SIM_YSIZE=self.pixel_um,
            SIM_SATURATION=self.saturates,
            SIM_LIMITINGMAG=self.faintest,
            SIM_SKYGLOW=self.sky_mag_per_px,
            SIM_ROTATION=_NORTH_UP_DEG,
        )

    def blur(self, camera: str) -> Wish:
        """What its stars are to look like: at its own 3.5″ each would be one white pixel."""
        return numbers(
            camera,
            "SIM_FOCUSING",
            SIM_FOCUS_POSITION=_BEST_FOCUS_STEPS,
            SIM_FOCUS_MAX=100_000.0,
            SIM_SEEING=self.seeing_arcsec,
        )

    def optics(self, mount: str) -> Wish:
        """What the mount is to be set to: the camera asks it for the focal length."""
        return numbers(
            mount,
            "TELESCOPE_INFO",
            TELESCOPE_APERTURE=self.aperture_mm,
            TELESCOPE_FOCAL_LENGTH=self.focal_length_mm,
            GUIDER_APERTURE=self.aperture_mm,
            GUIDER_FOCAL_LENGTH=self.focal_length_mm,
        )
