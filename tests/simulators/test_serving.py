"""A web application in a thread: there when the block is entered, gone when it is left."""

import socket
import threading

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from simulators.serving import Served

pytestmark = pytest.mark.wire


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", hello)])


def test_it_answers_on_loopback_at_a_port_of_its_own_and_then_no_more() -> None:
    with Served(APP) as served:
        assert served.address == f"127.0.0.1:{served.port}"
        assert httpx.get(served.url).text == "hello"
        url = served.url
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("serving")]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_several_may_serve_at_once() -> None:
    with Served(APP) as one, Served(APP) as other:
        assert one.port != other.port
        assert httpx.get(one.url).text == httpx.get(other.url).text == "hello"


def test_small_answers_are_not_held_back() -> None:
    """asyncio sets TCP_NODELAY only on sockets that name their protocol; without it each answer takes 40 ms."""
    with Served(APP) as served:
        listening = served._socket
        assert listening is not None
        assert listening.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_an_error_and_leaves_nothing_behind() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        Served(APP, port=taken.getsockname()[1]),
    ):
        pass
    with pytest.raises(RuntimeError, match="enter the block"):
        Served(APP).port  # noqa: B018 (asking is the test)
