"""Reading what is asked: ids in paths, queries, bodies. What is malformed is refused, and its place named."""

import json
from datetime import UTC, datetime
from typing import Annotated, NoReturn, TypeVar, get_origin
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from simulators.api.refusals import Invalid, Refusal, issues_of, one_issue
from simulators.api.wire import Json

LARGEST_JSON_BYTES = 4_000_000

_T = TypeVar("_T")
_Q = TypeVar("_Q", bound="Question")
_IDENTIFIER = TypeAdapter(UUID)


def _as_utc(instant: datetime) -> datetime:
    """An instant without an offset is UTC, as everywhere in this API."""
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{instant.isoformat()} lies outside the calendar") from error


Instant = Annotated[datetime, AfterValidator(_as_utc)]


class Question(BaseModel):
    """Something asked, in snake_case; keys that nobody knows are ignored, as the API does."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class CamelQuestion(Question):
    """Something asked in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel)


def id_in_path(request: Request, name: str) -> UUID:
    """The id of that name in the path.

    Raises:
        Invalid: it is not a UUID.
    """
    try:
        return _IDENTIFIER.validate_python(request.path_params[name])
    except ValidationError as error:
        raise issues_of(error, "path", name) from error


def in_query(request: Request, kind: type[_Q]) -> _Q:
    """The query as a `kind`; a key that is asked for as a list may repeat, of any other the last counts.

    Raises:
        Invalid: a value is missing or wrong.
    """
    given: dict[str, object] = {}
    for name, field in kind.model_fields.items():
        key = field.alias or name
        if key in request.query_params:
            repeats = get_origin(field.annotation) is tuple
            given[key] = request.query_params.getlist(key) if repeats else request.query_params[key]
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise issues_of(error, "query") from error


async def in_body(request: Request, kind: TypeAdapter[_T]) -> _T:
    """The JSON body as a `kind`.

    Raises:
        Invalid: it is no JSON, or a value is missing or wrong.
        Refusal: it is larger than any honest request.
    """
    content = await json_body(request)
    try:
        return kind.validate_python(content)
    except ValidationError as error:
        raise issues_of(error, "body") from error


async def json_body(request: Request) -> Json:
    """The body as plain JSON; numbers that JSON does not know (NaN, Infinity, 1e999) are malformed.

    Raises:
        Invalid: it is no JSON.
        Refusal: it is larger than any honest request.
    """
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_JSON_BYTES:
            raise Refusal(413, f"the body is larger than {LARGEST_JSON_BYTES} bytes")
    if not raw:
        raise one_issue("missing", ["body"], "Field required")
    return parse_json(bytes(raw))


def parse_json(raw: bytes) -> Json:
    """Strict JSON.

    Raises:
        Invalid: it is not.
    """
    try:
        content: Json = json.loads(raw, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from error
    return content


def _malformed(error: Exception) -> Invalid:
    return Invalid(
        [
            {
                "type": "json_invalid",
                "loc": ["body", 0],
                "msg": "JSON decode error",
                "input": {},
                "ctx": {"error": str(error)},
            }
        ]
    )


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large")
    return number
