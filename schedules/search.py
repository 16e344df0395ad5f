"""When constraints hold for targets over a site: coarsely for the whole sky, exactly for what may rise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from schedules.constraints import AboveHorizon, Constraint, MinAltitude, Scope
from schedules.element_checks import perigee_height_km
from schedules.ephemeris import Ephemeris
from schedules.instants import DAY_S, Floats, Instants, unix_s_of
from schedules.orientation import Attitude, EarthTables
from schedules.propagation import Swarm
from schedules.sightlines import EARTH_RADIUS_KM, Body, Observer, Sightline, turned_about_pole
from schedules.site import Site
from schedules.spans import Corners, Margin, Owners, Samples, Spans, admitted, sampled
from schedules.sun_moon import satellite_at, star_at, sun_at
from schedules.targets import ElementSet, Star, Target

Bodies = Callable[[Owners, Instants, Attitude], Body]

# Samples lie this far apart on the orbit where it is quickest; then a margin's parabola is off by kilometres only.
_ORBIT_STEP_RAD = 0.07
_ORBIT_STEPS_S = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_SITE_STEP_S = 600.0
_STAR_STEP_S = 300.0
# What the coarse search forgives: light time, aberration, the bend of the Earth's turning between samples.
_SLACK_KM = 10.0
_FAR_KM = 1e9
_PIECE = 50_000  # sightlines worked on at a time: they fit into the processor's cache
_CHUNK = 250_000  # positions of the coarse search held at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Targets over a site, told apart by their index, and how densely each must be sampled.

    `orbit_step_s` for margins as smooth as the orbit, `sky_step_s` for those that follow the target across the sky.
    """

    bodies: Bodies
    swarm: Swarm
    orbit_step_s: Floats
    sky_step_s: Floats
    site: Site
    earth: EarthTables

    def sightline(self, owner: Owners, unix_s: Floats) -> Sightline:
        """Each owner at its instant."""
        instants = Instants.of_unix_s(unix_s)
        attitude = self.earth.attitude_at(instants)
        return Sightline(self.bodies(owner, instants, attitude), Observer(self.site, attitude))

    def margin(self, of: Callable[[Sightline], Floats]) -> Margin:
        """A quantity of sightlines as a function of owner and time."""
        return _in_pieces(lambda owner, unix_s: of(self.sightline(owner, unix_s)))

    def narrowed(self, spans: Spans, constraints: Sequence[Constraint]) -> Spans:
        """The parts of `spans` in which all `constraints` of targets hold, the cheap ones asked first."""
        spans = self._where_it_may_rise(spans, constraints)
        own = [constraint for constraint in constraints if constraint.scope is not Scope.SITE]
        if not own:
            return admitted(spans, self.margin(lambda sightline: sightline.exists), self.orbit_step_s)
        for constraint in sorted(own, key=lambda constraint: constraint.scope):
            step_s = self.orbit_step_s if constraint.scope is Scope.ORBIT else self.sky_step_s
            corners = self._corners(constraint) if isinstance(constraint, AboveHorizon) else None
            spans = admitted(spans, self.margin(constraint.margin), step_s, corners)
        return spans

    def _where_it_may_rise(self, spans: Spans, constraints: Sequence[Constraint]) -> Spans:
        floors_deg = [one.altitude_deg for one in constraints if isinstance(one, MinAltitude)]
        floors_deg += [one.lowest_deg for one in constraints if isinstance(one, AboveHorizon)]
        if not floors_deg or not self.swarm.satellites:
            return spans.for_owners(len(self.orbit_step_s))
        found: list[tuple[int, float, float]] = []
        for begins_s, ends_s in zip(spans.begins_s, spans.ends_s, strict=True):
            for step_s in np.unique(self.orbit_step_s):
                owners = np.flatnonzero(self.orbit_step_s == step_s)
                grid = sampled(Spans.whole(float(begins_s), float(ends_s)), np.array([step_s]))
                found += self._risen(owners, grid.unix_s, max(floors_deg))
        return _spans_from(found)

    def _risen(self, owners: Owners, unix_s: Floats, floor_deg: float) -> list[tuple[int, float, float]]:
        """Where each of `owners` may be above `floor_deg`, to the nearest sample outward: (owner, begins, ends)."""
        instants = Instants.of_unix_s(unix_s)
        attitude = self.earth.attitude_at(instants)
        observer = Observer(self.site, attitude)
        zenith = turned_about_pole(observer.zenith, -attitude.teme_to_date_rad)
        ground = turned_about_pole(observer.position_km, -attitude.teme_to_date_rad)
        found = []
        size = max(1, _CHUNK // len(unix_s))
        for chunk in (owners[start : start + size].tolist() for start in range(0, len(owners), size)):
            away = self.swarm.positions_of_all(chunk, instants) - ground.T
            up = np.einsum("kni,in->kn", away, zenith)
            margin = up - math.sin(math.radians(floor_deg)) * np.sqrt(np.einsum("kni,kni->kn", away, away))
            for row in np.flatnonzero((candidates := _may_be_positive(margin)).any(axis=1)):
                edges = np.diff(np.concatenate([[False], candidates[row], [False]]).astype(np.int8))
                begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
                found += [(chunk[row], unix_s[one], unix_s[other]) for one, other in zip(begins, ends, strict=True)]
        return found

    def _corners(self, horizon: AboveHorizon) -> Corners:
        """Adds the instants at which a target passes the corners of the mask: a pole or a tree may be narrow."""
        corners_deg = np.array([azimuth_deg for azimuth_deg, _ in horizon.mask.points])
        azimuth_deg = self.margin(lambda sightline: sightline.azimuth_deg)

        def with_corners(spans: Spans, samples: Samples) -> Samples:
            azimuth = azimuth_deg(spans.owner[samples.span], samples.unix_s)
            turned = (np.diff(azimuth) + 180.0) % 360.0 - 180.0
            ahead = (corners_deg[:, None] - azimuth[:-1] + 180.0) % 360.0 - 180.0
            part = ahead / np.where(turned == 0.0, np.nan, turned)
            corner, pair = np.nonzero((part > 0.0) & (part < 1.0) & (samples.span[1:] == samples.span[:-1]))
            between_s = samples.unix_s[pair] + part[corner, pair] * np.diff(samples.unix_s)[pair]
            return samples.joined_by(samples.span[pair], between_s)

        return with_corners


def satellites_search(swarm: Swarm, site: Site, earth: EarthTables) -> Search:
    """A search for satellites."""

    def bodies(owner: Owners, instants: Instants, attitude: Attitude) -> Body:
        return satellite_at(*swarm.positions(owner, instants), attitude)

    steps = np.array([_steps_s(satellite.elements) for satellite in swarm.satellites]).reshape(-1, 2)
    return Search(bodies=bodies, swarm=swarm, orbit_step_s=steps[:, 0], sky_step_s=steps[:, 1], site=site, earth=earth)


def star_search(star: Star, site: Site, earth: EarthTables) -> Search:
    """A search for one star."""
    step_s = np.array([_STAR_STEP_S])
    return Search(
        bodies=lambda owner, instants, attitude: star_at(star, attitude),
        swarm=Swarm([]),
        orbit_step_s=step_s,
        sky_step_s=step_s,
        site=site,
        earth=earth,
    )


def site_spans(spans: Spans, constraints: Sequence[Constraint], site: Site, earth: EarthTables) -> Spans:
    """The parts of `spans` in which those constraints hold that are the same for every target."""

    def sun(owner: Owners, instants: Instants, attitude: Attitude) -> Body:
        return sun_at(attitude)

    step_s = np.array([_SITE_STEP_S])
    search = Search(bodies=sun, swarm=Swarm([]), orbit_step_s=step_s, sky_step_s=step_s, site=site, earth=earth)
    for constraint in constraints:
        if constraint.scope is Scope.SITE:
            spans = admitted(spans, search.margin(constraint.margin), step_s)
    return spans


def search_for(target: Target, site: Site, ephemeris: Ephemeris) -> Search:
    """A search for one target, of index 0.

    Raises:
        BadElements: SGP4 cannot start from the elements.
    """
    if isinstance(target, Star):
        return star_search(target, site, ephemeris.earth)
    return satellites_search(Swarm([target]), site, ephemeris.earth)


def span_between(opens: datetime, closes: datetime) -> Spans:
    """One stretch of time.

    Raises:
        ValueError: `closes` is not after `opens`.
    """
    if not opens < closes:
        raise ValueError(f"closes {closes} is not after opens {opens}")
    return Spans.whole(unix_s_of(opens), unix_s_of(closes))


def _steps_s(elements: ElementSet) -> tuple[float, float]:
    """How far apart samples may lie, along the orbit and across the sky."""
    motion_rad_s = elements.mean_motion_rev_per_day * 2.0 * math.pi / DAY_S
    eccentricity = elements.eccentricity
    at_perigee_rad_s = motion_rad_s * (1.0 + eccentricity) ** 2 / (1.0 - eccentricity**2) ** 1.5
    wanted_s = _ORBIT_STEP_RAD / at_perigee_rad_s
    orbit_step_s = max((step_s for step_s in _ORBIT_STEPS_S if step_s <= wanted_s), default=_ORBIT_STEPS_S[0])
    # Seen from the ground it moves quicker by the ratio of the distances; down to 130 km, where nothing stays up.
    height_km = max(perigee_height_km(elements), 130.0)
    return orbit_step_s, max(1.0, orbit_step_s * height_km / (height_km + EARTH_RADIUS_KM))


def _may_be_positive(margin: Floats) -> NDArray[np.bool_]:
    """The samples, shape (satellites, instants), near which the margin may be positive, and the neighbours of each."""
    margin = np.where(np.isnan(margin), -_FAR_KM, margin)
    fenced = np.pad(margin, ((0, 0), (1, 1)), constant_values=-_FAR_KM)
    is_peak = (margin >= fenced[:, :-2]) & (margin >= fenced[:, 2:])
    bend = np.pad(np.abs(np.diff(margin, 2, axis=1)), ((0, 0), (2, 2)), mode="edge")
    bend = np.maximum(np.maximum(bend[:, :-2], bend[:, 2:]), bend[:, 1:-1])
    near = (margin >= 0.0) | (is_peak & (margin + bend + _SLACK_KM >= 0.0))
    near = np.pad(near, ((0, 0), (1, 1)))
    return np.asarray(near[:, :-2] | near[:, 1:-1] | near[:, 2:])


def _spans_from(found: list[tuple[int, float, float]]) -> Spans:
    found = sorted(found)
    return Spans(
        owner=np.array([owner for owner, _, _ in found], np.intp),
        begins_s=np.array([begins_s for _, begins_s, _ in found], np.float64),
        ends_s=np.array([ends_s for _, _, ends_s in found], np.float64),
    )


def _in_pieces(margin: Margin) -> Margin:
    def pieced(owner: Owners, unix_s: Floats) -> Floats:
        if len(owner) <= _PIECE:
            return margin(owner, unix_s)
        starts = range(0, len(owner), _PIECE)
        return np.concatenate([margin(owner[at : at + _PIECE], unix_s[at : at + _PIECE]) for at in starts])

    return pieced
