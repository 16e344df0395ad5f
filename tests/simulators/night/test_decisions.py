"""What was sent after an upset is held against what was decided: hand-made wires and logs."""

from datetime import datetime
from typing import Any

import pytest

from simulators.indi.overheard import Overheard
from simulators.night.decisions import Need, judged, need_of
from tests.desk import DUSK
from tests.simulators.night.test_upset_report import at, said, upset

GOTO = {"device": "Telescope Simulator", "name": "EQUATORIAL_EOD_COORD", "values": {"RA": "3.5", "DEC": "40"}}
EXPOSE = {"device": "CCD Simulator", "name": "CCD_EXPOSURE", "values": {"CCD_EXPOSURE_VALUE": "2"}}
OPEN = {"device": "Dome Simulator", "name": "DOME_SHUTTER", "values": {"SHUTTER_OPEN": "On", "SHUTTER_CLOSE": "Off"}}
CLOSE = {"device": "Dome Simulator", "name": "DOME_SHUTTER", "values": {"SHUTTER_OPEN": "Off", "SHUTTER_CLOSE": "On"}}
PARK = {"device": "Telescope Simulator", "name": "TELESCOPE_PARK", "values": {"PARK": "On"}}

NIGHT = [
    said("SafetyChanged", 10.0, safe=True),
    said("TaskAdvanced", 50.0, to_state="observing"),
    said("SafetyChanged", 104.0, safe=False),
    said("SafetyChanged", 700.0, safe=True),
    said("TaskAdvanced", 730.0, to_state="observing"),
]


def sent(command: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {**command, "at": at(seconds), "connection": 1}


def test_what_each_command_needs() -> None:
    assert [need_of(one) for one in (GOTO, EXPOSE, OPEN, CLOSE, PARK)] == [
        Need.TASK,
        Need.TASK,
        Need.SAFE,
        Need.NOTHING,
        Need.NOTHING,
    ]


def test_what_was_decided_anew_may_move_and_what_puts_away_always_may() -> None:
    wire = [
        sent(OPEN, 20.0),
        sent(GOTO, 52.0),
        sent(EXPOSE, 102.0),  # the bridge could not know yet
        sent(PARK, 105.0),
        sent(CLOSE, 110.0),
        sent(OPEN, 705.0),
        sent(GOTO, 731.0),
        sent(EXPOSE, 760.0),
    ]
    judgement = judged(wire, [upset("frozen", 100.0)], NIGHT)
    assert (judgement.moved, judgement.undecided) == (3, ())


@pytest.mark.parametrize(
    ("command", "seconds"),
    [(GOTO, 131.0), (EXPOSE, 720.0), (OPEN, 140.0)],
    ids=["a goto that was on its way", "an exposure before a task", "an opening before it is safe"],
)
def test_what_is_sent_again_without_a_decision_is_found(command: dict[str, Any], seconds: float) -> None:
    wire = [sent(GOTO, 52.0), sent(command, seconds)]
    judgement = judged(wire, [upset("killed", 100.0)], NIGHT)
    assert judgement.moved == 1
    (words,) = judgement.undecided
    assert command["name"] in words
    assert at(100.0) in words


def test_a_decision_of_before_the_next_upset_does_not_count_after_it() -> None:
    wire = [sent(GOTO, 731.0), sent(GOTO, 810.0)]
    log = [*NIGHT, said("DeviceFault", 802.0, device="mount")]
    judgement = judged(wire, [upset("frozen", 100.0), upset("killed", 800.0)], log)
    assert (judgement.moved, len(judgement.undecided)) == (2, 1)


def test_commands_are_read_off_the_wire_however_they_are_cut() -> None:
    overheard = Overheard(now=lambda: DUSK)
    words = (
        b"<getProperties version='1.7'/>"
        b"<newNumberVector device='Telescope Simulator' name='EQUATORIAL_EOD_COORD'>\n"
        b"<oneNumber name='RA'>3.5</oneNumber><oneNumber name='DEC'> 40 </oneNumber></newNumberVector>"
        b"<newSwitchVector device='Dome &amp; roof' name='DOME_SHUTTER'><oneSwitch name='SHUTTER_OPEN'>On</oneSwitch>"
        b"</newSwitchVector><pingReply uid='1'/>"
    )
    for place in range(len(words)):
        overheard.hear(1, words[place : place + 1])
        overheard.hear(2, b"<newSwitchVector device=")  # another client, that never ends
    assert [(one.device, one.name, one.values) for one in overheard.commands] == [
        ("Telescope Simulator", "EQUATORIAL_EOD_COORD", {"RA": "3.5", "DEC": "40"}),
        ("Dome & roof", "DOME_SHUTTER", {"SHUTTER_OPEN": "On"}),
    ]
    assert all(isinstance(one.at, datetime) for one in overheard.commands)
