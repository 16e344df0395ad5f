"""A simulated mount behind the Mount protocol, without a network."""

import math
from collections.abc import Callable
from datetime import datetime

from drivers.accessories import TimeAndPlace
from drivers.errors import Malfunction, Refused
from drivers.values import AxisSpeeds, ElementLines, Equatorial, MountCapabilities, MountKind, MountStatus, PierSide
from simulators.direct.line import Line
from simulators.faults import DeviceFaults
from simulators.physics.mechanics import wrapped
from simulators.physics.mount import Mount, Pointing
from simulators.sky.rotation import unix_of

SLEW_WITHIN_S = 180.0
PARK_WITHIN_S = 180.0
STAND_WITHIN_S = 30.0
TOLERANCE_DEG = 0.5
_STANDS_DEG_S = 1e-6


class DirectMount(Line):
    """A telescope mount. It must be unparked before it is told to move."""

    def __init__(self, mount: Mount, faults: DeviceFaults, now: Callable[[], datetime]) -> None:
        super().__init__("simulated mount", faults, now)
        self._mount = mount
        self.capabilities = MountCapabilities(
            system=mount.settings.system,
            kind=mount.settings.kind,
            can_park=True,
            can_set_rates=True,
            can_sync=True,
            can_home=True,
            axis_speeds=(_speeds(mount), _speeds(mount)),
            driver="simulated mount 1",
        )

    async def status(self) -> MountStatus:
        pointing = await self._call("status", lambda: self._mount.pointing)
        return MountStatus(
            pointing=self._equatorial(pointing),
            slewing=self._mount.slewing,
            tracking=self._mount.tracking,
            parked=self._mount.parked,
            pier_side=self._pier_side(pointing),
            read_at=self.now(),
        )

    async def slew(self, to: Equatorial) -> None:
        doing = f"slew to {to.ra_deg:.4f}° {to.dec_deg:+.4f}°"
        self._require_own_axes(to, doing)
        await self._require_unparked(doing)
        async with self._stopped_by(self.abort):
            await self._tell("track", self._track_sidereally)
            await self._tell("slew", lambda: self._mount.slew(to.ra_deg, to.dec_deg))
            await self._until(self._arrived, doing=doing, within_s=SLEW_WITHIN_S)
            await self._require_pointing(to, TOLERANCE_DEG, doing)

    async def track(self, *, ra_deg_per_s: float, dec_deg_per_s: float) -> None:
        doing = f"track at {ra_deg_per_s:+.6f}°/s {dec_deg_per_s:+.6f}°/s"
        if not (math.isfinite(ra_deg_per_s) and math.isfinite(dec_deg_per_s)):
            raise Refused(self.name, doing, "these rates are no numbers")
        await self._require_unparked(doing)

        def track() -> None:
            self._mount.set_tracking(True)
            self._mount.set_rates(ra_deg_per_s, dec_deg_per_s)

        async with self._stopped_by(self.abort):
            await self._tell("track", track)

    async def turn_axes(self, *, primary_deg_per_s: float, secondary_deg_per_s: float) -> None:
        doing = f"turn the axes at {primary_deg_per_s:+.6f}°/s {secondary_deg_per_s:+.6f}°/s"
        if not all(_speeds(self._mount).admit(speed) for speed in (primary_deg_per_s, secondary_deg_per_s)):
            raise Refused(self.name, doing, f"its axes turn at {self._mount.settings.top_speed_deg_s:g}°/s at most")
        await self._require_unparked(doing)

        def turn() -> None:
            if not self._mount.tracking:
                self._mount.set_tracking(True)
            self._mount.move_axis(0, primary_deg_per_s)
            self._mount.move_axis(1, secondary_deg_per_s)

        async with self._stopped_by(self.abort):
            await self._tell("move_axis", turn)

    async def follow_orbit(self, elements: ElementLines, *, opens: datetime, closes: datetime) -> None:
        raise Refused(self.name, f"follow {elements.name}", "this mount computes no orbits")

    async def sync(self, on: Equatorial) -> None:
        doing = f"sync on {on.ra_deg:.4f}° {on.dec_deg:+.4f}°"
        self._require_own_axes(on, doing)
        await self._tell("sync", lambda: self._mount.sync(on.ra_deg, on.dec_deg))

    async def stop_tracking(self) -> None:
        await self._tell("track", lambda: self._mount.set_tracking(False))
        await self._until(self._stands, doing="stop tracking", within_s=STAND_WITHIN_S)

    async def park(self) -> None:
        async def parked() -> bool:
            return await self._call("status", lambda: self._mount.parked and not self._mount.slewing)

        async with self._stopped_by(self.abort):
            await self._tell("park", self._mount.park)
            await self._until(parked, doing="park", within_s=PARK_WITHIN_S)

    async def unpark(self) -> None:
        await self._tell("unpark", self._mount.unpark)

    async def time_and_place(self) -> TimeAndPlace | None:
        return None

    async def abort(self) -> None:
        def abort() -> None:
            if not self._mount.parked:
                self._mount.abort()
                self._mount.set_tracking(False)

        await self._tell("abort", abort)
        await self._until(self._stands, doing="abort", within_s=STAND_WITHIN_S)

    def _track_sidereally(self) -> None:
        self._mount.set_tracking(True)
        self._mount.set_rates(0.0, 0.0)

    async def _arrived(self) -> bool:
        return await self._call("status", lambda: not self._mount.slewing)

    async def _stands(self) -> bool:
        def stands() -> bool:
            speeds_deg_s = self._mount.axes.speeds_deg_s(unix_of(self.now()))
            return not self._mount.slewing and max(map(abs, speeds_deg_s)) < _STANDS_DEG_S

        return await self._call("status", stands)

    async def _require_unparked(self, doing: str) -> None:
        if await self._call("status", lambda: self._mount.parked):
            raise Refused(self.name, doing, "it is parked")

    async def _require_pointing(self, at: Equatorial, within_deg: float, doing: str) -> None:
        seen = await self._call("status", lambda: self._mount.pointing)
        across_deg = wrapped(seen.ra_deg - at.ra_deg) * math.cos(math.radians(at.dec_deg))
        off_deg = math.hypot(across_deg, seen.dec_deg - at.dec_deg)
        if off_deg > within_deg:
            raise Malfunction(self.name, doing, f"stands {off_deg:.3f}° away (tolerance {within_deg:g}°)")

    def _require_own_axes(self, direction: Equatorial, doing: str) -> None:
        system = self.capabilities.system
        if direction.system is not system:
            raise Refused(self.name, doing, f"it takes {system} places, not {direction.system} ones")

    def _equatorial(self, pointing: Pointing) -> Equatorial:
        return Equatorial(ra_deg=pointing.ra_deg, dec_deg=pointing.dec_deg, system=self.capabilities.system)

    def _pier_side(self, pointing: Pointing) -> PierSide:
        if self.capabilities.kind is not MountKind.GERMAN:
            return PierSide.UNKNOWN
        return PierSide.WEST if pointing.flipped else PierSide.EAST


def _speeds(mount: Mount) -> AxisSpeeds:
    return AxisSpeeds(spans_deg_s=((0.0, mount.settings.top_speed_deg_s),))
