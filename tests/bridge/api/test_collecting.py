"""Collection requests against the emulated platform, and answers as other servers spell them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bridge.api.client import CitraApi
from bridge.api.collecting import Created, Wanted
from bridge.errors import ApiContractBroken, ApiRejected, ApiUnreachable
from tests.bridge.conftest import EVENING, in_json


def wanted(platform: Any, *satellite_ids: str) -> Wanted:
    return Wanted(
        satellite_ids=satellite_ids or (str(platform.satellite_id),),
        opens=EVENING,
        closes=EVENING + timedelta(hours=12),
        ground_station_id=str(platform.station_id),
        telescope_id=str(platform.telescope_id),
    )


@pytest.mark.parametrize("manner", [{}, {"extra_fields": True, "unknown_enum": True}, {"naming": "snake"}])
async def test_what_is_asked_for_becomes_a_task_and_is_made_once(
    api: CitraApi, platform: Any, manner: dict[str, Any]
) -> None:
    platform.turn(**manner)
    satellite_id = await api.collecting.satellite_id(90001, name="DEMOSAT 1")
    assert satellite_id == str(platform.satellite_id)
    assert await api.collecting.ask(wanted(platform, satellite_id)) == Created(created=1, skipped=0)
    assert await api.collecting.ask(wanted(platform, satellite_id)) == Created(created=0, skipped=1)
    (request,) = platform.world.collection_requests.values()
    assert (request.opens, request.closes) == (EVENING, EVENING + timedelta(hours=12))
    assert request.sensors == {platform.station_id: platform.telescope_id}


async def test_a_satellite_is_known_by_its_number_and_never_by_its_name_alone(api: CitraApi, platform: Any) -> None:
    assert await api.collecting.satellite_id(90002, name="DEMOSAT 1") is None
    assert await api.collecting.satellite_id(90001, name="") is None, "this search finds no numbers"
    platform.turn(missing_optional=True)
    assert await api.collecting.satellite_id(90001, name="DEMOSAT 1") is None, "it does not say its number"
    other, ours = str(uuid4()), str(uuid4())
    broken = {"id": "none", "noradCatId": 799500123}
    listed = [broken, {"id": other, "noradCatId": 79950012}, {"id": ours, "noradCatId": 799500123, "name": "renamed"}]
    platform.wire.say("GET /satellites", {"items": listed, "total": 3})
    assert await api.collecting.satellite_id(799500123, name="ANOTHER") == ours


@pytest.mark.parametrize(
    ("answer", "created"),
    [
        ({"created": 3}, 3),
        ({"createdCount": 4, "collectionRequestIds": []}, 4),
        ({"created_count": 0}, 0),
        ({"collectionRequestIds": [str(uuid4()), str(uuid4())], "skippedSatelliteIds": [str(uuid4())]}, 2),
    ],
)
async def test_the_answer_is_read_however_it_is_spelled(
    api: CitraApi, platform: Any, answer: dict[str, Any], created: int
) -> None:
    platform.wire.instead["POST /collection-requests"] = in_json(answer, status=201)
    assert (await api.collecting.ask(wanted(platform))).created == created


@pytest.mark.parametrize("answer", [[], {"createdCount": -1}, {"created": "many"}, {"skippedSatelliteIds": ["x"]}])
async def test_an_answer_that_is_none_is_said_to_be_one(api: CitraApi, platform: Any, answer: Any) -> None:
    platform.wire.instead["POST /collection-requests"] = in_json(answer, status=201)
    with pytest.raises(ApiContractBroken, match="ask for 1 satellites"):
        await api.collecting.ask(wanted(platform))


async def test_a_refusal_and_a_lost_answer_are_said_and_a_lost_one_is_not_made_twice(
    api: CitraApi, platform: Any
) -> None:
    with pytest.raises(ApiRejected):
        await api.collecting.ask(wanted(platform, str(uuid4())))
    platform.wire.lose.append("POST /collection-requests")
    with pytest.raises(ApiUnreachable):
        await api.collecting.ask(wanted(platform))
    assert await api.collecting.ask(wanted(platform)) == Created(created=0, skipped=1)
