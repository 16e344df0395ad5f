"""The token, through a whole evening of work and trouble: it goes to the API and nowhere else."""

import io
import logging
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from bridge.chores import Chores, StationCard, api_chores
from bridge.config import ExposureSettings
from bridge.delivery import Delivery
from bridge.errors import ApiError
from bridge.fetching import TaskFetcher
from bridge.logbook import LogBook
from bridge.storage.frames import write_frame
from bridge.storage.store import open_store
from bridge.tasks import TaskState
from schedules.site import Site

SITE = Site(latitude_deg=38.84, longitude_deg=255.03, elevation_m=1900.0)

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
CANARY = "citra_pat_CANARY_4f1c"

TROUBLES: list[dict[str, Any]] = [
    {"kind": "html_503", "probability": 0.2},
    {"kind": "bad_json", "probability": 0.2},
    {"kind": "reset", "probability": 0.2},
    {"kind": "401_after_n", "path": "/telescopes/*", "after": 40},
]


async def test_the_token_is_in_nothing_that_stays_or_is_shown(
    platform: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    console = io.StringIO()
    clock, telemetry = platform.clock, platform.telemetry
    task = platform.add_task(closes=EVENING + timedelta(hours=3))
    state = tmp_path / "state"
    heard, logged = telemetry.subscribe(), telemetry.subscribe()
    async with open_store(state / "ledger.sqlite", clock=clock, telemetry=telemetry) as store, platform.open() as api:
        fetcher = TaskFetcher(
            api=api, ledger=store.ledger, defaults=ExposureSettings(), clock=clock, telemetry=telemetry
        )
        card = StationCard(api, clock, telemetry)
        async with anyio.create_task_group() as group:
            group.start_soon(store.journal.keep, heard)
            group.start_soon(LogBook(state / "log.jsonl", console).keep, logged)
            async with anyio.create_task_group() as work:
                chores = api_chores(fetcher, card, site=SITE, poll_s=15.0, first=clock.now())
                work.start_soon(Chores(chores, clock, telemetry).run)
                work.start_soon(Delivery(store.outbox, api, clock, telemetry).run)
                await anyio.sleep(60.0)
                await observe(store, str(task.id), state)
                platform.turn(faults=TROUBLES)
                # A server that says back what it was told.
                platform.wire.say("PUT /telescopes", {"detail": f"unknown: Bearer {CANARY}"}, status=400)
                await anyio.sleep(1800.0)
                work.cancel_scope.cancel()
            telemetry.close()
        trace = await traceback_of_a_failure(api, platform)
    kept = [path.read_bytes() for path in state.rglob("*") if path.is_file()]
    shown = [console.getvalue(), caplog.text, *capfd.readouterr(), trace, repr(api), repr(platform.settings)]
    assert b"TaskAccepted" in b"".join(kept)
    assert "ApiTrouble" in console.getvalue()
    assert "Bearer …" in console.getvalue()
    assert CANARY.encode() not in b"".join(kept)
    assert CANARY not in "".join(shown)
    for request in platform.wire.saw:
        carries = CANARY in str(request.headers.get("authorization", ""))
        assert carries is not request.url.path.startswith("/_storage")
        assert CANARY not in str(request.url)


async def observe(store: Any, task_id: str, folder: Path) -> None:
    await store.ledger.advance(task_id, TaskState.OBSERVING)
    frame = await store.frames.reserve_frame(task_id, number=1, total=1)
    file = write_frame(
        folder / frame.file_name, [("DATE-OBS", "2026-04-21T03:14:20.4", "")], np.zeros((8, 8), dtype=np.uint16)
    )
    await store.frames.record_frame(frame, file, started_at=EVENING, ended_at=EVENING)
    await store.ledger.capture(task_id)


async def traceback_of_a_failure(api: Any, platform: Any) -> str:
    """As a crash would print it, with every cause."""
    platform.wire.down = True
    try:
        await api.tasking.report("70729658-58a2-4f91-aa2d-adc97c8ead94", "Succeeded", closes=EVENING)
    except ApiError:
        return traceback.format_exc()
    raise AssertionError("nobody was there to answer")
