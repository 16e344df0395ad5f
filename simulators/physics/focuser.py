"""An absolute focuser as a function of time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulators.physics.axis import Axis, Limits
from simulators.physics.quirks import Quirks
from simulators.sky.rotation import unix_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FocuserSettings:
    """How a simulated focuser is built. At `best_steps` it is in focus at 10 °C without a filter's offset."""

    max_steps: int = 50_000
    step_um: float = 1.0
    top_speed_steps_s: float = 2_000.0
    acceleration_steps_s2: float = 4_000.0
    best_steps: int = 25_000
    best_steps_per_c: float = -12.0


class Focuser:
    """A drawtube that moves between 0 and its last step. It starts at its best position."""

    def __init__(self, settings: FocuserSettings, *, now: Callable[[], datetime], quirks: Quirks | None = None) -> None:
        self.settings = settings
        self._now = now
        self._quirks = quirks or Quirks()
        limits = Limits(top_speed=settings.top_speed_steps_s, acceleration=settings.acceleration_steps_s2)
        self._axis = Axis(float(settings.best_steps), limits)

    @property
    def position_steps(self) -> int:
        return self.position_at(self._now())

    @property
    def moving(self) -> bool:
        return self._axis.moving(unix_of(self._now())) or self._quirks.never_done("move")

    def position_at(self, at: datetime) -> int:
        """Where it was, or will be."""
        return round(self._axis.position(unix_of(at)))

    def move_to(self, position_steps: int) -> None:
        """Begin to move; beyond an end it goes to that end."""
        reachable = min(max(position_steps, 0), self.settings.max_steps)
        self._axis.turn_to(float(reachable), at_s=unix_of(self._now()))

    def halt(self) -> None:
        """Come to rest."""
        self._axis.stop(at_s=unix_of(self._now()))
