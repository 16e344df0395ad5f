"""The two checksums of FITS (standard 4.0, appendix J): sums in ones' complement of 32-bit words."""

import numpy as np
from numpy.typing import NDArray

# What the words of a whole unit with a good CHECKSUM add up to.
ALL_ONES = 0xFFFFFFFF

# Characters between the digits and the letters are not allowed: each byte is spread over four characters, which are
# moved apart in pairs until none of them is one of these.
_FORBIDDEN = frozenset(b":;<=>?@[\\]^_`")
_ZERO = 0x30


def ones_sum(total: int) -> int:
    """`total` folded to 32 bits, carries added back at the low end."""
    while total > ALL_ONES:
        total = (total & ALL_ONES) + (total >> 32)
    return total


def sum_of_bytes(block: bytes) -> int:
    """The sum of big-endian words in `block`, whose length is a multiple of 4."""
    return ones_sum(int(np.frombuffer(block, dtype=">u4").sum(dtype=np.uint64)))


def sum_of_pixels(flipped: NDArray[np.uint16]) -> int:
    """The sum of the words that `flipped` makes once written big-endian.

    `flipped` is one-dimensional, contiguous, of even length and in this computer's byte order. Two pixels read as one
    native word stand in it in the wrong order; turning the folded sum by 16 bits puts all of them right at once,
    since 65536 is its own inverse modulo 2³² - 1.
    """
    native = ones_sum(int(flipped.view("<u4").sum(dtype=np.uint64)))
    return ones_sum(native << 16)


def checksum_text(total: int) -> str:
    """The 16 characters which, in a card's value field (from the 12th character on), take `total` to all ones."""
    word = ~total & ALL_ONES
    columns = []
    for byte in word.to_bytes(4, "big"):
        quarter, rest = divmod(byte, 4)
        columns.append(_without_forbidden([quarter + rest + _ZERO, quarter + _ZERO, quarter + _ZERO, quarter + _ZERO]))
    text = bytes(columns[column][row] for row in range(4) for column in range(4))
    return (text[-1:] + text[:-1]).decode("ascii")


def _without_forbidden(four: list[int]) -> list[int]:
    """The same sum in allowed characters."""
    while any(one in _FORBIDDEN for one in four):
        for first in (0, 2):
            if four[first] in _FORBIDDEN or four[first + 1] in _FORBIDDEN:
                four[first] += 1
                four[first + 1] -= 1
    return four
