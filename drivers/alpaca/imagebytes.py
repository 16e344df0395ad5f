"""Pictures from an Alpaca camera, read straight into the array they end in; lengths are checked before memory is taken.

The binary form is that of the ASCOM Alpaca API reference, "ImageBytes": a header of eleven little-endian int32, then
the pixels column by column. Pictures as JSON are read too, up to a size.
"""

import http.client
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.alpaca.errors import from_number, from_status
from drivers.alpaca.tables import read_table
from drivers.alpaca.wire import LONGEST_REPLY_BYTES, Budget, Exchange, foreign_error, read_text
from drivers.errors import ConnectionLost, Malfunction, Refused

LONGEST_JSON_BYTES = 64 << 20  # about nine megapixels
LONGEST_HEADER_BYTES = 1 << 16
READ = "read the picture"

_HEADER = struct.Struct("<11i")
_WIRE_TYPES = {1: "<i2", 2: "<i4", 3: "<f8", 4: "<f4", 5: "<u8", 6: "u1", 7: "<i8", 8: "<u2", 9: "<u4"}
_CHUNK_PX = 1 << 17  # what is being converted stays in the processor's cache
_Pixels = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The picture that was exposed, by the camera named `device`; what arrives must be that one."""

    device: str
    width_px: int
    height_px: int

    def require(self, holds: bool, otherwise: str) -> None:
        """Raise a Malfunction that says `otherwise` unless `holds`."""
        if not holds:
            raise Malfunction(self.device, READ, otherwise)

    def require_size(self, *dimensions: int) -> None:
        if len(dimensions) == 3:
            raise Refused(
                self.device, READ, "it has colour planes; choose a raw or monochrome mode in the camera's driver"
            )
        wanted = (self.width_px, self.height_px)
        self.require(dimensions == wanted, f"it has the size {dimensions} px, and {wanted} px were exposed")


class Picture:
    """One download of the last picture of a camera. `read` blocks; `stop`, from another thread, makes it end early."""

    def __init__(self, address: str, device_number: int, expected: Expected) -> None:
        self._address = address
        self._path = f"/api/v1/camera/{device_number}/imagearray"
        self._expected = expected
        self._budget = Budget()

    def stop(self) -> None:
        self._budget.cancel()

    def read(self, within_s: float) -> _Pixels:
        """The picture, of shape (height, width), first row at the bottom: a view of what was received.

        Raises:
            TimedOut: not all of it came within `within_s` real seconds, from the first byte to the last.
            ConnectionLost: it broke off.
            Malfunction: it is no picture, or not the one that was exposed, or a pixel does not fit into uint16.
            Refused: the camera says no; the picture has colour planes.
        """
        most_bytes = max(LONGEST_JSON_BYTES, 8 * self._expected.width_px * self._expected.height_px)
        self._budget.renew(within_s=within_s, max_bytes=most_bytes + 2 * LONGEST_HEADER_BYTES)
        try:
            with Exchange(self._address, self._budget) as exchange:
                exchange.request("GET", self._path, headers={"Accept": "application/imagebytes, application/json"})
                with exchange.getresponse() as response:
                    columns = read_columns(response, self._expected)
        except (OSError, http.client.HTTPException) as error:
            raise foreign_error(self._expected.device, READ, error, self._budget) from error
        return columns.T[::-1]  # Alpaca counts rows from the top, FITS from the bottom


def read_columns(response: http.client.HTTPResponse, expected: Expected) -> _Pixels:
    """The picture of an answer as Alpaca has it: shape (width, height), columns of pixels from the top down."""
    if response.status != 200:
        raise from_status(expected.device, READ, response.status, read_text(response, LONGEST_REPLY_BYTES))
    encoding = response.getheader("Content-Encoding", "identity")
    expected.require(encoding == "identity", f"it is encoded as {encoding:.20}, which was not asked for")
    kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/imagebytes":
        return _from_imagebytes(response, expected)
    expected.require(kind == "application/json", f"it is of type {kind[:60]!r}; is this an Alpaca camera?")
    return _from_json(read_text(response, LONGEST_JSON_BYTES), expected)


def _from_imagebytes(response: http.client.HTTPResponse, expected: Expected) -> _Pixels:
    wire_type, padding_bytes = _read_header(response, expected)
    count = expected.width_px * expected.height_px
    announced = padding_bytes + count * wire_type.itemsize
    expected.require(  # `length` is what is left after the header, None where the server does not say
        response.length in (None, announced),
        f"{response.length} bytes follow the header, which announces {announced}",
    )
    _fill(response, bytearray(padding_bytes), expected)
    pixels = np.empty(count, dtype=np.uint16)
    if wire_type == pixels.dtype:
        _fill(response, pixels.data, expected)
    else:
        _convert(response, wire_type, pixels, expected)
    expected.require(not response.read(1), "it goes on after its last pixel")
    return pixels.reshape(expected.width_px, expected.height_px)


def _read_header(response: http.client.HTTPResponse, expected: Expected) -> tuple[np.dtype[np.generic], int]:
    """The type of the pixels, and how many bytes lie between header and pixels."""
    raw = bytearray(_HEADER.size)
    _fill(response, raw, expected)
    version, error, _, _, data_start, _, wire_type, rank, *dimensions = _HEADER.unpack(raw)
    start_is_good = _HEADER.size <= data_start <= LONGEST_HEADER_BYTES
    if error != 0:
        _fill(response, bytearray(data_start - _HEADER.size if start_is_good else 0), expected)
        raise from_number(expected.device, READ, error, response.read(4096).decode("utf-8", errors="replace"))
    expected.require(version == 1, f"its header is of version {version}, not 1")
    expected.require(start_is_good, f"its header says that the pixels start at byte {data_start}")
    expected.require(wire_type in _WIRE_TYPES, f"its pixels are of type {wire_type}, which nobody knows")
    expected.require(rank in (2, 3), f"it has {rank} axes")
    expected.require_size(*dimensions[:rank])
    return np.dtype(_WIRE_TYPES[wire_type]), data_start - _HEADER.size


def _fill(response: http.client.HTTPResponse, target: bytearray | memoryview, expected: Expected) -> None:
    """Read until `target` is full."""
    view = memoryview(target).cast("B")
    got = 0
    while got < len(view):
        count = response.readinto(view[got:])
        if not count:
            raise ConnectionLost(expected.device, READ, f"it broke off: {got} of {len(view)} bytes came")
        got += count


def _convert(
    response: http.client.HTTPResponse, wire_type: np.dtype[np.generic], pixels: _Pixels, expected: Expected
) -> None:
    buffer = np.empty(_CHUNK_PX * wire_type.itemsize, dtype=np.uint8)
    for start in range(0, pixels.size, _CHUNK_PX):
        part = pixels[start : start + _CHUNK_PX]
        raw = buffer[: part.size * wire_type.itemsize]
        _fill(response, raw.data, expected)
        _narrow(raw.view(wire_type), part, expected)


def _narrow(values: NDArray[np.generic], pixels: _Pixels, expected: Expected) -> None:
    """Copy `values` into `pixels`, of the same shape; each must be a whole number that uint16 holds."""
    low, high = values.min(), values.max()
    for value in (low, high):
        expected.require(bool(0 <= value <= 65535), f"it has a pixel of {value}, which is not within 0 to 65535")
    np.copyto(pixels, values, casting="unsafe")
    if values.dtype.kind == "f":
        broken = values[pixels != values]
        expected.require(not broken.size, f"it has a pixel of {broken[:1]}, which is no whole number of ADU")


def _from_json(text: str, expected: Expected) -> _Pixels:
    try:
        columns, reply = read_table(text)
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise Malfunction(expected.device, READ, f"it is JSON, but no table of numbers: {error!s:.100}") from error
    if reply.get("ErrorNumber"):
        raise from_number(expected.device, READ, reply["ErrorNumber"], reply.get("ErrorMessage"))
    shapes = {column.shape for column in columns}
    numbers = all(column.dtype.kind in "iuf" and column.ndim in (1, 2) for column in columns)
    expected.require(numbers and len(shapes) == 1, "it is JSON, but no table of numbers")
    expected.require_size(len(columns), *shapes.pop())
    pixels = np.empty((expected.width_px, expected.height_px), dtype=np.uint16)
    for values, part in zip(columns, pixels, strict=True):
        _narrow(values, part, expected)
    return pixels
