"""The brake: the mount is stopped at once, whatever hangs, unwinds or is being connected anew beside it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from bridge.clock import Clock
from bridge.events import DeviceFault, Telemetry
from bridge.observing.seats import Seat
from drivers.errors import DeviceError
from drivers.protocols import Mount

_AT_ONCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """Stops the mount. `stop_unconnected` reaches it by its address alone, while there is no connection to it."""

    seat: Seat[Mount]
    stop_unconnected: Callable[[], Awaitable[None]] | None
    clock: Clock
    telemetry: Telemetry

    async def stop(self) -> None:
        """End every motion and tracking, and see the mount stand still. A parked mount stays parked.

        Raises:
            ConnectionLost: there is no connection to it; a stop was sent all the same.
            DeviceError: it does not do it, or does not say so.
        """
        if not self.seat.connected and self.stop_unconnected is not None:
            await self.stop_unconnected()
        await self.seat.device.abort()

    async def pulled_at_the_end(self) -> None:
        """Wait until cancelled, and then stop the mount at once.

        What is cancelled at the same time may need long to end: a camera that hangs, a device being connected. The
        mount does not wait for it. What goes wrong is said; putting away follows, stops it again, and sees it stand:
        whoever followed a target may have told the mount meanwhile to follow the stars.
        """
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.move_on_after(_AT_ONCE_S, shield=True):
                try:
                    await self.stop()
                except DeviceError as error:
                    fault = DeviceFault(at=self.clock.now(), device=error.device, doing="stop at once", what=error.what)
                    self.telemetry.publish(fault)
