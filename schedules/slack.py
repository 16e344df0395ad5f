"""How far each observation of a plan could be shifted: as early as all before it allow, as late as all after it."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from schedules.starts import last_start_s, soonest_start_s
from schedules.telescope import Stand, Telescope
from schedules.visits import Visit


class Slack:
    """The gaps between observations: gap n lies before observation n, the last one after all.

    At the beginning of each gap: when the telescope is free at the earliest (`free_s`) and how it stands then (`left`,
    None: not known). At its end: when it must start again at the latest (`needed_s`) and how it must stand then
    (`awaited`, None after the last). Instants are seconds since 1970.
    """

    def __init__(self, telescope: Telescope, now_s: float, standing: Stand | None) -> None:
        self.free_s: list[float] = [now_s]
        self.left: list[Stand | None] = [standing]
        self.needed_s: list[float] = [math.inf]
        self.awaited: list[Stand | None] = [None]
        self._earliest_s: list[float] = []
        self._telescope = telescope

    def gaps(self, visit: Visit) -> range:
        """The gaps that reach into the window; at least one."""
        least_s = self._telescope.least_between_s
        first = bisect_left(self.needed_s, visit.opens_s + least_s)
        last = bisect_right(self.free_s, visit.latest_s - least_s) - 1
        return range(min(first, last), max(first, last) + 1) if last >= 0 else range(1)

    def renew(self, visits: Sequence[Visit], starts_s: Sequence[float], gap: int, changed: tuple[int, int]) -> None:
        """After one observation was put into `gap`, with new starts from the first to the last in `changed`."""
        self.free_s.insert(gap + 1, math.nan)
        self.left.insert(gap + 1, None)
        self.needed_s.insert(gap, visits[gap].latest_s)
        self.awaited.insert(gap, None)
        self._earliest_s.insert(gap, visits[gap].opens_s)
        first, last = changed
        for index in range(first, len(visits)):
            if not self._renew_earliest(visits[index], starts_s[index], index) and index > last:
                break
        for index in range(last, -1, -1):
            if not self._renew_latest(visits[index], starts_s[index], index) and index < first:
                break

    def _renew_earliest(self, visit: Visit, start_s: float, index: int) -> bool:
        """Whether anything is new: if not, neither is anything further on. It never becomes earlier than it was."""
        free_s, left, known_s = self.free_s[index], self.left[index], self._earliest_s[index]
        soonest_s = soonest_start_s(self._telescope, visit, free_s, left, not_before_s=known_s)
        earliest_s = start_s if soonest_s is None else min(soonest_s, start_s)
        self._earliest_s[index] = earliest_s
        _, duration_s, self.left[index + 1] = visit.series(earliest_s)
        self.free_s[index + 1] = earliest_s + duration_s
        return earliest_s != known_s

    def _renew_latest(self, visit: Visit, start_s: float, index: int) -> bool:
        """As above; it never becomes later than it was."""
        by_s, awaited, known_s = self.needed_s[index + 1], self.awaited[index + 1], self.needed_s[index]
        last_s: float | None = known_s
        if awaited is not None:
            last_s = last_start_s(self._telescope, visit, by_s, awaited, not_after_s=known_s)
        latest_s = start_s if last_s is None else max(last_s, start_s)
        self.needed_s[index] = latest_s
        self.awaited[index] = visit.taken_up(latest_s)
        return latest_s != known_s
