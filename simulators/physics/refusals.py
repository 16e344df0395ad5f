"""How a simulated device says no: in ASCOM's own terms, whichever way it is reached."""

from enum import IntEnum


class Reason(IntEnum):
    """Why; the values are ASCOM's error numbers."""

    NOT_IMPLEMENTED = 0x400
    INVALID_VALUE = 0x401
    VALUE_NOT_SET = 0x402
    NOT_CONNECTED = 0x407
    PARKED = 0x408
    SLAVED = 0x409
    INVALID_OPERATION = 0x40B
    ACTION_NOT_IMPLEMENTED = 0x40C
    CANCELLED = 0x40E
    DRIVER = 0x500


class Refusal(Exception):
    """A device declined, and nothing has changed.

    Any number may stand in for a `Reason`, so that faults can say what real drivers say (0x500 to 0xFFF are their own).
    """

    def __init__(self, reason: int, what: str) -> None:
        super().__init__(what)
        self.reason = int(reason)


def refuse_unless(allowed: bool, reason: Reason, what: str) -> None:
    """Raise a Refusal where something is not allowed."""
    if not allowed:
        raise Refusal(reason, what)
