"""What an exposure costs beyond itself: from the command to the frame in memory, at life speed, 4 megapixels.

Beside it the loop that alpyca's own documentation teaches, asking as often as ours does.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
from alpaca.camera import Camera

from drivers.config import AlpacaDevice
from drivers.connect import connect_camera
from drivers.values import Exposure
from tests.bench.compared import Compared

_EXPOSURES_S = (0.5, 0.5, 0.5, 1.0, 1.0, 2.0)
_PROMISED_S = 0.05


def measure() -> Iterator[Compared]:
    command = [sys.executable, "-m", "tests.bench.observatory_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        ours_s = asyncio.run(_ours(address))
        theirs_s = _alpycas(address)
        server.kill()
    what = f"exposure of 4 Mpx: median overhead (at most {_PROMISED_S:g} s)"
    wanted = theirs_s / _PROMISED_S  # the promise is a figure, not a ratio
    yield Compared(what=what, ours=ours_s, peer="alpyca", theirs=theirs_s, unit="s", wanted_ratio=wanted)


async def _ours(address: str) -> float:
    overheads_s = []
    async with connect_camera(AlpacaDevice(address=address), now=lambda: datetime.now(UTC)) as camera:
        await camera.expose(Exposure(exposure_s=0.1))  # the settings are sent with the first
        for exposure_s in _EXPOSURES_S:
            began_s = time.perf_counter()
            frame = await camera.expose(Exposure(exposure_s=exposure_s))
            overheads_s.append(time.perf_counter() - began_s - exposure_s)
            assert frame.pixels.shape == (2048, 2048)
    return float(np.median(overheads_s))


def _alpycas(address: str) -> float:
    camera, overheads_s = Camera(address, 0), []
    camera.Connected = True
    for exposure_s in _EXPOSURES_S:
        began_s = time.perf_counter()
        camera.StartExposure(exposure_s, True)
        while not camera.ImageReady:
            time.sleep(0.005)
        pixels = np.array(camera.ImageArray).transpose()
        overheads_s.append(time.perf_counter() - began_s - exposure_s)
        assert pixels.shape == (2048, 2048)
    return float(np.median(overheads_s))
