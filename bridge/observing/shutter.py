"""When the shutter really opened: later than drivers say, by what was measured of this camera."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.clock_watch import STEP_S
from bridge.storage.cards import Timing
from bridge.timekeeping import ClockBound, ClockGrade
from drivers.values import Frame, TimeSource

# Scatter of the shutter's instant before anybody measured it: what a driver's word is worth, and what the host's own
# clock at the command is worth (field-notes 4.2: shutters of 20 ms to 90 ms).
_SCATTER_S = {TimeSource.DRIVER: 0.01, TimeSource.HOST: 0.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutter:
    """It opens `latency_s` after the instant that is given for it, by the driver or by the host at its command.

    `scatter_s` is how far single exposures lie from that (one sigma); None: nobody measured it.
    """

    latency_s: float = 0.0
    scatter_s: float | None = None

    def opened(self, frame: Frame) -> Frame:
        """The same frame, with the instant at which its light began."""
        return replace(frame, started_at=frame.started_at + timedelta(seconds=self.latency_s))

    def timing(self, source: TimeSource, clock: ClockBound, *, stepped_s: float) -> Timing:
        """How well that instant is known; a clock of which nobody knows anything is NaN."""
        return Timing(
            systematic_error_s=math.nan if clock.error_s is None else clock.error_s,
            random_error_s=_SCATTER_S[source] if self.scatter_s is None else self.scatter_s,
            latency_s=self.latency_s,
            clock_source=clock.source,
            clock_grade=clock.grade if abs(stepped_s) <= STEP_S else ClockGrade.BAD,
            clock_correction_s=math.nan if clock.correction_s is None else clock.correction_s,
            stepped_s=stepped_s if abs(stepped_s) > STEP_S else 0.0,
        )


UNMEASURED = Shutter()
