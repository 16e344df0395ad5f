"""Filter wheel, focuser, dome, safety monitor and weather station behind their protocols, without a network."""

from collections.abc import Callable, Mapping
from datetime import datetime

from drivers.errors import Malfunction, Refused
from drivers.values import (
    DomeCapabilities,
    DomeStatus,
    FilterWheelCapabilities,
    FocuserCapabilities,
    FocuserStatus,
    Quantity,
    ShutterState,
)
from simulators.direct.line import Line
from simulators.faults import DeviceFaults
from simulators.physics.dome import Dome
from simulators.physics.filter_wheel import FilterWheel
from simulators.physics.focuser import Focuser
from simulators.physics.weather import Weather

CHANGE_WITHIN_S = 60.0
MOVE_WITHIN_S = 300.0
STAND_WITHIN_S = 30.0


class DirectFilterWheel(Line):
    """A filter wheel. It turns on when a change is cancelled: nothing stops one."""

    def __init__(self, wheel: FilterWheel, faults: DeviceFaults, now: Callable[[], datetime]) -> None:
        super().__init__("simulated filter wheel", faults, now)
        self._wheel = wheel
        filters = wheel.settings.filters
        self.capabilities = FilterWheelCapabilities(
            filter_names=tuple(one.name for one in filters),
            focus_offsets_steps=tuple(one.focus_offset_steps for one in filters),
        )

    async def selected(self) -> str | None:
        slot = await self._call("status", lambda: self._wheel.slot)
        return None if slot is None else self.capabilities.filter_names[slot]

    async def select(self, filter_name: str) -> None:
        doing, names = f"select filter {filter_name!r}", self.capabilities.filter_names
        if filter_name not in names:
            raise Refused(self.name, doing, f"it has {', '.join(names)}")
        wanted = names.index(filter_name)

        async def in_the_beam() -> bool:
            return await self._call("status", lambda: self._wheel.slot == wanted)

        if not await in_the_beam():
            await self._tell("select", lambda: self._wheel.select(wanted))
            await self._until(in_the_beam, doing=doing, within_s=CHANGE_WITHIN_S)


class DirectFocuser(Line):
    """An absolute focuser."""

    def __init__(
        self, focuser: Focuser, air_c: Callable[[datetime], float], faults: DeviceFaults, now: Callable[[], datetime]
    ) -> None:
        super().__init__("simulated focuser", faults, now)
        self._focuser = focuser
        self._air_c = air_c
        settings = focuser.settings
        self.capabilities = FocuserCapabilities(max_position_steps=settings.max_steps, step_size_um=settings.step_um)

    async def status(self) -> FocuserStatus:
        position_steps = await self._call("status", lambda: self._focuser.position_steps)
        return FocuserStatus(
            position_steps=position_steps,
            moving=self._focuser.moving,
            temperature_c=self._air_c(self.now()),
            read_at=self.now(),
        )

    async def move_to(self, position_steps: int) -> None:
        doing, last = f"move to {position_steps}", self.capabilities.max_position_steps
        if not 0 <= position_steps <= last:
            raise Refused(self.name, doing, f"its travel is 0 to {last} steps")
        async with self._stopped_by(self.abort):
            await self._tell("move", lambda: self._focuser.move_to(position_steps))
            await self._until(self._stands, doing=doing, within_s=MOVE_WITHIN_S)

    async def abort(self) -> None:
        await self._tell("abort", self._focuser.halt)
        await self._until(self._stands, doing="abort", within_s=STAND_WITHIN_S)

    async def _stands(self) -> bool:
        return await self._call("status", lambda: not self._focuser.moving)


class DirectDome(Line):
    """A dome that turns."""

    def __init__(self, dome: Dome, faults: DeviceFaults, now: Callable[[], datetime]) -> None:
        super().__init__("simulated dome", faults, now)
        self._dome = dome
        self.capabilities = DomeCapabilities(can_set_azimuth=True, can_set_shutter=True, can_park=True)

    async def status(self) -> DomeStatus:
        shutter = await self._call("status", lambda: self._dome.shutter)
        return DomeStatus(
            shutter=shutter, azimuth_deg=self._dome.azimuth_deg, moving=self._dome.moving, read_at=self.now()
        )

    async def open(self) -> None:
        async with self._stopped_by(self.abort):
            await self._move_shutter("open", ShutterState.OPEN)

    async def close(self) -> None:
        await self._move_shutter("close", ShutterState.CLOSED)

    async def slew_to(self, azimuth_deg: float) -> None:
        async with self._stopped_by(self.abort):
            await self._tell("slew", lambda: self._dome.slew(azimuth_deg))
            await self._until(self._stands, doing=f"turn to {azimuth_deg:.1f}°", within_s=MOVE_WITHIN_S)

    async def park(self) -> None:
        async def parked() -> bool:
            return await self._call("status", lambda: self._dome.stands_at == "park" and not self._dome.moving)

        async with self._stopped_by(self.abort):
            await self._tell("park", lambda: self._dome.slew(self._dome.park_azimuth_deg, to="park"))
            await self._until(parked, doing="park", within_s=MOVE_WITHIN_S)

    async def abort(self) -> None:
        await self._tell("abort", self._dome.abort)
        await self._until(self._stands, doing="abort", within_s=STAND_WITHIN_S)

    async def _move_shutter(self, deed: str, wanted: ShutterState) -> None:
        async def there() -> bool:
            shutter = await self._call("status", lambda: self._dome.shutter)
            if shutter is ShutterState.ERROR:
                raise Malfunction(self.name, deed, "its shutter stands between open and closed")
            return shutter is wanted

        await self._tell(deed, lambda: self._dome.move_shutter(opening=wanted is ShutterState.OPEN))
        await self._until(there, doing=deed, within_s=MOVE_WITHIN_S)

    async def _stands(self) -> bool:
        return await self._call("status", lambda: not self._dome.moving)


class DirectSafetyMonitor(Line):
    """Says what the simulated weather comes to."""

    def __init__(self, weather: Weather, faults: DeviceFaults, now: Callable[[], datetime]) -> None:
        super().__init__("simulated safety monitor", faults, now)
        self._weather = weather

    async def is_safe(self) -> bool:
        return await self._call("status", lambda: self._weather.is_safe(self.now()))


class DirectConditions(Line):
    """A weather station that measures everything."""

    def __init__(self, weather: Weather, faults: DeviceFaults, now: Callable[[], datetime]) -> None:
        super().__init__("simulated weather station", faults, now)
        self._weather = weather

    async def read(self) -> Mapping[Quantity, float]:
        return await self._call("status", lambda: self._weather.read(self.now()))
