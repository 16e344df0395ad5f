"""What INDI's weather drivers and receivers say: in our units, of now, or not believed."""

from collections.abc import Callable
from datetime import timedelta

import anyio
import pytest

from drivers import connect
from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.values import Quantity
from tests.drivers.indi.fake_indi import FakeDevice, FakeProperty, Values, say_nothing, spring_back
from tests.drivers.indi.things import DUSK, a_device, connected, later


def a_weather_station(labels_unit: str = "") -> FakeDevice:
    measured = {
        "WEATHER_TEMPERATURE": 4.0,
        "WEATHER_WIND_SPEED": 36.0,
        "WEATHER_RAIN_HOUR": 0.0,
        "WEATHER_FORECAST": 0.0,
    }
    lights: Values = {"WEATHER_WIND_SPEED": "Ok", "WEATHER_RAIN_HOUR": "Ok"}
    fake = a_device(
        FakeProperty("Number", "WEATHER_PARAMETERS", dict(measured), state="Ok", perm="ro"),
        FakeProperty("Light", "WEATHER_STATUS", lights, state="Ok"),
        FakeProperty("Number", "WEATHER_UPDATE", {"PERIOD": 60.0}, limits=(0.0, 3600.0)),
        FakeProperty("Switch", "WEATHER_REFRESH", {"REFRESH": False}, rule="AtMostOne"),
    )

    def measure(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        spring_back(device, prop, values)
        device.tell(device.also["WEATHER_PARAMETERS"], state="Ok")

    fake.reactions["WEATHER_REFRESH"] = measure
    return fake


@pytest.mark.parametrize(
    ("state", "light", "safe"),
    [
        ("Ok", "Ok", True),
        ("Busy", "Ok", False),
        ("Alert", "Ok", False),
        ("Idle", "Ok", False),
        ("Ok", "Busy", False),
        ("Ok", "Alert", False),
        ("Ok", "Idle", False),
    ],
)
async def test_safe_is_what_is_good_in_all(state: str, light: str, safe: bool) -> None:
    fake = a_weather_station()
    async with connected(connect.connect_safety_monitor, fake) as monitor:
        fake.tell(fake.also["WEATHER_STATUS"], state=state, WEATHER_RAIN_HOUR=light)
        await anyio.sleep(0.01)
        assert await monitor.is_safe() is safe


async def test_a_station_that_stops_measuring_is_no_longer_believed() -> None:
    fake = a_weather_station()
    async with connected(connect.connect_safety_monitor, fake) as monitor:
        await anyio.sleep(200.0)
        assert await monitor.is_safe()
        await anyio.sleep(60.0)
        with pytest.raises(Malfunction, match=r"measured last 26\d s ago"):
            await monitor.is_safe()


async def test_weather_is_in_our_units_and_what_is_not_known_is_left_out() -> None:
    fake = a_weather_station()
    async with connected(connect.connect_conditions, fake) as weather:
        readings = await weather.read()
        assert readings == {
            Quantity.TEMPERATURE_C: 4.0,
            Quantity.WIND_SPEED_M_S: pytest.approx(10.0),  # INDI's own unit is km/h
            Quantity.RAIN_RATE_MM_H: 0.0,
        }
        fake.tell(fake.also["WEATHER_PARAMETERS"], state="Alert")
        await anyio.sleep(0.01)
        with pytest.raises(Malfunction, match="alert"):
            await weather.read()


@pytest.mark.parametrize(("label", "speed"), [("Wind (m/s)", 36.0), ("Wind (mph)", 16.09344), ("Gale (kph)", 10.0)])
async def test_a_driver_that_names_its_unit_is_read_in_it(label: str, speed: float) -> None:
    fake = a_weather_station()
    wind = fake.also["WEATHER_PARAMETERS"]
    plain = wind.described

    def labelled(device: str) -> str:
        return plain(device).replace(
            "name=\"WEATHER_WIND_SPEED\" label=''", f"name='WEATHER_WIND_SPEED' label='{label}'"
        )

    wind.described = labelled  # type: ignore[method-assign]
    async with connected(connect.connect_conditions, fake) as weather:
        assert (await weather.read())[Quantity.WIND_SPEED_M_S] == pytest.approx(speed)


async def test_a_value_that_is_none_is_an_error_and_a_station_that_measures_nothing_is_refused() -> None:
    fake = a_weather_station()
    async with connected(connect.connect_conditions, fake) as weather:
        fake.tell(fake.also["WEATHER_PARAMETERS"], WEATHER_TEMPERATURE=float("nan"))
        await anyio.sleep(0.01)
        with pytest.raises(Malfunction, match="WEATHER_TEMPERATURE"):
            await weather.read()
    nothing = a_device(FakeProperty("Number", "WEATHER_PARAMETERS", {"WEATHER_ALTITUDE": 1.0}, state="Ok", perm="ro"))
    with pytest.raises(Refused, match="only WEATHER_ALTITUDE"):
        async with connected(connect.connect_conditions, nothing):
            pass


# GPS


def a_receiver(fix: Callable[[FakeDevice], None]) -> FakeDevice:
    fake = a_device(
        FakeProperty("Number", "GEOGRAPHIC_COORD", {"LAT": 28.3, "LONG": 343.5, "ELEV": 2390.0}, perm="ro"),
        FakeProperty("Text", "TIME_UTC", {"UTC": "2019-04-07T00:00:00", "OFFSET": "0"}, perm="ro"),
        FakeProperty("Switch", "GPS_REFRESH", {"REFRESH": False}, rule="AtMostOne"),
    )

    def refresh(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        spring_back(device, prop, values)
        later(4.0, lambda: fix(device))

    fake.reactions["GPS_REFRESH"] = refresh
    return fake


async def test_a_receiver_is_asked_anew_and_what_it_said_before_is_not_believed() -> None:
    def fixed(device: FakeDevice) -> None:
        device.tell(device.also["GEOGRAPHIC_COORD"], state="Ok")
        device.tell(device.also["TIME_UTC"], state="Ok", UTC="2026-11-22T18:00:09")

    async with connected(connect.connect_time_and_place, a_receiver(fixed)) as gps:
        told = await gps.read()
        assert (told.latitude_deg, told.longitude_deg, told.elevation_m) == (28.3, -16.5, 2390.0)
        assert told.utc is not None
        assert timedelta(seconds=9) <= told.utc - DUSK < timedelta(seconds=10)


def in_alert(device: FakeDevice) -> None:
    device.tell(device.also["TIME_UTC"], state="Alert")


def at_no_time(device: FakeDevice) -> None:
    device.tell(device.also["TIME_UTC"], state="Ok", UTC="yesterday")


def nowhere(device: FakeDevice) -> None:
    device.tell(device.also["GEOGRAPHIC_COORD"], LAT=120.0)
    device.tell(device.also["TIME_UTC"], state="Ok", UTC="2026-11-22T18:00:09")


def nothing(_: FakeDevice) -> None:
    """As a receiver indoors."""


@pytest.mark.parametrize("fix", [in_alert, at_no_time, nowhere, nothing], ids=lambda fix: fix.__name__)
async def test_no_fix_is_an_error(fix: Callable[[FakeDevice], None]) -> None:
    async with connected(connect.connect_time_and_place, a_receiver(fix)) as gps:
        with pytest.raises((Malfunction, TimedOut)):
            await gps.read()


async def test_a_driver_without_a_receiver_says_where_and_not_when() -> None:
    place = FakeProperty("Number", "GEOGRAPHIC_COORD", {"LAT": -30.0, "LONG": 10.0, "ELEV": 0.0})
    time = FakeProperty("Text", "TIME_UTC", {"UTC": "2026-11-22T12:00:00", "OFFSET": "0"}, state="Ok")
    async with connected(connect.connect_time_and_place, a_device(place, time)) as mount:
        told = await mount.read()
        assert (told.latitude_deg, told.longitude_deg, told.utc, told.clock_error_s) == (-30.0, 10.0, None, None)


async def test_a_driver_that_answers_nothing_is_not_connected() -> None:
    fake = a_receiver(nothing)
    fake.reactions["POLLING_PERIOD"] = say_nothing
    fake.describe = lambda _: None  # type: ignore[method-assign]
    with pytest.raises((ConnectionLost, TimedOut, Refused)):
        async with connected(connect.connect_time_and_place, fake):
            pass
