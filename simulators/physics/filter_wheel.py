"""A filter wheel as a function of time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulators.physics.history import History
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.rotation import unix_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A piece of glass: how much light it lets through, and how far it moves the focus."""

    name: str
    transmission: float
    focus_offset_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterWheelSettings:
    """How a simulated filter wheel is filled, and how long it takes from one slot to the next."""

    filters: tuple[Filter, ...] = (
        Filter(name="Clear", transmission=0.95, focus_offset_steps=0),
        Filter(name="Red", transmission=0.30, focus_offset_steps=40),
        Filter(name="Green", transmission=0.30, focus_offset_steps=25),
        Filter(name="Blue", transmission=0.25, focus_offset_steps=-30),
    )
    slot_s: float = 0.5


@dataclass(frozen=True, slots=True)
class _Turn:
    slot: int
    arrives_s: float


class FilterWheel:
    """A wheel that turns the short way."""

    def __init__(
        self, settings: FilterWheelSettings, *, now: Callable[[], datetime], quirks: Quirks | None = None
    ) -> None:
        self.settings = settings
        self._now = now
        self._quirks = quirks or Quirks()
        self._turns = History(_Turn(0, float("-inf")))

    @property
    def slot(self) -> int | None:
        """The slot in the beam; None while it turns."""
        at_s = unix_of(self._now())
        turn = self._turns.at(at_s)
        return None if at_s < turn.arrives_s or self._quirks.never_done("select") else turn.slot

    def filter_at(self, at: datetime) -> Filter:
        """The glass in the beam, or on its way there."""
        return self.settings.filters[self._turns.at(unix_of(at)).slot]

    def select(self, slot: int) -> None:
        """Begin to turn.

        Raises:
            Refusal: there is no such slot.
        """
        count = len(self.settings.filters)
        refuse_unless(0 <= slot < count, Reason.INVALID_VALUE, f"slot {slot}: there are slots 0 to {count - 1}")
        at_s = unix_of(self._now())
        turn = self._turns.at(at_s)
        steps = abs(slot - turn.slot)
        turning_s = min(steps, count - steps) * self.settings.slot_s
        self._turns.begin(at_s, _Turn(slot, max(at_s, turn.arrives_s) + turning_s))
