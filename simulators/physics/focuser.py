"""An absolute focuser as a function of time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulators.physics.axis import Axis, Limits
from simulators.physics.history import History
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.rotation import unix_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FocuserSettings:
    """How a simulated focuser is built. At `best_steps` it is in focus at 10 °C without a filter's offset.

    `can_compensate`: it can follow the temperature by itself, by as many steps a degree as the focus takes.
    """

    max_steps: int = 50_000
    step_um: float = 1.0
    top_speed_steps_s: float = 2_000.0
    acceleration_steps_s2: float = 4_000.0
    best_steps: int = 25_000
    best_steps_per_c: float = -12.0
    can_compensate: bool = True


class Focuser:
    """A drawtube that moves between 0 and its last step. It starts at its best position."""

    def __init__(
        self,
        settings: FocuserSettings,
        *,
        now: Callable[[], datetime],
        ambient_c: Callable[[datetime], float],
        quirks: Quirks | None = None,
    ) -> None:
        self.settings = settings
        self._now = now
        self._ambient_c = ambient_c
        self._compensates_from_c: History[float | None] = History(None)
        self._quirks = quirks or Quirks()
        limits = Limits(top_speed=settings.top_speed_steps_s, acceleration=settings.acceleration_steps_s2)
        self._axis = Axis(float(settings.best_steps), limits)

    @property
    def position_steps(self) -> int:
        return self.position_at(self._now())

    @property
    def moving(self) -> bool:
        return self._axis.moving(unix_of(self._now())) or self._quirks.never_done("move")

    @property
    def compensating(self) -> bool:
        """Whether it follows the temperature."""
        return self._compensates_from_c.at(unix_of(self._now())) is not None

    def position_at(self, at: datetime) -> int:
        """Where it was, or will be."""
        return round(self._stands_at(at))

    def compensate(self, on: bool) -> None:
        """Follow the temperature from here, or stand where it has led.

        Raises:
            Refusal: it cannot, or it moves.
        """
        refuse_unless(self.settings.can_compensate, Reason.NOT_IMPLEMENTED, "it does not follow the temperature")
        refuse_unless(not self.moving, Reason.INVALID_OPERATION, "it moves: wait until it has arrived")
        if on is not self.compensating:
            self._begin_here(compensating=on)

    def move_to(self, position_steps: int) -> None:
        """Begin to move; beyond an end it goes to that end."""
        self._begin_here(compensating=self.compensating)
        reachable = min(max(position_steps, 0), self.settings.max_steps)
        self._axis.turn_to(float(reachable), at_s=unix_of(self._now()))

    def halt(self) -> None:
        """Come to rest."""
        self._axis.stop(at_s=unix_of(self._now()))

    def _stands_at(self, at: datetime) -> float:
        at_s = unix_of(at)
        from_c, position = self._compensates_from_c.at(at_s), self._axis.position(at_s)
        if from_c is not None:
            position += self.settings.best_steps_per_c * (self._ambient_c(at) - from_c)
        return min(max(position, 0.0), float(self.settings.max_steps))

    def _begin_here(self, *, compensating: bool) -> None:
        """What the temperature has done is part of where it stands from now on."""
        now = self._now()
        at_s = unix_of(now)
        if self.compensating:
            self._axis.rest(self._stands_at(now), at_s=at_s)
        self._compensates_from_c.begin(at_s, self._ambient_c(now) if compensating else None)
