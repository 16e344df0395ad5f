"""The answers against the documents' own examples: every field there, each of its documented type."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from .conftest import CardMaker, Client, Delivery, Ridge

DOCUMENTED: dict[str, Any] = json.loads(Path(__file__).with_name("documented.json").read_text(encoding="utf-8"))

# Where the documents allow a value to be absent though their example has one.
NULLABLE = {"lastConnectionEpoch", "collectionRequestId", "assignedFilterName", "fields"}


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False


def differences(actual: Any, example: Any, where: str) -> list[str]:
    """In what `actual` is not of the kind of `example`."""
    if example is None or (actual is None and where.rpartition(".")[2] in NULLABLE):
        return []
    if isinstance(example, dict):
        if not isinstance(actual, dict):
            return [f"{where}: {actual!r} is no object"]
        missing = [f"{where}.{key} is missing" for key in example if key not in actual]
        common = [key for key in example if key in actual]
        return missing + [found for key in common for found in differences(actual[key], example[key], f"{where}.{key}")]
    if isinstance(example, list):
        if not isinstance(actual, list):
            return [f"{where}: {actual!r} is no array"]
        kinds = example[:1] or [None]
        return [found for one in actual for found in differences(one, kinds[0], f"{where}[]")]
    return [] if _alike(actual, example) else [f"{where}: {actual!r} is not of the kind of {example!r}"]


def _alike(actual: Any, example: Any) -> bool:
    if isinstance(example, str):
        if not isinstance(actual, str):
            return False
        return _is_uuid(actual) >= _is_uuid(example) and (not _is_instant(example) or _is_instant(actual))
    if isinstance(example, bool) or isinstance(actual, bool):
        return isinstance(example, bool) and isinstance(actual, bool)
    return isinstance(actual, int) if isinstance(example, int) else isinstance(actual, int | float)


def test_the_comparison_itself_can_fail() -> None:
    example = {
        "id": DOCUMENTED["account"]["id"],
        "at": "2026-04-21T03:00:00Z",
        "count": 3,
        "size": 1.5,
        "is": True,
        "in": [1],
    }
    assert differences(example, example, "x") == []
    for key, wrong in (
        ("id", "7"),
        ("at", "tonight"),
        ("count", 3.5),
        ("size", "1.5"),
        ("is", 1),
        ("in", ["1"]),
        ("in", 1),
    ):
        assert differences(example | {key: wrong}, example, "x"), (key, wrong)
    assert differences({}, example, "x") == [f"x.{key} is missing" for key in example]
    assert differences(example | {"at": None}, example, "x")


@pytest.fixture
async def answers(observer: Client, ridge: Ridge, deliver: Delivery, fits_file: CardMaker) -> dict[str, Any]:
    """What the emulator answers where the documents give an example."""
    await observer.put(
        "/telescopes", json=[{"id": str(ridge.telescope_id), "last_connection_epoch": "2026-04-21T03:00:00Z"}]
    )
    task = ridge.add_task(filter_name="Clear")
    upload_id = await deliver(fits_file(), task)
    ridge.clock.advance(10.0)
    upload = (await observer.get(f"/my/images/{upload_id}")).json()
    span = {"start": "2026-04-21T03:00:00Z", "end": "2026-04-21T12:00:00Z", "minElevation": 20.0, "minDuration": 1.0}
    wish = {"filename": "a.fits", "telescope_id": str(ridge.telescope_id), "file_size": 2880}
    batch = DOCUMENTED["batch_request"] | {
        "params": {
            "ground_station_ids": [str(ridge.station_id)],
            "sensor_selections": {str(ridge.station_id): str(ridge.telescope_id)},
        }
    }

    async def get(path: str) -> Any:
        return (await observer.get(path)).json()

    async def post(path: str, body: Any = None, **query: Any) -> Any:
        return (await observer.post(path, json=body, params=query)).json()

    found = {
        "account": await get("/my/account"),
        "tokens": await get("/auth/personal-access-tokens"),
        "ground_station": await get(f"/ground-stations/{ridge.station_id}"),
        "weather": await get("/weather?lat=38.8412&lon=-105.0437&units=metric"),
        "telescope": await get(f"/telescopes/{ridge.telescope_id}"),
        "tasks": await get(f"/telescopes/{ridge.telescope_id}/tasks"),
        "elsets": await get(f"/satellites/{ridge.satellite_id}/elsets"),
        "access": await post(
            "/access/window/ground-stations-to-satellite", span | {"satelliteId": str(ridge.satellite_id)}
        ),
        "batch": await post("/collection-requests/batch", batch),
        "upload_initiated": await post("/my/images", **wish),
        "upload": upload,
        "page": await get("/satellites?quickFilter=DEMOSAT"),
        "missing_field": await post("/my/images", filename="a.fits", telescope_id=str(ridge.telescope_id)),
    }
    ridge.turn(upload_style="put_no_method", naming="snake")
    return found | {"upload_initiated_briefly": await post("/my/images", wish)}


ANSWERED = sorted(set(DOCUMENTED) - {"batch_request"})


@pytest.mark.parametrize("name", ANSWERED)
async def test_every_documented_field_is_there_with_its_type(answers: dict[str, Any], name: str) -> None:
    example = DOCUMENTED[name]
    assert answers[name], "an empty answer proves nothing"
    assert differences(answers[name], example, name) == []


@pytest.mark.parametrize(
    "name", ["account", "ground_station", "telescope", "tasks", "batch", "upload_initiated", "upload"]
)
async def test_nothing_is_there_that_is_not_documented(answers: dict[str, Any], name: str) -> None:
    actual, example = answers[name], DOCUMENTED[name]
    one, documented = (actual[0], example[0]) if isinstance(actual, list) else (actual, example)
    assert list(one) == list(documented)  # the same keys in the same order


async def test_what_the_examples_say_of_demosat_is_what_its_lines_say(answers: dict[str, Any]) -> None:
    (actual,), (example,) = answers["elsets"], DOCUMENTED["elsets"]
    ids = {"id", "userId", "satelliteId"}
    assert {key: actual[key] for key in example if key not in ids} == {
        key: example[key] for key in example if key not in ids
    }


async def test_the_telescope_is_the_one_of_the_example(answers: dict[str, Any]) -> None:
    own = {"id", "userId", "groundStationId", "creationEpoch", "lastConnectionEpoch"}
    expected = DOCUMENTED["telescope"]
    assert {key: answers["telescope"][key] for key in expected if key not in own} == {
        key: value for key, value in expected.items() if key not in own
    }


async def test_a_missing_field_is_missed_word_for_word(answers: dict[str, Any]) -> None:
    assert answers["missing_field"] == DOCUMENTED["missing_field"]


async def test_the_brief_answer_is_as_brief_as_the_quickstarts(answers: dict[str, Any]) -> None:
    assert set(answers["upload_initiated_briefly"]) == {"upload_id", "upload_url"}


async def test_instants_end_in_z(answers: dict[str, Any]) -> None:
    text = answers["tasks"][0]["taskStart"]
    assert text == "2026-04-21T03:12:30Z"
    assert datetime.fromisoformat(text) == datetime(2026, 4, 21, 3, 12, 30, tzinfo=UTC)
