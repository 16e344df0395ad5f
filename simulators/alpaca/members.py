"""What a row of the member tables is: an ASCOM member, what it takes, and what it does to a simulated device.

Each device type has one table (telescope_members.py, camera.py, around.py, …), and all share every_device.py. The words
of the rows are: `reads`, `takes`, `does`, `lacks`; `deed` is the name scripts of faults know the call by.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from simulators.physics.camera import Shot
from simulators.physics.refusals import Reason, Refusal

_T = TypeVar("_T")
_A = TypeVar("_A")
_B = TypeVar("_B")


class BadRequest(Exception):
    """The request does not follow Alpaca's rules: answered with HTTP 400, whatever the device would say."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The answer that stands for an image: developed and sent in its own way."""

    train: int
    shot: Shot


@dataclass(frozen=True, slots=True)
class Begun:
    """No answer, and a hint: an exposure has begun, whose picture will be wanted."""

    train: int
    shot: Shot


Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Value = Json | Picture | Begun


@dataclass(frozen=True)
class Parameter(Generic[_A]):
    """A named parameter and how its text is read (a ValueError: it is not one); `absent` stands for a missing one."""

    name: str
    reading: Callable[[str], _A]
    absent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Call(Generic[_T]):
    """One way to call a member: GET or PUT.

    `run` gets the arguments as text, by the names of the parameters, and so does `until`: answered only when it is so.
    """

    deed: str
    parameters: tuple[str, ...] = ()
    run: Callable[[_T, Mapping[str, str]], Value]
    until: Callable[[_T, Mapping[str, str]], bool] | None = None


@dataclass(frozen=True)
class Member(Generic[_T]):
    """An ASCOM member of a device type."""

    name: str
    get: Call[_T] | None = None
    put: Call[_T] | None = None


Table = Mapping[str, Member[_T]]


def table(*members: Member[_T]) -> Table[_T]:
    """Members by the lower-case names that stand in addresses."""
    return {member.name.lower(): member for member in members}


def reads(of: Callable[[_T], Value]) -> Call[_T]:
    """A property."""
    return Call(deed="status", run=lambda subject, _: of(subject))


def does(deed: str, do: Callable[[_T], None], *, until: Callable[[_T], bool] | None = None) -> Call[_T]:
    """A method without parameters."""
    waits = None if until is None else lambda subject, _: until(subject)
    return Call(deed=deed, run=lambda subject, _: do(subject), until=waits)


def takes(deed: str, parameter: Parameter[_A], do: Callable[[_T, _A], Value]) -> Call[_T]:
    """A method, or the setter of a property, with one parameter."""

    def run(subject: _T, given: Mapping[str, str]) -> Value:
        return do(subject, _read(parameter, given))

    return Call(deed=deed, parameters=(parameter.name,), run=run)


def takes_two(
    deed: str,
    first: Parameter[_A],
    second: Parameter[_B],
    do: Callable[[_T, _A, _B], Value],
    *,
    until: Callable[[_T, _A, _B], bool] | None = None,
) -> Call[_T]:
    """A method with two parameters."""

    def run(subject: _T, given: Mapping[str, str]) -> Value:
        return do(subject, _read(first, given), _read(second, given))

    def waits(subject: _T, given: Mapping[str, str]) -> bool:
        return until is None or until(subject, _read(first, given), _read(second, given))

    return Call(deed=deed, parameters=(first.name, second.name), run=run, until=waits)


def lacks(*parameters: Parameter[Any]) -> Call[Any]:
    """A member that these devices do not have; its parameters are looked at all the same."""

    def run(_: Any, given: Mapping[str, str]) -> Value:
        for parameter in parameters:
            _read(parameter, given)
        raise Refusal(Reason.NOT_IMPLEMENTED, "this simulated device does not do that")

    return Call(deed="status", parameters=tuple(parameter.name for parameter in parameters), run=run)


def real(name: str) -> Parameter[float]:
    """A finite number."""

    def reading(written: str) -> float:
        value = float(written)
        if not math.isfinite(value):
            raise ValueError(written)
        return value

    return Parameter(name, reading)


def whole(name: str) -> Parameter[int]:
    """An integer of 32 bits."""

    def reading(written: str) -> int:
        value = int(written)
        if not -(2**31) <= value < 2**31:
            raise ValueError(written)
        return value

    return Parameter(name, reading)


def flag(name: str) -> Parameter[bool]:
    """True or False, in any case."""
    return Parameter(name, lambda written: {"true": True, "false": False}[written.strip().casefold()])


def instant(name: str) -> Parameter[datetime]:
    """An instant in ISO 8601, of UTC where it names no zone."""

    def reading(written: str) -> datetime:
        at = datetime.fromisoformat(written)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)

    return Parameter(name, reading)


def text(name: str, *, absent: str | None = None) -> Parameter[str]:
    """Anything."""
    return Parameter(name, str, absent)


def _read(parameter: Parameter[_A], given: Mapping[str, str]) -> _A:
    written = given.get(parameter.name, parameter.absent)
    if written is None:
        raise BadRequest(f"the parameter {parameter.name} is missing (its case counts in a PUT)")
    try:
        return parameter.reading(written)
    except (ValueError, KeyError, OverflowError):
        raise BadRequest(f"the parameter {parameter.name} cannot be {written[:100]!r}") from None
