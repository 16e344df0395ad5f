"""The satellites of the simulated sky: SGP4 for where they are, ERFA for how that looks among the stars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sgp4.api import WGS72, Satrec, SatrecArray

from simulators.sky.brightness import magnitudes_at, standard_magnitudes
from simulators.sky.earth import Ground, observer_of
from simulators.sky.elements import Elements, read_elements
from simulators.sky.passes import Pass, find_passes
from simulators.sky.planes import VALID_S, Planes, planes_of
from simulators.sky.rotation import Orientation, orientation_at, unix_of
from simulators.sky.synthetic import made_up
from simulators.sky.vectors import LIGHT_KM_S, Floats, Vectors, aberrated, angles_of, applied

EARTH_RADIUS_KM = 6378.1366  # IERS; the sphere whose shadow makes a satellite dark

_UNIX_JD = 2_440_587.5
_DAY_S = 86_400.0
_SGP4_START = datetime(1949, 12, 31, tzinfo=UTC)

Which = int | NDArray[np.intp] | None
When = datetime | Sequence[datetime] | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Satellites as an observer sees them; arrays whose shape `Swarm.astrometric` describes.

    `units` are unit vectors (…, 3) of the ICRS directions: catalogue coordinates of the stars each is seen among, with
    light time and without aberration. Altitude and azimuth are of the apparent place, unrefracted. `rate_deg_s` is
    the speed among the stars. A satellite whose orbit has ended is NaN throughout, not sunlit, and infinitely faint.
    """

    units: Vectors
    ra_deg: Floats
    dec_deg: Floats
    range_km: Floats
    rate_deg_s: Floats
    altitude_deg: Floats
    azimuth_deg: Floats
    sunlit: NDArray[np.bool_]
    magnitude: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """One satellite on the horizon's axes, with its changes a second."""

    azimuth_deg: float
    altitude_deg: float
    range_km: float
    azimuth_rate_deg_s: float
    altitude_rate_deg_s: float
    range_rate_km_s: float


class Swarm:
    """Element sets, in the order given; a satellite is named by its index."""

    def __init__(self, elements: Sequence[Elements]) -> None:
        self.elements = tuple(elements)
        self.names = tuple(one.name for one in self.elements)
        self.norad_ids = tuple(one.norad_id for one in self.elements)
        self.lines = tuple(one.lines for one in self.elements)
        self._records = [_record_of(one) for one in self.elements]
        self._all = SatrecArray(self._records)
        self._standard_magnitudes = standard_magnitudes(
            np.array(self.norad_ids, dtype=np.uint64), np.array([one.mean_motion_rev_per_day for one in self.elements])
        )
        self._planes = lru_cache(maxsize=4)(self._planes_around)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Of a file's text: two-line elements (also with Alpha-5 numbers) or OMM in JSON.

        Raises:
            UnreadableElements: anything in it is not an element set.
        """
        return cls(read_elements(text))

    @classmethod
    def from_synthetic(cls, epoch: datetime, seed: int) -> Self:
        """A few hundred made-up satellites in LEO, MEO, GEO and HEO, with element epochs in the day before `epoch`."""
        return cls(made_up(epoch, seed))

    def __len__(self) -> int:
        return len(self.elements)

    def astrometric(self, which: Which, ground: Ground, at: When) -> Seen:
        """Where `which` (an index, an array of indices, or None for all) are seen from `ground`, once or often.

        Arrays have the axes (satellites, instants); an index or a single instant drops its axis.
        Instants are datetimes, or an array of seconds since 1970.

        The direction is the barycentric astrometric one: stars and satellite share the observer's aberration,
        so what differs from the geometric direction is light time alone: during it the satellite moves, and the
        Earth takes it along on its way about the Sun (20″, the same at every range).
        """
        unix_s = _instants(at)
        places_km, speeds_km_s = self._teme(which, unix_s)
        earth = orientation_at(unix_s)
        seen = _seen(places_km, speeds_km_s, ground, earth, self._standard_magnitudes_of(which))
        keep = (0 if isinstance(which, int) else slice(None), 0 if isinstance(at, datetime) else slice(None))
        return Seen(**{name: getattr(seen, name)[keep] for name in Seen.__slots__})

    def maybe_near(
        self, ground: Ground, sight: Vectors, reach_deg: float, unix_s: float, for_s: float = 0.0
    ) -> NDArray[np.intp]:
        """Indices of all satellites that may be seen within `reach_deg` of an ICRS direction in `for_s` around an
        instant, and of a few of the others: so few that asking each where it is takes next to no time."""
        earth = orientation_at(np.array([unix_s]))
        teme_of_gcrs = np.swapaxes(earth.gcrs_of_teme[0], -1, -2)
        observer_km, _ = observer_of(ground, earth)
        planes = self._planes(round(unix_s / (2.0 * VALID_S)))
        inside = planes.may_cross(teme_of_gcrs @ observer_km[0], teme_of_gcrs @ sight, reach_deg, unix_s, for_s)
        return np.flatnonzero(inside)

    def motion(self, index: int, ground: Ground, at: datetime) -> Motion:
        """One satellite on the horizon's axes at one instant; the rates over the second around it."""
        half = timedelta(seconds=0.5)
        seen = self.astrometric(index, ground, [at - half, at, at + half])
        turned_deg = (seen.azimuth_deg[2] - seen.azimuth_deg[0] + 180.0) % 360.0 - 180.0
        return Motion(
            azimuth_deg=float(seen.azimuth_deg[1]),
            altitude_deg=float(seen.altitude_deg[1]),
            range_km=float(seen.range_km[1]),
            azimuth_rate_deg_s=float(turned_deg),
            altitude_rate_deg_s=float(seen.altitude_deg[2] - seen.altitude_deg[0]),
            range_rate_km_s=float(seen.range_km[2] - seen.range_km[0]),
        )

    def passes(
        self, ground: Ground, opens: datetime, closes: datetime, min_altitude_deg: float, which: Which = None
    ) -> list[Pass]:
        """The passes above an altitude, in order of rise, good to a second; see `passes.find_passes`."""
        chosen = range(len(self)) if which is None else np.atleast_1d(which)
        records = {int(index): self._records[index] for index in chosen}
        return find_passes(records, ground, opens=opens, closes=closes, min_altitude_deg=min_altitude_deg)

    def teme_km(self, index: int, at: When) -> Vectors:
        """Position as SGP4 gives it (true equator, mean equinox), shape (instants, 3); NaN once the orbit has ended."""
        places_km, _ = self._teme(index, _instants(at))
        return np.asarray(places_km[0], dtype=np.float64)

    def _planes_around(self, number: int) -> Planes:
        unix_s = number * 2.0 * VALID_S
        places_km, speeds_km_s = self._teme(None, np.array([unix_s]))
        rates_rad_s, epochs_s, axes_km = self._orbits
        return planes_of(places_km[:, 0], speeds_km_s[:, 0], rates_rad_s, unix_s, (epochs_s, axes_km))

    @cached_property
    def _orbits(self) -> tuple[Floats, Floats, Floats]:
        """How fast the nodes go round (rad/s), the elements' instants (Unix s) and semi-major axes (km)."""
        rates_rad_s = np.array([record.nodedot for record in self._records]) / 60.0
        epochs_s = np.array([unix_of(one.epoch) for one in self.elements])
        axes_km = np.array([record.a * record.radiusearthkm for record in self._records])
        return rates_rad_s, epochs_s, axes_km

    def _teme(self, which: Which, unix_s: Floats) -> tuple[Vectors, Vectors]:
        records = self._all if which is None else SatrecArray([self._records[i] for i in np.atleast_1d(which)])
        days = np.floor(unix_s / _DAY_S)
        _, places_km, speeds_km_s = records.sgp4(_UNIX_JD + days, unix_s / _DAY_S - days)
        return places_km, speeds_km_s

    def _standard_magnitudes_of(self, which: Which) -> Floats:
        return np.atleast_1d(self._standard_magnitudes if which is None else self._standard_magnitudes[which])


def _instants(at: When) -> Floats:
    if isinstance(at, datetime):
        return np.array([unix_of(at)])
    return at if isinstance(at, np.ndarray) else np.array([unix_of(one) for one in at])


def _seen(places_km: Vectors, speeds_km_s: Vectors, ground: Ground, earth: Orientation, standard: Floats) -> Seen:
    gcrs_of_teme = earth.gcrs_of_teme
    geocentric_km, speeds_km_s = applied(gcrs_of_teme, places_km), applied(gcrs_of_teme, speeds_km_s)
    observer_km, observer_km_s = observer_of(ground, earth)
    geometric_km = geocentric_km - observer_km
    barycentric_km_s = speeds_km_s + earth.velocity_km_s
    light_s = _length(geometric_km) / LIGHT_KM_S
    for _ in range(2):  # the second round moves it by 1e-4 of the first
        light_s = _length(geometric_km - barycentric_km_s * light_s[..., None]) / LIGHT_KM_S
    seen_km = geometric_km - barycentric_km_s * light_s[..., None]
    units = seen_km / _length(seen_km)[..., None]
    ra_deg, dec_deg = angles_of(units)
    azimuth_deg, altitude_deg = angles_of(
        applied(ground.horizon_of_itrs @ earth.itrs_of_gcrs, aberrated(units, observer_km_s))
    )
    relative_km_s = barycentric_km_s - observer_km_s
    range_km = _length(geometric_km)
    sunlit = _sunlit(geocentric_km, earth.sun_km)
    return Seen(
        units=units,
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        range_km=range_km,
        rate_deg_s=np.degrees(_length(np.cross(units, relative_km_s)) / range_km),
        altitude_deg=altitude_deg,
        azimuth_deg=azimuth_deg,
        sunlit=sunlit,
        magnitude=np.where(sunlit, magnitudes_at(standard[:, None], geocentric_km, earth.sun_km, geometric_km), np.inf),
    )


def _sunlit(geocentric_km: Vectors, sun_km: Vectors) -> NDArray[np.bool_]:
    """Whether the straight line to the Sun's centre misses the Earth, a sphere; False for NaN."""
    toward = sun_km - geocentric_km
    along_km = np.sum(geocentric_km * toward, -1) / _length(toward)
    beside_km2 = np.sum(geocentric_km * geocentric_km, -1) - along_km * along_km
    return np.asarray((beside_km2 > EARTH_RADIUS_KM**2) | (along_km > 0.0), dtype=np.bool_)


def _length(vectors: Vectors) -> Floats:
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", vectors, vectors)), dtype=np.float64)


def _record_of(one: Elements) -> Satrec:
    record = Satrec()
    rev_per_day_rad_min = 2.0 * np.pi / 1440.0
    record.sgp4init(
        WGS72,
        "i",
        one.norad_id % 100_000,  # a label only; real numbers do not fit its five places
        (one.epoch - _SGP4_START) / timedelta(days=1),
        one.bstar_per_earth_radius,
        one.mean_motion_dot * rev_per_day_rad_min / 1440.0,
        one.mean_motion_ddot * rev_per_day_rad_min / 1440.0**2,
        one.eccentricity,
        np.radians(one.argument_of_perigee_deg),
        np.radians(one.inclination_deg),
        np.radians(one.mean_anomaly_deg),
        one.mean_motion_rev_per_day * rev_per_day_rad_min,
        np.radians(one.raan_deg),
    )
    return record
