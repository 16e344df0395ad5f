"""A camera of INDI's that behaves, and can be told not to; its pictures are FITS files of its own making."""

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np

from tests.drivers.indi.fake_indi import FakeDevice, FakeProperty, Values, spring_back

WIDTH_PX, HEIGHT_PX = 60, 40
READOUT_S = 0.2


def fits_of(pixels: "np.typing.NDArray[np.uint16]", **cards: str) -> bytes:
    """A FITS file, by the letter of the standard: signed numbers, the offset in BZERO, blocks of 2880 bytes."""
    height_px, width_px = pixels.shape
    first = {"SIMPLE": "T", "BITPIX": "16", "NAXIS": "2", "NAXIS1": str(width_px), "NAXIS2": str(height_px)}
    lines = [f"{name:<8}= {value:>20}" for name, value in (first | {"BZERO": "32768", "BSCALE": "1"} | cards).items()]
    header = "".join(f"{line:<80}" for line in [*lines, "END"])
    header += " " * (-len(header) % 2880)
    data = (pixels.astype(np.int32) - 32768).astype(">i2").tobytes()
    return header.encode() + data + b"\0" * (-len(data) % 2880)


class FakeCamera(FakeDevice):
    """A camera that counts down each second, and sends each picture `READOUT_S` after its exposure."""

    clock_ahead = timedelta(0)
    sends_size_px: tuple[int, int] | None = None
    says_exposed_s: float | None = None
    sends_the_same = False
    sends_garbage = False
    top_down = True
    loses_pictures = False
    describes_late = False  # what it was asked while a picture left it answers behind its "over", as it was before

    def __init__(self, begins: datetime) -> None:
        self.exposure = FakeProperty("Number", "CCD_EXPOSURE", {"CCD_EXPOSURE_VALUE": 1.0}, limits=(0.001, 3600.0))
        self.size = FakeProperty(
            "Number",
            "CCD_INFO",
            {"CCD_MAX_X": 0.0, "CCD_MAX_Y": 0.0, "CCD_PIXEL_SIZE": 0.0, "CCD_BITSPERPIXEL": 0.0},
            perm="ro",
        )
        self.picture = FakeProperty("BLOB", "CCD1", {"CCD1": ""}, perm="ro")
        kinds = {"FRAME_LIGHT": True, "FRAME_BIAS": False, "FRAME_DARK": False, "FRAME_FLAT": False}
        frame = {"X": 10.0, "Y": 10.0, "WIDTH": 20.0, "HEIGHT": 20.0}  # as somebody left it
        super().__init__(
            "Camera",
            FakeProperty("Number", "POLLING_PERIOD", {"PERIOD_MS": 1000.0}, limits=(10.0, 600_000.0)),
            self.exposure,
            FakeProperty("Switch", "CCD_ABORT_EXPOSURE", {"ABORT": False}, rule="AtMostOne"),
            FakeProperty("Number", "CCD_FRAME", frame, limits=(0.0, 60.0)),
            FakeProperty("Number", "CCD_BINNING", {"HOR_BIN": 1.0, "VER_BIN": 1.0}, limits=(1.0, 4.0)),
            self.size,
            self.picture,
            FakeProperty("Switch", "CCD_FRAME_TYPE", kinds),
            FakeProperty("Switch", "UPLOAD_MODE", {"UPLOAD_CLIENT": False, "UPLOAD_LOCAL": True}),
            FakeProperty("Switch", "CCD_COMPRESSION", {"INDI_ENABLED": True, "INDI_DISABLED": False}),
            FakeProperty("Number", "CCD_CONTROLS", {"Gain": 100.0, "Offset": 10.0, "USB": 40.0}, limits=(0.0, 600.0)),
        )
        self.reactions |= {"CCD_EXPOSURE": FakeCamera._expose, "CCD_ABORT_EXPOSURE": FakeCamera._abort}
        self._begins = begins
        self._timers: list[asyncio.TimerHandle] = []
        self._first = b""
        self.taken = 0
        self.refused = 0

    def switch(self, *, on: bool) -> None:
        super().switch(on=on)
        if on:  # it tells its size when it has asked the camera
            told = {"CCD_MAX_X": WIDTH_PX, "CCD_MAX_Y": HEIGHT_PX, "CCD_PIXEL_SIZE": 3.8, "CCD_BITSPERPIXEL": 16}
            self._after(0.5, lambda: self.tell(self.size, state="Ok", **{name: float(told[name]) for name in told}))
        else:
            self.stop()

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def now(self) -> datetime:
        return self._begins + timedelta(seconds=asyncio.get_running_loop().time())

    def _after(self, seconds: float, what: "object") -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, what))  # type: ignore[arg-type]

    @staticmethod
    def _expose(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        """While it is busy it refuses, as real drivers do who are asked again when the picture comes."""
        camera = _camera(device)
        seconds = float(values["CCD_EXPOSURE_VALUE"])
        if prop.state == "Busy":
            camera.refused += 1
            camera.message("CCD is busy")
            camera.tell(prop, state="Alert")
            return
        began_at = camera.now() + camera.clock_ahead
        camera.tell(prop, state="Busy", CCD_EXPOSURE_VALUE=seconds)
        camera._after(seconds, lambda: camera.tell(prop, CCD_EXPOSURE_VALUE=0.0))
        if not camera.loses_pictures:
            camera._after(seconds + READOUT_S, lambda: camera._send(seconds, began_at))

    def _send(self, seconds: float, began_at: datetime) -> None:
        self.taken += 1
        body = self._picture(seconds, began_at)
        self._first = self._first or body
        self.send_blob(self.picture, self._first if self.sends_the_same else body)
        self._after(0.1, self._be_over)  # and only then is it free

    def _be_over(self) -> None:
        self.tell(self.exposure, state="Ok")
        if self.describes_late:
            self.say(self.exposure.described(self.name).replace("state='Ok'", "state='Busy'"))

    def _picture(self, seconds: float, began_at: datetime) -> bytes:
        if self.sends_garbage:
            return b"not a picture"
        binning = int(float(self.also["CCD_BINNING"].values["HOR_BIN"]))
        frame = self.also["CCD_FRAME"].values
        whole = (int(float(frame["WIDTH"])) // binning, int(float(frame["HEIGHT"])) // binning)
        width_px, height_px = self.sends_size_px or whole
        pixels = np.arange(width_px * height_px, dtype=np.uint16).reshape(height_px, width_px) + np.uint16(33_000)
        stamp = began_at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        cards = {"EXPTIME": f"{self.says_exposed_s or seconds:.6E}", "DATE-OBS": f"'{stamp}'"}
        return fits_of(pixels, **(cards | ({"ROWORDER": "'TOP-DOWN'"} if self.top_down else {})))

    @staticmethod
    def _abort(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        camera = _camera(device)
        camera.stop()
        spring_back(device, prop, values)
        camera.tell(camera.exposure, state="Idle", CCD_EXPOSURE_VALUE=0.0)


def _camera(device: FakeDevice) -> FakeCamera:
    assert isinstance(device, FakeCamera)
    return device
