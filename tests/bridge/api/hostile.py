"""Answers as a broken or hostile platform might give them, by the seed: good ones, each with one thing wrong in it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from typing import Any
from uuid import UUID

from schedules.tle import checksum

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)
LINES = (
    "1 90001U 26001A   26110.50000000  .00001200  00000+0  30000-4 0  9993",
    "2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006",
)


class Kind(StrEnum):
    """What a field holds, and so what is wrong in it."""

    ID = auto()
    INSTANT = auto()
    NUMBER = auto()
    POSITIVE = auto()
    LATITUDE = auto()
    TEXT = auto()
    SWITCH = auto()
    TABLE = auto()
    LINES = auto()


_NEITHER = [[], {}, [[]], {"a": {"b": [None]}}]
_WRONG: dict[Kind, list[Any]] = {
    Kind.ID: ["../../x", "\0", "x" * 10_000, "\U0001f6f0" * 40, "", 5, True, -1e300, "{" + "0" * 36 + "}x", *_NEITHER],
    Kind.INSTANT: [
        *("soon", "", "9999-12-31T23:59:59Z", "1900-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "2026-W17-2T03:00:00Z"),
        *("2026-04-21", "2026-02-30T00:00:00Z", "2026-04-21T25:00:00Z", "2026-04-21T03:00:00+99:99x", "NaN"),
        *("٢٠٢٦-04-21T03:00:00Z", "2026-04-21T03:00:00." + "1" * 5000 + "Z", 17, 1e18, True, *_NEITHER),
    ],
    Kind.NUMBER: ["12abc", "nan", "inf", "-Infinity", "1e999", "", "٣", 10**400, *_NEITHER],
    Kind.TEXT: [5, 1e300, True, *_NEITHER],
    Kind.SWITCH: ["perhaps", 17, -1.5, *_NEITHER],
    Kind.TABLE: ["x", 5, [], [["key", "value"]], {"key": 5}, {"key": []}, {"key": {"a": 1}}],
}
_WRONG[Kind.POSITIVE] = [*_WRONG[Kind.NUMBER], 0, -1, -1e-300]
_WRONG[Kind.LATITUDE] = [*_WRONG[Kind.NUMBER], 90.001, -91, 1e300]

# Not wrong: keys nobody knows, with whatever in them.
_HARMLESS: list[dict[str, Any]] = [
    {"unknownKey": {"a": [1, {"b": None}]}},
    {"x" * 300: "y" * 3000},
    {"note": "=cmd|' /C calc'!A0 <script>alert(1)</script> \x1b[2J \ud800 \u202e"},
    {"__class__": "os.system", "constructor": {"prototype": {}}},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A good answer, and what each of its fields holds; those in `required` cannot be left out."""

    good: dict[str, Any]
    fields: dict[str, Kind]
    required: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """An answer with one thing wrong, and the field that a refusal must name; empty where it is no answer at all, or
    where the fault is in the lines of an element set, which have names of their own.
    """

    content: Any
    field: str


TASK = Shape(
    good={
        "id": str(UUID(int=1)),
        "satelliteId": str(UUID(int=2)),
        "satelliteName": "DEMOSAT 1",
        "taskStart": "2026-04-21T03:12:30Z",
        "taskStop": "2026-04-21T03:40:00Z",
        "status": "Pending",
        "priority": 5,
        "assignedFilterName": "Clear",
        "sensorType": "Telescope",
        "telescopeId": None,
    },
    fields={
        **dict.fromkeys(("id", "satelliteId"), Kind.ID),
        **dict.fromkeys(("taskStart", "taskStop"), Kind.INSTANT),
        **dict.fromkeys(("status", "satelliteName", "assignedFilterName", "sensorType"), Kind.TEXT),
        "priority": Kind.NUMBER,
        "telescopeId": Kind.ID,
    },
    required=frozenset({"id", "satelliteId", "taskStart", "taskStop", "status"}),
)
ELSET = Shape(
    good={"type": "SGP4 with Kozai mean motion", "epoch": "2026-04-20T12:00:00Z", "tle": list(LINES), "raan": 210.0},
    fields={"type": Kind.TEXT, "epoch": Kind.INSTANT, "tle": Kind.LINES, "raan": Kind.NUMBER},
    required=frozenset({"epoch"}),
)
SATELLITE = Shape(
    good={"id": str(UUID(int=2)), "name": "DEMOSAT 1", "noradCatId": 90001, "elsets": []},
    fields={"id": Kind.ID, "name": Kind.TEXT},
    required=frozenset({"id"}),
)
TELESCOPE = Shape(
    good={
        "id": str(UUID(int=3)),
        "name": "Ridge 80mm",
        "groundStationId": str(UUID(int=4)),
        "minElevation": 20.0,
        "automatedScheduling": True,
        "lastConnectionEpoch": "2026-04-21T02:59:00Z",
        "status": "Online",
    },
    fields={
        **dict.fromkeys(("id", "groundStationId"), Kind.ID),
        **dict.fromkeys(("name", "status"), Kind.TEXT),
        "minElevation": Kind.NUMBER,
        "automatedScheduling": Kind.SWITCH,
        "lastConnectionEpoch": Kind.INSTANT,
    },
    required=frozenset({"id"}),
)
STATION = Shape(
    good={
        "id": str(UUID(int=4)), "name": "Ridge Site", "latitude": 38.84, "longitude": -105.04, "altitude": 2740.0
    },
    fields={"id": Kind.ID, "name": Kind.TEXT, "latitude": Kind.LATITUDE, "altitude": Kind.NUMBER},
    required=frozenset({"id", "latitude", "longitude", "altitude"}),
)  # fmt: skip
TICKET = Shape(
    good={
        "uploadId": str(UUID(int=5)),
        "uploadUrl": "http://127.0.0.1:8080/_storage/citra-uploads",
        "method": "POST",
        "fields": {"key": "a.fits", "policy": "x"},
    },
    fields={"uploadId": Kind.ID, "uploadUrl": Kind.TEXT, "method": Kind.TEXT, "fields": Kind.TABLE},
    required=frozenset({"uploadId", "uploadUrl"}),
)
IMAGE = Shape(
    good={"uploadId": str(UUID(int=5)), "status": "COMPLETED", "originalFilename": "a.fits", "detail": ""},
    fields={"uploadId": Kind.ID, "originalFilename": Kind.TEXT, "detail": Kind.TEXT},
    required=frozenset({"uploadId"}),
)
FILTER = Shape(
    good={"name": "V", "central_wavelength_nm": 551.0, "bandwidth_nm": 88.0, "is_known": True},
    fields={
        "name": Kind.TEXT,
        **dict.fromkeys(("central_wavelength_nm", "bandwidth_nm"), Kind.POSITIVE),
        "is_known": Kind.SWITCH,
    },
    required=frozenset({"name", "central_wavelength_nm", "bandwidth_nm"}),
)


def good(shape: Shape, chance: random.Random, **changes: Any) -> dict[str, Any]:
    """A good answer, with something harmless in it now and then."""
    return shape.good | (chance.choice(_HARMLESS) if chance.random() < 0.5 else {}) | changes


def spoiled(shape: Shape, chance: random.Random, **changes: Any) -> Spoiled:
    """An answer that must be refused."""
    way = chance.random()
    if way < 0.1:
        return Spoiled(content=chance.choice([17, "x", "", True, 1e300, "<html>", "\ud800"]), field="")
    content = good(shape, chance, **changes)
    if way < 0.3:
        field = chance.choice(sorted(shape.required))
        content[field] = None
        if chance.random() < 0.5:
            del content[field]
    else:
        field = chance.choice(sorted(shape.fields))
        kind = shape.fields[field]
        content[field] = _spoiled_lines(chance) if kind is Kind.LINES else chance.choice(_WRONG[kind])
        field = "" if kind is Kind.LINES else field
    if chance.random() < 0.2:  # in the other style of keys
        content = {_snake(key) if key in shape.good else key: value for key, value in content.items()}
    return Spoiled(content=content, field=field)


def _spoiled_lines(chance: random.Random) -> Any:
    """Two lines that no satellite can have."""
    line1, line2 = LINES
    return chance.choice(
        [
            [line2, line1],
            [line1, line1],
            [line1[:-1] + str((int(line1[-1]) + 1) % 10), line2],
            [line1.replace("26110", "٢٦110"), line2],
            [line1[:40], line2],
            [line1 + "0" * 5000, line2],
            [line1, _resummed(line2[:52] + "00.00000000" + line2[63:])],
            [line1, _resummed(line2[:52] + "99.99999999" + line2[63:])],
            [line1, _resummed(line2.replace("90001", "90002"))],
            [line1, _resummed(line2.replace(" 51.6400", "251.6400"))],
            [line1, _resummed(line2[:26] + "    nan" + line2[33:])],
            ["", ""],
            ["\0", "\0"],
            [line1],
            [line1, line2, line2],
            "\n".join(LINES),
            {"line1": line1, "line2": line2},
            [1, 2],
            5,
        ]
    )


def _resummed(line: str) -> str:
    return f"{line[:-1]}{checksum(line)}"


def bodies(whole: bytes, chance: random.Random) -> Iterator[bytes]:
    """The bytes of a good answer, made into something else: for ever."""
    while True:
        cut = chance.randrange(len(whole))
        yield chance.choice(
            [
                whole[:cut],
                whole[:cut] + bytes([chance.randrange(256)]) + whole[cut + 1 :],
                whole[:cut] + whole[cut + chance.randrange(9) :],
                b"\xef\xbb\xbf" + whole,
                b"\xff\xfe" + whole,
                b"[" * chance.choice([100, 5_000, 100_000]),
                b'{"a":' * chance.choice([100, 5_000, 50_000]) + b"1",
                b'{"id": ' + b"9" * chance.choice([400, 5_000, 100_000]) + b"}",
                b'{"username": ' + chance.choice([b"NaN", b"-Infinity", b"1e999", b"0x10", b"01", b"'x'"]) + b"}",
                b'{"username": "a", "username": ["b"], "USERNAME": {}}',
                b'"\\ud800"',
                whole + whole,
                whole.replace(b'"', b"'"),
                b"\0" * chance.randrange(1, 100),
                bytes(chance.randrange(256) for _ in range(200)),
            ]
        )


def _snake(key: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in key)


def minutes(number: float) -> str:
    """An instant so many minutes into the evening, as the API writes it."""
    return (EVENING + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
