"""What a device must have, and what it may lack: then its flag says so, and only then."""

import pytest

from drivers.values import MountKind
from simulators.physics.camera import CameraSettings
from simulators.physics.dome import DomeSettings
from simulators.physics.focuser import FocuserSettings
from simulators.physics.mount import MountSettings
from tests.contracts.alpaca.faces import NOT_IMPLEMENTED, error
from tests.contracts.alpaca.instruments import Instrument, Opening
from tests.contracts.alpaca.members import DEVICES
from tests.contracts.alpaca.scopes import ready

MANDATORY = {
    "Camera": (
        "BinX BinY CameraState CameraXSize CameraYSize ExposureMax ExposureMin ExposureResolution HasShutter "
        "ImageReady MaxADU MaxBinX MaxBinY NumX NumY PixelSizeX PixelSizeY SensorType StartX StartY"
    ),
    "CoverCalibrator": "CalibratorChanging CalibratorState CoverMoving CoverState",
    "Dome": "Slaved Slewing",
    "FilterWheel": "FocusOffsets Names Position",
    "Focuser": "Absolute IsMoving MaxIncrement MaxStep TempComp TempCompAvailable",
    "ObservingConditions": "AveragePeriod",
    "Rotator": "CanReverse IsMoving MechanicalPosition Position Reverse TargetPosition",
    "SafetyMonitor": "IsSafe",
    "Switch": "MaxSwitch",
    "Telescope": (
        "AtHome AtPark Declination DeclinationRate EquatorialSystem RightAscension RightAscensionRate SiderealTime "
        "Slewing Tracking TrackingRate TrackingRates UTCDate"
    ),
}

# Members that are there exactly where their flag is true.
FLAGGED = {
    "Camera": {
        "CanAbortExposure": "AbortExposure",
        "CanFastReadout": "FastReadout",
        "CanGetCoolerPower": "CoolerPower",
        "CanPulseGuide": "PulseGuide IsPulseGuiding",
        "CanSetCCDTemperature": "SetCCDTemperature",
        "CanStopExposure": "StopExposure",
    },
    "Dome": {
        "CanSetAltitude": "SlewToAltitude",
        "CanSetAzimuth": "SlewToAzimuth",
        "CanSetPark": "SetPark",
        "CanSetShutter": "ShutterStatus CloseShutter OpenShutter",
        "CanSlave": "Slaved",
        "CanSyncAzimuth": "SyncToAzimuth",
        "CanFindHome": "FindHome AtHome",
        "CanPark": "Park AtPark",
    },
    "Focuser": {"TempCompAvailable": "TempComp"},
    "Rotator": {"CanReverse": "Reverse"},
    "Telescope": {
        "CanPulseGuide": "PulseGuide IsPulseGuiding",
        "CanSetDeclinationRate": "DeclinationRate",
        "CanSetGuideRates": "GuideRateDeclination GuideRateRightAscension",
        "CanSetPierSide": "SideOfPier",
        "CanSetRightAscensionRate": "RightAscensionRate",
        "CanSetTracking": "Tracking",
        "CanSlewAltAzAsync": "SlewToAltAzAsync",
        "CanSlewAsync": "SlewToCoordinatesAsync",
        "CanSync": "SyncToCoordinates",
        "CanSyncAltAz": "SyncToAltAz",
        "CanSetPark": "SetPark",
        "CanFindHome": "FindHome",
        "CanPark": "Park",
        "CanUnpark": "Unpark",
    },
}
WITHOUT = {
    "Camera": {"cameras": (CameraSettings(width_px=96, height_px=64, fast_flag=True),)},
    "Dome": {"dome": DomeSettings(can_set_altitude=True)},
    "Focuser": {"focusers": (FocuserSettings(can_compensate=False),)},
    "Rotator": {},
    "Telescope": {"mount": MountSettings(kind=MountKind.ALTAZ)},
}


def lacks(device: Instrument, device_type: str, name: str) -> bool:
    """Whether this member, set or called if it can be and else read, is said not to be implemented."""
    row = next(row for row in DEVICES[device_type] if row.name == name)
    if row.put is None:
        return not device.implemented(name)
    if row.get is None:
        return device.refusal(name, **row.put) == NOT_IMPLEMENTED
    return device.write_refusal(name, True if name in ("Slaved", "TempComp") else row.put[name]) == NOT_IMPLEMENTED


@pytest.mark.parametrize("device_type", sorted(MANDATORY))
def test_what_every_device_of_a_type_must_have_is_there(opened: Opening, device_type: str) -> None:
    device = opened(device_type)
    flags = [row.name for row in DEVICES[device_type] if row.name.startswith("Can") and row.get == {}]
    needed = [*MANDATORY[device_type].split(), *flags]
    assert [name for name in needed if error(lambda name=name: device.read(name)) != 0] == []


@pytest.mark.parametrize("parts", ["usual", "other"])
@pytest.mark.parametrize("device_type", sorted(FLAGGED))
def test_what_a_flag_says_is_missing_is_missing_and_nothing_else(opened: Opening, device_type: str, parts: str) -> None:
    built = WITHOUT[device_type] if parts == "other" else {}
    device = ready(opened, **built) if device_type == "Telescope" else opened(device_type, **built)
    for flag, names in FLAGGED[device_type].items():
        said = device.read(flag)
        for name in names.split():
            assert lacks(device, device_type, name) is not said, f"{flag} is {said}: {name}"
