"""All devices of an observatory as Alpaca numbers them."""

import uuid
from collections.abc import Iterator
from typing import Any, TypeVar

from simulators.alpaca.around import DOME, FILTER_WHEEL, FOCUSER, OBSERVING_CONDITIONS, SAFETY_MONITOR, AirFocuser
from simulators.alpaca.camera import CAMERA, Camera
from simulators.alpaca.device import Device, Kind
from simulators.alpaca.every_device import EVERY_DEVICE
from simulators.alpaca.telescope import TELESCOPE, Telescope
from simulators.observatory import Observatory, numbered

_T = TypeVar("_T")
_OURS = uuid.UUID("6f1dd5b8-7d0c-5b5e-9a55-8a3e1d2d7c11")  # a namespace of our own, drawn once


def devices_of(observatory: Observatory) -> dict[tuple[str, str], Device[Any]]:
    """Every device, by its type in lower case and its number, as both stand in addresses."""
    return {(device.kind.name.lower(), str(device.number)): device for device in _built(observatory)}


def unique_id(device: Device[Any], seed: int) -> str:
    """The same for the same device of the same observatory in every run."""
    return str(uuid.uuid5(_OURS, f"{seed}/{device.kind.name}/{device.number}"))


def _built(observatory: Observatory) -> Iterator[Device[Any]]:
    def device(kind: Kind[_T], subject: _T, called: str, number: int = 0) -> Device[_T]:
        faults = observatory.faults.on(numbered(called, number))
        now = observatory.clock.now
        return Device(kind, subject, number=number, faults=faults, common=EVERY_DEVICE, now=now)

    yield device(TELESCOPE, Telescope(observatory), "mount")
    for number in range(len(observatory.cameras)):
        yield device(CAMERA, Camera(observatory, number), "camera", number)
    for number, wheel in enumerate(observatory.filter_wheels):
        yield device(FILTER_WHEEL, wheel, "filter_wheel", number)
    for number, focuser in enumerate(observatory.focusers):
        yield device(FOCUSER, AirFocuser(focuser, observatory), "focuser", number)
    if observatory.dome is not None:
        yield device(DOME, observatory.dome, "dome")
    yield device(SAFETY_MONITOR, observatory, "safety_monitor")
    yield device(OBSERVING_CONDITIONS, observatory, "conditions")
