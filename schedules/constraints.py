"""What must hold for a target to be observed. One frozen dataclass for each; `windows` turns them into times."""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Protocol

import numpy as np

from schedules.ephemeris import Ephemeris
from schedules.glances import Seen
from schedules.instants import Floats
from schedules.places import Place, angle_deg, separation_deg
from schedules.site import HorizonMask, Site
from schedules.vectors import dot, horizontal_angles_deg


class Scope(IntEnum):
    """What a margin follows, and so how densely it must be sampled; in the order in which it is cheap to ask."""

    SITE = 1  # the same for every target, as slow as the Earth turns
    ORBIT = 2  # as smooth as the orbit, and the same from every site
    HEIGHT = 3  # as smooth as the orbit
    SKY = 4  # follows the target across the sky: quick when it passes near


class Constraint(Protocol):
    """One thing that must hold."""

    @property
    def scope(self) -> Scope:
        """What the margin follows."""

    @property
    def words(self) -> str:
        """The constraint as an observer says it: "above 20°", "sunlit"."""

    def admits(self, place: Place, site: Site, ephemeris: Ephemeris) -> bool:
        """Whether it holds for a target at `place`, seen from `site`."""

    def margin(self, seen: Seen) -> Floats:
        """How well it holds at each instant, in any unit: negative where it does not, smooth with time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MinAltitude:
    """The target stands at `altitude_deg` or higher, without refraction."""

    altitude_deg: float
    scope: ClassVar[Scope] = Scope.HEIGHT

    @property
    def words(self) -> str:
        return f"above {self.altitude_deg:g}°"

    def admits(self, place: Place, site: Site, ephemeris: Ephemeris) -> bool:
        return place.horizontal.altitude_deg >= self.altitude_deg

    def margin(self, seen: Seen) -> Floats:
        # In km, not in degrees: as smooth as the orbit itself, with no sharp peak where a pass goes through the zenith.
        height: Floats = (seen.sine_of_altitude - np.sin(np.radians(self.altitude_deg))) * seen.range_km
        return height


@dataclass(frozen=True, slots=True, kw_only=True)
class AboveHorizon:
    """The target stands on or above the mask."""

    mask: HorizonMask
    scope: ClassVar[Scope] = Scope.SKY

    @property
    def words(self) -> str:
        return "above the horizon mask"

    @property
    def lowest_deg(self) -> float:
        """The lowest altitude that is clear anywhere."""
        return min((altitude_deg for _, altitude_deg in self.mask.points), default=0.0)

    def admits(self, place: Place, site: Site, ephemeris: Ephemeris) -> bool:
        return place.horizontal.altitude_deg >= self.mask.altitude_deg_at(place.horizontal.azimuth_deg)

    def margin(self, seen: Seen) -> Floats:
        azimuth_deg, altitude_deg = horizontal_angles_deg(seen.east_north_up_of(seen.apparent))
        if not self.mask.points:
            return altitude_deg
        azimuths, altitudes = zip(*self.mask.points, strict=True)
        return np.asarray(altitude_deg - np.interp(azimuth_deg, azimuths, altitudes, period=360.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SunBelow:
    """The Sun's centre stands at `altitude_deg` or lower."""

    altitude_deg: float
    scope: ClassVar[Scope] = Scope.SITE

    @property
    def words(self) -> str:
        return f"with the Sun below {self.altitude_deg:g}°"

    def admits(self, place: Place, site: Site, ephemeris: Ephemeris) -> bool:
        return ephemeris.sun_altitude_deg(site, place.at) <= self.altitude_deg

    def margin(self, seen: Seen) -> Floats:
        return np.asarray(self.altitude_deg - horizontal_angles_deg(seen.east_north_up_of(seen.sun))[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class SunApart:
    """The target is `separation_deg` or more from the Sun's centre, wherever the Sun stands."""

    separation_deg: float
    scope: ClassVar[Scope] = Scope.SKY

    @property
    def words(self) -> str:
        return f"{self.separation_deg:g}° from the Sun"

    def admits(self, place: Place, site: Site, ephemeris: Ephemeris) -> bool:
        sun = ephemeris.sun_of(site, place.at)
        here = place.horizontal
        apart_deg = angle_deg(sun.azimuth_deg, sun.altitude_deg, here.azimuth_deg, here.altitude_deg)
        return apart_deg >= self.separation_deg

    def margin(self, seen: Seen) -> Floats:
        return _wider_than(self.separation_deg, seen.apparent, seen.sun)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoonApart:
    """The target is `separation_deg` or more from the Moon's centre, wherever the Moon stands."""

    separation_deg: float
    scope: ClassVar[Scope] = Scope.SKY

    @property
    def words(self) -> str:
        return f"{self.separation_deg:g}° from the Moon"

    def admits(self, place: Place, site: Site, ephemeris: Ephemeris) -> bool:
        return separation_deg(place.apparent, ephemeris.moon_of(site, place.at)) >= self.separation_deg

    def margin(self, seen: Seen) -> Floats:
        return _wider_than(self.separation_deg, seen.apparent, seen.moon)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sunlit:
    """The Sun shines on the target: the line to its centre clears the Earth, as skyfield's `is_sunlit` has it.

    So half of the penumbra counts as light, half as shadow; a low satellite crosses it in ten seconds. The Earth is a
    sphere of the equator's radius without air.
    """

    scope: ClassVar[Scope] = Scope.ORBIT

    @property
    def words(self) -> str:
        return "sunlit"

    def admits(self, place: Place, site: Site, ephemeris: Ephemeris) -> bool:
        return place.sunlit

    def margin(self, seen: Seen) -> Floats:
        return seen.shadow_clearance_km


def _wider_than(separation_deg: float, a: Floats, b: Floats) -> Floats:
    # The chord between two directions, squared: smooth also where they meet.
    apart = a - b
    return np.asarray(dot(apart, apart) - 4.0 * np.sin(np.radians(separation_deg) / 2.0) ** 2)
