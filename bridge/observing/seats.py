"""Where a device sits: connected when the station starts, and connected anew after it was lost."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio

from drivers.errors import ConnectionLost
from drivers.protocols import Camera, CoverCalibrator, Dome, FilterWheel, Focuser, Mount, Rotator, TimeAndPlaceSource

_Device = TypeVar("_Device")
_Answer = TypeVar("_Answer")


class Seat(Generic[_Device]):
    """Holds one device. `connect` gives a new connected one each time it is called."""

    def __init__(self, name: str, connect: Callable[[], AbstractAsyncContextManager[_Device]]) -> None:
        self.name = name
        self._connect = connect
        self._stack = AsyncExitStack()
        self._device: _Device | None = None
        # Several may find a device lost at the same time: it is connected once.
        self._changing = anyio.Lock()

    async def __aenter__(self) -> Self:
        await self.reconnect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    @property
    def device(self) -> _Device:
        """The device.

        Raises:
            ConnectionLost: it was lost and not found again.
        """
        if self._device is None:
            raise ConnectionLost(self.name, "use", "not connected; it will be tried again")
        return self._device

    @property
    def connected(self) -> bool:
        return self._device is not None

    async def connect(self) -> None:
        """Connect a device, unless there is one.

        Raises:
            DeviceError: it cannot be reached; the seat stays empty.
        """
        async with self._changing:
            if self._device is None:
                await self._take_one()

    async def reconnect(self) -> None:
        """Leave the device as it is and connect a new one.

        Raises:
            DeviceError: it cannot be reached; the seat is empty then.
        """
        async with self._changing:
            await self._let_go()
            await self._take_one()

    async def ask(self, question: Callable[[_Device], Awaitable[_Answer]]) -> _Answer:
        """What the device answers; one that was lost is connected anew first, one that is lost now leaves the seat."""
        await self.connect()
        device = self.device
        try:
            return await question(device)
        except ConnectionLost:
            async with self._changing:
                if self._device is device:  # not one that was connected meanwhile
                    await self._let_go()
            raise

    async def leave(self) -> None:
        """Leave the device, if there is one; also when the programme is told to stop."""
        with anyio.CancelScope(shield=True):
            async with self._changing:
                await self._let_go()

    async def _take_one(self) -> None:
        self._device = await self._stack.enter_async_context(self._connect())

    async def _let_go(self) -> None:
        self._device = None
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()


AnySeat = (
    Seat[Mount] | Seat[Camera] | Seat[FilterWheel] | Seat[Focuser] | Seat[Rotator] | Seat[CoverCalibrator] | Seat[Dome]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """The devices of a station. A station that lacks one has None there.

    `stop_mount` stops the mount without a connection to it, by its address alone. `gps` is a receiver, connected anew
    each time it is asked.
    """

    mount: Seat[Mount]
    camera: Seat[Camera]
    filter_wheel: Seat[FilterWheel] | None
    focuser: Seat[Focuser] | None
    dome: Seat[Dome] | None
    rotator: Seat[Rotator] | None = None
    cover: Seat[CoverCalibrator] | None = None
    gps: Callable[[], AbstractAsyncContextManager[TimeAndPlaceSource]] | None = None
    stop_mount: Callable[[], Awaitable[None]] | None = None

    def __iter__(self) -> Iterator[AnySeat]:
        optics = (self.filter_wheel, self.focuser, self.rotator, self.cover)
        everything = (self.mount, self.camera, *optics, self.dome)
        return (seat for seat in everything if seat is not None)
