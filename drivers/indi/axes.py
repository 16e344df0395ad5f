"""The axes of an INDI mount: what they read, and what is set on them.

Readings are what the driver told last; it tells a position only when it has changed, so that a mount that follows the
stars is silent. That the driver lives is known by the answers to commands, and that the server does by the link.
"""

from typing import Final, Self

import anyio

from drivers.errors import Malfunction, Refused
from drivers.indi.driver import SET_WITHIN_S
from drivers.indi.link import Link
from drivers.indi.properties import PropertyState
from drivers.motion import SIDEREAL_DEG_PER_S, Standstill, separation_deg
from drivers.values import Equatorial, EquatorialSystem
from drivers.waiting import until

STOP_WITHIN_S: Final = 30.0
EVERY_S: Final = 0.1
SILENT_S: Final = 2.0  # a driver that has said nothing for so long has nothing new to say
AGREE_DEG: Final = 0.005  # two readings no further apart are one place: coarser than one second of right ascension

PARK: Final = "TELESCOPE_PARK"
TRACKS: Final = "TELESCOPE_TRACK_STATE"
MODE: Final = "TELESCOPE_TRACK_MODE"
RATE: Final = "TELESCOPE_TRACK_RATE"
_MOTIONS: Final = ("TELESCOPE_MOTION_NS", "TELESCOPE_MOTION_WE")
SHOW_MOTION: Final = (PARK, TRACKS, *_MOTIONS)  # where a mount has them

# TRACK_RATE_RA is how fast the hour angle grows, in arcseconds per second: a star's is 15.041067. So a target whose
# right ascension grows wants less. TRACK_RATE_DE is positive to the north on both sides of the pier.
STAR_ARCSEC_PER_S: Final = SIDEREAL_DEG_PER_S * 3600.0


class Axes:
    """What the axes of a mount say and do. Any call may raise any DeviceError."""

    def __init__(self, link: Link, system: EquatorialSystem, *, period_s: float) -> None:
        self._link = link
        self._system = system
        self.place = "EQUATORIAL_EOD_COORD" if system is EquatorialSystem.APPARENT else "EQUATORIAL_COORD"
        self.period_s = period_s
        self.seen_s = 2.5 * period_s  # standing for so long has been seen at least twice

    def seen_on(self, link: Link) -> Self:
        """The same axes, as they are heard of on another connection."""
        return type(self)(link, self._system, period_s=self.period_s)

    def at_rest(self) -> bool:
        """As far as the mount says."""
        return not self.slewing() and (self.parked() or not self.tracking())

    def pointing(self) -> Equatorial:
        hours, dec_deg = self._link.number(self.place, "RA"), self._link.number(self.place, "DEC")
        if not (0.0 <= hours <= 24.0 and -90.0 <= dec_deg <= 90.0):
            raise Malfunction(
                self._link.name,
                "read its position",
                f"says {hours} h {dec_deg}°, which is not within 0 to 24 h and ±90°",
            )
        return Equatorial(ra_deg=hours * 15.0 % 360.0, dec_deg=dec_deg, system=self._system)

    def pointing_age_s(self) -> float:
        """How old the position is at most: had it changed since the driver looked last, it would have said so.

        One that moves through the coordinates changes all the time: what was not said anew is as old as it was heard.
        """
        moves = self.slewing() or (self._link.has(MODE, "TRACK_CUSTOM") and self._link.switch(MODE, "TRACK_CUSTOM"))
        longest_s = SILENT_S if moves else self.period_s
        return min(max(anyio.current_time() - self._link.heard_s(self.place), 0.0), longest_s)

    def slewing(self) -> bool:
        busy = (one for one in (self.place, PARK, *_MOTIONS) if self._link.has(one))
        return any(self._link.state(one) is PropertyState.BUSY for one in busy)

    def parked(self) -> bool:
        """False on the way there, and where the mount does not know parking."""
        link = self._link
        return link.has(PARK, "PARK") and link.switch(PARK, "PARK") and link.state(PARK) is not PropertyState.BUSY

    def tracking(self) -> bool:
        """A mount that does not say tracks whenever it is not parked."""
        return self._link.switch(TRACKS, "TRACK_ON") if self._link.has(TRACKS) else not self.parked()

    def require_pointing(self, at: Equatorial, within_deg: float, doing: str) -> None:
        pointing = self.pointing()
        off_deg = separation_deg(pointing, at)
        if off_deg > within_deg:
            where = f"{pointing.ra_deg:.4f}° {pointing.dec_deg:+.4f}°"
            raise Malfunction(
                self._link.name,
                doing,
                f"stands at {where}, {off_deg:.3f}° away (tolerance {within_deg:g}°); check clutches and sync",
            )

    async def switch_tracking(self, on: bool) -> None:
        if not self._link.has(TRACKS) or self.tracking() is on:
            return
        # the property stays busy for as long as the mount tracks
        await self._link.choose(TRACKS, "TRACK_ON" if on else "TRACK_OFF", within_s=SET_WITHIN_S, finished=False)
        if self.tracking() is not on:
            raise Malfunction(self._link.name, f"switch tracking {'on' if on else 'off'}", "said yes, and it is not so")

    async def track_sidereally(self) -> None:
        await self.switch_tracking(True)
        await self.end_rates()

    async def end_rates(self) -> None:
        """Back to the stars' rate, where another was set; the mount tracks then.

        A driver hands a way of tracking on to its axes only while it tracks: chosen before, it never acts.
        """
        if self._link.has(MODE) and self._link.chosen(MODE) != "TRACK_SIDEREAL":
            await self.switch_tracking(True)
            await self._link.choose(MODE, "TRACK_SIDEREAL", within_s=SET_WITHIN_S)

    async def set_rates(self, ra_deg_per_s: float, dec_deg_per_s: float, doing: str) -> None:
        """Both at once. An axis that is to turn the other way is stopped first: INDI refuses to reverse a motion."""
        link = self._link
        goal = {"TRACK_RATE_RA": STAR_ARCSEC_PER_S - ra_deg_per_s * 3600.0, "TRACK_RATE_DE": dec_deg_per_s * 3600.0}
        for name, rate in goal.items():
            limits = link.limits(RATE, name)
            if limits is not None and not limits.minimum <= rate <= limits.maximum:
                raise Refused(link.name, doing, f"{name} of {rate:.1f}″/s is beyond its ±{limits.maximum:g}″/s")
        await self.switch_tracking(True)
        custom = link.chosen(MODE) == "TRACK_CUSTOM"
        if custom:
            by_way = {name: 0.0 if link.number(RATE, name) * rate < 0.0 else rate for name, rate in goal.items()}
            if by_way != goal:
                await link.set_numbers(RATE, by_way, within_s=SET_WITHIN_S)
        await link.set_numbers(RATE, goal, within_s=SET_WITHIN_S)
        if not custom:  # the rates stand before they count
            await link.choose(MODE, "TRACK_CUSTOM", within_s=SET_WITHIN_S)

    async def until_standing(self, doing: str) -> None:
        """Tracking is off then: some drivers resume after an abort what they did before a slew, and are told again."""
        standstill = Standstill(separation_deg, agree=AGREE_DEG, drift_per_s=SIDEREAL_DEG_PER_S)

        async def standing() -> bool:
            if self.slewing():
                return False
            if self.tracking() and not self.parked():
                await self.switch_tracking(False)
                return False
            return standstill.seconds(self.pointing()) >= self.seen_s

        await until(standing, device=self._link.name, doing=doing, within_s=STOP_WITHIN_S, every_s=EVERY_S)
