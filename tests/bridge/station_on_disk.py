"""The parts of a bridge that fetch, keep and deliver, on a disk that can fail; and all that can befall them."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import AsyncExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np

import bridge.crashpoints
import drivers.threads
from bridge.api.client import CitraApi
from bridge.clock import Clock
from bridge.config import ExposureSettings
from bridge.delivery import Delivery
from bridge.fetching import TaskFetcher
from bridge.retention import Retention
from bridge.storage.aside import make_folder
from bridge.storage.cards import Card
from bridge.storage.database import set_aside_if_damaged
from bridge.storage.framebook import FrameFile, ReservedFrame
from bridge.storage.frames import FrameFolder, open_frame_folder, write_frame
from bridge.storage.recovery import recover
from bridge.storage.store import Store, open_store
from tests.bridge.conftest import Platform
from tests.bridge.disk import Died, Disk

_T = TypeVar("_T")

LEDGER = "nightbridge.sqlite"


class SteppedClock:
    """The computer's clock, and how far it was set wrong; the platform has the right time."""

    def __init__(self, right: Clock) -> None:
        self._right = right
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return self._right.now() + timedelta(seconds=self.ahead_s)


class AtOnce(Executor):
    """Threads that do each thing at once: what is shown here does not lie between threads, and handing over is dear."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Takes what an executor of threads takes."""

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 (whoever waits gets it, as from every executor)
            future.set_exception(error)
        return future


class Station:
    """In a folder that outlives it. To be used inside `on_this_disk`."""

    def __init__(self, folder: Path, platform: Platform, clock: Clock) -> None:
        make_folder(folder / "frames")
        self.folder = folder
        self.disk = Disk(folder)
        self.platform = platform
        self.clock = clock
        self._stack = AsyncExitStack()
        self.store: Store
        self.frames: FrameFolder
        self.api: CitraApi
        self.fetcher: TaskFetcher

    @contextmanager
    def on_this_disk(self) -> Iterator[None]:
        with (
            patch.object(drivers.threads, "ThreadPoolExecutor", AtOnce),
            patch.object(bridge.crashpoints.os, "kill", self._die),
            self.disk.under(),
        ):
            yield

    def _die(self, _process: int, _signal: int) -> None:
        self.disk.dead = True
        raise Died

    async def start(self, *, dies_at: int = 0) -> None:
        """A new process. `dies_at`: before which call to the disk it dies again."""
        self.disk.arise()
        self.disk.dies_at = dies_at
        telemetry = self.platform.telemetry
        set_aside_if_damaged(self.folder / LEDGER, self.clock.now())
        ledger = open_store(self.folder / LEDGER, clock=self.clock, telemetry=telemetry)
        self.store = await self._stack.enter_async_context(ledger)
        frames = open_frame_folder(self.folder / "frames", keep_free_bytes=0)
        self.frames = await self._stack.enter_async_context(frames)
        self.api = await self._stack.enter_async_context(self.platform.open())
        self.fetcher = TaskFetcher(
            api=self.api,
            ledger=self.store.ledger,
            defaults=ExposureSettings(filter_name="Clear"),
            clock=self.clock,
            telemetry=telemetry,
        )
        await recover(self.store, self.frames, at=self.clock.now())

    async def stop(self) -> None:
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    def delivery(self) -> Delivery:
        return Delivery(self.store.outbox, self.api, self.clock, self.platform.telemetry)

    def retention(self) -> Retention:
        """Removes what is delivered as soon as it may."""
        return Retention(self.store.removals, self.frames, self.clock, self.platform.telemetry, keep_days=0.0)

    def keep(self, reserved: ReservedFrame, begin: datetime, *, room_is_made: bool = False) -> FrameFile:
        """Write a small frame that says of itself whose it is."""
        pixels = np.full((24, 60), reserved.seq, dtype=np.uint16)
        path = self.frames.folder / reserved.file_name
        return write_frame(path, _cards(reserved, begin), pixels, room_is_made=room_is_made)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What another reader sees in the ledger."""
        with closing(sqlite3.connect(self.folder / LEDGER)) as connection:
            return connection.execute(query).fetchall()


def _cards(reserved: ReservedFrame, begin: datetime) -> list[Card]:
    end = begin + timedelta(seconds=1)
    return [
        *(("TASKID", reserved.task_id, ""), ("FRAMEID", reserved.frame_id, ""), ("OBJECT", "Vega", "")),
        *(("FRAMENUM", reserved.number, ""), ("FRAMECNT", reserved.total, ""), ("FRAMESEQ", reserved.seq, "")),
        *(("DATE-OBS", _iso(begin), ""), ("DATE-BEG", _iso(begin), ""), ("DATE-END", _iso(end), "")),
        *(("RA", 279.2, ""), ("DEC", 38.8, ""), ("EXPTIME", 1.0, ""), ("XBINNING", 1, ""), ("FILTER", "Clear", "")),
    ]


def _iso(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="microseconds")
