"""What is asked of the telescope: complete and checked, wherever it came from."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schedules.targets import Target


class CollectShape(StrEnum):
    """How a target is put on the frame."""

    AUTO = "auto"  # chosen by angular rate, pixel scale and what the mount can do
    LEAPFROG = "leapfrog"  # sidereal tracking ahead of the target, which crosses as a streak
    RATE_TRACK = "rate_track"  # the mount follows the target, the stars trail


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRequest:
    """One thing to observe, with every choice made: the defaults of the station are filled in at the edge.

    `request_id` is the API's task id or the name of a manual task. A higher `priority` is more important.

    Raises:
        ValueError: closes before it opens, or an exposure, count or binning that cannot be.
    """

    request_id: str
    target: Target
    opens: datetime
    closes: datetime
    priority: float
    filter_name: str
    exposure_s: float
    frame_count: int
    binning: int
    collect: CollectShape

    def __post_init__(self) -> None:
        if not self.opens < self.closes:
            raise ValueError(f"{self.request_id}: closes {self.closes} is not after opens {self.opens}")
        if not 0.0 < self.exposure_s <= 3600.0:
            raise ValueError(f"{self.request_id}: an exposure of {self.exposure_s} s is not within 0 s to 3600 s")
        if not 1 <= self.frame_count <= 1000:
            raise ValueError(f"{self.request_id}: {self.frame_count} frames is not within 1 to 1000")
        if not 1 <= self.binning <= 16:
            raise ValueError(f"{self.request_id}: binning {self.binning} is not within 1 to 16")
