"""How the Earth stands and moves at an instant: ERFA's models, with UT1 and polar motion from the IERS.

This shares nothing with the bridge's own way (skyfield), so that each can be held against the other.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import erfa
import numpy as np
from astropy_iers_data import IERS_A_FILE

from simulators.sky.vectors import Floats, Vectors, turned_about_pole

AU_KM = 149_597_870.7
TURN_RAD_S = 7.292115146706979e-5  # IERS Conventions 2010, 5.15: rate of the Earth rotation angle

_UNIX_JD = 2_440_587.5
_UNIX_MJD = 40_587.0
_DAY_S = 86_400.0
_TT_MINUS_TAI_S = 32.184
_KNOT_S = 3600.0
_UNIX_START = datetime(1970, 1, 1, tzinfo=UTC)


def unix_of(at: datetime) -> float:
    """Seconds since 1970 of an aware instant, good to a microsecond."""
    return (at - _UNIX_START) / timedelta(seconds=1)


def instant_of(unix_s: float) -> datetime:
    """The instant `unix_s` seconds after 1970, UTC."""
    return _UNIX_START + timedelta(seconds=float(unix_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """The Earth at n instants. Matrices have shape (n, 3, 3), vectors (n, 3), angles (n,).

    `date_of_gcrs` gives coordinates on the true equator and equinox of date, `itrs_of_tirs` is polar motion.
    On GCRS axes: the Earth's velocity about the barycentre, and the Sun's geometric place from the Earth's centre.
    """

    unix_s: Floats
    gast_rad: Floats
    gmst82_rad: Floats
    date_of_gcrs: Vectors
    itrs_of_tirs: Vectors
    velocity_km_s: Vectors
    sun_km: Vectors

    @property
    def gcrs_of_teme(self) -> Vectors:
        """Turns what SGP4 gives (its own mean equinox, true equator) to GCRS axes by way of the equator of date."""
        return np.swapaxes(self.date_of_gcrs, -1, -2) @ turned_about_pole(self.gmst82_rad - self.gast_rad)

    @property
    def itrs_of_gcrs(self) -> Vectors:
        """Turns GCRS axes to axes fixed in the ground."""
        return self.itrs_of_tirs @ turned_about_pole(self.gast_rad) @ self.date_of_gcrs


def orientation_at(unix_s: Floats) -> Orientation:
    """The Earth at each of the instants, shape (n,).

    What changes slowly (precession, nutation, polar motion, the orbit) is computed at full hours and drawn linearly
    between them, good to 0.1 mas and to 20 km in the Sun's place; the turning itself is computed for each instant.
    """
    hours = np.floor(unix_s / _KNOT_S)
    share = (unix_s / _KNOT_S - hours)[:, None]
    knots, where = np.unique(hours, return_inverse=True)
    before = np.stack([_slow_at(int(hour)) for hour in knots])[where]
    after = np.stack([_slow_at(int(hour) + 1) for hour in knots])[where]
    slow = before * (1.0 - share) + after * share
    ut1_s = unix_s + tai_minus_utc_s(unix_s) + slow[:, 25]
    day = np.floor(unix_s / _DAY_S)
    whole_jd, part = _UNIX_JD + day, (ut1_s - day * _DAY_S) / _DAY_S
    return Orientation(
        unix_s=unix_s,
        gast_rad=erfa.era00(whole_jd, part) - slow[:, 24],
        gmst82_rad=erfa.gmst82(whole_jd, part),
        date_of_gcrs=slow[:, 0:9].reshape(-1, 3, 3),
        itrs_of_tirs=slow[:, 9:18].reshape(-1, 3, 3),
        velocity_km_s=slow[:, 18:21],
        sun_km=slow[:, 21:24],
    )


@lru_cache(maxsize=4096)
def _slow_at(hour: int) -> Floats:
    """Precession-nutation (9), polar motion (9), velocity (3), Sun (3), equation of the origins, UT1 − TAI."""
    unix_s = np.array(hour * _KNOT_S)
    leap_s = float(tai_minus_utc_s(unix_s))
    tt = (float(unix_s) + leap_s + _TT_MINUS_TAI_S) / _DAY_S
    ut1_minus_tai_s, x_rad, y_rad = (
        float(np.interp(unix_s, _orientation_table()[0], row)) for row in _orientation_table()[1:]
    )
    matrix = erfa.pnm06a(_UNIX_JD, tt)
    x, y = erfa.bpn2xy(matrix)
    origins_rad = erfa.eors(matrix, erfa.s06(_UNIX_JD, tt, x, y))
    polar = erfa.pom00(x_rad, y_rad, erfa.sp00(_UNIX_JD, tt))
    heliocentric, barycentric = erfa.epv00(_UNIX_JD, tt)
    velocity_km_s = barycentric["v"] * AU_KM / _DAY_S
    return np.concatenate(
        [matrix.ravel(), polar.ravel(), velocity_km_s, -heliocentric["p"] * AU_KM, [origins_rad, ut1_minus_tai_s]]
    )


def tai_minus_utc_s(unix_s: Floats) -> Floats:
    """The leap seconds in force at each instant (1972 and later)."""
    starts_s, steps_s = _leap_table()
    return steps_s[np.maximum(np.searchsorted(starts_s, unix_s, side="right") - 1, 0)]


@lru_cache(maxsize=1)
def _leap_table() -> tuple[Floats, Floats]:
    table = erfa.leap_seconds.get()
    table = table[table["year"] >= 1972]
    starts_s = [unix_of(datetime(int(row["year"]), int(row["month"]), 1, tzinfo=UTC)) for row in table]
    return np.array(starts_s), np.array(table["tai_utc"], dtype=np.float64)


@lru_cache(maxsize=1)
def _orientation_table() -> tuple[Floats, Floats, Floats, Floats]:
    """Instants (Unix s), UT1 − TAI (s), polar motion x and y (rad) of IERS Bulletin A, measured and then predicted.

    Columns as in the bulletin's own readme. Before its first and after its last day the nearest value holds:
    a year past the end that may be wrong by 0.2 s, which is the same sky turned by 3″.
    """
    rows = [
        (float(line[7:15]), float(line[58:68]), float(line[18:27]), float(line[37:46]))
        for line in Path(IERS_A_FILE).read_text(encoding="ascii").splitlines()
        if line[58:68].strip() and line[18:27].strip()
    ]
    mjd, ut1_minus_utc_s, x_arcsec, y_arcsec = np.array(rows).T
    unix_s = (mjd - _UNIX_MJD) * _DAY_S
    to_rad = np.radians(1.0 / 3600.0)
    return unix_s, ut1_minus_utc_s - tai_minus_utc_s(unix_s), x_arcsec * to_rad, y_arcsec * to_rad
