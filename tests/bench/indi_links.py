"""What the INDI measurements share: the links that are here, INDI's own devices, and what an exposure costs."""

import importlib.util
import time
from contextlib import AbstractAsyncContextManager
from typing import Final, Literal

from drivers.config import IndiDevice
from drivers.indi.link import Link, connected
from simulators.indi.server import CCD, TELESCOPE, indiserver_missing

Kind = Literal["native", "pyindi"]

DRIVERS: Final = (TELESCOPE, CCD)
PLACE: Final = "EQUATORIAL_EOD_COORD"


def kinds() -> list[Kind]:
    """The links this computer has: ours first."""
    return ["native", "pyindi"] if importlib.util.find_spec("PyIndi") else ["native"]


def what_is_missing() -> str:
    """Of INDI's own server and simulators, in words; nothing where all are there."""
    return indiserver_missing(DRIVERS)


def mount_at(address: str, kind: Kind) -> AbstractAsyncContextManager[Link]:
    settings = IndiDevice(driver="indi", address=address, device="Telescope Simulator", link=kind)
    return connected("mount", settings, needs=(PLACE, "TELESCOPE_ABORT_MOTION"))


def camera_at(address: str, kind: Kind) -> AbstractAsyncContextManager[Link]:
    settings = IndiDevice(driver="indi", address=address, device="CCD Simulator", link=kind)
    return connected("camera", settings, needs=("CCD_EXPOSURE", "CCD1"))


async def expose(camera: Link, exposure_s: float) -> tuple[memoryview, float]:
    """One exposure: its file, and how many seconds beyond the exposure it took to have it in memory."""
    began_s = time.perf_counter()
    count = camera.count("CCD1")
    await camera.set_numbers("CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": exposure_s}, within_s=30.0, finished=False)
    blob = await camera.next_blob("CCD1", after_count=count, within_s=60.0, alarm="CCD_EXPOSURE")
    return blob.body, time.perf_counter() - began_s - exposure_s
