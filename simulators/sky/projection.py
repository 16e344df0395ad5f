"""From directions to pixels: the gnomonic (TAN) projection of a camera at the focus of a telescope.

Pixels are counted from the centre of the top left one, which is (0, 0): x to the right, y down. At rotation 0 north
is up and east is left; the rotation is the position angle of *up*, from north through east.
"""

from dataclasses import dataclass

import numpy as np

from simulators.sky.vectors import Floats, Vectors

_BEHIND = 1e-3  # the cosine below which a direction counts as outside: 89.9° off the axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A frame of `width_px` × `height_px` pixels of `scale_arcsec` each, its middle on the boresight."""

    width_px: int
    height_px: int
    scale_arcsec: float
    rotation_deg: float

    @property
    def radius_deg(self) -> float:
        """From the middle to a corner."""
        return float(np.degrees(np.arctan(np.hypot(self.width_px, self.height_px) / 2.0 * self._scale_rad)))

    @property
    def _scale_rad(self) -> float:
        return float(np.radians(self.scale_arcsec / 3600.0))

    def pixels_of(self, units: Vectors, boresights: Vectors, turned_deg: Floats | float = 0.0) -> tuple[Floats, Floats]:
        """Where unit vectors fall, seen along boresights (unit vectors; the two broadcast): x and y, NaN behind.

        `turned_deg`, one for each boresight, is how much further than `rotation_deg` the frame is turned there.
        """
        right, up = self._axes(boresights, turned_deg)
        along = np.sum(units * boresights, -1)
        depth = np.where(along > _BEHIND, along, np.nan) * self._scale_rad
        x = (self.width_px - 1) / 2.0 + np.sum(units * right, -1) / depth
        y = (self.height_px - 1) / 2.0 - np.sum(units * up, -1) / depth
        return x, y

    def holds(self, x: Floats, y: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Whether pixels lie on the frame."""
        return (x >= -0.5) & (x < self.width_px - 0.5) & (y >= -0.5) & (y < self.height_px - 0.5)

    def _axes(self, boresights: Vectors, turned_deg: Floats | float) -> tuple[Vectors, Vectors]:
        """The directions in which x grows and y falls."""
        x, y, z = boresights[..., 0], boresights[..., 1], boresights[..., 2]
        ra_rad = np.arctan2(y, x)  # at a pole any serves
        east = np.stack([-np.sin(ra_rad), np.cos(ra_rad), np.zeros_like(z)], -1)
        north = np.stack([-z * np.cos(ra_rad), -z * np.sin(ra_rad), np.hypot(x, y)], -1)
        rotation = np.radians(np.asarray(self.rotation_deg + turned_deg))[..., None]
        cosine, sine = np.cos(rotation), np.sin(rotation)
        return sine * north - cosine * east, cosine * north + sine * east
