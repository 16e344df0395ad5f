"""Files on their way out: each is read and sent by one thread, which keeps a piece close to the core it was read on."""

import asyncio
import concurrent.futures
import http
import http.client
import os
import select
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import NamedTuple, Self

import anyio
import httpx

from bridge.api.uplink import Uplink
from drivers.names import look_up
from drivers.threads import Worker

_SILENCE_S = 30.0  # of a socket, which knows real seconds alone; the whole of a transfer has its deadline in the loop
_LARGEST_ANSWER_BYTES = 1 << 20
_KEPT_OPEN_S = 5.0  # a server waits about so long for the next file


class FileBody(httpx.AsyncByteStream):
    """The body of a request: an open file, and what stands before and after it."""

    def __init__(
        self, descriptor: int, size_bytes: int, uplink: Uplink, *, before: bytes = b"", after: bytes = b""
    ) -> None:
        self._descriptor = descriptor
        self._size_bytes = size_bytes
        self._before, self._after = before, after
        self.uplink = uplink

    def __len__(self) -> int:
        """How many bytes the whole has."""
        return len(self._before) + self._size_bytes + len(self._after)

    def pieces(self) -> Iterator[memoryview]:
        """What is sent, in order. A piece is good until the next is asked for: all are read into the same memory.

        Raises:
            OSError: the file cannot be read, or ends early.
        """
        if self._before:
            yield memoryview(self._before)
        memory = memoryview(bytearray(min(self.uplink.piece_bytes, self._size_bytes)))
        read = 0
        while read < self._size_bytes:
            count = os.preadv(self._descriptor, [memory[: self._size_bytes - read]], read)
            if not count:
                raise OSError(f"the file ended {self._size_bytes - read} bytes early while it was sent")
            read += count
            yield memory[:count]
        if self._after:
            yield memoryview(self._after)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The same for a network without sockets."""
        for piece in self.pieces():
            await self.uplink.take(len(piece))
            yield bytes(piece)


class FileSender(httpx.AsyncBaseTransport):
    """The network, for requests whose body is a `FileBody`. A connection that was left open serves the next file.

    The steps of an event loop would cost more for each piece than copying it does; and a piece handed from the thread
    that read it to the thread that sends it has left the cache of the core by then.
    """

    def __init__(self, trusted: ssl.SSLContext) -> None:
        self._trusted = trusted
        self._idle: list[_Line] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the file and read the answer, of which a byte more than a megabyte is kept at most.

        When the caller is cancelled, the connection is cut, and the thread waited for.

        Raises:
            httpx.TransportError: nobody takes the connection, or it broke, fell silent, or what came back is no HTTP.
            OSError: the file cannot be read, or ends early.
        """
        body = request.stream
        if not isinstance(body, FileBody):
            raise TypeError(f"only files are sent this way, not {type(body).__name__}")
        origin = _Origin.of(request)
        line = self._left_open(origin) or _Line(origin, await _connect(request, origin, self._trusted))
        worker = Worker("upload")
        with ExitStack() as undo:
            undo.callback(worker.close)
            undo.callback(line.http.close)
            exchange = _Exchange(request, body, line.http, asyncio.get_running_loop())
            response = await worker.call_with_stop(exchange.cut, exchange.whole)
            undo.pop_all()
        worker.close()
        if _is_open(line.http):
            self._idle.append(_Line(origin, line.http, time.monotonic()))
        return response

    def _left_open(self, origin: "_Origin") -> "_Line | None":
        """The connection that was used last, where the server has neither closed it nor spoken on it since."""
        now_s = time.monotonic()
        kept, found = list[_Line](), None
        for line in self._idle:
            if now_s - line.since_s > _KEPT_OPEN_S or _has_stirred(line.http.sock):
                line.http.close()
            elif line.origin == origin and found is None:
                found = line
            else:
                kept.append(line)
        self._idle = kept
        return found

    async def aclose(self) -> None:
        """Hang up where nothing is under way."""
        for line in self._idle:
            line.http.close()
        self._idle.clear()


class _Origin(NamedTuple):
    """Whom a connection leads to, and which name that one must prove to have."""

    scheme: str
    host: str
    port: int
    name: str

    @classmethod
    def of(cls, request: httpx.Request) -> Self:
        url = request.url
        port = url.port or {"http": 80}.get(url.scheme, 443)
        return cls(url.scheme, url.host, port, request.extensions.get("sni_hostname", url.host))


class _Line(NamedTuple):
    """A connection, and since when nothing is under way on it (monotonic clock)."""

    origin: _Origin
    http: http.client.HTTPConnection
    since_s: float = 0.0


async def _connect(request: httpx.Request, origin: _Origin, trusted: ssl.SSLContext) -> http.client.HTTPConnection:
    """A new connection to the first address that takes it. Nothing was said yet, nor proven."""
    within_s = request.extensions["timeout"]["connect"]  # in seconds of the loop
    refused: OSError | ValueError = OSError("its name leads to no address")
    try:
        for address in await look_up(origin.host, origin.port):
            try:
                with anyio.fail_after(within_s):
                    return await _reached(address, origin, trusted)
            except OSError as error:
                refused = error
    except (OSError, ValueError) as error:  # no such name, or one that none can have
        refused = error
    raise httpx.ConnectError(_in_words(refused), request=request) from refused


async def _reached(address: str, origin: _Origin, trusted: ssl.SSLContext) -> http.client.HTTPConnection:
    with ExitStack() as undo:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        plain = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (address, origin.port))
        plain.settimeout(_SILENCE_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = http.client.HTTPConnection(origin.host, origin.port)
        line.auto_open = 0
        line.sock = plain
        if origin.scheme == "https":
            line.sock = trusted.wrap_socket(plain, server_hostname=origin.name, do_handshake_on_connect=False)
        undo.pop_all()
        return line


def _in_words(refused: OSError | ValueError) -> str:
    if not isinstance(refused, OSError) or isinstance(refused, ssl.SSLError | socket.gaierror) or not refused.errno:
        return str(refused) or "nobody takes the connection in time"
    return os.strerror(refused.errno)


def _is_open(line: http.client.HTTPConnection) -> bool:
    sock: socket.socket | None = line.sock
    return sock is not None


def _has_stirred(line: socket.socket) -> bool:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(0))


class _Exchange:
    """A file sent and its answer read, in a thread that may wait."""

    def __init__(
        self,
        request: httpx.Request,
        body: FileBody,
        line: http.client.HTTPConnection,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._request = request
        self._body = body
        self._line = line
        self._socket: socket.socket = line.sock
        self._loop = loop
        self._turn: concurrent.futures.Future[None] | None = None
        self._is_cut = False

    def cut(self) -> None:
        """End the exchange, from another thread: whoever waits at the socket, or for a turn of the line, gets an error
        at once.

        TLS is not told of it: its own `shutdown` would go on in plain text.
        """
        self._is_cut = True
        if self._turn is not None:
            self._turn.cancel()
        try:
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # closed already, which is as good

    def whole(self) -> httpx.Response:
        """Let the other side prove its name, send head and body, and read the answer."""
        try:
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.do_handshake()  # once for each connection: later it has nothing to do
            self._say_head()
        except OSError as error:
            raise httpx.ConnectError(str(error), request=self._request) from error
        try:
            self._say_body()
        except (httpx.WriteError, httpx.WriteTimeout) as broken:
            return self._refusal(broken)
        return self._answer()

    def _say_head(self) -> None:
        request, line = self._request, self._line
        line.putrequest(request.method, request.url.raw_path.decode("ascii"), skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.raw:
            line.putheader(name.decode("ascii"), value)
        line.endheaders()

    def _say_body(self) -> None:
        limited = self._body.uplink.limited
        for piece in self._body.pieces():
            if limited:
                self._wait_for_turn(len(piece))
            try:
                self._line.send(piece)
            except TimeoutError as error:
                raise httpx.WriteTimeout(f"nothing went out for {_SILENCE_S:g} s", request=self._request) from error
            except OSError as error:
                raise httpx.WriteError(str(error), request=self._request) from error

    def _wait_for_turn(self, count_bytes: int) -> None:
        self._turn = asyncio.run_coroutine_threadsafe(self._body.uplink.take(count_bytes), self._loop)
        if self._is_cut:  # a cut sets this, and then looks for a turn
            self._turn.cancel()
        try:
            self._turn.result()
        except concurrent.futures.CancelledError as error:
            raise httpx.WriteError("cut off", request=self._request) from error

    def _refusal(self, broken: httpx.WriteError | httpx.WriteTimeout) -> httpx.Response:
        """What was said before the end of the file: whoever refuses may hang up then, or read no further. A yes to a
        part of it is none.
        """
        try:
            answer = self._answer()
        except httpx.TransportError:
            raise broken from None
        finally:
            self._line.close()
        if answer.is_success:
            raise broken
        return answer

    def _answer(self) -> httpx.Response:
        content = bytearray()
        try:
            answer = self._line.getresponse()
            # Piece by piece: `read` believes a chunk that says it has -1 bytes, and reads on for ever.
            while more := answer.read1(_LARGEST_ANSWER_BYTES + 1 - len(content)):
                content += more
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer for {_SILENCE_S:g} s", request=self._request) from error
        except OSError as error:
            raise httpx.ReadError(str(error), request=self._request) from error
        except http.client.HTTPException as error:
            raise httpx.RemoteProtocolError(f"{error!r:.200}", request=self._request) from error
        if answer.length and len(content) <= _LARGEST_ANSWER_BYTES:
            raise httpx.ReadError(f"the answer ended {answer.length} bytes early", request=self._request)
        heard_out = answer.length == 0 or answer.isclosed()
        if not heard_out or answer.status < http.HTTPStatus.OK:
            self._line.close()  # what is left, or follows, would be taken for the answer to the next file
        answer.close()
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]
        return httpx.Response(
            answer.status, headers=headers, stream=httpx.ByteStream(bytes(content)), request=self._request
        )
