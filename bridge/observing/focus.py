"""The focus goes along with the filters: each wants the focuser so many steps from where another does."""

import math
from dataclasses import dataclass, field

import anyio

from bridge.clock import Clock
from bridge.events import DeviceFault, StationNote, Telemetry
from bridge.observing.seats import Seat
from drivers.errors import DeviceError
from drivers.protocols import Focuser

# A focuser that does not come to an end may delay one slew, and the next only after a while.
_WITHIN_S = 60.0
_TRY_AGAIN_S = 600.0


@dataclass(slots=True, kw_only=True)
class Focus:
    """Moves the focuser by what the offsets of two filters differ (steps, as the wheel names them).

    Where it stands when the station starts is taken for right for the filter in the beam then. A focuser that fails
    costs sharpness and no frame: it is said, and tried again. `patience` is how many seconds of the loop pass in a real
    one.
    """

    seat: Seat[Focuser]
    clock: Clock
    telemetry: Telemetry
    patience: float = 1.0
    _suits_steps: int | None = field(default=None, init=False)
    # Where an offset of 0 is sharp; known while a move is under way, or has failed.
    _zero_steps: int | None = field(default=None, init=False)
    _not_before_s: float = field(default=-math.inf, init=False)  # loop time
    _failed: bool = field(default=False, init=False)

    def suits(self, offset_steps: int) -> None:
        """A filter of this offset is in the beam. Only the first word counts: later ones may not have been followed."""
        if self._suits_steps is None:
            self._suits_steps = offset_steps

    async def suit(self, offset_steps: int) -> None:
        """Have it stand for a filter of this offset, which comes into the beam."""
        self.suits(offset_steps)
        stands_right = self._zero_steps is None and self._suits_steps == offset_steps
        if stands_right or anyio.current_time() < self._not_before_s:
            return
        try:
            with anyio.fail_after(_WITHIN_S * self.patience):
                await self.seat.ask(lambda focuser: self._move(focuser, offset_steps))
        except (DeviceError, TimeoutError) as error:
            self._not_before_s = anyio.current_time() + _TRY_AGAIN_S
            self._say_failed(str(error) or f"not there within {_WITHIN_S:g} s")
        else:
            self._say_well()

    async def _move(self, focuser: Focuser, offset_steps: int) -> None:
        if self._zero_steps is None:
            self._zero_steps = (await focuser.status()).position_steps - (self._suits_steps or 0)
        await focuser.move_to(self._zero_steps + offset_steps)
        self._suits_steps, self._zero_steps = offset_steps, None

    def _say_failed(self, why: str) -> None:
        if not self._failed:
            self._failed = True
            what = f"{why}; frames are taken as sharp as they are"
            fault = DeviceFault(at=self.clock.now(), device=self.seat.name, doing="follow the filter", what=what)
            self.telemetry.publish(fault)

    def _say_well(self) -> None:
        if self._failed:
            self._failed = False
            what = f"{self.seat.name}: the focus goes along with the filters again"
            self.telemetry.publish(StationNote(at=self.clock.now(), what=what))
