"""What INDI's weather drivers have in common: when they measured last, and how they are asked to."""

from typing import Final

import anyio

from drivers.errors import Malfunction
from drivers.indi.driver import SET_WITHIN_S
from drivers.indi.link import Link

PARAMETERS: Final = "WEATHER_PARAMETERS"
STATUS: Final = "WEATHER_STATUS"
STALE_S: Final = 180.0  # a station that has measured nothing for so long has stopped measuring
_PERIOD: Final = ("WEATHER_UPDATE", "PERIOD")
_REFRESH: Final = ("WEATHER_REFRESH", "REFRESH")
LOOK_EVERY_S: Final = 1.0
MEASURES_WITHIN_S: Final = 30.0


async def first_measured(link: Link) -> None:
    """Have it measure now where it can be told to; otherwise what it says has the age of its period at most."""
    if link.has(*_REFRESH):
        heard = link.count(PARAMETERS)
        await link.choose(*_REFRESH, within_s=SET_WITHIN_S, finished=False)
        while link.count(PARAMETERS) == heard:
            await link.changed(PARAMETERS, within_s=MEASURES_WITHIN_S)


def require_recent(link: Link, doing: str) -> None:
    """Raises Malfunction where its last measurement is older than its own period and three minutes."""
    period_s = link.number(*_PERIOD) if link.has(*_PERIOD) else 0.0
    age_s = anyio.current_time() - link.heard_s(PARAMETERS)
    if age_s > STALE_S + min(period_s, STALE_S):
        raise Malfunction(link.name, doing, f"it measured last {age_s:.0f} s ago; is it alive?")
