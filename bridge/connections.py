"""How each device of the station is connected, each time anew."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from bridge.config import Settings
from drivers import connect
from drivers.config import IndiDevice
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

_Device = TypeVar("_Device")
Connect = Callable[[], AbstractAsyncContextManager[_Device]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Called, each gives its device, connected while its block lasts. None: the station has no such device.

    `receiver` is `gps` where that is one of its own, and not the clock of a mount. `stop_mount` stops the mount without
    any of them.
    """

    mount: Connect[Mount]
    camera: Connect[Camera]
    filter_wheel: Connect[FilterWheel] | None
    focuser: Connect[Focuser] | None
    dome: Connect[Dome] | None
    safety_monitor: Connect[SafetyMonitor] | None
    conditions: Connect[ObservingConditions] | None
    rotator: Connect[Rotator] | None = None
    cover: Connect[CoverCalibrator] | None = None
    gps: Connect[TimeAndPlaceSource] | None = None
    receiver: Connect[TimeAndPlaceSource] | None = None
    stop_mount: Callable[[], Awaitable[None]] | None = None


def connections_of(settings: Settings, *, now: Callable[[], datetime]) -> Connections:
    """As station.toml says; `now` stamps readings and frames."""
    wheel, focuser, dome = settings.filter_wheel, settings.focuser, settings.dome
    monitor, conditions = settings.safety_monitor, settings.conditions
    rotator, cover, gps = settings.rotator, settings.cover, settings.gps
    find = None if gps is None else partial(connect.connect_time_and_place, gps, now=now)
    return Connections(
        mount=partial(connect.connect_mount, settings.mount, now=now),
        camera=partial(connect.connect_camera, settings.camera, now=now),
        filter_wheel=None if wheel is None else partial(connect.connect_filter_wheel, wheel, now=now),
        focuser=None if focuser is None else partial(connect.connect_focuser, focuser, now=now),
        dome=None if dome is None else partial(connect.connect_dome, dome, now=now),
        safety_monitor=None if monitor is None else partial(connect.connect_safety_monitor, monitor, now=now),
        conditions=None if conditions is None else partial(connect.connect_conditions, conditions, now=now),
        rotator=None if rotator is None else partial(connect.connect_rotator, rotator, now=now),
        cover=None if cover is None else partial(connect.connect_cover_calibrator, cover, now=now),
        gps=find,
        receiver=find if isinstance(gps, IndiDevice) else None,
        stop_mount=partial(connect.stop_mount, settings.mount),
    )
