"""How upsets were taken, from hand-made logs."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from simulators.night.decisions import Judgement
from simulators.night.upset_report import Taken, in_words, records, taken, verdicts
from tests.desk import DUSK

ENDS = DUSK + timedelta(hours=2)


def at(seconds: float) -> str:
    return (DUSK + timedelta(seconds=seconds)).isoformat()


def upset(what: str, begins_s: float) -> dict[str, Any]:
    return {"what": what, "at": at(begins_s), "until": at(begins_s + 30.0)}


def said(event: str, seconds: float, **more: Any) -> dict[str, Any]:
    return {"event": event, "at": at(seconds), **more}


def test_the_first_bad_word_is_when_it_was_noticed_and_the_last_return_when_all_was_found_again() -> None:
    log = [
        said("SafetyChanged", 90.0, safe=True),
        said("DeviceFault", 99.0, device="mount"),  # before it
        said("SafetyChanged", 112.0, safe=False),
        said("DeviceFault", 113.0, device="mount"),
        said("DeviceRecovered", 131.0, device="mount"),
        said("DeviceRecovered", 140.0, device="camera"),
        said("SafetyChanged", 135.0, safe=True),
        said("DeviceRecovered", 600.0, device="camera"),  # for another reason
        said(
            "DeviceFault", 700.0, device="filter wheel 'Filter Simulator' at 127.0.0.1:7624"
        ),  # nobody asked it before
        said("DeviceRecovered", 703.0, device="filter wheel"),
    ]
    assert taken([upset("frozen", 100.0)], log, ends=ENDS) == (
        Taken(what="frozen", noticed_s=12.0, found_again_s=10.0),
    )


def test_each_upset_has_the_words_up_to_the_next_and_one_without_any_has_no_number() -> None:
    log = [said("DeviceFault", 205.0, device="dome"), said("SafetyChanged", 233.0, safe=True)]
    first, second = taken([upset("frozen", 100.0), upset("killed", 200.0)], log, ends=ENDS)
    assert math.isnan(first.noticed_s)
    assert math.isnan(first.found_again_s)
    kept = records([upset("frozen", 100.0), upset("killed", 200.0)], [first, second])
    assert [one["noticed_s"] for one in kept] == [None, 5.0]
    assert (second.what, second.noticed_s, second.found_again_s) == ("killed", 5.0, 3.0)


def test_the_slowest_is_told_in_life_and_in_the_sky_and_what_was_missed_is_not_counted() -> None:
    answers = (
        Taken(what="frozen", noticed_s=16.0, found_again_s=4.0),
        Taken(what="frozen", noticed_s=math.nan, found_again_s=math.nan),
    )
    words = in_words(answers, rate=20.0)
    assert "frozen 2 times: noticed 1 times, within 0.80 s of life (16 s of the sky)" in words
    assert "all found again 1 times, within 0.20 s of life (4 s of the sky)" in words
    assert "killed and started again 0 times" in words


@pytest.mark.parametrize(
    "last",
    [
        said("DeviceFault", 150.0, device="mount", doing="connect"),
        said("DeviceFault", 150.0, device="camera 'CCD Simulator' at 127.0.0.1:7624"),
        said("SafetyChanged", 150.0, safe=False),
    ],
    ids=["mount", "camera", "safety"],
)
def test_where_one_is_never_found_again_not_all_were(last: dict[str, Any]) -> None:
    found = [
        said("DeviceFault", 112.0, device="mount"),
        said("SafetyChanged", 113.0, safe=False),
        said("DeviceRecovered", 131.0, device="mount"),
        said("DeviceRecovered", 132.0, device="camera"),
        said("SafetyChanged", 133.0, safe=True),
        said("DeviceFault", 134.0, device="observatory", doing="stop the mount"),
        said("DeviceFault", 134.0, device="'Telescope Simulator' at 127.0.0.1:7624", doing="stop at once"),
    ]
    at_dawn = said("SafetyChanged", 7200.0, safe=False)  # the server is taken down
    (all_there,) = taken([upset("frozen", 100.0)], [*found, at_dawn], ends=ENDS)
    assert all_there.found_again_s == 3.0
    (one_lost,) = taken([upset("frozen", 100.0)], [*found, last], ends=ENDS)
    assert math.isnan(one_lost.found_again_s)


def broken(*answers: Taken, asked: int = 1, undecided: tuple[str, ...] = (), moved: int = 9, **error: str) -> list[str]:
    """The names of the promises that do not hold at twenty times life speed."""
    log = [said("DeviceFault", 1.0, level="error"), *([said(level="error", seconds=2.0, **error)] if error else [])]
    judgement = Judgement(moved=moved, undecided=undecided)
    return [one.name for one in verdicts(answers, judgement, log, asked=asked, rate=20.0) if not one.held]


def test_each_promise_can_be_broken() -> None:
    well = Taken(what="killed", noticed_s=100.0, found_again_s=200.0)
    assert broken(well) == []
    assert broken(replace(well, noticed_s=100.1)) == broken(replace(well, noticed_s=math.nan)) == ["noticed"]
    assert broken(replace(well, found_again_s=200.1)) == broken(replace(well, found_again_s=math.nan)) == ["found"]
    assert broken(well, asked=2) == ["upset"]
    assert broken(well, undecided=("a goto",)) == broken(well, moved=0) == ["decided"]
    assert broken(well, event="DeliverySetAside") == ["errors"]
