"""Scripts of faults: what goes wrong, at which device, in which call, from when to when, and how often it did.

A device has a name (`mount`, `camera`, `camera_2`, …). A method is a deed (`slew`, `track`, `park`, `expose`, `status`,
…, the same whichever way the device is reached) or a member of Alpaca (`SlewToCoordinatesAsync`).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from simulators.physics.quirks import Quirks
from simulators.physics.refusals import Reason

EVERY = "*"


class FaultKind(StrEnum):
    """What can go wrong."""

    HANG = "hang"  # the call is answered, but late
    REFUSE = "refuse"  # the device answers with an error, and does nothing
    DROP = "drop"  # the line is cut, or the server says 500; nothing is done
    LIE = "lie"  # a mount tells a position that is not its own
    STUCK = "stuck"  # it never says that it has finished: Slewing stays true, the picture is never ready
    EARLY = "early"  # it says that it has finished before it has: a slew, a shutter, an exposure
    IGNORE = "ignore"  # the call is answered well, and nothing is done
    MISS = "miss"  # a mount ends its slew `off_ra_deg` and `off_dec_deg` beside where it was sent
    SPEED = "speed"  # a mount goes at `times` the rates it is told, and reads them back as told; 0: it ignores them
    JAM = "jam"  # a shutter, a cover or a dome stops half way (`open`, `close`, `slew`)
    BY_ITSELF = "by_itself"  # it does something (`method`) that nobody has ordered; see BY_THEMSELVES
    # What is done, and answered wrongly over HTTP:
    PAGE = "page"  # with a page of HTML, as proxies do (`http_status`, or 200)
    BAD_JSON = "bad_json"  # with half of the answer's JSON
    WRONG_CASE = "wrong_case"  # with keys that begin with small letters
    WRONG_TRANSACTION = "wrong_transaction"  # as if it were the answer to the next call
    STALE = "stale"  # with what was read last before the fault began
    SAY = "say"  # with `says`, whatever is so; "NaN" is no number
    # What becomes of a picture on its way:
    PICTURE_CUT = "picture_cut"  # the line is cut half way
    PICTURE_SHORT = "picture_short"  # half of the pixels, said to be all
    PICTURE_EMPTY = "picture_empty"  # nothing at all
    PICTURE_SIZE = "picture_size"  # a column more than there is
    PICTURE_TYPE = "picture_type"  # a type of pixels that nobody knows
    PICTURE_RANK = "picture_rank"  # three dimensions, of which one is missing
    # What is in a picture:
    PICTURE_PREVIOUS = "picture_previous"  # the one before
    PICTURE_ZERO = "picture_zero"  # nothing but zeros
    PICTURE_SATURATED = "picture_saturated"  # nothing but white


BY_THEMSELVES: Mapping[str, tuple[str, ...]] = {
    "mount": ("stand", "park", "flip", "slew", "lose_position"),
    "dome": ("open", "close"),
    "camera": ("lose_cooling",),
}
"""What devices can do by themselves: `stand` is to track no longer and to say that it does, `slew` (by `off_…`) what
another client might order, and `lose_position` believes to be `off_…` from where it stands."""

_OF_CALLS = (FaultKind.HANG, FaultKind.DROP, FaultKind.REFUSE, FaultKind.IGNORE)
_OF_ANSWERS = (
    FaultKind.PAGE,
    FaultKind.BAD_JSON,
    FaultKind.WRONG_CASE,
    FaultKind.WRONG_TRANSACTION,
    FaultKind.STALE,
    FaultKind.SAY,
)
_OF_PICTURES = (
    FaultKind.PICTURE_CUT,
    FaultKind.PICTURE_SHORT,
    FaultKind.PICTURE_EMPTY,
    FaultKind.PICTURE_SIZE,
    FaultKind.PICTURE_TYPE,
    FaultKind.PICTURE_RANK,
)
_OF_CONTENTS = (FaultKind.PICTURE_PREVIOUS, FaultKind.PICTURE_ZERO, FaultKind.PICTURE_SATURATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, in simulated time.

    `hang_s`: how late each answer is; None: until the fault is over. `error_number`: ASCOM's, of a refusal.
    `http_status`: what a dropped call is answered with; None: nothing, the connection ends. `times`: how many times a
    rate is obeyed. `repeats_s`: it comes again
    each time so long after it began.

    Raises:
        ValueError: it lasts no time, comes again before it is over, has a number that is not finite, or is something
            that this device does not do by itself.
    """

    kind: FaultKind
    device: str
    method: str = EVERY
    begins: datetime
    for_s: float
    hang_s: float | None = None
    error_number: int = int(Reason.INVALID_OPERATION)
    http_status: int | None = None
    off_ra_deg: float = 0.0
    off_dec_deg: float = 0.0
    says: bool | float | str | None = None
    times: float = 0.0
    repeats_s: float | None = None

    def __post_init__(self) -> None:
        if not (0.0 < self.for_s < math.inf):
            raise ValueError(f"a fault that lasts {self.for_s} s never comes")
        if not all(map(math.isfinite, (self.hang_s or 0.0, self.off_ra_deg, self.off_dec_deg, self.times))):
            raise ValueError("a fault with a number that is not finite means nothing")
        if self.repeats_s is not None and not (self.for_s < self.repeats_s < math.inf):
            raise ValueError(f"a fault of {self.for_s} s cannot come again every {self.repeats_s} s")
        done = BY_THEMSELVES.get(self.device.split("_")[0], ())
        if self.kind is FaultKind.BY_ITSELF and self.method not in done:
            raise ValueError(f"{self.device} does not {self.method} by itself; it can: {', '.join(done) or 'nothing'}")

    @property
    def ends(self) -> datetime:
        """The end of its first time."""
        return self.begins + timedelta(seconds=self.for_s)

    def acts(self, at: datetime) -> bool:
        """Whether it acts at this instant, on whatever call."""
        into_s = (at - self.begins).total_seconds()
        return into_s >= 0.0 and (into_s if self.repeats_s is None else into_s % self.repeats_s) < self.for_s

    def times_begun(self, at: datetime) -> int:
        """How often it has begun by an instant."""
        into_s = (at - self.begins).total_seconds()
        if into_s < 0.0:
            return 0
        return 1 if self.repeats_s is None else 1 + int(into_s // self.repeats_s)

    def begins_time(self, time: int) -> datetime:
        """When it begins, counted from 0."""
        return self.begins + timedelta(seconds=time * (self.repeats_s or 0.0))

    def holds(self, at: datetime, methods: Iterable[str]) -> bool:
        """Whether it acts at this instant on a call known by any of these names."""
        if not self.acts(at):
            return False
        return self.method == EVERY or self.method.casefold() in {method.casefold() for method in methods}


class FaultScript:
    """All faults of an observatory, with a count of how often each one acted."""

    def __init__(
        self, now: Callable[[], datetime], *, does: Callable[[Fault, datetime], None] = lambda _, __: None
    ) -> None:
        """`does` makes a device do by itself what a fault has it do, as of an instant."""
        self._now = now
        self._does = does
        self._fired: dict[Fault, int] = {}
        self._done: dict[Fault, int] = {}
        self._asked_at = now()
        self._counts = True

    def add(self, fault: Fault) -> None:
        self._fired.setdefault(fault, 0)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Take these instead; what was counted of others is forgotten."""
        self._fired = {fault: self._fired.get(fault, 0) for fault in faults}
        self._done = {fault: time for fault, time in self._done.items() if fault in self._fired}

    def bring_about(self) -> None:
        """Let the devices do by themselves what they should have done by now. Called before each call is obeyed."""
        before, self._asked_at = self._asked_at, self._now()
        for fault in tuple(self._fired):
            begun = fault.times_begun(self._asked_at) if fault.kind is FaultKind.BY_ITSELF else 0
            if begun > self._done.get(fault, 0):
                self._done[fault] = begun
                self._fired[fault] += 1
                self._does(fault, max(before, fault.begins_time(begun - 1)))

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """What is asked meanwhile meets its faults, and they do not count it: for those who only watch."""
        self._counts = False
        try:
            yield
        finally:
            self._counts = True

    def fired(self) -> dict[Fault, int]:
        """Each fault, and how often it acted."""
        return dict(self._fired)

    def on(self, device: str) -> "DeviceFaults":
        """What concerns one device."""
        return DeviceFaults(self, device)

    def meet(self, kinds: Iterable[FaultKind], device: str, methods: Iterable[str]) -> Fault | None:
        """The first fault of these kinds that acts now on this call; it is counted."""
        if not self._fired:
            return None
        now, wanted, names = self._now(), set(kinds), tuple(methods)
        for fault in self._fired:
            if fault.kind in wanted and fault.device == device and fault.holds(now, names):
                self._fired[fault] += self._counts
                return fault
        return None


class DeviceFaults(Quirks):
    """The faults of one device: those the physics show, and those its callers meet."""

    def __init__(self, script: FaultScript, device: str) -> None:
        self._script = script
        self.device = device

    def off_by_deg(self) -> tuple[float, float]:
        lie = self._script.meet((FaultKind.LIE,), self.device, ("status", "RightAscension", "Declination"))
        return (0.0, 0.0) if lie is None else (lie.off_ra_deg, lie.off_dec_deg)

    def never_done(self, doing: str) -> bool:
        return self._script.meet((FaultKind.STUCK,), self.device, (doing,)) is not None

    def done_early(self, doing: str) -> bool:
        return self._script.meet((FaultKind.EARLY,), self.device, (doing,)) is not None

    def misses_by_deg(self) -> tuple[float, float]:
        miss = self._script.meet((FaultKind.MISS,), self.device, ("slew",))
        return (0.0, 0.0) if miss is None else (miss.off_ra_deg, miss.off_dec_deg)

    def times(self, rate: str) -> float:
        wrong = self._script.meet((FaultKind.SPEED,), self.device, (rate,))
        return 1.0 if wrong is None else wrong.times

    def jams(self, doing: str) -> bool:
        return self._script.meet((FaultKind.JAM,), self.device, (doing,)) is not None

    def contents(self) -> str | None:
        spoilt = self._script.meet(_OF_CONTENTS, self.device, ("picture",))
        return None if spoilt is None else spoilt.kind.value.removeprefix("picture_")

    def on_call(self, *methods: str) -> Fault | None:
        """The fault that a call known by these names meets now."""
        self._script.bring_about()
        return self._script.meet(_OF_CALLS, self.device, methods)

    def on_answer(self, *methods: str) -> Fault | None:
        """What goes wrong with the answer to a call known by these names, which has been obeyed."""
        return self._script.meet(_OF_ANSWERS, self.device, methods)

    def on_picture(self, *methods: str) -> Fault | None:
        """What becomes of a picture that is fetched now."""
        return self._script.meet(_OF_PICTURES, self.device, methods)
