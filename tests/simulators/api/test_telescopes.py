"""Telescopes: heartbeats, the two verbs, the two styles of keys, and the trap of the verb that creates."""

from typing import Any
from uuid import uuid4

import pytest

from .conftest import Client, Ridge

NEW = {
    "name": "Second",
    "angularNoise": 1.5,
    "maxMagnitude": 13.0,
    "minElevation": 15.0,
    "maxSlewRate": 8.0,
    "homeAzimuth": 0.0,
    "homeElevation": 45.0,
    "legacyFieldOfView": 1.2,
}


async def _one(client: Client, ridge: Ridge) -> dict[str, Any]:
    return dict((await client.get(f"/telescopes/{ridge.telescope_id}")).json())


async def test_mine_are_mine_and_all_are_everybodys(observer: Client, ridge: Ridge) -> None:
    mine, all_of_them = await observer.get("/my/telescopes"), await observer.get("/telescopes")
    assert [one["id"] for one in mine.json()] == [str(ridge.telescope_id)]
    assert len(all_of_them.json()) == 2
    chosen = await observer.get("/telescopes", params={"ids": [str(ridge.strangers_telescope_id), str(uuid4())]})
    assert [one["id"] for one in chosen.json()] == [str(ridge.strangers_telescope_id)]


async def test_the_field_is_the_diagonal_and_computed(observer: Client, ridge: Ridge) -> None:
    assert (await _one(observer, ridge))["fieldOfView"] == 1.8672  # the documents' own example
    await observer.patch(
        "/telescopes", json=[{"id": str(ridge.telescope_id), "focalLength": None, "fieldOfView": 99.0}]
    )
    assert (await _one(observer, ridge))["fieldOfView"] is None


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
@pytest.mark.parametrize("key", ["last_connection_epoch", "lastConnectionEpoch"])
async def test_a_heartbeat_in_either_style_brings_the_telescope_online(
    observer: Client, ridge: Ridge, verb: str, key: str
) -> None:
    assert (await _one(observer, ridge))["status"] == "offline"
    beat = [{"id": str(ridge.telescope_id), key: "2026-04-21T03:00:00.000+00:00"}]
    assert (await observer.request(verb, "/telescopes", json=beat)).status_code == 200
    seen = await _one(observer, ridge)
    assert (seen["status"], seen["lastConnectionEpoch"]) == ("online", "2026-04-21T03:00:00Z")


async def test_a_silent_telescope_goes_offline_after_the_timeout_and_not_before(observer: Client, ridge: Ridge) -> None:
    await observer.put(
        "/telescopes", json=[{"id": str(ridge.telescope_id), "lastConnectionEpoch": "2026-04-21T03:00:00Z"}]
    )
    ridge.clock.advance(300.0)
    assert (await _one(observer, ridge))["status"] == "online"
    ridge.clock.advance(1.0)
    assert (await _one(observer, ridge))["status"] == "offline"
    ridge.turn(sensor_online_timeout_minutes=60.0)
    assert (await _one(observer, ridge))["status"] == "online"


async def test_a_key_in_both_styles_at_once_is_refused(observer: Client, ridge: Ridge) -> None:
    beat = {"id": str(ridge.telescope_id), "lastConnectionEpoch": None, "last_connection_epoch": "2026-04-21T03:00:00Z"}
    answer = await observer.put("/telescopes", json=[beat])
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", 0, "last_connection_epoch"]


async def test_a_heartbeat_changes_nothing_else(observer: Client, ridge: Ridge) -> None:
    before = await _one(observer, ridge)
    await observer.put("/telescopes", json=[{"id": before["id"], "last_connection_epoch": "2026-04-21T02:59:00Z"}])
    after = await _one(observer, ridge)
    assert {key for key in after if after[key] != before[key]} == {"lastConnectionEpoch", "status"}


async def test_put_without_an_id_makes_a_telescope_and_patch_refuses(observer: Client, ridge: Ridge) -> None:
    refused = await observer.patch("/telescopes", json=[NEW])
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", 0, "id"]
    made = await observer.put("/telescopes", json=[NEW])
    assert made.status_code == 200
    mine = (await observer.get("/my/telescopes")).json()
    assert [one["name"] for one in mine] == ["Ridge 80mm", "Second"]
    assert mine[1] == made.json()[0]
    assert mine[1]["automatedScheduling"] is False


@pytest.mark.parametrize("missing", [key for key in NEW if key != "legacyFieldOfView"])
async def test_a_telescope_is_not_born_without_its_seven_fields(observer: Client, missing: str) -> None:
    answer = await observer.put("/telescopes", json=[{key: value for key, value in NEW.items() if key != missing}])
    assert answer.status_code == 422
    (issue,) = answer.json()["detail"]
    assert (issue["type"], issue["loc"]) == ("missing", ["body", 0, missing])


async def test_a_telescope_is_not_born_without_a_field(observer: Client) -> None:
    sensor = {"horizontalPixelCount": 2048, "verticalPixelCount": 2048, "pixelSize": 7.4}
    bare = {key: value for key, value in NEW.items() if key != "legacyFieldOfView"}
    assert (await observer.put("/telescopes", json=[bare | sensor])).status_code == 422
    assert (await observer.put("/telescopes", json=[bare | sensor | {"focalLength": 400.0}])).status_code == 200


async def test_one_wrong_element_changes_none(observer: Client, ridge: Ridge) -> None:
    changes = [{"id": str(ridge.telescope_id), "minElevation": 33.0}, {"id": str(uuid4()), "minElevation": 33.0}]
    assert (await observer.patch("/telescopes", json=changes)).status_code == 404
    assert (await _one(observer, ridge))["minElevation"] == 20.0


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_a_strangers_telescope_is_left_alone(observer: Client, ridge: Ridge, verb: str) -> None:
    change = [{"id": str(ridge.strangers_telescope_id), "automatedScheduling": False}]
    assert (await observer.request(verb, "/telescopes", json=change)).status_code == 403
    assert ridge.world.telescopes[ridge.strangers_telescope_id].automated_scheduling


async def test_the_scheduling_switch(observer: Client, ridge: Ridge) -> None:
    change = [{"id": str(ridge.telescope_id), "automatedScheduling": False}]
    assert (await observer.patch("/telescopes", json=change)).json()[0]["automatedScheduling"] is False
    assert (await _one(observer, ridge))["automatedScheduling"] is False


SPECTRAL = {"type": "discrete", "filters": [{"name": "Ha 3nm", "central_wavelength_nm": 656.3, "bandwidth_nm": 3.0}]}


@pytest.mark.parametrize(
    "given",
    [
        SPECTRAL,
        {"type": "tunable", "min_wavelength_nm": 400.0, "max_wavelength_nm": 700.0, "bandwidth_nm": 10.0},
        {
            "type": "hyperspectral",
            "min_wavelength_nm": 400.0,
            "max_wavelength_nm": 900.0,
            "spectral_resolution_nm": 5.0,
        },
        {"anything": ["else", 1, None]},
    ],
)
async def test_a_spectral_description_is_kept_as_it_was_sent(observer: Client, ridge: Ridge, given: Any) -> None:
    await observer.patch("/telescopes", json=[{"id": str(ridge.telescope_id), "spectralConfig": given}])
    assert (await _one(observer, ridge))["spectralConfig"] == given


@pytest.mark.parametrize(
    "given",
    [
        {"type": "discrete", "filters": []},
        {"type": "discrete", "filters": [{"name": "Red"}]},
        {"type": "discrete", "filters": [{"name": "Red", "central_wavelength_nm": 0, "bandwidth_nm": 10}]},
        {"type": "tunable"},
        "Clear",
    ],
)
async def test_a_broken_spectral_description_is_refused(observer: Client, ridge: Ridge, given: Any) -> None:
    answer = await observer.patch("/telescopes", json=[{"id": str(ridge.telescope_id), "spectralConfig": given}])
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"minElevation": None},
        {"focalLength": -1.0},
        {"pixelSize": "wide"},
        {"groundStationId": "ridge"},
    ],
)
async def test_a_value_that_no_telescope_has_is_refused(observer: Client, ridge: Ridge, change: Any) -> None:
    answer = await observer.patch("/telescopes", json=[{"id": str(ridge.telescope_id)} | change])
    assert answer.status_code == 422


async def test_the_body_is_an_array(observer: Client, ridge: Ridge) -> None:
    answer = await observer.put("/telescopes", json={"id": str(ridge.telescope_id)})
    assert answer.status_code == 422
    assert (await observer.put("/telescopes", json=[1, "x"])).status_code == 422


async def test_a_telescope_cannot_stand_at_a_station_that_is_not(observer: Client, ridge: Ridge) -> None:
    change = [{"id": str(ridge.telescope_id), "groundStationId": str(uuid4())}]
    assert (await observer.patch("/telescopes", json=change)).status_code == 404


async def test_the_filter_library_knows_names_in_any_case_and_says_which_it_does_not(observer: Client) -> None:
    answer = await observer.post("/filters/expand", json={"filter_names": ["Red", "ha", "Mystery"]})
    assert answer.json() == {
        "filters": [
            {"name": "Red", "central_wavelength_nm": 630.0, "bandwidth_nm": 100.0, "is_known": True},
            {"name": "ha", "central_wavelength_nm": 656.3, "bandwidth_nm": 7.0, "is_known": True},
            {"name": "Mystery", "central_wavelength_nm": 550.0, "bandwidth_nm": 200.0, "is_known": False},
        ]
    }


async def test_the_filter_library_lists_itself_by_groups(observer: Client) -> None:
    listed = (await observer.get("/filters/list")).json()["filters"]
    assert {one["group"] for one in listed} == {"Johnson-Cousins", "Sloan", "Narrowband", "RGB"}
    names = [one["name"] for one in listed]
    known = (await observer.post("/filters/expand", json={"filter_names": names})).json()["filters"]
    assert all(one["is_known"] for one in known)


@pytest.mark.parametrize("body", [{}, {"filter_names": []}, {"filterNames": ["Red"]}, {"filter_names": "Red"}])
async def test_nothing_to_expand_is_refused(observer: Client, body: Any) -> None:
    assert (await observer.post("/filters/expand", json=body)).status_code == 422
