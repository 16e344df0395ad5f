"""From what is asked to tonight's plan: windows first, then the planner. Thinks only; run it in a worker thread."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.observing.pace import Pace
from schedules.constraints import AboveHorizon, Constraint, MinAltitude, MoonApart, SunBelow, Sunlit
from schedules.errors import ScheduleError
from schedules.places import Horizontal
from schedules.planner import Plan, PlannedObservation, Telescope, make_plan
from schedules.requests import ObservationRequest
from schedules.site import HorizonMask
from schedules.targets import Satellite
from schedules.windows import AccessWindow, find_windows, why_no_window


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


# So much of a window's end is left out of the plan, for a slew that takes longer than planned: what is best seen at its
# end (before it enters the shadow, or its task closes) would else be planned to the last tenth of a second.
_IN_HAND_S = 15.0
_IN_HAND_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """A request's windows in one night, or why there are none."""

    request: ObservationRequest
    night: tuple[datetime, datetime]
    windows: tuple[AccessWindow, ...]
    why_none: str


class GivenUp(Exception):
    """Nobody waits for this plan any more."""


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
        given_up: Callable[[], bool] = lambda: False,
    ) -> Plan:
        """The plan for what is left of `night` at `now`, with the telescope pointing at `standing`.

        The first of a night with thousands of requests takes minutes on a small computer.

        Raises:
            GivenUp: nobody wants the plan any more, says `given_up`; what was found by then is kept for the next.
        """
        if self._limits.altitude_deg != self._altitude_deg:
            self._altitude_deg = self._limits.altitude_deg
            self._searches = {}
        self._telescope = self._pace.applied_to(self._telescope)
        for request in requests:
            if given_up():
                raise GivenUp
            self._searches[request.request_id] = self._search(request, night)
        self._searches = {request.request_id: self._searches[request.request_id] for request in requests}
        plan = self._made(requests, now, standing, whole=frozenset())
        late = frozenset(one.request.request_id for one in plan.dropped if self._windows_of(one.request))
        return self._made(requests, now, standing, whole=late) if late else plan

    def _made(
        self, requests: Sequence[ObservationRequest], now: datetime, standing: Horizontal | None, whole: frozenset[str]
    ) -> Plan:
        """The plan with some time of each window left in hand, but of those that need the `whole` of theirs."""
        windows = {
            request.request_id: [
                one if request.request_id in whole else _with_time_in_hand(one) for one in self._windows_of(request)
            ]
            for request in requests
        }
        searches = self._searches.values()
        plan = make_plan(
            requests,
            windows,
            now,
            telescope=self._telescope,
            standing=standing,
            no_window={search.request.request_id: search.why_none for search in searches if search.why_none},
        )
        return replace(plan, observations=tuple(self._with_whole_window(one) for one in plan.observations))

    def _with_whole_window(self, planned: PlannedObservation) -> PlannedObservation:
        """The time in hand is there for the telescope to use."""
        windows = self._windows_of(planned.request)
        return replace(planned, window=next(one for one in windows if one.rise == planned.window.rise))

    def _windows_of(self, request: ObservationRequest) -> Sequence[AccessWindow]:
        return self._searches[request.request_id].windows

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


def _with_time_in_hand(window: AccessWindow) -> AccessWindow:
    lasts_s = (window.set - window.rise).total_seconds()
    ends = window.set - timedelta(seconds=min(_IN_HAND_S, _IN_HAND_SHARE * lasts_s))
    return replace(window, set=ends, culmination=min(window.culmination, ends))
