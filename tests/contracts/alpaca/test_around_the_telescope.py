"""Filter wheel, focuser, dome, weather station and safety monitor."""

import pytest

from simulators.physics.dome import DomeSettings
from simulators.physics.focuser import FocuserSettings
from tests.contracts.alpaca.benches import ADDRESS
from tests.contracts.alpaca.faces import INVALID_OPERATION, INVALID_VALUE, NOT_IMPLEMENTED
from tests.contracts.alpaca.instruments import Instrument, Opening
from tests.contracts.alpaca.members import SENSORS
from tests.contracts.alpaca.scopes import turn

OPEN, CLOSED, OPENING, CLOSING = 0, 1, 2, 3
WINDOW = DomeSettings(can_set_altitude=True)


def test_every_filter_has_a_name_and_an_offset(opened: Opening) -> None:
    wheel = opened("FilterWheel")
    names = wheel.read("Names")
    assert names
    assert all(name.strip() for name in names)
    assert len(wheel.read("FocusOffsets")) == len(names)


def test_every_filter_is_reached_in_its_own_time(opened: Opening) -> None:
    wheel = opened("FilterWheel")
    count = len(wheel.read("Names"))
    for slot in [*range(count), 0]:
        elsewhere = wheel.read("Position") != slot
        wheel.write("Position", slot)
        if elsewhere and not ADDRESS:
            assert wheel.read("Position") == -1
        wheel.until("Position", slot, within_s=30.0)


def test_a_filter_that_is_not_there_is_refused(opened: Opening) -> None:
    wheel = opened("FilterWheel")
    before = wheel.read("Position")
    for slot in (-1, len(wheel.read("Names"))):
        assert wheel.write_refusal("Position", slot) == INVALID_VALUE
    assert wheel.read("Position") == before


def test_a_focuser_begins_at_rest_within_its_ends(opened: Opening) -> None:
    focuser = opened("Focuser")
    assert focuser.read("IsMoving") is False
    assert focuser.read("MaxIncrement") >= 1
    assert focuser.read("MaxStep") >= 1
    if focuser.read("Absolute"):
        assert 0 <= focuser.read("Position") <= focuser.read("MaxStep")
        assert focuser.read("MaxIncrement") <= focuser.read("MaxStep")
    assert not focuser.implemented("StepSize") or focuser.read("StepSize") > 0.0
    assert not focuser.implemented("Temperature") or -60.0 < focuser.read("Temperature") < 60.0


@pytest.mark.parametrize(("share", "beyond"), [(0.0, 0), (0.5, 0), (1.0, 0), (0.0, -10), (1.0, 10)])
def test_a_focuser_goes_where_it_is_sent_and_to_its_end_when_sent_beyond(
    opened: Opening, share: float, beyond: int
) -> None:
    focuser = opened("Focuser")
    if not focuser.read("Absolute"):
        pytest.skip("this focuser does not know where it stands")
    goal = round(share * focuser.read("MaxStep"))
    before = focuser.read("Position")
    focuser.call("Move", Position=goal + beyond)
    if before != goal and not ADDRESS:
        assert focuser.read("IsMoving") is True
    focuser.until("IsMoving", False)
    assert abs(focuser.read("Position") - goal) <= 2


def test_a_focuser_halts_on_its_way(opened: Opening) -> None:
    focuser = opened("Focuser")
    focuser.call("Move", Position=0)
    focuser.until("IsMoving", False)
    focuser.call("Move", Position=focuser.read("MaxStep"))
    focuser.bench.wait(1.0)
    if focuser.refusal("Halt") == NOT_IMPLEMENTED:
        pytest.skip("this focuser cannot be halted")
    focuser.until("IsMoving", False, within_s=10.0)
    assert 0 <= focuser.read("Position") <= focuser.read("MaxStep")


@pytest.mark.parametrize("can_compensate", [True, False])
def test_temperature_compensation_is_refused_where_there_is_none(opened: Opening, can_compensate: bool) -> None:
    focuser = opened("Focuser", focusers=(FocuserSettings(can_compensate=can_compensate),))
    if focuser.read("TempCompAvailable"):
        for on in (True, False):
            focuser.write("TempComp", on)
            assert focuser.read("TempComp") is on
    else:
        assert focuser.read("TempComp") is False
        assert focuser.write_refusal("TempComp", True) == NOT_IMPLEMENTED


def require(dome: Instrument, *flags: str) -> None:
    for flag in flags:
        if not dome.read(flag):
            pytest.skip(f"this dome says {flag} is false")


def test_a_dome_turns_to_within_a_degree(opened: Opening) -> None:
    dome = opened("Dome")
    require(dome, "CanSetAzimuth")
    for azimuth_deg in (45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0, 0.0):
        away_deg = abs(turn(dome.read("Azimuth") - azimuth_deg, 360.0))
        dome.call("SlewToAzimuth", Azimuth=azimuth_deg)
        assert dome.read("Slewing") is (away_deg > 0.0) or ADDRESS
        dome.until("Slewing", False)
        assert abs(turn(dome.read("Azimuth") - azimuth_deg, 360.0)) < 1.0


@pytest.mark.parametrize(
    ("flag", "method", "name", "bad"),
    [
        ("CanSetAzimuth", "SlewToAzimuth", "Azimuth", (-10.0, 370.0)),
        ("CanSyncAzimuth", "SyncToAzimuth", "Azimuth", (-10.0, 370.0)),
        ("CanSetAltitude", "SlewToAltitude", "Altitude", (-10.0, 100.0)),
    ],
)
@pytest.mark.parametrize("built", [DomeSettings(), WINDOW], ids=["slit", "window"])
def test_a_dome_refuses_places_that_are_none(
    opened: Opening, built: DomeSettings, flag: str, method: str, name: str, bad: tuple[float, ...]
) -> None:
    dome = opened("Dome", dome=built)
    for value in bad:
        assert dome.refusal(method, **{name: value}) == (INVALID_VALUE if dome.read(flag) else NOT_IMPLEMENTED)
    assert dome.read("Slewing") is False


@pytest.mark.parametrize("built", [DomeSettings(), WINDOW], ids=["slit", "window"])
def test_a_dome_has_an_altitude_where_it_can_be_set(opened: Opening, built: DomeSettings) -> None:
    dome = opened("Dome", dome=built)
    if not dome.read("CanSetAltitude"):
        assert not dome.implemented("Altitude")
        return
    assert 0.0 <= dome.read("Altitude") <= 90.0
    for altitude_deg in (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0):
        away_deg = abs(dome.read("Altitude") - altitude_deg)
        dome.call("SlewToAltitude", Altitude=altitude_deg)
        assert dome.read("Slewing") is (away_deg > 0.0) or ADDRESS
        dome.until("Slewing", False)
        assert dome.read("Altitude") == pytest.approx(altitude_deg, abs=1.0)


def test_a_window_is_stopped_on_its_way(opened: Opening) -> None:
    dome = opened("Dome", dome=WINDOW)
    require(dome, "CanSetAltitude")
    dome.call("SlewToAltitude", Altitude=0.0)
    dome.until("Slewing", False)
    dome.call("SlewToAltitude", Altitude=90.0)
    dome.bench.wait(2.0)
    dome.call("AbortSlew")
    dome.until("Slewing", False, within_s=30.0)
    assert 0.0 <= dome.read("Altitude") < 89.0


def test_a_dome_that_is_stopped_stops_and_follows_nobody(opened: Opening) -> None:
    dome = opened("Dome")
    require(dome, "CanSetAzimuth")
    dome.call("SlewToAzimuth", Azimuth=(dome.read("Azimuth") + 150.0) % 360.0)
    dome.bench.wait(1.0)
    dome.call("AbortSlew")
    dome.until("Slewing", False, within_s=30.0)
    assert dome.read("Slaved") is False


def test_a_dome_can_be_synced_both_ways(opened: Opening) -> None:
    dome = opened("Dome")
    require(dome, "CanSyncAzimuth", "CanSetAzimuth")
    dome.call("SlewToAzimuth", Azimuth=100.0)
    dome.until("Slewing", False)
    for told_deg in (102.0, 98.0, 100.0):
        dome.call("SyncToAzimuth", Azimuth=told_deg)
        assert dome.read("Azimuth") == pytest.approx(told_deg, abs=1.0)
        dome.call("SlewToAzimuth", Azimuth=140.0)
        dome.until("Slewing", False)
        assert dome.read("Azimuth") == pytest.approx(140.0, abs=1.0)
        dome.call("SlewToAzimuth", Azimuth=100.0)
        dome.until("Slewing", False)


def test_a_dome_is_slewing_while_its_shutter_moves(opened: Opening) -> None:
    dome = opened("Dome")
    require(dome, "CanSetShutter")
    for method, passing, ending in (("OpenShutter", OPENING, OPEN), ("CloseShutter", CLOSING, CLOSED)):
        dome.call(method)
        assert dome.read("ShutterStatus") == passing
        assert dome.read("Slewing") is True
        dome.until("ShutterStatus", ending)
        dome.until("Slewing", False)


@pytest.mark.parametrize(
    ("flag", "method", "arrived"), [("CanPark", "Park", "AtPark"), ("CanFindHome", "FindHome", "AtHome")]
)
def test_a_dome_knows_that_it_is_home_or_parked_until_it_leaves(
    opened: Opening, flag: str, method: str, arrived: str
) -> None:
    dome = opened("Dome")
    if not dome.read(flag):
        assert dome.refusal(method) == NOT_IMPLEMENTED
        return
    require(dome, "CanSetAzimuth")
    dome.call("SlewToAzimuth", Azimuth=77.0)
    dome.until("Slewing", False)
    assert dome.read(arrived) is False
    dome.call(method)
    dome.until(arrived, True)
    dome.until("Slewing", False)
    dome.call(method)
    dome.until(arrived, True, within_s=30.0)


def test_a_dome_parks_where_it_was_told_to(opened: Opening) -> None:
    dome = opened("Dome")
    require(dome, "CanSetPark", "CanPark", "CanSetAzimuth")
    for azimuth_deg in (120.0, 90.0):
        dome.call("SlewToAzimuth", Azimuth=azimuth_deg)
        dome.until("Slewing", False)
        dome.call("SetPark")
        dome.call("SlewToAzimuth", Azimuth=10.0)
        dome.until("Slewing", False)
        dome.call("Park")
        dome.until("AtPark", True)
        assert dome.read("Azimuth") == pytest.approx(azimuth_deg, abs=1.0)


def test_a_dome_that_follows_the_telescope_is_not_slewed(opened: Opening) -> None:
    dome = opened("Dome")
    if not dome.read("CanSlave"):
        assert dome.read("Slaved") is False
        assert dome.write_refusal("Slaved", True) == NOT_IMPLEMENTED
        return
    dome.write("Slaved", True)
    assert dome.refusal("SlewToAzimuth", Azimuth=10.0) in (INVALID_OPERATION, 0x409)
    dome.write("Slaved", False)


def test_dew_point_and_humidity_come_together(opened: Opening) -> None:
    station = opened("ObservingConditions")
    assert station.implemented("DewPoint") == station.implemented("Humidity")


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("CloudCover", 0.0, 100.0),
        ("DewPoint", -273.15, 100.0),
        ("Humidity", 0.0, 100.0),
        ("Pressure", 400.0, 1100.0),
        ("RainRate", 0.0, 20_000.0),
        ("SkyBrightness", 0.0, 1_000_000.0),
        ("SkyQuality", -20.0, 30.0),
        ("SkyTemperature", -273.15, 100.0),
        ("StarFWHM", 0.0, 1000.0),
        ("Temperature", -273.15, 100.0),
        ("WindDirection", 0.0, 360.0),
        ("WindGust", 0.0, 1000.0),
        ("WindSpeed", 0.0, 1000.0),
    ],
)
def test_a_reading_of_the_weather_lies_in_its_range_and_is_described(
    opened: Opening, name: str, lowest: float, highest: float
) -> None:
    station = opened("ObservingConditions")
    if not station.implemented(name):
        assert station.read_refusal("TimeSinceLastUpdate", SensorName=name) in (NOT_IMPLEMENTED, 0)
        return
    assert lowest <= station.read(name) <= highest
    assert station.read("SensorDescription", SensorName=name)
    assert station.read("TimeSinceLastUpdate", SensorName=name) >= -1.0


def test_where_no_wind_blows_it_comes_from_nowhere(opened: Opening) -> None:
    station = opened("ObservingConditions")
    if station.implemented("WindSpeed") and station.implemented("WindDirection") and station.read("WindSpeed") == 0.0:
        assert station.read("WindDirection") == 0.0


def test_the_newest_reading_has_an_age(opened: Opening) -> None:
    station = opened("ObservingConditions")
    assert station.read("TimeSinceLastUpdate", SensorName="") >= -1.0
    assert station.refusal("Refresh") in (0, NOT_IMPLEMENTED)


@pytest.mark.parametrize("method", ["SensorDescription", "TimeSinceLastUpdate"])
def test_a_sensor_that_is_none_is_refused(opened: Opening, method: str) -> None:
    assert opened("ObservingConditions").read_refusal(method, SensorName="Barometer of Dorian") == INVALID_VALUE


def test_readings_are_averaged_over_no_time_or_a_sound_one(opened_bare: Opening) -> None:
    station = opened_bare("ObservingConditions")
    assert 0.0 <= station.read("AveragePeriod") <= 100_000.0
    assert station.write_refusal("AveragePeriod", -2.0) == INVALID_VALUE
    station.write("AveragePeriod", 0.0)
    assert station.read("AveragePeriod") == 0.0


def test_a_station_measures_something(opened: Opening) -> None:
    station = opened("ObservingConditions")
    assert any(station.implemented(name) for name in SENSORS)


def test_a_monitor_says_yes_or_no(opened: Opening) -> None:
    assert opened("SafetyMonitor").read("IsSafe") in (True, False)
