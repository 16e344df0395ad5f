"""Calls that no telescope has: the truth about every frame, and orders for weather and faults (`/_observatory`)."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.alpaca.witness import Witness
from simulators.faults import Fault
from simulators.observatory import Observatory, require_device
from simulators.orders import WeatherOrder, ordered
from simulators.physics.album import Truth


def control_routes(observatory: Observatory, witness: Witness) -> list[Route]:
    """GET frames and deeds; PUT weather; GET and PUT faults (the whole script at once)."""

    async def frames(_: Request) -> Response:
        truths = await run_in_threadpool(observatory.album.truths, observatory.clock.now())
        return JSONResponse([_written(truth) for truth in truths])

    async def deeds(_: Request) -> Response:
        return JSONResponse(witness.told())

    async def weather(request: Request) -> Response:
        try:
            order = WeatherOrder.model_validate_json(await request.body())
            observatory.weather.order(safe=order.safe, values=order.values())
        except ValidationError as error:
            return _bad(error)
        except ValueError as error:
            return JSONResponse({"detail": str(error)}, status_code=422)
        return JSONResponse({"safe": observatory.weather.is_safe(observatory.clock.now())})

    return [
        Route("/_observatory/frames", frames),
        Route("/_observatory/deeds", deeds),
        Route("/_observatory/weather", weather, methods=["PUT"]),
        Route("/_observatory/faults", partial(_script, observatory), methods=["GET", "PUT"]),
    ]


def _written(truth: Truth) -> dict[str, Any]:
    instants = {"started_at": _iso(truth.started_at), "mid_at": _iso(truth.mid_at)}
    return {**asdict(truth), **instants}


def _counted(fault: Fault, fired: int) -> dict[str, Any]:
    return {**asdict(fault), "begins": _iso(fault.begins), "fired": fired}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _bad(error: ValidationError) -> Response:
    return JSONResponse({"detail": error.errors(include_url=False, include_context=False)}, status_code=422)


async def _script(observatory: Observatory, request: Request) -> Response:
    if request.method == "PUT":
        try:
            faults = ordered(await request.body(), observatory.clock.now())
            for fault in faults:
                require_device(observatory.settings, fault.device)
            observatory.faults.replace(faults)
        except ValidationError as error:
            return _bad(error)
        except ValueError as error:
            return JSONResponse({"detail": str(error)}, status_code=422)
    return JSONResponse([_counted(fault, fired) for fault, fired in observatory.faults.fired().items()])
