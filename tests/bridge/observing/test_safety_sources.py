"""The sources of the safety verdict: weather against limits, the monitor's word, a look at the dome."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from bridge.clock import LoopClock
from bridge.config import SafetySettings
from bridge.observing.safety import conditions_source, monitor_source, no_monitor_source, roof_source
from bridge.observing.seats import Seat
from drivers.errors import ConnectionLost
from drivers.values import DomeStatus, Quantity, ShutterState
from simulators.direct import DirectDome
from simulators.faults import FaultScript
from simulators.physics.dome import Dome as SimulatedDome
from simulators.physics.dome import DomeSettings

DUSK = datetime(2026, 11, 23, 0, 45, tzinfo=UTC)
SETTINGS = SafetySettings()


class Station:
    """A weather station that measures what it is told."""

    name = "roof weather"

    def __init__(self, measured: Mapping[Quantity, float]) -> None:
        self.measured = measured

    async def read(self) -> Mapping[Quantity, float]:
        return self.measured


async def _asked(measured: Mapping[Quantity, float], at_most: Mapping[Quantity, float]) -> tuple[str, ...]:
    @asynccontextmanager
    async def connect() -> AsyncIterator[Station]:
        yield Station(measured)

    return await conditions_source(Seat("weather station", connect), at_most)()


async def test_each_quantity_over_its_limit_is_a_reason() -> None:
    measured = {Quantity.WIND_SPEED_M_S: 12.5, Quantity.HUMIDITY_PERCENT: 85.0, Quantity.RAIN_RATE_MM_H: 0.1}
    assert await _asked(measured, SETTINGS.at_most) == (
        "wind speed m s is 12.5, more than 12",
        "rain rate mm h is 0.1, more than 0",
    )


async def test_what_is_not_measured_and_what_has_no_limit_have_no_say() -> None:
    assert await _asked({Quantity.TEMPERATURE_C: math.nan, Quantity.HUMIDITY_PERCENT: 40.0}, SETTINGS.at_most) == ()
    assert await _asked({}, SETTINGS.at_most) == ()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -999.0, -0.1])
@pytest.mark.parametrize(
    "quantity", [Quantity.WIND_SPEED_M_S, Quantity.WIND_GUST_M_S, Quantity.HUMIDITY_PERCENT, Quantity.RAIN_RATE_MM_H]
)
async def test_a_value_that_cannot_be_is_unsafe(quantity: Quantity, value: float) -> None:
    (reason,) = await _asked({quantity: value}, SETTINGS.at_most)
    assert "which cannot be; look at the instrument" in reason


async def test_a_cloud_sensor_without_a_value_does_not_say_clear() -> None:
    """Colder is clearer; some sensors say -998 °C where they measure nothing."""
    limit = {Quantity.SKY_TEMPERATURE_C: -12.0}
    assert await _asked({Quantity.SKY_TEMPERATURE_C: -25.0}, limit) == ()
    assert len(await _asked({Quantity.SKY_TEMPERATURE_C: -998.0}, limit)) == 1
    assert len(await _asked({Quantity.SKY_TEMPERATURE_C: -5.0}, limit)) == 1


async def test_a_station_that_asks_nobody_says_how_that_could_be_meant() -> None:
    (reason,) = await no_monitor_source()
    assert "without_monitor = true" in reason


async def test_a_lost_weather_station_is_unsafe_and_is_connected_anew_by_the_next_question() -> None:
    """A line that is cut for one question."""
    connected = 0
    down = True

    class Cut(Station):
        async def read(self) -> Mapping[Quantity, float]:
            if down:
                raise ConnectionLost(self.name, "read", "no connection")
            return self.measured

    @asynccontextmanager
    async def connect() -> AsyncIterator[Station]:
        nonlocal connected
        connected += 1
        yield Cut({})

    ask: Callable[[], Awaitable[tuple[str, ...]]] = conditions_source(Seat("weather station", connect), {})
    with pytest.raises(ConnectionLost):
        await ask()
    down = False
    assert await ask() == ()
    assert connected == 2


class Monitor:
    """Says what it is told to say."""

    name = "roof monitor"

    def __init__(self) -> None:
        self.safe = True

    async def is_safe(self) -> bool:
        return self.safe


async def test_the_monitors_word_counts_as_it_stands() -> None:
    monitor = Monitor()

    @asynccontextmanager
    async def connect() -> AsyncIterator[Monitor]:
        yield monitor

    ask = monitor_source(Seat("safety monitor", connect))
    assert await ask() == ()
    monitor.safe = False
    assert await ask() == ("roof monitor says unsafe",)


async def test_each_look_at_the_dome_is_told_to_the_gate_and_a_shutter_fault_is_unsafe() -> None:
    clock, seen = LoopClock(DUSK), list[DomeStatus]()
    dome = SimulatedDome(DomeSettings(), now=clock.now)
    direct = DirectDome(dome, FaultScript(clock.now).on("dome"), clock.now)

    @asynccontextmanager
    async def connect() -> AsyncIterator[DirectDome]:
        yield direct

    ask = roof_source(Seat("dome", connect), seen.append)
    assert await ask() == ()
    dome.move_shutter(opening=True)
    await anyio.sleep(5.0)
    assert await ask() == ()
    dome.abort()
    await anyio.sleep(1.0)
    assert await ask() == ("simulated dome reports a shutter fault",)
    assert [one.shutter for one in seen] == [ShutterState.CLOSED, ShutterState.OPENING, ShutterState.ERROR]
    assert [one.read_at for one in seen] == [DUSK, DUSK + timedelta(seconds=5), DUSK + timedelta(seconds=6)]
