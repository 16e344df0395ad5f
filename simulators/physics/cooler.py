"""A camera's cooler as a function of time."""

import math
from collections.abc import Callable
from datetime import datetime

from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.rotation import unix_of


class Cooler:
    """A cooler: the sensor approaches what it is set to, or the air around it, exponentially."""

    def __init__(
        self,
        cools_by_c: float,
        cooling_s: float,
        *,
        now: Callable[[], datetime],
        ambient_c: Callable[[datetime], float],
    ) -> None:
        self._cools_by_c = cools_by_c
        self._cooling_s = cooling_s
        self._now = now
        self._ambient_c = ambient_c
        self._on = self._failed = False
        self._set_point_c = 0.0
        self._since_s = unix_of(now())
        self._was_c = ambient_c(now())

    @property
    def on(self) -> bool:
        return self._on

    @property
    def set_point_c(self) -> float:
        return self._set_point_c

    @property
    def temperature_c(self) -> float:
        """Of the sensor, now."""
        towards_c = self._towards_c()
        into_s = unix_of(self._now()) - self._since_s
        return towards_c + (self._was_c - towards_c) * math.exp(-into_s / self._cooling_s)

    @property
    def power_percent(self) -> float:
        """What holding the sensor this far below the air takes, and more while it is still too warm."""
        if not self._on:
            return 0.0
        holding = 100.0 * (self._ambient_c(self._now()) - self.temperature_c) / self._cools_by_c
        return min(max(holding + 10.0 * (self.temperature_c - self._set_point_c), 0.0), 100.0)

    def switch(self, *, on: bool) -> None:
        self._turn_from_here()
        self._on, self._failed = on, False

    def set_to(self, temperature_c: float) -> None:
        """Raises a Refusal for what is below absolute zero or above 100 °C."""
        fine = -273.15 <= temperature_c <= 100.0
        refuse_unless(fine, Reason.INVALID_VALUE, f"a set point of {temperature_c} °C is out of range")
        self._turn_from_here()
        self._set_point_c = temperature_c

    def fail(self) -> None:
        """Cool no more, and say that it does, until it is switched on again."""
        self._turn_from_here()
        self._failed = True

    def _turn_from_here(self) -> None:
        self._was_c, self._since_s = self.temperature_c, unix_of(self._now())

    def _towards_c(self) -> float:
        ambient_c = self._ambient_c(self._now())
        return max(self._set_point_c, ambient_c - self._cools_by_c) if self._on and not self._failed else ambient_c
