"""A station, stars where a story needs them, satellites of every kind, and an independent look at a finished plan."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

from schedules.directions import Directions, axis_angles
from schedules.ephemeris import Ephemeris
from schedules.exposures import Optics
from schedules.places import Apparent, Horizontal
from schedules.planner import Plan, PlannedObservation, Telescope
from schedules.requests import CollectShape, ObservationRequest
from schedules.site import Site
from schedules.slews import Axes, SlewModel
from schedules.targets import ElementSet, Satellite, Star, Target
from schedules.windows import AccessWindow

DUSK = datetime(2026, 8, 11, 21, 0, tzinfo=UTC)
SITE = Site(latitude_deg=28.3, longitude_deg=-16.5, elevation_m=2390.0)
# Targets are sampled every 5 s and joined by straight lines: what that may cost a slew near the zenith, and rounding.
TOLERANCE_S = 0.5
# Of the low satellites below, those that pass high over the site 300 s to 600 s after dusk, in all directions.
PASSING = (600, 868, 993, 1136, 1794, 2058, 2111, 362, 166, 653, 649, 1503)


@cache
def ephemeris() -> Ephemeris:
    return Ephemeris()


def after(seconds: float) -> datetime:
    return DUSK + timedelta(seconds=seconds)


def telescope(axes: Axes = Axes.ALTAZ, **changes: Any) -> Telescope:
    """3°/s, 1°/s², 2 s to settle, 2 s overhead; a field of 1° × 1.5°, a mount that follows up to 0.05°/s."""
    mount = SlewModel(axes=axes, speed_deg_s=3.0, acceleration_deg_s2=1.0, settle_s=2.0)
    optics = Optics(
        pixel_scale_arcsec_per_px=1.8,
        width_px=3000,
        height_px=2000,
        readout_s=1.0,
        max_streak_fraction=0.4,
        max_track_rate_deg_s=0.05,
        repoint_s=4.0,
    )
    parts: dict[str, Any] = {
        "site": SITE,
        "ephemeris": ephemeris(),
        "slews": mount,
        "optics": optics,
        "overhead_s": 2.0,
        "filter_change_s": 0.0,
        **changes,
    }
    return Telescope(**parts)


def star(altitude_deg: float, azimuth_deg: float, at: datetime, *, name: str = "a star", site: Site = SITE) -> Star:
    """A star that stands there at that instant."""
    place = Directions.of(Horizontal(altitude_deg=altitude_deg, azimuth_deg=azimuth_deg))
    hour_angle, declination = axis_angles(place, Axes.EQUATORIAL, site.latitude_deg)
    ra_deg = (ephemeris().sidereal_time_deg(site, at) - float(hour_angle[0])) % 360.0
    return Star(name=name, icrs=ephemeris().icrs_of(Apparent(ra_deg=ra_deg, dec_deg=float(declination[0])), at))


def low_satellite(number: int) -> Satellite:
    """One of many, 400 km to 1000 km up."""
    return _satellite(number, name=f"LOW {number}", mean_motion_rev_per_day=14.0 + (number * 7 % 13) / 10.0)


def slow_satellite(number: int) -> Satellite:
    """One of many, near the geostationary ring."""
    return _satellite(
        number,
        name=f"SLOW {number}",
        mean_motion_rev_per_day=1.0027,
        inclination_deg=3.0 + number % 7,
        eccentricity=1e-4,
    )


def _satellite(number: int, **changes: Any) -> Satellite:
    elements = ElementSet(
        norad_id=90_000 + number,
        name="",
        international_designator="2026-001A",
        epoch=datetime(2026, 8, 11, 12, 0, tzinfo=UTC),
        mean_motion_rev_per_day=15.0,
        eccentricity=0.001,
        inclination_deg=40.0 + number * 11 % 60,
        raan_deg=number * 47.0 % 360.0,
        argument_of_perigee_deg=number * 31.0 % 360.0,
        mean_anomaly_deg=number * 83.0 % 360.0,
        bstar_per_earth_radius=1e-5,
        mean_motion_dot=0.0,
        mean_motion_ddot=0.0,
        source="synthetic",
    )
    return Satellite(elements=replace(elements, **changes))


def asked(request_id: str, target: Target, **changes: Any) -> ObservationRequest:
    """Three frames of 2 s in the clear filter, some time this night."""
    values: dict[str, Any] = {
        "request_id": request_id,
        "target": target,
        "opens": DUSK - timedelta(hours=1),
        "closes": DUSK + timedelta(hours=9),
        "priority": 1.0,
        "filter_name": "clear",
        "exposure_s": 2.0,
        "frame_count": 3,
        "binning": 1,
        "collect": CollectShape.AUTO,
    }
    return ObservationRequest(**{**values, **changes})


def window(rise_s: float, set_s: float, culmination_s: float | None = None) -> AccessWindow:
    """From so many seconds after dusk to so many; culmination in the middle unless told."""
    middle_s = (rise_s + set_s) / 2.0 if culmination_s is None else culmination_s
    return AccessWindow(
        rise=after(rise_s),
        culmination=after(middle_s),
        set=after(set_s),
        peak_altitude_deg=60.0,
        rise_azimuth_deg=0.0,
        culmination_azimuth_deg=0.0,
        set_azimuth_deg=0.0,
    )


def needed_s(scope: Telescope, one: PlannedObservation, following: PlannedObservation) -> float:
    """What lies between two observations, worked out anew from exact places."""
    begins = _axes_and_azimuth(scope, one.request.target, one.starts_at)
    ends = _axes_and_azimuth(scope, one.request.target, one.ends_at)
    then = _axes_and_azimuth(scope, following.request.target, following.starts_at)
    turned_to = scope.slews.turned_to
    longest_s = min(
        scope.slews.between_s(turned_to(ends[0], ends[1], side), turned_to(then[0], then[1], next_side))
        for side in _sides(begins[0])
        for next_side in _sides(then[0])
    )
    if one.request.filter_name != following.request.filter_name:
        longest_s = max(longest_s, scope.filter_change_s)
    turn_deg = abs((then[2] - ends[2] + 180.0) % 360.0 - 180.0)
    return scope.overhead_s + max(longest_s, turn_deg / scope.dome_turn_speed_deg_s)


def _sides(hour_angle_deg: float) -> tuple[float, ...]:
    """The pointing states in which a German mount may take up a target; both on the meridian, or under the pole."""
    hour_angle_deg = (hour_angle_deg + 180.0) % 360.0 - 180.0
    if min(abs(hour_angle_deg), 180.0 - abs(hour_angle_deg)) < 0.3:
        return 1.0, -1.0
    return (1.0,) if hour_angle_deg > 0.0 else (-1.0,)


def _axes_and_azimuth(scope: Telescope, target: Target, at: datetime) -> tuple[float, float, float]:
    track = scope.ephemeris.track_of(target, scope.site, [at])
    azimuth_deg = float(track.azimuth_deg[0])
    if scope.slews.axes is Axes.ALTAZ:
        return azimuth_deg, float(track.altitude_deg[0]), azimuth_deg
    return float(track.hour_angle_deg[0]), float(track.apparent_dec_deg[0]), azimuth_deg


def must_be_sound(plan: Plan, scope: Telescope, requests: list[ObservationRequest]) -> None:
    """What every plan owes: nothing twice, nothing lost, nothing outside its time, never two places at once."""
    placed = [one.request.request_id for one in plan.observations]
    dropped = [one.request.request_id for one in plan.dropped]
    assert sorted([*placed, *dropped]) == sorted(request.request_id for request in requests)
    assert all(one.reason for one in plan.dropped)
    for one in plan.observations:
        assert max(one.window.rise, one.request.opens) <= one.starts_at
        assert one.ends_at <= min(one.window.set, one.request.closes)
        assert plan.made_at <= one.leave_at <= one.starts_at
        lasts_s = one.collect.duration_s + scope.optics.readout_s
        assert math.isclose((one.ends_at - one.starts_at).total_seconds(), lasts_s, abs_tol=1e-3)
    for one, following in pairwise(plan.observations):
        between_s = (following.starts_at - one.ends_at).total_seconds()
        assert between_s >= needed_s(scope, one, following) - TOLERANCE_S
        assert one.ends_at <= following.leave_at
        slew_s = (following.starts_at - following.leave_at).total_seconds()
        assert slew_s >= needed_s(scope, one, following) - TOLERANCE_S


def importance(plan: Plan) -> float:
    return sum(one.request.priority for one in plan.observations)


__all__ = [
    "DUSK",
    "PASSING",
    "SITE",
    "after",
    "asked",
    "ephemeris",
    "importance",
    "low_satellite",
    "must_be_sound",
    "needed_s",
    "slow_satellite",
    "star",
    "telescope",
    "window",
]
