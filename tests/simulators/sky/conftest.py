"""A site, a made-up catalogue, a telescope to look through, and skyfield as the outside oracle."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
import skyfield_data
from astropy_iers_data import IERS_A_FILE
from numpy.typing import NDArray
from skyfield.api import EarthSatellite, Loader, Star, wgs84
from skyfield.data import iers

from simulators.sky.earth import Ground
from simulators.sky.render import Look, Sky
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue, packed, unpacked

TONIGHT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def ground() -> Ground:
    """A mountain in the Atlantic."""
    return Ground(28.3, -16.5, 2390.0)


@pytest.fixture(scope="session")
def swarm() -> Swarm:
    """The made-up satellites of tonight."""
    return Swarm.from_synthetic(TONIGHT, seed=1)


@pytest.fixture(scope="session")
def catalogue() -> StarCatalogue:
    return StarCatalogue.load()


@dataclass(frozen=True)
class Oracle:
    """What skyfield says, with DE421 and the same IERS bulletin, read by its own reader."""

    timescale: Any
    planets: Any

    def observer(self, ground: Ground) -> Any:
        return self.planets["earth"] + self.site(ground)

    def site(self, ground: Ground) -> Any:
        return wgs84.latlon(ground.latitude_deg, ground.longitude_deg, elevation_m=ground.elevation_m)

    def satellite(self, lines: tuple[str, str]) -> Any:
        return EarthSatellite(*lines, None, self.timescale)

    def star(self, ra_deg: float, dec_deg: float) -> Any:
        return Star(ra_hours=ra_deg / 15.0, dec_degrees=dec_deg)

    def at(self, instant: datetime) -> Any:
        return self.timescale.from_datetime(instant)


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    folder = tmp_path_factory.mktemp("iers")
    shutil.copy(IERS_A_FILE, folder / "finals2000A.all")
    loader = Loader(folder, verbose=False)
    timescale = loader.timescale(builtin=False)
    with loader.open("finals2000A.all") as bulletin:
        iers.install_polar_motion_table(timescale, iers.parse_x_y_dut1_from_finals_all(bulletin))
    planets = Loader(Path(skyfield_data.__file__).parent / "data", verbose=False)("de421.bsp")
    yield Oracle(timescale, planets)
    planets.close()


class LookMaker(Protocol):
    def __call__(self, boresight: Any = ..., **changes: Any) -> Look: ...


@pytest.fixture
def look() -> LookMaker:
    """A quarter-metre telescope under a dark sky: 256 × 256 pixels of 2″, 2 s; anything may be said otherwise."""

    def made(boresight: Any = (83.0, 20.0), **changes: Any) -> Look:
        settings: dict[str, Any] = {
            "started_at": TONIGHT,
            "exposure_s": 2.0,
            "boresight": boresight if callable(boresight) else lambda _: boresight,
            "rotation_deg": 0.0,
            "width_px": 256,
            "height_px": 256,
            "binning": 1,
            "pixel_scale_arcsec": 2.0,
            "fwhm_arcsec": 5.0,
            "transmission": 1.0,
            "sky_mag_arcsec2": 21.0,
            "aperture_m": 0.25,
            "electrons_per_adu": 1.0,
            "read_noise_e": 2.0,
            "bias_adu": 300.0,
            "full_well_e": 60_000.0,
        }
        return Look(**(settings | changes))

    return made


SkyMaker = Callable[..., Sky]


@pytest.fixture
def sky_of(ground: Ground) -> SkyMaker:
    """A sky of just these stars (right ascension, declination, magnitude) and these satellites."""

    def made(*stars: tuple[float, float, float], swarm: Swarm | None = None, seed: int = 7) -> Sky:
        listed = np.array([*stars, (0.0, -89.0, 10.0)])
        return Sky(unpacked(packed(*listed.T)), swarm or Swarm([]), ground, seed)

    return made


def above_sky(frame: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Counts above the mean of those pixels that hold nothing but sky."""
    counts = frame.astype(np.float64)
    return counts - counts[np.abs(counts - np.median(counts)) <= 5.0 * scatter(frame)].mean()


def scatter(frame: NDArray[np.uint16]) -> float:
    """The noise of the sky between the stars, in counts, at least half of one."""
    return max(1.4826 * float(np.median(np.abs(frame.astype(np.float64) - np.median(frame)))), 0.5)


def centroid(frame: NDArray[np.uint16], x_px: float, y_px: float, *, half_px: int = 12) -> tuple[float, float, float]:
    """Middle (x, y) and counts of what shines in a box around a pixel."""
    left, top = round(x_px) - half_px, round(y_px) - half_px
    box = above_sky(frame)[max(top, 0) : top + 2 * half_px + 1, max(left, 0) : left + 2 * half_px + 1]
    rows, columns = np.mgrid[0 : box.shape[0], 0 : box.shape[1]]
    total = box.sum()
    return (
        float((box * columns).sum() / total) + max(left, 0),
        float((box * rows).sum() / total) + max(top, 0),
        float(total),
    )


def arcsec_between(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The angle between unit vectors, small or large."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1))) * 3600.0
