"""Alpaca's management calls: which version is spoken, who serves, and which devices there are."""

from collections.abc import Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulators.alpaca.device import Device
from simulators.alpaca.devices import unique_id
from simulators.alpaca.members import BadRequest, Json
from simulators.alpaca.requests import asked
from simulators.observatory import Observatory


def management_routes(
    observatory: Observatory, devices: Iterable[Device[Any]], next_transaction: Callable[[], int]
) -> list[Route]:
    """The three management addresses."""
    ground = observatory.ground
    server: Json = {
        "ServerName": "Nightbridge simulated observatory",
        "Manufacturer": "Nightbridge",
        "ManufacturerVersion": "1.0",
        "Location": f"{ground.latitude_deg:.4f}°, {ground.longitude_deg:.4f}°, {ground.elevation_m:.0f} m",
    }
    configured: Json = [
        {
            "DeviceName": device.name,
            "DeviceType": device.kind.name,
            "DeviceNumber": device.number,
            "UniqueID": unique_id(device, observatory.seed),
        }
        for device in devices
    ]

    def route(path: str, value: Json) -> Route:
        async def answer(request: Request) -> Response:
            try:
                sent = asked(request.scope["query_string"])
            except BadRequest as bad:
                return PlainTextResponse(str(bad), status_code=400)
            ids = {"ClientTransactionID": sent.transaction, "ServerTransactionID": next_transaction()}
            return JSONResponse({"Value": value, **ids})

        return Route(path, answer)

    return [
        route("/management/apiversions", [1]),
        route("/management/v1/description", server),
        route("/management/v1/configureddevices", configured),
    ]
