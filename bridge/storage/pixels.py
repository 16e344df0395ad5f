"""The pixels of a frame as FITS stores them, piece after piece: 16 bits, signed, the highest byte first.

uint16 is stored as int16 less 32768 (BZERO): the same bits with the highest one flipped. On 61 megapixels the digest is
what takes longest, so it has a thread of its own, and the disk is written to meanwhile.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future

import numpy as np
from numpy.typing import NDArray

from bridge.storage.checksums import ones_sum, sum_of_pixels

_PIECE_BYTES = 1 << 20
_BUFFERS = 5

_FLIP = np.uint16(0x8000)
_STORED_FLIP = np.array(0x8000, dtype=">u2").view(np.uint16)[()]  # the same bit where the bytes already stand in order


def sum_of_stored(pixels: NDArray[np.uint16], helper: Executor) -> int:
    """What the words of the stored pixels add up to (DATASUM); `helper` adds up one half."""
    rows = _rows(pixels)
    middle = len(pixels) // 2 // rows * rows
    half = helper.submit(_sum, pixels[:middle], rows)
    return ones_sum(_sum(pixels[middle:], rows) + half.result())


def stored_pieces(
    pixels: NDArray[np.uint16], helper: Executor, also: Callable[[memoryview], None]
) -> Iterator[memoryview]:
    """The stored bytes in order, for the caller to write, while `helper` does `also` with each, in order as well.

    A piece is good until the next but `_BUFFERS` - 1 is asked for. When all have been yielded, `also` is done with all.
    """
    rows = _rows(pixels)
    buffers = [np.empty((min(rows, len(pixels)), pixels.shape[1]), dtype=np.uint16) for _ in range(_BUFFERS)]
    under_way: list[Future[None]] = []
    for row in range(0, len(pixels), rows):
        if len(under_way) == _BUFFERS:
            under_way.pop(0).result()
        some = pixels[row : row + rows]
        stored = buffers[row // rows % _BUFFERS][: len(some)]
        stored.view(">u2")[...] = some
        np.bitwise_xor(stored, _STORED_FLIP, out=stored)
        piece = stored.data.cast("B")
        under_way.append(helper.submit(also, piece))
        yield piece
    for one in under_way:
        one.result()


def _rows(pixels: NDArray[np.uint16]) -> int:
    """How many rows make a piece: an even number, so that only the last may have an odd number of pixels."""
    width_px: int = pixels.shape[1]
    return max(2, _PIECE_BYTES // (4 * width_px) * 2)


def _sum(pixels: NDArray[np.uint16], rows: int) -> int:
    buffer = np.empty((min(rows, len(pixels)), pixels.shape[1]), dtype=np.uint16)
    total: int = 0
    for row in range(0, len(pixels), rows):
        some = pixels[row : row + rows]
        flipped = np.bitwise_xor(some, _FLIP, out=buffer[: len(some)]).reshape(-1)
        total += sum_of_pixels(flipped if flipped.size % 2 == 0 else np.append(flipped, np.uint16(0)))
    return total
