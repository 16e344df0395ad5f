"""From settings to a connected device: the one place that knows which drivers there are.

Each is an async context manager: entered connected, left disconnected. `now` stamps readings and frames.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from drivers.alpaca.camera import alpaca_camera
from drivers.alpaca.conditions import alpaca_conditions
from drivers.alpaca.cover_calibrator import alpaca_cover_calibrator
from drivers.alpaca.dome import alpaca_dome
from drivers.alpaca.filter_wheel import alpaca_filter_wheel
from drivers.alpaca.focuser import alpaca_focuser
from drivers.alpaca.mount import alpaca_mount
from drivers.alpaca.rotator import alpaca_rotator
from drivers.alpaca.safety_monitor import alpaca_safety_monitor
from drivers.alpaca.stopping import stop_alpaca_mount
from drivers.alpaca.time_and_place import alpaca_time_and_place
from drivers.config import AlpacaDevice, AnyDevice, IndiDevice
from drivers.indi.camera import indi_camera
from drivers.indi.conditions import indi_conditions
from drivers.indi.cover_calibrator import indi_cover_calibrator
from drivers.indi.dome import indi_dome
from drivers.indi.filter_wheel import indi_filter_wheel
from drivers.indi.focuser import indi_focuser
from drivers.indi.mount import indi_mount, stop_indi_mount
from drivers.indi.rotator import indi_rotator
from drivers.indi.safety_monitor import indi_safety_monitor
from drivers.indi.time_and_place import indi_time_and_place
from drivers.protocols import (
    Camera,
    CoverCalibrator,
    Dome,
    FilterWheel,
    Focuser,
    Mount,
    ObservingConditions,
    Rotator,
    SafetyMonitor,
    TimeAndPlaceSource,
)

Now = Callable[[], datetime]


def connect_mount(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[Mount]:
    match settings:
        case AlpacaDevice():
            return alpaca_mount(settings, now=now)
        case IndiDevice():
            return indi_mount(settings, now=now)


async def stop_mount(settings: AnyDevice) -> None:
    """Stop a mount to which there is no connection, on one made for this alone, as well as may be.

    Raises:
        DeviceError: it does not get through.
    """
    match settings:
        case AlpacaDevice():
            await stop_alpaca_mount(settings)
        case IndiDevice():
            await stop_indi_mount(settings)


def connect_camera(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[Camera]:
    match settings:
        case AlpacaDevice():
            return alpaca_camera(settings, now=now)
        case IndiDevice():
            return indi_camera(settings, now=now)


def connect_filter_wheel(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[FilterWheel]:
    match settings:
        case AlpacaDevice():
            return alpaca_filter_wheel(settings)
        case IndiDevice():
            return indi_filter_wheel(settings)


def connect_focuser(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[Focuser]:
    match settings:
        case AlpacaDevice():
            return alpaca_focuser(settings, now=now)
        case IndiDevice():
            return indi_focuser(settings, now=now)


def connect_rotator(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[Rotator]:
    match settings:
        case AlpacaDevice():
            return alpaca_rotator(settings, now=now)
        case IndiDevice():
            return indi_rotator(settings, now=now)


def connect_cover_calibrator(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[CoverCalibrator]:
    match settings:
        case AlpacaDevice():
            return alpaca_cover_calibrator(settings, now=now)
        case IndiDevice():
            return indi_cover_calibrator(settings, now=now)


def connect_dome(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[Dome]:
    match settings:
        case AlpacaDevice():
            return alpaca_dome(settings, now=now)
        case IndiDevice():
            return indi_dome(settings, now=now)


def connect_safety_monitor(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[SafetyMonitor]:
    match settings:
        case AlpacaDevice():
            return alpaca_safety_monitor(settings)
        case IndiDevice():
            return indi_safety_monitor(settings)


def connect_conditions(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[ObservingConditions]:
    match settings:
        case AlpacaDevice():
            return alpaca_conditions(settings)
        case IndiDevice():
            return indi_conditions(settings)


def connect_time_and_place(settings: AnyDevice, *, now: Now) -> AbstractAsyncContextManager[TimeAndPlaceSource]:
    match settings:
        case AlpacaDevice():
            return alpaca_time_and_place(settings, now=now)
        case IndiDevice():
            return indi_time_and_place(settings, now=now)
