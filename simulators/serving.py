"""A web application served from a thread: for tests, and for rehearsals in which the caller goes on with other work."""

import socket
import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 10.0


def listening(host: str, port: int) -> socket.socket:
    """A listening socket, IPv4 or IPv6.

    Its protocol is named: asyncio sends small answers at once (TCP_NODELAY) only on sockets that say they are TCP; else
    every answer would wait 40 ms for the acknowledgement of its head.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        server.listen(128)
    except OSError:
        server.close()
        raise
    return server


class Served:
    """Serves `app` from entering until leaving the block; the port is known at once, 0 finds a free one.

    On loopback unless another host is asked for. Nothing is logged: who serves for people sets up logs of their own.
    Leaving cuts off what is still being answered after a second, and returns when the thread has ended.
    """

    def __init__(self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._wanted_port = port
        config = uvicorn.Config(
            app,
            host=host,
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=1,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens.

        Raises:
            RuntimeError: outside the block.
        """
        if self._socket is None:
            raise RuntimeError("it is not served yet: enter the block first")
        return int(self._socket.getsockname()[1])

    @property
    def address(self) -> str:
        """host:port"""
        return f"{self._host}:{self.port}"

    @property
    def url(self) -> str:
        """http://host:port"""
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        self._socket = listening(self._host, self._wanted_port)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name=f"serving {self.address}")
        self._thread.start()
        began_s = time.monotonic()
        pause = threading.Event()
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() - began_s > _READY_WITHIN_S:
                self._leave()
                raise RuntimeError(f"serving at {self._host} did not begin")
            pause.wait(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN_S)
        if self._socket is not None:
            self._socket.close()
