"""Pictures of 61 megapixels from an Alpaca camera to a numpy array: our reader beside alpyca's.

The server and each download are processes of their own, so that no memory is reused and no interpreter shared.
"""

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.compared import Compared

_WIDTH_PX, _HEIGHT_PX = 9576, 6388  # IMX455
_REPEATS = 5
_PYTHON = [sys.executable, "-m"]


def measure() -> Iterator[Compared]:
    size = (str(_WIDTH_PX), str(_HEIGHT_PX))
    command = [*_PYTHON, "tests.bench.picture_server", *size]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            runs = [(_download("ours", port, *size), _download("alpyca", port, *size)) for _ in range(_REPEATS)]
        finally:
            server.kill()
    for number, (what, unit, wanted) in enumerate((("time", "s", 8.0), ("memory", "MB", 2.0))):
        ours, theirs = (min(run[who][number] for run in runs) for who in (0, 1))
        yield Compared(
            what=f"picture of 61 Mpx uint16: {what}",
            ours=ours,
            peer="alpyca",
            theirs=theirs,
            unit=unit,
            wanted_ratio=wanted,
        )


def _download(who: str, port: str, *size: str) -> tuple[float, float]:
    """Seconds and megabytes of one download."""
    command = [*_PYTHON, "tests.bench.picture_client", who, port, *size]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took_s, grew_mb = done.stdout.split()
    return float(took_s), float(grew_mb)
