"""What was so from when on: the past of a device, kept because pictures are looked at after they were taken."""

from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import Generic, TypeVar

_T = TypeVar("_T")

# Ten hours of a slew every ten seconds. What is older is forgotten, so that a simulator can run for weeks.
_KEPT = 20_000
_START = itemgetter(0)


class History(Generic[_T]):
    """A value over time: each holds until the next begins. The first has always been so.

    One thread writes; others may read meanwhile.
    """

    def __init__(self, first: _T) -> None:
        self._entries: list[tuple[float, _T]] = [(float("-inf"), first)]
        self._forgotten = 0

    def begin(self, at_s: float, value: _T) -> None:
        """From `at_s` on it is `value`; what was planned for `at_s` or later will not be."""
        entries = self._entries
        if entries[-1][0] < at_s:
            entries.append((at_s, value))
        else:
            self._entries = [*entries[: bisect_left(entries, at_s, key=_START)], (at_s, value)]
        if len(self._entries) > 2 * _KEPT:
            self._entries = [(float("-inf"), self._entries[_KEPT][1]), *self._entries[_KEPT + 1 :]]
            self._forgotten += _KEPT

    def at(self, at_s: float) -> _T:
        """The value at an instant, past or planned."""
        entries = self._entries
        return entries[bisect_right(entries, at_s, key=_START) - 1][1]

    def changes_before(self, at_s: float) -> int:
        """How often the value was changed before an instant: equal numbers mean an equal past."""
        return self._forgotten + bisect_left(self._entries, at_s, key=_START)
