"""A mount behind Alpaca (ITelescope)."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from drivers.accessories import TimeAndPlace
from drivers.alpaca.axes import AGREE_DEG, EVERY_S, Axes
from drivers.alpaca.connecting import connected, stop_line
from drivers.alpaca.link import PRIMARY, SECONDARY, Link, Role, optional
from drivers.alpaca.parking import park, unpark
from drivers.alpaca.stopping import send_stops
from drivers.alpaca.time_and_place import AlpacaTimeAndPlace
from drivers.alpaca.turning import Turning
from drivers.config import AlpacaDevice
from drivers.errors import Malfunction, Refused
from drivers.motion import Standstill, separation_deg
from drivers.values import (
    AxisSpeeds,
    ElementLines,
    Equatorial,
    EquatorialSystem,
    MountCapabilities,
    MountKind,
    MountStatus,
    PierSide,
)
from drivers.waiting import stopped_by, until

SLEW_WITHIN_S = 180.0
ARRIVED_DEG = 0.05  # standing so near to the goal is having arrived
STUCK_S = 3.0  # standing elsewhere for so long is having ended there
FROZEN_S = 15.0  # a position that is the same for so long is none of a mount that slews

_SYSTEMS = {  # EquatorialCoordinateType
    0: EquatorialSystem.APPARENT,  # "other": the drivers that say so mean what the mount itself shows, which is of date
    1: EquatorialSystem.APPARENT,
    2: EquatorialSystem.ICRS,
}
_KINDS = {0: MountKind.ALTAZ, 1: MountKind.FORK, 2: MountKind.GERMAN}  # AlignmentModes
_PIER_SIDES = {0: PierSide.EAST, 1: PierSide.WEST}


@asynccontextmanager
async def alpaca_mount(
    settings: AlpacaDevice, *, now: Callable[[], datetime], tolerance_deg: float = 0.5
) -> AsyncGenerator["AlpacaMount", None]:
    """A connected mount. `now` stamps its readings; a slew that ends further than `tolerance_deg` off is a Malfunction.

    Raises:
        Refused: a mount that cannot slew on its own, or that works on axes nobody uses (B1950, J2050).
    """
    async with connected(Role.MOUNT, settings) as link, stop_line(link) as stop:
        yield AlpacaMount(link, stop, await _capabilities(link), now=now, tolerance_deg=tolerance_deg)


class AlpacaMount:
    """A telescope mount."""

    def __init__(
        self,
        link: Link,
        stop: Link,
        capabilities: MountCapabilities,
        *,
        now: Callable[[], datetime],
        tolerance_deg: float,
    ) -> None:
        """`stop` is the line of the abort alone."""
        self._link = link
        self._stop = stop
        self._now = now
        self._tolerance_deg = tolerance_deg
        self._axes = Axes(link, capabilities)
        self._turning = Turning(link, self._axes)
        self._brake = Axes(stop, capabilities)
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> MountStatus:
        asked_at = self._now()
        state = await self._link.state()
        pointing = await self._axes.pointing(state)
        read_at = asked_at + (self._now() - asked_at) / 2  # it stood there between question and answer
        pier_side = None
        if self.capabilities.kind is MountKind.GERMAN:
            pier_side = await optional(state.whole("SideOfPier"))
        return MountStatus(
            pointing=pointing,
            slewing=await state.flag("Slewing"),
            tracking=await state.flag("Tracking"),
            parked=await self._axes.parked(state),
            pier_side=PierSide.UNKNOWN if pier_side is None else _PIER_SIDES.get(pier_side, PierSide.UNKNOWN),
            read_at=read_at,
        )

    async def slew(self, to: Equatorial) -> None:
        """Go to `to`; a parked mount is not unparked for it: that is a motion of its own.

        It has arrived when it says so, two readings of its position agree, and they lie near `to` or do not change.
        """
        doing = f"slew to {to.ra_deg:.4f}° {to.dec_deg:+.4f}°"
        self._require_own_axes(to, doing)
        standstill = Standstill(separation_deg, agree=AGREE_DEG)

        async def arrived() -> bool:
            slewing, pointing = await self._link.flag("Slewing"), await self._axes.pointing()
            stood_s, near = standstill.seconds(pointing), separation_deg(pointing, to) <= ARRIVED_DEG
            if slewing and stood_s > FROZEN_S and not near:
                raise Malfunction(
                    self.name, doing, f"says that it slews, and its position is the same for {stood_s:.0f} s"
                )
            return not slewing and stood_s > 0.0 and (near or stood_s >= STUCK_S)

        if await self._axes.parked():
            raise Refused(self.name, doing, "it is parked; unpark it first")
        async with stopped_by(self.abort, device=self.name):
            await self._turning.end()
            await self._axes.track_sidereally()
            await self._link.invoke("SlewToCoordinatesAsync", to.ra_deg / 15.0, to.dec_deg)
            await until(arrived, device=self.name, doing=doing, within_s=SLEW_WITHIN_S, every_s=EVERY_S)
            await self._axes.require_pointing(to, self._tolerance_deg, doing)

    async def track(self, *, ra_deg_per_s: float, dec_deg_per_s: float) -> None:
        doing = f"track at {ra_deg_per_s:+.6f}°/s in right ascension, {dec_deg_per_s:+.6f}°/s in declination"
        if not (math.isfinite(ra_deg_per_s) and math.isfinite(dec_deg_per_s)):
            raise Refused(self.name, doing, "these rates are no numbers")
        if ra_deg_per_s == 0.0 and dec_deg_per_s == 0.0:
            async with stopped_by(self.abort, device=self.name):
                await self._turning.end()
                await self._axes.track_sidereally()
            return
        if not self.capabilities.can_set_rates:
            raise Refused(self.name, doing, "this mount tracks stars only; observe with sidereal tracking")
        async with stopped_by(self.abort, device=self.name):
            await self._turning.end()
            if not self._axes.follow_rates:
                await self._axes.switch_tracking(True)
            await self._axes.set_rates(ra_deg_per_s, dec_deg_per_s, doing)

    async def turn_axes(self, *, primary_deg_per_s: float, secondary_deg_per_s: float) -> None:
        doing = f"turn the axes at {primary_deg_per_s:+.6f}°/s, {secondary_deg_per_s:+.6f}°/s"
        speeds = self.capabilities.axis_speeds
        if speeds is None:
            raise Refused(self.name, doing, "this mount's axes cannot be turned at a rate")
        if not (speeds[0].admit(primary_deg_per_s) and speeds[1].admit(secondary_deg_per_s)):
            fastest = f"{speeds[0].fastest_deg_s:g}°/s and {speeds[1].fastest_deg_s:g}°/s"
            raise Refused(self.name, doing, f"out of what its axes can do (AxisRates: up to {fastest})")
        async with stopped_by(self.abort, device=self.name):
            if primary_deg_per_s != 0.0 or secondary_deg_per_s != 0.0:
                await self._turning.turn(primary_deg_per_s, secondary_deg_per_s, doing)
            else:
                await self._turning.end()
                await self._axes.track_sidereally()

    async def follow_orbit(self, elements: ElementLines, *, opens: datetime, closes: datetime) -> None:
        raise Refused(self.name, f"follow {elements.name}", "Alpaca knows no orbits; use rates")

    async def sync(self, on: Equatorial) -> None:
        doing = f"sync on {on.ra_deg:.4f}° {on.dec_deg:+.4f}°"
        self._require_own_axes(on, doing)
        if not self.capabilities.can_sync:
            raise Refused(self.name, doing, "this mount cannot be synced")
        await self._link.invoke("SyncToCoordinates", on.ra_deg / 15.0, on.dec_deg)
        self._axes.forget_reading()
        await self._axes.require_pointing(on, ARRIVED_DEG, doing)

    async def stop_tracking(self) -> None:
        await self._turning.end()
        await self._axes.switch_tracking(False)
        await self._axes.until_standing("stop tracking")

    async def park(self) -> None:
        """A lost reading does not stop a mount on its way to park; a cancellation does."""
        if not self.capabilities.can_park:
            raise Refused(self.name, "park", "this mount cannot park; stop its tracking instead")
        async with stopped_by(self.abort, device=self.name, also_on_errors=False):
            await self._turning.end()
            await park(self._link, self._axes)

    async def unpark(self) -> None:
        await unpark(self._link, self._axes)

    async def time_and_place(self) -> TimeAndPlace | None:
        if await optional(self._link.number("SiteLatitude")) is None:
            return None
        return await AlpacaTimeAndPlace(self._link, now=self._now).read()

    async def abort(self) -> None:
        self._turning.forget()
        self._axes.forget_rates()
        self._brake.forget_reading()
        await send_stops(self._stop, turns_axes=self.capabilities.axis_speeds is not None)
        await self._brake.until_standing("abort")

    def _require_own_axes(self, direction: Equatorial, doing: str) -> None:
        if direction.system is not self.capabilities.system:
            raise Refused(self.name, doing, f"it takes {self.capabilities.system} places, not {direction.system} ones")


async def _capabilities(link: Link) -> MountCapabilities:
    system = await optional(link.whole("EquatorialSystem")) or 0
    if system not in _SYSTEMS:
        raise Refused(
            link.name, "connect", f"it works on axes of system {system}; set it to J2000 or JNow (topocentric)"
        )
    if not await link.flag("CanSlewAsync"):
        raise Refused(link.name, "connect", "it cannot slew on its own (CanSlewAsync is false)")
    kind = await optional(link.whole("AlignmentMode"))  # alpyca knows 0 to 2 only
    return MountCapabilities(
        system=_SYSTEMS[system],
        # unknown: taken as the one with the most to heed, which passes through the meridian by a flip
        kind=_KINDS[2 if kind is None else kind],
        can_park=await link.flag("CanPark"),
        can_set_rates=await _can_set_rates(link),
        can_sync=await link.flag("CanSync"),
        can_home=await link.flag("CanFindHome"),
        axis_speeds=await _axis_speeds(link),
        driver=await _driver(link),
    )


async def _driver(link: Link) -> str:
    """Name, description and version in the driver's own words, as far as it says them."""
    said = [await optional(link.text(member)) for member in ("Name", "Description", "DriverVersion")]
    return "; ".join(words for words in said if words)


async def _axis_speeds(link: Link) -> tuple[AxisSpeeds, AxisSpeeds] | None:
    """None where an axis cannot be moved, or has only speed 0."""
    speeds = []
    for axis in (PRIMARY, SECONDARY):
        if not await optional(link.flag("CanMoveAxis", axis)):
            return None
        spans = await link.spans("AxisRates", axis)
        if not any(fastest > 0.0 for _, fastest in spans):
            return None
        speeds.append(AxisSpeeds(spans_deg_s=spans))
    return speeds[0], speeds[1]


async def _can_set_rates(link: Link) -> bool:
    for member in ("CanSetRightAscensionRate", "CanSetDeclinationRate"):
        if not await optional(link.flag(member)):
            return False
    # A server that shows the whole sidereal rate, in arcseconds, where an offset belongs (INDI's does) ignores or
    # misunderstands what is set.
    standing_rate = await link.number("RightAscensionRate")
    return not 15.0 <= standing_rate <= 15.1
