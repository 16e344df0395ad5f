"""What a person wrote and we cannot use, in one line: file, key, value, and what is expected."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_LONGEST_VALUE = 60


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
    """The fault to speak of: an unknown key before all others, since a misspelt key is a missing one as well."""
    faults = error.errors(include_url=False, include_context=False)
    return next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])


def spelled(loc: Sequence[str | int]) -> str:
    """The path of a key as a person would write it: site.horizon[2][1]."""
    text = ""
    for part in loc:
        if part == "[key]":  # pydantic's mark for a key of a table that is itself the fault
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def shown(value: object, key: str) -> str:
    """A value in one line, short, and never a secret."""
    if key.rpartition(".")[2] == "token":
        return "(not shown)"
    if isinstance(value, dict):
        return "(a table)"  # it may hold anything, a token too
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _fault(fault: ErrorDetails, key: str, model: type[BaseModel]) -> str:
    if fault["type"] == "missing":
        return f"{key} is missing: expected a value, there is no default"
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(str(fault["loc"][-1]), _keys_beside(model, fault["loc"]), n=1)
        meant = (
            f"did you mean {near[0]}?" if near else f"expected one of {', '.join(_keys_beside(model, fault['loc']))}"
        )
        return f"{key} = {shown(fault['input'], key)}: unknown key; {meant}"
    expected = _expected(fault["msg"])
    if isinstance(fault["input"], dict) and fault["type"] == "value_error":  # of the table as a whole
        return f"{key}: {expected}" if key else expected
    return f"{key} = {shown(fault['input'], key)}: {expected}"


def _expected(message: str) -> str:
    """Pydantic's words in ours: "Input should be less than or equal to 90" becomes "expected … 90"."""
    message = re.sub(r"^(Value error, |Assertion failed, )", "", message)
    message, found = re.subn(r"^Input should (be|have) ", "expected ", message)
    return message if found or message[:1].islower() else message[:1].lower() + message[1:]


def _keys_beside(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that are allowed where the last part of `loc` stands."""
    here: Any = model
    for part in loc[:-1]:
        if isinstance(part, str) and part in here.model_fields:
            here = _model_in(here.model_fields[part].annotation) or here
    return list(here.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model`, `Model | None`, `tuple[Model, ...]`; None where there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(one) for one in get_args(annotation))
    return next((one for one in inner if one is not None), None)
