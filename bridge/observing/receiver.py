"""A GPS receiver beside the station, as a clock: it bounds ours where nobody does it better."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from bridge.clock import Clock
from bridge.events import StationNote, Telemetry
from bridge.timekeeping import Timekeeping
from drivers.errors import DeviceError
from drivers.protocols import TimeAndPlaceSource

_READ_EACH_S = 600.0
# After a reading that failed.
_READ_AGAIN_S = 60.0
# Times are told in whole seconds, of a fix that is up to another second old: so late is the middle of what may be.
_TOLD_LATE = timedelta(seconds=1.0)


@dataclass(slots=True, kw_only=True)
class Receiver:
    """Read again and again while the station runs. One that is silent, or has no fix, is said once, and no hindrance.

    `connect` connects it anew each time.
    """

    connect: Callable[[], AbstractAsyncContextManager[TimeAndPlaceSource]]
    timekeeping: Timekeeping
    clock: Clock
    telemetry: Telemetry
    _silent: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            well = await self.read()
            await anyio.sleep(_READ_EACH_S if well else _READ_AGAIN_S)

    async def read(self) -> bool:
        """Take up what its clock says now; False where it says nothing."""
        try:
            async with self.connect() as source:
                told = await source.read()
        except DeviceError as fault:
            if not self._silent:
                self.telemetry.publish(StationNote(at=self.clock.now(), what=str(fault)))
            self._silent = True
            return False
        self._silent = False
        if told.utc is not None:
            late = self.clock.now() - told.read_at
            self.timekeeping.saw_date(told.utc + late + _TOLD_LATE, took_s=0.0, source="GPS receiver")
        return True
