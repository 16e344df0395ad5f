"""A weather station behind INDI."""

import math
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from drivers.config import IndiDevice
from drivers.errors import Malfunction, Refused
from drivers.indi.driver import look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.indi.weather import LOOK_EVERY_S, PARAMETERS, first_measured, require_recent
from drivers.values import Quantity

# The elements drivers use for what we know, the first that is there. The standard names few; the rest is common use.
ELEMENTS: Final[Mapping[Quantity, tuple[str, ...]]] = {
    Quantity.CLOUD_COVER_PERCENT: ("WEATHER_CLOUD_COVER", "WEATHER_CLOUDS"),
    Quantity.DEW_POINT_C: ("WEATHER_DEWPOINT", "WEATHER_DEW_POINT"),
    Quantity.HUMIDITY_PERCENT: ("WEATHER_HUMIDITY", "WEATHER_RELATIVE_HUMIDITY"),
    Quantity.PRESSURE_HPA: ("WEATHER_PRESSURE", "WEATHER_BAROMETER"),
    Quantity.RAIN_RATE_MM_H: ("WEATHER_RAIN_RATE", "WEATHER_RAIN_HOUR"),  # of the last hour: as much in an hour
    Quantity.SKY_QUALITY_MAG_ARCSEC2: ("WEATHER_SQM", "WEATHER_SKY_QUALITY"),
    Quantity.SKY_TEMPERATURE_C: ("WEATHER_SKY_TEMPERATURE", "WEATHER_SKY_TEMP"),
    Quantity.TEMPERATURE_C: ("WEATHER_TEMPERATURE",),
    Quantity.WIND_DIRECTION_DEG: ("WEATHER_WIND_DIRECTION",),
    Quantity.WIND_GUST_M_S: ("WEATHER_WIND_GUST", "WEATHER_WIND_GUSTS"),
    Quantity.WIND_SPEED_M_S: ("WEATHER_WIND_SPEED",),
}
_SPEEDS: Final = (Quantity.WIND_GUST_M_S, Quantity.WIND_SPEED_M_S)
# The standard has wind in km/h; what a driver writes behind its label counts more.
_M_S_IN: Final = {
    "kph": 1 / 3.6,
    "km/h": 1 / 3.6,
    "m/s": 1.0,
    "mps": 1.0,
    "mph": 0.44704,
    "kn": 0.514444,
    "kt": 0.514444,
}
_UNIT: Final = re.compile(r"\(([^()]+)\)")


@asynccontextmanager
async def indi_conditions(settings: IndiDevice) -> AsyncGenerator["IndiConditions", None]:
    """A connected weather station.

    Raises:
        Refused: it measures nothing that we know.
    """
    async with connected("weather station", settings, needs=(PARAMETERS,)) as link:
        await look_often(link, every_s=LOOK_EVERY_S)
        await first_measured(link)
        measured = {
            quantity: element
            for quantity, elements in ELEMENTS.items()
            if (element := next((one for one in elements if link.has(PARAMETERS, one)), None)) is not None
        }
        if not measured:
            known = ", ".join(link.numbers(PARAMETERS))
            raise Refused(link.name, "connect", f"it measures nothing that is known here, only {known or 'nothing'}")
        yield IndiConditions(link, measured)


class IndiConditions:
    """A weather station. What it measured when it was connected it must go on measuring: else an error, no gap."""

    def __init__(self, link: Link, measured: Mapping[Quantity, str]) -> None:
        self._link = link
        self._measured = measured
        self.name = link.name

    async def read(self) -> Mapping[Quantity, float]:
        doing = "read the weather"
        if self._link.state(PARAMETERS) is PropertyState.ALERT:
            raise Malfunction(self.name, doing, "its driver reports an alert: it cannot measure")
        require_recent(self._link, doing)
        readings = {quantity: self._read(quantity, element) for quantity, element in self._measured.items()}
        odd = [quantity for quantity, value in readings.items() if not math.isfinite(value)]
        if odd:
            raise Malfunction(self.name, doing, f"its {odd[0]} is no number")
        return readings

    def _read(self, quantity: Quantity, element: str) -> float:
        value = self._link.number(PARAMETERS, element)
        if quantity not in _SPEEDS:
            return value
        unit = _UNIT.search(self._link.vector(PARAMETERS).labels.get(element, ""))
        return value * _M_S_IN.get(unit[1].strip().lower() if unit else "kph", 1 / 3.6)
