"""Events: told to all, waiting for none; and the log, one line for each."""

import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from bridge import events
from bridge.clock import LoopClock
from bridge.events import (
    ApiAway,
    DeviceFault,
    Event,
    Level,
    NightBegan,
    SafetyChanged,
    SlewFinished,
    TaskAccepted,
    TaskAdvanced,
    Telemetry,
)
from bridge.logbook import LARGEST_BYTES, LogBook
from bridge.storage.store import open_store

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def slew(n: int) -> SlewFinished:
    return SlewFinished(at=DUSK + timedelta(seconds=n), task_id=f"task {n}", took_s=1.0 * n, off_by_arcsec=3.5)


async def test_a_listener_that_sleeps_loses_its_newest_events_and_nobody_elses() -> None:
    telemetry = Telemetry()
    asleep, awake = telemetry.subscribe(capacity=3), telemetry.subscribe()
    for n in range(10):
        telemetry.publish(slew(n))
    assert asleep.dropped == 7
    assert awake.dropped == 0
    telemetry.close()
    assert [event async for event in asleep] == [slew(0), slew(1), slew(2)]
    assert [event async for event in awake] == [slew(n) for n in range(10)]


async def test_publishing_with_nobody_there_or_after_the_end_does_nothing() -> None:
    telemetry = Telemetry()
    telemetry.publish(slew(0))
    late = telemetry.subscribe()
    telemetry.close()
    telemetry.publish(slew(1))
    assert [event async for event in late] == []
    assert late.dropped == 1


async def test_a_listener_hears_events_as_they_come() -> None:
    telemetry = Telemetry()
    heard: list[tuple[Event, datetime]] = []
    clock = LoopClock(DUSK)

    async def listen() -> None:
        heard.extend([(event, clock.now()) async for event in telemetry.subscribe()])

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        for n in range(3):
            await anyio.sleep(60.0)
            telemetry.publish(slew(n))
        telemetry.close()
    assert heard == [(slew(n), DUSK + timedelta(minutes=n + 1)) for n in range(3)]


def test_only_faults_are_errors() -> None:
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    loud = {kind.__name__ for kind in kinds if kind.level is Level.ERROR}
    assert loud == {"DeviceFault", "ApiTrouble", "DeliverySetAside"}


async def test_the_log_has_one_json_line_for_each_event_and_words_for_who_watches(tmp_path: Path) -> None:
    telemetry, console = Telemetry(), io.StringIO()
    heard = telemetry.subscribe()
    telemetry.publish(NightBegan(at=DUSK, dark_from=DUSK, dark_until=DUSK + timedelta(hours=10)))
    telemetry.publish(slew(5))
    telemetry.publish(DeviceFault(at=DUSK, device="mount", doing="slew", what="stopped 3° away"))
    telemetry.publish(SafetyChanged(at=DUSK, safe=False, why="rain"))
    telemetry.close()
    await LogBook(tmp_path / "log.jsonl", console).keep(heard)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[0] == {
        "at": "2026-11-22T18:00:00.000Z",
        "level": "info",
        "event": "NightBegan",
        "dark_from": "2026-11-22T18:00:00.000Z",
        "dark_until": "2026-11-23T04:00:00.000Z",
    }
    assert lines[1]["took_s"] == 5.0
    assert [line["level"] for line in lines] == ["info", "info", "error", "info"]
    assert lines[3]["safe"] is False
    assert "DeviceFault" in console.getvalue()
    assert len(console.getvalue().splitlines()) == 4
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o077 == 0


async def test_a_log_that_has_become_large_is_put_by_once_and_two_are_all_there_ever_are(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    for n in range(3):
        telemetry = Telemetry()
        heard = telemetry.subscribe()
        telemetry.publish(slew(n))
        telemetry.close()
        await LogBook(log).keep(heard)
        if n < 2:
            with log.open("ab") as file:
                file.truncate(LARGEST_BYTES + 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "log.jsonl.1"]
    assert json.loads(log.read_text())["task_id"] == "task 2"
    with (tmp_path / "log.jsonl.1").open("rb") as file:
        assert json.loads(file.readline().split(b"\0")[0])["task_id"] == "task 1"


@pytest.mark.parametrize("name", ["two\nlines\r", "\x1b[31mred", "\u202eturned", "bell\a", "lone \ud800 surrogate"])
async def test_a_name_from_outside_cannot_break_the_log_or_the_terminal(tmp_path: Path, name: str) -> None:
    telemetry, console = Telemetry(), io.StringIO()
    heard = telemetry.subscribe()
    telemetry.publish(
        TaskAccepted(at=DUSK, task_id="t", target=name, source="api", opens=DUSK, closes=DUSK, priority=5.0)
    )
    telemetry.close()
    await LogBook(tmp_path / "log.jsonl", console).keep(heard)
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["event"] == "TaskAccepted"
    (words,) = console.getvalue().splitlines()
    assert words.isprintable()


async def test_a_terminal_that_is_gone_costs_its_lines_and_not_the_night(tmp_path: Path) -> None:
    telemetry = Telemetry()
    heard = telemetry.subscribe()
    reads, writes = os.pipe()
    os.close(reads)  # whatever read the lines has ended
    async with anyio.create_task_group() as group:
        console = os.fdopen(writes, "w")
        group.start_soon(LogBook(tmp_path / "log.jsonl", console).keep, heard)
        for n in range(3):
            telemetry.publish(slew(n))
            await anyio.sleep(1.0)
        telemetry.close()
    with pytest.raises(BrokenPipeError):
        console.close()
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 3


async def test_a_log_that_cannot_be_written_costs_lines_which_are_counted(tmp_path: Path) -> None:
    telemetry = Telemetry()
    heard = telemetry.subscribe(capacity=4)
    folder = tmp_path / "not yet there"

    async with anyio.create_task_group() as group:
        group.start_soon(LogBook(folder / "log.jsonl").keep, heard)
        telemetry.publish(slew(1))
        await anyio.sleep(1.0)
        for n in range(6):
            telemetry.publish(slew(n))
        folder.mkdir()
        await anyio.sleep(1.0)
        telemetry.close()
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert (lines[0]["event"], lines[0]["count"]) == ("LinesLost", 3)
    assert len(lines) == 5


async def test_the_journal_keeps_what_was_said_with_the_task_it_is_about(tmp_path: Path) -> None:
    telemetry = Telemetry()
    heard = telemetry.subscribe()
    path = tmp_path / "ledger.sqlite"
    async with open_store(path, clock=LoopClock(DUSK), telemetry=telemetry) as store:
        telemetry.publish(slew(1))
        telemetry.publish(ApiAway(at=DUSK, why="connection refused"))
        telemetry.publish(TaskAdvanced(at=DUSK, task_id="task 1", from_state="pending", to_state="planned", why=""))
        telemetry.close()
        await store.journal.keep(heard)
        assert await store.journal.names("task 1") == ["SlewFinished", "TaskAdvanced"]


async def test_the_journal_forgets_what_is_long_past_and_nothing_else(tmp_path: Path) -> None:
    telemetry = Telemetry()
    async with open_store(tmp_path / "ledger.sqlite", clock=LoopClock(DUSK), telemetry=telemetry) as store:
        for beginning in range(0, 2500, 500):
            heard = telemetry.subscribe()
            for number in range(beginning, beginning + 500):
                at = DUSK + timedelta(minutes=number)
                telemetry.publish(TaskAdvanced(at=at, task_id="task 1", from_state="", to_state=str(number), why=""))
            heard.close()
            await store.journal.keep(heard)
        await store.journal.forget(DUSK + timedelta(minutes=2100))
        assert len(await store.journal.names("task 1")) == 400
        await store.journal.forget(DUSK + timedelta(minutes=2100))
        assert len(await store.journal.names("task 1")) == 400


@pytest.mark.parametrize(
    ("words", "unsafe"),
    [
        ([], False),
        ([(0.0, True)], False),
        ([(0.0, False)], True),
        ([(0.0, False), (100.0, True)], False),
        ([(0.0, False), (900.0, True)], True),
        ([(0.0, False), (100.0, True), (900.0, True)], False),  # a programme started anew says that it is safe
        ([(0.0, False), (900.0, True), (950.0, True)], True),
        ([(0.0, True), (900.0, False)], True),
    ],
)
async def test_whether_it_was_unsafe_lately_is_known_after_a_start(
    tmp_path: Path, words: list[tuple[float, bool]], unsafe: bool
) -> None:
    telemetry = Telemetry()
    clock = LoopClock(DUSK)
    async with open_store(tmp_path / "ledger.sqlite", clock=clock, telemetry=telemetry) as store:
        heard = telemetry.subscribe()
        for after_s, safe in words:
            telemetry.publish(SafetyChanged(at=DUSK + timedelta(seconds=after_s), safe=safe, why=""))
        telemetry.publish(slew(1))
        telemetry.close()
        await store.journal.keep(heard)
        assert await store.journal.unsafe_since(DUSK + timedelta(seconds=500.0)) is unsafe
