"""Frames on their way to the emulated platform: what the tests of delivery share."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio

from bridge.api.client import CitraApi
from bridge.delivery import Delivery
from bridge.events import Event
from bridge.storage.store import Store
from schedules.places import ICRS
from schedules.requests import CollectShape, ObservationRequest
from schedules.targets import Star
from simulators.api.uploads import UploadState, state_of

EVENING = datetime(2026, 4, 21, 3, 0, tzinfo=UTC)

Heard = Callable[[], list[Event]]
Capture = Callable[..., Awaitable[str]]


def request_for(task_id: str, closes: datetime) -> ObservationRequest:
    return ObservationRequest(
        request_id=task_id,
        target=Star(name="Vega", icrs=ICRS(ra_deg=279.2, dec_deg=38.8)),
        opens=EVENING,
        closes=closes,
        priority=5.0,
        filter_name="Clear",
        exposure_s=1.0,
        frame_count=2,
        binning=1,
        collect=CollectShape.AUTO,
    )


@asynccontextmanager
async def delivering(store: Store, api: CitraApi, platform: Any) -> AsyncIterator[Delivery]:
    delivery = Delivery(store.outbox, api, platform.clock, platform.telemetry)
    async with anyio.create_task_group() as group:
        group.start_soon(delivery.run)
        yield delivery
        group.cancel_scope.cancel()


async def deliver_all(store: Store, api: CitraApi, platform: Any, *, within_s: float = 3600.0) -> None:
    async with delivering(store, api, platform) as delivery:
        assert await delivery.until_empty(at_most_s=within_s)


def landed(platform: Any) -> dict[str, int]:
    """How often a file of each name arrived, and was worked on."""
    world, names = platform.world, {}
    for upload in world.uploads.values():
        if upload.stored is not None:
            assert state_of(world, upload) is UploadState.COMPLETED
            names[upload.filename] = names.get(upload.filename, 0) + 1
    return names
