"""Measured places instead of pictures: who may send them and what they must say."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from .conftest import Client, Ridge


def _measured(ridge: Ridge, **changes: Any) -> dict[str, Any]:
    return {
        "satelliteId": str(ridge.satellite_id),
        "telescopeId": str(ridge.telescope_id),
        "epoch": "2026-04-21T03:14:20.450Z",
        "rightAscension": 182.40731,
        "declination": 41.00562,
        "sensorLatitude": 38.8412,
        "sensorLongitude": -105.0437,
        "sensorAltitude": 2.74,
        "angularNoise": 2.0,
        "visualMagnitude": 6.83,
        "minWavelength": 400.0,
        "maxWavelength": 700.0,
    } | changes


async def test_measured_places_are_kept_and_numbered(observer: Client, ridge: Ridge) -> None:
    task = ridge.add_task()
    sent = [_measured(ridge, taskId=str(task.id)), _measured(ridge)]
    answer = await observer.post("/observations/optical", json=sent)
    assert answer.status_code == 201
    assert [UUID(one) for one in answer.json()] == list(ridge.world.observations)
    kept = [one.measured for one in ridge.world.observations.values()]
    assert [one["rightAscension"] for one in kept] == [182.40731, 182.40731]
    assert kept[0]["taskId"] == str(task.id)
    assert kept[1]["epoch"] == "2026-04-21T03:14:20.450000Z"


async def test_a_standard_account_may_not(observer: Client, ridge: Ridge) -> None:
    ridge.turn(tier="Standard")
    answer = await observer.post("/observations/optical", json=[_measured(ridge)])
    assert answer.status_code == 403
    assert "Premium" in answer.json()["detail"]
    assert not ridge.world.observations


@pytest.mark.parametrize(
    "name", ["satelliteId", "telescopeId", "epoch", "rightAscension", "sensorAltitude", "angularNoise"]
)
async def test_what_is_needed_is_missed_by_name(observer: Client, ridge: Ridge, name: str) -> None:
    sent = {key: value for key, value in _measured(ridge).items() if key != name}
    answer = await observer.post("/observations/optical", json=[_measured(ridge), sent])
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", 1, name]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"declination": 90.5}, 422),
        ({"solarPhaseAngle": 40.0}, 422),
        ({"epoch": "now"}, 422),
        ({"satelliteId": str(uuid4())}, 404),
        ({"telescopeId": str(uuid4())}, 404),
        ({"taskId": str(uuid4())}, 404),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_of_it_kept(
    observer: Client, ridge: Ridge, changes: dict[str, Any], status: int
) -> None:
    answer = await observer.post("/observations/optical", json=[_measured(ridge), _measured(ridge, **changes)])
    assert answer.status_code == status
    assert not ridge.world.observations


async def test_the_body_is_an_array(observer: Client, ridge: Ridge) -> None:
    assert (await observer.post("/observations/optical", json=_measured(ridge))).status_code == 422
