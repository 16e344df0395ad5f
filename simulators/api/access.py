"""Access windows: SGP4 on the stored element sets, asked by station, by satellite or by a bare place."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from typing import Annotated, Self
from uuid import UUID, uuid5

from pydantic import Field, TypeAdapter, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.catalogue import CATALOGUE_NAMESPACE, Catalogue, Entry
from simulators.api.questions import CamelQuestion, Instant, in_body
from simulators.api.refusals import not_found
from simulators.api.stations import ground_of, station_of
from simulators.api.wire import Answer, answered
from simulators.api.world import World
from simulators.sky.earth import Ground
from simulators.sky.passes import Pass

LONGEST_SPAN = timedelta(days=3)

Elevation = Annotated[float, Field(ge=0.0, le=90.0)]
Minutes = Annotated[float, Field(ge=0.0, le=1e6)]
Altitude = Annotated[float, Field(ge=0.0, le=100_000.0)]


class HorizonState(Answer):
    """Where the satellite is at one end of an access: degrees, km and seconds; degrees to 0.0001."""

    epoch: datetime
    range: float | None = None
    azimuth: float
    elevation: float
    range_rate: float | None = None
    azimuth_rate: float | None = None
    elevation_rate: float | None = None


class HorizonAccess(Answer):
    """One satellite above one station's limit. `duration` in minutes."""

    satellite_id: UUID
    satellite_name: str
    ground_station_id: UUID
    ground_station_name: str
    start: HorizonState
    end: HorizonState
    duration: float


class CoordinatedAccessWindow(Answer):
    """One satellite above the limit of all stations at once."""

    satellite_id: UUID
    satellite_name: str
    accesses: list[HorizonAccess]
    overlap_start: datetime
    overlap_end: datetime
    duration: float


class _Span(CamelQuestion):
    start: Instant
    end: Instant

    @model_validator(mode="after")
    def _is_short(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end is not after start")
        if self.end - self.start > LONGEST_SPAN:
            raise ValueError(f"a span of {self.end - self.start} is longer than {LONGEST_SPAN.days} days")
        return self


class StationQuestion(_Span):
    """What passes over these stations, over all of them at once where there are several?"""

    min_elevation: Elevation
    min_duration: Minutes
    ground_station_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10)]


class SatelliteQuestion(_Span):
    """When does this satellite pass over any station?"""

    min_elevation: Elevation
    min_duration: Minutes
    satellite_id: UUID


class Waypoint(_Span):
    """A bare place for a time."""

    latitude: Annotated[float, Field(ge=-90.0, le=90.0)]
    longitude: Annotated[float, Field(ge=-180.0, le=180.0)]
    altitude: Altitude = 0.0


class LocationQuestion(CamelQuestion):
    """What passes over this place? Of several only the first counts."""

    waypoints: Annotated[tuple[Waypoint, ...], Field(min_length=1)]
    min_elevation: Elevation
    min_duration: Minutes
    satellite_group_ids: tuple[UUID, ...] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A station, or a waypoint as if it were one."""

    id: UUID
    name: str
    ground: Ground


_STATION_QUESTION = TypeAdapter(StationQuestion)
_SATELLITE_QUESTION = TypeAdapter(SatelliteQuestion)
_LOCATION_QUESTION = TypeAdapter(LocationQuestion)


@dataclass(frozen=True, slots=True)
class Access:
    """`/access/window/…`. The search runs in a thread: of a whole catalogue it takes a second or two."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/access/window/satellites-to-ground-station", self.over_stations, methods=["POST"]),
            Route("/access/window/ground-stations-to-satellite", self.of_satellite, methods=["POST"]),
            Route("/access/window/satellites-to-location", self.over_location, methods=["POST"]),
        ]

    async def over_stations(self, request: Request) -> Response:
        asked = await in_body(request, _STATION_QUESTION)
        places = [self._place(station_id) for station_id in asked.ground_station_ids]
        windows = await self._searched(partial(self._common, places, asked, asked.min_elevation))
        return self._answered(windows, asked.min_duration)

    async def of_satellite(self, request: Request) -> Response:
        asked = await in_body(request, _SATELLITE_QUESTION)
        entry = self.world.catalogue.by_id.get(asked.satellite_id)
        if entry is None:
            raise not_found("Satellite", asked.satellite_id)
        windows: list[CoordinatedAccessWindow] = []
        for station_id in list(self.world.stations):
            windows += self._common([self._place(station_id)], asked, asked.min_elevation, entry)
        return self._answered(windows, asked.min_duration)

    async def over_location(self, request: Request) -> Response:
        asked = await in_body(request, _LOCATION_QUESTION)
        first = asked.waypoints[0]
        if asked.satellite_group_ids:
            raise not_found("Satellite group", asked.satellite_group_ids[0])
        name = f"{first.latitude:.4f}, {first.longitude:.4f}"
        ground = Ground(first.latitude, first.longitude, first.altitude)
        place = Place(uuid5(CATALOGUE_NAMESPACE, f"waypoint {name}"), name, ground)
        windows = await self._searched(partial(self._common, [place], first, asked.min_elevation))
        return self._answered(windows, asked.min_duration)

    async def _searched(self, search: Callable[[], list[CoordinatedAccessWindow]]) -> list[CoordinatedAccessWindow]:
        """In a thread, on the loop's own account: a loop on which time jumps waits for it."""
        return await asyncio.get_running_loop().run_in_executor(None, search)

    def _answered(self, windows: Sequence[CoordinatedAccessWindow], min_minutes: float) -> Response:
        long_enough = [window for window in windows if window.duration >= min_minutes]
        if self.world.switches.access_shape == "flat":
            return answered([access for window in long_enough for access in window.accesses], self.world.switches)
        return answered(long_enough, self.world.switches)

    def _place(self, station_id: UUID) -> Place:
        station = station_of(self.world, station_id)
        return Place(station.id, station.name, ground_of(station))

    def _common(
        self, places: Sequence[Place], span: _Span, min_elevation_deg: float, entry: Entry | None = None
    ) -> list[CoordinatedAccessWindow]:
        """The windows common to all places, in order of their beginning."""
        catalogue = self.world.catalogue
        passes = [
            _by_satellite(catalogue, place.ground, span, min_elevation_deg, None if entry is None else entry.index)
            for place in places
        ]
        windows: list[CoordinatedAccessWindow] = []
        for index in passes[0]:
            for together in product(*(of_place.get(index, []) for of_place in passes)):
                opens, closes = max(one.rise for one in together), min(one.set for one in together)
                if opens < closes:
                    windows.append(_window(catalogue, places, together, opens, closes))
        return sorted(windows, key=lambda window: window.overlap_start)


def _by_satellite(
    catalogue: Catalogue, ground: Ground, span: _Span, min_elevation_deg: float, index: int | None
) -> Mapping[int, list[Pass]]:
    """Passes by the place of the satellite in the swarm; of one that the file names twice only the last set counts."""
    found: dict[int, list[Pass]] = {}
    for one in catalogue.swarm.passes(ground, span.start, span.end, min_elevation_deg, index):
        if catalogue.by_id[catalogue.entries[one.index].id].index == one.index:
            found.setdefault(one.index, []).append(one)
    return found


def _window(
    catalogue: Catalogue, places: Sequence[Place], together: Sequence[Pass], opens: datetime, closes: datetime
) -> CoordinatedAccessWindow:
    entry = catalogue.entries[together[0].index]
    return CoordinatedAccessWindow(
        satellite_id=entry.id,
        satellite_name=entry.name,
        accesses=[_access(catalogue, place, entry, one) for place, one in zip(places, together, strict=True)],
        overlap_start=to_second(opens),
        overlap_end=to_second(closes),
        duration=_minutes(opens, closes),
    )


def _access(catalogue: Catalogue, place: Place, entry: Entry, one: Pass) -> HorizonAccess:
    return HorizonAccess(
        satellite_id=entry.id,
        satellite_name=entry.name,
        ground_station_id=place.id,
        ground_station_name=place.name,
        start=_state(catalogue, place.ground, entry, to_second(one.rise)),
        end=_state(catalogue, place.ground, entry, to_second(one.set)),
        duration=_minutes(one.rise, one.set),
    )


def _state(catalogue: Catalogue, ground: Ground, entry: Entry, at: datetime) -> HorizonState:
    motion = catalogue.swarm.motion(entry.index, ground, at)
    return HorizonState(
        epoch=at,
        range=round(motion.range_km, 1),
        azimuth=round(motion.azimuth_deg, 4),
        elevation=round(motion.altitude_deg, 4),
        range_rate=round(motion.range_rate_km_s, 4),
        azimuth_rate=round(motion.azimuth_rate_deg_s, 5),
        elevation_rate=round(motion.altitude_rate_deg_s, 5),
    )


def to_second(instant: datetime) -> datetime:
    """The nearest whole second."""
    return (instant + timedelta(microseconds=500_000)).replace(microsecond=0)


def _minutes(opens: datetime, closes: datetime) -> float:
    """Between the rounded ends."""
    return round((to_second(closes) - to_second(opens)).total_seconds() / 60.0, 4)
