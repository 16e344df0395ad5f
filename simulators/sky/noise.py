"""From electrons to counts: shot noise, read noise, full well, gain, bias and the converter's end, in row blocks."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_POOL = 1 << 22
_BLOCK_ROWS = 32
_CONVERTER_END = 65_535.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A delivered pixel: the sky in it, its noise and its limits, in electrons, and how electrons become counts."""

    sky_e: float
    read_noise_e: float
    full_well_e: float
    electrons_per_adu: float
    bias_adu: float

    def read(self, electrons: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.uint16]:
        """The frame as read out, same shape. Equal generators give equal frames.

        Shot noise is Gaussian with the variance of the electrons, which a Poisson law is from twenty electrons on.
        Noise comes from a pool of four million normal numbers, entered elsewhere for each block of rows.
        """
        height, width = electrons.shape
        counts = np.empty((height, width), np.uint16)
        pool = _noise_pool(max(_POOL, 2 * _BLOCK_ROWS * width))
        for row in range(0, height, _BLOCK_ROWS):
            block = electrons[row : row + _BLOCK_ROWS] + np.float32(self.sky_e)
            start = int(random.integers(0, len(pool) - block.size + 1))
            noise = np.sqrt(block + np.float32(self.read_noise_e**2))
            noise *= pool[start : start + block.size].reshape(block.shape)
            block += noise
            np.minimum(block, np.float32(self.full_well_e), out=block)
            block *= np.float32(1.0 / self.electrons_per_adu)
            block += np.float32(self.bias_adu + 0.5)
            np.clip(block, 0.0, _CONVERTER_END, out=block)
            counts[row : row + _BLOCK_ROWS] = block
        return counts


@lru_cache(maxsize=2)
def _noise_pool(size: int) -> NDArray[np.float32]:
    return np.random.default_rng(0x0153).standard_normal(size, np.float32)
