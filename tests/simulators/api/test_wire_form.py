"""How answers are written and questions read, apart from any route."""

import json
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from simulators.api.questions import Instant, parse_json
from simulators.api.refusals import Invalid, issues_of, not_found, one_issue
from simulators.api.switches import Switches
from simulators.api.wire import Answer, SnakeAnswer, WireResponse, instant_text, snake_keys, wire_form

PLAIN = Switches()
SPARE = Switches(missing_optional=True)
RICH = Switches(extra_fields=True)
ID = UUID("70729658-58a2-4f91-aa2d-adc97c8ead94")


class Colour(StrEnum):
    RED = "Red"


class Inner(Answer):
    some_value: int
    maybe_this: str | None = None


class Outer(Answer):
    the_id: UUID
    when: datetime
    colour: Colour
    inner_parts: list[Inner]
    free_form: dict[str, int] | None = None


class Snaky(SnakeAnswer):
    is_known: bool


def _outer() -> Outer:
    return Outer(
        the_id=ID,
        when=datetime(2026, 4, 21, 3, 0, tzinfo=UTC),
        colour=Colour.RED,
        inner_parts=[Inner(some_value=1, maybe_this="x"), Inner(some_value=2)],
        free_form={"keep_this_key": 1},
    )


def test_keys_are_camel_case_in_their_order_and_free_forms_keep_their_own() -> None:
    assert json.dumps(wire_form(_outer(), PLAIN)) == json.dumps(
        {
            "theId": str(ID),
            "when": "2026-04-21T03:00:00Z",
            "colour": "Red",
            "innerParts": [{"someValue": 1, "maybeThis": "x"}, {"someValue": 2, "maybeThis": None}],
            "freeForm": {"keep_this_key": 1},
        }
    )
    assert wire_form(Snaky(is_known=True), PLAIN) == {"is_known": True}


def test_optional_keys_go_at_every_depth() -> None:
    shown: Any = wire_form(_outer(), SPARE)
    assert list(shown) == ["theId", "when", "colour", "innerParts"]
    assert shown["innerParts"] == [{"someValue": 1}, {"someValue": 2}]


def test_unknown_keys_come_at_every_depth_but_not_into_free_forms() -> None:
    shown: Any = wire_form(_outer(), RICH)
    assert "unheardOf" in shown
    assert all("unheardOf" in one for one in shown["innerParts"])
    assert shown["freeForm"] == {"keep_this_key": 1}


def test_only_outer_keys_turn_to_snakes() -> None:
    content = {"uploadId": 1, "resultsUrl": 2, "fields": {"Content-Type": 3, "AWSAccessKeyId": 4}}
    assert snake_keys(content) == {
        "upload_id": 1,
        "results_url": 2,
        "fields": {"Content-Type": 3, "AWSAccessKeyId": 4},
    }


@settings(max_examples=100, deadline=None)
@given(
    instant=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001 (made aware below)
    offset_h=st.integers(-12, 14),
)
def test_an_instant_survives_being_written_and_read(instant: datetime, offset_h: int) -> None:
    aware = instant.replace(tzinfo=timezone(timedelta(hours=offset_h)))
    text = instant_text(aware)
    assert text.endswith("Z")
    assert TypeAdapter(Instant).validate_python(text) == aware


@pytest.mark.parametrize(
    "text",
    ["2026-04-21T03:00:00Z", "2026-04-21T03:00:00", "2026-04-21 03:00:00+00:00", "2026-04-20T21:00:00.000000-06:00"],
)
def test_every_way_of_writing_an_instant_is_read_as_utc(text: str) -> None:
    read = TypeAdapter(Instant).validate_python(text)
    assert read == datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
    assert read.utcoffset() == timedelta(0)


@settings(max_examples=100, deadline=None)
@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_comes_back_as_it_went_and_is_plain_ascii(content: Any) -> None:
    body = bytes(WireResponse(content).body)
    assert body.isascii()
    assert parse_json(body) == content


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_json_does_not_know_are_no_json(number: str) -> None:
    with pytest.raises(Invalid):
        parse_json(f'{{"x": {number}}}'.encode())


def test_an_issue_names_its_place_and_echoes_what_was_given() -> None:
    try:
        TypeAdapter(list[Inner]).validate_python([{"someValue": 1}, {"someValue": "many"}, {}])
    except ValidationError as error:
        issues = issues_of(error, "body").issues
    assert [issue["loc"] for issue in issues] == [["body", 1, "someValue"], ["body", 2, "someValue"]]
    assert issues[0]["input"] == "many"
    assert issues[1] == {"type": "missing", "loc": ["body", 2, "someValue"], "msg": "Field required", "input": None}


def test_what_is_no_json_is_echoed_as_words() -> None:
    class Odd:
        def __str__(self) -> str:
            return "something odd"

    try:
        TypeAdapter(int).validate_python({"deep": [Odd()]})
    except ValidationError as error:
        (issue,) = issues_of(error).issues
    assert issue["input"] == {"deep": ["something odd"]}


def test_refusals_say_what_was_not_found() -> None:
    refusal = not_found("Task", ID)
    assert (refusal.status, refusal.detail) == (404, f"Task {ID} not found")
    assert str(ID) in str(refusal)
    assert one_issue("missing", ["query", "x"], "Field required").issues[0]["loc"] == ["query", "x"]
