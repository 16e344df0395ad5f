"""How much the air lifts what is seen. Places everywhere else are without it: this is for people who compare."""

import math
from dataclasses import dataclass

MODEL = "Sæmundsson 1986"

# The standard atmosphere (ISO 2533) below 11 km.
_SEA_LEVEL_HPA, _SEA_LEVEL_C = 1013.25, 15.0
_LAPSE_C_PER_M = 0.0065
_ZERO_C_K = 273.15
_PRESSURE_POWER = 5.25588


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """The air at a site."""

    pressure_hpa: float
    temperature_c: float

    @property
    def words(self) -> str:
        return f"{self.pressure_hpa:.0f} hPa and {self.temperature_c:.0f} °C"


def standard_air(elevation_m: float) -> Air:
    """What the standard atmosphere has at a height."""
    warmth = 1.0 - _LAPSE_C_PER_M * elevation_m / (_SEA_LEVEL_C + _ZERO_C_K)
    return Air(
        pressure_hpa=_SEA_LEVEL_HPA * math.pow(warmth, _PRESSURE_POWER),
        temperature_c=_SEA_LEVEL_C - _LAPSE_C_PER_M * elevation_m,
    )


def refracted_altitude_deg(altitude_deg: float, air: Air) -> float:
    """The altitude at which what stands at `altitude_deg` is seen.

    Sæmundsson (Sky & Telescope 72, 70), good to 0.1′ above 15° and 0.5′ at the horizon. Below -1° nothing is seen, and
    the altitude is returned as it is.
    """
    if altitude_deg < -1.0:
        return altitude_deg
    thickness = air.pressure_hpa / 1010.0 * 283.0 / (_ZERO_C_K + air.temperature_c)
    lifted_deg = thickness * 1.02 / 60.0 / math.tan(math.radians(altitude_deg + 10.3 / (altitude_deg + 5.11)))
    return min(90.0, altitude_deg + max(0.0, lifted_deg))
