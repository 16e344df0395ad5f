"""A table of numbers in JSON, read column after column.

The whole at one go would take half a gigabyte for nine megapixels, and a second in which no other thread of the
programme runs: not the one of a stop either.
"""

import json
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from drivers.alpaca.wire import LONGEST_REPLY_BYTES

_BEGINS = re.compile(r'"Value"\s*:\s*\[\s*(?=\[)')
_BETWEEN = re.compile(r"\s*([,\]])\s*")
_DECODER = json.JSONDecoder()


def read_table(text: str) -> tuple[list[NDArray[np.generic]], Mapping[str, object]]:
    """The columns of the table `Value` in an Alpaca reply, of whatever they hold; and the reply without it.

    No columns where it has no table.

    Raises:
        ValueError, RecursionError: it is no JSON, or not a reply. ValueError, TypeError, OverflowError: a column that
            cannot be an array.
    """
    begins = _BEGINS.search(text)
    columns: list[NDArray[np.generic]] = []
    around = text
    if begins is not None:
        at, mark = begins.end(), ","
        while mark == ",":
            column, at = _DECODER.raw_decode(text, at)
            columns.append(np.array(column))
            between = _BETWEEN.match(text, at)
            if between is None:
                raise ValueError(f"neither comma nor end after column {len(columns)}")
            mark, at = between[1], between.end()
        around = f'{text[: begins.start()]}"Value": null{text[at:]}'
    if len(around) > LONGEST_REPLY_BYTES:
        raise ValueError(f"{len(around)} characters around its table")
    reply = json.loads(around)
    if not isinstance(reply, dict):
        raise ValueError("it is no reply")  # noqa: TRY004 (of what was read, as all else here)
    return columns, reply
