"""What a dead programme left behind is taken up: no frame that reached its name is lost, nothing half-written stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.clock import LoopClock
from bridge.events import Telemetry
from bridge.storage.cards import FrameHeader
from bridge.storage.frames import open_frame_folder, part_name
from bridge.storage.outbox import Lane
from bridge.storage.recovery import recover
from bridge.storage.store import open_store
from bridge.tasks import TaskSource, TaskState
from schedules.requests import ObservationRequest

TASK = "70729658-58a2-4f91-aa2d-adc97c8ead94"
SHUTTER = datetime(2026, 11, 22, 21, 30, 15, 123_456, tzinfo=UTC)

HeaderMaker = Callable[..., FrameHeader]
RequestMaker = Callable[..., ObservationRequest]


async def die_while_exposing(
    tmp_path: Path, clock: LoopClock, request: ObservationRequest, header: FrameHeader, *, die: str
) -> None:
    """A run that ends after `die`: "reserved", "half written", or "renamed" (before the ledger heard of it)."""
    async with (
        open_store(tmp_path / "ledger.sqlite", clock=clock, telemetry=Telemetry()) as store,
        open_frame_folder(tmp_path / "frames", keep_free_bytes=0) as folder,
    ):
        await store.ledger.file_tasks([request], source=TaskSource.API)
        await store.ledger.advance(TASK, TaskState.OBSERVING)
        frame = await store.frames.reserve_frame(TASK, number=1, total=1)
        if die == "half written":
            (tmp_path / "frames" / part_name(frame.file_name)).write_bytes(b"SIMPLE  =   ")
        if die == "torn":
            (tmp_path / "frames" / frame.file_name).write_bytes(b"SIMPLE  =   ")
        if die == "renamed":
            await folder.write(replace(header, reserved=frame))


@pytest.mark.parametrize(
    ("die", "adopted", "state"),
    [
        ("reserved", False, TaskState.PENDING),
        ("half written", False, TaskState.PENDING),
        ("torn", False, TaskState.PENDING),
        ("renamed", True, TaskState.CAPTURED),
    ],
)
async def test_a_frame_that_had_its_name_is_delivered_and_any_other_is_taken_again(
    tmp_path: Path,
    clock: LoopClock,
    make_request: RequestMaker,
    make_header: HeaderMaker,
    die: str,
    adopted: bool,
    state: TaskState,
) -> None:
    await die_while_exposing(tmp_path, clock, make_request(TASK), make_header(), die=die)
    async with (
        open_store(tmp_path / "ledger.sqlite", clock=clock, telemetry=Telemetry()) as store,
        open_frame_folder(tmp_path / "frames", keep_free_bytes=0) as folder,
    ):
        recovery = await recover(store, folder, at=clock.now())
        name = f"citra_task_{TASK}_001.fits"
        assert (recovery.adopted, recovery.lost) == (((name,), ()) if adopted else ((), (name,)))
        assert recovery.tasks == (TASK,)
        assert (await store.ledger.task(TASK)).state is state
        assert not list((tmp_path / "frames").glob(".*.part"))
        item = await store.outbox.next_due(Lane.FILES, busy=())
        assert (item is not None) is adopted
        if item is not None:
            assert item.path == tmp_path / "frames" / name
            assert item.path.stat().st_size == item.bytes
        assert (await recover(store, folder, at=clock.now())).nothing


async def test_an_adopted_frame_keeps_the_instants_of_its_own_header(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker, make_header: HeaderMaker
) -> None:
    await die_while_exposing(tmp_path, clock, make_request(TASK), make_header(), die="renamed")
    async with open_frame_folder(tmp_path / "frames", keep_free_bytes=0) as folder:
        found = await folder.find(f"citra_task_{TASK}_001.fits")
    assert found is not None
    assert (found.started_at, found.ended_at) == (SHUTTER, SHUTTER + timedelta(seconds=2.5))


async def test_a_first_start_finds_nothing_to_recover(tmp_path: Path, clock: LoopClock) -> None:
    async with (
        open_store(tmp_path / "new" / "ledger.sqlite", clock=clock, telemetry=Telemetry()) as store,
        open_frame_folder(tmp_path / "new" / "frames", keep_free_bytes=0) as folder,
    ):
        assert (await recover(store, folder, at=clock.now())).nothing
