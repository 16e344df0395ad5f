"""Reading what the API says: keys in any style, null as absent, unknown keys ignored, nothing guessed."""

import re
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from bridge.errors import ApiContractBroken
from bridge.refusals import spelled

_M = TypeVar("_M", bound="WireModel")

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?\s*(?:[Zz]|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)
_FIRST_YEAR, _LAST_YEAR = 1957, 2200


def normalised(key: str) -> str:
    """`uploadId`, `upload_id` and `uploadid` are one key."""
    return key.replace("_", "").replace("-", "").lower()


def instant(value: object) -> datetime:
    """An ISO 8601 date-time as the API sends it: any number of decimals, no offset meaning UTC.

    Raises:
        ValueError: anything else, a leap second, a year without satellites.
    """
    found = _INSTANT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected an ISO 8601 date-time")
    day, minute, second, fraction, sign, hours, minutes = found.groups()
    at = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}.{(fraction or '')[:6]:0<6}+00:00")
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"expected a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return at + offset if sign == "-" else at - offset


def _uuid(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a UUID")  # noqa: TRY004 (pydantic wants a ValueError)
    return str(UUID(value))


def _clean(value: object) -> object:
    """Text without lone surrogates, which nothing can store."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


Id = Annotated[str, BeforeValidator(_uuid)]
Instant = Annotated[datetime, BeforeValidator(instant)]
Text = Annotated[str, BeforeValidator(_clean)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class WireModel(BaseModel):
    """An object of the API. A key that is null counts as not there."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        names = _aliases(cls)
        return {
            names[key]: value
            for name, value in given.items()
            if (key := normalised(name)) in names and value is not None
        }


@cache
def _aliases(model: type[WireModel]) -> dict[str, str]:
    return {normalised(name): to_camel(name) for name in model.model_fields}


def read(model: type[_M], content: object, *, doing: str) -> _M:
    """`content` as a `model`.

    Raises:
        ApiContractBroken: it is none; the message names the field.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
        key = spelled(fault["loc"]) or "the answer"
        raise ApiContractBroken(f"{doing}: {key}: {fault['msg']}") from None


def array_in(content: object, *, doing: str) -> list[Any]:
    """A bare array, or the one array in an object.

    Raises:
        ApiContractBroken: neither.
    """
    if isinstance(content, list):
        return content
    arrays = [value for value in content.values() if isinstance(value, list)] if isinstance(content, dict) else []
    if len(arrays) != 1:
        raise ApiContractBroken(f"{doing}: expected a list, or an object with one list in it")
    return list(arrays[0])
