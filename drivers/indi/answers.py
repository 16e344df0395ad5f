"""Whether what a driver says of a property is its answer to a command, and which.

INDI numbers no commands: an update that was on its way when the command was sent looks like its answer. What tells them
apart is that a driver answers in order: a description asked for after the command comes after it was dealt with.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from drivers.indi.properties import PropertyState, Rule, Settable, Value, Vector

_RELATIVE: Final = 1e-7  # of a number that went through a 32-bit float


class Verdict(Enum):
    """How a command ended."""

    DONE = auto()
    REFUSED = auto()
    OTHER_VALUES = auto()  # the driver is content, and has other values than were sent


@dataclass(slots=True, kw_only=True)
class Answer:
    """Judges each word of a driver on one property since a command with `wanted` was sent.

    With `finished` the command is done when the property is no longer Busy, else as soon as the driver sets about it.
    Values are not compared once it was Busy: then they show how far it has come, not what was asked. `agree` is how far
    apart numbers may lie.
    """

    wanted: Mapping[str, Settable]
    finished: bool
    agree: float
    verdict: Verdict | None = None
    busy: bool = False
    spoke: bool = False  # of its own accord, not because it was asked
    unclear: bool = False  # content with other values: perhaps from before the command
    asked: bool = False  # to describe it again: the next description is certain to follow the command
    settled: bool = False  # so late that whatever comes follows the command

    def hear(self, vector: Vector, *, described: bool) -> bool:
        """Take the property as it was just heard; True when there is a verdict."""
        self.spoke = self.spoke or not described
        if self.verdict is None:
            self.verdict = self._judge(vector, certain=self.settled or (described and self.asked))
        return self.verdict is not None

    def give_up(self) -> Verdict | None:
        """The verdict if nothing more is to be heard; None where the driver has said nothing, or is Busy."""
        if self.verdict is None and self.unclear and not self.busy:
            self.verdict = Verdict.OTHER_VALUES if self.finished or not self.spoke else Verdict.DONE
        return self.verdict

    def _judge(self, vector: Vector, *, certain: bool) -> Verdict | None:
        match vector.state:
            case PropertyState.ALERT:
                return Verdict.REFUSED
            case PropertyState.BUSY:
                self.busy = True
                return None if self.finished else Verdict.DONE
        if self.busy or all(self._agrees(vector, element) for element in self.wanted):
            return Verdict.DONE
        self.unclear = True
        return self.give_up() if certain else None

    def _agrees(self, vector: Vector, element: str) -> bool:
        wanted, has = self.wanted[element], vector.values.get(element)
        if isinstance(wanted, bool):
            # a button that may be out springs back when it has done its work
            pressed = vector.rule is Rule.AT_MOST_ONE and not any(vector.values.values())
            return pressed or has is wanted
        if isinstance(wanted, str) or not isinstance(has, float):
            return _texts_agree(wanted, has)
        return math.isclose(wanted, has, rel_tol=_RELATIVE, abs_tol=self.agree)


def _texts_agree(wanted: Settable, has: Value | None) -> bool:
    return isinstance(wanted, str) and isinstance(has, str) and wanted.split() == has.split()
