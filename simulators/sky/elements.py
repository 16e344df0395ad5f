"""Element sets as the simulators read and write them: two-line elements and OMM in JSON.

A reader of its own, so that a fault in the bridge's reader shows as a satellite that is not where it should be.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # Alpha-5: I and O are left out
_LAST_ALPHA5 = 339_999
_LINE_LENGTH = 69


class UnreadableElements(ValueError):
    """A text that holds no element set where there should be one. Says where, and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """One satellite's mean elements for SGP4.

    `norad_id` has up to nine digits. `mean_motion_dot` and `mean_motion_ddot` are the published half and
    sixth (rev/day², rev/day³). `lines` is the set as two lines with the right checksums, or
    None where the number has no place on them (above 339999, the end of Alpha-5).
    """

    norad_id: int
    name: str
    international_designator: str
    epoch: datetime
    mean_motion_rev_per_day: float
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    argument_of_perigee_deg: float
    mean_anomaly_deg: float
    bstar_per_earth_radius: float
    mean_motion_dot: float
    mean_motion_ddot: float
    lines: tuple[str, str] | None


def read_elements(text: str) -> list[Elements]:
    """Every set of a file of two-line elements (with or without a line of names) or of OMM in JSON.

    Raises:
        UnreadableElements: there is no element set in the text, or something that is none.
    """
    found = _of_json(text) if text.lstrip().startswith(("[", "{")) else list(_of_lines(text))
    if not found:
        raise UnreadableElements("there is no element set in the text")
    return found


def _of_json(text: str) -> list[Elements]:
    try:
        messages = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableElements(f"neither two-line elements nor JSON: {error}") from error
    return [_of_omm(message) for message in (messages if isinstance(messages, list) else [messages])]


def _of_lines(text: str) -> Iterator[Elements]:
    name, line1 = "", ""
    for number, line in enumerate(map(str.rstrip, text.splitlines()), start=1):
        if line.startswith("1 ") and len(line) == _LINE_LENGTH:
            line1 = line
        elif line.startswith("2 ") and len(line) == _LINE_LENGTH and line1:
            yield _of_tle(name, line1, line, where=f"line {number - 1}")
            name, line1 = "", ""
        elif line and not (line1 or name):
            name = line.removeprefix("0 ").strip()
        elif line:
            awaited = "second" if line1 else "first"
            raise UnreadableElements(f"line {number}: expected the {awaited} line of a set, found {line[:20]!r}")
    if line1 or name:
        raise UnreadableElements(f"the text ends in the middle of a set: {line1[:20] or name!r}")


def _of_tle(name: str, line1: str, line2: str, *, where: str) -> Elements:
    for line in (line1, line2):
        if line[-1] != str(checksum_of(line[:-1])):
            raise UnreadableElements(f"{where}: checksum {line[-1]}, computed {checksum_of(line[:-1])}: {line[:20]!r}…")
    if line1[2:7] != line2[2:7]:
        raise UnreadableElements(f"{where}: the two lines are of different satellites, {line1[2:7]} and {line2[2:7]}")
    try:
        norad_id = _number_of(line1[2:7])
        year = int(line1[18:20])
        start = datetime(year + (1900 if year >= 57 else 2000), 1, 1, tzinfo=UTC)
        return Elements(
            norad_id=norad_id,
            name=name or f"NORAD {norad_id}",
            international_designator=_long_designator(line1[9:17].strip()),
            epoch=start + timedelta(days=float(line1[20:32]) - 1.0),
            mean_motion_rev_per_day=float(line2[52:63]),
            eccentricity=float(f"0.{line2[26:33].strip()}"),
            inclination_deg=float(line2[8:16]),
            raan_deg=float(line2[17:25]),
            argument_of_perigee_deg=float(line2[34:42]),
            mean_anomaly_deg=float(line2[43:51]),
            bstar_per_earth_radius=_power_of(line1[53:61]),
            mean_motion_dot=float(line1[33:43]),
            mean_motion_ddot=_power_of(line1[44:52]),
            lines=(line1, line2),
        )
    except ValueError as error:
        raise UnreadableElements(f"{where}: {error}") from error


def _of_omm(message: object) -> Elements:
    if not isinstance(message, Mapping):
        raise UnreadableElements(f"expected an orbit mean-elements message, found {str(message)[:20]!r}")
    try:
        epoch = datetime.fromisoformat(str(message["EPOCH"]))
        return written(
            Elements(
                norad_id=int(str(message["NORAD_CAT_ID"])),
                name=str(message["OBJECT_NAME"]),
                international_designator=str(message.get("OBJECT_ID") or ""),
                epoch=epoch.replace(tzinfo=UTC) if epoch.tzinfo is None else epoch.astimezone(UTC),
                mean_motion_rev_per_day=float(str(message["MEAN_MOTION"])),
                eccentricity=float(str(message["ECCENTRICITY"])),
                inclination_deg=float(str(message["INCLINATION"])),
                raan_deg=float(str(message["RA_OF_ASC_NODE"])),
                argument_of_perigee_deg=float(str(message["ARG_OF_PERICENTER"])),
                mean_anomaly_deg=float(str(message["MEAN_ANOMALY"])),
                bstar_per_earth_radius=float(str(message["BSTAR"])),
                mean_motion_dot=float(str(message["MEAN_MOTION_DOT"])),
                mean_motion_ddot=float(str(message.get("MEAN_MOTION_DDOT") or 0.0)),
                lines=None,
            )
        )
    except (KeyError, ValueError) as error:
        raise UnreadableElements(f"orbit mean-elements message {message.get('OBJECT_NAME', '?')}: {error!r}") from error


def written(elements: Elements) -> Elements:
    """The same set with its two lines filled in where its number fits; numbers themselves keep their full precision."""
    return _with_lines(elements) if elements.norad_id <= _LAST_ALPHA5 else elements


def _with_lines(elements: Elements) -> Elements:
    number = _alpha5_of(elements.norad_id)
    epoch = elements.epoch
    day = (epoch - datetime(epoch.year, 1, 1, tzinfo=UTC)) / timedelta(days=1) + 1.0
    dot = f"{elements.mean_motion_dot:+.8f}".replace("0.", ".", 1).replace("+", " ")
    line1 = (
        f"1 {number}U {_short_designator(elements.international_designator):8s} {epoch:%y}{day:012.8f} {dot}"
        f" {_power_text(elements.mean_motion_ddot)} {_power_text(elements.bstar_per_earth_radius)} 0  999"
    )
    line2 = (
        f"2 {number} {elements.inclination_deg:8.4f} {elements.raan_deg:8.4f} {elements.eccentricity * 1e7:07.0f}"
        f" {elements.argument_of_perigee_deg:8.4f} {elements.mean_anomaly_deg:8.4f}"
        f" {elements.mean_motion_rev_per_day:11.8f}    1"
    )
    lines = (f"{line1}{checksum_of(line1)}", f"{line2}{checksum_of(line2)}")
    return replace(elements, lines=lines)


def checksum_of(line: str) -> int:
    """The sum of the digits, a minus sign counting one, modulo ten."""
    return sum(int(sign) if sign.isdigit() else sign == "-" for sign in line) % 10


def _number_of(field: str) -> int:
    return (_LETTERS.index(field[0]) + 10) * 10_000 + int(field[1:]) if field[0].isalpha() else int(field)


def _alpha5_of(norad_id: int) -> str:
    leading, rest = divmod(norad_id, 10_000)
    return f"{norad_id:05d}" if leading < 10 else f"{_LETTERS[leading - 10]}{rest:04d}"


def _power_of(field: str) -> float:
    """A decimal with an assumed point and a power of ten, as ` 35383-3` for 0.35383e-3."""
    sign, digits, power = field[0], field[1:6].strip(), field[6:8]
    return float(f"{sign.strip()}0.{digits or '0'}e{power.strip() or '0'}")


def _power_text(value: float) -> str:
    if value == 0.0:
        return " 00000+0"
    power = math.floor(math.log10(abs(value))) + 1
    digits = round(abs(value) / 10.0**power * 1e5)
    if digits == 100_000:
        digits, power = 10_000, power + 1
    return " 00000+0" if power < -9 else f"{'-' if value < 0 else ' '}{digits:05d}{power:+d}"


def _long_designator(short: str) -> str:
    """1998-067A for the 98067A of a line; empty stays empty."""
    if len(short) < 6:
        return short
    return f"{'19' if int(short[:2]) >= 57 else '20'}{short[:2]}-{short[2:]}"


def _short_designator(long: str) -> str:
    return long[2:].replace("-", "")[:8]
