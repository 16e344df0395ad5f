"""How a mount is made, once its seed has said in which directions it is wrong."""

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.values import MountKind
from simulators.physics.axis import Limits
from simulators.physics.gears import Base, Gears
from simulators.physics.mechanics import Mechanics

if TYPE_CHECKING:
    from simulators.physics.mount import MountSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How the axes are made: what they can do, how far off they start, what is behind them, how far they may go.

    `meridian_limit_deg` is how far a German mount follows past the meridian, `cable_wrap_limit_deg` how far from north
    (alt-azimuth) or from the meridian (fork) the primary axis of others turns either way; None: no limit.
    """

    limits: Limits
    zero_deg: tuple[float, float]
    gears: Gears
    base: Base
    meridian_limit_deg: float | None
    cable_wrap_limit_deg: float | None

    def reach_deg(self, mechanics: Mechanics) -> tuple[float, float]:
        """The lowest and the highest angle of the primary axis."""
        if mechanics.kind is MountKind.GERMAN:
            past_deg = math.inf if self.meridian_limit_deg is None else self.meridian_limit_deg
            return -past_deg, 180.0 + past_deg
        wrap_deg = math.inf if self.cable_wrap_limit_deg is None else self.cable_wrap_limit_deg
        return -wrap_deg, wrap_deg


def built(settings: "MountSettings", mechanics: Mechanics, seed: int) -> Build:
    """What is random about a mount, drawn from its seed."""
    dice = random.Random(seed)
    towards, worm_phase, pole_towards = (dice.uniform(0.0, 2.0 * math.pi) for _ in range(3))
    error_deg = settings.pointing_error_arcmin / 60.0
    return Build(
        limits=Limits(top_speed=settings.top_speed_deg_s, acceleration=settings.acceleration_deg_s2),
        zero_deg=(error_deg * math.cos(towards), error_deg * math.sin(towards)),
        gears=Gears(
            periodic_error_arcsec=settings.periodic_error_arcsec,
            worm_period_s=settings.worm_period_s,
            worm_phase_rad=worm_phase,
            backlash_arcsec=settings.backlash_arcsec,
        ),
        base=Base(mechanics, settings.polar_misalignment_arcmin / 60.0, pole_towards),
        meridian_limit_deg=settings.meridian_limit_deg,
        cable_wrap_limit_deg=settings.cable_wrap_limit_deg,
    )
