"""Rotator, and cover with its light, behind their protocols, without a network."""

import math
from collections.abc import Callable
from datetime import datetime

from drivers.accessories import (
    CoverCalibratorCapabilities,
    CoverCalibratorStatus,
    CoverState,
    LightState,
    RotatorCapabilities,
    RotatorStatus,
)
from drivers.errors import Malfunction, Refused
from simulators.direct.line import Line
from simulators.faults import DeviceFaults
from simulators.physics.cover import Cover
from simulators.physics.mechanics import wrapped
from simulators.physics.rotator import Rotator

TURN_WITHIN_S = 300.0
COVER_WITHIN_S = 120.0
LIGHT_WITHIN_S = 60.0
STAND_WITHIN_S = 15.0
TOLERANCE_DEG = 1.0


class DirectRotator(Line):
    """A camera rotator."""

    def __init__(self, rotator: Rotator, faults: DeviceFaults, now: Callable[[], datetime]) -> None:
        super().__init__("simulated rotator", faults, now)
        self._rotator = rotator
        self.capabilities = RotatorCapabilities(can_sync=True)

    async def status(self) -> RotatorStatus:
        position_deg = await self._call("status", lambda: self._rotator.position_deg)
        return RotatorStatus(position_angle_deg=position_deg, moving=self._rotator.moving, read_at=self.now())

    async def move_to(self, position_angle_deg: float) -> None:
        doing = f"turn to {position_angle_deg:.2f}°"
        goal_deg = self._checked(position_angle_deg, doing)
        async with self._stopped_by(self.abort):
            await self._tell("move", lambda: self._rotator.move_to(goal_deg))
            await self._until(self._stands, doing=doing, within_s=TURN_WITHIN_S)
            here_deg = (await self.status()).position_angle_deg
            off_deg = abs(wrapped(here_deg - goal_deg))
            if off_deg > TOLERANCE_DEG:
                raise Malfunction(self.name, doing, f"stands at {here_deg:.2f}°, {off_deg:.2f}° away")

    async def sync(self, position_angle_deg: float) -> None:
        goal_deg = self._checked(position_angle_deg, f"sync on {position_angle_deg:.2f}°")
        await self._tell("sync", lambda: self._rotator.sync(goal_deg))

    async def abort(self) -> None:
        await self._tell("abort", self._rotator.halt)
        await self._until(self._stands, doing="abort", within_s=STAND_WITHIN_S)

    def _checked(self, angle_deg: float, doing: str) -> float:
        if not math.isfinite(angle_deg):
            raise Refused(self.name, doing, "this angle is no number")
        return angle_deg % 360.0

    async def _stands(self) -> bool:
        return await self._call("status", lambda: not self._rotator.moving)


class DirectCover(Line):
    """A cover, a light panel, or both."""

    def __init__(self, cover: Cover, faults: DeviceFaults, now: Callable[[], datetime]) -> None:
        super().__init__("simulated cover", faults, now)
        self._cover = cover
        settings = cover.settings
        self.capabilities = CoverCalibratorCapabilities(
            has_cover=settings.has_cover,
            has_light=settings.has_light,
            max_brightness=settings.max_brightness if settings.has_light else 0,
        )

    async def status(self) -> CoverCalibratorStatus:
        lid = await self._call("status", self._lid)
        return CoverCalibratorStatus(
            cover=lid if self.capabilities.has_cover else None,
            light=self._light() if self.capabilities.has_light else None,
            brightness=self._cover.brightness,
            read_at=self.now(),
        )

    async def open(self) -> None:
        async with self._stopped_by(self.abort):
            await self._move("open", CoverState.OPEN)

    async def close(self) -> None:
        await self._move("close", CoverState.CLOSED)

    async def light_on(self, brightness: int) -> None:
        doing, most = f"light at {brightness}", self.capabilities.max_brightness
        if not 1 <= brightness <= most:
            raise Refused(self.name, doing, f"its light goes from 1 to {most}")
        await self._tell("light", lambda: self._cover.shine(brightness))
        await self._until_light(LightState.READY, doing)

    async def light_off(self) -> None:
        if not self.capabilities.has_light:
            raise Refused(self.name, "light off", "it has no light")
        await self._tell("light_off", self._cover.darken)
        await self._until_light(LightState.OFF, "light off")

    async def abort(self) -> None:
        async def stands() -> bool:
            return await self._call("status", lambda: not self._cover.moving)

        self._require_cover("abort")
        await self._tell("abort", self._cover.halt)
        await self._until(stands, doing="abort", within_s=STAND_WITHIN_S)

    async def _move(self, deed: str, wanted: CoverState) -> None:
        async def there() -> bool:
            lid = await self._call("status", self._lid)
            if lid is CoverState.UNKNOWN:
                raise Malfunction(self.name, deed, "its lid stands between open and closed")
            return lid is wanted

        self._require_cover(deed)
        await self._tell(deed, lambda: self._cover.move(opening=wanted is CoverState.OPEN))
        await self._until(there, doing=deed, within_s=COVER_WITHIN_S)

    async def _until_light(self, wanted: LightState, doing: str) -> None:
        async def so() -> bool:
            return await self._call("status", self._light) is wanted

        await self._until(so, doing=doing, within_s=LIGHT_WITHIN_S)

    def _lid(self) -> CoverState:
        if self._cover.moving:
            return CoverState.MOVING
        if self._cover.is_open:
            return CoverState.OPEN
        return CoverState.CLOSED if self._cover.is_closed else CoverState.UNKNOWN

    def _light(self) -> LightState:
        if self._cover.changing:
            return LightState.SETTLING
        return LightState.READY if self._cover.lit else LightState.OFF

    def _require_cover(self, doing: str) -> None:
        if not self.capabilities.has_cover:
            raise Refused(self.name, doing, "it has no cover")
