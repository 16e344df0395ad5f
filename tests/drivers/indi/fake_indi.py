"""A small INDI server on loopback whose devices behave, and whose faults are chosen.

It shares no code with what is tested: what clients send is read by the standard library's own XML parser. Devices are
functions of the event loop's time, so that an exposure of a minute takes no time at all on a loop that jumps.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from xml.etree.ElementTree import Element, XMLPullParser
from xml.sax.saxutils import escape, quoteattr

Values = dict[str, float | bool | str]
# What a device does when it is sent new values for a property.
Reaction = Callable[["FakeDevice", "FakeProperty", Values], None]


@dataclass
class FakeProperty:
    """A vector. `kind` is INDI's word: Number, Switch, Text, Light, BLOB."""

    kind: str
    name: str
    values: Values
    state: str = "Idle"
    perm: str = "rw"
    rule: str = "OneOfMany"
    limits: tuple[float, float] = (0.0, 0.0)

    def described(self, device: str) -> str:
        more = {"Switch": f" rule='{self.rule}'", "Light": ""}.get(self.kind, "")
        perm = "" if self.kind == "Light" else f" perm='{self.perm}'"
        low, high = self.limits
        span = f" format='%g' min='{low}' max='{high}' step='0'" if self.kind == "Number" else ""
        parts = "".join(
            f"<def{self.kind} name={quoteattr(name)} label=''{span}>"
            f"{'' if self.kind == 'BLOB' else _text(value)}</def{self.kind}>"
            for name, value in self.values.items()
        )
        head = f"def{self.kind}Vector device={quoteattr(device)} name='{self.name}' label='' group='Main'"
        return f"<{head} state='{self.state}'{perm}{more} timeout='60'>{parts}</def{self.kind}Vector>\n"

    def told(self, device: str) -> str:
        parts = "".join(
            f"<one{self.kind} name={quoteattr(name)}>{_text(value)}</one{self.kind}>"
            for name, value in self.values.items()
        )
        head = f"set{self.kind}Vector device={quoteattr(device)} name='{self.name}' state='{self.state}'"
        return f"<{head} timeout='60' timestamp='2026-11-22T05:36:17'>\n{parts}\n</set{self.kind}Vector>\n"


def _text(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return "On" if value else "Off"
    return escape(value) if isinstance(value, str) else repr(float(value))


class FakeDevice:
    """A device that takes what it is sent and says Ok, but for what `reactions` say. `also` come when it is on."""

    def __init__(self, name: str, *also: FakeProperty) -> None:
        self.name = name
        self.also = {prop.name: prop for prop in also}
        self.connection = FakeProperty("Switch", "CONNECTION", {"CONNECT": False, "DISCONNECT": True})
        self.reactions: dict[str, Reaction] = {}
        self.commands: list[tuple[str, Values]] = []
        self.say: Callable[[str], None] = lambda _: None  # set by the server

    @property
    def properties(self) -> list[FakeProperty]:
        return [self.connection, *(self.also.values() if self.on else ())]

    @property
    def on(self) -> bool:
        return self.connection.values["CONNECT"] is True

    def times(self, prop: str) -> int:
        """How often it was sent new values for a property."""
        return sum(name == prop for name, _ in self.commands)

    def describe(self, name: str | None) -> None:
        for prop in self.properties:
            if name in (None, prop.name):
                self.say(prop.described(self.name))

    def tell(self, prop: FakeProperty, **values: float | bool | str) -> None:
        """New values and a state of a property go out; `state` is no element."""
        prop.state = str(values.pop("state", prop.state))
        prop.values.update(values)
        self.say(prop.told(self.name))

    def message(self, words: str) -> None:
        self.say(f"<message device={quoteattr(self.name)} timestamp='' message={quoteattr(words)}/>\n")

    def delete(self, prop: FakeProperty) -> None:
        del self.also[prop.name]
        self.say(f"<delProperty device={quoteattr(self.name)} name='{prop.name}'/>\n")

    def send_blob(self, prop: FakeProperty, body: bytes, file_format: str = ".fits", size: int | None = None) -> None:
        encoded = base64.b64encode(body)
        lines = b"\n".join(encoded[at : at + 72] for at in range(0, len(encoded), 72)).decode()
        (element,) = prop.values
        announced = f"size='{len(body) if size is None else size}' enclen='{len(encoded)}' format='{file_format}'"
        self.say(
            f"<setBLOBVector device={quoteattr(self.name)} name='{prop.name}' state='Ok'>\n"
            f"<oneBLOB name='{element}' {announced}>\n{lines}\n</oneBLOB>\n</setBLOBVector>\n"
        )

    def take(self, name: str, values: Values) -> None:
        """A client has sent new values."""
        self.commands.append((name, values))
        if name == "CONNECTION":
            self.switch(on=values.get("CONNECT") is True)
            return
        prop = self.also.get(name) if self.on else None
        if prop is not None:
            self.reactions.get(name, obey)(self, prop, values)

    def switch(self, *, on: bool) -> None:
        """On brings its other properties, off takes them away."""
        before = self.on
        self.tell(self.connection, state="Ok", CONNECT=on, DISCONNECT=not on)
        for prop in self.also.values() if on != before else ():
            gone = f"<delProperty device={quoteattr(self.name)} name='{prop.name}'/>\n"
            self.say(prop.described(self.name) if on else gone)

    def restart(self) -> None:
        """Its driver crashed, and the server has started it again."""
        self.say(f"<delProperty device={quoteattr(self.name)}/>\n")
        self.connection.values = {"CONNECT": False, "DISCONNECT": True}
        self.describe(None)


def obey(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
    """Take the values at once."""
    device.tell(prop, state="Ok", **values)


def slowly(seconds: float) -> Reaction:
    """Busy for so long, and where it was sent then."""

    def react(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.tell(prop, state="Busy")
        asyncio.get_running_loop().call_later(seconds, lambda: device.tell(prop, state="Ok", **values))

    return react


def refuse(words: str) -> Reaction:
    def react(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
        device.message(words)
        device.tell(prop, state="Alert")

    return react


def busy_forever(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
    device.tell(prop, state="Busy")


def say_nothing(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
    """As a driver that hangs."""


def spring_back(device: FakeDevice, prop: FakeProperty, values: Values) -> None:
    """As a button does."""
    device.tell(prop, state="Ok", **dict.fromkeys(values, False))


@dataclass
class FakeIndi:
    """The server: entered listening, left with all connections closed. Told to any client, whatever it asked for."""

    devices: list[FakeDevice]
    portion_bytes: int | None = None  # what it says goes out in portions of this size
    deaf: bool = False  # frozen: it takes nothing and says nothing
    asked: list[str] = field(default_factory=list)  # everything but new values, by tag
    port: int = 0
    connections_made: int = 0

    def __post_init__(self) -> None:
        self._writers: list[asyncio.StreamWriter] = []
        self._wants_blobs: set[asyncio.StreamWriter] = set()
        self._thawed = asyncio.Event()
        self._held: list[tuple[asyncio.StreamWriter, bytes]] = []
        self._stuck: dict[asyncio.StreamWriter, tuple[asyncio.Event, list[bytes]]] = {}
        for device in self.devices:
            device.say = self.say

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return len(self._writers)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        await self._server.wait_closed()
        while self._writers:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)  # for the last of them to be closed

    def kill(self) -> None:
        """Gone, and all connections with it. `__aenter__` starts it again at the same port."""
        self.thaw()
        self.let_go()
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    def freeze(self) -> None:
        self.deaf = True
        self._thawed.clear()

    def thaw(self) -> None:
        self.deaf = False
        self._thawed.set()
        held, self._held = self._held, []
        for writer, told in held:
            writer.write(told)

    def stick(self, connection: int, *, saying: bytes = b"") -> None:
        """This connection (0: the first that is there) is not read any more, and stops in the middle of `saying`."""
        writer, half = self._writers[connection], len(saying) // 2
        writer.write(saying[:half])
        self._stuck[writer] = asyncio.Event(), [saying[half:]]

    def let_go(self) -> None:
        """Whoever was stuck is read on, and told on."""
        stuck = dict(self._stuck)
        self._stuck.clear()
        for writer, (let_go, held) in stuck.items():
            let_go.set()
            for told in held:
                self._write(writer, told)

    def say(self, words: str) -> None:
        """To all clients; BLOBs to those who want them."""
        self.say_raw(words.encode(), blob=words.startswith("<setBLOBVector"))

    def say_raw(self, told: bytes, *, blob: bool = False) -> None:
        for writer in self._wants_blobs if blob else self._writers:
            self._write(writer, told)

    def _write(self, writer: asyncio.StreamWriter, told: bytes) -> None:
        if self.deaf:
            self._held.append((writer, told))
            return
        if writer in self._stuck:
            self._stuck[writer][1].append(told)
            return
        step = self.portion_bytes or len(told) or 1
        for at in range(0, len(told), step):
            writer.write(told[at : at + step])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections_made += 1
        self._writers.append(writer)
        parser = XMLPullParser(("start", "end"))
        parser.feed("<clients>")
        depth = 0
        try:
            while said := await reader.read(65536):
                if self.deaf:
                    await self._thawed.wait()
                if writer in self._stuck:
                    await self._stuck[writer][0].wait()
                parser.feed(said)
                for happening, element in parser.read_events():
                    depth += 1 if happening == "start" else -1
                    if happening == "end" and depth == 1:
                        self._answer(element, writer)
        except ConnectionError:
            return
        finally:
            self._writers.remove(writer)
            self._wants_blobs.discard(writer)
            self._stuck.pop(writer, None)
            writer.transport.abort()  # whoever was here has gone: what was still to be said is not waited for

    def _answer(self, element: Element, writer: asyncio.StreamWriter) -> None:
        devices = [device for device in self.devices if element.get("device") in (None, device.name)]
        if element.tag.startswith("new"):
            for device in devices:
                device.take(element.get("name", ""), {part.get("name", ""): _value(part) for part in element})
            return
        self.asked.append(element.tag)
        match element.tag:
            case "pingRequest":
                self._write(writer, f"<pingReply uid={quoteattr(element.get('uid', ''))}/>\n".encode())
            case "enableBLOB":
                self._wants_blobs.add(writer)
            case "getProperties":
                for device in devices:
                    device.describe(element.get("name"))


def _value(part: Element) -> float | bool | str:
    text = (part.text or "").strip()
    match part.tag:
        case "oneNumber":
            return float(text)
        case "oneSwitch":
            return text == "On"
    return text
