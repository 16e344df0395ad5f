"""All devices of an observatory as Alpaca numbers them."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from simulators.alpaca.around import DOME, FILTER_WHEEL, FOCUSER, OBSERVING_CONDITIONS, SAFETY_MONITOR, AirFocuser
from simulators.alpaca.camera import Camera
from simulators.alpaca.camera_members import CAMERA
from simulators.alpaca.cover import COVER_CALIBRATOR
from simulators.alpaca.device import Device, Kind
from simulators.alpaca.profiles import MANNERS, Manners, Profile
from simulators.alpaca.rotator import ROTATOR
from simulators.alpaca.switch import SWITCH
from simulators.alpaca.telescope import Telescope
from simulators.alpaca.telescope_members import TELESCOPE
from simulators.observatory import Observatory, numbered

_OURS = uuid.UUID("6f1dd5b8-7d0c-5b5e-9a55-8a3e1d2d7c11")  # a namespace of our own, drawn once


def devices_of(
    observatory: Observatory, manners: Manners = MANNERS[Profile.CONFORMANT]
) -> dict[tuple[str, str], Device[Any]]:
    """Every device, by its type in lower case and its number, as both stand in addresses."""
    return {(device.kind.name.lower(), str(device.number)): device for device in _built(observatory, manners)}


def unique_id(device: Device[Any], seed: int) -> str:
    """The same for the same device of the same observatory in every run."""
    return str(uuid.uuid5(_OURS, f"{seed}/{device.kind.name}/{device.number}"))


def _built(observatory: Observatory, manners: Manners) -> Iterator[Device[Any]]:
    here = observatory
    rows: list[tuple[Kind[Any], Sequence[object], str]] = [
        (TELESCOPE, [Telescope(here, manners)], "mount"),
        (CAMERA, [Camera(here, number) for number in range(len(here.cameras))], "camera"),
        (FILTER_WHEEL, here.filter_wheels, "filter_wheel"),
        (FOCUSER, [AirFocuser(focuser, here) for focuser in here.focusers], "focuser"),
        (DOME, _if_there(here.dome), "dome"),
        (ROTATOR, _if_there(here.rotator), "rotator"),
        (COVER_CALIBRATOR, _if_there(here.cover), "cover"),
        (SWITCH, _if_there(here.switch), "switch"),
        (SAFETY_MONITOR, [here], "safety_monitor"),
        (OBSERVING_CONDITIONS, [here], "conditions"),
    ]
    for kind, subjects, called in rows:
        for number, subject in enumerate(subjects):
            faults = observatory.faults.on(numbered(called, number))
            now = observatory.clock.now
            yield Device(manners.of(kind), subject, number=number, faults=faults, common=manners.common, now=now)


def _if_there(subject: object | None) -> list[object]:
    return [] if subject is None else [subject]
