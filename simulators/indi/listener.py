"""A client of an INDI server that only listens: where the mount looks, and what the camera is asked to expose.

It has nothing in common with the bridge's own INDI driver: what that one does is judged by what this one hears.
"""

import contextlib
import select
import socket
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self

from simulators.indi.path import MountPath
from simulators.indi.wishes import Wish

MOUNT_NAME = "Telescope Simulator"
CAMERA_NAME = "CCD Simulator"
_MOUNT_PLACE = "EQUATORIAL_EOD_COORD"
_EXPOSURE = "CCD_EXPOSURE"
_POLLING = "POLLING_PERIOD"
_AGAIN_AFTER_S = 0.05
_LOOK_EVERY_S = 0.1
_HEARD_WITHIN_S = 5.0
_READ_BYTES = 262_144


class Listener:
    """Listens in a thread from entering until leaving the block, and comes back when the server does.

    `path` is filled with the mount's places. `asked` is the last exposure any client asked the camera for. `wishes` are
    sent whenever a device defines the property: on start, and when its driver is started again.
    """

    def __init__(
        self, host: str, port: int, *, now: Callable[[], datetime], path: MountPath, wishes: Sequence[Wish] = ()
    ) -> None:
        self._address = host, port
        self._now = now
        self._path = path
        self._wishes = {(wish.device, wish.name): wish.message for wish in wishes}
        # what is not asked for is not sent: a mount that moves has much to say
        wanted = {(MOUNT_NAME, _MOUNT_PLACE), (MOUNT_NAME, _POLLING), (CAMERA_NAME, _EXPOSURE), *self._wishes}
        self._questions = "".join(
            f"<getProperties version='1.7' device='{device}' name='{name}'/>\n" for device, name in sorted(wanted)
        )
        self._socket: socket.socket | None = None
        self._ended = Event()
        self._news = Condition()
        self._pings = 0
        self._pongs = 0
        self._granted: set[tuple[str, str]] = set()
        self._periods_s: dict[str, float] = {}
        self._thread = Thread(target=self._listen, name=f"listening to {host}:{port}")
        self.asked: tuple[datetime, float] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def catch_up(self) -> bool:
        """Wait until all that the server had said to anybody by now was heard; False where it does not answer.

        A server answers a ping behind everything it sent before.
        """
        with self._news:
            self._pings += 1
            wanted = self._pings
            line = self._socket
            if line is None or not _sent(line, f"<pingRequest uid='{wanted}'/>\n"):
                return False
            self._news.wait_for(lambda: self._pongs >= wanted or self._socket is not line, _HEARD_WITHIN_S)
            return self._pongs >= wanted

    def granted(self, wish: Wish, within_s: float) -> bool:
        """Whether a device took what it was set to."""
        key = wish.device, wish.name
        with self._news:
            return self._news.wait_for(lambda: key in self._granted, within_s)

    def _listen(self) -> None:
        """Until the end: connect, ask, hear."""
        while not self._ended.is_set():
            try:
                line = socket.create_connection(self._address, timeout=_HEARD_WITHIN_S)
            except OSError:
                self._ended.wait(_AGAIN_AFTER_S)
                continue
            with line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if _sent(line, self._questions):
                    self._socket = line
                    with contextlib.suppress(OSError, ET.ParseError):  # hung up, or not INDI: come back
                        self._hear(line)
                with self._news:
                    self._socket = None
                    self._news.notify_all()

    def _hear(self, line: socket.socket) -> None:
        parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("start", "end"))
        parser.feed(b"<indi>")
        open_elements: list[ET.Element] = []
        while not self._ended.is_set():
            ready, _, _ = select.select([line], [], [], _LOOK_EVERY_S)
            if not ready:
                continue
            content = line.recv(_READ_BYTES)
            # indiserver holds its next small message back until the last is acknowledged: not 40 ms later, at once
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            if not content:
                return
            heard_at = self._now()
            parser.feed(content)
            for kind, element in _events(parser):
                if kind == "start":
                    open_elements.append(element)
                    continue
                open_elements.pop()
                if len(open_elements) == 1:
                    self._take(line, element, heard_at)
                    open_elements[0].clear()  # what was heard is not kept

    def _take(self, line: socket.socket, element: ET.Element, at: datetime) -> None:
        key = element.get("device", ""), element.get("name", "")
        if element.tag == "pingReply":
            with self._news:
                self._pongs = max(self._pongs, int(element.get("uid", "0")))
                self._news.notify_all()
        elif element.tag.endswith("NumberVector"):
            self._take_numbers(element, key, at)
        if element.tag.startswith("def") and key in self._wishes:
            _sent(line, self._wishes[key])
        if element.tag.startswith("set") and key in self._wishes:
            with self._news:
                self._granted.add(key)
                self._news.notify_all()

    def _take_numbers(self, element: ET.Element, key: tuple[str, str], at: datetime) -> None:
        device, name = key
        values = _numbers_in(element)
        asked = element.tag.startswith("new")
        if asked and name == _EXPOSURE:
            self.asked = at, values["CCD_EXPOSURE_VALUE"]
        elif not asked and name == _POLLING:
            self._periods_s[device] = values["PERIOD_MS"] / 1000.0
        elif not asked and name == _MOUNT_PLACE:
            self._path.period_s = self._periods_s.get(device, 1.0)
            self._path.heard(at, values["RA"] * 15.0, values["DEC"])


def _events(parser: "ET.XMLPullParser[ET.Element]") -> Iterator[tuple[str, ET.Element]]:
    """Beginnings and ends of elements; a parser may have other events too."""
    for kind, *what in parser.read_events():
        if what and isinstance(what[0], ET.Element):
            yield str(kind), what[0]


def _numbers_in(element: ET.Element) -> dict[str, float]:
    """Its numbers by name; a client that names a device's element wrongly is not our affair (KeyError is)."""
    return {one.get("name", ""): float((one.text or "nan").strip()) for one in element}


def _sent(line: socket.socket, message: str) -> bool:
    try:
        line.sendall(message.encode())
    except OSError:
        return False
    return True
