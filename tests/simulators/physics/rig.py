"""A simulated mount in the hand of a test."""

import math
from datetime import UTC, datetime
from typing import Any

from simulators.clock import HandClock
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import Mount, MountSettings
from simulators.sky.earth import Ground

EVENING = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
TEIDE = Ground(28.3, -16.5, 2390.0)


class Rig:
    """A mount, unparked and tracking, and the hand that sets its clock."""

    def __init__(self, seed: int = 3, **how: Any) -> None:
        self.clock = HandClock(EVENING)
        self.mount = Mount(MountSettings(**how), ground=TEIDE, now=self.clock.now, seed=seed)
        self.mount.unpark()
        self.mount.set_tracking(True)

    def at_hour_angle(self, hour_angle_deg: float, dec_deg: float) -> tuple[float, float]:
        """A place, of date, that now stands there."""
        return (TEIDE.sidereal_time_deg(self.clock.now()) - hour_angle_deg) % 360.0, dec_deg

    def arrive(self) -> float:
        """Wait until it has slewed; says how long that took."""
        began = self.clock.now()
        while self.mount.slewing:
            self.clock.advance(0.05)
        return (self.clock.now() - began).total_seconds()

    def off_arcsec(self, ra_deg: float, dec_deg: float) -> float:
        seen = self.mount.pointing
        across = wrapped(seen.ra_deg - ra_deg) * math.cos(math.radians(dec_deg))
        return math.hypot(across, seen.dec_deg - dec_deg) * 3600.0
