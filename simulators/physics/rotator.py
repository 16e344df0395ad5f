"""A camera rotator as a function of time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulators.physics.axis import Axis, Limits
from simulators.physics.history import History
from simulators.physics.mechanics import turned_within, wrapped
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.rotation import unix_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatorSettings:
    """How a simulated rotator is built."""

    top_speed_deg_s: float = 5.0
    acceleration_deg_s2: float = 10.0
    step_deg: float = 0.01


@dataclass(frozen=True, slots=True)
class _Scale:
    """How angles are counted: `reads = direction × mechanical + zero`."""

    direction: int
    zero_deg: float

    def reads_deg(self, mechanical_deg: float) -> float:
        return self.direction * mechanical_deg + self.zero_deg


class Rotator:
    """A rotator that turns the short way. It starts at mechanical 0°, where the camera stands as it was built in.

    The mechanical angle is what turns the camera: position angles grow with it. What it reads can be shifted by a sync
    and turned round by `reverse`, which turn nothing.
    """

    def __init__(self, settings: RotatorSettings, *, now: Callable[[], datetime], quirks: Quirks | None = None) -> None:
        self.settings = settings
        self._now = now
        self._quirks = quirks or Quirks()
        limits = Limits(top_speed=settings.top_speed_deg_s, acceleration=settings.acceleration_deg_s2)
        self._axis = Axis(0.0, limits)
        self._goals = History(0.0)
        self._scale = _Scale(1, 0.0)

    @property
    def mechanical_deg(self) -> float:
        return turned_within(self.mechanical_deg_at(self._now()))

    @property
    def position_deg(self) -> float:
        """What it reads: 0° to below 360°."""
        return turned_within(self._scale.reads_deg(self.mechanical_deg_at(self._now())))

    @property
    def target_deg(self) -> float:
        """What it will read when it has arrived."""
        return turned_within(self._scale.reads_deg(self._goals.at(unix_of(self._now()))))

    @property
    def moving(self) -> bool:
        return self._axis.moving(unix_of(self._now())) or self._quirks.never_done("move")

    @property
    def reverse(self) -> bool:
        return self._scale.direction < 0

    def mechanical_deg_at(self, at: datetime) -> float:
        """How far the camera is turned from how it was built in, at any instant; not within a circle."""
        return self._axis.position(unix_of(at))

    def set_reverse(self, reverse: bool) -> None:
        """Count the other way round from here."""
        if reverse is not self.reverse:
            direction = -self._scale.direction
            here_deg = self.mechanical_deg_at(self._now())
            self._scale = _Scale(direction, self._scale.reads_deg(here_deg) - direction * here_deg)

    def move_by(self, angle_deg: float) -> None:
        """Begin to turn so far, as it reads.

        Raises:
            Refusal: a full turn or more.
        """
        refuse_unless(abs(angle_deg) < 360.0, Reason.INVALID_VALUE, f"{angle_deg}° is a full turn or more")
        here_deg = self.mechanical_deg_at(self._now())
        self._turn_to(here_deg + self._scale.direction * angle_deg)

    def move_to(self, position_deg: float) -> None:
        """Begin to turn the short way to where it reads this.

        Raises:
            Refusal: not within 0° to 360°.
        """
        self._refuse_no_angle(position_deg)
        here_deg = self.mechanical_deg_at(self._now())
        away_deg = wrapped(position_deg - self._scale.reads_deg(here_deg))
        self._turn_to(here_deg + self._scale.direction * away_deg)

    def move_to_mechanical(self, mechanical_deg: float) -> None:
        """Begin to turn the short way to this mechanical angle.

        Raises:
            Refusal: not within 0° to 360°.
        """
        self._refuse_no_angle(mechanical_deg)
        here_deg = self.mechanical_deg_at(self._now())
        self._turn_to(here_deg + wrapped(mechanical_deg - here_deg))

    def sync(self, position_deg: float) -> None:
        """Read this from now on where it stands.

        Raises:
            Refusal: not within 0° to 360°.
        """
        self._refuse_no_angle(position_deg)
        direction = self._scale.direction
        self._scale = _Scale(direction, position_deg - direction * self.mechanical_deg_at(self._now()))

    def halt(self) -> None:
        """Come to rest."""
        at_s = unix_of(self._now())
        self._axis.stop(at_s=at_s)
        self._goals.begin(at_s, self._axis.rests_at(at_s))

    def _turn_to(self, mechanical_deg: float) -> None:
        at_s = unix_of(self._now())
        self._axis.turn_to(mechanical_deg, at_s=at_s)
        self._goals.begin(at_s, mechanical_deg)

    def _refuse_no_angle(self, angle_deg: float) -> None:
        refuse_unless(0.0 <= angle_deg < 360.0, Reason.INVALID_VALUE, f"{angle_deg}° is not within 0° to 360°")
