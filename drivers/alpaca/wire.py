"""HTTP to an Alpaca server with a bound on everything: one exchange has so many seconds in all, and so many bytes.

A socket's own timeout starts anew with every byte, so a server that trickles would never be too late.
"""

import http.client
import json
import re
import socket
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import requests
import urllib3
import urllib3.connection

from drivers.alpaca.errors import from_status
from drivers.errors import ConnectionLost, DeviceError, Malfunction, TimedOut

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer  # exists for type checkers only

CONNECT_WITHIN_S = 5.0
_TRANSACTION = re.compile(r"ClientTransactionID=([0-9]+)")
_ECHO = re.compile(rb'"ClientTransactionID"\s*:\s*([0-9]{1,10})[\s,}]')
_RIGHTLY_AT_LEAST = 3
LONGEST_REPLY_BYTES = 1 << 18  # of a member or of the management API; pictures have their own bound


class TooLong(OSError):
    """The peer sent more than the exchange may have."""


class Budget:
    """What is left of the exchange under way, in real seconds and in bytes. May be cancelled from another thread."""

    def __init__(self) -> None:
        self._ends_s = 0.0
        self._bytes_left = 0
        self._cancelled = False
        self._socket: socket.socket | None = None
        self.late = False
        self.too_long = False

    def renew(self, *, within_s: float, max_bytes: int) -> None:
        """A new exchange begins now."""
        self._ends_s = time.monotonic() + within_s
        self._bytes_left = max_bytes
        self.late = False
        self.too_long = False

    def left_s(self) -> float:
        """Seconds left.

        Raises:
            TimeoutError: none.
        """
        left_s = self._ends_s - time.monotonic()
        if self._cancelled or left_s <= 0.0:
            self.late = True
            raise TimeoutError("the exchange took too long in all")
        return left_s

    def spend(self, count: int) -> None:
        """Note `count` bytes received.

        Raises:
            TooLong: they were too many.
        """
        self._bytes_left -= count
        if self._bytes_left < 0:
            self.too_long = True
            raise TooLong("the answer is longer than it may be")

    def guard(self, plain: socket.socket) -> "GuardedSocket":
        """`plain`, which is used up, as a socket that keeps within this budget."""
        timeout_s = plain.gettimeout()
        guarded = GuardedSocket(self, plain.detach())
        guarded.settimeout(timeout_s)
        self._socket = guarded
        return guarded

    def cancel(self) -> None:
        """End the exchange under way, from any thread: what waits for bytes gets an error at once."""
        self._cancelled = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed already, which is as good


class GuardedSocket(socket.socket):
    """A connected socket whose every read keeps within a budget."""

    def __init__(self, budget: Budget, descriptor: int) -> None:
        super().__init__(fileno=descriptor)
        self._budget = budget

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(self._budget.left_s())
        try:
            count = super().recv_into(buffer, nbytes, flags)
        except TimeoutError:
            self._budget.late = True
            raise
        self._budget.spend(count)
        return count


class Exchange(http.client.HTTPConnection):
    """One HTTP exchange within a budget, on a connection of its own. Leaving the block closes it."""

    def __init__(self, address: str, budget: Budget) -> None:
        host, _, port = address.rpartition(":")
        super().__init__(host.strip("[]"), int(port), timeout=CONNECT_WITHIN_S)
        self._budget = budget

    def connect(self) -> None:
        super().connect()
        self.sock = self._budget.guard(self.sock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Transactions:
    """Tells the answer to an earlier call from the answer to this one, by the number that a server echoes.

    Some servers echo nothing, or always the same: only one that has echoed rightly before is held to it.
    """

    def __init__(self) -> None:
        self._earlier: deque[int] = deque(maxlen=1000)
        self._rightly = 0

    def belong(self, request: requests.PreparedRequest, response: requests.Response) -> bool:
        """Whether `response` may be the answer to `request`."""
        asked = _TRANSACTION.search(f"{request.url} {request.body!s}")
        echoed = _ECHO.search(response.content)
        if asked is None or echoed is None:
            return True
        number, echo = int(asked[1]), int(echoed[1])
        if echo == number:
            self._rightly += 1
        belongs = echo == number or echo not in self._earlier or self._rightly < _RIGHTLY_AT_LEAST
        self._earlier.append(number)
        return belongs


class Adapter(requests.adapters.HTTPAdapter):
    """Sends alpyca's requests on sockets that keep within the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._transactions = Transactions()
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: object) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool)
        budget = self._budget

        class Connection(urllib3.connection.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                self.sock = budget.guard(self.sock)

        class Pool(urllib3.HTTPConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool}

    def add_headers(self, request: requests.PreparedRequest, **kwargs: object) -> None:
        request.headers.pop("Host", None)  # alpyca's has one bracket too many for an IPv6 address without a zone

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """A reading that got the answer to an earlier call is asked again, once, on a new connection.

        Raises:
            requests.ConnectionError: a command got such an answer: nobody knows whether it was done.
        """
        for last in (request.method != "GET", True):
            response = super().send(request, *args, **kwargs)
            if self._transactions.belong(request, response):
                return response
            self.poolmanager.clear()
            if last:
                break
        raise requests.ConnectionError("the answer belongs to an earlier call")

    def build_response(
        self, req: requests.PreparedRequest, resp: urllib3.response.BaseHTTPResponse
    ) -> requests.Response:
        if resp.headers.get("Content-Encoding", "identity") != "identity":
            resp.close()
            raise requests.exceptions.ContentDecodingError("the answer is compressed, which was not asked for")
        return super().build_response(req, resp)


def foreign_error(device: str, doing: str, error: Exception, budget: Budget) -> DeviceError:
    """The error of ours that an error of sockets or of http.client means."""
    if budget.too_long or isinstance(error, TooLong):
        return Malfunction(device, doing, "the answer is longer than it may be; is this an Alpaca server?")
    if budget.late or isinstance(error, TimeoutError):
        return TimedOut(device, doing, "no whole answer within the time allowed")
    if isinstance(error, http.client.HTTPException) and not isinstance(
        error, http.client.IncompleteRead | http.client.RemoteDisconnected
    ):
        return Malfunction(device, doing, f"the answer is not HTTP: {error!r:.200}")
    return ConnectionLost(device, doing, f"no connection: {str(error) or type(error).__name__}"[:300])


def read_text(response: http.client.HTTPResponse, max_bytes: int) -> str:
    """The body, of which no more than `max_bytes` are ever held.

    Raises:
        TooLong, http.client.IncompleteRead: it has more than `max_bytes`; it ends before its declared length.
    """
    if response.length is not None and response.length > max_bytes:
        raise TooLong(f"the answer has {response.length} bytes, and may have {max_bytes}")
    body = response.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise TooLong(f"the answer has more than {max_bytes} bytes")
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body.decode("utf-8", errors="replace")


def fetch_json(address: str, path: str, *, device: str, within_s: float) -> object:
    """The JSON document at `path`. Blocks.

    Raises:
        DeviceError: no answer, no JSON, a status other than 200 (a redirection is not followed).
    """
    doing = f"read {path}"
    budget = Budget()
    budget.renew(within_s=within_s, max_bytes=LONGEST_REPLY_BYTES)
    try:
        with Exchange(address, budget) as exchange:
            exchange.request("GET", path, headers={"Accept": "application/json"})
            with exchange.getresponse() as response:
                status, body = response.status, read_text(response, LONGEST_REPLY_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise foreign_error(device, doing, error, budget) from error
    if status != 200:
        raise from_status(device, doing, status, body)
    try:
        reply: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malfunction(device, doing, f"the answer is no JSON: {body[:60]!r}") from error
    return reply
