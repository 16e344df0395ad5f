"""The simulated observatory behind the device protocols, without a network: what whole nights in seconds fly on.

The observatory's clock and the loop that waits must agree: a LoopClock on a loop that jumps, or any clock at its rate.
"""

from simulators.direct.accessories import DirectCover, DirectRotator
from simulators.direct.around import (
    DirectConditions,
    DirectDome,
    DirectFilterWheel,
    DirectFocuser,
    DirectSafetyMonitor,
)
from simulators.direct.camera import DirectCamera
from simulators.direct.mount import DirectMount
from simulators.observatory import Observatory

__all__ = [
    "DirectCamera",
    "DirectConditions",
    "DirectCover",
    "DirectDome",
    "DirectFilterWheel",
    "DirectFocuser",
    "DirectMount",
    "DirectObservatory",
    "DirectRotator",
    "DirectSafetyMonitor",
]


class DirectObservatory:
    """The devices of an observatory: the first of each type; None where it has none."""

    def __init__(self, observatory: Observatory) -> None:
        now, on = observatory.clock.now, observatory.faults.on
        weather, wheels, focusers = observatory.weather, observatory.filter_wheels, observatory.focusers
        self.mount = DirectMount(observatory.mount, on("mount"), now)
        self.camera = DirectCamera(observatory.album, 0, observatory.cameras[0], on("camera"), now)
        self.filter_wheel = DirectFilterWheel(wheels[0], on("filter_wheel"), now) if wheels else None
        self.focuser = DirectFocuser(focusers[0], observatory.ambient_c, on("focuser"), now) if focusers else None
        self.dome = None if observatory.dome is None else DirectDome(observatory.dome, on("dome"), now)
        rotator, cover = observatory.rotator, observatory.cover
        self.rotator = None if rotator is None else DirectRotator(rotator, on("rotator"), now)
        self.cover = None if cover is None else DirectCover(cover, on("cover"), now)
        self.safety_monitor = DirectSafetyMonitor(weather, on("safety_monitor"), now)
        self.conditions = DirectConditions(weather, on("conditions"), now)
