"""Calls that no telescope has: the truth about every frame, and orders for weather and faults (`/_observatory`)."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from drivers.values import Quantity
from simulators.faults import EVERY, Fault, FaultKind
from simulators.observatory import Observatory
from simulators.physics.album import Truth
from simulators.physics.refusals import Reason

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class WeatherOrder(BaseModel):
    """What the weather is to be from now on: `safe`, and any quantity by its name; the rest is left to itself."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _Finite]

    safe: bool | None = None

    def values(self) -> dict[Quantity, float]:
        return {Quantity(name): value for name, value in self.__pydantic_extra__.items()}


class FaultOrder(BaseModel):
    """A fault; without `begins_at` from now on."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    device: str
    method: str = EVERY
    begins_at: AwareDatetime | None = None
    for_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    hang_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    error_number: Annotated[int, Field(ge=0x400, le=0xFFF)] = int(Reason.INVALID_OPERATION)
    http_status: Annotated[int, Field(ge=400, le=599)] | None = None
    off_ra_deg: _Finite = 0.0
    off_dec_deg: _Finite = 0.0
    says: bool | _Finite | str | None = None
    repeats_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None

    def fault(self, now: datetime) -> Fault:
        begins = now if self.begins_at is None else self.begins_at
        return Fault(begins=begins, **self.model_dump(exclude={"begins_at"}))


_FAULTS = TypeAdapter(list[FaultOrder])


def ordered(script: bytes, now: datetime) -> list[Fault]:
    """A script of faults out of JSON; a ValueError where it is none."""
    return [order.fault(now) for order in _FAULTS.validate_json(script)]


def control_routes(observatory: Observatory) -> list[Route]:
    """GET frames; PUT weather; GET and PUT faults (the whole script at once)."""

    async def frames(_: Request) -> Response:
        truths = await run_in_threadpool(observatory.album.truths, observatory.clock.now())
        return JSONResponse([_written(truth) for truth in truths])

    async def weather(request: Request) -> Response:
        try:
            order = WeatherOrder.model_validate_json(await request.body())
            observatory.weather.order(safe=order.safe, values=order.values())
        except ValidationError as error:
            return _bad(error)
        except ValueError as error:
            return JSONResponse({"detail": f"{error}: there are {', '.join(Quantity)}"}, status_code=422)
        return JSONResponse({"safe": observatory.weather.is_safe(observatory.clock.now())})

    return [
        Route("/_observatory/frames", frames),
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
            observatory.faults.replace(ordered(await request.body(), observatory.clock.now()))
        except ValidationError as error:
            return _bad(error)
        except ValueError as error:
            return JSONResponse({"detail": str(error)}, status_code=422)
    return JSONResponse([_counted(fault, fired) for fault, fired in observatory.faults.fired().items()])
