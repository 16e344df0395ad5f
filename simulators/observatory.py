"""A whole simulated observatory: every device on one mount, under one sky, in one weather."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Protocol

from drivers.values import Quantity
from simulators import deeds
from simulators.faults import DeviceFaults, Fault, FaultScript
from simulators.physics.album import Album, Sky
from simulators.physics.camera import Camera, CameraSettings
from simulators.physics.cover import Cover, CoverSettings
from simulators.physics.dome import Dome, DomeSettings
from simulators.physics.filter_wheel import FilterWheel, FilterWheelSettings
from simulators.physics.focuser import Focuser, FocuserSettings
from simulators.physics.full_mount import FullMount
from simulators.physics.mount import MountSettings
from simulators.physics.rotator import Rotator, RotatorSettings
from simulators.physics.switch import Switch, SwitchSettings
from simulators.physics.train import Aim, MountAim, Optics, Train
from simulators.physics.weather import Weather
from simulators.sky.earth import Ground


class Clock(Protocol):
    """Tells the simulated time of day."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservatorySettings:
    """What is built. The first wheel and the first focuser belong to the first camera, and so on.

    The rotator turns the first camera; dome and cover are before the telescope, and so before all of them.
    """

    optics: Optics = field(default_factory=Optics)
    mount: MountSettings = field(default_factory=MountSettings)
    cameras: tuple[CameraSettings, ...] = (CameraSettings(),)
    filter_wheels: tuple[FilterWheelSettings, ...] = (FilterWheelSettings(),)
    focusers: tuple[FocuserSettings, ...] = (FocuserSettings(),)
    dome: DomeSettings | None = field(default_factory=DomeSettings)
    rotator: RotatorSettings | None = field(default_factory=RotatorSettings)
    cover: CoverSettings | None = field(default_factory=CoverSettings)
    switch: SwitchSettings | None = field(default_factory=SwitchSettings)


class Observatory:
    """The devices. They are functions of `clock`; nothing here waits, ticks or has a thread.

    `faults` knows each by a name: mount, camera, filter_wheel, focuser, dome, rotator, cover, switch, safety_monitor,
    conditions; the second of a kind is camera_2, and so on. The cameras look where `aim` says: another mount, if it is
    given, or the one here.
    """

    def __init__(
        self,
        clock: Clock,
        ground: Ground,
        sky: Sky,
        *,
        seed: int = 0,
        settings: ObservatorySettings | None = None,
        aim: Aim | None = None,
    ) -> None:
        settings = settings or ObservatorySettings()
        self._as_of: datetime | None = None
        now = self.now
        self.settings, self.clock, self.ground, self.seed = settings, clock, ground, seed
        self.faults = FaultScript(now, does=self._do_by_itself)
        self.weather = Weather(ground=ground, now=now, seed=seed)
        self.mount = FullMount(settings.mount, ground=ground, now=now, seed=seed, quirks=self.faults.on("mount"))
        self.cameras = self._built_cameras(settings)
        self.filter_wheels = tuple(
            FilterWheel(one, now=now, quirks=self._faults_of("filter_wheel", index))
            for index, one in enumerate(settings.filter_wheels)
        )
        self.focusers = tuple(
            Focuser(one, now=now, ambient_c=self.ambient_c, quirks=self._faults_of("focuser", index))
            for index, one in enumerate(settings.focusers)
        )
        self.dome = None if settings.dome is None else Dome(settings.dome, now=now, quirks=self.faults.on("dome"))
        self.rotator = (
            None if settings.rotator is None else Rotator(settings.rotator, now=now, quirks=self.faults.on("rotator"))
        )
        self.cover = None if settings.cover is None else Cover(settings.cover, now=now, quirks=self.faults.on("cover"))
        self.switch = (
            None if settings.switch is None else Switch(settings.switch, now=now, quirks=self.faults.on("switch"))
        )
        self._aim = aim or MountAim(self.mount)
        self.trains = tuple(self._train(index) for index in range(len(self.cameras)))
        self.album = Album(sky, self.trains)

    def now(self) -> datetime:
        """What time it is for the devices."""
        return self._as_of or self.clock.now()

    def ambient_c(self, at: datetime) -> float:
        """How warm the air is."""
        return self.weather.read(at)[Quantity.TEMPERATURE_C]

    def _do_by_itself(self, fault: Fault, at: datetime) -> None:
        """As of an instant that is past: nobody has asked or ordered anything since."""
        self._as_of = at
        try:
            deeds.do(self, fault)
        finally:
            self._as_of = None

    def _built_cameras(self, settings: ObservatorySettings) -> tuple[Camera, ...]:
        numbers = count(1)
        return tuple(
            Camera(
                one,
                now=self.now,
                ambient_c=self.ambient_c,
                numbers=numbers,
                quirks=self._faults_of("camera", index),
            )
            for index, one in enumerate(settings.cameras)
        )

    def _train(self, index: int) -> Train:
        return Train(
            optics=self.settings.optics,
            camera=self.cameras[index],
            mount=self._aim,
            weather=self.weather,
            filter_wheel=self.filter_wheels[index] if index < len(self.filter_wheels) else None,
            focuser=self.focusers[index] if index < len(self.focusers) else None,
            dome=self.dome,
            rotator=self.rotator if index == 0 else None,
            cover=self.cover,
        )

    def _faults_of(self, kind: str, index: int) -> DeviceFaults:
        return self.faults.on(numbered(kind, index))


def require_device(settings: ObservatorySettings, device: str) -> None:
    """A ValueError where an observatory so built has no device that scripts of faults know by this name."""
    counts = {"mount": 1, "safety_monitor": 1, "conditions": 1}
    counts |= {"camera": len(settings.cameras), "focuser": len(settings.focusers)}
    counts["filter_wheel"] = len(settings.filter_wheels)
    counts |= {name: getattr(settings, name) is not None for name in ("dome", "rotator", "cover", "switch")}
    names = [numbered(kind, index) for kind, count in counts.items() for index in range(count)]
    if device not in names:
        raise ValueError(f"there is no device {device[:40]!r}; there are {', '.join(sorted(names))}")


def numbered(kind: str, index: int) -> str:
    """The name of the device of a kind with this number from 0: camera, camera_2, …"""
    return kind if index == 0 else f"{kind}_{index + 1}"
