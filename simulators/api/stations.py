"""Ground stations: where the sensors stand."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.accounts import caller
from simulators.api.questions import CamelQuestion, id_in_path, in_body
from simulators.api.records import GroundStation
from simulators.api.refusals import Refusal, not_found
from simulators.api.wire import Answer, answered
from simulators.api.world import World
from simulators.sky.earth import Ground


class GroundStationRead(Answer):
    """A ground station as everybody sees it."""

    id: UUID
    user_id: UUID
    username: str | None = None
    name: str
    latitude: float
    longitude: float
    altitude: float
    creation_epoch: datetime
    update_epoch: datetime


class GroundStationList(Answer):
    """Ground stations, in their wrapper."""

    ground_stations: list[GroundStationRead]


class StationChange(CamelQuestion):
    """What of a ground station changes; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    latitude: Annotated[float, Field(ge=-90.0, le=90.0)] | None = None
    longitude: Annotated[float, Field(ge=-180.0, le=180.0)] | None = None
    altitude: Annotated[float, Field(ge=-500.0, le=9000.0)] | None = None


_CHANGE = TypeAdapter(StationChange)


@dataclass(frozen=True, slots=True)
class Stations:
    """`/ground-stations`."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/ground-stations", self.all, methods=["GET"]),
            Route("/my/ground-stations", self.own, methods=["GET"]),
            Route("/ground-stations/{station_id}", self.one, methods=["GET"]),
            Route("/ground-stations/{station_id}", self.change, methods=["PUT"]),
        ]

    async def all(self, _: Request) -> Response:
        return self._listed(list(self.world.stations.values()))

    async def own(self, request: Request) -> Response:
        account = caller(self.world, request)
        return self._listed([station for station in self.world.stations.values() if station.owner_id == account.id])

    async def one(self, request: Request) -> Response:
        station = station_of(self.world, id_in_path(request, "station_id"))
        return answered(self._read(station), self.world.switches)

    async def change(self, request: Request) -> Response:
        station = station_of(self.world, id_in_path(request, "station_id"))
        change = await in_body(request, _CHANGE)
        if station.owner_id != caller(self.world, request).id:
            raise Refusal(403, f"ground station {station.id} belongs to someone else")
        changed = replace(
            station,
            name=station.name if change.name is None else change.name,
            latitude_deg=station.latitude_deg if change.latitude is None else change.latitude,
            longitude_deg=station.longitude_deg if change.longitude is None else change.longitude,
            altitude_m=station.altitude_m if change.altitude is None else change.altitude,
            updated_at=self.world.clock.now(),
        )
        self.world.stations[station.id] = changed
        return answered(self._read(changed), self.world.switches)

    def _listed(self, stations: list[GroundStation]) -> Response:
        listed = GroundStationList(ground_stations=[self._read(station) for station in stations])
        return answered(listed, self.world.switches)

    def _read(self, station: GroundStation) -> GroundStationRead:
        return GroundStationRead(
            id=station.id,
            user_id=station.owner_id,
            username=self.world.accounts[station.owner_id].username,
            name=station.name,
            latitude=station.latitude_deg,
            longitude=station.longitude_deg,
            altitude=station.altitude_m,
            creation_epoch=station.created_at,
            update_epoch=station.updated_at,
        )


def station_of(world: World, station_id: UUID) -> GroundStation:
    """The ground station with this id.

    Raises:
        Refusal: there is none.
    """
    if station_id not in world.stations:
        raise not_found("Ground station", station_id)
    return world.stations[station_id]


def ground_of(station: GroundStation) -> Ground:
    """The station as a place under the sky."""
    return Ground(station.latitude_deg, station.longitude_deg, station.altitude_m)
