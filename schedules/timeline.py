"""Observations one after the other, each at a start that is known to work."""

from collections.abc import Sequence

from schedules.rooms import Miss, Room, nearest_miss, rooms_for
from schedules.slack import Slack
from schedules.starts import last_start_s, soonest_start_s
from schedules.telescope import Stand, Telescope
from schedules.visits import Visit


class Timeline:
    """The plan while it is made: `visits` in order of time and `starts_s`, seconds since 1970.

    A start stays as near to culmination as it was put until another observation needs the room.
    """

    def __init__(self, telescope: Telescope, now_s: float, standing: Stand | None) -> None:
        self.visits: list[Visit] = []
        self.starts_s: list[float] = []
        self._telescope = telescope
        self._now_s = now_s
        self._standing = standing
        self._slack = Slack(telescope, now_s, standing)

    def insert(self, choices: Sequence[Visit]) -> bool:
        """Put one of the visits where it costs least, shifting others as need be; False where none has room."""
        rooms = sorted(rooms_for(choices, self._slack, self._telescope))
        return any(self._place(choices[room.choice], room) for room in rooms)

    def nearest_miss(self, choices: Sequence[Visit]) -> tuple[Miss, Visit | None]:
        """Why `insert` found no room, and which observation is in the way; None: the telescope's first slew.

        Of two that are in the way it is the less important one.
        """
        miss = nearest_miss(choices, self._slack, self._telescope)
        blocking = []
        if miss.before and miss.gap > 0:
            blocking.append(self.visits[miss.gap - 1])
        if miss.after:
            blocking.append(self.visits[miss.gap])
        return miss, min(blocking, key=lambda visit: visit.request.priority) if blocking else None

    def slew_s(self, index: int) -> float:
        """From the end of the observation before (or from where the telescope stands now) to this one's start."""
        before = self._standing
        if index > 0:
            _, _, before = self.visits[index - 1].series(self.starts_s[index - 1])
        return self._telescope.between_s(before, self.visits[index].taken_up(self.starts_s[index]))

    def _place(self, visit: Visit, room: Room) -> bool:
        """Take the room, if those before and after can really be shifted; each new start is checked by its own slew."""
        pulled, pushed = self._pulled(visit, room), self._pushed(visit, room)
        if pulled is None or pushed is None or not visit.fits(room.start_s):
            return False
        first, last = room.gap - len(pulled), room.gap + len(pushed)
        self.starts_s[first:last] = [*reversed(pulled), room.start_s, *pushed]
        self.visits.insert(room.gap, visit)
        self._slack.renew(self.visits, self.starts_s, room.gap, (first, last))
        return True

    def _pulled(self, visit: Visit, room: Room) -> list[float] | None:
        """New starts of those before, nearest first, as far as any must be earlier; None: it cannot be."""
        starts_s: list[float] = []
        by_s, awaited = room.start_s, visit.taken_up(room.start_s)
        for index in range(room.gap - 1, -1, -1):
            before, start_s = self.visits[index], self.starts_s[index]
            _, duration_s, left = before.series(start_s)
            if start_s + duration_s + self._telescope.between_s(left, awaited) <= by_s:
                return starts_s
            earlier_s = last_start_s(self._telescope, before, by_s, awaited, not_after_s=start_s)
            if earlier_s is None:
                return None
            starts_s.append(earlier_s)
            by_s, awaited = earlier_s, before.taken_up(earlier_s)
        return starts_s if self._now_s + self._telescope.between_s(self._standing, awaited) <= by_s else None

    def _pushed(self, visit: Visit, room: Room) -> list[float] | None:
        """New starts of those after, as far as any must be later; None: it cannot be."""
        starts_s: list[float] = []
        _, duration_s, left = visit.series(room.start_s)
        free_s = room.start_s + duration_s
        for index in range(room.gap, len(self.visits)):
            after, start_s = self.visits[index], self.starts_s[index]
            if free_s + self._telescope.between_s(left, after.taken_up(start_s)) <= start_s:
                return starts_s
            later_s = soonest_start_s(self._telescope, after, free_s, left, not_before_s=start_s)
            if later_s is None:
                return None
            starts_s.append(later_s)
            _, duration_s, left = after.series(later_s)
            free_s = later_s + duration_s
        return starts_s
