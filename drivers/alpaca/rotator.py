"""A rotator behind Alpaca (IRotator)."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from drivers.accessories import RotatorCapabilities, RotatorStatus
from drivers.alpaca.connecting import connected
from drivers.alpaca.link import Link, Role
from drivers.config import AlpacaDevice
from drivers.errors import Malfunction, Refused
from drivers.motion import Standstill, turn_deg
from drivers.waiting import stopped_by, until

TURN_WITHIN_S = 300.0
STOP_WITHIN_S = 15.0
EVERY_S = 0.2
AGREE_DEG = 0.05
STUCK_S = 3.0
TOLERANCE_DEG = 1.0
SYNCABLE = 3  # the interface version that has Sync


@asynccontextmanager
async def alpaca_rotator(
    settings: AlpacaDevice, *, now: Callable[[], datetime]
) -> AsyncGenerator["AlpacaRotator", None]:
    """A connected rotator."""
    async with connected(Role.ROTATOR, settings) as link:
        capabilities = RotatorCapabilities(can_sync=await link.whole("InterfaceVersion") >= SYNCABLE)
        yield AlpacaRotator(link, capabilities, now=now)


class AlpacaRotator:
    """A camera rotator."""

    def __init__(self, link: Link, capabilities: RotatorCapabilities, *, now: Callable[[], datetime]) -> None:
        self._link = link
        self._now = now
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> RotatorStatus:
        return RotatorStatus(
            position_angle_deg=await self._position_deg(),
            moving=await self._link.flag("IsMoving"),
            read_at=self._now(),
        )

    async def move_to(self, position_angle_deg: float) -> None:
        """Turn; it has arrived when it says so and two readings agree and lie within a degree."""
        doing = f"turn to {position_angle_deg:.2f}°"
        goal_deg = self._checked(position_angle_deg, doing)
        standstill = Standstill(turn_deg, agree=AGREE_DEG)
        here_deg = goal_deg

        async def ended() -> bool:
            nonlocal here_deg
            if await self._link.flag("IsMoving"):
                return False
            here_deg = await self._position_deg()
            stood_s = standstill.seconds(here_deg)
            return stood_s > 0.0 and (turn_deg(here_deg, goal_deg) <= TOLERANCE_DEG or stood_s >= STUCK_S)

        async with stopped_by(self.abort, device=self.name):
            await self._link.invoke("MoveAbsolute", goal_deg)
            await until(ended, device=self.name, doing=doing, within_s=TURN_WITHIN_S, every_s=EVERY_S)
            self._require(here_deg, goal_deg, TOLERANCE_DEG, doing)

    async def sync(self, position_angle_deg: float) -> None:
        doing = f"sync on {position_angle_deg:.2f}°"
        goal_deg = self._checked(position_angle_deg, doing)
        if not self.capabilities.can_sync:
            raise Refused(self.name, doing, "this rotator cannot be synced")
        await self._link.invoke("Sync", goal_deg)
        self._require(await self._position_deg(), goal_deg, AGREE_DEG, doing)

    async def abort(self) -> None:
        standstill = Standstill(turn_deg, agree=AGREE_DEG)

        async def standing() -> bool:
            return not await self._link.flag("IsMoving") and standstill.seconds(await self._position_deg()) > 0.0

        await self._link.invoke("Halt")
        await until(standing, device=self.name, doing="abort", within_s=STOP_WITHIN_S, every_s=EVERY_S)

    def _checked(self, angle_deg: float, doing: str) -> float:
        if not math.isfinite(angle_deg):
            raise Refused(self.name, doing, "this angle is no number")
        return angle_deg % 360.0

    def _require(self, here_deg: float, goal_deg: float, within_deg: float, doing: str) -> None:
        off_deg = turn_deg(here_deg, goal_deg)
        if off_deg > within_deg:
            raise Malfunction(
                self.name, doing, f"stands at {here_deg:.2f}°, {off_deg:.2f}° away; does a cable hold it?"
            )

    async def _position_deg(self) -> float:
        position_deg = await self._link.number("Position")
        if not 0.0 <= position_deg <= 360.0:
            raise Malfunction(self.name, "read its position", f"says {position_deg}°, which is not within 0° to 360°")
        return position_deg % 360.0
