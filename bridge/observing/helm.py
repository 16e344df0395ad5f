"""The door for streamed rates: what the gate has admitted once, until when and how fast; and the end of it."""

from dataclasses import dataclass, field
from datetime import datetime

import anyio

from bridge.calibration.measured import Way
from bridge.clock import Clock
from bridge.observing.gate import MotionRefused, NotNow
from bridge.observing.steering import Pair, Steering
from drivers.errors import ConnectionLost, DeviceError
from drivers.motion import separation_deg
from drivers.protocols import Mount
from drivers.values import ElementLines

# A mount that cannot be reached is told to let go so often, and for so long; then whoever connects it anew does.
_AGAIN_S = 0.25
_LET_GO_WITHIN_S = 10.0
# Braking takes a while; after that it goes with the stars. A target slower than this does no harm for a while.
_SLOW_WITHIN_S = 4.0
_SLOW_DEG_S = 0.05


@dataclass(slots=True, kw_only=True)
class Helm:
    """One mount's rates, while it follows one target. Nothing told passes `bounds_deg_s`, or comes after `until`."""

    mount: Mount
    way: Way
    bounds_deg_s: Pair
    until: datetime
    clock: Clock
    _steered: bool = field(default=False, init=False)

    async def steer(self, told: Pair) -> None:
        """Tell the mount these rates.

        Raises:
            NotNow: later than the gate has looked.
            MotionRefused: no numbers, or too fast.
            DeviceError: as the mount says.
        """
        doing = f"steer at {told[0]:+.5f}°/s {told[1]:+.5f}°/s"
        if not all(abs(rate) <= bound for rate, bound in zip(told, self.bounds_deg_s, strict=True)):
            raise MotionRefused(
                f"{doing}: the bounds are {self.bounds_deg_s[0]:.3g}°/s and {self.bounds_deg_s[1]:.3g}°/s"
            )
        now = self.clock.now()
        if now > self.until:
            raise NotNow(f"{doing}: it is {now:%H:%M:%S}, and the way was looked at until {self.until:%H:%M:%S}")
        self._steered = True
        await self._tell(told)

    async def follow_orbit(self, elements: ElementLines, *, closes: datetime) -> None:
        """Let the mount follow by itself, no longer than the way was looked at."""
        self._steered = True
        await self.mount.follow_orbit(elements, opens=self.clock.now(), closes=min(closes, self.until))

    async def let_go(self) -> None:
        """Have the mount follow the stars again; one that will not is stopped. Always allowed; harmless when repeated.

        Raises:
            DeviceError: neither could be done, or the mount cannot be reached.
        """
        began_s = anyio.current_time()
        while self._steered:
            try:
                await self._let_go_once()
            except ConnectionLost:
                if anyio.current_time() - began_s > _LET_GO_WITHIN_S:
                    raise
                await anyio.sleep(_AGAIN_S)
            else:
                self._steered = False

    async def _let_go_once(self) -> None:
        try:
            status = await self.mount.status()
            if not (status.tracking or status.slewing):
                return  # stopped by someone else meanwhile, who has the last word
            if self.way is Way.ORBIT:
                await self.mount.abort()  # what ends an orbit is each driver's own; this ends anything
            await self._tell((0.0, 0.0))
            obeys = await self._seen_slow()
        except ConnectionLost:
            raise
        except DeviceError:
            obeys = False
        if not obeys:
            await self.mount.abort()

    async def _seen_slow(self) -> bool:
        """Whether two readings in a row show that it no longer runs on; a mount may say yes and go on."""
        began_s = anyio.current_time()
        before = await self.mount.status()
        while True:
            await anyio.sleep(_AGAIN_S)
            after = await self.mount.status()
            apart_s = (after.read_at - before.read_at).total_seconds()
            if apart_s > 0.0 and separation_deg(before.pointing, after.pointing) <= _SLOW_DEG_S * apart_s:
                return True
            if anyio.current_time() - began_s > _SLOW_WITHIN_S:
                return False
            before = after

    async def _tell(self, told: Pair) -> None:
        if self.way is Way.AXES:
            await self.mount.turn_axes(primary_deg_per_s=told[0], secondary_deg_per_s=told[1])
        else:
            await self.mount.track(ra_deg_per_s=told[0], dec_deg_per_s=told[1])


def bounds_of(steering: Steering) -> Pair:
    """The fastest that is ever told, either way; a little more, for rounding."""
    first, second = (
        max(abs(axis.told(sign * axis.fastest_deg_s)) for sign in (-1.0, 1.0)) * 1.001 for axis in steering.axes
    )
    return first, second
