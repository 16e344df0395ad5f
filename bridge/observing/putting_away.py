"""The way down: exposure aborted, mount stopped and cover closed at once, mount parked, dome closed; none skipped."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import anyio

from bridge.clock import Clock
from bridge.events import DeviceFault, MountParked, RoofClosed, StationNote, Telemetry
from bridge.observing.brake import Brake
from bridge.observing.gate import Gate, MotionRefused
from bridge.observing.in_the_beam import cover_up
from bridge.observing.seats import Seats
from drivers.errors import DeviceError, Malfunction, Refused
from drivers.values import ShutterState

# Step by step (reliability.md section 1): each has its own deadline, so that none eats another's time.
_ABORT_WITHIN_S = 10.0
_PARK_WITHIN_S = 180.0
_CLOSE_WITHIN_S = 240.0
_COVER_WITHIN_S = 120.0
_TRIES = 2
# A mount that hangs, or is connected anew again and again, keeps the dome open no longer than it may take to park.
_CLOSING_BEGINS_WITHIN_S = _ABORT_WITHIN_S + _PARK_WITHIN_S
# Beside its motion, a device needs this long of life for its answers.
_ANSWERS_WITHIN_S = 2.0
_ALL_WITHIN_S = 900.0
# In a hurry too this much is left for the dome: a mount that hangs must not keep it open.
_CLOSING_NEEDS_S = 30.0
_TELLING_NEEDS_S = 5.0  # told to close, it goes on by itself
_LEAST_S = 15.0 + _CLOSING_NEEDS_S


@dataclass(slots=True, kw_only=True)
class PuttingAway:
    """Puts the observatory away, as often as asked, one time after the other.

    `reconnect` connects the device of that name anew; `patience` is how many seconds of the loop pass in a real one:
    devices answer in real time.
    """

    seats: Seats
    brake: Brake
    gate: Gate
    clock: Clock
    telemetry: Telemetry
    reconnect: Callable[[str], Awaitable[None]]
    patience: float
    _ends_at_s: float = field(default=math.inf, init=False)  # loop time
    _all: anyio.CancelScope = field(default_factory=anyio.CancelScope, init=False)
    _until_closing: anyio.CancelScope = field(default_factory=anyio.CancelScope, init=False)

    def hurry(self, within_s: float) -> None:
        """From now on everything ends within `within_s`, what is under way included; on a loop that runs faster than
        life a little later, since devices answer in real time.
        """
        self._ends_at_s = anyio.current_time() + within_s + (self.patience - 1.0) * _ANSWERS_WITHIN_S
        self._all.deadline = min(self._all.deadline, self._ends_at_s)
        self._until_closing.deadline = min(self._until_closing.deadline, self._ends_at_s - self._closing_needs_s)

    async def all(self) -> list[str]:
        """Give what did not succeed, in words; nothing where all is put away. Harmless when it is already."""
        faults: list[str] = []
        parks: list[str] = []
        now_s = anyio.current_time()
        ends_at_s = min(now_s + _ALL_WITHIN_S, max(self._ends_at_s, now_s + _LEAST_S))
        with anyio.CancelScope(deadline=ends_at_s, shield=True) as self._all:
            async with anyio.create_task_group() as beside:
                # A camera or a cover that hangs keeps neither the mount moving nor the dome open.
                beside.start_soon(self._step, faults, "abort the exposure", self._abort_exposure, _ABORT_WITHIN_S)
                beside.start_soon(self._step, faults, "close the cover", self._cover_up, _COVER_WITHIN_S)
                beside.start_soon(self._mount_and_dome, faults, parks, ends_at_s)
        if self._all.cancelled_caught:
            faults += [*parks, "put away: not done in time; look at the telescope"]
            self._say_fault("put away", "not done in time; look at the telescope")
        return faults

    async def _mount_and_dome(self, faults: list[str], parks: list[str], ends_at_s: float) -> None:
        """One after the other; what did not succeed is added to `faults`, meanwhile that of the parking to `parks`."""
        refused: list[str] = []
        parked = False
        closes_at_s = anyio.current_time() + _CLOSING_BEGINS_WITHIN_S + 4.0 * self.patience * _ANSWERS_WITHIN_S
        deadline_s = min(ends_at_s - self._closing_needs_s, closes_at_s)
        with anyio.CancelScope(deadline=deadline_s) as self._until_closing:
            await self._step(faults, "stop the mount", self.brake.stop, _ABORT_WITHIN_S)
            parked = await self._step(parks, "park the mount", lambda: self._park_first(refused), _PARK_WITHIN_S)
        if self._until_closing.cancelled_caught:
            parks.append("park the mount: no time was left for it; look at the telescope")
        closes: list[str] = []
        await self._step(closes, "close the dome", self._close, _CLOSE_WITHIN_S)
        if self.seats.dome is not None and (refused or not parked):
            again: list[str] = []
            done = await self._step(again, "park the mount under the dome", self._park, _PARK_WITHIN_S)
            parks[:] = [] if done else [*parks, *again]
            if done and closes:  # a roof that would have struck it before
                closes.clear()
                await self._step(closes, "close the dome", self._close, _CLOSE_WITHIN_S)
        faults += [*closes, *parks]

    @property
    def _closing_needs_s(self) -> float:
        """What is kept for the dome; a roof that waits for the mount to park has nothing from being kept time for."""
        return _TELLING_NEEDS_S if self.gate.limits.roof_strikes else _CLOSING_NEEDS_S

    async def _step(self, faults: list[str], doing: str, deed: Callable[[], Awaitable[None]], within_s: float) -> bool:
        """Try a step twice; a device that failed is connected anew in between. Whether it succeeded."""
        said = ""
        for _ in range(_TRIES):
            try:
                with anyio.fail_after(within_s + self.patience * _ANSWERS_WITHIN_S):
                    await deed()
            except MotionRefused as refusal:
                said = str(refusal)
                break
            except DeviceError as error:
                said = str(error)
                if not isinstance(error, Refused):
                    await self.reconnect(error.device)
            except TimeoutError:
                said = f"not done within {within_s:g} s"
            else:
                return True
        faults.append(f"{doing}: {said}")
        self._say_fault(doing, said)
        return False

    async def _abort_exposure(self) -> None:
        await self.seats.camera.device.abort()

    async def _cover_up(self) -> None:
        if self.seats.cover is not None:
            await cover_up(self.seats.cover.device)

    async def _park_first(self, refused: list[str]) -> None:
        """Park, unless the Sun stands in the way: under a closed dome it does not, and that is no fault."""
        try:
            await self._park()
        except MotionRefused as refusal:
            if self.seats.dome is None or self.gate.limits.roof_strikes:
                raise
            refused.append(str(refusal))
            self.telemetry.publish(StationNote(at=self.clock.now(), what=f"{refusal}: the dome is closed first"))

    async def _park(self) -> None:
        began = self.clock.now()
        mount = self.seats.mount.device
        status = await mount.status()
        if not status.parked and mount.capabilities.can_park:
            if self.gate.limits.roof_strikes and self.seats.dome is not None:
                self.gate.saw_roof(await self.seats.dome.device.status())
            self.gate.admit_park(status)
            await mount.park()
            status = await mount.status()
            if not status.parked:
                raise Malfunction(mount.name, "park", "said yes, and is not parked")
            self.telemetry.publish(MountParked(at=self.clock.now(), took_s=self._since_s(began)))
        self.gate.saw_parked(status)

    async def _close(self) -> None:
        if self.seats.dome is None:
            return
        began = self.clock.now()
        dome = self.seats.dome.device
        status = await dome.status()
        if status.shutter is not ShutterState.CLOSED:
            await self.clear_the_roof()
            await dome.close()
            status = await dome.status()
            if status.shutter is not ShutterState.CLOSED:
                raise Malfunction(dome.name, "close", f"said yes, and its shutter is {status.shutter}")
            self.telemetry.publish(RoofClosed(at=self.clock.now(), took_s=self._since_s(began)))
        self.gate.saw_roof(status)

    async def clear_the_roof(self) -> None:
        """Nothing, where the roof clears the telescope; else hear from the mount that it is parked.

        Raises:
            MotionRefused: it is not. DeviceError: nobody knows.
        """
        if self.gate.limits.roof_strikes:
            self.gate.admit_roof(await self.seats.mount.device.status())

    def _say_fault(self, doing: str, what: str) -> None:
        self.telemetry.publish(DeviceFault(at=self.clock.now(), device="observatory", doing=doing, what=what))

    def _since_s(self, began: datetime) -> float:
        return (self.clock.now() - began).total_seconds()
