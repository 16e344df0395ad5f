"""Collection requests: asking the platform for looks at many satellites at once, and how they become tasks."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Literal, Self
from uuid import UUID

import numpy as np
from pydantic import Field, TypeAdapter, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.access import LONGEST_SPAN, to_second
from simulators.api.accounts import caller
from simulators.api.catalogue import Entry
from simulators.api.questions import CamelQuestion, Instant, Question, in_body
from simulators.api.records import Account, CollectionRequest, RequestStatus, Span, Task
from simulators.api.refusals import Refusal, not_found
from simulators.api.stations import ground_of, station_of
from simulators.api.telescopes import telescope_of
from simulators.api.wire import Answer, answered
from simulators.api.world import World

# A pass that is asked for again and again is cut into pieces of this length.
REVISIT = timedelta(minutes=10)

# How long a request that found no place among the tasks waits until it is tried again.
RETRY = timedelta(minutes=5)


class _Params(Question):
    ground_station_ids: tuple[UUID, ...] = ()
    sensor_selections: Mapping[UUID, UUID] = Field(default_factory=dict)


class BatchWish(CamelQuestion):
    """What is asked for: explicit satellites, or all that can be seen from the stations of `params`."""

    window_start: Instant
    window_stop: Instant
    type: Literal["Track"] = "Track"
    priority: Annotated[int, Field(ge=0, le=10)] = 5
    params: _Params = _Params()
    satellite_ids: tuple[UUID, ...] = ()
    satellite_group_ids: tuple[UUID, ...] = ()
    exclude_types: tuple[Literal["Debris", "Rocket Body", "Payload", "Unknown"], ...] = ()
    include_orbit_regimes: tuple[Literal["LEO", "MEO", "GEO", "HEO"], ...] = ()
    revisit: bool = False
    discover_visible: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.window_stop <= self.window_start:
            raise ValueError("windowStop is not after windowStart")
        if self.window_stop - self.window_start > LONGEST_SPAN:
            raise ValueError(f"the window is longer than {LONGEST_SPAN.days} days")
        if not (self.satellite_ids or self.satellite_group_ids or self.discover_visible):
            raise ValueError("satelliteIds, satelliteGroupIds or discoverVisible is needed")
        if self.discover_visible and not self.params.ground_station_ids:
            raise ValueError("discoverVisible needs params.ground_station_ids")
        return self


class BatchAnswer(Answer):
    """What a batch came to."""

    created_count: int
    collection_request_ids: list[UUID]
    skipped_satellite_ids: list[UUID]
    satellite_count: int
    revisit_count: int


_WISH = TypeAdapter(BatchWish)


@dataclass(frozen=True, slots=True)
class CollectionRequests:
    """`/collection-requests/batch`."""

    world: World

    def routes(self) -> list[Route]:
        return [Route("/collection-requests/batch", self.batch, methods=["POST"])]

    async def batch(self, request: Request) -> Response:
        wish = await in_body(request, _WISH)
        account = caller(self.world, request)
        sensors = self._sensors(wish, account)
        search = partial(_spans, self.world, wish, sensors)
        spans = await asyncio.get_running_loop().run_in_executor(None, search)
        made: list[CollectionRequest] = []
        skipped: list[UUID] = []
        open_ones = _open_by_satellite(self.world)
        for satellite_id, pieces in spans.items():
            new = [self._request(wish, account, sensors, satellite_id, piece) for piece in pieces]
            fresh = [one for one in new if not _overlaps(one, open_ones.get(satellite_id, []))]
            made += fresh
            if not fresh:
                skipped.append(satellite_id)
        self.world.collection_requests |= {one.id: one for one in made}
        answer = BatchAnswer(
            created_count=len(made),
            collection_request_ids=[one.id for one in made],
            skipped_satellite_ids=skipped,
            satellite_count=len(spans),
            revisit_count=max((len(pieces) for pieces in spans.values()), default=0),
        )
        return answered(answer, self.world.switches, status=201)

    def _sensors(self, wish: BatchWish, account: Account) -> Mapping[UUID, UUID]:
        """Which telescope looks from which station; where none is named, the caller's own."""
        named = {station_of(self.world, one).id for one in wish.params.ground_station_ids}
        chosen = dict(wish.params.sensor_selections)
        for station_id, telescope_id in chosen.items():
            if telescope_of(self.world, telescope_id).ground_station_id != station_of(self.world, station_id).id:
                raise Refusal(400, f"telescope {telescope_id} does not stand at ground station {station_id}")
        for telescope in self.world.owned_by(account.id).values():
            stands_at = telescope.ground_station_id
            if stands_at is not None and (not named or stands_at in named):
                chosen.setdefault(stands_at, telescope.id)
        return chosen

    def _request(
        self,
        wish: BatchWish,
        account: Account,
        sensors: Mapping[UUID, UUID],
        satellite_id: UUID,
        piece: tuple[Span, ...],
    ) -> CollectionRequest:
        cut = not wish.satellite_ids and piece
        return CollectionRequest(
            id=self.world.new_id(),
            requester_id=account.id,
            created_at=self.world.clock.now(),
            satellite_id=satellite_id,
            opens=min(span.opens for span in piece) if cut else wish.window_start,
            closes=max(span.closes for span in piece) if cut else wish.window_stop,
            priority=wish.priority,
            sensors=sensors,
            spans=piece,
        )


def _open_by_satellite(world: World) -> Mapping[UUID, list[CollectionRequest]]:
    now = world.clock.now()
    found: dict[UUID, list[CollectionRequest]] = {}
    for one in world.collection_requests.values():
        if one.status is not RequestStatus.FAILED and one.closes > now:
            found.setdefault(one.satellite_id, []).append(one)
    return found


def _overlaps(new: CollectionRequest, others: Sequence[CollectionRequest]) -> bool:
    return any(one.opens < new.closes and new.opens < one.closes for one in others)


def _spans(world: World, wish: BatchWish, sensors: Mapping[UUID, UUID]) -> dict[UUID, list[tuple[Span, ...]]]:
    """For each satellite the requests to make, each with the passes that could serve it."""
    wanted = {entry.index: entry for entry in _wanted(world, wish)}
    passes: dict[UUID, list[Span]] = {entry.id: [] for entry in wanted.values()}
    for station_id, telescope_id in sensors.items():
        ground = ground_of(world.stations[station_id])
        limit_deg = world.telescopes[telescope_id].min_elevation_deg
        which = np.fromiter(wanted, dtype=np.intp)
        for one in world.catalogue.swarm.passes(ground, wish.window_start, wish.window_stop, limit_deg, which):
            satellite_id = wanted[one.index].id
            opens, closes = to_second(one.rise), to_second(one.set)
            if opens < closes:
                span = Span(satellite_id=satellite_id, station_id=station_id, opens=opens, closes=closes)
                passes[satellite_id].append(span)
    requests: dict[UUID, list[tuple[Span, ...]]] = {}
    for satellite_id, spans in passes.items():
        if wish.revisit and spans:
            requests[satellite_id] = [(piece,) for span in spans for piece in _cut(span)]
        elif spans or wish.satellite_ids:
            requests[satellite_id] = [tuple(spans)]
    return requests


def _wanted(world: World, wish: BatchWish) -> Sequence[Entry]:
    catalogue = world.catalogue
    for group_id in wish.satellite_group_ids:
        raise not_found("Satellite group", group_id)
    for satellite_id in wish.satellite_ids:
        if satellite_id not in catalogue.by_id:
            raise not_found("Satellite", satellite_id)
    entries = [catalogue.by_id[one] for one in wish.satellite_ids] or list(catalogue.by_id.values())
    return [
        entry
        for entry in entries
        if entry.kind not in wish.exclude_types
        and (not wish.include_orbit_regimes or entry.regime in wish.include_orbit_regimes)
    ]


def _cut(span: Span) -> Iterator[Span]:
    opens = span.opens
    while opens < span.closes:
        closes = min(opens + REVISIT, span.closes)
        yield replace(span, opens=opens, closes=closes)
        opens = closes


def schedule(world: World, now: datetime) -> None:
    """Turn requests whose time has come into tasks, the most important and then the earliest first.

    A request becomes one task, in the first of its passes that is not over and leaves its telescope's other
    open tasks alone, where the telescope lets itself be scheduled. One that finds none waits until its window is over.
    """
    delay = timedelta(seconds=world.switches.scheduling_takes_s)
    due = [
        request
        for request in world.collection_requests.values()
        if request.status is RequestStatus.PENDING
        and (request.created_at + delay if request.tried_at is None else request.tried_at + RETRY) <= now
    ]
    for request in sorted(due, key=lambda one: (-one.priority, one.opens, one.id)):
        task = next((task for span in request.spans if (task := _task_in(world, request, span, now))), None)
        if task is not None:
            world.tasks[task.id] = task
            world.collection_requests[request.id] = replace(request, status=RequestStatus.SCHEDULED)
        elif not request.spans or request.closes <= now:
            world.collection_requests[request.id] = replace(request, status=RequestStatus.FAILED)
        else:
            world.collection_requests[request.id] = replace(request, tried_at=now)


def _task_in(world: World, request: CollectionRequest, span: Span, now: datetime) -> Task | None:
    telescope = world.telescopes[request.sensors[span.station_id]]
    if span.closes <= now or not telescope.automated_scheduling:
        return None
    is_taken = any(
        task.telescope_id == telescope.id and task.opens < span.closes and span.opens < task.closes
        for task in world.tasks.values()
        if not task.status.is_final
    )
    if is_taken:
        return None
    return Task(
        id=world.new_id(),
        created_at=now,
        updated_at=now,
        opens=span.opens,
        closes=span.closes,
        requester_id=request.requester_id,
        satellite_id=request.satellite_id,
        telescope_id=telescope.id,
        collection_request_id=request.id,
        priority=request.priority,
    )
