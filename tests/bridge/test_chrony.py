"""chrony's word: answers as chrony 4.3 gives them, and whatever else could come."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.chrony import ChronySilent, Tracking, tracking_of

SLOW = "A29FC87B,time.example,3,1795900303.977938916,0.000120000,-0.00001,0.00002,-12.3,0.0,0.4,0.02000000,0.00100000"
GOOD = f"{SLOW},64.5,Normal"


def test_the_clock_is_off_by_the_correction_the_dispersion_and_half_the_delay() -> None:
    assert tracking_of(GOOD) == Tracking(0.00012, pytest.approx(0.01112))


@pytest.mark.parametrize(
    "answer",
    [
        "00000000,,0,0.000000000,0.000000000,0.0,0.0,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised",
        f"{SLOW},64.5,Not synchronised",
        GOOD.replace(",3,", ",0,"),
        GOOD.replace(",3,", ",16,"),
        # serving its own clock as if it were right: no offset, no dispersion, "Normal"
        "7F7F0101,,8,1795900303.977938916,0.000000000,0.0,0.0,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal",
    ],
)
def test_a_clock_that_follows_nothing_is_not_known_however_good_its_figures_are(answer: str) -> None:
    said = tracking_of(answer)
    assert not said.follows
    assert math.isnan(said.error_s)


@pytest.mark.parametrize("leap", ["Normal", "Insert second", "Delete second"])
def test_a_leap_second_ahead_is_no_fault(leap: str) -> None:
    assert tracking_of(f"{SLOW},64.5,{leap}\n").follows


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "506 Cannot talk to daemon",
        "501 Not authorised",
        SLOW,
        f"{GOOD},more",
        GOOD.replace("0.000120000", "nan"),
        GOOD.replace("0.000120000", "inf"),
        GOOD.replace("0.00100000", "-1.0"),
        GOOD.replace("0.02000000", "-9.0"),
        GOOD.replace("0.00100000", "1 ms"),
        GOOD.replace(",3,", ",three,"),
        "\x00" * 200,
    ],
)
def test_what_is_no_answer_is_refused(answer: str) -> None:
    with pytest.raises(ChronySilent):
        tracking_of(answer)


@given(
    columns=st.lists(st.one_of(st.text(max_size=8), st.floats().map(str), st.just("Normal")), min_size=14, max_size=14)
)
def test_whatever_comes_is_a_bound_nothing_to_follow_or_no_answer(columns: list[str]) -> None:
    try:
        said = tracking_of(",".join(columns))
    except ChronySilent:
        return
    assert not said.follows or 0.0 <= said.error_s < math.inf
