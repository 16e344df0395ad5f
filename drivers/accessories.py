"""What passes through the protocols of a rotator, a cover with its light panel, and a source of time and place.

As in `drivers.values`: frozen, checked at birth, units in the names.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatorCapabilities:
    """What a rotator can do besides turning."""

    can_sync: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatorStatus:
    """One reading of a rotator: the position angle of the camera's upper edge, 0° to 360°, from north through east."""

    position_angle_deg: float
    moving: bool
    read_at: datetime


class CoverState(StrEnum):
    """Where a cover stands. Only OPEN and CLOSED are proof of anything."""

    OPEN = "open"
    CLOSED = "closed"
    MOVING = "moving"
    UNKNOWN = "unknown"
    ERROR = "error"


class LightState(StrEnum):
    """What a light panel does. Flats are taken only when it is READY."""

    OFF = "off"
    SETTLING = "settling"
    READY = "ready"
    UNKNOWN = "unknown"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverCalibratorCapabilities:
    """Which of the two it has; `max_brightness` is in the driver's own steps, 0 without a light."""

    has_cover: bool
    has_light: bool
    max_brightness: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverCalibratorStatus:
    """One reading of a cover and light panel; None is the state of what it does not have."""

    cover: CoverState | None
    light: LightState | None
    brightness: int
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAndPlace:
    """What a receiver, or a mount, says of the time and of where it stands.

    `utc` is its time at the instant `read_at` of our clock; None where it keeps no clock that can be read.
    Longitude east, -180° to 180°. `elevation_m` is None where it is not known.

    Raises:
        ValueError: a place that is none.
    """

    utc: datetime | None
    read_at: datetime
    latitude_deg: float
    longitude_deg: float
    elevation_m: float | None

    def __post_init__(self) -> None:
        if not (-90.0 <= self.latitude_deg <= 90.0 and -180.0 <= self.longitude_deg <= 180.0):
            raise ValueError(f"{self.latitude_deg}° north {self.longitude_deg}° east is nowhere on Earth")
        if self.elevation_m is not None and not math.isfinite(self.elevation_m):
            raise ValueError(f"an elevation of {self.elevation_m} m is none")

    @property
    def clock_error_s(self) -> float | None:
        """How far its clock is ahead of ours."""
        return None if self.utc is None else (self.utc - self.read_at).total_seconds()
