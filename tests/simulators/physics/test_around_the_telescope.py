"""Dome, filter wheel, focuser and weather over time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.values import Quantity, ShutterState
from simulators.clock import HandClock
from simulators.physics.dome import Dome, DomeSettings
from simulators.physics.filter_wheel import FilterWheel, FilterWheelSettings
from simulators.physics.focuser import Focuser, FocuserSettings
from simulators.physics.mechanics import wrapped
from simulators.physics.refusals import Refusal
from simulators.physics.weather import Weather
from simulators.sky.earth import Ground

EVENING = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
TEIDE = Ground(28.3, -16.5, 2390.0)


def a_dome(**how: float) -> tuple[Dome, HandClock]:
    clock = HandClock(EVENING)
    return Dome(DomeSettings(**how), now=clock.now), clock


def test_a_shutter_is_open_only_when_it_has_stopped_there() -> None:
    dome, clock = a_dome(open_close_s=20.0)
    assert dome.shutter is ShutterState.CLOSED
    dome.move_shutter(opening=True)
    seen = []
    for _ in range(25):
        seen.append(dome.shutter)
        assert dome.moving is (dome.shutter is ShutterState.OPENING)
        clock.advance(1.0)
    assert seen.count(ShutterState.OPENING) in (20, 21)
    assert dome.shutter is ShutterState.OPEN
    dome.move_shutter(opening=False)
    assert dome.shutter is ShutterState.CLOSING
    clock.advance(21.0)
    assert dome.shutter is ShutterState.CLOSED


def test_a_shutter_stopped_half_way_is_neither_open_nor_closed() -> None:
    dome, clock = a_dome()
    dome.move_shutter(opening=True)
    clock.advance(5.0)
    dome.abort()
    clock.advance(5.0)
    assert dome.shutter is ShutterState.ERROR
    dome.move_shutter(opening=False)
    clock.advance(21.0)
    assert dome.shutter is ShutterState.CLOSED


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.0, 359.99), min_size=1, max_size=5))
def test_a_dome_comes_round_the_short_way(azimuths_deg: list[float]) -> None:
    dome, clock = a_dome(top_speed_deg_s=5.0, acceleration_deg_s2=2.5)
    for azimuth_deg in azimuths_deg:
        dome.slew(azimuth_deg)
        clock.advance(180.0 / 5.0 + 2.0 + 0.01)  # never more than half a turn
        assert not dome.moving
        assert wrapped(dome.azimuth_deg - azimuth_deg) == pytest.approx(0.0, abs=1e-6)


def test_a_dome_knows_that_it_is_parked() -> None:
    dome, clock = a_dome()
    assert dome.stands_at == "park"
    dome.slew(90.0)
    assert dome.stands_at is None
    clock.advance(60.0)
    dome.slew(0.0, to="park")
    assert dome.stands_at is None
    clock.advance(5.0)
    dome.abort()
    clock.advance(60.0)
    assert dome.stands_at is None
    for azimuth_deg in (-10.0, 360.0, float("nan")):
        with pytest.raises(Refusal):
            dome.slew(azimuth_deg)


def test_light_comes_in_only_through_the_open_slit() -> None:
    dome, clock = a_dome(slit_half_width_deg=15.0)

    def share(altitude_deg: float, azimuth_deg: float) -> float:
        return dome.lets_through(altitude_deg, azimuth_deg, clock.now())

    dome.slew(90.0)
    clock.advance(60.0)
    assert share(30.0, 90.0) == 0.0  # closed
    dome.move_shutter(opening=True)
    clock.advance(60.0)
    assert share(30.0, 90.0) == 1.0
    assert share(30.0, 100.0) == 1.0
    assert 0.0 < share(0.0, 103.5) < 1.0  # the edge of the slit
    assert share(30.0, 130.0) == 0.0
    assert share(30.0, 270.0) == 0.0  # behind
    assert share(80.0, 150.0) == 1.0  # near the zenith azimuth counts little
    assert share(80.0, 270.0) == 1.0  # the slit reaches beyond the zenith
    assert dome.lets_through(30.0, 90.0, EVENING) == 0.0  # it was closed then


def test_light_comes_in_through_the_window_and_not_beside_it() -> None:
    dome, clock = a_dome(slit_half_width_deg=15.0, can_set_altitude=True)
    dome.slew(90.0)
    dome.move_shutter(opening=True)
    dome.raise_window(50.0)
    assert dome.moving
    before = clock.now()
    clock.advance(60.0)
    assert not dome.moving
    assert dome.altitude_deg == pytest.approx(50.0)
    shares = [dome.lets_through(altitude_deg, 90.0, clock.now()) for altitude_deg in (30.0, 36.5, 40.0, 60.0, 70.0)]
    assert shares == [0.0, pytest.approx(0.5), 1.0, 1.0, 0.0]
    assert dome.lets_through(50.0, 90.0, before) == 0.0
    for altitude_deg in (-0.1, 90.1, float("nan")):
        with pytest.raises(Refusal, match="not within"):
            dome.raise_window(altitude_deg)
    slit, _ = a_dome()
    with pytest.raises(Refusal, match="from the horizon to the zenith"):
        slit.raise_window(50.0)


def test_a_wheel_turns_the_short_way_and_says_nothing_while_it_does() -> None:
    clock = HandClock(EVENING)
    wheel = FilterWheel(FilterWheelSettings(slot_s=0.5), now=clock.now)
    assert wheel.slot == 0
    wheel.select(3)
    assert wheel.slot is None
    clock.advance(0.51)  # one slot backwards, not three forwards
    assert wheel.slot == 3
    assert wheel.filter_at(EVENING - timedelta(seconds=1)).name == "Clear"
    assert wheel.filter_at(clock.now()).name == "Blue"
    wheel.select(1)
    clock.advance(0.2)
    wheel.select(1)
    clock.advance(0.7)
    assert wheel.slot is None
    clock.advance(0.2)
    assert wheel.slot == 1
    for slot in (-1, 4):
        with pytest.raises(Refusal, match="slots 0 to 3"):
            wheel.select(slot)


@settings(deadline=None, max_examples=60)
@given(st.integers(-1000, 60_000))
def test_a_focuser_goes_where_it_is_sent_and_no_further_than_its_ends(position_steps: int) -> None:
    clock = HandClock(EVENING)
    focuser = Focuser(FocuserSettings(), now=clock.now, ambient_c=lambda _: 10.0)
    focuser.move_to(position_steps)
    assert focuser.moving is (position_steps != 25_000)
    clock.advance(25_000 / 2_000 + 0.6)
    assert not focuser.moving
    assert focuser.position_steps == min(max(position_steps, 0), 50_000)


def test_a_halted_focuser_rests_on_the_way() -> None:
    clock = HandClock(EVENING)
    focuser = Focuser(FocuserSettings(), now=clock.now, ambient_c=lambda _: 10.0)
    focuser.move_to(50_000)
    clock.advance(3.0)
    focuser.halt()
    clock.advance(1.0)
    assert not focuser.moving
    assert 25_000 < focuser.position_steps < 32_000


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.0, 86_400.0))
def test_the_weather_is_calm_and_consistent_at_every_hour_and_for_every_seed(seed: int, later_s: float) -> None:
    at = EVENING + timedelta(seconds=later_s)
    weather = Weather(ground=TEIDE, now=lambda: at, seed=seed)
    seen = weather.read(at)
    assert set(seen) == set(Quantity)
    assert weather.is_safe(at)
    assert 0.0 <= seen[Quantity.CLOUD_COVER_PERCENT] <= 100.0
    assert 0.0 <= seen[Quantity.HUMIDITY_PERCENT] <= 100.0
    assert seen[Quantity.DEW_POINT_C] <= seen[Quantity.TEMPERATURE_C]
    assert seen[Quantity.WIND_GUST_M_S] >= seen[Quantity.WIND_SPEED_M_S] >= 0.0
    assert 0.0 <= seen[Quantity.WIND_DIRECTION_DEG] < 360.0
    soon = weather.read(at + timedelta(seconds=10))
    assert abs(soon[Quantity.TEMPERATURE_C] - seen[Quantity.TEMPERATURE_C]) < 0.01


def test_the_dew_point_agrees_with_the_tables() -> None:
    weather = Weather(ground=TEIDE, now=lambda: EVENING)
    weather.order(safe=None, values={Quantity.TEMPERATURE_C: 20.0, Quantity.HUMIDITY_PERCENT: 50.0})
    assert weather.read(EVENING)[Quantity.DEW_POINT_C] == pytest.approx(9.3, abs=0.1)  # psychrometric tables


def test_the_sky_is_darker_the_deeper_the_sun() -> None:
    weather = Weather(ground=TEIDE, now=lambda: EVENING)
    noon = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
    magnitudes = [
        weather.read(noon + timedelta(minutes=10 * step))[Quantity.SKY_QUALITY_MAG_ARCSEC2] for step in range(60)
    ]
    assert magnitudes == sorted(magnitudes)
    assert magnitudes[0] < 6.0
    assert magnitudes[-1] > 21.0


def test_ordered_clouds_come_at_once_make_it_unsafe_and_dim_the_stars_until_they_are_called_off() -> None:
    clock = HandClock(EVENING)
    weather = Weather(ground=TEIDE, now=clock.now)
    clear = weather.clearness(EVENING)
    clock.advance(60.0)
    weather.order(safe=None, values={Quantity.CLOUD_COVER_PERCENT: 100.0})
    assert not weather.is_safe(clock.now())
    assert weather.clearness(clock.now()) == pytest.approx(0.05)
    assert weather.clearness(EVENING) == clear
    assert weather.is_safe(EVENING)
    clock.advance(60.0)
    weather.order(safe=False, values={})
    assert not weather.is_safe(clock.now())
    clock.advance(60.0)
    weather.order(safe=None, values={})
    assert weather.is_safe(clock.now())


def test_calm_air_has_no_direction() -> None:
    weather = Weather(ground=TEIDE, now=lambda: EVENING)
    weather.order(safe=None, values={Quantity.WIND_SPEED_M_S: 0.0})
    assert weather.read(EVENING)[Quantity.WIND_DIRECTION_DEG] == 0.0
