"""However a link ends, it is noticed in time, everything says so, and nothing moves by itself afterwards."""

import anyio
import pytest

from drivers.errors import ConnectionLost, TimedOut
from drivers.indi.link import Link, connected
from tests.drivers.indi.a_linked_mount import a_mount, settings
from tests.drivers.indi.fake_indi import (
    FakeIndi,
    busy_forever,
    say_nothing,
)


async def assert_lost(link: Link, words: str) -> None:
    """Everything is ConnectionLost, at once and for ever."""
    began_s = anyio.current_time()
    for call in (
        lambda: link.set_numbers("RATE", {"RA": 1.0}, within_s=9.0),
        lambda: link.choose("ABORT", "ABORT", within_s=9.0),
        lambda: link.changed("PLACE", within_s=9.0),
        lambda: link.next_blob("PICTURE", after_count=0, within_s=9.0),
        lambda: link.wait_for("NEW", within_s=9.0),
    ):
        with pytest.raises(ConnectionLost, match=words):
            await call()
    for read in (
        lambda: link.has("PLACE"),
        lambda: link.number("PLACE", "RA"),
        lambda: link.state("PLACE"),
        lambda: link.heard_s("PLACE"),
    ):
        with pytest.raises(ConnectionLost, match=words):
            read()
    assert anyio.current_time() == began_s


@pytest.mark.parametrize("wait", ["command", "picture", "change"])
async def test_a_server_that_is_killed_is_noticed_at_once_by_who_waits(wait: str) -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        waits = {
            "command": lambda: link.set_numbers("PLACE", {"RA": 5.0}, within_s=1000.0),
            "picture": lambda: link.next_blob("PICTURE", after_count=9, within_s=1000.0),
            "change": lambda: link.changed("RATE", within_s=1000.0),
        }
        began_s = anyio.current_time()
        async with anyio.create_task_group() as group:

            async def lost() -> None:
                with pytest.raises(ConnectionLost):
                    await waits[wait]()

            group.start_soon(lost)
            await anyio.sleep(0.5)
            server.kill()
        assert anyio.current_time() - began_s < 3.0
        await assert_lost(link, "hung up|broke")


async def test_a_frozen_server_is_noticed_within_five_seconds_and_stays_lost() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        await anyio.sleep(100.0)  # pings are answered: silence of the device is not that of the server
        server.freeze()
        began_s = anyio.current_time()
        with pytest.raises(ConnectionLost, match="has not answered for"):
            await link.set_numbers("PLACE", {"RA": 5.0}, within_s=1000.0)
        assert anyio.current_time() - began_s <= 5.0
        server.thaw()
        await anyio.sleep(3.0)
        await assert_lost(link, "has not answered for")


async def test_a_driver_that_is_silent_behind_a_server_that_lives_costs_its_deadline_only() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        mount.reactions["RATE"] = say_nothing
        mount.describe = lambda _: None  # type: ignore[method-assign]
        with pytest.raises(TimedOut):
            await link.set_numbers("RATE", {"RA": 1.5}, within_s=30.0)
        assert link.number("PLACE", "RA") == 1.0


@pytest.mark.parametrize("fault", ["restarted", "switched off by another", "gone"])
async def test_a_driver_that_was_restarted_or_switched_off_is_a_lost_connection(fault: str) -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server:
        async with connected("mount", settings(server), needs=["PICTURE"]) as link:
            match fault:
                case "restarted":
                    mount.restart()
                case "switched off by another":
                    mount.switch(on=False)
                case "gone":
                    server.say("<delProperty device='Mount'/>")
            with pytest.raises(ConnectionLost):
                await link.changed("NEVER", within_s=5.0)
            await assert_lost(link, "its driver was restarted, or disconnected from it")
        mount.connection.values |= {"CONNECT": False}
        async with connected("mount", settings(server), needs=["PICTURE"]) as link:
            assert link.number("PLACE", "RA") == 1.0


@pytest.mark.parametrize("garbage", [b"<<<>>>\n", b"HTTP/1.1 200 OK\r\n\r\n", b"<delProperty/>", b"<a" + b" " * 20000])
async def test_garbage_ends_the_connection_and_a_new_one_is_as_good_as_ever(garbage: bytes) -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server:
        async with connected("mount", settings(server), needs=["PICTURE"]) as link:
            server.say_raw(garbage)
            with pytest.raises(ConnectionLost, match="does not speak INDI"):
                await link.changed("PLACE", within_s=5.0)
            await assert_lost(link, "does not speak INDI")
        async with connected("mount", settings(server), needs=["PICTURE"]) as link:
            await link.set_numbers("RATE", {"RA": 1.0}, within_s=5.0)


async def test_a_stream_in_small_pieces_is_the_same_stream() -> None:
    mount = a_mount()
    server = FakeIndi([mount], portion_bytes=3)
    async with server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        await link.set_numbers("RATE", {"RA": 1.25}, within_s=5.0)
        count = link.count("PICTURE")
        mount.send_blob(mount.also["PICTURE"], bytes(1000))
        assert bytes((await link.next_blob("PICTURE", after_count=count, within_s=5.0)).body) == bytes(1000)


async def test_no_motion_is_repeated_by_itself_after_the_server_came_back() -> None:
    """Killed, frozen and restarted again and again amid slews: noticed in time, found again, never slewed unasked."""
    mount = a_mount()
    mount.reactions["PLACE"] = busy_forever
    server = FakeIndi([mount])
    await server.__aenter__()
    for round_number in range(50):
        async with connected("mount", settings(server), needs=["PICTURE"]) as link:
            async with anyio.create_task_group() as group:

                async def slew(link: Link = link) -> None:
                    with pytest.raises(ConnectionLost):
                        await link.set_numbers("PLACE", {"RA": 5.0}, within_s=1000.0)

                group.start_soon(slew)
                await anyio.sleep(0.3)
                lost_s = anyio.current_time()
                server.kill() if round_number % 2 else server.freeze()
            assert anyio.current_time() - lost_s <= 5.0
        if round_number % 2:
            await server.__aenter__()
        else:
            server.thaw()
    async with connected("mount", settings(server), needs=["PICTURE"]) as link:
        await anyio.sleep(30.0)
    assert mount.times("PLACE") == 50
    await server.__aexit__(None, None, None)


async def test_a_cancelled_command_leaves_nothing_behind() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server, connected("mount", settings(server), needs=["PICTURE"]) as link:
        with anyio.move_on_after(2.0) as scope:
            await link.set_numbers("PLACE", {"RA": 5.0}, within_s=1000.0)
        assert scope.cancelled_caught
        await link.choose("ABORT", "ABORT", within_s=5.0)
        assert mount.times("PLACE") == 1


async def test_a_cancelled_visit_says_goodbye() -> None:
    mount = a_mount()
    async with FakeIndi([mount]) as server:
        with anyio.move_on_after(5.0):
            async with connected("mount", settings(server)):
                await anyio.sleep_forever()
        assert not mount.on
        await anyio.sleep(0.5)
        assert server.connections == 0


async def test_a_link_that_was_left_is_a_lost_connection() -> None:
    async with FakeIndi([a_mount()]) as server:
        async with connected("mount", settings(server), needs=["PLACE"]) as link:
            assert link.has("PLACE")
        await assert_lost(link, "has been closed")
