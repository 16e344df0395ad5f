"""A weather station behind Alpaca (IObservingConditions)."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from drivers.alpaca.connecting import connected
from drivers.alpaca.errors import Unsupported
from drivers.alpaca.link import Link, Role, optional
from drivers.config import AlpacaDevice
from drivers.errors import ConnectionLost, Malfunction, Refused
from drivers.values import Quantity

STALE_S = 180.0  # a station that has measured nothing for so long has stopped measuring

# ASCOM's units are ours: percent, °C, hPa, mm/h, lux, mag/arcsec², arcsec, degrees and m/s
MEMBERS: Mapping[Quantity, str] = {
    Quantity.CLOUD_COVER_PERCENT: "CloudCover",
    Quantity.DEW_POINT_C: "DewPoint",
    Quantity.HUMIDITY_PERCENT: "Humidity",
    Quantity.PRESSURE_HPA: "Pressure",
    Quantity.RAIN_RATE_MM_H: "RainRate",
    Quantity.SKY_BRIGHTNESS_LUX: "SkyBrightness",
    Quantity.SKY_QUALITY_MAG_ARCSEC2: "SkyQuality",
    Quantity.SKY_TEMPERATURE_C: "SkyTemperature",
    Quantity.SEEING_ARCSEC: "StarFWHM",
    Quantity.TEMPERATURE_C: "Temperature",
    Quantity.WIND_DIRECTION_DEG: "WindDirection",
    Quantity.WIND_GUST_M_S: "WindGust",
    Quantity.WIND_SPEED_M_S: "WindSpeed",
}


@asynccontextmanager
async def alpaca_conditions(settings: AlpacaDevice) -> AsyncGenerator["AlpacaConditions", None]:
    """A connected weather station.

    Raises:
        Refused: it measures nothing.
    """
    async with connected(Role.CONDITIONS, settings) as link:
        measured = [quantity for quantity, member in MEMBERS.items() if await _is_measured(link, member)]
        if not measured:
            raise Refused(link.name, "connect", "it measures nothing")
        tells_age = await optional(link.number("TimeSinceLastUpdate", "")) is not None
        yield AlpacaConditions(link, measured, tells_age=tells_age)


class AlpacaConditions:
    """A weather station. What it measured when it was connected it must go on measuring: else an error, no gap."""

    def __init__(self, link: Link, measured: list[Quantity], *, tells_age: bool) -> None:
        self._link = link
        self._measured = measured
        self._tells_age = tells_age
        self.name = link.name

    async def read(self) -> Mapping[Quantity, float]:
        if not await self._link.flag("Connected"):
            raise ConnectionLost(self.name, "read the weather", "it is not connected to its instruments")
        if self._tells_age:
            age_s = await self._link.number("TimeSinceLastUpdate", "")
            if not 0.0 <= age_s <= STALE_S:
                raise Malfunction(self.name, "read the weather", f"it measured last {age_s:.0f} s ago; is it alive?")
        return {quantity: await self._link.number(MEMBERS[quantity]) for quantity in self._measured}


async def _is_measured(link: Link, member: str) -> bool:
    try:
        await link.number(member)
    except Unsupported:
        return False
    except Refused:  # it has the instrument, and no value of it yet
        return True
    return True
