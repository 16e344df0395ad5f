"""From settings to a connected Alpaca device, and to the second way to it on which it is stopped."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import anyio

from drivers.alpaca.finding import located
from drivers.alpaca.link import Link, Role, device_type_of
from drivers.config import AlpacaDevice
from drivers.errors import ConnectionLost, DeviceError, TimedOut
from drivers.waiting import until

_log = logging.getLogger(__name__)

CONNECT_WITHIN_S: Final = 60.0
STOP_CALL_WITHIN_S: Final = 3.0


@asynccontextmanager
async def connected(role: Role, settings: AlpacaDevice) -> AsyncGenerator[Link, None]:
    """A link to a device that is connected within the block, and disconnected after it as well as may be.

    Raises:
        ConnectionLost: no server there; or it answers and cannot reach its device; or the device with its UniqueID is
            nowhere.
    """
    name = f"{role} {settings.device_number} at {settings.address}"
    link = Link(role, await located(name, device_type_of(role), settings))
    try:
        await _connect(link)
        try:
            yield link
        finally:
            await _take_leave(link)
    finally:
        await link.close()


@asynccontextmanager
async def stop_line(link: Link) -> AsyncGenerator[Link, None]:
    """A second link to the device of `link`, with a thread and an open connection of its own, for stopping it.

    Nothing but a stop and the readings that prove it is ever asked on it, so a stop waits for no other call.
    """
    line = Link(link.role, link.settings, call_within_s=STOP_CALL_WITHIN_S, only_stops=True)
    try:
        await line.state()  # from here on thread and connection are there, and it is known how it is asked
        yield line
    finally:
        await line.close()


async def _connect(link: Link) -> None:
    async def no_longer_connecting() -> bool:
        return not await link.flag("Connecting")

    async def says_connected() -> bool:
        try:
            return await link.flag("Connected")
        except TimedOut:  # old drivers may answer nothing until they are done
            return False

    done = no_longer_connecting
    if await _connects_in_its_own_time(link):
        await link.invoke("Connect")
    else:
        done = says_connected
        try:
            await link.write("Connected", True)
        except TimedOut:
            _log.info("%s is slow to connect", link.name)
    await until(done, device=link.name, doing="connect", within_s=CONNECT_WITHIN_S, every_s=0.1)
    if not await link.flag("Connected"):
        raise ConnectionLost(link.name, "connect", "the server answers, and its device is not connected")


async def _connects_in_its_own_time(link: Link) -> bool:
    """Whether it has Connect and Connecting (Platform 7); for an older device alpyca would start a thread."""
    version = await link.whole("InterfaceVersion")  # alpyca takes it as 1 where it cannot be read
    return version >= link.connects_itself_from


async def _take_leave(link: Link) -> None:
    with anyio.CancelScope(shield=True):
        try:
            if await _connects_in_its_own_time(link):
                await link.invoke("Disconnect")
            else:
                await link.write("Connected", False)
        except DeviceError as error:  # nothing more is asked of it; the next connection starts from the beginning
            _log.warning("left without a good-bye: %s", error)
