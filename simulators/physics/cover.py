"""A cover before the telescope with a light panel in it, as a function of time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulators.physics.axis import Axis, Limits
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.rotation import unix_of

_NEARLY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverSettings:
    """What there is: a cover, a light, or both. `warm_up_s`: from one brightness to another.

    Raises:
        ValueError: neither, or a light without brightness.
    """

    has_cover: bool = True
    has_light: bool = True
    starts_open: bool = True
    open_close_s: float = 5.0
    can_halt: bool = True
    max_brightness: int = 255
    warm_up_s: float = 2.0

    def __post_init__(self) -> None:
        if not (self.has_cover or self.has_light):
            raise ValueError("a cover calibrator without a cover and without a light is nothing")
        if self.max_brightness < 1:
            raise ValueError(f"a light with a brightness of {self.max_brightness} at most never shines")


class Cover:
    """A cover that is swung aside, and the light in it. The light is off at the start."""

    def __init__(self, settings: CoverSettings, *, now: Callable[[], datetime], quirks: Quirks | None = None) -> None:
        self.settings = settings
        self._now = now
        self._quirks = quirks or Quirks()
        speed = 1.0 / settings.open_close_s
        starts_open = settings.starts_open or not settings.has_cover
        self._lid = Axis(1.0 if starts_open else 0.0, Limits(top_speed=speed, acceleration=100.0 * speed))
        glow = settings.max_brightness / settings.warm_up_s
        self._light = Axis(0.0, Limits(top_speed=glow, acceleration=100.0 * glow))
        self._opening = starts_open
        self._brightness = 0
        self._lit = False

    @property
    def moving(self) -> bool:
        doing = "open" if self._opening else "close"
        return self._lid.moving(unix_of(self._now())) or self._quirks.never_done(doing)

    @property
    def changing(self) -> bool:
        """True while the light is not yet as bright as it was told to be."""
        return self._light.moving(unix_of(self._now())) or self._quirks.never_done("light")

    @property
    def brightness(self) -> int:
        """What the light was last told."""
        return self._brightness

    @property
    def lit(self) -> bool:
        """Whether the light was told to shine, if only with brightness 0."""
        return self._lit

    def open_share_at(self, at: datetime) -> float:
        """How far it is open: 0 (closed) to 1, which is also that of what has no cover."""
        return min(max(self._lid.position(unix_of(at)), 0.0), 1.0)

    @property
    def is_open(self) -> bool:
        return self.open_share_at(self._now()) >= 1.0 - _NEARLY

    @property
    def is_closed(self) -> bool:
        return self.open_share_at(self._now()) <= _NEARLY

    def light_at(self, at: datetime) -> float:
        """How bright the panel shines, 0 to `max_brightness`. It lights the telescope only from a closed lid."""
        return min(max(self._light.position(unix_of(at)), 0.0), float(self.settings.max_brightness))

    def move(self, *, opening: bool) -> None:
        """Begin to open or to close."""
        self._opening = opening
        goal, at_s = 1.0 if opening else 0.0, unix_of(self._now())
        if self._quirks.jams("open" if opening else "close"):
            goal = (goal + self._lid.position(at_s)) / 2.0
        self._lid.turn_to(goal, at_s=at_s)

    def halt(self) -> None:
        """Stop the lid where it is."""
        self._lid.stop(at_s=unix_of(self._now()))

    def shine(self, brightness: int) -> None:
        """Begin to shine so brightly.

        Raises:
            Refusal: below 0, or above the brightest.
        """
        most = self.settings.max_brightness
        refuse_unless(0 <= brightness <= most, Reason.INVALID_VALUE, f"brightness {brightness}: there is 0 to {most}")
        self._lit, self._brightness = True, brightness
        self._light.turn_to(float(brightness), at_s=unix_of(self._now()))

    def darken(self) -> None:
        """Begin to go out."""
        self._lit, self._brightness = False, 0
        self._light.turn_to(0.0, at_s=unix_of(self._now()))
