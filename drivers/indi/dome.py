"""A dome, or a roof that rolls off, behind INDI."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import anyio

from drivers.config import IndiDevice
from drivers.errors import Malfunction, Refused
from drivers.indi.driver import look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.indi.shutter import Shutter
from drivers.indi.stopping import StopLine, stop_line
from drivers.motion import Standstill, turn_deg
from drivers.values import DomeCapabilities, DomeStatus, ShutterState
from drivers.waiting import stopped_by, until

SHUTTER_WITHIN_S: Final = 300.0
TURN_WITHIN_S: Final = 300.0
STOP_WITHIN_S: Final = 30.0
ANSWERS_WITHIN_S: Final = 10.0
EVERY_S: Final = 0.2
LOOK_EVERY_S: Final = 0.25
AGREE_DEG: Final = 0.1
STUCK_S: Final = 5.0
PRESSED_EVERY_S: Final = 1.0

_AZIMUTH: Final = ("ABS_DOME_POSITION", "DOME_ABSOLUTE_POSITION")
_PARK: Final = "DOME_PARK"
_ABORT: Final = "DOME_ABORT_MOTION"
_FOLLOWS: Final = ("DOME_AUTOSYNC", "DOME_AUTOSYNC_DISABLE")
_BUSY_WHILE_MOVING: Final = (_AZIMUTH[0], _PARK, "DOME_MOTION", "DOME_SHUTTER")


@asynccontextmanager
async def indi_dome(
    settings: IndiDevice, *, now: Callable[[], datetime], tolerance_deg: float = 2.0
) -> AsyncGenerator["IndiDome", None]:
    """A connected dome; it has turned where it should if it stands within `tolerance_deg` of it.

    Raises:
        Refused: it can be parked neither nor opened: that is no dome.
    """
    async with connected("dome", settings, needs=(_ABORT,)) as link:
        seen_s = 2.5 * await look_often(link, every_s=LOOK_EVERY_S)
        needs = [prop for prop in (_ABORT, *_BUSY_WHILE_MOVING) if link.has(prop)]
        async with stop_line(link, settings, needs=needs) as line:
            yield IndiDome(link, line, now=now, tolerance_deg=tolerance_deg, seen_s=seen_s)


class IndiDome:
    """A dome or a roof.

    Opening and parking are stopped when they are cancelled; parking goes on when only a reading is lost. A shutter
    that closes goes on in either case.
    """

    def __init__(
        self, link: Link, line: StopLine, *, now: Callable[[], datetime], tolerance_deg: float, seen_s: float
    ) -> None:
        self._link = link
        self._line = line
        self._shutter = Shutter.of(link)
        self._now = now
        self._tolerance_deg = tolerance_deg
        self._seen_s = seen_s
        self._under_way = False  # told to move, and neither seen where it should be nor seen to stand after a stop
        self.name = link.name
        self.capabilities = DomeCapabilities(
            can_set_azimuth=link.has(*_AZIMUTH),
            can_set_shutter=self._shutter is not None,
            can_park=link.has(_PARK, "PARK"),
        )

    async def status(self) -> DomeStatus:
        """A shutter whose state the dome does not know is in ERROR: that is no proof of anything."""
        return DomeStatus(
            shutter=ShutterState.ERROR if self._shutter is None else self._shutter.state(),
            azimuth_deg=_azimuth_deg(self._link) if self.capabilities.can_set_azimuth else None,
            moving=_moving(self._link),
            read_at=self._now(),
        )

    async def open(self) -> None:
        async with stopped_by(self.abort, device=self.name):
            await self._move_shutter(ShutterState.OPEN)

    async def close(self) -> None:
        await self._move_shutter(ShutterState.CLOSED)

    async def slew_to(self, azimuth_deg: float) -> None:
        """Turn. A parked dome is not unparked for it: some open their shutter when they are."""
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
            if _moving(self._link):
                return False
            here_deg = _azimuth_deg(self._link)
            stood_s = standstill.seconds(here_deg)
            near = turn_deg(here_deg, goal_deg) <= self._tolerance_deg
            return stood_s >= (self._seen_s if near else max(STUCK_S, self._seen_s))

        if self._parked():
            raise Refused(self.name, doing, "it is parked; opening it unparks it")
        async with stopped_by(self.abort, device=self.name):
            await self._lead()
            self._under_way = True
            await self._link.set_numbers(
                _AZIMUTH[0], {_AZIMUTH[1]: goal_deg}, within_s=ANSWERS_WITHIN_S, finished=False
            )
            await until(arrived, device=self.name, doing=doing, within_s=TURN_WITHIN_S, every_s=EVERY_S)
            self._under_way = False
            off_deg = turn_deg(here_deg, goal_deg)
            if off_deg > self._tolerance_deg:
                raise Malfunction(self.name, doing, f"stands at {here_deg:.1f}°, {off_deg:.1f}° away")

    async def park(self) -> None:
        """A roof is parked by closing it."""
        if not self.capabilities.can_park:
            raise Refused(self.name, "park", "this dome cannot park")
        standstill = Standstill[float](turn_deg, agree=AGREE_DEG)

        async def parked() -> bool:
            if self._link.state(_PARK) is PropertyState.ALERT:
                raise Malfunction(self.name, "park", "its driver reports an alert; look at it")
            stood_s = standstill.seconds(_azimuth_deg(self._link) if self.capabilities.can_set_azimuth else 0.0)
            return self._parked() and not _moving(self._link) and stood_s >= self._seen_s

        async with stopped_by(self.abort, device=self.name, also_on_errors=False):
            if not self._parked():
                self._under_way = True
                await self._link.choose(_PARK, "PARK", within_s=ANSWERS_WITHIN_S, finished=False)
            await until(parked, device=self.name, doing="park", within_s=TURN_WITHIN_S, every_s=EVERY_S)
            self._under_way = False

    async def abort(self) -> None:
        """A dome at rest is not told: one that is parked would forget that it is. One seen moving is, each second.

        One that was told to move is told to stop whatever it says: the command may still be on its way, and late
        words on the one before look like its answer.
        """
        standstill = Standstill[float](turn_deg, agree=AGREE_DEG)
        line = self._line.link
        pressed_s = -math.inf

        async def standing() -> bool:
            nonlocal pressed_s
            if _moving(line):
                if anyio.current_time() - pressed_s >= PRESSED_EVERY_S:
                    await self._line.press(_ABORT)
                    pressed_s = anyio.current_time()
                return False
            here_deg = _azimuth_deg(line) if self.capabilities.can_set_azimuth else 0.0
            return standstill.seconds(here_deg) >= self._seen_s

        if self._under_way:
            await self._line.press(_ABORT)
        await until(standing, device=self.name, doing="abort", within_s=STOP_WITHIN_S, every_s=EVERY_S)
        self._under_way = False
        await self._line.until_known(lambda: not _moving(self._link))

    async def _move_shutter(self, wanted: ShutterState) -> None:
        doing = "open" if wanted is ShutterState.OPEN else "close"
        shutter = self._shutter
        if shutter is None:
            raise Refused(self.name, doing, "its shutter is not moved by its driver")
        standstill = Standstill[ShutterState](lambda one, other: float(one is not other), agree=0.0)

        async def there() -> bool:
            state = shutter.state()
            stood_s = standstill.seconds(state)
            if stood_s > STUCK_S and not _moving(self._link) and state is not wanted:
                raise Malfunction(self.name, doing, f"said yes, and its shutter is in the state {state}; look at it")
            return state is wanted and not _moving(self._link) and stood_s >= self._seen_s

        if wanted is ShutterState.OPEN and self.capabilities.can_set_azimuth:
            await self._unpark()
        if shutter.state() is not wanted:
            self._under_way = True
            await shutter.move(wanted, within_s=ANSWERS_WITHIN_S)
        await until(there, device=self.name, doing=doing, within_s=SHUTTER_WITHIN_S, every_s=EVERY_S)
        self._under_way = False

    async def _lead(self) -> None:
        """A dome that follows the mount by itself refuses to be led."""
        if self._link.has(*_FOLLOWS) and not self._link.switch(*_FOLLOWS):
            await self._link.choose(*_FOLLOWS, within_s=ANSWERS_WITHIN_S, finished=False)

    async def _unpark(self) -> None:
        """A parked dome refuses to move at all."""

        async def unparked() -> bool:
            return not self._parked() and not _moving(self._link)

        if self._parked():
            self._under_way = True
            await self._link.choose(_PARK, "UNPARK", within_s=ANSWERS_WITHIN_S, finished=False)
            await until(unparked, device=self.name, doing="unpark", within_s=SHUTTER_WITHIN_S, every_s=EVERY_S)

    def _parked(self) -> bool:
        link = self._link
        return link.has(_PARK, "PARK") and link.switch(_PARK, "PARK") and link.state(_PARK) is not PropertyState.BUSY


def _moving(link: Link) -> bool:
    busy = (one for one in _BUSY_WHILE_MOVING if link.has(one))
    return any(link.state(one) is PropertyState.BUSY for one in busy)


def _azimuth_deg(link: Link) -> float:
    azimuth_deg = link.number(*_AZIMUTH)
    if not 0.0 <= azimuth_deg <= 360.0:
        raise Malfunction(link.name, "read its azimuth", f"says {azimuth_deg}°, which is not within 0° to 360°")
    return azimuth_deg % 360.0
