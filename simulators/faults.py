"""Scripts of faults: what goes wrong, at which device, in which call, from when to when, and how often it did.

A device has a name (`mount`, `camera`, `camera_2`, …). A method is a deed (`slew`, `track`, `park`, `expose`, `status`,
…, the same whichever way the device is reached) or a member of Alpaca (`SlewToCoordinatesAsync`).
"""

import math
from collections.abc import Callable, Iterable
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
    # What is done, and answered wrongly over HTTP:
    PAGE = "page"  # with a page of HTML, as proxies do (`http_status`, or 200)
    BAD_JSON = "bad_json"  # with half of the answer's JSON
    WRONG_CASE = "wrong_case"  # with keys that begin with small letters
    WRONG_TRANSACTION = "wrong_transaction"  # as if it were the answer to the next call
    STALE = "stale"  # with what was read last before the fault began
    # What becomes of a picture on its way:
    PICTURE_CUT = "picture_cut"  # the line is cut half way
    PICTURE_SHORT = "picture_short"  # half of the pixels, said to be all
    PICTURE_EMPTY = "picture_empty"  # nothing at all
    PICTURE_SIZE = "picture_size"  # a column more than there is
    PICTURE_TYPE = "picture_type"  # a type of pixels that nobody knows
    PICTURE_RANK = "picture_rank"  # three dimensions, of which one is missing


_OF_CALLS = (FaultKind.HANG, FaultKind.DROP, FaultKind.REFUSE)
_OF_ANSWERS = (FaultKind.PAGE, FaultKind.BAD_JSON, FaultKind.WRONG_CASE, FaultKind.WRONG_TRANSACTION, FaultKind.STALE)
_OF_PICTURES = (
    FaultKind.PICTURE_CUT,
    FaultKind.PICTURE_SHORT,
    FaultKind.PICTURE_EMPTY,
    FaultKind.PICTURE_SIZE,
    FaultKind.PICTURE_TYPE,
    FaultKind.PICTURE_RANK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, in simulated time.

    `hang_s`: how late each answer is; None: until the fault is over. `error_number`: ASCOM's, of a refusal.
    `http_status`: what a dropped call is answered with; None: nothing, the connection ends.

    Raises:
        ValueError: it lasts no time, or a number is not finite.
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

    def __post_init__(self) -> None:
        if not (0.0 < self.for_s < math.inf):
            raise ValueError(f"a fault that lasts {self.for_s} s never comes")
        if not all(map(math.isfinite, (self.hang_s or 0.0, self.off_ra_deg, self.off_dec_deg))):
            raise ValueError("a fault with a number that is not finite means nothing")

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(seconds=self.for_s)

    def holds(self, at: datetime, methods: Iterable[str]) -> bool:
        """Whether it acts at this instant on a call known by any of these names."""
        if not self.begins <= at < self.ends:
            return False
        return self.method == EVERY or self.method.casefold() in {method.casefold() for method in methods}


class FaultScript:
    """All faults of an observatory, with a count of how often each one acted."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._fired: dict[Fault, int] = {}

    def add(self, fault: Fault) -> None:
        self._fired.setdefault(fault, 0)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Take these instead; what was counted of others is forgotten."""
        self._fired = {fault: self._fired.get(fault, 0) for fault in faults}

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
                self._fired[fault] += 1
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

    def on_call(self, *methods: str) -> Fault | None:
        """The fault that a call known by these names meets now."""
        return self._script.meet(_OF_CALLS, self.device, methods)

    def on_answer(self, *methods: str) -> Fault | None:
        """What goes wrong with the answer to a call known by these names, which has been obeyed."""
        return self._script.meet(_OF_ANSWERS, self.device, methods)

    def on_picture(self, *methods: str) -> Fault | None:
        """What becomes of a picture that is fetched now."""
        return self._script.meet(_OF_PICTURES, self.device, methods)
