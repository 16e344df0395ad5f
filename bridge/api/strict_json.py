"""JSON from outside: what Python's reader lets pass and JSON does not allow, or no computer can use, is refused."""

import json
import math
from typing import Any


def parse_json(body: bytes) -> Any:
    """The value in `body` (UTF-8, with or without a byte order mark).

    Raises:
        ValueError: not JSON; NaN or an infinity, also as 1e999; nested too deep; an integer of thousands of digits.
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return value
