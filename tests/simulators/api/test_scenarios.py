"""The tasks of a night, with skyfield as the judge of what is high, lit and in the dark."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from skyfield.api import EarthSatellite, Loader, load, wgs84

from simulators.api import Night, World, emulator_app, night_tasks
from simulators.api.catalogue import regime_of
from simulators.api.scenarios import FILTER_NAMES, TaskDraft
from simulators.clock import HandClock
from simulators.sky.earth import Ground
from simulators.sky.satellites import Swarm

DUSK = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)  # an hour and a half after sunset on the mountain
TWO_HOURS = timedelta(hours=2)
MOUNTAIN = Ground(28.3, -16.5, 2390.0)


@pytest.fixture(scope="module")
def sky() -> Swarm:
    return Swarm.from_synthetic(DUSK, seed=1)


@pytest.fixture(scope="module")
def drafts(sky: Swarm) -> list[TaskDraft]:
    return night_tasks(sky, MOUNTAIN, opens=DUSK, closes=DUSK + TWO_HOURS, count=48, seed=3)


@pytest.fixture(scope="module")
def planets() -> Any:
    import skyfield_data  # noqa: PLC0415 (its import is slow and only this module's oracle needs it)

    kernel = Loader(Path(skyfield_data.__file__).parent / "data", verbose=False)("de421.bsp")
    yield kernel
    kernel.close()


def _regimes(sky: Swarm, drafts: Sequence[TaskDraft]) -> Counter[str]:
    elements = {one.norad_id: one for one in sky.elements}
    return Counter(regime_of(elements[draft.norad_id]) for draft in drafts)


def test_a_night_of_two_hours_has_all_its_tasks_in_all_regimes(sky: Swarm, drafts: list[TaskDraft]) -> None:
    assert len(drafts) == 48
    assert set(_regimes(sky, drafts)) == {"LEO", "MEO", "GEO", "HEO"}


def test_each_target_is_high_and_lit_and_the_sky_dark_all_through(
    sky: Swarm, drafts: list[TaskDraft], planets: Any
) -> None:
    timescale = load.timescale(builtin=True)
    site = wgs84.latlon(MOUNTAIN.latitude_deg, MOUNTAIN.longitude_deg, elevation_m=MOUNTAIN.elevation_m)
    lines = dict(zip(sky.norad_ids, sky.lines, strict=True))
    for draft in drafts:
        pair = lines[draft.norad_id]
        assert pair is not None
        satellite = EarthSatellite(*pair, None, timescale)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            at = timescale.from_datetime(draft.opens + share * (draft.closes - draft.opens))
            altitude = (satellite - site).at(at).altaz()[0].degrees
            assert altitude > 24.5, draft
            assert satellite.at(at).is_sunlit(planets), draft
            sun = (planets["earth"] + site).at(at).observe(planets["sun"]).apparent().altaz()[0].degrees
            assert sun < -11.9, draft


def test_windows_are_long_enough_to_be_done_and_lie_in_the_night(drafts: list[TaskDraft]) -> None:
    for draft in drafts:
        assert DUSK <= draft.opens < draft.closes <= DUSK + TWO_HOURS
        assert timedelta(seconds=90) <= draft.closes - draft.opens <= timedelta(minutes=40)
        assert draft.opens.microsecond == draft.closes.microsecond == 0


def test_one_telescope_can_do_nearly_all(drafts: list[TaskDraft]) -> None:
    """A minute each, slew and all, in order of which window closes first: the simplest of plans."""
    free, done = DUSK, 0
    for draft in sorted(drafts, key=lambda one: one.closes):
        start = max(free, draft.opens)
        if start + timedelta(seconds=60) <= draft.closes:
            free, done = start + timedelta(seconds=60), done + 1
    assert done >= 0.9 * len(drafts)


def test_work_is_spread_over_the_night_and_windows_overlap(drafts: list[TaskDraft]) -> None:
    quarters = Counter(int((draft.opens - DUSK) / (TWO_HOURS / 4)) for draft in drafts)
    assert all(quarters[quarter] >= 5 for quarter in range(4))
    pairs = itertools.combinations(drafts, 2)
    assert any(one.opens < other.closes and other.opens < one.closes for one, other in pairs)


def test_no_satellite_is_to_be_looked_at_twice_at_once(sky: Swarm) -> None:
    crowded = night_tasks(sky, MOUNTAIN, opens=DUSK, closes=DUSK + TWO_HOURS, count=400, seed=3)
    assert len(crowded) > 200
    for one, other in itertools.combinations(crowded, 2):
        if one.norad_id == other.norad_id:
            assert one.closes <= other.opens or other.closes <= one.opens


def test_priorities_and_filters_are_mixed(drafts: list[TaskDraft]) -> None:
    assert (
        set(range(1, 11)) >= {draft.priority for draft in drafts} >= {1, 10} or len({d.priority for d in drafts}) >= 8
    )
    filters = Counter(draft.filter_name for draft in drafts)
    assert set(filters) - {None} <= set(FILTER_NAMES)
    assert 0.4 < filters[None] / len(drafts) < 0.9
    assert len(filters) >= 4


def test_the_same_seed_is_the_same_night_and_another_is_not(sky: Swarm, drafts: list[TaskDraft]) -> None:
    again = night_tasks(sky, MOUNTAIN, opens=DUSK, closes=DUSK + TWO_HOURS, count=48, seed=3)
    other = night_tasks(sky, MOUNTAIN, opens=DUSK, closes=DUSK + TWO_HOURS, count=48, seed=4)
    assert again == drafts != other
    assert sorted(drafts, key=lambda one: one.opens) != drafts  # in no order, as the platform lists them


def test_by_day_there_is_nothing_to_do(sky: Swarm) -> None:
    noon = DUSK.replace(hour=12)
    assert night_tasks(sky, MOUNTAIN, opens=noon, closes=noon + TWO_HOURS, count=48, seed=3) == []


def test_in_the_middle_of_a_winter_night_the_high_orbits_fill_in(sky: Swarm) -> None:
    midnight = DUSK + timedelta(hours=4)
    drafts = night_tasks(sky, MOUNTAIN, opens=midnight, closes=midnight + TWO_HOURS, count=48, seed=3)
    assert len(drafts) == 48
    assert _regimes(sky, drafts)["LEO"] < 10


@pytest.mark.parametrize("count", [0, 1, 2])
def test_small_nights_are_nights(sky: Swarm, count: int) -> None:
    assert len(night_tasks(sky, MOUNTAIN, opens=DUSK, closes=DUSK + TWO_HOURS, count=count, seed=3)) == count


@pytest.mark.catalogue
def test_real_satellites_give_a_whole_night(real_elements: Path) -> None:
    sky = Swarm.from_text(real_elements.read_text(encoding="utf-8"))
    evening = datetime(2026, 8, 11, 21, 30, tzinfo=UTC)
    drafts = night_tasks(sky, MOUNTAIN, opens=evening, closes=evening + TWO_HOURS, count=48, seed=3)
    assert len(drafts) == 48
    assert _regimes(sky, drafts)["LEO"] >= 25


@pytest.fixture
def world(sky: Swarm, tmp_path: Path) -> World:
    night = Night(opens=DUSK, closes=DUSK + TWO_HOURS, token="night-token", task_count=48, seed=3)
    clock = HandClock(DUSK - timedelta(minutes=30))
    return World.for_night(clock=clock, swarm=sky, ground=MOUNTAIN, night=night, uploads_folder=tmp_path / "kept")


async def test_a_bridge_with_the_token_finds_its_telescope_its_station_and_its_tasks(world: World) -> None:
    transport = httpx.ASGITransport(emulator_app(world))
    headers = {"Authorization": "Bearer night-token"}
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as bridge:
        (telescope,) = (await bridge.get("/my/telescopes")).json()
        station = (await bridge.get(f"/ground-stations/{telescope['groundStationId']}")).json()
        query = {"statuses": ["Pending", "Scheduled"], "task_stop_after": DUSK.isoformat()}
        tasks = (await bridge.get(f"/telescopes/{telescope['id']}/tasks", params=query)).json()
        elsets = [(await bridge.get(f"/satellites/{task['satelliteId']}/elsets")).json() for task in tasks]
    assert (station["latitude"], station["longitude"], station["altitude"]) == (28.3, -16.5, 2390.0)
    assert (telescope["minElevation"], telescope["maxSlewRate"], telescope["automatedScheduling"]) == (20.0, 4.0, True)
    assert telescope["fieldOfView"] == pytest.approx(3.0691, abs=0.001)  # the diagonal of 2048 × 7.4 µm at 400 mm
    assert [one["name"] for one in telescope["spectralConfig"]["filters"]] != []
    assert {one["name"] for one in telescope["spectralConfig"]["filters"]} == set(FILTER_NAMES)
    assert len(tasks) == 48
    assert all(found and found[0]["tle"] for found in elsets)


def test_two_worlds_of_one_seed_are_the_same_world(world: World, sky: Swarm, tmp_path: Path) -> None:
    night = Night(opens=DUSK, closes=DUSK + TWO_HOURS, token="another-token", task_count=48, seed=3)
    clock = HandClock(DUSK)
    other = World.for_night(clock=clock, swarm=sky, ground=MOUNTAIN, night=night, uploads_folder=tmp_path / "other")
    assert (other.tasks, other.telescopes, other.stations) == (world.tasks, world.telescopes, world.stations)
    assert [other.new_id() for _ in range(3)] == [world.new_id() for _ in range(3)]


def test_a_place_beyond_the_date_line_is_within_what_the_api_allows(sky: Swarm, tmp_path: Path) -> None:
    night = Night(opens=DUSK, closes=DUSK + TWO_HOURS, token="t", task_count=0)
    ground = replace(MOUNTAIN, longitude_deg=343.5)
    world = World.for_night(clock=HandClock(DUSK), swarm=sky, ground=ground, night=night, uploads_folder=tmp_path / "k")
    (station,) = world.stations.values()
    assert station.longitude_deg == pytest.approx(-16.5)


def test_a_token_is_in_no_picture_of_the_world(world: World) -> None:
    night = Night(opens=DUSK, closes=DUSK, token="night-token")
    assert "night-token" not in repr(world) + repr(night)
