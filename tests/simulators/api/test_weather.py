"""Weather: units, the cache, and a sun that is where the ground says."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from simulators.sky.earth import Ground

from .conftest import Client, Ridge

HERE = {"lat": 38.8412, "lon": -105.0437}


async def _weather(client: Client, **query: Any) -> dict[str, Any]:
    answer = await client.get("/weather", params=HERE | query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_units_are_imperial_unless_others_are_named(observer: Client) -> None:
    assert await _weather(observer) == await _weather(observer, units="imperial")


async def test_the_same_air_in_three_units(observer: Client) -> None:
    metric, imperial, standard = [
        (await _weather(observer, units=units))["current"] for units in ("metric", "imperial", "standard")
    ]
    for key in ("temp", "feelsLike", "dewPoint"):
        assert imperial[key] == pytest.approx(metric[key] * 9.0 / 5.0 + 32.0, abs=0.02)
        assert standard[key] == pytest.approx(metric[key] + 273.15, abs=0.02)
    assert imperial["windSpeed"] == pytest.approx(metric["windSpeed"] / 0.44704, abs=0.02)
    assert standard["windSpeed"] == metric["windSpeed"]
    assert {one["pressure"] for one in (metric, imperial, standard)} == {metric["pressure"]}


async def test_it_is_as_old_as_the_servers_cache(observer: Client, ridge: Ridge) -> None:
    first = await _weather(observer, units="metric")
    ridge.clock.advance(599.0)
    assert await _weather(observer, units="metric") == first
    ridge.clock.advance(1.0)
    later = await _weather(observer, units="metric")
    assert later["current"]["dt"] == first["current"]["dt"] + 600


async def test_the_forecast_has_forty_eight_hours_and_the_real_sun(observer: Client) -> None:
    weather = await _weather(observer, units="metric")
    hours = weather["hourly"]
    assert [hour["dt"] - hours[0]["dt"] for hour in hours] == [3600 * number for number in range(48)]
    ground = Ground(HERE["lat"], HERE["lon"], 0.0)
    for hour in hours[::7]:
        assert hour["sunElevation"] == pytest.approx(
            ground.sun_altitude_deg(datetime.fromtimestamp(hour["dt"], UTC)), abs=0.01
        )
        assert hour["pop"] == 0.0
        assert math.isfinite(hour["sunAzimuth"])


@pytest.mark.parametrize("place", [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0)])
async def test_the_air_is_breathable_everywhere(observer: Client, place: tuple[float, float]) -> None:
    current = (await _weather(observer, lat=place[0], lon=place[1], units="metric"))["current"]
    assert -40.0 < current["temp"] < 40.0
    assert 0 <= current["humidity"] <= 100
    assert 0 <= current["clouds"] <= 100
    assert current["windSpeed"] > 0.0


@pytest.mark.parametrize(
    "query", ["", "lat=1", "lat=91&lon=0", "lat=0&lon=181", "lat=nan&lon=0", "lat=1&lon=1&units=kelvin"]
)
async def test_a_place_off_the_earth_has_no_weather(observer: Client, query: str) -> None:
    answer = await observer.get(f"/weather?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "query"
