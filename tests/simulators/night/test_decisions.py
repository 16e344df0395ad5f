"""What was sent after an upset is held against what was decided: hand-made wires and logs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest

from simulators.indi.overheard import Overheard
from simulators.night.decisions import Need, judged, need_of
from simulators.sky.earth import Ground
from tests.desk import DUSK
from tests.simulators.night.test_upset_report import at, said, upset

GROUND = Ground(latitude_deg=38.84, longitude_deg=-104.97, elevation_m=1900.0)


def goto(ra_hours: float, dec_deg: float) -> dict[str, Any]:
    return {"name": "EQUATORIAL_EOD_COORD", "values": {"RA": str(ra_hours), "DEC": str(dec_deg)}}


def switched(name: str, on: str, off: str) -> dict[str, Any]:
    return {"name": name, "values": {on: "On", off: "Off"}}


GOTO = goto(3.5, 40.0)
TRACK = switched("TELESCOPE_TRACK_STATE", "TRACK_ON", "TRACK_OFF")
RATES = {"name": "TELESCOPE_TRACK_RATE", "values": {"TRACK_RATE_RA": "-7.1", "TRACK_RATE_DE": "30.6"}}
EXPOSE = {"name": "CCD_EXPOSURE", "values": {"CCD_EXPOSURE_VALUE": "2.0"}}
FILTER = {"name": "FILTER_SLOT", "values": {"FILTER_SLOT_VALUE": "4.0"}}
OPEN = switched("DOME_SHUTTER", "SHUTTER_OPEN", "SHUTTER_CLOSE")
CLOSE = switched("DOME_SHUTTER", "SHUTTER_CLOSE", "SHUTTER_OPEN")
PARK = switched("TELESCOPE_PARK", "PARK", "UNPARK")
UNPARK = switched("TELESCOPE_PARK", "UNPARK", "PARK")
ABORT = {"name": "TELESCOPE_ABORT_MOTION", "values": {"ABORT": "On"}}


def turn(azimuth_deg: float) -> dict[str, Any]:
    return {"name": "ABS_DOME_POSITION", "values": {"DOME_ABSOLUTE_POSITION": str(azimuth_deg)}}


def sent(command: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {**command, "device": "Some Simulator", "at": at(seconds), "connection": 1}


def slew(seconds: float, task: str) -> dict[str, Any]:
    """A slew to where `GOTO` goes."""
    altitude_deg, azimuth_deg = GROUND.horizontal_of(3.5 * 15.0, 40.0, datetime.fromisoformat(at(seconds)))
    return said("SlewStarted", seconds, task_id=task, altitude_deg=altitude_deg, azimuth_deg=azimuth_deg)


def azimuth_deg(seconds: float) -> float:
    return float(slew(seconds, "")["azimuth_deg"])


def observed(seconds: float, task: str, **more: str) -> dict[str, Any]:
    return said("TaskAdvanced", seconds, task_id=task, **({"from_state": "planned", "to_state": "observing"} | more))


def left(seconds: float, task: str) -> dict[str, Any]:
    return observed(seconds, task, from_state="observing", to_state="captured")


# Opened, and a task gone for; an upset at 100, known at 104; opened again when it had been safe for long, and gone on.
LOG = [
    said("SafetyChanged", 10.0, safe=True),
    said("RoofOpened", 30.0),
    observed(50.0, "A"),
    slew(51.0, "A"),
    said("ExposureStarted", 80.0, task_id="A", exposure_s=2.0),
    said("SafetyChanged", 104.0, safe=False),
    observed(105.0, "A", from_state="observing", to_state="pending"),
    said("SafetyChanged", 135.0, safe=True),
    said("RoofOpened", 745.0),
    observed(750.0, "A"),
    slew(751.0, "A"),
    said("ExposureStarted", 780.0, task_id="A", exposure_s=2.0),
    said("ExposureStarted", 785.0, task_id="A", exposure_s=2.0),
    left(790.0, "A"),
]
WIRE = [
    sent(OPEN, 20.0),
    sent(UNPARK, 31.0),
    *(sent(one, 52.0) for one in (TRACK, GOTO, turn(azimuth_deg(51.0)))),
    sent(FILTER, 53.0),
    *(sent(RATES, seconds) for seconds in (70.0, 71.0, 72.0)),
    sent(EXPOSE, 101.0),  # the bridge could not know yet
    *(sent(one, 110.0) for one in (ABORT, PARK, CLOSE)),
    sent(OPEN, 740.0),
    sent(UNPARK, 746.0),
    *(sent(one, 752.0) for one in (TRACK, GOTO, turn(azimuth_deg(751.0)))),
    sent(EXPOSE, 781.0),
    sent(RATES, 782.0),
    sent(RATES, 783.0),
    sent(EXPOSE, 786.0),
]
UPSETS = [upset("frozen", 100.0)]


def undecided(*more: dict[str, Any], log: Sequence[dict[str, Any]] = LOG) -> tuple[str, ...]:
    return judged([*WIRE, *more], UPSETS, log, GROUND).undecided


def test_what_each_command_needs() -> None:
    assert [need_of(one) for one in (GOTO, EXPOSE, OPEN, UNPARK, FILTER, RATES)] == [
        Need.SLEW,
        Need.EXPOSURE,
        Need.SAFE,
        Need.ROOF,
        Need.TASK,
        Need.RATES,
    ]
    assert {need_of(one) for one in (CLOSE, PARK, ABORT)} == {Need.NOTHING}


def test_what_was_decided_may_move_and_what_puts_away_always_may() -> None:
    judgement = judged(WIRE, UPSETS, LOG, GROUND)
    assert (judgement.moved, judgement.undecided) == (len(WIRE) - 3, ())


@pytest.mark.parametrize("one", [one for one in WIRE if need_of(one) not in (Need.NOTHING, Need.RATES)], ids=str)
def test_whatever_is_sent_once_more_without_a_decision_is_found(one: dict[str, Any]) -> None:
    """Also what moves nothing further, and what its own decision had ended for."""
    again = {**one, "at": (datetime.fromisoformat(one["at"]) + timedelta(seconds=0.5)).isoformat()}
    (words,) = undecided(again)
    assert one["name"] in words
    assert again["at"] in words


@pytest.mark.parametrize(
    "one", [OPEN, UNPARK, TRACK, GOTO, turn(azimuth_deg(51.0)), FILTER, RATES, EXPOSE], ids=itemgetter("name")
)
@pytest.mark.parametrize("seconds", [106.0, 131.0], ids=["while the server is away", "when it is back"])
def test_whatever_moves_is_found_where_it_was_decided_before_the_upset(one: dict[str, Any], seconds: float) -> None:
    (words,) = undecided(sent(one, seconds))
    assert one["name"] in words


def test_the_roof_may_be_opened_once_it_is_safe_again() -> None:
    assert not judged([sent(OPEN, 136.0)], UPSETS, LOG, GROUND).undecided


@pytest.mark.parametrize("seconds", [795.0, 2000.0])
def test_rates_are_nothing_anymore_when_the_task_is_left(seconds: float) -> None:
    assert len(undecided(sent(RATES, seconds))) == 1


@pytest.mark.parametrize(
    ("one", "seconds"),
    [
        (goto(3.6, 40.0), 752.0),
        (turn(azimuth_deg(751.0) + 0.1), 752.0),
        (EXPOSE | {"values": {"CCD_EXPOSURE_VALUE": "3"}}, 781.0),
    ],
    ids=["another place", "another azimuth", "another exposure"],
)
def test_a_command_for_something_else_than_was_decided_is_found(one: dict[str, Any], seconds: float) -> None:
    wire = [sent(one, seconds) if (at(seconds), one["name"]) == (each["at"], each["name"]) else each for each in WIRE]
    (words,) = judged(wire, UPSETS, LOG, GROUND).undecided
    assert one["name"] in words


def test_a_slew_for_a_task_that_was_gone_for_before_the_upset_is_no_new_decision() -> None:
    log = [*LOG[:6], slew(140.0, "A"), said("ExposureStarted", 150.0, task_id="A", exposure_s=2.0)]
    found = judged([sent(GOTO, 141.0), sent(EXPOSE, 151.0)], UPSETS, log, GROUND)
    assert (found.moved, len(found.undecided)) == (2, 2)


def test_of_an_upset_that_nobody_noticed_nothing_is_decided_once_the_server_is_back() -> None:
    log = LOG[:5]
    assert not judged([sent(EXPOSE, 129.0)], UPSETS, log, GROUND).undecided
    assert len(judged([sent(EXPOSE, 131.0)], UPSETS, log, GROUND).undecided) == 1


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
