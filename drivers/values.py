"""What passes through the device protocols: frozen, checked at birth, units in the names."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class EquatorialSystem(StrEnum):
    """The axes on which a mount takes right ascension and declination."""

    ICRS = "icrs"  # fixed axes of the catalogues ("J2000")
    APPARENT = "apparent"  # true equator and equinox of date ("JNow", ASCOM topocentric)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equatorial:
    """A direction as a mount is sent it. Right ascension in degrees, 0 <= ra_deg < 360; never hours.

    Raises:
        ValueError: not finite, or out of range.
    """

    ra_deg: float
    dec_deg: float
    system: EquatorialSystem

    def __post_init__(self) -> None:
        if not 0.0 <= self.ra_deg < 360.0:
            raise ValueError(f"right ascension {self.ra_deg}° is not within 0° to 360°")
        if not -90.0 <= self.dec_deg <= 90.0:
            raise ValueError(f"declination {self.dec_deg}° is not within -90° to 90°")


class MountKind(StrEnum):
    """How the axes of a mount stand."""

    GERMAN = "german"
    FORK = "fork"  # equatorial, no pier flip
    ALTAZ = "altaz"


class PierSide(StrEnum):
    """The pointing state of a German mount, as ASCOM means it."""

    EAST = "east"  # normal: looks at hour angles 0 h to 12 h
    WEST = "west"  # through the pole
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisSpeeds:
    """The speeds an axis can be turned at: 0, and any within one of these spans (slowest, fastest), either way.

    Raises:
        ValueError: no span, or one that is empty, negative or not finite.
    """

    spans_deg_s: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.spans_deg_s:
            raise ValueError("an axis that turns at no speed at all has no speeds")
        for slowest, fastest in self.spans_deg_s:
            if not 0.0 <= slowest <= fastest < math.inf:
                raise ValueError(f"an axis cannot turn at {slowest}°/s to {fastest}°/s")

    @property
    def fastest_deg_s(self) -> float:
        return max(fastest for _, fastest in self.spans_deg_s)

    def admit(self, speed_deg_s: float) -> bool:
        """Whether the axis can be told to turn at this speed; False for NaN."""
        return speed_deg_s == 0.0 or any(slow <= abs(speed_deg_s) <= fast for slow, fast in self.spans_deg_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementLines:
    """A classic element set as a mount that propagates orbits itself is given it."""

    name: str
    line1: str
    line2: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MountCapabilities:
    """What a mount says it can do; read once when it is connected.

    `axis_speeds` are of the primary (hour angle or azimuth) and the secondary axis; None: they cannot be turned at a
    rate. `driver` names driver and version, in its own words: what was measured holds for this one only.
    """

    system: EquatorialSystem
    kind: MountKind
    can_park: bool
    can_set_rates: bool
    can_sync: bool
    can_home: bool
    axis_speeds: tuple[AxisSpeeds, AxisSpeeds] | None = None
    can_follow_orbits: bool = False
    driver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MountStatus:
    """One reading of a mount. `tracking` is True at sidereal as well as at offset rates."""

    pointing: Equatorial
    slewing: bool
    tracking: bool
    parked: bool
    pier_side: PierSide
    read_at: datetime


class FrameKind(StrEnum):
    """What an exposure is for."""

    LIGHT = "light"
    DARK = "dark"
    BIAS = "bias"
    FLAT = "flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """An exposure as asked of a camera, or as the camera confirmed it.

    `gain` and `offset` are in the driver's own steps; None: as it stands.

    Raises:
        ValueError: an exposure time that is negative or not finite, or a binning below 1.
    """

    exposure_s: float
    binning: int = 1
    kind: FrameKind = FrameKind.LIGHT
    gain: int | None = None
    offset: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.exposure_s) and self.exposure_s >= 0.0):
            raise ValueError(f"an exposure of {self.exposure_s} s cannot be taken")
        if self.binning < 1:
            raise ValueError(f"binning {self.binning} is below 1")


class TimeSource(StrEnum):
    """Who says when the shutter opened."""

    DRIVER = "driver"  # the camera driver's own start time, found plausible
    HOST = "host"  # this computer's clock when the command was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One readout.

    `pixels` has shape (height_px, width_px), uint16; the first row is the bottom one, as in FITS (it may be a view with
    a negative stride: nothing was copied). `started_at` is when the shutter opened, by `time_source`.

    Raises:
        ValueError: pixels that are no picture of uint16.
    """

    pixels: NDArray[np.uint16]
    exposure: Exposure
    started_at: datetime
    time_source: TimeSource
    sensor_temperature_c: float | None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype != np.uint16:
            raise ValueError(f"a frame is a picture of uint16, not {self.pixels.ndim} axes of {self.pixels.dtype}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraCapabilities:
    """What a camera can do; read once when it is connected."""

    sensor_name: str
    width_px: int
    height_px: int
    pixel_size_um: float
    max_binning: int
    min_exposure_s: float
    max_exposure_s: float
    can_abort: bool
    can_cool: bool
    electrons_per_adu: float | None
    saturation_adu: int


class CameraState(StrEnum):
    """What a camera is doing."""

    IDLE = "idle"
    EXPOSING = "exposing"
    READING = "reading"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStatus:
    """One reading of a camera. Temperatures are None where the camera has no sensor for them."""

    state: CameraState
    sensor_temperature_c: float | None
    cooler_on: bool
    cooler_power_percent: float | None
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterWheelCapabilities:
    """The filters in a wheel, in the order of its slots, and how far each moves the focus."""

    filter_names: tuple[str, ...]
    focus_offsets_steps: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FocuserCapabilities:
    """The travel of an absolute focuser: 0 to `max_position_steps`."""

    max_position_steps: int
    step_size_um: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FocuserStatus:
    """One reading of a focuser."""

    position_steps: int
    moving: bool
    temperature_c: float | None
    read_at: datetime


class ShutterState(StrEnum):
    """Where a dome's shutter or a roof stands. Only OPEN and CLOSED are proof of anything."""

    OPEN = "open"
    CLOSED = "closed"
    OPENING = "opening"
    CLOSING = "closing"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomeCapabilities:
    """What a dome can do: a roll-off roof has a shutter and no azimuth."""

    can_set_azimuth: bool
    can_set_shutter: bool
    can_park: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DomeStatus:
    """One reading of a dome. `azimuth_deg` is None for a roof that does not turn."""

    shutter: ShutterState
    azimuth_deg: float | None
    moving: bool
    read_at: datetime


class Quantity(StrEnum):
    """What a weather station can measure, with its unit."""

    CLOUD_COVER_PERCENT = "cloud_cover_percent"
    DEW_POINT_C = "dew_point_c"
    HUMIDITY_PERCENT = "humidity_percent"
    PRESSURE_HPA = "pressure_hpa"
    RAIN_RATE_MM_H = "rain_rate_mm_h"
    SKY_BRIGHTNESS_LUX = "sky_brightness_lux"
    SKY_QUALITY_MAG_ARCSEC2 = "sky_quality_mag_arcsec2"
    SKY_TEMPERATURE_C = "sky_temperature_c"
    SEEING_ARCSEC = "seeing_arcsec"
    TEMPERATURE_C = "temperature_c"
    WIND_DIRECTION_DEG = "wind_direction_deg"
    WIND_GUST_M_S = "wind_gust_m_s"
    WIND_SPEED_M_S = "wind_speed_m_s"
