"""Access windows against skyfield, which shares nothing with the emulator but the element sets."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from skyfield.api import EarthSatellite, load, wgs84

from .conftest import Client, Ridge

START, END = datetime(2026, 4, 21, 3, 0, tzinfo=UTC), datetime(2026, 4, 21, 13, 0, tzinfo=UTC)
SITE = wgs84.latlon(38.8412, -105.0437, elevation_m=2740.0)
PATH = "/access/window/"


def _span(start: datetime = START, end: datetime = END, **more: Any) -> dict[str, Any]:
    return {"start": start.isoformat(), "end": end.isoformat(), "minElevation": 20.0, "minDuration": 1.0} | more


async def _windows(client: Client, path: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await client.post(PATH + path, json=question)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def _oracle(lines: Sequence[str], limit_deg: float) -> list[tuple[datetime, datetime]]:
    """Whole passes within the span, by skyfield's own search."""
    timescale = load.timescale(builtin=True)
    satellite = EarthSatellite(*lines, None, timescale)
    start, end = timescale.from_datetime(START), timescale.from_datetime(END)
    times, events = satellite.find_events(SITE, start, end, altitude_degrees=limit_deg)
    marked = list(zip((t.utc_datetime() for t in times), events, strict=True))
    rises = [at for at, event in marked if event == 0]
    sets = [(rise, [at for at, event in marked if event == 2 and at > rise]) for rise in rises]
    return [(rise, later[0]) for rise, later in sets if later]


async def test_the_passes_of_one_satellite_are_those_that_skyfield_finds(observer: Client, ridge: Ridge) -> None:
    question = _span(satelliteId=str(ridge.satellite_id), minDuration=0.0)
    windows = await _windows(observer, "ground-stations-to-satellite", question)
    lines = ridge.world.catalogue.by_id[ridge.satellite_id].elements.lines
    assert lines is not None
    expected = _oracle(lines, 20.0)
    assert len(windows) == len(expected) >= 1
    for window, (rise, sets) in zip(windows, expected, strict=True):
        assert abs(datetime.fromisoformat(window["overlapStart"]) - rise) < timedelta(seconds=1.0)
        assert abs(datetime.fromisoformat(window["overlapEnd"]) - sets) < timedelta(seconds=1.0)


@pytest.mark.parametrize("place", [3, 45, 90, 140, 199, 260, 300, 470, 485])
async def test_passes_in_every_regime_are_those_that_skyfield_finds(observer: Client, ridge: Ridge, place: int) -> None:
    """Whole passes only: one under way at an end of the span has its edge there and is not skyfield's event."""
    entry = ridge.world.catalogue.entries[place]
    question = _span(satelliteId=str(entry.id), minDuration=0.0, minElevation=30.0)
    windows = await _windows(observer, "ground-stations-to-satellite", question)
    found = [
        tuple(datetime.fromisoformat(window[key]) for key in ("overlapStart", "overlapEnd"))
        for window in windows
        if window["overlapStart"] != "2026-04-21T03:00:00Z" and window["overlapEnd"] != "2026-04-21T13:00:00Z"
    ]
    assert entry.elements.lines is not None
    expected = _oracle(entry.elements.lines, 30.0)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert all(abs(a - b) < timedelta(seconds=3.0) for a, b in zip(one, other, strict=True))


async def test_the_ends_of_a_pass_are_where_skyfield_sees_them(observer: Client, ridge: Ridge) -> None:
    question = _span(satelliteId=str(ridge.satellite_id))
    (window,) = await _windows(observer, "ground-stations-to-satellite", question)
    timescale = load.timescale(builtin=True)
    lines = ridge.world.catalogue.by_id[ridge.satellite_id].elements.lines
    assert lines is not None
    relative = EarthSatellite(*lines, None, timescale) - SITE
    for state in (window["accesses"][0]["start"], window["accesses"][0]["end"]):
        at = timescale.from_datetime(datetime.fromisoformat(state["epoch"]))
        altitude, azimuth, distance, altitude_rate, azimuth_rate, range_rate = relative.at(at).frame_latlon_and_rates(
            SITE
        )
        assert state["elevation"] == pytest.approx(altitude.degrees, abs=0.02)
        assert state["azimuth"] == pytest.approx(azimuth.degrees, abs=0.02)
        assert state["range"] == pytest.approx(distance.km, abs=1.0)
        assert state["rangeRate"] == pytest.approx(range_rate.km_per_s, abs=0.02)
        assert state["elevationRate"] == pytest.approx(altitude_rate.degrees.per_second, abs=0.002)
        assert state["azimuthRate"] == pytest.approx(azimuth_rate.degrees.per_second, abs=0.002)


async def test_times_are_whole_seconds_and_durations_are_minutes_between_them(observer: Client, ridge: Ridge) -> None:
    question = _span(end=START + timedelta(hours=1), groundStationIds=[str(ridge.station_id)])
    windows = await _windows(observer, "satellites-to-ground-station", question)
    assert len(windows) > 20
    for window in windows:
        opens, closes = (datetime.fromisoformat(window[key]) for key in ("overlapStart", "overlapEnd"))
        assert opens.microsecond == closes.microsecond == 0
        assert START <= opens < closes <= START + timedelta(hours=1)
        assert window["duration"] == pytest.approx((closes - opens).total_seconds() / 60.0, abs=1e-3)
        assert window["duration"] >= 1.0
        (access,) = window["accesses"]
        assert access["groundStationName"] == "Ridge Site"
        assert (access["start"]["epoch"], access["end"]["epoch"]) == (window["overlapStart"], window["overlapEnd"])
        assert min(access["start"]["elevation"], access["end"]["elevation"]) > 19.9
    assert all(one["overlapStart"] <= later["overlapStart"] for one, later in pairwise(windows))


async def test_a_station_sees_what_its_satellites_say_they_pass(observer: Client, ridge: Ridge) -> None:
    over_station = _span(groundStationIds=[str(ridge.station_id)])
    of_satellite = _span(satelliteId=str(ridge.satellite_id))
    windows = await _windows(observer, "satellites-to-ground-station", over_station)
    ours = [one for one in windows if one["satelliteId"] == str(ridge.satellite_id)]
    assert ours == await _windows(observer, "ground-stations-to-satellite", of_satellite)
    assert {one["satelliteName"] for one in ours} == {"DEMOSAT 1"}  # not the other set with its number


async def test_a_bare_place_sees_what_a_station_there_sees(observer: Client, ridge: Ridge) -> None:
    waypoint = {"latitude": 38.8412, "longitude": -105.0437, "altitude": 2740.0}
    times = {"start": START.isoformat(), "end": (START + timedelta(hours=3)).isoformat()}
    question = {
        "waypoints": [waypoint | times, {**times, "latitude": 0, "longitude": 0}],
        "minElevation": 20,
        "minDuration": 1,
    }
    by_place = await _windows(observer, "satellites-to-location", question)
    by_station = await _windows(
        observer,
        "satellites-to-ground-station",
        _span(end=START + timedelta(hours=3), groundStationIds=[str(ridge.station_id)]),
    )
    assert [(one["satelliteId"], one["overlapStart"]) for one in by_place] == [
        (one["satelliteId"], one["overlapStart"]) for one in by_station
    ]


async def test_only_long_passes_are_given_where_long_ones_are_asked_for(observer: Client, ridge: Ridge) -> None:
    station = [str(ridge.station_id)]
    short = await _windows(
        observer,
        "satellites-to-ground-station",
        _span(end=START + timedelta(hours=4), groundStationIds=station, minDuration=0.0),
    )
    long = await _windows(
        observer,
        "satellites-to-ground-station",
        _span(end=START + timedelta(hours=4), groundStationIds=station, minDuration=6.5),
    )
    assert long == [one for one in short if one["duration"] >= 6.5]
    assert 0 < len(long) < len(short)


async def test_two_stations_share_only_what_both_see(observer: Client, ridge: Ridge) -> None:
    first = ridge.world.stations[ridge.station_id]
    other = replace(first, id=uuid4(), latitude_deg=33.0)
    ridge.world.stations[other.id] = other
    path, times = "satellites-to-ground-station", {"end": START + timedelta(hours=3), "minDuration": 0.5}
    alone = {}
    for station in (first, other):
        windows = await _windows(observer, path, _span(groundStationIds=[str(station.id)], **times))
        alone[station.id] = {(one["satelliteId"], one["overlapStart"]): one for one in windows}
    together = await _windows(observer, path, _span(groundStationIds=[str(first.id), str(other.id)], **times))
    assert 0 < len(together) < min(len(windows) for windows in alone.values())
    for window in together:
        assert [access["groundStationId"] for access in window["accesses"]] == [str(first.id), str(other.id)]
        starts = [access["start"]["epoch"] for access in window["accesses"]]
        assert window["overlapStart"] == max(starts)
        assert window["overlapEnd"] == min(access["end"]["epoch"] for access in window["accesses"])
        for station, access in zip((first, other), window["accesses"], strict=True):
            assert (window["satelliteId"], access["start"]["epoch"]) in alone[station.id]


async def test_an_older_server_gives_a_flat_list(observer: Client, ridge: Ridge) -> None:
    question = _span(satelliteId=str(ridge.satellite_id))
    nested = await _windows(observer, "ground-stations-to-satellite", question)
    ridge.turn(access_shape="flat")
    flat = await _windows(observer, "ground-stations-to-satellite", question)
    assert flat == [access for window in nested for access in window["accesses"]]
    assert "accesses" not in flat[0]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"end": START.isoformat()}, []),
        ({"end": (START + timedelta(days=3, seconds=1)).isoformat()}, []),
        ({"minElevation": -1}, ["minElevation"]),
        ({"minElevation": 91}, ["minElevation"]),
        ({"minDuration": -0.1}, ["minDuration"]),
        ({"groundStationIds": []}, ["groundStationIds"]),
        ({"groundStationIds": ["ridge"]}, ["groundStationIds", 0]),
        ({"start": None}, ["start"]),
    ],
)
async def test_a_question_without_sense_is_refused(observer: Client, ridge: Ridge, changes: Any, place: Any) -> None:
    question = _span(groundStationIds=[str(ridge.station_id)]) | changes
    answer = await observer.post(PATH + "satellites-to-ground-station", json=question)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", *place]


async def test_what_is_not_there_cannot_be_seen(observer: Client) -> None:
    station = await observer.post(PATH + "satellites-to-ground-station", json=_span(groundStationIds=[str(uuid4())]))
    satellite = await observer.post(PATH + "ground-stations-to-satellite", json=_span(satelliteId=str(uuid4())))
    assert (station.status_code, satellite.status_code) == (404, 404)


async def test_there_are_no_groups_to_look_for(observer: Client) -> None:
    place = {"latitude": 0, "longitude": 0, "start": START.isoformat(), "end": END.isoformat()}
    question = {"waypoints": [place], "minElevation": 20, "minDuration": 1, "satelliteGroupIds": [str(uuid4())]}
    assert (await observer.post(PATH + "satellites-to-location", json=question)).status_code == 404


async def test_snake_case_is_not_taken_here(observer: Client, ridge: Ridge) -> None:
    question = _span(ground_station_ids=[str(ridge.station_id)])
    answer = await observer.post(PATH + "satellites-to-ground-station", json=question)
    assert answer.status_code == 422
    assert answer.json()["detail"][0] == {
        "type": "missing",
        "loc": ["body", "groundStationIds"],
        "msg": "Field required",
        "input": None,
    }
