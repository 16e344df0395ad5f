"""What is an answer to a command, and what was only on its way when it was sent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.indi.answers import Answer, Verdict
from drivers.indi.properties import Kind, PropertyState, Rule, Value, Vector

WANTED = {"RA": 5.0, "DEC": 6.0}
SET = {"RA": 5.0, "DEC": 6.0}
OTHER = {"RA": 1.0, "DEC": 6.0}


def heard(state: PropertyState, values: dict[str, Value] = SET, rule: Rule = Rule.ANY_OF_MANY) -> Vector:
    return Vector(kind=Kind.NUMBER, device="D", name="P", state=state, values=values, writable=True, rule=rule)


def an_answer(*, finished: bool = True, agree: float = 1e-4, **wanted: float | bool | str) -> Answer:
    return Answer(wanted=wanted or WANTED, finished=finished, agree=agree)


words = st.tuples(st.sampled_from(PropertyState), st.sampled_from([SET, OTHER]), st.booleans())


@given(st.lists(words, max_size=8), st.booleans(), st.booleans(), st.booleans())
@settings(deadline=None)
def test_the_first_verdict_stands_and_follows_from_what_was_heard(
    said: list[tuple[PropertyState, dict[str, Value], bool]], finished: bool, asked: bool, settled: bool
) -> None:
    answer = an_answer(finished=finished)
    answer.asked, answer.settled = asked, settled
    verdicts = []
    for state, values, described in said:
        answer.hear(heard(state, values), described=described)
        verdicts.append(answer.verdict)
    given_verdicts = [one for one in verdicts if one is not None]
    assert len(set(given_verdicts)) <= 1
    states = [state for state, _, _ in said]
    match answer.verdict:
        case Verdict.REFUSED:
            assert PropertyState.ALERT in states
        case Verdict.OTHER_VALUES:
            assert any(values is OTHER for _, values, _ in said)
            assert asked or settled
        case Verdict.DONE:
            assert any(state is not PropertyState.ALERT for state in states)
        case None:
            assert PropertyState.ALERT not in states
            assert finished or PropertyState.BUSY not in states


@pytest.mark.parametrize("state", [PropertyState.OK, PropertyState.IDLE])
def test_the_values_that_were_sent_are_an_answer(state: PropertyState) -> None:
    answer = an_answer()
    assert answer.hear(heard(state), described=False)
    assert answer.verdict is Verdict.DONE


def test_busy_and_then_other_values_is_a_motion_that_ended() -> None:
    answer = an_answer()
    assert not answer.hear(heard(PropertyState.BUSY, OTHER), described=False)
    assert answer.hear(heard(PropertyState.OK, OTHER), described=False)
    assert answer.verdict is Verdict.DONE


def test_other_values_are_no_answer_until_the_driver_was_asked() -> None:
    answer = an_answer()
    assert not answer.hear(heard(PropertyState.OK, OTHER), described=False)
    assert not answer.hear(heard(PropertyState.OK, OTHER), described=True)  # another client had asked
    answer.asked = True
    assert not answer.hear(heard(PropertyState.OK, OTHER), described=False)
    assert answer.hear(heard(PropertyState.OK, OTHER), described=True)
    assert answer.verdict is Verdict.OTHER_VALUES


def test_at_the_end_silence_is_no_verdict_and_busy_is_none_either() -> None:
    assert an_answer().give_up() is None
    answer = an_answer()
    answer.hear(heard(PropertyState.BUSY), described=False)
    assert answer.give_up() is None


def test_a_command_that_need_not_be_finished_is_done_where_the_driver_spoke_and_not_where_it_was_only_read() -> None:
    spoke, read = an_answer(finished=False), an_answer(finished=False)
    spoke.hear(heard(PropertyState.OK, OTHER), described=False)
    read.hear(heard(PropertyState.OK, OTHER), described=True)
    assert (spoke.give_up(), read.give_up()) == (Verdict.DONE, Verdict.OTHER_VALUES)


@pytest.mark.parametrize(
    ("rule", "verdict"), [(Rule.AT_MOST_ONE, Verdict.DONE), (Rule.ONE_OF_MANY, None), (Rule.ANY_OF_MANY, None)]
)
def test_only_a_button_springs_back(rule: Rule, verdict: Verdict | None) -> None:
    answer = an_answer(ABORT=True)
    answer.hear(heard(PropertyState.OK, {"ABORT": False}, rule), described=False)
    assert answer.verdict is verdict


@pytest.mark.parametrize(
    ("wanted", "has", "agree", "same"),
    [
        (5.0, 5.00009, 1e-4, True),
        (5.0, 5.0002, 1e-4, False),
        (5.0, 5.4, 0.5, True),
        (123456.789, 123456.7890625, 0.0, True),  # through a 32-bit float
        (5.0, float("nan"), 1e-4, False),
        (5.0, "5", 1e-4, False),
        ("La  Palma\n", "La Palma", 1e-4, True),
        ("La Palma", "Tenerife", 1e-4, False),
        ("5", 5.0, 1e-4, False),
        (True, True, 1e-4, True),
        (True, False, 1e-4, False),
    ],
)
def test_what_counts_as_the_same_value(wanted: float | str | bool, has: Value, agree: float, same: bool) -> None:
    answer = Answer(wanted={"X": wanted}, finished=True, agree=agree)
    answer.hear(heard(PropertyState.OK, {"X": has}), described=False)
    assert (answer.verdict is Verdict.DONE) is same


def test_an_element_that_is_gone_is_not_what_was_sent() -> None:
    answer = an_answer(RA=5.0)
    assert not answer.hear(heard(PropertyState.OK, {}), described=False)
