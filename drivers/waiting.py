"""Waiting for a device, and stopping it when the wait is cut short. The only loops that poll are here.

All durations are on loop time, so they bend with it.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from drivers.errors import DeviceError, TimedOut

_log = logging.getLogger(__name__)

_ENOUGH_LOOKS = 12
STOP_WITHIN_S = 45.0  # longer than any abort's own waits, so that this deadline is the last resort


async def until(
    condition: Callable[[], Awaitable[bool]],
    *,
    device: str,
    doing: str,
    within_s: float,
    every_s: float,
    at_most_every_s: float = 0.0,
) -> None:
    """Ask `condition` at once and then every `every_s` until it says True. What it raises goes through.

    With `at_most_every_s` the looks become rarer, up to that, so that what is waited for is seen within a twentieth of
    the time it took. A reading under way at the deadline is finished first, and comes too late.

    Raises:
        TimedOut: `within_s` is over; names `device` and what it was `doing`.
    """
    began_s = anyio.current_time()
    with anyio.move_on_after(within_s):
        while not await condition():
            rarer_s = min((anyio.current_time() - began_s) / 20.0, at_most_every_s)
            await anyio.sleep(max(every_s, rarer_s))
        return
    raise TimedOut(device, doing, f"not done within {within_s:g} s")


async def until_obeyed(
    condition: Callable[[], Awaitable[bool]],
    *,
    device: str,
    doing: str,
    within_s: float,
    sooner_s: float,
    every_s: float,
) -> None:
    """As `until`, and given up already after `sooner_s` where it was looked at often enough by then.

    On a loop faster than life a device still answers in its own time, and needs all of `within_s`.
    """
    began_s, looks = anyio.current_time(), 0

    async def obeyed() -> bool:
        nonlocal looks
        if await condition():
            return True
        looks += 1
        if looks >= _ENOUGH_LOOKS and anyio.current_time() - began_s >= sooner_s:
            raise TimedOut(device, doing, f"not done within {sooner_s:g} s")
        return False

    await until(obeyed, device=device, doing=doing, within_s=within_s, every_s=every_s)


@asynccontextmanager
async def stopped_by(
    abort: Callable[[], Awaitable[None]],
    *,
    device: str,
    within_s: float = STOP_WITHIN_S,
    also_on_errors: bool = True,
) -> AsyncGenerator[None, None]:
    """Run the block; if it does not end well, stop the device, shielded from cancellation, then go on unwinding.

    With `also_on_errors` False only a cancellation stops the device: for what makes the observatory safer (park,
    close), where a lost reading must not leave it half done.

    Raises:
        DeviceError: the abort failed too; what the block had raised is its `__context__`. A cancellation is never
            replaced: then the failed abort is logged and noted on it, and whoever cancelled must look at the device.
    """
    try:
        yield
    except BaseException as cut_short:
        cancelled = isinstance(cut_short, anyio.get_cancelled_exc_class())
        if not cancelled and (isinstance(cut_short, DeviceError) and not also_on_errors):
            raise
        try:
            await _stop(abort, device, within_s)
        except DeviceError as failed:
            if not cancelled:
                raise
            cut_short.add_note(f"and it could not be stopped: {failed}")
            _log.error("cancelled, and it could not be stopped: %s", failed)
        raise


async def _stop(abort: Callable[[], Awaitable[None]], device: str, within_s: float) -> None:
    with anyio.move_on_after(within_s, shield=True):
        await abort()
        return
    raise TimedOut(device, "abort", f"not done within {within_s:g} s")
