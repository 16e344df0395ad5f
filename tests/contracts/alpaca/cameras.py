"""How a camera is told what to expose."""

from tests.contracts.alpaca.instruments import Instrument


def expose(camera: Instrument, exposure_s: float = 1.0) -> None:
    camera.call("StartExposure", Duration=exposure_s, Light=True)
    camera.until("ImageReady", True, within_s=exposure_s + 60.0)


def whole(camera: Instrument, binning: int = 1) -> tuple[int, int]:
    """The whole sensor, binned; says how large that is."""
    camera.write("BinX", binning)
    camera.write("BinY", binning)
    size = camera.read("CameraXSize") // binning, camera.read("CameraYSize") // binning
    frame(camera, 0, 0, *size)
    return size


def frame(camera: Instrument, start_x: int, start_y: int, num_x: int, num_y: int) -> None:
    for name, value in (("StartX", start_x), ("StartY", start_y), ("NumX", num_x), ("NumY", num_y)):
        camera.write(name, value)


def binnings(camera: Instrument) -> list[int]:
    return list(range(1, min(camera.read("MaxBinX"), 4) + 1))
