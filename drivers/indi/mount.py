"""A mount behind INDI."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from drivers.accessories import TimeAndPlace
from drivers.config import IndiDevice
from drivers.errors import Malfunction, Refused
from drivers.indi.axes import AGREE_DEG, EVERY_S, MODE, PARK, RATE, SHOW_MOTION, STOP_WITHIN_S, TRACKS, Axes
from drivers.indi.driver import SET_WITHIN_S, driver_of, look_often
from drivers.indi.link import Link, connected
from drivers.indi.properties import PropertyState
from drivers.indi.stopping import StopLine, stop_line, stop_unseen
from drivers.indi.time_and_place import place_of
from drivers.motion import SIDEREAL_DEG_PER_S, Standstill, separation_deg
from drivers.values import (
    ElementLines,
    Equatorial,
    EquatorialSystem,
    MountCapabilities,
    MountKind,
    MountStatus,
    PierSide,
)
from drivers.waiting import stopped_by, until

SLEW_WITHIN_S: Final = 180.0
PARK_WITHIN_S: Final = 180.0
ANSWERS_WITHIN_S: Final = 10.0
ARRIVED_DEG: Final = 0.05  # standing so near to the goal is having arrived
STUCK_S: Final = 3.0  # standing elsewhere for so long is having ended there
IDLE_S: Final = 10.0  # a mount told to park that does not move for so long does not obey
LOOK_EVERY_S: Final = 0.1

_GOTO: Final = "ON_COORD_SET"
_ABORT: Final = "TELESCOPE_ABORT_MOTION"
_SIDE: Final = "TELESCOPE_PIER_SIDE"
_KINDS: Final = {"ALTAZ": MountKind.ALTAZ, "EQ_FORK": MountKind.FORK, "EQ_GEM": MountKind.GERMAN}  # MOUNT_TYPE
_ORDERS: Final = "SAT_TRACKING_STAT"
_ORBIT: Final = ("SAT_TLE_TEXT", "SAT_PASS_WINDOW", _ORDERS)
# Drivers that show TRACK_CUSTOM and do not follow it: without code for it, or on one axis only (read in their source).
_NO_RATES: Final = frozenset(
    {"indi_lx200_10micron", "indi_ieq_telescope", "indi_ioptronv3_telescope", "indi_pmc8_telescope"}
)


@asynccontextmanager
async def indi_mount(
    settings: IndiDevice, *, now: Callable[[], datetime], tolerance_deg: float = 0.5
) -> AsyncGenerator["IndiMount", None]:
    """A connected mount. `now` stamps its readings; a slew that ends further than `tolerance_deg` off is a Malfunction.

    Raises:
        Refused: a mount that cannot slew on its own.
    """
    async with connected("mount", settings, needs=(_GOTO, _ABORT)) as link:
        of_date = link.has("EQUATORIAL_EOD_COORD")
        axes = Axes(
            link,
            EquatorialSystem.APPARENT if of_date else EquatorialSystem.ICRS,
            period_s=await look_often(link, every_s=LOOK_EVERY_S),
        )
        await link.wait_for(axes.place, within_s=ANSWERS_WITHIN_S)
        needs = [prop for prop in (_ABORT, axes.place, *SHOW_MOTION, _ORDERS) if link.has(prop)]
        async with stop_line(link, settings, needs=needs) as line:
            capabilities = _capabilities(link, axes)
            yield IndiMount(link, axes, line, capabilities, now=now, tolerance_deg=tolerance_deg)


async def stop_indi_mount(settings: IndiDevice) -> None:
    """Stop a mount that nobody is connected to: for while connecting it hangs. Nothing is read back.

    Raises:
        ConnectionLost: there is no server, or it does not take it.
    """
    await stop_unseen(settings, ((_ABORT, "ABORT"), (_ORDERS, "SAT_HALT"), (TRACKS, "TRACK_OFF")))


class IndiMount:
    """A telescope mount."""

    def __init__(
        self,
        link: Link,
        axes: Axes,
        line: StopLine,
        capabilities: MountCapabilities,
        *,
        now: Callable[[], datetime],
        tolerance_deg: float,
    ) -> None:
        self._link = link
        self._axes = axes
        self._line = line
        self._stopping = axes.seen_on(line.link)
        self._now = now
        self._tolerance_deg = tolerance_deg
        self.name = link.name
        self.capabilities = capabilities

    async def status(self) -> MountStatus:
        return MountStatus(
            pointing=self._axes.pointing(),
            slewing=self._axes.slewing(),
            tracking=(self._axes.tracking() or _follows_orbit(self._link)) and not self._axes.parked(),
            parked=self._axes.parked(),
            pier_side=self._pier_side(),
            read_at=self._now() - timedelta(seconds=self._axes.pointing_age_s()),
        )

    async def slew(self, to: Equatorial) -> None:
        """Go to `to`; a parked mount is not unparked for it: that is a motion of its own.

        It has arrived when it is busy no more, has been seen twice at one place, and that is near `to` or stays.
        """
        doing = f"slew to {to.ra_deg:.4f}° {to.dec_deg:+.4f}°"
        self._require_own_axes(to, doing)
        standstill = Standstill(separation_deg, agree=AGREE_DEG)

        async def arrived() -> bool:
            if self._axes.slewing():
                return False
            if self._link.state(self._axes.place) is PropertyState.ALERT:
                raise Malfunction(self.name, doing, "its driver reports an alert while it slews")
            pointing = self._axes.pointing()
            stood_s = standstill.seconds(pointing)
            near = separation_deg(pointing, to) <= ARRIVED_DEG
            return stood_s >= (self._axes.seen_s if near else max(STUCK_S, self._axes.seen_s))

        self._require_unparked(doing)
        async with stopped_by(self.abort, device=self.name):
            await self._end_orbit()
            await self._axes.end_rates()
            with suppress(Refused, Malfunction):  # some will not; one that stands ends where the place was when it left
                await self._axes.switch_tracking(True)
            await self._send("TRACK", to)
            await until(arrived, device=self.name, doing=doing, within_s=SLEW_WITHIN_S, every_s=EVERY_S)
            await self._axes.switch_tracking(True)  # most do so by themselves, and some refuse to be told
            self._axes.require_pointing(to, self._tolerance_deg, doing)

    async def track(self, *, ra_deg_per_s: float, dec_deg_per_s: float) -> None:
        doing = f"track at {ra_deg_per_s:+.6f}°/s in right ascension, {dec_deg_per_s:+.6f}°/s in declination"
        if not (math.isfinite(ra_deg_per_s) and math.isfinite(dec_deg_per_s)):
            raise Refused(self.name, doing, "these rates are no numbers")
        self._require_unparked(doing)
        stars = ra_deg_per_s == 0.0 and dec_deg_per_s == 0.0
        if not stars and not self.capabilities.can_set_rates:
            raise Refused(self.name, doing, "this mount tracks stars only; observe with sidereal tracking")
        async with stopped_by(self.abort, device=self.name):
            await self._end_orbit()
            if stars:
                await self._axes.track_sidereally()
            else:
                await self._axes.set_rates(ra_deg_per_s, dec_deg_per_s, doing)

    async def turn_axes(self, *, primary_deg_per_s: float, secondary_deg_per_s: float) -> None:
        doing = f"turn the axes at {primary_deg_per_s:+.6f}°/s, {secondary_deg_per_s:+.6f}°/s"
        raise Refused(self.name, doing, "INDI knows no speeds of axes; use rates")

    async def follow_orbit(self, elements: ElementLines, *, opens: datetime, closes: datetime) -> None:
        doing = f"follow {elements.name}"
        if not self.capabilities.can_follow_orbits:
            raise Refused(self.name, doing, "this mount computes no orbits; use rates")
        self._require_unparked(doing)
        tle, window, _ = _ORBIT
        lines = "\n".join((elements.name, elements.line1, elements.line2))
        span = {f"{window}_START": _utc_text(opens), f"{window}_END": _utc_text(closes)}
        async with stopped_by(self.abort, device=self.name):
            # drivers read back what they made of it: the name alone, or all in one line
            await self._link.set_text(tle, {"TLE": lines}, within_s=SET_WITHIN_S, finished=False)
            await self._link.set_text(window, span, within_s=SET_WITHIN_S)
            await self._link.choose(_ORDERS, "SAT_TRACK", within_s=ANSWERS_WITHIN_S, finished=False)

    async def sync(self, on: Equatorial) -> None:
        doing = f"sync on {on.ra_deg:.4f}° {on.dec_deg:+.4f}°"
        self._require_own_axes(on, doing)
        if not self.capabilities.can_sync:
            raise Refused(self.name, doing, "this mount cannot be synced")
        self._require_unparked(doing)

        async def taken() -> bool:
            return separation_deg(self._axes.pointing(), on) <= ARRIVED_DEG

        await self._send("SYNC", on)
        await until(taken, device=self.name, doing=doing, within_s=ANSWERS_WITHIN_S, every_s=EVERY_S)

    async def stop_tracking(self) -> None:
        await self._end_orbit()
        await self._axes.until_standing("stop tracking")

    async def park(self) -> None:
        """A lost reading does not stop a mount on its way to park; a cancellation does."""
        if not self.capabilities.can_park:
            raise Refused(self.name, "park", "this mount cannot park; stop its tracking instead")
        standstill = Standstill(separation_deg, agree=AGREE_DEG, drift_per_s=SIDEREAL_DEG_PER_S)

        async def parked() -> bool:
            stood_s = standstill.seconds(self._axes.pointing())
            if self._axes.parked() and not self._axes.slewing():
                return stood_s >= self._axes.seen_s
            if self._link.state(PARK) is PropertyState.ALERT:
                raise Malfunction(self.name, "park", "its driver reports an alert; it is not parked")
            if stood_s > IDLE_S and not self._axes.slewing():
                raise Malfunction(
                    self.name, "park", f"said yes, and has not moved for {stood_s:.0f} s; it is not parked"
                )
            return False

        async with stopped_by(self.abort, device=self.name, also_on_errors=False):
            if not self._axes.parked():
                await self._link.choose(PARK, "PARK", within_s=ANSWERS_WITHIN_S, finished=False)
            await until(parked, device=self.name, doing="park", within_s=PARK_WITHIN_S, every_s=EVERY_S)

    async def unpark(self) -> None:
        if not self._axes.parked():
            return

        async def unparked() -> bool:
            return not self._axes.parked() and not self._axes.slewing()

        await self._link.choose(PARK, "UNPARK", within_s=ANSWERS_WITHIN_S, finished=False)
        await until(unparked, device=self.name, doing="unpark", within_s=STOP_WITHIN_S, every_s=EVERY_S)

    async def time_and_place(self) -> TimeAndPlace | None:
        return place_of(self._link, self._now()) if self._link.has("GEOGRAPHIC_COORD", "LAT") else None

    async def abort(self) -> None:
        """A parked mount has nothing to end, and drivers refuse it; whether it stands is read back all the same."""
        if not self._stopping.parked():
            await self._line.press(_ABORT)
        if _follows_orbit(self._line.link):  # which an abort alone need not end: 10micron's driver goes on saying so
            await self._line.press(_ORDERS, "SAT_HALT")
        await self._stopping.until_standing("abort")
        await self._line.until_known(self._axes.at_rest)

    async def _end_orbit(self) -> None:
        if _follows_orbit(self._link):
            await self._link.choose(_ORDERS, "SAT_HALT", within_s=ANSWERS_WITHIN_S, finished=False)

    async def _send(self, what: str, direction: Equatorial) -> None:
        """The place, to be tracked or synced on: which of both is a switch of its own."""
        if self._link.chosen(_GOTO) != what:
            await self._link.choose(_GOTO, what, within_s=SET_WITHIN_S)
        place = {"RA": direction.ra_deg / 15.0, "DEC": direction.dec_deg}
        await self._link.set_numbers(self._axes.place, place, within_s=ANSWERS_WITHIN_S, finished=False)

    def _pier_side(self) -> PierSide:
        if self.capabilities.kind is not MountKind.GERMAN or not self._link.has(_SIDE):
            return PierSide.UNKNOWN
        return {"PIER_EAST": PierSide.EAST, "PIER_WEST": PierSide.WEST}.get(
            self._link.chosen(_SIDE) or "", PierSide.UNKNOWN
        )

    def _require_unparked(self, doing: str) -> None:
        if self._axes.parked():
            raise Refused(self.name, doing, "it is parked; unpark it first")

    def _require_own_axes(self, direction: Equatorial, doing: str) -> None:
        if direction.system is not self.capabilities.system:
            raise Refused(self.name, doing, f"it takes {self.capabilities.system} places, not {direction.system} ones")


def _follows_orbit(link: Link) -> bool:
    return link.has(_ORDERS, "SAT_TRACK") and link.switch(_ORDERS, "SAT_TRACK")


def _capabilities(link: Link, axes: Axes) -> MountCapabilities:
    program = link.text("DRIVER_INFO", "DRIVER_EXEC") if link.has("DRIVER_INFO", "DRIVER_EXEC") else ""
    kind = link.chosen("MOUNT_TYPE") if link.has("MOUNT_TYPE") else None
    return MountCapabilities(
        system=EquatorialSystem.APPARENT if axes.place == "EQUATORIAL_EOD_COORD" else EquatorialSystem.ICRS,
        # unknown: taken as the one with the most to heed, which passes through the meridian by a flip
        kind=_KINDS.get(kind or "", MountKind.GERMAN),
        can_park=link.has(PARK, "PARK"),
        can_set_rates=link.has(MODE, "TRACK_CUSTOM") and link.has(RATE) and program not in _NO_RATES,
        can_sync=link.has(_GOTO, "SYNC"),
        can_home=link.has("TELESCOPE_HOME"),
        can_follow_orbits=all(link.has(prop) for prop in _ORBIT),
        driver=driver_of(link),
    )


def _utc_text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
