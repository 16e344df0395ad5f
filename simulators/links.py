"""Networks that go wrong: a proxy on loopback between the bridge and a server, and what becomes of the bytes.

The verbs are toxiproxy's. Times are of the sky; a link knows how long they last in life.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from simulators.serving import listening

_CHUNK_BYTES = 65_536
_LOOK_EVERY_S = 0.02
# Closing a socket that lingers for no time sends a reset instead of an end.
_AT_ONCE = struct.pack("ii", 1, 0)


class Verb(StrEnum):
    """What a link can do to those who use it."""

    LATENCY = "latency"  # every piece is `latency_s` late, and up to `jitter_s` more
    BANDWIDTH = "bandwidth"  # `bytes_per_s`
    SLICER = "slicer"  # pieces of `piece_bytes`, `latency_s` between them
    RESET = "reset"  # after `at_byte` of a connection: reset
    LIMIT_DATA = "limit_data"  # after `at_byte` of a connection: closed
    SLOW_CLOSE = "slow_close"  # the end is told `latency_s` late
    TIMEOUT = "timeout"  # taken, and nothing of it is ever passed on
    DOWN = "down"  # nobody listens, and who is connected is cut off


class Direction(StrEnum):
    """Of the bytes that a trouble is about."""

    REQUEST = "request"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that is wrong with a link, from when to when, and for `at_most` so many connections."""

    verb: Verb
    begins_at: datetime
    ends_at: datetime
    direction: Direction = Direction.ANSWER
    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 20_000.0
    piece_bytes: int = 1
    at_byte: int = 0
    at_most: int | None = None

    def acts(self, at: datetime) -> bool:
        return self.begins_at <= at < self.ends_at


class SkyClock(Protocol):
    """Tells the time of the sky, and how long some of it lasts in life."""

    def now(self) -> datetime: ...

    def real_s(self, simulated_s: float) -> float: ...


@dataclass(slots=True)
class Link:
    """A listener on loopback that passes everything on to `upstream` (host, port), but for its troubles.

    `overhear` is told all that is sent upstream, by connection. `fired` counts, for each of the troubles, the
    connections it met; for `down`, the times it was taken down.
    """

    upstream: tuple[str, int]
    troubles: Sequence[Trouble]
    clock: SkyClock
    seed: int = 0
    overhear: Callable[[int, bytes], None] = lambda _connection, _sent: None
    fired: list[int] = field(init=False)
    _draws: random.Random = field(init=False)
    _met: set[tuple[int, int]] = field(default_factory=set, init=False)
    _open: set[asyncio.StreamWriter] = field(default_factory=set, init=False)
    _connections: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.fired = [0] * len(self.troubles)
        self._draws = random.Random(f"{self.seed} link")

    async def serve(self, listener: socket.socket) -> None:
        """Until cancelled. The port stays the same, also after the link was down."""
        port = int(listener.getsockname()[1])
        while True:
            server = await asyncio.start_server(self._connect, sock=listener)
            try:
                while (down := next(self._acting(Verb.DOWN), None)) is None:
                    await asyncio.sleep(_LOOK_EVERY_S)
            finally:
                server.close()
                for writer in tuple(self._open):
                    _reset(writer)
            self.fired[down] += 1
            while next(self._acting(Verb.DOWN), None) is not None:
                await asyncio.sleep(_LOOK_EVERY_S)
            listener = listening("127.0.0.1", port)

    def _acting(self, verb: Verb) -> Iterator[int]:
        """The numbers of the troubles of this kind that act now."""
        now = self.clock.now()
        return (number for number, one in enumerate(self.troubles) if one.verb is verb and one.acts(now))

    def _meets(self, connection: int, verb: Verb, direction: Direction | None = None) -> Trouble | None:
        """The trouble of this kind that a connection meets now; the first time it is counted."""
        for number in self._acting(verb):
            trouble = self.troubles[number]
            if direction in (None, trouble.direction) and self._takes(connection, number):
                return trouble
        return None

    def _takes(self, connection: int, number: int) -> bool:
        """Whether a trouble has this connection already, or may still have one more."""
        if (connection, number) in self._met:
            return True
        at_most = self.troubles[number].at_most
        if at_most is not None and self.fired[number] >= at_most:
            return False
        self._met.add((connection, number))
        self.fired[number] += 1
        return True

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        try:
            server_reader, server_writer = await asyncio.open_connection(*self.upstream)
        except OSError:
            _reset(writer)
            return
        ends = {writer, server_writer}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass_on(number, reader, server_writer, Direction.REQUEST, writer))
                ways.create_task(self._pass_on(number, server_reader, writer, Direction.ANSWER, server_writer))
        except* OSError:
            pass  # one of the two hung up
        finally:
            self._open -= ends
            for one in ends:
                one.close()

    async def _pass_on(
        self,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        direction: Direction,
        other: asyncio.StreamWriter,
    ) -> None:
        """One direction of a connection, until its end."""
        passed = 0
        while chunk := await reader.read(_CHUNK_BYTES):
            if direction is Direction.REQUEST:
                self.overhear(number, chunk)
            while self._meets(number, Verb.TIMEOUT) is not None:
                await asyncio.sleep(_LOOK_EVERY_S)
            for verb, end in ((Verb.RESET, _reset), (Verb.LIMIT_DATA, asyncio.StreamWriter.close)):
                trouble = self._meets(number, verb, direction)
                if trouble is not None and passed + len(chunk) > trouble.at_byte:
                    writer.write(chunk[: max(0, trouble.at_byte - passed)])
                    await writer.drain()
                    end(writer)
                    end(other)
                    return
            await self._slowly(number, chunk, writer, direction)
            passed += len(chunk)
        slow = self._meets(number, Verb.SLOW_CLOSE, direction)
        if slow is not None:
            await asyncio.sleep(self.clock.real_s(slow.latency_s))
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()

    async def _slowly(self, number: int, chunk: bytes, writer: asyncio.StreamWriter, direction: Direction) -> None:
        """Send a piece when, and as fast as, the link does."""
        if (late := self._meets(number, Verb.LATENCY)) is not None:
            await asyncio.sleep(self.clock.real_s(late.latency_s + self._draws.uniform(0.0, late.jitter_s)))
        if (narrow := self._meets(number, Verb.BANDWIDTH)) is not None:
            await asyncio.sleep(self.clock.real_s(len(chunk) / narrow.bytes_per_s))
        sliced = self._meets(number, Verb.SLICER, direction)
        size = len(chunk) if sliced is None else sliced.piece_bytes
        for begins in range(0, len(chunk), size):
            writer.write(chunk[begins : begins + size])
            await writer.drain()
            if sliced is not None and begins + size < len(chunk):
                await asyncio.sleep(self.clock.real_s(sliced.latency_s))


class Links:
    """Several links, served from a thread until leaving the block."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = links
        self._listeners = [listening("127.0.0.1", 0) for _ in links]
        self.addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in self._listeners]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="links")
        self._begun = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner, suppress(asyncio.CancelledError):
            runner.run(self._all())

    async def _all(self) -> None:
        self._serving = asyncio.gather(
            *(link.serve(listener) for link, listener in zip(self._links, self._listeners, strict=True))
        )
        self._begun.set()
        await self._serving


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset."""
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
