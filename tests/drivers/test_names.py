"""Names of computers: who asks for one waits for no name server, and neither does whoever stops."""

from typing import Any

import anyio

from drivers.indi.native import open_native
from drivers.names import look_up
from tests.silence import SilentResolver


def test_a_stop_waits_for_no_name_server(silent_resolver: SilentResolver) -> None:
    nobody: Any = None  # hears of nothing: there is no connection

    async def connect_and_stop() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(open_native, "observatory.example.org", 7624, "Telescope", nobody)
            while not silent_resolver.asked:
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()

    anyio.run(connect_and_stop)
    assert not silent_resolver.answers.is_set()  # or the end was waited for


def test_who_asks_again_for_a_name_that_is_asked_for_waits_for_the_same_answer(
    silent_resolver: SilentResolver,
) -> None:
    found: list[list[str]] = []

    async def ask() -> None:
        found.append(await look_up("api.example.org", 443))

    async def twice() -> None:
        async with anyio.create_task_group() as second:
            async with anyio.create_task_group() as first:
                first.start_soon(ask)
                second.start_soon(ask)
                while not silent_resolver.asked:
                    await anyio.sleep(0.01)
                first.cancel_scope.cancel()
            silent_resolver.answers.set()

    anyio.run(twice)
    assert found == [["52.216.0.1"]]
    assert silent_resolver.asked == ["api.example.org"]


async def test_an_address_needs_no_name_server() -> None:
    assert await look_up("8.8.8.8", 443) == ["8.8.8.8"]
