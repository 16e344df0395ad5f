"""The properties of a device, by INDI's names."""

import math
from collections.abc import Mapping
from typing import Final

from drivers.errors import Malfunction, Refused
from drivers.indi.heard import Heard, Kept
from drivers.indi.properties import Kind, Limits, PropertyState, Value, Vector
from drivers.wording import one_line

_WORDS: Final = {
    Kind.NUMBER: "numbers",
    Kind.SWITCH: "switches",
    Kind.TEXT: "texts",
    Kind.LIGHT: "lights",
    Kind.BLOB: "BLOBs",
}


class Readings:
    """What is known of a device. Reading never waits.

    A property or element that the device does not have is Refused, a number that is none a Malfunction; all of it is
    ConnectionLost once the device or its server was lost, for then nobody knows.
    """

    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    @property
    def name(self) -> str:
        """For messages: "mount 'Telescope Simulator' at localhost:7624"."""
        return self._heard.name

    def has(self, prop: str, element: str | None = None) -> bool:
        """Whether the device has this property, and this element of it."""
        self._heard.require_connected(f"look for {prop}")
        kept = self._heard.kept.get(prop)
        return kept is not None and (element is None or element in kept.vector.values)

    def number(self, prop: str, element: str) -> float:
        value = self._value(prop, element, Kind.NUMBER)
        if not isinstance(value, float) or not math.isfinite(value):
            raise Malfunction(self.name, f"read {prop}", f"{element} is {value}, which is no number")
        return value

    def numbers(self, prop: str) -> Mapping[str, float]:
        return {element: self.number(prop, element) for element in self.vector(prop).values}

    def switch(self, prop: str, element: str) -> bool:
        return self._value(prop, element, Kind.SWITCH) is True

    def chosen(self, prop: str) -> str | None:
        """The one switch that is on; None where none is, or more than one."""
        on = [element for element, value in self._of_kind(prop, Kind.SWITCH).values.items() if value is True]
        return on[0] if len(on) == 1 else None

    def text(self, prop: str, element: str) -> str:
        return str(self._value(prop, element, Kind.TEXT))

    def state(self, prop: str) -> PropertyState:
        return self.vector(prop).state

    def limits(self, prop: str, element: str) -> Limits | None:
        """Between what a number may be set; None where the driver states no limits."""
        self._value(prop, element, Kind.NUMBER)
        limits = self.vector(prop).limits.get(element)
        return limits if limits is not None and limits.minimum < limits.maximum else None

    def vector(self, prop: str) -> Vector:
        """All that is known of a property."""
        return self._kept(prop).vector

    def heard_s(self, prop: str) -> float:
        """Loop time at which the property was heard of last. Drivers tell what has changed, and no more."""
        return self._kept(prop).heard_s

    def count(self, prop: str) -> int:
        """How often the property was heard of."""
        return self._kept(prop).count

    def _kept(self, prop: str) -> Kept:
        self._heard.require_connected(f"read {prop}")
        kept = self._heard.kept.get(prop)
        if kept is None:
            raise Refused(self.name, f"read {prop}", "it has no such property")
        return kept

    def _of_kind(self, prop: str, kind: Kind) -> Vector:
        vector = self.vector(prop)
        if vector.kind is not kind:
            raise Malfunction(self.name, f"read {prop}", f"it has {_WORDS[vector.kind]}, not {_WORDS[kind]}")
        return vector

    def _value(self, prop: str, element: str, kind: Kind) -> Value:
        values = self._of_kind(prop, kind).values
        if element not in values:
            raise Refused(self.name, f"read {prop}", f"it has no {element}, but {one_line(', '.join(values))}")
        return values[element]
