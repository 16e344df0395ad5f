"""A mount is calibrated: connected, watched over, awake; measured; and left as it was found."""

import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from bridge.assembly import Surroundings, gate_of, watch_of
from bridge.calibration.measured import MountMeasured
from bridge.calibration.prober import Prober
from bridge.calibration.procedure import Procedure
from bridge.connections import Connections
from bridge.observing.gate import Gate, MotionRefused
from bridge.observing.safety import Watch, roof_source
from bridge.observing.seats import Seat
from bridge.observing.together import Deed, until_first
from bridge.seating import safety_sources
from drivers.errors import DeviceError
from drivers.protocols import Mount
from drivers.values import MountCapabilities
from schedules.ephemeris import Ephemeris

# Real seconds until every source of safety has been heard, and to leave the mount as it was found.
_HEARD_WITHIN_S = 30.0
_LEFT_WITHIN_S = 240.0


async def calibrated(
    around: Surroundings, to: Connections, say: Callable[[str], None]
) -> tuple[MountMeasured, MountCapabilities]:
    """Measure the mount. It opens no dome: that stands open already, or the gate lets nothing move.

    Raises:
        MotionRefused: the gate says no, it becomes unsafe meanwhile, or it is told to stop (Ctrl-C, SIGTERM, a terminal
            that is closed).
        DeviceError: the mount fails.
    """
    measured: list[MountMeasured] = []
    async with AsyncExitStack() as stack:
        mount = await stack.enter_async_context(to.mount())
        sources = safety_sources(to, around.settings.safety, stack)
        watch = watch_of(around, sources)
        gate = gate_of(around, Ephemeris(), mount.capabilities, watch, has_dome=to.dome is not None, roof_strikes=False)
        if to.dome is not None:
            dome = Seat("dome", to.dome)
            stack.push_async_callback(dome.leave)
            sources["dome"] = roof_source(dome, gate.saw_roof)

        async def measure() -> None:
            with anyio.move_on_after(_HEARD_WITHIN_S * around.patience):
                await watch.until_safe(for_s=0.0)
            async with _awake(mount, gate, around):
                prober = Prober(mount=mount, gate=gate, clock=around.clock)
                measured.append(await Procedure(prober=prober, clock=around.clock, say=say).run())

        async def measure_while_safe() -> None:
            await until_first(measure, _unsafe_after(watch), _told_to_stop)

        await until_first(watch.run, measure_while_safe)
    return measured[0], mount.capabilities


def _unsafe_after(watch: Watch) -> Deed:
    """Ends with a refusal as soon as what was safe no longer is."""

    async def unsafe() -> None:
        await watch.until_safe(for_s=0.0)
        verdict = await watch.until_unsafe()
        raise MotionRefused(f"broken off, because {'; '.join(verdict.reasons)}")

    return unsafe


async def _told_to_stop() -> None:
    """Ends with a refusal as soon as a person, or the service manager, says so."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as received:
        async for number in received:
            raise MotionRefused(f"broken off, because it was told to stop ({number.name})")


@asynccontextmanager
async def _awake(mount: Mount, gate: Gate, around: Surroundings) -> AsyncGenerator[None, None]:
    """Unparked while the block lasts; afterwards parked again, or standing still as far as it did not track before."""
    found = await mount.status()
    if found.parked:
        gate.saw_parked(found)
        gate.admit_unpark()
        await mount.unpark()
    try:
        yield
    finally:
        with anyio.move_on_after(_LEFT_WITHIN_S * around.patience, shield=True):
            await _left(mount, gate, park=found.parked)


async def _left(mount: Mount, gate: Gate, *, park: bool) -> None:
    try:
        if park:
            gate.admit_park(await mount.status())
            await mount.park()
        else:
            await mount.stop_tracking()
    except (DeviceError, MotionRefused):
        await mount.abort()
        raise
