"""One Alpaca device: whatever its server says becomes one of four errors, in time, and harms no other device."""

import gzip
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

import anyio
import pytest
from alpaca.device import Device

from drivers.alpaca.connecting import connected
from drivers.alpaca.errors import Unsupported
from drivers.alpaca.link import Link, Role, optional
from drivers.config import AlpacaDevice
from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused, TimedOut
from tests.drivers.fake_alpaca import (
    FakeAlpaca,
    FakeDevice,
    FakePlatform7Device,
    Fault,
    Raw,
    hangs_up_after,
    says,
    silent_until,
    trickles,
)


class Weathered(FakeDevice):
    """A safety monitor with an opinion."""

    IsSafe: object = True
    Names = ("Clear", "Ha")
    Altitude: object = 45.0


@pytest.fixture
async def link(alpaca: FakeAlpaca) -> AsyncIterator[Link]:
    alpaca.add("telescope", Weathered(alpaca.clock))
    link = Link(Role.MOUNT, AlpacaDevice(address=alpaca.address), call_within_s=0.5)
    yield link
    await link.close()


def alpaca_error(number: int, message: str = "the driver's own words") -> bytes:
    return json.dumps({"ErrorNumber": number, "ErrorMessage": message, "Value": None}).encode()


HTML = {"Content-Type": "text/html", "Connection": "close"}
INDI_SAYS_NO = alpaca_error(1024, "TrackingRates not implemented")

ANSWERS: dict[str, tuple[Raw, type[DeviceError], str]] = {
    "not implemented": (says(alpaca_error(0x400)), Unsupported, "the driver's own words"),
    "invalid value": (says(alpaca_error(0x401)), Refused, "own words.*0x401"),
    "value not set": (says(alpaca_error(0x402)), Refused, "own words"),
    "not connected": (says(alpaca_error(0x407)), ConnectionLost, "own words"),
    "parked": (says(alpaca_error(0x408)), Refused, "own words"),
    "slaved": (says(alpaca_error(0x409)), Refused, "own words"),
    "invalid operation": (says(alpaca_error(0x40B)), Refused, "own words"),
    "cancelled": (says(alpaca_error(0x40E)), Malfunction, "own words"),
    "a number nobody assigned": (says(alpaca_error(0x4FE)), Malfunction, "0x4fe"),
    "the driver's own number": (says(alpaca_error(0x500, "motor stalled")), Malfunction, "motor stalled"),
    "a negative number": (says(alpaca_error(-5)), Malfunction, "own words"),
    "words with terminal codes": (says(alpaca_error(0x401, "\x1b[31mred\nlines")), Refused, r"\[31mred lines"),
    "words without end": (says(alpaca_error(0x401, "z" * 9000)), Refused, "z{299}… "),
    "no words": (says(alpaca_error(0x401, "")), Refused, "no reason given"),
    "400 with an Alpaca error": (says(INDI_SAYS_NO, status=400), Unsupported, "TrackingRates not implemented"),
    "400 with a refusal": (says(alpaca_error(0x40B, "below the horizon"), status=400), Refused, "below the horizon"),
    "400 with text": (says(b"no such method", status=400), Unsupported, "status 400: no such method"),
    "404 with a page": (says(b"<h1>Not found</h1>", status=404, headers=HTML), Unsupported, "is there such a device"),
    "403": (says(b"log in first", status=403), Refused, "log in first"),
    "500 with text": (says(b"NullReferenceException", status=500), Malfunction, "NullReference"),
    "502 of a gateway": (says(b"<html>", status=502, headers=HTML), ConnectionLost, "502"),
    "504 of a gateway": (says(b"<html>", status=504, headers=HTML), TimedOut, "504"),
    "a page": (says(b"<html>captive portal</html>", headers=HTML), Malfunction, "no JSON"),
    "nothing": (says(b""), Malfunction, "no JSON"),
    "half a document": (says(b'{"Value": 4'), Malfunction, "no JSON"),
    "a list": (says(b"[]"), Malfunction, "not built"),
    "null": (says(b"null"), Malfunction, "not built"),
    "an error number in words": (says(b'{"ErrorNumber": "no", "ErrorMessage": ""}'), Malfunction, "not built"),
    "no error number": (says(b'{"Value": 45.0}'), Malfunction, "lacks a key.*ErrorNumber"),
    "no value": (says(b'{"ErrorNumber": 0, "ErrorMessage": ""}'), Malfunction, "lacks a key.*Value"),
    "nested without end": (says(b"[" * 100_000), Malfunction, "nested|no JSON"),
    "bytes that are no text": (says(b"\xff\xfe\x00\xd8" * 9), Malfunction, "no JSON|does not know"),
    "elsewhere": (says(b"", status=302, headers={"Location": "http://192.0.2.1/"}), Malfunction, "sends us elsewhere"),
    "a bomb": (
        says(gzip.compress(b" " * 200_000), headers={"Content-Encoding": "gzip", "Connection": "close"}),
        Malfunction,
        "compressed",
    ),
    "far too much": (says(b'"' + b"z" * (1 << 19) + b'"'), Malfunction, "longer than it may be"),
    "no HTTP": (hangs_up_after(b"220 mail.example.org ESMTP\r\n"), ConnectionLost, "no connection"),
    "a hang-up": (hangs_up_after(b""), ConnectionLost, "no connection"),
    "half an answer": (
        hangs_up_after(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"Value": 4'),
        ConnectionLost,
        "broke off|no connection",
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_every_answer_becomes_an_error_of_ours_with_the_devices_words(
    answer: str, alpaca: FakeAlpaca, link: Link
) -> None:
    raw, expected, what = ANSWERS[answer]
    alpaca.instead["telescope", "altitude"] = raw
    with pytest.raises(DeviceError, match=what) as caught:
        await link.number("Altitude")
    assert type(caught.value) is expected
    assert caught.value.device == f"mount 0 at {alpaca.address}"
    assert caught.value.doing == "read Altitude"
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    del alpaca.instead["telescope", "altitude"]
    assert await link.number("Altitude") == 45.0  # and the next call works


@pytest.mark.parametrize("value", [None, "45", True, [45.0], float("nan"), float("inf"), 10**400])
async def test_a_number_is_a_finite_number_or_an_error(value: object, alpaca: FakeAlpaca, link: Link) -> None:
    alpaca.devices["telescope", 0].Altitude = value
    with pytest.raises(Malfunction, match="not a finite number"):
        await link.number("Altitude")


@pytest.mark.parametrize("value", [None, 0, 1, "true", "False", []])
async def test_yes_or_no_is_exactly_that(value: object, alpaca: FakeAlpaca) -> None:
    alpaca.add("safetymonitor", Weathered(alpaca.clock)).IsSafe = value
    link = Link(Role.SAFETY_MONITOR, AlpacaDevice(address=alpaca.address))
    try:
        with pytest.raises(Malfunction, match="not true or false"):
            await link.flag("IsSafe")
    finally:
        await link.close()


async def test_texts_and_lists_are_what_they_should_be(alpaca: FakeAlpaca) -> None:
    wheel = alpaca.add("filterwheel", Weathered(alpaca.clock))
    link = Link(Role.FILTER_WHEEL, AlpacaDevice(address=alpaca.address))
    try:
        assert await link.sequence("Names", str) == ("Clear", "Ha")
        for odd in ("Clear", ["Clear", 5], {"a": 1}, None):
            wheel.Names = odd
            with pytest.raises(Malfunction, match="not a list of str"):
                await link.sequence("Names", str)
        wheel.Name = "a\x1b[2Jwheel\n"
        assert await link.text("Name") == "a [2Jwheel"
        wheel.Name = 5
        with pytest.raises(Malfunction, match="not a text"):
            await link.text("Name")
    finally:
        await link.close()


async def test_a_code_of_no_meaning_is_a_malfunction(alpaca: FakeAlpaca, link: Link) -> None:
    alpaca.devices["telescope", 0].AlignmentMode = 7
    with pytest.raises(Malfunction, match="does not know"):
        await link.whole("AlignmentMode")
    alpaca.devices["telescope", 0].AlignmentMode = 2.0
    assert await link.whole("AlignmentMode") == 2


async def test_what_a_device_does_not_have_is_optional_and_what_it_refuses_is_not(
    alpaca: FakeAlpaca, link: Link
) -> None:
    assert await optional(link.number("Azimuth")) is None
    alpaca.instead["telescope", "azimuth"] = says(alpaca_error(0x402))
    with pytest.raises(Refused):
        await optional(link.number("Azimuth"))


async def test_a_server_that_trickles_is_too_late_in_all(alpaca: FakeAlpaca, link: Link) -> None:
    stopped = threading.Event()
    alpaca.instead["telescope", "altitude"] = trickles(stopped)
    try:
        with pytest.raises(TimedOut, match="no whole answer"):
            await link.number("Altitude")
    finally:
        stopped.set()


async def test_a_silent_server_is_too_late(alpaca: FakeAlpaca, link: Link) -> None:
    released = threading.Event()
    alpaca.instead["telescope", "altitude"] = silent_until(released)
    try:
        with pytest.raises(TimedOut):
            await link.number("Altitude")
    finally:
        released.set()


async def test_a_late_answer_is_never_taken_for_the_next_one(alpaca: FakeAlpaca, link: Link) -> None:
    released = threading.Event()

    def late(handler: BaseHTTPRequestHandler) -> None:
        released.wait(30.0)
        handler.reply(b'{"Value": -1.0, "ErrorNumber": 0, "ErrorMessage": ""}')  # type: ignore[attr-defined]

    alpaca.instead["telescope", "altitude"] = late
    with pytest.raises(TimedOut):
        await link.number("Altitude")
    del alpaca.instead["telescope", "altitude"]
    released.set()
    assert await link.number("Altitude") == 45.0


async def test_nobody_there_is_a_lost_connection() -> None:
    link = Link(Role.MOUNT, AlpacaDevice(address="127.0.0.1:9"))
    try:
        with pytest.raises(ConnectionLost, match=r"no connection: 127\.0\.0\.1:9: connection refused$"):
            await link.flag("Slewing")
    finally:
        await link.close()


def asked_of(handler: BaseHTTPRequestHandler) -> int:
    """The transaction's number of a GET."""
    return int(dict(parse_qsl(urlsplit(handler.path).query))["ClientTransactionID"])


class Echo:
    """Answers with a number, and echoes the transaction that `chosen` makes of those so far."""

    def __init__(self, chosen: Callable[[list[int]], object]) -> None:
        self.seen: list[int] = []
        self.ports: list[int] = []
        self._chosen = chosen

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.seen.append(asked_of(handler))
        self.ports.append(handler.client_address[1])
        reply = {"Value": float(len(self.seen)), "ErrorNumber": 0, "ErrorMessage": ""}
        reply["ClientTransactionID"] = self._chosen(self.seen)  # type: ignore[assignment]
        handler.reply(json.dumps(reply).encode())  # type: ignore[attr-defined]


async def test_the_answer_to_an_earlier_call_is_thrown_away_and_asked_for_again(alpaca: FakeAlpaca, link: Link) -> None:
    """P07: once, a proxy or a server in disorder hands out what another call was waiting for."""
    echo = Echo(lambda seen: seen[3] if len(seen) == 6 else seen[-1])
    alpaca.instead["telescope", "altitude"] = echo.answer
    assert [await link.number("Altitude") for _ in range(7)] == [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 8.0]
    assert echo.ports[6] != echo.ports[5], "on a new connection: in the old one more such answers may wait"


async def test_a_server_that_goes_on_answering_earlier_calls_is_a_lost_connection(
    alpaca: FakeAlpaca, link: Link
) -> None:
    echo = Echo(lambda seen: seen[-1] if len(seen) <= 5 else seen[2])
    alpaca.instead["telescope", "altitude"] = echo.answer
    for _ in range(5):
        await link.number("Altitude")
    with pytest.raises(ConnectionLost, match="belongs to an earlier call"):
        await link.number("Altitude")
    del alpaca.instead["telescope", "altitude"]
    assert await link.number("Altitude") == 45.0


async def test_a_command_that_gets_the_answer_to_an_earlier_one_is_not_repeated(alpaca: FakeAlpaca, link: Link) -> None:
    echo = Echo(lambda seen: seen[-1])
    alpaca.instead["telescope", "altitude"] = echo.answer
    for _ in range(5):
        await link.number("Altitude")
    commands = 0

    def confused(handler: BaseHTTPRequestHandler) -> None:
        nonlocal commands
        commands += 1
        reply = {"ErrorNumber": 0, "ErrorMessage": "", "ClientTransactionID": echo.seen[0]}
        handler.reply(json.dumps(reply).encode())  # type: ignore[attr-defined]

    alpaca.instead["telescope", "unpark"] = confused
    with pytest.raises(ConnectionLost, match="belongs to an earlier call"):
        await link.invoke("Unpark")
    assert commands == 1


@pytest.mark.parametrize("echoed", [0, 1, 4_294_967_295, None, "seven", -1, 3.5, [1], "missing"])
async def test_a_server_that_never_echoes_rightly_is_left_in_peace(
    echoed: object, alpaca: FakeAlpaca, link: Link
) -> None:
    """Small servers answer with nothing, nonsense, or always the same."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        reply = {"Value": 45.0, "ErrorNumber": 0, "ErrorMessage": ""}
        if echoed != "missing":
            reply["ClientTransactionID"] = echoed  # type: ignore[assignment]
        handler.reply(json.dumps(reply).encode())  # type: ignore[attr-defined]

    alpaca.instead["telescope", "altitude"] = answer
    assert [await link.number("Altitude") for _ in range(6)] == [45.0] * 6


@pytest.mark.wire
async def test_a_hung_camera_delays_no_other_device(alpaca: FakeAlpaca) -> None:
    """alpyca holds one lock for the whole process while it waits; ours must be neutralised."""
    alpaca.add("telescope", Weathered(alpaca.clock))
    alpaca.add("camera", FakeDevice(alpaca.clock))
    hung, released = threading.Event(), threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        hung.set()
        released.wait(30.0)
        handler.reply(b'{"Value": true, "ErrorNumber": 0, "ErrorMessage": ""}')  # type: ignore[attr-defined]

    alpaca.instead["camera", "imageready"] = hang
    camera = Link(Role.CAMERA, AlpacaDevice(address=alpaca.address))
    mount = Link(Role.MOUNT, AlpacaDevice(address=alpaca.address))
    answers: list[object] = []

    async def ask_the_camera() -> None:
        answers.append(await camera.flag("ImageReady"))

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(ask_the_camera)
            while not hung.is_set():
                await anyio.sleep(0.01)
            assert await mount.number("Altitude") == 45.0
            assert not answers, "the camera answered first: the mount waited for it"
            released.set()
        assert answers == [True]
    finally:
        released.set()
        await camera.close()
        await mount.close()


def test_the_lock_of_alpyca_is_where_we_replaced_it() -> None:
    assert type(Device._ctid_lock).__name__ == "_NoLock"
    assert "_ctid_lock" in Device._get.__code__.co_names
    assert "_ctid_lock" in Device._put.__code__.co_names


async def ports_of_calls(alpaca: FakeAlpaca, link: Link) -> set[int]:
    """The ports from which twenty calls came: one for each connection."""
    ports: set[int] = set()

    def note(handler: BaseHTTPRequestHandler) -> None:
        ports.add(handler.client_address[1])
        handler.reply(b'{"Value": 1.0, "ErrorNumber": 0, "ErrorMessage": ""}')  # type: ignore[attr-defined]

    alpaca.instead["telescope", "altitude"] = note
    for _ in range(20):
        await link.number("Altitude")
    return ports


async def test_calls_one_after_the_other_keep_their_connection(alpaca: FakeAlpaca, link: Link) -> None:
    assert len(await ports_of_calls(alpaca, link)) == 1


async def test_an_idle_connection_is_not_trusted_with_a_command(
    alpaca: FakeAlpaca, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers close idle connections, some after 5 s: a command sent just then would be lost."""
    monkeypatch.setattr("drivers.alpaca.link.KEEP_ALIVE_S", 0.0)
    assert len(await ports_of_calls(alpaca, link)) == 20


async def test_no_proxy_of_the_environment_stands_between_us_and_the_mount(
    alpaca: FakeAlpaca, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert await link.number("Altitude") == 45.0


async def test_a_device_by_the_name_localhost(alpaca: FakeAlpaca) -> None:
    alpaca.add("telescope", Weathered(alpaca.clock))
    link = Link(Role.MOUNT, AlpacaDevice(address=f"localhost:{alpaca.port}"))
    try:
        assert await link.number("Altitude") == 45.0
    finally:
        await link.close()


@pytest.mark.parametrize("host", ["::1", "0:0:0:0:0:0:0:1"])
async def test_a_device_on_ipv6_and_its_host_header_is_right(host: str, alpaca: FakeAlpaca) -> None:
    with FakeAlpaca(alpaca.clock, host="::1") as server:
        server.add("telescope", Weathered(alpaca.clock))
        link = Link(Role.MOUNT, AlpacaDevice(address=f"[{host}]:{server.port}"))
        try:
            assert await link.number("Altitude") == 45.0
        finally:
            await link.close()
        assert server.headers_seen[-1]["Host"] == f"[{host}]:{server.port}"


async def test_an_older_device_is_connected_and_left_disconnected(alpaca: FakeAlpaca) -> None:
    device = alpaca.add("telescope", Weathered(alpaca.clock))
    async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)):
        assert device.Connected is True
    assert device.Connected is False


async def test_an_old_device_that_answers_only_when_it_has_connected_is_waited_for(alpaca: FakeAlpaca) -> None:
    device = alpaca.add("telescope", Weathered(alpaca.clock))
    silent = iter(range(5))

    def too_late(handler: BaseHTTPRequestHandler) -> None:
        if next(silent, None) is None:
            del alpaca.instead["telescope", "connected"]
            device.Connected = True
        handler.reply(b"", status=504)  # type: ignore[attr-defined]

    alpaca.instead["telescope", "connected"] = too_late
    async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)):
        assert device.Connected is True


async def test_a_modern_device_is_waited_for_while_it_connects(alpaca: FakeAlpaca) -> None:
    device = alpaca.add("telescope", FakePlatform7Device(alpaca.clock, version=4))
    began_s = anyio.current_time()
    async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)):
        assert device.Connected
        assert anyio.current_time() - began_s == pytest.approx(2.0, abs=0.2)
    assert not device.Connected


async def test_a_server_that_cannot_reach_its_device_is_no_connection(alpaca: FakeAlpaca) -> None:
    class Unplugged(FakePlatform7Device):
        Connected = False

    alpaca.add("telescope", Unplugged(alpaca.clock, version=4))
    with pytest.raises(ConnectionLost, match="its device is not connected"):
        async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)):
            pytest.fail("it was taken for connected")


async def test_a_device_that_never_connects_is_given_up(alpaca: FakeAlpaca) -> None:
    device = alpaca.add("telescope", FakePlatform7Device(alpaca.clock, version=4))
    device.connects_within_s = 1e9
    with pytest.raises(TimedOut, match="connect: not done within 60 s"):
        async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)):
            pytest.fail("it was taken for connected")


async def test_a_connection_refused_in_words_is_passed_on(alpaca: FakeAlpaca) -> None:
    class Jammed(FakePlatform7Device):
        def Connect(self) -> None:  # noqa: N802
            raise Fault(0x500, "COM3 is in use")

    alpaca.add("telescope", Jammed(alpaca.clock, version=4))
    with pytest.raises(Malfunction, match="COM3 is in use"):
        async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)):
            pytest.fail("it was taken for connected")


async def test_a_failed_good_bye_is_told_and_ends_nothing(alpaca: FakeAlpaca, caplog: pytest.LogCaptureFixture) -> None:
    alpaca.add("telescope", FakePlatform7Device(alpaca.clock, version=4))
    with caplog.at_level(logging.WARNING):
        async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)):
            alpaca.instead["telescope", "disconnect"] = says(alpaca_error(0x500, "stuck"))
    assert "left without a good-bye" in caplog.text


async def test_a_cancelled_visit_still_disconnects(alpaca: FakeAlpaca) -> None:
    device = alpaca.add("telescope", Weathered(alpaca.clock))
    with anyio.move_on_after(1.0) as scope:
        async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)):
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert device.Connected is False


async def test_a_link_that_was_closed_under_somebodys_hands_is_a_lost_connection(alpaca: FakeAlpaca) -> None:
    """As when the night connects a device anew while the safety watch still asks the old one."""
    alpaca.add("telescope", Weathered(alpaca.clock))
    async with connected(Role.MOUNT, AlpacaDevice(address=alpaca.address)) as link:
        assert await link.number("Altitude") == 45.0
    with pytest.raises(ConnectionLost, match="has been closed"):
        await link.number("Altitude")
    with pytest.raises(ConnectionLost, match="has been closed"):
        await link.invoke("AbortSlew")


async def test_a_command_tells_when_it_was_sent(alpaca: FakeAlpaca, link: Link) -> None:
    class Stoppable(Weathered):
        def AbortSlew(self) -> None:  # noqa: N802
            """Stands already."""

    alpaca.add("telescope", Stoppable(alpaca.clock))
    await anyio.sleep(7.0)
    assert await link.invoke("AbortSlew") == pytest.approx(anyio.current_time())
