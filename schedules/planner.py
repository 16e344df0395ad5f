"""The plan of a night: the most important first, each wherever in the night it fits.

Requests are taken by falling priority. Each is put where it costs least (slewing, and distance from culmination), and
what stands there already is shifted within its own window to make room, but never given up. So nothing is ever lost to
something less important, and one that could be observed alone is lost only to what is at least as important.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from schedules.directions import Directions, axis_angles
from schedules.errors import ScheduleError
from schedules.instants import datetime_of, unix_s_of
from schedules.places import Horizontal
from schedules.plans import Dropped, Plan, PlannedObservation
from schedules.requests import ObservationRequest
from schedules.rooms import Miss
from schedules.telescope import Stand, Telescope
from schedules.timeline import Timeline
from schedules.visits import Visit
from schedules.windows import AccessWindow

__all__ = ["Dropped", "Plan", "PlannedObservation", "Telescope", "make_plan"]

_NO_WINDOW = "no access window between opens and closes"
# A mount that waits follows the stars, and so drifts on its axes; azimuth as a rule at most twice as fast as the sky.
_DRIFT_DEG_S = 2.0 * 360.0 / 86164.0905


def make_plan(
    requests: Sequence[ObservationRequest],
    windows: Mapping[str, Sequence[AccessWindow]],
    now: datetime,
    *,
    telescope: Telescope,
    standing: Horizontal | None = None,
    no_window: Mapping[str, str] | None = None,
) -> Plan:
    """What to observe from `now` on, and why the rest is not.

    `windows` and `no_window` (why there is none) are by request id. No slew begins before `now`; what has begun is not
    planned again: leave it out, and give the instant of its end as `now` and where it ends as `standing` (None: not
    known, and half a turn of an axis is allowed for). The same requests give the same plan in whatever order they come.

    Raises:
        ValueError: two requests have one id.
    """
    ids = Counter(request.request_id for request in requests)
    if len(ids) < len(requests):
        raise ValueError(f"more than one request has the id {ids.most_common(1)[0][0]}: ids must differ")
    now_s = unix_s_of(now)
    telescope.legs.forget_before(now)
    timeline = Timeline(telescope, now_s, _stand(standing, telescope))
    dropped: list[Dropped] = []
    possible: list[tuple[ObservationRequest, list[Visit]]] = []
    for request in requests:
        found = _visits(request, windows.get(request.request_id, ()), now_s, telescope)
        if isinstance(found, str):
            reason = (no_window or {}).get(request.request_id, found) if found == _NO_WINDOW else found
            dropped.append(Dropped(request=request, reason=reason))
        else:
            possible.append((request, found))
    for request, visits in sorted(possible, key=_most_important_first):
        if not timeline.insert(visits):
            dropped.append(Dropped(request=request, reason=_lost(*timeline.nearest_miss(visits))))
    dropped.sort(key=lambda one: (-one.request.priority, one.request.request_id))
    return Plan(made_at=now, observations=tuple(_observations(timeline, now, telescope)), dropped=tuple(dropped))


def _most_important_first(possible: tuple[ObservationRequest, list[Visit]]) -> tuple[float, float, str]:
    """By falling priority; among equals, what has the least room to be shifted comes first."""
    request, visits = possible
    return -request.priority, sum(visit.latest_s - visit.opens_s for visit in visits), request.request_id


def _visits(
    request: ObservationRequest, windows: Sequence[AccessWindow], now_s: float, telescope: Telescope
) -> list[Visit] | str:
    """The request in each of its windows that is long enough; or why there is none."""
    opens_s, closes_s = max(unix_s_of(request.opens), now_s), unix_s_of(request.closes)
    if windows and min(closes_s, max(unix_s_of(window.set) for window in windows)) <= now_s:
        over = min(request.closes, max(window.set for window in windows))
        return f"window over since {over:%H:%M:%S}"
    visits: list[Visit] = []
    reason = _NO_WINDOW
    for window in windows:
        span_s = max(unix_s_of(window.rise), opens_s), min(unix_s_of(window.set), closes_s)
        if span_s[0] >= span_s[1]:
            continue
        try:
            visit = Visit(request, window, span_s, telescope)
        except ScheduleError as error:
            reason = str(error)
            continue
        if visit.latest_s >= visit.opens_s:
            visits.append(visit)
        else:
            long_s, need_s = span_s[1] - span_s[0], visit.duration_s(visit.opens_s)
            what = (
                f"what is left of the window, {long_s:.0f} s,"
                if span_s[0] == now_s
                else f"the window of {long_s:.0f} s"
            )
            reason = f"{what} is shorter than the {need_s:.0f} s the frames need"
    return visits or reason


def _lost(miss: Miss, against: Visit | None) -> str:
    short_s = max(1, math.ceil(miss.short_s))
    if against is None:
        return f"the telescope can be there only {short_s} s after the last start in the window"
    name = f"{against.request.target.name} ({against.request.request_id})"
    return f"loses to {name} by {short_s} s{' of slew' if miss.by_slew else ''}"


def _stand(standing: Horizontal | None, telescope: Telescope) -> Stand | None:
    """The axes of a telescope that points there; the filter in its beam is not known."""
    if standing is None:
        return None
    latitude_deg = telescope.site.latitude_deg
    first_deg, second_deg = axis_angles(Directions.of(standing), telescope.slews.axes, latitude_deg)
    turned = telescope.slews.turned_to(float(first_deg[0]), float(second_deg[0]))
    return (*turned, standing.azimuth_deg, "")


def _observations(timeline: Timeline, now: datetime, telescope: Telescope) -> Iterator[PlannedObservation]:
    free_at = now
    for index, (visit, start_s) in enumerate(zip(timeline.visits, timeline.starts_s, strict=True)):
        request, window = visit.request, visit.window
        starts_at = max(datetime_of(start_s), window.rise, request.opens)
        ends_at = min(datetime_of(start_s + visit.duration_s(start_s)), window.set, request.closes)
        slew_s = timeline.slew_s(index)
        wait_s = max(0.0, start_s - slew_s - unix_s_of(free_at))
        slew_s += wait_s * _DRIFT_DEG_S / telescope.slews.speed_deg_s
        yield PlannedObservation(
            request=request,
            window=window,
            collect=visit.collect_at(start_s),
            leave_at=min(max(starts_at - timedelta(seconds=slew_s), free_at), starts_at),
            starts_at=starts_at,
            ends_at=ends_at,
        )
        free_at = ends_at
