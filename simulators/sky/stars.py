"""The stars of the simulated sky: Tycho-2 to magnitude 10, and invented ones below, always the same at the same place.

`stars.bin` is little-endian: the number of stars (uint32), then right ascension (uint32) and declination (int32) of
all in steps of 360°/2³² (0.3 mas), then magnitudes (uint8) in steps of 0.05 from −2. Stars lie in zones of 1° of
declination from south to north, within a zone by right ascension.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.sky.faint import FAINTEST, faint_stars
from simulators.sky.vectors import Floats, unit_of

STARS_FILE = Path(__file__).with_name("stars.bin")
BRIGHT_LIMIT = 10.0

_STEP_DEG = 360.0 / 2**32
_MAGNITUDE_STEP, _MAGNITUDE_START = 0.05, -2.0
_ZONES = 180
_NEIGHBOURHOOD_DEG = 4.0


class Stars(NamedTuple):
    """Stars as arrays of one length: ICRS coordinates in degrees and V magnitude."""

    ra_deg: Floats
    dec_deg: Floats
    magnitude: Floats


@dataclass(frozen=True, eq=False, slots=True)
class StarCatalogue:
    """All stars of the sky, found by place. Positions do not move: the catalogue is the truth of the simulated sky."""

    bright: Stars
    _zone_starts: NDArray[np.intp]

    @staticmethod
    @lru_cache(maxsize=1)
    def load() -> "StarCatalogue":
        """The catalogue of this package; read once, shared after."""
        return unpacked(STARS_FILE.read_bytes())

    def within(self, ra_deg: float, dec_deg: float, radius_deg: float, *, faintest: float = BRIGHT_LIMIT) -> Stars:
        """Every star no farther than `radius_deg` from a place and no fainter than `faintest` (at most 18)."""
        parts: list[tuple[Floats, Floats, Floats]] = [self._bright_within(ra_deg, dec_deg, radius_deg)]
        if faintest > BRIGHT_LIMIT:
            parts += faint_stars(ra_deg, dec_deg, radius_deg, min(faintest, FAINTEST), self.density_at)
        near = Stars(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        centre = unit_of(ra_deg, dec_deg)
        chord = np.linalg.norm(unit_of(near.ra_deg, near.dec_deg) - centre, axis=-1)
        keep = (chord <= 2.0 * np.sin(np.radians(min(radius_deg, 180.0)) / 2.0)) & (near.magnitude <= faintest)
        return Stars(*(column[keep] for column in near))

    def density_at(self, ra_deg: float, dec_deg: float) -> float:
        """Stars brighter than magnitude 10 in a square degree, over the 50 square degrees around a place."""
        count = len(self.within(ra_deg, dec_deg, _NEIGHBOURHOOD_DEG).ra_deg)
        area_deg2 = 2.0 * np.pi * (1.0 - np.cos(np.radians(_NEIGHBOURHOOD_DEG))) * np.degrees(1.0) ** 2
        return float((count + 1.0) / area_deg2)

    def _bright_within(self, ra_deg: float, dec_deg: float, radius_deg: float) -> Stars:
        """The stars of a band of declination that is cut at a right ascension a little too far out."""
        zones = range(_zone_of(dec_deg - radius_deg), _zone_of(dec_deg + radius_deg) + 1)
        half_deg = _half_width_deg(dec_deg, radius_deg)
        rows = np.concatenate([self._rows(zone, ra_deg, half_deg) for zone in zones])
        return Stars(*(column[rows] for column in self.bright))

    def _rows(self, zone: int, ra_deg: float, half_deg: float) -> NDArray[np.intp]:
        start, end = self._zone_starts[zone], self._zone_starts[zone + 1]
        if half_deg >= 180.0:
            return np.arange(start, end)
        first = (ra_deg - half_deg) % 360.0
        cuts = start + np.searchsorted(self.bright.ra_deg[start:end], [first, (first + 2.0 * half_deg) % 360.0])
        if first + 2.0 * half_deg < 360.0:
            return np.arange(cuts[0], cuts[1])
        return np.concatenate([np.arange(cuts[0], end), np.arange(start, cuts[1])])


def packed(ra_deg: Floats, dec_deg: Floats, magnitude: Floats) -> bytes:
    """The bytes of a star file."""
    steps = (np.round(ra_deg / _STEP_DEG) % 2**32).astype("<u4"), np.round(dec_deg / _STEP_DEG).astype("<i4")
    levels = np.clip(np.round((magnitude - _MAGNITUDE_START) / _MAGNITUDE_STEP), 0, 255).astype("u1")
    order = np.lexsort((steps[0], _zones_of(steps[1] * _STEP_DEG)))
    count = np.array([len(order)], "<u4")
    return b"".join(column.tobytes() for column in (count, steps[0][order], steps[1][order], levels[order]))


def unpacked(content: bytes) -> StarCatalogue:
    """A catalogue from the bytes of a star file.

    Raises:
        ValueError: the bytes are cut short or are none of ours.
    """
    count = int(np.frombuffer(content, "<u4", 1)[0]) if len(content) >= 4 else 0
    if len(content) != 4 + 9 * count or not count:
        raise ValueError(
            f"no star file: {len(content)} bytes, expected {4 + 9 * count} for {count} stars; build it anew"
        )
    dec_deg = np.frombuffer(content, "<i4", count, 4 + 4 * count) * _STEP_DEG
    stars = Stars(
        ra_deg=np.frombuffer(content, "<u4", count, 4) * _STEP_DEG,
        dec_deg=dec_deg,
        magnitude=np.frombuffer(content, "u1", count, 4 + 8 * count) * _MAGNITUDE_STEP + _MAGNITUDE_START,
    )
    return StarCatalogue(stars, np.searchsorted(_zones_of(dec_deg), np.arange(_ZONES + 1)))


def _zones_of(dec_deg: Floats) -> NDArray[np.intp]:
    return np.clip(np.floor(dec_deg + 90.0), 0, _ZONES - 1).astype(np.intp)


def _zone_of(dec_deg: float) -> int:
    return int(_zones_of(np.array(dec_deg)))


def _half_width_deg(dec_deg: float, radius_deg: float) -> float:
    """How far in right ascension a circle reaches; 180 where it holds a pole."""
    if abs(dec_deg) + radius_deg >= 90.0:
        return 180.0
    reach = np.sin(np.radians(radius_deg)) / np.cos(np.radians(dec_deg))
    return float(np.degrees(np.arcsin(reach)))
