"""One line of the benchmark: our figure beside a peer's, measured in the same run on the same machine."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What was measured (with its size), ours and the peer's in `unit`, smaller is better, and the ratio asked for.

    `wanted_ratio` is the least that the peer's figure over ours should be; None where nothing is promised.
    """

    what: str
    ours: float
    peer: str
    theirs: float
    unit: str
    wanted_ratio: float | None = None

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours

    @property
    def falls_short(self) -> bool:
        return self.wanted_ratio is not None and self.ratio < self.wanted_ratio


def cpu_s_of(work: Callable[[], object], *, repeats: int = 3) -> float:
    """The least processor time of this process that `work` took in some repeats."""
    best_s = float("inf")
    for _ in range(repeats):
        gc.collect()
        began_s = time.process_time()
        work()
        best_s = min(best_s, time.process_time() - began_s)
    return best_s


def wall_s_of(work: Callable[[], object], *, repeats: int = 3) -> float:
    """The least wall clock time that `work` took in some repeats."""
    best_s = float("inf")
    for _ in range(repeats):
        gc.collect()
        began_s = time.perf_counter()
        work()
        best_s = min(best_s, time.perf_counter() - began_s)
    return best_s
