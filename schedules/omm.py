"""Orbit Mean-Elements Messages (CCSDS 502.0-B) for SGP4, as JSON, CSV, XML and KVN."""

import csv
import json
import math
import re
import reprlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO
from xml.etree import ElementTree

from schedules.element_checks import checked, printable
from schedules.errors import BadElements
from schedules.targets import ElementSet, Satellite

Fields = Mapping[str, object]

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_CALENDAR = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(Z|\+00:00)?")
_DAY_OF_YEAR = re.compile(r"([0-9]{4})-([0-9]{3})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(Z|\+00:00)?")
_UNIT = re.compile(r"\s*\[[^\]]*\]$")

# A name may end in brackets of its own: STARLINK-11666 [DTC].
_NAMES = ("OBJECT_NAME", "OBJECT_ID")

# What a message must say if it says anything about it.
_MEANT = {"CENTER_NAME": ("EARTH",), "REF_FRAME": ("TEME",), "TIME_SYSTEM": ("UTC",)}
_SGP4 = ("SGP4", "SGP/SGP4")


def satellite_from_omm(fields: Fields, *, source: str) -> Satellite:
    """A satellite from the fields of one message, by their names in the standard; numbers may be given as text.

    Raises:
        BadElements: a field is missing, is no number or cannot be true, or the message is not for SGP4.
    """
    fields = {key.strip().upper(): value for key, value in fields.items() if value is not None}
    _require_sgp4(fields)
    norad_id = _whole(fields, "NORAD_CAT_ID")
    elements = ElementSet(
        norad_id=norad_id,
        name=printable(_text(fields, "OBJECT_NAME")) or f"NORAD {norad_id}",
        international_designator=printable(_text(fields, "OBJECT_ID")),
        epoch=_epoch(_text(fields, "EPOCH")),
        mean_motion_rev_per_day=_number(fields, "MEAN_MOTION"),
        eccentricity=_number(fields, "ECCENTRICITY"),
        inclination_deg=_number(fields, "INCLINATION"),
        raan_deg=_number(fields, "RA_OF_ASC_NODE"),
        argument_of_perigee_deg=_number(fields, "ARG_OF_PERICENTER"),
        mean_anomaly_deg=_number(fields, "MEAN_ANOMALY"),
        bstar_per_earth_radius=_number(fields, "BSTAR"),
        mean_motion_dot=_number({"MEAN_MOTION_DOT": 0.0, **fields}, "MEAN_MOTION_DOT"),
        mean_motion_ddot=_number({"MEAN_MOTION_DDOT": 0.0, **fields}, "MEAN_MOTION_DDOT"),
        source=source,
    )
    return Satellite(elements=checked(elements))


def messages_in_json(text: str) -> Iterator[tuple[str, Fields]]:
    """The messages of a list, or of one object: where, and the fields.

    Raises:
        BadElements: this is no JSON, or not a list of objects.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadElements(f"this is no JSON: {error}") from error
    messages = document if isinstance(document, list) else [document]
    for number, message in enumerate(messages, start=1):
        yield f"set {number}", message if isinstance(message, dict) else {}


def messages_in_csv(text: str) -> Iterator[tuple[str, Fields]]:
    """The messages of a table with a header line.

    Raises:
        BadElements: the table breaks off in the middle.
    """
    rows = csv.DictReader(StringIO(text, newline=""))
    try:
        for row in rows:
            yield f"line {rows.line_num}", {key: value for key, value in row.items() if key and value}
    except csv.Error as error:
        raise BadElements(f"this is no CSV after line {rows.line_num}: {error}") from error


def messages_in_xml(text: str) -> Iterator[tuple[str, Fields]]:
    """The messages of an `ndm` or `omm` document, whatever its namespace.

    Raises:
        BadElements: this is no XML, or it brings a document type, which no message needs.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadElements("the XML brings a document type of its own; orbit messages have none")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (entity bombs need a document type)
    except ElementTree.ParseError as error:
        raise BadElements(f"this is no XML: {error}") from error
    for number, message in enumerate((one for one in root.iter() if _tag(one) == "omm"), start=1):
        yield (
            f"set {number}",
            {_tag(one): _without_unit(_tag(one), one.text or "") for one in message.iter() if len(one) == 0},
        )


def messages_in_kvn(text: str) -> Iterator[tuple[str, Fields]]:
    """The messages of KEY = VALUE lines; a key that comes again, or a version, begins the next message."""
    fields: dict[str, object] = {}
    begins = 1
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or key.split(" ")[0] == "COMMENT":
            continue
        if fields and (key in fields or key == "CCSDS_OMM_VERS"):
            yield f"line {begins}", fields
            fields = {}
        if not fields:
            begins = number
        fields[key] = _without_unit(key, value)
    if fields:
        yield f"line {begins}", fields


def _without_unit(key: str, value: str) -> str:
    return value if key in _NAMES else _UNIT.sub("", value)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _require_sgp4(fields: Fields) -> None:
    theory = _text(fields, "MEAN_ELEMENT_THEORY").upper() or "SGP4"
    kind = _text(fields, "EPHEMERIS_TYPE") or "0"
    if theory in ("SGP4-XP", "SGP4XP") or kind == "4":
        raise BadElements("these are SGP4-XP elements, which SGP4 would take to a wrong place")
    if theory not in _SGP4 or kind not in ("0", "2", "3"):
        raise BadElements(f"elements of theory {theory}, ephemeris type {kind}, are not for SGP4")
    for key, meant in _MEANT.items():
        said = _text(fields, key).upper()
        if said and said not in meant:
            raise BadElements(f"{key} {said} is not {meant[0]}")


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key, "")
    return value.strip() if isinstance(value, str) else str(value)


def _number(fields: Fields, key: str) -> float:
    value = fields.get(key)
    if value is None or value == "":
        raise BadElements(f"{key} is missing")
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e300 else math.inf
    else:
        raise BadElements(f"{key} {reprlib.repr(value)} is no number")
    if not math.isfinite(number):
        raise BadElements(f"{key} {reprlib.repr(value)} is not finite")
    return number


def _whole(fields: Fields, key: str) -> int:
    number = _number(fields, key)
    if number != int(number):
        raise BadElements(f"{key} {number} is no whole number")
    return int(number)


def _epoch(text: str) -> datetime:
    """An ISO date and time in UTC, by calendar or by the day of the year; rounded to the microsecond."""
    if not text:
        raise BadElements("EPOCH is missing")
    calendar, day_of_year = _CALENDAR.fullmatch(text), _DAY_OF_YEAR.fullmatch(text)
    try:
        if calendar is not None:
            *date, hour, minute, second = (int(calendar[group]) for group in range(1, 7))
            day, fraction = datetime(date[0], date[1], date[2], tzinfo=UTC), calendar[7]
        elif day_of_year is not None:
            year, ordinal, hour, minute, second = (int(day_of_year[group]) for group in range(1, 6))
            day, fraction = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=ordinal - 1), day_of_year[6]
        else:
            raise BadElements(f"EPOCH {reprlib.repr(text)} is no UTC date and time such as 2026-08-11T03:05:30.123456")
    except ValueError as error:
        raise BadElements(f"EPOCH {reprlib.repr(text)}: {error}") from error
    if hour > 23 or minute > 59 or second > 60:
        raise BadElements(f"EPOCH {reprlib.repr(text)} is no time of day")
    return day + timedelta(hours=hour, minutes=minute, seconds=second, microseconds=float(f"0{fraction or '.0'}") * 1e6)
