"""Satellites: one, and pages of those whose name is like a text."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.catalogue import EARTH_EQUATOR_KM, Entry
from simulators.api.elsets import ElsetRead, ranked_elsets
from simulators.api.questions import CamelQuestion, id_in_path, in_query
from simulators.api.refusals import not_found
from simulators.api.wire import Answer, answered
from simulators.api.world import World

_ALIASES = 1


class SatelliteSummary(Answer):
    """A satellite in a list."""

    id: UUID
    name: str | None = None
    type: str
    norad_cat_id: int | None = None
    country_code: str | None = None
    country_name: str | None = None
    country_iso: str | None = None
    orbit_regime: str | None = None
    altitude_km: float | None = None
    decay_epoch: str | None = None
    alias_count: int
    elset_count: int
    transmission_count: int
    review_status: str = "approved"
    maneuver_capability: str = "Unknown"


class Alias(Answer):
    """What another provider calls a satellite."""

    provider: str
    provider_satellite_id: str
    provider_satellite_name: str | None = None


class SatelliteRead(Answer):
    """A satellite alone."""

    id: UUID
    name: str | None = None
    type: str
    norad_cat_id: int | None = None
    country_code: str | None = None
    decay_epoch: str | None = None
    review_status: str = "approved"
    maneuver_capability: str = "Unknown"
    aliases: list[Alias] | None = None
    elsets: list[ElsetRead] | None = None
    transmissions: list[JsonValue] | None = None


class SatellitePage(Answer):
    """One page of a list, and where it stands among the others."""

    items: list[SatelliteSummary]
    total: int
    page: int
    page_size: int
    total_pages: int
    has_next_page: bool
    has_previous_page: bool


class _PageQuery(CamelQuestion):
    page: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    page_size: Annotated[int, Field(ge=1, le=100)] = 25
    quick_filter: str = ""


@dataclass(frozen=True, slots=True)
class Satellites:
    """`/satellites`."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/satellites", self.page, methods=["GET"]),
            Route("/satellites/{satellite_id}", self.one, methods=["GET"]),
        ]

    async def page(self, request: Request) -> Response:
        query = in_query(request, _PageQuery)
        found = self.world.catalogue.named_like(query.quick_filter)
        first = query.page * query.page_size
        pages = -(-len(found) // query.page_size)
        page = SatellitePage(
            items=[self._summary(entry) for entry in found[first : first + query.page_size]],
            total=len(found),
            page=query.page,
            page_size=query.page_size,
            total_pages=pages,
            has_next_page=query.page + 1 < pages,
            has_previous_page=query.page > 0,
        )
        return answered(page, self.world.switches)

    async def one(self, request: Request) -> Response:
        satellite_id = id_in_path(request, "satellite_id")
        entry = self.world.catalogue.by_id.get(satellite_id)
        if entry is None:
            raise not_found("Satellite", satellite_id)
        satellite = SatelliteRead(
            id=entry.id,
            name=entry.name,
            type=entry.kind,
            norad_cat_id=entry.norad_id,
            aliases=[
                Alias(
                    provider="catalogue",
                    provider_satellite_id=str(entry.norad_id),
                    provider_satellite_name=entry.name,
                )
            ],
            elsets=ranked_elsets(entry, self.world.switches),
            transmissions=[],
        )
        return answered(satellite, self.world.switches)

    def _summary(self, entry: Entry) -> SatelliteSummary:
        return SatelliteSummary(
            id=entry.id,
            name=entry.name,
            type=entry.kind,
            norad_cat_id=entry.norad_id,
            orbit_regime=entry.regime,
            altitude_km=round(entry.semi_major_axis_km - EARTH_EQUATOR_KM, 1),
            alias_count=_ALIASES,
            elset_count=len(ranked_elsets(entry, self.world.switches)),
            transmission_count=0,
        )
