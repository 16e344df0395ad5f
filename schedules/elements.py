"""Files of element sets: what can be used, and what cannot with the reason."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schedules.element_checks import printable
from schedules.errors import BadElements
from schedules.omm import (
    Fields,
    messages_in_csv,
    messages_in_json,
    messages_in_kvn,
    messages_in_xml,
    satellite_from_omm,
)
from schedules.targets import Satellite
from schedules.tle import looks_like_tle, satellite_from_lines, sets_in

__all__ = ["ElementFile", "RefusedElements", "parse_elements", "satellite_from_omm", "satellite_from_tle"]

_KVN = re.compile(r"^\s*(CCSDS_OMM_VERS|OBJECT_NAME|NORAD_CAT_ID)\s*=", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedElements:
    """An element set that is not used: `where` it stands ("tonight.tle line 12") and the `reason`."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementFile:
    """What a file holds, in its order."""

    satellites: tuple[Satellite, ...]
    refused: tuple[RefusedElements, ...]


def satellite_from_tle(line1: str, line2: str, *, name: str, source: str) -> Satellite:
    """A satellite from its two lines; without a name it is called by its number.

    Raises:
        BadElements: a line has the wrong form or a wrong checksum, the two do not belong together, the set is not for
            SGP4, or a field cannot be true. The message names `source`, `name` and the field.
    """
    name = printable(name)
    try:
        return satellite_from_lines(line1, line2, name=name, source=source)
    except BadElements as error:
        raise BadElements(f"{source}: {name or 'element set'}: {error}") from error


def parse_elements(text: str, *, source: str) -> ElementFile:
    """All element sets of a text: TLE of two or three lines (Alpha-5 too), or OMM as JSON, CSV, XML or KVN.

    The form is recognised by looking at it. Sets that cannot be used are refused one by one; a text that is none of
    these is refused as a whole. `source` is the name of the file, for people.
    """
    text = text.removeprefix("\ufeff")
    satellites: list[Satellite] = []
    refused: list[RefusedElements] = []
    try:
        for where, name, satellite_of in _sets_of(text):
            place = f"{source} {where}"
            try:
                satellites.append(satellite_of(place))
            except BadElements as error:
                refused.append(RefusedElements(where=place, reason=f"{name}: {error}" if name else str(error)))
    except BadElements as error:
        refused.append(RefusedElements(where=source, reason=str(error)))
    return ElementFile(satellites=tuple(satellites), refused=tuple(refused))


def _sets_of(text: str) -> Iterator[tuple[str, str, Callable[[str], Satellite]]]:
    """Each set: where it stands, its name, and how to make a satellite of it (given where it comes from)."""
    messages = _messages_of(text)
    if messages is None:
        for number, name, line1, line2 in sets_in(text):
            yield f"line {number}", printable(name), _tle_reader(line1, line2, printable(name))
        return
    empty = True
    for where, fields in messages:
        empty = False
        yield where, printable(str(fields.get("OBJECT_NAME", ""))), _omm_reader(fields)
    if empty:
        raise BadElements("there are no element sets in it")


def _messages_of(text: str) -> Iterator[tuple[str, Fields]] | None:
    """The messages, if the text is an OMM of any kind; None: it is a TLE.

    Raises:
        BadElements: it is neither.
    """
    begin = text.lstrip()[:1]
    if begin in ("{", "["):
        return messages_in_json(text)
    if begin == "<":
        return messages_in_xml(text)
    if _KVN.search(text):
        return messages_in_kvn(text)
    header = text.lstrip().partition("\n")[0]
    if "NORAD_CAT_ID" in header and "," in header:
        return messages_in_csv(text)
    if not looks_like_tle(text):
        raise BadElements("there are no element sets in it: neither TLE lines nor an OMM (JSON, CSV, XML, KVN)")
    return None


def _tle_reader(line1: str, line2: str, name: str) -> Callable[[str], Satellite]:
    return lambda place: satellite_from_lines(line1, line2, name=name, source=place)


def _omm_reader(fields: Fields) -> Callable[[str], Satellite]:
    return lambda place: satellite_from_omm(fields, source=place)
