"""The filter library: what names of filters mean in wavelengths."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """A filter of the library: centre and full width at half maximum in nm."""

    name: str
    group: str
    centre_nm: float
    width_nm: float


LIBRARY = (
    Band("Red", "RGB", 630.0, 100.0),
    Band("Green", "RGB", 530.0, 100.0),
    Band("Blue", "RGB", 470.0, 100.0),
    Band("Clear", "RGB", 550.0, 300.0),
    Band("Luminance", "RGB", 550.0, 300.0),
    Band("Ha", "Narrowband", 656.3, 7.0),
    Band("Hb", "Narrowband", 486.1, 10.0),
    Band("OIII", "Narrowband", 500.7, 10.0),
    Band("SII", "Narrowband", 672.4, 10.0),
    Band("U", "Johnson-Cousins", 365.0, 66.0),
    Band("B", "Johnson-Cousins", 445.0, 94.0),
    Band("V", "Johnson-Cousins", 551.0, 88.0),
    Band("R", "Johnson-Cousins", 658.0, 138.0),
    Band("I", "Johnson-Cousins", 806.0, 149.0),
    Band("sloan_u", "Sloan", 354.0, 57.0),
    Band("sloan_g", "Sloan", 477.0, 137.0),
    Band("sloan_r", "Sloan", 623.0, 137.0),
    Band("sloan_i", "Sloan", 763.0, 153.0),
    Band("sloan_z", "Sloan", 913.0, 95.0),
)

UNKNOWN_CENTRE_NM = 550.0
UNKNOWN_WIDTH_NM = 200.0

_BY_NAME: Mapping[str, Band] = {band.name.casefold(): band for band in LIBRARY}


def band_of(name: str) -> Band | None:
    """The filter of that name, whatever its case; nothing where the library has none."""
    return _BY_NAME.get(name.casefold())
