"""A safety monitor behind INDI: any weather driver, whose limits decide."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from drivers.config import IndiDevice
from drivers.indi.driver import look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.indi.weather import LOOK_EVERY_S, PARAMETERS, STATUS, first_measured, require_recent


@asynccontextmanager
async def indi_safety_monitor(settings: IndiDevice) -> AsyncGenerator["IndiSafetyMonitor", None]:
    """A connected safety monitor."""
    async with connected("safety monitor", settings, needs=(PARAMETERS, STATUS)) as link:
        await look_often(link, every_s=LOOK_EVERY_S)
        await first_measured(link)
        yield IndiSafetyMonitor(link)


class IndiSafetyMonitor:
    """Says whether the sky is fit to be open under."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.name = link.name

    async def is_safe(self) -> bool:
        """Safe is what is good in all: a warning, an alert, and what was never measured are unsafe.

        Raises:
            Malfunction: it has measured nothing for minutes.
        """
        require_recent(self._link, f"read {STATUS}")
        status = self._link.vector(STATUS)
        return all(state is PropertyState.OK for state in (status.state, *status.values.values()))
