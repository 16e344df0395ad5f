"""All devices as one: open, slew, follow, put away. Nothing here moves but through the gate."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from bridge.calibration.measured import Way
from bridge.clock import Clock
from bridge.events import (
    DeviceFault,
    DeviceRecovered,
    RoofOpened,
    SlewFinished,
    SlewStarted,
    Telemetry,
)
from bridge.observing.brake import Brake
from bridge.observing.focus import Focus
from bridge.observing.gate import Gate
from bridge.observing.helm import Helm
from bridge.observing.in_the_beam import turn_camera, uncover
from bridge.observing.pointing import check, turn_deg
from bridge.observing.putting_away import PuttingAway
from bridge.observing.reckoning import require_same_reckoning, require_where_the_receiver_is
from bridge.observing.seats import AnySeat, Seats
from bridge.observing.slit import Slit
from bridge.observing.steering import Pair
from bridge.observing.together import Deed, together
from drivers.errors import DeviceError
from drivers.protocols import Dome
from drivers.values import Equatorial, MountStatus
from schedules.courses import Course
from schedules.places import Horizontal


@dataclass(slots=True, kw_only=True)
class Observatory:
    """Moves the mount and the dome, always through the gate, and puts everything away in the right order.

    `camera_angle_deg` is how a rotator is to hold the camera, `camera_stands_deg` how it last said it does. `patience`
    is how many seconds of the loop pass in a real one: devices answer in real time.
    """

    seats: Seats
    gate: Gate
    clock: Clock
    telemetry: Telemetry
    pointing_tolerance_deg: float
    slit_tolerance_deg: float = 0.0
    camera_angle_deg: float = 0.0
    patience: float = 1.0
    camera_stands_deg: float | None = field(default=None, init=False)
    brake: Brake = field(init=False)
    _putting_away: PuttingAway = field(init=False)
    _helm: Helm | None = field(default=None, init=False)
    _focus: Focus | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.brake = Brake(
            seat=self.seats.mount,
            stop_unconnected=self.seats.stop_mount,
            clock=self.clock,
            telemetry=self.telemetry,
        )
        self._putting_away = PuttingAway(
            seats=self.seats,
            brake=self.brake,
            gate=self.gate,
            clock=self.clock,
            telemetry=self.telemetry,
            reconnect=self._reconnect_one,
            patience=self.patience,
        )
        if self.seats.focuser is not None:
            self._focus = Focus(
                seat=self.seats.focuser, clock=self.clock, telemetry=self.telemetry, patience=self.patience
            )

    async def open(self) -> None:
        """Open the dome, over a parked mount where it would strike it otherwise, then uncover the telescope, then
        unpark; but not with a mount, or where a receiver is, that works with another site or time than ours. Under a
        cover that does not open the mount stays parked: tried again and again, it would follow the stars into the
        ground.

        Raises:
            MotionRefused: the gate says no.
            DeviceError: a device does not do it.
        """
        self.gate.admit_open()
        mount, answers_within_s = self.seats.mount.device, 2.0 * self.patience
        await require_same_reckoning(mount, self.gate.site, answers_within_s=answers_within_s)
        if self.seats.gps is not None:
            await require_where_the_receiver_is(self.seats.gps, self.gate.site, answers_within_s=answers_within_s)
        began = self.clock.now()
        if self.seats.dome is not None:
            await self._putting_away.clear_the_roof()
            await self.seats.dome.device.open()
            self.gate.saw_roof(await self.seats.dome.device.status())
        self.telemetry.publish(RoofOpened(at=self.clock.now(), took_s=self._since_s(began)))
        await self.clear_the_beam()
        status = await mount.status()
        if status.parked:
            self.gate.saw_parked(status)
            self.gate.admit_unpark()
            await mount.unpark()

    async def standing(self) -> Horizontal:
        """Where the telescope points."""
        status = await self.seats.mount.device.status()
        return self.gate.horizontal_of(status.pointing, status.read_at)

    async def slew(self, to: Equatorial, *, until: datetime, task_id: str) -> None:
        """Slew and settle, the dome turning along; the gate looks at the way and at what follows until `until`.

        Raises:
            MotionRefused: the gate says no.
            DeviceError: the mount or the dome does not do it.
        """
        mount = self.seats.mount.device
        await self.end_following()
        self.gate.admit_slew(await mount.status(), to, until=until)
        began = self.clock.now()
        towards = self.gate.horizontal_of(to, began)
        self.telemetry.publish(
            SlewStarted(at=began, task_id=task_id, altitude_deg=towards.altitude_deg, azimuth_deg=towards.azimuth_deg)
        )
        await together(partial(mount.slew, to), partial(self._turn_dome, towards.azimuth_deg))
        status = await mount.status()
        off_deg = check(mount.name, status, to, tolerance_deg=self.pointing_tolerance_deg)
        self.telemetry.publish(
            SlewFinished(
                at=self.clock.now(), task_id=task_id, took_s=self._since_s(began), off_by_arcsec=off_deg * 3600.0
            )
        )

    async def take_helm(self, way: Way, course: Course, bounds_deg_s: Pair, *, until: datetime) -> Helm:
        """The door for following a target on its course; the gate looks at all of it until `until`.

        Raises:
            MotionRefused: the gate says no.
        """
        await self.end_following()
        mount = self.seats.mount.device
        self.gate.admit_course(await mount.status(), course, until=until)
        self._helm = Helm(mount=mount, way=way, bounds_deg_s=bounds_deg_s, until=until, clock=self.clock)
        return self._helm

    async def follow_on(self, helm: Helm, course: Course, *, until: datetime) -> MountStatus:
        """Follow longer: the gate looks at the rest of the course as well. Gives the reading it judged by.

        Raises:
            MotionRefused: the gate says no; what was admitted before still is.
        """
        status = await helm.mount.status()
        self.gate.admit_course(status, course, until=until)
        helm.until = until
        return status

    async def end_following(self) -> None:
        """Follow the stars again after a target was followed; an end is always allowed."""
        if self._helm is not None:
            self._helm.mount = self.seats.mount.device  # it may have been connected anew
            await self._helm.let_go()
            self._helm = None

    async def stand_still(self) -> None:
        """Stop following the stars, until the next slew."""
        mount = self.seats.mount.device
        status = await mount.status()
        if status.tracking and not status.parked:
            await mount.stop_tracking()

    async def clear_the_beam(self) -> None:
        """Have the cover open, its light off and the camera turned as it is to stand; nothing moves where they are.

        Raises:
            MotionRefused: the gate does not let the cover open.
            DeviceError: one of them does not do it: better no frame than a dark one.
        """
        if self.seats.cover is not None:
            await uncover(self.seats.cover.device, self.gate.admit_uncover)
        if self.seats.rotator is not None:
            self.camera_stands_deg = await turn_camera(self.seats.rotator.device, self.camera_angle_deg)

    async def select_filter(self, filter_name: str) -> None:
        """Have this filter in the beam, and the focus where it is sharp; no name leaves the one that is. A station
        without a wheel has one filter.
        """
        if self.seats.filter_wheel is None or not filter_name:
            return
        wheel = self.seats.filter_wheel.device
        able = wheel.capabilities
        stood = await wheel.selected()
        deeds: list[Deed] = [] if stood == filter_name else [partial(wheel.select, filter_name)]
        offset_steps = dict(zip(able.filter_names, able.focus_offsets_steps, strict=True))
        if self._focus is not None and filter_name in offset_steps:
            if stood is not None:
                self._focus.suits(offset_steps[stood])
            deeds.append(partial(self._focus.suit, offset_steps[filter_name]))
        await together(*deeds)

    async def filter_in_beam(self, asked: str) -> str:
        """The name of the filter for the frame's header: what was asked, else what the wheel says, else nothing."""
        if asked or self.seats.filter_wheel is None:
            return asked
        return await self.seats.filter_wheel.device.selected() or ""

    async def put_away(self) -> list[str]:
        """Abort the exposure and stop the mount, park, close: in this order, none skipped for another's fault; the
        cover closes meanwhile.

        Never cancelled half-way, but see `hurry`. Gives what did not succeed, in words; nothing where all is put away.
        Harmless when all is put away already.
        """
        return await self._putting_away.all()

    def hurry(self, within_s: float) -> None:
        """From now on putting away ends within `within_s`, one under way included: the programme is told to stop."""
        self._putting_away.hurry(within_s)

    async def reconnect(self, device: str) -> None:
        """Connect the device of this name anew, and whatever was lost, each for itself; what cannot be reached stays
        lost.
        """
        await together(*(deed for seat in self.seats if (deed := self._found_again(seat, device)) is not None))

    async def reconnect_lost(self) -> None:
        """Connect anew whatever was lost, each for itself."""
        await self.reconnect("")

    async def find_lost(self) -> bool:
        """As `reconnect_lost`, without saying once more what is still away. Whether anything came back."""
        lost = [seat for seat in self.seats if not seat.connected]
        await together(*(partial(self._connect, seat, seat.connect, known=True) for seat in lost))
        return any(seat.connected for seat in lost)

    async def _reconnect_one(self, device: str) -> None:
        """Connect the device of this name anew; where it was lost, it is known by the name of its seat."""
        for seat in self.seats:
            deed = self._found_again(seat, device)
            if deed is not None and (seat.connected or seat.name == device):
                await deed()

    def _found_again(self, seat: AnySeat, device: str) -> Deed | None:
        """How a seat gets its device again; None where it has one, and not that of this name."""
        if not seat.connected:
            return partial(self._connect, seat, seat.connect)
        return partial(self._connect, seat, seat.reconnect) if seat.device.name == device else None

    async def keep_slit_before(self, course: Course) -> None:
        """Turn the dome ahead of a target that is followed, until cancelled; a roof or no dome needs none of it.

        Raises:
            MotionRefused: the gate says no.
            DeviceError: the dome does not do it.
        """
        dome = self._turning_dome
        if dome is not None:
            slit = Slit(tolerance_deg=self.slit_tolerance_deg, turn=partial(self._turn, dome), clock=self.clock)
            await slit.keep_before(course, (await dome.status()).azimuth_deg)

    @property
    def _turning_dome(self) -> Dome | None:
        dome = None if self.seats.dome is None else self.seats.dome.device
        return dome if dome is not None and dome.capabilities.can_set_azimuth else None

    async def _turn_dome(self, azimuth_deg: float) -> None:
        """Turn the slit to the telescope, unless it stands near enough."""
        dome = self._turning_dome
        if dome is None:
            return
        stands_deg = (await dome.status()).azimuth_deg
        if stands_deg is None or turn_deg(stands_deg, azimuth_deg) > self.slit_tolerance_deg:
            await self._turn(dome, azimuth_deg)

    async def _turn(self, dome: Dome, azimuth_deg: float) -> None:
        self.gate.admit_dome_turn(azimuth_deg)
        await dome.slew_to(azimuth_deg)

    async def _connect(self, seat: AnySeat, deed: Callable[[], Awaitable[None]], *, known: bool = False) -> None:
        """Say how it went; not, where it is `known` that the device is away, that it still is."""
        began = self.clock.now()
        try:
            await deed()
            if seat is self.seats.mount:
                await self.end_following()  # lost while it followed, it still does
        except DeviceError as error:
            if not known:
                fault = DeviceFault(at=self.clock.now(), device=seat.name, doing="connect", what=error.what)
                self.telemetry.publish(fault)
        else:
            after_s = self._since_s(began)
            self.telemetry.publish(DeviceRecovered(at=self.clock.now(), device=seat.name, after_s=after_s))

    def _since_s(self, began: datetime) -> float:
        return (self.clock.now() - began).total_seconds()
