"""Time and place as an Alpaca mount has them (ITelescope): Alpaca knows no GPS receivers."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from drivers.accessories import TimeAndPlace
from drivers.alpaca.connecting import connected
from drivers.alpaca.link import Link, Role, optional
from drivers.config import AlpacaDevice
from drivers.errors import Malfunction, Refused


@asynccontextmanager
async def alpaca_time_and_place(
    settings: AlpacaDevice, *, now: Callable[[], datetime]
) -> AsyncGenerator["AlpacaTimeAndPlace", None]:
    """The clock and the site of a connected mount.

    Raises:
        Refused: it does not say where it stands.
    """
    async with connected(Role.MOUNT, settings) as link:
        if await optional(link.number("SiteLatitude")) is None:
            raise Refused(link.name, "connect", "it does not say where it stands")
        yield AlpacaTimeAndPlace(link, now=now)


class AlpacaTimeAndPlace:
    """A mount's own clock and site."""

    def __init__(self, link: Link, *, now: Callable[[], datetime]) -> None:
        self._link = link
        self._now = now
        self.name = link.name

    async def read(self) -> TimeAndPlace:
        utc = await optional(self._link.instant("UTCDate"))
        read_at = self._now()
        latitude_deg = await self._link.number("SiteLatitude")
        longitude_deg = await self._link.number("SiteLongitude")
        elevation_m = await optional(self._link.number("SiteElevation"))
        try:
            return TimeAndPlace(
                utc=utc,
                read_at=read_at,
                latitude_deg=latitude_deg,
                longitude_deg=longitude_deg,
                elevation_m=elevation_m,
            )
        except ValueError as error:
            raise Malfunction(self.name, "read its site", str(error)) from error
