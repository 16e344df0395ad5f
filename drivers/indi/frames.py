"""What passes between the bridge and the process that runs pyindi-client: frames of words (JSON) and a body (bytes).

A picture is a body: it is not encoded, and goes straight into the memory it ends in.
"""

import json
import struct
from collections.abc import Mapping
from typing import Final

HEAD: Final = struct.Struct("<IQ")  # lengths of words and body

Words = Mapping[str, object]


def packed(words: Words, body_bytes: int = 0) -> bytes:
    """A frame up to its body of that length, which follows."""
    text = json.dumps(words).encode()
    return HEAD.pack(len(text), body_bytes) + text


def unpacked(text: bytes) -> dict[str, object]:
    """The words of a frame.

    Raises:
        ValueError: they are none.
    """
    words = json.loads(text)
    if not isinstance(words, dict):
        raise ValueError(f"a frame says {text[:40]!r}")  # noqa: TRY004 (what was sent is wrong, not our call)
    return words
