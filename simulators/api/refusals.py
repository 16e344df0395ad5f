"""Answers that say no, in the shapes of the API: `{"detail": "text"}`, or a list of issues for a 422."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from simulators.api.wire import Json, WireResponse


class Refusal(Exception):
    """The request is understood and refused with this HTTP status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class Invalid(Exception):
    """The request is malformed: a 422 with one issue for each fault, each naming its place."""

    def __init__(self, issues: Sequence[Mapping[str, Json]]) -> None:
        super().__init__(f"{len(issues)} issues: {issues}")
        self.issues = [dict(issue) for issue in issues]


def not_found(what: str, identifier: UUID) -> Refusal:
    """404 for an id that nobody has."""
    return Refusal(404, f"{what} {identifier} not found")


def one_issue(kind: str, place: Sequence[str | int], message: str, given: Json = None) -> Invalid:
    """A 422 with a single issue."""
    return Invalid([{"type": kind, "loc": list(place), "msg": message, "input": given}])


def issues_of(error: ValidationError, *place: str) -> Invalid:
    """What pydantic found, as the API words it: `place` (body, query, path) before each location."""
    issues: list[dict[str, Json]] = []
    for found in error.errors(include_url=False):
        issue: dict[str, Json] = {
            "type": found["type"],
            "loc": [*place, *found["loc"]],
            "msg": found["msg"],
            "input": None if found["type"] == "missing" else _plain(found["input"]),
        }
        if "ctx" in found:
            issue["ctx"] = {key: _plain(value) for key, value in found["ctx"].items()}
        issues.append(issue)
    return Invalid(issues)


def _plain(value: object) -> Json:
    """What can be echoed: plain JSON as it came, anything else as words."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value)


async def answer_refusal(_: Request, error: Exception) -> Response:
    """How a Refusal is answered."""
    assert isinstance(error, Refusal)  # noqa: S101 (registered for this type alone)
    return WireResponse({"detail": error.detail}, status_code=error.status)


async def answer_invalid(_: Request, error: Exception) -> Response:
    """How an Invalid is answered."""
    assert isinstance(error, Invalid)  # noqa: S101 (registered for this type alone)
    return WireResponse({"detail": list(error.issues)}, status_code=422)


async def answer_http(_: Request, error: Exception) -> Response:
    """Unknown paths and methods, as the API words them."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this type alone)
    return WireResponse({"detail": error.detail}, status_code=error.status_code, headers=dict(error.headers or {}))
