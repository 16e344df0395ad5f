"""One INDI device: read without waiting, commanded with a deadline, lost within seconds when its server is."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Literal

import anyio

from drivers.config import IndiDevice
from drivers.errors import ConnectionLost, DeviceError, Malfunction, Refused, TimedOut
from drivers.indi.answers import Answer, Verdict
from drivers.indi.elements import can_be_sent
from drivers.indi.heard import Heard
from drivers.indi.heartbeat import Heartbeat
from drivers.indi.native import open_native
from drivers.indi.properties import Blob, Kind, New, PropertyState
from drivers.indi.pyindi_link import open_pyindi
from drivers.indi.readings import Readings
from drivers.indi.transport import Hearer, Transport
from drivers.wording import one_line

_log = logging.getLogger(__name__)

SETTLE_S: Final = 1.0  # drivers answer in less; after this they are asked
AGREE: Final = 1e-4
DEVICE_WITHIN_S: Final = 30.0  # for the server to name the device, also while it starts the driver anew
SWITCH_ON_WITHIN_S: Final = 60.0  # for the driver to reach its device
DESCRIBED_WITHIN_S: Final = 30.0
GOODBYE_WITHIN_S: Final = 5.0

_OPEN: Final[dict[Literal["native", "pyindi"], Callable[[str, int, str, Hearer], Awaitable[Transport]]]] = {
    "native": open_native,
    "pyindi": open_pyindi,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """When a command counts as done (see Answer), and by which loop time it must be."""

    finished: bool
    agree: float
    deadline_s: float


class Link(Readings):
    """The device, by the names of INDI's properties and elements.

    Commands and waits raise Refused (the driver says no, with its words), TimedOut (no answer, or Busy for too long),
    Malfunction (content with other values than it was sent, twice) and ConnectionLost. A link that was lost stays lost.
    """

    def __init__(self, heard: Heard, transport: Transport) -> None:
        super().__init__(heard)
        self._transport = transport

    async def wait_for(self, prop: str, *, within_s: float) -> None:
        """Until the property is defined; Refused if it does not come."""
        with self._heard.watching(prop, lambda *_: True) as defined:
            if not self.has(prop):
                with anyio.move_on_after(within_s):
                    await defined.wait()
        if not self.has(prop):
            raise Refused(self.name, f"wait for {prop}", f"the driver has no such property within {within_s:g} s")

    def ask(self, prop: str) -> None:
        """Have the driver say again how a property stands, where it can be asked for one."""
        self._transport.ask(prop)

    def press(self, prop: str, element: str) -> None:
        """Switch `element` on, behind all that was sent before, and wait for no answer."""
        self._transport.send(New(kind=Kind.SWITCH, device=self._heard.device, name=prop, values={element: True}))

    def lose(self, why: str) -> None:
        """From now on the device counts as lost."""
        self._heard.lose(why)

    async def changed(self, prop: str, *, within_s: float) -> None:
        """Until the property is heard of next."""
        with self._heard.watching(prop, lambda *_: True) as heard, anyio.move_on_after(within_s):
            await heard.wait()
        self._heard.require_connected(f"wait for {prop}")
        if not heard.is_set():
            raise TimedOut(self.name, f"wait for {prop}", f"not heard of within {within_s:g} s")

    async def set_numbers(
        self, prop: str, values: Mapping[str, float], *, within_s: float, finished: bool = True, agree: float = AGREE
    ) -> None:
        """Send these numbers, and wait until they are set; what was set may be `agree` away.

        With `finished` False it is enough that the driver sets about it. Other values are sent once more. Values are
        not compared where the property goes Busy: then they show how far it has come, not what was asked.
        """
        new = New(kind=Kind.NUMBER, device=self._heard.device, name=prop, values=dict(values))
        await self._command(new, within_s=within_s, finished=finished, agree=agree)

    async def choose(self, prop: str, element: str | None, *, within_s: float, finished: bool = True) -> None:
        """Switch `element` on and the others off, or all off. A button that springs back has been pressed."""
        switches = {name: name == element for name in self._of_kind(prop, Kind.SWITCH).values}
        if element is not None and element not in switches:
            raise Refused(self.name, f"set {prop}", f"it has no {element}, but {one_line(', '.join(switches))}")
        new = New(kind=Kind.SWITCH, device=self._heard.device, name=prop, values=switches)
        await self._command(new, within_s=within_s, finished=finished)

    async def set_text(self, prop: str, values: Mapping[str, str], *, within_s: float, finished: bool = True) -> None:
        """As `set_numbers`, for texts."""
        new = New(kind=Kind.TEXT, device=self._heard.device, name=prop, values=dict(values))
        await self._command(new, within_s=within_s, finished=finished)

    async def next_blob(self, prop: str, *, after_count: int, within_s: float, alarm: str | None = None) -> Blob:
        """The newest BLOB heard after `count(prop)` was `after_count`; its memory is the caller's then.

        When the property `alarm` is or turns Alert there will be none: Refused, with the driver's words.
        """
        blobs, doing = self._heard.blobs, f"wait for {prop}"

        def arrived(*_: object) -> bool:
            return prop in blobs and blobs[prop][0] > after_count

        def alarmed(*_: object) -> bool:
            return alarm is not None and self.state(alarm) is PropertyState.ALERT

        with self._heard.watching(prop, arrived) as over, self._heard.watching(alarm or prop, alarmed, over):
            if not arrived() and not alarmed():
                with anyio.move_on_after(within_s):
                    await over.wait()
        self._heard.require_connected(doing)
        if arrived():
            return blobs.pop(prop)[1]
        if alarmed():
            raise Refused(self.name, doing, f"{alarm} is Alert{self._heard.last_words()}")
        raise TimedOut(self.name, doing, f"none came within {within_s:g} s{self._heard.last_words()}")

    async def _command(self, new: New, *, within_s: float, finished: bool, agree: float = AGREE) -> None:
        doing = f"set {new.name} to {one_line(', '.join(f'{name} {value}' for name, value in new.values.items()))}"
        self._check(new, doing)
        self._heard.words = ""
        ending = _Ending(finished=finished, agree=agree, deadline_s=anyio.current_time() + within_s)
        verdict = await self._answer(new, ending, doing)
        if verdict is Verdict.OTHER_VALUES:
            verdict = await self._answer(new, ending, doing)
        said = self._heard.last_words()
        match verdict:
            case Verdict.REFUSED:
                raise Refused(self.name, doing, f"the driver refuses{said}")
            case Verdict.OTHER_VALUES:
                raise Malfunction(self.name, doing, f"sent twice, and it has {self._has(new)}{said}")
            case None:
                kept = self._heard.kept.get(new.name)
                state = "gone" if kept is None else kept.vector.state
                raise TimedOut(self.name, doing, f"not done within {within_s:g} s, it is {state}{said}")

    def _check(self, new: New, doing: str) -> None:
        """Refuse what need not be sent."""
        vector = self._of_kind(new.name, new.kind)
        if not vector.writable:
            raise Refused(self.name, doing, "it is read only")
        for element, value in new.values.items():
            if element not in vector.values:
                raise Refused(self.name, doing, f"it has no {element}, but {one_line(', '.join(vector.values))}")
            if not can_be_sent(value):
                raise Refused(self.name, doing, f"{element} {value!r} is nothing that can be sent")

    async def _answer(self, new: New, ending: _Ending, doing: str) -> Verdict | None:
        """Send it once, and judge what is heard; None where it is not done by the deadline."""
        answer = Answer(wanted=new.values, finished=ending.finished, agree=ending.agree)
        with self._heard.watching(new.name, lambda vector, anew: answer.hear(vector, described=anew)) as over:
            self._transport.send(new)
            with anyio.CancelScope(deadline=min(ending.deadline_s, anyio.current_time() + SETTLE_S)):
                await over.wait()
            if not over.is_set() and not answer.busy:
                answer.asked = self._transport.ask(new.name)
                answer.settled = not answer.asked
            if not (answer.unclear and answer.settled):
                with anyio.CancelScope(deadline=ending.deadline_s):
                    await over.wait()
        self._heard.require_connected(doing)
        return answer.give_up()

    def _has(self, new: New) -> str:
        kept = self._heard.kept.get(new.name)
        values = {} if kept is None else kept.vector.values
        return one_line(", ".join(f"{name} {values.get(name)}" for name in new.values))


@asynccontextmanager
async def connected(role: str, settings: IndiDevice, *, needs: Sequence[str] = ()) -> AsyncGenerator[Link, None]:
    """A link to a device that is on and has the properties it `needs`; their BLOBs are sent to us.

    A device that was off is switched off again at the end; one that another client had switched on stays on.

    Raises:
        ConnectionLost: no server, no such device, or its driver cannot reach it.
        Refused: it lacks a property.
        DeviceError: as a Link's.
    """
    heard = Heard(f"{role} '{settings.device}' at {settings.address}", settings.device)
    transport = await _opened(settings, heard)
    heartbeat = Heartbeat(transport, heard.lose)
    link = Link(heard, transport)
    switched_on = False
    try:
        switched_on = await _switch_on(link)
        heard.expected_on = True
        for prop in needs:
            await link.wait_for(prop, within_s=DESCRIBED_WITHIN_S)
        if any(link.vector(prop).kind is Kind.BLOB for prop in needs):
            transport.enable_blobs()
        yield link
    finally:
        with anyio.CancelScope(shield=True):
            heard.expected_on = False
            if switched_on:
                await _switch_off(link)
            heartbeat.stop()
            heard.lose("the link has been closed")
            await transport.close()


async def _opened(settings: IndiDevice, heard: Heard) -> Transport:
    host, port = settings.server
    try:
        return await _OPEN[settings.link](host, port, settings.device, heard)
    except ImportError as error:
        raise Refused(heard.name, "connect", f'{error} (docs/devices.md); or choose link = "native"') from error
    except OSError as error:
        raise ConnectionLost(heard.name, "connect", str(error) or type(error).__name__) from error


async def _switch_on(link: Link) -> bool:
    """See that the device is on and has described itself; True if it was off."""
    doing = "switch on"
    try:
        await link.wait_for("CONNECTION", within_s=DEVICE_WITHIN_S)
    except Refused as error:
        raise ConnectionLost(link.name, doing, "the server knows no such device; is its driver running?") from error
    was_on = link.switch("CONNECTION", "CONNECT")
    if not was_on:
        try:
            await link.choose("CONNECTION", "CONNECT", within_s=SWITCH_ON_WITHIN_S)
        except Refused as error:
            raise ConnectionLost(link.name, doing, f"the driver cannot reach its device: {error.what}") from error
    # Descriptions follow the word that it is on. Told again, it answers behind them, whatever it answers.
    with suppress(TimedOut, Refused, Malfunction):
        await link.choose("CONNECTION", "CONNECT", within_s=DESCRIBED_WITHIN_S)
    return not was_on


async def _switch_off(link: Link) -> None:
    try:
        await link.choose("CONNECTION", "DISCONNECT", within_s=GOODBYE_WITHIN_S)
    except DeviceError as error:
        _log.warning("left without a good-bye: %s", error)
