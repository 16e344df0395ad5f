"""The sensor of an Alpaca camera: what is set before an exposure, and what is read after it, each found to be so."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import numpy as np
from numpy.typing import NDArray

from drivers.alpaca.imagebytes import Expected, Picture
from drivers.alpaca.link import Link, optional
from drivers.errors import Malfunction
from drivers.values import CameraCapabilities, CameraState, Exposure, FrameKind

DOWNLOAD_WITHIN_S = 60.0  # real seconds
IDLE_S = 2.0  # a camera idle for so long after an exposure, without a picture, has lost it
STATES = {  # CameraStates
    0: CameraState.IDLE,
    1: CameraState.EXPOSING,  # waiting, for a filter or a trigger
    2: CameraState.EXPOSING,
    3: CameraState.READING,
    4: CameraState.READING,  # downloading to its server
    5: CameraState.ERROR,
}
_TIME_WITH_FRACTION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z?")


class Sensor:
    """The steps of an exposure. Any call may raise any DeviceError."""

    def __init__(self, link: Link, limits: CameraCapabilities, now: Callable[[], datetime]) -> None:
        self._link = link
        self._limits = limits
        self._now = now
        # Binning, gain and offset as last asked, then gain and offset as the camera confirmed them; None: not known.
        self._prepared: tuple[tuple[int, int | None, int | None], int | None, int | None] | None = None
        self._idle_since_s: float | None = None  # since when there has been neither exposure nor picture

    def forget(self) -> None:
        """Take nothing for granted of how the camera is set."""
        self._prepared = None

    async def prepare(self, asked: Exposure) -> Exposure:
        """Set binning, full frame, gain and offset unless the last exposure left them so; `asked` as confirmed."""
        key = (asked.binning, asked.gain, asked.offset)
        if self._prepared is None or self._prepared[0] != key:
            self._prepared = None
            await self._set_frame(asked.binning)
            self._prepared = (key, await self._confirm("Gain", asked.gain), await self._confirm("Offset", asked.offset))
        _, gain, offset = self._prepared
        return replace(asked, gain=gain, offset=offset)

    async def _set_frame(self, binning: int) -> None:
        for member, value in (
            ("BinX", binning),
            ("BinY", binning),
            ("StartX", 0),
            ("StartY", 0),
            ("NumX", self._limits.width_px // binning),
            ("NumY", self._limits.height_px // binning),
        ):
            await self._link.write(member, value)

    async def _confirm(self, member: str, wanted: int | None) -> int | None:
        """Set `member` if it is wanted, and read what it is; None where the camera has no such setting."""
        if wanted is not None:
            await self._link.write(member, wanted)
        confirmed = await optional(self._link.whole(member))
        if wanted not in (None, confirmed):
            raise Malfunction(self._link.name, f"set {member} to {wanted}", f"said yes, and it reads {confirmed}")
        return confirmed

    async def start(self, asked: Exposure) -> tuple[datetime, float]:
        """Open the shutter; when the command was sent, by the clock and on loop time."""
        self._idle_since_s = None
        asked_at, asked_s = self._now(), anyio.current_time()
        light = asked.kind in (FrameKind.LIGHT, FrameKind.FLAT)
        sent_s = await self._link.invoke("StartExposure", asked.exposure_s, light)
        return asked_at + timedelta(seconds=sent_s - asked_s), sent_s

    async def image_ready(self) -> bool:
        """Whether the picture of the exposure started last can be fetched."""
        if await self._link.flag("ImageReady"):
            return True
        now_s = anyio.current_time()
        if await state_of(self._link) is not CameraState.IDLE:
            self._idle_since_s = None
        elif self._idle_since_s is None:
            self._idle_since_s = now_s
        elif now_s - self._idle_since_s > IDLE_S:
            raise Malfunction(self._link.name, "wait for the picture", "the camera is idle and has none; did it stop?")
        return False

    async def download(self, binning: int) -> NDArray[np.uint16]:
        settings, limits = self._link.settings, self._limits
        expected = Expected(
            device=self._link.name, width_px=limits.width_px // binning, height_px=limits.height_px // binning
        )
        picture = Picture(settings.address, settings.device_number, expected)
        return await self._link.fetch(picture, DOWNLOAD_WITHIN_S)

    async def confirmed_exposure_s(self, asked_s: float, doing: str) -> float:
        exposure_s = await optional(self._link.number("LastExposureDuration"))
        if exposure_s is None:
            return asked_s
        if abs(exposure_s - asked_s) > max(0.1, 0.05 * asked_s):
            raise Malfunction(self._link.name, doing, f"it says that it exposed {exposure_s:g} s")
        return exposure_s

    async def said_start(self) -> datetime | None:
        """When the shutter opened by the driver's own word, where that is finer than a second; None: it has none."""
        text = await optional(self._link.text("LastExposureStartTime"))
        if text is None or not _TIME_WITH_FRACTION.fullmatch(text):
            return None
        try:
            return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError:  # digits in the right places, and no date: 2026-13-32
            return None


async def state_of(link: Link) -> CameraState:
    """What the camera is doing; a camera in ERROR is a Malfunction."""
    state = STATES[await link.whole("CameraState")]
    if state is CameraState.ERROR:
        raise Malfunction(link.name, "read its state", "the camera reports an error of its own; switch it off and on")
    return state
