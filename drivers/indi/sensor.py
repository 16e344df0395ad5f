"""The sensor of an INDI camera: what is set before an exposure, and what comes of it, each found to be so."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import anyio

from drivers.errors import Malfunction, Refused
from drivers.indi.driver import SET_WITHIN_S
from drivers.indi.fits import NotAPicture, Picture, picture_of
from drivers.indi.link import Link
from drivers.indi.properties import PropertyState
from drivers.values import CameraCapabilities, CameraState, Exposure, FrameKind
from drivers.waiting import until

EXPOSURE: Final = "CCD_EXPOSURE"
SECONDS: Final = "CCD_EXPOSURE_VALUE"
PICTURE: Final = "CCD1"
FRAME: Final = "CCD_FRAME"
BINNING: Final = "CCD_BINNING"
KIND: Final = "CCD_FRAME_TYPE"
ANSWERS_WITHIN_S: Final = 10.0
READOUT_WITHIN_S: Final = 60.0  # from the end of the exposure until the picture is here
EVERY_S: Final = 0.01
ASKED_EVERY_S: Final = 1.0

# Where drivers keep gain and offset: the standard's own place, and that of several makers' drivers.
GAINS: Final = (("CCD_GAIN", "GAIN"), ("CCD_CONTROLS", "Gain"))
OFFSETS: Final = (("CCD_OFFSET", "OFFSET"), ("CCD_CONTROLS", "Offset"))
_KINDS: Final = {
    FrameKind.LIGHT: "FRAME_LIGHT",
    FrameKind.DARK: "FRAME_DARK",
    FrameKind.BIAS: "FRAME_BIAS",
    FrameKind.FLAT: "FRAME_FLAT",
}
# What makes a driver send nothing, or something else than a FITS file: set once, where it exists.
_TO_US: Final = (
    ("UPLOAD_MODE", "UPLOAD_CLIENT"),
    ("CCD_TRANSFER_FORMAT", "FORMAT_FITS"),
    ("CCD_COMPRESSION", "INDI_DISABLED"),
    ("CCD_FAST_TOGGLE", "INDI_DISABLED"),
    ("CCD_VIDEO_STREAM", "STREAM_OFF"),
)


async def until_idle(link: Link, doing: str) -> None:
    """A driver answers the next exposure only when it has said that the last is over, not when its picture came.

    One that was asked how it stands while a picture left it may have said "busy" behind its "over": so it is asked
    again.
    """
    asked_s = anyio.current_time()

    async def idle() -> bool:
        nonlocal asked_s
        if link.state(EXPOSURE) is not PropertyState.BUSY:
            return True
        if anyio.current_time() - asked_s >= ASKED_EVERY_S:
            asked_s = anyio.current_time()
            link.ask(EXPOSURE)
        return False

    await until(idle, device=link.name, doing=doing, within_s=ANSWERS_WITHIN_S, every_s=EVERY_S)


class Sensor:
    """The steps of an exposure. Any call may raise any DeviceError."""

    def __init__(self, link: Link, limits: CameraCapabilities, now: Callable[[], datetime]) -> None:
        self._link = link
        self._limits = limits
        self._now = now
        self._last_began = ""  # DATE-OBS of the picture before

    async def send_to_us(self) -> None:
        """Have pictures sent here, as plain FITS files, one for each exposure."""
        for prop, element in _TO_US:
            if self._link.has(prop, element) and not self._link.switch(prop, element):
                await self._link.choose(prop, element, within_s=SET_WITHIN_S)

    def state(self) -> CameraState:
        state = self._link.state(EXPOSURE)
        if state is PropertyState.BUSY:
            return CameraState.EXPOSING if self._link.number(EXPOSURE, SECONDS) > 0.0 else CameraState.READING
        return CameraState.ERROR if state is PropertyState.ALERT else CameraState.IDLE

    async def until_idle(self, doing: str) -> None:
        await until_idle(self._link, doing)

    async def prepare(self, asked: Exposure) -> Exposure:
        """Set kind, binning, full frame, gain and offset where they stand otherwise; `asked` as confirmed."""
        await self._choose_kind(asked.kind)
        await self._set(BINNING, {"HOR_BIN": asked.binning, "VER_BIN": asked.binning})
        whole = {"X": 0.0, "Y": 0.0, "WIDTH": self._limits.width_px, "HEIGHT": self._limits.height_px}
        await self._set(FRAME, whole)
        return replace(
            asked, gain=await self._confirm(GAINS, asked.gain), offset=await self._confirm(OFFSETS, asked.offset)
        )

    async def start(self, asked: Exposure) -> tuple[datetime, int]:
        """Open the shutter; when the command was sent, and how many pictures had come before."""
        came = self._link.count(PICTURE)
        sent_at = self._now()
        await self._link.set_numbers(EXPOSURE, {SECONDS: asked.exposure_s}, within_s=ANSWERS_WITHIN_S, finished=False)
        return sent_at, came

    async def picture(self, asked: Exposure, came: int) -> Picture:
        """The picture of the exposure under way: of its size, of its length, and not the one before once more."""
        within_s = asked.exposure_s + READOUT_WITHIN_S
        doing = f"expose {asked.exposure_s:g} s"
        blob = await self._link.next_blob(PICTURE, after_count=came, within_s=within_s, alarm=EXPOSURE)
        try:
            picture = picture_of(blob.body)
        except NotAPicture as error:
            raise Malfunction(self._link.name, doing, f"it sent {blob.format or 'a file'}: {error}") from error
        height_px, width_px = picture.pixels.shape
        wanted = (self._limits.width_px // asked.binning, self._limits.height_px // asked.binning)
        if (width_px, height_px) != wanted:
            raise Malfunction(
                self._link.name, doing, f"it sent {width_px} × {height_px} pixels, not {wanted[0]} × {wanted[1]}"
            )
        exposed_s = picture.number("EXPTIME")
        if exposed_s is not None and abs(exposed_s - asked.exposure_s) > max(0.1, 0.05 * asked.exposure_s):
            raise Malfunction(self._link.name, doing, f"its picture says that it exposed {exposed_s:g} s")
        began = picture.header.get("DATE-OBS", "")
        if began and began == self._last_began:
            raise Malfunction(self._link.name, doing, f"it sent the picture of {began} once more")
        self._last_began = began
        return picture

    def said_start(self, picture: Picture) -> datetime | None:
        """When the shutter opened by the driver's own word, where that is finer than a second; None: it has none."""
        text = picture.header.get("DATE-OBS", "")
        if "." not in text:
            return None
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            return None

    async def _choose_kind(self, kind: FrameKind) -> None:
        element = _KINDS[kind]
        if not self._link.has(KIND, element):
            if kind is not FrameKind.LIGHT:
                raise Refused(self._link.name, f"take a {kind} frame", "this camera knows no such frames")
        elif not self._link.switch(KIND, element):
            await self._link.choose(KIND, element, within_s=SET_WITHIN_S)

    async def _set(self, prop: str, wanted: dict[str, float]) -> None:
        if self._link.has(prop) and any(self._link.number(prop, name) != value for name, value in wanted.items()):
            await self._link.set_numbers(prop, wanted, within_s=SET_WITHIN_S)

    async def _confirm(self, places: tuple[tuple[str, str], ...], wanted: int | None) -> int | None:
        """Set what is wanted, and read what it is; None where the camera has no such setting."""
        place = next((place for place in places if self._link.has(*place)), None)
        if place is None:
            if wanted is not None:
                raise Refused(self._link.name, f"set {places[0][1].lower()} to {wanted}", "this camera has none")
            return None
        prop, element = place
        if wanted is not None and self._link.number(prop, element) != wanted:
            await self._link.set_numbers(prop, {**self._link.numbers(prop), element: wanted}, within_s=SET_WITHIN_S)
        return round(self._link.number(prop, element))
