"""Is it safe to be open? The worst of all sources, each fresh; silence, nonsense and errors are unsafe."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio

from bridge.clock import Clock
from bridge.config import SafetySettings
from bridge.events import SafetyChanged, Telemetry
from bridge.observing.seats import Seat
from bridge.timekeeping import Timekeeping
from drivers.errors import DeviceError
from drivers.protocols import Dome, ObservingConditions, SafetyMonitor
from drivers.values import DomeStatus, Quantity, ShutterState

# Less than this no instrument measures: a broken one says -999, which is below every limit.
_LEAST: Mapping[Quantity, float] = {
    Quantity.CLOUD_COVER_PERCENT: 0.0,
    Quantity.HUMIDITY_PERCENT: 0.0,
    Quantity.PRESSURE_HPA: 0.0,
    Quantity.RAIN_RATE_MM_H: 0.0,
    Quantity.SKY_BRIGHTNESS_LUX: 0.0,
    Quantity.SEEING_ARCSEC: 0.0,
    Quantity.WIND_GUST_M_S: 0.0,
    Quantity.WIND_SPEED_M_S: 0.0,
    Quantity.DEW_POINT_C: -273.15,
    Quantity.SKY_TEMPERATURE_C: -273.15,
    Quantity.TEMPERATURE_C: -273.15,
}

# Asked, a source gives the reasons why it is unsafe: none where it is safe.
Source = Callable[[], Awaitable[tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Safe only where `reasons` is empty."""

    at: datetime
    reasons: tuple[str, ...]

    @property
    def safe(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What one source said last: why it is unsafe, or nothing."""

    at: datetime
    reasons: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Watch:
    """Asks every source again and again, for as long as it runs, and says what follows.

    A source that was never heard, or not for `stale_s`, is unsafe: the verdict is unsafe until each was heard once.
    """

    sources: Mapping[str, Source]
    settings: SafetySettings
    timekeeping: Timekeeping
    clock: Clock
    telemetry: Telemetry
    _readings: dict[str, _Reading] = field(default_factory=dict, init=False)
    _safe_since: datetime | None = field(default=None, init=False)
    _said: frozenset[str] | None = field(default=None, init=False)
    _changed: anyio.Event = field(default_factory=anyio.Event, init=False)

    def verdict(self) -> Verdict:
        """What follows from the readings at this instant. Whoever asks also keeps the memory of the last unsafe one."""
        now = self.clock.now()
        reasons = tuple(reason for said in self._objections(now).values() for reason in said)
        if reasons:
            self._safe_since = None
        elif self._safe_since is None:
            self._safe_since = now
        return Verdict(at=now, reasons=reasons)

    def _objections(self, now: datetime) -> dict[str, tuple[str, ...]]:
        """Who says what against being open; whoever is silent objects."""
        objections = {"clock": self._clock_reasons()}
        for name in self.sources:
            reading = self._readings.get(name)
            if reading is None:
                objections[name] = (f"{name} was not heard yet",)
            elif not abs((now - reading.at).total_seconds()) <= self.settings.stale_s:
                objections[name] = (f"{name} was last heard {(now - reading.at).total_seconds():.0f} s ago",)
            else:
                objections[name] = reading.reasons
        return {name: said for name, said in objections.items() if said}

    async def run(self) -> None:
        """Ask every source each `poll_s`, each at its own pace, until cancelled."""
        async with anyio.create_task_group() as first_round:
            for name, ask in self.sources.items():
                first_round.start_soon(self._ask, name, ask)
        self._tell()
        async with anyio.create_task_group() as askers:
            for name, ask in self.sources.items():
                askers.start_soon(self._keep_asking, name, ask)
            while True:  # silence changes the verdict too, and the clock does
                await anyio.sleep(self.settings.poll_s)
                self._tell()

    async def _keep_asking(self, name: str, ask: Source) -> None:
        while True:
            await anyio.sleep(self.settings.poll_s)
            await self._ask(name, ask)
            self._tell()

    async def until_unsafe(self) -> Verdict:
        """Return as soon as the verdict is not safe."""
        while (verdict := self.verdict()).safe:
            await self._next_word()
        return verdict

    async def until_safe(self, *, for_s: float) -> None:
        """Return when the verdict has been safe for `for_s` without a break."""
        while not self._safe_for(for_s):
            await self._next_word()

    def _safe_for(self, for_s: float) -> bool:
        verdict = self.verdict()
        return (
            verdict.safe and self._safe_since is not None and verdict.at - self._safe_since >= timedelta(seconds=for_s)
        )

    async def _next_word(self) -> None:
        with anyio.move_on_after(self.settings.poll_s):  # where nobody says a word, silence counts
            await self._changed.wait()

    async def _ask(self, name: str, ask: Source) -> None:
        try:
            with anyio.fail_after(self.settings.stale_s):
                reasons = await ask()
        except DeviceError as error:
            reasons = (str(error),)
        except TimeoutError:
            reasons = (f"{name} did not answer within {self.settings.stale_s:g} s",)
        self._readings[name] = _Reading(at=self.clock.now(), reasons=reasons)

    def _tell(self) -> None:
        """Wake who waits, and say the verdict where others object than before; their numbers change all the time."""
        verdict = self.verdict()
        objectors = frozenset(self._objections(verdict.at))
        if objectors != self._said:
            self._said = objectors
            why = "; ".join(verdict.reasons)
            self.telemetry.publish(SafetyChanged(at=verdict.at, safe=verdict.safe, why=why))
        self._changed.set()
        self._changed = anyio.Event()

    def _clock_reasons(self) -> tuple[str, ...]:
        bound = self.timekeeping.bound()
        if bound.error_s is None:
            return (
                f"nobody knows how far the clock is off: {bound.source}; run chrony, or state [safety] clock_error_s",
            )
        if not bound.error_s <= self.settings.max_clock_error_s:
            limit_s = self.settings.max_clock_error_s
            return (f"the clock may be {bound.error_s:.3f} s off by {bound.source}, more than {limit_s} s",)
        return ()


def monitor_source(seat: Seat[SafetyMonitor]) -> Source:
    """The safety monitor's word as a source."""

    async def ask(monitor: SafetyMonitor) -> tuple[str, ...]:
        return () if await monitor.is_safe() else (f"{monitor.name} says unsafe",)

    return lambda: seat.ask(ask)


async def no_monitor_source() -> tuple[str, ...]:
    """A station that asks nobody: unsafe, unless its operator says that this is meant."""
    return (
        "no safety monitor and no weather station is set up; [safety] without_monitor = true says that this is meant",
    )


def conditions_source(seat: Seat[ObservingConditions], at_most: Mapping[Quantity, float]) -> Source:
    """The weather against its limits. A quantity that is not measured has no say; one that is no number is unsafe."""

    async def ask(conditions: ObservingConditions) -> tuple[str, ...]:
        return over_limits(await conditions.read(), at_most)

    return lambda: seat.ask(ask)


def over_limits(measured: Mapping[Quantity, float], at_most: Mapping[Quantity, float]) -> tuple[str, ...]:
    """Which of the measured quantities keep the station closed: above their limits, or nothing that can be measured."""
    reasons = []
    for quantity, limit in at_most.items():
        if quantity not in measured:
            continue
        name, value, least = quantity.replace("_", " "), measured[quantity], _LEAST.get(quantity, -math.inf)
        if not least <= value < math.inf:
            reasons.append(f"{name} is {value:g}, which cannot be; look at the instrument")
        elif value > limit:
            reasons.append(f"{name} is {value:g}, more than {limit:g}")
    return tuple(reasons)


def roof_source(seat: Seat[Dome], saw: Callable[[DomeStatus], None]) -> Source:
    """Looks at the dome each round, so that the gate knows whether it still stands open. A dome in error is unsafe."""

    async def ask(dome: Dome) -> tuple[str, ...]:
        status = await dome.status()
        saw(status)
        return (f"{dome.name} reports a shutter fault",) if status.shutter is ShutterState.ERROR else ()

    return lambda: seat.ask(ask)
