"""What an INDI server says of a device: its properties, vectors of named values with one state, and how they change.

Words and meanings are those of the INDI protocol 1.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final


class PropertyState(StrEnum):
    """What a property, or a light, shows."""

    IDLE = "Idle"
    OK = "Ok"
    BUSY = "Busy"
    ALERT = "Alert"


class Kind(Enum):
    """What the values of a property are; the name is INDI's word for one of them."""

    NUMBER = "Number"
    SWITCH = "Switch"
    TEXT = "Text"
    LIGHT = "Light"
    BLOB = "BLOB"


class Rule(StrEnum):
    """How many switches of a vector may be on."""

    ONE_OF_MANY = "OneOfMany"
    AT_MOST_ONE = "AtMostOne"
    ANY_OF_MANY = "AnyOfMany"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Between what a number may be set. Where both ends are equal the driver states no limits."""

    minimum: float
    maximum: float
    step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A file from a driver, decoded; `format` is as a file's ending (".fits"), without ".z" where it was inflated."""

    format: str
    body: memoryview


# Number (nan where the driver sent what is no number), switch, text, light, BLOB.
Value = float | bool | str | PropertyState | Blob
# What can be sent to a driver.
Settable = float | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A property as last heard. BLOBs are not kept in `values`: they come as events of their own.

    `labels` are what people read beside the elements: some name their unit.
    """

    kind: Kind
    device: str
    name: str
    state: PropertyState
    values: Mapping[str, Value]
    writable: bool
    limits: Mapping[str, Limits] = field(default_factory=dict)
    rule: Rule = Rule.ANY_OF_MANY
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """A property is there, or is described again: servers do so whenever any client asks."""

    vector: Vector
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """New values of a property, perhaps not of all its elements; `state` is None where it stays as it was."""

    kind: Kind
    device: str
    name: str
    state: PropertyState | None
    values: Mapping[str, Value]
    limits: Mapping[str, Limits] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A property is gone; the whole device where `name` is None."""

    device: str
    name: str | None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Words of a driver, or of the server where `device` is empty."""

    device: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PingReply:
    """The answer to a ping."""

    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PingRequest:
    """The server asks whether we are still there, and have taken what it sent."""

    uid: str


Event = Defined | Updated | Deleted | Said | PingReply | PingRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A command: these values for a property."""

    kind: Kind
    device: str
    name: str
    values: Mapping[str, Settable]


LARGEST_BLOB_BYTES: Final = 1 << 29  # half a gibibyte: four times the frame of a 61-megapixel camera
