"""Follows one target by streamed rates: reads where the mount stands, and tells it how fast to go, again and again.

The rates are those the target will have when the command acts, and what a reading shows to be missing. However it
ends, the mount is let go.
"""

import math
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import anyio

from bridge.calibration.measured import Way
from bridge.clock import Clock
from bridge.observing.belief import Calls
from bridge.observing.gate import NotNow
from bridge.observing.helm import Helm
from bridge.observing.pilot import Pilot, Reading
from bridge.observing.steering import Pair, Steering
from drivers.errors import TimedOut
from drivers.protocols import Mount
from schedules.courses import Course
from schedules.instants import unix_s_of

# Seconds of the night, and at least so many real ones; where the link is slower still, others are served too: it rests
# for so much of the time a tick took.
_EVERY_S = 0.1
_EVERY_REAL_S = 0.02
_REST_SHARE = 0.5
# A reading or a command that takes longer (in real seconds) leaves the mount to itself too long.
_CALL_WITHIN_S = 1.0
# It follows once so many readings in a row lie so near the target.
_SETTLED_ARCSEC = 2.0
_SETTLED_READINGS = 3
# A reading is doubted by so many standard deviations of how unsure its instant is.
_DOUBTS = 2.0
# So much of the last measured duration counts in the running mean.
_FRESH = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """How far the mount's own readings were from the target while a frame was exposed."""

    way: Way
    rms_arcsec: float
    median_arcsec: float
    worst_arcsec: float
    readings: int


class LostTarget(Exception):
    """The mount does not keep to the target by this way. `again`: the way is good, and may be taken again later."""

    def __init__(self, way: Way, why: str, *, again: bool = False) -> None:
        super().__init__(f"{way}: {why}")
        self.way = way
        self.again = again


@dataclass(slots=True, kw_only=True)
class Follower:
    """Keeps one mount on one course. `patience` is how many seconds of the loop pass in a real one."""

    mount: Mount
    helm: Helm
    steering: Steering
    course: Course
    clock: Clock
    patience: float
    lost_beyond_arcsec: float
    settled: anyio.Event = field(default_factory=anyio.Event, init=False)
    let_go: bool = field(default=False, init=False)
    _offs: list[tuple[float, float]] = field(default_factory=list, init=False)
    _near: int = field(default=0, init=False)
    _tick_s: float = field(default=_EVERY_S, init=False)
    _command_s: float = field(default=0.0, init=False)
    _commands: Calls = field(default_factory=Calls, init=False)
    _calls: Calls = field(default_factory=Calls, init=False)
    _overslept_s: float = field(default=0.0, init=False)

    async def run(self) -> None:
        """Follow until cancelled, or until the gate has not looked further; the mount is let go whatever ends it.

        Raises:
            LostTarget: the mount had settled on the target, and is further from it than `lost_beyond_arcsec`.
            DeviceError: as the mount says; one that cannot be let go as well.
        """
        pilot = Pilot(
            fastest_deg_s=(self.steering.axes[0].fastest_deg_s, self.steering.axes[1].fastest_deg_s),
            acceleration_deg_s2=(self.steering.axes[0].acceleration_deg_s2, self.steering.axes[1].acceleration_deg_s2),
            last=self.steering.resting(),
        )
        try:
            with suppress(NotNow):  # it may come to be too late amid a tick
                await self._keep_following(pilot)
        finally:
            self.let_go = True
            with anyio.CancelScope(shield=True):
                await self.helm.let_go()

    async def _keep_following(self, pilot: Pilot) -> None:
        every_s = max(_EVERY_S, _EVERY_REAL_S * self.patience)
        while self.clock.now() <= self.helm.until:
            began_s = anyio.current_time()
            with anyio.move_on_after(_CALL_WITHIN_S * self.patience) as scope:
                await self._tick(pilot)
            if scope.cancelled_caught:
                raise TimedOut(self.mount.name, "follow a target", f"no answer within {_CALL_WITHIN_S:g} s")
            took_s = anyio.current_time() - began_s
            rest_s = max(every_s - took_s, _REST_SHARE * took_s)
            await anyio.sleep(rest_s)
            self._overslept_s = anyio.current_time() - began_s - took_s - rest_s
            self._tick_s += _FRESH * (anyio.current_time() - began_s - self._tick_s)

    def residual(self, begins_s: float, ends_s: float) -> Residual | None:
        """Over an exposure (seconds since 1970); None where nothing was read meanwhile."""
        offs = [off for at_s, off in self._offs if begins_s <= at_s <= ends_s]
        if not offs:
            return None
        rms_arcsec = math.sqrt(sum(off * off for off in offs) / len(offs))
        return Residual(
            way=self.steering.way,
            rms_arcsec=rms_arcsec,
            median_arcsec=median(offs),
            worst_arcsec=max(offs),
            readings=len(offs),
        )

    @property
    def off_arcsec(self) -> float:
        """How far the last reading was from the target; infinite before the first."""
        return self._offs[-1][1] if self._offs else math.inf

    async def _tick(self, pilot: Pilot) -> None:
        asked_s = anyio.current_time()
        status = await self.mount.status()
        # a computer that wakes late has also heard late what came meanwhile
        took_s = anyio.current_time() - asked_s + self._overslept_s
        unsure_s = self._calls.unsure_s(took_s)
        read_s = unix_s_of(status.read_at) - self.steering.reading_age_s
        bearing = self.course.at(read_s)
        off_deg = missing_deg = self.steering.off_deg(bearing, status.pointing)
        if self.steering.way is not Way.ORBIT:
            ahead_deg = self.steering.error(bearing, status.pointing)
            await self._steer(pilot, ahead_deg, read_s, unsure_s)
            missing_deg = self.steering.length_deg(bearing, pilot.missing_deg)
        if self._calls.usual(took_s):
            doubt_deg = _DOUBTS * self.steering.gone_deg(self.course, read_s, unsure_s)
            self._note(read_s, off_deg * 3600.0, missing_deg * 3600.0, doubt_deg * 3600.0)

    async def _steer(self, pilot: Pilot, ahead_deg: Pair, read_s: float, unsure_s: float) -> None:
        now_s = unix_s_of(self.clock.now())
        latency_s = self._command_s if self.steering.latency_s is None else self.steering.latency_s
        first_deg_s, second_deg_s = self.steering.rates(self.course, read_s, read_s + self._tick_s)
        reading = Reading(
            ahead_deg=ahead_deg, at_s=read_s, unsure_deg=(abs(first_deg_s) * unsure_s, abs(second_deg_s) * unsure_s)
        )
        moves = partial(self.steering.moves, self.course)
        rates = pilot.steer(moves, reading, now_s=now_s, latency_s=latency_s, tick_s=self._tick_s)
        asked_s = anyio.current_time()
        await self.helm.steer(self.steering.told(rates))
        took_s = anyio.current_time() - asked_s
        self._command_s += _FRESH * (took_s - self._command_s)
        pilot.acts_later(self._commands.late_s(took_s) / 2.0)

    def _note(self, at_s: float, off_arcsec: float, missing_arcsec: float, doubt_arcsec: float) -> None:
        self._offs.append((at_s, off_arcsec))
        self._near = (
            self._near + 1 if missing_arcsec <= _SETTLED_ARCSEC and off_arcsec <= _SETTLED_ARCSEC + doubt_arcsec else 0
        )
        if self._near >= _SETTLED_READINGS:
            self.settled.set()
        if self.settled.is_set() and not off_arcsec - doubt_arcsec <= self.lost_beyond_arcsec:
            raise LostTarget(self.steering.way, f"{off_arcsec:.0f}″ off the target it was on")
