"""All devices as one: open, slew, follow, put away. Nothing here moves but through the gate."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import anyio

from bridge.clock import Clock
from bridge.events import (
    DeviceFault,
    DeviceRecovered,
    MountParked,
    RoofClosed,
    RoofOpened,
    SlewFinished,
    SlewStarted,
    Telemetry,
)
from bridge.observing.gate import Gate, MotionRefused
from bridge.observing.pointing import Rates, check, turn_deg
from bridge.observing.seats import Seat
from bridge.observing.together import together
from drivers.errors import DeviceError
from drivers.protocols import Camera, Dome, FilterWheel, Focuser, Mount
from drivers.values import Equatorial, ShutterState
from schedules.places import Horizontal

# The way down, step by step (reliability.md section 1): each has its own deadline, so that none eats another's time.
_ABORT_WITHIN_S = 10.0
_PARK_WITHIN_S = 180.0
_CLOSE_WITHIN_S = 240.0
_TRIES = 2
# Beside its motion, a device needs this long of life for its answers.
_ANSWERS_WITHIN_S = 2.0
_PUT_AWAY_WITHIN_S = 900.0

AnySeat = Seat[Mount] | Seat[Camera] | Seat[FilterWheel] | Seat[Focuser] | Seat[Dome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """The devices of a station. A station without a wheel, a focuser or a dome has None there."""

    mount: Seat[Mount]
    camera: Seat[Camera]
    filter_wheel: Seat[FilterWheel] | None
    focuser: Seat[Focuser] | None
    dome: Seat[Dome] | None

    def __iter__(self) -> Iterator[AnySeat]:
        everything = (self.mount, self.camera, self.filter_wheel, self.focuser, self.dome)
        return (seat for seat in everything if seat is not None)


class Observatory:
    """Moves the mount and the dome, always through the gate, and puts everything away in the right order."""

    def __init__(
        self,
        *,
        seats: Seats,
        gate: Gate,
        clock: Clock,
        telemetry: Telemetry,
        pointing_tolerance_deg: float,
        slit_tolerance_deg: float = 0.0,
        patience: float = 1.0,
    ) -> None:
        """`patience` is how many seconds of the loop pass in a real one: devices answer in real time."""
        self.seats = seats
        self._gate = gate
        self._clock = clock
        self._telemetry = telemetry
        self._pointing_tolerance_deg = pointing_tolerance_deg
        self._slit_tolerance_deg = slit_tolerance_deg
        self._slack_s = patience * _ANSWERS_WITHIN_S
        self._put_away_within_s = _PUT_AWAY_WITHIN_S
        self._putting_away = anyio.CancelScope()

    async def open(self) -> None:
        """Open the dome, then unpark.

        Raises:
            MotionRefused: the gate says no.
            DeviceError: a device does not do it.
        """
        self._gate.admit_open()
        began = self._clock.now()
        if self.seats.dome is not None:
            await self.seats.dome.device.open()
            self._gate.saw_roof(await self.seats.dome.device.status())
        self._telemetry.publish(RoofOpened(at=self._clock.now(), took_s=self._since_s(began)))
        mount = self.seats.mount.device
        status = await mount.status()
        if status.parked:
            self._gate.saw_parked(status)
            self._gate.admit_unpark()
            await mount.unpark()

    async def standing(self) -> Horizontal:
        """Where the telescope points."""
        status = await self.seats.mount.device.status()
        return self._gate.horizontal_of(status.pointing, status.read_at)

    async def slew(self, to: Equatorial, *, until: datetime, task_id: str) -> None:
        """Slew and settle, the dome turning along; the gate looks at the way and at what follows until `until`.

        Raises:
            MotionRefused: the gate says no.
            DeviceError: the mount or the dome does not do it.
        """
        mount = self.seats.mount.device
        self._gate.admit_slew(await mount.status(), to, until=until)
        began = self._clock.now()
        towards = self._gate.horizontal_of(to, began)
        self._telemetry.publish(
            SlewStarted(at=began, task_id=task_id, altitude_deg=towards.altitude_deg, azimuth_deg=towards.azimuth_deg)
        )
        await together(partial(mount.slew, to), partial(self._turn_dome, towards.azimuth_deg))
        status = await mount.status()
        off_deg = check(mount.name, status, to, tolerance_deg=self._pointing_tolerance_deg)
        self._telemetry.publish(
            SlewFinished(
                at=self._clock.now(), task_id=task_id, took_s=self._since_s(began), off_by_arcsec=off_deg * 3600.0
            )
        )

    async def track(self, rates: Rates, *, until: datetime) -> None:
        """Follow a target at these rates; the gate looks at where that leads until `until`."""
        mount = self.seats.mount.device
        self._gate.admit_track(await mount.status(), rates, until=until)
        await mount.track(ra_deg_per_s=rates.ra_deg_per_s, dec_deg_per_s=rates.dec_deg_per_s)

    async def select_filter(self, filter_name: str) -> None:
        """Have this filter in the beam; no name leaves the one that is. A station without a wheel has one filter."""
        if self.seats.filter_wheel is None or not filter_name:
            return
        wheel = self.seats.filter_wheel.device
        if await wheel.selected() != filter_name:
            await wheel.select(filter_name)

    async def filter_in_beam(self, asked: str) -> str:
        """The name of the filter for the frame's header: what was asked, else what the wheel says, else nothing."""
        if asked or self.seats.filter_wheel is None:
            return asked
        return await self.seats.filter_wheel.device.selected() or ""

    async def put_away(self) -> list[str]:
        """Abort the exposure, stop the mount, park, close: in this order, none skipped for another's fault.

        Never cancelled half-way, but see `hurry`. Gives what did not succeed, in words; nothing where all is put away.
        Harmless when all is put away already.
        """
        faults: list[str] = []
        with anyio.move_on_after(self._put_away_within_s, shield=True) as self._putting_away:
            await self._step(faults, "abort the exposure", self._abort_exposure, _ABORT_WITHIN_S)
            await self._step(faults, "stop the mount", self._stop_mount, _ABORT_WITHIN_S)
            parked = await self._step(faults, "park the mount", self._park, _PARK_WITHIN_S)
            await self._step(faults, "close the dome", self._close, _CLOSE_WITHIN_S)
            if not parked and self.seats.dome is not None:
                # The Sun may stand in the way to the park position: under a closed dome it does not.
                await self._step(faults, "park the mount under the dome", self._park, _PARK_WITHIN_S)
        if self._putting_away.cancelled_caught:
            faults.append(f"put away: not done within {self._put_away_within_s:g} s; look at the telescope")
            self._telemetry.publish(
                DeviceFault(at=self._clock.now(), device="observatory", doing="put away", what=faults[-1])
            )
        return faults

    def hurry(self, within_s: float) -> None:
        """From now on putting away ends within `within_s`, one under way included: the programme is told to stop."""
        self._put_away_within_s = within_s
        self._putting_away.deadline = min(self._putting_away.deadline, anyio.current_time() + within_s)

    async def reconnect(self, device: str) -> None:
        """Connect the device of this name anew; one that cannot be reached is left for the next time it is asked."""
        for seat in self.seats:
            if seat.connected and seat.device.name == device:
                await self._reconnect(seat)

    async def reconnect_lost(self) -> None:
        """Connect anew whatever was lost."""
        for seat in self.seats:
            if not seat.connected:
                await self._reconnect(seat)

    async def _step(self, faults: list[str], doing: str, deed: Callable[[], Awaitable[None]], within_s: float) -> bool:
        """Try a step twice; a device that was lost is connected anew in between. Whether it succeeded."""
        said = ""
        for _ in range(_TRIES):
            try:
                with anyio.fail_after(within_s + self._slack_s):
                    await deed()
            except MotionRefused as refusal:
                said = str(refusal)
                break
            except (DeviceError, TimeoutError) as error:
                said = str(error) or f"not done within {within_s:g} s"
                await self.reconnect_lost()
            else:
                return True
        faults.append(f"{doing}: {said}")
        self._telemetry.publish(DeviceFault(at=self._clock.now(), device="observatory", doing=doing, what=said))
        return False

    async def _abort_exposure(self) -> None:
        await self.seats.camera.device.abort()

    async def _stop_mount(self) -> None:
        mount = self.seats.mount.device
        if not (await mount.status()).parked:
            await mount.abort()

    async def _park(self) -> None:
        began = self._clock.now()
        mount = self.seats.mount.device
        status = await mount.status()
        if not status.parked and mount.capabilities.can_park:
            self._gate.admit_park(status)
            await mount.park()
            status = await mount.status()
            self._telemetry.publish(MountParked(at=self._clock.now(), took_s=self._since_s(began)))
        self._gate.saw_parked(status)

    async def _close(self) -> None:
        if self.seats.dome is None:
            return
        began = self._clock.now()
        dome = self.seats.dome.device
        status = await dome.status()
        if status.shutter is not ShutterState.CLOSED:
            await dome.close()
            status = await dome.status()
            self._telemetry.publish(RoofClosed(at=self._clock.now(), took_s=self._since_s(began)))
        self._gate.saw_roof(status)

    async def _turn_dome(self, azimuth_deg: float) -> None:
        """Turn the slit to the telescope, unless it stands near enough."""
        if self.seats.dome is None or not self.seats.dome.device.capabilities.can_set_azimuth:
            return
        dome = self.seats.dome.device
        stands_deg = (await dome.status()).azimuth_deg
        if stands_deg is None or turn_deg(stands_deg, azimuth_deg) > self._slit_tolerance_deg:
            self._gate.admit_dome_turn(azimuth_deg)
            await dome.slew_to(azimuth_deg)

    async def _reconnect(self, seat: AnySeat) -> None:
        began = self._clock.now()
        try:
            await seat.reconnect()
        except DeviceError as error:
            fault = DeviceFault(at=self._clock.now(), device=seat.name, doing="connect", what=error.what)
            self._telemetry.publish(fault)
        else:
            after_s = self._since_s(began)
            self._telemetry.publish(DeviceRecovered(at=self._clock.now(), device=seat.name, after_s=after_s))

    def _since_s(self, began: datetime) -> float:
        return (self._clock.now() - began).total_seconds()
