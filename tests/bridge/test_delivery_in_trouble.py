"""What goes wrong on the other side for a while: one frame, one upload, the queue kept, and nobody has to come."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest

from bridge.api.client import CitraApi
from bridge.chores import Chores, StationCard, api_chores
from bridge.config import ExposureSettings
from bridge.delivery import Delivery
from bridge.events import ApiTrouble, ApiTroubleOver
from bridge.fetching import TaskFetcher
from bridge.storage.store import Store
from bridge.tasks import TaskState
from schedules.site import Site
from simulators.api.records import TaskStatus
from tests.bridge.delivering import EVENING, Capture, Heard, deliver_all, delivering, landed

SITE = Site(latitude_deg=38.84, longitude_deg=255.03, elevation_m=1900.0)


@asynccontextmanager
async def all_at_work(store: Store, api: CitraApi, platform: Any) -> AsyncIterator[Delivery]:
    """Everything that talks to the platform in a night: chores and delivery."""
    clock, telemetry = platform.clock, platform.telemetry
    fetcher = TaskFetcher(api=api, ledger=store.ledger, defaults=ExposureSettings(), clock=clock, telemetry=telemetry)
    chores = api_chores(fetcher, StationCard(api, clock, telemetry), site=SITE, poll_s=15.0, first=clock.now())
    async with delivering(store, api, platform) as delivery, anyio.create_task_group() as group:
        group.start_soon(Chores(chores, clock, telemetry).run)
        yield delivery
        group.cancel_scope.cancel()


def arrivals(platform: Any) -> list[int]:
    """How often each announced file arrived."""
    return [upload.arrivals for upload in platform.world.uploads.values()]


async def test_a_storage_that_takes_six_and_a_half_seconds_to_answer_gets_each_file_once(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    platform.turn(faults=[{"kind": "slow", "path": "/_storage/*", "seconds": 6.5}])
    await capture(platform.add_task(), frames=3)
    await deliver_all(store, api, platform)
    assert arrivals(platform) == [1, 1, 1]
    assert len(platform.wire.calls("POST /_storage")) == len(platform.wire.calls("POST /my/images")) == 3


@pytest.mark.parametrize("path", ["/*", "/_storage/*", "/my/images*"])
async def test_four_minutes_of_503_are_waited_out(
    store: Store, api: CitraApi, platform: Any, capture: Capture, path: str
) -> None:
    platform.turn(faults=[{"kind": "html_503", "path": path}])
    task = platform.add_task()
    await capture(task, frames=2)
    async with all_at_work(store, api, platform) as delivery:
        await anyio.sleep(240.0)
        assert (await store.outbox.backlog()).waiting == 3, "two frames and a report: the queue is kept"
        platform.turn(faults=[])
        assert await delivery.until_empty(at_most_s=600.0)
    assert sorted(landed(platform).values()) == [1, 1]
    assert arrivals(platform) == [1, 1]
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED
    assert (await store.outbox.backlog()).parked == 0


async def test_a_file_that_is_listed_and_not_known_by_its_number_is_asked_for_ever_more_rarely(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    platform.turn(faults=[{"kind": "status", "path": "/my/images/*", "http_status": 404}])
    task = platform.add_task()
    await capture(task, frames=1)
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(3600.0)
        assert len(platform.wire.calls("GET /my/images/")) <= 60
        platform.turn(faults=[])
        assert await delivery.until_empty(at_most_s=900.0)
    assert list(landed(platform).values()) == [1]
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED


async def test_502_on_our_telescope_alone_holds_its_frames_and_loses_none(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    """The rest of the platform answers, so it is not away; what names the telescope waits."""
    ours, ill = str(platform.telescope_id), True

    def answer(request: httpx.Request) -> Any:
        names_it = ours in str(request.url)
        return (502, {"content-type": "text/html"}, b"<html>Bad gateway</html>") if ill and names_it else None

    platform.wire.between = answer
    task = platform.add_task(closes=EVENING + timedelta(hours=4))
    await capture(task, frames=2)
    async with all_at_work(store, api, platform) as delivery:
        await anyio.sleep(1800.0)
        assert platform.world.uploads == {}
        refused = [one for one in platform.wire.saw if ours in str(one.url)]
        assert len(refused) <= 330, "asked at its usual times, twice a quarter of a minute, and hardly a time more"
        ill = False
        assert await delivery.until_empty(at_most_s=900.0)
    assert arrivals(platform) == [1, 1]
    assert platform.world.tasks[task.id].status is TaskStatus.SUCCEEDED
    assert (await store.outbox.backlog()).parked == 0


async def test_a_platform_that_is_down_at_the_start_gets_what_waits_and_gives_what_it_has(
    store: Store, platform: Any, capture: Capture
) -> None:
    waiting = platform.add_task()
    await capture(waiting, frames=2)
    new = platform.add_task(opens=EVENING + timedelta(hours=1), closes=EVENING + timedelta(hours=2))
    platform.wire.down = True
    async with platform.open() as api, all_at_work(store, api, platform) as delivery:
        await anyio.sleep(1200.0)
        platform.wire.down = False
        assert await delivery.until_empty(at_most_s=600.0)
        assert (await store.ledger.task(str(new.id))).state is TaskState.PENDING
    assert arrivals(platform) == [1, 1]
    assert platform.world.tasks[waiting.id].status is TaskStatus.SUCCEEDED


async def test_a_task_that_is_cancelled_while_its_frames_wait_keeps_them_and_they_go_up_once(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    """They are taken, and somebody may want them; the platform's word on the task stands."""
    platform.turn(faults=[{"kind": "html_503", "path": "/my/images*"}])
    task = platform.add_task(closes=EVENING + timedelta(hours=3))
    task_id = await capture(task, frames=2)
    async with all_at_work(store, api, platform) as delivery:
        await anyio.sleep(120.0)
        platform.world.tasks[task.id] = replace(platform.world.tasks[task.id], status=TaskStatus.CANCELED)
        await anyio.sleep(120.0)
        assert (await store.outbox.backlog()).waiting == 3
        platform.turn(faults=[])
        assert await delivery.until_empty(at_most_s=1200.0)
    assert arrivals(platform) == [1, 1]
    assert platform.world.tasks[task.id].status is TaskStatus.CANCELED
    assert (await store.ledger.task(task_id)).state is TaskState.DELIVERED
    assert (await store.outbox.backlog()).parked == 0


async def test_a_storage_that_is_away_for_two_hours_is_asked_gently_and_gets_everything(
    store: Store, api: CitraApi, platform: Any, capture: Capture, heard: Heard
) -> None:
    """The API is there all the while, and forty frames wait: they do not try one after the other."""
    platform.wire.instead["POST /_storage"] = (503, {}, b"<Error><Code>SlowDown</Code></Error>")
    for _ in range(20):
        await capture(platform.add_task(closes=EVENING + timedelta(hours=9)), frames=2)
    heard()
    async with delivering(store, api, platform) as delivery:
        await anyio.sleep(7200.0)
        assert len(platform.wire.calls("POST /_storage")) <= 240
        assert len(platform.wire.saw) <= 1000, "each try costs a look, a clearing away and an announcement as well"
        platform.wire.instead.clear()
        returned, before = platform.clock.now(), len(platform.wire.saw)
        while not (sent := [one for one in platform.wire.saw[before:] if one.url.path.startswith("/_storage")]):
            await anyio.sleep(1.0)
        assert sent
        assert platform.clock.now() - returned <= timedelta(seconds=61)
        assert await delivery.until_empty(at_most_s=3600.0)
    assert arrivals(platform) == [1] * 40
    said = [type(event) for event in heard() if isinstance(event, ApiTrouble | ApiTroubleOver)]
    assert said == [ApiTrouble, ApiTroubleOver], "said once, and once when it is over"


async def test_several_frames_are_on_their_way_at_once(
    store: Store, api: CitraApi, platform: Any, capture: Capture
) -> None:
    platform.turn(faults=[{"kind": "slow", "path": "/_storage/*", "seconds": 100}])
    await capture(platform.add_task(), frames=4)
    began = platform.clock.now()
    async with delivering(store, api, platform):
        while arrivals(platform).count(1) < 4:
            await anyio.sleep(1.0)
    assert platform.clock.now() - began < timedelta(seconds=300), "one after the other they would take 400"
