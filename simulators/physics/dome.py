"""A dome as a function of time: it turns, its shutter opens and closes, and it stands in the way of the telescope."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from drivers.values import ShutterState
from simulators.physics.axis import Axis, Limits
from simulators.physics.mechanics import turned_within, wrapped
from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason, refuse_unless
from simulators.sky.rotation import unix_of

_NEARLY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class DomeSettings:
    """How a simulated dome is built. The slit is open from the horizon to a little beyond the zenith.

    `can_set_altitude`: a window as high as the slit is wide moves up and down in it; nothing is seen beside that.
    """

    top_speed_deg_s: float = 5.0
    acceleration_deg_s2: float = 2.5
    open_close_s: float = 20.0
    slit_half_width_deg: float = 15.0
    park_azimuth_deg: float = 0.0
    can_set_altitude: bool = False


class Dome:
    """A dome that turns the short way. It starts parked and closed."""

    def __init__(self, settings: DomeSettings, *, now: Callable[[], datetime], quirks: Quirks | None = None) -> None:
        self.settings = settings
        self.park_azimuth_deg = settings.park_azimuth_deg
        self._now = now
        self._quirks = quirks or Quirks()
        limits = Limits(top_speed=settings.top_speed_deg_s, acceleration=settings.acceleration_deg_s2)
        self._azimuth = Axis(settings.park_azimuth_deg, limits)
        self._window = Axis(0.0, limits)
        speed = 1.0 / settings.open_close_s
        self._shutter = Axis(0.0, Limits(top_speed=speed, acceleration=100.0 * speed))
        self._opening = False
        self._going_to: str | None = "park"
        self._reads_more_deg = 0.0

    @property
    def azimuth_deg(self) -> float:
        """Where it says the middle of the slit is: there, until it was synced elsewhere."""
        return turned_within(self._azimuth.position(self._at_s()) + self._reads_more_deg)

    @property
    def altitude_deg(self) -> float:
        """Where the middle of the window is.

        Raises:
            Refusal: there is no window, only a slit.
        """
        self._refuse_without_window()
        return self._window.position(self._at_s())

    @property
    def shutter(self) -> ShutterState:
        """Open or closed only at the ends of its way and at rest; stopped between them is an error."""
        at_s = self._at_s()
        if self._quirks.done_early("open" if self._opening else "close"):
            return ShutterState.OPEN if self._opening else ShutterState.CLOSED
        stuck = self._quirks.never_done("open" if self._opening else "close")
        if self._shutter.moving(at_s) or stuck:
            return ShutterState.OPENING if self._opening else ShutterState.CLOSING
        share = self._shutter.position(at_s)
        if share >= 1.0 - _NEARLY:
            return ShutterState.OPEN
        return ShutterState.CLOSED if share <= _NEARLY else ShutterState.ERROR

    @property
    def open_share(self) -> float:
        """How far the shutter truly is open: 0 closed, 1 open."""
        return min(max(self._shutter.position(self._at_s()), 0.0), 1.0)

    @property
    def moving(self) -> bool:
        """True while anything moves, the shutter too."""
        at_s = self._at_s()
        shutter_moves = self.shutter in (ShutterState.OPENING, ShutterState.CLOSING)
        return self._azimuth.moving(at_s) or self._window.moving(at_s) or shutter_moves or self._stuck

    @property
    def stands_at(self) -> str | None:
        """`park` or `home` where it was sent there and has come to rest."""
        return None if self._azimuth.moving(self._at_s()) or self._stuck else self._going_to

    def move_shutter(self, *, opening: bool) -> None:
        """Begin to open or to close."""
        self._opening = opening
        goal, at_s = 1.0 if opening else 0.0, self._at_s()
        if self._quirks.jams("open" if opening else "close"):
            goal = (goal + self._shutter.position(at_s)) / 2.0
        self._shutter.turn_to(goal, at_s=at_s)

    def slew(self, azimuth_deg: float, *, to: str | None = None) -> None:
        """Begin to turn the slit to where it reads this; `to` names the place (`park`, `home`).

        Raises:
            Refusal: not an azimuth within 0° to 360°.
        """
        _refuse_no_azimuth(azimuth_deg)
        at_s = self._at_s()
        here_deg = self._azimuth.position(at_s)
        way_deg = wrapped(azimuth_deg - self._reads_more_deg - here_deg) * (0.5 if self._quirks.jams("slew") else 1.0)
        self._azimuth.turn_to(here_deg + way_deg, at_s=at_s)
        self._going_to = to

    def raise_window(self, altitude_deg: float) -> None:
        """Begin to move the window up or down.

        Raises:
            Refusal: there is none, or no altitude within 0° to 90°.
        """
        self._refuse_without_window()
        within = 0.0 <= altitude_deg <= 90.0
        refuse_unless(within, Reason.INVALID_VALUE, f"altitude {altitude_deg}° is not within 0° to 90°")
        self._window.turn_to(altitude_deg, at_s=self._at_s())

    def sync(self, azimuth_deg: float) -> None:
        """Read this from now on where it stands. Nothing turns.

        Raises:
            Refusal: not an azimuth within 0° to 360°.
        """
        _refuse_no_azimuth(azimuth_deg)
        self._reads_more_deg = wrapped(azimuth_deg - self._azimuth.position(self._at_s()))

    def abort(self) -> None:
        """Stop turning, and stop shutter and window where they are."""
        at_s = self._at_s()
        if self._azimuth.moving(at_s):
            self._going_to = None
        self._azimuth.stop(at_s=at_s)
        self._shutter.stop(at_s=at_s)
        self._window.stop(at_s=at_s)

    def lets_through(self, altitude_deg: float, azimuth_deg: float, at: datetime) -> float:
        """The share of the light from there that the dome does not keep: 0 when closed or turned away."""
        at_s = unix_of(at)
        aside_deg = wrapped(azimuth_deg - self._azimuth.position(at_s))
        towards = math.cos(math.radians(altitude_deg)) * math.cos(math.radians(aside_deg))
        across_deg = math.degrees(
            math.asin(math.cos(math.radians(altitude_deg)) * math.sin(math.radians(abs(aside_deg))))
        )
        half_deg = self.settings.slit_half_width_deg
        behind = towards < -math.sin(math.radians(half_deg))
        if behind or across_deg >= half_deg:
            return 0.0
        if self.settings.can_set_altitude:
            across_deg = max(across_deg, min(half_deg, abs(altitude_deg - self._window.position(at_s))))
        edge = min(1.0, (half_deg - across_deg) / (0.2 * half_deg))
        return edge * min(max(self._shutter.position(at_s), 0.0), 1.0)

    @property
    def _stuck(self) -> bool:
        return self._quirks.never_done("slew")

    def _refuse_without_window(self) -> None:
        can = self.settings.can_set_altitude
        refuse_unless(can, Reason.NOT_IMPLEMENTED, "its slit is open from the horizon to the zenith")

    def _at_s(self) -> float:
        return unix_of(self._now())


def _refuse_no_azimuth(azimuth_deg: float) -> None:
    within = 0.0 <= azimuth_deg < 360.0
    refuse_unless(within, Reason.INVALID_VALUE, f"azimuth {azimuth_deg}° is not within 0° to 360°")
