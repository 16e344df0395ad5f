"""An observatory that can be had anew: `PUT /_observatory/reset`, for those who test many things on one server."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.clock import SimulatedClock, real_time

PATH = "/_observatory/reset"


class Reset(BaseModel):
    """What is to be otherwise from now on; what is left out stays, and time goes on."""

    model_config = ConfigDict(extra="forbid")

    seed: int | None = None
    at: AwareDatetime | None = None
    rate: Annotated[float, Field(ge=0.01, le=1000.0)] | None = None

    def clock(self, clock: SimulatedClock) -> SimulatedClock:
        """The clock from now on: the same instant at least, unless another is asked for."""
        if self.at is None and self.rate is None:
            return clock
        starts_at = clock.now() if self.at is None else self.at
        now = real_time().anchored_unix_s
        rate = clock.rate if self.rate is None else self.rate
        return dataclasses.replace(clock, starts_at=starts_at, anchored_unix_s=now, rate=rate)


class Resettable:
    """Serves an observatory, and another one in its place when told to. Calls under way are answered by the old one."""

    def __init__(
        self, build: Callable[[int, SimulatedClock, datetime], ASGIApp], seed: int, clock: SimulatedClock
    ) -> None:
        """`build` makes one of a seed and a clock; its course begins at an instant."""
        self._build = build
        self._seed, self._clock = seed, clock
        self._first = self._current = build(seed, clock, clock.starts_at)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._first(scope, receive, send)  # what lives as long as the server does
        elif scope["path"] == PATH and scope["method"] == "PUT":
            await (await self._reset(Request(scope, receive)))(scope, receive, send)
        else:
            await self._current(scope, receive, send)

    async def _reset(self, request: Request) -> Response:
        try:
            order = Reset.model_validate_json(await request.body() or b"{}")
        except ValidationError as error:
            return JSONResponse(
                {"detail": error.errors(include_url=False, include_context=False, include_input=False)}, status_code=422
            )
        self._seed = self._seed if order.seed is None else order.seed
        self._clock = order.clock(self._clock)
        begins = self._clock.now() if order.at is None else order.at
        self._current = self._build(self._seed, self._clock, begins)
        now = begins.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return JSONResponse({"seed": self._seed, "now": now, "rate": self._clock.rate})
