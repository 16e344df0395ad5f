"""Whether all that moved in a night with upsets of INDI's server was decided: the wire beside the bridge's log.

The wire says what was asked of the server, and the log what was decided: a slew, an exposure, a task to go for, the
word that it is safe. Each decision is good for one command of each property, sent after it and asking for what was
decided (where to, how long); rates are streamed as long as a task is observed. The next decision of its kind takes its
place, and an upset that the bridge knows of ends them all: what was under way is to be decided anew. What stops, parks
and closes needs no decision.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from operator import itemgetter

from simulators.night.judge import Record
from simulators.sky.earth import Ground
from simulators.sky.vectors import unit_of

# The place of a slew is that of the instant at which it was decided, through air; the command comes a little later.
_SAME_PLACE_DEG = 1.0
_SAME_AZIMUTH_DEG = 0.01
_SAME_EXPOSURE_S = 1e-6


class Need(StrEnum):
    """What must have been decided before a command."""

    NOTHING = "nothing"
    SAFE = "the word that it is safe"
    ROOF = "an open roof"
    TASK = "a task to go for"
    RATES = "a task that is observed"
    SLEW = "a slew there"
    EXPOSURE = "such an exposure"


# By property; below, where the values count, by the element that is On.
_NEEDS: Mapping[str, Need] = {
    "EQUATORIAL_EOD_COORD": Need.SLEW,
    "EQUATORIAL_COORD": Need.SLEW,
    "HORIZONTAL_COORD": Need.SLEW,
    "ABS_DOME_POSITION": Need.SLEW,
    "DOME_MOTION": Need.SLEW,
    "TELESCOPE_MOTION_NS": Need.RATES,
    "TELESCOPE_MOTION_WE": Need.RATES,
    "TELESCOPE_TRACK_RATE": Need.RATES,
    "TELESCOPE_TIMED_GUIDE_NS": Need.RATES,
    "TELESCOPE_TIMED_GUIDE_WE": Need.RATES,
    "CCD_EXPOSURE": Need.EXPOSURE,
    "FILTER_SLOT": Need.TASK,
    "ABS_FOCUS_POSITION": Need.TASK,
    "REL_FOCUS_POSITION": Need.TASK,
    "ABS_ROTATOR_ANGLE": Need.TASK,
}
_NEEDS_OF_SWITCHES: Mapping[tuple[str, str], Need] = {
    ("TELESCOPE_TRACK_STATE", "TRACK_ON"): Need.SLEW,
    ("TELESCOPE_TRACK_MODE", "TRACK_CUSTOM"): Need.RATES,
    ("SAT_TRACKING_STAT", "SAT_TRACK"): Need.RATES,
    ("TELESCOPE_PARK", "UNPARK"): Need.ROOF,
    ("DOME_PARK", "UNPARK"): Need.SAFE,
    ("DOME_SHUTTER", "SHUTTER_OPEN"): Need.SAFE,
    ("CAP_PARK", "UNPARK"): Need.SAFE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`moved`: how many commands that move something were sent in the night; `undecided` are those without a decision
    of their own, in words.
    """

    moved: int
    undecided: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Decision:
    """An event that decides something, and the properties that were commanded by it."""

    event: Record
    used: set[str] = field(default_factory=set)


class _Standing:
    """What is decided at an instant of the night, told of every event and every command in their order."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._latest: dict[Need, _Decision] = {}
        self._observed: set[str] = set()

    def forget(self) -> None:
        """An upset is known: nothing of before it counts."""
        self._latest.clear()
        self._observed.clear()

    def hear(self, event: Record) -> None:
        """Some events decide something, and some end what was decided."""
        match event["event"]:
            case "SafetyChanged" if event["safe"]:
                self._latest[Need.SAFE] = _Decision(event)
            case "SafetyChanged":
                self._latest.pop(Need.SAFE, None)
            case "RoofOpened":
                self._latest[Need.ROOF] = _Decision(event)
            case "TaskAdvanced" if event["to_state"] == "observing":
                self._observed.add(event["task_id"])
                self._latest[Need.TASK] = self._latest[Need.RATES] = _Decision(event)
            case "TaskAdvanced" if event["from_state"] == "observing":
                self._leave(event["task_id"])
            case "SlewStarted" if not event["task_id"] or event["task_id"] in self._observed:
                self._latest[Need.SLEW] = _Decision(event)
            case "ExposureStarted" if event["task_id"] in self._observed:
                self._latest[Need.EXPOSURE] = _Decision(event)

    def decided(self, command: Record, need: Need) -> bool:
        """Whether this command has a decision of its own, which it then uses up."""
        decision, name = self._latest.get(need), str(command["name"])
        if decision is None or (name in decision.used and need is not Need.RATES):
            return False
        decision.used.add(name)
        asks = _ASKS.get(name)
        return asks is None or asks(command, decision.event, self._ground)

    def _leave(self, task_id: str) -> None:
        self._observed.discard(task_id)
        for need, decision in list(self._latest.items()):
            if decision.event.get("task_id") == task_id:
                del self._latest[need]


def need_of(command: Record) -> Need:
    """What must have been decided before this command may be sent."""
    values: Mapping[str, str] = command["values"]
    on = (_NEEDS_OF_SWITCHES.get((command["name"], name), Need.NOTHING) for name, how in values.items() if how == "On")
    return next((need for need in on if need is not Need.NOTHING), _NEEDS.get(command["name"], Need.NOTHING))


def judged(commands: Sequence[Record], upsets: Sequence[Record], log: Sequence[Record], ground: Ground) -> Judgement:
    """Look at each command that moves something.

    What was decided before an upset counts until the bridge knows of it: until its first word of a fault or of danger,
    or else until the server's return, for then it should.
    """
    standing, moved, undecided = _Standing(ground), 0, []
    for at, kind, record in sorted(_timeline(commands, upsets, log), key=itemgetter(0, 1)):
        if kind is _Kind.KNOWN:
            standing.forget()
        elif kind is _Kind.EVENT:
            standing.hear(record)
        elif (need := need_of(record)) is not Need.NOTHING:
            moved += 1
            if not standing.decided(record, need):
                undecided.append(_words(record, need, at))
    return Judgement(moved=moved, undecided=tuple(undecided))


def is_bad_news(event: Record) -> bool:
    """Whether the bridge says that something is amiss."""
    return event["event"] == "DeviceFault" or (event["event"] == "SafetyChanged" and not event["safe"])


class _Kind(IntEnum):
    """What stands in the timeline; of one instant in this order."""

    KNOWN = 0
    EVENT = 1
    COMMAND = 2


def _timeline(
    commands: Sequence[Record], upsets: Sequence[Record], log: Sequence[Record]
) -> Iterator[tuple[datetime, _Kind, Record]]:
    events = [(datetime.fromisoformat(one["at"]), one) for one in log if "event" in one]
    for upset in upsets:
        begins, back = (datetime.fromisoformat(upset[name]) for name in ("at", "until"))
        yield next((at for at, one in events if begins <= at < back and is_bad_news(one)), back), _Kind.KNOWN, upset
    yield from ((at, _Kind.EVENT, one) for at, one in events)
    yield from ((datetime.fromisoformat(one["at"]), _Kind.COMMAND, one) for one in commands)


def _to_this_place(command: Record, slew: Record, ground: Ground) -> bool:
    ra_deg, dec_deg = 15.0 * float(command["values"]["RA"]), float(command["values"]["DEC"])
    altitude_deg, azimuth_deg = ground.horizontal_of(ra_deg, dec_deg, datetime.fromisoformat(command["at"]))
    asked, decided = unit_of(azimuth_deg, altitude_deg), unit_of(slew["azimuth_deg"], slew["altitude_deg"])
    return math.degrees(math.acos(min(1.0, float(asked @ decided)))) <= _SAME_PLACE_DEG


def _to_this_azimuth(command: Record, slew: Record, _: Ground) -> bool:
    off_deg = float(command["values"]["DOME_ABSOLUTE_POSITION"]) - float(slew["azimuth_deg"])
    return abs(math.remainder(off_deg, 360.0)) <= _SAME_AZIMUTH_DEG


def _for_so_long(command: Record, exposure: Record, _: Ground) -> bool:
    return abs(float(command["values"]["CCD_EXPOSURE_VALUE"]) - float(exposure["exposure_s"])) <= _SAME_EXPOSURE_S


# Whether a command asks for what was decided, by property; the others ask for nothing that the log tells.
_ASKS: Mapping[str, Callable[[Record, Record, Ground], bool]] = {
    "EQUATORIAL_EOD_COORD": _to_this_place,
    "ABS_DOME_POSITION": _to_this_azimuth,
    "CCD_EXPOSURE": _for_so_long,
}


def _words(command: Record, need: Need, at: datetime) -> str:
    asked = ", ".join(f"{name} = {value}" for name, value in command["values"].items())
    return (
        f"{at.isoformat()} {command['device']}: {command['name']} ({asked}) was sent without {need}, decided since the "
        "last upset and not used yet"
    )
