"""Two-line element sets, read by their columns and believed only if their checksums are right."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from schedules.element_checks import checked, printable
from schedules.errors import BadElements
from schedules.targets import ElementSet, Satellite

# Columns as in Spacetrack Report No. 3; digits are ASCII ones.
_LINE_1 = re.compile(
    r"1 (?P<number>[ 0-9A-Z][ 0-9]{4})[A-Z ] [ 0-9A-Z]{8} "
    r"(?P<year>[ 0-9]{2})(?P<day>[ 0-9]{2}[0-9]\.[0-9]{8}) "
    r"(?P<dot>[ +-]\.[0-9]{8}) (?P<ddot>[ +-][0-9]{5}[+-][0-9]) (?P<bstar>[ +-][0-9]{5}[+-][0-9]) "
    r"(?P<type>[ 0-9]) [ 0-9]{4}[0-9]"
)
_LINE_2 = re.compile(
    r"2 (?P<number>[ 0-9A-Z][ 0-9]{4}) (?P<inclination>[ 0-9]{3}\.[0-9]{4}) (?P<raan>[ 0-9]{3}\.[0-9]{4}) "
    r"(?P<eccentricity>[ 0-9]{7}) (?P<perigee>[ 0-9]{3}\.[0-9]{4}) (?P<anomaly>[ 0-9]{3}\.[0-9]{4}) "
    r"(?P<motion>[ 0-9]{2}\.[0-9]{8})[ 0-9]{5}[0-9]"
)
_LENGTH = 69
_LONGER_THAN_A_NAME = 40

# Alpha-5: A is 10, Z is 33; I and O are left out.
_ALPHA_5 = {letter: number for number, letter in enumerate("ABCDEFGHJKLMNPQRSTUVWXYZ", start=10)}

_SGP4_XP = "4"
_SGP4_TYPES = " 023"


def satellite_from_lines(line1: str, line2: str, *, name: str, source: str) -> Satellite:
    """A satellite from its two lines; without a name it is called by its number.

    Raises:
        BadElements: a line has the wrong form or a wrong checksum, the two do not belong together, the set is not for
            SGP4, or a field cannot be true.
    """
    line1, line2 = line1.strip(), line2.strip()
    first, second = _fields(line1, "1", _LINE_1), _fields(line2, "2", _LINE_2)
    if first["number"] != second["number"]:
        raise BadElements(f"line 1 is of {first['number']}, line 2 of {second['number']}")
    if first["type"] == _SGP4_XP:
        raise BadElements("ephemeris type 4: these are SGP4-XP elements, which SGP4 would take to a wrong place")
    if first["type"] not in _SGP4_TYPES:
        raise BadElements(f"ephemeris type {first['type']} is not for SGP4")
    norad_id = _norad_id(first["number"])
    elements = ElementSet(
        norad_id=norad_id,
        name=printable(name) or f"NORAD {norad_id}",
        international_designator=_designator(line1[9:17].strip()),
        epoch=_epoch(first["year"], first["day"]),
        mean_motion_rev_per_day=float(second["motion"]),
        eccentricity=int(second["eccentricity"].replace(" ", "0")) * 1e-7,
        inclination_deg=float(second["inclination"]),
        raan_deg=float(second["raan"]),
        argument_of_perigee_deg=float(second["perigee"]),
        mean_anomaly_deg=float(second["anomaly"]),
        bstar_per_earth_radius=_with_exponent(first["bstar"]),
        mean_motion_dot=float(first["dot"].replace(" ", "")),
        mean_motion_ddot=_with_exponent(first["ddot"]),
        source=source,
    )
    return Satellite(elements=checked(elements))


def sets_in(text: str) -> Iterator[tuple[int, str, str, str]]:
    """The sets of a file of two or three lines each: line number, name, line 1, line 2; what is missing is empty.

    Empty lines and lines that begin with # are skipped. The lines of a set come in the order in which they stand: where
    they are swapped, they are given so.
    """
    numbered = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    lines = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    at = 0
    while at < len(lines):
        number, line = lines[at]
        name = ""
        if not _is_element_line(line):
            name, at = line.removeprefix("0 "), at + 1
            if at == len(lines) or not _is_element_line(lines[at][1]):
                yield number, name, "", ""
                continue
            number, line = lines[at]
        after = lines[at + 1][1] if at + 1 < len(lines) else ""
        if _belong_together(line, after):
            yield number, name, line, after
            at += 2
        else:
            yield (number, name, line, "") if line[0] == "1" else (number, name, "", line)
            at += 1


def _belong_together(line: str, after: str) -> bool:
    """Whether two lines are one set: line 1 and a line 2, or the two lines of one satellite in the wrong order."""
    if not _is_element_line(after) or after[0] == line[0]:
        return False
    return line[0] == "1" or line[2:7] == after[2:7]


def looks_like_tle(text: str) -> bool:
    """Whether any line could be of a two-line set."""
    return any(_is_element_line(line.strip()) for line in text.splitlines())


def _is_element_line(stripped: str) -> bool:
    return stripped[:2] in ("1 ", "2 ") and len(stripped) > _LONGER_THAN_A_NAME


def _fields(line: str, which: str, form: re.Pattern[str]) -> dict[str, str]:
    if not line:
        raise BadElements(f"line {which} is missing")
    if not line.isascii():
        strange = next(letter for letter in line if not letter.isascii())
        raise BadElements(f"line {which} holds {strange!r}, which is not ASCII")
    if line[0] != which:
        raise BadElements(f"line {which} begins with {line[0]!r}; are the lines swapped?")
    if len(line) != _LENGTH:
        raise BadElements(f"line {which} has {len(line)} columns instead of {_LENGTH}")
    if not line[-1].isdigit() or int(line[-1]) != checksum(line):
        raise BadElements(f"line {which} has checksum {line[-1]}, its columns add up to {checksum(line)}")
    match = form.fullmatch(line)
    if match is None:
        raise BadElements(f"line {which} does not have the columns of an element set")
    fields = match.groupdict()
    # A zero that became a space keeps the checksum: only leading zeros may be left out.
    gap = next((value for value in fields.values() if " " in value.lstrip()), None)
    if gap is not None:
        raise BadElements(f"line {which} has a gap in {gap!r}")
    return fields


def checksum(line: str) -> int:
    """The last digit of the sum of the first 68 columns, a minus counting one and letters nothing."""
    columns = line[:68]
    return (columns.count("-") + sum(digit * columns.count(str(digit)) for digit in range(1, 10))) % 10


def _norad_id(columns: str) -> int:
    columns = columns.strip()
    if not columns:
        raise BadElements("there is no NORAD number")
    if columns[0].isdigit():
        return int(columns)
    if columns[0] not in _ALPHA_5 or len(columns) != 5:
        raise BadElements(f"NORAD number {columns} is neither digits nor Alpha-5")
    return _ALPHA_5[columns[0]] * 10_000 + int(columns[1:])


def _epoch(year: str, day: str) -> datetime:
    two_digits = int(year.replace(" ", "0"))
    full_year = two_digits + (1900 if two_digits >= 57 else 2000)
    days, fraction = day.replace(" ", "0").split(".")
    if not 1 <= int(days) <= 366:
        raise BadElements(f"epoch on day {int(days)} of the year")
    # The unit of the last column is exactly 864 µs.
    return datetime(full_year, 1, 1, tzinfo=UTC) + timedelta(days=int(days) - 1, microseconds=864 * int(fraction))


def _with_exponent(columns: str) -> float:
    """Such as " 35383-3": 0.35383e-3."""
    sign = -1.0 if columns[0] == "-" else 1.0
    exponent = int(columns[7]) * (-1 if columns[6] == "-" else 1)
    return float(sign * float(f"0.{columns[1:6]}e{exponent}"))


def _designator(columns: str) -> str:
    """Such as "98067A", as an OMM writes it: "1998-067A"."""
    if len(columns) < 6 or not columns[:5].isdigit():
        return columns
    return f"{'19' if int(columns[:2]) >= 57 else '20'}{columns[:2]}-{columns[2:]}"
