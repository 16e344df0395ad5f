"""A safety monitor behind Alpaca (ISafetyMonitor)."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from drivers.alpaca.connecting import connected
from drivers.alpaca.link import Link, Role
from drivers.config import AlpacaDevice
from drivers.errors import ConnectionLost


@asynccontextmanager
async def alpaca_safety_monitor(settings: AlpacaDevice) -> AsyncGenerator["AlpacaSafetyMonitor", None]:
    """A connected safety monitor."""
    async with connected(Role.SAFETY_MONITOR, settings) as link:
        yield AlpacaSafetyMonitor(link)


class AlpacaSafetyMonitor:
    """Says whether the sky is fit to be open under."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.name = link.name

    async def is_safe(self) -> bool:
        """A monitor that is not connected to its instruments proves nothing, whatever it says: ConnectionLost."""
        safe = await self._link.flag("IsSafe")
        if not await self._link.flag("Connected"):
            raise ConnectionLost(self.name, "read IsSafe", "it is not connected to its instruments")
        return safe
