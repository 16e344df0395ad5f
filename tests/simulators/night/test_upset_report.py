"""How upsets were taken, from hand-made logs."""

import math
from datetime import timedelta
from typing import Any

from simulators.night.upset_report import Taken, in_words, records, taken
from tests.desk import DUSK


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
    assert taken([upset("frozen", 100.0)], log) == (Taken(what="frozen", noticed_s=12.0, found_again_s=10.0),)


def test_each_upset_has_the_words_up_to_the_next_and_one_without_any_has_no_number() -> None:
    log = [said("DeviceFault", 205.0, device="dome"), said("SafetyChanged", 233.0, safe=True)]
    first, second = taken([upset("frozen", 100.0), upset("killed", 200.0)], log)
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
