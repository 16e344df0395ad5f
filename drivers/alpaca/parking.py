"""Parking an Alpaca mount, and waking it: believed when its position shows it."""

import logging

from drivers.alpaca.axes import AGREE_DEG, EVERY_S, STEADY_S, STOP_WITHIN_S, Axes
from drivers.alpaca.link import Link
from drivers.errors import Malfunction, TimedOut
from drivers.motion import SIDEREAL_DEG_PER_S, Standstill, separation_deg
from drivers.waiting import until

_log = logging.getLogger(__name__)

PARK_WITHIN_S = 180.0
IDLE_S = 9.0  # a mount told to park that does not move for so long does not obey


async def park(link: Link, axes: Axes) -> None:
    """Park, unless it is parked; returns when it stands there.

    Raises:
        Malfunction: it said yes, and stands somewhere without being parked.
        TimedOut: it does not arrive.
    """
    standstill = Standstill(separation_deg, agree=AGREE_DEG, drift_per_s=SIDEREAL_DEG_PER_S)

    async def parked() -> bool:
        try:
            at_park, slewing, pointing = await axes.parked(), await link.flag("Slewing"), await axes.pointing()
        except TimedOut:  # an old driver may answer nothing until it is there
            return False
        stood_s = standstill.seconds(pointing)
        if stood_s > IDLE_S and not at_park and not slewing:
            raise Malfunction(link.name, "park", f"said yes, and has not moved for {stood_s:.0f} s; it is not parked")
        return at_park and not slewing and stood_s >= STEADY_S

    try:
        if not await axes.parked():
            await link.invoke("Park")
    except TimedOut:
        _log.info("%s does not answer while it parks", link.name)
    await until(parked, device=link.name, doing="park", within_s=PARK_WITHIN_S, every_s=EVERY_S)


async def unpark(link: Link, axes: Axes) -> None:
    """Wake it, unless it is awake."""

    async def unparked() -> bool:
        return not await axes.parked()

    if await unparked():
        return
    await link.invoke("Unpark")
    axes.forget_reading()  # some take up their real position only now
    await until(unparked, device=link.name, doing="unpark", within_s=STOP_WITHIN_S, every_s=EVERY_S)
