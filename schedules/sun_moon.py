"""Bodies from the Earth's centre on the true equator and equinox of date: Sun, Moon, satellites, stars."""

import erfa
import numpy as np
from skyfield.constants import AU_KM

from schedules.instants import DAY_S, Floats
from schedules.orientation import Attitude
from schedules.targets import Star
from schedules.vectors import Body, direction_of, to_date, turned_about_pole

_J2000_JD = 2451545.0
# Far enough for the direction to be the same from everywhere on the Earth's path (a gigaparsec), in km.
_STAR_DISTANCE_KM = 3.1e22


def sun_at(attitude: Attitude) -> Body:
    """The Sun's centre (ERFA `epv00`, 0.3″)."""
    return Body(position_km=attitude.sun_km, velocity_km_s=attitude.sun_velocity_km_s)


def moon_at(attitude: Attitude) -> Body:
    """The Moon's centre (ERFA `moon98`, after Meeus: 10″)."""
    moon = erfa.moon98(_J2000_JD, attitude.tt_days)
    return Body(
        position_km=to_date(attitude, moon["p"].T * AU_KM),
        velocity_km_s=to_date(attitude, moon["v"].T * (AU_KM / DAY_S)),
    )


def satellite_at(position_km: Floats, velocity_km_s: Floats, attitude: Attitude) -> Body:
    """A satellite, from its vectors on SGP4's own axes (TEME): true equator, mean equinox."""
    return Body(
        position_km=turned_about_pole(position_km, attitude.teme_to_date_rad),
        velocity_km_s=turned_about_pole(velocity_km_s, attitude.teme_to_date_rad),
    )


def star_at(star: Star, attitude: Attitude) -> Body:
    """A star: very far, and at rest in the solar system."""
    fixed = np.repeat(direction_of(star.icrs.ra_deg, star.icrs.dec_deg), len(attitude.gast_rad), axis=1)
    return Body(position_km=to_date(attitude, fixed) * _STAR_DISTANCE_KM, velocity_km_s=-attitude.earth_velocity_km_s)
