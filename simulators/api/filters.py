"""`/filters`: the library, and what it knows of a station's own names."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.api.bands import LIBRARY, UNKNOWN_CENTRE_NM, UNKNOWN_WIDTH_NM, band_of
from simulators.api.questions import Question, in_body
from simulators.api.wire import SnakeAnswer, answered
from simulators.api.world import World


class FilterListed(SnakeAnswer):
    """A filter of the library."""

    name: str
    group: str


class FilterExpanded(SnakeAnswer):
    """A filter by name, with what the library knows of it."""

    name: str
    central_wavelength_nm: float
    bandwidth_nm: float
    is_known: bool


class FilterList(SnakeAnswer):
    """Filters of the library, in their wrapper."""

    filters: list[FilterListed]


class FiltersExpanded(SnakeAnswer):
    """Expanded filters in the order asked for, in their wrapper."""

    filters: list[FilterExpanded]


class _Names(Question):
    filter_names: Annotated[tuple[str, ...], Field(min_length=1)]


_NAMES = TypeAdapter(_Names)


@dataclass(frozen=True, slots=True)
class Filters:
    """`/filters`."""

    world: World

    def routes(self) -> list[Route]:
        return [
            Route("/filters/list", self.all, methods=["GET"]),
            Route("/filters/expand", self.expand, methods=["POST"]),
        ]

    async def all(self, _: Request) -> Response:
        listed = [FilterListed(name=band.name, group=band.group) for band in LIBRARY]
        return answered(FilterList(filters=listed), self.world.switches)

    async def expand(self, request: Request) -> Response:
        asked = await in_body(request, _NAMES)
        known = FiltersExpanded(filters=[expanded(name) for name in asked.filter_names])
        return answered(known, self.world.switches)


def expanded(name: str) -> FilterExpanded:
    """What the library knows of a name, whatever its case; an unknown one is taken for a wide one."""
    band = band_of(name)
    return FilterExpanded(
        name=name,
        central_wavelength_nm=UNKNOWN_CENTRE_NM if band is None else band.centre_nm,
        bandwidth_nm=UNKNOWN_WIDTH_NM if band is None else band.width_nm,
        is_known=band is not None,
    )
