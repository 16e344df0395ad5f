"""Stars below the catalogue's limit: invented, cell by cell, so that the same field always shows the same ones.

The law is that of the mean sky (number of stars brighter than m in a square degree, after Allen's Astrophysical
Quantities):

    log10 N(m) = log10 N(10) + 0.44 (m − 10) − 0.0115 (m − 10)²,

scaled to the real density of catalogue stars around each cell, so that the Milky Way goes on into the faint.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from simulators.sky.vectors import Floats

FAINTEST = 18.0

_BRIGHTEST = 10.0
_LAYER = 1.0
_SEED = 0x57A25

Density = Callable[[float, float], float]
Columns = tuple[Floats, Floats, Floats]


def faint_stars(
    ra_deg: float, dec_deg: float, radius_deg: float, faintest: float, density_at: Density
) -> Iterator[Columns]:
    """Right ascension, declination and magnitude of the invented stars of all cells that a circle may touch.

    Cells are about a square degree; each is drawn in layers of one magnitude, as deep as `faintest` needs.
    """
    layers = int(np.ceil((faintest - _BRIGHTEST) / _LAYER))
    for zone, column, columns in _cells(ra_deg, dec_deg, radius_deg):
        for layer in range(layers):
            yield _drawn(zone, column, columns, layer, density_at)


def stars_brighter(magnitude: float, density_of_ten: float) -> float:
    """Stars brighter than `magnitude` (10 to 18) in a square degree that holds so many brighter than 10."""
    beyond = magnitude - _BRIGHTEST
    return float(density_of_ten * 10.0 ** (0.44 * beyond - 0.0115 * beyond * beyond))


def _cells(ra_deg: float, dec_deg: float, radius_deg: float) -> Iterator[tuple[int, int, int]]:
    """Zone (degrees from the south pole), column, and number of columns of the zone."""
    first, last = (int(np.clip(np.floor(edge + 90.0), 0, 179)) for edge in (dec_deg - radius_deg, dec_deg + radius_deg))
    for zone in range(first, last + 1):
        columns = max(1, round(360.0 * np.cos(np.radians(zone - 89.5))))
        reach = np.sin(np.radians(min(radius_deg, 90.0))) / max(np.cos(np.radians(dec_deg)), 1e-9)
        if reach >= 1.0 or abs(dec_deg) + radius_deg >= 90.0:
            yield from ((zone, column, columns) for column in range(columns))
            continue
        half_deg = float(np.degrees(np.arcsin(reach)))
        left, right = (int(np.floor((ra_deg + side) / 360.0 * columns)) for side in (-half_deg, half_deg))
        yield from ((zone, column % columns, columns) for column in range(left, min(right, left + columns - 1) + 1))


@lru_cache(maxsize=2048)
def _drawn(zone: int, column: int, columns: int, layer: int, density_at: Density) -> Columns:
    random = np.random.default_rng([_SEED, zone, column, layer])
    south, north = np.sin(np.radians([zone - 90.0, zone - 89.0]))
    area_deg2 = 360.0 / columns * np.degrees(north - south)
    density = _density_of(zone, column, columns, density_at)
    bright, faint = _BRIGHTEST + _LAYER * layer, _BRIGHTEST + _LAYER * (layer + 1)
    few, many = stars_brighter(bright, density), stars_brighter(faint, density)
    count = random.poisson((many - few) * area_deg2)
    slope = np.log10(many / few) / _LAYER
    magnitude = bright + np.log10(1.0 + random.random(count) * (many / few - 1.0)) / slope
    ra_deg = (column + random.random(count)) * 360.0 / columns
    dec_deg = np.degrees(np.arcsin(south + random.random(count) * (north - south)))
    return ra_deg, dec_deg, magnitude


@lru_cache(maxsize=4096)
def _density_of(zone: int, column: int, columns: int, density_at: Density) -> float:
    return density_at((column + 0.5) * 360.0 / columns, zone - 89.5)
