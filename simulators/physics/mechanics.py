"""What the two axes of a mount mean on the sky, for each kind of mount.

Equatorial mounts: the primary axis turns in hour angle, the secondary in declination. A German mount reaches every
place in two ways: normal (primary = hour angle, secondary = declination) and through the pole (primary = hour angle
+ 180°, secondary beyond ±90°). Alt-azimuth mounts: azimuth and altitude. All of date, without refraction.
"""

import math
from dataclasses import dataclass

from drivers.values import MountKind

# A German mount's primary axis is level at 0° and 180°; it reaches a quarter turn beyond both.
_GERMAN_LOWEST_DEG = -90.0


@dataclass(frozen=True, slots=True)
class Mechanics:
    """The geometry of one mount at its latitude."""

    kind: MountKind
    latitude_deg: float

    @property
    def turns_freely(self) -> bool:
        """True where the primary axis may take the short way round."""
        return self.kind is not MountKind.GERMAN

    @property
    def horizon_axes(self) -> tuple[tuple[float, float, float], ...]:
        """North, east and up, each as its parts towards the meridian, towards east and towards the pole."""
        sine, cosine = math.sin(math.radians(self.latitude_deg)), math.cos(math.radians(self.latitude_deg))
        return (-sine, 0.0, cosine), (0.0, 1.0, 0.0), (cosine, 0.0, sine)

    @property
    def home_deg(self) -> tuple[float, float]:
        """Where the axes stand at home: equatorial mounts look at the pole, counterweight down; others north, level."""
        if self.kind is MountKind.ALTAZ:
            return 0.0, 0.0
        return 90.0, math.copysign(90.0, self.latitude_deg)

    def axes_of(self, hour_angle_deg: float, dec_deg: float, *, flipped: bool) -> tuple[float, float]:
        """Where the axes stand to look there; `flipped` (through the pole) counts for a German mount."""
        if self.kind is MountKind.ALTAZ:
            altitude_deg, azimuth_deg = self.horizontal_of(hour_angle_deg, dec_deg)
            return azimuth_deg, altitude_deg
        if self.kind is MountKind.FORK:
            return wrapped(hour_angle_deg), dec_deg
        primary_deg, secondary_deg = hour_angle_deg, dec_deg
        if flipped:
            primary_deg, secondary_deg = hour_angle_deg + 180.0, math.copysign(180.0, self.latitude_deg) - dec_deg
        return (primary_deg - _GERMAN_LOWEST_DEG) % 360.0 + _GERMAN_LOWEST_DEG, secondary_deg

    def looks_at(self, primary_deg: float, secondary_deg: float) -> tuple[float, float]:
        """Hour angle (-180° to 180°) and declination at which the telescope looks."""
        if self.kind is MountKind.ALTAZ:
            return self.equatorial_of(*_over_pole(primary_deg, secondary_deg))
        hour_angle_deg, dec_deg = _over_pole(primary_deg, secondary_deg)
        return wrapped(hour_angle_deg), dec_deg

    def is_flipped(self, secondary_deg: float) -> bool:
        """True where a German mount looks through the pole."""
        return self.kind is MountKind.GERMAN and abs(wrapped(secondary_deg)) > 90.0

    def wants_flip(self, hour_angle_deg: float) -> bool:
        """Which way a German mount slews: through the pole east of the meridian, so that it can follow."""
        return self.kind is MountKind.GERMAN and wrapped(hour_angle_deg) < 0.0

    def horizontal_of(self, hour_angle_deg: float, dec_deg: float) -> tuple[float, float]:
        """Altitude, and azimuth from north through east."""
        x, y, z = _vector(-hour_angle_deg, dec_deg)  # towards the meridian, towards east, towards the pole
        sine, cosine = math.sin(math.radians(self.latitude_deg)), math.cos(math.radians(self.latitude_deg))
        north, up = z * cosine - x * sine, x * cosine + z * sine
        return math.degrees(math.atan2(up, math.hypot(north, y))), turned_within(math.degrees(math.atan2(y, north)))

    def equatorial_of(self, azimuth_deg: float, altitude_deg: float) -> tuple[float, float]:
        """Hour angle and declination of a place on the horizon."""
        north, east, up = _vector(azimuth_deg, altitude_deg)
        sine, cosine = math.sin(math.radians(self.latitude_deg)), math.cos(math.radians(self.latitude_deg))
        x, z = up * cosine - north * sine, north * cosine + up * sine
        return math.degrees(math.atan2(-east, x)), math.degrees(math.atan2(z, math.hypot(x, east)))


def wrapped(angle_deg: float) -> float:
    """The same angle within -180° (included) to 180°."""
    return (angle_deg + 180.0) % 360.0 - 180.0


def turned_within(angle_deg: float) -> float:
    """The same angle from 0° to below 360°, also where rounding makes 360° of what is a hair below 0°."""
    angle_deg %= 360.0
    return 0.0 if angle_deg >= 360.0 else angle_deg


def folded(ra_deg: float, dec_deg: float) -> tuple[float, float]:
    """The same direction with right ascension within 0° to 360° and declination within ±90°."""
    longitude_deg, latitude_deg = _over_pole(ra_deg, dec_deg)
    return turned_within(longitude_deg), latitude_deg


def _over_pole(longitude_deg: float, latitude_deg: float) -> tuple[float, float]:
    latitude_deg = wrapped(latitude_deg)
    if abs(latitude_deg) <= 90.0:
        return longitude_deg, latitude_deg
    return longitude_deg + 180.0, math.copysign(180.0, latitude_deg) - latitude_deg


def _vector(longitude_deg: float, latitude_deg: float) -> tuple[float, float, float]:
    longitude, latitude = math.radians(longitude_deg), math.radians(latitude_deg)
    across = math.cos(latitude)
    return across * math.cos(longitude), across * math.sin(longitude), math.sin(latitude)
