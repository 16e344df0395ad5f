"""Where a satellite is by its element set: SGP4, always with the WGS72 constants the sets were fitted with."""

import math
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sgp4.api import SGP4_ERRORS, WGS72, Satrec

from schedules.errors import BadElements, DecayedOrbit
from schedules.instants import DAY_S, UNIX_EPOCH_JD, Floats, Instants, datetime_of
from schedules.targets import ElementSet, Satellite

_SGP4_EPOCH = datetime(1949, 12, 31, tzinfo=UTC)
_MINUTES_PER_DAY = 1440.0
_RAD_PER_MIN = 2.0 * math.pi / _MINUTES_PER_DAY  # a revolution a day
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
    record = Satrec()
    record.sgp4init(
        WGS72,
        "i",
        _NO_NUMBER,
        (elements.epoch - _SGP4_EPOCH).total_seconds() / DAY_S,
        elements.bstar_per_earth_radius,
        elements.mean_motion_dot * _RAD_PER_MIN / _MINUTES_PER_DAY,
        elements.mean_motion_ddot * _RAD_PER_MIN / _MINUTES_PER_DAY**2,
        elements.eccentricity,
        math.radians(elements.argument_of_perigee_deg),
        math.radians(inclination_deg),
        math.radians(elements.mean_anomaly_deg),
        elements.mean_motion_rev_per_day * _RAD_PER_MIN,
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


def require_places(satellite: Satellite, instants: Instants, errors: NDArray[np.uint8]) -> None:
    """Raise for the first instant at which SGP4 gave no place.

    Raises:
        DecayedOrbit: there is one.
    """
    if errors.any():
        first = np.flatnonzero(errors)[0]
        raise no_place(satellite, float(instants.unix_s[first]), int(errors[first]))


def no_place(satellite: Satellite, unix_s: float, error: int) -> DecayedOrbit:
    """What is said of an orbit without a place, by SGP4's code."""
    reason = SGP4_ERRORS.get(error, "no finite place")
    at = datetime_of(unix_s)
    return DecayedOrbit(f"{title_of(satellite.elements)}: SGP4 gives no place at {at:%Y-%m-%dT%H:%M:%SZ}: {reason}")


def title_of(elements: ElementSet) -> str:
    """How messages name an element set."""
    return f"{elements.name} ({elements.norad_id}, {elements.source})"
