"""A client that only listens, to a server of a few lines that says what INDI's say."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from simulators.clock import HandClock
from simulators.indi.listener import Listener
from simulators.indi.path import MountPath
from simulators.indi.wishes import numbers, texts
from simulators.sky.earth import Ground

NIGHT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WITHIN_S = 30.0
SIZE = numbers("CCD Simulator", "SIMULATOR_SETTINGS", SIM_XRES=1024, SIM_XSIZE=14.8)


class Speaker:
    """A server for one client at a time: says what it is told to, answers pings, and hears."""

    def __init__(self, port: int = 0) -> None:
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.heard = b""
        self._line: socket.socket | None = None
        self._there = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def say(self, text: str) -> None:
        assert self._there.wait(WITHIN_S)
        assert self._line is not None
        self._line.sendall(text.encode())

    def hang_up(self) -> None:
        self.listener.close()
        assert self._there.wait(WITHIN_S)
        assert self._line is not None
        with contextlib.suppress(OSError):  # the other end was first
            self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(WITHIN_S)

    def _serve(self) -> None:
        self._line, _ = self.listener.accept()
        with self._line, contextlib.suppress(OSError):  # the other end may go at any moment
            self._there.set()
            while part := self._line.recv(65536):
                self.heard += part
                if b"pingRequest" in part:
                    uid = part.split(b"uid='")[-1].split(b"'")[0].decode()
                    self._line.sendall(f'<pingReply uid="{uid}"/>\n'.encode())


@contextmanager
def speaking(port: int = 0) -> Iterator[Speaker]:
    speaker = Speaker(port)
    try:
        yield speaker
    finally:
        speaker.hang_up()


@pytest.fixture
def path() -> MountPath:
    return MountPath(Ground(38.84, -104.97, 1900.0))


def listener_to(port: int, path: MountPath) -> Listener:
    return Listener("127.0.0.1", port, now=HandClock(NIGHT).now, path=path, wishes=[SIZE])


def wait_until(true: Callable[[], bool]) -> None:
    last_s = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < last_s, f"not within {WITHIN_S} s"
        time.sleep(0.005)


def place(ra_hours: float, dec_deg: float) -> str:
    return (
        "<setNumberVector device='Telescope Simulator' name='EQUATORIAL_EOD_COORD' state='Ok'>\n"
        f"  <oneNumber name='RA'>\n{ra_hours}\n</oneNumber><oneNumber name='DEC'>{dec_deg}</oneNumber>\n"
        "</setNumberVector>\n"
    )


def test_it_asks_for_what_it_wants_to_know_and_hears_where_the_mount_looks(path: MountPath) -> None:
    with speaking() as speaker, listener_to(speaker.port, path) as listener:
        whole = place(8.0, 40.0)
        speaker.say(whole[:70])  # in two parts, as it comes over a network
        speaker.say(whole[70:])
        wait_until(lambda: path.changes == 1)
        wait_until(listener.catch_up)
        ra_deg, dec_deg = path.true_icrs(NIGHT)
        assert (ra_deg, dec_deg) == pytest.approx((120.0, 40.0), abs=0.6)  # of date, and ICRS
        mount = b"<getProperties version='1.7' device='Telescope Simulator' name='EQUATORIAL_EOD_COORD'/>"
        assert mount in speaker.heard


def test_it_hears_what_others_ask_the_camera_for_and_not_what_the_camera_counts_down(path: MountPath) -> None:
    exposure = "<{0}NumberVector device='CCD Simulator' name='CCD_EXPOSURE'><oneNumber name='CCD_EXPOSURE_VALUE'>{1}"
    close = "</oneNumber></{0}NumberVector>\n"
    with speaking() as speaker, listener_to(speaker.port, path) as listener:
        for kind, seconds in (("def", 1.0), ("new", 2.5), ("set", 1.5)):
            speaker.say(exposure.format(kind, seconds) + close.format(kind))
        wait_until(listener.catch_up)
        assert listener.asked == (NIGHT, 2.5)


def test_it_knows_how_often_the_mount_is_looked_at(path: MountPath) -> None:
    with speaking() as speaker, listener_to(speaker.port, path) as listener:
        vector = "<setNumberVector device='{0}' name='POLLING_PERIOD'><oneNumber name='PERIOD_MS'>{1}</oneNumber>"
        speaker.say(vector.format("Telescope Simulator", 250) + "</setNumberVector>")
        speaker.say(vector.format("Dome Simulator", 1000) + "</setNumberVector>")
        speaker.say(place(1.0, 2.0))
        wait_until(listener.catch_up)
        assert path.period_s == 0.25


def test_a_wish_is_sent_whenever_the_device_comes_up_and_it_is_known_when_it_is_granted(path: MountPath) -> None:
    vector = "<{0}NumberVector device='CCD Simulator' name='SIMULATOR_SETTINGS'></{0}NumberVector>\n"
    with speaking() as speaker, listener_to(speaker.port, path) as listener:
        for times in (1, 2):
            speaker.say(vector.format("def"))
            wait_until(lambda times=times: speaker.heard.count(SIZE.message.encode()) == times)
        assert not listener.granted(SIZE, 0.0)
        speaker.say(vector.format("set"))
        assert listener.granted(SIZE, WITHIN_S)


def test_it_comes_back_when_the_server_does(path: MountPath) -> None:
    with speaking() as speaker:
        port = speaker.port
        with listener_to(port, path) as listener:
            speaker.say(place(1.0, 2.0))
            wait_until(lambda: path.changes == 1)
            speaker.hang_up()
            assert not listener.catch_up()
            with speaking(port) as again:
                again.say(place(3.0, 2.0))
                wait_until(lambda: path.changes == 2)
                wait_until(listener.catch_up)


def test_who_speaks_no_xml_is_left_and_asked_again(path: MountPath) -> None:
    with speaking() as speaker:
        with listener_to(speaker.port, path):
            speaker.say("<a></b>")
            wait_until(lambda: not speaker._thread.is_alive())
        assert path.changes == 0


def test_words_with_signs_of_xml_are_written_so_that_they_are_read_back() -> None:
    wish = texts("Filter Simulator", "FILTER_NAME", FILTER_SLOT_NAME_1="R & <B>")
    assert "R &amp; &lt;B&gt;" in wish.message
    assert "<oneNumber name='SIM_XSIZE'>14.8</oneNumber>" in SIZE.message
