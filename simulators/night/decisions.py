"""Whether what moved after an upset of INDI's server was decided anew: the wire beside the bridge's log.

A command on the wire says what was asked for, and the log says what was decided. From the moment the bridge knew of an
upset on, nothing that moves may be sent but on a decision after it: to go for a task, or, for what makes ready, the
word that it is safe again. What stops, parks and closes needs no decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from simulators.night.judge import Record


class Need(StrEnum):
    """What must have been decided before a command."""

    NOTHING = "nothing"
    SAFE = "the word that it is safe"
    TASK = "a task to go for"


# By property; below, where the values count, by the element that is On.
_NEEDS: Mapping[str, Need] = {
    "EQUATORIAL_EOD_COORD": Need.TASK,
    "EQUATORIAL_COORD": Need.TASK,
    "HORIZONTAL_COORD": Need.TASK,
    "TELESCOPE_MOTION_NS": Need.TASK,
    "TELESCOPE_MOTION_WE": Need.TASK,
    "TELESCOPE_TRACK_RATE": Need.TASK,
    "TELESCOPE_TIMED_GUIDE_NS": Need.TASK,
    "TELESCOPE_TIMED_GUIDE_WE": Need.TASK,
    "CCD_EXPOSURE": Need.TASK,
    "FILTER_SLOT": Need.TASK,
    "ABS_FOCUS_POSITION": Need.TASK,
    "REL_FOCUS_POSITION": Need.TASK,
    "ABS_ROTATOR_ANGLE": Need.TASK,
    "ABS_DOME_POSITION": Need.SAFE,
    "DOME_MOTION": Need.SAFE,
}
_NEEDS_OF_SWITCHES: Mapping[tuple[str, str], Need] = {
    ("TELESCOPE_TRACK_STATE", "TRACK_ON"): Need.TASK,
    ("SAT_TRACKING_STAT", "SAT_TRACK"): Need.TASK,
    ("TELESCOPE_PARK", "UNPARK"): Need.SAFE,
    ("DOME_PARK", "UNPARK"): Need.SAFE,
    ("DOME_SHUTTER", "SHUTTER_OPEN"): Need.SAFE,
    ("CAP_PARK", "UNPARK"): Need.SAFE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`moved`: how many commands that move something were sent after an upset; `undecided` are those without a decision
    of their own, in words.
    """

    moved: int
    undecided: tuple[str, ...]


def need_of(command: Record) -> Need:
    """What must have been decided before this command may be sent."""
    values: Mapping[str, str] = command["values"]
    on = (_NEEDS_OF_SWITCHES.get((command["name"], name), Need.NOTHING) for name, how in values.items() if how == "On")
    return next((need for need in on if need is not Need.NOTHING), _NEEDS.get(command["name"], Need.NOTHING))


def judged(commands: Sequence[Record], upsets: Sequence[Record], log: Sequence[Record]) -> Judgement:
    """Look at each command that moves something and was sent after an upset that the bridge knew of.

    An upset nobody noticed leaves nothing to judge by: every such command until the next one counts as undecided.
    """
    events = sorted(((datetime.fromisoformat(one["at"]), one) for one in log if "event" in one), key=lambda one: one[0])
    begins = [datetime.fromisoformat(one["at"]) for one in upsets]
    moved, undecided = 0, []
    for command in commands:
        need, at = need_of(command), datetime.fromisoformat(command["at"])
        latest = max((one for one in begins if one <= at), default=None)
        if need is Need.NOTHING or latest is None:
            continue
        known_at = next((when for when, event in events if when >= latest and is_bad_news(event)), latest)
        if at < known_at:
            continue  # the bridge could not know yet: its decision stands
        moved += 1
        if not any(known_at <= when <= at and _decides(event, need) for when, event in events):
            undecided.append(_words(command, need, latest))
    return Judgement(moved=moved, undecided=tuple(undecided))


def is_bad_news(event: Record) -> bool:
    """Whether the bridge says that something is amiss."""
    return event["event"] == "DeviceFault" or (event["event"] == "SafetyChanged" and not event["safe"])


def _decides(event: Record, need: Need) -> bool:
    if need is Need.SAFE:
        return bool(event["event"] == "SafetyChanged" and event["safe"]) or _goes_for_a_task(event)
    return _goes_for_a_task(event)


def _goes_for_a_task(event: Record) -> bool:
    return bool(event["event"] == "TaskAdvanced" and event["to_state"] == "observing")


def _words(command: Record, need: Need, upset_at: datetime) -> str:
    asked = ", ".join(f"{name} = {value}" for name, value in command["values"].items())
    return (
        f"{command['at']} {command['device']}: {command['name']} ({asked}) was sent without {need} since the upset at "
        f"{upset_at.isoformat()} was known"
    )
