"""What every INDI driver has: a name and a version, and a rhythm in which it looks at its device."""

import logging
from typing import Final

from drivers.errors import Refused
from drivers.indi.link import Link

_log = logging.getLogger(__name__)

SET_WITHIN_S: Final = 10.0  # for a setting that moves nothing
_USUAL_PERIOD_S: Final = 1.0  # of a driver that does not say
_PERIOD: Final = ("POLLING_PERIOD", "PERIOD_MS")


async def look_often(link: Link, *, every_s: float) -> float:
    """Ask the driver to look at its device at least `every_s`; how often it will.

    It tells only what has changed since it looked last, so what it is silent about is so old at most. Its answer comes
    after all it had to say when it was switched on: from then on it is known which properties it has.
    """
    if not link.has(*_PERIOD):
        return _USUAL_PERIOD_S
    period_ms = min(link.number(*_PERIOD), every_s * 1000.0)
    try:
        await link.set_numbers(_PERIOD[0], {_PERIOD[1]: period_ms}, within_s=SET_WITHIN_S)
    except Refused as refused:  # it looks when it likes: then that is how old its words may be
        _log.info("%s", refused)
    return link.number(*_PERIOD) / 1000.0


def driver_of(link: Link) -> str:
    """Name, program and version in the driver's own words, as far as it says them."""
    elements = ("DRIVER_NAME", "DRIVER_EXEC", "DRIVER_VERSION")
    said = [link.text("DRIVER_INFO", one) for one in elements if link.has("DRIVER_INFO", one)]
    return "; ".join(words for words in said if words)
