"""What alpyca and the HTTP under it raise, in our words: one table."""

from typing import Final

import requests
import urllib3
from alpaca import exceptions

from drivers.alpaca import wire
from drivers.alpaca.errors import from_number, from_status
from drivers.errors import ConnectionLost, DeviceError, Malfunction, TimedOut
from drivers.wording import one_line

_ALPACA_ERRORS: Final[tuple[type[Exception], ...]] = (
    exceptions.NotImplementedException,
    exceptions.InvalidValueException,
    exceptions.ValueNotSetException,
    exceptions.NotConnectedException,
    exceptions.ParkedException,
    exceptions.SlavedException,
    exceptions.InvalidOperationException,
    exceptions.ActionNotImplementedException,
    exceptions.OperationCancelledException,
    exceptions.DriverException,
)
# What alpyca does not raise by itself: the first that fits counts. Alpaca's own numbers and HTTP statuses: errors.py.
_TABLE: Final[tuple[tuple[type[Exception], type[DeviceError], str], ...]] = (
    (requests.ConnectTimeout, ConnectionLost, "nobody answers at this address"),
    (requests.Timeout, TimedOut, "no answer"),
    (requests.exceptions.ChunkedEncodingError, ConnectionLost, "the answer broke off"),
    (requests.ConnectionError, ConnectionLost, "no connection"),
    (requests.TooManyRedirects, Malfunction, "the server sends us elsewhere"),
    (requests.exceptions.ContentDecodingError, Malfunction, "the answer cannot be read"),
    (requests.exceptions.JSONDecodeError, Malfunction, "the answer is no JSON"),
    (requests.RequestException, Malfunction, "the answer is not HTTP as Alpaca wants it"),
    (OSError, ConnectionLost, "no connection"),
    (LookupError, Malfunction, "the answer lacks a key that Alpaca wants"),
    (ValueError, Malfunction, "the answer has a value that Alpaca does not know"),
    (TypeError, Malfunction, "the answer is not built as Alpaca wants"),
    (RecursionError, Malfunction, "the answer is nested without end"),
)
FOREIGN: Final = (*_ALPACA_ERRORS, exceptions.AlpacaRequestException, *(kind for kind, _, _ in _TABLE))


def in_our_words(device: str, doing: str, error: Exception, budget: wire.Budget) -> DeviceError:
    """The error of ours that `error`, one of FOREIGN, means; `budget` is that of the exchange."""
    if isinstance(error, _ALPACA_ERRORS):
        return from_number(device, doing, error.number, error.message)  # type: ignore[attr-defined]
    if isinstance(error, exceptions.AlpacaRequestException):
        return from_status(device, doing, error.number, error.message.rpartition(" (URL ")[0])
    if budget.too_long or budget.late:
        return wire.foreign_error(device, doing, error, budget)
    ours, meaning = next((ours, meaning) for kind, ours, meaning in _TABLE if isinstance(error, kind))
    return ours(device, doing, f"{meaning}: {_plainly(error) or one_line(str(error)) or type(error).__name__}")


def _plainly(error: Exception) -> str:
    """Where nothing could be connected to, and what the system said; the rest is how libraries wrap it up."""
    inner: object = error
    while isinstance(inner, BaseException):
        if isinstance(inner, urllib3.exceptions.MaxRetryError) and inner.pool is not None:
            refused = _system_error(inner.reason)
            return f"{inner.pool.host}:{inner.pool.port}: {refused}" if refused else ""
        inner = inner.args[0] if inner.args else None
    return ""


def _system_error(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror.lower()
        error = error.__cause__ or error.__context__
    return ""
