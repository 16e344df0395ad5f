"""What INDI's CCD simulator is to draw for one light frame, and what that frame then truly shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.indi.path import MountPath
from simulators.indi.sensor import Sensor
from simulators.physics.album import Truth
from simulators.sky.earth import Ground
from simulators.sky.render import Look, Sky
from simulators.sky.rotation import unix_of
from simulators.sky.satellites import Swarm
from simulators.sky.stars import StarCatalogue
from simulators.sky.vectors import Floats, Vectors, angles_of, unit_of

_MOST_POINTS = 400  # of one satellite's path
_NODES = 9  # instants at which a satellite's place is computed; between them it moves evenly
_MOST_STARS = 3000
_TRAIL_POINTS = 24  # of each star, where the mount moves
_TRAILED_STARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A light frame at the moment the driver draws it; directions are ICRS unit vectors.

    `sight` is where the telescope looks and `drift_per_s` how that is about to change. `drawn_at` is where the driver
    believes it looks: its own way from the equinox of date to the stars is some arcseconds off.
    """

    number: int
    started_at: datetime
    exposure_s: float
    sight: Vectors
    drift_per_s: Vectors
    drawn_at: Vectors

    @property
    def mid_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.exposure_s / 2.0)

    @property
    def ends_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.exposure_s)

    def sight_after(self, seconds: Floats) -> Vectors:
        """Where the telescope will look so much later if it goes on as it goes, shape (n, 3)."""
        ahead = self.sight + np.asarray(seconds)[..., None] * self.drift_per_s
        return np.asarray(ahead / np.linalg.norm(ahead, axis=-1, keepdims=True), dtype=np.float64)


class Points(NamedTuple):
    """Points of light as arrays of one length: ICRS degrees and magnitudes."""

    ra_deg: Floats
    dec_deg: Floats
    magnitude: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Everything there is to be seen from a place, and the camera that looks at it."""

    stars: StarCatalogue
    swarm: Swarm
    ground: Ground
    sensor: Sensor

    def points_of(self, shot: Shot, radius_deg: float, faintest: float) -> Points:
        """Stars and satellites around the sight, as the driver has to place them on a frame that stands still.

        What moves over the frame becomes a row of points, together as bright as it is.
        """
        rows = [self._star_points(shot, radius_deg, faintest), *self._satellite_points(shot, radius_deg)]
        return Points(*(np.concatenate(columns) for columns in zip(*rows, strict=True)))

    def truth_of(self, shot: Shot, path: MountPath) -> Truth:
        """What the frame shows, by the way the mount really went on. Ask when the exposure is over."""
        turned = _unit_at(path, shot.mid_at) - _unit_at(path, shot.started_at)
        sight = shot.sight + turned
        ra_deg, dec_deg = (float(angle) for angle in angles_of(sight))
        sensor = self.sensor
        look = Look(
            started_at=shot.started_at,
            exposure_s=shot.exposure_s,
            boresight=lambda _: (ra_deg, dec_deg),
            rotation_deg=0.0,
            width_px=sensor.width_px,
            height_px=sensor.height_px,
            binning=1,
            pixel_scale_arcsec=sensor.scale_arcsec,
            fwhm_arcsec=sensor.seeing_arcsec,
            transmission=1.0,
            sky_mag_arcsec2=21.0,
            aperture_m=sensor.aperture_mm / 1000.0,
            electrons_per_adu=1.0,
            read_noise_e=3.0,
            bias_adu=0.0,
            full_well_e=65_000.0,
        )
        return Truth(
            number=shot.number,
            started_at=shot.started_at,
            exposure_s=shot.exposure_s,
            mid_at=shot.mid_at,
            true_icrs_ra_deg=ra_deg,
            true_icrs_dec_deg=dec_deg,
            width_px=sensor.width_px,
            height_px=sensor.height_px,
            pixel_scale_arcsec=sensor.scale_arcsec,
            norad_ids_in_field=tuple(Sky(self.stars, self.swarm, self.ground, 0).targets_in(look)),
        )

    def _star_points(self, shot: Shot, radius_deg: float, faintest: float) -> Points:
        ra_deg, dec_deg = angles_of(shot.sight)
        near = self.stars.within(float(ra_deg), float(dec_deg), radius_deg, faintest=faintest)
        trail_px = (
            float(np.linalg.norm(shot.drift_per_s)) * shot.exposure_s / np.radians(self.sensor.scale_arcsec / 3600.0)
        )
        points, most = (1, _MOST_STARS) if trail_px < 0.5 else (_TRAIL_POINTS, _TRAILED_STARS)
        brightest = np.argsort(near.magnitude, kind="stable")[:most]
        at_s = (np.arange(points) + 0.5) / points * shot.exposure_s
        units = unit_of(near.ra_deg[brightest], near.dec_deg[brightest])[:, None, :]
        ra_deg, dec_deg = angles_of(_as_if_still(units, shot.drawn_at, shot.sight_after(at_s)).reshape(-1, 3))
        return Points(ra_deg, dec_deg, np.repeat(near.magnitude[brightest] + 2.5 * np.log10(points), points))

    def _satellite_points(self, shot: Shot, radius_deg: float) -> list[Points]:
        """A row of points for each that is lit and comes by, about a pixel apart."""
        near = self._coming_by(shot, radius_deg)
        nodes_s = np.linspace(0.0, shot.exposure_s, _NODES)
        along = self.swarm.astrometric(near, self.ground, unix_of(shot.started_at) + nodes_s)
        shown = _as_if_still(along.units, shot.drawn_at, shot.sight_after(nodes_s))
        lit = np.where(along.altitude_deg > 0.0, along.magnitude, np.inf)
        rows = []
        for units, magnitudes in zip(shown, lit, strict=True):
            path_deg = float(np.degrees(np.sum(np.linalg.norm(np.diff(units, axis=0), axis=-1))))
            count = int(np.clip(np.ceil(path_deg * 3600.0 / self.sensor.scale_arcsec), 1, _MOST_POINTS))
            at_s = (np.arange(count) + 0.5) / count * shot.exposure_s
            places = np.stack([np.interp(at_s, nodes_s, axis) for axis in units.T], -1)
            light = np.interp(at_s, nodes_s, 10.0 ** (-0.4 * magnitudes)) / count
            seen = (light > 0.0) & (places @ shot.drawn_at > np.cos(np.radians(radius_deg)))
            ra_deg, dec_deg = angles_of(places[seen])
            rows.append(Points(ra_deg, dec_deg, -2.5 * np.log10(light[seen])))
        return rows

    def _coming_by(self, shot: Shot, radius_deg: float) -> NDArray[np.intp]:
        """Those that may be within the radius at some moment of the exposure.

        Twice the speed of the middle is allowed, for one that comes near only at the end.
        """
        mid_s = unix_of(shot.mid_at)
        maybe = self.swarm.maybe_near(self.ground, shot.sight, radius_deg, mid_s, for_s=shot.exposure_s)
        seen = self.swarm.astrometric(maybe, self.ground, shot.mid_at)
        apart_deg = np.degrees(np.arccos(np.clip(seen.units @ shot.sight, -1.0, 1.0)))
        drift_deg_s = float(np.degrees(np.linalg.norm(shot.drift_per_s)))
        reach_deg = radius_deg + 2.0 * (seen.rate_deg_s + drift_deg_s) * shot.exposure_s / 2.0
        return np.asarray(maybe[apart_deg < reach_deg], dtype=np.intp)


def _as_if_still(units: Vectors, sight: Vectors, sights: Vectors) -> Vectors:
    """Where directions, seen along `sights`, would have to be to fall on the same pixels seen along `sight`.

    The turn is that of the frame's own axes, north up.
    """
    axes, still = _axes(sights), _axes(sight)
    return np.asarray(np.einsum("...k,kj->...j", np.einsum("...j,...kj->...k", units, axes), still), dtype=np.float64)


def _axes(sight: Vectors) -> Vectors:
    """East, north and the sight itself as rows, shape (…, 3, 3)."""
    x, y, z = sight[..., 0], sight[..., 1], sight[..., 2]
    ra_rad, across = np.arctan2(y, x), np.hypot(x, y)
    east = np.stack([-np.sin(ra_rad), np.cos(ra_rad), np.zeros_like(z)], -1)
    north = np.stack([-z * np.cos(ra_rad), -z * np.sin(ra_rad), across], -1)
    return np.stack([east, north, sight], -2)


def _unit_at(path: MountPath, at: datetime) -> Vectors:
    return unit_of(*path.true_icrs(at))
