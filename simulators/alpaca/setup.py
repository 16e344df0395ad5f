"""The pages Alpaca wants for people: one of the server, and one of each device."""

from collections.abc import Mapping
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulators.alpaca.device import Device
from simulators.alpaca.devices import unique_id
from simulators.observatory import Observatory


def setup_routes(observatory: Observatory, devices: Mapping[tuple[str, str], Device[Any]]) -> list[Route]:
    """GET /setup, and /setup/v1/<type>/<number>/setup. Nothing is set here: an observatory is built as it is told."""

    async def server(_: Request) -> Response:
        links = "".join(
            f'<li><a href="/setup/v1/{kind}/{number}/setup">{escape(device.name)}</a></li>'
            for (kind, number), device in devices.items()
        )
        return _page("Nightbridge simulated observatory", f"<ul>{links}</ul>")

    async def one(request: Request) -> Response:
        path = request.path_params
        device = devices.get((path["device_type"], path["number"]))
        if device is None:
            return PlainTextResponse(f"there is nothing at {request.url.path}", status_code=400)
        rows = {
            "UniqueID": unique_id(device, observatory.seed),
            "Interface version": device.kind.interface_version,
            "Name in scripts of faults": device.faults.device,
            **{str(item["Name"]): item["Value"] for item in device.state()},
        }
        cells = ((escape(name), escape(str(value))) for name, value in rows.items())
        table = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in cells)
        return _page(device.name, f"<table>{table}</table>")

    return [Route("/setup", server), Route("/setup/v1/{device_type}/{number}/setup", one)]


def _page(title: str, body: str) -> HTMLResponse:
    heading = escape(title)
    return HTMLResponse(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{heading}</title></head>'
        f"<body><h1>{heading}</h1>{body}</body></html>"
    )
