"""Filter wheel, focuser, dome, safety monitor and weather station over Alpaca."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.alpaca.focuser import _legs
from drivers.config import AlpacaDevice
from drivers.connect import (
    connect_conditions,
    connect_dome,
    connect_filter_wheel,
    connect_focuser,
    connect_safety_monitor,
)
from drivers.errors import ConnectionLost, Malfunction, Refused, TimedOut
from drivers.protocols import Dome, FilterWheel, Focuser
from drivers.values import Quantity, ShutterState
from tests.drivers.fake_alpaca import FakeAlpaca, Fault, hangs_up_after, not_implemented
from tests.drivers.fake_devices import FakeConditions, FakeDome, FakeFilterWheel, FakeFocuser, FakeSafetyMonitor

Now = Callable[[], datetime]


@pytest.fixture
def settings(alpaca: FakeAlpaca) -> AlpacaDevice:
    return AlpacaDevice(address=alpaca.address)


# Filter wheel


@pytest.fixture
def filters(alpaca: FakeAlpaca) -> FakeFilterWheel:
    wheel: FakeFilterWheel = alpaca.add("filterwheel", FakeFilterWheel(alpaca.clock))
    return wheel


@pytest.fixture
async def wheel(settings: AlpacaDevice, filters: FakeFilterWheel, now: Now) -> AsyncIterator[FilterWheel]:
    async with connect_filter_wheel(settings, now=now) as wheel:
        yield wheel


async def test_a_filter_is_in_the_beam_when_select_returns(wheel: FilterWheel, filters: FakeFilterWheel) -> None:
    assert wheel.capabilities.filter_names == ("Clear", "Red", "Ha")
    assert wheel.capabilities.focus_offsets_steps == (0, -12, 40)
    await wheel.select("Ha")
    assert await wheel.selected() == "Ha"
    assert filters.Position == 2


async def test_a_wheel_that_turns_shows_no_filter(wheel: FilterWheel, filters: FakeFilterWheel) -> None:
    filters.Position = 1
    assert await wheel.selected() is None


async def test_the_filter_in_the_beam_is_not_selected_again(wheel: FilterWheel, alpaca: FakeAlpaca) -> None:
    await wheel.select("Clear")
    assert alpaca.times("PUT filterwheel/0/position") == 0


async def test_a_filter_the_wheel_does_not_have_is_refused_with_those_it_has(wheel: FilterWheel) -> None:
    with pytest.raises(Refused, match="'OIII': it has Clear, Red, Ha"):
        await wheel.select("OIII")


async def test_a_wheel_that_does_not_turn_is_given_up(wheel: FilterWheel, filters: FakeFilterWheel) -> None:
    filters.ignores_commands = True
    with pytest.raises(TimedOut, match="select filter 'Ha': not done within 60 s"):
        await wheel.select("Ha")


async def test_a_slot_the_wheel_cannot_have_is_a_malfunction(wheel: FilterWheel, filters: FakeFilterWheel) -> None:
    filters._slot = 7
    with pytest.raises(Malfunction, match="slot 7 of 0 to 2"):
        await wheel.selected()


@pytest.mark.parametrize(("names", "offsets"), [((), ()), (("Clear", "Red"), (0, 1, 2)), (("Clear", 5), (0, 0))])
async def test_a_wheel_that_cannot_name_its_filters_is_not_used(
    names: tuple[object, ...], offsets: tuple[int, ...], settings: AlpacaDevice, filters: FakeFilterWheel, now: Now
) -> None:
    filters.Names, filters.FocusOffsets = names, offsets  # type: ignore[assignment]
    with pytest.raises(Malfunction):
        async with connect_filter_wheel(settings, now=now):
            pytest.fail("it was accepted")


async def test_a_wheel_without_focus_offsets_has_none(
    settings: AlpacaDevice, filters: FakeFilterWheel, now: Now
) -> None:
    class Plain(FakeFilterWheel):
        @property
        def FocusOffsets(self) -> tuple[int, ...]:  # type: ignore[override]  # noqa: N802
            raise not_implemented()

    filters.__class__ = Plain
    async with connect_filter_wheel(settings, now=now) as wheel:
        assert wheel.capabilities.focus_offsets_steps == (0, 0, 0)


# Focuser


@pytest.fixture
def drawtube(alpaca: FakeAlpaca) -> FakeFocuser:
    focuser: FakeFocuser = alpaca.add("focuser", FakeFocuser(alpaca.clock))
    return focuser


@pytest.fixture
async def focuser(settings: AlpacaDevice, drawtube: FakeFocuser, now: Now) -> AsyncIterator[Focuser]:
    async with connect_focuser(settings, now=now) as focuser:
        yield focuser


async def test_a_focuser_ends_where_it_was_sent(focuser: Focuser, drawtube: FakeFocuser) -> None:
    await focuser.move_to(31_000)
    status = await focuser.status()
    assert status.position_steps == 31_000
    assert not status.moving
    assert status.temperature_c == 8.0
    await focuser.move_to(31_000)
    assert drawtube.moves == [31_000]


async def test_a_long_way_is_gone_in_as_many_moves_as_the_focuser_needs(
    settings: AlpacaDevice, drawtube: FakeFocuser, now: Now
) -> None:
    drawtube.MaxIncrement = 4_000
    async with connect_focuser(settings, now=now) as focuser:
        await focuser.move_to(15_000)
    assert drawtube.Position == 15_000
    assert len(drawtube.moves) == 3


@pytest.mark.parametrize("position", [-1, 50_001])
async def test_a_position_beyond_the_travel_is_refused(position: int, focuser: Focuser) -> None:
    with pytest.raises(Refused, match="travel is 0 to 50000"):
        await focuser.move_to(position)


async def test_a_blocked_focuser_is_a_malfunction_that_says_where(focuser: Focuser, drawtube: FakeFocuser) -> None:
    drawtube.sticks_at = 27_000
    with pytest.raises(Malfunction, match="move to 31000: stopped at 27000; is it blocked"):
        await focuser.move_to(31_000)


async def test_a_cancelled_move_halts(focuser: Focuser, drawtube: FakeFocuser) -> None:
    with anyio.move_on_after(2.0):
        await focuser.move_to(50_000)
    assert not drawtube.IsMoving
    assert drawtube.Position < 28_000


async def test_a_relative_focuser_is_refused(settings: AlpacaDevice, drawtube: FakeFocuser, now: Now) -> None:
    drawtube.Absolute = False
    with pytest.raises(Refused, match="only absolute focusers"):
        async with connect_focuser(settings, now=now):
            pytest.fail("it was accepted")


@given(st.integers(0, 60_000), st.integers(0, 60_000), st.integers(3, 60_000))
def test_legs_lead_to_the_goal_and_none_is_too_long(here: int, goal: int, longest: int) -> None:
    legs = list(_legs(here, goal, max(longest, abs(goal - here) // 50)))
    assert legs == [] if here == goal else legs[-1] == goal
    assert all(abs(b - a) <= max(longest, abs(goal - here) // 50) for a, b in zip([here, *legs], legs, strict=False))


# Dome


@pytest.fixture
def cupola(alpaca: FakeAlpaca) -> FakeDome:
    dome: FakeDome = alpaca.add("dome", FakeDome(alpaca.clock))
    return dome


@pytest.fixture
async def dome(settings: AlpacaDevice, cupola: FakeDome, now: Now) -> AsyncIterator[Dome]:
    async with connect_dome(settings, now=now) as dome:
        yield dome


async def test_a_dome_is_open_when_open_returns_and_closed_when_close_returns(dome: Dome) -> None:
    assert (await dome.status()).shutter is ShutterState.CLOSED
    await dome.open()
    assert (await dome.status()).shutter is ShutterState.OPEN
    await dome.open()
    await dome.close()
    status = await dome.status()
    assert status.shutter is ShutterState.CLOSED
    assert not status.moving


async def test_a_shutter_on_its_way_is_neither_open_nor_closed(dome: Dome, cupola: FakeDome) -> None:
    cupola.OpenShutter()
    status = await dome.status()
    assert status.shutter is ShutterState.OPENING
    assert status.moving


@pytest.mark.parametrize("command", ["OpenShutter", "CloseShutter"])
async def test_a_shutter_that_does_not_obey_is_found_out_in_seconds(command: str, dome: Dome, cupola: FakeDome) -> None:
    if command == "CloseShutter":
        await dome.open()
    cupola.ignores = (command,)
    began_s = anyio.current_time()
    with pytest.raises(Malfunction, match=r"said yes, and its shutter is in the state (open|closed); look at it"):
        await (dome.open() if command == "OpenShutter" else dome.close())
    assert anyio.current_time() - began_s < 10.0


async def test_a_shutter_that_jams_half_way_is_a_malfunction(dome: Dome, cupola: FakeDome) -> None:
    cupola.jams = True
    with pytest.raises(Malfunction, match="in the state error"):
        await dome.open()
    assert (await dome.status()).shutter is ShutterState.ERROR


async def test_a_cancelled_opening_stops(dome: Dome, cupola: FakeDome) -> None:
    with anyio.move_on_after(5.0):
        await dome.open()
    await anyio.sleep(60.0)
    assert (await dome.status()).shutter is ShutterState.ERROR  # half open: proof of nothing


async def test_a_lost_reading_does_not_stop_a_dome_that_closes(
    dome: Dome, alpaca: FakeAlpaca, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dome.open()
    closes = FakeDome.CloseShutter

    def closes_and_falls_silent(dome: FakeDome) -> None:
        closes(dome)
        alpaca.instead["dome", "shutterstatus"] = hangs_up_after(b"")

    monkeypatch.setattr(FakeDome, "CloseShutter", closes_and_falls_silent)
    with pytest.raises(ConnectionLost):
        await dome.close()
    assert alpaca.times("PUT dome/0/abortslew") == 0
    alpaca.instead.clear()
    await anyio.sleep(30.0)
    assert (await dome.status()).shutter is ShutterState.CLOSED


async def test_a_roof_that_says_closed_while_it_still_moves_is_not_believed(dome: Dome, cupola: FakeDome) -> None:
    await dome.open()

    class Hasty(FakeDome):
        @property
        def ShutterStatus(self) -> int:  # noqa: N802
            return 1

        @property
        def Slewing(self) -> bool:  # noqa: N802
            return super().ShutterStatus != 1

    began_s = anyio.current_time()
    cupola.CloseShutter()
    cupola.__class__ = Hasty
    await dome.close()
    assert anyio.current_time() - began_s >= 20.0


async def test_a_limit_switch_that_chatters_is_not_believed_at_its_first_word(
    dome: Dome, cupola: FakeDome, alpaca: FakeAlpaca
) -> None:
    await dome.open()

    class Chattering(FakeDome):
        Slewing = False  # type: ignore[assignment]

        @property
        def ShutterStatus(self) -> int:  # noqa: N802
            past_s = self._clock() - self._shutter_s
            return 1 if past_s > 20.0 or int(past_s / 0.5) % 4 == 3 else 3

    cupola.CloseShutter()
    cupola.__class__ = Chattering
    began_s = anyio.current_time()
    await dome.close()
    assert anyio.current_time() - began_s >= 19.0


@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0, 359.0, 360.0, -90.0])
async def test_a_dome_turns_to_where_it_is_sent(azimuth_deg: float, dome: Dome) -> None:
    await dome.slew_to(azimuth_deg)
    status = await dome.status()
    assert status.azimuth_deg == pytest.approx(azimuth_deg % 360.0)
    assert not status.moving


async def test_a_dome_that_follows_its_own_lead_is_freed_first(dome: Dome, cupola: FakeDome) -> None:
    cupola.Slaved = True
    await dome.slew_to(90.0)
    assert cupola.Slaved is False


async def test_a_dome_that_stops_a_little_short_is_good_enough_and_further_off_is_not(
    dome: Dome, cupola: FakeDome
) -> None:
    cupola.short_by_deg = 1.2
    await dome.slew_to(90.0)
    cupola.short_by_deg = 6.0
    with pytest.raises(Malfunction, match=r"turn to 180\.0°: stands at 174\.0°, 6\.0° away"):
        await dome.slew_to(180.0)


async def test_a_cancelled_turn_stops(dome: Dome, cupola: FakeDome) -> None:
    with anyio.move_on_after(4.0):
        await dome.slew_to(120.0)
    assert not cupola.Slewing
    assert cupola.Azimuth < 25.0


async def test_a_dome_parks(dome: Dome, cupola: FakeDome) -> None:
    await dome.park()
    assert cupola.AtPark
    assert not cupola.Slewing


async def test_a_dome_that_does_not_obey_park_is_found_out_in_seconds(dome: Dome, cupola: FakeDome) -> None:
    class Stubborn(FakeDome):
        def Park(self) -> None:  # noqa: N802
            """Says yes."""

    cupola.__class__ = Stubborn
    began_s = anyio.current_time()
    with pytest.raises(Malfunction, match=r"park: said yes, and has not moved for .* s; it is not parked"):
        await dome.park()
    assert anyio.current_time() - began_s <= 10.0


async def test_a_dome_that_says_parked_while_it_turns_is_not_believed(dome: Dome, cupola: FakeDome) -> None:
    class Hasty(FakeDome):
        AtPark = True  # type: ignore[assignment]
        Slewing = False  # type: ignore[assignment]

    cupola.__class__ = Hasty
    await dome.park()
    assert not cupola._turning


async def test_a_dome_that_turns_on_after_its_abort_is_found_out_though_its_flag_says_that_it_stands(
    dome: Dome, cupola: FakeDome
) -> None:
    class Deaf(FakeDome):
        Slewing = False  # type: ignore[assignment]

        def AbortSlew(self) -> None:  # noqa: N802
            """Says yes."""

    cupola.__class__ = Deaf
    cupola.SlewToAzimuth(170.0)
    began_s = anyio.current_time()
    with pytest.raises(TimedOut, match="abort: not done within 9 s"):
        await dome.abort()
    assert anyio.current_time() - began_s <= 10.0


async def test_a_roof_that_rolls_off_has_a_shutter_and_no_azimuth(
    settings: AlpacaDevice, cupola: FakeDome, now: Now
) -> None:
    cupola.CanSetAzimuth = cupola.CanPark = False
    async with connect_dome(settings, now=now) as roof:
        assert (await roof.status()).azimuth_deg is None
        await roof.open()
        assert (await roof.status()).shutter is ShutterState.OPEN
        await roof.close()
        for asked in (roof.slew_to(90.0), roof.park()):
            with pytest.raises(Refused):
                await asked


async def test_a_dome_whose_shutter_nobody_moves_proves_nothing(
    settings: AlpacaDevice, cupola: FakeDome, now: Now
) -> None:
    class Shutterless(FakeDome):
        CanSetShutter = Slewing = False  # type: ignore[assignment]

        @property
        def ShutterStatus(self) -> int:  # noqa: N802
            raise not_implemented()

    cupola.__class__ = Shutterless
    async with connect_dome(settings, now=now) as dome:
        assert (await dome.status()).shutter is ShutterState.ERROR
        with pytest.raises(Refused, match="its shutter is not moved"):
            await dome.close()


@pytest.mark.parametrize("azimuth", [float("nan"), -10.0, 400.0])
async def test_an_azimuth_that_cannot_be_is_a_malfunction(azimuth: float, dome: Dome, cupola: FakeDome) -> None:
    class Lost(FakeDome):
        Azimuth = azimuth

    cupola.__class__ = Lost
    with pytest.raises(Malfunction):
        await dome.status()
    with pytest.raises(Refused):
        await dome.slew_to(float("nan"))


# Safety monitor


async def test_a_monitor_says_what_it_says(alpaca: FakeAlpaca, settings: AlpacaDevice, now: Now) -> None:
    watchman = alpaca.add("safetymonitor", FakeSafetyMonitor(alpaca.clock))
    async with connect_safety_monitor(settings, now=now) as monitor:
        assert await monitor.is_safe() is True
        watchman.IsSafe = False
        assert await monitor.is_safe() is False


@pytest.mark.parametrize("says", [1, "true", None, "yes", 0.0])
async def test_a_monitor_that_does_not_say_yes_or_no_says_nothing(
    says: object, alpaca: FakeAlpaca, settings: AlpacaDevice, now: Now
) -> None:
    alpaca.add("safetymonitor", FakeSafetyMonitor(alpaca.clock)).IsSafe = says
    async with connect_safety_monitor(settings, now=now) as monitor:
        with pytest.raises(Malfunction):
            await monitor.is_safe()


async def test_a_monitor_that_is_unplugged_proves_nothing(alpaca: FakeAlpaca, settings: AlpacaDevice, now: Now) -> None:
    watchman = alpaca.add("safetymonitor", FakeSafetyMonitor(alpaca.clock))
    async with connect_safety_monitor(settings, now=now) as monitor:
        watchman.Connected = False  # and still it says that all is safe
        with pytest.raises(ConnectionLost, match="not connected to its instruments"):
            await monitor.is_safe()


# Weather station


@pytest.fixture
def station(alpaca: FakeAlpaca) -> FakeConditions:
    station: FakeConditions = alpaca.add("observingconditions", FakeConditions(alpaca.clock))
    return station


async def test_the_weather_is_what_is_measured_and_nothing_else(
    settings: AlpacaDevice, station: FakeConditions, now: Now
) -> None:
    async with connect_conditions(settings, now=now) as conditions:
        assert await conditions.read() == {
            Quantity.CLOUD_COVER_PERCENT: 12.0,
            Quantity.DEW_POINT_C: 3.5,
            Quantity.HUMIDITY_PERCENT: 61.0,
            Quantity.TEMPERATURE_C: 9.0,
            Quantity.PRESSURE_HPA: 772.0,
            Quantity.RAIN_RATE_MM_H: 0.0,
        }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "wet", None])
async def test_a_value_that_is_no_number_is_a_malfunction(
    value: object, settings: AlpacaDevice, station: FakeConditions, now: Now
) -> None:
    async with connect_conditions(settings, now=now) as conditions:
        station.Humidity = value  # type: ignore[assignment]
        with pytest.raises(Malfunction, match="read Humidity"):
            await conditions.read()


async def test_an_instrument_that_falls_silent_is_an_error_and_no_gap(
    settings: AlpacaDevice, station: FakeConditions, now: Now
) -> None:
    class Silent(FakeConditions):
        @property
        def RainRate(self) -> float:  # type: ignore[override]  # noqa: N802
            raise Fault(0x402, "no reading yet")

    async with connect_conditions(settings, now=now) as conditions:
        station.__class__ = Silent
        with pytest.raises(Refused, match="no reading yet"):
            await conditions.read()
    async with connect_conditions(settings, now=now) as conditions:  # known as an instrument all the same
        with pytest.raises(Refused, match="no reading yet"):
            await conditions.read()


@pytest.mark.parametrize("age_s", [181.0, 86_400.0, -1.0])
async def test_weather_of_yesterday_is_none(
    age_s: float, settings: AlpacaDevice, station: FakeConditions, now: Now
) -> None:
    async with connect_conditions(settings, now=now) as conditions:
        station.age_s = age_s
        with pytest.raises(Malfunction, match="is it alive"):
            await conditions.read()


async def test_a_station_that_does_not_tell_the_age_of_its_weather_is_believed(
    settings: AlpacaDevice, station: FakeConditions, now: Now
) -> None:
    class Ageless(FakeConditions):
        def TimeSinceLastUpdate(self, SensorName: str = "") -> float:  # noqa: N802, N803
            raise not_implemented()

    station.__class__ = Ageless
    async with connect_conditions(settings, now=now) as conditions:
        assert (await conditions.read())[Quantity.TEMPERATURE_C] == 9.0


async def test_a_station_that_is_unplugged_is_no_weather(
    settings: AlpacaDevice, station: FakeConditions, now: Now
) -> None:
    async with connect_conditions(settings, now=now) as conditions:
        station.Connected = False
        with pytest.raises(ConnectionLost):
            await conditions.read()


async def test_a_station_that_measures_nothing_is_refused(alpaca: FakeAlpaca, settings: AlpacaDevice, now: Now) -> None:
    alpaca.add("observingconditions", FakeSafetyMonitor(alpaca.clock))
    with pytest.raises(Refused, match="measures nothing"):
        async with connect_conditions(settings, now=now):
            pytest.fail("it was accepted")
