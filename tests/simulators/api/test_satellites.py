"""Satellites by name, and element sets with every trap that the platform may lay."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sgp4.api import Satrec

from simulators.api.catalogue import Catalogue, satellite_id_of
from simulators.sky.elements import checksum_of
from simulators.sky.satellites import Swarm

from .conftest import DEMOSAT, EVENING, Client, Ridge

KOZAI = "SGP4 with Kozai mean motion"
CLASSIC = [KOZAI, "SGP4 with Brouwer mean motion"]


async def _elsets(client: Client, ridge: Ridge, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/satellites/{ridge.satellite_id}/elsets", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def test_an_id_follows_from_the_number_alone_and_is_the_same_in_every_run() -> None:
    assert satellite_id_of(90001) == UUID("1d7c077c-3220-56c8-8c20-06d721ba1e60")
    assert len({satellite_id_of(number) for number in range(1000)}) == 1000


async def test_one_satellite_has_its_number_and_its_element_sets(observer: Client, ridge: Ridge) -> None:
    one = (await observer.get(f"/satellites/{ridge.satellite_id}")).json()
    assert (one["name"], one["noradCatId"], one["type"]) == ("DEMOSAT 1", 90001, "Payload")
    assert one["elsets"] == await _elsets(observer, ridge)


@pytest.mark.parametrize("path", ["/satellites/{}", "/satellites/{}/elsets", "/satellites/{}/tasks"])
async def test_an_unknown_satellite_is_404_and_a_malformed_id_422(observer: Client, path: str) -> None:
    assert (await observer.get(path.format(uuid4()))).status_code == 404
    assert (await observer.get(path.format("25544"))).status_code == 422


async def test_pages_hold_every_satellite_once(observer: Client, ridge: Ridge) -> None:
    seen: list[str] = []
    page, more = 0, True
    while more:
        answer = (await observer.get("/satellites", params={"page": page, "pageSize": 100})).json()
        assert (answer["page"], answer["pageSize"], answer["hasPreviousPage"]) == (page, 100, page > 0)
        seen += [one["id"] for one in answer["items"]]
        page, more = page + 1, answer["hasNextPage"]
    assert len(seen) == len(set(seen)) == answer["total"] == len(ridge.world.catalogue.by_id)
    assert page == answer["totalPages"]


async def test_the_quick_filter_searches_names_in_any_case(observer: Client) -> None:
    found = (await observer.get("/satellites", params={"quickFilter": "demoSAT"})).json()
    assert [one["name"] for one in found["items"]] == ["DEMOSAT 1"]
    assert (found["total"], found["totalPages"], found["hasNextPage"]) == (1, 1, False)
    none = (await observer.get("/satellites", params={"quickFilter": "no such thing"})).json()
    assert (none["items"], none["total"], none["totalPages"], none["hasNextPage"]) == ([], 0, 0, False)


async def test_beyond_the_last_page_there_is_nothing(observer: Client) -> None:
    answer = (await observer.get("/satellites", params={"page": 900})).json()
    assert (answer["items"], answer["hasNextPage"], answer["hasPreviousPage"]) == ([], False, True)


@pytest.mark.parametrize("query", ["page=-1", "pageSize=0", "pageSize=101", "page=first"])
async def test_a_page_that_cannot_be_is_refused(observer: Client, query: str) -> None:
    answer = await observer.get(f"/satellites?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", query.split("=", maxsplit=1)[0]]


async def test_regimes_are_those_of_the_shells(observer: Client) -> None:
    for name in ("LEO-530", "MEO-GNSS-A", "GEO-OLD", "HEO-12H", "HEO-GTO"):
        items = (await observer.get("/satellites", params={"quickFilter": name})).json()["items"]
        assert items
        assert {one["orbitRegime"] for one in items} == {name.split("-")[0]}


async def test_the_lines_are_those_of_the_file_and_the_elements_agree_with_them(observer: Client, ridge: Ridge) -> None:
    (elset,) = await _elsets(observer, ridge)
    assert elset["tle"] == DEMOSAT.splitlines()[1:]
    read = Satrec.twoline2rv(*elset["tle"])
    assert elset["inclination"] == pytest.approx(read.inclo * 57.29577951308232)
    assert elset["meanMotion"] == pytest.approx(read.no_kozai * 1440.0 / 6.283185307179586)
    assert elset["bStar"] == pytest.approx(read.bstar)
    assert elset["semiMajorAxis"] == pytest.approx(6794.863, abs=0.001)  # the documents' own example
    assert (elset["type"], elset["epoch"]) == (KOZAI, "2026-04-20T12:00:00Z")


OMM = {
    "OBJECT_NAME": "FARSAT R/B",
    "OBJECT_ID": "2026-001B",
    "NORAD_CAT_ID": 400001,
    "EPOCH": "2026-04-20T12:00:00",
    "MEAN_MOTION": 15.5,
    "ECCENTRICITY": 0.0005,
    "INCLINATION": 51.64,
    "RA_OF_ASC_NODE": 210.0,
    "ARG_OF_PERICENTER": 80.0,
    "MEAN_ANOMALY": 280.0,
    "BSTAR": 3e-5,
    "MEAN_MOTION_DOT": 1.2e-5,
}


async def test_a_number_with_no_place_on_a_line_comes_without_lines_but_with_elements(
    observer: Client, ridge: Ridge
) -> None:
    ridge.world.catalogue = Catalogue(Swarm.from_text(json.dumps([OMM])))
    (entry,) = ridge.world.catalogue.entries
    (elset,) = (await observer.get(f"/satellites/{entry.id}/elsets")).json()
    assert (elset["type"], elset["tle"], elset["meanMotion"]) == (KOZAI, None, 15.5)
    ridge.turn(best_elset="xp")
    best, classic = (await observer.get(f"/satellites/{entry.id}/elsets")).json()
    assert (best["type"], best["tle"]) == ("SGP4-XP with Brouwer mean motion", None)
    assert classic == elset
    assert (await observer.get(f"/satellites/{entry.id}")).json()["noradCatId"] == 400001


async def test_numbers_of_six_digits_are_alpha5_on_their_lines(observer: Client, ridge: Ridge) -> None:
    alpha5 = next(entry for entry in ridge.world.catalogue.entries if entry.norad_id >= 270_000)
    (elset,) = (await observer.get(f"/satellites/{alpha5.id}/elsets")).json()
    assert elset["tle"][0][2] == "T"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SL-8 R/B", "Rocket Body"),
        ("CZ-2C R/B 2", "Rocket Body"),
        ("COSMOS 2251 DEB", "Debris"),
        ("STARLINK-1007", "Payload"),
        ("DEBUT", "Payload"),
    ],
)
async def test_what_it_is_follows_from_its_name(observer: Client, ridge: Ridge, name: str, kind: str) -> None:
    ridge.world.catalogue = Catalogue(Swarm.from_text(json.dumps([OMM | {"OBJECT_NAME": name}])))
    (one,) = (await observer.get("/satellites")).json()["items"]
    assert (one["name"], one["type"]) == (name, kind)


async def test_the_best_set_may_be_one_that_sgp4_must_not_touch(observer: Client, ridge: Ridge) -> None:
    ridge.turn(best_elset="xp")
    (best,) = await _elsets(observer, ridge, limit=1)
    assert best["type"] == "SGP4-XP with Brouwer mean motion"
    line1 = best["tle"][0]
    assert (line1[62], len(line1)) == ("4", 69)
    assert line1[68] == str(checksum_of(line1[:68]))
    (classic,) = await _elsets(observer, ridge, limit=1, types=CLASSIC)
    assert (classic["type"], classic["tle"][0][62]) == (KOZAI, "0")
    assert [one["type"] for one in await _elsets(observer, ridge)] == [best["type"], KOZAI]


async def test_the_best_set_may_have_no_lines(observer: Client, ridge: Ridge) -> None:
    ridge.turn(best_elset="null_tle")
    (best,) = await _elsets(observer, ridge, limit=1)
    assert (best["type"], best["tle"]) == ("SP with Brouwer mean motion", None)
    assert (await _elsets(observer, ridge, limit=1, types=CLASSIC))[0]["tle"] is not None


async def test_a_server_that_does_not_know_types_gives_the_best_all_the_same(observer: Client, ridge: Ridge) -> None:
    ridge.turn(best_elset="xp", elset_types_param="ignored")
    (best,) = await _elsets(observer, ridge, limit=1, types=CLASSIC)
    assert best["type"].startswith("SGP4-XP")
    latest = (await observer.get("/elsets/latest", params={"types": CLASSIC})).json()
    assert {one["type"] for one in latest} == {best["type"]}


async def test_a_type_that_nobody_has_gives_none(observer: Client, ridge: Ridge) -> None:
    assert await _elsets(observer, ridge, types="SP with Brouwer mean motion") == []


@pytest.mark.parametrize("limit", ["0", "-1", "one"])
async def test_a_limit_is_above_zero(observer: Client, ridge: Ridge, limit: str) -> None:
    answer = await observer.get(f"/satellites/{ridge.satellite_id}/elsets", params={"limit": limit})
    assert answer.status_code == 422


async def test_the_latest_are_one_of_each_satellite_and_as_young_as_asked_for(observer: Client, ridge: Ridge) -> None:
    latest = (await observer.get("/elsets/latest")).json()
    assert len({one["satelliteId"] for one in latest}) == len(latest) == len(ridge.world.catalogue.by_id)
    assert [one for one in latest if one["satelliteId"] == str(ridge.satellite_id)] == await _elsets(observer, ridge)
    ridge.clock.advance(timedelta(days=2).total_seconds())
    young = (await observer.get("/elsets/latest", params={"days": 2})).json()
    oldest = EVENING  # now less two days
    assert all(datetime.fromisoformat(one["epoch"]) >= oldest for one in young)
    assert len(young) < len(latest)


async def test_the_latest_take_types_too(observer: Client, ridge: Ridge) -> None:
    ridge.turn(best_elset="xp")
    assert {one["type"] for one in (await observer.get("/elsets/latest")).json()} == {
        "SGP4-XP with Brouwer mean motion"
    }
    assert {one["type"] for one in (await observer.get("/elsets/latest", params={"types": CLASSIC})).json()} == {KOZAI}
