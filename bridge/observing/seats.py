"""Where a device sits: connected when the station starts, and connected anew after it was lost."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Generic, Self, TypeVar

from drivers.errors import ConnectionLost

_Device = TypeVar("_Device")
_Answer = TypeVar("_Answer")


class Seat(Generic[_Device]):
    """Holds one device. `connect` gives a new connected one each time it is called."""

    def __init__(self, name: str, connect: Callable[[], AbstractAsyncContextManager[_Device]]) -> None:
        self.name = name
        self._connect = connect
        self._stack = AsyncExitStack()
        self._device: _Device | None = None

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

    async def reconnect(self) -> None:
        """Leave the device as it is and connect a new one.

        Raises:
            DeviceError: it cannot be reached; the seat is empty then.
        """
        await self.leave()
        self._device = await self._stack.enter_async_context(self._connect())

    async def ask(self, question: Callable[[_Device], Awaitable[_Answer]]) -> _Answer:
        """What the device answers; one that was lost is connected anew first, one that is lost now leaves the seat."""
        if self._device is None:
            await self.reconnect()
        try:
            return await question(self.device)
        except ConnectionLost:
            await self.leave()
            raise

    async def leave(self) -> None:
        """Leave the device, if there is one."""
        self._device = None
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()
