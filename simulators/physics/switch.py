"""A box of switches as a function of time: relays, duties and readings of an observatory's power."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulators.physics.history import History
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.rotation import unix_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One switch: its range, how finely it is set, and how long a change takes from when it is told.

    Raises:
        ValueError: no range, or a range that is no multiple of the step.
    """

    name: str
    description: str
    lowest: float = 0.0
    highest: float = 1.0
    step: float = 1.0
    starts_at: float = 0.0
    writable: bool = True
    takes_s: float = 0.5

    def __post_init__(self) -> None:
        steps = (self.highest - self.lowest) / self.step if self.step > 0.0 else 0.0
        if steps < 1.0 or abs(steps - round(steps)) > 1e-9:
            raise ValueError(f"{self.name}: {self.lowest} to {self.highest} cannot be had in steps of {self.step}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSettings:
    """What is in the box."""

    ports: tuple[Port, ...] = (
        Port(name="Mount power", description="12 V to the mount", starts_at=1.0),
        Port(name="Camera power", description="12 V to the camera", starts_at=1.0),
        Port(name="Dew heater", description="Duty of the dew heater, percent", highest=100.0, takes_s=4.0),
        Port(name="Fan", description="Speed of the mirror's fan", highest=3.0, takes_s=1.0),
        Port(
            name="Supply voltage",
            description="Volts at the input, read only",
            highest=15.0,
            step=0.1,
            starts_at=13.8,
            writable=False,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """From one value to another in even time; `cancelled`: it was broken off where it stood."""

    from_value: float
    to_value: float
    begins_s: float
    ends_s: float
    cancelled: bool = False

    def value(self, at_s: float) -> float:
        if at_s >= self.ends_s:
            return self.to_value
        share = (at_s - self.begins_s) / (self.ends_s - self.begins_s)
        return self.from_value + (self.to_value - self.from_value) * share


class Switch:
    """The box. Ports are counted from 0; values change evenly to what they were told, in whole steps."""

    def __init__(self, settings: SwitchSettings, *, now: Callable[[], datetime], quirks: Quirks | None = None) -> None:
        self.settings = settings
        self.names = [port.name for port in settings.ports]
        self._now = now
        self._quirks = quirks or Quirks()
        rests = [_Change(port.starts_at, port.starts_at, float("-inf"), float("-inf")) for port in settings.ports]
        self._changes = [History(rest) for rest in rests]

    def port(self, number: int) -> Port:
        """Raises a Refusal where there is none with this number."""
        count = len(self.settings.ports)
        refuse_unless(0 <= number < count, Reason.INVALID_VALUE, f"switch {number}: there are 0 to {count - 1}")
        return self.settings.ports[number]

    def value(self, number: int) -> float:
        """What it stands at now."""
        return self.value_at(number, self._now())

    def value_at(self, number: int, at: datetime) -> float:
        """What it stood at, in whole steps."""
        port, at_s = self.port(number), unix_of(at)
        steps = round((self._changes[number].at(at_s).value(at_s) - port.lowest) / port.step)
        return round(port.lowest + steps * port.step, 9)

    def changing(self, number: int) -> bool:
        """True until it stands at what it was told."""
        at_s = unix_of(self._now())
        self.port(number)
        return at_s < self._changes[number].at(at_s).ends_s or self._quirks.never_done("set")

    def cancelled(self, number: int) -> bool:
        """Whether its last change was broken off."""
        self.port(number)
        return self._changes[number].at(unix_of(self._now())).cancelled

    def set(self, number: int, value: float) -> None:
        """Begin to change; a value between two steps becomes the nearer one.

        Raises:
            Refusal: no such switch, one that can only be read, or a value out of its range.
        """
        port = self.port(number)
        refuse_unless(port.writable, Reason.NOT_IMPLEMENTED, f"switch {number} ({port.name}) can only be read")
        within = port.lowest <= value <= port.highest
        what = f"{value} for switch {number} ({port.name}): {port.lowest:g} to {port.highest:g}"
        refuse_unless(within, Reason.INVALID_VALUE, what)
        at_s = unix_of(self._now())
        goal = port.lowest + round((value - port.lowest) / port.step) * port.step
        here = self._changes[number].at(at_s).value(at_s)
        takes_s = port.takes_s if goal != here else 0.0
        self._changes[number].begin(at_s, _Change(here, goal, at_s, at_s + takes_s))

    def cancel(self, number: int) -> None:
        """Break off a change where it stands. Harmless without one."""
        at_s = unix_of(self._now())
        if self.changing(number):
            here = self._changes[number].at(at_s).value(at_s)
            self._changes[number].begin(at_s, _Change(here, here, at_s, at_s, cancelled=True))
