"""From a target's course to what a mount is told: rates on the coordinates a mount is steered by. Thinks only."""

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from bridge.calibration.measured import AxisMeasured, MountMeasured, Way
from drivers.motion import SIDEREAL_DEG_PER_S
from drivers.values import AxisSpeeds, Equatorial, EquatorialSystem, MountCapabilities, MountKind, PierSide
from schedules.courses import Bearing, Course
from schedules.places import angle_deg

Pair = tuple[float, float]

# How closely a path is looked at for what the axes would have to do; a keyhole is seconds long.
_LOOK_EVERY_S = 0.5


class Coordinates(StrEnum):
    """What the first and the second number of a pair are."""

    EQUATORIAL = "right ascension and declination"  # of the mount's own system
    HOUR_ANGLE = "hour angle and declination"  # of date
    HORIZONTAL = "azimuth and altitude"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """How one coordinate obeys: it moves at `gain` times what is told and `offset_deg_s` more."""

    fastest_deg_s: float
    acceleration_deg_s2: float
    gain: float = 1.0
    offset_deg_s: float = 0.0
    speeds: AxisSpeeds | None = None

    def told(self, rate_deg_s: float) -> float:
        """What to tell the mount for this rate, or for the nearest its axis can be turned at."""
        told = (rate_deg_s - self.offset_deg_s) / self.gain
        if self.speeds is None or self.speeds.admit(told):
            return told
        edges = [edge for span in self.speeds.spans_deg_s for edge in span]
        return math.copysign(min(edges, key=lambda edge: abs(edge - abs(told))), told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """One way of making one mount follow, in the pointing state it is in. `latency_s` is from a command to its motion,
    `reading_age_s` how old a position is when it is read.
    """

    way: Way
    coordinates: Coordinates
    system: EquatorialSystem
    latitude_deg: float
    axes: tuple[Axis, Axis]
    latency_s: float | None
    reading_age_s: float = 0.0

    def rates(self, course: Course, begins_s: float, ends_s: float) -> Pair:
        """The target's mean rates between two instants: kept to, they lead from where it was to where it will be."""
        first_deg, second_deg = self.moves(course, begins_s, ends_s)
        return first_deg / (ends_s - begins_s), second_deg / (ends_s - begins_s)

    def moves(self, course: Course, begins_s: float, ends_s: float) -> Pair:
        """How far the target moves between two instants, on the coordinates steered by."""
        before, after, long_s = course.at(begins_s), course.at(ends_s), ends_s - begins_s
        match self.coordinates:
            case Coordinates.HOUR_ANGLE:
                first_deg = long_s * SIDEREAL_DEG_PER_S - _turned(before.apparent_ra_deg, after.apparent_ra_deg)
                second_deg = after.apparent_dec_deg - before.apparent_dec_deg
            case Coordinates.HORIZONTAL:
                first_deg = _turned(before.azimuth_deg, after.azimuth_deg)
                second_deg = after.altitude_deg - before.altitude_deg
            case Coordinates.EQUATORIAL:
                (ra_before, dec_before), (ra_after, dec_after) = self._target(before), self._target(after)
                first_deg, second_deg = _turned(ra_before, ra_after), dec_after - dec_before
        return first_deg, second_deg

    def resting(self) -> Pair:
        """The rates of a mount that follows the stars, as far as they do not depend on where it looks."""
        return (SIDEREAL_DEG_PER_S, 0.0) if self.coordinates is Coordinates.HOUR_ANGLE else (0.0, 0.0)

    def error(self, bearing: Bearing, pointing: Equatorial) -> Pair:
        """How far the target is ahead of a reading, on the coordinates steered by; for small distances."""
        ra_deg, dec_deg = self._target(bearing)
        ahead_ra_deg, ahead_dec_deg = _turned(pointing.ra_deg, ra_deg), dec_deg - pointing.dec_deg
        if self.coordinates is Coordinates.EQUATORIAL:
            return ahead_ra_deg, ahead_dec_deg
        if self.coordinates is Coordinates.HOUR_ANGLE:
            return -ahead_ra_deg, ahead_dec_deg
        east_deg = ahead_ra_deg * math.cos(math.radians(pointing.dec_deg))
        sine, cosine = self._parallactic(bearing)
        across_deg, up_deg = ahead_dec_deg * sine - east_deg * cosine, east_deg * sine + ahead_dec_deg * cosine
        return across_deg / max(math.cos(math.radians(bearing.altitude_deg)), 1e-6), up_deg

    def off_deg(self, bearing: Bearing, pointing: Equatorial) -> float:
        """The angle between the target and a reading."""
        return angle_deg(*self._target(bearing), pointing.ra_deg, pointing.dec_deg)

    def length_deg(self, bearing: Bearing, ahead_deg: Pair) -> float:
        """The angle on the sky of a small distance on the coordinates steered by."""
        latitude_deg = bearing.altitude_deg if self.coordinates is Coordinates.HORIZONTAL else bearing.apparent_dec_deg
        return math.hypot(ahead_deg[0] * math.cos(math.radians(latitude_deg)), ahead_deg[1])

    def gone_deg(self, course: Course, begins_s: float, long_s: float) -> float:
        """How far the target goes from that instant in so long."""
        before, after = (self._target(course.at(at_s)) for at_s in (begins_s, begins_s + long_s))
        return angle_deg(*before, *after)

    def told(self, rates: Pair) -> Pair:
        """What the mount is told for these rates."""
        return self.axes[0].told(rates[0]), self.axes[1].told(rates[1])

    def keyhole(self, course: Course, begins_s: float, ends_s: float) -> str:
        """What the axes would have to do and cannot, between two instants; empty where they can do all."""
        steps = max(1, math.ceil((ends_s - begins_s) / _LOOK_EVERY_S))
        edges_s = [begins_s + (ends_s - begins_s) * step / steps for step in range(steps + 1)]
        rates = [self.rates(course, *edges) for edges in pairwise(edges_s)]
        names = self.coordinates.split(" and ")
        for axis, name, each in zip(self.axes, names, zip(*rates, strict=True), strict=True):
            fastest_deg_s = max(map(abs, each))
            if not fastest_deg_s <= axis.fastest_deg_s:
                return f"{name} would go at {fastest_deg_s:.3g}°/s, and {axis.fastest_deg_s:.3g}°/s is all it can"
            changes = [abs(after - before) for before, after in pairwise(each)]
            change_deg_s2 = max(changes, default=0.0) * steps / (ends_s - begins_s)
            if not change_deg_s2 <= axis.acceleration_deg_s2:
                limit_deg_s2 = axis.acceleration_deg_s2
                return f"{name} would change by {change_deg_s2:.3g}°/s², and {limit_deg_s2:.3g}°/s² is all it can"
        return ""

    def _target(self, bearing: Bearing) -> Pair:
        if self.system is EquatorialSystem.ICRS:
            return bearing.icrs_ra_deg, bearing.icrs_dec_deg
        return bearing.apparent_ra_deg, bearing.apparent_dec_deg

    def _parallactic(self, bearing: Bearing) -> Pair:
        """Sine and cosine of the angle at the target from the pole to the zenith, through east."""
        latitude, altitude = math.radians(self.latitude_deg), math.radians(bearing.altitude_deg)
        dec, azimuth = math.radians(bearing.apparent_dec_deg), math.radians(bearing.azimuth_deg)
        sine = -math.sin(azimuth) * math.cos(latitude) * math.cos(altitude)
        cosine = math.sin(latitude) - math.sin(dec) * math.sin(altitude)
        whole = math.hypot(sine, cosine) or 1.0
        return sine / whole, cosine / whole


def steering_of(
    way: Way,
    mount: MountCapabilities,
    measured: MountMeasured | None,
    side: PierSide,
    *,
    latitude_deg: float,
    unmeasured: Axis,
) -> Steering | None:
    """How to steer this mount in this pointing state; None where it was not measured to obey in it.

    `unmeasured` stands for either axis where nothing was measured, and says how they accelerate.
    """
    known = None if measured is None or measured.unlike(mount) else measured
    pair = _obeying(known, way, side)
    if known is not None and pair is None and (way is Way.AXES or (way is Way.RATES and known.sides(way))):
        return None
    if way is Way.AXES and pair is None:
        return None
    coordinates = Coordinates.EQUATORIAL
    if way is not Way.RATES:
        coordinates = Coordinates.HORIZONTAL if mount.kind is MountKind.ALTAZ else Coordinates.HOUR_ANGLE
    speeds = mount.axis_speeds if way is Way.AXES else None
    return Steering(
        way=way,
        coordinates=coordinates,
        system=mount.system,
        latitude_deg=latitude_deg,
        axes=(unmeasured, unmeasured) if pair is None else _axes_of(pair, speeds, unmeasured),
        latency_s=None if pair is None else max(one.latency_s for one in pair),
        reading_age_s=0.0 if known is None else known.update_interval_s / 2.0,
    )


def _axes_of(
    pair: tuple[AxisMeasured, AxisMeasured], speeds: tuple[AxisSpeeds, AxisSpeeds] | None, unmeasured: Axis
) -> tuple[Axis, Axis]:
    first, second = (
        Axis(
            fastest_deg_s=one.fastest_deg_s,
            acceleration_deg_s2=one.acceleration_deg_s2 or unmeasured.acceleration_deg_s2,
            gain=one.gain,
            offset_deg_s=one.offset_deg_s,
            speeds=None if speeds is None else speeds[index],
        )
        for index, one in enumerate(pair)
    )
    return first, second


def _obeying(known: MountMeasured | None, way: Way, side: PierSide) -> tuple[AxisMeasured, AxisMeasured] | None:
    pair = None if known is None else known.pair(way, side)
    return pair if pair is not None and pair[0].obeys and pair[1].obeys else None


def _turned(from_deg: float, to_deg: float) -> float:
    """The way from one longitude to another, the shorter one."""
    return (to_deg - from_deg + 180.0) % 360.0 - 180.0
