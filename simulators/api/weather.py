"""Weather at a place: made up, the same for the same place and time, and calm. The sun in it is the real one."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.questions import Question, in_query
from simulators.api.wire import Answer, answered
from simulators.api.world import World
from simulators.sky.earth import Ground

_CACHE_S = 600
_HOURS = 48
_ZERO_C_IN_K = 273.15
_MPH_OF_M_S = 2.236_936

Units = Literal["standard", "metric", "imperial"]


class Condition(Answer):
    """What the sky looks like, by OpenWeather's numbers."""

    id: int
    main: str
    description: str
    icon: str


class Reading(Answer):
    """The air at one time. Instants in Unix seconds; units as asked for, pressure always in hPa, visibility in m."""

    dt: int
    temp: float
    feels_like: float
    pressure: int
    humidity: int
    dew_point: float
    uvi: float
    clouds: int
    visibility: int | None = None
    wind_speed: float
    wind_deg: int | None = None
    wind_gust: float | None = None
    weather: list[Condition]


class Current(Reading):
    """Now."""

    sunrise: int | None = None
    sunset: int | None = None


class Hourly(Reading):
    """One hour of the forecast; `pop` is the chance of rain, 0 to 1."""

    pop: float
    sun_azimuth: float | None = None
    sun_elevation: float | None = None


class Weather(Answer):
    """The weather at a place, now and for two days."""

    lat: float
    lon: float
    timezone: str
    timezone_offset: int
    current: Current
    minutely: list[JsonValue] | None = None
    hourly: list[Hourly] | None = None
    daily: list[JsonValue] | None = None
    alerts: list[JsonValue] | None = None


class _Query(Question):
    lat: Annotated[float, Field(ge=-90.0, le=90.0)]
    lon: Annotated[float, Field(ge=-180.0, le=180.0)]
    units: Units = "imperial"


@dataclass(frozen=True, slots=True)
class Forecast:
    """`/weather`."""

    world: World

    def routes(self) -> list[Route]:
        return [Route("/weather", self.here, methods=["GET"])]

    async def here(self, request: Request) -> Response:
        """As of the last ten minutes, as the server's cache has it; imperial units where none are named."""
        query = in_query(request, _Query)
        ground = Ground(query.lat, query.lon, 0.0)
        as_of_unix_s = int(self.world.clock.now().timestamp()) // _CACHE_S * _CACHE_S
        air = _Air(ground, query.units, self.world.seed)
        hours = [as_of_unix_s // 3600 * 3600 + 3600 * hour for hour in range(_HOURS)]
        weather = Weather(
            lat=query.lat,
            lon=query.lon,
            timezone="Etc/UTC",
            timezone_offset=0,
            current=Current.model_validate(air.at(as_of_unix_s).model_dump()),
            hourly=[air.hour_at(unix_s) for unix_s in hours],
            daily=[],
        )
        return answered(weather, self.world.switches)


@dataclass(frozen=True, slots=True)
class _Air:
    """The air over a place: warm by day, a light wind, few clouds; slow waves whose phase is the seed's."""

    ground: Ground
    units: Units
    seed: int

    def at(self, unix_s: int) -> Reading:
        sun_deg, _ = self._sun(unix_s)
        wave = math.sin(unix_s / 9_000.0 + self.seed)
        temperature_c = 17.0 - 0.25 * abs(self.ground.latitude_deg) + 6.0 * math.sin(math.radians(sun_deg)) + wave
        clouds_percent = round(9.0 + 8.0 * wave)
        wind_m_s = 2.5 + 1.2 * math.sin(unix_s / 5_000.0 + 2.0 * self.seed)
        sky = (801, "Clouds", "few clouds", "02") if clouds_percent > 10 else (800, "Clear", "clear sky", "01")
        return Reading(
            dt=unix_s,
            temp=self._temperature(temperature_c),
            feels_like=self._temperature(temperature_c - 0.5 * wind_m_s),
            pressure=round(1015.0 + 3.0 * wave),
            humidity=round(48.0 - 1.5 * (temperature_c - 10.0)),
            dew_point=self._temperature(temperature_c - 12.0),
            uvi=round(max(8.0 * math.sin(math.radians(sun_deg)), 0.0), 2),
            clouds=clouds_percent,
            visibility=10_000,
            wind_speed=self._speed(wind_m_s),
            wind_deg=round(285.0 + 40.0 * wave) % 360,
            wind_gust=self._speed(1.8 * wind_m_s),
            weather=[
                Condition(id=sky[0], main=sky[1], description=sky[2], icon=sky[3] + ("d" if sun_deg > 0.0 else "n"))
            ],
        )

    def hour_at(self, unix_s: int) -> Hourly:
        altitude_deg, azimuth_deg = self._sun(unix_s)
        sun = {"pop": 0.0, "sun_azimuth": round(azimuth_deg, 2), "sun_elevation": round(altitude_deg, 2)}
        return Hourly.model_validate(self.at(unix_s).model_dump() | sun)

    def _sun(self, unix_s: int) -> tuple[float, float]:
        return self.ground.sun_horizontal(datetime.fromtimestamp(unix_s, UTC))

    def _temperature(self, temperature_c: float) -> float:
        match self.units:
            case "metric":
                return round(temperature_c, 2)
            case "imperial":
                return round(temperature_c * 1.8 + 32.0, 2)
            case _:
                return round(temperature_c + _ZERO_C_IN_K, 2)

    def _speed(self, speed_m_s: float) -> float:
        return round(speed_m_s * (_MPH_OF_M_S if self.units == "imperial" else 1.0), 2)
