"""A start with 10,000 frames that the platform does not have yet."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.compared import Compared
from tests.bench.long_queue import fill, started

_FRAMES = 10_000


def measure() -> Iterator[Compared]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        fill(Path(name), _FRAMES)
        took_s, grew_mb, look_ms = started(Path(name))
    queued = f"with {_FRAMES} frames queued:"
    yield Compared(what=f"{queued} start", ours=took_s, peer="asked", theirs=10.0, unit="s", wanted_ratio=1.0)
    yield Compared(what=f"{queued} memory", ours=grew_mb, peer="asked", theirs=50.0, unit="MB", wanted_ratio=1.0)
    yield Compared(what=f"{queued} the next item", ours=look_ms, peer="a request", theirs=100.0, unit="ms")
