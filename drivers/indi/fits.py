"""A picture as INDI cameras send it: a FITS file in memory, one image, sixteen bits at most.

After the FITS standard 4.0 (https://fits.gsfc.nasa.gov/fits_standard.html), as far as cameras use it. The pixels are
copied once, out of the order of bytes they came in; everything that does not fit is an error, and nothing is guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES: Final = 2880
CARD_BYTES: Final = 80
MOST_BLOCKS: Final = 64  # of a header: two thousand cards

_CARD: Final = re.compile(rb"([A-Z0-9_-]{1,8}) *= *(?:'((?:[^']|'')*)'|([^/ ]+))")


class NotAPicture(ValueError):
    """The bytes are no FITS image of 8 or 16 bits; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`pixels` has shape (height, width), the bottom row first; `header` has the values as they stand in the file."""

    pixels: NDArray[np.uint16]
    header: Mapping[str, str]

    def number(self, keyword: str) -> float | None:
        """None where the keyword is not there, or is no number."""
        try:
            return float(self.header[keyword])
        except (KeyError, ValueError):
            return None


def picture_of(body: memoryview) -> Picture:
    """The image in a FITS file.

    Raises:
        NotAPicture: it is none, or is cut off, or has values that uint16 cannot hold.
    """
    header, begins = _header(body)
    if header.get("SIMPLE") != "T" or header.get("NAXIS") != "2":
        raise NotAPicture(f"no FITS image of two axes (NAXIS is {header.get('NAXIS', 'not there')})")
    width_px, height_px = _whole(header, "NAXIS1"), _whole(header, "NAXIS2")
    bits, zero, scale = (_number(header, *usual) for usual in (("BITPIX", ""), ("BZERO", "0"), ("BSCALE", "1")))
    if (bits, zero, scale) not in ((16, 32768.0, 1.0), (16, 0.0, 1.0), (8, 0.0, 1.0)):
        raise NotAPicture(f"pixels of BITPIX {bits:g}, BZERO {zero:g}, BSCALE {scale:g}; set the camera to 16 bits")
    ends = begins + width_px * height_px * int(bits) // 8
    if len(body) < ends:
        raise NotAPicture(f"cut off: {len(body)} bytes of {ends}")
    wire = np.frombuffer(body[begins:ends], dtype=np.uint8 if bits == 8 else np.dtype(">u2"))
    pixels = wire.astype(np.uint16).reshape(height_px, width_px)
    if zero:
        pixels ^= 0x8000  # as unsigned numbers, the signed ones of the file lie half the range off
    elif bits == 16 and pixels.max(initial=0) > 0x7FFF:
        raise NotAPicture("it has pixels below zero")
    # the standard's first row is the bottom one; most drivers send the top one first, and say so
    return Picture(pixels=pixels[::-1] if header.get("ROWORDER") == "TOP-DOWN" else pixels, header=header)


def _header(body: memoryview) -> tuple[dict[str, str], int]:
    """The cards that have values, and where the data begin."""
    found: dict[str, str] = {}
    for block in range(MOST_BLOCKS):
        cards = bytes(body[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES])
        if len(cards) < BLOCK_BYTES:
            break
        for at in range(0, BLOCK_BYTES, CARD_BYTES):
            card = cards[at : at + CARD_BYTES]
            if card.rstrip() == b"END":
                return found, (block + 1) * BLOCK_BYTES
            if match := _CARD.match(card):
                text = match[3] if match[2] is None else match[2].replace(b"''", b"'")
                found.setdefault(match[1].decode("ascii"), text.decode("ascii", "replace").strip())
    raise NotAPicture("its header has no end")


def _number(header: Mapping[str, str], keyword: str, usual: str = "") -> float:
    try:
        return float(header.get(keyword, usual))
    except ValueError:
        raise NotAPicture(f"its header says {keyword} = {header.get(keyword, 'nothing')}") from None


def _whole(header: Mapping[str, str], keyword: str) -> int:
    value = _number(header, keyword)
    if not (value.is_integer() and 1 <= value <= 1 << 20):
        raise NotAPicture(f"its header says {keyword} = {value:g}")
    return int(value)
