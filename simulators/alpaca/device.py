"""A simulated device as Alpaca serves it: who is connected to it, and its members by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from simulators.alpaca.members import Call, Member, Table, Value
from simulators.faults import DeviceFaults
from simulators.physics.refusals import Reason, Refusal, refuse_unless

_T = TypeVar("_T")

_CONNECTING_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[_T]):
    """A device type: its name as it stands in lists, its interface version, and its own members.

    `state` names the operational members, in the order in which DeviceState lists them; `counted_state` lists those
    that there are once for each part of a device, such as GetSwitch0.
    """

    name: str
    interface_version: int
    members: Table[_T]
    state: tuple[str, ...]
    counted_state: Callable[[_T], Mapping[str, Value]] | None = None


class Connections:
    """Which clients are connected, and since when: connecting takes half a second of simulated time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._since: dict[int, datetime] = {}

    @property
    def connected(self) -> bool:
        return any(self._now() >= since for since in self._since.values())

    @property
    def connecting(self) -> bool:
        return any(self._now() < since for since in self._since.values())

    def connect(self, client: int, *, at_once: bool) -> None:
        if client not in self._since or at_once:
            wait_s = 0.0 if at_once else _CONNECTING_S
            self._since[client] = self._now() + timedelta(seconds=wait_s)

    def disconnect(self, client: int) -> None:
        self._since.pop(client, None)


class Device(Generic[_T]):
    """One device of the observatory, with its number among those of its type."""

    def __init__(
        self,
        kind: Kind[_T],
        subject: _T,
        *,
        number: int,
        faults: DeviceFaults,
        common: "Table[Caller]",
        now: Callable[[], datetime],
    ) -> None:
        self.kind = kind
        self.number = number
        self.faults = faults
        self.now = now
        self.connections = Connections(now)
        self.told: dict[tuple[str, ...], Value] = {}  # what was read last, by member and arguments
        self._subject = subject
        self._common = common

    @property
    def name(self) -> str:
        """As people read it: Simulated Camera 2."""
        return f"Simulated {self.kind.name}" + (f" {self.number + 1}" if self.number else "")

    def member(self, name: str) -> Member[Any] | None:
        """A member by its name in lower case."""
        return self._common.get(name) or self.kind.members.get(name)

    def state(self) -> list[dict[str, Value]]:
        """Everything operational, in one answer; what refuses to be read is left out."""
        found: list[dict[str, Value]] = []
        for name in self.kind.state:
            call = self.kind.members[name.lower()].get
            try:
                value = None if call is None else call.run(self._subject, {})
            except Refusal:
                continue
            found.append({"Name": name, "Value": value})
        if self.kind.counted_state is not None:
            counted = self.kind.counted_state(self._subject)
            found.extend({"Name": name, "Value": value} for name, value in counted.items())
        return [*found, {"Name": "TimeStamp", "Value": stamp(self.now())}]

    def answer(self, name: str, call: Call[Any], given: Mapping[str, str], client: int) -> Value:
        """What the member says.

        Raises:
            Refusal: as the device does, and where nobody is connected.
            BadRequest: a parameter is missing, or no value.
        """
        if name in self._common:
            return call.run(Caller(self, client), given)
        refuse_unless(self.connections.connected, Reason.NOT_CONNECTED, f"{self.name} is not connected")
        return call.run(self._subject, given)

    def done(self, call: Call[Any], given: Mapping[str, str]) -> bool:
        """Whether a call that is answered late may be answered now."""
        return call.until is None or call.until(self._subject, given)


@dataclass(frozen=True, slots=True)
class Caller:
    """A device, and the client that calls it."""

    device: Device[Any]
    client: int

    def connect(self, *, at_once: bool) -> None:
        self.device.connections.connect(self.client, at_once=at_once)

    def disconnect(self) -> None:
        self.device.connections.disconnect(self.client)


def stamp(at: datetime) -> str:
    """An instant as ASCOM writes it in states and dates."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
