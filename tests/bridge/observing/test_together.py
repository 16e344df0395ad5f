"""Deeds at the same time: their errors come as they are, and nobody is left running."""

from functools import partial

import anyio
import pytest

from bridge.observing.together import first_of, together, until_first
from drivers.errors import ConnectionLost, Refused


class Slate:
    """What was begun, done and broken off."""

    def __init__(self) -> None:
        self.marks: list[str] = []

    async def take(self, name: str, seconds: float) -> None:
        self.marks.append(f"{name} begins")
        try:
            await anyio.sleep(seconds)
        except anyio.get_cancelled_exc_class():
            self.marks.append(f"{name} broken off")
            raise
        self.marks.append(f"{name} done")

    async def fail(self, error: Exception, seconds: float) -> None:
        await anyio.sleep(seconds)
        raise error


@pytest.fixture
def slate() -> Slate:
    return Slate()


async def test_together_lasts_as_long_as_the_longest(slate: Slate) -> None:
    began = anyio.current_time()
    await together(partial(slate.take, "a", 3.0), partial(slate.take, "b", 5.0))
    assert anyio.current_time() - began == pytest.approx(5.0)
    assert slate.marks == ["a begins", "b begins", "a done", "b done"]


async def test_the_first_that_fails_ends_the_others_and_its_own_error_is_raised(slate: Slate) -> None:
    lost = ConnectionLost("dome", "slew", "no connection")
    with pytest.raises(ConnectionLost) as raised:
        await together(partial(slate.take, "slew", 60.0), partial(slate.fail, lost, 2.0))
    assert raised.value is lost
    assert slate.marks == ["slew begins", "slew broken off"]


async def test_of_two_that_fail_at_once_one_error_is_raised(slate: Slate) -> None:
    with pytest.raises(Refused):
        await together(
            partial(slate.fail, Refused("a", "do", "no"), 1.0), partial(slate.fail, Refused("b", "do", "no"), 1.0)
        )


async def test_an_error_within_groups_of_groups_is_found(slate: Slate) -> None:
    lost = ConnectionLost("mount", "slew", "no connection")
    with pytest.raises(ConnectionLost) as raised:
        await together(partial(until_first, partial(together, partial(slate.fail, lost, 1.0))))
    assert raised.value is lost
    assert first_of(ExceptionGroup("", [ExceptionGroup("", [lost])])) is lost


async def test_when_the_first_is_done_the_others_are_broken_off(slate: Slate) -> None:
    await until_first(partial(slate.take, "night", 3600.0), partial(slate.take, "danger", 10.0))
    assert slate.marks[-2:] == ["danger done", "night broken off"]


async def test_until_first_raises_what_fails_as_it_is(slate: Slate) -> None:
    with pytest.raises(ConnectionLost):
        await until_first(
            partial(slate.take, "night", 3600.0), partial(slate.fail, ConnectionLost("mount", "slew", "gone"), 5.0)
        )
    assert slate.marks == ["night begins", "night broken off"]


async def test_broken_off_from_outside_all_are_broken_off(slate: Slate) -> None:
    with anyio.move_on_after(5.0) as cut:
        await together(partial(slate.take, "a", 60.0), partial(until_first, partial(slate.take, "b", 60.0)))
    assert cut.cancelled_caught
    assert sorted(slate.marks[2:]) == ["a broken off", "b broken off"]
