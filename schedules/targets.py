"""What can be observed."""

from dataclasses import dataclass
from datetime import datetime

from schedules.places import ICRS


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementSet:
    """Mean elements for SGP4, as an OMM names them. `norad_id` has up to nine digits.

    `source` says where the set came from, for people: "Citra API", "tonight.tle line 12", "task file".
    `mean_motion_dot` and `mean_motion_ddot` are the published half and sixth
    (rev/day², rev/day³), as in TLE and OMM.
    """

    norad_id: int
    name: str
    international_designator: str
    epoch: datetime
    mean_motion_rev_per_day: float
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    argument_of_perigee_deg: float
    mean_anomaly_deg: float
    bstar_per_earth_radius: float
    mean_motion_dot: float
    mean_motion_ddot: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Satellite:
    """Something that follows an element set."""

    elements: ElementSet

    @property
    def norad_id(self) -> int:
        return self.elements.norad_id

    @property
    def name(self) -> str:
        return self.elements.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Star:
    """A fixed place among the stars."""

    name: str
    icrs: ICRS


Target = Satellite | Star
