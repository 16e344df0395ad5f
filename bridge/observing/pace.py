"""How long things really take beside what the plan's model says. The plan is made with these."""

import math
import statistics
from dataclasses import dataclass, replace

from schedules.requests import CollectShape
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
    exposure to its picture in memory. `leap` and `step`: from the end of an exposure to the next in a series, leaping
    ahead of the target and following it. `turnaround`: from the last picture of one task to the first slew of the next.
    """

    slew_overrun: Recent
    readout: Recent
    leap: Recent
    step: Recent
    turnaround: Recent

    @classmethod
    def expected(cls, *, overhead_s: float, readout_s: float) -> "Pace":
        """As the settings say, until something was measured."""
        return cls(
            slew_overrun=Recent(expected_s=overhead_s),
            readout=Recent(expected_s=readout_s),
            leap=Recent(expected_s=readout_s + 2.0 * overhead_s),
            step=Recent(expected_s=readout_s + overhead_s),
            turnaround=Recent(expected_s=0.0),
        )

    def note_between_frames(self, shape: CollectShape, gap_s: float) -> None:
        """`gap_s` from the end of one exposure to the beginning of the next of its series."""
        (self.step if shape is CollectShape.RATE_TRACK else self.leap).note(gap_s)

    def applied_to(self, telescope: Telescope) -> Telescope:
        """`telescope` as it really is; itself, with the tracks it has kept, where little has changed."""
        optics = telescope.optics
        overhead_s = self.slew_overrun.largest_s + self.turnaround.usual_s
        readout_s = max(self.readout.usual_s, self.step.usual_s)
        repoint_s = max(0.0, self.leap.usual_s - readout_s)
        pairs = ((overhead_s, telescope.overhead_s), (readout_s, optics.readout_s), (repoint_s, optics.repoint_s))
        if all(math.isclose(new, old, rel_tol=_CHANGED_BY, abs_tol=_CHANGED_S) for new, old in pairs):
            return telescope
        return replace(
            telescope, overhead_s=overhead_s, optics=replace(optics, readout_s=readout_s, repoint_s=repoint_s)
        )
