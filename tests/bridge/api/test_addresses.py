"""Names that lead where they must not: nothing leaves for a private network, and what was judged is what is reached."""

import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import anyio
import httpx
import pytest
from pydantic import SecretStr

from bridge.api.addresses import PublicHosts, is_public
from bridge.api.client import open_api
from bridge.clock import LoopClock
from bridge.config import ApiSettings
from bridge.errors import ApiContractBroken, ApiUnreachable
from bridge.events import Telemetry
from tests.silence import SilentResolver

PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "0.0.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("2002:7f00:1::", "2002:a00:1::", "nonsense", ""),
]

ELSEWHERE = ApiSettings(url="https://api.example.org", telescope_id="t", token=SecretStr("citra_pat_x"))


class Recorder(httpx.AsyncBaseTransport):
    """The network behind the door: keeps what gets there."""

    def __init__(self) -> None:
        self.reached: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.reached.append(request)
        return httpx.Response(200, json={}, request=request)


def names(book: dict[str, list[list[str]]]) -> Callable[[str, int], Awaitable[list[str]]]:
    """A name server that gives the next of its answers each time it is asked, and the last for ever."""
    asked: dict[str, int] = {}

    async def answer(host: str, _: int) -> list[str]:
        answers = book[host]
        asked[host] = asked.get(host, -1) + 1
        return answers[min(asked[host], len(answers) - 1)]

    return answer


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "52.216.0.1", "2600:1f18::1", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE[:-1])
@pytest.mark.parametrize("beside", [[], ["52.216.0.1"]])
async def test_a_name_that_leads_into_a_private_network_gets_nothing(address: str, beside: list[str]) -> None:
    network = Recorder()
    door = PublicHosts(network, names({"bucket.example": [[*beside, address]]}))
    async with httpx.AsyncClient(transport=door) as client:
        with pytest.raises(ApiContractBroken, match=r"bucket\.example leads to"):
            await client.put("https://bucket.example/key?signature=secret", content=b"frame")
    assert network.reached == []


async def test_the_address_that_was_judged_is_the_one_connected_to_and_the_name_is_what_must_be_proven() -> None:
    network = Recorder()
    rebinding = names({"bucket.example": [["52.216.0.1", "52.216.0.2"], ["127.0.0.1"]]})
    async with httpx.AsyncClient(transport=PublicHosts(network, rebinding)) as client:
        await client.put("https://bucket.example/key?signature=secret", content=b"frame")
        with pytest.raises(ApiContractBroken, match=r"127\.0\.0\.1"):
            await client.put("https://bucket.example/key", content=b"frame")
    (reached,) = network.reached
    assert str(reached.url) == "https://52.216.0.1/key?signature=secret"
    assert reached.headers["host"] == "bucket.example"
    assert reached.extensions["sni_hostname"] == "bucket.example"
    assert b"".join([piece async for piece in reached.stream]) == b"frame"  # type: ignore[union-attr]


async def test_a_name_that_nobody_knows_is_a_platform_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(host: str, port: int, **_: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", nobody)
    clock = LoopClock(datetime(2026, 11, 22, tzinfo=UTC))
    async with open_api(ELSEWHERE, clock=clock, telemetry=Telemetry()) as api:
        with pytest.raises(ApiUnreachable, match="Name or service not known"):
            await api.station.telescope()


@pytest.mark.parametrize("patience", [1.0, 60.0])
async def test_a_name_server_that_says_nothing_costs_seconds_of_life_and_then_the_call(patience: float) -> None:
    async def silent(host: str, port: int) -> list[str]:
        await anyio.sleep(3600.0)
        return []

    network = Recorder()
    async with httpx.AsyncClient(transport=PublicHosts(network, silent, patience=patience)) as client:
        began_s = anyio.current_time()
        with pytest.raises(httpx.ConnectError, match=r"bucket\.example: no name server answers within 6 s"):
            await client.put("https://bucket.example/key?signature=secret", content=b"frame")
    assert 6.0 <= (anyio.current_time() - began_s) / patience < 7.0
    assert network.reached == []


def test_the_program_ends_though_a_name_server_says_nothing(silent_resolver: SilentResolver) -> None:
    """The system's resolver cannot be broken off: it is left behind."""

    async def ask_and_stop() -> None:
        async with (
            open_api(ELSEWHERE, clock=LoopClock(datetime(2026, 11, 22, tzinfo=UTC)), telemetry=Telemetry()) as api,
            anyio.create_task_group() as group,
        ):
            group.start_soon(api.station.telescope)
            while not silent_resolver.asked:
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()

    anyio.run(ask_and_stop)
    assert not silent_resolver.answers.is_set()  # or the end was waited for
