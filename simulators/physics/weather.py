"""The weather over the simulated observatory: slow, seeded functions of time, calm unless it is told otherwise."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from drivers.values import Quantity
from simulators.physics.history import History
from simulators.sky.earth import Ground
from simulators.sky.rotation import unix_of

# Mean, amplitude and period (hours) of what swings slowly; the phase comes from the seed.
_SWINGS = {
    Quantity.TEMPERATURE_C: (10.0, 1.5, 9.0),
    Quantity.HUMIDITY_PERCENT: (45.0, 8.0, 7.0),
    Quantity.CLOUD_COVER_PERCENT: (4.0, 4.0, 3.0),
    Quantity.WIND_SPEED_M_S: (3.0, 1.5, 1.3),
    Quantity.WIND_DIRECTION_DEG: (40.0, 25.0, 5.0),
    Quantity.SEEING_ARCSEC: (2.0, 0.4, 2.1),
}
_SEA_LEVEL_HPA = 1013.25
_SCALE_HEIGHT_M = 8434.0
_GUST_FACTOR = 1.4
# What the safety monitor calls unsafe, above each.
_UNSAFE_ABOVE = {
    Quantity.CLOUD_COVER_PERCENT: 70.0,
    Quantity.RAIN_RATE_MM_H: 0.0,
    Quantity.HUMIDITY_PERCENT: 90.0,
    Quantity.WIND_SPEED_M_S: 15.0,
}
# Zenith brightness of a cloudless sky by altitude of the Sun: mag per square arcsecond (V) and lux, smoothed from
# Patat et al. 2006 (A&A 455, 385) and the Explanatory Supplement's table of natural illuminance.
_SUN_DEG = (-18.0, -15.0, -12.0, -9.0, -6.0, -3.0, 0.0, 10.0)
_SKY_MAG = (21.5, 21.0, 19.3, 16.6, 13.4, 10.5, 8.2, 5.0)
_SKY_LOG_LUX = (-3.2, -3.0, -2.2, -0.7, 0.5, 1.7, 2.8, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What someone wants the weather to be: `safe` None is left to the weather, and so is what is not in `values`."""

    safe: bool | None
    values: Mapping[Quantity, float]


class Weather:
    """Every quantity a weather station measures, at any instant, and what a safety monitor makes of it."""

    def __init__(self, *, ground: Ground, now: Callable[[], datetime], seed: int = 0) -> None:
        self._ground = ground
        self._now = now
        dice = random.Random(seed)
        self._phases = {quantity: dice.uniform(0.0, 2.0 * math.pi) for quantity in _SWINGS}
        self._orders = History(Orders(safe=None, values={}))

    def order(self, *, safe: bool | None, values: Mapping[Quantity, float], at: datetime | None = None) -> None:
        """From an instant (now) on it is so, whatever was ordered for later. None and an empty mapping give the weather
        back to itself."""
        self._orders.begin(unix_of(at or self._now()), Orders(safe=safe, values=dict(values)))

    def read(self, at: datetime) -> dict[Quantity, float]:
        """All quantities; what depends on others follows them, unless it is ordered itself."""
        at_s = unix_of(at)
        ordered = self._orders.at(at_s).values
        here = {quantity: ordered.get(quantity, self._swing(quantity, at_s)) for quantity in _SWINGS}
        wind_m_s, temperature_c = here[Quantity.WIND_SPEED_M_S], here[Quantity.TEMPERATURE_C]
        cloudy = here[Quantity.CLOUD_COVER_PERCENT] / 100.0
        sun_deg = self._ground.sun_altitude_deg(at)
        here[Quantity.DEW_POINT_C] = _dew_point_c(temperature_c, here[Quantity.HUMIDITY_PERCENT])
        here[Quantity.PRESSURE_HPA] = _SEA_LEVEL_HPA * math.exp(-self._ground.elevation_m / _SCALE_HEIGHT_M)
        here[Quantity.RAIN_RATE_MM_H] = 0.0
        here[Quantity.SKY_BRIGHTNESS_LUX] = 10.0 ** _between(sun_deg, _SKY_LOG_LUX)
        here[Quantity.SKY_QUALITY_MAG_ARCSEC2] = _between(sun_deg, _SKY_MAG)
        here[Quantity.SKY_TEMPERATURE_C] = temperature_c - 25.0 * (1.0 - cloudy)
        here[Quantity.WIND_GUST_M_S] = wind_m_s * _GUST_FACTOR
        if wind_m_s == 0.0:
            here[Quantity.WIND_DIRECTION_DEG] = 0.0
        return {**here, **ordered}

    def is_safe(self, at: datetime) -> bool:
        """As ordered, or by cloud, rain, humidity and wind."""
        ordered = self._orders.at(unix_of(at)).safe
        if ordered is not None:
            return ordered
        here = self.read(at)
        return all(here[quantity] <= limit for quantity, limit in _UNSAFE_ABOVE.items())

    def clearness(self, at: datetime) -> float:
        """The share of starlight that comes through: 1 without clouds."""
        return 1.0 - 0.95 * min(max(self.read(at)[Quantity.CLOUD_COVER_PERCENT] / 100.0, 0.0), 1.0)

    def _swing(self, quantity: Quantity, at_s: float) -> float:
        mean, amplitude, period_h = _SWINGS[quantity]
        return mean + amplitude * math.sin(2.0 * math.pi * at_s / (period_h * 3600.0) + self._phases[quantity])


def _dew_point_c(temperature_c: float, humidity_percent: float) -> float:
    """The Magnus formula with the constants of Alduchov and Eskridge (1996); of air with some water in it."""
    a, b = 17.625, 243.04
    wet = math.log(max(humidity_percent, 0.1) / 100.0) + a * temperature_c / (b + temperature_c)
    return b * wet / (a - wet)


def _between(sun_deg: float, values: tuple[float, ...]) -> float:
    """Linear between the table's altitudes of the Sun, its ends outside."""
    if sun_deg <= _SUN_DEG[0]:
        return values[0]
    for (low, a), (high, b) in zip(
        zip(_SUN_DEG, values, strict=True), zip(_SUN_DEG[1:], values[1:], strict=False), strict=False
    ):
        if sun_deg <= high:
            return a + (b - a) * (sun_deg - low) / (high - low)
    return values[-1]
