"""How long things really take beside what the plan's model says. The plan is made with these."""

import math
import statistics
from dataclasses import dataclass, replace

from schedules.telescope import Telescope

# A plan is made anew with a telescope of another pace only when it has changed by more than this.
_CHANGED_BY = 0.25
_CHANGED_S = 0.5


class Recent:
    """The last five of a delay that is measured again and again, starting from an expected one."""

    def __init__(self, *, expected_s: float) -> None:
        self._delays_s = [expected_s]

    def note(self, delay_s: float) -> None:
        self._delays_s = [*self._delays_s[-4:], max(0.0, delay_s)]

    @property
    def largest_s(self) -> float:
        return max(self._delays_s)

    @property
    def usual_s(self) -> float:
        return statistics.median(self._delays_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`slew_overrun`: from wanting to slew to standing there, less the model's time. `readout`: from the end of an
    exposure to its picture in memory. `turnaround`: from the last picture of one task to the first slew of the next.
    """

    slew_overrun: Recent
    readout: Recent
    turnaround: Recent

    @classmethod
    def expected(cls, *, overhead_s: float, readout_s: float) -> "Pace":
        """As the settings say, until something was measured."""
        return cls(
            slew_overrun=Recent(expected_s=overhead_s),
            readout=Recent(expected_s=readout_s),
            turnaround=Recent(expected_s=0.0),
        )

    def applied_to(self, telescope: Telescope) -> Telescope:
        """`telescope` as it really is; itself, with the tracks it has kept, where little has changed."""
        overhead_s = self.slew_overrun.largest_s + self.turnaround.usual_s
        optics = telescope.optics
        readout_s = self.readout.usual_s
        repoint_s = telescope.slews.settle_s + telescope.slews.turn_s(1.0) + self.slew_overrun.usual_s
        pairs = ((overhead_s, telescope.overhead_s), (readout_s, optics.readout_s), (repoint_s, optics.repoint_s))
        if all(math.isclose(new, old, rel_tol=_CHANGED_BY, abs_tol=_CHANGED_S) for new, old in pairs):
            return telescope
        return replace(
            telescope, overhead_s=overhead_s, optics=replace(optics, readout_s=readout_s, repoint_s=repoint_s)
        )
