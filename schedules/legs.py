"""The ways of targets through the sky, sampled once and kept for the next plan."""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from schedules.directions import angles_deg
from schedules.ephemeris import Ephemeris
from schedules.instants import Floats, datetime_of, unix_s_of
from schedules.site import Site
from schedules.slews import Axes
from schedules.targets import Target
from schedules.tracks import Track
from schedules.windows import AccessWindow

# Straight lines between samples. A low pass is sampled twice as finely as what takes longer and is slower; what comes
# so near the pole of the mount's axes that straight lines would be this far off, five times more finely still.
_FINE_STEP_S = 5.0
_COARSE_STEP_S = 10.0
_LONG_S = 1200.0
_OFF_BY_DEG = 0.25
_FINER = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One target over one stretch of time. Samples are `step_s` apart from `from_s` (seconds since 1970) on.

    `first_deg` and `second_deg` are the directions of the mount's axes (hour angle and declination, or azimuth and
    altitude); longitudes run on over 360°, so that straight lines join the samples. They are memoryviews, from which
    single numbers come quickest. `rate_deg_s` has one number for each step: how fast the target moves among the stars.
    """

    from_s: float
    step_s: float
    first_deg: memoryview
    second_deg: memoryview
    azimuth_deg: memoryview
    rate_deg_s: Floats

    def rates_deg_s(self, begins_s: float, ends_s: float) -> Floats:
        """The rates among the stars between two instants, the first within the leg; at least one."""
        begin = int((begins_s - self.from_s) / self.step_s)
        end = int((ends_s - self.from_s) / self.step_s) + 1
        return self.rate_deg_s[begin:end]


class Legs:
    """Samples the legs of one mount at one site, one for each target and window, and keeps them until they are over."""

    def __init__(self, ephemeris: Ephemeris, site: Site, axes: Axes) -> None:
        self._ephemeris = ephemeris
        self._site = site
        self._axes = axes
        self._kept: dict[tuple[Target, AccessWindow], Leg] = {}

    def leg(self, target: Target, window: AccessWindow) -> Leg:
        """The way of `target` through all of `window`.

        Raises:
            DecayedOrbit, BadElements: as the ephemeris says.
        """
        leg = self._kept.get((target, window))
        if leg is None:
            leg = self._kept[target, window] = self._sampled(target, window)
        return leg

    def forget_before(self, now: datetime) -> None:
        """Drop what is over."""
        self._kept = {key: leg for key, leg in self._kept.items() if key[1].set >= now}

    def _sampled(self, target: Target, window: AccessWindow) -> Leg:
        begins_s, ends_s = unix_s_of(window.rise), unix_s_of(window.set)
        step_s = _FINE_STEP_S if ends_s - begins_s <= _LONG_S else _COARSE_STEP_S
        leg = self._sampled_every(step_s, target, begins_s, ends_s)
        if _off_by_deg(leg) > _OFF_BY_DEG:
            leg = self._sampled_every(step_s / _FINER, target, begins_s, ends_s)
        return leg

    def _sampled_every(self, step_s: float, target: Target, begins_s: float, ends_s: float) -> Leg:
        first, last = math.floor(begins_s / step_s), math.ceil(ends_s / step_s)
        instants = [datetime_of(number * step_s) for number in range(first, last + 2)]
        track = self._ephemeris.track_of(target, self._site, instants)
        equatorial = self._axes is Axes.EQUATORIAL
        return Leg(
            from_s=first * step_s,
            step_s=step_s,
            first_deg=_running_on(track.hour_angle_deg if equatorial else track.azimuth_deg),
            second_deg=np.ascontiguousarray(track.apparent_dec_deg if equatorial else track.altitude_deg).data,
            azimuth_deg=_running_on(track.azimuth_deg),
            rate_deg_s=_rates_deg_s(track, step_s),
        )


def _off_by_deg(leg: Leg) -> float:
    """How far the axes leave the straight lines: an eighth of the bend from one line to the next."""
    bends_deg = (np.abs(np.diff(np.asarray(axis), 2)) for axis in (leg.first_deg, leg.second_deg))
    return max(float(np.max(bend_deg, initial=0.0)) for bend_deg in bends_deg) / 8.0


def _running_on(longitude_deg: Floats) -> memoryview:
    return np.ascontiguousarray(np.unwrap(longitude_deg, period=360.0)).data


def _rates_deg_s(track: Track, step_s: float) -> Floats:
    """From each sample to the next, among the stars."""
    ra_deg, dec_deg = track.icrs_ra_deg, track.icrs_dec_deg
    return angles_deg(ra_deg[:-1], dec_deg[:-1], ra_deg[1:], dec_deg[1:]) / step_s
