"""One bridge for one station: of many that start at once one works, and one that was passed by writes no more.

The suite lets eight processes race; `NIGHTBRIDGE_RACERS=200` as many.
"""

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import Clock
from bridge.errors import StationBusy
from bridge.events import Telemetry
from bridge.lock import alone_in, holder_of
from bridge.storage.store import open_store
from bridge.tasks import TaskSource
from tests.bridge.delivering import EVENING, request_for

CLOSES = EVENING + timedelta(hours=1)
RACERS = int(os.environ.get("NIGHTBRIDGE_RACERS", "8"))

_RACER = """
import sys
from pathlib import Path
from bridge.errors import StationBusy
from bridge.lock import alone_in
print("ready", flush=True)
sys.stdin.readline()
try:
    with alone_in(Path(sys.argv[1])):
        print("won", flush=True)
        sys.stdin.read()
except StationBusy as busy:
    print(busy, flush=True)
"""


@pytest.mark.timeout(600)
def test_of_many_that_start_at_once_one_works_and_the_others_say_so(tmp_path: Path) -> None:
    with ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _RACER, str(tmp_path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(RACERS)
        ]
        said = [_line_of(racer) for racer in racers]
        assert said == ["ready"] * RACERS
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        said = [_line_of(racer) for racer in racers]
        winner = racers[said.index("won")]
        assert said.count("won") == 1
        assert all("in use by another nightbridge (" in words for words in said if words != "won")
        assert holder_of(tmp_path) == f"process {winner.pid}"
    assert holder_of(tmp_path) is None
    with alone_in(tmp_path):
        pass


def _line_of(racer: "subprocess.Popen[str]") -> str:
    assert racer.stdout is not None
    return racer.stdout.readline().strip()


async def test_a_bridge_that_was_passed_by_writes_no_more(tmp_path: Path, clock: Clock) -> None:
    """The lock is a file's: where that does not hold (a folder on a network, a lock taken away), the epoch does."""
    path = tmp_path / "ledger.sqlite"
    async with (
        open_store(path, clock=clock, telemetry=Telemetry()) as first,
        open_store(path, clock=clock, telemetry=Telemetry()) as second,
    ):
        await first.ledger.file_tasks([request_for("a", CLOSES)], source=TaskSource.MANUAL)
        assert len(await second.ledger.tasks()) == 1  # who only looks takes nothing over
        await first.ledger.file_tasks([request_for("b", CLOSES)], source=TaskSource.MANUAL)
        await second.ledger.file_tasks([request_for("c", CLOSES)], source=TaskSource.MANUAL)
        with pytest.raises(StationBusy, match=r"taken over by another nightbridge \(epoch 2, ours is 1\)"):
            await first.ledger.file_tasks([request_for("d", CLOSES)], source=TaskSource.MANUAL)
        await second.ledger.file_tasks([request_for("e", CLOSES)], source=TaskSource.MANUAL)
        assert [task.task_id for task in await second.ledger.tasks()] == ["a", "b", "c", "e"]


async def test_every_start_that_writes_takes_the_next_epoch(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "ledger.sqlite"
    for number in range(1, 4):
        async with open_store(path, clock=clock, telemetry=Telemetry()) as store:
            await store.ledger.file_tasks([request_for(f"task {number}", CLOSES)], source=TaskSource.MANUAL)
            epoch = await store.ledger._database.read(lambda c: c.execute("SELECT epoch FROM station").fetchone()[0])
            assert epoch == number
