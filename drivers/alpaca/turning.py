"""Turning the mechanical axes of an Alpaca mount at rates (MoveAxis), cheap enough for a loop."""

from drivers.alpaca.axes import AGREE_DEG, EVERY_S, STOP_WITHIN_S, Axes
from drivers.alpaca.link import PRIMARY, SECONDARY, Link
from drivers.errors import Malfunction, TimedOut
from drivers.motion import SIDEREAL_DEG_PER_S, separation_deg
from drivers.values import Equatorial
from drivers.waiting import until

TURNS_WITHIN_S = 3.0
SEEN_DEG = 4.0 * AGREE_DEG  # what an axis must turn in that time for its turning to be seen in a position


class Turning:
    """The speeds the axes were told last. Only what differs is sent, and only the first is looked after.

    After it, whoever steers reads the position anyway, at a few hertz, and sees what the axes do.
    """

    def __init__(self, link: Link, axes: Axes) -> None:
        self._link = link
        self._axes = axes
        self._speeds_deg_s: tuple[float, float] | None = None  # None: they were told nothing

    def forget(self) -> None:
        """Somebody else ended it: a stop, or it is not known how far a command got."""
        self._speeds_deg_s = None

    async def turn(self, primary_deg_per_s: float, secondary_deg_per_s: float, doing: str) -> None:
        """Turn at these speeds, the faster axis first since it moves the telescope more meanwhile.

        Raises:
            Malfunction: it said yes at the first time, and neither its flag nor its position shows a motion.
        """
        before, wanted = self._speeds_deg_s, (primary_deg_per_s, secondary_deg_per_s)
        here = None
        if before is None:
            # An axis told 0 goes back to tracking while the other turns, and some drivers add tracking to the rate.
            await self._axes.switch_tracking(False)
            here = await self._axes.pointing()
        self.forget()
        changes = [
            (axis, speed)
            for axis, speed, was in zip((PRIMARY, SECONDARY), wanted, before or (None, None), strict=True)
            if speed != was
        ]
        changes.sort(key=lambda change: abs(change[1]), reverse=True)
        for axis, speed_deg_per_s in changes:
            await self._link.invoke("MoveAxis", axis, speed_deg_per_s)
        if here is not None:
            await self._require_motion(here, max(map(abs, wanted)), doing)
        self._speeds_deg_s = wanted

    async def end(self) -> None:
        """Turn no more, if it was told to; whether it tracks then is the caller's to set.

        Raises:
            TimedOut: it still says that it moves.
        """
        if self._speeds_deg_s is None:
            return
        await self.turn(0.0, 0.0, "end turning")
        self.forget()

        async def over() -> bool:
            return not await self._link.flag("Slewing")

        await until(over, device=self._link.name, doing="end turning", within_s=STOP_WITHIN_S, every_s=EVERY_S)

    async def _require_motion(self, start: Equatorial, fastest_deg_per_s: float, doing: str) -> None:
        """Slewing is true while MoveAxis turns an axis (ASCOM ITelescope); else the position must change."""
        if (fastest_deg_per_s - SIDEREAL_DEG_PER_S) * TURNS_WITHIN_S < SEEN_DEG:
            return  # too slow to be seen so soon

        async def moved() -> bool:
            return await self._link.flag("Slewing") or separation_deg(start, await self._axes.pointing()) >= SEEN_DEG

        try:
            await until(moved, device=self._link.name, doing=doing, within_s=TURNS_WITHIN_S, every_s=EVERY_S)
        except TimedOut:
            raise Malfunction(self._link.name, doing, "said yes, and its axes do not turn") from None
