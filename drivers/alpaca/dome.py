"""A dome, or a roof that rolls off, behind Alpaca (IDome)."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from drivers.alpaca.connecting import connected, stop_line
from drivers.alpaca.link import Link, Role, optional
from drivers.config import AlpacaDevice
from drivers.errors import Malfunction, Refused
from drivers.motion import Standstill, turn_deg
from drivers.values import DomeCapabilities, DomeStatus, ShutterState
from drivers.waiting import stopped_by, until, until_obeyed

SHUTTER_WITHIN_S = 300.0
TURN_WITHIN_S = 300.0
STOP_WITHIN_S = 30.0
OBEYS_WITHIN_S = 9.0  # a dome that does not stand by then, often looked at, does not obey
EVERY_S = 0.5
AGREE_DEG = 0.1
STUCK_S = 5.0

_SHUTTER_STATES = {  # ShutterState
    0: ShutterState.OPEN,
    1: ShutterState.CLOSED,
    2: ShutterState.OPENING,
    3: ShutterState.CLOSING,
    4: ShutterState.ERROR,
}
_MOVING = (ShutterState.OPENING, ShutterState.CLOSING)


@asynccontextmanager
async def alpaca_dome(
    settings: AlpacaDevice, *, now: Callable[[], datetime], tolerance_deg: float = 2.0
) -> AsyncGenerator["AlpacaDome", None]:
    """A connected dome; it has turned where it should if it stands within `tolerance_deg` of it."""
    async with connected(Role.DOME, settings) as link, stop_line(link) as stop:
        capabilities = DomeCapabilities(
            can_set_azimuth=await link.flag("CanSetAzimuth"),
            can_set_shutter=await link.flag("CanSetShutter"),
            can_park=await link.flag("CanPark"),
        )
        yield AlpacaDome(link, stop, capabilities, now=now, tolerance_deg=tolerance_deg)


class AlpacaDome:
    """A dome or a roof.

    Opening and parking are stopped when they are cancelled; parking goes on when only a reading is lost. A shutter
    that closes goes on in either case.
    """

    def __init__(
        self,
        link: Link,
        stop: Link,
        capabilities: DomeCapabilities,
        *,
        now: Callable[[], datetime],
        tolerance_deg: float,
    ) -> None:
        """`stop` is the line of the abort alone."""
        self._link = link
        self._stop = stop
        self._now = now
        self._tolerance_deg = tolerance_deg
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> DomeStatus:
        """A shutter whose state the dome does not know is in ERROR: that is no proof of anything."""
        shutter = await _shutter(self._link)
        return DomeStatus(
            shutter=shutter,
            azimuth_deg=await _azimuth_deg(self._link) if self.capabilities.can_set_azimuth else None,
            moving=shutter in _MOVING or await self._link.flag("Slewing"),
            read_at=self._now(),
        )

    async def open(self) -> None:
        async with stopped_by(self.abort, device=self.name):
            await self._move_shutter("OpenShutter", ShutterState.OPEN)

    async def close(self) -> None:
        await self._move_shutter("CloseShutter", ShutterState.CLOSED)

    async def slew_to(self, azimuth_deg: float) -> None:
        doing = f"turn to {azimuth_deg:.1f}°"
        if not math.isfinite(azimuth_deg):
            raise Refused(self.name, doing, "this azimuth is no number")
        if not self.capabilities.can_set_azimuth:
            raise Refused(self.name, doing, "it does not turn")
        standstill = Standstill(turn_deg, agree=AGREE_DEG)
        goal_deg = azimuth_deg % 360.0
        here_deg = goal_deg

        async def arrived() -> bool:
            nonlocal here_deg
            if await self._link.flag("Slewing"):
                return False
            here_deg = await _azimuth_deg(self._link)
            stood_s = standstill.seconds(here_deg)
            return stood_s > 0.0 and (turn_deg(here_deg, goal_deg) <= self._tolerance_deg or stood_s >= STUCK_S)

        async with stopped_by(self.abort, device=self.name):
            if await optional(self._link.flag("Slaved")):
                await self._link.write("Slaved", False)  # a dome that follows its own lead refuses ours
            await self._link.invoke("SlewToAzimuth", goal_deg)
            await until(arrived, device=self.name, doing=doing, within_s=TURN_WITHIN_S, every_s=EVERY_S)
            off_deg = turn_deg(here_deg, goal_deg)
            if off_deg > self._tolerance_deg:
                raise Malfunction(self.name, doing, f"stands at {here_deg:.1f}°, {off_deg:.1f}° away")

    async def park(self) -> None:
        if not self.capabilities.can_park:
            raise Refused(self.name, "park", "this dome cannot park")

        standstill = Standstill(turn_deg, agree=AGREE_DEG)

        async def parked() -> bool:
            at_park, slewing = await self._link.flag("AtPark"), await self._link.flag("Slewing")
            stood_s = standstill.seconds(await _azimuth_deg(self._link) if self.capabilities.can_set_azimuth else 0.0)
            if stood_s > STUCK_S and not at_park and not slewing:
                raise Malfunction(
                    self.name, "park", f"said yes, and has not moved for {stood_s:.0f} s; it is not parked"
                )
            return at_park and not slewing and stood_s > 0.0

        async with stopped_by(self.abort, device=self.name, also_on_errors=False):
            await self._link.invoke("Park")
            await until(parked, device=self.name, doing="park", within_s=TURN_WITHIN_S, every_s=EVERY_S)

    async def abort(self) -> None:
        """Returns when two looks in a row find it still: flags, shutter and azimuth."""
        await self._stop.invoke("AbortSlew")
        standstill = Standstill(turn_deg, agree=AGREE_DEG)

        async def standing() -> bool:
            stood_s = standstill.seconds(await _azimuth_deg(self._stop) if self.capabilities.can_set_azimuth else 0.0)
            still = not await self._stop.flag("Slewing") and await _shutter(self._stop) not in _MOVING
            return still and stood_s > 0.0

        await until_obeyed(
            standing,
            device=self.name,
            doing="abort",
            within_s=STOP_WITHIN_S,
            every_s=EVERY_S,
            sooner_s=OBEYS_WITHIN_S,
        )

    async def _move_shutter(self, method: str, wanted: ShutterState) -> None:
        doing = "open" if wanted is ShutterState.OPEN else "close"
        if not self.capabilities.can_set_shutter:
            raise Refused(self.name, doing, "its shutter is not moved by its driver")
        standstill = Standstill[ShutterState](lambda one, other: float(one is not other), agree=0.0)

        async def there() -> bool:
            shutter = await _shutter(self._link)
            moving = shutter in _MOVING or await self._link.flag("Slewing")
            stood_s = standstill.seconds(shutter)
            if stood_s > STUCK_S and not moving and shutter is not wanted:
                raise Malfunction(self.name, doing, f"said yes, and its shutter is in the state {shutter}; look at it")
            return shutter is wanted and not moving and stood_s > 0.0

        if await _shutter(self._link) is not wanted:
            await self._link.invoke(method)
        await until(there, device=self.name, doing=doing, within_s=SHUTTER_WITHIN_S, every_s=EVERY_S)


async def _shutter(link: Link) -> ShutterState:
    state = await optional(link.whole("ShutterStatus"))
    return ShutterState.ERROR if state is None else _SHUTTER_STATES[state]


async def _azimuth_deg(link: Link) -> float:
    azimuth_deg = await link.number("Azimuth")
    if not 0.0 <= azimuth_deg <= 360.0:
        raise Malfunction(link.name, "read its azimuth", f"says {azimuth_deg}°, which is not within 0° to 360°")
    return azimuth_deg % 360.0
