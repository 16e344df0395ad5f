"""From settings to a connected device: the one place that knows which drivers there are.

Each is an async context manager: entered connected, left disconnected. `now` stamps readings and frames.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from drivers.alpaca.camera import alpaca_camera
from drivers.alpaca.conditions import alpaca_conditions
from drivers.alpaca.dome import alpaca_dome
from drivers.alpaca.filter_wheel import alpaca_filter_wheel
from drivers.alpaca.focuser import alpaca_focuser
from drivers.alpaca.mount import alpaca_mount
from drivers.alpaca.safety_monitor import alpaca_safety_monitor
from drivers.config import AlpacaDevice
from drivers.protocols import Camera, Dome, FilterWheel, Focuser, Mount, ObservingConditions, SafetyMonitor

Now = Callable[[], datetime]


def connect_mount(settings: AlpacaDevice, *, now: Now) -> AbstractAsyncContextManager[Mount]:
    match settings.driver:
        case "alpaca":
            return alpaca_mount(settings, now=now)


def connect_camera(settings: AlpacaDevice, *, now: Now) -> AbstractAsyncContextManager[Camera]:
    match settings.driver:
        case "alpaca":
            return alpaca_camera(settings, now=now)


def connect_filter_wheel(settings: AlpacaDevice, *, now: Now) -> AbstractAsyncContextManager[FilterWheel]:
    match settings.driver:
        case "alpaca":
            return alpaca_filter_wheel(settings)


def connect_focuser(settings: AlpacaDevice, *, now: Now) -> AbstractAsyncContextManager[Focuser]:
    match settings.driver:
        case "alpaca":
            return alpaca_focuser(settings, now=now)


def connect_dome(settings: AlpacaDevice, *, now: Now) -> AbstractAsyncContextManager[Dome]:
    match settings.driver:
        case "alpaca":
            return alpaca_dome(settings, now=now)


def connect_safety_monitor(settings: AlpacaDevice, *, now: Now) -> AbstractAsyncContextManager[SafetyMonitor]:
    match settings.driver:
        case "alpaca":
            return alpaca_safety_monitor(settings)


def connect_conditions(settings: AlpacaDevice, *, now: Now) -> AbstractAsyncContextManager[ObservingConditions]:
    match settings.driver:
        case "alpaca":
            return alpaca_conditions(settings)
