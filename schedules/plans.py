"""What a night's plan is made of."""

from dataclasses import dataclass
from datetime import datetime

from schedules.exposures import Collect
from schedules.requests import ObservationRequest
from schedules.windows import AccessWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedObservation:
    """One request, and when the telescope does it.

    At `leave_at` the slew begins, at `starts_at` the shutter opens for the first frame, at `ends_at` the last frame is
    read out and the telescope is free. All of it lies within `window` and the request's own time but for the slew.

    Raises:
        ValueError: these instants are out of order.
    """

    request: ObservationRequest
    window: AccessWindow
    collect: Collect
    leave_at: datetime
    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if not self.leave_at <= self.starts_at < self.ends_at:
            raise ValueError(
                f"{self.request.request_id}: leaves {self.leave_at}, starts {self.starts_at}, ends {self.ends_at}: "
                f"out of order"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A request that is not in the plan, and why, as a clause: "loses to task-7 by 12 s of slew"."""

    request: ObservationRequest
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every request is in one of the two: observations in order of time, the others by falling priority."""

    made_at: datetime
    observations: tuple[PlannedObservation, ...]
    dropped: tuple[Dropped, ...]
