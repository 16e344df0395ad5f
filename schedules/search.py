"""When constraints hold for targets over a site: coarsely for the whole sky, exactly for what may rise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from schedules.constraints import AboveHorizon, Constraint, MinAltitude, Scope
from schedules.element_checks import perigee_height_km
from schedules.ephemeris import Ephemeris
from schedules.errors import DecayedOrbit
from schedules.glances import Glance, Ground, Seen
from schedules.instants import Floats, Instants, unix_s_of
from schedules.orbits import Orbits, Paces, perigee_motions_rad_s
from schedules.orientation import Attitude, EarthTables
from schedules.propagation import no_place, propagate, propagator_of
from schedules.sightlines import EARTH_RADIUS_KM, Observer, Sightline
from schedules.site import Site
from schedules.spans import Corners, Margin, Owners, Samples, Spans, admitted
from schedules.sun_moon import satellite_at, star_at, sun_at
from schedules.targets import ElementSet, Satellite, Star, Target
from schedules.vectors import Body

# Samples lie this far apart on the orbit where it is quickest; then a margin's parabola is off by kilometres only.
_ORBIT_STEP_RAD = 0.07
_ORBIT_STEPS_S = np.array([10.0, 30.0, 60.0, 120.0, 300.0, 600.0])
_SITE_STEP_S = 600.0
_STAR_STEP_S = 300.0
_PIECE = 8_000  # sightlines worked on at a time: they fit into the processor's cache

# A satellite whose orbit ends is looked at this often, so that its last minutes are searched too.
_END_STEP_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Targets over a site, told apart by their index, and how densely each must be sampled.

    `seen` answers for each owner at its instant. `orbit_step_s` is for margins as smooth as the orbit, `sky_step_s` for
    those that follow the target across the sky. `may_be_above` says where targets may be higher than an altitude (in
    degrees); None: anywhere. `failures` are added as SGP4 gives no place.
    """

    seen: Callable[[Owners, Floats], Seen]
    orbit_step_s: Floats
    sky_step_s: Floats
    may_be_above: Callable[[float], Spans] | None = None
    failures: dict[int, DecayedOrbit] = field(default_factory=dict)

    def margin(self, of: Callable[[Seen], Floats]) -> Margin:
        """A quantity of what is seen as a function of owner and time."""
        return _in_pieces(lambda owner, unix_s: of(self.seen(owner, unix_s)))

    def narrowed(self, spans: Spans, constraints: Sequence[Constraint]) -> Spans:
        """The parts of `spans`, which are for every target, in which all `constraints` of targets hold."""
        spans = self._where_it_may_rise(spans, constraints)
        own = [constraint for constraint in constraints if constraint.scope is not Scope.SITE]
        if not own:
            return admitted(spans, self.margin(lambda seen: seen.exists), self.orbit_step_s)
        for constraint in sorted(own, key=lambda constraint: constraint.scope):
            step_s = self.sky_step_s if constraint.scope is Scope.SKY else self.orbit_step_s
            corners = self._corners(constraint) if isinstance(constraint, AboveHorizon) else None
            spans = admitted(spans, self.margin(constraint.margin), step_s, corners)
        return spans

    def _where_it_may_rise(self, spans: Spans, constraints: Sequence[Constraint]) -> Spans:
        floor_deg = lowest_altitude_deg(constraints)
        if floor_deg is None or self.may_be_above is None:
            return spans.for_owners(len(self.orbit_step_s))
        return self.may_be_above(floor_deg).cut_by(spans)

    def _corners(self, horizon: AboveHorizon) -> Corners:
        """Adds the instants at which a target passes the corners of the mask: a pole or a tree may be narrow."""
        corners_deg = np.array([azimuth_deg for azimuth_deg, _ in horizon.mask.points])
        azimuth_deg = self.margin(lambda seen: seen.azimuth_deg)

        def with_corners(spans: Spans, samples: Samples) -> Samples:
            azimuth = azimuth_deg(spans.owner[samples.span], samples.unix_s)
            turned = (np.diff(azimuth) + 180.0) % 360.0 - 180.0
            ahead = (corners_deg[:, None] - azimuth[:-1] + 180.0) % 360.0 - 180.0
            part = ahead / np.where(turned == 0.0, np.nan, turned)
            corner, pair = np.nonzero((part > 0.0) & (part < 1.0) & (samples.span[1:] == samples.span[:-1]))
            between_s = samples.unix_s[pair] + part[corner, pair] * np.diff(samples.unix_s)[pair]
            return samples.joined_by(samples.span[pair], between_s)

        return with_corners


def swarm_search(satellites: Sequence[Satellite], orbits: Orbits, ground: Ground) -> Search:
    """A quick search for many satellites, whose indices are those of `orbits`."""
    orbit_step_s, sky_step_s = _steps_s([satellite.elements for satellite in satellites])
    return Search(
        seen=lambda owner, unix_s: Glance(orbits.along(owner, unix_s), unix_s, ground),
        orbit_step_s=orbit_step_s,
        sky_step_s=sky_step_s,
        may_be_above=_scan(orbits, ground),
    )


def satellite_search(satellite: Satellite, site: Site, earth: EarthTables, within: Spans) -> Search:
    """A search for one satellite, exact at every instant; its orbit may end on the way.

    Raises:
        BadElements: SGP4 cannot start from the elements.
    """
    record = propagator_of(satellite.elements)
    failures: dict[int, DecayedOrbit] = {}

    def seen(owner: Owners, unix_s: Floats) -> Seen:
        instants = Instants.of_unix_s(unix_s)
        attitude = earth.attitude_at(instants)
        position, velocity, errors = propagate(record, instants)
        if errors.any() and not failures:
            first = np.flatnonzero(errors)[0]
            failures[0] = no_place(satellite, float(unix_s[first]), int(errors[first]))
        return Sightline(satellite_at(position, velocity, attitude), Observer(site, attitude))

    begins_s, ends_s = float(within.begins_s[0]), float(within.ends_s[-1])
    paces = Paces.of([satellite.elements], ends_s - begins_s)
    orbits = Orbits([record], begins_s, ends_s, pieces=int(paces.pieces[0]), looks=int(paces.looks[0]))
    if orbits.lost:
        orbits = Orbits([record], begins_s, ends_s, pieces=math.ceil((ends_s - begins_s) / _END_STEP_S), looks=1)
        failures[0] = no_place(satellite, *orbits.lost[0])
    orbit_step_s, sky_step_s = _steps_s([satellite.elements])
    return Search(
        seen=seen,
        orbit_step_s=orbit_step_s,
        sky_step_s=sky_step_s,
        may_be_above=_scan(orbits, Ground(site, earth, begins_s, ends_s)),
        failures=failures,
    )


def _scan(orbits: Orbits, ground: Ground) -> Callable[[float], Spans]:
    looks_s = orbits.looks_s()
    site_km, zenith = ground.on_orbit_axes(looks_s)

    def may_be_above(altitude_deg: float) -> Spans:
        owner, first, last = orbits.may_be_above(math.sin(math.radians(altitude_deg)), site_km, zenith)
        return Spans(owner=owner, begins_s=looks_s[first], ends_s=looks_s[last])

    return may_be_above


def _steady_search(body: Callable[[Attitude], Body], step_s: float, site: Site, earth: EarthTables) -> Search:
    """A search for one body that moves no faster than the sky turns."""

    def seen(owner: Owners, unix_s: Floats) -> Seen:
        attitude = earth.attitude_at(Instants.of_unix_s(unix_s))
        return Sightline(body(attitude), Observer(site, attitude))

    steps_s = np.array([step_s])
    return Search(seen=seen, orbit_step_s=steps_s, sky_step_s=steps_s)


def site_spans(spans: Spans, constraints: Sequence[Constraint], site: Site, earth: EarthTables) -> Spans:
    """The parts of `spans` in which those constraints hold that are the same for every target."""
    search = _steady_search(sun_at, _SITE_STEP_S, site, earth)
    for constraint in constraints:
        if constraint.scope is Scope.SITE:
            spans = admitted(spans, search.margin(constraint.margin), search.orbit_step_s)
    return spans


def with_sun_above(spans: Spans, altitude_deg: float, site: Site, earth: EarthTables) -> Spans:
    """The parts of `spans` in which the Sun's centre is at `altitude_deg` or higher."""
    search = _steady_search(sun_at, _SITE_STEP_S, site, earth)
    sine = math.sin(math.radians(altitude_deg))
    return admitted(spans, search.margin(lambda seen: seen.sine_of_altitude - sine), search.orbit_step_s)


def lowest_altitude_deg(constraints: Sequence[Constraint]) -> float | None:
    """Below it a target is not admitted whatever its azimuth; None: it may be anywhere."""
    floors_deg = [one.altitude_deg for one in constraints if isinstance(one, MinAltitude)]
    floors_deg += [one.lowest_deg for one in constraints if isinstance(one, AboveHorizon)]
    return max(floors_deg, default=None)


def search_for(target: Target, site: Site, ephemeris: Ephemeris, within: Spans) -> Search:
    """A search for one target, of index 0, anywhere in `within`.

    Raises:
        BadElements: SGP4 cannot start from the elements.
    """
    if isinstance(target, Star):
        star = target
        return _steady_search(lambda attitude: star_at(star, attitude), _STAR_STEP_S, site, ephemeris.earth)
    return satellite_search(target, site, ephemeris.earth, within)


def span_between(opens: datetime, closes: datetime) -> Spans:
    """One stretch of time.

    Raises:
        ValueError: `closes` is not after `opens`.
    """
    if not opens < closes:
        raise ValueError(f"closes {closes} is not after opens {opens}")
    return Spans.whole(unix_s_of(opens), unix_s_of(closes))


def _steps_s(orbits: Sequence[ElementSet]) -> tuple[Floats, Floats]:
    """How far apart samples of each may lie, along the orbit and across the sky."""
    wanted_s = _ORBIT_STEP_RAD / perigee_motions_rad_s(orbits)
    orbit_step_s = _ORBIT_STEPS_S[np.maximum(np.searchsorted(_ORBIT_STEPS_S, wanted_s, side="right") - 1, 0)]
    # Seen from the ground it moves quicker by the ratio of the distances; down to 130 km, where nothing stays up.
    height_km = np.maximum([perigee_height_km(elements) for elements in orbits], 130.0)
    return orbit_step_s, np.maximum(1.0, orbit_step_s * height_km / (height_km + EARTH_RADIUS_KM))


def _in_pieces(margin: Margin) -> Margin:
    def pieced(owner: Owners, unix_s: Floats) -> Floats:
        if len(owner) <= _PIECE:
            return margin(owner, unix_s)
        starts = range(0, len(owner), _PIECE)
        return np.concatenate([margin(owner[at : at + _PIECE], unix_s[at : at + _PIECE]) for at in starts])

    return pieced
