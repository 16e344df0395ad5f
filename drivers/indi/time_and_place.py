"""A GPS receiver behind INDI; and the clock and the site that any other INDI driver has."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio

from drivers.accessories import TimeAndPlace
from drivers.config import IndiDevice
from drivers.errors import Malfunction
from drivers.indi.driver import SET_WITHIN_S, look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.waiting import until

FIX_WITHIN_S = 30.0
EVERY_S = 0.1
LOOK_EVERY_S = 0.25
_PLACE = "GEOGRAPHIC_COORD"
_TIME = "TIME_UTC"
_REFRESH = ("GPS_REFRESH", "REFRESH")


@asynccontextmanager
async def indi_time_and_place(
    settings: IndiDevice, *, now: Callable[[], datetime]
) -> AsyncGenerator["IndiTimeAndPlace", None]:
    """A connected receiver, or any driver with a site of its own (a mount)."""
    async with connected("GPS receiver", settings, needs=(_PLACE,)) as link:
        await look_often(link, every_s=LOOK_EVERY_S)
        yield IndiTimeAndPlace(link, now=now)


class IndiTimeAndPlace:
    """Says what time it is and where it stands."""

    def __init__(self, link: Link, *, now: Callable[[], datetime]) -> None:
        self._link = link
        self._now = now
        self.name = link.name

    async def read(self) -> TimeAndPlace:
        """A receiver is asked anew. What others say of the time may be of another night: it is left out."""
        if self._link.has(*_REFRESH):
            heard = self._link.count(_TIME)
            await self._link.choose(*_REFRESH, within_s=SET_WITHIN_S, finished=False)
            await self._until_fixed(heard)
        for prop in (_PLACE, _TIME):
            if self._link.has(prop) and self._link.state(prop) is PropertyState.ALERT:
                raise Malfunction(self.name, "read time and place", f"{prop} is in alert: it has no fix")
        return place_of(self._link, self._now(), tells_time=self._link.has(*_REFRESH))

    async def _until_fixed(self, heard: int) -> None:
        async def fixed() -> bool:
            busy = self._link.state(_PLACE) is PropertyState.BUSY or self._link.state(_TIME) is PropertyState.BUSY
            return self._link.count(_TIME) > heard and not busy

        await until(fixed, device=self.name, doing="wait for a fix", within_s=FIX_WITHIN_S, every_s=EVERY_S)


def place_of(link: Link, now: datetime, *, tells_time: bool = False) -> TimeAndPlace:
    """The site a driver has; and its time, if that can be told, as it was when it was heard (to the second: INDI knows
    no finer) and has run on since.

    Raises:
        Malfunction: it says a place that is none, or a time that is none.
    """
    longitude_deg = link.number(_PLACE, "LONG")
    try:
        return TimeAndPlace(
            utc=_utc(link.text(_TIME, "UTC")) + _since_heard(link) if tells_time else None,
            read_at=now,
            latitude_deg=link.number(_PLACE, "LAT"),
            longitude_deg=longitude_deg - 360.0 if longitude_deg > 180.0 else longitude_deg,
            elevation_m=link.number(_PLACE, "ELEV") if link.has(_PLACE, "ELEV") else None,
        )
    except ValueError as error:
        raise Malfunction(link.name, "read time and place", str(error)) from error


def _since_heard(link: Link) -> timedelta:
    return timedelta(seconds=anyio.current_time() - link.heard_s(_TIME))


def _utc(told: str) -> datetime:
    said = datetime.fromisoformat(told.strip())
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
