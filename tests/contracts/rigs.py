"""The implementations the suites run against: each connects the devices of a simulated observatory in its own way.

A new one is a class with these nine methods, and a line in conftest.py. What a test knows about the truth it asks the
rig, never the device.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bridge.clock import LoopClock
from drivers import connect
from drivers.config import AlpacaDevice
from drivers.protocols import (
    Camera,
    CoverCalibrator,
    Dome,
    FilterWheel,
    Focuser,
    Mount,
    ObservingConditions,
    Rotator,
    SafetyMonitor,
)
from drivers.values import Equatorial, EquatorialSystem
from simulators.alpaca.app import alpaca_app
from simulators.clock import SimulatedClock
from simulators.direct import DirectObservatory
from simulators.faults import Fault, FaultKind
from simulators.observatory import Clock, Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.physics.mechanics import wrapped
from simulators.serving import Served
from simulators.sky.earth import Ground
from simulators.sky.render import Look
from simulators.sky.rotation import unix_of

DUSK = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
TEIDE = Ground(28.3, -16.5, 2390.0)
RATE = 60.0  # of tests over real sockets

_Device = TypeVar("_Device")
_Device_co = TypeVar("_Device_co", covariant=True)


@dataclass(frozen=True)
class Rig(Generic[_Device_co]):
    """A connected device, the time it is, and the observatory it stands in.

    `cut_short_s` is when a motion is cut short that should still be under way, `arrives_arcsec` how near to
    its goal this mount ends a slew, `rates_to` how exactly a motion can be seen here (relative), `tells_late` how old a
    reading may be.
    """

    device: _Device_co
    now: Callable[[], datetime]
    observatory: Observatory
    sky: "NumberedSky"
    cut_short_s: ClassVar[float] = 20.0
    dome_parks_at_deg: ClassVar[float] = 0.0
    rotator_shows_syncs: ClassVar[bool] = True
    long_exposure_s: ClassVar[float] = 90.0
    arrives_arcsec: ClassVar[float] = 1.0
    rates_to: ClassVar[float] = 1e-3
    tells_late: ClassVar[timedelta] = timedelta(0)

    async def looks_at(self, system: EquatorialSystem, later_s: float = 0.0) -> Equatorial:
        """Where the telescope truly looks, or will `later_s` from now if it is left alone."""
        return self._looks_at(system, self.now() + timedelta(seconds=later_s))

    async def was_sent_to(self, system: EquatorialSystem) -> Equatorial:
        """The place that reached the mount last: these go exactly where they are sent."""
        return await self.looks_at(system)

    async def moves_deg_s(self, system: EquatorialSystem) -> tuple[float, float]:
        """How fast right ascension and declination of where it looks truly change."""
        now = self.now()
        before, after = (self._looks_at(system, now + timedelta(seconds=later_s)) for later_s in (0.5, 1.5))
        return wrapped(after.ra_deg - before.ra_deg), after.dec_deg - before.dec_deg

    async def stands_still(self) -> bool:
        return max(map(abs, self.observatory.mount.axes.speeds_deg_s(unix_of(self.now())))) < 1e-6

    def truly_parked(self) -> bool:
        return self.observatory.mount.parked

    def _looks_at(self, system: EquatorialSystem, at: datetime) -> Equatorial:
        ra_deg, dec_deg = self.observatory.mount.true_icrs(at)
        if system is EquatorialSystem.APPARENT:
            ra_deg, dec_deg = TEIDE.apparent_of(ra_deg, dec_deg, at)
        return Equatorial(ra_deg=ra_deg, dec_deg=dec_deg, system=system)

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

    def rotator(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Rotator]]: ...

    def cover(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[CoverCalibrator]]: ...


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

    def rotator(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Rotator]]:
        return _direct(lambda all_of_them: all_of_them.rotator, settings)

    def cover(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[CoverCalibrator]]:
        return _direct(lambda all_of_them: all_of_them.cover, settings)


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

    def rotator(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Rotator]]:
        return _over_alpaca(connect.connect_rotator, settings)

    def cover(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[CoverCalibrator]]:
        return _over_alpaca(connect.connect_cover_calibrator, settings)


@asynccontextmanager
async def _over_alpaca(
    connecting: Callable[..., AbstractAsyncContextManager[_Device]], settings: ObservatorySettings | None = None
) -> AsyncIterator[Rig[_Device]]:
    clock, sky = SimulatedClock(starts_at=DUSK, anchored_unix_s=time.time(), rate=RATE), NumberedSky()
    observatory = an_observatory(clock, sky, settings)
    with Served(alpaca_app(observatory)) as served:
        async with connecting(AlpacaDevice(address=served.address), now=clock.now) as device:
            yield Rig(device, clock.now, observatory, sky)
