"""The telescope as a plan sees it: where it stands, how it moves, what it sees."""

import math
from dataclasses import dataclass, field, replace

from schedules.ephemeris import Ephemeris
from schedules.exposures import Optics
from schedules.legs import Legs
from schedules.site import Site
from schedules.slews import SlewModel

# Where the telescope stands: how far its two axes are turned (SlewModel.turned_to), the azimuth it looks at, and the
# filter in the beam. None: not known.
Stand = tuple[float, float, float, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telescope:
    """What `make_plan` must know. Make it once: it keeps the tracks of the targets from one plan to the next, and so
    plans of one telescope are made one at a time.

    `overhead_s` is what each observation costs beside its slew. Dome (`dome_turn_speed_deg_s`, infinite where nothing
    turns) and filter wheel (`filter_change_s`) turn while the mount slews. The slews' hemisphere is that of the site.

    Raises:
        ValueError: a time or a speed that cannot be.
    """

    site: Site
    ephemeris: Ephemeris
    slews: SlewModel
    optics: Optics
    overhead_s: float
    filter_change_s: float
    dome_turn_speed_deg_s: float = math.inf
    legs: Legs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (0.0 <= self.overhead_s < math.inf and 0.0 <= self.filter_change_s < math.inf):
            raise ValueError(f"an overhead of {self.overhead_s} s and a filter change of {self.filter_change_s} s")
        if not self.dome_turn_speed_deg_s > 0.0:
            raise ValueError(f"a dome that turns at {self.dome_turn_speed_deg_s}°/s never arrives")
        object.__setattr__(self, "slews", replace(self.slews, southern=self.site.latitude_deg < 0.0))
        object.__setattr__(self, "legs", Legs(self.ephemeris, self.site, self.slews.axes))

    @property
    def least_between_s(self) -> float:
        """No two observations are nearer than this."""
        return self.overhead_s + self.slews.settle_s

    def between_s(self, from_: Stand | None, to: Stand) -> float:
        """From the end of one observation to the beginning of the next. From nowhere known: half a turn of an axis."""
        if from_ is None:
            half_turn_s = self.slews.turn_s(180.0) + self.slews.settle_s
            dome_s = 180.0 / self.dome_turn_speed_deg_s
            return self.overhead_s + max(half_turn_s, dome_s, self.filter_change_s)
        slew_s = self.slews.between_s((from_[0], from_[1]), (to[0], to[1]))
        dome_s = abs((to[2] - from_[2] + 180.0) % 360.0 - 180.0) / self.dome_turn_speed_deg_s
        filter_s = 0.0 if from_[3] == to[3] else self.filter_change_s
        return self.overhead_s + max(slew_s, dome_s, filter_s)
