"""What could be observed tonight out of a catalogue, best first, whoever asks for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from schedules.ages import age_days
from schedules.brightness import dimming_mag
from schedules.constraints import Constraint
from schedules.directions import angles_deg
from schedules.ephemeris import Ephemeris
from schedules.errors import ScheduleError
from schedules.instants import Floats, datetime_of, unix_s_of
from schedules.places import Place, angle_deg, separation_deg
from schedules.site import Site
from schedules.targets import Satellite
from schedules.windows import AccessWindow, find_all_windows

# Looks within a window: where it is brightest need not be known better.
_LOOKS = 9
_SHORTEST_S = 30.0  # a slew, a frame or two
_JUST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A satellite in its best window of the night, at the instant at which it is brightest there.

    `phase_angle_deg` is the angle at the satellite between Sun and observer: 0° is full. `magnitude` is None where the
    standard magnitude is not known. `leaves_shadow` and `enters_shadow`: the window begins, or ends, at the shadow.
    """

    satellite: Satellite
    window: AccessWindow
    place: Place
    phase_angle_deg: float
    moon_apart_deg: float
    dimming_mag: float
    magnitude: float | None
    leaves_shadow: bool
    enters_shadow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The best sightings, how many satellites could be observed in all, and those that cannot be predicted."""

    sightings: tuple[Sighting, ...]
    observable: int
    failures: tuple[tuple[Satellite, ScheduleError], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """Where, when and under which conditions."""

    site: Site
    opens: datetime
    closes: datetime
    constraints: Sequence[Constraint]
    ephemeris: Ephemeris


def discover(
    satellites: Sequence[Satellite],
    night: Night,
    *,
    magnitudes: Mapping[int, float],
    max_age_days: float,
    most: int,
) -> Discovery:
    """At most `most` sightings: the known brightness first, the brightest first, then the others by their geometry.

    Each satellite is there once, in the window in which distance and phase dim it least; windows of less than half a
    minute do not count. Element sets older than `max_age_days` are left out.

    Raises:
        ValueError: the night closes before it opens.
    """
    young = [one for one in satellites if abs(age_days(one, night.closes)) <= max_age_days]
    found = find_all_windows(
        young,
        night.site,
        opens=night.opens,
        closes=night.closes,
        constraints=night.constraints,
        ephemeris=night.ephemeris,
        shortest_s=_SHORTEST_S,
    )
    sun = _SunOverNight(night)
    best: dict[int, tuple[float, AccessWindow, datetime, Satellite]] = {}
    for satellite, window in found.windows:
        dimming, at = _brightest(satellite, window, night, sun)
        if satellite.norad_id not in best or dimming < best[satellite.norad_id][0]:
            best[satellite.norad_id] = dimming, window, at, satellite

    def order(entry: tuple[float, AccessWindow, datetime, Satellite]) -> tuple[bool, float, int]:
        dimming, _, _, satellite = entry
        standard = magnitudes.get(satellite.norad_id)
        return standard is None, dimming + (standard or 0.0), satellite.norad_id

    chosen = sorted(best.values(), key=order)[:most]
    return Discovery(
        sightings=tuple(_sighting(*entry, night, magnitudes.get(entry[3].norad_id)) for entry in chosen),
        observable=len(best),
        failures=found.failures,
    )


class _SunOverNight:
    """The Sun every ten minutes, as seen from the site, on the horizon's axes."""

    _STEP_S = 600.0

    def __init__(self, night: Night) -> None:
        self._begins_s = unix_s_of(night.opens)
        count = math.ceil((night.closes - night.opens).total_seconds() / self._STEP_S) + 2
        instants = [datetime_of(self._begins_s + self._STEP_S * number) for number in range(count)]
        track = night.ephemeris.sun_track(night.site, instants)
        self._altitude_deg = track.altitude_deg
        self._azimuth_deg = np.unwrap(track.azimuth_deg, period=360.0)

    def at(self, unix_s: Floats) -> tuple[Floats, Floats]:
        """Azimuth and altitude."""
        along = (unix_s - self._begins_s) / self._STEP_S
        steps = np.arange(len(self._altitude_deg))
        return np.interp(along, steps, self._azimuth_deg) % 360.0, np.interp(along, steps, self._altitude_deg)


def _brightest(satellite: Satellite, window: AccessWindow, night: Night, sun: _SunOverNight) -> tuple[float, datetime]:
    """How far it is dimmed where it is least, and when."""
    length = window.set - window.rise
    instants = [window.rise + length * (number / (_LOOKS - 1)) for number in range(_LOOKS)]
    track = night.ephemeris.track_of(satellite, night.site, instants)
    phase_deg = 180.0 - angles_deg(track.azimuth_deg, track.altitude_deg, *sun.at(track.unix_s))
    dimmings = [
        dimming_mag(range_km, angle_deg)
        for range_km, angle_deg in zip(track.range_km.tolist(), phase_deg.tolist(), strict=True)
    ]
    least = min(range(_LOOKS), key=dimmings.__getitem__)
    return dimmings[least], instants[least]


def _sighting(
    dimming: float, window: AccessWindow, at: datetime, satellite: Satellite, night: Night, standard: float | None
) -> Sighting:
    ephemeris, site = night.ephemeris, night.site
    place = ephemeris.place_of(satellite, site, at)
    sun, here = ephemeris.sun_of(site, at), place.horizontal
    elongation_deg = angle_deg(here.azimuth_deg, here.altitude_deg, sun.azimuth_deg, sun.altitude_deg)
    return Sighting(
        satellite=satellite,
        window=window,
        place=place,
        phase_angle_deg=180.0 - elongation_deg,
        moon_apart_deg=separation_deg(place.apparent, ephemeris.moon_of(site, at)),
        dimming_mag=dimming,
        magnitude=None if standard is None else standard + dimming,
        leaves_shadow=not ephemeris.place_of(satellite, site, window.rise - _JUST).sunlit,
        enters_shadow=not ephemeris.place_of(satellite, site, window.set + _JUST).sunlit,
    )
