"""The emulated API as one application: strict, documented by its routes, and with a memory of every request."""

from collections.abc import Awaitable, Callable, Sequence
from html import escape

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from simulators.api.access import Access
from simulators.api.accounts import Accounts
from simulators.api.addresses import DOCS
from simulators.api.collecting import CollectionRequests
from simulators.api.control import Control
from simulators.api.door import Door
from simulators.api.elsets import Elsets
from simulators.api.filters import Filters
from simulators.api.images import Images
from simulators.api.observations import Observations
from simulators.api.refusals import Invalid, Refusal, answer_http, answer_invalid, answer_refusal
from simulators.api.satellites import Satellites
from simulators.api.stations import Stations
from simulators.api.storage import Storage
from simulators.api.tasks import Tasks
from simulators.api.telescopes import Telescopes
from simulators.api.weather import Forecast
from simulators.api.world import World


def emulator_app(world: World) -> Starlette:
    """The API over this world. It keeps nothing of its own: two applications over one world are one API."""
    groups = (
        Accounts(world),
        Stations(world),
        Telescopes(world),
        Filters(world),
        Tasks(world),
        Satellites(world),
        Elsets(world),
        Access(world),
        CollectionRequests(world),
        Images(world),
        Storage(world),
        Forecast(world),
        Observations(world),
        Control(world),
    )
    routes = [route for group in groups for route in group.routes()]
    app = Starlette(
        routes=[Route(DOCS, _page_of(routes), methods=["GET"]), *routes],
        middleware=[Middleware(Door, world=world)],
        exception_handlers={Refusal: answer_refusal, Invalid: answer_invalid, HTTPException: answer_http},
    )
    app.router.redirect_slashes = False
    return app


def _page_of(routes: Sequence[Route]) -> Callable[[Request], Awaitable[Response]]:
    """A page that lists what can be asked."""
    lines = [f"{','.join(sorted((route.methods or set()) - {'HEAD'})):7} {route.path}" for route in routes]
    page = f"<!DOCTYPE html><title>Emulated Citra Space API</title><pre>{escape(chr(10).join(lines))}</pre>"

    async def docs(_: Request) -> Response:
        return HTMLResponse(page)

    return docs
