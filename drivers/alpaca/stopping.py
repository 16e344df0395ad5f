"""All that ends a motion of an Alpaca mount, sent at once and without questions."""

import logging
from collections.abc import Awaitable

from drivers.alpaca.connecting import STOP_CALL_WITHIN_S
from drivers.alpaca.link import PRIMARY, SECONDARY, Link, Role
from drivers.config import AlpacaDevice
from drivers.errors import ConnectionLost, DeviceError

_log = logging.getLogger(__name__)


async def send_stops(link: Link, *, turns_axes: bool = True) -> None:
    """Whatever one is answered, the next one is sent: what counts is read back afterwards.

    Tracking is switched off last, since the end of MoveAxis restores it (ASCOM ITelescope).

    Raises:
        ConnectionLost: nothing gets through.
    """
    await _sent(link.invoke("AbortSlew"))
    if turns_axes:
        await _sent(link.invoke("MoveAxis", PRIMARY, 0.0))
        await _sent(link.invoke("MoveAxis", SECONDARY, 0.0))
    await _sent(link.write("Tracking", False))


async def stop_alpaca_mount(settings: AlpacaDevice) -> None:
    """Stop a mount that nobody is connected to: for while its Connect hangs. Nothing is read back.

    Raises:
        ConnectionLost: nobody answers at its address.
    """
    link = Link(Role.MOUNT, settings, call_within_s=STOP_CALL_WITHIN_S, only_stops=True)
    try:
        await send_stops(link)
    finally:
        await link.close()


async def _sent(command: Awaitable[object]) -> None:
    try:
        await command
    except ConnectionLost:
        raise
    except DeviceError as error:  # parked, nothing to stop, or a driver that is slow to answer
        _log.debug("%s", error)
