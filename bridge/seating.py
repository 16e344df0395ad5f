"""How the telescope's devices are connected when the station starts, and what is made safe meanwhile."""

import math
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import anyio

from bridge.assembly import Surroundings, gate_of, observatory_of, watch_of, would_strike
from bridge.config import SafetySettings
from bridge.connections import Connections
from bridge.events import DeviceFault
from bridge.observing.observatory import Observatory
from bridge.observing.safety import Source, conditions_source, monitor_source, no_monitor_source
from bridge.observing.seats import AnySeat, Seat, Seats
from drivers.errors import DeviceError
from drivers.protocols import Dome, Mount
from drivers.values import ShutterState
from schedules.ephemeris import Ephemeris

_Device = TypeVar("_Device")

_CONNECT_AGAIN_S = 30.0


class Start:
    """A start under way: what it puts away first, and how long it may still take once the programme is told to stop."""

    def __init__(self) -> None:
        self.looked = anyio.Event()
        self._observatories: list[Observatory] = []
        self._ends_s = math.inf

    def has(self, observatory: Observatory) -> None:
        """This one is used from now on."""
        self._observatories.append(observatory)
        if self._ends_s < math.inf:
            observatory.hurry(max(0.0, self._ends_s - anyio.current_time()))

    def hurry(self, within_s: float) -> None:
        """All that is put away from now on ends within `within_s`."""
        self._ends_s = anyio.current_time() + within_s
        for observatory in self._observatories:
            observatory.hurry(within_s)


async def seated(
    to: Connections, around: Surroundings, ephemeris: Ephemeris, stack: AsyncExitStack, started: Start
) -> Seats:
    """Every device of the telescope, connected, however often it takes; `stack` leaves them.

    The mount is stopped as soon as it is there, and what can be put away is, as long as it takes: a station that cannot
    observe is not left moving and open by the programme before this one. `started.looked` is set when what can
    be was put away once, though a device is missing.
    """
    seats = Seats(
        mount=Seat("mount", to.mount),
        camera=Seat("camera", to.camera),
        filter_wheel=None if to.filter_wheel is None else Seat("filter wheel", to.filter_wheel),
        focuser=None if to.focuser is None else Seat("focuser", to.focuser),
        dome=None if to.dome is None else Seat("dome", to.dome),
        rotator=None if to.rotator is None else Seat("rotator", to.rotator),
        cover=None if to.cover is None else Seat("cover", to.cover),
        gps=to.gps,
        stop_mount=to.stop_mount,
    )
    for seat in seats:
        stack.push_async_callback(seat.leave)
    usher = _Usher(around, ephemeris, started)
    while not await usher.all_connected(seats):
        await usher.put_away(seats)
        started.looked.set()
        await anyio.sleep(_CONNECT_AGAIN_S)
    return seats


def safety_sources(to: Connections, safety: SafetySettings, stack: AsyncExitStack) -> dict[str, Source]:
    """Who has a say in safety. They are connected when they are first asked; `stack` leaves them."""
    sources: dict[str, Source] = {}
    if to.safety_monitor is not None:
        monitor = Seat("safety monitor", to.safety_monitor)
        stack.push_async_callback(monitor.leave)
        sources["safety monitor"] = monitor_source(monitor)
    if to.conditions is not None:
        weather = Seat("weather station", to.conditions)
        stack.push_async_callback(weather.leave)
        sources["weather station"] = conditions_source(weather, safety.at_most)
    if not sources and not safety.without_monitor:
        sources["safety monitor"] = no_monitor_source
    return sources


@dataclass(frozen=True, slots=True)
class _Usher:
    around: Surroundings
    ephemeris: Ephemeris
    started: Start

    async def all_connected(self, seats: Seats) -> bool:
        """Try each at the same time: none waits for another. A night does not wait for a focuser."""
        async with anyio.create_task_group() as connecting:
            for seat in seats:
                if seat is seats.mount:
                    connecting.start_soon(self.ask, seats.mount, _stopped)
                else:
                    connecting.start_soon(self._connect, seat)
        return all(seat.connected for seat in seats if seat is not seats.focuser)

    async def put_away(self, seats: Seats) -> None:
        """All of it as soon as the mount and the dome are there; without the mount a dome that strikes nothing."""
        dome = seats.dome
        if dome is not None and not dome.connected:
            return
        strikes = dome is not None and would_strike(self.around.settings, dome.device)
        if seats.mount.connected:
            mount, watch = seats.mount.device.capabilities, watch_of(self.around, {})
            gate = gate_of(self.around, self.ephemeris, mount, watch, has_dome=dome is not None, roof_strikes=strikes)
            observatory = observatory_of(self.around, seats, gate)
            self.started.has(observatory)
            await observatory.put_away()
        elif dome is not None and not strikes:
            await self.ask(dome, _closed)

    async def ask(self, seat: Seat[_Device], deed: Callable[[_Device], Awaitable[None]]) -> None:
        try:
            await seat.ask(deed)
        except DeviceError as error:
            self._say(seat.name, error)

    async def _connect(self, seat: AnySeat) -> None:
        try:
            await seat.connect()
        except DeviceError as error:
            self._say(seat.name, error)

    def _say(self, device: str, error: DeviceError) -> None:
        fault = DeviceFault(at=self.around.clock.now(), device=device, doing=error.doing, what=error.what)
        self.around.telemetry.publish(fault)


async def _stopped(mount: Mount) -> None:
    await mount.abort()


async def _closed(dome: Dome) -> None:
    if (await dome.status()).shutter is not ShutterState.CLOSED:
        await dome.close()
