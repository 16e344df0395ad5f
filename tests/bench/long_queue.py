"""A station that was without its platform for a week: `python -m tests.bench.long_queue FOLDER`.

Starts with what is in the folder (made by `fill`) as the bridge does, and looks for the platform in vain for a while.
Prints how many seconds the start took, by how many MB this fresh process grew at its peak, and how many milliseconds
one look for the next item takes.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import AbstractAsyncContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

import anyio
import numpy as np

from bridge.api.client import open_api
from bridge.clock import SystemClock
from bridge.config import ApiSettings
from bridge.delivery import Delivery
from bridge.events import Telemetry
from bridge.storage.frames import open_frame_folder, write_frame
from bridge.storage.outbox import Lane
from bridge.storage.recovery import recover
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskSource, TaskState
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Star

_FRAMES_OF_A_TASK = 5
_LOOKS = 20
_IN_VAIN_S = 1.0


def fill(folder: Path, frame_count: int) -> None:
    """A ledger with so many frames, five to a task, all of them waiting, and their files, which share one picture."""
    asyncio.run(_first_task(folder))
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger:
        ledger.executescript(_MULTIPLY.format(tasks=frame_count // _FRAMES_OF_A_TASK))
        names = [name for (name,) in ledger.execute("SELECT file_name FROM frame")]
        assert ledger.execute("SELECT count(*) FROM outbox WHERE kind = 'frame'").fetchone() == (frame_count,)
    picture = next((folder / "frames").glob("*.fits"))
    for name in names:
        if not (folder / "frames" / name).exists():
            os.link(picture, folder / "frames" / name)


# What the first task has, once more for each of the others, with its number in every name.
_MULTIPLY = """
CREATE TEMP TABLE n AS
  WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {tasks}) SELECT i FROM n;
INSERT INTO task
  SELECT 'task ' || i, source, state, version, attempts, reason, closes_at, request, filed_at, changed_at FROM task, n;
INSERT INTO frame
  SELECT f.id || ' ' || i, 'task ' || i, seq, number, total, i || ' ' || file_name, state, path, bytes, sha256,
  started_at, ended_at, reason, reserved_at, removal FROM frame f, n;
INSERT INTO outbox (kind, task_id, subject, body, stage, stage_at, upload_id, tries, next_try_at, last_error, made_at)
  SELECT kind, 'task ' || i, CASE kind WHEN 'frame' THEN subject || ' ' || i ELSE 'task ' || i END, body, stage,
  stage_at, upload_id, tries, next_try_at, last_error, made_at FROM outbox, n;
"""


async def _first_task(folder: Path) -> None:
    now = datetime.now(UTC)
    request = ObservationRequest(
        request_id="task 1",
        target=Star(name="Vega", icrs=ICRS(ra_deg=279.2, dec_deg=38.8)),
        opens=now,
        closes=now.replace(year=now.year + 1),
        priority=5.0,
        filter_name="",
        exposure_s=1.0,
        frame_count=_FRAMES_OF_A_TASK,
        binning=1,
        collect=CollectShape.AUTO,
    )
    async with _opened(folder) as store, open_frame_folder(folder / "frames", keep_free_bytes=0) as frames:
        await store.ledger.file_tasks([request], source=TaskSource.API)
        await store.ledger.advance("task 1", TaskState.OBSERVING)
        for number in range(1, _FRAMES_OF_A_TASK + 1):
            reserved = await store.frames.reserve_frame("task 1", number=number, total=_FRAMES_OF_A_TASK)
            file = write_frame(frames.folder / reserved.file_name, [], np.zeros((24, 60), dtype=np.uint16))
            await store.frames.record_frame(reserved, file, started_at=now, ended_at=now)
        await store.ledger.capture("task 1")


def started(folder: Path) -> tuple[float, float, float]:
    """Seconds, megabytes and milliseconds, of a process of its own."""
    command = [sys.executable, "-m", "tests.bench.long_queue", str(folder)]
    took_s, grew_mb, look_ms = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(took_s), float(grew_mb), float(look_ms)


async def _start(folder: Path) -> tuple[float, float, float]:
    before_mb, began_s = _mb("VmRSS"), time.perf_counter()
    async with _opened(folder) as store, open_frame_folder(folder / "frames", keep_free_bytes=0) as frames:
        await recover(store, frames, at=datetime.now(UTC))
        assert await store.outbox.next_due(Lane.FILES, busy=()) is not None
        took_s = time.perf_counter() - began_s
        began_s = time.perf_counter()
        for _ in range(_LOOKS):
            for lane in Lane:
                await store.outbox.next_due(lane, busy=())
        look_ms = (time.perf_counter() - began_s) / _LOOKS / len(Lane) * 1e3
        nobody = ApiSettings(url="http://127.0.0.1:9")
        async with open_api(nobody, clock=SystemClock(), telemetry=Telemetry()) as api:
            with anyio.move_on_after(_IN_VAIN_S):
                await Delivery(store.outbox, api, SystemClock(), Telemetry()).run()
    return took_s, _mb("VmHWM") - before_mb, look_ms


def _opened(folder: Path) -> AbstractAsyncContextManager[Store]:
    return open_store(folder / "ledger.sqlite", clock=SystemClock(), telemetry=Telemetry())


def _mb(what: str) -> float:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what)) / 1024.0


if __name__ == "__main__":
    print(*asyncio.run(_start(Path(sys.argv[1]))))  # noqa: T201
