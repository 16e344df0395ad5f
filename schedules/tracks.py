"""Places at many instants, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schedules.instants import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizontalTrack:
    """Altitudes and azimuths, unrefracted; arrays of shape (n,)."""

    altitude_deg: Floats
    azimuth_deg: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The places of one target at n instants; arrays of shape (n,).

    The systems are those of `schedules.places`. `unix_s`: seconds since 1970. `hour_angle_deg` of the apparent place,
    -180 <= hour angle < 180, west positive. `range_km` is infinite for a star.
    """

    unix_s: Floats
    icrs_ra_deg: Floats
    icrs_dec_deg: Floats
    apparent_ra_deg: Floats
    apparent_dec_deg: Floats
    altitude_deg: Floats
    azimuth_deg: Floats
    hour_angle_deg: Floats
    range_km: Floats
    sunlit: NDArray[np.bool_]
