"""The line to a device that is not there: calls that may meet a fault, waits with a deadline, stops that are certain.

It behaves as the drivers do, without sharing a line with them: each call has a deadline, a cancelled caller waits for
the call under way, and what does not end well is stopped.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar

import anyio
import anyio.lowlevel

from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused, TimedOut
from simulators.faults import DeviceFaults, Fault, FaultKind
from simulators.physics.refusals import Reason, Refusal

_T = TypeVar("_T")

CALL_WITHIN_S = 6.0
STOP_WITHIN_S = 45.0
EVERY_S = 0.1

_REFUSED = {
    Reason.NOT_IMPLEMENTED,
    Reason.INVALID_VALUE,
    Reason.VALUE_NOT_SET,
    Reason.PARKED,
    Reason.SLAVED,
    Reason.INVALID_OPERATION,
    Reason.ACTION_NOT_IMPLEMENTED,
}


class Line:
    """One device by its name, as its callers reach it. An async context manager, as every device is."""

    def __init__(self, name: str, faults: DeviceFaults, now: Callable[[], datetime]) -> None:
        self.name = name
        self.now = now
        self._faults = faults

    async def __aenter__(self) -> Self:
        await self._call("connect", lambda: None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The device stays as it is."""

    async def _call(self, deed: str, run: Callable[[], _T]) -> _T:
        """What `run` gives, or the fault that this deed meets.

        Raises:
            DeviceError: refused by the device; or as the script of faults has it.
        """
        return await self._obey(self._faults.on_call(deed), deed, run)

    async def _obey(self, fault: Fault | None, deed: str, run: Callable[[], _T]) -> _T:
        if fault is not None and fault.kind is not FaultKind.IGNORE:
            await self._meet(fault, deed)
        try:
            return run()
        except Refusal as refusal:
            raise self._error(refusal.reason, deed, str(refusal)) from refusal

    async def _tell(self, deed: str, run: Callable[[], None]) -> None:
        """The same for what is only told to do something; a fault may have it ignored."""
        fault = self._faults.on_call(deed)
        if fault is not None and fault.kind is FaultKind.IGNORE:
            return
        await self._obey(fault, deed, run)

    async def _until(self, condition: Callable[[], Awaitable[bool]], *, doing: str, within_s: float) -> None:
        """Ask until it is so.

        Raises:
            TimedOut: it was not within that time.
        """
        with anyio.move_on_after(within_s):
            while not await condition():
                await anyio.sleep(EVERY_S)
            return
        raise TimedOut(self.name, doing, f"not done within {within_s:g} s")

    @asynccontextmanager
    async def _stopped_by(self, abort: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
        """Run the block; if it does not end well, stop the device, shielded from cancellation, then go on unwinding."""
        try:
            yield
        except BaseException as cut_short:
            try:
                with anyio.fail_after(STOP_WITHIN_S, shield=True):
                    await abort()
            except (DeviceError, TimeoutError) as failed:
                if isinstance(cut_short, DeviceError):
                    raise TimedOut(self.name, "abort", str(failed)) from cut_short
                cut_short.add_note(f"and it could not be stopped: {failed}")
            raise

    async def _meet(self, fault: Fault, deed: str) -> None:
        if fault.kind is FaultKind.DROP:
            what = "no connection" if fault.http_status is None else f"HTTP status {fault.http_status}"
            raise ConnectionLost(self.name, deed, what)
        if fault.kind is FaultKind.REFUSE:
            raise self._error(fault.error_number, deed, "refused, as the script of faults has it")
        until = fault.ends if fault.hang_s is None else min(fault.ends, self.now() + timedelta(seconds=fault.hang_s))
        late_s = (until - self.now()).total_seconds()
        with anyio.CancelScope(shield=True):
            await anyio.sleep(min(late_s, CALL_WITHIN_S))
        await anyio.lowlevel.checkpoint()
        if late_s > CALL_WITHIN_S:
            raise TimedOut(self.name, deed, "no answer")

    def _error(self, number: int, deed: str, what: str) -> DeviceError:
        if number in _REFUSED:
            return Refused(self.name, deed, what)
        kind = ConnectionLost if number == Reason.NOT_CONNECTED else Malfunction
        return kind(self.name, deed, what)
