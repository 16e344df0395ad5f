"""Where a satellite is by its element set: SGP4, always with the WGS72 constants the sets were fitted with."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sgp4.api import SGP4_ERRORS, WGS72, Satrec, SatrecArray

from schedules.errors import BadElements, DecayedOrbit
from schedules.instants import DAY_S, UNIX_EPOCH_JD, Floats, Instants, datetime_of
from schedules.targets import ElementSet, Satellite

_SGP4_EPOCH = datetime(1949, 12, 31, tzinfo=UTC)
_MINUTES_PER_DAY = 1440.0
# SGP4 is written for catalogue numbers of five digits and does nothing with them: ours never go through it.
_NO_NUMBER = 0
_NOT_FINITE = np.uint8(255)
# SGP4 divides by the sine of the inclination of slow orbits, and minds only an inclination of 0. Nothing published is
# finer than this, which moves no satellite by a micrometre.
_LEAST_INCLINATION_DEG = 1e-9


def propagator_of(elements: ElementSet) -> Satrec:
    """SGP4 made ready for one element set.

    Raises:
        BadElements: SGP4 cannot start from these elements.
    """
    inclination_deg = elements.inclination_deg if elements.inclination_deg >= _LEAST_INCLINATION_DEG else 0.0
    radians_per_minute = 2.0 * math.pi / _MINUTES_PER_DAY
    record = Satrec()
    record.sgp4init(
        WGS72,
        "i",
        _NO_NUMBER,
        (elements.epoch - _SGP4_EPOCH).total_seconds() / DAY_S,
        elements.bstar_per_earth_radius,
        elements.mean_motion_dot * radians_per_minute / _MINUTES_PER_DAY,
        elements.mean_motion_ddot * radians_per_minute / _MINUTES_PER_DAY**2,
        elements.eccentricity,
        math.radians(elements.argument_of_perigee_deg),
        math.radians(inclination_deg),
        math.radians(elements.mean_anomaly_deg),
        elements.mean_motion_rev_per_day * radians_per_minute,
        math.radians(elements.raan_deg),
    )
    # 6 means that the orbit is in the ground at its epoch: that is said when a place is asked.
    if record.error not in (0, 6):
        raise BadElements(f"{title_of(elements)}: SGP4 cannot start: {SGP4_ERRORS[record.error]}")
    return record


def propagate(record: Satrec, instants: Instants) -> tuple[Floats, Floats, NDArray[np.uint8]]:
    """Position (km) and velocity (km/s), both of shape (3, n), on SGP4's own axes (TEME), and SGP4's error codes.

    Where the code is not 0, or the numbers are not finite, both vectors are NaN and the code is not 0.
    """
    errors, position, velocity = record.sgp4_array(UNIX_EPOCH_JD + instants.days, instants.seconds / DAY_S)
    lost = (errors != 0) | ~np.isfinite(position).all(axis=1) | ~np.isfinite(velocity).all(axis=1)
    if lost.any():
        position[lost] = np.nan
        velocity[lost] = np.nan
        errors = np.where(lost & (errors == 0), _NOT_FINITE, errors)
    return position.T, velocity.T, errors


class Swarm:
    """Many satellites, each called by its index; remembers which ones SGP4 gave no place for, and since when.

    Raises:
        BadElements: SGP4 cannot start from one of the sets.
    """

    def __init__(self, satellites: Sequence[Satellite]) -> None:
        self.satellites = tuple(satellites)
        self.failures: dict[int, DecayedOrbit] = {}
        self._records = [propagator_of(satellite.elements) for satellite in satellites]

    def positions(self, indices: NDArray[np.intp], instants: Instants) -> tuple[Floats, Floats]:
        """Position and velocity (TEME, shape (3, n)) of a satellite each, at an instant each; NaN where there is none.

        Equal indices should stand together: each run of them is one call of SGP4.
        """
        position, velocity = np.empty((2, 3, len(indices)))
        changes = (np.flatnonzero(np.diff(indices)) + 1).tolist()
        for start, stop in pairwise([0, *changes, len(indices)]):
            index, run = int(indices[start]), slice(start, stop)
            then = Instants(days=instants.days[run], seconds=instants.seconds[run])
            position[:, run], velocity[:, run], errors = propagate(self._records[index], then)
            self._note(index, errors, then)
        return position, velocity

    def positions_of_all(self, indices: Sequence[int], instants: Instants) -> Floats:
        """Positions (TEME) of several satellites at the same instants: shape (satellites, instants, 3)."""
        records = SatrecArray([self._records[index] for index in indices])
        errors, position, _ = records.sgp4(UNIX_EPOCH_JD + instants.days, instants.seconds / DAY_S)
        lost = (errors != 0) | ~np.isfinite(position).all(axis=2)
        if lost.any():
            position[lost] = np.nan
            for row in np.flatnonzero(lost.any(axis=1)).tolist():
                self._note(indices[row], np.where(lost[row] & (errors[row] == 0), _NOT_FINITE, errors[row]), instants)
        return np.asarray(position)

    def _note(self, index: int, errors: NDArray[np.uint8], instants: Instants) -> None:
        if index not in self.failures and errors.any():
            self.failures[index] = _decayed(self.satellites[index], instants, errors)


def require_places(satellite: Satellite, instants: Instants, errors: NDArray[np.uint8]) -> None:
    """Raise for the first instant at which SGP4 gave no place.

    Raises:
        DecayedOrbit: there is one.
    """
    if errors.any():
        raise _decayed(satellite, instants, errors)


def _decayed(satellite: Satellite, instants: Instants, errors: NDArray[np.uint8]) -> DecayedOrbit:
    first = np.flatnonzero(errors)[0]
    at = datetime_of(float(instants.unix_s[first]))
    reason = SGP4_ERRORS.get(int(errors[first]), "no finite place")
    return DecayedOrbit(f"{title_of(satellite.elements)}: SGP4 gives no place at {at:%Y-%m-%dT%H:%M:%SZ}: {reason}")


def title_of(elements: ElementSet) -> str:
    """How messages name an element set."""
    return f"{elements.name} ({elements.norad_id}, {elements.source})"
