"""Ground stations: read by all, moved by their owner."""

from uuid import uuid4

import pytest

from .conftest import Client, Ridge


async def test_everybody_sees_every_station(stranger: Client, ridge: Ridge) -> None:
    one = (await stranger.get(f"/ground-stations/{ridge.station_id}")).json()
    assert (one["name"], one["altitude"], one["username"]) == ("Ridge Site", 2740.0, "ridge_observer")
    assert (await stranger.get("/ground-stations")).json() == {"groundStations": [one]}
    assert (await stranger.get("/my/ground-stations")).json() == {"groundStations": []}


async def test_a_mobile_station_sends_only_where_it_is(observer: Client, ridge: Ridge) -> None:
    path = f"/ground-stations/{ridge.station_id}"
    before = (await observer.get(path)).json()
    ridge.clock.advance(300.0)
    moved = await observer.put(path, json={"latitude": 40.0, "longitude": -104.0, "altitude": 1500.0})
    assert moved.status_code == 200
    after = (await observer.get(path)).json()
    assert after == moved.json()
    assert {key for key in after if after[key] != before[key]} == {"latitude", "longitude", "altitude", "updateEpoch"}
    assert after["updateEpoch"] == "2026-04-21T03:05:00Z"


async def test_only_the_owner_moves_a_station(stranger: Client, ridge: Ridge) -> None:
    answer = await stranger.put(f"/ground-stations/{ridge.station_id}", json={"latitude": 0.0})
    assert answer.status_code == 403
    assert ridge.world.stations[ridge.station_id].latitude_deg == 38.8412


@pytest.mark.parametrize(
    "change", [{"latitude": 90.1}, {"longitude": -181}, {"altitude": "high"}, {"name": ""}, {"name": "x" * 256}]
)
async def test_a_place_off_the_earth_is_refused(observer: Client, ridge: Ridge, change: dict[str, object]) -> None:
    answer = await observer.put(f"/ground-stations/{ridge.station_id}", json=change)
    assert answer.status_code == 422
    (issue,) = answer.json()["detail"]
    assert issue["loc"] == ["body", *change]


async def test_there_is_no_patch_of_stations(observer: Client, ridge: Ridge) -> None:
    assert (await observer.patch(f"/ground-stations/{ridge.station_id}", json={})).status_code == 405


async def test_an_unknown_station_is_404_and_a_malformed_id_422(observer: Client) -> None:
    unknown = await observer.get(f"/ground-stations/{uuid4()}")
    assert unknown.status_code == 404
    assert unknown.json()["detail"].endswith("not found")
    malformed = await observer.get("/ground-stations/ridge")
    assert malformed.status_code == 422
    assert malformed.json()["detail"][0]["loc"] == ["path", "station_id"]
