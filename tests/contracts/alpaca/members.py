"""Every member of every ASCOM device type with a sound argument for each parameter, from the interfaces of Platform 7.

A list of its own: nothing here is taken from a server that is judged by it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Arguments = Mapping[str, object]


@dataclass(frozen=True)
class Row:
    """A member: the arguments of its GET and of its PUT; None where it has none."""

    name: str
    get: Arguments | None
    put: Arguments | None


def _read(*names: str) -> Iterator[Row]:
    return (Row(name, {}, None) for name in names)


def _asked(name: str, **arguments: object) -> Row:
    return Row(name, arguments, None)


def _set(name: str, value: object) -> Row:
    return Row(name, {}, {name: value})


def _called(name: str, **arguments: object) -> Row:
    return Row(name, None, arguments)


COMMON = (
    *_read("Connecting", "Description", "DeviceState", "DriverInfo", "DriverVersion", "InterfaceVersion", "Name"),
    *_read("SupportedActions"),
    _set("Connected", True),
    _called("Action", Action="nothing", Parameters=""),
    _called("CommandBlind", Command="x", Raw=True),
    _called("CommandBool", Command="x", Raw=True),
    _called("CommandString", Command="x", Raw=True),
    _called("Connect"),
    _called("Disconnect"),
)

_CAN_TELESCOPE = (
    "FindHome Park PulseGuide SetDeclinationRate SetGuideRates SetPark SetPierSide SetRightAscensionRate SetTracking "
    "Slew SlewAltAz SlewAltAzAsync SlewAsync Sync SyncAltAz Unpark"
)
_PLACE = {"RightAscension": 1.0, "Declination": 10.0}
_HORIZON = {"Azimuth": 100.0, "Altitude": 45.0}

TELESCOPE = (
    *_read(*(f"Can{what}" for what in _CAN_TELESCOPE.split())),
    *_read("AlignmentMode", "Altitude", "ApertureArea", "ApertureDiameter", "AtHome", "AtPark", "Azimuth"),
    *_read("Declination", "EquatorialSystem", "FocalLength", "IsPulseGuiding", "RightAscension", "SiderealTime"),
    *_read("Slewing", "TrackingRates"),
    _asked("AxisRates", Axis=0),
    _asked("CanMoveAxis", Axis=0),
    _asked("DestinationSideOfPier", **_PLACE),
    _set("DeclinationRate", 0.0),
    _set("DoesRefraction", False),
    _set("GuideRateDeclination", 0.002),
    _set("GuideRateRightAscension", 0.002),
    _set("RightAscensionRate", 0.0),
    _set("SideOfPier", 0),
    _set("SiteElevation", 100.0),
    _set("SiteLatitude", 28.3),
    _set("SiteLongitude", -16.5),
    _set("SlewSettleTime", 1),
    _set("TargetDeclination", 10.0),
    _set("TargetRightAscension", 1.0),
    _set("Tracking", True),
    _set("TrackingRate", 0),
    _set("UTCDate", "2026-11-22T20:00:00.0000000Z"),
    *(_called(name) for name in ("AbortSlew", "FindHome", "Park", "SetPark", "SlewToTarget", "SlewToTargetAsync")),
    *(_called(name) for name in ("SyncToTarget", "Unpark")),
    _called("MoveAxis", Axis=0, Rate=0.0),
    _called("PulseGuide", Direction=0, Duration=10),
    *(_called(name, **_HORIZON) for name in ("SlewToAltAz", "SlewToAltAzAsync", "SyncToAltAz")),
    *(_called(name, **_PLACE) for name in ("SlewToCoordinates", "SlewToCoordinatesAsync", "SyncToCoordinates")),
)

CAMERA = (
    *_read("BayerOffsetX", "BayerOffsetY", "CameraState", "CameraXSize", "CameraYSize", "CanAbortExposure"),
    *_read("CanAsymmetricBin", "CanFastReadout", "CanGetCoolerPower", "CanPulseGuide", "CanSetCCDTemperature"),
    *_read("CanStopExposure", "CCDTemperature", "CoolerPower", "ElectronsPerADU", "ExposureMax", "ExposureMin"),
    *_read("ExposureResolution", "FullWellCapacity", "GainMax", "GainMin", "Gains", "HasShutter"),
    *_read("HeatSinkTemperature", "ImageArray", "ImageArrayVariant", "ImageReady", "IsPulseGuiding"),
    *_read("LastExposureDuration", "LastExposureStartTime", "MaxADU", "MaxBinX", "MaxBinY", "OffsetMax", "OffsetMin"),
    *_read("Offsets", "PercentCompleted", "PixelSizeX", "PixelSizeY", "ReadoutModes", "SensorName", "SensorType"),
    _set("BinX", 1),
    _set("BinY", 1),
    _set("CoolerOn", True),
    _set("FastReadout", False),
    _set("Gain", 0),
    _set("NumX", 10),
    _set("NumY", 10),
    _set("Offset", 0),
    _set("ReadoutMode", 0),
    _set("SetCCDTemperature", -5.0),
    _set("StartX", 0),
    _set("StartY", 0),
    _set("SubExposureDuration", 1.0),
    _called("AbortExposure"),
    _called("PulseGuide", Direction=0, Duration=10),
    _called("StartExposure", Duration=0.01, Light=True),
    _called("StopExposure"),
)

COVER = (
    *_read("Brightness", "CalibratorChanging", "CalibratorState", "CoverMoving", "CoverState", "MaxBrightness"),
    *(_called(name) for name in ("CalibratorOff", "CloseCover", "HaltCover", "OpenCover")),
    _called("CalibratorOn", Brightness=10),
)

DOME = (
    *_read("Altitude", "AtHome", "AtPark", "Azimuth", "CanFindHome", "CanPark", "CanSetAltitude", "CanSetAzimuth"),
    *_read("CanSetPark", "CanSetShutter", "CanSlave", "CanSyncAzimuth", "ShutterStatus", "Slewing"),
    _set("Slaved", False),
    *(_called(name) for name in ("AbortSlew", "CloseShutter", "FindHome", "OpenShutter", "Park", "SetPark")),
    _called("SlewToAltitude", Altitude=45.0),
    _called("SlewToAzimuth", Azimuth=45.0),
    _called("SyncToAzimuth", Azimuth=45.0),
)

FILTER_WHEEL = (*_read("FocusOffsets", "Names"), _set("Position", 0))

FOCUSER = (
    *_read("Absolute", "IsMoving", "MaxIncrement", "MaxStep", "Position", "StepSize", "TempCompAvailable"),
    *_read("Temperature"),
    _set("TempComp", False),
    _called("Halt"),
    _called("Move", Position=10),
)

SENSORS = (
    *("CloudCover", "DewPoint", "Humidity", "Pressure", "RainRate", "SkyBrightness", "SkyQuality", "SkyTemperature"),
    *("StarFWHM", "Temperature", "WindDirection", "WindGust", "WindSpeed"),
)

CONDITIONS = (
    *_read(*SENSORS),
    _set("AveragePeriod", 0.0),
    _called("Refresh"),
    _asked("SensorDescription", SensorName="Humidity"),
    _asked("TimeSinceLastUpdate", SensorName="Humidity"),
)

ROTATOR = (
    *_read("CanReverse", "IsMoving", "MechanicalPosition", "Position", "StepSize", "TargetPosition"),
    _set("Reverse", False),
    _called("Halt"),
    *(_called(name, Position=10.0) for name in ("Move", "MoveAbsolute", "MoveMechanical", "Sync")),
)

SAFETY_MONITOR = tuple(_read("IsSafe"))

SWITCH = (
    *_read("MaxSwitch"),
    *(_asked(name, Id=0) for name in ("CanAsync", "CanWrite", "GetSwitch", "GetSwitchDescription", "GetSwitchName")),
    *(_asked(name, Id=0) for name in ("GetSwitchValue", "MaxSwitchValue", "MinSwitchValue", "StateChangeComplete")),
    _asked("SwitchStep", Id=0),
    _called("CancelAsync", Id=0),
    _called("SetAsync", Id=0, State=True),
    _called("SetAsyncValue", Id=0, Value=1.0),
    _called("SetSwitch", Id=0, State=True),
    _called("SetSwitchName", Id=0, Name="Lamp"),
    _called("SetSwitchValue", Id=0, Value=1.0),
)

DEVICES: Mapping[str, tuple[Row, ...]] = {
    "Camera": CAMERA,
    "CoverCalibrator": COVER,
    "Dome": DOME,
    "FilterWheel": FILTER_WHEEL,
    "Focuser": FOCUSER,
    "ObservingConditions": CONDITIONS,
    "Rotator": ROTATOR,
    "SafetyMonitor": SAFETY_MONITOR,
    "Switch": SWITCH,
    "Telescope": TELESCOPE,
}
# The interface versions of Platform 7.
VERSIONS = {
    "Camera": 4,
    "CoverCalibrator": 2,
    "Dome": 3,
    "FilterWheel": 3,
    "Focuser": 4,
    "ObservingConditions": 2,
    "Rotator": 4,
    "SafetyMonitor": 3,
    "Switch": 3,
    "Telescope": 4,
}
