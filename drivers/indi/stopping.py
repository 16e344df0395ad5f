"""A second connection to a device, for its stop alone (docs/decisions/0008-a-stop-is-behind-nothing.md)."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio

from drivers.config import IndiDevice
from drivers.errors import ConnectionLost
from drivers.indi.heard import Heard
from drivers.indi.heartbeat import Heartbeat
from drivers.indi.link import DESCRIBED_WITHIN_S, Link
from drivers.indi.native import open_native
from drivers.indi.properties import Event, Kind, New, PingReply

ANSWERS_WITHIN_S: Final = 10.0
KNOWN_WITHIN_S: Final = 1.0
KNOWN_EVERY_S: Final = 0.01
AT_ONCE_WITHIN_S: Final = 5.0  # for a server to take a stop of a device that nobody is connected to


class StopLine:
    """What stops a device, and shows that it stands, whatever its own connection is busy with or stuck in."""

    def __init__(self, link: Link, own: Link) -> None:
        self.link = link  # for readings, and for what else belongs to a stop
        self._own = own

    async def press(self, prop: str, element: str = "ABORT") -> None:
        """Press this button on both connections, and wait for the answer on this one.

        On the device's own it comes behind whatever was sent there before, so that no command overtakes it; that one
        may be stuck, and is not waited for. Pressing twice does no harm.

        Raises:
            DeviceError: as a Link's.
        """
        self._own.press(prop, element)
        await self.link.choose(prop, element, within_s=ANSWERS_WITHIN_S, finished=False)

    async def until_known(self, stands: Callable[[], bool]) -> None:
        """Until the device's own connection has heard of it too, where it hears anything."""
        with anyio.move_on_after(KNOWN_WITHIN_S):
            try:
                while not stands():
                    await anyio.sleep(KNOWN_EVERY_S)
            except ConnectionLost:
                return  # it stands; what needs that connection next will say that it is lost


class _Twin:
    """Hears for the second connection. Where it is lost the device counts as lost: it could not be stopped for sure."""

    def __init__(self, heard: Heard, own: Link) -> None:
        self._heard = heard
        self._own = own
        self.closing = False

    def hear(self, event: Event) -> None:
        self._heard.hear(event)

    def lose(self, why: str) -> None:
        self._heard.lose(why)
        if not self.closing:
            self._own.lose(f"the connection for its stop: {why}")


@asynccontextmanager
async def stop_line(own: Link, settings: IndiDevice, *, needs: Sequence[str]) -> AsyncGenerator[StopLine, None]:
    """The second connection to the device of `own`, knowing the properties it `needs`; native, whatever the first is.

    Raises:
        ConnectionLost: the server takes none.
        Refused: it does not come to know a property.
    """
    heard = Heard(own.name, settings.device)
    twin = _Twin(heard, own)
    host, port = settings.server
    try:
        transport = await open_native(host, port, settings.device, twin)
    except OSError as error:
        raise ConnectionLost(own.name, "connect for its stop", str(error) or type(error).__name__) from error
    heartbeat = Heartbeat(transport, twin.lose)
    link = Link(heard, transport)
    try:
        for prop in ("CONNECTION", *needs):
            await link.wait_for(prop, within_s=DESCRIBED_WITHIN_S)
        heard.expected_on = True
        yield StopLine(link, own)
    finally:
        twin.closing = True
        heartbeat.stop()
        with anyio.CancelScope(shield=True):
            await transport.close()


async def stop_unseen(settings: IndiDevice, stops: Sequence[tuple[str, str]]) -> None:
    """Press these buttons of a device that nobody is connected to: for while connecting it hangs. Nothing is read back.

    Raises:
        ConnectionLost: there is no server, or it does not take them.
    """
    name = f"'{settings.device}' at {settings.address}"
    host, port = settings.server
    taken = _Taken()
    try:
        transport = await open_native(host, port, settings.device, taken)
    except OSError as error:
        raise ConnectionLost(name, "stop", str(error) or type(error).__name__) from error
    try:
        for prop, element in stops:
            transport.send(New(kind=Kind.SWITCH, device=settings.device, name=prop, values={element: True}))
        transport.ping()
        with anyio.move_on_after(AT_ONCE_WITHIN_S):
            await taken.over.wait()
    finally:
        with anyio.CancelScope(shield=True):
            await transport.close()
    if not taken.answered:
        raise ConnectionLost(name, "stop", "the server does not say that it has taken it")


class _Taken:
    """Waits for the word that all before it was taken."""

    def __init__(self) -> None:
        self.over = anyio.Event()
        self.answered = False

    def hear(self, event: Event) -> None:
        if isinstance(event, PingReply):
            self.answered = True
            self.over.set()

    def lose(self, why: str) -> None:
        self.over.set()
