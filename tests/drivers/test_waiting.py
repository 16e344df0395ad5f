"""Waiting has an end, and what is cut short is stopped."""

import logging
from collections.abc import Awaitable, Callable

import anyio
import pytest

from drivers.errors import ConnectionLost, Malfunction, TimedOut
from drivers.waiting import stopped_by, until, until_obeyed


def becomes_true_after(seconds: float) -> Callable[[], Awaitable[bool]]:
    began_s = anyio.current_time()

    async def condition() -> bool:
        return anyio.current_time() - began_s >= seconds

    return condition


class Motor:
    """Something that runs until it is stopped."""

    def __init__(self, *, stops_within_s: float = 0.0, fails: Exception | None = None) -> None:
        self.running = True
        self._stops_within_s = stops_within_s
        self._fails = fails

    async def abort(self) -> None:
        await anyio.sleep(self._stops_within_s)
        if self._fails:
            raise self._fails
        self.running = False


async def test_what_is_true_already_is_not_waited_for() -> None:
    began_s = anyio.current_time()
    await until(becomes_true_after(0.0), device="mount", doing="slew", within_s=10.0, every_s=1.0)
    assert anyio.current_time() == began_s


@pytest.mark.parametrize(("true_after_s", "seen_after_s"), [(0.1, 0.5), (0.5, 0.5), (4.2, 4.5)])
async def test_a_change_is_seen_at_the_next_look(true_after_s: float, seen_after_s: float) -> None:
    began_s = anyio.current_time()
    await until(becomes_true_after(true_after_s), device="mount", doing="slew", within_s=10.0, every_s=0.5)
    assert anyio.current_time() - began_s == pytest.approx(seen_after_s)


async def test_what_never_comes_is_given_up_at_its_deadline_with_who_and_what() -> None:
    began_s = anyio.current_time()
    with pytest.raises(TimedOut, match="dome: close: not done within 300 s") as caught:
        await until(becomes_true_after(1e9), device="dome", doing="close", within_s=300.0, every_s=0.5)
    assert caught.value.device == "dome"
    assert anyio.current_time() - began_s == pytest.approx(300.0)


async def test_what_was_looked_at_often_enough_is_given_up_sooner() -> None:
    """At life speed a stop that is not obeyed is known early; a slow device is given all the time."""
    began_s = anyio.current_time()
    with pytest.raises(TimedOut, match="abort: not done within 8 s"):
        await until_obeyed(
            becomes_true_after(1e9), device="m", doing="abort", within_s=30.0, every_s=0.25, sooner_s=8.0
        )
    assert anyio.current_time() - began_s == pytest.approx(8.0)

    async def slow() -> bool:
        await anyio.sleep(2.0)
        return anyio.current_time() - began_s > 25.0

    began_s = anyio.current_time()
    await until_obeyed(slow, device="m", doing="abort", within_s=30.0, every_s=0.25, sooner_s=8.0)


@pytest.mark.parametrize("takes_s", [0.003, 0.1, 0.7, 1.9])
async def test_what_is_soon_over_is_seen_soon_and_what_takes_long_is_not_asked_for_ever(takes_s: float) -> None:
    began_s, looks = anyio.current_time(), 0

    async def over() -> bool:
        nonlocal looks
        looks += 1
        return anyio.current_time() - began_s >= takes_s

    await until(over, device="c", doing="expose", within_s=60.0, every_s=0.005, at_most_every_s=0.1)
    late_s = anyio.current_time() - began_s - takes_s
    assert late_s <= 0.005 + 0.053 * takes_s
    assert looks <= 25 + 60 * takes_s


async def test_a_condition_that_hangs_is_late_too() -> None:
    async def hangs() -> bool:
        await anyio.sleep_forever()
        return True

    with pytest.raises(TimedOut):
        await until(hangs, device="mount", doing="slew", within_s=5.0, every_s=0.5)


async def test_an_error_of_the_condition_goes_through() -> None:
    async def broken() -> bool:
        raise Malfunction("camera", "expose", "error state")

    with pytest.raises(Malfunction):
        await until(broken, device="camera", doing="expose", within_s=5.0, every_s=0.5)


async def test_a_cancelled_wait_is_cancelled_and_not_late() -> None:
    with anyio.move_on_after(2.0) as scope:
        await until(becomes_true_after(1e9), device="mount", doing="slew", within_s=10.0, every_s=0.5)
    assert scope.cancelled_caught


async def test_a_motion_that_ends_well_is_not_stopped() -> None:
    motor = Motor()
    async with stopped_by(motor.abort, device="mount"):
        await anyio.sleep(1.0)
    assert motor.running


@pytest.mark.parametrize(
    "error", [TimedOut("mount", "slew", "late"), ConnectionLost("mount", "slew", "no"), KeyError()]
)
async def test_an_error_stops_the_motion_and_goes_on(error: Exception) -> None:
    motor = Motor(stops_within_s=3.0)
    with pytest.raises(type(error)) as caught:
        async with stopped_by(motor.abort, device="mount"):
            raise error
    assert caught.value is error
    assert not motor.running


async def test_a_cancellation_stops_the_motion_before_it_goes_on() -> None:
    motor = Motor(stops_within_s=3.0)
    with anyio.move_on_after(10.0) as scope:
        async with stopped_by(motor.abort, device="mount"):
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert not motor.running


async def test_an_abort_that_fails_after_an_error_says_so_with_the_error_as_its_context() -> None:
    motor = Motor(fails=ConnectionLost("mount", "abort", "gone"))
    with pytest.raises(ConnectionLost, match="abort") as caught:
        async with stopped_by(motor.abort, device="mount"):
            raise Malfunction("mount", "slew", "5° away")
    assert isinstance(caught.value.__context__, Malfunction)


async def test_an_abort_that_fails_never_hides_a_cancellation_and_is_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    motor = Motor(fails=ConnectionLost("mount", "abort", "gone"))
    with caplog.at_level(logging.ERROR), anyio.move_on_after(1.0) as scope:
        async with stopped_by(motor.abort, device="mount"):
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert "could not be stopped: mount: abort: gone" in caplog.text


async def test_an_abort_that_hangs_has_a_deadline_of_its_own() -> None:
    motor = Motor(stops_within_s=1e6)
    began_s = anyio.current_time()
    with pytest.raises(TimedOut, match="abort: not done within 20 s"):
        async with stopped_by(motor.abort, device="mount", within_s=20.0):
            raise Malfunction("mount", "slew", "5° away")
    assert anyio.current_time() - began_s == pytest.approx(20.0)


async def test_a_roof_that_closes_goes_on_closing_when_a_reading_is_lost_and_stops_when_told_to() -> None:
    roof = Motor()
    with pytest.raises(ConnectionLost):
        async with stopped_by(roof.abort, device="roof", also_on_errors=False):
            raise ConnectionLost("roof", "close", "no answer")
    assert roof.running
    with anyio.move_on_after(1.0):
        async with stopped_by(roof.abort, device="roof", also_on_errors=False):
            await anyio.sleep_forever()
    assert not roof.running
