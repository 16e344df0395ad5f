"""A bridge in a hard night: killed, frozen, asked to end, told where to die, and started again each time."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.misfortunes import KillOrder
from simulators.night.children import Child, ChildFailed
from simulators.night.lives import Lives

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
DAWN = DUSK + timedelta(hours=2)

# Waits for a word on where to die, or for ever; a file ends it well.
_BRIDGE = """
import os, signal, sys, time
from pathlib import Path
print("here", flush=True)
if os.environ.get("NIGHTBRIDGE_REHEARSAL__DIES_AT"):
    Path(sys.argv[1], "armed").write_text(os.environ["NIGHTBRIDGE_REHEARSAL__DIES_AT"])
    os.kill(os.getpid(), signal.SIGKILL)
while not Path(sys.argv[1], "over").exists():
    time.sleep(0.01)
raise SystemExit(int(Path(sys.argv[1], "over").read_text()))
"""


class Turned:
    """Time that is turned by hand."""

    def __init__(self) -> None:
        self.instant = DUSK

    def now(self) -> datetime:
        return self.instant


class Night:
    """Lives with a small programme for a bridge, and time turned by hand."""

    def __init__(self, folder: Path, *kills: KillOrder) -> None:
        self.folder, self.clock = folder, Turned()
        self.started: list[Child] = []
        self.lives = Lives(start=self._start, kills=kills, clock=self.clock, begins=DUSK, ends=DAWN)

    def _start(self, more: dict[str, str]) -> Child:
        environment = {**os.environ, **more}
        child = Child("bridge", ["-c", _BRIDGE, str(self.folder)], log=self.folder / "log", environment=environment)
        self.started.append(child)
        if not more:
            child.first_line()
        return child

    def until(self, done: Callable[[], bool]) -> int | None:
        """Look until it is so; the last answer."""
        pause = threading.Event()
        for _ in range(2000):
            code = self.lives.look()
            if done():
                return code
            pause.wait(0.01)
        raise AssertionError("it never was so")

    def codes(self) -> list[int | None]:
        return [life.code for life in self.lives.lived]


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Callable[..., Night]]:
    nights: list[Night] = []

    def made(*kills: dict[str, Any]) -> Night:
        nights.append(Night(tmp_path, *(KillOrder.model_validate(kill) for kill in kills)))
        return nights[-1]

    yield made
    for one in nights:
        one.lives.stop()
        for child in one.started:
            child.stop(within_s=5.0)


def test_a_bridge_that_is_left_alone_lives_once(night: Callable[..., Night]) -> None:
    one = night()
    one.until(lambda: len(one.started) == 1)
    one.clock.instant = DAWN
    (one.folder / "over").write_text("0")
    assert one.until(lambda: one.codes() == [0]) == 0


@pytest.mark.parametrize(("word", "code"), [("KILL", -9), ("TERM", -15)])
def test_one_that_is_killed_is_started_again(night: Callable[..., Night], word: str, code: int) -> None:
    one = night({"after_s": 600.0, "signal": word})
    one.until(lambda: len(one.started) == 1)
    assert one.lives.fired == [0]
    one.clock.instant += timedelta(seconds=600)
    one.until(lambda: len(one.started) == 2)
    assert one.lives.fired == [1]
    assert one.codes() == [code, None]


def test_one_that_is_stopped_goes_on_and_counts_as_gone_meanwhile(night: Callable[..., Night]) -> None:
    one = night({"after_s": 600.0, "signal": "STOP", "for_s": 60.0})
    one.until(lambda: len(one.started) == 1)
    one.clock.instant += timedelta(seconds=600)
    one.until(lambda: one.lives.fired == [1])
    state = Path(f"/proc/{one.started[0].process_id}/stat")
    one.until(lambda: state.read_text().split(") ")[1][0] == "T")
    one.clock.instant += timedelta(seconds=60)
    one.until(lambda: state.read_text().split(") ")[1][0] != "T")
    assert [(life.began, life.ended) for life in one.lives.lived] == [
        (DUSK, DUSK + timedelta(seconds=600)),
        (DUSK + timedelta(seconds=660), None),
    ]
    assert len(one.started) == 1


def test_a_crash_point_is_set_in_the_next_bridge(night: Callable[..., Night]) -> None:
    one = night({"after_s": 600.0, "crash_point": "frame sent"})
    one.until(lambda: len(one.started) == 1)
    one.clock.instant += timedelta(seconds=600)
    one.until(lambda: one.lives.fired == [1])
    assert (one.folder / "armed").read_text() == "frame sent"
    one.until(lambda: len(one.started) == 3)
    assert one.codes() == [-9, -9, None]


def test_after_the_night_a_bridge_that_fails_has_a_few_more_chances(night: Callable[..., Night]) -> None:
    one = night()
    (one.folder / "over").write_text("1")
    one.clock.instant = DAWN
    one.until(lambda: len(one.codes()) == 4 and None not in one.codes())
    assert one.codes() == [1, 1, 1, 1]


def test_a_signal_at_a_crash_point_means_nothing() -> None:
    with pytest.raises(ValueError, match="leave signal out"):
        KillOrder.model_validate({"crash_point": "frame sent", "signal": "STOP"})


def test_a_bridge_that_never_lives_is_not_started_for_ever(
    night: Callable[..., Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.night.lives._STARTS_AT_MOST", 1)
    monkeypatch.setattr("simulators.night.lives._RESTARTS_AFTER_S", 0.0)
    one = night()
    (one.folder / "over").write_text("3")
    with pytest.raises(ChildFailed, match="started 1 times"):
        one.until(lambda: False)
