#!/usr/bin/env python3
"""Derive simulators/sky/stars.bin from Debian's Tycho-2 index for astrometry.net.

    apt-get install -y astrometry-data-tycho2-07-littleendian
    .venv/bin/python scripts/build_stars.py

The index keeps each star as a unit vector in unsigned 32-bit steps (1e-4″) and its Tycho V magnitude. What is written
is described in simulators/sky/stars.py; the same index gives the same bytes.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.io import fits

from simulators.sky.stars import BRIGHT_LIMIT, STARS_FILE, packed
from simulators.sky.vectors import Floats

INDEX = Path("/usr/share/astrometry/index-tycho2-07.littleendian.fits")


def main() -> None:
    arguments = argparse.ArgumentParser(description="Derive the simulators' star file from Debian's Tycho-2 index.")
    arguments.add_argument("--index", type=Path, default=INDEX)
    arguments.add_argument("--out", type=Path, default=STARS_FILE)
    chosen = arguments.parse_args()
    if not chosen.index.exists():
        raise SystemExit(f"{chosen.index} is not there: apt-get install -y astrometry-data-tycho2-07-littleendian")
    ra_deg, dec_deg, magnitude = stars_of(chosen.index)
    bright = magnitude < BRIGHT_LIMIT
    chosen.out.write_bytes(packed(ra_deg[bright], dec_deg[bright], magnitude[bright]))


def stars_of(index: Path) -> tuple[Floats, Floats, Floats]:
    """Right ascension, declination (ICRS, deg, where they were about 1991) and magnitude of all stars."""
    with fits.open(index) as tables:
        by_column = {table.columns.names[0]: table.data for table in tables[1:]}
        limits = np.frombuffer(by_column["kdtree_range_stars"].tobytes(), "<f8")
        steps = np.frombuffer(by_column["kdtree_data_stars"].tobytes(), "<u4").reshape(-1, 3)
        magnitude = by_column["MAG_VT"]["MAG_VT"].astype(np.float64)
    vectors = limits[:3] + steps / limits[6]
    ra_deg = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360.0
    return ra_deg, np.degrees(np.arctan2(vectors[:, 2], np.hypot(vectors[:, 0], vectors[:, 1]))), magnitude


if __name__ == "__main__":
    main()
