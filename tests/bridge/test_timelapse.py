"""Bent time: what waits agrees with what tells the time."""

import time
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from bridge.clock import LoopClock, sleep_until
from bridge.timelapse import TimelapseLoop
from drivers.threads import Worker

DUSK = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


async def test_ten_hours_pass_at_once_and_the_clock_knows() -> None:
    clock = LoopClock(DUSK)
    began_s = time.monotonic()
    await sleep_until(clock, DUSK + timedelta(hours=10))
    assert clock.now() - DUSK >= timedelta(hours=10)
    assert time.monotonic() - began_s < 5.0


async def test_timeouts_run_on_the_same_time() -> None:
    clock = LoopClock(DUSK)
    with anyio.move_on_after(30.0) as scope:
        await anyio.sleep(3600.0)
    assert scope.cancelled_caught
    assert clock.now() == DUSK + timedelta(seconds=30)


async def test_time_stands_while_a_thread_works() -> None:
    clock = LoopClock(DUSK)
    worker = Worker("slow")
    try:
        with anyio.fail_after(1.0):  # bent seconds: a jump would let this fire long before the thread is done
            assert await worker.call(_slow_answer) == 42
    finally:
        worker.close()
    assert clock.now() == DUSK


async def test_a_cancelled_call_is_finished_before_its_caller_is_cancelled() -> None:
    done: list[int] = []
    worker = Worker("slow")
    try:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await worker.call(lambda: done.append(_slow_answer()))
        assert scope.cancelled_caught
        assert done == [42]
    finally:
        worker.close()


def test_at_a_rate_timers_run_faster_than_life() -> None:
    async def wait() -> float:
        clock = LoopClock(DUSK)
        await anyio.sleep(12.0)
        return (clock.now() - DUSK).total_seconds()

    began_s = time.monotonic()
    waited_s = anyio.run(wait, backend_options={"loop_factory": lambda: TimelapseLoop(rate=120.0)})
    assert waited_s >= 12.0
    assert time.monotonic() - began_s < 6.0


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="not above 0"):
        TimelapseLoop(rate=0.0)


def _slow_answer() -> int:
    time.sleep(0.05)
    return 42
