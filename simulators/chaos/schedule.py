"""Which kills a campaign makes: every one is written down before the first, and stays until it has hit."""

import random
import threading
from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum

# The places at which a rehearsal of the bridge can be told to die (`[rehearsal] dies_at`).
CRASH_POINTS = (
    "tasks filed",
    "observing written down",
    "frame reserved",
    "frame in memory",
    "frame half written",
    "frame synced",
    "frame renamed",
    "frame recorded",
    "task captured",
    "announcing written down",
    "announced",
    "ticket written down",
    "frame sent",
    "sending written down",
    "landing written down",
    "task reported",
    "task delivered",
)
# Passed only by a bridge that removes delivered frames as soon as it may.
REMOVAL_POINTS = ("removal written down", "file removed", "end of removal written down")
PLACES_TO_DIE = (*CRASH_POINTS, *REMOVAL_POINTS)
# These are passed once a task, the others with each frame.
_ONCE_A_TASK = ("tasks filed", "observing written down", "task captured", "task reported", "task delivered")
_LAST_PASS = 3


class Moment(StrEnum):
    """What the bridge is at when it is killed at a random instant."""

    STARTING = "while it starts"
    OBSERVING = "while it observes"
    DELIVERING = "while it delivers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One kill: at the `at_pass`-th passing of a crash point, or `share` into the span of a moment."""

    place: str
    at_pass: int
    share: float

    @property
    def at_point(self) -> bool:
        return self.place in PLACES_TO_DIE

    @property
    def removes(self) -> bool:
        """Whether only a bridge that removes frames gets there."""
        return self.place in REMOVAL_POINTS


class Schedule:
    """The kills that are still to be made; several threads may take from it. The same seed writes the same kills."""

    def __init__(self, *, random_instants: int, at_each_point: int, seed: int) -> None:
        draws = random.Random(f"{seed} kills")
        moments = tuple(Moment)
        places = [str(moments[number % len(moments)]) for number in range(random_instants)]
        places += [point for point in PLACES_TO_DIE for _ in range(at_each_point)]
        draws.shuffle(places)
        self._left = deque(
            Order(
                place=place,
                at_pass=1 if place in (*_ONCE_A_TASK, *REMOVAL_POINTS) else draws.randint(1, _LAST_PASS),
                share=draws.random(),
            )
            for place in places
        )
        self._lock = threading.Lock()
        self._abandoned = False
        self.asked = Counter(places)
        self.hit: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self.asked.total()

    @property
    def done(self) -> bool:
        """Whether nothing is left to take. What another is trying may come back yet."""
        with self._lock:
            return not self._left

    @property
    def abandoned(self) -> bool:
        """Whether everybody is to stop at once."""
        return self._abandoned

    def abandon(self) -> None:
        """There is nothing more to take."""
        with self._lock:
            self._abandoned = True
            self._left.clear()

    def take(self) -> Order | None:
        """The next kill to make; None where there is none."""
        with self._lock:
            return self._left.popleft() if self._left else None

    def settle(self, order: Order, *, hit: bool) -> None:
        """It was made, or it is to be tried again after the others."""
        with self._lock:
            (self.hit if hit else self.missed)[order.place] += 1
            if not hit and not self._abandoned:
                self._left.append(order)
