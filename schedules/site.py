"""Where the telescope stands and what stands around it."""

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place on the WGS84 ellipsoid: geodetic latitude, longitude east of Greenwich, height above the ellipsoid.

    Raises:
        ValueError: a coordinate is not finite or out of range.
    """

    latitude_deg: float
    longitude_deg: float
    elevation_m: float

    def __post_init__(self) -> None:
        if not -90.0 <= self.latitude_deg <= 90.0:
            raise ValueError(f"latitude {self.latitude_deg}° is not within -90° to 90°")
        if not -180.0 <= self.longitude_deg <= 360.0:
            raise ValueError(f"longitude {self.longitude_deg}° is not within -180° to 360°, east positive")
        if not -500.0 <= self.elevation_m <= 9_000.0:
            raise ValueError(f"elevation {self.elevation_m} m is not within -500 m to 9,000 m")


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonMask:
    """The lowest altitude that is clear, all around: straight lines between points (azimuth_deg, altitude_deg).

    Points are in order of azimuth, 0 <= azimuth < 360; the mask closes over north. No points: clear to 0°.

    Raises:
        ValueError: azimuths that do not rise, or an altitude outside of -5° to 90°.
    """

    points: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        azimuths = [azimuth for azimuth, _ in self.points]
        if azimuths != sorted(set(azimuths)) or not all(0.0 <= azimuth < 360.0 for azimuth in azimuths):
            raise ValueError(f"horizon points must have rising azimuths within 0° to 360°, not {azimuths}")
        if not all(-5.0 <= altitude <= 90.0 for _, altitude in self.points):
            raise ValueError("a horizon altitude is not within -5° to 90°")

    def altitude_deg_at(self, azimuth_deg: float) -> float:
        """The lowest clear altitude towards `azimuth_deg`."""
        if not self.points:
            return 0.0
        azimuth_deg %= 360.0
        after = bisect_right(self.points, (azimuth_deg, 90.1))
        azimuth_0, altitude_0 = self.points[after - 1]
        azimuth_1, altitude_1 = self.points[after % len(self.points)]
        span = (azimuth_1 - azimuth_0) % 360.0 or 360.0
        return altitude_0 + (altitude_1 - altitude_0) * (((azimuth_deg - azimuth_0) % 360.0) / span)
