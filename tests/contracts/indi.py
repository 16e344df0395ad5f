"""INDI's own simulators as the suites' observatory: one `indiserver` for all tests of a process, in bent time.

They show no truth beside their positions, which are read here on a connection of their own, and take no faults: what
needs more is skipped, with the reason.
"""

import importlib.util
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import anyio
import pytest

from drivers import connect
from drivers.config import IndiDevice
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
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
from simulators.clock import SimulatedClock
from simulators.indi.bent_time import BentTime, faketime_missing
from simulators.indi.server import SIMULATORS, IndiServer, indiserver_missing
from simulators.observatory import ObservatorySettings
from simulators.physics.mount import MountSettings
from tests.contracts.rigs import DUSK, TEIDE, Rig

INDI_RATE = 6.0  # a server that is held up for half a second by a busy machine is not yet taken for frozen
USED = ("telescope", "ccd", "wheel", "focus", "dome", "weather", "rotator", "lightpanel")

# Where every mount begins, parked: near to what the tests point at, since these mounts move at life speed.
BEGINS_AT_HOUR_ANGLE_DEG, BEGINS_AT_DEC_DEG = 25.0, 15.0
SHIFTS_SEEN_S = 2.0  # how long a mount is watched where others foretell
_WITHIN_S = 60.0
_Device = TypeVar("_Device")


def lacking(link: str) -> str:
    """What this computer lacks for these rigs, in words."""
    names = [SIMULATORS[name] for name in USED]
    if missing := indiserver_missing(names) or faketime_missing():
        return missing
    if link == "pyindi" and importlib.util.find_spec("PyIndi") is None:
        return "pyindi-client is not installed (it is GPL, and no part of the product)"
    return ""


@dataclass(frozen=True)
class Served:
    """A running server, and the time its drivers live in."""

    address: str
    clock: SimulatedClock


@contextmanager
def indi_simulators(folder: Path) -> Iterator[Served]:
    """The server with all simulators, for as long as the block lasts."""
    clock = SimulatedClock(starts_at=DUSK, anchored_unix_s=time.time(), rate=INDI_RATE)
    with ExitStack() as stack:
        bent = stack.enter_context(BentTime(clock))
        drivers = [SIMULATORS[name] for name in USED]
        server = stack.enter_context(IndiServer(drivers, folder=folder, environment=bent.environment))
        yield Served(server.address, clock)


def no(what: str) -> NoReturn:
    pytest.skip(f"INDI's own simulators {what}")


class IndiRig(Rig[_Device]):
    """A device of INDI's, and a second connection to it that watches."""

    cut_short_s = 1.5
    dome_parks_at_deg = 90.0
    rotator_shows_syncs = False
    long_exposure_s = 18.0
    arrives_arcsec = 30.0  # INDI's simulator has moved with the sky since it looked last, some tenths of a second ago
    rates_to = 0.1  # the words of a driver come when the machine lets them; the sign and the unit show all the same
    tells_late = timedelta(seconds=1)

    def __init__(self, device: _Device, now: Callable[[], datetime], watch: Link) -> None:
        object.__setattr__(self, "device", device)
        object.__setattr__(self, "now", now)
        object.__setattr__(self, "_watch", watch)

    @property
    def observatory(self) -> NoReturn:  # type: ignore[override]
        no("do not show what is true of them")

    @property
    def sky(self) -> NoReturn:  # type: ignore[override]
        no("do not show what is true of them")

    def goes_wrong(self, *_: object, **__: object) -> NoReturn:
        no("take no faults: tests/drivers/indi has them")

    async def looks_at(self, system: EquatorialSystem, later_s: float = 0.0) -> Equatorial:
        await anyio.sleep(min(later_s, SHIFTS_SEEN_S) if later_s else 0.3)  # one round of the driver's own
        return self._place()

    async def was_sent_to(self, system: EquatorialSystem) -> Equatorial:
        return self._place("TARGET_EOD_COORD")

    async def moves_deg_s(self, system: EquatorialSystem) -> tuple[float, float]:
        """The slope of what is heard over some seconds: each word comes a little late, none early."""
        await anyio.sleep(0.5)
        seen: list[tuple[float, Equatorial]] = []
        while len(seen) < 20:
            await self._watch.changed("EQUATORIAL_EOD_COORD", within_s=_WITHIN_S)
            seen.append((self._watch.heard_s("EQUATORIAL_EOD_COORD"), self._place()))
        (began_s, first), (ended_s, last) = seen[0], seen[-1]
        took_s = ended_s - began_s
        ra_deg = (last.ra_deg - first.ra_deg + 180.0) % 360.0 - 180.0
        return ra_deg / took_s, (last.dec_deg - first.dec_deg) / took_s

    async def stands_still(self) -> bool:
        before = self._place()
        await anyio.sleep(1.0)
        after = self._place()
        # with the sky, or still in it
        drift_deg = (after.ra_deg - before.ra_deg + 180.0) % 360.0 - 180.0
        return -0.001 < drift_deg < 0.02 and abs(after.dec_deg - before.dec_deg) < 0.001

    def truly_parked(self) -> bool:
        parked = self._watch.switch("TELESCOPE_PARK", "PARK")
        return parked and self._watch.state("TELESCOPE_PARK") is not PropertyState.BUSY

    def _place(self, prop: str = "EQUATORIAL_EOD_COORD") -> Equatorial:
        hours, dec_deg = (self._watch.number(prop, axis) for axis in ("RA", "DEC"))
        return Equatorial(ra_deg=hours * 15.0 % 360.0, dec_deg=dec_deg, system=EquatorialSystem.APPARENT)


@dataclass(frozen=True)
class Indi:
    """A way to reach devices: our drivers on one of the two links, and INDI's simulators."""

    link: str
    served: Served | None = None

    def mount(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Mount]]:
        _fast_enough(settings)

        async def begin(watch: Link) -> None:
            await _begin_parked(watch, self._served().clock.now())

        return self._rig("Telescope Simulator", connect.connect_mount, begin)

    def camera(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Camera]]:
        _as_they_are(settings)
        return self._rig("CCD Simulator", connect.connect_camera)

    def filter_wheel(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[FilterWheel]]:
        _as_they_are(settings)
        return self._rig("Filter Simulator", connect.connect_filter_wheel)

    def focuser(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Focuser]]:
        _as_they_are(settings)
        return self._rig("Focuser Simulator", connect.connect_focuser)

    def dome(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Dome]]:
        _as_they_are(settings)
        return self._rig("Dome Simulator", connect.connect_dome)

    def safety_monitor(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[SafetyMonitor]]:
        _as_they_are(settings)
        return self._rig("Weather Simulator", connect.connect_safety_monitor)

    def conditions(
        self, settings: ObservatorySettings | None = None
    ) -> AbstractAsyncContextManager[Rig[ObservingConditions]]:
        _as_they_are(settings)
        return self._rig("Weather Simulator", connect.connect_conditions)

    def rotator(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[Rotator]]:
        _as_they_are(settings)
        return self._rig("Rotator Simulator", connect.connect_rotator)

    def cover(self, settings: ObservatorySettings | None = None) -> AbstractAsyncContextManager[Rig[CoverCalibrator]]:
        _as_they_are(settings)
        return self._rig("Light Panel Simulator", connect.connect_cover_calibrator)

    def _served(self) -> Served:
        assert self.served is not None, "conftest.py gives the server"
        return self.served

    @asynccontextmanager
    async def _rig(
        self,
        name: str,
        connecting: Callable[..., AbstractAsyncContextManager[_Device]],
        begin: Callable[[Link], Any] | None = None,
    ) -> AsyncIterator[Rig[_Device]]:
        served = self._served()
        by_us = IndiDevice(driver="indi", address=served.address, device=name)
        async with connected("watched", by_us) as watch:
            if begin is not None:
                await begin(watch)
            settings = by_us.model_copy(update={"link": self.link})
            async with connecting(settings, now=served.clock.now) as device:
                yield IndiRig(device, served.clock.now, watch)


def _as_they_are(settings: ObservatorySettings | None) -> None:
    if settings is not None:
        no("cannot be made like that")


def _fast_enough(settings: ObservatorySettings | None) -> None:
    """That a mount should be slow does no harm."""
    if settings is None:
        return
    usual, wanted = MountSettings(), settings.mount
    changed = {one.name for one in fields(MountSettings) if getattr(wanted, one.name) != getattr(usual, one.name)}
    if not changed <= {"top_speed_deg_s"}:
        no("cannot be made like that")


async def _begin_parked(watch: Link, now: datetime) -> None:
    """At our site, parked near where the tests point: whatever the test before left behind."""
    await watch.wait_for("TELESCOPE_PARK_OPTION", within_s=_WITHIN_S)
    await watch.choose("TELESCOPE_ABORT_MOTION", "ABORT", within_s=_WITHIN_S)
    place = {"LAT": TEIDE.latitude_deg, "LONG": TEIDE.longitude_deg % 360.0, "ELEV": TEIDE.elevation_m}
    await watch.set_numbers("GEOGRAPHIC_COORD", place, within_s=_WITHIN_S)
    if watch.chosen("TELESCOPE_PARK") == "PARK":
        await watch.choose("TELESCOPE_PARK", "UNPARK", within_s=_WITHIN_S)
    hours = (TEIDE.sidereal_time_deg(now) - BEGINS_AT_HOUR_ANGLE_DEG) / 15.0 % 24.0
    await watch.choose("ON_COORD_SET", "SYNC", within_s=_WITHIN_S)
    await watch.set_numbers(
        "EQUATORIAL_EOD_COORD", {"RA": hours, "DEC": BEGINS_AT_DEC_DEG}, within_s=_WITHIN_S, agree=1.0
    )
    await watch.choose("ON_COORD_SET", "TRACK", within_s=_WITHIN_S)
    await watch.choose("TELESCOPE_PARK_OPTION", "PARK_CURRENT", within_s=_WITHIN_S)
    await watch.choose("TELESCOPE_PARK", "PARK", within_s=_WITHIN_S)
