"""How far off a prediction may be: element sets are worse the older they are, mostly along the orbit.

At their epochs sets are off by some hundred metres (Flohrer, Krag & Klinkrad 2008, one sigma for each class of orbit:
0.1 to 0.6 km). In low orbits they lose about a kilometre a day by SGP4 (Levit & Marshall 2011: ten times the 100 m a
day of better methods); where the air is dense enough to matter day by day, and high up where it never does, the figures
are our judgement. A satellite that changed its orbit is anywhere.
"""

from datetime import datetime

from schedules.ages import age_days
from schedules.element_checks import perigee_height_km
from schedules.targets import ElementSet, Satellite

_AT_EPOCH_KM = 0.5
_IN_THE_AIR_KM, _LOW_KM = 450.0, 2000.0  # heights of the perigee
_KM_PER_DAY_IN_THE_AIR, _KM_PER_DAY_LOW, _KM_PER_DAY_HIGH = 3.0, 1.0, 0.3


def growth_km_per_day(elements: ElementSet) -> float:
    """How much the error along the orbit grows with each day of age (one sigma)."""
    height_km = perigee_height_km(elements)
    if height_km < _IN_THE_AIR_KM:
        return _KM_PER_DAY_IN_THE_AIR
    return _KM_PER_DAY_LOW if height_km < _LOW_KM else _KM_PER_DAY_HIGH


def along_track_error_km(satellite: Satellite, at: datetime) -> float:
    """How far before or behind its predicted place the satellite may be at `at` (one sigma)."""
    return _AT_EPOCH_KM + growth_km_per_day(satellite.elements) * abs(age_days(satellite, at))
