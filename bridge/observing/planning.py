"""From what is asked to tonight's plan: windows first, then the planner. Thinks only; run it in a worker thread."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.observing.pace import Pace
from schedules.constraints import AboveHorizon, Constraint, MinAltitude, MoonApart, SunBelow, Sunlit
from schedules.ephemeris import Ephemeris
from schedules.errors import ScheduleError
from schedules.places import Horizontal
from schedules.planner import Plan, Telescope, make_plan
from schedules.requests import ObservationRequest
from schedules.site import HorizonMask, Site
from schedules.targets import Satellite
from schedules.windows import AccessWindow, find_darkness, find_windows, why_no_window


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the sky must be like for a light frame. `wanted_altitude_deg` is the platform's word; it may come late."""

    min_altitude_deg: float
    wanted_altitude_deg: Callable[[], float]
    mask: HorizonMask
    sun_below_deg: float
    moon_apart_deg: float
    max_elements_age_days: float

    @property
    def altitude_deg(self) -> float:
        """The station's own limit, raised to what the platform wants; never lowered."""
        return max(self.min_altitude_deg, self.wanted_altitude_deg())

    def constraints_for(self, request: ObservationRequest) -> list[Constraint]:
        """The constraints on one request; only a satellite needs the Sun on it."""
        constraints: list[Constraint] = [
            MinAltitude(altitude_deg=self.altitude_deg),
            AboveHorizon(mask=self.mask),
            SunBelow(altitude_deg=self.sun_below_deg),
            MoonApart(separation_deg=self.moon_apart_deg),
        ]
        if isinstance(request.target, Satellite):
            constraints.append(Sunlit())
        return constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """A request's windows in one night, or why there are none."""

    request: ObservationRequest
    night: tuple[datetime, datetime]
    windows: tuple[AccessWindow, ...]
    why_none: str


class Planning:
    """Makes plans again and again as requests come and go; windows are searched once for each request and night."""

    def __init__(self, *, telescope: Telescope, limits: Limits, pace: Pace) -> None:
        self._telescope = telescope
        self._pace = pace
        self._limits = limits
        self._searches: dict[str, _Search] = {}
        self._altitude_deg = limits.altitude_deg

    def plan(
        self,
        requests: Sequence[ObservationRequest],
        now: datetime,
        *,
        night: tuple[datetime, datetime],
        standing: Horizontal | None,
    ) -> Plan:
        """The plan for what is left of `night` at `now`, with the telescope pointing at `standing`."""
        if self._limits.altitude_deg != self._altitude_deg:
            self._altitude_deg = self._limits.altitude_deg
            self._searches = {}
        self._telescope = self._pace.applied_to(self._telescope)
        searches = [self._search(request, night) for request in requests]
        self._searches = {search.request.request_id: search for search in searches}
        return make_plan(
            requests,
            {search.request.request_id: search.windows for search in searches},
            now,
            telescope=self._telescope,
            standing=standing,
            no_window={search.request.request_id: search.why_none for search in searches if search.why_none},
        )

    def impossible(self, requests: Iterable[ObservationRequest]) -> dict[str, str]:
        """Of the requests planned last: those with no window at all in all the time they ask for, and why."""
        found = (self._searches.get(request.request_id) for request in requests)
        return {
            search.request.request_id: search.why_none
            for search in found
            if search is not None and not search.windows and search.request.closes <= search.night[1]
        }

    def _search(self, request: ObservationRequest, night: tuple[datetime, datetime]) -> _Search:
        known = self._searches.get(request.request_id)
        if known is not None and known.request == request and known.night == night:
            return known
        opens, closes = max(request.opens, night[0]), min(request.closes, night[1])
        windows, why_none = self._windows(request, opens, closes)
        return _Search(request=request, night=night, windows=tuple(windows), why_none=why_none)

    def _windows(
        self, request: ObservationRequest, opens: datetime, closes: datetime
    ) -> tuple[list[AccessWindow], str]:
        if not opens < closes:
            return [], "asks for a time outside the night"
        constraints = self._limits.constraints_for(request)
        try:
            windows = find_windows(
                request.target,
                self._telescope.site,
                opens=opens,
                closes=closes,
                constraints=constraints,
                ephemeris=self._telescope.ephemeris,
                max_age_days=self._limits.max_elements_age_days,
            )
            if windows:
                return windows, ""
            why = why_no_window(
                request.target,
                self._telescope.site,
                opens=opens,
                closes=closes,
                constraints=constraints,
                ephemeris=self._telescope.ephemeris,
            )
        except ScheduleError as error:
            why = str(error)
        return [], why


def next_night(
    site: Site, now: datetime, *, sun_below_deg: float, ephemeris: Ephemeris
) -> tuple[datetime, datetime] | None:
    """The darkness under way at `now`, or the next within two days; None where the Sun does not set that far."""
    nights = find_darkness(
        site, opens=now, closes=now + timedelta(days=2), sun_below_deg=sun_below_deg, ephemeris=ephemeris
    )
    return nights[0] if nights else None
