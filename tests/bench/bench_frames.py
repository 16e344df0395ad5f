"""A 61-megapixel frame made durable, beside the bare write of its bytes and beside astropy; a step of the ledger."""

import asyncio
import os
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from astropy.io import fits

from bridge.clock import LoopClock
from bridge.events import Telemetry
from bridge.storage.frames import write_frame
from bridge.storage.store import open_store
from bridge.tasks import TaskSource, TaskState
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Star
from tests.bench.compared import Compared, wall_s_of

WIDTH_PX, HEIGHT_PX = 9576, 6388
DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
_CARDS = [("OBJECT", "Vega", ""), ("DATE-OBS", "2026-11-22T21:30:15.123456", "")]
_ROUNDS = 8
_STEPS = 200


def measure() -> Iterator[Compared]:
    """Rounds are taken in turn, so that a busy disk is busy for all; the best of each counts."""
    pixels = np.random.default_rng(1).normal(1000.0, 30.0, (HEIGHT_PX, WIDTH_PX)).astype(np.uint16)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        ours, bare, astropys = [], [], []
        for number in range(_ROUNDS):
            ours.append(_alone_s(folder, lambda n=number: write_frame(folder / f"{n}.fits", _CARDS, pixels)))
            bare.append(_alone_s(folder, lambda: _written(folder / "bare", pixels)))
            astropys.append(_alone_s(folder, lambda: _by_astropy(folder / "astropy.fits", pixels)))
        what = "a durable frame of 61 megapixels, with both checksums and fsync"
        yield Compared(
            what=what,
            ours=min(ours),
            peer="os.write + fsync of the bytes",
            theirs=min(bare),
            unit="s",
            wanted_ratio=1 / 1.5,
        )
        yield Compared(
            what=what, ours=min(ours), peer="astropy's writeto + fsync, no checksums", theirs=min(astropys), unit="s"
        )
        our_mb = _peak_mb(lambda: write_frame(folder / "m.fits", _CARDS, pixels))
        astropys_mb = _peak_mb(lambda: _by_astropy(folder / "astropy.fits", pixels))
        yield Compared(
            what="memory beyond the pixels (8 MB at most)",
            ours=our_mb,
            peer="astropy's writeto",
            theirs=astropys_mb,
            unit="MB",
            wanted_ratio=astropys_mb / 8.0,
        )
        step_s, commit_s = asyncio.run(_steps(folder / "ledger.sqlite")), _bare_sync_s(folder / "synced")
        yield Compared(
            what="a step of a task, durable in the ledger",
            ours=step_s * 1e3,
            peer="write + fsync of one page",
            theirs=commit_s * 1e3,
            unit="ms",
        )


def _alone_s(folder: Path, work: Callable[[], object]) -> float:
    """Seconds of one try into an empty folder, while the disk has nothing left to do from before."""
    for file in folder.iterdir():
        file.unlink()
    os.sync()
    return wall_s_of(work, repeats=1)


def _written(path: Path, pixels: np.ndarray) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        left = memoryview(pixels).cast("B")
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _by_astropy(path: Path, pixels: np.ndarray) -> None:
    with path.open("wb") as file:
        fits.PrimaryHDU(pixels, fits.Header(_CARDS)).writeto(file)
        os.fsync(file.fileno())


def _peak_mb(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak_bytes / 1e6


async def _steps(path: Path) -> float:
    """Seconds of one move of a task, the mean of many."""
    async with open_store(path, clock=LoopClock(DUSK), telemetry=Telemetry()) as store:
        request = ObservationRequest(
            request_id="vega",
            target=Star(name="Vega", icrs=ICRS(ra_deg=279.2, dec_deg=38.8)),
            opens=DUSK,
            closes=DUSK + timedelta(hours=2),
            priority=5.0,
            filter_name="",
            exposure_s=1.0,
            frame_count=1,
            binning=1,
            collect=CollectShape.AUTO,
        )
        await store.ledger.file_tasks([request], source=TaskSource.MANUAL)
        began_s = asyncio.get_running_loop().time()
        for _ in range(_STEPS // 2):
            await store.ledger.advance("vega", TaskState.PLANNED)
            await store.ledger.advance("vega", TaskState.PENDING)
        return (asyncio.get_running_loop().time() - began_s) / _STEPS


def _bare_sync_s(path: Path) -> float:
    page = bytes(4096)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        return wall_s_of(lambda: (os.pwrite(descriptor, page, 0), os.fsync(descriptor)), repeats=_STEPS)
    finally:
        os.close(descriptor)
