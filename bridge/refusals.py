"""What a person wrote and we cannot use, in one line: file, key, value, and what is expected."""

import re
from collections.abc import Sequence
from datetime import date, time
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

_LONGEST_VALUE = 60
_WORDS = {"number": "a number", "integer": "a whole number", "boolean": "true or false", "string": "text in quotes"}
_FEW_KEYS = 8  # may all be named beside the one that was probably meant


def refusal(error: ValidationError, model: type[BaseModel], *, where: str, under: str = "") -> str:
    """The first fault that `error` found against `model`, and how many more there are.

    `where` is the file or the variable, `under` what the keys stand under ("task 2"). A token is
    not shown.
    """
    fault = first_fault(error)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    key = ".".join(part for part in (under, spelled(fault["loc"])) if part)
    return f"{where}: {_fault(fault, key, model)}{more}"


def first_fault(error: ValidationError) -> ErrorDetails:
    """The fault to speak of: a driver there is not, since that decides which keys there are; then an unknown key before
    all others, since a misspelt key is a missing one as well.
    """
    faults = error.errors(include_url=False, include_context=False)
    drivers = (fault for fault in faults if fault["loc"][-1:] == ("driver",))
    unknown = (fault for fault in faults if fault["type"] == "extra_forbidden")
    return next(drivers, None) or next(unknown, faults[0])


def keys_of(loc: Sequence[str | int]) -> list[str | int]:
    """A path without the marks that are no keys: "[key]" is pydantic's own, "[alpaca]" names a table's driver."""
    return [part for part in loc if not _is_mark(part)]


def spelled(loc: Sequence[str | int]) -> str:
    """The path of a key as a person would write it: site.horizon[2][1]."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in keys_of(loc))
    return "".join(parts).lstrip(".")


def shown(value: object, key: str) -> str:
    """A value in one line, short, and never a secret."""
    if key.rpartition(".")[2] == "token":
        return "(not shown)"
    if isinstance(value, dict):
        return "(a table)"  # it may hold anything, a token too
    text = value.isoformat() if isinstance(value, date | time) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _fault(fault: ErrorDetails, key: str, model: type[BaseModel]) -> str:
    if fault["type"] == "missing":
        return f"{key} is missing: expected a value, there is no default"
    if fault["type"] == "extra_forbidden":
        return f"{key} = {shown(fault['input'], key)}: {_meant(fault['loc'], model)}"
    expected = _expected(fault["msg"])
    if fault["loc"][-1:] == ("[key]",):
        return f"{key}: unknown key; {expected}"
    if isinstance(fault["input"], dict) and fault["type"] == "value_error":  # of the table as a whole
        return f"{key}: {expected}" if key else expected
    return f"{key} = {shown(fault['input'], key)}: {expected}"


def _expected(message: str) -> str:
    """Pydantic's words in ours: "Input should be less than or equal to 90" becomes "expected … 90"."""
    message = re.sub(r"timezone info$", "a time zone, like 2026-08-11T04:00:00Z", message)
    message = re.sub(r"^(Value error, |Assertion failed, )", "", message)
    message, found = re.subn(r"^Input should (be|have) ", "expected ", message)
    for theirs, ours in _WORDS.items():
        message = re.sub(rf"a valid {theirs}(, unable to .*)?$", ours, message)
    return message if found or message[:1].islower() else message[:1].lower() + message[1:]


def _meant(loc: Sequence[str | int], model: type[BaseModel]) -> str:
    """What may be said of the key at `loc`, which is not one of the table it stands in."""
    table, name = loc[:-1], str(loc[-1])
    if table and _is_mark(table[-1]):
        elsewhere = [tag for tag, one in _by_tag(_at(model, table[:-1])).items() if name in one.model_fields]
        if elsewhere:
            return (
                f"expected only where driver = '{elsewhere[0].strip('[]')}'; here it is '{str(table[-1]).strip('[]')}'"
            )
    fields = (_model_in(_at(model, table)) or model).model_fields
    keys = [field.alias or key for key, field in fields.items()]
    near = get_close_matches(name, keys, n=1)
    if not near:
        return f"unknown key; expected one of {', '.join(keys)}"
    others = f" (or one of {', '.join(key for key in keys if key != near[0])})" if len(keys) <= _FEW_KEYS else ""
    return f"unknown key; did you mean {near[0]}?{others}"


def _at(model: type[BaseModel], loc: Sequence[str | int]) -> Any:
    """The type of what stands at `loc`."""
    here: Any = model
    for part in loc:
        if _is_mark(part):
            here = _by_tag(here).get(str(part), here)
        elif isinstance(part, str):
            table = _model_in(here)
            here = table.model_fields[part].annotation if table and part in table.model_fields else here
    return here


def _by_tag(annotation: Any) -> dict[str, type[BaseModel]]:
    """The models of a union by their tags; none for any other type."""
    found: dict[str, type[BaseModel]] = {}
    for one in get_args(annotation):
        tags = [mark.tag for mark in getattr(one, "__metadata__", ()) if isinstance(mark, Tag)]
        found |= {tags[0]: get_args(one)[0]} if tags else _by_tag(one)
    return found


def _is_mark(part: str | int) -> bool:
    return isinstance(part, str) and re.fullmatch(r"\[\w+\]", part) is not None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model`, `Model | None`, `tuple[Model, ...]`; None where there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(one) for one in get_args(annotation))
    return next((one for one in inner if one is not None), None)
