"""What the platform asks of a FITS file before it looks for stars. A reader of its own: eighty characters a card."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

BLOCK_BYTES = 2880
CARD_BYTES = 80
_CARDS_A_BLOCK = BLOCK_BYTES // CARD_BYTES
_MOST_BLOCKS = 200
_BITS = ("8", "16", "32", "64", "-32", "-64")


def fault_of(path: Path, task_id: UUID | None) -> str | None:
    """Why this file cannot be processed, in a sentence; nothing where it can.

    It must be whole blocks, begin as a FITS file does, have the mandatory cards and `DATE-OBS`, be as long as its
    header says, and name the task it was uploaded for where it names one.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        if file.read(9) != b"SIMPLE  =":
            return "not a FITS file: it does not begin with 'SIMPLE  ='"
        if size_bytes % BLOCK_BYTES:
            return f"not a FITS file: {size_bytes} bytes are no multiple of {BLOCK_BYTES}"
        file.seek(0)
        header = bytearray()
        for _ in range(_MOST_BLOCKS):
            block = file.read(BLOCK_BYTES)
            if not block:
                return "the header has no END card"
            header += block
            if any(_card(block, place).rstrip() == b"END" for place in range(_CARDS_A_BLOCK)):
                return _fault_in(cards_of(bytes(header)), size_bytes - len(header), task_id)
    return f"the header has no END card within {_MOST_BLOCKS} blocks"


def cards_of(header: bytes) -> Mapping[str, str]:
    """The values of the header's cards as text, strings without their quotes; of a repeated keyword the first."""
    cards: dict[str, str] = {}
    for place in range(len(header) // CARD_BYTES):
        card = _card(header, place)
        keyword = card[:8].decode("latin-1").rstrip()
        if keyword == "END":
            break
        if card[8:10] == b"= ":
            cards.setdefault(keyword, _value(card[10:].decode("latin-1")))
    return cards


def _card(block: bytes, place: int) -> bytes:
    return block[place * CARD_BYTES : (place + 1) * CARD_BYTES]


def _value(text: str) -> str:
    text = text.strip()
    if not text.startswith("'"):
        return text.partition("/")[0].strip()
    kept = ""
    rest = text[1:]
    while "'" in rest:
        piece, _, rest = rest.partition("'")
        kept += piece
        if not rest.startswith("'"):
            break
        kept, rest = kept + "'", rest[1:]
    return kept.rstrip()


def _fault_in(cards: Mapping[str, str], data_bytes: int, task_id: UUID | None) -> str | None:
    if cards.get("SIMPLE") != "T":
        return f"SIMPLE is {cards.get('SIMPLE')!r}, not T"
    if cards.get("BITPIX") not in _BITS:
        return f"BITPIX is {cards.get('BITPIX')!r}, none of {', '.join(_BITS)}"
    needed = _bytes_needed(cards)
    if isinstance(needed, str):
        return needed
    if data_bytes < needed:
        return f"the pixels are cut off: {needed} bytes by the header, {data_bytes} after it"
    if not cards.get("DATE-OBS"):
        return "DATE-OBS is missing: the orbit cannot be propagated to the exposure"
    named = cards.get("TASKID")
    if named is not None and task_id is not None and named.lower() != str(task_id):
        return f"TASKID is {named}, but the upload was for task {task_id}"
    return None


def _bytes_needed(cards: Mapping[str, str]) -> int | str:
    """The length of the primary data unit, or what is wrong with the cards that give it."""
    axes = cards.get("NAXIS", "")
    if not (axes.isdecimal() and int(axes) <= 999):
        return f"NAXIS is {cards.get('NAXIS')!r}, no number of axes"
    pixels = 1 if int(axes) else 0
    for number in range(1, int(axes) + 1):
        length = cards.get(f"NAXIS{number}", "")
        if not (length.isdecimal() and len(length) < 20):
            return f"NAXIS{number} is {cards.get(f'NAXIS{number}')!r}, no length of an axis"
        pixels *= int(length)
    return pixels * abs(int(cards["BITPIX"])) // 8
