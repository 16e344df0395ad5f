"""Passes made to measure: a satellite at 500 km that culminates at a chosen altitude over the tests' site."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import numpy as np

from schedules.elements import satellite_from_tle
from schedules.targets import Satellite
from simulators.sky.earth import Ground
from simulators.sky.elements import Elements, written
from simulators.sky.rotation import unix_of
from simulators.sky.satellites import Swarm
from tests.bridge.observing.stations import DUSK, GROUND

_MU_KM3_S2 = 398_600.8  # WGS 72, as SGP4 has it
_AXIS_KM = 6378.135 + 500.0
_INCLINATION_DEG = 53.0


@dataclass(frozen=True)
class Pass:
    """`culminates` is when it stands highest. Where it is seen, the simulated sky says."""

    satellite: Satellite
    swarm: Swarm
    culminates: datetime
    over: Ground

    def icrs_deg(self, at: datetime) -> tuple[float, float]:
        seen = self.swarm.astrometric(0, self.over, at)
        return float(seen.ra_deg), float(seen.dec_deg)


@cache
def a_pass(
    culmination_deg: float,
    *,
    first_east: bool = True,
    around: datetime = DUSK + timedelta(minutes=10),
    over: Ground = GROUND,
) -> Pass:
    """One that culminates there, about then: northbound, and passing on one side of the site or the other."""
    latitude = math.radians(over.latitude_deg)
    argument_deg = math.degrees(math.asin(math.sin(latitude) / math.sin(math.radians(_INCLINATION_DEG))))
    nodes_deg = [float(node) for node in np.arange(0.0, 360.0, 2.0)]
    best_node_deg = max(nodes_deg, key=lambda node: _highest(_made(node, argument_deg, around), around, over)[0])
    near, far = best_node_deg, best_node_deg + (12.0 if first_east else -12.0)
    for _ in range(30):  # further from the best node, lower it culminates
        middle = (near + far) / 2.0
        if _highest(_made(middle, argument_deg, around), around, over)[0] > culmination_deg:
            near = middle
        else:
            far = middle
    swarm = _made(near, argument_deg, around)
    line1, line2 = swarm.lines[0] or ("", "")
    satellite = satellite_from_tle(line1, line2, name="MEASURE 500", source="a test")
    _, culminates = _highest(swarm, around, over)
    return Pass(satellite=satellite, swarm=swarm, culminates=culminates, over=over)


def _made(node_deg: float, argument_deg: float, epoch: datetime) -> Swarm:
    elements = Elements(
        norad_id=90999,
        name="MEASURE 500",
        international_designator="2025-001A",
        epoch=epoch,
        mean_motion_rev_per_day=round(math.sqrt(_MU_KM3_S2 / _AXIS_KM**3) * 86_400.0 / (2.0 * math.pi), 8),
        eccentricity=0.0001,
        inclination_deg=_INCLINATION_DEG,
        raan_deg=round(node_deg % 360.0, 4),
        argument_of_perigee_deg=0.0,
        mean_anomaly_deg=round(argument_deg, 4),
        bstar_per_earth_radius=0.0,
        mean_motion_dot=0.0,
        mean_motion_ddot=0.0,
        lines=None,
    )
    return Swarm.from_text("\n".join(written(elements).lines or ()))


def _highest(swarm: Swarm, around: datetime, over: Ground) -> tuple[float, datetime]:
    """The highest altitude within two minutes of then, and when."""
    seconds = np.arange(-120.0, 121.0, 2.0)
    altitudes_deg = swarm.astrometric(0, over, unix_of(around) + seconds).altitude_deg
    best = int(np.argmax(altitudes_deg))
    return float(altitudes_deg[best]), around + timedelta(seconds=float(seconds[best]))
