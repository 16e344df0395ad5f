"""Elements of INDI's XML and what they mean, both ways."""

import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from drivers.indi.errors import NotIndi
from drivers.indi.properties import (
    Blob,
    Defined,
    Deleted,
    Event,
    Kind,
    Limits,
    New,
    PingReply,
    PingRequest,
    PropertyState,
    Rule,
    Said,
    Settable,
    Updated,
    Value,
    Vector,
)

VERSION: Final = "1.7"  # a driver ends itself when a client names a later one than its own

_UNSENDABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, production 2
_KINDS: Final = {kind.value: kind for kind in Kind}
_VECTOR: Final = re.compile(r"(def|set)(Number|Switch|Text|Light|BLOB)Vector")
_SEXAGESIMAL: Final = re.compile(r"([+-]?)\s*(\d+(?:\.\d*)?)(?:[\s:;]+(\d+(?:\.\d*)?))?(?:[\s:;]+(\d+(?:\.\d*)?))?")


def event_of(element: Element) -> Event | None:
    """What an element says; None where it is of no concern to a client.

    Raises:
        NotIndi: a part is missing without which it means nothing.
    """
    match element.tag:
        case "message":
            return Said(device=element.get("device", ""), message=element.get("message", ""))
        case "delProperty":
            return Deleted(
                device=_attribute(element, "device"), name=element.get("name"), message=element.get("message", "")
            )
        case "pingReply":
            return PingReply(uid=element.get("uid", ""))
        case "pingRequest":
            return PingRequest(uid=element.get("uid", ""))
    vector = _VECTOR.fullmatch(element.tag)
    if vector is None:
        return None  # what clients tell drivers, and what later versions may add
    kind = _KINDS[vector[2]]
    return _defined(element, kind) if vector[1] == "def" else _updated(element, kind)


def blobs_updated(element: Element, blobs: Mapping[str, Blob]) -> Updated:
    """The event of a setBLOBVector, whose BLOBs were decoded apart."""
    return _update(element, Kind.BLOB, blobs)


def number_of(text: str) -> float:
    """A number as INDI writes it, also sexagesimal ("-5:30:00", "12 30"); nan where it is none."""
    text = text.strip()
    try:
        return float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        parts = _SEXAGESIMAL.fullmatch(text)
    if parts is None or not text.isascii():
        return math.nan
    whole, minutes, seconds = (float(part or 0.0) for part in parts.group(2, 3, 4))
    return math.copysign(whole + minutes / 60.0 + seconds / 3600.0, -1.0 if parts[1] == "-" else 1.0)


def number_text(value: float) -> str:
    """A finite number as every driver reads it: exact, and never with an exponent, which a reader of sexagesimal
    numbers need not know.
    """
    return format(Decimal(repr(float(value))), "f")


def can_be_sent(value: Settable) -> bool:
    """Whether the value is a finite number, a switch, or a text that XML can hold."""
    if isinstance(value, str):
        return _UNSENDABLE.search(value) is None
    return math.isfinite(value)


def asking(device: str | None = None, name: str | None = None) -> bytes:
    """getProperties: describe all devices, or one, or one property."""
    return _tag("getProperties", {"version": VERSION, "device": device, "name": name})


def enabling_blobs(device: str) -> bytes:
    """enableBLOB: send the BLOBs of this device too."""
    return _tag("enableBLOB", {"device": device})[:-3] + b">Also</enableBLOB>\n"


def pinging(uid: str) -> bytes:
    """pingRequest, which the server itself answers."""
    return _tag("pingRequest", {"uid": uid})


def answering(request: PingRequest) -> bytes:
    """pingReply, to a server that asks."""
    return _tag("pingReply", {"uid": request.uid})


def commanding(new: New) -> bytes:
    """A new vector, with exactly these values."""
    word = new.kind.value
    parts = [f"<new{word}Vector device={quoteattr(new.device)} name={quoteattr(new.name)}>\n"]
    parts += [
        f"  <one{word} name={quoteattr(name)}>{escape(_settable_text(value))}</one{word}>\n"
        for name, value in new.values.items()
    ]
    return ("".join(parts) + f"</new{word}Vector>\n").encode()


def _tag(name: str, attributes: Mapping[str, str | None]) -> bytes:
    told = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value is not None)
    return f"<{name}{told}/>\n".encode()


def _settable_text(value: Settable) -> str:
    match value:
        case bool():
            return "On" if value else "Off"
        case str():
            return value
    return number_text(value)


def _defined(element: Element, kind: Kind) -> Defined:
    vector = Vector(
        kind=kind,
        device=_attribute(element, "device"),
        name=_attribute(element, "name"),
        state=_state(element.get("state")) or PropertyState.IDLE,
        values={} if kind is Kind.BLOB else dict(_values(element, kind)),
        writable=kind is not Kind.LIGHT and "w" in element.get("perm", "rw"),
        limits=_limits(element) if kind is Kind.NUMBER else {},
        rule=_rule(element.get("rule")),
        labels={part.get("name", ""): part.get("label", "") for part in element},
    )
    return Defined(vector=vector, message=element.get("message", ""))


def _updated(element: Element, kind: Kind) -> Updated:
    return _update(element, kind, {} if kind is Kind.BLOB else dict(_values(element, kind)))


def _update(element: Element, kind: Kind, values: Mapping[str, Value]) -> Updated:
    return Updated(
        kind=kind,
        device=_attribute(element, "device"),
        name=_attribute(element, "name"),
        state=_state(element.get("state")),
        values=values,
        limits=_limits(element) if kind is Kind.NUMBER else {},
        message=element.get("message", ""),
    )


def _values(element: Element, kind: Kind) -> Iterator[tuple[str, Value]]:
    for part in element:
        if part.tag in (f"def{kind.value}", f"one{kind.value}"):
            yield _attribute(part, "name"), _value("".join(part.itertext()), kind)


def _value(text: str, kind: Kind) -> Value:
    match kind:
        case Kind.NUMBER:
            return number_of(text)
        case Kind.SWITCH:
            return text.strip() == "On"
        case Kind.LIGHT:
            return _state(text) or PropertyState.IDLE
        case Kind.TEXT | Kind.BLOB:
            return text.strip()


def _limits(element: Element) -> dict[str, Limits]:
    """Of the elements that state them: all where a property is defined, sometimes some where it is updated."""
    return {
        _attribute(part, "name"): Limits(
            minimum=number_of(part.get("min", "")),
            maximum=number_of(part.get("max", "")),
            step=number_of(part.get("step", "0")),
        )
        for part in element
        if "min" in part.keys() and "max" in part.keys()  # noqa: SIM118 (an Element is no Mapping)
    }


def _state(text: str | None) -> PropertyState | None:
    """None where there is none.

    Raises:
        NotIndi: it is a state that nobody knows.
    """
    if text is None:
        return None
    try:
        return PropertyState(text.strip())
    except ValueError as error:
        raise NotIndi(f"a state {text.strip()[:20]!r}") from error


def _rule(text: str | None) -> Rule:
    return Rule(text) if text in set(Rule) else Rule.ANY_OF_MANY


def _attribute(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise NotIndi(f"{element.tag} without {name}")
    return value
