"""A server is lost when it is silent, and only then."""

from dataclasses import dataclass, field

import anyio
import pytest

from drivers.indi import heartbeat
from drivers.indi.heartbeat import Heartbeat
from drivers.indi.properties import New


@dataclass
class Server:
    """Answers a ping after `answers_after_s`, never where that is None; heard as a transport hears it."""

    answers_after_s: float | None = 0.01
    heard_s: float = 0.0
    pings: list[float] = field(default_factory=list)

    def ping(self) -> None:
        self.pings.append(anyio.current_time())

    async def live(self) -> None:
        answered = 0
        while True:
            await anyio.sleep(0.05)
            if answered < len(self.pings) and self.answers_after_s is not None:
                await anyio.sleep(self.answers_after_s)
                answered += 1
                self.heard_s = anyio.current_time()

    def send(self, new: New) -> None: ...

    def ask(self, name: str) -> bool:
        return False

    def enable_blobs(self) -> None: ...

    async def close(self) -> None: ...


async def silences(server: Server, *, for_s: float) -> list[float]:
    """When a heartbeat found the server silent, within so many seconds."""
    found: list[float] = []
    beat = Heartbeat(server, lambda _: found.append(anyio.current_time()))
    async with anyio.create_task_group() as group:
        group.start_soon(server.live)
        await anyio.sleep(for_s)
        group.cancel_scope.cancel()
    beat.stop()
    return found


@pytest.mark.parametrize("answers_after_s", [0.0, 0.5, 2.5])
async def test_a_server_that_answers_is_alive_however_slow_it_is(answers_after_s: float) -> None:
    assert await silences(Server(answers_after_s), for_s=1000.0) == []


async def test_a_server_that_does_not_answer_is_found_silent_once_within_five_seconds() -> None:
    (found_s,) = await silences(Server(answers_after_s=None), for_s=1000.0)
    assert found_s <= 5.0


async def test_whatever_comes_is_a_sign_of_life() -> None:
    """As the parts of a picture that takes minutes, behind which the answers to pings queue."""
    server = Server(answers_after_s=None)

    async def trickle() -> None:
        while anyio.current_time() < 300.0:
            await anyio.sleep(1.7)
            server.heard_s = anyio.current_time()

    async with anyio.create_task_group() as group:
        group.start_soon(trickle)
        (found_s,) = await silences(server, for_s=1000.0)
    assert 300.0 < found_s <= 306.0


async def test_after_a_goodbye_nobody_is_pinged_and_nothing_is_found() -> None:
    server = Server(answers_after_s=None)
    Heartbeat(server, lambda _: pytest.fail("found silent after the end")).stop()
    await anyio.sleep(100.0)
    assert server.pings == []


async def test_on_bent_time_a_server_has_its_turn_in_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "LEAST_REAL_S", 3600.0)
    assert await silences(Server(answers_after_s=None), for_s=100.0) == []
