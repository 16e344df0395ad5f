"""IFilterWheelV3, IFocuserV4, IDomeV3, ISafetyMonitorV3 and IObservingConditionsV2 over their simulated devices."""

from drivers.values import Quantity, ShutterState
from simulators.alpaca.device import Kind
from simulators.alpaca.members import Json, Member, does, flag, lacks, reads, real, table, takes, text, whole
from simulators.observatory import Observatory
from simulators.physics.dome import Dome
from simulators.physics.filter_wheel import FilterWheel
from simulators.physics.focuser import Focuser
from simulators.physics.refusals import Reason, Refusal, refuse_unless

_TURNING = -1

FILTER_WHEEL = Kind[FilterWheel](
    name="FilterWheel",
    interface_version=3,
    state=("Position",),
    members=table(
        Member("FocusOffsets", get=reads(lambda wheel: [one.focus_offset_steps for one in wheel.settings.filters])),
        Member("Names", get=reads(lambda wheel: [one.name for one in wheel.settings.filters])),
        Member(
            "Position",
            get=reads(lambda wheel: _TURNING if wheel.slot is None else wheel.slot),
            put=takes("select", whole("Position"), lambda wheel, slot: wheel.select(slot)),
        ),
    ),
)


class AirFocuser:
    """A focuser, and how warm it is."""

    def __init__(self, focuser: Focuser, observatory: Observatory) -> None:
        self.focuser = focuser
        self._observatory = observatory

    def temperature_c(self) -> float:
        return self._observatory.ambient_c(self._observatory.clock.now())


FOCUSER = Kind[AirFocuser](
    name="Focuser",
    interface_version=4,
    state=("IsMoving", "Position", "Temperature"),
    members=table(
        Member("Absolute", get=reads(lambda one: True)),
        Member("IsMoving", get=reads(lambda one: one.focuser.moving)),
        Member("MaxIncrement", get=reads(lambda one: one.focuser.settings.max_steps)),
        Member("MaxStep", get=reads(lambda one: one.focuser.settings.max_steps)),
        Member("Position", get=reads(lambda one: one.focuser.position_steps)),
        Member("StepSize", get=reads(lambda one: one.focuser.settings.step_um)),
        Member(
            "TempComp",
            get=reads(lambda one: one.focuser.compensating),
            put=takes("setup", flag("TempComp"), lambda one, on: one.focuser.compensate(on)),
        ),
        Member("TempCompAvailable", get=reads(lambda one: one.focuser.settings.can_compensate)),
        Member("Temperature", get=reads(AirFocuser.temperature_c)),
        Member("Halt", put=does("abort", lambda one: one.focuser.halt())),
        Member("Move", put=takes("move", whole("Position"), lambda one, steps: one.focuser.move_to(steps))),
    ),
)

_SHUTTER_STATES = {
    ShutterState.OPEN: 0,
    ShutterState.CLOSED: 1,
    ShutterState.OPENING: 2,
    ShutterState.CLOSING: 3,
    ShutterState.ERROR: 4,
}
_HOME_DEG = 0.0


def _set_park(dome: Dome) -> None:
    dome.park_azimuth_deg = dome.azimuth_deg


DOME = Kind[Dome](
    name="Dome",
    interface_version=3,
    state=("Altitude", "AtHome", "AtPark", "Azimuth", "ShutterStatus", "Slewing"),
    members=table(
        Member("Altitude", get=reads(lambda dome: dome.altitude_deg)),
        Member("AtHome", get=reads(lambda dome: dome.stands_at == "home")),
        Member("AtPark", get=reads(lambda dome: dome.stands_at == "park")),
        Member("Azimuth", get=reads(lambda dome: dome.azimuth_deg)),
        Member("CanFindHome", get=reads(lambda dome: True)),
        Member("CanPark", get=reads(lambda dome: True)),
        Member("CanSetAltitude", get=reads(lambda dome: dome.settings.can_set_altitude)),
        Member("CanSetAzimuth", get=reads(lambda dome: True)),
        Member("CanSetPark", get=reads(lambda dome: True)),
        Member("CanSetShutter", get=reads(lambda dome: True)),
        Member("CanSlave", get=reads(lambda dome: False)),
        Member("CanSyncAzimuth", get=reads(lambda dome: True)),
        Member("ShutterStatus", get=reads(lambda dome: _SHUTTER_STATES[dome.shutter])),
        Member("Slaved", get=reads(lambda dome: False), put=lacks(flag("Slaved"))),
        Member("Slewing", get=reads(lambda dome: dome.moving)),
        Member("AbortSlew", put=does("abort", lambda dome: dome.abort())),
        Member("CloseShutter", put=does("close", lambda dome: dome.move_shutter(opening=False))),
        Member("FindHome", put=does("home", lambda dome: dome.slew(_HOME_DEG, to="home"))),
        Member("OpenShutter", put=does("open", lambda dome: dome.move_shutter(opening=True))),
        Member("Park", put=does("park", lambda dome: dome.slew(dome.park_azimuth_deg, to="park"))),
        Member("SetPark", put=does("set_park", _set_park)),
        Member("SlewToAltitude", put=takes("window", real("Altitude"), lambda dome, angle: dome.raise_window(angle))),
        Member("SlewToAzimuth", put=takes("slew", real("Azimuth"), lambda dome, azimuth: dome.slew(azimuth))),
        Member("SyncToAzimuth", put=takes("sync", real("Azimuth"), lambda dome, azimuth: dome.sync(azimuth))),
    ),
)

SAFETY_MONITOR = Kind[Observatory](
    name="SafetyMonitor",
    interface_version=3,
    state=("IsSafe",),
    members=table(Member("IsSafe", get=reads(lambda here: here.weather.is_safe(here.clock.now())))),
)

_SENSORS = {
    "CloudCover": Quantity.CLOUD_COVER_PERCENT,
    "DewPoint": Quantity.DEW_POINT_C,
    "Humidity": Quantity.HUMIDITY_PERCENT,
    "Pressure": Quantity.PRESSURE_HPA,
    "RainRate": Quantity.RAIN_RATE_MM_H,
    "SkyBrightness": Quantity.SKY_BRIGHTNESS_LUX,
    "SkyQuality": Quantity.SKY_QUALITY_MAG_ARCSEC2,
    "SkyTemperature": Quantity.SKY_TEMPERATURE_C,
    "StarFWHM": Quantity.SEEING_ARCSEC,
    "Temperature": Quantity.TEMPERATURE_C,
    "WindDirection": Quantity.WIND_DIRECTION_DEG,
    "WindGust": Quantity.WIND_GUST_M_S,
    "WindSpeed": Quantity.WIND_SPEED_M_S,
}
_SENSORS_BY_NAME = {name.casefold(): quantity for name, quantity in _SENSORS.items()}


def _reading(quantity: Quantity) -> Member[Observatory]:
    name = next(name for name, other in _SENSORS.items() if other is quantity)
    return Member(name, get=reads(lambda here: here.weather.read(here.clock.now())[quantity]))


def _sensor(name: str) -> Quantity:
    quantity = _SENSORS_BY_NAME.get(name.casefold())
    if quantity is None:
        raise Refusal(Reason.INVALID_VALUE, f"there is no sensor {name[:60]!r}")
    return quantity


def _age_s(_: Observatory, name: str) -> Json:
    """Readings are of this instant; an empty name asks for the newest of all."""
    if name:
        _sensor(name)
    return 0.0


def _set_average(_: Observatory, hours: float) -> None:
    refuse_unless(hours == 0.0, Reason.INVALID_VALUE, f"an average over {hours} h: readings are of the instant, 0")


OBSERVING_CONDITIONS = Kind[Observatory](
    name="ObservingConditions",
    interface_version=2,
    state=tuple(_SENSORS),
    members=table(
        *(_reading(quantity) for quantity in _SENSORS.values()),
        Member(
            "AveragePeriod",
            get=reads(lambda here: 0.0),
            put=takes("setup", real("AveragePeriod"), _set_average),
        ),
        Member("Refresh", put=does("refresh", lambda here: None)),
        Member(
            "SensorDescription",
            get=takes("status", text("SensorName"), lambda here, name: f"A slow function of time: {_sensor(name)}"),
        ),
        Member("TimeSinceLastUpdate", get=takes("status", text("SensorName"), _age_s)),
    ),
)
