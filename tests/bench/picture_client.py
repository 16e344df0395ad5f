"""Downloads one picture in a fresh process: `python -m tests.bench.picture_client WHO PORT WIDTH HEIGHT`.

Prints the seconds it took and by how many MB the process grew at its peak. WHO is `ours` or `alpyca`.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def ours(port: int, width: int, height: int) -> Callable[[], NDArray[np.generic]]:
    from drivers.alpaca.imagebytes import Expected, Picture  # noqa: PLC0415 (only what is measured is loaded)

    expected = Expected(device="camera", width_px=width, height_px=height)
    return lambda: Picture(f"127.0.0.1:{port}", 0, expected).read(60.0)


def alpyca(port: int, width: int, height: int) -> Callable[[], NDArray[np.generic]]:
    """As its documentation has it: the list, into an array, rows and columns exchanged."""
    from alpaca.camera import Camera  # noqa: PLC0415 (as above)

    camera = Camera(f"127.0.0.1:{port}", 0)
    return lambda: np.array(camera.ImageArray).transpose()


def main() -> None:
    who, port, width, height = sys.argv[1], *(int(argument) for argument in sys.argv[2:])
    download = {"ours": ours, "alpyca": alpyca}[who](port, width, height)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began_s = time.perf_counter()
    pixels = download()
    took_s = time.perf_counter() - began_s
    grew_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024.0
    assert pixels.shape == (height, width)
    row = pixels[::-1][1] if who == "ours" else pixels[1]  # ours begins with the bottom row
    assert int(row[2]) == (2 * height + 1) % 65_521, "not the pixels that were sent"
    print(took_s, grew_mb)  # noqa: T201


if __name__ == "__main__":
    main()
