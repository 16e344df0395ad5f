"""What was so from when on: the past of a device, kept because pictures are looked at after they were taken."""

from bisect import bisect_left, bisect_right
from typing import Generic, TypeVar

_T = TypeVar("_T")

# Ten hours of a slew every ten seconds. What is older is forgotten, so that a simulator can run for weeks.
_KEPT = 20_000


class History(Generic[_T]):
    """A value over time: each holds until the next begins. The first has always been so."""

    def __init__(self, first: _T) -> None:
        self._starts_s: list[float] = [float("-inf")]
        self._values: list[_T] = [first]
        self._forgotten = 0

    def begin(self, at_s: float, value: _T) -> None:
        """From `at_s` on it is `value`; what was planned for `at_s` or later will not be."""
        while self._starts_s[-1] >= at_s:
            self._starts_s.pop()
            self._values.pop()
        self._starts_s.append(at_s)
        self._values.append(value)
        if len(self._values) > 2 * _KEPT:
            del self._starts_s[:_KEPT], self._values[:_KEPT]
            self._starts_s[0] = float("-inf")
            self._forgotten += _KEPT

    def at(self, at_s: float) -> _T:
        """The value at an instant, past or planned."""
        return self._values[max(bisect_right(self._starts_s, at_s) - 1, 0)]

    def changes_before(self, at_s: float) -> int:
        """How often the value was changed before an instant: equal numbers mean an equal past."""
        return self._forgotten + bisect_left(self._starts_s, at_s)
