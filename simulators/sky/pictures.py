"""Frames as pictures for people: stretched so that the faint shows, as PNG, with nothing but numpy and zlib."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DARK_SIGMAS = 1.0
_SOFT_SIGMAS = 3.0
_WHITE_SIGMAS = 400.0


def png_of(pixels: NDArray[np.uint16], *, shrink: int = 1) -> bytes:
    """A grey PNG of a frame, row 0 at the top; `shrink` × `shrink` pixels become one, their mean.

    Rows and columns left over at the lower and right edge are dropped.
    """
    grey = stretched(_shrunk(pixels, shrink))
    height, width = grey.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter, 0 for none
    rows[:, 1:] = grey
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    content = zlib.compress(rows.tobytes(), 6)
    return _SIGNATURE + b"".join(_chunk(*part) for part in ((b"IHDR", header), (b"IDAT", content), (b"IEND", b"")))


def stretched(pixels: NDArray[np.floating | np.integer]) -> NDArray[np.uint8]:
    """Grey values: black a little below the background, white far above its noise, asinh between.

    Background and noise are the median and the scatter (1.4826 times the median deviation) of a sample of the pixels.
    """
    sample = pixels.reshape(-1)[:: max(pixels.size // 100_000, 1)].astype(np.float64)
    background = np.median(sample)
    noise = max(1.4826 * float(np.median(np.abs(sample - background))), 1e-3)
    above = (pixels.astype(np.float32) - np.float32(background - _DARK_SIGMAS * noise)) / np.float32(noise)
    shade = np.arcsinh(np.maximum(above, 0.0) / _SOFT_SIGMAS) / np.arcsinh(_WHITE_SIGMAS / _SOFT_SIGMAS)
    return np.asarray(np.clip(shade * 255.0, 0.0, 255.0), dtype=np.uint8)


def _shrunk(pixels: NDArray[np.uint16], shrink: int) -> NDArray[np.floating | np.integer]:
    if shrink == 1:
        return pixels
    height, width = (size // shrink for size in pixels.shape)
    blocks = pixels[: height * shrink, : width * shrink].reshape(height, shrink, width, shrink)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
