"""Which devices an INDI server offers. Reads what it says of itself and sets nothing."""

from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

import anyio
import anyio.abc

from drivers.errors import ConnectionLost, Malfunction, TimedOut
from drivers.wording import one_line

QUESTION: Final = b"<getProperties version='1.7'/>\n"  # INDI protocol 1.7
QUIET_S: Final = 0.5  # a server that has said nothing for so long has named all its devices
CONNECT_WITHIN_S: Final = 5.0
LONGEST_STREAM_BYTES: Final = 16 << 20
LONGEST_NAME: Final = 128
MOST_DEVICES: Final = 256
DEEPEST: Final = 8


async def offered_by(address: str, *, wait_s: float) -> list[str]:
    """The devices of the server at `address` (host:port), in the order they are named; at most `wait_s` are waited.

    A server without drivers says nothing: no devices.

    Raises:
        ConnectionLost: nobody listens there, or it hangs up before it names a device.
        Malfunction: what it sends is not INDI.
    """
    server = f"INDI server {address}"
    devices = _Devices(server)
    host, _, port = address.rpartition(":")
    try:
        with anyio.fail_after(CONNECT_WITHIN_S):
            stream = await anyio.connect_tcp(host.strip("[]"), int(port))
    except TimeoutError as error:
        raise TimedOut(server, "connect", f"no answer within {CONNECT_WITHIN_S:g} s") from error
    except OSError as error:
        raise ConnectionLost(server, "connect", str(error)) from error
    async with stream:
        try:
            await stream.send(QUESTION)
            with anyio.move_on_after(wait_s):
                await _listen(stream, devices)
        except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
            if not devices.names:
                raise ConnectionLost(server, "ask for its devices", "it hung up") from error
    return list(devices.names)


async def _listen(stream: anyio.abc.ByteStream, devices: "_Devices") -> None:
    """Read until nothing has come for a while after the first words."""
    devices.feed(await stream.receive())
    while True:
        with anyio.move_on_after(QUIET_S) as quiet:
            chunk = await stream.receive()
        if quiet.cancelled_caught:
            return
        devices.feed(chunk)


class _Devices:
    """The names of devices in an INDI stream, parsed as it comes.

    The stream has no root element: one is put before it. So a document type, and with it any entity, is an error.
    """

    def __init__(self, server: str) -> None:
        self.names: dict[str, None] = {}  # a set that keeps the order
        self._server = server
        self._depth = 0
        self._bytes = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.Parse(b"<stream>")

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            Malfunction: they are not INDI, or far too many.
        """
        self._bytes += len(chunk)
        if self._bytes > LONGEST_STREAM_BYTES:
            raise self._wrong(f"it sent more than {LONGEST_STREAM_BYTES >> 20} MiB")
        try:
            self._parser.Parse(chunk)
        except expat.ExpatError as error:
            raise self._wrong(f"it does not speak INDI: {error}") from error

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._wrong(f"its elements are nested more than {DEEPEST} deep")
        device = attributes.get("device")
        if self._depth != 2 or device is None:
            return
        if name.startswith("def"):
            if len(device) > LONGEST_NAME or len(self.names) >= MOST_DEVICES:
                raise self._wrong(f"it names a device of {len(device)} letters after {len(self.names)} others")
            self.names[one_line(device)] = None
        elif name == "delProperty" and "name" not in attributes:  # the whole device is gone
            self.names.pop(one_line(device), None)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            raise self._wrong("it closes an element it never opened")

    def _wrong(self, what: str) -> Malfunction:
        return Malfunction(self._server, "ask for its devices", what)
