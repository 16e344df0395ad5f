"""The ledger: each move is one transaction, the table is the law, and everything survives."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.clock import LoopClock
from bridge.errors import IllegalMove, LedgerUnusable, UnknownTask
from bridge.events import TaskAccepted, TaskAdvanced, Telemetry
from bridge.storage.database import APPLICATION_ID
from bridge.storage.framebook import FrameFile, time_ordered_id
from bridge.storage.outbox import Lane, Stage
from bridge.storage.rows import instant_of, request_of, request_text, text_of
from bridge.storage.store import Store, open_store
from bridge.tasks import TRANSITIONS, TaskSource, TaskState, may_follow
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Satellite, Star

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
TASK = "70729658-58a2-4f91-aa2d-adc97c8ead94"

RequestMaker = Callable[..., ObservationRequest]


async def observe(store: Store, task_id: str, tmp_path: Path, *, frames: int = 1, of: int | None = None) -> None:
    """The telescope goes for the task and takes `frames` of the `of` that were to be."""
    await store.ledger.advance(task_id, TaskState.OBSERVING)
    for number in range(1, frames + 1):
        frame = await store.frames.reserve_frame(task_id, number=number, total=of or frames)
        file = FrameFile(path=tmp_path / frame.file_name, bytes=2880, sha256="0" * 64)
        await store.frames.record_frame(frame, file, started_at=DUSK, ended_at=DUSK + timedelta(seconds=2))


async def test_a_task_is_filed_once_however_often_it_is_offered(store: Store, make_request: RequestMaker) -> None:
    first = await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    again = await store.ledger.file_tasks([make_request(TASK)] * 3, source=TaskSource.API)
    assert (first.accepted, first.changed) == ((TASK,), ())
    assert (again.accepted, again.changed) == ((), ())
    (task,) = await store.ledger.pending()
    assert task.request == make_request(TASK)
    assert (task.state, task.version, task.attempts, task.filed_at) == (TaskState.PENDING, 1, 0, DUSK)


async def test_a_new_window_counts_until_the_telescope_goes_for_it(store: Store, make_request: RequestMaker) -> None:
    later = make_request(TASK, closes=DUSK + timedelta(hours=5), priority=9.0)
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    await store.ledger.advance(TASK, TaskState.PLANNED)
    filing = await store.ledger.file_tasks([later], source=TaskSource.API)
    assert filing.changed == (TASK,)
    assert (await store.ledger.task(TASK)).request == later
    await store.ledger.advance(TASK, TaskState.OBSERVING)
    filing = await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    assert filing.changed == ()
    assert (await store.ledger.task(TASK)).request == later


async def test_a_cancelled_task_that_is_offered_again_is_pending_again(
    store: Store, make_request: RequestMaker
) -> None:
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    await store.ledger.advance(TASK, TaskState.CANCELLED, why="vanished")
    await store.ledger.file_tasks([make_request(TASK, priority=7.0)], source=TaskSource.API)
    task = await store.ledger.task(TASK)
    assert (task.state, task.request.priority) == (TaskState.PENDING, 7.0)


async def test_what_cannot_follow_is_refused_and_nothing_is_changed(store: Store, make_request: RequestMaker) -> None:
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    with pytest.raises(IllegalMove, match="is pending and cannot become delivered"):
        await store.ledger.advance(TASK, TaskState.DELIVERED)
    with pytest.raises(UnknownTask, match="no-such-task"):
        await store.ledger.advance("no-such-task", TaskState.PLANNED)
    assert (await store.ledger.task(TASK)).version == 1


@settings(deadline=None, max_examples=25)
@given(
    source=st.sampled_from(TaskSource),
    wishes=st.lists(st.sampled_from(TaskState), max_size=12),
    kept=st.booleans(),
)
def test_whatever_is_asked_the_table_is_obeyed_and_the_journal_tells_the_whole_story(
    tmp_path_factory: pytest.TempPathFactory, source: TaskSource, wishes: list[TaskState], kept: bool
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    request = ObservationRequest(
        request_id=TASK,
        target=Star(name="Vega", icrs=ICRS(ra_deg=279.2, dec_deg=38.8)),
        opens=DUSK,
        closes=DUSK + timedelta(hours=1),
        priority=5.0,
        filter_name="",
        exposure_s=1.0,
        frame_count=1,
        binning=1,
        collect=CollectShape.AUTO,
    )

    async def live() -> None:
        telemetry = Telemetry()
        heard = telemetry.subscribe()
        clock = LoopClock(DUSK, loop_time_s=0.0)
        async with open_store(folder / "ledger.sqlite", clock=clock, telemetry=telemetry) as store:
            await store.ledger.file_tasks([request], source=source)
            if kept:
                frame = await store.frames.reserve_frame(TASK, number=1, total=1)
                await store.frames.record_frame(
                    frame, FrameFile(path=folder / "a", bytes=1, sha256=""), started_at=DUSK, ended_at=DUSK
                )
            state, version = TaskState.PENDING, 1
            for wish in wishes:
                try:
                    task = await store.ledger.advance(TASK, wish)
                except IllegalMove:
                    assert not may_follow(state, wish)
                    continue
                assert may_follow(state, wish)
                assert task.version > version
                state, version = task.state, task.version
        telemetry.close()
        steps = [(event.from_state, event.to_state) async for event in heard if isinstance(event, TaskAdvanced)]
        with sqlite3.connect(folder / "ledger.sqlite") as connection:
            rows = connection.execute("SELECT from_state, to_state FROM transition ORDER BY id").fetchall()
            reports = connection.execute("SELECT body FROM outbox WHERE kind = 'status'").fetchall()
        connection.close()
        assert rows == steps
        assert all(TaskState(after) in TRANSITIONS[TaskState(before)] for before, after in rows)
        assert [before for before, _ in rows[1:]] == [after for _, after in rows[:-1]]
        assert len(reports) <= (source is TaskSource.API)

    anyio.run(live)


async def test_the_journal_of_moves_can_be_neither_rewritten_nor_cut(
    store: Store, tmp_path: Path, make_request: RequestMaker
) -> None:
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    await store.ledger.advance(TASK, TaskState.PLANNED)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    for tampering in ("UPDATE transition SET why = 'x'", "DELETE FROM transition"):
        with pytest.raises(sqlite3.IntegrityError, match="never rewritten"):
            connection.execute(tampering)
    connection.close()


async def test_a_captured_task_has_its_report_behind_its_frames_in_the_same_transaction(
    store: Store, tmp_path: Path, make_request: RequestMaker
) -> None:
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    await observe(store, TASK, tmp_path, frames=2)
    await store.ledger.capture(TASK)
    assert await store.outbox.next_due(Lane.WORDS, busy=()) is None
    first = await store.outbox.next_due(Lane.FILES, busy=())
    assert first is not None
    second = await store.outbox.next_due(Lane.FILES, busy={first.item_id})
    assert second is not None
    assert (first.file_name, second.file_name) == (f"citra_task_{TASK}_001.fits", f"citra_task_{TASK}_002.fits")
    for item in (first, second):
        await store.outbox.reach(item, Stage.SENT, upload_id="u")
        await store.outbox.reach(item, Stage.LANDED)
    report = await store.outbox.next_due(Lane.WORDS, busy=())
    assert report is not None
    assert (report.subject, report.status, report.api_task_id) == (TASK, "Succeeded", TASK)
    assert (await store.ledger.task(TASK)).state is TaskState.CAPTURED
    await store.outbox.reach(report, Stage.DONE)
    assert (await store.ledger.task(TASK)).state is TaskState.DELIVERED


@pytest.mark.parametrize(
    ("source", "states", "reported"),
    [
        (TaskSource.API, [TaskState.FAILED], "Failed"),
        (TaskSource.API, [TaskState.OBSERVING, TaskState.FAILED], "Failed"),
        (TaskSource.API, [TaskState.OBSERVING, TaskState.PENDING, TaskState.MISSED], "Failed"),
        (TaskSource.API, [TaskState.PLANNED, TaskState.MISSED], None),
        (TaskSource.API, [TaskState.CANCELLED], None),
        (TaskSource.API, [TaskState.OBSERVING, TaskState.CANCELLED], None),
        (TaskSource.MANUAL, [TaskState.OBSERVING, TaskState.FAILED], None),
    ],
)
async def test_the_platform_is_told_what_was_tried_in_vain_and_nothing_else(
    store: Store, make_request: RequestMaker, source: TaskSource, states: list[TaskState], reported: str | None
) -> None:
    await store.ledger.file_tasks([make_request(TASK)], source=source)
    for state in states:
        await store.ledger.advance(TASK, state)
    item = await store.outbox.next_due(Lane.WORDS, busy=())
    assert (item.status if item else None) == reported


async def test_a_manual_task_is_delivered_with_its_last_frame_even_if_that_went_out_early(
    store: Store, tmp_path: Path, make_request: RequestMaker
) -> None:
    await store.ledger.file_tasks([make_request("vega tonight")], source=TaskSource.MANUAL)
    await observe(store, "vega tonight", tmp_path)
    item = await store.outbox.next_due(Lane.FILES, busy=())
    assert item is not None
    assert item.api_task_id == ""
    assert item.file_name.startswith("manual_vega-tonight-")
    await store.outbox.reach(item, Stage.LANDED, upload_id="u")
    await store.ledger.capture("vega tonight")
    assert (await store.ledger.task("vega tonight")).state is TaskState.DELIVERED


async def test_a_task_none_of_whose_frames_was_taken_is_reported_and_kept_as_failed(
    store: Store, tmp_path: Path, make_request: RequestMaker
) -> None:
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    await observe(store, TASK, tmp_path)
    await store.ledger.capture(TASK)
    frame = await store.outbox.next_due(Lane.FILES, busy=())
    assert frame is not None
    await store.outbox.park(frame, "413: too large")
    report = await store.outbox.next_due(Lane.WORDS, busy=())
    assert report is not None
    assert report.status == "Failed"
    await store.outbox.reach(report, Stage.DONE)
    task = await store.ledger.task(TASK)
    assert (task.state, task.reason) == (TaskState.FAILED, "the platform took none of its frames")
    assert (await store.outbox.backlog()).parked == 1


async def test_overdue_tasks_are_missed_unless_a_try_left_frames(
    store: Store, tmp_path: Path, make_request: RequestMaker
) -> None:
    soon = DUSK + timedelta(minutes=10)
    for name, closes in (("untried", soon), ("half", soon), ("open", DUSK + timedelta(hours=3))):
        await store.ledger.file_tasks([make_request(name, closes=closes)], source=TaskSource.API)
    await observe(store, "half", tmp_path, frames=1, of=3)
    await store.ledger.advance("half", TaskState.PENDING, why="the mount hung")
    assert await store.ledger.miss_overdue() == []
    await anyio.sleep(600.0)
    assert await store.ledger.miss_overdue(for_s=1.0) == []
    let_go = await store.ledger.miss_overdue()
    assert {task.task_id: task.state for task in let_go} == {"untried": TaskState.MISSED, "half": TaskState.CAPTURED}
    assert [task.task_id for task in await store.ledger.pending()] == ["open"]


@pytest.mark.parametrize(
    ("frames", "of", "later_s", "after"),
    [
        (0, 3, 0.0, TaskState.PENDING),
        (2, 3, 0.0, TaskState.PENDING),
        (3, 3, 0.0, TaskState.CAPTURED),
        (0, 3, 7200.0, TaskState.MISSED),
        (2, 3, 7200.0, TaskState.CAPTURED),
    ],
)
async def test_an_interrupted_observation_is_resumed_by_the_clock_and_by_what_it_left(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker, frames: int, of: int, later_s: float, after: TaskState
) -> None:
    async with open_store(tmp_path / "ledger.sqlite", clock=clock, telemetry=Telemetry()) as store:
        await store.ledger.file_tasks([make_request(TASK), make_request("other")], source=TaskSource.API)
        await observe(store, TASK, tmp_path, frames=frames, of=of)
    await anyio.sleep(later_s)
    async with open_store(tmp_path / "ledger.sqlite", clock=clock, telemetry=Telemetry()) as store:
        (task,) = await store.ledger.resume()
        assert (task.task_id, task.state) == (TASK, after)
        assert (await store.outbox.backlog()).waiting == frames + (after in (TaskState.CAPTURED, TaskState.MISSED))
        assert await store.ledger.resume() == []


async def test_a_retry_never_uses_a_file_name_twice(store: Store, tmp_path: Path, make_request: RequestMaker) -> None:
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    await observe(store, TASK, tmp_path, frames=2, of=3)
    lost = await store.frames.reserve_frame(TASK, number=3, total=3)
    await store.frames.lose_frame(lost, "the camera hung")
    await store.ledger.advance(TASK, TaskState.PENDING)
    await observe(store, TASK, tmp_path, frames=3)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        rows = connection.execute("SELECT seq, state, file_name FROM frame ORDER BY seq").fetchall()
    connection.close()
    assert [row[:2] for row in rows] == [(n, "lost" if n == 3 else "kept") for n in range(1, 7)]
    assert Counter(row[2] for row in rows).most_common(1)[0][1] == 1


async def test_recording_a_frame_again_changes_nothing(
    store: Store, tmp_path: Path, make_request: RequestMaker
) -> None:
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    frame = await store.frames.reserve_frame(TASK, number=1, total=1)
    file = FrameFile(path=tmp_path / "a.fits", bytes=2880, sha256="0" * 64)
    for _ in range(2):
        await store.frames.record_frame(frame, file, started_at=DUSK, ended_at=DUSK)
    await store.frames.lose_frame(frame, "too late to be lost")
    assert (await store.outbox.backlog()).waiting == 1
    assert await store.frames.reserved() == []


async def test_events_are_published_after_the_commit_and_in_order(
    store: Store, telemetry: Telemetry, make_request: RequestMaker
) -> None:
    heard = telemetry.subscribe()
    await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
    await store.ledger.advance(TASK, TaskState.PLANNED, why="best place")
    with pytest.raises(IllegalMove):
        await store.ledger.advance(TASK, TaskState.DELIVERED)
    telemetry.close()
    assert [type(event) async for event in heard] == [TaskAccepted, TaskAdvanced]


async def test_a_transaction_that_fails_half_way_leaves_nothing(
    store: Store, tmp_path: Path, make_request: RequestMaker
) -> None:
    """The second of two requests cannot be stored: the first is not there either."""
    good = make_request("good")
    unstorable = make_request("bad \ud800 name")  # a lone surrogate, which the edge is to refuse, has no UTF-8
    with pytest.raises(UnicodeEncodeError):
        await store.ledger.file_tasks([good, unstorable], source=TaskSource.MANUAL)
    assert await store.ledger.tasks() == []
    await store.ledger.file_tasks([good], source=TaskSource.MANUAL)


async def test_everything_is_there_after_an_abrupt_end(
    tmp_path: Path, clock: LoopClock, make_request: RequestMaker
) -> None:
    """The files as they stand while the first ledger is open, unclosed, are what a killed program leaves."""
    path = tmp_path / "ledger.sqlite"
    async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
        await store.ledger.file_tasks([make_request(TASK)], source=TaskSource.API)
        await observe(store, TASK, tmp_path, frames=2)
        await store.ledger.capture(TASK)
        crashed = tmp_path / "crashed"
        crashed.mkdir()
        for one in tmp_path.glob("ledger.sqlite*"):
            (crashed / one.name).write_bytes(one.read_bytes())
    async with open_store(crashed / "ledger.sqlite", clock=clock, telemetry=Telemetry()) as store:
        task = await store.ledger.task(TASK)
        assert (task.state, task.request) == (TaskState.CAPTURED, make_request(TASK))
        assert (await store.outbox.backlog()).waiting == 3


async def test_the_pragmas_that_durability_stands_on_are_in_force(store: Store, tmp_path: Path) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "trusted_schema": 0,
        "application_id": APPLICATION_ID,
        "user_version": 4,
    }
    held = await store.ledger._database.read(
        lambda c: {name: c.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
    )
    assert held == wanted
    assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("PRAGMA user_version = 99", "later version"),
        ("PRAGMA application_id = 7", "another program"),
    ],
)
async def test_a_strange_database_is_not_touched(tmp_path: Path, clock: LoopClock, spoil: str, words: str) -> None:
    path = tmp_path / "ledger.sqlite"
    async with open_store(path, clock=clock, telemetry=Telemetry()):
        pass
    connection = sqlite3.connect(path)
    connection.execute(spoil)
    connection.close()
    with pytest.raises(LedgerUnusable, match=words):
        async with open_store(path, clock=clock, telemetry=Telemetry()):
            pass


async def test_a_file_that_is_no_database_is_named(tmp_path: Path, clock: LoopClock) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is a shopping list, not a ledger; " * 100)
    with pytest.raises(LedgerUnusable, match=r"ledger\.sqlite cannot be used"):
        async with open_store(path, clock=clock, telemetry=Telemetry()):
            pass


instants = st.integers(0, 253_000_000_000_000_000).map(
    lambda us: datetime(1957, 10, 4, tzinfo=UTC) + timedelta(microseconds=us)
)


@given(a=instants, b=instants)
def test_instants_come_back_exactly_and_sort_as_text(a: datetime, b: datetime) -> None:
    assert instant_of(text_of(a)) == a
    assert (text_of(a) < text_of(b)) == (a < b)


async def test_a_request_comes_back_as_it_was_elements_and_all(
    make_request: RequestMaker, satellite: Satellite
) -> None:
    for request in (make_request(), make_request(target=satellite, exposure_s=0.1 + 0.2, filter_name="Hα ′")):
        assert request_of(request_text(request)) == request


def test_frame_ids_of_later_instants_sort_later_and_are_uuids_of_version_seven() -> None:
    ids = [time_ordered_id(DUSK + timedelta(milliseconds=n)) for n in range(200)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 200
    assert {(one[14], one[19] in "89ab") for one in ids} == {("7", True)}
