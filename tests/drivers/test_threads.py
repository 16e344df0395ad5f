"""One thread per device: calls in order, none abandoned, and long ones ended early when they are no longer wanted."""

import threading
import time

import anyio
import pytest

from drivers.threads import Worker


class Download:
    """Something long that can be stopped from outside."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.stopped = threading.Event()
        self.ended = False

    def run(self, fails: bool = False) -> str:
        self.began.set()
        self.stopped.wait(30.0)
        self.ended = True
        if fails:
            raise OSError("cut off")
        return "partial"


@pytest.mark.wire
@pytest.mark.parametrize("fails", [False, True])
async def test_a_long_call_ends_early_when_its_caller_is_cancelled_and_is_waited_for(fails: bool) -> None:
    worker, download = Worker("camera"), Download()
    try:
        with anyio.fail_after(20.0), anyio.move_on_after(0.05) as scope:
            await worker.call_with_stop(download.stopped.set, download.run, fails)
        assert scope.cancelled_caught
        assert download.ended
        assert await worker.call(int, "7") == 7  # the thread is free again
    finally:
        worker.close()


@pytest.mark.wire
async def test_a_long_call_that_waits_its_turn_is_stopped_before_it_begins() -> None:
    worker, first, second = Worker("camera"), Download(), Download()
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(worker.call, first.run)
            await anyio.sleep(0.02)
            with anyio.move_on_after(0.02):
                async with anyio.create_task_group() as inner:
                    inner.start_soon(worker.call_with_stop, second.stopped.set, second.run)
                    inner.start_soon(release_later, first)
        assert first.ended
        assert second.stopped.is_set()
    finally:
        worker.close()


async def release_later(download: Download) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        download.stopped.set()


async def test_a_call_that_is_let_finish_gives_its_result_or_its_error() -> None:
    worker = Worker("camera")
    try:
        assert await worker.call_with_stop(lambda: None, int, "7") == 7
        with pytest.raises(ValueError, match="invalid literal"):
            await worker.call_with_stop(lambda: None, int, "seven")
    finally:
        worker.close()


async def test_calls_are_made_in_the_order_they_were_asked_for() -> None:
    worker, order = Worker("mount"), list[int]()

    def note(number: int) -> None:
        time.sleep(0.001 * (5 - number))
        order.append(number)

    try:
        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(worker.call, note, number)
        assert order == [0, 1, 2, 3, 4]
    finally:
        worker.close()
