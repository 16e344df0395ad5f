"""Everything alpyca's classes can ask of our devices is answered: done, or not implemented as the Can-flags say."""

import contextlib
import inspect
import time
from collections.abc import Iterator
from typing import Any

import pytest
from alpaca import (
    camera,
    covercalibrator,
    dome,
    filterwheel,
    focuser,
    management,
    observingconditions,
    rotator,
    safetymonitor,
    switch,
    telescope,
)
from alpaca.device import Device
from alpaca.exceptions import InvalidOperationException, NotImplementedException, ValueNotSetException

from simulators.alpaca.app import alpaca_app
from simulators.clock import SimulatedClock
from simulators.serving import Served
from tests.simulators.alpaca.asking import DUSK, an_observatory

pytestmark = pytest.mark.wire

CLASSES = [
    telescope.Telescope,
    camera.Camera,
    filterwheel.FilterWheel,
    focuser.Focuser,
    dome.Dome,
    rotator.Rotator,
    covercalibrator.CoverCalibrator,
    switch.Switch,
    safetymonitor.SafetyMonitor,
    observingconditions.ObservingConditions,
]
# What may be read only after something has been done.
TOO_EARLY = (InvalidOperationException, ValueNotSetException)
# Not on the wire: what alpyca works out from a picture it has already fetched.
NOT_ON_THE_WIRE = {"ImageArrayInfo", "ImageArrayRaw"}
MISSING = {
    "Camera": {
        "BayerOffsetX",
        "BayerOffsetY",
        "FastReadout",
        "Gains",
        "Offsets",
        "SubExposureDuration",
    },
    "Dome": {"Altitude"},
}
# Each optional method, the flag that promises it, and arguments for it.
PROMISES: dict[str, list[tuple[str, str, tuple[Any, ...]]]] = {
    "Telescope": [
        ("PulseGuide", "CanPulseGuide", (telescope.GuideDirections.guideNorth, 100)),
        ("SlewToAltAzAsync", "CanSlewAltAzAsync", (10.0, 45.0)),
        ("SyncToAltAz", "CanSyncAltAz", (10.0, 45.0)),
        ("SetPark", "CanSetPark", ()),
        ("Unpark", "CanUnpark", ()),
        ("FindHome", "CanFindHome", ()),
        ("Park", "CanPark", ()),
    ],
    "Camera": [
        ("PulseGuide", "CanPulseGuide", (0, 100)),
        ("AbortExposure", "CanAbortExposure", ()),
        ("StopExposure", "CanStopExposure", ()),
    ],
    "Dome": [
        ("FindHome", "CanFindHome", ()),
        ("Park", "CanPark", ()),
        ("SetPark", "CanSetPark", ()),
        ("OpenShutter", "CanSetShutter", ()),
        ("CloseShutter", "CanSetShutter", ()),
        ("SlewToAzimuth", "CanSetAzimuth", (10.0,)),
        ("SlewToAltitude", "CanSetAltitude", (10.0,)),
        ("SyncToAzimuth", "CanSyncAzimuth", (10.0,)),
        ("AbortSlew", "CanSetAzimuth", ()),
    ],
}


@pytest.fixture
def address() -> Iterator[str]:
    clock = SimulatedClock(starts_at=DUSK, anchored_unix_s=time.time(), rate=60.0)
    with Served(alpaca_app(an_observatory(clock))) as served:
        yield served.address


def connected(device_class: Any, address: str) -> Any:
    device = device_class(address, 0)
    device.Connected = True
    return device


def properties_of(device_class: type[Device]) -> list[str]:
    found = inspect.getmembers(device_class, lambda member: isinstance(member, property))
    return [name for name, _ in found if name not in NOT_ON_THE_WIRE]


@pytest.mark.parametrize("device_class", CLASSES)
def test_every_property_can_be_read_or_is_said_to_be_missing(device_class: type[Device], address: str) -> None:
    device = connected(device_class, address)
    missing = set()
    for name in properties_of(device_class):
        try:
            getattr(device, name)
        except NotImplementedException:
            missing.add(name)
        except TOO_EARLY:
            continue
    assert missing == MISSING.get(device_class.__name__, set())
    device.rqs.close()


@pytest.mark.parametrize("device_class", [telescope.Telescope, camera.Camera, dome.Dome])
def test_a_method_is_there_exactly_where_its_flag_says_so(device_class: type[Device], address: str) -> None:
    device = connected(device_class, address)
    if device_class is telescope.Telescope:
        device.Unpark()
        device.Tracking = True
    for method, flag, arguments in PROMISES[device_class.__name__]:
        if getattr(device, flag):
            with contextlib.suppress(InvalidOperationException):  # there, and not at this moment
                getattr(device, method)(*arguments)
        else:
            with pytest.raises(NotImplementedException):
                getattr(device, method)(*arguments)
    device.rqs.close()


@pytest.mark.parametrize("device_class", CLASSES)
def test_every_setter_reaches_a_member_that_can_be_written(device_class: type[Device], address: str) -> None:
    """Writing back what was read is taken, or refused as not implemented; never is the member or the form unknown."""
    device = connected(device_class, address)
    if device_class is telescope.Telescope:
        device.Unpark()
    for name in properties_of(device_class):
        if getattr(device_class, name).fset is None or name == "Connected":
            continue
        try:
            setattr(device, name, getattr(device, name))
        except (NotImplementedException, *TOO_EARLY):
            continue
    device.rqs.close()


@pytest.mark.parametrize("device_class", CLASSES)
def test_a_platform_7_device_connects_in_its_own_time(device_class: type[Device], address: str) -> None:
    device = device_class(address, 0)
    device.Connect()
    began_s = time.monotonic()
    while device.Connecting:
        assert time.monotonic() - began_s < 10.0
    assert device.Connected
    assert device.InterfaceVersion >= Device._plat7_intvers[device.device_type]
    state = {item["Name"] for item in device.DeviceState}
    assert "TimeStamp" in state
    device.Disconnect()
    device.rqs.close()


def test_a_telescope_slews_for_alpyca(address: str) -> None:
    scope = connected(telescope.Telescope, address)
    scope.Unpark()
    scope.Tracking = True
    ra_h = (scope.SiderealTime - 2.0) % 24.0
    scope.SlewToCoordinatesAsync(ra_h, 20.0)
    assert scope.Slewing
    began_s = time.monotonic()
    while scope.Slewing:
        assert time.monotonic() - began_s < 30.0
    assert scope.RightAscension == pytest.approx(ra_h, abs=1e-6)
    assert [rate.Maximum for rate in scope.AxisRates(telescope.TelescopeAxes.axisPrimary)] == [4.0]
    assert scope.CanMoveAxis(telescope.TelescopeAxes.axisSecondary)
    scope.Park()
    scope.rqs.close()


def test_a_camera_exposes_for_alpyca(address: str) -> None:
    device = connected(camera.Camera, address)
    device.StartExposure(1.0, True)
    began_s = time.monotonic()
    while not device.ImageReady:
        assert time.monotonic() - began_s < 30.0
    columns = device.ImageArray
    assert (len(columns), len(columns[0])) == (96, 64)
    assert columns[5][2] == 2 * 96 + 5
    assert device.ImageArrayInfo.Rank == 2
    assert device.CameraState is camera.CameraStates.cameraIdle
    device.rqs.close()


def test_the_server_tells_alpyca_what_it_has(address: str) -> None:
    assert management.apiversions(address) == [1]
    assert "Nightbridge" in management.description(address)["ServerName"]
    assert {device["DeviceType"] for device in management.configureddevices(address)} == {
        device_class.__name__ for device_class in CLASSES
    }
