"""Places against JPL Horizons.

There is no way to Horizons from here: these are its values as astropy and skyfield publish them beside their own tests
(BSD-3-Clause and MIT; astropy/coordinates/tests/test_solar_system.py at 069b251, skyfield/tests/test_topos.py at
08a14a5), and figures belong to nobody. Horizons counts right ascensions of date from an equinox 51 mas beside that of
the IAU's, as both say. Artificial satellites have an orbit of their own there and none by an element set: for those
there is the chain in `test_places_against_erfa`.

What is held here is all that a satellite's place is made of but SGP4: the site on the turning Earth (UT1, polar motion,
parallax: the Moon stands up to a degree beside itself), precession, nutation, aberration. The Moon itself is known to
13″ only, an error that changes far more slowly than all of these.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from schedules.ephemeris import Ephemeris
from schedules.places import angle_deg
from schedules.site import Site

ARCSEC = 1.0 / 3600.0
EQUINOX_MAS = 51.02376467

# The Moon over Chajnantor, each hour from 2020-04-06 00:00 UT: apparent, airless, of date, in degrees; DE430.
CHAJNANTOR = Site(latitude_deg=-22.959748, longitude_deg=-67.787260, elevation_m=5186.0)
BEGINS = datetime(2020, 4, 6, tzinfo=UTC)
MOON_RA_DEG = (
    *(170.167332531, 170.560688674, 170.923834838, 171.271663481, 171.620188972, 171.985340827, 172.381766539),
    *(172.821772139, 173.314502650, 173.865422398, 174.476108551, 175.144332386, 175.864375310, 176.627519827),
    *(177.422655853, 178.236955730, 179.056584831, 179.867427392, 180.655815385, 181.409252074, 182.117113814),
    *(182.771311578, 183.366872837, 183.902395443),
)
MOON_DEC_DEG = (
    *(10.269112037, 10.058820647, 9.837152044, 9.603724551, 9.358956528, 9.104012390, 8.840674927, 8.571162442),
    *(8.297917326, 8.023394488, 7.749873882, 7.479312991, 7.213246666, 6.952732614, 6.698336823, 6.450150213),
    *(6.207828142, 5.970645962, 5.737565957, 5.507313851, 5.278462034, 5.049521497, 4.819038911, 4.585696512),
)


@pytest.fixture(scope="module")
def ephemeris() -> Ephemeris:
    return Ephemeris()


def moon_off_arcsec(ephemeris: Ephemeris) -> np.ndarray:
    """How far our Moon is from that of Horizons each hour, east and north, shape (24, 2)."""
    off = []
    for hour, (ra_deg, dec_deg) in enumerate(zip(MOON_RA_DEG, MOON_DEC_DEG, strict=True)):
        moon = ephemeris.moon_of(CHAJNANTOR, BEGINS + timedelta(hours=hour))
        east = (moon.ra_deg - (ra_deg + EQUINOX_MAS / 3.6e6)) * np.cos(np.radians(dec_deg))
        off.append((3600.0 * east, 3600.0 * (moon.dec_deg - dec_deg)))
    return np.array(off)


def test_the_moon_over_chajnantor_is_where_horizons_has_it(ephemeris: Ephemeris) -> None:
    assert np.abs(moon_off_arcsec(ephemeris)).max() < 13.0


def test_what_the_turning_earth_does_to_the_moon_in_a_day_is_what_horizons_has(ephemeris: Ephemeris) -> None:
    """What is left of the differences once the Moon's own slow error is taken out, as a cubic over the day."""
    hours = np.arange(24.0)
    off = moon_off_arcsec(ephemeris)
    rest = off - np.array([np.polyval(np.polyfit(hours, axis, 3), hours) for axis in off.T]).T
    assert np.abs(rest).max() < 0.05


def test_the_moon_over_kitt_peak_is_where_horizons_has_it(ephemeris: Ephemeris) -> None:
    """Asked of its web pages on 2016-03-28; to a hundredth of a second and a tenth of an arcsecond."""
    kitt_peak = Site(latitude_deg=31.963333333333342, longitude_deg=-111.6, elevation_m=2120.0)
    moon = ephemeris.moon_of(kitt_peak, datetime(2014, 9, 25, tzinfo=UTC))
    ra_deg, dec_deg = 15.0 * (12 + 33 / 60 + 12.85 / 3600), -(5 + 17 / 60 + 54.4 / 3600)
    assert angle_deg(moon.ra_deg, moon.dec_deg, ra_deg, dec_deg) < 13.0 * ARCSEC


def test_sidereal_time_is_that_of_horizons(ephemeris: Ephemeris) -> None:
    """Apparent, at 0° N 0° E on 2020-11-27 15:34 UT; UT1, precession and nutation are all in it."""
    here = Site(latitude_deg=0.0, longitude_deg=0.0, elevation_m=0.0)
    ours_deg = ephemeris.sidereal_time_deg(here, datetime(2020, 11, 27, 15, 34, tzinfo=UTC))
    off_arcsec = 3600.0 * (ours_deg - 15.0 * 20.0336663100) - 0.05125
    assert abs(off_arcsec) < 0.005
