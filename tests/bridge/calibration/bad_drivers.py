"""Mounts whose drivers do something else than they are told, around one that obeys."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import anyio

from drivers.errors import Refused
from drivers.protocols import Mount
from drivers.values import ElementLines, Equatorial, MountCapabilities, MountStatus, PierSide

Law = tuple[float, float]
AS_TOLD: Law = (1.0, 0.0)
IGNORED: Law = (0.0, 0.0)
_LATE_S = 0.2


@dataclass
class BadDriver:
    """A mount behind a driver: moved = factor × told + offset, for each axis of each way. `told` is all it was told.

    `late_every`: each reading of so many comes 0.2 s late, and is said to be of when it came. `dec_turns_over`: on the
    western side of the pier its declination rate goes the other way, as INDI's simulator's.
    """

    mount: Mount
    axes: tuple[Law, Law] = (AS_TOLD, AS_TOLD)
    rates: tuple[Law, Law] = (AS_TOLD, AS_TOLD)
    swapped: bool = False
    sides_untold: bool = False
    dec_turns_over: bool = False
    late_every: int = 0
    fastest_rate_deg_s: float = 100.0
    told: list[tuple[float, float]] = field(default_factory=list)
    _readings: int = field(default=0, init=False)

    @property
    def name(self) -> str:
        return self.mount.name

    @property
    def capabilities(self) -> MountCapabilities:
        return self.mount.capabilities

    async def status(self) -> MountStatus:
        status = await self.mount.status()
        self._readings += 1
        if self.late_every and self._readings % self.late_every == 0:
            await anyio.sleep(_LATE_S)
            status = replace(status, read_at=status.read_at + timedelta(seconds=_LATE_S))
        return replace(status, pier_side=PierSide.UNKNOWN) if self.sides_untold else status

    async def track(self, *, ra_deg_per_s: float, dec_deg_per_s: float) -> None:
        if max(abs(ra_deg_per_s), abs(dec_deg_per_s)) > self.fastest_rate_deg_s:
            raise Refused(self.name, "track", f"rates are limited to {self.fastest_rate_deg_s}°/s")
        self.told.append((ra_deg_per_s, dec_deg_per_s))
        ra, dec = _obeyed(self.rates, ra_deg_per_s, dec_deg_per_s)
        if self.dec_turns_over and (await self.mount.status()).pier_side is PierSide.WEST:
            dec = -dec
        await self.mount.track(ra_deg_per_s=ra, dec_deg_per_s=dec)

    async def turn_axes(self, *, primary_deg_per_s: float, secondary_deg_per_s: float) -> None:
        self.told.append((primary_deg_per_s, secondary_deg_per_s))
        first, second = _obeyed(self.axes, primary_deg_per_s, secondary_deg_per_s)
        if self.swapped:
            first, second = second, first
        await self.mount.turn_axes(primary_deg_per_s=first, secondary_deg_per_s=second)

    async def follow_orbit(self, elements: ElementLines, *, opens: datetime, closes: datetime) -> None:
        await self.mount.follow_orbit(elements, opens=opens, closes=closes)

    async def slew(self, to: Equatorial) -> None:
        await self.mount.slew(to)

    async def sync(self, on: Equatorial) -> None:
        await self.mount.sync(on)

    async def stop_tracking(self) -> None:
        await self.mount.stop_tracking()

    async def park(self) -> None:
        await self.mount.park()

    async def unpark(self) -> None:
        await self.mount.unpark()

    async def abort(self) -> None:
        await self.mount.abort()

    async def time_and_place(self) -> Any:
        return await self.mount.time_and_place()


def _obeyed(laws: tuple[Law, Law], first: float, second: float) -> tuple[float, float]:
    """What each axis does; told 0 it follows the stars, whatever the law."""
    one, two = (
        0.0 if told == 0.0 else factor * told + offset
        for (factor, offset), told in zip(laws, (first, second), strict=True)
    )
    return one, two
