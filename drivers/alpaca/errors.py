"""What an Alpaca server says when it says no, in our words: one table of its error numbers, one of HTTP statuses."""

import json
from collections.abc import Mapping

from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused, TimedOut
from drivers.wording import one_line


class Unsupported(Refused):
    """The device does not have that member; asking again is of no use."""


# ASCOM Alpaca API reference, "Alpaca error numbers"; drivers' own faults are 0x500 to 0xFFF
BY_NUMBER: Mapping[int, type[DeviceError]] = {
    0x400: Unsupported,  # not implemented
    0x401: Refused,  # invalid value
    0x402: Refused,  # value not set
    0x407: ConnectionLost,  # the server is there, its device is not connected
    0x408: Refused,  # parked
    0x409: Refused,  # slaved
    0x40B: Refused,  # invalid operation
    0x40C: Unsupported,  # action not implemented
    0x40E: Malfunction,  # cancelled, and not by us
}

BY_STATUS: Mapping[int, type[DeviceError]] = {
    401: Refused,
    403: Refused,
    408: TimedOut,
    429: Refused,
    502: ConnectionLost,  # a gateway before a server that is away
    503: ConnectionLost,
    504: TimedOut,
}


def from_number(device: str, doing: str, number: object, message: object) -> DeviceError:
    """The error that the Alpaca error `number` means; a number of nobody's list is a fault of the driver."""
    kind: type[DeviceError] = Malfunction
    code = one_line(repr(number))
    if isinstance(number, int):
        kind, code = BY_NUMBER.get(number, Malfunction), f"{number:#x}"
    return kind(device, doing, f"{one_line(str(message or '')) or 'no reason given'} (Alpaca error {code})")


def from_status(device: str, doing: str, status: int, body: str) -> DeviceError:
    """The error that an HTTP status other than 200 means.

    Some servers send an Alpaca error as JSON with status 400: then its number counts. 400, 404, 405 and 501 without one
    mean that the server knows no such member; other statuses of 500 and above are its own fault.
    """
    number, message = _alpaca_error(body)
    if number:
        return from_number(device, doing, number, message)
    said = f"HTTP status {status}: {one_line(message or body) or 'no reason given'}"
    if status in BY_STATUS:
        return BY_STATUS[status](device, doing, said)
    if status in (400, 404, 405, 501):
        return Unsupported(device, doing, f"{said}; is there such a device at this address?")
    return Refused(device, doing, said) if 400 <= status < 500 else Malfunction(device, doing, said)


def _alpaca_error(body: str) -> tuple[int, str]:
    """Number and message of an Alpaca error reply; (0, "") where `body` is none."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return 0, ""
    if not isinstance(reply, dict):
        return 0, ""
    number, message = reply.get("ErrorNumber"), reply.get("ErrorMessage")
    return (
        number if isinstance(number, int) and not isinstance(number, bool) else 0,
        message if isinstance(message, str) else "",
    )
