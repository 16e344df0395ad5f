"""Devices that behave, as functions of time, and that can be told to lie. Their attributes are ASCOM's members."""

# ruff: noqa: N802, N803 (ASCOM's names)

import math
import struct
from collections.abc import Callable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tests.drivers.fake_alpaca import Answer, FakeDevice, Fault, not_implemented

SIDEREAL_DEG_PER_S = 360.0 / 86164.0905


class FakeTelescope(FakeDevice):
    """A German mount on axes of date that turns both axes at 3°/s and stops at once."""

    EquatorialSystem = 1
    AlignmentMode = 2
    CanSlewAsync = CanPark = CanSync = True
    CanFindHome = False
    CanSetRightAscensionRate = CanSetDeclinationRate = True
    SideOfPier = 1

    axis_rates = ({"Minimum": 0.0, "Maximum": 4.0},)
    adds_to_tracking = False  # MoveAxis comes on top of tracking, as GSServer once had it

    speed_deg_s = 3.0
    misses_by_deg = 0.0  # where a slew ends, too far north
    flag_drops_early = False  # Slewing is False though it moves
    ignores: tuple[str, ...] = ()  # commands it takes and does not follow
    stops_after_deg = math.inf  # a slew gets stuck after so much

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._from = (90.0, 20.0)
        self._goal: tuple[float, float] | None = None
        self._since_s = clock()
        self._tracking = False
        self._parking = self._parked = False
        self._rates = {"RightAscensionRate": 0.0, "DeclinationRate": 0.0}
        self._spins = [0.0, 0.0]  # of the hour angle and the declination axis, °/s
        self.TrackingRate = 0

    def _place(self) -> tuple[float, float]:
        """Right ascension and declination in degrees now; when a slew has ended its goal is where it stands."""
        elapsed_s = self._clock() - self._since_s
        if self._goal is not None:
            turns = [_turn(start, end) for start, end in zip(self._from, self._goal, strict=True)]
            way_deg = max(abs(turn) for turn in turns) or 1e-9
            part = min(elapsed_s * self.speed_deg_s, self.stops_after_deg, way_deg) / way_deg
            ra_deg, dec_deg = (start + turn * part for start, turn in zip(self._from, turns, strict=True))
            return ra_deg % 360.0, dec_deg
        ra_deg, dec_deg = self._from
        if any(self._spins):
            tracks = self._tracking and (self.adds_to_tracking or not self._spins[0])
            hour_angle_rate = self._spins[0] + (SIDEREAL_DEG_PER_S if tracks else 0.0)
            ra_deg += (SIDEREAL_DEG_PER_S - hour_angle_rate) * elapsed_s
            return ra_deg % 360.0, dec_deg + self._spins[1] * elapsed_s
        if not self._tracking:
            return (ra_deg + SIDEREAL_DEG_PER_S * elapsed_s) % 360.0, dec_deg
        ra_rate = self._rates["RightAscensionRate"] * 15.0 / 3600.0 / 0.9972695677
        return (ra_deg + ra_rate * elapsed_s) % 360.0, dec_deg + self._rates["DeclinationRate"] / 3600.0 * elapsed_s

    def _settle(self) -> None:
        """From here on as things stand now."""
        moving = self.really_moving
        self._from = self._place()
        self._since_s = self._clock()
        if not moving:
            if self._parking:
                self._parked, self._parking, self._tracking = True, False, False
            self._goal = None

    @property
    def really_moving(self) -> bool:
        if self._goal is None:
            return False
        way_deg = max(abs(_turn(start, end)) for start, end in zip(self._from, self._goal, strict=True))
        stuck = way_deg > self.stops_after_deg
        return stuck or (self._clock() - self._since_s) * self.speed_deg_s < way_deg

    @property
    def Slewing(self) -> bool:
        return (self.really_moving or any(self._spins)) and not self.flag_drops_early

    @property
    def RightAscension(self) -> float:
        return self._place()[0] / 15.0

    @property
    def Declination(self) -> float:
        return self._place()[1]

    @property
    def AtPark(self) -> bool:
        if self._parking and not self.really_moving:
            self._settle()
        return self._parked

    @property
    def Tracking(self) -> bool:
        return self._tracking and not self.AtPark

    @Tracking.setter
    def Tracking(self, on: bool) -> None:
        if self.AtPark:
            raise Fault(0x408, "the mount is parked")
        if "Tracking" not in self.ignores:
            self._settle()
            self._tracking = on

    @property
    def RightAscensionRate(self) -> float:
        return self._rates["RightAscensionRate"]

    @RightAscensionRate.setter
    def RightAscensionRate(self, rate: float) -> None:
        self._set_rate("RightAscensionRate", rate)

    @property
    def DeclinationRate(self) -> float:
        return self._rates["DeclinationRate"]

    @DeclinationRate.setter
    def DeclinationRate(self, rate: float) -> None:
        self._set_rate("DeclinationRate", rate)

    def _set_rate(self, member: str, rate: float) -> None:
        if not self._tracking:
            raise Fault(0x40B, "rates need tracking")
        if member not in self.ignores:
            self._settle()
            self._rates[member] = rate

    def SlewToCoordinatesAsync(self, RightAscension: float, Declination: float) -> None:
        if self.AtPark:
            raise Fault(0x408, "the mount is parked")
        if not self._tracking:
            raise Fault(0x40B, "a slew needs tracking")
        if Declination < -60.0:
            raise Fault(0x401, "below the horizon")
        self._settle()
        if "SlewToCoordinatesAsync" not in self.ignores:
            self._goal = (RightAscension * 15.0, Declination + self.misses_by_deg)

    def SyncToCoordinates(self, RightAscension: float, Declination: float) -> None:
        if "SyncToCoordinates" not in self.ignores:
            self._settle()
            self._from = (RightAscension * 15.0, Declination)

    def AbortSlew(self) -> None:
        if self.AtPark:
            raise Fault(0x408, "the mount is parked")
        if "AbortSlew" not in self.ignores:
            self._settle()
            self._goal = None
            self._parking = False
            self._spins = [0.0, 0.0]

    def CanMoveAxis(self, Axis: int) -> bool:
        return Axis < 2

    def AxisRates(self, Axis: int) -> object:
        return self.axis_rates

    def MoveAxis(self, Axis: int, Rate: float) -> None:
        if self.AtPark:
            raise Fault(0x408, "the mount is parked")
        if "MoveAxis" not in self.ignores:
            self._settle()
            self._spins[Axis] = Rate

    def Park(self) -> None:
        self._settle()
        if "Park" not in self.ignores:
            self._parking = True
            self._goal = (0.0, 89.0)

    def Unpark(self) -> None:
        self._settle()
        self._parked = "Unpark" in self.ignores


def _turn(start: float, end: float) -> float:
    return (end - start + 180.0) % 360.0 - 180.0


class FakeCamera(FakeDevice):
    """A camera of 60 by 40 px that needs half a second to read out."""

    CameraXSize, CameraYSize, PixelSizeX, MaxBinX, MaxBinY, MaxADU = 60, 40, 3.76, 4, 4, 65535
    CanAbortExposure = CanSetCCDTemperature = True
    SensorName = "FAKE60"
    ExposureMin, ExposureMax = 0.001, 600.0
    BinX = BinY = 1
    StartX = StartY = NumX = NumY = 0
    Gain, Offset = 100, 30
    CoolerOn, CoolerPower, CCDTemperature, SetCCDTemperature = False, 0.0, 11.5, 0.0

    readout_s = 0.5
    never_ready = False
    broken = False
    delay_s = 0.030  # from the command to the shutter
    start_text: str | None = None  # instead of the true start
    picture_size: tuple[int, int] | None = None  # instead of the right one

    def __init__(self, clock: Callable[[], float], time_of_day: Callable[[float], datetime]) -> None:
        super().__init__(clock)
        self._time_of_day = time_of_day
        self._began_s: float | None = None
        self._duration_s = 0.0
        self._lost = False
        self.lights: list[bool] = []
        self.aborted = 0

    def StartExposure(self, Duration: float, Light: bool) -> None:
        if self.CameraState != 0:
            raise Fault(0x40B, "an exposure is under way")
        if (self.NumX, self.NumY) != (60 // self.BinX, 40 // self.BinY):
            raise Fault(0x401, "the frame is not on the chip")
        self._began_s, self._duration_s, self._lost = self._clock() + self.delay_s, Duration, False
        self.lights.append(Light)

    @property
    def CameraState(self) -> int:
        if self.broken:
            return 5
        if self._began_s is None or self._lost:
            return 0
        past_s = self._clock() - self._began_s - self._duration_s
        if past_s < 0.0:
            return 2
        return 3 if past_s < self.readout_s or self.never_ready else 0

    @property
    def ImageReady(self) -> bool:
        return self._began_s is not None and self.CameraState == 0 and not self._lost

    @property
    def LastExposureDuration(self) -> float:
        return self._duration_s

    @property
    def LastExposureStartTime(self) -> str:
        if self._began_s is None:
            raise Fault(0x402, "no exposure yet")
        if self.start_text is not None:
            return self.start_text
        return self._time_of_day(self._began_s).replace(tzinfo=None).isoformat(timespec="milliseconds")

    def AbortExposure(self) -> None:
        self.aborted += 1
        self._lost = True

    def as_seen(self) -> NDArray[np.uint16]:
        """The picture, top row first."""
        width, height = self.picture_size or (self.NumX, self.NumY)
        return np.arange(width * height, dtype=np.uint16).reshape(height, width)

    @property
    def ImageArray(self) -> None:
        as_seen = self.as_seen()
        height, width = as_seen.shape
        head = struct.pack("<11i", 1, 0, 1, 1, 44, 2, 8, 2, width, height, 0)
        raise Answer(head + as_seen.T.tobytes(), headers={"Content-Type": "application/imagebytes"})


class FakeFilterWheel(FakeDevice):
    """Three filters, two seconds from any to any."""

    Names = ("Clear", "Red", "Ha")
    FocusOffsets = (0, -12, 40)
    ignores_commands = False

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._slot = 0
        self._arrives_s = clock()

    @property
    def Position(self) -> int:
        return self._slot if self._clock() >= self._arrives_s else -1

    @Position.setter
    def Position(self, slot: int) -> None:
        if not self.ignores_commands:
            self._slot, self._arrives_s = slot, self._clock() + 2.0


class FakeFocuser(FakeDevice):
    """A thousand steps a second."""

    Absolute = True
    MaxStep, MaxIncrement, StepSize, Temperature = 50_000, 50_000, 1.5, 8.0
    sticks_at: int | None = None

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._start, self._goal, self._since_s = 25_000, 25_000, clock()
        self.moves: list[int] = []

    @property
    def Position(self) -> int:
        way = self._goal - self._start
        position = self._start + int(math.copysign(min((self._clock() - self._since_s) * 1000.0, abs(way)), way))
        return position if self.sticks_at is None else min(position, self.sticks_at)

    @property
    def IsMoving(self) -> bool:
        return self.Position not in (self._goal, self.sticks_at)

    def Move(self, Position: int) -> None:
        if abs(Position - self.Position) > self.MaxIncrement:
            raise Fault(0x401, "too far at once")
        self.moves.append(Position)
        self._start, self._goal, self._since_s = self.Position, Position, self._clock()

    def Halt(self) -> None:
        self._start = self._goal = self.Position


class FakeDome(FakeDevice):
    """Turns at 5°/s; its shutter takes 20 s."""

    CanSetAzimuth = CanSetShutter = CanPark = True
    Slaved = False
    ignores: tuple[str, ...] = ()
    jams = False  # the shutter stops half way, with an error
    short_by_deg = 0.0

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._from_deg, self._goal_deg, self._turned_s = 0.0, 0.0, clock()
        self._shutter, self._shutter_s = 1, -math.inf  # towards OPEN (0) or CLOSED (1), and since when
        self._stopped = False

    @property
    def ShutterStatus(self) -> int:
        past_s = self._clock() - self._shutter_s
        if self._stopped or (self.jams and 10.0 < past_s < math.inf):
            return 4
        return self._shutter if past_s >= 20.0 else self._shutter + 2

    def OpenShutter(self) -> None:
        self._move_shutter("OpenShutter", 0)

    def CloseShutter(self) -> None:
        self._move_shutter("CloseShutter", 1)

    def _move_shutter(self, command: str, towards: int) -> None:
        if command not in self.ignores:
            self._shutter, self._shutter_s, self._stopped = towards, self._clock(), False

    @property
    def Azimuth(self) -> float:
        if not self.CanSetAzimuth:
            raise not_implemented()
        turn = _turn(self._from_deg, self._goal_deg)
        turned = math.copysign(
            min((self._clock() - self._turned_s) * 5.0, max(abs(turn) - self.short_by_deg, 0.0)), turn
        )
        return (self._from_deg + turned) % 360.0

    @property
    def _turning(self) -> bool:
        return (self._clock() - self._turned_s) * 5.0 < abs(_turn(self._from_deg, self._goal_deg)) - self.short_by_deg

    @property
    def Slewing(self) -> bool:
        return self._turning or self.ShutterStatus in (2, 3)

    def SlewToAzimuth(self, Azimuth: float) -> None:
        if self.Slaved:
            raise Fault(0x409, "the dome follows the telescope")
        self._from_deg, self._goal_deg, self._turned_s = self.Azimuth, Azimuth, self._clock()

    @property
    def AtPark(self) -> bool:
        return not self._turning and abs(_turn(self.Azimuth, 180.0)) < 0.1

    def Park(self) -> None:
        self.SlewToAzimuth(180.0)

    def AbortSlew(self) -> None:
        if self.CanSetAzimuth:
            here_deg = self.Azimuth
            self._from_deg = self._goal_deg = here_deg
        if self.ShutterStatus in (2, 3):
            self._stopped = True


class FakeSafetyMonitor(FakeDevice):
    """Says what it is told to say."""

    IsSafe: object = True


class FakeConditions(FakeDevice):
    """A station without an anemometer."""

    CloudCover, DewPoint, Humidity, Temperature, Pressure = 12.0, 3.5, 61.0, 9.0, 772.0
    RainRate = 0.0
    age_s = 4.0

    def TimeSinceLastUpdate(self, SensorName: str = "") -> float:
        return self.age_s
