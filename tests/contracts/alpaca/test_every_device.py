"""What every device does, whatever its type."""

import pytest

from tests.contracts.alpaca.benches import ADDRESS, Bench, require
from tests.contracts.alpaca.faces import ACTION_NOT_IMPLEMENTED, FACES, INVALID_VALUE, NOT_IMPLEMENTED, Face, Wire
from tests.contracts.alpaca.instruments import Instrument, Opening
from tests.contracts.alpaca.members import DEVICES, VERSIONS

pytestmark = pytest.mark.parametrize("device_type", sorted(DEVICES))

# Operational members by device type: what DeviceState may list, in this very case.
OPERATIONAL = {
    "Camera": "CameraState CCDTemperature CoolerPower HeatSinkTemperature ImageReady IsPulseGuiding PercentCompleted",
    "CoverCalibrator": "Brightness CalibratorState CoverState CalibratorChanging CoverMoving",
    "Dome": "Altitude AtHome AtPark Azimuth ShutterStatus Slewing",
    "FilterWheel": "Position",
    "Focuser": "IsMoving Position Temperature",
    "ObservingConditions": (
        "CloudCover DewPoint Humidity Pressure RainRate SkyBrightness SkyQuality SkyTemperature StarFWHM Temperature "
        "WindDirection WindGust WindSpeed"
    ),
    "Rotator": "IsMoving MechanicalPosition Position",
    "SafetyMonitor": "IsSafe",
    "Switch": "",
    "Telescope": (
        "Altitude AtHome AtPark Azimuth Declination IsPulseGuiding RightAscension SideOfPier SiderealTime Slewing "
        "Tracking UTCDate"
    ),
}


def test_it_connects_and_disconnects_in_its_own_time(bench: Bench, via: str, device_type: str) -> None:
    require(bench, device_type)
    face: Face = FACES[via](device_type, bench.address, 0)
    instrument = Instrument(bench, face)
    for method, connected in (("Connect", True), ("Disconnect", False), ("Connect", True)):
        instrument.call(method)
        instrument.until("Connecting", False, within_s=60.0)
        assert instrument.read("Connected") is connected
    instrument.close()


def test_connected_is_written_and_read_back(opened: Opening, device_type: str) -> None:
    device = opened(device_type)
    assert device.read("Connected") is True
    device.write("Connected", False)
    assert device.read("Connected") is False
    device.write("Connected", True)


def test_it_says_who_it_is(opened: Opening, device_type: str) -> None:
    device = opened(device_type)
    for name in ("Description", "DriverInfo", "DriverVersion", "Name"):
        told = device.read(name)
        assert told, name
    assert 1 <= device.read("InterfaceVersion") <= VERSIONS[device_type]
    assert len(device.read("DriverVersion")) <= 64


@pytest.mark.skipif(bool(ADDRESS), reason="another server may be of an older platform")
def test_it_is_of_platform_7(opened: Opening, device_type: str) -> None:
    assert opened(device_type).read("InterfaceVersion") == VERSIONS[device_type]


def test_its_actions_have_names_and_others_are_refused(opened: Opening, device_type: str) -> None:
    device = opened(device_type)
    actions = device.read("SupportedActions")
    assert all(action.strip() for action in actions)
    refused = device.refusal("Action", Action="certainly no action", Parameters="")
    assert refused in (NOT_IMPLEMENTED, ACTION_NOT_IMPLEMENTED, INVALID_VALUE)


def test_its_state_is_operational_and_in_the_right_case(opened: Opening, device_type: str) -> None:
    device = opened(device_type)
    state = {item["Name"]: item["Value"] for item in device.read("DeviceState")}
    allowed = {*OPERATIONAL[device_type].split(), "TimeStamp"}
    if device_type == "Switch":
        numbers = range(device.read("MaxSwitch"))
        parts = ("GetSwitch", "GetSwitchValue", "StateChangeComplete")
        allowed |= {f"{part}{number}" for part in parts for number in numbers}
    assert set(state) <= allowed
    if not ADDRESS:  # our time stands still
        for name in set(OPERATIONAL[device_type].split()) & set(state) - {"UTCDate"}:
            assert device.read(name) == state[name], name


@pytest.mark.skipif(bool(ADDRESS), reason="reads what only our own server is known to have")
def test_every_property_is_read_or_is_said_to_be_missing(opened_bare: Opening, device_type: str) -> None:
    device = opened_bare(device_type)
    for row in DEVICES[device_type]:
        if row.get is not None:
            number = device.read_refusal(row.name, **row.get)
            assert number in (0, NOT_IMPLEMENTED, 0x402, 0x40B), row.name


def test_it_has_a_page_for_people(bench: Bench, device_type: str) -> None:
    require(bench, device_type)
    wire = Wire(bench.address)
    for path in ("/setup", f"/setup/v1/{device_type.lower()}/0/setup"):
        reply = wire.ask("GET", path)
        assert reply.status in (200, 301, 302, 307, 308)
        assert reply.content_type.startswith("text/html") or reply.status != 200
    wire.close()


def test_it_is_listed_with_an_identity_of_its_own(bench: Bench, device_type: str) -> None:
    require(bench, device_type)
    wire = Wire(bench.address)

    def listed() -> list[dict[str, object]]:
        reply = wire.ask("GET", "/management/v1/configureddevices", [("ClientTransactionID", 5)])
        assert reply.json["ClientTransactionID"] == 5
        value: list[dict[str, object]] = reply.json["Value"]
        return value

    first = listed()
    bench.build()
    assert listed() == first
    assert len({one["UniqueID"] for one in first}) == len(first)
    assert all(set(one) == {"DeviceName", "DeviceType", "DeviceNumber", "UniqueID"} for one in first)
    wire.close()


def test_every_flag_is_true_or_false(opened: Opening, device_type: str) -> None:
    device = opened(device_type)
    flags = [row.name for row in DEVICES[device_type] if row.name.startswith("Can") and row.get == {}]
    assert all(isinstance(device.read(name), bool) for name in flags)
