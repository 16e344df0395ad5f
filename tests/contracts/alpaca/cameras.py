"""How a camera is told what to expose."""

from tests.contracts.alpaca.instruments import Instrument


def expose(camera: Instrument, exposure_s: float = 1.0) -> None:
    camera.call("StartExposure", Duration=exposure_s, Light=True)
    camera.until("ImageReady", True, within_s=exposure_s + 60.0)


def whole(camera: Instrument, columns: int = 1, rows: int | None = None) -> tuple[int, int]:
    """The whole sensor, binned, the rows as the columns if nothing is said; says how large that is."""
    rows = columns if rows is None else rows
    camera.write("BinX", columns)
    camera.write("BinY", rows)
    size = camera.read("CameraXSize") // columns, camera.read("CameraYSize") // rows
    frame(camera, 0, 0, *size)
    return size


def frame(camera: Instrument, start_x: int, start_y: int, num_x: int, num_y: int) -> None:
    for name, value in (("StartX", start_x), ("StartY", start_y), ("NumX", num_x), ("NumY", num_y)):
        camera.write(name, value)


def pairs(camera: Instrument) -> list[tuple[int, int]]:
    """Every binning of columns and rows that it can do together, up to 4."""
    columns, rows = (range(1, min(camera.read(f"MaxBin{axis}"), 4) + 1) for axis in "XY")
    asymmetric = camera.read("CanAsymmetricBin")
    return [(one, other) for one in columns for other in rows if one == other or asymmetric]
