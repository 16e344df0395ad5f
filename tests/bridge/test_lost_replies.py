"""A reply lost on its way back, again and again: every frame lands once, and every task is told of once.

The suite tries each place some times; with NIGHTBRIDGE_LOST_REPLIES=250 in the environment it is as many times.
"""

import os
from collections import Counter
from typing import Any

import pytest

from bridge.api.client import CitraApi
from bridge.storage.store import Store
from bridge.tasks import TaskState
from simulators.api.records import TaskStatus
from tests.bridge.delivering import Capture, deliver_all

ROUNDS = int(os.environ.get("NIGHTBRIDGE_LOST_REPLIES", "6"))
PLACES = {
    "initiate": "POST /my/images",
    "send": "POST /_storage",
    "confirm": "GET /my/images/",
    "report": "PUT /tasks/",
}

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("place", PLACES)
async def test_every_reply_lost_once_costs_no_frame_and_makes_none_twice(
    store: Store, api: CitraApi, platform: Any, capture: Capture, place: str
) -> None:
    """Each round has one frame of one task, and loses the first reply at that place: the platform has acted."""
    tasks = []
    for _ in range(ROUNDS):
        task = platform.add_task()
        await capture(task, frames=1)
        platform.wire.lose = [PLACES[place]]
        await deliver_all(store, api, platform)
        assert platform.wire.lose == [], "the reply was lost"
        tasks.append(task)
    uploads = platform.world.uploads.values()
    assert Counter(upload.filename for upload in uploads) == {f"citra_task_{task.id}_001.fits": 1 for task in tasks}
    assert all(upload.arrivals == 1 and upload.stored is not None for upload in uploads)
    assert {platform.world.tasks[task.id].status for task in tasks} == {TaskStatus.SUCCEEDED}
    assert {task.state for task in await store.ledger.tasks()} == {TaskState.DELIVERED}
    assert (await store.outbox.backlog()).parked == 0
