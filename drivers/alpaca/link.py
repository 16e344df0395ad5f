"""One Alpaca device through alpyca: its own thread, a deadline on every call, one table from foreign errors to ours.

alpyca has no type hints; `Any` ends in this file.
"""

import asyncio
import math
import sys
import time
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

import anyio
import numpy as np
from alpaca import (
    camera,
    covercalibrator,
    device,
    dome,
    filterwheel,
    focuser,
    observingconditions,
    rotator,
    safetymonitor,
    telescope,
)
from numpy.typing import NDArray

from drivers.alpaca import wire
from drivers.alpaca.errors import Unsupported
from drivers.alpaca.foreign import FOREIGN, in_our_words
from drivers.alpaca.imagebytes import Picture
from drivers.config import AlpacaDevice
from drivers.errors import ConnectionLost, Malfunction, TimedOut
from drivers.threads import Worker
from drivers.wording import one_line

_T = TypeVar("_T")

CALL_WITHIN_S: Final = 6.0  # in all; alpyca itself waits 5 s for a connection and 5 s for each part of the answer
KEEP_ALIVE_S: Final = 2.0  # an older connection may be closed by the server just as a command is sent on it
IDLE_ANSWERS_WITHIN_S: Final = 0.5  # a stop on a connection that was idle for longer; then it is taken for dead

MOST: Final = sys.float_info.max
SIDEREAL: Final[object] = telescope.DriveRates.driveSidereal
PRIMARY: Final[object] = telescope.TelescopeAxes.axisPrimary
SECONDARY: Final[object] = telescope.TelescopeAxes.axisSecondary


class Role(StrEnum):
    """What a device is for, as it is called in messages."""

    MOUNT = "mount"
    CAMERA = "camera"
    FILTER_WHEEL = "filter wheel"
    FOCUSER = "focuser"
    DOME = "dome"
    SAFETY_MONITOR = "safety monitor"
    CONDITIONS = "weather station"
    ROTATOR = "rotator"
    COVER = "cover"


_CLASSES: Final[dict[Role, Any]] = {
    Role.MOUNT: telescope.Telescope,
    Role.CAMERA: camera.Camera,
    Role.FILTER_WHEEL: filterwheel.FilterWheel,
    Role.FOCUSER: focuser.Focuser,
    Role.DOME: dome.Dome,
    Role.SAFETY_MONITOR: safetymonitor.SafetyMonitor,
    Role.CONDITIONS: observingconditions.ObservingConditions,
    Role.ROTATOR: rotator.Rotator,
    Role.COVER: covercalibrator.CoverCalibrator,
}


def device_type_of(role: Role) -> str:
    """ASCOM's name of it, in lower case."""
    return str(_CLASSES[role].__name__).lower()


class _NoLock:
    """Stands for alpyca's lock around every call of the process.

    That lock made an abort of the mount wait for a hung camera. Here each device has a thread of its own that makes one
    call at a time, and the counter of transactions, all that is shared, may give two devices the same number.
    """

    def acquire(self) -> None: ...

    def release(self) -> None: ...


device.Device._ctid_lock = _NoLock()  # the one place; a test fails when alpyca changes it


class Link:
    """A device, called by the names of its ASCOM members. Every call may raise any DeviceError.

    A reading that is not of the kind asked for, or not finite, is a Malfunction.
    """

    def __init__(
        self, role: Role, settings: AlpacaDevice, *, call_within_s: float = CALL_WITHIN_S, only_stops: bool = False
    ) -> None:
        """`only_stops`: whatever is asked on this link does no harm when it arrives twice. Then its connection stays
        open for when it is needed, and what gets no answer on it is asked again on a new one.
        """
        self.name = f"{role} {settings.device_number} at {settings.address}"
        self.role = role
        # The interface version (Platform 7) from which a device has Connect and Connecting.
        self.connects_itself_from = int(device.Device._plat7_intvers[device_type_of(role)])
        self.settings = settings
        self._call_within_s = call_within_s
        self._only_stops = only_stops
        self._budget = wire.Budget()
        self._adapter = wire.Adapter(self._budget)
        self._last_used_s = -math.inf
        self._device: Any = _CLASSES[role](settings.address, settings.device_number)
        self._device.rqs.mount("http://", self._adapter)
        self._device.rqs.trust_env = False  # a proxy is for the Internet, not for the mount
        self._device.rqs.max_redirects = 0
        self._device.rqs.headers["Accept-Encoding"] = "identity"
        self._worker = Worker(self.name)
        self._closed = False
        self._tells_state: bool | None = None  # not known of a device just connected

    async def flag(self, member: str, *args: object) -> bool:
        return self._as_flag(member, await self._read(member, *args))

    async def number(self, member: str, *args: object) -> float:
        return self._as_number(member, await self._read(member, *args))

    async def state(self) -> "State":
        """Several members read together: in one call where the device can (DeviceState, Platform 7), else each when
        it is asked for.
        """
        if self._tells_state is False:
            return State(self, {})
        told = await optional(self._read("DeviceState"))
        self._tells_state = told is not None
        listed = told if isinstance(told, list) else []
        pairs = [(item.get("Name"), item.get("Value")) for item in listed if isinstance(item, dict)]
        return State(self, {name: value for name, value in pairs if isinstance(name, str)})

    async def whole(self, member: str) -> int:
        value = await self.number(member)
        if not value.is_integer():
            raise self._odd(member, value, "a whole number")
        return int(value)

    async def text(self, member: str) -> str:
        value = await self._read(member)
        if not isinstance(value, str):
            raise self._odd(member, value, "a text")
        return one_line(value)

    async def sequence(self, member: str, kind: type[_T]) -> tuple[_T, ...]:
        """A list, each item of the type `kind` (a text is as it came: it may be a name that must match)."""
        value = await self._read(member)
        if not isinstance(value, list) or not all(type(item) is kind for item in value):
            raise self._odd(member, value, f"a list of {kind.__name__}")
        return tuple(value)

    async def instant(self, member: str) -> datetime:
        """A date and time, which Alpaca gives in UTC."""
        value = await self._read(member)
        if not isinstance(value, datetime):
            raise self._odd(member, value, "a date and time")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    async def spans(self, member: str, *args: object) -> tuple[tuple[float, float], ...]:
        """A list of ranges (AxisRates), each as lowest and highest."""
        ranges = await self._read(member, *args)
        if not isinstance(ranges, list):
            raise self._odd(member, ranges, "a list of ranges")
        return tuple((self._as_number(member, one.Minimum), self._as_number(member, one.Maximum)) for one in ranges)

    async def write(self, member: str, value: object) -> None:
        """Set a property. The device may take it and ignore it: what matters is read back."""
        await self._call(f"set {member} to {value}", setattr, self._device, member, value)

    async def invoke(self, method: str, *args: object) -> float:
        """Call a method; returns the loop's time at which it was sent."""
        loop_time = asyncio.get_running_loop().time  # plain arithmetic: may be asked from the thread

        def send() -> float:
            sent_s = loop_time()
            getattr(self._device, method)(*args)
            return sent_s

        sent_s: float = await self._call(f"{method}({', '.join(str(arg) for arg in args)})", send)
        return sent_s

    async def fetch(self, picture: Picture, within_s: float) -> NDArray[np.uint16]:
        """What `picture.read(within_s)` gives; a cancellation ends the download."""
        self._require_open("read the picture")
        return await self._worker.call_with_stop(picture.stop, picture.read, within_s)

    async def close(self) -> None:
        """End connections and thread; what is asked afterwards is a lost connection."""
        self._closed = True
        with anyio.CancelScope(shield=True):
            await self._worker.call(self._device.rqs.close)
            self._worker.close()

    def _as_flag(self, member: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self._odd(member, value, "true or false")
        return value

    def _as_number(self, member: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST:
            raise self._odd(member, value, "a finite number")
        return float(value)

    async def _read(self, member: str, *args: object) -> Any:
        def read() -> Any:
            value = getattr(self._device, member)
            return value(*args) if callable(value) else value

        return await self._call(f"read {member}", read)

    def _require_open(self, doing: str) -> None:
        if self._closed:
            raise ConnectionLost(self.name, doing, "the link to it has been closed")

    async def _call(self, doing: str, function: Any, *args: Any) -> Any:
        self._require_open(doing)
        return await self._worker.call(self._exchange, doing, function, args)

    def _exchange(self, doing: str, function: Any, args: tuple[Any, ...]) -> Any:
        """In the thread: one call within its budget, its errors turned into ours."""
        idle = time.monotonic() - self._last_used_s > KEEP_ALIVE_S
        if self._only_stops:
            try:
                return self._once(doing, function, args, IDLE_ANSWERS_WITHIN_S if idle else self._call_within_s)
            except (ConnectionLost, TimedOut) as error:
                if isinstance(error, TimedOut) and not idle:
                    raise
        if idle or self._only_stops:
            self._adapter.poolmanager.clear()
        return self._once(doing, function, args, self._call_within_s)

    def _once(self, doing: str, function: Any, args: tuple[Any, ...], within_s: float) -> Any:
        self._budget.renew(within_s=within_s, max_bytes=wire.LONGEST_REPLY_BYTES)
        try:
            return function(*args)
        except FOREIGN as error:
            raise in_our_words(self.name, doing, error, self._budget) from error
        finally:
            self._last_used_s = time.monotonic()

    def _odd(self, member: str, value: object, expected: str) -> Malfunction:
        return Malfunction(self.name, f"read {member}", f"answered {one_line(repr(value))}, which is not {expected}")


class State:
    """What a device said of itself at one moment; what it left out is asked for."""

    def __init__(self, link: Link, told: Mapping[str, object]) -> None:
        self._link = link
        self._told = told

    async def flag(self, member: str) -> bool:
        if member not in self._told:
            return await self._link.flag(member)
        return self._link._as_flag(member, self._told[member])

    async def number(self, member: str) -> float:
        if member not in self._told:
            return await self._link.number(member)
        return self._link._as_number(member, self._told[member])

    async def whole(self, member: str) -> int:
        value = await self.number(member)
        if not value.is_integer():
            raise self._link._odd(member, value, "a whole number")
        return int(value)


async def optional(reading: Awaitable[_T]) -> _T | None:
    """What `reading` gives; None where the device has no such member."""
    try:
        return await reading
    except Unsupported:
        return None
