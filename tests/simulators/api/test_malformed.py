"""Nothing that is sent, however odd, does more than earn a 4xx."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from simulators.api import Switches

from .conftest import Client, Ridge

SPECIAL_TEXT = [
    "",
    "null",
    "NaN",
    "-1",
    "9" * 400,
    "1e400",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-04-21",
    "\x00",
    "%",
    "²",
    "..",
    "a/b",
]
SPECIAL_NUMBERS = [0, -1, 1, 0.0, -0.0, 1e308, -1e308, 5e-324, 2**63, 10**30, 90.0, 1e-9]
ODD_TEXT = st.sampled_from(SPECIAL_TEXT) | st.text(st.characters(codec="utf-8"), max_size=40)
ODD_JSON: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(SPECIAL_NUMBERS) | st.none() | st.booleans() | ODD_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner, max_size=3),
    max_leaves=6,
)
ODD_BYTES = st.binary(max_size=60) | st.sampled_from(
    [b"NaN", b"[1e999]", b"[" * 5000, b'"\\ud800"', b"{}", b"[]", b"[{}]", b"[null]", b"9" * 5000]
)
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

# So near the zenith that the search is done soon.
_PASSES = {"start": "2026-04-21T03:00:00Z", "end": "2026-04-21T03:01:00Z", "minElevation": 89.9, "minDuration": 1.0}

# One body of each kind that would be accepted, to be spoiled in one place.
BODIES: Mapping[tuple[str, str], Any] = {
    ("PUT", "/ground-stations/STATION"): {"name": "Ridge", "latitude": 1.0, "longitude": 2.0, "altitude": 3.0},
    ("PUT", "/telescopes"): [
        {
            "name": "New",
            "angularNoise": 1.0,
            "maxMagnitude": 12.0,
            "minElevation": 20.0,
            "maxSlewRate": 4.0,
            "homeAzimuth": 0.0,
            "homeElevation": 0.0,
            "lastConnectionEpoch": "2026-04-21T03:00:00Z",
            "horizontalPixelCount": 10,
            "verticalPixelCount": 10,
            "pixelSize": 5.0,
            "focalLength": 400.0,
            "legacyFieldOfView": 1.0,
            "spectralConfig": {
                "type": "discrete",
                "filters": [{"name": "Red", "central_wavelength_nm": 630.0, "bandwidth_nm": 100.0}],
            },
        }
    ],
    ("POST", "/filters/expand"): {"filter_names": ["Red"]},
    ("PUT", "/tasks/TASK"): {"status": "Failed"},
    ("POST", "/tasks"): {
        "taskStart": "2026-04-21T04:00:00Z",
        "taskStop": "2026-04-21T04:05:00Z",
        "satelliteId": "SATELLITE",
        "telescopeId": "TELESCOPE",
    },
    ("POST", "/access/window/satellites-to-ground-station"): _PASSES | {"groundStationIds": ["STATION"]},
    ("POST", "/collection-requests/batch"): {
        "windowStart": "2026-04-21T03:00:00Z",
        "windowStop": "2026-04-21T03:01:00Z",
        "priority": 5,
        "params": {"ground_station_ids": ["STATION"], "sensor_selections": {"STATION": "TELESCOPE"}},
        "satelliteIds": ["SATELLITE"],
        "discoverVisible": True,
    },
    ("POST", "/my/images"): {
        "filename": "a.fits",
        "telescope_id": "TELESCOPE",
        "file_size": 1,
        "task_id": "TASK",
        "max_sources": 5,
        "fov": 1.0,
    },
    ("POST", "/observations/optical"): [
        {
            "satelliteId": "SATELLITE",
            "telescopeId": "TELESCOPE",
            "epoch": "2026-04-21T03:00:00Z",
            "rightAscension": 1.0,
            "declination": 1.0,
            "sensorLatitude": 1.0,
            "sensorLongitude": 1.0,
            "sensorAltitude": 1.0,
            "angularNoise": 1.0,
            "taskId": "TASK",
        }
    ],
    ("PUT", "/_emulator/switches"): {"naming": "snake", "faults": [{"kind": "slow", "path": "/x", "probability": 0.5}]},
    ("POST", "/_emulator/clock/advance"): {"seconds": 1.0},
}
BODIES = {
    **BODIES,
    ("PATCH", "/telescopes"): [BODIES["PUT", "/telescopes"][0] | {"id": "TELESCOPE"}],
    ("POST", "/access/window/ground-stations-to-satellite"): _PASSES | {"satelliteId": "SATELLITE"},
    ("POST", "/access/window/satellites-to-location"): {
        "waypoints": [_PASSES | {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0}],
        "minElevation": 89.9,
        "minDuration": 1.0,
    },
    ("POST", "/_emulator/tasks"): BODIES["POST", "/tasks"] | {"priority": 5, "assignedFilterName": "Red"},
}

QUERIES: Mapping[str, list[str]] = {
    "/telescopes/TELESCOPE/tasks": [
        "task_start_after",
        "task_start_before",
        "task_stop_after",
        "task_stop_before",
        "statuses",
    ],
    "/telescopes": ["ids"],
    "/satellites": ["page", "pageSize", "quickFilter"],
    "/satellites/SATELLITE/elsets": ["limit", "types"],
    "/elsets/latest": ["days", "types"],
    "/weather": ["lat", "lon", "units"],
    "/telescopes/TELESCOPE/images": ["limit", "offset"],
    "/_emulator/log": ["since"],
}


def _named(text: str, ridge: Ridge) -> str:
    """With ids that exist in the places of their names."""
    if "TASK" in text and not ridge.world.tasks:
        ridge.add_task()
    names = {
        "STATION": ridge.station_id,
        "TELESCOPE": ridge.telescope_id,
        "SATELLITE": ridge.satellite_id,
        "TASK": next(iter(ridge.world.tasks), None),
    }
    for name, known in names.items():
        text = text.replace(name, str(known))
    return text


def _spoiled(draw: st.DrawFn, content: Any) -> Any:
    """`content` with one part of it replaced, left out or renamed."""
    if isinstance(content, dict) and content and draw(st.integers(0, 9)) > 0:
        key = draw(st.sampled_from(sorted(content)))
        rest = {name: value for name, value in content.items() if name != key}
        match draw(st.integers(0, 9)):
            case 0:
                return rest
            case 1:
                return rest | {draw(ODD_TEXT): content[key]}
            case _:
                return rest | {key: _spoiled(draw, content[key])}
    if isinstance(content, list) and content and draw(st.integers(0, 9)) > 0:
        return [_spoiled(draw, content[0]), *content[1:]]
    return draw(ODD_JSON)


def _is_no_crash(answer: httpx.Response) -> None:
    """Less than 500, and a refusal is in the API's own shape. (What an application raises, the transport raises.)"""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(answer.json()) == {"detail"}


def _replaced(content: Any) -> Iterator[Any]:
    """`content` with each of its parts in turn replaced by each odd value, and with each key in turn left out."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield {name: kept for name, kept in content.items() if name != key}
            for other in _replaced(value):
                yield content | {key: other}
    elif isinstance(content, list):
        for other in _replaced(content[0]):
            yield [other, *content[1:]]
    yield from (*SPECIAL_TEXT, *SPECIAL_NUMBERS, None, True, [], {}, [{}])


@pytest.mark.parametrize(("method", "path"), list(BODIES))
async def test_no_odd_value_anywhere_in_a_body_breaks_the_api(
    observer: Client, ridge: Ridge, method: str, path: str
) -> None:
    refused = 0
    for body in _replaced(BODIES[method, path]):
        answer = await observer.request(method, _named(path, ridge), content=_named(json.dumps(body), ridge))
        ridge.world.turn(Switches())
        _is_no_crash(answer)
        refused += answer.status_code >= 400
    assert refused > 20


@pytest.mark.parametrize("path", list(QUERIES))
async def test_no_odd_value_in_a_query_breaks_the_api(observer: Client, ridge: Ridge, path: str) -> None:
    for key, value in product(QUERIES[path], [*SPECIAL_TEXT, *map(str, SPECIAL_NUMBERS)]):
        others = {"lat": "1", "lon": "1"} if path == "/weather" else {}
        _is_no_crash(await observer.get(_named(path, ridge), params=others | {key: value}))


@pytest.mark.parametrize(("method", "path"), list(BODIES))
@settings(max_examples=12, deadline=None, suppress_health_check=SUPPRESSED)
@given(picked=st.data())
async def test_no_body_breaks_the_api(
    observer: Client, ridge: Ridge, method: str, path: str, picked: st.DataObject
) -> None:
    @st.composite
    def spoiled(draw: st.DrawFn) -> bytes:
        return json.dumps(_spoiled(draw, BODIES[method, path])).encode()

    body = picked.draw(st.integers(0, 9).flatmap(lambda one: spoiled() if one else ODD_BYTES))
    named = _named(body.decode("latin-1"), ridge).encode("latin-1")
    answer = await observer.request(method, _named(path, ridge), content=named)
    ridge.world.turn(Switches())
    _is_no_crash(answer)


@pytest.mark.parametrize(("method", "path"), list(BODIES))
async def test_the_unspoiled_bodies_are_taken(observer: Client, ridge: Ridge, method: str, path: str) -> None:
    body = _named(json.dumps(BODIES[method, path]), ridge)
    answer = await observer.request(method, _named(path, ridge), content=body)
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize("path", list(QUERIES))
@settings(max_examples=12, deadline=None, suppress_health_check=SUPPRESSED)
@given(picked=st.data())
async def test_no_query_breaks_the_api(observer: Client, ridge: Ridge, path: str, picked: st.DataObject) -> None:
    pairs = picked.draw(st.lists(st.tuples(st.sampled_from(QUERIES[path]), ODD_TEXT), max_size=4))
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in pairs)
    _is_no_crash(await observer.get(f"{_named(path, ridge)}?{query}"))


@settings(max_examples=60, deadline=None, suppress_health_check=SUPPRESSED)
@given(picked=st.data())
async def test_no_path_breaks_the_api(app: Starlette, observer: Client, picked: st.DataObject) -> None:
    with_ids = [route for route in app.routes if isinstance(route, Route) and "{" in route.path]
    route = picked.draw(st.sampled_from(with_ids))
    text = quote(picked.draw(ODD_TEXT), safe="")
    method = picked.draw(st.sampled_from(sorted((route.methods or set()) - {"HEAD"})))
    answer = await observer.request(method, re.sub(r"\{.*?\}", lambda _: text, route.path))
    assert 400 <= answer.status_code < 500


@settings(max_examples=50, deadline=None, suppress_health_check=SUPPRESSED)
@given(text=ODD_TEXT)
async def test_an_id_is_a_uuid_or_a_422(observer: Client, text: str) -> None:
    try:
        expected = 404 if UUID(text) else 0
    except ValueError:
        expected = 422
    if text in ("", ".", ".."):
        return  # no segment of a path at all
    answer = await observer.get(f"/satellites/{quote(text, safe='')}")
    assert answer.status_code in ((expected, 404) if "/" in text else (expected,))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[NaN]",
        b'{"status": Infinity}',
        b'{"status": 1e999}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
        b"\xff",
    ],
)
async def test_what_is_no_json_is_said_so(observer: Client, ridge: Ridge, body: bytes) -> None:
    task = ridge.add_task()
    answer = await observer.put(f"/tasks/{task.id}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    issue = answer.json()["detail"][0]
    assert issue["type"] in ("json_invalid", "missing")
    assert issue["loc"][0] == "body"


async def test_a_body_without_end_is_cut_short(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    answer = await observer.put(f"/tasks/{task.id}", content=b" " * 5_000_000)
    assert answer.status_code == 413


async def test_a_lone_surrogate_is_echoed_and_breaks_nothing(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    answer = await observer.put(f"/tasks/{task.id}", content=b'{"status": "\\ud800"}')
    assert answer.status_code == 422
