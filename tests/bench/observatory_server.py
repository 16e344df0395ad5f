"""A simulated observatory whose camera has 4 megapixels and reads out at once.

`python -m tests.bench.observatory_server`, in a process of its own; prints its address. Its sky is blank, so that no
time goes into drawing it.
"""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from simulators.alpaca.app import alpaca_app
from simulators.clock import SimulatedClock
from simulators.observatory import Observatory, ObservatorySettings
from simulators.physics.camera import CameraSettings
from simulators.serving import Served
from simulators.sky.earth import Ground
from simulators.sky.render import Look


class BlankSky:
    def __init__(self) -> None:
        self._pixels = np.full((2048, 2048), 300, dtype=np.uint16)

    def frame(self, look: Look) -> NDArray[np.uint16]:
        return self._pixels

    def targets_in(self, look: Look) -> Sequence[tuple[int, float, float]]:
        return ()


def main() -> None:
    clock = SimulatedClock(starts_at=datetime(2026, 11, 22, 3, 0, tzinfo=UTC), anchored_unix_s=time.time(), rate=1.0)
    camera = CameraSettings(width_px=2048, height_px=2048, readout_s=0.0)
    ground = Ground(38.84, -104.97, 1900.0)
    observatory = Observatory(clock, ground, BlankSky(), settings=ObservatorySettings(cameras=(camera,)))
    with Served(alpaca_app(observatory)) as served:
        print(served.address, flush=True)  # noqa: T201
        sys.stdin.read()  # until whoever started it goes


if __name__ == "__main__":
    main()
