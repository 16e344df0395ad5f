"""Chores: done by the clock and never in a burst; tasks come in, change, and are let go of as the platform says."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
import pytest
from pydantic import SecretStr

from bridge.api.client import CitraApi, open_api
from bridge.chores import Chore, Chores, StationCard, api_chores, every
from bridge.clock import LoopClock
from bridge.config import ApiSettings, ExposureSettings
from bridge.errors import ApiRejected
from bridge.events import ApiTrouble, ApiTroubleOver, Event, StationNote, TaskAccepted, TaskRefused, Telemetry
from bridge.fetching import TaskFetcher
from bridge.storage.store import Store, open_store
from bridge.tasks import TaskState
from schedules.site import Site
from simulators.api.records import TaskStatus
from tests.bridge.delivering import Capture

SITE = Site(latitude_deg=38.84, longitude_deg=255.03, elevation_m=1900.0)

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)

Heard = Callable[[], list[Event]]


@pytest.fixture
async def store(tmp_path: Path, platform: Any) -> AsyncIterator[Store]:
    async with open_store(tmp_path / "ledger.sqlite", clock=platform.clock, telemetry=platform.telemetry) as opened:
        yield opened


@pytest.fixture
def fetcher(api: CitraApi, store: Store, platform: Any) -> TaskFetcher:
    return TaskFetcher(
        api=api,
        ledger=store.ledger,
        defaults=ExposureSettings(filter_name="Clear"),
        clock=platform.clock,
        telemetry=platform.telemetry,
    )


async def states(store: Store) -> dict[str, TaskState]:
    return {task.task_id: task.state for task in await store.ledger.tasks()}


async def test_a_chore_is_done_at_its_times_and_what_was_slept_through_is_not_made_up_for(
    clock: LoopClock, telemetry: Telemetry
) -> None:
    done: list[float] = []

    async def slow_once() -> None:
        done.append((clock.now() - EVENING).total_seconds())
        if len(done) == 2:
            await anyio.sleep(100.0)

    chores = Chores([Chore(name="x", trigger=every(15.0, first=EVENING), deed=slow_once)], clock, telemetry)
    with anyio.move_on_after(170.0):
        await chores.run()
    assert done == pytest.approx([0.0, 15.0, 120.0, 135.0, 150.0, 165.0], abs=0.01)


async def test_a_chore_that_is_refused_is_said_once_and_once_when_it_goes_well_again(
    clock: LoopClock, telemetry: Telemetry, heard: Heard
) -> None:
    async def refused_for_a_minute() -> None:
        if clock.now() < EVENING + timedelta(minutes=1):
            raise ApiRejected("fetch: refused with 403", status=403)

    chore = Chore(name="fetch", trigger=every(10.0, first=EVENING), deed=refused_for_a_minute)
    with anyio.move_on_after(200.0):
        await Chores([chore], clock, telemetry).run()
    trouble, over = heard()
    assert isinstance(trouble, ApiTrouble)
    assert isinstance(over, ApiTroubleOver)
    assert over.at == EVENING + timedelta(minutes=1)


async def test_one_chore_does_not_hold_up_another(clock: LoopClock, telemetry: Telemetry) -> None:
    done = 0

    async def hangs() -> None:
        await anyio.sleep_forever()

    async def counts() -> None:
        nonlocal done
        done += 1

    trigger = every(10.0, first=EVENING)
    chores = [Chore(name="a", trigger=trigger, deed=hangs), Chore(name="b", trigger=trigger, deed=counts)]
    with anyio.move_on_after(95.0):
        await Chores(chores, clock, telemetry).run()
    assert done == 10


async def test_tasks_come_into_the_ledger_with_their_elements(
    fetcher: TaskFetcher, store: Store, platform: Any
) -> None:
    tasks = [platform.add_task(priority=n, filter_name="Red" if n else None) for n in range(3)]
    await fetcher.fetch()
    filed = {task.task_id: task.request for task in await store.ledger.pending()}
    assert set(filed) == {str(task.id) for task in tasks}
    request = filed[str(tasks[1].id)]
    assert (request.priority, request.filter_name, request.target.name) == (1.0, "Red", "DEMOSAT 1")
    assert filed[str(tasks[0].id)].filter_name == "Clear"
    # Three tasks of one satellite: its elements are asked for once, and not again at the next poll.
    await fetcher.fetch()
    assert len(platform.wire.calls("GET /satellites/")) == 1


async def test_a_new_window_at_the_platform_is_a_new_window_here(
    fetcher: TaskFetcher, store: Store, platform: Any
) -> None:
    task = platform.add_task()
    await fetcher.fetch()
    later = task.closes + timedelta(minutes=5)
    platform.world.tasks[task.id] = replace(task, closes=later, priority=9)
    await fetcher.fetch()
    (filed,) = await store.ledger.pending()
    assert (filed.request.closes, filed.request.priority) == (later, 9.0)


@pytest.mark.parametrize("state", [TaskState.PENDING, TaskState.PLANNED, TaskState.OBSERVING])
async def test_a_task_that_is_cancelled_there_is_cancelled_here_at_once(
    fetcher: TaskFetcher, store: Store, platform: Any, state: TaskState
) -> None:
    task = platform.add_task()
    await fetcher.fetch()
    if state is not TaskState.PENDING:
        await store.ledger.advance(str(task.id), state)
    platform.world.tasks[task.id] = replace(task, status=TaskStatus.CANCELED)
    await fetcher.fetch()
    filed = await store.ledger.task(str(task.id))
    assert (filed.state, filed.reason) == (TaskState.CANCELLED, "the platform holds it as Canceled")


async def test_an_empty_list_once_cancels_nothing_and_twice_it_does(
    fetcher: TaskFetcher, store: Store, platform: Any
) -> None:
    task = platform.add_task()
    await fetcher.fetch()
    await store.ledger.advance(str(task.id), TaskState.OBSERVING)
    for _ in range(3):  # now and then a list comes back empty
        platform.wire.say("GET /telescopes/", [])
        await fetcher.fetch()
        platform.wire.instead.clear()
        await fetcher.fetch()
    assert (await states(store))[str(task.id)] is TaskState.OBSERVING
    del platform.world.tasks[task.id]
    await fetcher.fetch()
    assert (await states(store))[str(task.id)] is TaskState.OBSERVING
    await fetcher.fetch()
    assert (await states(store))[str(task.id)] is TaskState.CANCELLED


async def test_a_task_whose_window_was_moved_out_of_the_list_is_found_and_not_taken_for_withdrawn(
    fetcher: TaskFetcher, store: Store, platform: Any
) -> None:
    task = platform.add_task(closes=EVENING + timedelta(hours=2))
    await fetcher.fetch()
    await anyio.sleep(1800.0)
    ended = EVENING + timedelta(minutes=20)
    platform.world.tasks[task.id] = replace(task, closes=ended)
    for _ in range(3):
        await fetcher.fetch()
    (filed,) = await store.ledger.pending()
    assert filed.request.closes == ended
    (missed,) = await store.ledger.miss_overdue()
    assert missed.state is TaskState.MISSED


@pytest.mark.parametrize("observing", [False, True], ids=["waiting", "observing"])
async def test_what_a_task_left_is_told_of_though_the_platform_lists_it_no_more(
    fetcher: TaskFetcher, store: Store, platform: Any, capture: Capture, observing: bool
) -> None:
    task_id = await capture(platform.add_task(), to=TaskState.PENDING)
    if observing:
        await store.ledger.advance(task_id, TaskState.OBSERVING)
    platform.wire.say("GET /telescopes/", [])
    await fetcher.fetch()
    await fetcher.fetch()
    (state,) = (await states(store)).values()
    assert state is (TaskState.OBSERVING if observing else TaskState.CAPTURED)


async def test_a_task_that_comes_back_is_taken_up_again(fetcher: TaskFetcher, store: Store, platform: Any) -> None:
    task = platform.add_task()
    await fetcher.fetch()
    platform.world.tasks.clear()
    await fetcher.fetch()
    await fetcher.fetch()
    assert (await states(store))[str(task.id)] is TaskState.CANCELLED
    platform.world.tasks[task.id] = task
    await fetcher.fetch()
    assert (await states(store))[str(task.id)] is TaskState.PENDING


async def test_a_task_whose_window_ends_is_not_taken_for_withdrawn(
    fetcher: TaskFetcher, store: Store, platform: Any
) -> None:
    task = platform.add_task(closes=EVENING + timedelta(minutes=20))
    await fetcher.fetch()
    await store.ledger.advance(str(task.id), TaskState.OBSERVING)
    await anyio.sleep(1201.0)
    await fetcher.fetch()
    await fetcher.fetch()
    assert (await states(store))[str(task.id)] is TaskState.OBSERVING


async def test_a_task_closed_by_its_first_picture_is_still_observed_to_its_end(
    fetcher: TaskFetcher, store: Store, platform: Any
) -> None:
    task = platform.add_task()
    await fetcher.fetch()
    await store.ledger.advance(str(task.id), TaskState.OBSERVING)
    platform.world.tasks[task.id] = replace(task, status=TaskStatus.SUCCEEDED)
    for _ in range(3):
        await fetcher.fetch()
    assert (await states(store))[str(task.id)] is TaskState.OBSERVING


async def test_a_satellite_without_usable_elements_is_said_once_and_asked_for_later(
    fetcher: TaskFetcher, store: Store, platform: Any, heard: Heard
) -> None:
    task = platform.add_task()
    platform.wire.say(f"GET /satellites/{task.satellite_id}/elsets", [])
    platform.wire.say("GET /satellites/", {"id": str(task.satellite_id), "name": "DEMOSAT 1"})
    for _ in range(4):
        await fetcher.fetch()
        await anyio.sleep(15.0)
    (refused,) = [event for event in heard() if isinstance(event, TaskRefused)]
    assert "no elements" in refused.why
    assert await store.ledger.pending() == []
    platform.wire.instead.clear()
    await anyio.sleep(600.0)
    await fetcher.fetch()
    assert len(await store.ledger.pending()) == 1


async def test_a_task_that_cannot_be_read_is_said_once_and_is_not_taken_for_withdrawn(
    fetcher: TaskFetcher, store: Store, platform: Any, heard: Heard
) -> None:
    task = platform.add_task()
    await fetcher.fetch()
    garbled = {"id": str(task.id), "satelliteId": str(task.satellite_id), "status": "Pending", "taskStart": "soon"}
    platform.wire.say(f"GET /telescopes/{platform.telescope_id}/tasks", [garbled, 17])
    for _ in range(3):
        await fetcher.fetch()
    refused = [event for event in heard() if isinstance(event, TaskRefused)]
    assert [event.task_id for event in refused] == [str(task.id), "task 2 of the list"]
    assert (await states(store))[str(task.id)] is TaskState.PENDING


async def test_elements_that_get_worse_leave_the_good_ones_in_place(
    fetcher: TaskFetcher, store: Store, platform: Any, heard: Heard
) -> None:
    platform.add_task(closes=EVENING + timedelta(hours=5))
    await fetcher.fetch()
    platform.wire.say(f"GET /satellites/{platform.satellite_id}/elsets", [])
    platform.wire.say("GET /satellites/", {"id": str(platform.satellite_id)})
    (before,) = await store.ledger.pending()
    await anyio.sleep(3601.0)
    await fetcher.refresh_elements()
    assert await store.ledger.pending() == [before]
    assert [event for event in heard() if isinstance(event, TaskRefused)] == []


async def test_a_platform_that_has_no_answer_about_satellites_is_not_asked_for_each_of_them(
    fetcher: TaskFetcher, store: Store, platform: Any
) -> None:
    tasks = [
        {
            "id": str(uuid4()),
            "satelliteId": str(uuid4()),
            "taskStart": "2026-04-21T03:10:00Z",
            "taskStop": "2026-04-21T03:20:00Z",
            "status": "Pending",
        }
        for _ in range(30)
    ]
    platform.wire.say(f"GET /telescopes/{platform.telescope_id}/tasks", tasks)
    platform.wire.say("GET /satellites/", {"detail": "no"}, status=403)
    with pytest.raises(ApiRejected):
        await fetcher.fetch()
    assert len(platform.wire.calls("GET /satellites/")) <= 4


async def test_newer_elements_reach_the_tasks_that_wait(
    fetcher: TaskFetcher, store: Store, platform: Any, heard: Heard
) -> None:
    platform.add_task(closes=EVENING + timedelta(hours=5))
    await fetcher.fetch()
    (before,) = await store.ledger.pending()
    newer = {
        "type": "SGP4 with Kozai mean motion",
        "epoch": "2026-04-20T12:00:00Z",
        "tle": [
            "1 90001U 26001A   26110.60000000  .00001200  00000+0  30000-4 0  9994",
            "2 90001  51.6400 210.0000 0005000  80.0000 280.0000 15.50000000 10006",
        ],
    }
    platform.wire.say("GET /satellites/", [newer])
    await fetcher.refresh_elements()
    assert await store.ledger.pending() == [before]  # fetched a moment ago: fresh enough
    await anyio.sleep(3601.0)
    await fetcher.refresh_elements()
    (after,) = await store.ledger.pending()
    assert after.version > before.version
    assert after.request.target != before.request.target


async def test_a_platform_that_goes_silent_half_way_leaves_what_was_known(
    fetcher: TaskFetcher, store: Store, platform: Any
) -> None:
    platform.add_task()
    await fetcher.fetch()
    platform.wire.down = True
    chores = Chores(
        [Chore(name="fetch tasks", trigger=every(15.0, first=EVENING), deed=fetcher.fetch)],
        platform.clock,
        platform.telemetry,
    )
    with anyio.move_on_after(1200.0):
        await chores.run()
    assert list((await states(store)).values()) == [TaskState.PENDING]


async def test_the_station_card_raises_the_limit_and_says_what_to_mend(
    api: CitraApi, platform: Any, heard: Heard
) -> None:
    card = StationCard(api, platform.clock, platform.telemetry)
    assert card.min_altitude_deg == -90.0
    await card.look_up()
    assert card.min_altitude_deg == 20.0
    assert heard() == []
    telescope = platform.world.telescopes[platform.telescope_id]
    platform.world.telescopes[platform.telescope_id] = replace(
        telescope, automated_scheduling=False, ground_station_id=None, min_elevation_deg=35.0
    )
    for _ in range(3):
        await card.look_up()
    assert card.min_altitude_deg == 35.0
    notes = [event.what for event in heard() if isinstance(event, StationNote)]
    assert len(notes) == 2
    assert "automated scheduling is off" in notes[0]
    assert "no ground station" in notes[1]


async def test_an_hour_of_chores_keeps_the_telescope_online_and_the_ledger_full(
    api: CitraApi, fetcher: TaskFetcher, store: Store, platform: Any, heard: Heard
) -> None:
    card = StationCard(api, platform.clock, platform.telemetry)
    chores = api_chores(fetcher, card, site=SITE, poll_s=15.0, first=platform.clock.now())
    late: list[UUID] = []
    async with anyio.create_task_group() as group:
        group.start_soon(Chores(chores, platform.clock, platform.telemetry).run)
        for minute in range(10, 60, 10):
            await anyio.sleep(600.0)
            opens = EVENING + timedelta(hours=1, minutes=minute)
            late.append(platform.add_task(opens=opens, closes=opens + timedelta(minutes=10)).id)
        await anyio.sleep(590.0)
        group.cancel_scope.cancel()
    online = platform.world.telescopes[platform.telescope_id].last_connection
    assert platform.clock.now() - online <= timedelta(seconds=15)
    assert {task.task_id for task in await store.ledger.pending()} == {str(task_id) for task_id in late}
    assert 230 <= len(platform.wire.calls("PUT /telescopes")) <= 250
    assert len(platform.wire.calls("GET /telescopes/")) <= 250 + 5
    assert {type(event) for event in heard()} == {TaskAccepted}


async def test_rain_in_the_platforms_forecast_is_said_once_while_it_falls(platform: Any, heard: Heard) -> None:
    skies = [(800, "clear sky"), (500, "light rain"), (500, "light rain"), (800, "clear sky"), (600, "snow")]
    asked: list[str] = []

    def weather_service(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.url.path}?{request.url.query.decode()}")
        number, words = skies.pop(0)
        sky = {"id": number, "main": "", "description": words, "icon": ""}
        body = json.dumps({"lat": 38.84, "lon": -104.97, "current": {"temp": 3.4, "weather": [sky]}}).encode()
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=httpx.ByteStream(body))

    settings = ApiSettings(url="http://127.0.0.1:1", telescope_id=str(uuid4()), token=SecretStr("t"))
    transport = httpx.MockTransport(weather_service)
    async with open_api(
        settings, clock=platform.clock, telemetry=platform.telemetry, transport=transport
    ) as weather_api:
        card = StationCard(weather_api, platform.clock, platform.telemetry)
        while skies:
            await card.look_at_weather(SITE)
    notes = [event.what for event in heard() if isinstance(event, StationNote)]
    assert notes == ["the platform's forecast: light rain", "the platform's forecast: snow"]
    assert asked[0].startswith("/weather?lat=38.84&lon=-104.9")
    assert asked[0].endswith("&units=metric")


async def test_the_emulated_platforms_weather_is_understood(api: CitraApi, platform: Any) -> None:
    assert isinstance((await api.station.weather(38.84, -104.97)).falling, str)
