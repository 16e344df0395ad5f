"""Who asks by UDP is told where Alpaca is spoken."""

import json
import socket

import anyio
import pytest

from simulators.alpaca.app import alpaca_app
from simulators.alpaca.discovery import answering_discovery
from simulators.clock import HandClock
from simulators.serving import Served
from tests.simulators.alpaca.asking import DUSK, an_observatory

pytestmark = pytest.mark.wire

LOOPBACK_BROADCAST = "127.255.255.255"


async def answers(question: bytes, to: tuple[str, int], wait_s: float = 2.0) -> list[bytes]:
    async with await anyio.create_udp_socket(family=socket.AF_INET, local_host="127.0.0.1") as udp:
        raw = udp.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610 (no SQL far and wide)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        await udp.sendto(question, *to)
        with anyio.move_on_after(wait_s):
            answer, _ = await udp.receive()
            return [answer]
    return []


@pytest.mark.parametrize("host", ["127.0.0.1", LOOPBACK_BROADCAST])
async def test_the_question_of_version_1_is_answered_with_the_port(host: str) -> None:
    async with answering_discovery(11_111, port=0) as port:
        [answer] = await answers(b"alpacadiscovery1", (host, port))
        assert json.loads(answer) == {"AlpacaPort": 11_111}


async def test_other_questions_are_not_answered() -> None:
    async with answering_discovery(11_111, port=0) as port:
        assert await answers(b"who is there?", ("127.0.0.1", port), wait_s=0.2) == []
        assert await answers(b"alpacadiscovery1", ("127.0.0.1", port)) != []


async def test_two_servers_of_one_machine_may_listen() -> None:
    async with answering_discovery(1111, port=0) as port, answering_discovery(2222, port=port) as same:
        assert same == port
        assert await answers(b"alpacadiscovery1", ("127.0.0.1", port)) != []


async def test_an_observatory_can_be_found_while_it_is_served() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    observatory = an_observatory(HandClock(DUSK))
    with Served(alpaca_app(observatory, discovery=answering_discovery(11_111, port=port))):
        assert await answers(b"alpacadiscovery1", ("127.0.0.1", port)) == [b'{"AlpacaPort": 11111}']
    assert await answers(b"alpacadiscovery1", ("127.0.0.1", port), wait_s=0.2) == []


async def test_a_port_that_belongs_to_another_program_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            async with answering_discovery(11_111, port=taken.getsockname()[1]):
                pass
