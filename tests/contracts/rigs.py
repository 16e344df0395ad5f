"""The implementations the suites run against: each connects the devices of a simulated observatory in its own way.

A new one is a class with these seven methods, and a line in conftest.py. What a test knows about the truth it asks the
observatory itself, never the device.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bridge.clock import LoopClock
from drivers import connect
from drivers.config import AlpacaDevice
from drivers.protocols import Camera, Dome, FilterWheel, Focuser, Mount, ObservingConditions, SafetyMonitor
from simulators.alpaca.app import alpaca_app
from simulators.clock import SimulatedClock
from simulators.direct import DirectObservatory
from simulators.faults import Fault, FaultKind
from simulators.observatory import Clock, Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.serving import Served
from simulators.sky.earth import Ground
from simulators.sky.render import Look

DUSK = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
TEIDE = Ground(28.3, -16.5, 2390.0)
RATE = 60.0  # of tests over real sockets

_Device = TypeVar("_Device")
_Device_co = TypeVar("_Device_co", covariant=True)


@dataclass(frozen=True)
class Rig(Generic[_Device_co]):
    """A connected device, the time it is, and the observatory it stands in."""

    device: _Device_co
    now: Callable[[], datetime]
    observatory: Observatory
    sky: "NumberedSky"

    def goes_wrong(self, kind: FaultKind, device: str, method: str = "*", **how: float) -> None:
        """From now on for an hour."""
        fault = Fault(kind=kind, device=device, method=method, begins=self.now(), for_s=3600.0, **how)
        self.observatory.faults.add(fault)


class NumberedSky:
    """Each pixel's count is its number, from the upper left: what is turned over or cut off shows at once."""

    def __init__(self) -> None:
        self.looks: list[Look] = []

    def frame(self, look: Look) -> NDArray[np.uint16]:
        self.looks.append(look)
        return np.arange(look.width_px * look.height_px, dtype=np.uint16).reshape(look.height_px, look.width_px)

    def targets_in(self, look: Look) -> Sequence[tuple[int, float, float]]:
        return [(25_544, 1.0, 2.0)]


def built(**parts: Any) -> ObservatorySettings:
    """An observatory with these parts; its camera has few pixels, and is not square."""
    small = (CameraSettings(width_px=96, height_px=64, cooling_s=10.0),)
    return ObservatorySettings(**{"cameras": small, **parts})


def an_observatory(clock: Clock, sky: NumberedSky, settings: ObservatorySettings | None) -> Observatory:
    return Observatory(clock, TEIDE, sky, seed=7, settings=settings or built())


class Implementation(Protocol):
    """A way to reach devices."""

    def mount(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Mount]]: ...

    def camera(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Camera]]: ...

    def filter_wheel(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[FilterWheel]]: ...

    def focuser(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Focuser]]: ...

    def dome(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Dome]]: ...

    def safety_monitor(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[SafetyMonitor]]: ...

    def conditions(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[ObservingConditions]]: ...


class Direct:
    """No network, and a loop that jumps."""

    def mount(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Mount]]:
        return _direct(lambda all_of_them: all_of_them.mount, settings)

    def camera(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Camera]]:
        return _direct(lambda all_of_them: all_of_them.camera, settings)

    def filter_wheel(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[FilterWheel]]:
        return _direct(lambda all_of_them: all_of_them.filter_wheel, settings)

    def focuser(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Focuser]]:
        return _direct(lambda all_of_them: all_of_them.focuser, settings)

    def dome(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Dome]]:
        return _direct(lambda all_of_them: all_of_them.dome, settings)

    def safety_monitor(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[SafetyMonitor]]:
        return _direct(lambda all_of_them: all_of_them.safety_monitor, settings)

    def conditions(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[ObservingConditions]]:
        return _direct(lambda all_of_them: all_of_them.conditions, settings)


@asynccontextmanager
async def _direct(
    choose: Callable[[DirectObservatory], AbstractAsyncContextManager[_Device] | None],
    settings: ObservatorySettings | None = None,
) -> AsyncIterator[Rig[_Device]]:
    clock, sky = LoopClock(DUSK), NumberedSky()
    observatory = an_observatory(clock, sky, settings)
    chosen = choose(DirectObservatory(observatory))
    assert chosen is not None
    async with chosen as device:
        yield Rig(device, clock.now, observatory, sky)


class Alpaca:
    """Our drivers, real sockets, and our server in a thread; sixty times life speed."""

    def mount(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Mount]]:
        return _over_alpaca(connect.connect_mount, settings)

    def camera(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Camera]]:
        return _over_alpaca(connect.connect_camera, settings)

    def filter_wheel(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[FilterWheel]]:
        return _over_alpaca(connect.connect_filter_wheel, settings)

    def focuser(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Focuser]]:
        return _over_alpaca(connect.connect_focuser, settings)

    def dome(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Dome]]:
        return _over_alpaca(connect.connect_dome, settings)

    def safety_monitor(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[SafetyMonitor]]:
        return _over_alpaca(connect.connect_safety_monitor, settings)

    def conditions(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[ObservingConditions]]:
        return _over_alpaca(connect.connect_conditions, settings)


@asynccontextmanager
async def _over_alpaca(
    connecting: Callable[..., AbstractAsyncContextManager[_Device]], settings: ObservatorySettings | None = None
) -> AsyncIterator[Rig[_Device]]:
    clock, sky = SimulatedClock(starts_at=DUSK, anchored_unix_s=time.time(), rate=RATE), NumberedSky()
    observatory = an_observatory(clock, sky, settings)
    with Served(alpaca_app(observatory)) as served:
        async with connecting(AlpacaDevice(address=served.address), now=clock.now) as device:
            yield Rig(device, clock.now, observatory, sky)
