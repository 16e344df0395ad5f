"""One request in one of its windows: how long it takes, and where the telescope stands before and after."""

from schedules.exposures import Collect, collect_for
from schedules.instants import unix_s_of
from schedules.requests import ObservationRequest
from schedules.telescope import Stand, Telescope
from schedules.windows import AccessWindow

# Starts within the same stretch of this length take the same frames.
_PART_S = 20.0
# So many times its own length is kept in hand before the last start that fits: what begins late must still fit.
_IN_HAND = 2.0


class Visit:
    """A request that may be done once between `opens_s` and `closes_s`; instants are seconds since 1970.

    How long it takes depends on when it is done, since the target is faster at some times than at others. `latest_s`
    is the last start that ends in time; before `opens_s` where the window is too short. `best_s` is the start that
    puts the middle of the series at culmination, or as near to it as can be with room in hand for beginning late.
    No series is shorter than `shortest_s`; `half_s` is half the window, at least one second.

    Raises:
        ScheduleError: the ephemeris has no place for the target then.
    """

    def __init__(
        self, request: ObservationRequest, window: AccessWindow, span_s: tuple[float, float], telescope: Telescope
    ) -> None:
        self.request = request
        self.window = window
        self.opens_s, self.closes_s = span_s
        self._telescope = telescope
        self._leg = telescope.legs.leg(request.target, window)
        rates_deg_s = self._leg.rates_deg_s(*span_s)
        slowest, fastest = self._collect_for(float(rates_deg_s.min())), self._collect_for(float(rates_deg_s.max()))
        same = slowest[0].shape is fastest[0].shape and slowest[0].exposure_s == fastest[0].exposure_s
        self._steady = fastest if same else None
        following_s = request.frame_count * (request.exposure_s + telescope.optics.readout_s)
        self.shortest_s = min(slowest[1], fastest[1], following_s)
        self._series: dict[float, tuple[Stand, float, Stand]] = {}
        self._collects: dict[int, tuple[Collect, float]] = {}
        self.latest_s = self._last_start_s()
        best_s = unix_s_of(window.culmination) - self.duration_s(max(self.latest_s, self.opens_s)) / 2.0
        room_s = max(self.latest_s - self.opens_s, 0.0)
        in_hand_s = min(_IN_HAND * self.duration_s(max(self.latest_s, self.opens_s)), room_s / 2.0)
        self.best_s = min(max(best_s, self.opens_s), self.latest_s - in_hand_s)
        self.half_s = max((self.closes_s - self.opens_s) / 2.0, 1.0)

    def collect_at(self, start_s: float) -> Collect:
        """The frames of a series that starts then, fit for the fastest motion during it."""
        return self._collect_at(start_s)[0]

    def duration_s(self, start_s: float) -> float:
        """From the first opening of the shutter to the end of the last readout."""
        return self._collect_at(start_s)[1]

    def fits(self, start_s: float) -> bool:
        """Whether a series that starts then lies within the window."""
        return self.opens_s <= start_s and start_s + self.duration_s(start_s) <= self.closes_s

    def taken_up(self, start_s: float) -> Stand:
        """Where the telescope must stand when the series starts."""
        return self.series(start_s)[0]

    def series(self, start_s: float) -> tuple[Stand, float, Stand]:
        """`taken_up`, `duration_s`, and where the telescope stands at the end, in the pointing state of the start."""
        known = self._series.get(start_s)
        if known is None:
            known = self._series[start_s] = self._series_from(start_s)
        return known

    def _series_from(self, start_s: float) -> tuple[Stand, float, Stand]:
        filter_name, turned_to = self.request.filter_name, self._telescope.slews.turned_to
        first_deg, second_deg, azimuth_deg = self._looks_at(start_s)
        first_deg, second_deg = turned_to(first_deg, second_deg)
        taken_up = first_deg, second_deg, azimuth_deg, filter_name
        side = 1.0 if second_deg >= 0.0 else -1.0
        duration_s = self.duration_s(start_s)
        # Some series end too late; what lies behind the window is not sampled, and they are not planned.
        first_deg, second_deg, azimuth_deg = self._looks_at(min(start_s + duration_s, self.closes_s))
        first_deg, second_deg = turned_to(first_deg, second_deg, side)
        return taken_up, duration_s, (first_deg, second_deg, azimuth_deg, filter_name)

    def _looks_at(self, at_s: float) -> tuple[float, float, float]:
        leg = self._leg
        steps = (at_s - leg.from_s) / leg.step_s
        before = int(steps)
        part = steps - before
        first, second, azimuth = leg.first_deg, leg.second_deg, leg.azimuth_deg
        return (
            first[before] + part * (first[before + 1] - first[before]),
            second[before] + part * (second[before + 1] - second[before]),
            azimuth[before] + part * (azimuth[before + 1] - azimuth[before]),
        )

    def _collect_at(self, start_s: float) -> tuple[Collect, float]:
        if self._steady is not None:
            return self._steady
        part = int((start_s - self._leg.from_s) / _PART_S)
        known = self._collects.get(part)
        if known is None:
            known = self._collects[part] = self._collect_in(part)
        return known

    def _collect_in(self, part: int) -> tuple[Collect, float]:
        """For any start within one part of the window."""
        optics = self._telescope.optics
        longest_s = self.request.frame_count * (self.request.exposure_s + optics.readout_s + optics.repoint_s)
        begins_s = self._leg.from_s + part * _PART_S
        ends_s = min(begins_s + _PART_S + longest_s, self.closes_s)
        return self._collect_for(float(self._leg.rates_deg_s(begins_s, ends_s).max()))

    def _collect_for(self, rate_deg_s: float) -> tuple[Collect, float]:
        collect = collect_for(self.request, rate_deg_s, self._telescope.optics)
        return collect, collect.duration_s + self._telescope.optics.readout_s

    def _last_start_s(self) -> float:
        last_s = self.closes_s
        while last_s > self.opens_s:
            earlier_s = self.closes_s - self.duration_s(max(last_s, self.opens_s))
            if earlier_s >= last_s:
                return last_s
            last_s = earlier_s
        return last_s
