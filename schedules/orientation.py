"""How the Earth stands and where it is: UT1, polar motion, precession and nutation, the Sun and the Earth's speed.

Skyfield gives the matrices, ERFA the Earth's path round the Sun; UT1 and polar motion come from the IERS tables in the
package astropy-iers-data, because the table inside skyfield has run out. All of it changes slowly: it is computed for
every full hour of a day and interpolated between, to better than 0.0001″ (the Sun: 0.02″).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import erfa
import numpy as np
from astropy_iers_data import IERS_A_FILE
from numpy.typing import NDArray
from skyfield.constants import AU_KM
from skyfield.data import iers
from skyfield.sgp4lib import theta_GMST1982
from skyfield.timelib import Timescale

from schedules.instants import DAY_S, UNIX_EPOCH_JD, Floats, Instants

_HOURS = 25  # 0 h to 24 h: each day's table meets the next one
_HOUR_S = 3600.0
_MJD_OF_UNIX_EPOCH = 40587


@dataclass(frozen=True, slots=True, kw_only=True)
class EarthOrientation:
    """How far the tables of UT1 and polar motion reach.

    After `last_predicted` UT1 follows the long-term trend and polar motion stays: places go on, slowly worse.
    """

    last_measured: date
    last_predicted: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Attitude:
    """The Earth at n instants. *Date* axes are the true equator and equinox of date, ICRS the fixed ones.

    Vectors have shape (3, n), matrices (3, 3, n).

    `gast_rad`            Greenwich apparent sidereal time
    `teme_to_date_rad`    how far the equinox of SGP4's axes lies from that of date
    `polar_motion`        from the axis of rotation to the Earth's crust (TIRS to ITRS)
    `to_date`             from ICRS to date axes
    `earth_velocity_km_s` of the Earth round the solar system's barycentre, date axes
    `sun_km`, `sun_velocity_km_s`  of the Sun from the Earth's centre, geometric, date axes
    `tt_days`             terrestrial time as days since noon of 2000-01-01 (Julian date 2451545)
    """

    gast_rad: Floats
    teme_to_date_rad: Floats
    polar_motion: Floats
    to_date: Floats
    earth_velocity_km_s: Floats
    sun_km: Floats
    sun_velocity_km_s: Floats
    tt_days: Floats


class EarthTables:
    """The tables, read once, and the hourly values of the days asked for last."""

    def __init__(self, path: Path | None = None) -> None:
        """Reads the tables (finals2000A of the IERS) at `path`, or those installed. Takes about 50 ms.

        Raises:
            OSError: the tables are not there.
            ValueError: the file holds no measured or no predicted day.
        """
        path = Path(IERS_A_FILE) if path is None else path
        self.reach = _reach_of(path)
        self._timescale = _timescale_from(path)
        self._hours_of = lru_cache(maxsize=64)(self._compute_hours)

    def attitude_at(self, instants: Instants) -> Attitude:
        """The Earth at each instant."""
        days, which = np.unique(instants.days, return_inverse=True)
        tables = [self._hours_of(int(day)) for day in days]
        hours = instants.seconds / _HOUR_S
        hour = np.minimum(hours.astype(np.intp), _HOURS - 2)
        row = which * _HOURS + hour
        table = np.concatenate([table.values for table in tables], axis=1)
        before = table[:, row]
        values = before + (hours - hour) * (table[:, row + 1] - before)

        tt_minus_utc_s = np.array([table.tt_minus_utc_s for table in tables])[which]
        ut1_s = instants.seconds + tt_minus_utc_s - values[0]
        gmst_1982, _ = theta_GMST1982(UNIX_EPOCH_JD + instants.days, ut1_s / DAY_S)
        count = len(instants)
        return Attitude(
            gast_rad=(gmst_1982 + values[1]) % (2.0 * np.pi),
            teme_to_date_rad=values[1],
            polar_motion=values[2:11].reshape(3, 3, count),
            to_date=values[11:20].reshape(3, 3, count),
            earth_velocity_km_s=values[20:23],
            sun_km=values[23:26],
            sun_velocity_km_s=values[26:29],
            tt_days=instants.days + (UNIX_EPOCH_JD - 2451545.0) + (instants.seconds + tt_minus_utc_s) / DAY_S,
        )

    def _compute_hours(self, day: int) -> "_Hours":
        """What `attitude_at` interpolates: rows of one quantity each, a column for each hour."""
        # Whole hours are added to the calendar date, so that skyfield sees leap seconds.
        time = self._timescale.utc(1970, 1, 1 + day, np.arange(_HOURS, dtype=np.float64))
        # 0 h of the day, not 24 h, says how many leap seconds the whole day has.
        tt_minus_utc_s = float(time.dut1[0] + time.delta_t[0])
        gmst_1982, _ = theta_GMST1982(time.whole, time.ut1_fraction)
        equinox = np.remainder(time.gast * (np.pi / 12.0) - gmst_1982 + np.pi, 2.0 * np.pi) - np.pi
        to_date = np.asarray(time.M)
        heliocentric, barycentric = erfa.epv00(time.whole, time.tdb_fraction)
        values = np.concatenate(
            [
                [np.asarray(time.delta_t), equinox],
                np.asarray(time.polar_motion_matrix()).reshape(9, _HOURS),
                to_date.reshape(9, _HOURS),
                _turned(to_date, barycentric["v"].T) * (AU_KM / DAY_S),
                _turned(to_date, -heliocentric["p"].T) * AU_KM,
                _turned(to_date, -heliocentric["v"].T) * (AU_KM / DAY_S),
            ]
        )
        return _Hours(values=values, tt_minus_utc_s=tt_minus_utc_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hours:
    values: Floats
    tt_minus_utc_s: float


def _turned(matrix: NDArray[np.float64], vector: Floats) -> Floats:
    return np.asarray(np.einsum("ijn,jn->in", matrix, vector))


def _timescale_from(path: Path) -> Timescale:
    """Skyfield's time scales on these tables."""
    with path.open("rb") as file:
        finals = iers.parse_x_y_dut1_from_finals_all(file)
    daily_tt, daily_delta_t, leap_dates, leap_offsets = iers.build_timescale_arrays(finals["utc_mjd"], finals["dut1"])
    timescale = Timescale((daily_tt, daily_delta_t), leap_dates, leap_offsets)
    iers.install_polar_motion_table(timescale, finals)
    return timescale


def _reach_of(path: Path) -> EarthOrientation:
    """The last days whose UT1 is measured (flag I in column 58) and predicted (P)."""
    last = {"I": 0, "P": 0}
    with path.open(encoding="ascii") as file:
        for line in file:
            if line[57:58] in last:
                last[line[57]] = int(float(line[7:15]))
    if 0 in last.values():
        raise ValueError(f"{path}: no measured or no predicted day of UT1; is it a finals2000A file of the IERS?")
    measured, predicted = (date(1970, 1, 1) + timedelta(days=last[flag] - _MJD_OF_UNIX_EPOCH) for flag in "IP")
    return EarthOrientation(last_measured=measured, last_predicted=predicted)
