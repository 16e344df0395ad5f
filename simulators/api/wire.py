"""How answers look: camelCase, ISO 8601 with Z, keys in the documented order; and what the switches do to that."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from simulators.api.switches import Switches

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Shown: TypeAlias = "Json | Answer | datetime | UUID | Enum | Sequence[Shown] | Mapping[str, Shown]"

UNHEARD_OF = "unheardOf"


class Answer(BaseModel):
    """One object of an answer. A field with a default is one that the documents call optional."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class SnakeAnswer(Answer):
    """An object whose keys the API itself writes in snake_case, as in the filter library."""

    model_config = ConfigDict(alias_generator=None)


class WireResponse(Response):
    """JSON in plain ASCII, whatever was echoed into it."""

    media_type = "application/json"

    def render(self, content: Json) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def answered(content: Shown, switches: Switches, *, status: int = 200) -> WireResponse:
    """The answer as these switches let it out."""
    return WireResponse(wire_form(content, switches), status_code=status)


def wire_form(content: Shown, switches: Switches) -> Json:
    """`content` as JSON: optional keys left out under `missing_optional`, unknown ones added under `extra_fields`."""
    if isinstance(content, Answer):
        return _object(content, switches)
    if isinstance(content, datetime):
        return instant_text(content)
    if isinstance(content, UUID):
        return str(content)
    if isinstance(content, Enum):
        return str(content.value)
    if content is None or isinstance(content, str | bool | int | float):
        return content
    if isinstance(content, Mapping):
        return {key: wire_form(inner, switches) for key, inner in content.items()}
    return [wire_form(inner, switches) for inner in content]


def _object(content: Answer, switches: Switches) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    for name, field in type(content).model_fields.items():
        if field.is_required() or not switches.missing_optional:
            shown[field.alias or name] = wire_form(getattr(content, name), switches)
    if switches.extra_fields:
        shown[UNHEARD_OF] = {"since": "a later version", "parts": [1, 2]}
    return shown


def instant_text(instant: datetime) -> str:
    """ISO 8601 in UTC, ending in Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def snake_keys(content: Mapping[str, Json]) -> dict[str, Json]:
    """The outer keys of `content` in snake_case."""
    return {_snake(key): value for key, value in content.items()}


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
