"""Where a device is now that is known by its UniqueID: at its address, or where discovery finds it."""

import ipaddress
import logging
from collections.abc import Sequence
from typing import Final

from drivers.alpaca.discovery import PORT, OfferedDevice, find, listed_at, loopback
from drivers.config import AlpacaDevice
from drivers.errors import ConnectionLost, DeviceError

_log = logging.getLogger(__name__)

FIND_WITHIN_S: Final = 5.0


async def located(name: str, device_type: str, settings: AlpacaDevice) -> AlpacaDevice:
    """`settings` with the address and number at which the device with its UniqueID is listed.

    As they are where no UniqueID is given. Its own address comes first; one on this computer is never left for another
    computer's. An answer to discovery that lists another UniqueID changes nothing.

    Raises:
        ConnectionLost: it is listed nowhere; `name` is who.
    """
    if not settings.unique_id:
        return settings

    def is_it(device: OfferedDevice) -> bool:
        same = device.unique_id.casefold() == settings.unique_id.casefold()
        return same and device.device_type.lower() == device_type and (not at_home or is_home(device.address))

    at_home = is_home(settings.address)
    instead = "another device answers there"
    try:
        listed = (await listed_at(settings.address)).offered
    except DeviceError as error:
        instead, listed = error.what, ()
    device = next(filter(is_it, listed), None)
    if device is None:
        towards: Sequence[str] | None = loopback() if at_home else None
        device = await find(is_it, wait_s=FIND_WITHIN_S, port=PORT, towards=towards)
    if device is None:
        what = f"no {device_type} with the UniqueID {settings.unique_id!r} is listed at {settings.address} ({instead})"
        raise ConnectionLost(name, "connect", f"{what}, and discovery finds none; see nightbridge devices")
    if (device.address, device.device_number) != (settings.address, settings.device_number):
        _log.warning("%s is found at %s, number %d: %s", name, device.address, device.device_number, instead)
    changes = {"address": device.address, "device_number": device.device_number}
    return settings.model_copy(update=changes)


def is_home(address: str) -> bool:
    """Whether `address` is of this computer itself."""
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
