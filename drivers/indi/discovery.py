"""Which devices an INDI server offers. Reads what it says of itself and sets nothing."""

from typing import Final

import anyio
import anyio.abc

from drivers.errors import ConnectionLost, Malfunction, TimedOut
from drivers.indi.elements import asking
from drivers.indi.errors import NotIndi
from drivers.indi.parsing import Parser
from drivers.indi.properties import Defined, Deleted, Event, Vector
from drivers.wording import one_line

QUIET_S: Final = 0.5  # a server that has said nothing for so long has named all its devices
CONNECT_WITHIN_S: Final = 5.0
LONGEST_STREAM_BYTES: Final = 16 << 20
LONGEST_NAME: Final = 128
MOST_DEVICES: Final = 256


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
            await stream.send(asking())
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
    """The names of devices in what a server says."""

    def __init__(self, server: str) -> None:
        self.names: dict[str, None] = {}  # a set that keeps the order
        self._server = server
        self._bytes = 0
        self._parser = Parser(self._hear)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            Malfunction: they are not INDI, or far too many.
        """
        self._bytes += len(chunk)
        if self._bytes > LONGEST_STREAM_BYTES:
            raise self._wrong(f"it sent more than {LONGEST_STREAM_BYTES >> 20} MiB")
        try:
            self._parser.feed(chunk)
        except NotIndi as error:
            raise self._wrong(f"it does not speak INDI: {error}") from error

    def _hear(self, event: Event) -> None:
        match event:
            case Defined(vector=Vector(device=device)):
                if len(device) > LONGEST_NAME or len(self.names) >= MOST_DEVICES:
                    raise self._wrong(f"it names a device of {len(device)} letters after {len(self.names)} others")
                self.names[one_line(device)] = None
            case Deleted(device=device, name=None):
                self.names.pop(one_line(device), None)

    def _wrong(self, what: str) -> Malfunction:
        return Malfunction(self._server, "ask for its devices", what)
