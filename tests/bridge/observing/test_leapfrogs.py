"""Low satellites as streaks, with a mount that does what it is told: how many frames have them in the field.

NIGHTBRIDGE_LEAPFROGS sets how many satellites are tried.
"""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from schedules.ephemeris import Ephemeris
from schedules.places import angle_deg
from schedules.requests import CollectShape
from simulators.physics.album import Truth
from simulators.sky.passes import Pass
from tests.bridge.observing.stations import DUSK, GROUND, a_plan_for, a_request, a_scope, satellite, swarm

TRIED = int(os.environ.get("NIGHTBRIDGE_LEAPFROGS", "4"))
# Of a field of 2° by 1.5°, however the camera is turned.
INSIDE_DEG = 0.75


@dataclass(frozen=True)
class Caught:
    """A frame, and how far from its middle the satellite truly was in mid-exposure."""

    norad_id: int
    off_deg: float


async def test_nearly_every_frame_of_a_low_satellite_has_it_in_the_field(tmp_path: Path, ephemeris: Ephemeris) -> None:
    caught: list[Caught] = []
    for number, one in enumerate(low_passes()[:TRIED]):
        starts_at = one.rise - timedelta(seconds=40.0)
        async with a_scope(tmp_path / str(number), ephemeris=ephemeris, starts_at=starts_at) as scope:
            target = satellite(one.index)
            request = a_request(target, frame_count=4, exposure_s=1.0)
            await scope.file(request)
            lasts_s = (one.set - one.rise).total_seconds()
            planned = a_plan_for(request, starts_at=one.rise, lasts_s=lasts_s, shape=CollectShape.LEAPFROG)
            await scope.observer.observe(planned)
            truths = scope.simulated.album.truths(scope.clock.now())
            caught += [Caught(target.norad_id, off_deg(truth, one.index)) for truth in truths]
    assert len(caught) > 2 * TRIED
    inside = sum(one.off_deg < INSIDE_DEG for one in caught)
    assert inside >= 0.99 * len(caught), [one for one in caught if one.off_deg >= INSIDE_DEG]


def low_passes() -> list[Pass]:
    """Of low satellites, above 30° in the two hours after dusk for a minute and a half at least, by their rise."""
    found = swarm().passes(GROUND, DUSK + timedelta(minutes=5.0), DUSK + timedelta(minutes=110.0), 30.0)
    long = [one for one in found if (one.set - one.rise).total_seconds() > 90.0]
    return [one for one in long if swarm().names[one.index].startswith("LEO")]


def off_deg(truth: Truth, index: int) -> float:
    seen = swarm().astrometric(index, GROUND, truth.mid_at)
    return angle_deg(truth.true_icrs_ra_deg, truth.true_icrs_dec_deg, float(seen.ra_deg), float(seen.dec_deg))
