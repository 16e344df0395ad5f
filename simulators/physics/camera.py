"""A camera as a function of time: exposure, readout, and a cooler that approaches its set point."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Literal

from drivers.values import CameraState
from simulators.physics.cooler import Cooler
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, Refusal, refuse_unless

# Shots remembered, for those who ask what was in them.
_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """A way of reading the sensor: in how much of the camera's time, and with how much of its noise."""

    name: str
    time_share: float
    noise_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """How a simulated camera is built. `electrons_per_adu` holds at gain 0; a gain is in tenths of a decibel.

    `gain_names`, `offset_names`: where there are any, gain or offset is chosen among so many even steps by its name.
    `readouts` are chosen by name too, or with `fast_flag` by a flag: the first is slow, the last is fast.
    `asymmetric_binning`: columns and rows may be binned each by its own number. `bayer`: the colours of the first two
    pixels of the uppermost row, and of the next; none on a monochrome sensor. Binned pixels gather all colours.
    `shutter_latency_s`: it opens so much after the command, and says that it did at once.
    """

    sensor_name: str = "SIM2048"
    width_px: int = 2048
    height_px: int = 2048
    pixel_size_um: float = 7.4
    max_binning: int = 4
    asymmetric_binning: bool = False
    bayer: Literal["", "RGGB", "GRBG", "GBRG", "BGGR"] = ""
    min_exposure_s: float = 0.001
    max_exposure_s: float = 900.0
    electrons_per_adu: float = 0.8
    read_noise_e: float = 3.0
    full_well_e: float = 50_000.0
    readout_s: float = 0.5
    shutter_latency_s: float = 0.0
    max_gain: int = 300
    max_offset: int = 200
    adu_per_offset: int = 10
    gain_names: tuple[str, ...] = ()
    offset_names: tuple[str, ...] = ()
    readouts: tuple[Readout, ...] = (
        Readout(name="Low noise", time_share=1.0, noise_share=1.0),
        Readout(name="Fast", time_share=0.2, noise_share=2.0),
    )
    fast_flag: bool = False
    cools_by_c: float = 40.0
    cooling_s: float = 60.0
    rotation_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How the next exposure will be read. Corner and size are in binned pixels, from the upper left."""

    binning_x: int
    binning_y: int
    start_x: int
    start_y: int
    num_x: int
    num_y: int
    gain: int
    offset: int
    readout: int = 0

    @property
    def square_binning(self) -> int:
        """By how much both columns and rows are binned; what remains of either is a whole number."""
        return math.gcd(self.binning_x, self.binning_y)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One exposure: when, how long, how, and the instant from which its picture can be had."""

    number: int
    started_at: datetime
    exposure_s: float
    light: bool
    setup: Setup
    ready_at: datetime
    latency_s: float = 0.0

    @property
    def said_at(self) -> datetime:
        """When it began by the camera's own word: when it was told to, and the shutter opens later."""
        return self.started_at - timedelta(seconds=self.latency_s)

    @property
    def ends_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.exposure_s)

    @property
    def mid_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.exposure_s / 2.0)


class Camera:
    """A camera with a shutter and a cooler. `ambient_c` is how warm it is around it."""

    def __init__(
        self,
        settings: CameraSettings,
        *,
        now: Callable[[], datetime],
        ambient_c: Callable[[datetime], float],
        numbers: Iterator[int] | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        self.settings = settings
        self.setup = Setup(
            binning_x=1,
            binning_y=1,
            start_x=0,
            start_y=0,
            num_x=settings.width_px,
            num_y=settings.height_px,
            gain=0,
            offset=30,
        )
        self.cooler = Cooler(settings.cools_by_c, settings.cooling_s, now=now, ambient_c=ambient_c)
        self.shots: deque[Shot] = deque(maxlen=_KEPT)
        self._now = now
        self._numbers = numbers or count(1)
        self._quirks = quirks or Quirks()
        self._shot: Shot | None = None
        self._taken: Shot | None = None

    @property
    def state(self) -> CameraState:
        """Idle also when a picture is waiting to be fetched."""
        if self._shot is None or self.image_ready:
            return CameraState.IDLE
        if self._now() < self._shot.ends_at or self._quirks.never_done("expose"):
            return CameraState.EXPOSING
        return CameraState.READING

    @property
    def image_ready(self) -> bool:
        if self._shot is None or self._quirks.never_done("expose"):
            return False
        return self._now() >= self._shot.ready_at or self._quirks.done_early("expose")

    def spoilt(self) -> str | None:
        """What is wrong with what is in the picture that is fetched now; None: nothing."""
        return self._quirks.contents()

    @property
    def percent_completed(self) -> int:
        """Of the exposure under way; 100 when it is over, 0 without one."""
        if self._shot is None:
            return 0
        if self._shot.exposure_s == 0.0:
            return 100
        into_s = (self._now() - self._shot.started_at).total_seconds()
        return int(100.0 * min(max(into_s / self._shot.exposure_s, 0.0), 1.0))

    @property
    def electrons_per_adu(self) -> float:
        return self.settings.electrons_per_adu * math.pow(10.0, -self.setup.gain / 200.0)

    def bin_by(self, binning: int, *, only: Literal["x", "y"] | None = None) -> None:
        """Read the next exposure binned; corner and size stay as they are, and are judged when it starts.

        `only` columns (x) or rows (y), where the camera can; it bins both alike where it cannot.

        Raises:
            Refusal: below 1, or more than the camera can.
        """
        most = self.settings.max_binning
        refuse_unless(1 <= binning <= most, Reason.INVALID_VALUE, f"binning {binning}: the camera can 1 to {most}")
        if self.settings.asymmetric_binning and only is not None:
            self.setup = replace(self.setup, **{f"binning_{only}": binning})
        else:
            self.setup = replace(self.setup, binning_x=binning, binning_y=binning)

    def start(self, exposure_s: float, *, light: bool) -> Shot:
        """Open the shutter.

        Raises:
            Refusal: one is under way, or such an exposure cannot be taken.
        """
        refuse_unless(self.state is CameraState.IDLE, Reason.INVALID_OPERATION, "an exposure is under way")
        longest_s = self.settings.max_exposure_s
        refuse_unless(
            0.0 <= exposure_s <= longest_s, Reason.INVALID_VALUE, f"{exposure_s} s: 0 s to {longest_s} s can be taken"
        )
        self._refuse_misfit()
        self._taken = self._shot or self._taken
        started_at = self._now() + timedelta(seconds=self.settings.shutter_latency_s)
        ready_at = started_at + timedelta(seconds=exposure_s) + self._readout_takes()
        self._shot = Shot(
            number=next(self._numbers),
            started_at=started_at,
            exposure_s=exposure_s,
            light=light,
            setup=self.setup,
            ready_at=ready_at,
            latency_s=self.settings.shutter_latency_s,
        )
        self.shots.append(self._shot)
        return self._shot

    def abort(self) -> None:
        """End the exposure under way; its picture is lost. Harmless without one."""
        if self._shot is not None and self.state is not CameraState.IDLE:
            self.shots.pop()
            self._shot = None

    def stop(self) -> None:
        """End the exposure under way; what it has gathered is read out. Harmless without one."""
        shot, now = self._shot, self._now()
        if shot is not None and now < shot.ends_at:
            exposure_s = max(0.0, (now - shot.started_at).total_seconds())
            self._shot = replace(shot, exposure_s=exposure_s, ready_at=now + self._readout_takes())
            self.shots[-1] = self._shot

    def taken(self) -> Shot:
        """The last exposure that was not broken off, also while the next one is under way.

        Raises:
            Refusal: there was none.
        """
        taken = self._shot if self.image_ready else self._taken
        if taken is None:
            raise Refusal(Reason.INVALID_OPERATION, "nothing has been exposed yet")
        return taken

    def last(self) -> Shot:
        """The exposure whose picture can be had.

        Raises:
            Refusal: there is none.
        """
        if self._shot is None or not self.image_ready:
            raise Refusal(Reason.INVALID_OPERATION, "there is no picture to be had")
        return self._shot

    def _readout_takes(self) -> timedelta:
        share = self.settings.readouts[self.setup.readout].time_share
        return timedelta(seconds=self.settings.readout_s * share)

    def _refuse_misfit(self) -> None:
        setup, settings = self.setup, self.settings
        for start, size, whole, binning, name in (
            (setup.start_x, setup.num_x, settings.width_px, setup.binning_x, "X"),
            (setup.start_y, setup.num_y, settings.height_px, setup.binning_y, "Y"),
        ):
            fits = start >= 0 and size >= 1 and start + size <= whole // binning
            what = f"Start{name} {start} and Num{name} {size} do not fit {whole} px binned by {binning}"
            refuse_unless(fits, Reason.INVALID_VALUE, what)
