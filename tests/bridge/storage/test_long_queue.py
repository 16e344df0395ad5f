"""Ten thousand frames queued: a start takes them up in little memory, and looks at the first of them only."""

from pathlib import Path
from typing import Any

import pytest

from bridge.storage import outbox
from bridge.storage.outbox import Lane
from bridge.storage.store import Store
from tests.bench.long_queue import fill, started


def test_a_start_with_ten_thousand_frames_queued_grows_by_less_than_fifty_megabytes(tmp_path: Path) -> None:
    fill(tmp_path, 10_000)
    _, grew_mb, _ = started(tmp_path)
    assert grew_mb < 50.0


@pytest.mark.parametrize("lane", Lane)
async def test_the_next_item_is_found_by_an_index_and_nothing_is_sorted(store: Store, lane: Lane) -> None:
    asked: list[str] = []

    def look(connection: Any) -> list[str]:
        connection.set_trace_callback(asked.append)
        outbox._soonest(connection, lane, ())
        connection.set_trace_callback(None)
        return [row["detail"] for one in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")]

    steps = await store.outbox._database.read(look)
    searches = [step for step in steps if step.startswith("SEARCH o ")]
    assert len(searches) == len(asked) == len(outbox._DUE[lane])
    assert all("USING INDEX outbox_by_stage (stage=?)" in step for step in searches)
    assert not [step for step in steps if "TEMP B-TREE" in step or step.startswith("SCAN")]
